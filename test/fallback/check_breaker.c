/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "fallback/breaker.h"
#include "fallback/contract.h"
#include "support/check.h"
#include "util/clock.h"

static int judge(struct lrd_breaker *b, larder_outcome outcome, larder_cause cause, int64_t ms)
{
  larder_verdict v = { .outcome = outcome, .cause = cause };

  return lrd_breaker_judge(b, &v, ms * LRD_NS_PER_MS);
}

START_TEST(test_at_once)
{
  static const larder_cause fatal[] = { LARDER_CAUSE_REFUSED, LARDER_CAUSE_SERVER,
                                        LARDER_CAUSE_SILENT, LARDER_CAUSE_TLS,
                                        LARDER_CAUSE_QUOTA };
  struct lrd_breaker b;

  lrd_breaker_reset(&b, 0);
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
    ck_assert(judge(&b, LARDER_NOT_SENT, fatal[i], 1));
  ck_assert(judge(&b, LARDER_NOT_SENT, LARDER_CAUSE_CUT, 1));
}
END_TEST

START_TEST(test_in_a_row)
{
  struct lrd_breaker b;

  lrd_breaker_reset(&b, 0);
  for (int i = 0; i < LRD_BREAKER_ROW - 1; i++)
    ck_assert(!judge(&b, LARDER_UNKNOWN, LARDER_CAUSE_CUT, 1));
  ck_assert(!judge(&b, LARDER_OK, LARDER_CAUSE_NONE, 1));
  for (int i = 0; i < LRD_BREAKER_ROW - 1; i++)
    ck_assert(!judge(&b, LARDER_UNKNOWN, LARDER_CAUSE_CUT, 1));
  ck_assert(judge(&b, LARDER_UNKNOWN, LARDER_CAUSE_CUT, 1));
}
END_TEST

START_TEST(test_rate)
{
  struct lrd_breaker b;

  lrd_breaker_reset(&b, 0);
  for (int i = 0; i < LRD_BREAKER_CALLS / 2; i++)
    ck_assert(!judge(&b, LARDER_OK, LARDER_CAUSE_NONE, 1));
  for (int i = 0; i < LRD_BREAKER_CALLS / 2 - 1; i++)
    ck_assert(!judge(&b, LARDER_UNKNOWN, LARDER_CAUSE_SLOW, 1));
  ck_assert(judge(&b, LARDER_UNKNOWN, LARDER_CAUSE_SLOW, 1));
  /* A new window begins with nothing. */
  ck_assert(!judge(&b, LARDER_UNKNOWN, LARDER_CAUSE_SLOW, 20000));
}
END_TEST

/* What the caller or the operator did wrong says nothing about the server. */
START_TEST(test_never)
{
  static const larder_cause innocent[] = { LARDER_CAUSE_CALLER, LARDER_CAUSE_AUTH,
                                           LARDER_CAUSE_CAPACITY };
  struct lrd_breaker b;

  lrd_breaker_reset(&b, 0);
  for (int i = 0; i < 1000; i++)
    ck_assert(!judge(&b, LARDER_REFUSED, innocent[i % 3], 1));
}
END_TEST

START_TEST(test_backoff)
{
  struct lrd_prng prng;

  lrd_prng_seed(&prng, 1);
  for (unsigned attempt = 0; attempt < 100; attempt++) {
    int64_t full = attempt > 5 ? 5000 : 100 << attempt;
    int64_t ms = lrd_breaker_backoff(attempt, &prng) / LRD_NS_PER_MS;

    ck_assert_int_ge(ms, full / 2);
    ck_assert_int_le(ms, full);
  }
}
END_TEST

START_TEST(test_contract)
{
  static const struct {
    enum lrd_class class;
    enum lrd_rule journal, cache;
  } rows[] = {
    { LRD_CLASS_CONNECTION, LRD_RULE_LOCAL, LRD_RULE_LOCAL },
    { LRD_CLASS_READ, LRD_RULE_LOCAL, LRD_RULE_LOCAL },
    { LRD_CLASS_OVERWRITE, LRD_RULE_JOURNAL, LRD_RULE_JOURNAL },
    { LRD_CLASS_ACCUMULATE, LRD_RULE_JOURNAL, LRD_RULE_JOURNAL },
    { LRD_CLASS_CONSUME, LRD_RULE_COMPLETE, LRD_RULE_JOURNAL },
    { LRD_CLASS_CONDITIONAL, LRD_RULE_FAIL, LRD_RULE_FAIL },
    { LRD_CLASS_BLOCKING, LRD_RULE_FAIL, LRD_RULE_FAIL },
    { LRD_CLASS_SCRIPT, LRD_RULE_FAIL, LRD_RULE_FAIL },
    { LRD_CLASS_PUBLISH, LRD_RULE_FAIL, LRD_RULE_FAIL },
    { LRD_CLASS_ADMIN, LRD_RULE_FAIL, LRD_RULE_FAIL },
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    ck_assert_int_eq(lrd_contract_rule(LARDER_OUTAGE_JOURNAL, rows[i].class), rows[i].journal);
    ck_assert_int_eq(lrd_contract_rule(LARDER_OUTAGE_CACHE, rows[i].class), rows[i].cache);
    ck_assert_int_eq(lrd_contract_rule(LARDER_OUTAGE_STRICT, rows[i].class), LRD_RULE_FAIL);
  }
}
END_TEST

int main(void)
{
  Suite *s = suite_create("breaker");
  TCase *t = tcase_create("breaker");

  tcase_add_test(t, test_at_once);
  tcase_add_test(t, test_in_a_row);
  tcase_add_test(t, test_rate);
  tcase_add_test(t, test_never);
  tcase_add_test(t, test_backoff);
  tcase_add_test(t, test_contract);
  suite_add_tcase(s, t);
  return run_suite(s);
}
