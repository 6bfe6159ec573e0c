/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <larder.h>

#include "remote/against.h"
#include "remote/reader.h"

/* Which protocol a connection comes to speak, and what that changes: nothing. */

#define HELLO_3                                                                                    \
  "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*0\r\n"

static const char *const speaks_resp3[][2] = {
  {"HELLO 3", HELLO_3},
  {"CLIENT INFO", "=32\r\ntxt:id=1 addr=peer:0 laddr=us:0 \r\n"},
  {"INFO server", "=53\r\ntxt:run_id:0123456789012345678901234567890123456789\r\n\r\n"},
  {"INFO memory", "=33\r\ntxt:maxmemory_policy:noeviction\r\n\r\n"},
  {NULL, NULL}};

static void with_all(struct lrd_config *c)
{
  c->password = (char *)"sesame-secret";
  c->client_name = (char *)"me";
}

START_TEST(resp3_comes_after_auth)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET key"), PEER_SEND("$5\r\nvalue\r\n"),
    PEER_EXPECT("ZSCORE key m"), PEER_SEND(">2\r\n+invalidate\r\n_\r\n|1\r\n+a\r\n+b\r\n,1.5\r\n"),
    PEER_EXPECT("GET none"), PEER_SEND("_\r\n")};
  struct peer_options options = {.reply = speaks_resp3};
  begin_with(&options, STEPS(script), with_all);
  ck_assert_str_eq(rig_run(&rig, "GET key").text, "value");
  struct rig_reply r = rig_run(&rig, "ZSCORE key m");
  ck_assert_int_eq(r.type, LARDER_DOUBLE);
  ck_assert_str_eq(r.text, "1.5");
  ck_assert_int_eq(rig_run(&rig, "GET none").type, LARDER_NIL);
  ck_assert_int_eq(
    peer_saw(peer, "0: AUTH sesame-secret\n0: CLIENT SETNAME me\n0: HELLO 3\n"), 1);
  ck_assert_str_eq(rig_status(&rig).run_id, "0123456789012345678901234567890123456789");
  end();
}
END_TEST

static const char *const refusals[] = {
  "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n",
  "-NOPROTO unsupported protocol version\r\n",
  "-NOPERM this user has no permissions to run the 'hello' command\r\n",
  "-NOAUTH HELLO must be called with the client already authenticated\r\n",
  "-ERR 'hello' is not allowed behind this proxy\r\n",
  "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:2\r\n", /* it went on in RESP2 */
};

START_TEST(a_refused_hello_leaves_resp2)
{
  const char *const reply[][2] = {{"HELLO", refusals[_i]}, {NULL, NULL}};
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("HGETALL key"), PEER_SEND("*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
    PEER_EXPECT("ZSCORE key m"), PEER_SEND("$3\r\n1.5\r\n")};
  struct peer_options options = {.reply = reply};
  begin_with(&options, STEPS(script), with_all);
  struct rig_reply r = rig_run(&rig, "HGETALL key");
  ck_assert_msg(r.type == LARDER_MAP, "%d: %s", (int)r.type, r.text);
  ck_assert_int_eq(rig_run(&rig, "ZSCORE key m").type, LARDER_DOUBLE);
  ck_assert_uint_eq(rig_status(&rig).connects, 1);
  ck_assert_uint_eq(rig_status(&rig).connect_faults, 0);
  end();
}
END_TEST

START_TEST(a_hello_that_replies_nonsense_is_no_redis)
{
  static const char *const reply[][2] = {{"HELLO", "+HI\r\n"}, {NULL, NULL}};
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, PEER_GONE, PEER_HANG};
  struct peer_options options = {.reply = reply};
  begin_with(&options, STEPS(script), short_connect);
  ck_reply(rig_run(&rig, "GET key"), LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

static void resp2_only(struct lrd_config *c)
{
  c->protocol = 2;
}

START_TEST(resp2_on_demand_says_no_hello)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET key"),
                                            PEER_SEND("$-1\r\n")};
  begin_with(NULL, STEPS(script), resp2_only);
  ck_reply(rig_run(&rig, "GET key"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(peer_saw(peer, "HELLO"), 0);
  end();
}
END_TEST

static void resp3_only(struct lrd_config *c)
{
  c->protocol = 3;
  c->max_retries = 0;
}

START_TEST(resp3_on_demand_is_refused_aloud)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, PEER_GONE, PEER_HANG};
  begin_with(NULL, STEPS(script), resp3_only);
  struct rig_reply r = rig_run(&rig, "GET key");
  ck_reply(r, LARDER_REFUSED, LARDER_CAUSE_CALLER);
  ck_assert_str_eq(r.text,
                   "option protocol=3: the server speaks no RESP3: ERR unknown command 'HELLO'");
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

/* A proxy that hangs up at what it doesn't know: not for ever. */
START_TEST(who_hangs_up_at_hello_is_asked_twice)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_EXPECT("HELLO 3"), PEER_CLOSE,
    PEER_ACCEPT, PEER_EXPECT("HELLO 3"), PEER_EXPECT("CLIENT ID"), PEER_CLOSE,
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET key"), PEER_SEND("$1\r\nx\r\n")};
  begin(script, sizeof script / sizeof *script);
  ck_reply(rig_run_with(&rig, NULL, 0, 4000, "GET key"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(peer_saw(peer, "2: CLIENT ID"), 1);
  ck_assert_int_eq(peer_saw(peer, "2: HELLO"), 0);
  end();
}
END_TEST

START_TEST(without_a_reader_resp3_is_a_bad_argument)
{
  char error[LARDER_ERROR_SIZE] = "";
  larder *store = larder_open("redis://127.0.0.1:1?protocol=3&fallback=none", NULL, error,
                              sizeof error);
  ck_assert_ptr_null(store);
  ck_assert_msg(strncmp(error, "option protocol=3: ", 19) == 0, "%s", error);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("hello");
  TCase *t = tcase_create("both");
  tcase_add_loop_test(t, a_refused_hello_leaves_resp2, 0, 1);
  tcase_add_test(t, resp2_on_demand_says_no_hello);
  suite_add_tcase(suite, t);
  if (lrd_reader_knows_resp3(&rig_memory)) {
    t = tcase_create("resp3");
    tcase_add_test(t, resp3_comes_after_auth);
    tcase_add_loop_test(t, a_refused_hello_leaves_resp2, 1, sizeof refusals / sizeof *refusals);
    tcase_add_test(t, a_hello_that_replies_nonsense_is_no_redis);
    tcase_add_test(t, resp3_on_demand_is_refused_aloud);
    tcase_add_test(t, who_hangs_up_at_hello_is_asked_twice);
    suite_add_tcase(suite, t);
  } else {
    tcase_add_test(t, without_a_reader_resp3_is_a_bad_argument);
    printf("resp3: skipped: hiredis has no RESP3\n");
  }
  return run_suite(suite);
}
