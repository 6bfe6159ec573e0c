/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <larder.h>

#include "support/check.h"
#include "support/proxy.h"
#include "support/resp.h"
#include "support/server.h"

/*
 * A second fault while the first is recovered from: Redis is unreachable, writes are journaled, and
 * in the midst of the return, at each request and reply of it in turn, the connection is cut again.
 * Whatever was acknowledged is at Redis once, in the end.
 *
 * LARDER_FAULTS=all: every one of them; else each EXEC, and some, beginning at another each time.
 */

static struct server *server;
static struct proxy *proxy;
static struct resp_client *side;
static larder *store;
static int run_number;

static void nap(long ms)
{
  struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

  nanosleep(&t, NULL);
}

static larder_status status_now(void)
{
  larder_status s = { .size = sizeof s };

  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  return s;
}

static void ck_write(const char *format)
{
  larder_reply *r = larder_command(store, format, run_number);

  ck_assert_msg(r->outcome == LARDER_OK && (r->flags & LARDER_JOURNALED), "%s: %s", format,
                larder_outcome_name(r->outcome));
  larder_reply_free(r);
}

static void ck_redis(const char *command, const char *key, const char *want, const char *what)
{
  char name[32];
  struct resp *r;

  snprintf(name, sizeof name, "%s%d", key, run_number);
  r = resp_words(side, command, name, NULL);
  ck_assert_ptr_nonnull(r);
  char *text = resp_text(r);
  ck_assert_msg(strcmp(text, want) == 0, "%s: %s %s is %s, not %s", what, command, name, text,
                want);
  free(text);
  resp_free(r);
}

static void open_store(const char *options)
{
  larder_options o = LARDER_OPTIONS_INIT;
  char url[128], why[LARDER_ERROR_SIZE];

  snprintf(url, sizeof url, "redis://127.0.0.1:%d/0?%s", proxy_port(proxy), options);
  store = larder_open(url, &o, why, sizeof why);
  ck_assert_msg(store != NULL, "%s", why);
}

static void go_down(void)
{
  proxy_set_door(proxy, PROXY_CLOSED);
  proxy_drop(proxy);
  for (int i = 0; i < 500 && status_now().state != LARDER_STATE_DOWN; i++) {
    larder_reply_free(larder_command(store, "GET nothing"));
    nap(2);
  }
  ck_assert_int_eq(status_now().state, LARDER_STATE_DOWN);
}

static void come_back(const char *what)
{
  larder_status s;

  proxy_set_door(proxy, PROXY_OPEN);
  for (int i = 0; i < 10000; i++) {
    s = status_now();
    if (s.state == LARDER_STATE_UP && !s.journal_keys)
      return;
    nap(2);
  }
  ck_abort_msg("%s: still %s with %llu keys: %s", what, larder_state_name(s.state),
               (unsigned long long)s.journal_keys, s.last_error);
}

/* Accumulating writes, of which a second time would be seen, and a pair that stays one. */
static void write_some(void)
{
  larder_batch *b = larder_batch_new(store);

  ck_write("INCR n%d");
  ck_write("INCR n%d");
  ck_write("APPEND a%d x");
  ck_write("RPUSH l%d e");
  ck_write("SET s%d v");
  larder_batch_command(b, "INCR p%d", run_number);
  larder_batch_command(b, "INCR q%d", run_number);
  ck_assert_int_eq(larder_batch_run(b, 1, 0), LARDER_OK);
  larder_batch_free(b);
}

/* 1: the fault happened.  k -1: there is none. */
static int strike(enum proxy_verb verb, long k, long j)
{
  struct proxy_fault fault = { .verb = verb, .k = k, .j = j };
  uint64_t unknown = status_now().unknown_batches;
  char what[64];

  snprintf(what, sizeof what, "way %d at %ld of reply %ld", (int)verb, j, k);
  run_number++;
  go_down();
  write_some();
  proxy_arm(proxy, &fault, k >= 0);
  come_back(what);
  ck_redis("GET", "n", "\"2\"", what);
  ck_redis("GET", "a", "\"x\"", what);
  ck_redis("LLEN", "l", ":1", what);
  ck_redis("GET", "s", "\"v\"", what);
  ck_redis("GET", "p", "\"1\"", what);
  ck_redis("GET", "q", "\"1\"", what);
  ck_assert_uint_eq(status_now().unknown_batches, unknown);
  ck_assert_uint_eq(status_now().dropped, 0);
  return proxy_struck(proxy) > 0;
}

START_TEST(the_return_is_cut)
{
  static const enum proxy_verb verbs[] = { PROXY_CUT, PROXY_SHORT, PROXY_HANG, PROXY_CUT };
  const char *faults = getenv("LARDER_FAULTS");
  long step = faults && !strcmp(faults, "all") ? 1 : 23;
  long exec[8];
  int k;

  server = server_start(NULL);
  proxy = proxy_start(server, 0);
  side = server_connect(server, 2);
  open_store("timeout=60ms&connect_timeout=150ms");
  come_back("opening");
  strike(PROXY_CUT, -1, 0);
  for (int i = 0; (exec[i] = proxy_find(proxy, "EXEC", i)) >= 0 && i < 7; i++)
    ;
  ck_assert_int_ge(exec[0], 0);
  for (int i = 0; exec[i] >= 0 && i < 7; i++)
    strike(verbs[_i], exec[i], _i == 3 ? 3 : 0);
  for (k = (int)(time(NULL) % step); strike(verbs[_i], k, _i == 3 ? 3 : 0); k += (int)step)
    ;
  larder_close(store, 0);
  resp_close(side);
  proxy_stop(proxy);
  server_stop(server);
}
END_TEST

/* Two stores lost Redis, a third writer did not, and all wrote the same keys: both returns add to
 * what is there then. */
START_TEST(everybody_wrote_meanwhile)
{
  larder *stores[2];

  server = server_start(NULL);
  proxy = proxy_start(server, 0);
  side = server_connect(server, 2);
  for (int i = 0; i < 2; i++) {
    open_store("timeout=1s&connect_timeout=1s");
    come_back("opening");
    stores[i] = store;
  }
  for (int i = 0; i < 2; i++) {
    store = stores[i];
    go_down();
    for (int n = 0; n < 3; n++) {
      ck_write("INCR n%d");
      ck_write("HINCRBY h%d f 1");
      ck_write("RPUSH l%d e");
    }
  }
  resp_free(resp_words(side, "INCRBY", "n0", "10", NULL));
  resp_free(resp_words(side, "HINCRBY", "h0", "f", "10", NULL));
  resp_free(resp_words(side, "RPUSH", "l0", "e", NULL));
  for (int i = 0; i < 2; i++) {
    store = stores[i];
    come_back("the return");
  }
  ck_redis("GET", "n", "\"16\"", "the return");
  ck_redis("HVALS", "h", "[\"16\"]", "the return");
  ck_redis("LLEN", "l", ":7", "the return");
  for (int i = 0; i < 2; i++)
    larder_close(stores[i], 0);
  resp_close(side);
  proxy_stop(proxy);
  server_stop(server);
}
END_TEST

static void ck_session(larder_session *s, const char *command, larder_outcome want)
{
  larder_reply *r = larder_session_command(s, command);

  ck_assert_msg(r->outcome == want, "%s: %s %s", command, larder_outcome_name(r->outcome),
                r->value.type == LARDER_ERROR ? r->value.str : "");
  larder_reply_free(r);
}

/* Keys are watched before the store is said to be up: nothing was switched in between. */
START_TEST(watch_while_starting)
{
  static const char *const options = "timeout=3s&connect_timeout=3s";
  struct proxy_fault late = { .verb = PROXY_DELAY, .number = 300 };
  larder_session *s;

  server = server_start(NULL);
  proxy = proxy_start(server, 0);
  proxy_arm(proxy, NULL, 0);
  open_store(options);
  come_back("opening");
  late.k = proxy_requests(proxy) - 1; /* the PING behind the handshake */
  larder_close(store, 0);
  proxy_arm(proxy, &late, 1);
  open_store(options);
  while (proxy_requests(proxy) <= late.k)
    nap(1);
  s = larder_session_open(store);
  ck_session(s, "WATCH k", LARDER_OK);
  ck_assert_int_eq(status_now().state, LARDER_STATE_STARTING);
  ck_session(s, "GET k", LARDER_ABSENT);
  come_back("opening again");
  ck_session(s, "MULTI", LARDER_OK);
  ck_session(s, "SET k 1", LARDER_OK);
  ck_session(s, "EXEC", LARDER_OK);
  larder_session_close(s);
  larder_close(store, 0);
  proxy_stop(proxy);
  server_stop(server);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("faults");
  TCase *t = tcase_create("faults");
  tcase_set_timeout(t, getenv("LARDER_FAULTS") ? 3600 : 60);
  tcase_add_loop_test(t, the_return_is_cut, 0, 4);
  tcase_add_test(t, everybody_wrote_meanwhile);
  tcase_add_test(t, watch_while_starting);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
