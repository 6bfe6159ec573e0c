# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += \
  test/util/check_grace \
  test/util/check_hash \
  test/util/check_histogram \
  test/util/check_hook \
  test/util/check_lock \
  test/util/check_memory \
  test/util/check_number \
  test/util/check_slab \
  test/util/check_universal

test_util_check_grace_SOURCES = test/util/check_grace.c
test_util_check_hash_SOURCES = test/util/check_hash.c test/util/seed.h
test_util_check_histogram_SOURCES = test/util/check_histogram.c test/util/seed.h
test_util_check_hook_SOURCES = test/util/check_hook.c test/util/heap.h
test_util_check_lock_SOURCES = test/util/check_lock.c
test_util_check_memory_SOURCES = test/util/check_memory.c test/util/heap.h
test_util_check_number_SOURCES = test/util/check_number.c test/util/seed.h
test_util_check_slab_SOURCES = test/util/check_slab.c test/util/seed.h
test_util_check_universal_SOURCES = test/util/check_universal.c test/util/seed.h
