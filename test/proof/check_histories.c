/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/pool.h"
#include "proof/record.h"
#include "proof/yield.h"
#include "support/check.h"

/*
 * What eight threads did to few keys is linearizable for each key: reads and writes
 * by typed calls, by argument vectors, in batches and in transactions; with texts
 * that are long enough to tear, with keys that expire, with one shard and many; and where keys are evicted.
 */

enum { CALLS = 4000 };

static const struct record_setup setups[] = {
  { .longest = 200, .url = "memory:?shards=16" },
  { .longest = 200, .url = "memory:?shards=1" },
  { .longest = 4000, .url = "memory:?shards=4" },
  { .longest = 200, .expiry = 1, .url = "memory:?shards=1" },
  { .longest = 1000, .expiry = 1, .background = 1, .url = "memory:?shards=8" },
  { .longest = 200, .may_vanish = 1,
    .url = "memory:?shards=4&maxmemory=200000&maxmemory_policy=allkeys-random" },
  { .longest = 1000, .may_vanish = 1, .expiry = 1, .background = 1,
    .url = "memory:?shards=2&maxmemory=200000&maxmemory_policy=allkeys-s3fifo" },
};

static void check_key(const struct record *r, unsigned key)
{
  struct model model = { r->setup.may_vanish };
  size_t stuck;
  enum linear_verdict verdict =
    linear_check(&model, r->operation[key], r->count[key], &stuck);

  if (verdict != LINEAR_YES)
    record_print(r, key, stuck);
  ck_assert_msg(verdict == LINEAR_YES, "key %u: %s", key,
                verdict == LINEAR_NO ? "not linearizable" : "the search took too long");
}

static long evicted(larder *store)
{
  larder_reply *r = larder_command(store, "INFO stats");
  const char *at = strstr(r->value.str, "evicted_keys:");
  long n = at ? strtol(at + strlen("evicted_keys:"), NULL, 10) : -1;

  larder_reply_free(r);
  return n;
}

START_TEST(histories_are_linearizable)
{
  struct record_setup setup = setups[_i];
  struct lrd_prng prng;
  struct record r;

  seed_prng(&prng, "histories");
  setup.threads = 8;
  setup.calls = CALLS;
  setup.seed = lrd_prng_next(&prng);
  yield_seed(setup.seed, 50);
  check_ok(record_run(&r, &setup));
  ck_assert_int_eq(setup.may_vanish, evicted(r.store) != 0);
  for (unsigned key = 0; key < RECORD_KEYS; key++)
    check_key(&r, key);
  record_free(&r);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("histories");
  TCase *tests = tcase_create("histories");

  tcase_add_loop_test(tests, histories_are_linearizable, 0, sizeof setups / sizeof *setups);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
