#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Seeds that have failed once, then 10,000 of each mode, or as many as two processes play in 20 s a mode.
# SIMULATE: other arguments of test/simulate/simulate.

simulate=$top_builddir/test/simulate/simulate

# Its threads are coroutines: the thread sanitizer sees one thread only.
case $SANITIZER in *thread*) exit 77 ;; esac
[ -x "$simulate" ] || { echo "built without Redis"; exit 77; }

# What the library calls of the world must all be simulated_calls of local.mk: the simulator itself
# calls none of these.
escaped=$(nm -u "$simulate" 2>/dev/null | sed 's/.* //; s/@.*//' |
  grep -E '^(uv_|pthread_|sched_|epoll_|clock_|sem_|mtx_|cnd_|getaddrinfo|getrandom|nanosleep|usleep)|^(p?poll|select|socket|connect|accept4?|sendmsg|recvmsg|sendto|recvfrom|send|recv|read|readv|write|writev|close|eventfd|timerfd_create|pipe2?|dup|shutdown)$' |
  grep -vx uv_strerror_r)
[ -z "$escaped" ] || { echo "not simulated: $escaped"; exit 1; }

"$simulate" --file "$top_srcdir/test/simulate/seeds" || exit 1
# shellcheck disable=SC2086  # a list of words
"$simulate" ${SIMULATE:---seeds 10000 --seconds 20 --shards 2}
