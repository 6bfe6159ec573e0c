/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <larder.h>
#include <larder/batch.h>
#include <larder/session.h>

#include "support/proxy.h"
#include "support/server.h"

/* Calls that wait for a key over Redis, when something happens meanwhile: an outcome, never a
 * nil, since that would say that nothing came. */

static struct server *server;
static struct proxy *proxy;
static larder *store;

static void nap(int ms)
{
  struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

  nanosleep(&t, NULL);
}

static int64_t now_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether this build has Redis in it. */
static int begin(int port, const char *more)
{
  char url[160];

  snprintf(url, sizeof url, "redis://127.0.0.1:%d?timeout=400ms&%s", port, more);
  store = larder_open(url, NULL, NULL, 0);
  for (int i = 0; store && i < 5000; i++) {
    larder_reply *r = larder_command(store, "PING");
    int up = r->outcome == LARDER_OK && r->origin == LARDER_FROM_REDIS;

    larder_reply_free(r);
    if (up)
      break;
    nap(1);
  }
  return store != NULL;
}

static void set_up(void)
{
  server = server_start(NULL);
  proxy = proxy_start(server, 0);
}

static void tear_down(void)
{
  proxy_stop(proxy);
  server_stop(server);
}

/* --- a thread that waits ------------------------------------------------------------------------ */

struct waiter {
  pthread_t thread;
  const char *line;
  larder_reply *reply;
  int64_t took_ms;
  atomic_int ended;
};

static void *wait(void *context)
{
  struct waiter *w = context;
  int64_t begun = now_ms();

  w->reply = larder_command(store, w->line);
  w->took_ms = now_ms() - begun;
  atomic_store(&w->ended, 1);
  return NULL;
}

static void send_off(struct waiter *w, const char *line)
{
  memset(w, 0, sizeof *w);
  w->line = line;
  ck_assert_int_eq(pthread_create(&w->thread, NULL, wait, w), 0);
  nap(200);
  ck_assert_int_eq(atomic_load(&w->ended), 0);
}

/* It ended, in doubt. */
static void come_back(struct waiter *w, int within_ms, const char *what)
{
  for (int i = 0; i < within_ms && !atomic_load(&w->ended); i++)
    nap(1);
  ck_assert_msg(atomic_load(&w->ended), "%s: it still waits", what);
  pthread_join(w->thread, NULL);
  ck_assert_msg(w->reply->value.type == LARDER_ERROR && w->reply->outcome == LARDER_UNKNOWN,
                "%s: type %d, outcome %d", what, (int)w->reply->value.type,
                (int)w->reply->outcome);
  larder_reply_free(w->reply);
}

static const char *const stores[] = { "fallback=none", "fallback=memory", "fallback=memory&protocol=2" };
enum { STORES = sizeof stores / sizeof *stores };

START_TEST(cut)
{
  struct waiter w;
  larder_reply *r;

  set_up();
  if (begin(proxy_port(proxy), stores[_i])) {
    send_off(&w, "BLPOP k 0");
    proxy_drop(proxy);
    come_back(&w, 3000, "cut");
    nap(100);
    server_wait(server, 1000);
    for (int i = 0; i < 300; i++) { /* what waited there has gone along */
      r = larder_command(store, "RPUSH k a");
      int done = r->outcome == LARDER_OK && r->origin == LARDER_FROM_REDIS;

      larder_reply_free(r);
      if (done)
        break;
      nap(10);
    }
    r = larder_command(store, "BLPOP k 1");
    ck_assert_msg(r->value.type == LARDER_ARRAY, "%d", (int)r->outcome);
    larder_reply_free(r);
    larder_close(store, 0);
  }
  tear_down();
}
END_TEST

START_TEST(server_killed)
{
  struct waiter w;
  larder_reply *r;

  set_up();
  if (begin(server_port(server), stores[_i])) {
    send_off(&w, "BLPOP k 0");
    server_kill(server);
    come_back(&w, 3000, "killed");
    nap(500);
    int64_t begun = now_ms();
    r = larder_command(store, "BLPOP k 0");
    ck_assert_int_eq(r->value.type, LARDER_ERROR);
    ck_assert_int_eq(r->outcome, LARDER_NOT_SENT);
    ck_assert_int_lt(now_ms() - begun, 1500);
    larder_reply_free(r);
    larder_close(store, 0);
  }
  tear_down();
}
END_TEST

START_TEST(closed)
{
  struct waiter w;

  set_up();
  if (begin(server_port(server), stores[_i])) {
    send_off(&w, "BLPOP k 0");
    larder_close(store, 100);
    come_back(&w, 3000, "closed");
  }
  tear_down();
}
END_TEST

/* Its own timeout and the store's behind it. */
START_TEST(server_hangs)
{
  struct waiter w;

  set_up();
  if (begin(server_port(server), stores[_i])) {
    send_off(&w, "BLPOP k 1");
    server_pause(server);
    come_back(&w, 4000, "hung");
    ck_assert_int_lt(w.took_ms, 2500);
    server_resume(server);
    larder_close(store, 0);
  }
  tear_down();
}
END_TEST

START_TEST(times_out)
{
  set_up();
  if (begin(server_port(server), stores[_i])) {
    larder_reply *r = larder_command(store, "BLPOP k 0.6"); /* longer than the store's */

    ck_assert_int_eq(r->value.type, LARDER_NIL);
    ck_assert_int_eq(r->value.resp2, LARDER_RESP2_NIL_ARRAY);
    larder_reply_free(r);
    r = larder_command(store, "BLMOVE k l LEFT LEFT 0.01");
    ck_assert_int_eq(r->value.resp2, LARDER_RESP2_NIL_ARRAY);
    larder_reply_free(r);
    larder_close(store, 0);
  }
  tear_down();
}
END_TEST

/* In a transaction nothing waits, so it has the deadline of any other. */
START_TEST(no_patience_in_a_transaction)
{
  set_up();
  if (begin(server_port(server), stores[_i])) {
    larder_session *s = larder_session_open(store);
    larder_batch *b = larder_batch_new(store);
    int64_t begun;

    larder_reply_free(larder_session_command(s, "MULTI"));
    larder_reply_free(larder_session_command(s, "BLPOP k 0"));
    larder_reply_free(larder_session_command(s, "BLMOVE k l LEFT LEFT 0"));
    larder_reply *r = larder_session_command(s, "EXEC");
    ck_assert_int_eq(r->value.type, LARDER_ARRAY);
    ck_assert_int_eq(r->value.element[0].resp2, LARDER_RESP2_NIL_ARRAY);
    ck_assert_int_eq(r->value.element[1].resp2, LARDER_RESP2_PLAIN);
    larder_reply_free(r);
    server_pause(server);
    begun = now_ms();
    larder_reply_free(larder_session_command(s, "MULTI"));
    larder_reply_free(larder_session_command(s, "BLPOP k 0"));
    r = larder_session_command(s, "EXEC");
    ck_assert_int_eq(r->value.type, LARDER_ERROR);
    larder_reply_free(r);
    larder_batch_command(b, "BLPOP k 100");
    ck_assert_int_ne(larder_batch_run(b, 1, 0), LARDER_OK);
    ck_assert_int_lt(now_ms() - begun, 3000);
    server_resume(server);
    larder_batch_free(b);
    larder_session_close(s);
    larder_close(store, 0);
  }
  tear_down();
}
END_TEST

int main(void)
{
  Suite *s = suite_create("waiting");
  TCase *t = tcase_create("waiting");

  server_require();
  tcase_set_timeout(t, 30);
  tcase_add_loop_test(t, cut, 0, STORES);
  tcase_add_loop_test(t, server_killed, 0, STORES);
  tcase_add_loop_test(t, closed, 0, STORES);
  tcase_add_loop_test(t, server_hangs, 0, STORES);
  tcase_add_loop_test(t, times_out, 0, STORES);
  tcase_add_loop_test(t, no_patience_in_a_transaction, 0, STORES);
  suite_add_tcase(s, t);
  return run_suite(s);
}
