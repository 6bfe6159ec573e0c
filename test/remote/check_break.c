/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "command/command.h"
#include "remote/remote.h"
#include "remote/rig.h"
#include "remote/wire.h"
#include "support/check.h"
#include "support/server.h"
#include "util/clock.h"

/* What broke the remote backend once, or was meant to. */

static struct server *server;
static struct rig rig;

static void begin(unsigned connections)
{
  struct lrd_config config;
  server = server_start(NULL);
  rig_config(&config, server_port(server), NULL);
  config.connections = connections;
  rig_open(&rig, &config);
}

static void end(void)
{
  rig_close(&rig);
  server_stop(server);
}

static struct rig_reply run_in(int database, larder_hold *hold, unsigned flags, const char *words)
{
  rig.database = database;
  return rig_run_with(&rig, hold, flags, 2000, words);
}

/* --- transactions ---------------------------------------------------------------------- */

START_TEST(keys_watched_in_two_databases)
{
  begin(2);
  larder_hold *hold = lrd_remote_table.hold_open(rig.backend);
  run_in(0, NULL, 0, "SET where zero");
  run_in(1, NULL, 0, "SET where one");
  ck_assert_int_eq(run_in(0, hold, 0, "WATCH a").verdict.outcome, LARDER_OK);
  ck_assert_int_eq(run_in(1, hold, 0, "WATCH b").verdict.outcome, LARDER_OK);
  ck_assert_str_eq(run_in(0, hold, 0, "GET where").text, "zero");
  ck_assert_str_eq(run_in(1, hold, 0, "GET where").text, "one");
  ck_assert_int_eq(run_in(0, hold, 0, "WATCH c").verdict.outcome, LARDER_OK);
  ck_assert_int_eq(run_in(1, hold, 0, "WATCH d").verdict.outcome, LARDER_OK);
  ck_assert_str_eq(run_in(0, hold, LARDER_CALL_ATOMIC, "GET where").text, "zero");
  /* The connection goes to the next one who watches: it must know where it stands. */
  ck_assert_int_eq(run_in(0, hold, 0, "WATCH a").verdict.outcome, LARDER_OK);
  ck_assert_int_eq(run_in(1, hold, 0, "WATCH b").verdict.outcome, LARDER_OK);
  ck_assert_int_eq(run_in(1, hold, 0, "UNWATCH").verdict.outcome, LARDER_OK);
  ck_assert_int_eq(run_in(0, hold, 0, "WATCH a").verdict.outcome, LARDER_OK);
  ck_assert_str_eq(run_in(0, hold, LARDER_CALL_ATOMIC, "GET where").text, "zero");
  lrd_remote_table.hold_close(rig.backend, hold);
  end();
}
END_TEST

/* Behind EXEC goes a SELECT that leads back.  Once EXEC has left us the server obeys it, though
 * the connection ends before the SELECT has. */
START_TEST(an_exec_without_its_select)
{
  static const char back[] = "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n";
  larder_bytes select_argv[] = {{"SELECT", 6}, {"1", 1}}, incr_argv[] = {{"INCR", 4}, {"n", 1}};
  larder_vector vector[] = {{.command = LRD_SELECT, .argc = 2, .argv = select_argv},
                            {.command = LRD_INCR, .argc = 2, .argv = incr_argv}};
  size_t len;
  for (size_t missing = 1; missing <= sizeof back; missing++) {
    struct lrd_wire w;
    struct lrd_ticket t;
    ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
    lrd_ticket_init(&t, &rig_memory, vector, 2, 1);
    t.home = 12;
    ck_assert_int_eq(lrd_wire_call(&w, &t), 0);
    lrd_wire_out(&w, &len);
    lrd_wire_handed(&w, len - missing);
    lrd_wire_fail(&w, LARDER_CAUSE_CUT, "cut");
    ck_assert_msg(t.committed == (missing < sizeof back ? 2 : 0), "%zu bytes missing", missing);
    lrd_ticket_release(&t);
    lrd_wire_free(&w);
  }
}
END_TEST

/* --- asynchronous calls ---------------------------------------------------------------- */

struct again {
  struct rig_submission base; /* first */
  atomic_int rounds, succeeded, give_up;
};

static struct again again;


static void try_again(larder_submission *s);

static void resubmit(void)
{
  static larder_bytes argv[] = {{"SET", 3}, {"a", 1}, {"1", 1}};
  static larder_vector vector = {.command = LRD_SET, .argc = 3, .argv = argv};
  larder_call call = {.vector = &vector, .count = 1, .flags = LARDER_CALL_NOWAIT,
                      .deadline = lrd_monotonic(&lrd_clock_system) + 250 * LRD_NS_PER_MS};
  lrd_count_init(&again.base.count);
  again.base.base.sink = &again.base.count.sink;
  again.base.base.done = try_again;
  lrd_remote_table.submit(rig.backend, &call, &again.base.base);
}

static void try_again(larder_submission *s)
{
  (void)s;
  atomic_fetch_add(&again.rounds, 1);
  if (again.base.count.last.outcome == LARDER_OK)
    atomic_store(&again.succeeded, 1);
  else if (again.base.count.last.outcome != LARDER_CLOSED && !atomic_load(&again.give_up))
    resubmit();
  else
    atomic_store(&again.give_up, 2);
}

static int wait_for(atomic_int *flag, int value, int timeout_ms)
{
  for (int64_t until = rig_now_ms() + timeout_ms; atomic_load(flag) != value; rig_sleep(1))
    if (rig_now_ms() > until)
      return -1;
  return 0;
}

/* done() submits once more, at once: the loop must still get to connecting, ... */
START_TEST(tried_again_at_once)
{
  begin(1);
  rig_run_with(&rig, NULL, 0, 1000, "PING");
  server_kill(server);
  resubmit();
  rig_sleep(300);
  ck_assert_int_gt(atomic_load(&again.rounds), 1);
  server_restart(server);
  ck_assert_int_eq(wait_for(&again.succeeded, 1, 5000), 0);
  end();
}
END_TEST

/* ... and cancelling everything must end. */
START_TEST(cancelled_and_tried_again_at_once)
{
  begin(1);
  rig_run_with(&rig, NULL, 0, 1000, "PING");
  server_pause(server);
  for (int i = 0; i < 20; i++) {
    atomic_store(&again.give_up, 0);
    resubmit();
    rig_sleep(1);
    lrd_remote_table.cancel(rig.backend, NULL);
    rig_sleep(2);
    atomic_store(&again.give_up, 1);
    ck_assert_int_eq(wait_for(&again.give_up, 2, 2000), 0);
  }
  server_resume(server);
  end();
}
END_TEST

/* A submission is cancelled whenever it may be: none is forgotten. */
START_TEST(cancelled_at_any_moment)
{
  enum { CALLS = 2000 };
  struct rig_submission s;
  begin(1);
  rig_run_with(&rig, NULL, 0, 1000, "PING");
  server_pause(server);
  for (int i = 0; i < CALLS; i++) {
    rig_submit(&rig, &s, 0, 20000, "SET a 1");
    for (volatile int spin = 0; spin < i % 300; spin++)
      ;
    lrd_remote_table.cancel(rig.backend, &s.base);
    ck_assert_msg(rig_wait(&s, 5000) == 0, "call %d", i);
  }
  server_resume(server);
  end();
}
END_TEST

/* --- storms ---------------------------------------------------------------------------- */

enum { STORM_THREADS = 64, TIMEOUT_MS = 250 };

struct caller {
  pthread_t thread;
  int number;
  int64_t slowest_ms;
  int foreign, calls, ok;
  size_t value_len;
};

static atomic_int storm_over;

static void check_reply(struct caller *c, const struct rig_reply *r, const char *tag)
{
  c->calls++;
  c->ok += r->verdict.outcome == LARDER_OK;
  c->foreign += r->verdict.outcome == LARDER_OK && strcmp(r->text, tag) != 0;
  if (r->took_ms > c->slowest_ms)
    c->slowest_ms = r->took_ms;
}

static void *call_on(void *argument)
{
  struct caller *c = argument;
  for (int i = 0; !atomic_load(&storm_over); i++) {
    char tag[64], words[128];
    snprintf(tag, sizeof tag, "%d-%d", c->number, i);
    snprintf(words, sizeof words, "ECHO %s", tag);
    struct rig_reply r = rig_run_with(&rig, NULL, 0, TIMEOUT_MS, words);
    check_reply(c, &r, tag);
  }
  return NULL;
}

static void start_callers(struct caller *c, int count)
{
  atomic_store(&storm_over, 0);
  for (int i = 0; i < count; i++) {
    c[i] = (struct caller){.number = i};
    ck_assert_int_eq(pthread_create(&c[i].thread, NULL, call_on, &c[i]), 0);
  }
}

static void end_callers(struct caller *c, int count)
{
  int64_t slowest = 0;
  int foreign = 0, calls = 0, ok = 0;
  atomic_store(&storm_over, 1);
  for (int i = 0; i < count; i++) {
    pthread_join(c[i].thread, NULL);
    foreign += c[i].foreign;
    calls += c[i].calls;
    ok += c[i].ok;
    slowest = c[i].slowest_ms > slowest ? c[i].slowest_ms : slowest;
  }
  if (getenv("LARDER_VERBOSE"))
    fprintf(stderr, "%d calls, %d ok, slowest %lld ms\n", calls, ok, (long long)slowest);
  ck_assert_int_eq(foreign, 0);
  ck_assert_int_gt(ok, 0);
  ck_assert_int_le(slowest, TIMEOUT_MS + 250); /* 64 threads, perhaps under a sanitizer */
}

/* A server that stands still for a while, and comes back. */
START_TEST(sixty_four_threads_at_a_stopped_server)
{
  static struct caller caller[STORM_THREADS];
  begin((unsigned)_i);
  start_callers(caller, STORM_THREADS);
  for (int round = 0; round < 2; round++) {
    rig_sleep(200);
    server_pause(server);
    rig_sleep(300 + 1500 * round);
    server_resume(server);
    rig_sleep(300);
  }
  end_callers(caller, STORM_THREADS);
  end();
}
END_TEST

/* Connections that are killed by others, and a server that pauses its clients. */
START_TEST(killed_and_paused_clients)
{
  static struct caller caller[16];
  struct rig_reply r;
  begin(4);
  start_callers(caller, 16);
  struct resp_client *c = server_connect(server, 2);
  for (int i = 0; i < 60; i++) {
    if (i % 20 == 19)
      resp_free(resp_words(c, "CLIENT", "PAUSE", "300", "ALL", NULL));
    else
      resp_free(resp_words(c, "CLIENT", "KILL", "TYPE", "normal", NULL));
    rig_sleep(i % 20 == 19 ? 400 : 5);
  }
  resp_close(c);
  r = rig_run_with(&rig, NULL, LARDER_CALL_PROBE, 3000, "ECHO x");
  ck_assert_int_eq(r.verdict.outcome, LARDER_OK);
  end_callers(caller, 16);
  end();
}
END_TEST

static void on_signal(int number)
{
  (void)number;
}

/* Signals a thousand times a second, system calls not restarted. */
START_TEST(a_storm_of_signals)
{
  static struct caller caller[8];
  struct sigaction action = {.sa_handler = on_signal};
  struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  begin(2);
  sigaction(SIGALRM, &action, NULL);
  start_callers(caller, 8);
  setitimer(ITIMER_REAL, &every, NULL);
  int64_t until = rig_now_ms() + 500;
  int calls = 0;
  while (rig_now_ms() < until) {
    ck_assert_int_eq(rig_run_with(&rig, NULL, 0, 1000, "PING").verdict.outcome, LARDER_OK);
    calls++;
  }
  server_pause(server);
  struct rig_reply r = rig_run_with(&rig, NULL, 0, TIMEOUT_MS, "SET a 1");
  server_resume(server);
  rig_sleep(100);
  setitimer(ITIMER_REAL, &never, NULL);
  ck_assert_int_eq(r.verdict.outcome, LARDER_UNKNOWN);
  ck_assert_int_ge(r.took_ms, TIMEOUT_MS - 1);
  ck_assert_int_le(r.took_ms, TIMEOUT_MS + 150);
  ck_assert_int_gt(calls, 10);
  end_callers(caller, 8);
  end();
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("break");
  TCase *t = tcase_create("break");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, keys_watched_in_two_databases);
  tcase_add_test(t, an_exec_without_its_select);
  tcase_add_test(t, tried_again_at_once);
  tcase_add_test(t, cancelled_and_tried_again_at_once);
  tcase_add_test(t, cancelled_at_any_moment);
  tcase_add_loop_test(t, sixty_four_threads_at_a_stopped_server, 1, 4);
  tcase_add_test(t, killed_and_paused_clients);
  tcase_add_test(t, a_storm_of_signals);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
