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

/* Publish/subscribe over an outage, seen through the public API. */

static struct server *server;
static larder *store;
static larder_subscriber *subscriber;

static void begin(void)
{
  larder_options o = LARDER_OPTIONS_INIT;
  struct server_options options = { .durable = 1 };
  char why[LARDER_ERROR_SIZE];

  server = server_start(&options);
  show_events(&o);
  store = larder_open(server_url(server), &o, why, sizeof why);
  ck_assert_msg(store != NULL, "%s", why);
  subscriber = larder_subscriber_open(store, NULL, why, sizeof why);
  ck_assert_msg(subscriber != NULL, "%s", why);
}

static void end(void)
{
  larder_subscriber_close(subscriber);
  larder_close(store, 0);
  server_stop(server);
}

static larder_outcome run(const char *a, const char *b, const char *c)
{
  const char *argv[3] = { a, b, c };
  larder_reply *r = larder_argv(store, 3, argv, NULL);
  larder_outcome outcome = r->outcome;

  larder_reply_free(r);
  return outcome;
}

static larder_status status_now(void)
{
  larder_status s = { .size = sizeof s };

  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  return s;
}

static void until(larder_state state)
{
  for (int i = 0; i < 2000 && status_now().state != state; i++) {
    struct timespec t = { 0, 10000000 };

    larder_reply_free(larder_argv(store, 1, (const char *const[]){ "PING" }, NULL));
    nanosleep(&t, NULL);
  }
  ck_assert_int_eq(status_now().state, state);
}

static larder_message next(larder_heard heard, const char *name)
{
  larder_message m;

  ck_assert_int_eq(larder_subscriber_next(subscriber, 20000, &m), LARDER_OK);
  ck_assert_msg(m.heard == heard && strcmp(m.name, name) == 0, "%d %s %s, not %d %s", (int)m.heard,
                m.name, m.payload, (int)heard, name);
  return m;
}

static void next_message(const char *channel, const char *payload)
{
  larder_message m = next(LARDER_HEARD_MESSAGE, channel);

  ck_assert_str_eq(m.payload, payload);
}

static void nothing_comes(void)
{
  larder_message m;

  ck_assert_int_eq(larder_subscriber_next(subscriber, 200, &m), LARDER_ABSENT);
}

START_TEST(over_an_outage)
{
  larder_batch *batch;

  begin();
  ck_assert_int_eq(larder_subscribe(subscriber, "news", 4), LARDER_OK);
  next(LARDER_HEARD_READY, "news");
  ck_assert_int_eq(run("PUBLISH", "news", "1"), LARDER_OK);
  next_message("news", "1");

  server_kill(server);
  next(LARDER_HEARD_GAP, "");
  until(LARDER_STATE_DOWN);
  ck_assert_int_eq(run("SET", "key", "local"), LARDER_OK);
  ck_assert_int_eq(run("PUBLISH", "news", "lost"), LARDER_NOT_SENT);
  ck_assert_int_eq(run("SPUBLISH", "news", "lost"), LARDER_NOT_SENT);
  ck_assert_int_eq(run("PUBSUB", "NUMSUB", "news"), LARDER_NOT_SENT);
  batch = larder_batch_new(store);
  larder_batch_command(batch, "SET other x");
  larder_batch_command(batch, "PUBLISH news lost");
  ck_assert_int_eq(larder_batch_run(batch, 1, 0), LARDER_NOT_SENT);
  larder_batch_free(batch);
  ck_assert_int_eq(larder_subscribe(subscriber, "later", 5), LARDER_OK);
  nothing_comes();
  ck_assert_uint_eq(status_now().journal_keys, 1); /* neither the transaction nor a message */

  server_restart(server);
  next(LARDER_HEARD_READY, "news");
  next(LARDER_HEARD_READY, "later");
  until(LARDER_STATE_UP);
  ck_assert_int_eq(run("PUBLISH", "later", "2"), LARDER_OK);
  next_message("later", "2");
  nothing_comes();
  end();
}
END_TEST

/* The old connections of calls are ended before new ones are used; the one that listens is not
 * among them, and what was said while nobody noticed arrives. */
START_TEST(a_stopped_server_that_goes_on)
{
  struct resp_client *side;

  begin();
  ck_assert_int_eq(larder_subscribe(subscriber, "news", 4), LARDER_OK);
  next(LARDER_HEARD_READY, "news");
  for (int i = 0; i < 3; i++) {
    larder_message m;

    server_pause(server);
    run("SET", "key", "value");
    until(LARDER_STATE_DOWN);
    server_resume(server);
    until(LARDER_STATE_UP);
    side = server_connect(server, 2);
    resp_free(resp_words(side, "PUBLISH", "news", "side", NULL));
    resp_close(side);
    /* READY, or never a GAP: then the message. */
    do
      ck_assert_int_eq(larder_subscriber_next(subscriber, 20000, &m), LARDER_OK);
    while (m.heard == LARDER_HEARD_GAP);
    if (m.heard == LARDER_HEARD_READY) {
      ck_assert_int_eq(run("PUBLISH", "news", "again"), LARDER_OK);
      do
        ck_assert_int_eq(larder_subscriber_next(subscriber, 20000, &m), LARDER_OK);
      while (strcmp(m.payload, "again") != 0);
    }
    ck_assert_int_eq(m.heard, LARDER_HEARD_MESSAGE);
  }
  end();
}
END_TEST

int main(void)
{
  Suite *s = suite_create("fallback_listen");
  TCase *t = tcase_create("outage");

  server_require();
  tcase_set_timeout(t, 120);
  tcase_add_test(t, over_an_outage);
  tcase_add_test(t, a_stopped_server_that_goes_on);
  suite_add_tcase(s, t);
  return run_suite(s);
}
