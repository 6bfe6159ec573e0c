#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Seeds that have failed once, then 10,000 of each mode, or as many as two processes play in 20 s a mode.
# SIMULATE: other arguments of test/simulate/simulate.

simulate=$top_builddir/test/simulate/simulate

# Its threads are coroutines: the thread sanitizer sees one thread only.
case $SANITIZER in *thread*) exit 77 ;; esac
[ -x "$simulate" ] || { echo "built without Redis"; exit 77; }

"$simulate" --file "$top_srcdir/test/simulate/seeds" || exit 1
# shellcheck disable=SC2086  # a list of words
"$simulate" ${SIMULATE:---seeds 10000 --seconds 20 --shards 2}
