/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "remote/against.h"
#include "support/sanitizer.h"

/* Synchronous calls whose time is over, and the fence behind writes that got no reply. */

/* What may pass between a deadline and its caller's next line. */
enum { LATE_MS = TEST_TIMES(50, 1000) };

START_TEST(a_late_reply_is_dropped)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SYNC, PEER_SEND("$3\r\nold\r\n"),
    PEER_EXPECT("GET b"), PEER_SEND("$3\r\nnew\r\n")};
  begin(STEPS(script));
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 150, "GET a");
  ck_reply(r, LARDER_NO_ANSWER, LARDER_CAUSE_SILENT);
  ck_assert_int_ge(r.took_ms, 149);
  ck_assert_int_lt(r.took_ms, 150 + LATE_MS);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DOWN);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  r = rig_run(&rig, "GET b");
  ck_reply(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_str_eq(r.text, "new");
  larder_backend_status s = rig_status(&rig);
  ck_assert_uint_eq(s.deadline_misses, 1);
  ck_assert_uint_eq(s.connects, 1);
  ck_assert_int_eq(s.link, LARDER_LINK_UP);
  end();
}
END_TEST

START_TEST(a_write_without_reply_is_unknown)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("INCR a"), PEER_HANG};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "INCR a"), LARDER_UNKNOWN, LARDER_CAUSE_SILENT);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(a_drip_does_not_move_the_deadline)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_DRIP("$5\r\nvalue\r\n", 20),
    PEER_EXPECT("GET b"), PEER_SEND("$1\r\nb\r\n")};
  begin(STEPS(script));
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 100, "GET a");
  ck_reply(r, LARDER_NO_ANSWER, LARDER_CAUSE_SLOW);
  ck_assert_int_lt(r.took_ms, 100 + LATE_MS);
  r = rig_run_with(&rig, NULL, 0, 1000, "GET b");
  ck_assert_str_eq(r.text, "b");
  end();
}
END_TEST

START_TEST(a_drip_in_time_is_a_reply)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_DRIP("$5\r\nvalue\r\n", 5)};
  begin(STEPS(script));
  ck_assert_str_eq(rig_run_with(&rig, NULL, 0, 1000, "GET a").text, "value");
  end();
}
END_TEST

static void on_alarm(int signal_number)
{
  (void)signal_number;
}

START_TEST(signals_do_not_move_the_deadline)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_HANG};
  begin(STEPS(script));
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval timer = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 200, "GET a");
  setitimer(ITIMER_REAL, &off, NULL);
  ck_reply(r, LARDER_NO_ANSWER, LARDER_CAUSE_SILENT);
  ck_assert_int_ge(r.took_ms, 199);
  ck_assert_int_lt(r.took_ms, 200 + LATE_MS);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

/* A server that makes no progress: its connection is given up, and the next one fences it. */
START_TEST(a_stuck_connection_is_fenced)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_SYNC, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("CLIENT KILL ID 1 ADDR peer:0"), PEER_SEND(":1\r\n"),
    PEER_EXPECT("SET a 2"), PEER_SEND("+OK\r\n"), PEER_USE(0), PEER_GONE};
  begin_with(NULL, STEPS(script), short_connect);
  ck_reply(rig_run_with(&rig, NULL, 0, 100, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_SLOW);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(150);
  ck_reply(rig_run(&rig, "SET a 2"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_uint_eq(rig_status(&rig).connects, 2);
  end();
}
END_TEST

START_TEST(a_cut_write_is_fenced_once)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("CLIENT KILL ID 1 ADDR peer:0"), PEER_SEND("-ERR syntax error\r\n"),
    PEER_EXPECT("CLIENT KILL ID 1"), PEER_SEND(":0\r\n"),
    PEER_EXPECT("GET a"), PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("GET b"), PEER_SEND("$-1\r\n")};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_CUT);
  ck_reply(rig_run(&rig, "GET a"), LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  ck_reply(rig_run(&rig, "GET b"), LARDER_OK, LARDER_CAUSE_NONE); /* a read needs no fence */
  ck_assert_int_eq(rig_status(&rig).fence, 1);
  end();
}
END_TEST

START_TEST(a_fence_that_is_not_allowed_is_told)
{
  static const char *const reply[][2] = {{"CLIENT KILL", "-NOPERM no\r\n"}, {NULL, NULL}};
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("GET a"), PEER_SEND("$-1\r\n")};
  struct peer_options options = {.reply = reply};
  begin_with(&options, STEPS(script), NULL);
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_CUT);
  ck_reply(rig_run(&rig, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(rig_status(&rig).fence, 0);
  end();
}
END_TEST

/* A value that no socket's buffer takes whole.  The peer reads its beginning and then no more: so
 * the write had begun, and whether the rest arrived nobody knows. */
START_TEST(a_peer_that_does_not_read_costs_the_deadline_only)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SEND("$-1\r\n"), PEER_READ(4096),
    PEER_HANG};
  enum { LIMIT_MS = 300, PATIENCE_MS = TEST_TIMES(LIMIT_MS, 3000) };
  begin(STEPS(script));
  ck_reply(rig_run_with(&rig, NULL, 0, 5000, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  size_t size = 32 << 20;
  char *big = malloc(size);
  ck_assert_ptr_nonnull(big);
  memset(big, 'x', size);
  larder_verdict v;
  int64_t begun = rig_now_ms();
  lrd_remote_table.set(rig.backend, 0, (larder_bytes){"k", 1}, (larder_bytes){big, size}, 0,
                       lrd_monotonic(&lrd_clock_system) + PATIENCE_MS * LRD_NS_PER_MS, &v);
  int64_t took = rig_now_ms() - begun;
  ck_assert_int_eq(peer_meet(peer, 1000), 0); /* it has read what it was to read */
  ck_assert_int_eq(v.outcome, LARDER_UNKNOWN);
  if (!TEST_SANITIZED)
    ck_assert_int_lt(took, LIMIT_MS + 100); /* copying it counts too */
  free(big);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("deadline");
  TCase *t = tcase_create("deadlines");
  tcase_set_timeout(t, 30);
  tcase_add_test(t, a_late_reply_is_dropped);
  tcase_add_test(t, a_write_without_reply_is_unknown);
  tcase_add_test(t, a_drip_does_not_move_the_deadline);
  tcase_add_test(t, a_drip_in_time_is_a_reply);
  tcase_add_test(t, signals_do_not_move_the_deadline);
  tcase_add_test(t, a_peer_that_does_not_read_costs_the_deadline_only);
  tcase_add_test(t, a_stuck_connection_is_fenced);
  tcase_add_test(t, a_cut_write_is_fenced_once);
  tcase_add_test(t, a_fence_that_is_not_allowed_is_told);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
