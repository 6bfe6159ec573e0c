/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/ear.h"
#include "remote/instance.h"
#include "remote/listen.h"
#include "remote/rig.h"
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/server.h"
#include "util/memory.h"

/* The connection that listens, on real servers that are killed, stopped and started again. */

static struct server *server;
static struct resp_client *side;
static struct lrd_hub *hub;
static struct rig rig;
static struct ear ear;

/* Waits until a server under load has done something. */
enum { SOON = 10000 };

static void open_rig(const char *user, const char *password)
{
  struct lrd_config config;
  rig_config(&config, server_port(server), server_socket(server));
  config.connections = 1;
  config.user = (char *)user;
  config.password = (char *)password;
  hub = lrd_hub_new(&lrd_memory_system);
  rig_open_hub(&rig, &config, hub);
  ear_open(&ear, hub);
}

static void begin(const char *config)
{
  struct server_options options = {.config = config};
  server = server_start(&options);
  side = server_connect(server, 2);
  open_rig(NULL, NULL);
}

static void close_rig(void)
{
  rig_close(&rig);
  ear_close(&ear);
  lrd_hub_close(hub, 0);
}

static void end(void)
{
  close_rig();
  resp_close(side);
  server_stop(server);
}

/* A command on the side: an integer, or its text. */
static long long tell(const char *words)
{
  char copy[512], *next;
  const char *argv[16];
  int argc = 0;
  snprintf(copy, sizeof copy, "%s", words);
  for (char *w = strtok_r(copy, " ", &next); w && argc < 16; w = strtok_r(NULL, " ", &next))
    argv[argc++] = w;
  struct resp *r = resp_call(side, argc, argv, NULL);
  ck_assert_msg(r && r->type != RESP_ERROR, "%s: %s", words, r ? r->str : resp_fault(side));
  long long n = r->type == RESP_INTEGER ? r->integer : (long long)r->len;
  resp_free(r);
  return n;
}

static void ck_next(const char *line)
{
  const char *heard = ear_next(&ear, SOON);
  ck_assert_msg(heard && strncmp(heard, line, strlen(line)) == 0, "heard %s, not %s",
                heard ? heard : "nothing", line);
}

#define ck_wait(words, count) \
  ck_assert_msg(ear_wait(&ear, words, count, SOON) == 0, "%s: %zu", words, ear_count(&ear, words))

static int wait_side(const char *words, long long want)
{
  for (int i = 0; i < SOON / 10; i++) {
    if (tell(words) == want)
      return 0;
    rig_sleep(10);
  }
  return -1;
}

START_TEST(three_kinds_and_a_call_beside)
{
  begin(NULL);
  ear_subscribe(&ear, "channel", "a");
  ck_next("ready channel a");
  ear_subscribe(&ear, "pattern", "a*");
  ck_next("ready pattern a*");
  ear_subscribe(&ear, "shard", "a");
  ck_next("ready shard a");
  ck_assert_int_eq(tell("PUBLISH a one"), 2);
  ck_assert_int_eq(tell("SPUBLISH a two"), 1);
  ck_next("message a one");
  ck_next("pmessage a* a one");
  ck_next("smessage a two");
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 2000, "PUBLISH a three");
  ck_assert_int_eq(r.integer, 2);
  ck_next("message a three");
  ck_next("pmessage a* a three");
  ear_unsubscribe(&ear, "channel", "a");
  ck_assert_int_eq(wait_side("PUBLISH a four", 1), 0);
  ck_wait("pmessage a* a four", 1);
  end();
}
END_TEST

/* A connection only while somebody wants one, and no attempt when nobody does. */
START_TEST(only_while_it_is_wanted)
{
  begin(NULL);
  rig_run_with(&rig, NULL, 0, 2000, "PING");
  ck_assert_uint_eq(rig_status(&rig).connections, 1);
  ear_subscribe(&ear, "channel", "a");
  ck_next("ready channel a");
  ck_assert_uint_eq(rig_status(&rig).connections, 2);
  ear_unsubscribe(&ear, "channel", "a");
  for (int i = 0; i < SOON && rig_status(&rig).connections > 1; i++)
    rig_sleep(1);
  ck_assert_uint_eq(rig_status(&rig).connections, 1);
  ck_assert_int_eq(tell("PUBSUB NUMPAT"), 0);
  ear_subscribe(&ear, "channel", "b");
  ck_next("ready channel b");
  server_kill(server);
  ck_next("gap");
  ear_unsubscribe(&ear, "channel", "b");
  rig_sleep(2500); /* longer than any backoff */
  uint64_t faults = rig_status(&rig).connect_faults;
  rig_sleep(2500);
  ck_assert_uint_eq(rig_status(&rig).connect_faults, faults);
  ck_assert(ear_next(&ear, 0) == NULL);
  end();
}
END_TEST

START_TEST(subscribed_while_the_server_is_away)
{
  begin(NULL);
  server_kill(server);
  ear_subscribe(&ear, "channel", "a");
  rig_sleep(300);
  ck_assert_uint_eq(ear_count(&ear, "ready"), 0);
  server_restart(server);
  resp_close(side);
  side = server_connect(server, 2);
  ck_wait("ready channel a", 1);
  tell("PUBLISH a one");
  ck_wait("message a one", 1);
  end();
}
END_TEST

/* A thousand names are back after a restart, each of them. */
START_TEST(a_thousand_names_over_a_restart)
{
  enum { NAMES = 1000 };
  char words[64];
  begin(NULL);
  for (int i = 0; i < NAMES; i++) {
    snprintf(words, sizeof words, "c%d", i);
    ear_subscribe(&ear, i % 10 == 9 ? "pattern" : i % 10 == 8 ? "shard" : "channel", words);
  }
  ck_wait("ready", NAMES);
  server_kill(server);
  ck_wait("gap", 1);
  struct rig_reply r = rig_run_with(&rig, NULL, LARDER_CALL_NOWAIT, 500, "PUBLISH c1 lost");
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  server_restart(server);
  resp_close(side);
  side = server_connect(server, 2);
  ck_wait("ready", 2 * NAMES);
  ck_assert_uint_eq(ear_count(&ear, "gap"), 1);
  for (int i = 0; i < NAMES; i++) {
    snprintf(words, sizeof words, "%s c%d %d", i % 10 == 8 ? "SPUBLISH" : "PUBLISH", i, i);
    ck_assert_int_eq(tell(words), 1);
  }
  ck_wait("message", 800);
  ck_wait("pmessage", 100);
  ck_wait("smessage", 100);
  ck_assert_int_eq(tell("PUBSUB CHANNELS"), 800);
  end();
}
END_TEST

START_TEST(killed_by_the_server)
{
  begin(NULL);
  ear_subscribe(&ear, "channel", "a");
  ear_subscribe(&ear, "pattern", "b*");
  ck_wait("ready", 2);
  for (long i = 1; i <= 3; i++) {
    ck_assert_int_eq(tell("CLIENT KILL TYPE pubsub"), 1);
    ck_wait("gap", (size_t)i);
    ck_wait("ready", 2 * (size_t)i + 2);
    char words[64];
    snprintf(words, sizeof words, "PUBLISH a %ld", i);
    ck_assert_int_eq(tell(words), 1);
  }
  ck_wait("message a 3", 1);
  ck_assert_msg(!ear_fault(&ear, "message a ", 3), "%s", ear_fault(&ear, "message a ", 3));
  end();
}
END_TEST

/* A connection that ends again and again is made ever less often. */
START_TEST(ending_young)
{
  begin(NULL);
  ear_subscribe(&ear, "channel", "a");
  ck_wait("ready", 1);
  uint64_t before = rig_status(&rig).connects;
  for (int64_t until = rig_now_ms() + 3000; rig_now_ms() < until; rig_sleep(1))
    tell("CLIENT KILL TYPE pubsub");
  uint64_t made = rig_status(&rig).connects - before;
  ck_assert_msg(made >= 3 && made <= 15, "%llu", (unsigned long long)made);
  size_t gaps = ear_count(&ear, "gap");
  ck_wait("ready", gaps + 1);
  tell("PUBLISH a x");
  ck_wait("message a x", 1);
  end();
}
END_TEST

/* Nobody publishes, nothing is read: the PING finds it. */
START_TEST(a_stopped_server_is_noticed)
{
  begin(NULL);
  struct lrd_listen *listen = lrd_remote_of(rig.backend)->listen;
  listen->feed.interval = 200 * LRD_NS_PER_MS; /* the loop looks at it later than at the hub */
  ear_subscribe(&ear, "channel", "a");
  ck_next("ready channel a");
  tell("PUBLISH a 1");
  ck_next("message a 1");
  rig_sleep(1000); /* several PONGs */
  ck_assert(ear_next(&ear, 0) == NULL);
  server_pause(server);
  int64_t begun = rig_now_ms();
  ck_next("gap");
  int64_t took = rig_now_ms() - begun;
  ck_assert_msg(took >= 1000 && took < 5000, "%lld", (long long)took); /* 200 + 250 + 1000 */
  server_resume(server);
  ck_next("ready channel a");
  tell("PUBLISH a 2");
  ck_next("message a 2");
  end();
}
END_TEST

/* Without a PING of its own: another connection that can't be made is the sign. */
START_TEST(another_connection_s_fault_is_a_doubt)
{
  begin(NULL);
  ear_subscribe(&ear, "channel", "a");
  ck_next("ready channel a");
  rig_run_with(&rig, NULL, 0, 2000, "PING");
  server_pause(server);
  int64_t begun = rig_now_ms();
  while (!ear_count(&ear, "gap") && rig_now_ms() - begun < 20000)
    rig_run_with(&rig, NULL, 0, 100, "INCR n");
  ck_next("gap");
  server_resume(server);
  ck_next("ready channel a");
  end();
}
END_TEST

START_TEST(a_refused_name_is_told_once)
{
  begin(NULL);
  close_rig();
  tell("ACL SETUSER lim on >x +@all ~* resetchannels &ok*");
  open_rig("lim", "x");
  ear_subscribe(&ear, "channel", "ok1");
  ear_subscribe(&ear, "channel", "bad");
  ear_subscribe(&ear, "pattern", "b*");
  ear_subscribe(&ear, "channel", "ok2");
  ck_wait("ready channel ok", 2);
  ck_wait("refused channel bad NOPERM", 1);
  ck_wait("refused pattern b* NOPERM", 1);
  rig_sleep(500);
  ck_assert_int_lt((int)tell("ACL LOG"), 10); /* not asked again and again */
  tell("PUBLISH ok1 x");
  ck_wait("message ok1 x", 1);
  tell("ACL SETUSER lim resetchannels &ok1"); /* ends the connection: it had ok2 */
  ck_wait("gap", 1);
  ck_wait("ready channel ok1", 2);
  ck_wait("refused channel ok2 NOPERM", 1);
  tell("ACL SETUSER lim allchannels");
  ear_subscribe(&ear, "channel", "bad");
  ck_wait("ready channel bad", 1);
  end();
}
END_TEST

/* --- an ear that holds up the loop ------------------------------------------------------- */

static atomic_int blocked;
static void (*real_hear)(struct lrd_ear *, enum lrd_hub_kind, struct lrd_name *,
                         struct lrd_message *);

static void hear_late(struct lrd_ear *e, enum lrd_hub_kind kind, struct lrd_name *name,
                      struct lrd_message *m)
{
  while (atomic_load(&blocked))
    rig_sleep(1);
  real_hear(e, kind, name, m);
}

/* client-output-buffer-limit: the server cuts off who does not read. */
START_TEST(cut_off_as_too_slow)
{
  static char payload[100000];
  memset(payload, 'x', sizeof payload - 1);
  begin("client-output-buffer-limit pubsub 1mb 0 0\n");
  real_hear = ear.base.hear;
  ear.base.hear = hear_late;
  ear_subscribe(&ear, "channel", "a");
  ck_wait("ready", 1);
  atomic_store(&blocked, 1);
  const char *argv[3] = {"PUBLISH", "a", payload};
  long long receivers = 1;
  for (int i = 0; i < 500 && receivers; i++) {
    struct resp *r = resp_call(side, 3, argv, NULL);
    ck_assert(r && r->type == RESP_INTEGER);
    receivers = r->integer;
    resp_free(r);
  }
  ck_assert_int_eq(receivers, 0);
  atomic_store(&blocked, 0);
  ck_wait("gap", 1);
  ck_wait("ready", 2);
  tell("PUBLISH a last");
  ck_wait("message a last", 1);
  end();
}
END_TEST

START_TEST(a_large_message)
{
  enum { LARGE = TEST_TIMES(64 << 20, 8 << 20) };
  char *payload = calloc(1, LARGE);
  begin("client-output-buffer-limit pubsub 0 0 0\n");
  ck_assert(payload != NULL);
  memset(payload, 'y', LARGE);
  ear_subscribe(&ear, "channel", "a");
  ck_wait("ready", 1);
  const char *argv[3] = {"PUBLISH", "a", payload};
  const size_t len[3] = {7, 1, LARGE};
  resp_set_timeout(side, 20000);
  struct resp *r = resp_call(side, 3, argv, len);
  ck_assert(r && r->integer == 1);
  resp_free(r);
  ck_wait("message a yyyy", 1);
  ck_assert_uint_eq(ear_count(&ear, "gap"), 0);
  free(payload);
  end();
}
END_TEST

/* --- many at once ------------------------------------------------------------------------ */

enum { CHANGING = 20 };

struct changer {
  struct ear ear;
  int number, wanted[CHANGING];
};

/* Names that all change their mind about; at the end some are wanted. */
static void *change_mind(void *context)
{
  struct changer *c = context;
  unsigned seed = (unsigned)c->number;
  char name[16];
  for (int i = 0; i < TEST_TIMES(2000, 400); i++) {
    int n = rand_r(&seed) % CHANGING;
    snprintf(name, sizeof name, "n%d", n);
    if (c->wanted[n])
      ear_unsubscribe(&c->ear, n & 1 ? "channel" : "pattern", name);
    else
      ear_subscribe(&c->ear, n & 1 ? "channel" : "pattern", name);
    c->wanted[n] = !c->wanted[n];
    if (i % 50 == 0)
      rig_sleep(1);
  }
  return NULL;
}

START_TEST(changes_of_mind_under_way)
{
  struct changer changer[3];
  pthread_t thread[3];
  int wanted[CHANGING] = {0};
  begin(NULL);
  for (int i = 0; i < 3; i++) {
    memset(&changer[i], 0, sizeof changer[i]);
    changer[i].number = i + 1;
    ear_open(&changer[i].ear, hub);
    ck_assert_int_eq(pthread_create(&thread[i], NULL, change_mind, &changer[i]), 0);
  }
  for (int i = 0; i < 5; i++) {
    rig_sleep(TEST_TIMES(20, 100));
    tell("CLIENT KILL TYPE pubsub");
  }
  for (int i = 0; i < 3; i++)
    pthread_join(thread[i], NULL);
  int channels = 0;
  for (int n = 0; n < CHANGING; n++) {
    for (int i = 0; i < 3; i++)
      wanted[n] += changer[i].wanted[n];
    channels += (n & 1) && wanted[n];
  }
  ck_assert_int_eq(wait_side("PUBSUB CHANNELS", channels), 0);
  for (int n = 0; n < CHANGING; n++) {
    char words[64];
    snprintf(words, sizeof words, "PUBLISH n%d done", n);
    ck_assert_msg(wait_side(words, wanted[n] != 0) == 0, "%s", words);
    snprintf(words, sizeof words, n & 1 ? "message n%d done" : "pmessage n%d n%d done", n, n);
    for (int i = 0; i < 3; i++)
      if (changer[i].wanted[n])
        ck_assert_msg(ear_wait(&changer[i].ear, words, 1, SOON) == 0, "%s", words);
  }
  rig_close(&rig);
  for (int i = 0; i < 3; i++)
    ear_close(&changer[i].ear);
  ear_close(&ear);
  lrd_hub_close(hub, 0);
  resp_close(side);
  server_stop(server);
}
END_TEST

START_TEST(cancel_and_close_with_names_under_way)
{
  begin(NULL);
  char name[16];
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 200; i++) {
      snprintf(name, sizeof name, "r%d.%d", round, i);
      ear_subscribe(&ear, "channel", name);
    }
    rig_sleep(round % 5);
    rig.backend->table->cancel(rig.backend, NULL);
    if (round % 3 == 0) {
      close_rig();
      open_rig(NULL, NULL);
    }
  }
  ear_subscribe(&ear, "channel", "last");
  ck_wait("ready channel last", 1);
  end();
}
END_TEST

/* The child's copy is closed without a word; the parent goes on listening. */
START_TEST(forked)
{
  begin(NULL);
  ear_subscribe(&ear, "channel", "a");
  ck_next("ready channel a");
  pid_t child = fork();
  if (child == 0) {
    rig.backend->table->close(rig.backend, 0, 1);
    lrd_hub_close(hub, 1);
    _exit(0);
  }
  int status = 0;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  tell("PUBLISH a one");
  ck_next("message a one");
  ear_subscribe(&ear, "channel", "b");
  ck_next("ready channel b");
  end();
}
END_TEST

/* Each allocation fails once, from the first wish on: at worst a GAP, and it goes on. */
START_TEST(no_memory_once)
{
  begin(NULL);
  for (long n = 1; n <= 60; n++) {
    char name[16], words[64];
    snprintf(name, sizeof name, "n%ld", n);
    rig_fail_allocation(n);
    ear_subscribe(&ear, "channel", name);
    rig_sleep(2);
    tell("CLIENT KILL TYPE pubsub");
    snprintf(words, sizeof words, "PUBLISH %s x", name);
    rig_sleep(20);
    rig_fail_allocation(0);
    ck_assert_int_eq(wait_side(words, 1), 0);
    snprintf(words, sizeof words, "message %s x", name);
    ck_wait(words, 1);
    ear_unsubscribe(&ear, "channel", name);
    if (n % 3 == 0) { /* a fresh one does not wait long after a loss */
      close_rig();
      open_rig(NULL, NULL);
    }
  }
  end();
}
END_TEST

int main(void)
{
  server_require();
  Suite *s = suite_create("listen");
  TCase *c = tcase_create("listen");
  tcase_set_timeout(c, TEST_TIMES(60, 240));
  tcase_add_test(c, three_kinds_and_a_call_beside);
  tcase_add_test(c, only_while_it_is_wanted);
  tcase_add_test(c, subscribed_while_the_server_is_away);
  tcase_add_test(c, a_thousand_names_over_a_restart);
  tcase_add_test(c, killed_by_the_server);
  tcase_add_test(c, ending_young);
  tcase_add_test(c, a_stopped_server_is_noticed);
  tcase_add_test(c, another_connection_s_fault_is_a_doubt);
  tcase_add_test(c, a_refused_name_is_told_once);
  tcase_add_test(c, cut_off_as_too_slow);
  tcase_add_test(c, a_large_message);
  tcase_add_test(c, changes_of_mind_under_way);
  tcase_add_test(c, cancel_and_close_with_names_under_way);
  tcase_add_test(c, forked);
  tcase_add_test(c, no_memory_once);
  suite_add_tcase(s, c);
  return run_suite(s);
}
