# SPDX-License-Identifier: BSD-2-Clause
dist_man1_MANS += doc/larder.1
dist_man3_MANS += doc/larder.3
dist_man7_MANS += doc/larder-urls.7
EXTRA_DIST += doc/architecture.md doc/benchmarks.md doc/events.md doc/faults.md doc/operations.md doc/prefix.md
EXTRA_DIST += doc/plots/expire.svg doc/plots/hits.svg doc/plots/keys.svg doc/plots/memory.svg \
  doc/plots/threads.svg

dist_check_SCRIPTS += doc/check_doc.sh

helper_programs += doc/example/subscribe
doc_example_subscribe_SOURCES = doc/example/subscribe.c
doc_example_subscribe_LDADD = liblarder.la

# The examples, as an application would build them; test/store/check_uv runs each.
if REDIS
helper_programs += doc/example/epoll doc/example/poll doc/example/thread doc/example/uv
doc_example_thread_SOURCES = doc/example/thread.c
doc_example_thread_LDADD = liblarder.la
doc_example_poll_SOURCES = doc/example/poll.c
doc_example_poll_LDADD = liblarder.la
doc_example_epoll_SOURCES = doc/example/epoll.c
doc_example_epoll_LDADD = liblarder.la
doc_example_uv_SOURCES = doc/example/uv.c
doc_example_uv_LDADD = liblarder.la $(UV_LIBS)
endif
