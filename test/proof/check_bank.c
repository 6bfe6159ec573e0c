/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder.h>

#include "memory/check.h"
#include "memory/pool.h"
#include "proof/hall.h"
#include "proof/yield.h"
#include "store/store.h"
#include "support/check.h"

/*
 * What holds over several keys, while others change them.
 *
 * Bank: money is moved between accounts, by transactions of every kind; whoever looks
 * at all accounts in one step sees the same sum.
 *
 * Twins: two keys that are only ever written together, and expire in the same millisecond.
 * Whoever reads both in one step sees the same version; who reads the first and then the second
 * by two calls never goes back in time.
 *
 * Tokens: things that are moved from key to key by RENAME, coins that wander from set to set by
 * SMOVE: there are never more nor fewer of them.
 *
 * All that while other keys expire, and while they are evicted; where every key may be evicted,
 * one twin may be missing, but never be another than the other.
 */

enum { ACCOUNTS = 8, START = 1000, TOKENS = 3, COINS = 20, THREADS = 8, SOON = 5 /* ms */ };

/* --- the bank --------------------------------------------------------------------- */

static void move_in_batch(struct guest *g, unsigned from, unsigned to, unsigned amount)
{
  larder_batch *b = larder_batch_new(g->hall->store);

  larder_batch_command(b, "DECRBY account%u %u", from, amount);
  larder_batch_command(b, "INCRBY account%u %u", to, amount);
  if (larder_batch_run(b, 1, 0) != LARDER_OK)
    complain(g, "an atomic batch failed");
  larder_batch_free(b);
}

static int64_t balance(struct guest *g, unsigned account)
{
  larder_reply *r = larder_session_command(g->session, "GET account%u", account);
  int64_t n = r->value.type == LARDER_STRING ? strtoll(r->value.str, NULL, 10) : -1;

  larder_reply_free(r);
  return n;
}

/* What was read under WATCH is written by MSET, if it is still true. */
static void move_in_session(struct guest *g, unsigned from, unsigned to, unsigned amount)
{
  larder_session *s = g->session;
  int64_t a, b;

  larder_reply_free(larder_session_command(s, "WATCH account%u account%u", from, to));
  a = balance(g, from);
  b = balance(g, to);
  larder_reply_free(larder_session_command(s, "MULTI"));
  larder_reply_free(larder_session_command(s, "MSET account%u %lld account%u %lld", from,
                                           (long long)a - amount, to, (long long)b + amount));
  larder_reply_free(larder_session_command(s, "EXEC"));
}

static void move_money(struct guest *g)
{
  unsigned from = roll(&g->prng, ACCOUNTS), to = roll(&g->prng, ACCOUNTS);
  unsigned amount = roll(&g->prng, 50);

  if (from == to)
    return;
  if (roll(&g->prng, 2))
    move_in_batch(g, from, to, amount);
  else
    move_in_session(g, from, to, amount);
}

static int64_t sum_of(const larder_value *v, size_t len)
{
  int64_t sum = 0;

  for (size_t i = 0; i < len; i++)
    sum += v[i].type == LARDER_STRING ? strtoll(v[i].str, NULL, 10) : -1000000;
  return sum;
}

static void count_by_mget(struct guest *g)
{
  larder_reply *r = larder_command(g->hall->store,
                                   "MGET account0 account1 account2 account3 account4 "
                                   "account5 account6 account7");

  if (sum_of(r->value.element, r->value.len) != ACCOUNTS * START)
    complain(g, "MGET sees another sum");
  larder_reply_free(r);
}

static void count_by_batch(struct guest *g)
{
  larder_batch *b = larder_batch_new(g->hall->store);
  int64_t sum = 0;

  for (unsigned i = 0; i < ACCOUNTS; i++)
    larder_batch_command(b, "GET account%u", i);
  larder_batch_run(b, 1, 0);
  for (unsigned i = 0; i < ACCOUNTS; i++)
    sum += sum_of(&larder_batch_reply(b, i)->value, 1);
  if (sum != ACCOUNTS * START)
    complain(g, "an atomic batch sees another sum");
  larder_batch_free(b);
}

/* --- tokens -------------------------------------------------------------------------- */

static const char count_tokens[] = "EXISTS token0 token1 token2 token3 token4 token5";

static void move_token(struct guest *g)
{
  larder_batch *b;
  larder_reply *r;

  /* a token moves to a free place only, so none is ever overwritten */
  unsigned from = roll(&g->prng, 2 * TOKENS), to = roll(&g->prng, 2 * TOKENS);
  larder_reply_free(larder_session_command(g->session, "WATCH token%u token%u", from, to));
  r = larder_session_command(g->session, "EXISTS token%u", to);
  if (r->value.integer == 0) {
    larder_reply_free(larder_session_command(g->session, "MULTI"));
    larder_reply_free(larder_session_command(g->session, "RENAME token%u token%u", from, to));
    larder_reply_free(larder_session_command(g->session, "EXEC"));
  }
  larder_reply_free(r);
  larder_reply_free(larder_session_command(g->session, "UNWATCH"));
  r = larder_command(g->hall->store, count_tokens);
  if (r->value.integer != TOKENS)
    complain(g, "a token was lost or doubled");
  larder_reply_free(r);
  b = larder_batch_new(g->hall->store);
  for (unsigned i = 0; i < 2 * TOKENS; i++)
    larder_batch_command(b, "EXISTS token%u", i);
  larder_batch_run(b, 1, 0);
  int64_t seen = 0;
  for (unsigned i = 0; i < 2 * TOKENS; i++)
    seen += larder_batch_reply(b, i)->value.integer;
  if (seen != TOKENS)
    complain(g, "an atomic batch sees a token twice or not");
  larder_batch_free(b);
}

/* --- coins ---------------------------------------------------------------------------- */

static void move_coin(struct guest *g)
{
  larder_reply_free(larder_command(g->hall->store, "SMOVE purse%u purse%u coin%u",
                                   roll(&g->prng, 3), roll(&g->prng, 3), roll(&g->prng, COINS)));
}

/* A coin that lies in two purses at once has a score of 2 in their sum. */
static void count_coins(struct guest *g)
{
  larder_batch *b = larder_batch_new(g->hall->store);
  int64_t lie = 0;

  larder_batch_command(b, "ZUNIONSTORE coins%u 3 purse0 purse1 purse2", g->number);
  larder_batch_command(b, "ZCOUNT coins%u 2 +inf", g->number);
  for (unsigned i = 0; i < 3; i++)
    larder_batch_command(b, "SCARD purse%u", i);
  larder_batch_run(b, 1, 0);
  for (unsigned i = 2; i < 5; i++)
    lie += larder_batch_reply(b, i)->value.integer;
  if (larder_batch_reply(b, 0)->value.integer != COINS || larder_batch_reply(b, 1)->value.integer || lie != COINS)
    complain(g, "an atomic batch sees a coin twice or not");
  larder_batch_free(b);
}

static void count_coins_at_once(struct guest *g)
{
  larder_reply *r = larder_command(g->hall->store, "ZUNIONSTORE all%u 3 purse0 purse1 purse2",
                                   g->number);

  if (r->value.integer != COINS)
    complain(g, "ZUNIONSTORE sees a coin twice or not");
  larder_reply_free(r);
}

/* --- all ------------------------------------------------------------------------------ */

/* Keys that come and go beside all that. */
static void litter(struct guest *g)
{
  char key[16];
  int n = snprintf(key, sizeof key, "litter%u", roll(&g->prng, g->hall->litter));

  make_value(g, 1);
  larder_set(g->hall->store, key, (size_t)n, g->value, 10 + roll(&g->prng, 500),
             g->hall->ttl ? 1 + (int64_t)roll(&g->prng, g->hall->ttl) : 0);
}

static deed *const all_deeds[] = { move_money,   move_money,   count_by_mget, count_by_batch,
                                   write_twins,  write_twins,  remove_twins,  read_twins,
                                   read_twins,   read_in_turn, read_in_turn,  move_token,
                                   move_coin,    move_coin,    count_coins,   count_coins_at_once,
                                   litter,       litter,       NULL };
static deed *const mortal_deeds[] = { write_mortal_twins, write_mortal_twins, read_twins,
                                      read_twins, read_twins, remove_twins, litter, NULL };
static deed *const lossy_deeds[] = { write_twins, remove_twins, read_twins, read_twins, litter,
                                     litter, NULL };

static void *visit(void *context)
{
  struct guest *g = context;
  deed *const *deeds = g->hall->deeds;
  unsigned count = 0;

  while (deeds[count])
    count++;
  for (unsigned i = 0; i < g->hall->rounds && !atomic_load(&g->hall->wrong); i++)
    if (g->number || i % 2)
      deeds[roll(&g->prng, count)](g);
    else
      write_in_order(g);
  return NULL;
}

static void furnish(struct hall *hall)
{
  for (unsigned i = 0; i < ACCOUNTS; i++)
    larder_reply_free(larder_command(hall->store, "SET account%u %d", i, START));
  for (unsigned i = 0; i < TOKENS; i++)
    larder_reply_free(larder_command(hall->store, i % 2 ? "SADD token%u x y" : "SET token%u x", i));
  for (unsigned i = 0; i < COINS; i++)
    larder_reply_free(larder_command(hall->store, "SADD purse%u coin%u", i % 3, i));
}

/* What INFO says of it. */
static unsigned long long info(larder *store, const char *name)
{
  larder_reply *r = larder_command(store, "INFO");
  const char *at = r->outcome == LARDER_OK ? strstr(r->value.str, name) : NULL;
  unsigned long long n = at ? strtoull(at + strlen(name) + 1, NULL, 10) : 0;

  larder_reply_free(r);
  return n;
}

static void check_hall(const char *url, struct hall hall)
{
  struct lrd_prng prng;
  struct guest guest[THREADS];
  char error[LARDER_ERROR_SIZE];

  hall.rounds = 2500;
  seed_prng(&prng, "bank");
  yield_seed(lrd_prng_next(&prng), 30);
  hall.store = larder_open(url, NULL, error, sizeof error);
  ck_assert_msg(hall.store != NULL, "%s", error);
  furnish(&hall);
  for (unsigned i = 0; i < THREADS; i++) {
    guest[i] = (struct guest){ .hall = &hall, .number = i,
                               .session = larder_session_open(hall.store) };
    lrd_prng_seed(&guest[i].prng, lrd_prng_next(&prng));
    ck_assert_int_eq(pthread_create(&guest[i].thread, NULL, visit, &guest[i]), 0);
  }
  for (unsigned i = 0; i < THREADS; i++) {
    pthread_join(guest[i].thread, NULL);
    larder_session_close(guest[i].session);
  }
  check_ok(atomic_load(&hall.wrong));
  if (hall.deeds == all_deeds)
    count_by_mget(&guest[0]);
  check_ok(atomic_load(&hall.wrong));
  ck_assert(!strstr(url, "maxmemory") || info(hall.store, "evicted_keys") > 0);
  ck_assert(hall.ttl != SOON || info(hall.store, "expired_keys") > 0);
  check_ok(lrd_engine_check((struct lrd_engine *)hall.store->base));
  larder_close(hall.store, 0);
}

START_TEST(what_is_true_of_several_keys_stays_true)
{
  check_hall(_i ? "memory:?shards=16" : "memory:?shards=2",
             (struct hall){ .litter = 300, .deeds = all_deeds });
}
END_TEST

START_TEST(the_same_while_others_expire)
{
  check_hall("memory:?shards=4", (struct hall){ .litter = 300, .ttl = SOON, .deeds = all_deeds });
}
END_TEST

START_TEST(the_same_while_others_are_evicted)
{
  check_hall(_i ? "memory:?shards=4&maxmemory=300kb&maxmemory_policy=volatile-lru"
                : "memory:?shards=4&maxmemory=300kb&maxmemory_policy=volatile-ttl",
             (struct hall){ .litter = 4000, .ttl = 60000, .deeds = all_deeds });
}
END_TEST

START_TEST(twins_expire_together)
{
  check_hall(_i ? "memory:?shards=16" : "memory:?shards=2",
             (struct hall){ .litter = 300, .ttl = SOON, .deeds = mortal_deeds });
}
END_TEST

START_TEST(twins_are_never_of_two_versions_under_eviction)
{
  check_hall(_i ? "memory:?shards=4&maxmemory=100kb&maxmemory_policy=allkeys-lru"
                : "memory:?shards=4&maxmemory=100kb&maxmemory_policy=allkeys-s3fifo",
             (struct hall){ .litter = 4000, .lossy = 1, .deeds = lossy_deeds });
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("bank");
  TCase *tests = tcase_create("bank");

  tcase_add_loop_test(tests, what_is_true_of_several_keys_stays_true, 0, 2);
  tcase_add_test(tests, the_same_while_others_expire);
  tcase_add_loop_test(tests, the_same_while_others_are_evicted, 0, 2);
  tcase_add_loop_test(tests, twins_expire_together, 0, 2);
  tcase_add_loop_test(tests, twins_are_never_of_two_versions_under_eviction, 0, 2);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
