/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "remote/against.h"
#include "remote/instance.h"

/* Several callers of one link: whose reply is whose, cancelling, closing. */

static void *get_tagged(void *argument)
{
  struct worker *w = argument;
  char words[80], want[64];
  for (int i = 0; i < w->calls; i++) {
    snprintf(want, sizeof want, "tag-%d-%d", w->number, i);
    snprintf(words, sizeof words, "GET %s", want);
    struct rig_reply r = rig_run_with(&rig, NULL, 0, i % 50 ? 5000 : 1, words);
    if (r.verdict.outcome != LARDER_OK)
      w->failed++;
    else if (strcmp(r.text, want) != 0)
      w->wrong++;
  }
  return NULL;
}

static void three_connections(struct lrd_config *c)
{
  c->connections = 3;
}

/* Few connections, replies in pieces, now and then a call that gives up: each value
 * names its caller. */
START_TEST(every_reply_reaches_its_own_caller)
{
  static const struct peer_step script[] = {PEER_SERVE(5)};
  struct worker w[16];
  memset(w, 0, sizeof w);
  begin_with(NULL, STEPS(script), three_connections);
  for (int i = 0; i < 16; i++) {
    w[i].number = i;
    w[i].calls = 200;
    ck_assert_int_eq(pthread_create(&w[i].thread, NULL, get_tagged, &w[i]), 0);
  }
  int wrong = 0, failed = 0;
  for (int i = 0; i < 16; i++) {
    pthread_join(w[i].thread, NULL);
    wrong += w[i].wrong;
    failed += w[i].failed;
  }
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_le(failed, 16 * 4); /* those with 1 ms */
  ck_assert_uint_le(rig_status(&rig).connections, 3);
  end();
}
END_TEST

START_TEST(cancel_ends_calls_in_flight)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_EXPECT(NULL), PEER_SYNC, PEER_GONE,
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_SEND(":1\r\n"), PEER_EXPECT("GET a"),
    PEER_SEND("$-1\r\n")};
  struct worker write = {.words = "SET a 1"}, read = {.words = "GET a"};
  begin(STEPS(script));
  pthread_create(&write.thread, NULL, run_one, &write);
  pthread_create(&read.thread, NULL, run_one, &read);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  lrd_remote_table.cancel(rig.backend, NULL);
  pthread_join(write.thread, NULL);
  pthread_join(read.thread, NULL);
  ck_reply(write.reply, LARDER_UNKNOWN, LARDER_CAUSE_CALLER);
  ck_reply(read.reply, LARDER_NO_ANSWER, LARDER_CAUSE_CALLER);
  ck_assert_int_lt(write.reply.took_ms, 1000);
  ck_reply(rig_run_with(&rig, NULL, 0, 1000, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

START_TEST(close_ends_calls_in_flight)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_EXPECT(NULL), PEER_SYNC, PEER_GONE};
  struct worker write = {.words = "SET a 1"}, read = {.words = "GET a"};
  begin(STEPS(script));
  pthread_create(&write.thread, NULL, run_one, &write);
  pthread_create(&read.thread, NULL, run_one, &read);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  end();
  pthread_join(write.thread, NULL);
  pthread_join(read.thread, NULL);
  ck_reply(write.reply, LARDER_UNKNOWN, LARDER_CAUSE_CALLER);
  ck_reply(read.reply, LARDER_NO_ANSWER, LARDER_CAUSE_CALLER);
}
END_TEST

START_TEST(close_ends_calls_that_wait_for_a_connection)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_SYNC, PEER_GONE};
  struct worker write = {.words = "SET a 1"};
  begin(STEPS(script));
  pthread_create(&write.thread, NULL, run_one, &write);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  rig_sleep(20);
  end();
  pthread_join(write.thread, NULL);
  ck_reply(write.reply, LARDER_CLOSED, LARDER_CAUSE_CALLER);
}
END_TEST

/* The driver's call ends first: another caller drives on. */
START_TEST(driving_is_passed_on)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SYNC, PEER_EXPECT("GET b"), PEER_SYNC,
    PEER_SEND("$1\r\na\r\n"), PEER_SYNC, PEER_SEND("$1\r\nb\r\n")};
  struct worker a = {.words = "GET a"}, b = {.words = "GET b"};
  begin(STEPS(script));
  pthread_create(&a.thread, NULL, run_one, &a);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  pthread_create(&b.thread, NULL, run_one, &b);
  rig_sleep(50); /* b sleeps, and would do so for long */
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  pthread_join(a.thread, NULL);
  ck_assert_str_eq(a.reply.text, "a");
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  pthread_join(b.thread, NULL);
  ck_assert_str_eq(b.reply.text, "b");
  ck_assert_int_lt(b.reply.took_ms, 1000);
  end();
}
END_TEST

static void two_connections(struct lrd_config *c)
{
  c->connections = 2;
}

/* Each key has its connection, and a write goes there though another could be had: the second one
 * behind the first, whose caller gave up and whose reply is owed. */
START_TEST(a_write_does_not_overtake_another)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_SEND("+OK\r\n"), PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT(NULL), PEER_SEND("+OK\r\n"), PEER_USE(0), PEER_EXPECT(NULL), PEER_EXPECT(NULL),
    PEER_SEND("+OK\r\n+OK\r\n")};
  begin_with(NULL, STEPS(script), two_connections);
  const struct lrd_remote *r = lrd_remote_of(rig.backend);
  char words[] = "SET a 1", other[] = "SET a 1";
  while (lrd_hash(&r->hash, &words[4], 1) % 2)
    words[4]++; /* a key of the first connection, which is there */
  while (lrd_hash(&r->hash, &other[4], 1) % 2 == 0)
    other[4]++;
  ck_reply(rig_run_with(&rig, NULL, 0, 2000, words), LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(rig_run_with(&rig, NULL, 0, 2000, other), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(rig_run_with(&rig, NULL, 0, 150, words).verdict.outcome, LARDER_UNKNOWN);
  ck_reply(rig_run_with(&rig, NULL, 0, 2000, words), LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("callers");
  TCase *t = tcase_create("callers");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, every_reply_reaches_its_own_caller);
  tcase_add_test(t, cancel_ends_calls_in_flight);
  tcase_add_test(t, close_ends_calls_in_flight);
  tcase_add_test(t, close_ends_calls_that_wait_for_a_connection);
  tcase_add_test(t, driving_is_passed_on);
  tcase_add_test(t, a_write_does_not_overtake_another);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
