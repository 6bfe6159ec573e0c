# SPDX-License-Identifier: BSD-2-Clause

store_fakes = \
  test/store/fake.c test/store/fake.h \
  test/store/heap.c test/store/heap.h \
  test/store/reference.c test/store/reference.h

check_PROGRAMS += \
  test/store/check_async \
  test/store/check_batch \
  test/store/check_break \
  test/store/check_cell \
  test/store/check_close \
  test/store/check_config \
  test/store/check_memory \
  test/store/check_process \
  test/store/check_promise \
  test/store/check_refused \
  test/store/check_session \
  test/store/check_status \
  test/store/check_store \
  test/store/check_subscriber \
  test/store/check_threads

test_store_check_async_SOURCES = test/store/check_async.c $(store_fakes)
test_store_check_batch_SOURCES = test/store/check_batch.c $(store_fakes)
test_store_check_break_SOURCES = test/store/check_break.c test/store/heap.c test/store/heap.h
test_store_check_cell_SOURCES = test/store/check_cell.c test/store/heap.c test/store/heap.h
test_store_check_close_SOURCES = test/store/check_close.c test/store/heap.c test/store/heap.h \
  test/proof/yield.c test/proof/yield.h
test_store_check_config_SOURCES = test/store/check_config.c test/store/config_rig.h $(store_fakes)
test_store_check_memory_SOURCES = test/store/check_memory.c $(store_fakes)
test_store_check_process_SOURCES = test/store/check_process.c test/store/store_rig.h $(store_fakes)
test_store_check_promise_SOURCES = test/store/check_promise.c
test_store_check_refused_SOURCES = test/store/check_refused.c test/store/config_rig.h
test_store_check_session_SOURCES = test/store/check_session.c $(store_fakes)
test_store_check_status_SOURCES = test/store/check_status.c test/store/store_rig.h $(store_fakes)
test_store_check_store_SOURCES = test/store/check_store.c test/store/store_rig.h $(store_fakes)
test_store_check_subscriber_SOURCES = test/store/check_subscriber.c \
  test/store/heap.c test/store/heap.h
test_store_check_threads_SOURCES = test/store/check_threads.c $(store_fakes)

if REDIS
check_PROGRAMS += \
  test/store/check_async_process \
  test/store/check_metrics \
  test/store/check_prefix \
  test/store/check_prefix_list \
  test/store/check_prefix_outage \
  test/store/check_subscriber_redis \
  test/store/check_uv
test_store_check_uv_LDADD = $(LDADD) $(UV_LIBS)
endif
test_store_check_async_process_SOURCES = test/store/check_async_process.c \
  test/store/heap.c test/store/heap.h
test_store_check_metrics_SOURCES = test/store/check_metrics.c
test_store_check_uv_SOURCES = test/store/check_uv.c test/store/heap.c test/store/heap.h
prefix_sources = test/store/prefix_rig.c test/store/prefix_rig.h
test_store_check_prefix_SOURCES = test/store/check_prefix.c $(prefix_sources)
test_store_check_prefix_outage_SOURCES = test/store/check_prefix_outage.c $(prefix_sources)
test_store_check_prefix_list_SOURCES = test/store/check_prefix_list.c $(conformance_sources)
test_store_check_subscriber_redis_SOURCES = test/store/check_subscriber_redis.c
