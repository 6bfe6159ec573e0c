/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <larder.h>

#include "support/check.h"
#include "support/events.h"
#include "support/resp.h"
#include "support/server.h"

/*
 * The switch, seen through the public API, with a redis-server that is really
 * killed, frozen and started again.
 */

static struct server *server;
static larder *store;

static void begin(const char *parameters)
{
  larder_options o = LARDER_OPTIONS_INIT;
  struct server_options options = { .durable = 1 };
  char url[256], why[LARDER_ERROR_SIZE];

  server = server_start(&options);
  snprintf(url, sizeof url, "%s?%s", server_url(server), parameters);
  show_events(&o);
  store = larder_open(url, &o, why, sizeof why);
  ck_assert_msg(store != NULL, "%s: %s", url, why);
}

static void end(void)
{
  larder_close(store, 0);
  server_stop(server);
}

/* One command; its outcome, and its reply in *reply if wanted. */
static larder_outcome run(larder_reply **reply, const char *format, ...)
{
  char line[256], *save = NULL;
  const char *argv[32];
  int argc = 0;
  va_list ap;
  larder_reply *r;
  larder_outcome outcome;

  va_start(ap, format);
  vsnprintf(line, sizeof line, format, ap);
  va_end(ap);
  for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
    argv[argc++] = w;
  r = larder_argv(store, argc, argv, NULL);
  outcome = r->outcome;
  if (reply)
    *reply = r;
  else
    larder_reply_free(r);
  return outcome;
}

static void expect(larder_outcome outcome, larder_origin origin, unsigned flags,
                   const char *command)
{
  larder_reply *r;

  run(&r, "%s", command);
  ck_assert_msg(r->outcome == outcome && r->origin == origin && r->flags == flags,
                "%s: %s from %s, flags %u: %s", command, larder_outcome_name(r->outcome),
                larder_origin_name(r->origin), r->flags,
                r->value.type == LARDER_ERROR ? r->value.str : "");
  larder_reply_free(r);
}

static larder_status status_now(void)
{
  larder_status s = { .size = sizeof s };

  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  return s;
}

static void nap(long ms)
{
  struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

  nanosleep(&t, NULL);
}

/* Until Redis serves and nothing is left to replay. */
static void settle(void)
{
  larder_status s;

  for (int i = 0; i < 2000; i++) {
    s = status_now();
    if (s.state == LARDER_STATE_UP && !s.journal_keys)
      return;
    nap(10);
  }
  ck_abort_msg("still %s with %llu keys after 20 s: %s", larder_state_name(s.state),
               (unsigned long long)s.journal_keys, s.last_error);
}

static void lose(void)
{
  server_kill(server);
  for (int i = 0; i < 100 && status_now().state != LARDER_STATE_DOWN; i++) {
    run(NULL, "PING");
    nap(10);
  }
  ck_assert_int_eq(status_now().state, LARDER_STATE_DOWN);
}

static void at_redis(const char *expected, const char *command)
{
  struct resp_client *c = server_connect(server, 2);
  char line[256], *save = NULL, *text;
  const char *argv[32];
  struct resp *r;
  int argc = 0;

  snprintf(line, sizeof line, "%s", command);
  for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
    argv[argc++] = w;
  r = resp_call(c, argc, argv, NULL);
  ck_assert_ptr_nonnull(r);
  text = resp_text(r);
  ck_assert_msg(strstr(text, expected) != NULL, "%s: %s, not %s", command, text, expected);
  free(text);
  resp_free(r);
  resp_close(c);
}

/* --- tests ------------------------------------------------------------------ */

START_TEST(test_what_is_known)
{
  const unsigned journaled = LARDER_JOURNALED, guess = LARDER_JOURNALED | LARDER_PROVISIONAL;

  begin("");
  settle();
  expect(LARDER_OK, LARDER_FROM_REDIS, 0, "SET seen before");
  expect(LARDER_OK, LARDER_FROM_REDIS, 0, "SADD set one");
  expect(LARDER_ABSENT, LARDER_FROM_REDIS, 0, "GET nothing");
  lose();
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "GET seen");
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "GET nothing");
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "SCARD set");
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "DBSIZE");
  expect(LARDER_OK, LARDER_FROM_LOCAL, guess, "SADD set two");
  expect(LARDER_OK, LARDER_FROM_LOCAL, 0, "SISMEMBER set two");
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "SISMEMBER set one");
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "SPOP set");
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "HSET set f v");
  expect(LARDER_OK, LARDER_FROM_LOCAL, guess, "INCR counter");
  expect(LARDER_UNKNOWN_LOCALLY, LARDER_FROM_LOCAL, 0, "GET counter");
  expect(LARDER_OK, LARDER_FROM_LOCAL, journaled, "SET new value");
  expect(LARDER_OK, LARDER_FROM_LOCAL, 0, "GET new");
  expect(LARDER_OK, LARDER_FROM_LOCAL, guess, "DEL seen");
  expect(LARDER_ABSENT, LARDER_FROM_LOCAL, 0, "GET seen");
  expect(LARDER_REFUSED, LARDER_FROM_LOCAL, 0, "INCR new");
  expect(LARDER_NOT_SENT, LARDER_FROM_NOWHERE, 0, "SET lock me NX");
  expect(LARDER_NOT_SENT, LARDER_FROM_NOWHERE, 0, "FLUSHALL");
  expect(LARDER_OK, LARDER_FROM_LOCAL, 0, "PING");
  server_restart(server);
  settle();
  at_redis("2", "SCARD set");
  at_redis("1", "GET counter");
  at_redis("value", "GET new");
  at_redis("0", "EXISTS seen");
  at_redis("3", "DBSIZE");
  expect(LARDER_OK, LARDER_FROM_REDIS, 0, "GET new");
  ck_assert_uint_eq(status_now().dropped, 0);
  ck_assert_uint_eq(status_now().keys, 0);
  end();
}
END_TEST

/* The first call after the server's death is answered, not failed. */
START_TEST(test_first_call)
{
  begin("");
  settle();
  run(NULL, "SADD s 0");
  server_kill(server);
  nap(50);
  expect(LARDER_OK, LARDER_FROM_LOCAL, LARDER_JOURNALED | LARDER_PROVISIONAL, "SADD s 1");
  server_restart(server);
  /* A pending key is replayed before a call that names it is answered. */
  for (int i = 0; i < 500 && status_now().state == LARDER_STATE_DOWN; i++)
    nap(10);
  expect(LARDER_OK, LARDER_FROM_REDIS, 0, "SCARD s");
  at_redis("2", "SCARD s");
  end();
}
END_TEST

/* A write that a frozen server had not read yet must not land after the replay. */
START_TEST(test_zombie_write)
{
  begin("timeout=100ms&connect_timeout=200ms");
  settle();
  for (int i = 0; i < 5; i++) {
    char expected[32];

    /* k's own connection must be there, else nothing can be on its way in it */
    expect(LARDER_OK, LARDER_FROM_REDIS, 0, "SET k warm");
    server_pause(server);
    ck_assert_int_eq(run(NULL, "SET k zombie%d", i), LARDER_UNKNOWN);
    ck_assert_int_eq(run(NULL, "SET k live%d", i), LARDER_OK);
    nap(_i * 300); /* 0: before, 1: after probes have queued up at the frozen server */
    server_resume(server);
    settle();
    snprintf(expected, sizeof expected, "live%d", i);
    at_redis(expected, "GET k");
    ck_assert_str_eq(status_now().fence, "yes");
  }
  end();
}
END_TEST

/* Pairs stay pairs, counters are exact, however often recovery itself is cut. */
static _Atomic int writing;
static uint64_t acked, unknown, pairs_acked, pairs_unknown;

static void *write_on(void *unused)
{
  for (uint64_t n = 0; atomic_load(&writing); n++) {
    larder_batch *b;
    larder_outcome o = run(NULL, "INCR counter");

    acked += o == LARDER_OK;
    unknown += o == LARDER_UNKNOWN;
    b = larder_batch_new(store);
    larder_batch_command(b, "SADD left %llu", (unsigned long long)n);
    larder_batch_command(b, "SADD right %llu", (unsigned long long)n);
    o = larder_batch_run(b, 1, 0);
    pairs_acked += o == LARDER_OK;
    pairs_unknown += o == LARDER_UNKNOWN;
    larder_batch_free(b);
    nap(1);
  }
  return unused;
}

static int64_t number_at_redis(const char *a, const char *b)
{
  struct resp_client *c = server_connect(server, 2);
  struct resp *r = resp_words(c, a, b, NULL);
  int64_t n;

  ck_assert_ptr_nonnull(r);
  n = r->type == RESP_INTEGER ? r->integer : r->str ? strtoll(r->str, NULL, 10) : 0;
  resp_free(r);
  resp_close(c);
  return n;
}

START_TEST(test_flapping)
{
  pthread_t thread;
  unsigned random = (unsigned)time(NULL);
  int64_t n, left;

  printf("flapping: seed %u\n", random);
  begin("");
  settle();
  atomic_store(&writing, 1);
  ck_assert_int_eq(pthread_create(&thread, NULL, write_on, NULL), 0);
  for (int i = 0; i < 12; i++) {
    nap(rand_r(&random) % 150);
    if (i % 3 == 2) {
      server_pause(server);
      nap(rand_r(&random) % 400);
      server_resume(server);
    } else {
      server_kill(server);
      nap(rand_r(&random) % 200);
      server_restart(server);
    }
  }
  nap(100);
  atomic_store(&writing, 0);
  pthread_join(thread, NULL);
  settle();
  n = number_at_redis("GET", "counter");
  ck_assert_msg(n >= (int64_t)acked && n <= (int64_t)(acked + unknown),
                "counter %lld, acknowledged %llu, unknown %llu", (long long)n,
                (unsigned long long)acked, (unsigned long long)unknown);
  left = number_at_redis("SCARD", "left");
  ck_assert_int_eq(left, number_at_redis("SCARD", "right"));
  ck_assert_int_ge(left, (int64_t)pairs_acked);
  ck_assert_int_le(left, (int64_t)(pairs_acked + pairs_unknown));
  ck_assert_uint_eq(status_now().dropped, 0);
  ck_assert_uint_gt(acked, unknown);
  end();
}
END_TEST

START_TEST(test_bound)
{
  begin("journal_keys=3");
  settle();
  lose();
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(run(NULL, "SET k%d v", i), LARDER_OK);
  ck_assert_int_eq(run(NULL, "SET k3 v"), LARDER_REFUSED);
  ck_assert_int_eq(run(NULL, "GET k3"), LARDER_UNKNOWN_LOCALLY);
  server_restart(server);
  settle();
  at_redis("3", "EXISTS k0 k1 k2 k3"); /* DBSIZE might see the marker */
  end();
}
END_TEST

START_TEST(test_watch_across_the_switch)
{
  larder_session *s;
  larder_reply *r;

  begin("");
  settle();
  s = larder_session_open(store);
  larder_reply_free(larder_session_command(s, "WATCH k"));
  lose();
  larder_reply_free(larder_session_command(s, "MULTI"));
  larder_reply_free(larder_session_command(s, "SET k v"));
  r = larder_session_command(s, "EXEC");
  ck_assert_int_eq(r->outcome, LARDER_NOT_SENT);
  larder_reply_free(r);
  server_restart(server);
  settle();
  at_redis("0", "EXISTS k");
  larder_session_close(s);
  end();
}
END_TEST

START_TEST(test_close_tells_what_is_left)
{
  begin("");
  settle();
  lose();
  run(NULL, "SET a 1");
  run(NULL, "INCR b");
  run(NULL, "INCR b");
  ck_assert_uint_eq(larder_close(store, 100), 3);
  server_stop(server);
}
END_TEST

START_TEST(test_close_replays)
{
  begin("");
  settle();
  lose();
  run(NULL, "INCR b");
  server_restart(server);
  ck_assert_uint_eq(larder_close(store, 10000), 0);
  at_redis("1", "GET b");
  at_redis("1", "DBSIZE"); /* no marker is left behind */
  server_stop(server);
}
END_TEST

/* What Redis refuses for the caller's reasons is told and given up, the rest goes on. */
START_TEST(test_dead_letter)
{
  begin("");
  settle();
  run(NULL, "SET k string");
  lose();
  run(NULL, "SADD k member");
  run(NULL, "INCR other");
  server_restart(server);
  settle();
  at_redis("string", "GET k");
  at_redis("1", "GET other");
  ck_assert_uint_eq(status_now().dead_letters, 1);
  end();
}
END_TEST

/* Times are the server's: an expiry of the outage is where it was asked to be. */
START_TEST(test_expiry)
{
  begin("");
  settle();
  lose();
  run(NULL, "SET short v PX 200");
  run(NULL, "SET long v EX 1000");
  run(NULL, "INCR unseen");
  run(NULL, "EXPIRE unseen 1000");
  nap(300);
  ck_assert_int_eq(run(NULL, "GET short"), LARDER_ABSENT);
  server_restart(server);
  settle();
  at_redis("0", "EXISTS short");
  ck_assert_int_ge(number_at_redis("TTL", "long"), 990);
  ck_assert_int_ge(number_at_redis("TTL", "unseen"), 990);
  end();
}
END_TEST

int main(void)
{
  Suite *s = suite_create("fallback");
  TCase *t = tcase_create("fallback");

  server_require();
  tcase_set_timeout(t, 60);
  tcase_add_test(t, test_what_is_known);
  tcase_add_test(t, test_first_call);
  tcase_add_loop_test(t, test_zombie_write, 0, 2);
  tcase_add_test(t, test_flapping);
  tcase_add_test(t, test_bound);
  tcase_add_test(t, test_watch_across_the_switch);
  tcase_add_test(t, test_close_tells_what_is_left);
  tcase_add_test(t, test_close_replays);
  tcase_add_test(t, test_dead_letter);
  tcase_add_test(t, test_expiry);
  suite_add_tcase(s, t);
  return run_suite(s);
}
