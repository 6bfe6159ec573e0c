# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += \
  test/command/check_argv \
  test/command/check_command \
  test/command/check_hub \
  test/command/check_keys \
  test/command/check_redis \
  test/command/check_shape \
  test/command/check_sink \
  test/command/check_tree

test_command_check_argv_SOURCES = test/command/check_argv.c test/command/vector.h test/util/heap.h
test_command_check_command_SOURCES = test/command/check_command.c test/command/vector.h \
  test/util/heap.h
test_command_check_hub_SOURCES = test/command/check_hub.c test/util/heap.h
test_command_check_keys_SOURCES = test/command/check_keys.c test/command/vector.h
test_command_check_redis_SOURCES = test/command/check_redis.c test/command/beside.h \
  test/command/vector.h test/util/seed.h
test_command_check_shape_SOURCES = test/command/check_shape.c test/command/beside.h \
  test/command/vector.h
test_command_check_sink_SOURCES = test/command/check_sink.c test/command/everything.h \
  test/util/heap.h
test_command_check_tree_SOURCES = test/command/check_tree.c test/command/everything.h \
  test/util/heap.h
dist_check_SCRIPTS += test/command/check_lookup.sh
