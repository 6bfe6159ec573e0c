# SPDX-License-Identifier: BSD-2-Clause

# The collection types: structures, and their commands through the engine.
check_PROGRAMS += \
  test/memory/check_hash \
  test/memory/check_list \
  test/memory/check_set \
  test/memory/check_zset
test_memory_check_hash_SOURCES = test/memory/check_hash.c test/memory/pool.h
test_memory_check_list_SOURCES = test/memory/check_list.c test/memory/pool.h
test_memory_check_set_SOURCES = test/memory/check_set.c test/memory/pool.h
test_memory_check_zset_SOURCES = test/memory/check_zset.c test/memory/pool.h
