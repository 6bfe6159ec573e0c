/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/against.h"

/* A connection's life: its end, holds, a forked child, failed allocations. */

/* --- the connection ends --------------------------------------------------------------- */

START_TEST(an_end_while_idle_costs_no_call)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_SEND("+OK\r\n"), PEER_CLOSE,
    PEER_SYNC, PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET b 2"), PEER_SEND("+OK\r\n")};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(5);
  ck_reply(rig_run(&rig, "SET b 2"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_uint_eq(rig_status(&rig).connects, 2);
  end();
}
END_TEST

START_TEST(an_end_under_a_call_is_unknown_or_no_answer)
{
  static const char *const parts[] = {"", "$", "$5\r\nval", "$5\r\nvalue\r"};
  const char *part = parts[_i / 4];
  int write = _i & 1, reset = _i & 2;
  struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(write ? "SET a 1" : "GET a"),
    PEER_SEND(part), {.verb = reset ? PEER_STEP_RST : PEER_STEP_CLOSE}, PEER_HANG};
  begin(STEPS(script));
  struct rig_reply r = rig_run(&rig, write ? "SET a 1" : "GET a");
  ck_reply(r, write ? LARDER_UNKNOWN : LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  ck_assert_msg(strncmp(r.text, write ? "UNKNOWN " : "UNAVAILABLE ", 8) == 0, "%s", r.text);
  ck_assert_int_lt(r.took_ms, 200);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DOWN);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(each_command_of_a_batch_has_its_outcome)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_EXPECT("GET a"),
    PEER_EXPECT("INCR a"), PEER_EXPECT("GET b"), PEER_SEND("+OK\r\n$1\r\n1\r\n:"), PEER_CLOSE,
    PEER_HANG};
  struct rig_reply r[4];
  begin(STEPS(script));
  rig_run_many(&rig, NULL, 0, 250, "SET a 1|GET a|INCR a|GET b", r);
  ck_reply(r[0], LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(r[1], LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(r[2], LARDER_UNKNOWN, LARDER_CAUSE_CUT);
  ck_reply(r[3], LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(garbage_poisons_the_connection)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_SEND("what?\r\n"), PEER_GONE,
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("CLIENT KILL ID 1 ADDR peer:0"), PEER_SEND(":0\r\n"),
    PEER_EXPECT("GET a"), PEER_SEND("$1\r\n1\r\n")};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_PROTOCOL);
  ck_reply(rig_run(&rig, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

START_TEST(an_extra_reply_reaches_nobody)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SEND("$1\r\na\r\n"), PEER_SYNC,
    PEER_SEND("$5\r\nextra\r\n"), PEER_SYNC, PEER_GONE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("GET b"), PEER_SEND("$1\r\nb\r\n")};
  begin(STEPS(script));
  ck_assert_str_eq(rig_run(&rig, "GET a").text, "a");
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(5);
  struct rig_reply r = rig_run(&rig, "GET b");
  ck_reply(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_str_eq(r.text, "b");
  end();
}
END_TEST

/* --- holds ----------------------------------------------------------------------------- */

START_TEST(a_hold_has_its_own_connection)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SEND("$-1\r\n"),
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("WATCH a"), PEER_SEND("+OK\r\n"),
    PEER_EXPECT("MULTI"), PEER_EXPECT("SET a 1"), PEER_EXPECT("EXEC"),
    PEER_SEND("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n"),
    PEER_EXPECT("WATCH b"), PEER_SEND("+OK\r\n"), PEER_CLOSE, PEER_SYNC};
  begin(STEPS(script));
  larder_hold *hold = lrd_remote_table.hold_open(rig.backend);
  ck_reply(rig_run(&rig, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(rig_run_with(&rig, hold, 0, 250, "UNWATCH"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(rig_run_with(&rig, hold, 0, 250, "WATCH a"), LARDER_OK, LARDER_CAUSE_NONE);
  struct rig_reply r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 250, "SET a 1");
  ck_reply(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_str_eq(r.text, "OK");
  ck_reply(rig_run_with(&rig, hold, 0, 250, "WATCH b"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(5);
  r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 250, "SET b 1");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_CUT);
  lrd_remote_table.hold_close(rig.backend, hold);
  end();
}
END_TEST

START_TEST(watch_without_a_hold_is_refused)
{
  static const struct peer_step script[] = {PEER_SERVE(0)};
  begin(STEPS(script));
  ck_assert_int_eq(rig_run(&rig, "WATCH a").verdict.outcome, LARDER_BAD_ARGUMENT);
  end();
}
END_TEST

/* --- fork ------------------------------------------------------------------------------ */

START_TEST(a_forked_child_leaves_the_parent_alone)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SEND("$1\r\na\r\n"), PEER_SYNC,
    PEER_EXPECT("GET b"), PEER_SEND("$1\r\nb\r\n")};
  begin(STEPS(script));
  ck_assert_str_eq(rig_run(&rig, "GET a").text, "a");
  pid_t child = fork();
  if (child == 0) {
    lrd_remote_table.close(rig.backend, 0, 1);
    _exit(0);
  }
  int status = 1;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  ck_assert_str_eq(rig_run(&rig, "GET b").text, "b");
  ck_assert_uint_eq(rig_status(&rig).connects, 1);
  end();
}
END_TEST

/* --- memory ---------------------------------------------------------------------------- */

/* The n-th allocation fails: the call ends with some outcome, the next one works, and
 * nothing is lost. */
START_TEST(failed_allocations_are_survived)
{
  static const struct peer_step script[] = {PEER_SERVE(0)};
  for (long n = 1; n < 40; n++) {
    begin(STEPS(script));
    rig_fail_allocation(n);
    struct rig_reply r = rig_run(&rig, "GET a");
    rig_fail_allocation(0);
    ck_assert_int_lt(r.took_ms, 400);
    rig_sleep(60);
    r = rig_run_with(&rig, NULL, 0, 1000, "GET a");
    ck_assert_msg(r.verdict.outcome == LARDER_OK, "allocation %ld: %d %s", n,
                  r.verdict.outcome, r.text);
    ck_assert_str_eq(r.text, "a");
    end();
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("link");
  TCase *t = tcase_create("ends");
  tcase_set_timeout(t, 30);
  tcase_add_test(t, an_end_while_idle_costs_no_call);
  tcase_add_loop_test(t, an_end_under_a_call_is_unknown_or_no_answer, 0, 16);
  tcase_add_test(t, each_command_of_a_batch_has_its_outcome);
  tcase_add_test(t, garbage_poisons_the_connection);
  tcase_add_test(t, an_extra_reply_reaches_nobody);
  suite_add_tcase(suite, t);
  t = tcase_create("holds");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, a_hold_has_its_own_connection);
  tcase_add_test(t, watch_without_a_hold_is_refused);
  tcase_add_test(t, a_forked_child_leaves_the_parent_alone);
  tcase_add_test(t, failed_allocations_are_survived);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
