/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/through.h"
#include "support/sanitizer.h"

/*
 * Connections that never came to be, and servers that die or hang under calls in flight.
 *
 * LARDER_FAULTS=all: every fault at every reply of the handshake.
 */

enum { TIMEOUT = 60 };

/* ms in the handshake: of a call, and of a connection; the call waits for a second one. */
enum { PATIENCE = TEST_TIMES(150, 1000), CONNECT = TEST_TIMES(60, 250) };

static int is_all;

/* --- the handshake --------------------------------------------------------------------- */

static void with_password(struct lrd_config *c)
{
  c->password = (char *)"sesame";
  c->connect_timeout = CONNECT * LRD_NS_PER_MS;
}

/* One fault in the handshake of the first connection: what waits for it is not sent over it, ever,
 * and that connection is never used. */
static void strike_handshake(enum proxy_verb verb, long k, long j)
{
  char what[96];
  struct proxy_fault fault = {.verb = verb, .k = k, .j = j, .number = TEST_TIMES(200, 800),
                              .text = "-LOADING Redis is loading the dataset in memory\r\n"};
  snprintf(what, sizeof what, "handshake, way %d at %ld of reply %ld", (int)verb, j, k);
  through_side("DEL n");
  proxy_arm(through.proxy, &fault, 1);
  through_open(with_password);
  through_stall();
  struct rig_reply r = rig_run_with(&through.rig, NULL, 0, PATIENCE, "INCRBY n 7");
  ck_in_time(r.took_ms, PATIENCE);
  larder_outcome o = r.verdict.outcome;
  ck_assert_msg(o == LARDER_OK || o == LARDER_NOT_SENT, "%s: outcome %d %s", what, (int)o, r.text);
  ck_assert_msg(proxy_struck(through.proxy) == 1, "%s: the fault did not happen", what);
  ck_side("GET n", o == LARDER_OK ? "7" : "nil");
  ck_assert_ptr_null(strstr(r.text, "sesame"));
  through_heals("EXISTS n", o == LARDER_OK ? "1" : "0", 3000);
  through_close();
}

START_TEST(every_reply_of_the_handshake)
{
  static const enum proxy_verb verbs[] = {PROXY_CUT, PROXY_RESET, PROXY_SHORT, PROXY_HANG,
                                          PROXY_SWALLOW, PROXY_DELAY};
  struct server_options options = {.password = "sesame"};
  long length[16];
  through_prepare(&options, _i);
  proxy_arm(through.proxy, NULL, 0);
  through_open(with_password);
  through_heals("PING", "PONG", 3000);
  long requests = proxy_requests(through.proxy) - 1; /* without our own PING */
  ck_assert_int_ge(requests, 10);
  ck_assert_int_lt(requests, 16);
  for (long k = 0; k < requests; k++)
    length[k] = proxy_length(through.proxy, k);
  through_close();
  for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
    for (long k = 0; k < requests; k++) {
      int is_slow = verbs[v] == PROXY_HANG || verbs[v] == PROXY_SWALLOW || verbs[v] == PROXY_DELAY;
      if (is_slow && !is_all && k > 1 && k < requests - 1)
        continue;
      strike_handshake(verbs[v], k, 0);
      if (verbs[v] == PROXY_CUT || is_all)
        strike_handshake(verbs[v], k, length[k] - 1);
    }
  strike_handshake(PROXY_INSTEAD, 0, 0);            /* AUTH */
  strike_handshake(PROXY_INSTEAD, 1, 0);            /* SELECT */
  strike_handshake(PROXY_INSTEAD, requests - 1, 0); /* PING */
  through_open(NULL);
  through_end();
}
END_TEST

/* --- a dead server, a hung one --------------------------------------------------------- */

START_TEST(killed_between_request_and_reply)
{
  struct rig_asked a;
  struct rig_reply r[4];
  through_begin(NULL, 0, NULL);
  for (int round = 0; round < 3; round++) {
    int64_t until = rig_now_ms() + 5000;
    do {
      rig_ask(&through.rig, &a, LARDER_CALL_PROBE, 1000, "PING");
      ck_assert_int_eq(rig_answers(&a, 5000, r), 0);
    } while (r[0].verdict.outcome != LARDER_OK && rig_now_ms() < until);
    ck_assert_int_eq(r[0].verdict.outcome, LARDER_OK);
    server_pause(through.server);
    rig_ask(&through.rig, &a, 0, 3000, "INCR n|GET g|SET s v");
    rig_sleep(20);
    server_kill(through.server);
    ck_assert_int_eq(rig_answers(&a, 5000, r), 0);
    ck_assert_int_eq(r[0].verdict.outcome, LARDER_UNKNOWN);
    ck_assert_int_eq(r[1].verdict.outcome, LARDER_NO_ANSWER);
    ck_assert_int_eq(r[2].verdict.outcome, LARDER_UNKNOWN);
    ck_assert_int_eq(r[0].verdict.cause, LARDER_CAUSE_CUT);
    ck_assert_int_lt(r[0].took_ms, 2000);
    while (proxy_connected(through.proxy)) /* s may have another link at home */
      rig_sleep(1);
    ck_assert_int_eq(rig_run_with(&through.rig, NULL, 0, 60, "SET s w").verdict.outcome,
                     LARDER_NOT_SENT);
    server_restart(through.server);
    resp_close(through.side);
    through.side = server_connect(through.server, 2);
    through_heals("EXISTS n s", "0", 5000);
  }
  through_end();
}
END_TEST

/* The server says nothing any more while calls keep coming: each ends by its own deadline. */
START_TEST(hung_while_calls_keep_coming)
{
  enum { NEW_CALLS = 60 };
  static struct rig_asked a[NEW_CALLS];
  struct rig_reply r;
  struct proxy_fault hang = {.verb = PROXY_HANG};
  through_begin(NULL, _i, NULL);
  rig_ask(&through.rig, &a[0], 0, 2000, "GET g");
  ck_assert_int_eq(rig_answers(&a[0], 5000, &r), 0);
  through_stall();
  proxy_arm(through.proxy, &hang, 1);
  proxy_set_door(through.proxy, PROXY_MUTE);
  int stall = 0; /* of the machine, under any of them */
  for (int i = 0; i < NEW_CALLS; i++) {
    rig_ask(&through.rig, &a[i], 0, TIMEOUT, i % 2 ? "GET g" : "INCR n");
    rig_sleep(5);
  }
  for (int i = 0; i < NEW_CALLS; i++) {
    ck_assert_int_eq(rig_answers(&a[i], 5000, &r), 0);
    ck_assert_int_eq(atomic_load(&a[i].done), 1);
    int late = through_stall();
    stall = late > stall ? late : stall;
    ck_assert_int_le(r.took_ms, TIMEOUT + TEST_TIMES(50, 500) + stall);
    larder_outcome o = r.verdict.outcome;
    ck_assert_msg(o == LARDER_NOT_SENT || o == (i % 2 ? LARDER_NO_ANSWER : LARDER_UNKNOWN), "%d",
                  (int)o);
  }
  proxy_set_door(through.proxy, PROXY_OPEN);
  through_heals("GET g", "nil", 5000);
  through_end();
}
END_TEST

/* A connection that watched keys is lost before EXEC: nothing may be done without the watch. */
START_TEST(a_lost_watch)
{
  through_begin(NULL, 0, NULL);
  through_heals("GET g", "nil", 3000);
  larder_hold *hold = lrd_remote_table.hold_open(through.rig.backend);
  struct proxy_fault cut = {.verb = PROXY_CUT};
  struct rig_reply r = rig_run_with(&through.rig, hold, 0, 1000, "WATCH g");
  ck_fate(r, LARDER_OK, LARDER_CAUSE_NONE);
  proxy_arm(through.proxy, &cut, 1);
  r = rig_run_with(&through.rig, hold, 0, 1000, "GET g");
  ck_fate(r, LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  r = rig_run_with(&through.rig, hold, LARDER_CALL_ATOMIC, 1000, "SET s v");
  ck_fate(r, LARDER_NOT_SENT, LARDER_CAUSE_CUT);
  ck_side("EXISTS s", "0");
  r = rig_run_with(&through.rig, hold, LARDER_CALL_ATOMIC, 1000, "SET s w"); /* a new one */
  ck_fate(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_side("GET s", "w");
  lrd_remote_table.hold_close(through.rig.backend, hold);
  through_end();
}
END_TEST

int main(void)
{
  const char *faults = getenv("LARDER_FAULTS");
  is_all = faults && strcmp(faults, "all") == 0;
  server_require();
  Suite *suite = suite_create("lost");
  TCase *t = tcase_create("lost");
  tcase_set_timeout(t, is_all ? 600 : TEST_SANITIZED ? 120 : 60);
  tcase_add_loop_test(t, every_reply_of_the_handshake, 0, is_all ? 2 : 1);
  tcase_add_test(t, killed_between_request_and_reply);
  tcase_add_test(t, a_lost_watch);
  tcase_add_loop_test(t, hung_while_calls_keep_coming, 0, 2);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
