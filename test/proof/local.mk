# SPDX-License-Identifier: BSD-2-Clause

# What the whole in-process store must show.  Configured with --enable-yields the
# threads are disturbed where they may meet.
judge_sources = test/proof/linear.c test/proof/linear.h test/proof/model.c test/proof/model.h
yield_sources = test/proof/yield.c test/proof/yield.h

check_PROGRAMS += \
  test/proof/check_bank \
  test/proof/check_everything \
  test/proof/check_flood \
  test/proof/check_histories \
  test/proof/check_linear \
  test/proof/check_process \
  test/proof/check_sweep
test_proof_check_bank_SOURCES = $(yield_sources) test/memory/pool.h test/proof/check_bank.c \
  test/proof/hall.h test/proof/twins.c
test_proof_check_everything_SOURCES = $(conformance_sources) $(yield_sources) \
  test/conformance/random/generate.c test/conformance/random/generate.h \
  test/conformance/random/pattern.c test/conformance/random/pattern.h \
  test/conformance/random/history.c test/conformance/random/history.h \
  test/proof/check_everything.c test/proof/crowd.c test/proof/crowd.h \
  test/store/heap.c test/store/heap.h
test_proof_check_flood_SOURCES = test/memory/pool.h test/proof/check_flood.c
test_proof_check_histories_SOURCES = $(judge_sources) $(yield_sources) test/memory/pool.h \
  test/proof/check_histories.c test/proof/command.c test/proof/command.h \
  test/proof/record.c test/proof/record.h
test_proof_check_linear_SOURCES = $(judge_sources) test/memory/pool.h test/proof/check_linear.c
test_proof_check_process_SOURCES = test/memory/pool.h test/proof/check_process.c \
  test/store/heap.c test/store/heap.h
test_proof_check_sweep_SOURCES = test/memory/pool.h test/proof/check_sweep.c \
  test/proof/scene.c test/proof/script.c test/proof/script.h test/proof/stage.c test/proof/stage.h \
  test/store/heap.c test/store/heap.h

# Everything at once, for ten minutes on three stores.
MINUTES = 10
check-everything: test/proof/check_everything
	$(AM_TESTS_ENVIRONMENT) test/proof/check_everything --seconds `expr $(MINUTES) '*' 20`

# The same in builds of their own with each sanitizer, and yields at locks and atomics.
check-sanitized:
	for kind in thread address,undefined; do \
	  $(MKDIR_P) sanitized/$${kind%,*} && ( \
	    cd sanitized/$${kind%,*} && \
	    { test -f Makefile || '$(abs_srcdir)/configure' --disable-static --enable-debug \
	        --enable-yields --enable-sanitizer=$$kind CFLAGS='-g -O1'; } && \
	    $(MAKE) check-everything ) || exit 1; \
	done
.PHONY: check-everything check-sanitized
