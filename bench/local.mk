# SPDX-License-Identifier: BSD-2-Clause
EXTRA_PROGRAMS += bench/bench
bench_bench_SOURCES = \
  bench/bench.h \
  bench/main.c \
  bench/measure.c \
  bench/report.c \
  bench/target_hash.c \
  bench/target_larder.c
bench_bench_CPPFLAGS = $(AM_CPPFLAGS) -DBENCH_FLAGS='"$(CFLAGS)"'
bench_bench_LDADD = liblarder.la
if REDIS
bench_bench_SOURCES += bench/target_redis.c
bench_bench_LDADD += test/support/libtestsupport.la $(HIREDIS_LIBS)
endif

# make bench BENCH_ARGS='--rounds 15 get' for less, or for more.
BENCH_ARGS =
bench: bench/bench
	@$(MKDIR_P) '$(top_srcdir)/bench/results'
	@bench/bench --csv "$(top_srcdir)/bench/results/$$(date -u +%Y%m%dT%H%M%SZ).csv" $(BENCH_ARGS)
.PHONY: bench

dist_check_SCRIPTS += bench/check_bench.sh
bench/check_bench.log: bench/bench
