/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <larder.h>
#include <pthread.h>
#include <stdatomic.h>

#include "memory/check.h"
#include "memory/pool.h"
#include "proof/yield.h"
#include "store/store.h"
#include "support/check.h"

/*
 * What holds over several keys, while others change them.
 *
 * Bank: money is moved between accounts, by transactions of every kind; whoever looks
 * at all accounts in one step sees the same sum.
 *
 * Twins: two keys that are only ever written together.  Whoever reads both in one step
 * sees the same version; who reads the first and then the second by two calls never
 * goes back in time.
 *
 * Tokens: things that are moved from key to key by RENAME, and wander between a set and
 * another: there are never more nor fewer of them.
 */

enum { ACCOUNTS = 8, START = 1000, TWINS = 4, TOKENS = 3, THREADS = 8, VALUE = 2000 };

struct hall {
  larder *store;
  _Atomic uint64_t version[TWINS]; /* given out so far */
  const char *_Atomic wrong;
  unsigned rounds;
  int expiry;
  uint64_t seed;
};

struct guest {
  struct hall *hall;
  unsigned number;
  struct lrd_prng prng;
  pthread_t thread;
  larder_session *session;
  char value[VALUE + 1], seen[2][VALUE + 64];
};

static void complain(struct guest *g, const char *what)
{
  atomic_store(&g->hall->wrong, what);
}

static const larder_reply *reply_of(const larder_batch *b, size_t i)
{
  return larder_batch_reply(b, i);
}

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
    sum += sum_of(&reply_of(b, i)->value, 1);
  if (sum != ACCOUNTS * START)
    complain(g, "an atomic batch sees another sum");
  larder_batch_free(b);
}

/* --- twins ------------------------------------------------------------------------- */

/* "version;version;..." */
static size_t make_value(struct guest *g, uint64_t version)
{
  char mark[24];
  size_t n = (size_t)snprintf(mark, sizeof mark, "%" PRIu64 ";", version), len;

  len = n * (1 + roll(&g->prng, (unsigned)(VALUE / n)));
  for (size_t i = 0; i < len; i++)
    g->value[i] = mark[i % n];
  return len;
}

/* 0: no value.  One that is torn or of two versions is an error. */
static uint64_t version_of(struct guest *g, const char *value, size_t len)
{
  uint64_t version = len ? strtoull(value, NULL, 10) : 0;
  size_t n = len ? (size_t)((const char *)memchr(value, ';', len) - value) + 1 : 1;

  for (size_t i = n; i < len; i++)
    if (value[i] != value[i - n])
      complain(g, "a value is torn");
  if (len % n)
    complain(g, "a value is cut off");
  return version;
}

static void write_twins(struct guest *g)
{
  unsigned pair = roll(&g->prng, TWINS);
  size_t len = make_value(g, atomic_fetch_add(&g->hall->version[pair], 1) + 1);
  larder_batch *b;

  switch (roll(&g->prng, 3)) {
  case 0:
    larder_reply_free(larder_command(g->hall->store, "MSET a%u %b b%u %b", pair, g->value, len,
                                     pair, g->value, len));
    return;
  case 1:
    b = larder_batch_new(g->hall->store);
    larder_batch_command(b, "SET a%u %b", pair, g->value, len);
    larder_batch_command(b, "SET b%u %b", pair, g->value, len);
    larder_batch_run(b, 1, 0);
    larder_batch_free(b);
    return;
  default:
    larder_reply_free(larder_session_command(g->session, "MULTI"));
    larder_reply_free(larder_session_command(g->session, "SET b%u %b", pair, g->value, len));
    larder_reply_free(larder_session_command(g->session, "SET a%u %b", pair, g->value, len));
    larder_reply_free(larder_session_command(g->session, "EXEC"));
  }
}

/* Both go together, by a command that names both or in one step. */
static void remove_twins(struct guest *g)
{
  unsigned pair = roll(&g->prng, TWINS);
  larder_batch *b;

  if (roll(&g->prng, 2)) {
    larder_reply_free(larder_command(g->hall->store, "DEL a%u b%u", pair, pair));
    return;
  }
  b = larder_batch_new(g->hall->store);
  larder_batch_command(b, "GETDEL b%u", pair);
  larder_batch_command(b, "UNLINK a%u", pair);
  larder_batch_run(b, 1, 0);
  larder_batch_free(b);
}

static void compare_twins(struct guest *g, const larder_value *a, const larder_value *b)
{
  uint64_t first = a->type == LARDER_STRING ? version_of(g, a->str, a->len) : 0;
  uint64_t second = b->type == LARDER_STRING ? version_of(g, b->str, b->len) : 0;

  if (first != second)
    complain(g, "twins differ");
}

static void read_twins(struct guest *g)
{
  unsigned pair = roll(&g->prng, TWINS);
  larder_batch *b;
  larder_reply *r;

  if (roll(&g->prng, 2)) {
    r = larder_command(g->hall->store, "MGET a%u b%u", pair, pair);
    compare_twins(g, &r->value.element[0], &r->value.element[1]);
    larder_reply_free(r);
    return;
  }
  b = larder_batch_new(g->hall->store);
  larder_batch_command(b, "GET a%u", pair);
  larder_batch_command(b, "GET b%u", pair);
  larder_batch_run(b, 1, 0);
  compare_twins(g, &reply_of(b, 0)->value, &reply_of(b, 1)->value);
  larder_batch_free(b);
}

static uint64_t typed_version(struct guest *g, char twin, unsigned pair, char *buffer)
{
  char key[4] = { twin, (char)('0' + pair), 0 };
  size_t len;

  if (larder_get(g->hall->store, key, 2, buffer, sizeof g->seen[0], &len) != LARDER_OK)
    return 0;
  return version_of(g, buffer, len);
}

/* Of one pair more, whose versions rise: one thread alone writes it. */
static void read_in_turn(struct guest *g)
{
  unsigned pair = TWINS;
  uint64_t first = typed_version(g, 'a', pair, g->seen[0]);
  uint64_t second = typed_version(g, 'b', pair, g->seen[1]);

  if (second < first)
    complain(g, "the second twin is older than the first");
}

/* Only the first thread does. */
static void write_in_order(struct guest *g)
{
  static const char *const forms[] = { "MSET a%u %b b%u %b", "MSET b%u %b a%u %b" };
  unsigned pair = TWINS;
  size_t len = make_value(g, atomic_fetch_add(&g->hall->version[0], 1) + 1);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  larder_reply_free(larder_command(g->hall->store, forms[roll(&g->prng, 2)], pair, g->value, len,
                                   pair, g->value, len));
#pragma GCC diagnostic pop
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
    seen += reply_of(b, i)->value.integer;
  if (seen != TOKENS)
    complain(g, "an atomic batch sees a token twice or not");
  larder_batch_free(b);
}

/* Keys that come and go beside all that. */
static void litter(struct guest *g)
{
  char key[16];
  int n = snprintf(key, sizeof key, "litter%u", roll(&g->prng, 300));

  make_value(g, 1);
  larder_set(g->hall->store, key, (size_t)n, g->value, 10 + roll(&g->prng, 500),
             g->hall->expiry ? 1 + (int64_t)roll(&g->prng, 5) : 0);
}

/* --- all ------------------------------------------------------------------------------- */

static void *visit(void *context)
{
  static void (*const deeds[])(struct guest *) = { move_money,    move_money,   count_by_mget,
                                                   count_by_batch, write_twins, write_twins,
                                                   remove_twins,  read_twins,   read_twins,
                                                   read_in_turn,  read_in_turn, move_token,
                                                   litter };
  struct guest *g = context;

  for (unsigned i = 0; i < g->hall->rounds && !atomic_load(&g->hall->wrong); i++)
    if (g->number || i % 2)
      deeds[roll(&g->prng, sizeof deeds / sizeof *deeds)](g);
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
}

static void check_hall(const char *url, int expiry)
{
  struct lrd_prng prng;
  struct guest guest[THREADS];
  struct hall hall = { .expiry = expiry, .rounds = 2500 };
  char error[LARDER_ERROR_SIZE];

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
  count_by_mget(&guest[0]);
  check_ok(atomic_load(&hall.wrong));
  check_ok(lrd_engine_check((struct lrd_engine *)hall.store->base));
  larder_close(hall.store, 0);
}

START_TEST(what_is_true_of_several_keys_stays_true)
{
  check_hall(_i ? "memory:?shards=16" : "memory:?shards=2", 0);
}
END_TEST

START_TEST(the_same_while_others_expire)
{
  check_hall("memory:?shards=4", 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("bank");
  TCase *tests = tcase_create("bank");

  tcase_add_loop_test(tests, what_is_true_of_several_keys_stays_true, 0, 2);
  tcase_add_test(tests, the_same_while_others_expire);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
