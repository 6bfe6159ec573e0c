/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <larder.h>
#include <larder/batch.h>
#include <larder/status.h>
#include <larder/subscriber.h>

#include "support/ca.h"
#include "support/check.h"
#include "support/server.h"

/* Whole stores over TLS: outage and return, what a bad certificate does, forks. */

static struct ca *ca;
static struct server *server;
static char url[400];
static char events[64 * 1024];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void on_event(void *context, const larder_event *event)
{
  (void)context;
  pthread_mutex_lock(&mutex);
  size_t used = strlen(events);
  snprintf(events + used, sizeof events - used, "%s: %s\n", event->name, event->text);
  pthread_mutex_unlock(&mutex);
}

static void start(const char *certificate)
{
  char lines[1024];
  int port = server_free_port();
  snprintf(lines, sizeof lines,
           "tls-port %d\ntls-cert-file %s.crt\ntls-key-file %s.key\ntls-auth-clients no\n", port,
           ca_path(ca, certificate), ca_path(ca, certificate));
  server = server_start(&(struct server_options){.config = lines, .durable = 1});
  snprintf(url, sizeof url, "rediss://localhost:%d/0?tls_ca=%s&timeout=3s&connect_timeout=3s",
           port, ca_path(ca, "ca.crt"));
}

static larder *open_with(const char *more, char *error, size_t size)
{
  char whole[500];
  larder_options o = LARDER_OPTIONS_INIT;
  o.event = on_event;
  snprintf(whole, sizeof whole, "%s%s", url, more);
  return larder_open(whole, &o, error, size);
}

static larder_reply *set(larder *store, const char *value)
{
  return larder_command(store, "SET key %s", value);
}

static larder_status status_of(larder *store)
{
  larder_status s = {.size = sizeof s};
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  return s;
}

/* Within 15 s. */
static void wait_for(larder *store, larder_state state)
{
  for (int i = 0; i < 1500 && status_of(store).state != state; i++) {
    larder_reply_free(larder_command(store, "GET other"));
    usleep(10000);
  }
  ck_assert_msg(status_of(store).state == state, "state %d, not %d: %s",
                (int)status_of(store).state, (int)state, status_of(store).last_error);
}

static larder_message next(larder_subscriber *s)
{
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(s, 15000, &m), LARDER_OK);
  return m;
}

/* Messages of many records and of a part of one, over a restart. */
START_TEST(subscriptions)
{
  enum { LARGE = 300000 };
  char why[LARDER_ERROR_SIZE] = "", *payload = calloc(1, LARGE + 1);
  ck_assert(payload != NULL);
  memset(payload, 'x', LARGE);
  start("good");
  larder *store = open_with("", why, sizeof why);
  ck_assert_msg(store != NULL, "%s", why);
  larder_subscriber *s = larder_subscriber_open(store, NULL, why, sizeof why);
  ck_assert_msg(s != NULL, "%s", why);
  ck_assert_int_eq(larder_subscribe(s, "a", 1), LARDER_OK);
  ck_assert_int_eq(next(s).heard, LARDER_HEARD_READY);
  for (int round = 0; round < 2; round++) {
    struct resp_client *side = server_connect(server, 2);
    for (int i = 0; i < 5; i++) {
      resp_free(resp_words(side, "PUBLISH", "a", payload, NULL));
      resp_free(resp_words(side, "PUBLISH", "a", "small", NULL));
    }
    resp_close(side);
    for (int i = 0; i < 5; i++) {
      larder_message m = next(s);
      ck_assert(m.payload_len == LARGE && memcmp(m.payload, payload, LARGE) == 0);
      ck_assert_str_eq(next(s).payload, "small");
    }
    if (round == 0) {
      server_restart(server);
      ck_assert_int_eq(next(s).heard, LARDER_HEARD_GAP);
      ck_assert_int_eq(next(s).heard, LARDER_HEARD_READY);
    }
  }
  larder_subscriber_close(s);
  larder_close(store, 0);
  server_stop(server);
  free(payload);
}
END_TEST

START_TEST(outage_and_return)
{
  start("good");
  larder *store = open_with("", NULL, 0);
  larder_reply *r = set(store, "before");
  ck_assert_msg(r->outcome == LARDER_OK && r->origin == LARDER_FROM_REDIS, "%s", r->value.str);
  larder_reply_free(r);
  server_kill(server);
  wait_for(store, LARDER_STATE_DOWN);
  r = set(store, "during");
  ck_assert_int_eq(r->outcome, LARDER_OK);
  ck_assert_int_eq(r->origin, LARDER_FROM_LOCAL);
  larder_reply_free(r);
  server_restart(server);
  wait_for(store, LARDER_STATE_UP);
  r = larder_command(store, "GET key");
  ck_assert_int_eq(r->origin, LARDER_FROM_REDIS);
  ck_assert_str_eq(r->value.str, "during");
  larder_reply_free(r);
  ck_assert_uint_eq(larder_close(store, 1000), 0);
  server_stop(server);
}
END_TEST

START_TEST(a_bad_certificate_is_an_outage_of_its_own)
{
  char error[LARDER_ERROR_SIZE] = "";
  start("expired");
  larder *store = open_with("", NULL, 0);
  larder_reply *r = set(store, "1");
  ck_assert_int_eq(r->outcome, LARDER_OK);
  ck_assert_int_eq(r->origin, LARDER_FROM_LOCAL);
  larder_reply_free(r);
  larder_status s = status_of(store);
  ck_assert_int_eq(s.state, LARDER_STATE_DOWN);
  ck_assert_msg(strstr(s.last_error, "expired on"), "%s", s.last_error);
  pthread_mutex_lock(&mutex);
  ck_assert_msg(strstr(events, "degrade: ") && strstr(events, "no trusted TLS"), "%s", events);
  pthread_mutex_unlock(&mutex);
  larder_close(store, 0);
  ck_assert_ptr_null(open_with("&required=yes", error, sizeof error));
  ck_assert_msg(strstr(error, "expired on"), "%s", error);
  server_stop(server);
}
END_TEST

START_TEST(insecure_is_told)
{
  start("expired");
  larder *store = open_with("&tls_insecure_accept_any_certificate=yes", NULL, 0);
  larder_reply *r = set(store, "1");
  ck_assert_int_eq(r->origin, LARDER_FROM_REDIS);
  larder_reply_free(r);
  pthread_mutex_lock(&mutex);
  ck_assert_msg(strstr(events, "tls-unverified: "), "%s", events);
  pthread_mutex_unlock(&mutex);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

START_TEST(batches)
{
  start("good");
  larder *store = open_with("&fallback=none", NULL, 0);
  larder_batch *b = larder_batch_new(store);
  for (int i = 0; i < 500; i++)
    larder_batch_command(b, "INCR n");
  ck_assert_int_eq(larder_batch_run(b, _i, 5000), LARDER_OK);
  larder_batch_free(b);
  larder_reply *r = larder_command(store, "GET n");
  ck_assert_str_eq(r->value.str, "500");
  larder_reply_free(r);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

static atomic_int ending, wrong, calls;

static void *hammer(void *store)
{
  while (!atomic_load(&ending)) {
    larder_reply *r = set(store, "x");
    atomic_fetch_add(&wrong, r->outcome != LARDER_OK);
    atomic_fetch_add(&calls, 1);
    larder_reply_free(r);
  }
  return NULL;
}

/* In mid-traffic: the child says so and closes without a word on the parent's connections. */
START_TEST(forked)
{
  pthread_t thread[4];
  start("good");
  larder *store = open_with("&fallback=none&connections=2", NULL, 0);
  larder_reply_free(set(store, "x"));
  for (int i = 0; i < 4; i++)
    pthread_create(&thread[i], NULL, hammer, store);
  for (int i = 0; i < 20; i++) {
    int status = -1;
    usleep(5000);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
      size_t length;
      int bad = larder_get(store, "key", 3, NULL, 0, &length) != LARDER_FORKED;
      larder_close(store, 0);
      _exit(bad);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child: %x", (unsigned)status);
  }
  atomic_store(&ending, 1);
  for (int i = 0; i < 4; i++)
    pthread_join(thread[i], NULL);
  ck_assert_int_eq(atomic_load(&wrong), 0);
  ck_assert_int_gt(atomic_load(&calls), 0);
  ck_assert_uint_le(status_of(store).connects, 2);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

static TCase *tests(void)
{
  TCase *c = tcase_create("tls_store");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, subscriptions);
  tcase_add_test(c, outage_and_return);
  tcase_add_test(c, a_bad_certificate_is_an_outage_of_its_own);
  tcase_add_test(c, insecure_is_told);
  tcase_add_loop_test(c, batches, 0, 2);
  tcase_add_test(c, forked);
  return c;
}

int main(void)
{
  server_require();
  ca = ca_new("larder test CA");
  ca_issue(ca, &(struct ca_request){.file = "good", .name = "good", .names = "DNS:localhost"});
  ca_issue(ca, &(struct ca_request){.file = "expired", .name = "expired", .names = "DNS:localhost",
                                    .from = -9, .to = -2});
  Suite *s = suite_create("tls_store");
  suite_add_tcase(s, tests());
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  ca_free(ca);
  return failed ? 1 : 0;
}
