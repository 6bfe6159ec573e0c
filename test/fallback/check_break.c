/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <larder.h>

#include "support/check.h"
#include "support/events.h"
#include "support/resp.h"
#include "support/server.h"

/* What is hard for a replay: it is large, or Redis is there and refuses it. */

static struct server *server;
static larder *store;

static void begin(const char *config)
{
  struct server_options options = { .durable = 1, .config = config };
  larder_options o = LARDER_OPTIONS_INIT;
  char why[LARDER_ERROR_SIZE];

  server = server_start(&options);
  show_events(&o);
  store = larder_open(server_url(server), &o, why, sizeof why);
  ck_assert_msg(store != NULL, "%s", why);
}

static void end(void)
{
  larder_close(store, 0);
  server_stop(server);
}

static void nap(long ms)
{
  struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

  nanosleep(&t, NULL);
}

static larder_outcome run(const char *a, const char *b, const char *c)
{
  const char *argv[3] = { a, b, c };
  larder_reply *r = larder_argv(store, c ? 3 : b ? 2 : 1, argv, NULL);
  larder_outcome outcome = r->outcome;

  larder_reply_free(r);
  return outcome;
}

static larder_status status_now(void)
{
  larder_status s = { .size = sizeof s };

  larder_get_status(store, &s);
  return s;
}

static void wait_for(larder_state state)
{
  for (int i = 0; i < 2000 && status_now().state != state; i++) {
    if (state == LARDER_STATE_DOWN)
      run("PING", NULL, NULL);
    nap(10);
  }
  ck_assert_int_eq(status_now().state, state);
}

static int64_t integer_at_redis(const char *a, const char *b)
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

static void configure(const char *name, const char *value)
{
  struct resp_client *c = server_connect(server, 2);
  struct resp *r = resp_words(c, "CONFIG", "SET", name, value, NULL);

  ck_assert(r && resp_is_text(r, "OK"));
  resp_free(r);
  resp_close(c);
}

static int64_t now_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 200,000 writes of one key are one batch; callers with 250 ms ask for the key all the while. */
START_TEST(test_large_record)
{
  static char value[101];
  int64_t slowest = 0;
  larder_outcome o = LARDER_NOT_SENT;

  memset(value, 'v', 100);
  begin(NULL);
  wait_for(LARDER_STATE_UP);
  server_kill(server);
  wait_for(LARDER_STATE_DOWN);
  for (int i = 0; i < 200000; i++)
    ck_assert_int_eq(run("RPUSH", "list", value), LARDER_OK);
  server_restart(server);
  for (int i = 0; i < 3000 && o != LARDER_OK; i++) {
    int64_t t = now_ms();

    o = run("LLEN", "list", NULL);
    t = now_ms() - t;
    slowest = t > slowest ? t : slowest;
    nap(5);
  }
  ck_assert_int_eq(o, LARDER_OK);
  wait_for(LARDER_STATE_UP);
  ck_assert_int_eq(integer_at_redis("LLEN", "list"), 200000);
  ck_assert_uint_eq(status_now().outages, 1);
  ck_assert_msg(slowest <= 400, "a call took %lld ms", (long long)slowest);
  end();
}
END_TEST

/* A server without memory pauses the replay: nothing is dropped. */
START_TEST(test_no_room)
{
  begin("maxmemory 1\n");
  wait_for(LARDER_STATE_UP);
  server_kill(server);
  wait_for(LARDER_STATE_DOWN);
  ck_assert_int_eq(run("INCR", "counter", NULL), LARDER_OK);
  ck_assert_int_eq(run("SADD", "set", "one"), LARDER_OK);
  server_restart(server);
  wait_for(LARDER_STATE_REPLAYING);
  nap(500);
  ck_assert_int_eq(integer_at_redis("EXISTS", "counter"), 0);
  ck_assert_uint_eq(status_now().journal_keys, 2);
  ck_assert_int_eq(run("INCR", "counter", NULL), LARDER_NOT_SENT);
  configure("maxmemory", "0");
  wait_for(LARDER_STATE_UP);
  ck_assert_int_eq(integer_at_redis("GET", "counter"), 1);
  ck_assert_int_eq(integer_at_redis("SCARD", "set"), 1);
  ck_assert_uint_eq(status_now().dropped, 0);
  end();
}
END_TEST

int main(void)
{
  Suite *s = suite_create("break");
  TCase *t = tcase_create("break");

  server_require();
  tcase_set_timeout(t, 60);
  tcase_add_test(t, test_large_record);
  tcase_add_test(t, test_no_room);
  suite_add_tcase(s, t);
  return run_suite(s);
}
