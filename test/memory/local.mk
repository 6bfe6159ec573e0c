# SPDX-License-Identifier: BSD-2-Clause

# The collection types: structures, and their commands through the engine.
check_PROGRAMS += \
  test/memory/check_hash \
  test/memory/check_integers \
  test/memory/check_list \
  test/memory/check_scores \
  test/memory/check_set \
  test/memory/check_stream \
  test/memory/check_table \
  test/memory/check_zset \
  test/memory/check_zset_commands
test_memory_check_hash_SOURCES = test/memory/check_hash.c test/memory/lines_hash.h test/memory/pool.h \
  test/memory/talk.c test/memory/talk.h
test_memory_check_integers_SOURCES = test/memory/check_integers.c test/memory/pool.h \
  test/memory/talk.c test/memory/talk.h
test_memory_check_list_SOURCES = test/memory/check_list.c test/memory/lines_list.h test/memory/pool.h \
  test/memory/talk.c test/memory/talk.h
test_memory_check_set_SOURCES = test/memory/check_set.c test/memory/lines_set.h test/memory/pool.h \
  test/memory/talk.c test/memory/talk.h
test_memory_check_stream_SOURCES = test/memory/check_stream.c test/memory/pool.h \
  test/memory/talk.c test/memory/talk.h
test_memory_check_table_SOURCES = test/memory/check_table.c test/memory/pool.h
test_memory_check_scores_SOURCES = test/memory/check_scores.c test/memory/pool.h
test_memory_check_zset_SOURCES = test/memory/check_zset.c test/memory/pool.h
test_memory_check_zset_commands_SOURCES = test/memory/check_zset_commands.c \
  test/memory/lines_zset.h test/memory/pool.h test/memory/talk.c test/memory/talk.h

# The engine: its tables, and its commands through lrd_memory_table.
check_PROGRAMS += test/memory/check_block
test_memory_check_block_SOURCES = test/memory/check_block.c
check_PROGRAMS += \
  test/memory/check_atomic \
  test/memory/check_break \
  test/memory/check_discard \
  test/memory/check_dump \
  test/memory/check_evict \
  test/memory/check_expiry \
  test/memory/check_fifo \
  test/memory/check_index \
  test/memory/check_nomemory \
  test/memory/check_partial \
  test/memory/check_policy \
  test/memory/check_scan \
  test/memory/check_stray \
  test/memory/check_threads \
  test/memory/check_unlocked \
  test/memory/check_wheel
test_memory_check_atomic_SOURCES = test/memory/check_atomic.c test/memory/pool.h test/memory/rig.h
test_memory_check_break_SOURCES = test/memory/check_break.c test/memory/pool.h test/memory/rig.h
test_memory_check_discard_SOURCES = test/memory/check_discard.c test/memory/pool.h \
  test/memory/rig.h
test_memory_check_dump_SOURCES = test/memory/check_dump.c test/memory/pool.h \
  test/memory/talk.c test/memory/talk.h
test_memory_check_evict_SOURCES = test/memory/check_evict.c test/memory/bounded.h \
  test/memory/pool.h test/memory/rig.h
test_memory_check_expiry_SOURCES = test/memory/check_expiry.c test/memory/pool.h test/memory/rig.h
test_memory_check_fifo_SOURCES = test/memory/check_fifo.c test/memory/pool.h test/memory/rig.h
test_memory_check_index_SOURCES = test/memory/check_index.c test/memory/pool.h
test_memory_check_nomemory_SOURCES = test/memory/check_nomemory.c test/memory/pool.h \
  test/memory/rig.h
test_memory_check_partial_SOURCES = test/memory/check_partial.c test/memory/pool.h \
  test/memory/rig.h
test_memory_check_policy_SOURCES = test/memory/check_policy.c test/memory/bounded.h \
  test/memory/pool.h test/memory/rig.h
test_memory_check_scan_SOURCES = test/memory/check_scan.c test/memory/pool.h test/memory/rig.h
test_memory_check_stray_SOURCES = test/memory/check_stray.c test/memory/pool.h
test_memory_check_threads_SOURCES = test/memory/check_threads.c test/memory/pool.h \
  test/memory/rig.h
test_memory_check_unlocked_SOURCES = test/memory/check_unlocked.c test/memory/pool.h
test_memory_check_wheel_SOURCES = test/memory/check_wheel.c test/memory/pool.h
