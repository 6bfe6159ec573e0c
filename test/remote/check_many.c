/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/rig.h"
#include "support/check.h"
#include "support/proxy.h"
#include "support/server.h"

/*
 * Many callers while the server stands still, and after: LARDER_STOP_MS says how long (1500 ms if
 * it is not set).  Every thread writes its own key and reads it; a value carries its owner
 * and the number of the write.
 */

enum { CALLERS = 64, TIMEOUT_MS = 250, LATE_MS = 50, WRITES = 100000 };

enum fate { UNTRIED, DONE, NEVER, PERHAPS }; /* of a write */

struct caller {
  pthread_t thread;
  int number;
  int written, acknowledged;  /* numbers of writes, from 1 */
  unsigned char fate[WRITES];
  long calls, good_at_end;
  int64_t latest_ms;          /* behind the deadline */
  char odd[256];              /* the first thing that should not have been */
};

static struct rig rig;
static struct server *server;
static struct proxy *proxy;
static struct caller caller[CALLERS];
static atomic_int stopping, resumed;
static atomic_llong machine_late_ms; /* how much later than it asked a sleeper was woken */

static void note(struct caller *c, const char *what, const char *detail)
{
  if (!c->odd[0])
    snprintf(c->odd, sizeof c->odd, "caller %d, write %d (acknowledged %d): %s: %.120s", c->number,
             c->written, c->acknowledged, what, detail);
}

static int run(struct caller *c, const char *words, struct rig_reply *r)
{
  *r = rig_run_with(&rig, NULL, 0, TIMEOUT_MS, words);
  c->calls++;
  if (r->took_ms - TIMEOUT_MS > c->latest_ms)
    c->latest_ms = r->took_ms - TIMEOUT_MS;
  if (r->verdict.outcome == LARDER_OK)
    return 1;
  rig_sleep(1);
  return 0;
}

static void write_one(struct caller *c)
{
  char words[100];
  struct rig_reply r;
  int number = ++c->written;
  snprintf(words, sizeof words, "SET many:%d %d-%d", c->number, c->number, number);
  if (run(c, words, &r)) {
    c->fate[number] = DONE;
    c->acknowledged = number;
    if (strcmp(r.text, "OK") != 0)
      note(c, "another's reply to SET", r.text);
  } else {
    c->fate[number] = r.verdict.outcome == LARDER_NOT_SENT ? NEVER : PERHAPS;
    if (r.verdict.outcome != LARDER_NOT_SENT && r.verdict.outcome != LARDER_UNKNOWN)
      note(c, "SET", r.text);
  }
}

/* What is read is the last write that was acknowledged, or a later one that may have happened. */
static void read_one(struct caller *c)
{
  char words[100], *end;
  struct rig_reply r;
  snprintf(words, sizeof words, "GET many:%d", c->number);
  if (!run(c, words, &r)) {
    if (r.verdict.outcome != LARDER_NOT_SENT && r.verdict.outcome != LARDER_NO_ANSWER)
      note(c, "GET", r.text);
    return;
  }
  if (atomic_load(&resumed))
    c->good_at_end++;
  if (r.type == LARDER_NIL && !c->acknowledged)
    return;
  long owner = strtol(r.text, &end, 10);
  long number = *end == '-' ? strtol(end + 1, &end, 10) : 0;
  if (owner != c->number)
    note(c, "another's value", r.text);
  else if (number < c->acknowledged || number > c->written)
    note(c, "a value from another time", r.text);
  else if (c->fate[number] != DONE && c->fate[number] != PERHAPS)
    note(c, "a write that was not sent", r.text);
}

static void *work(void *argument)
{
  struct caller *c = argument;
  while (!atomic_load(&stopping) && c->written < WRITES - 1) {
    write_one(c);
    read_one(c);
  }
  return NULL;
}

static void *watch_machine(void *argument)
{
  (void)argument;
  while (!atomic_load(&stopping)) {
    int64_t begun = rig_now_ms();
    rig_sleep(10);
    int64_t late = rig_now_ms() - begun - 10;
    if (late > atomic_load(&machine_late_ms))
      atomic_store(&machine_late_ms, late);
  }
  return NULL;
}

/* Waits, and gives the most connections that were open for 100 ms: the proxy sees an end a little
 * late, and a second dial would hang for as long as the server stands still. */
static int most_connections(int64_t ms)
{
  int most = 0;
  for (int64_t end = rig_now_ms() + ms; rig_now_ms() < end;) {
    int least = proxy_connected(proxy);
    for (int i = 0; i < 10; i++) {
      rig_sleep(10);
      int now = proxy_connected(proxy);
      least = now < least ? now : least;
    }
    most = least > most ? least : most;
  }
  return most;
}

static int stop_ms(void)
{
  const char *text = getenv("LARDER_STOP_MS");
  return text ? atoi(text) : 1500;
}

static void start(unsigned connections)
{
  struct lrd_config config;
  server = server_start(NULL);
  proxy = proxy_start(server, 1);
  rig_config(&config, 0, proxy_path(proxy));
  config.connections = connections;
  rig_open(&rig, &config);
}

static void finish(void)
{
  rig_close(&rig);
  proxy_stop(proxy);
  server_stop(server);
}

static void judge(unsigned connections, int most)
{
  long calls = 0;
  int64_t allowed = LATE_MS + atomic_load(&machine_late_ms);
  for (int i = 0; i < CALLERS; i++) {
    struct caller *c = &caller[i];
    calls += c->calls;
    ck_assert_msg(!c->odd[0], "%s", c->odd);
    ck_assert_msg(c->latest_ms <= allowed, "caller %d: %lld ms behind its deadline, allowed %lld",
                  i, (long long)c->latest_ms, (long long)allowed);
    ck_assert_msg(c->good_at_end > 0, "caller %d: no answer since the server is back", i);
  }
  ck_assert_int_gt(calls, CALLERS * 4);
  ck_assert_msg(most <= (int)connections, "%d connections at a time, %u allowed", most,
                connections);
}

static void stop_and_go_on(unsigned connections)
{
  pthread_t watch;
  start(connections);
  ck_assert_int_eq(pthread_create(&watch, NULL, watch_machine, NULL), 0);
  for (int i = 0; i < CALLERS; i++) {
    caller[i].number = i;
    ck_assert_int_eq(pthread_create(&caller[i].thread, NULL, work, &caller[i]), 0);
  }
  int most = most_connections(300);
  server_pause(server);
  int later = most_connections(stop_ms());
  server_resume(server);
  most = later > most ? later : most;
  rig_sleep(2500); /* a backoff may be under way */
  atomic_store(&resumed, 1);
  later = most_connections(500);
  most = later > most ? later : most;
  atomic_store(&stopping, 1);
  for (int i = 0; i < CALLERS; i++)
    pthread_join(caller[i].thread, NULL);
  pthread_join(watch, NULL);
  judge(connections, most);
  finish();
}

START_TEST(many_callers_while_the_server_stands_still)
{
  stop_and_go_on(8);
}
END_TEST

START_TEST(many_callers_of_one_connection)
{
  stop_and_go_on(1);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("many");
  TCase *t = tcase_create("many");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, many_callers_while_the_server_stands_still);
  tcase_add_test(t, many_callers_of_one_connection);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
