# SPDX-License-Identifier: BSD-2-Clause
EXTRA_PROGRAMS += bench/bench
bench_bench_SOURCES = \
  bench/bars.c \
  bench/bench.h \
  bench/beside.c \
  bench/child.c \
  bench/common.c \
  bench/environment.c \
  bench/expire.c \
  bench/figure.c \
  bench/isolated.c \
  bench/load.c bench/load.h \
  bench/main.c \
  bench/memory.c \
  bench/op.c bench/op.h \
  bench/open.c \
  bench/prober.c bench/prober.h \
  bench/ratio.c \
  bench/redis.h \
  bench/report.c \
  bench/stall.c bench/stall.h \
  bench/target.c bench/target.h \
  bench/target_larder.c \
  bench/target_uthash.c \
  bench/threads.c \
  bench/throughput.c \
  bench/uthash_table.h
bench_bench_CPPFLAGS = $(AM_CPPFLAGS) -DBENCH_FLAGS='"$(CFLAGS)"' \
  -DBENCH_LARDER='"$(abs_top_builddir)/tools/larder"'
bench_bench_LDADD = liblarder.la -lm
if BENCH_XXHASH
bench_bench_SOURCES += bench/target_uthash_any.c bench/target_uthash_huge.c \
  bench/target_uthash_xxh3.c
endif
if BENCH_GLIB
bench_bench_SOURCES += bench/target_glib.c
bench_bench_CPPFLAGS += $(GLIB_CFLAGS)
bench_bench_LDADD += $(GLIB_LIBS)
endif
if BENCH_LMDB
bench_bench_SOURCES += bench/target_lmdb.c
bench_bench_LDADD += -llmdb
endif
if REDIS
bench_bench_SOURCES += bench/remote.c bench/remote.h bench/remote_caller.c bench/remote_calls.c \
  bench/remote_idle.c bench/remote_pipeline.c bench/remote_pipelines.c bench/remote_store.c \
  bench/remote_store.h bench/serve.c bench/target_redis.c
bench_bench_LDADD += test/support/libtestsupport.la $(HIREDIS_LIBS)
endif

# make bench BENCH_ARGS='--rounds 15 get' for less, or for more.
BENCH_ARGS =
bench: bench/bench tools/larder
	@results='$(abs_top_srcdir)/bench/results'; $(MKDIR_P) "$$results"; \
	  csv=$$results/$$(date -u +%Y%m%dT%H%M%SZ).csv; \
	  bench/bench --csv "$$csv" $(BENCH_ARGS) || exit 1; \
	  test ! -f "$$csv" || '$(top_srcdir)/bench/plot.sh' "$$csv"
.PHONY: bench

# One run's table into README.md, its plots into doc/plots.
bench-readme: bench/bench tools/larder
	@'$(abs_top_srcdir)/bench/readme.sh' '$(abs_top_srcdir)' $(BENCH_ARGS)
.PHONY: bench-readme

# What stands in the way of the bars that are missed (doc/benchmarks.md); needs valgrind.
EXTRA_PROGRAMS += bench/profile
bench_profile_SOURCES = bench/common.c bench/load.c bench/load.h bench/op.c bench/op.h \
  bench/profile.c bench/target.h bench/target_larder.c
if BENCH_XXHASH
bench_profile_SOURCES += bench/target_uthash_any.c bench/target_uthash_xxh3.c bench/uthash_table.h
endif
bench_profile_LDADD = liblarder-core.la -lm
bench-profile: bench/profile
	@'$(srcdir)/bench/profile.sh' $(BENCH_ARGS)
.PHONY: bench-profile

EXTRA_DIST += bench/plot.sh bench/profile.sh bench/readme.sh
dist_check_SCRIPTS += bench/check_bench.sh
bench/check_bench.log: bench/bench tools/larder

# The plots, once there are some: README.md refers to them.
dist-hook:
	@test ! -d '$(srcdir)/doc/plots' || \
	  { $(MKDIR_P) '$(distdir)/doc/plots' && cp '$(srcdir)'/doc/plots/*.svg '$(distdir)/doc/plots/'; }
