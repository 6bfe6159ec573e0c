/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application sees while its redis-server dies, hangs, comes back, refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outage/caller.h"
#include "support/check.h"

enum { SECONDS = 60 };

/* --- killed, hung ----------------------------------------------------------- */

static void go_on_without(larder *store)
{
  struct got g = run(store, "INCRBY", "counter", "5", NULL);
  expect(g, LARDER_OK);
  ck_assert_int_eq(g.origin, LARDER_FROM_LOCAL);
  ck_assert(g.flags & LARDER_JOURNALED);
  ck_assert(g.flags & LARDER_PROVISIONAL);
  expect(run(store, "GET", "counter", NULL, NULL), LARDER_UNKNOWN_LOCALLY);
  expect(run(store, "SET", "greeting", "hello", NULL), LARDER_OK);
  g = run(store, "GET", "greeting", NULL, NULL);
  expect(g, LARDER_OK);
  ck_assert_str_eq(g.text, "hello");
  expect(run(store, "SADD", "set", "during", NULL), LARDER_OK);
  expect(run(store, "DEL", "doomed", NULL, NULL), LARDER_OK);
  expect(run(store, "GET", "doomed", NULL, NULL), LARDER_ABSENT);
  expect(run(store, "GET", "untouched", NULL, NULL), LARDER_UNKNOWN_LOCALLY);
  expect(run(store, "RPUSH", "list", "during", NULL), LARDER_OK);
}

static void before(larder *store)
{
  expect(run(store, "SET", "counter", "10", NULL), LARDER_OK);
  expect(run(store, "SADD", "set", "before", NULL), LARDER_OK);
  expect(run(store, "SET", "doomed", "x", NULL), LARDER_OK);
  expect(run(store, "SET", "untouched", "x", NULL), LARDER_OK);
  struct got g = run(store, "RPUSH", "list", "before", NULL);
  expect(g, LARDER_OK);
  ck_assert_int_eq(g.origin, LARDER_FROM_REDIS);
}

static void after(larder *store)
{
  await_back(store);
  struct got g = run(store, "GET", "counter", NULL, NULL);
  expect(g, LARDER_OK);
  ck_assert_int_eq(g.origin, LARDER_FROM_REDIS);
  ck_assert_str_eq(g.text, "15");
  check_direct("GET", "counter", "\"15\"");
  check_direct("GET", "greeting", "\"hello\"");
  check_direct("SCARD", "set", ":2");
  check_direct("EXISTS", "doomed", ":0");
  check_direct("GET", "untouched", "\"x\"");
  check_direct("LLEN", "list", ":2");
  larder_status s = status_of(store);
  ck_assert_uint_eq(s.dropped, 0);
  ck_assert_uint_ge(s.outages, 1);
  ck_assert_uint_eq(larder_close(store, 1000), 0);
}

START_TEST(killed_and_restarted)
{
  larder *store = open_with(NULL);
  before(store);
  server_kill(server);
  await_outage(store);
  go_on_without(store);
  ck_assert_int_eq(status_of(store).state, LARDER_STATE_DOWN);
  ck_assert_str_eq(status_of(store).serving, "memory");
  server_restart(server);
  after(store);
}
END_TEST

START_TEST(hung_and_resumed)
{
  larder *store = open_with(NULL);
  before(store);
  server_pause(server);
  await_outage(store);
  go_on_without(store);
  nap(200);
  server_resume(server);
  after(store);
}
END_TEST

static int64_t direct_integer(const char *key)
{
  struct resp_client *c = direct();
  struct resp *r = resp_words(c, "GET", key, NULL);
  int64_t value = r && r->str ? strtoll(r->str, NULL, 10) : -1;
  resp_free(r);
  resp_close(c);
  return value;
}

START_TEST(hung_while_calls_are_in_flight)
{
  larder *store = open_with(NULL);
  before(store);
  expect(run(store, "SET", "in flight", "0", NULL), LARDER_OK);
  server_pause(server);
  struct got g = run(store, "INCR", "in flight", NULL, NULL);
  ck_assert_int_lt(g.ms, CALL_LIMIT_MS);
  ck_assert_msg(g.outcome == LARDER_UNKNOWN || g.outcome == LARDER_NOT_SENT ||
                    (g.outcome == LARDER_OK && g.origin == LARDER_FROM_LOCAL),
                "a write into a hung server: %s from %s", larder_outcome_name(g.outcome),
                larder_origin_name(g.origin));
  struct got r = run(store, "GET", "untouched", NULL, NULL);
  ck_assert_int_lt(r.ms, CALL_LIMIT_MS);
  ck_assert_msg(r.outcome == LARDER_NO_ANSWER || r.outcome == LARDER_UNKNOWN_LOCALLY ||
                    r.outcome == LARDER_NOT_SENT,
                "a read from a hung server: %s", larder_outcome_name(r.outcome));
  await_outage(store);
  go_on_without(store);
  server_resume(server);
  after(store);
  int64_t there = direct_integer("in flight");
  if (g.outcome == LARDER_OK)
    ck_assert_int_eq(there, 1);
  else if (g.outcome == LARDER_NOT_SENT)
    ck_assert_int_eq(there, 0);
  else
    ck_assert(there == 0 || there == 1);
}
END_TEST

START_TEST(several_times)
{
  larder *store = open_with(NULL);
  char expected[32];
  int acknowledged = 0;
  expect(run(store, "SET", "n", "0", NULL), LARDER_OK);
  for (int i = 0; i < 4; i++) {
    server_kill(server);
    await_outage(store);
    for (int k = 0; k < 100; k++) {
      expect(run(store, "INCR", "n", NULL, NULL), LARDER_OK);
      acknowledged++;
    }
    server_restart(server);
    await_back(store);
    expect(run(store, "INCR", "n", NULL, NULL), LARDER_OK);
    acknowledged++;
  }
  snprintf(expected, sizeof expected, "\"%d\"", acknowledged);
  check_direct("GET", "n", expected);
  larder_close(store, 1000);
}
END_TEST

START_TEST(restarted_empty)
{
  larder *store = open_with(NULL);
  before(store);
  server_kill(server);
  await_outage(store);
  go_on_without(store);
  server_wipe(server);
  server_restart(server);
  await_back(store);
  struct got g = run(store, "GET", "counter", NULL, NULL);
  expect(g, LARDER_OK);
  ck_assert_str_eq(g.text, "5");
  check_direct("GET", "greeting", "\"hello\"");
  check_direct("SCARD", "set", ":1");
  check_direct("EXISTS", "untouched", ":0");
  larder_close(store, 1000);
}
END_TEST

/* --- at opening --------------------------------------------------------------- */

START_TEST(refused_at_opening)
{
  char error[LARDER_ERROR_SIZE] = "";
  larder *store = open_with("fallback=none&required=yes");
  larder_close(store, 0);
  server_kill(server);
  int64_t begin = now_ms();
  char url[256];
  snprintf(url, sizeof url, "%s?required=yes", server_url(server));
  ck_assert_ptr_null(larder_open(url, NULL, error, sizeof error));
  ck_assert_int_lt(now_ms() - begin, 3000);
  char port[16];
  snprintf(port, sizeof port, "%d", server_port(server));
  ck_assert_msg(strstr(error, "127.0.0.1") && strstr(error, port),
                "host and port are not named: %s", error);

  store = open_with(NULL);
  expect(run(store, "SET", "early", "1", NULL), LARDER_OK);
  expect(run(store, "GET", "early", NULL, NULL), LARDER_OK);
  expect(run(store, "GET", "late", NULL, NULL), LARDER_UNKNOWN_LOCALLY);
  server_restart(server);
  await_back(store);
  check_direct("GET", "early", "\"1\"");
  expect(run(store, "GET", "late", NULL, NULL), LARDER_ABSENT);
  larder_close(store, 1000);
}
END_TEST

START_TEST(without_a_fallback)
{
  larder *store = open_with("fallback=none");
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  server_kill(server);
  for (int i = 0; i < 5; i++) {
    struct got g = run(store, "SET", "k", "w", NULL);
    ck_assert_int_lt(g.ms, CALL_LIMIT_MS);
    ck_assert_msg(g.outcome == LARDER_NOT_SENT || g.outcome == LARDER_UNKNOWN, "%s",
                  larder_outcome_name(g.outcome));
    g = run(store, "GET", "k", NULL, NULL);
    ck_assert_int_lt(g.ms, CALL_LIMIT_MS);
    ck_assert_msg(g.outcome == LARDER_NOT_SENT || g.outcome == LARDER_NO_ANSWER, "%s",
                  larder_outcome_name(g.outcome));
  }
  server_restart(server);
  struct got g = {.outcome = LARDER_NOT_SENT};
  for (int i = 0; i < 100 && g.outcome != LARDER_OK; i++) {
    nap(50);
    g = run(store, "SET", "k", "x", NULL);
  }
  expect(g, LARDER_OK);
  larder_close(store, 0);
}
END_TEST

/* --- passwords -------------------------------------------------------------------- */

static larder *open_with_password(const char *password, const char *query)
{
  char url[256], error[LARDER_ERROR_SIZE] = "";
  snprintf(url, sizeof url, "redis://:%s@127.0.0.1:%d/0%s", password, server_port(server), query);
  larder *store = larder_open(url, NULL, error, sizeof error);
  ck_assert_msg(strstr(error, password) == NULL, "the password is in the error: %s", error);
  return store;
}

static int is_denial(const struct got *g)
{
  return g->origin != LARDER_FROM_LOCAL && g->origin != LARDER_FROM_STALE &&
         g->outcome != LARDER_OK && g->outcome != LARDER_ABSENT &&
         g->outcome != LARDER_UNKNOWN_LOCALLY;
}

/* Wrong credentials are not an outage: nothing is served locally. */
static void check_denied(larder *store, const char *secret)
{
  for (int i = 0; i < 20; i++) {
    struct got set = run(store, "SET", "k", "v", NULL), get = run(store, "GET", "k", NULL, NULL);
    ck_assert_msg(is_denial(&set), "SET with a wrong password: %s from %s: %s",
                  larder_outcome_name(set.outcome), larder_origin_name(set.origin), set.text);
    ck_assert_msg(is_denial(&get), "GET with a wrong password: %s from %s: %s",
                  larder_outcome_name(get.outcome), larder_origin_name(get.origin), get.text);
    ck_assert_int_lt(set.ms, CALL_LIMIT_MS);
    ck_assert_ptr_null(strstr(set.text, secret));
    nap(20);
  }
  larder_status s = status_of(store);
  ck_assert_msg(s.state == LARDER_STATE_DENIED, "state %s", larder_state_name(s.state));
  ck_assert_ptr_null(strstr(s.last_error, secret));
  ck_assert_uint_eq(s.journal_keys, 0);
}

START_TEST(wrong_password_at_opening)
{
  server_set_password(server, "right");
  server_restart(server);
  larder *store = open_with_password("terribly-wrong", "");
  ck_assert_ptr_nonnull(store);
  check_denied(store, "terribly-wrong");
  larder_close(store, 0);
  ck_assert_ptr_null(open_with_password("terribly-wrong", "?required=yes"));
  store = open_with_password("right", "?required=yes");
  ck_assert_ptr_nonnull(store);
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  larder_close(store, 0);
}
END_TEST

START_TEST(password_changed_and_restarted)
{
  server_set_password(server, "first-secret");
  server_restart(server);
  larder *store = open_with_password("first-secret", "");
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  server_kill(server);
  server_set_password(server, "second-secret");
  server_restart(server);
  struct got g = run(store, "GET", "k", NULL, NULL);
  for (int i = 0; i < 300 && status_of(store).state != LARDER_STATE_DENIED; i++) {
    nap(10);
    g = run(store, "GET", "k", NULL, NULL);
    ck_assert_msg(g.outcome != LARDER_OK && g.outcome != LARDER_ABSENT, "GET answered %s from %s",
                  larder_outcome_name(g.outcome), larder_origin_name(g.origin));
  }
  check_denied(store, "first-secret");
  struct resp_client *c = direct();
  resp_free(resp_words(c, "CONFIG", "SET", "requirepass", "first-secret", NULL));
  resp_close(c);
  for (int i = 0; i < 500 && status_of(store).state != LARDER_STATE_UP; i++)
    nap(20);
  ck_assert_int_eq(status_of(store).state, LARDER_STATE_UP);
  g = run(store, "GET", "k", NULL, NULL);
  expect(g, LARDER_OK);
  ck_assert_str_eq(g.text, "v");
  larder_close(store, 0);
}
END_TEST

/* Redis comes back from an outage with another password: what was written meanwhile waits. */
START_TEST(password_changed_in_the_outage)
{
  server_set_password(server, "first-secret");
  server_restart(server);
  larder *store = open_with_password("first-secret", "");
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  server_kill(server);
  await_outage(store);
  server_set_password(server, "second-secret");
  server_restart(server);
  for (int i = 0; i < 500 && status_of(store).state != LARDER_STATE_DENIED; i++)
    nap(10);
  ck_assert_int_eq(status_of(store).state, LARDER_STATE_DENIED);
  struct got g = run(store, "GET", "noticed", NULL, NULL);
  ck_assert_msg(is_denial(&g), "%s from %s", larder_outcome_name(g.outcome),
                larder_origin_name(g.origin));
  ck_assert_uint_eq(status_of(store).journal_keys, 1);
  struct resp_client *c = direct();
  resp_free(resp_words(c, "CONFIG", "SET", "requirepass", "first-secret", NULL));
  await_back(store);
  struct resp *r = resp_words(c, "GET", "noticed", NULL);
  ck_assert(r && r->str && strcmp(r->str, "yes") == 0);
  resp_free(r);
  resp_close(c);
  larder_close(store, 0);
}
END_TEST

/* The password changes under connections that are in: Redis lets them be, and so
 * does the store. */
START_TEST(password_changed_while_connected)
{
  larder *store = open_with(NULL);
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  struct resp_client *c = direct();
  resp_free(resp_words(c, "CONFIG", "SET", "requirepass", "new-secret", NULL));
  struct got g = run(store, "GET", "k", NULL, NULL);
  ck_assert_msg(g.outcome == LARDER_OK || is_denial(&g), "%s from %s",
                larder_outcome_name(g.outcome), larder_origin_name(g.origin));
  resp_free(resp_words(c, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", NULL));
  for (int i = 0; i < 300 && status_of(store).state != LARDER_STATE_DENIED; i++) {
    g = run(store, "GET", "k", NULL, NULL);
    ck_assert_msg(g.outcome != LARDER_ABSENT &&
                      (g.outcome != LARDER_OK || g.origin == LARDER_FROM_REDIS),
                  "%s from %s", larder_outcome_name(g.outcome), larder_origin_name(g.origin));
    nap(10);
  }
  check_denied(store, "new-secret");
  resp_close(c);
  larder_close(store, 0);
}
END_TEST

/* --- presets ------------------------------------------------------------------------ */

START_TEST(preset_strict)
{
  larder *store = open_with("outage=strict");
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  server_kill(server);
  run(store, "SET", "k", "w", NULL);
  for (int i = 0; i < 20; i++) {
    struct got g = run(store, "SET", "k", "w", NULL);
    if (i > 5)
      ck_assert_int_lt(g.ms, 100);
    ck_assert_msg(g.outcome == LARDER_NOT_SENT || g.outcome == LARDER_UNKNOWN, "%s",
                  larder_outcome_name(g.outcome));
    g = run(store, "GET", "k", NULL, NULL);
    ck_assert_msg(g.outcome == LARDER_NOT_SENT || g.outcome == LARDER_NO_ANSWER ||
                      g.outcome == LARDER_UNKNOWN_LOCALLY,
                  "%s", larder_outcome_name(g.outcome));
    ck_assert_int_ne(g.origin, LARDER_FROM_LOCAL);
  }
  ck_assert_uint_eq(status_of(store).journal_keys, 0);
  server_restart(server);
  await_back(store);
  struct got g = run(store, "GET", "k", NULL, NULL);
  expect(g, LARDER_OK);
  larder_close(store, 0);
}
END_TEST

/* Misses are nil, nothing is replayed, and what was touched is gone from Redis. */
START_TEST(preset_cache)
{
  larder *store = open_with("outage=cache");
  expect(run(store, "SET", "cached", "old", NULL), LARDER_OK);
  expect(run(store, "SET", "untouched", "old", NULL), LARDER_OK);
  expect(run(store, "SET", "removed", "old", NULL), LARDER_OK);
  server_kill(server);
  await_outage(store);
  struct got g = run(store, "GET", "untouched", NULL, NULL);
  ck_assert_int_eq(g.type, LARDER_NIL);
  ck_assert_msg(g.outcome == LARDER_UNKNOWN_LOCALLY, "%s", larder_outcome_name(g.outcome));
  expect(run(store, "SET", "cached", "new", NULL), LARDER_OK);
  g = run(store, "GET", "cached", NULL, NULL);
  expect(g, LARDER_OK);
  ck_assert_str_eq(g.text, "new");
  run(store, "DEL", "removed", NULL, NULL);
  server_restart(server);
  await_back(store);
  check_direct("EXISTS", "cached", ":0");
  check_direct("EXISTS", "removed", ":0");
  check_direct("GET", "untouched", "\"old\"");
  expect(run(store, "GET", "cached", NULL, NULL), LARDER_ABSENT);
  g = run(store, "GET", "untouched", NULL, NULL);
  expect(g, LARDER_OK);
  ck_assert_str_eq(g.text, "old");
  larder_close(store, 0);
}
END_TEST

/* --- closing ------------------------------------------------------------------------- */

START_TEST(close_counts_what_is_left)
{
  larder *store = open_with(NULL);
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  server_kill(server);
  await_outage(store);
  expect(run(store, "INCR", "a", NULL, NULL), LARDER_OK);
  expect(run(store, "SADD", "b", "x", NULL), LARDER_OK);
  int64_t begin = now_ms();
  uint64_t left = larder_close(store, 300);
  ck_assert_int_lt(now_ms() - begin, 1500);
  ck_assert_uint_ge(left, 3);
}
END_TEST

START_TEST(close_replays_what_it_can)
{
  larder *store = open_with(NULL);
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  server_kill(server);
  await_outage(store);
  for (int i = 0; i < 100; i++)
    expect(run(store, "INCR", "n", NULL, NULL), LARDER_OK);
  server_restart(server);
  ck_assert_uint_eq(larder_close(store, 5000), 0);
  check_direct("GET", "n", "\"100\"");
}
END_TEST

/* Transactions in an outage: whole, and once. */
START_TEST(transactions)
{
  larder *store = open_with(NULL);
  expect(run(store, "SET", "k", "v", NULL), LARDER_OK);
  server_kill(server);
  await_outage(store);
  larder_batch *batch = larder_batch_new(store);
  for (int i = 0; i < 20; i++) {
    larder_batch_clear(batch);
    ck_assert_int_eq(larder_batch_command(batch, "RPUSH left %d", i), LARDER_OK);
    ck_assert_int_eq(larder_batch_command(batch, "SADD right %d", i), LARDER_OK);
    ck_assert_int_eq(larder_batch_run(batch, 1, 0), LARDER_OK);
  }
  larder_batch_free(batch);
  server_restart(server);
  await_back(store);
  check_direct("LLEN", "left", ":20");
  check_direct("SCARD", "right", ":20");
  larder_close(store, 0);
}
END_TEST

/* What only Redis can do, or know, is neither done nor denied. */
START_TEST(what_needs_redis)
{
  larder *store = open_with(NULL);
  before(store);
  server_kill(server);
  await_outage(store);
  expect(run(store, "FLUSHALL", NULL, NULL, NULL), LARDER_NOT_SENT);
  expect(run(store, "SWAPDB", "0", "1", NULL), LARDER_NOT_SENT);
  expect(run(store, "RANDOMKEY", NULL, NULL, NULL), LARDER_UNKNOWN_LOCALLY);
  expect(run(store, "KEYS", "*", NULL, NULL), LARDER_UNKNOWN_LOCALLY);
  expect(run(store, "DBSIZE", NULL, NULL, NULL), LARDER_UNKNOWN_LOCALLY);
  expect(run(store, "EVAL", "return 1", "0", NULL), LARDER_BAD_ARGUMENT); /* no scripts, up or down */
  go_on_without(store);
  server_restart(server);
  after(store);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *const *tests)
{
  TCase *c = tcase_create(name);
  tcase_set_timeout(c, SECONDS);
  tcase_add_checked_fixture(c, caller_start, caller_stop);
  for (; *tests; tests++)
    tcase_add_test(c, *tests);
  suite_add_tcase(suite, c);
}

int main(void)
{
  server_require();
  Suite *suite = suite_create("outage");
  add(suite, "lost",
      (const TTest *const[]){killed_and_restarted, hung_and_resumed, hung_while_calls_are_in_flight,
                             several_times, restarted_empty, transactions, what_needs_redis, NULL});
  add(suite, "opening", (const TTest *const[]){refused_at_opening, without_a_fallback, NULL});
  add(suite, "passwords",
      (const TTest *const[]){wrong_password_at_opening, password_changed_and_restarted,
                             password_changed_in_the_outage, password_changed_while_connected,
                             NULL});
  add(suite, "presets", (const TTest *const[]){preset_strict, preset_cache, NULL});
  add(suite, "closing",
      (const TTest *const[]){close_counts_what_is_left, close_replays_what_it_can, NULL});
  return run_suite(suite);
}
