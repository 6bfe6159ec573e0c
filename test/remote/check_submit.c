/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "remote/remote.h"
#include "remote/rig.h"
#include "support/check.h"
#include "support/peer.h"
#include "support/server.h"
#include "util/clock.h"

/* Asynchronous calls against a fake peer: done() comes exactly once, whatever happens. */

#define STEPS(s) (s), sizeof(s) / sizeof *(s)

static struct peer *peer;
static struct rig rig;

/* The synchronous link dials at opening: connection 0.  The submit link is number 1. */
#define OPENING PEER_ACCEPT, PEER_GREET, PEER_ACCEPT, PEER_GREET

static void begin_with(const struct peer_step *script, size_t steps, int64_t connect_timeout_ms,
                       int max_retries)
{
  struct lrd_config config;
  peer = peer_start(NULL, script, steps);
  rig_config(&config, peer_port(peer), NULL);
  config.connections = 1;
  config.connect_timeout = connect_timeout_ms * LRD_NS_PER_MS;
  config.max_retries = max_retries;
  rig_open(&rig, &config);
  for (int i = 0; i < 500 && rig_status(&rig).link == LARDER_LINK_STARTING; i++)
    rig_sleep(2);
}

static void begin(const struct peer_step *script, size_t steps)
{
  begin_with(script, steps, 1000, 3);
}

static void end(void)
{
  char why[256];
  rig_close(&rig);
  int failed = peer_stop(peer, why, sizeof why);
  ck_assert_msg(failed == 0, "%s", why);
}

static void end_anyhow(void)
{
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}

static void ck_ended(struct rig_submission *s, larder_outcome outcome, larder_cause cause)
{
  ck_assert_int_eq(rig_wait(s, 3000), 0);
  ck_assert_int_eq(s->count.last.outcome, outcome);
  ck_assert_int_eq(s->count.last.cause, cause);
  ck_assert_int_eq(atomic_load(&s->done), 1);
}

START_TEST(a_submitted_call_is_done)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("SET a 1"), PEER_SEND("+OK\r\n"), PEER_EXPECT("GET a"),
    PEER_EXPECT("GET b"), PEER_SEND("$1\r\n1\r\n$-1\r\n")};
  struct rig_submission s, batch;
  begin(STEPS(script));
  rig_submit(&rig, &s, 0, 500, "SET a 1");
  ck_ended(&s, LARDER_OK, LARDER_CAUSE_NONE);
  rig_submit(&rig, &batch, 0, 500, "GET a|GET b");
  ck_ended(&batch, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_uint_eq(batch.count.replies, 2);
  end();
}
END_TEST

START_TEST(a_submitted_transaction_is_done)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("MULTI"), PEER_EXPECT("SET a 1"), PEER_EXPECT("EXEC"),
    PEER_SEND("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n")};
  struct rig_submission s;
  begin(STEPS(script));
  rig_submit(&rig, &s, LARDER_CALL_ATOMIC, 500, "SET a 1");
  ck_ended(&s, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_uint_eq(s.count.replies, 1);
  end();
}
END_TEST

START_TEST(deadlines_end_submitted_calls)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("SET a 1"), PEER_EXPECT("GET a"), PEER_SYNC,
    PEER_SEND("+OK\r\n$5\r\nstale\r\n"), PEER_EXPECT("GET b"), PEER_SEND("-WRONGTYPE no\r\n")};
  struct rig_submission write, read, next;
  begin(STEPS(script));
  int64_t begun = rig_now_ms();
  rig_submit(&rig, &write, 0, 200, "SET a 1");
  rig_submit(&rig, &read, 0, 150, "GET a");
  ck_ended(&read, LARDER_NO_ANSWER, LARDER_CAUSE_SILENT);
  ck_assert_int_lt(rig_now_ms() - begun, 200);
  ck_ended(&write, LARDER_UNKNOWN, LARDER_CAUSE_SILENT);
  ck_assert_int_lt(rig_now_ms() - begun, 250);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_submit(&rig, &next, 0, 500, "GET b");
  ck_ended(&next, LARDER_REFUSED, LARDER_CAUSE_CALLER); /* its own reply, not a late one */
  end();
}
END_TEST

START_TEST(an_end_under_submitted_calls)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("SET a 1"), PEER_EXPECT("GET a"), PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("CLIENT KILL ID 2 ADDR peer:1"), PEER_SEND(":0\r\n"), PEER_EXPECT("GET b"),
    PEER_SEND("$-1\r\n")};
  struct rig_submission write, read, next;
  begin(STEPS(script));
  rig_submit(&rig, &write, 0, 500, "SET a 1");
  rig_submit(&rig, &read, 0, 500, "GET a");
  ck_ended(&write, LARDER_UNKNOWN, LARDER_CAUSE_CUT);
  ck_ended(&read, LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  rig_submit(&rig, &next, 0, 1000, "GET b");
  ck_ended(&next, LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

/* What did not get out is sent again before what had waited behind it. */
START_TEST(an_end_does_not_change_the_order)
{
  enum { LARGE = 24 << 20 }; /* more than sockets hold */
  static const struct peer_step script[] = {
    OPENING, PEER_READ(100), PEER_SYNC, PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("CLIENT KILL ID 2 ADDR peer:1"), PEER_SEND(":0\r\n"), PEER_READ(LARGE + 87),
    PEER_SEND("+OK\r\n-ERR 2\r\n-ERR 3\r\n")}; /* by these it is seen whose turn it was */
  struct rig_submission large, second, third;
  char *bytes = calloc(1, LARGE);
  ck_assert_ptr_nonnull(bytes);
  larder_bytes argv[] = {{"SET", 3}, {"a", 1}, {bytes, LARGE}};
  larder_vector vector = {.argv = argv, .argc = 3, .command = lrd_command_find("SET", 3)};
  begin(STEPS(script));
  rig_submit_vectors(&rig, &large, LARDER_CALL_LASTING, 20000, &vector, 1);
  rig_submit(&rig, &second, 0, 20000, "SET a 2");
  rig_submit(&rig, &third, 0, 20000, "SET a 3");
  ck_assert_int_eq(peer_meet(peer, 5000), 0);
  ck_assert_int_eq(rig_wait(&third, 20000), 0);
  ck_ended(&large, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(second.count.last.outcome, LARDER_REFUSED);
  ck_assert_int_eq(third.count.last.outcome, LARDER_REFUSED);
  end();
  free(bytes);
}
END_TEST

START_TEST(an_idle_end_is_noticed)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("GET a"), PEER_SEND("$-1\r\n"), PEER_CLOSE, PEER_SYNC, PEER_ACCEPT,
    PEER_GREET, PEER_EXPECT("SET b 1"), PEER_SEND("+OK\r\n")};
  struct rig_submission s;
  begin(STEPS(script));
  rig_submit(&rig, &s, 0, 500, "GET a");
  ck_ended(&s, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  for (int i = 0; i < 100 && rig_status(&rig).connections > 1; i++)
    rig_sleep(2);
  ck_assert_uint_eq(rig_status(&rig).connections, 1);
  rig_submit(&rig, &s, 0, 500, "SET b 1");
  ck_ended(&s, LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

START_TEST(a_stuck_submit_link_is_closed_and_fenced)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("SET a 1"), PEER_GONE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("CLIENT KILL ID 2 ADDR peer:1"), PEER_SEND(":1\r\n"), PEER_EXPECT("SET a 2"),
    PEER_SEND("+OK\r\n")};
  struct rig_submission s;
  begin_with(STEPS(script), 100, 3);
  rig_submit(&rig, &s, 0, 50, "SET a 1");
  ck_ended(&s, LARDER_UNKNOWN, LARDER_CAUSE_SLOW);
  for (int i = 0; i < 200 && rig_status(&rig).connections > 1; i++)
    rig_sleep(2);
  ck_assert_uint_eq(rig_status(&rig).connections, 1); /* by itself, nobody asked again */
  rig_submit(&rig, &s, 0, 1000, "SET a 2");
  ck_ended(&s, LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

START_TEST(one_call_is_cancelled_alone)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("GET a"), PEER_EXPECT("SET b 1"), PEER_EXPECT("GET c"), PEER_SYNC,
    PEER_SEND("$1\r\na\r\n+OK\r\n"), PEER_SEND("$1\r\nc\r\n")};
  struct rig_submission a, b, c, gone;
  memset(&gone, 0, sizeof gone);
  begin(STEPS(script));
  rig_submit(&rig, &a, 0, 2000, "GET a");
  rig_submit(&rig, &b, 0, 2000, "SET b 1");
  rig_submit(&rig, &c, 0, 2000, "GET c");
  rig_sleep(50);
  lrd_remote_table.cancel(rig.backend, &gone.base); /* not ours: nothing happens */
  lrd_remote_table.cancel(rig.backend, &b.base);
  ck_ended(&b, LARDER_UNKNOWN, LARDER_CAUSE_CALLER);
  ck_assert_int_eq(atomic_load(&a.done), 0);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  ck_ended(&a, LARDER_OK, LARDER_CAUSE_NONE);
  ck_ended(&c, LARDER_OK, LARDER_CAUSE_NONE);
  lrd_remote_table.cancel(rig.backend, &b.base); /* gone already */
  end();
}
END_TEST

START_TEST(all_calls_are_cancelled)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("GET a"), PEER_EXPECT("SET b 1"), PEER_SYNC, PEER_GONE, PEER_HANG};
  struct rig_submission a, b;
  begin(STEPS(script));
  rig_submit(&rig, &a, 0, 5000, "GET a");
  rig_submit(&rig, &b, 0, 5000, "SET b 1");
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  lrd_remote_table.cancel(rig.backend, NULL);
  ck_ended(&a, LARDER_NO_ANSWER, LARDER_CAUSE_CALLER);
  ck_ended(&b, LARDER_UNKNOWN, LARDER_CAUSE_CALLER);
  end_anyhow();
}
END_TEST

START_TEST(close_ends_submitted_calls)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("GET a"), PEER_EXPECT("SET b 1"), PEER_SYNC, PEER_GONE};
  struct rig_submission a, b;
  begin(STEPS(script));
  rig_submit(&rig, &a, 0, 5000, "GET a");
  rig_submit(&rig, &b, 0, 5000, "SET b 1");
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  end();
  ck_ended(&a, LARDER_NO_ANSWER, LARDER_CAUSE_CALLER);
  ck_ended(&b, LARDER_UNKNOWN, LARDER_CAUSE_CALLER);
}
END_TEST

START_TEST(close_ends_calls_that_wait_for_a_connection)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, PEER_ACCEPT, PEER_SYNC,
                                            PEER_GONE};
  struct rig_submission s;
  begin(STEPS(script));
  rig_submit(&rig, &s, 0, 5000, "SET a 1");
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  end();
  ck_ended(&s, LARDER_CLOSED, LARDER_CAUSE_CALLER);
}
END_TEST

START_TEST(refused_is_not_sent)
{
  struct lrd_config config;
  struct rig_submission s;
  rig_config(&config, server_free_port(), NULL);
  config.connections = 1;
  rig_open(&rig, &config);
  rig_submit(&rig, &s, 0, 250, "SET a 1");
  ck_ended(&s, LARDER_NOT_SENT, LARDER_CAUSE_REFUSED);
  int64_t begun = rig_now_ms();
  rig_submit(&rig, &s, LARDER_CALL_NOWAIT, 250, "SET a 1");
  ck_ended(&s, LARDER_NOT_SENT, LARDER_CAUSE_REFUSED);
  ck_assert_int_lt(rig_now_ms() - begun, 50);
  rig_close(&rig);
}
END_TEST

START_TEST(credentials_refused_are_told)
{
  static const char *const reply[][2] = {{"PING", "-NOAUTH no\r\n"}, {NULL, NULL}};
  static const struct peer_step script[] = {OPENING, PEER_HANG};
  struct peer_options options = {.reply = reply};
  struct lrd_config config;
  struct rig_submission s;
  peer = peer_start(&options, STEPS(script));
  rig_config(&config, peer_port(peer), NULL);
  config.connections = 1;
  rig_open(&rig, &config);
  rig_submit(&rig, &s, 0, 500, "SET a 1");
  ck_ended(&s, LARDER_REFUSED, LARDER_CAUSE_AUTH);
  end_anyhow();
}
END_TEST

START_TEST(garbage_ends_all_of_the_connection)
{
  static const struct peer_step script[] = {
    OPENING, PEER_EXPECT("GET a"), PEER_EXPECT("SET b 1"), PEER_SEND("$1\r\na\r\n+OK\n\r\n"),
    PEER_GONE, PEER_HANG};
  struct rig_submission a, b;
  begin(STEPS(script));
  rig_submit(&rig, &a, 0, 2000, "GET a");
  rig_submit(&rig, &b, 0, 2000, "SET b 1");
  ck_ended(&a, LARDER_OK, LARDER_CAUSE_NONE);
  ck_ended(&b, LARDER_UNKNOWN, LARDER_CAUSE_PROTOCOL);
  end_anyhow();
}
END_TEST

/* Random deadlines, cancels and an end in the middle: every call is done once. */
START_TEST(every_call_is_done_exactly_once)
{
  enum { CALLS = 3000 };
  static const struct peer_step script[] = {PEER_SERVE(3)};
  struct rig_submission *s = calloc(CALLS, sizeof *s);
  const char *given = getenv("LARDER_SEED");
  unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)rig_now_ms();
  ck_assert_ptr_nonnull(s);
  printf("seed %u\n", seed);
  begin(STEPS(script));
  for (int i = 0; i < CALLS; i++) {
    char words[32];
    seed = seed * 1103515245 + 12345;
    snprintf(words, sizeof words, "GET k%d", i);
    rig_submit(&rig, &s[i], 0, 1 + (seed >> 16) % 400, words);
    if ((seed >> 8) % 7 == 0)
      lrd_remote_table.cancel(rig.backend, &s[i - (int)((seed >> 20) % (unsigned)(i + 1))].base);
    if (i == CALLS / 2)
      lrd_remote_table.cancel(rig.backend, NULL);
  }
  for (int i = 0; i < CALLS; i++)
    ck_assert_int_eq(rig_wait(&s[i], 2000), 0);
  rig_sleep(10);
  for (int i = 0; i < CALLS; i++) {
    ck_assert_int_eq(atomic_load(&s[i].done), 1);
    ck_assert_uint_eq(s[i].count.replies, 1);
  }
  end();
  free(s);
}
END_TEST

START_TEST(failed_allocations_are_survived)
{
  static const struct peer_step script[] = {PEER_SERVE(0)};
  for (long n = 1; n < 30; n++) {
    struct rig_submission s;
    begin(STEPS(script));
    rig_fail_allocation(n);
    rig_submit(&rig, &s, 0, 300, "GET a");
    ck_assert_int_eq(rig_wait(&s, 1000), 0);
    rig_fail_allocation(0);
    rig_sleep(60);
    rig_submit(&rig, &s, 0, 1000, "GET a");
    ck_ended(&s, LARDER_OK, LARDER_CAUSE_NONE);
    end();
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("submit");
  TCase *t = tcase_create("submit");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, a_submitted_call_is_done);
  tcase_add_test(t, a_submitted_transaction_is_done);
  tcase_add_test(t, deadlines_end_submitted_calls);
  tcase_add_test(t, an_end_under_submitted_calls);
  tcase_add_test(t, an_end_does_not_change_the_order);
  tcase_add_test(t, an_idle_end_is_noticed);
  tcase_add_test(t, a_stuck_submit_link_is_closed_and_fenced);
  tcase_add_test(t, one_call_is_cancelled_alone);
  tcase_add_test(t, all_calls_are_cancelled);
  tcase_add_test(t, close_ends_submitted_calls);
  tcase_add_test(t, close_ends_calls_that_wait_for_a_connection);
  tcase_add_test(t, refused_is_not_sent);
  tcase_add_test(t, credentials_refused_are_told);
  tcase_add_test(t, garbage_ends_all_of_the_connection);
  tcase_add_test(t, every_call_is_done_exactly_once);
  tcase_add_test(t, failed_allocations_are_survived);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
