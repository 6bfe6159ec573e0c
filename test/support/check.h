/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_CHECK_H
#define TEST_SUPPORT_CHECK_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

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

/* LARDER_TEST=name: only that one; LARDER_LOOP=i: only that turn of a test that is a loop. */
static inline void add_test(TCase *t, const TTest *test, int by_signal, int by_exit, int from, int to)
{
  const char *only = getenv("LARDER_TEST"), *turn = getenv("LARDER_LOOP");

  if (only && strcmp(only, test->name))
    return;
  if (only && turn && to - from > 1) {
    from = (int)strtol(turn, NULL, 10);
    to = from + 1;
  }
  _tcase_add_test(t, test, by_signal, by_exit, from, to);
}
#define _tcase_add_test add_test

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
