/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/remote.h"
#include "remote/rig.h"
#include "support/check.h"
#include "support/server.h"
#include "util/clock.h"

/* The remote backend on a real redis-server that is killed, stopped and started again. */

static struct server *server;
static struct rig rig;

static void begin(const struct server_options *options, unsigned connections, const char *password)
{
  struct lrd_config config;
  server = server_start(options);
  rig_config(&config, server_port(server), server_socket(server));
  config.connections = connections;
  config.password = (char *)password;
  rig_open(&rig, &config);
}

static void end(void)
{
  rig_close(&rig);
  server_stop(server);
}

static void ck_text(const char *words, const char *want)
{
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 2000, words);
  ck_assert_msg(r.verdict.outcome == LARDER_OK && strcmp(r.text, want) == 0, "%s: %d %s", words,
                (int)r.verdict.outcome, r.text);
}

static void ck_outcome(struct rig_reply r, larder_outcome outcome)
{
  ck_assert_msg(r.verdict.outcome == outcome, "outcome %d, not %d: %s", (int)r.verdict.outcome,
                (int)outcome, r.text);
}

START_TEST(commands_reach_the_server)
{
  struct server_options options = {.unix_socket = _i};
  begin(&options, 8, NULL);
  ck_text("SET a 1", "OK");
  ck_text("INCR a", "2");
  ck_text("GET a", "2");
  ck_text("HSET h f v", "1");
  struct rig_reply r = rig_run(&rig, "HGETALL h");
  ck_assert_int_eq(r.type, LARDER_MAP);
  ck_assert_str_eq(r.text, "f v");
  r = rig_run(&rig, "ZADD z 1.5 m");
  ck_outcome(r, LARDER_OK);
  r = rig_run(&rig, "ZSCORE z m");
  ck_assert_int_eq(r.type, LARDER_DOUBLE);
  r = rig_run(&rig, "LPUSH a 1");
  ck_outcome(r, LARDER_REFUSED);
  ck_assert_int_eq(r.verdict.cause, LARDER_CAUSE_CALLER);
  larder_backend_status s = rig_status(&rig);
  ck_assert_int_eq(s.link, LARDER_LINK_UP);
  ck_assert_int_eq(s.fence, 1);
  ck_assert_uint_eq(strlen(s.run_id), 40);
  ck_assert_int_eq(s.volatile_marker, 0);
  ck_assert_int_lt(llabs((long long)s.clock_offset_us), 1000000);
  end();
}
END_TEST

START_TEST(typed_calls)
{
  char buffer[8];
  size_t length;
  larder_verdict v;
  begin(NULL, 2, NULL);
  larder_bytes key = {"k\r\n\0y", 5}, value = {"0123456789", 10};
  int64_t deadline = lrd_monotonic(&lrd_clock_system) + 2000 * LRD_NS_PER_MS;
  lrd_remote_table.get(rig.backend, 0, key, deadline, buffer, sizeof buffer, &length, &v);
  ck_assert_int_eq(v.outcome, LARDER_ABSENT);
  lrd_remote_table.set(rig.backend, 0, key, value, 60000, deadline, &v);
  ck_assert_int_eq(v.outcome, LARDER_OK);
  lrd_remote_table.get(rig.backend, 0, key, deadline, buffer, sizeof buffer, &length, &v);
  ck_assert_int_eq(v.outcome, LARDER_OK);
  ck_assert_uint_eq(length, 10);
  ck_assert_mem_eq(buffer, "01234567", 8);
  lrd_remote_table.get(rig.backend, 1, key, deadline, buffer, sizeof buffer, &length, &v);
  ck_assert_int_eq(v.outcome, LARDER_ABSENT); /* another database */
  ck_text("LPUSH list 1", "1");
  lrd_remote_table.get(rig.backend, 0, (larder_bytes){"list", 4}, deadline, buffer, sizeof buffer,
                       &length, &v);
  ck_assert_int_eq(v.outcome, LARDER_REFUSED);
  end();
}
END_TEST

START_TEST(batches_and_transactions)
{
  struct rig_reply r[8];
  begin(NULL, 4, NULL);
  rig_run_many(&rig, NULL, 0, 2000, "SET a 1|INCR a|LPUSH a x|GET a", r);
  ck_outcome(r[0], LARDER_OK);
  ck_assert_int_eq(r[1].integer, 2);
  ck_outcome(r[2], LARDER_REFUSED);
  ck_assert_str_eq(r[3].text, "2");
  rig_run_many(&rig, NULL, LARDER_CALL_ATOMIC, 2000, "INCR a|HSET h f v|HGETALL h|LPUSH a x", r);
  ck_outcome(r[0], LARDER_OK);
  ck_assert_msg(strncmp(r[0].text, "3 1 f v WRONGTYPE", 17) == 0, "%s", r[0].text);
  end();
}
END_TEST

START_TEST(watched_keys_guard_a_transaction)
{
  begin(NULL, 2, NULL);
  larder_hold *hold = lrd_remote_table.hold_open(rig.backend);
  ck_text("SET a 1", "OK");
  ck_outcome(rig_run_with(&rig, hold, 0, 1000, "WATCH a"), LARDER_OK);
  ck_assert_str_eq(rig_run_with(&rig, hold, 0, 1000, "GET a").text, "1");
  ck_text("SET a 2", "OK");
  struct rig_reply r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 1000, "SET a 3");
  ck_outcome(r, LARDER_OK);
  ck_assert_int_eq(r.type, LARDER_NIL);
  ck_text("GET a", "2");
  ck_outcome(rig_run_with(&rig, hold, 0, 1000, "WATCH a"), LARDER_OK);
  r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 1000, "SET a 3");
  ck_assert_int_eq(r.type, LARDER_ARRAY);
  ck_text("GET a", "3");
  /* Unwatched: a change does not matter any more. */
  ck_outcome(rig_run_with(&rig, hold, 0, 1000, "WATCH a"), LARDER_OK);
  ck_text("SET a 4", "OK");
  ck_outcome(rig_run_with(&rig, hold, 0, 1000, "UNWATCH"), LARDER_OK);
  r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 1000, "SET a 5");
  ck_assert_int_eq(r.type, LARDER_ARRAY);
  /* The server is killed under the watch. */
  ck_outcome(rig_run_with(&rig, hold, 0, 1000, "WATCH a"), LARDER_OK);
  server_restart(server);
  ck_outcome(rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 1000, "SET a 6"), LARDER_NOT_SENT);
  r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 1000, "SET a 7");
  ck_assert_int_eq(r.type, LARDER_ARRAY);
  lrd_remote_table.hold_close(rig.backend, hold);
  end();
}
END_TEST

/* A pinned connection is given back and taken by others, also for another database. */
START_TEST(holds_share_the_pool)
{
  enum { HOLDS = 32 };
  larder_hold *hold[HOLDS + 1];
  begin(NULL, 1, NULL);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i <= HOLDS; i++) {
      hold[i] = lrd_remote_table.hold_open(rig.backend);
      struct rig_reply r = rig_run_with(&rig, hold[i], 0, 2000, "WATCH a");
      ck_outcome(r, i < HOLDS ? LARDER_OK : LARDER_NOT_SENT);
    }
    for (int i = 0; i < HOLDS; i++) {
      struct rig_reply r = rig_run_with(&rig, hold[i], LARDER_CALL_ATOMIC, 2000, "INCR n");
      ck_assert_int_eq(r.type, LARDER_ARRAY);
    }
    for (int i = 0; i <= HOLDS; i++)
      lrd_remote_table.hold_close(rig.backend, hold[i]);
  }
  ck_text("GET n", "64");
  ck_assert_uint_eq(rig_status(&rig).connects, 33);
  end();
}
END_TEST

/* --- it dies --------------------------------------------------------------------------- */

START_TEST(a_killed_server_and_its_return)
{
  struct server_options options = {.durable = 1};
  begin(&options, 4, NULL);
  ck_text("SET a 1", "OK");
  char first_run[48];
  snprintf(first_run, sizeof first_run, "%s", rig_status(&rig).run_id);
  server_kill(server);
  rig_sleep(5);
  struct rig_reply r = rig_run(&rig, "SET a 2");
  ck_outcome(r, LARDER_NOT_SENT);
  ck_assert_int_le(r.took_ms, 300);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DOWN);
  for (int i = 0; i < 50; i++) {
    r = rig_run_with(&rig, NULL, LARDER_CALL_NOWAIT, 250, "SET a 2");
    ck_outcome(r, LARDER_NOT_SENT);
    ck_assert_int_lt(r.took_ms, 50);
  }
  server_restart(server);
  r = rig_run_with(&rig, NULL, LARDER_CALL_PROBE, 250, "GET a");
  ck_outcome(r, LARDER_OK);
  ck_assert_str_eq(r.text, "1");
  ck_assert_str_ne(rig_status(&rig).run_id, first_run);
  end();
}
END_TEST

/* How often the server was asked to kill a client. */
static uint64_t kills(void)
{
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 2000, "INFO commandstats");
  const char *at = strstr(r.text, "cmdstat_client|kill:calls=");
  ck_outcome(r, LARDER_OK);
  return at ? strtoull(at + 26, NULL, 10) : 0;
}

/* The server stands still, a write times out, and its connection is given up; what the
 * server still has of it must not land after the successor's write. */
START_TEST(a_zombie_write_is_fenced)
{
  struct lrd_config config;
  server = server_start(NULL);
  rig_config(&config, server_port(server), NULL);
  config.connections = 1;
  config.connect_timeout = 200 * LRD_NS_PER_MS;
  for (int round = 0; round < 5; round++) {
    rig_open(&rig, &config);
    ck_text("SET a 0", "OK");
    uint64_t before = kills();
    server_pause(server);
    struct rig_reply r = rig_run_with(&rig, NULL, 0, 100, "SET a zombie");
    ck_outcome(r, LARDER_UNKNOWN);
    rig_sleep(250);
    ck_outcome(rig_run_with(&rig, NULL, 0, 100, "SET b 1"), LARDER_NOT_SENT); /* gives it up */
    server_resume(server);
    r = rig_run_with(&rig, NULL, LARDER_CALL_PROBE, 2000, "SET a new");
    ck_outcome(r, LARDER_OK);
    for (int i = 0; i < 20; i++) {
      ck_text("GET a", "new");
      rig_sleep(2);
    }
    /* Every attempt asks once whether it may; one of them did it. */
    larder_backend_status s = rig_status(&rig);
    ck_assert_uint_gt(kills() - before, s.connects - 1 + s.connect_faults);
    ck_assert_int_eq(s.fence, 1);
    rig_close(&rig);
  }
  server_stop(server);
}
END_TEST

START_TEST(a_paused_server_is_silent_then_heard)
{
  begin(NULL, 1, NULL);
  ck_text("SET a 1", "OK");
  server_pause(server);
  struct rig_reply r = rig_run(&rig, "GET a");
  ck_outcome(r, LARDER_NO_ANSWER);
  ck_assert_int_eq(r.verdict.cause, LARDER_CAUSE_SILENT);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DOWN);
  server_resume(server);
  ck_text("GET a", "1");
  ck_assert_uint_eq(rig_status(&rig).connects, 1); /* the same connection: a tombstone was enough */
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_UP);
  end();
}
END_TEST

START_TEST(passwords)
{
  struct server_options options = {.password = "right"};
  begin(&options, 1, "right");
  ck_text("SET a 1", "OK");
  rig_close(&rig);
  struct lrd_config config;
  rig_config(&config, server_port(server), NULL);
  config.password = (char *)"wrong";
  rig_open(&rig, &config);
  struct rig_reply r = rig_run(&rig, "GET a");
  ck_outcome(r, LARDER_REFUSED);
  ck_assert_int_eq(r.verdict.cause, LARDER_CAUSE_AUTH);
  ck_assert_msg(strncmp(r.text, "WRONGPASS", 9) == 0, "%s", r.text);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DENIED);
  rig_close(&rig);
  rig_config(&config, server_port(server), NULL);
  rig_open(&rig, &config);
  r = rig_run(&rig, "GET a");
  ck_outcome(r, LARDER_REFUSED);
  ck_assert_msg(strncmp(r.text, "NOAUTH", 6) == 0, "%s", r.text);
  ck_assert_int_eq(r.verdict.cause, LARDER_CAUSE_AUTH);
  rig_close(&rig);
  server_stop(server);
}
END_TEST

START_TEST(a_full_server_is_not_an_authority)
{
  struct server_options options = {.config = "maxclients 3\n"};
  begin(&options, 8, NULL);
  larder_hold *hold[4];
  larder_outcome last = LARDER_OK;
  larder_cause cause = LARDER_CAUSE_NONE;
  ck_text("SET a 1", "OK");
  for (int i = 0; i < 4; i++) {
    hold[i] = lrd_remote_table.hold_open(rig.backend);
    struct rig_reply r = rig_run_with(&rig, hold[i], 0, 500, "WATCH a");
    last = r.verdict.outcome;
    cause = r.verdict.cause;
  }
  ck_assert_int_eq(last, LARDER_NOT_SENT);
  ck_assert_msg(cause == LARDER_CAUSE_SERVER || cause == LARDER_CAUSE_CUT, "cause %d", (int)cause);
  ck_text("GET a", "1"); /* those that are up go on */
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_UP);
  for (int i = 0; i < 4; i++)
    lrd_remote_table.hold_close(rig.backend, hold[i]);
  end();
}
END_TEST

START_TEST(an_evicting_server_is_noticed)
{
  struct server_options options = {.config = "maxmemory 100mb\nmaxmemory-policy allkeys-lru\n"};
  begin(&options, 1, NULL);
  ck_text("SET a 1", "OK");
  ck_assert_int_eq(rig_status(&rig).volatile_marker, 1);
  end();
}
END_TEST

/* --- many ------------------------------------------------------------------------------ */

struct worker {
  pthread_t thread;
  int number, wrong, counts[12];
  atomic_int *stop;
};

/* Counts what was acknowledged, and checks that reads are its own. */
static void *work(void *argument)
{
  struct worker *w = argument;
  char words[64], value[32] = "";
  for (int i = 0; !atomic_load(w->stop); i++) {
    snprintf(words, sizeof words, "SET own-%d %d", w->number, i);
    struct rig_reply r = rig_run(&rig, words);
    w->counts[r.verdict.outcome]++;
    if (r.verdict.outcome == LARDER_OK) {
      snprintf(value, sizeof value, "%d", i);
      snprintf(words, sizeof words, "GET own-%d", w->number);
      r = rig_run(&rig, words);
      if (r.verdict.outcome == LARDER_OK && strcmp(r.text, value) != 0)
        w->wrong++;
    }
    if (r.took_ms > 400)
      w->wrong++;
  }
  return NULL;
}

static int run_workers(int threads, int ms, void (*disturb)(void))
{
  struct worker w[8];
  atomic_int stop;
  int wrong = 0, ok = 0;
  memset(w, 0, sizeof w);
  atomic_init(&stop, 0);
  for (int i = 0; i < threads; i++) {
    w[i].number = i;
    w[i].stop = &stop;
    ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
  }
  int64_t until = rig_now_ms() + ms;
  while (rig_now_ms() < until) {
    rig_sleep(50);
    if (disturb)
      disturb();
  }
  atomic_store(&stop, 1);
  for (int i = 0; i < threads; i++) {
    pthread_join(w[i].thread, NULL);
    wrong += w[i].wrong;
    ok += w[i].counts[LARDER_OK];
  }
  ck_assert_int_eq(wrong, 0);
  return ok;
}

START_TEST(eight_threads)
{
  begin(NULL, (unsigned)_i, NULL);
  int ok = run_workers(8, 700, NULL);
  ck_assert_int_gt(ok, 500);
  ck_assert_uint_eq(rig_status(&rig).deadline_misses, 0);
  ck_assert_uint_le(rig_status(&rig).connections, (unsigned)_i);
  end();
}
END_TEST

static void kill_connections(void)
{
  rig_run(&rig, "CLIENT KILL TYPE normal SKIPME yes");
}

static void pause_a_little(void)
{
  server_pause(server);
  rig_sleep(300);
  server_resume(server);
}

START_TEST(eight_threads_under_disturbance)
{
  begin(NULL, 3, NULL);
  ck_assert_int_gt(run_workers(8, 1500, _i ? pause_a_little : kill_connections), 100);
  end();
}
END_TEST

START_TEST(ten_thousand_submitted_calls)
{
  enum { CALLS = 10000 };
  struct rig_submission *s = calloc(CALLS, sizeof *s);
  ck_assert_ptr_nonnull(s);
  begin(NULL, 1, NULL);
  for (int i = 0; i < CALLS; i++)
    rig_submit(&rig, &s[i], 0, 10000, "INCR n");
  for (int i = 0; i < CALLS; i++)
    ck_assert_int_eq(rig_wait(&s[i], 10000), 0);
  for (int i = 0; i < CALLS; i++) {
    ck_assert_int_eq(s[i].count.last.outcome, LARDER_OK);
    ck_assert_int_eq(atomic_load(&s[i].done), 1);
  }
  ck_text("GET n", "10000");
  end();
  free(s);
}
END_TEST

START_TEST(submitted_calls_over_a_restart)
{
  enum { CALLS = 2000 };
  struct rig_submission *s = calloc(CALLS, sizeof *s);
  struct server_options options = {.durable = 1};
  ck_assert_ptr_nonnull(s);
  begin(&options, 1, NULL);
  ck_text("SET n 0", "OK");
  for (int i = 0; i < CALLS; i++) {
    if (i == CALLS / 2)
      server_kill(server);
    if (i == CALLS * 3 / 4)
      server_restart(server);
    rig_submit(&rig, &s[i], 0, 2000, "INCR n");
  }
  int ok = 0, unknown = 0;
  for (int i = 0; i < CALLS; i++) {
    ck_assert_int_eq(rig_wait(&s[i], 5000), 0);
    ok += s[i].count.last.outcome == LARDER_OK;
    unknown += s[i].count.last.outcome == LARDER_UNKNOWN;
    larder_outcome o = s[i].count.last.outcome;
    ck_assert_msg(o == LARDER_OK || o == LARDER_UNKNOWN || o == LARDER_NOT_SENT, "%d", (int)o);
  }
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 3000, "GET n");
  ck_outcome(r, LARDER_OK);
  int n = atoi(r.text);
  ck_assert_int_ge(n, ok);
  ck_assert_int_le(n, ok + unknown);
  end();
  free(s);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("server");
  TCase *t = tcase_create("server");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, commands_reach_the_server, 0, 2);
  tcase_add_test(t, typed_calls);
  tcase_add_test(t, batches_and_transactions);
  tcase_add_test(t, watched_keys_guard_a_transaction);
  tcase_add_test(t, holds_share_the_pool);
  tcase_add_test(t, a_killed_server_and_its_return);
  tcase_add_test(t, a_zombie_write_is_fenced);
  tcase_add_test(t, a_paused_server_is_silent_then_heard);
  tcase_add_test(t, passwords);
  tcase_add_test(t, a_full_server_is_not_an_authority);
  tcase_add_test(t, an_evicting_server_is_noticed);
  tcase_add_loop_test(t, eight_threads, 1, 4);
  tcase_add_loop_test(t, eight_threads_under_disturbance, 0, 2);
  tcase_add_test(t, ten_thousand_submitted_calls);
  tcase_add_test(t, submitted_calls_over_a_restart);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
