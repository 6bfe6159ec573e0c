/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <larder.h>

#include "support/check.h"
#include "support/server.h"

/* Publish/subscribe of the C API over a Redis, without and with fallback, without and with a
 * prefix: what is heard is the same as on the in-process engine. */

static const char *const ways[] = {"fallback=none", "fallback=memory",
                                   "fallback=none&prefix=a%3Fb:", "fallback=memory&prefix=a%3Fb:"};
enum { WAYS = 4, WAIT_MS = 10000 };

static struct server *server;
static struct resp_client *side;
static larder *store;
static larder_subscriber *sub;
static const char *prefix;

static void open_way(int way, const struct server_options *o)
{
  char url[512], error[LARDER_ERROR_SIZE];
  server = server_start(o);
  side = server_connect(server, 2);
  prefix = way >= 2 ? "a?b:" : "";
  snprintf(url, sizeof url, "%s?%s", server_url(server), ways[way]);
  store = larder_open(url, NULL, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  sub = larder_subscriber_open(store, NULL, error, sizeof error);
  ck_assert_msg(sub != NULL, "%s", error);
}

static void close_way(void)
{
  larder_subscriber_close(sub);
  larder_close(store, 0);
  resp_close(side);
  server_stop(server);
}

static void ck_next(larder_heard heard, const char *name, const char *channel, const char *payload)
{
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(sub, WAIT_MS, &m), LARDER_OK);
  ck_assert_int_eq(m.heard, heard);
  ck_assert_str_eq(m.name, name);
  ck_assert_str_eq(m.channel, channel);
  if (payload)
    ck_assert_str_eq(m.payload, payload);
}

/* By somebody else, at the server. */
static void publish_there(const char *command, const char *channel, const char *payload)
{
  char whole[64];
  snprintf(whole, sizeof whole, "%s%s", prefix, channel);
  resp_free(resp_words(side, command, whole, payload, NULL));
}

static int64_t number(const char *command)
{
  larder_reply *r = larder_command(store, command);
  ck_assert_msg(r->outcome == LARDER_OK, "%s: %s", command, larder_outcome_name(r->outcome));
  int64_t n = r->value.integer;
  larder_reply_free(r);
  return n;
}

START_TEST(the_same_is_heard)
{
  open_way(_i, NULL);
  ck_assert_int_eq(larder_subscribe(sub, "x", 1), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  ck_assert_int_eq(larder_psubscribe(sub, "[xy]", 4), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "[xy]", "", "");
  ck_assert_int_eq(larder_ssubscribe(sub, "x", 1), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  ck_assert_int_eq(number("PUBLISH x 1"), 2);
  ck_next(LARDER_HEARD_MESSAGE, "x", "x", "1");
  ck_next(LARDER_HEARD_PMESSAGE, "[xy]", "x", "1");
  publish_there("PUBLISH", "y", "2");
  ck_next(LARDER_HEARD_PMESSAGE, "[xy]", "y", "2");
  publish_there("SPUBLISH", "x", "3");
  ck_next(LARDER_HEARD_SMESSAGE, "x", "x", "3");
  ck_assert_int_eq(number("PUBSUB NUMPAT"), 1);
  larder_reply *r = larder_command(store, "PUBSUB CHANNELS");
  ck_assert_uint_eq(r->value.len, 1);
  ck_assert_str_eq(r->value.element[0].str, "x");
  larder_reply_free(r);
  close_way();
}
END_TEST

/* GAP when the server dies, READY when it is back; what is published meanwhile fails. */
START_TEST(a_loss_is_told)
{
  open_way(_i, NULL);
  ck_assert_int_eq(larder_subscribe(sub, "x", 1), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  resp_close(side);
  server_kill(server);
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(sub, WAIT_MS, &m), LARDER_OK);
  ck_assert_int_eq(m.heard, LARDER_HEARD_GAP);
  ck_assert_uint_eq(m.missed, 0);
  ck_assert_uint_gt(m.payload_len, 0);
  larder_reply *r = larder_command(store, "PUBLISH x lost");
  ck_assert_msg(r->outcome != LARDER_OK, "%lld heard it", (long long)r->value.integer);
  larder_reply_free(r);
  ck_assert_int_eq(larder_subscribe(sub, "y", 1), LARDER_OK); /* registers all the same */
  server_restart(server);
  side = server_connect(server, 2);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  ck_next(LARDER_HEARD_READY, "y", "", "");
  publish_there("PUBLISH", "x", "1");
  publish_there("PUBLISH", "y", "2");
  ck_next(LARDER_HEARD_MESSAGE, "x", "x", "1");
  ck_next(LARDER_HEARD_MESSAGE, "y", "y", "2");
  close_way();
}
END_TEST

/* The server's access list: said once, in its words. */
START_TEST(a_refusal_is_told)
{
  struct server_options o = {.config = "user default on nopass ~* +@all resetchannels &may*\n"};
  open_way(_i, &o);
  ck_assert_int_eq(larder_subscribe(sub, "no", 2), LARDER_OK);
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(sub, WAIT_MS, &m), LARDER_OK);
  ck_assert_int_eq(m.heard, LARDER_HEARD_REFUSED);
  ck_assert_str_eq(m.name, "no");
  ck_assert_ptr_nonnull(strstr(m.payload, "NOPERM"));
  ck_assert_int_eq(larder_unsubscribe(sub, "no", 2), LARDER_ABSENT);
  ck_assert_int_eq(larder_subscribe(sub, "may", 3), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "may", "", "");
  close_way();
}
END_TEST

int main(void)
{
  server_require();
  Suite *s = suite_create("store/subscriber over a Redis");
  TCase *t = tcase_create("ways");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, the_same_is_heard, 0, WAYS);
  tcase_add_loop_test(t, a_loss_is_told, 0, WAYS);
  tcase_add_loop_test(t, a_refusal_is_told, 0, 2);
  suite_add_tcase(s, t);
  return run_suite(s);
}
