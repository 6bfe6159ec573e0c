# SPDX-License-Identifier: BSD-2-Clause

# The library once more, in a world of its own: see test/simulate/task.h and scene.h.
if REDIS
check_LTLIBRARIES += test/simulate/libsimulated.la
test_simulate_libsimulated_la_SOURCES = $(core_sources) $(redis_sources)
test_simulate_libsimulated_la_CPPFLAGS = \
  -include $(top_srcdir)/test/simulate/redirect.h $(AM_CPPFLAGS)
test_simulate_libsimulated_la_LIBADD = $(HIREDIS_LIBS) $(UV_LIBS) $(OPENSSL_LIBS)

helper_programs += test/simulate/simulate
test_simulate_simulate_SOURCES = \
  test/simulate/channels.c \
  test/simulate/descriptor.c \
  test/simulate/faults.c \
  test/simulate/heap.c \
  test/simulate/judge.c test/simulate/judge.h \
  test/simulate/keys.c \
  test/simulate/listen.c test/simulate/listen.h \
  test/simulate/net.c \
  test/simulate/scene.c test/simulate/scene.h \
  test/simulate/server.c test/simulate/server.h \
  test/simulate/simulate.c \
  test/simulate/sync.c \
  test/simulate/task.c test/simulate/task.h \
  test/simulate/uv.c \
  test/simulate/workload.c test/simulate/workload.h \
  test/simulate/world.h
test_simulate_simulate_LDADD = test/simulate/libsimulated.la

# Its server against a real one.
check_PROGRAMS += test/simulate/check_replies
test_simulate_check_replies_SOURCES = \
  test/simulate/channels.c test/simulate/check_replies.c test/simulate/keys.c \
  test/simulate/server.c test/simulate/server.h test/simulate/task.h test/simulate/world.h

# What the library calls of the system, and the simulator answers.
simulated_calls = \
  pthread_mutex_init pthread_mutex_destroy pthread_mutex_lock pthread_mutex_trylock \
  pthread_mutex_unlock pthread_condattr_init pthread_condattr_setclock pthread_condattr_destroy \
  pthread_cond_init pthread_cond_destroy pthread_cond_wait pthread_cond_timedwait \
  pthread_cond_signal pthread_cond_broadcast pthread_create pthread_join pthread_detach \
  pthread_self pthread_sigmask pthread_setcancelstate sched_yield clock_gettime nanosleep getrandom \
  syscall socket connect send recv read write close eventfd getsockopt setsockopt poll ppoll \
  getaddrinfo freeaddrinfo uv_loop_init uv_loop_close uv_run uv_update_time uv_async_init \
  uv_async_send uv_timer_init uv_timer_start uv_timer_stop uv_idle_init uv_idle_start \
  uv_idle_stop uv_prepare_init uv_prepare_start uv_check_init uv_check_start \
  uv_poll_init uv_poll_start uv_poll_stop uv_close uv_is_closing uv_walk uv_backend_fd
test_simulate_simulate_LDFLAGS = $(AM_LDFLAGS) $(simulated_calls:%=-Wl,--wrap=%)
endif

EXTRA_DIST += test/simulate/redirect.h test/simulate/seeds
dist_check_SCRIPTS += test/simulate/check_simulate.sh

# Ten times as many.
check-simulate: test/simulate/simulate
	$(AM_TESTS_ENVIRONMENT) SIMULATE='--seeds 100000 --shards 2'; export SIMULATE; \
	  $(SHELL) '$(srcdir)/test/simulate/check_simulate.sh'
.PHONY: check-simulate
