/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_CHECK_H
#define TEST_SUPPORT_CHECK_H

#include <check.h>

/*
 * Check, with assertions that cost a comparison where they hold.  Its own writes each one down
 * for the parent process, with a system call a field: in tests that compare with a model after
 * every step that was nine tenths of their time.  One that fails says the same as before; of a
 * crash, Check knows the test alone, no longer the last assertion before it.
 */
#undef ck_assert_msg
#define ck_assert_msg(expr, ...) \
  ((expr) ? (void)0 : \
            _ck_assert_failed(__FILE__, __LINE__, "Assertion '" #expr "' failed", __VA_ARGS__))

/* Runs all tests of a program: what its main returns. */
static inline int run_suite(Suite *suite)
{
  SRunner *runner = srunner_create(suite);
  int failed;

  srunner_run_all(runner, CK_ENV);
  failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}

#endif
