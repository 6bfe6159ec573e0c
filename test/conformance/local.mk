# SPDX-License-Identifier: BSD-2-Clause
conformance_sources = \
  test/conformance/line.c test/conformance/line.h \
  test/conformance/target.c test/conformance/target.h test/conformance/target_own.h

if REDIS
check_PROGRAMS += test/conformance/check_conformance
endif
test_conformance_check_conformance_SOURCES = $(conformance_sources) \
  test/conformance/check_conformance.c \
  test/conformance/catalog.c test/conformance/catalog.h \
  test/conformance/run.c test/conformance/run.h \
  test/conformance/table.c test/conformance/table.h \
  test/conformance/table_bitmap.c test/conformance/table_connection.c test/conformance/table_expiry.c \
  test/conformance/table_dump.c test/conformance/table_geo.c test/conformance/table_generic.c test/conformance/table_hash.c \
  test/conformance/table_hll.c test/conformance/table_list.c test/conformance/table_move.c test/conformance/table_set.c \
  test/conformance/table_sort.c test/conformance/table_stream.c test/conformance/table_string.c test/conformance/table_transaction.c \
  test/conformance/table_zset.c \
  test/conformance/target_serve.c \
  test/conformance/unseen.c test/conformance/unseen.h

check_PROGRAMS += test/conformance/check_random
test_conformance_check_random_SOURCES = $(conformance_sources) \
  test/conformance/random/check_random.c \
  test/conformance/random/generate.c test/conformance/random/generate.h \
  test/conformance/random/history.c test/conformance/random/history.h \
  test/conformance/random/pattern.c test/conformance/random/pattern.h \
  test/conformance/random/play.c test/conformance/random/play.h \
  test/conformance/random/shrink.c

# A million commands over several seeds.
check-random: test/conformance/check_random
	$(AM_TESTS_ENVIRONMENT) test/conformance/check_random --commands 250000 --seeds 4
.PHONY: check-random
