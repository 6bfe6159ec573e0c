# SPDX-License-Identifier: BSD-2-Clause
if REDIS
check_PROGRAMS += test/fallback/check_breaker test/fallback/check_fold
test_fallback_check_breaker_SOURCES = test/fallback/check_breaker.c
test_fallback_check_fold_SOURCES = test/fallback/check_fold.c
endif
if REDIS
check_PROGRAMS += test/fallback/check_fallback test/fallback/check_break \
  test/fallback/check_faults test/fallback/check_listen test/fallback/check_refused
test_fallback_check_fallback_SOURCES = test/fallback/check_fallback.c
test_fallback_check_faults_SOURCES = test/fallback/check_faults.c
test_fallback_check_listen_SOURCES = test/fallback/check_listen.c
test_fallback_check_break_SOURCES = test/fallback/check_break.c
test_fallback_check_refused_SOURCES = test/fallback/check_refused.c
endif
