/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <larder.h>

#include "support/check.h"
#include "support/server.h"

/* Publish/subscribe of the C API over a Redis, without and with fallback, without and with a
 * prefix: what is heard is the same as on the in-process engine. */

static const char *const ways[] = {"fallback=none", "fallback=memory",
                                   "fallback=none&prefix=a%3Fb:", "fallback=memory&prefix=a%3Fb:"};
enum { WAYS = 4, WAIT_MS = 10000 };

static struct server *server;
static struct resp_client *side;
static larder *store;
static larder_subscriber *sub;
static const char *prefix;

static void open_way(int way, const struct server_options *o)
{
  char url[512], error[LARDER_ERROR_SIZE];
  server = server_start(o);
  side = server_connect(server, 2);
  prefix = way >= 2 ? "a?b:" : "";
  snprintf(url, sizeof url, "%s?%s", server_url(server), ways[way]);
  store = larder_open(url, NULL, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  sub = larder_subscriber_open(store, NULL, error, sizeof error);
  ck_assert_msg(sub != NULL, "%s", error);
}

static void close_way(void)
{
  larder_subscriber_close(sub);
  larder_close(store, 0);
  resp_close(side);
  server_stop(server);
}

static void ck_next(larder_heard heard, const char *name, const char *channel, const char *payload)
{
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(sub, WAIT_MS, &m), LARDER_OK);
  ck_assert_int_eq(m.heard, heard);
  ck_assert_str_eq(m.name, name);
  ck_assert_str_eq(m.channel, channel);
  if (payload)
    ck_assert_str_eq(m.payload, payload);
}

/* By somebody else, at the server. */
static void publish_there(const char *command, const char *channel, const char *payload)
{
  char whole[64];
  snprintf(whole, sizeof whole, "%s%s", prefix, channel);
  resp_free(resp_words(side, command, whole, payload, NULL));
}

static int64_t number(const char *command)
{
  larder_reply *r = larder_command(store, command);
  ck_assert_msg(r->outcome == LARDER_OK, "%s: %s", command, larder_outcome_name(r->outcome));
  int64_t n = r->value.integer;
  larder_reply_free(r);
  return n;
}

START_TEST(the_same_is_heard)
{
  open_way(_i, NULL);
  ck_assert_int_eq(larder_subscribe(sub, "x", 1), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  ck_assert_int_eq(larder_psubscribe(sub, "[xy]", 4), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "[xy]", "", "");
  ck_assert_int_eq(larder_ssubscribe(sub, "x", 1), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  ck_assert_int_eq(number("PUBLISH x 1"), 2);
  ck_next(LARDER_HEARD_MESSAGE, "x", "x", "1");
  ck_next(LARDER_HEARD_PMESSAGE, "[xy]", "x", "1");
  publish_there("PUBLISH", "y", "2");
  ck_next(LARDER_HEARD_PMESSAGE, "[xy]", "y", "2");
  publish_there("SPUBLISH", "x", "3");
  ck_next(LARDER_HEARD_SMESSAGE, "x", "x", "3");
  ck_assert_int_eq(number("PUBSUB NUMPAT"), 1);
  larder_reply *r = larder_command(store, "PUBSUB CHANNELS");
  ck_assert_uint_eq(r->value.len, 1);
  ck_assert_str_eq(r->value.element[0].str, "x");
  larder_reply_free(r);
  close_way();
}
END_TEST

/* GAP when the server dies, READY when it is back; what is published meanwhile fails. */
START_TEST(a_loss_is_told)
{
  open_way(_i, NULL);
  ck_assert_int_eq(larder_subscribe(sub, "x", 1), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  resp_close(side);
  server_kill(server);
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(sub, WAIT_MS, &m), LARDER_OK);
  ck_assert_int_eq(m.heard, LARDER_HEARD_GAP);
  ck_assert_uint_eq(m.missed, 0);
  ck_assert_uint_gt(m.payload_len, 0);
  larder_reply *r = larder_command(store, "PUBLISH x lost");
  ck_assert_msg(r->outcome != LARDER_OK, "%lld heard it", (long long)r->value.integer);
  larder_reply_free(r);
  ck_assert_int_eq(larder_subscribe(sub, "y", 1), LARDER_OK); /* registers all the same */
  server_restart(server);
  side = server_connect(server, 2);
  ck_next(LARDER_HEARD_READY, "x", "", "");
  ck_next(LARDER_HEARD_READY, "y", "", "");
  publish_there("PUBLISH", "x", "1");
  publish_there("PUBLISH", "y", "2");
  ck_next(LARDER_HEARD_MESSAGE, "x", "x", "1");
  ck_next(LARDER_HEARD_MESSAGE, "y", "y", "2");
  close_way();
}
END_TEST

/* The server's access list: said once, in its words. */
START_TEST(a_refusal_is_told)
{
  struct server_options o = {.config = "user default on nopass ~* +@all resetchannels &may*\n"};
  open_way(_i, &o);
  ck_assert_int_eq(larder_subscribe(sub, "no", 2), LARDER_OK);
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(sub, WAIT_MS, &m), LARDER_OK);
  ck_assert_int_eq(m.heard, LARDER_HEARD_REFUSED);
  ck_assert_str_eq(m.name, "no");
  ck_assert_ptr_nonnull(strstr(m.payload, "NOPERM"));
  ck_assert_int_eq(larder_unsubscribe(sub, "no", 2), LARDER_ABSENT);
  ck_assert_int_eq(larder_subscribe(sub, "may", 3), LARDER_OK);
  ck_next(LARDER_HEARD_READY, "may", "", "");
  close_way();
}
END_TEST

/* --- storms ------------------------------------------------------------------------ */

enum { STORMERS = 8, STORM_NAMES = 6, CUTS = 12, CUT_MS = 100 };

static atomic_int stormed, finished; /* it is over; threads that are done */
static atomic_long published;

/* Changes its mind about a few names, all of which others have too. */
static void *storm(void *context)
{
  unsigned seed = *(unsigned *)context;
  larder_subscriber *s = larder_subscriber_open(store, NULL, NULL, 0);
  larder_message m;
  while (!atomic_load(&stormed)) {
    char name = (char)('a' + rand_r(&seed) % STORM_NAMES);
    if (rand_r(&seed) % 2)
      larder_subscribe(s, &name, 1);
    else
      larder_unsubscribe(s, &name, 1);
    for (int i = 0; i < 3 && larder_subscriber_next(s, 0, &m) == LARDER_OK; i++)
      ;
  }
  /* and in the end what is wanted is what is heard */
  for (char name = 'a'; name < 'a' + STORM_NAMES; name++)
    larder_unsubscribe(s, &name, 1);
  while (larder_subscriber_next(s, 0, &m) == LARDER_OK)
    ;
  int ready = 0, heard = 0;
  larder_subscribe(s, "a", 1);
  while (!heard && larder_subscriber_next(s, WAIT_MS, &m) == LARDER_OK) {
    ready |= m.heard == LARDER_HEARD_READY;
    heard = m.heard == LARDER_HEARD_MESSAGE && strcmp(m.payload, "last") == 0;
  }
  larder_subscriber_close(s);
  atomic_fetch_add(&finished, 1);
  return ready && heard ? NULL : (void *)1;
}

static void *publish_numbers(void *context)
{
  struct resp_client *c = context;
  char number[24];
  for (long n = 1; !atomic_load(&stormed); n++) {
    snprintf(number, sizeof number, "%ld", n);
    resp_free(resp_words(c, "PUBLISH", "numbers", number, NULL));
    atomic_store(&published, n);
  }
  return NULL;
}

/* Between READY and GAP each number comes once; none comes twice.  Returns how many did. */
static long ck_numbers(void)
{
  larder_message m;
  long last = 0, due = 0, heard = 0;
  while (!atomic_load(&stormed)) {
    if (larder_subscriber_next(sub, 50, &m) != LARDER_OK)
      continue;
    if (m.heard == LARDER_HEARD_GAP) {
      due = 0;
    } else if (m.heard == LARDER_HEARD_READY) {
      due = atomic_load(&published) + 2; /* one was on its way, which may have come before */
    } else {
      long n = atol(m.payload);
      ck_assert_msg(n > last && (!due || n <= due), "%ld after %ld, %ld was due", n, last, due);
      last = n;
      due = due ? n + 1 : 0;
      heard++;
    }
  }
  return heard;
}

static void *cut_connections(void *context)
{
  struct resp_client *c = context;
  for (int i = 0; i < CUTS; i++) {
    poll(NULL, 0, CUT_MS);
    resp_free(resp_words(c, "CLIENT", "KILL", "TYPE", "pubsub", NULL));
  }
  atomic_store(&stormed, 1);
  return NULL;
}

START_TEST(storms_while_connections_end)
{
  pthread_t thread[STORMERS], publisher, cutter;
  unsigned seed[STORMERS];
  open_way(_i, NULL);
  struct resp_client *numbers = server_connect(server, 2), *cuts = server_connect(server, 2);
  ck_assert_int_eq(larder_subscribe(sub, "numbers", 7), LARDER_OK);
  for (unsigned i = 0; i < STORMERS; i++) {
    seed[i] = i + 1;
    ck_assert_int_eq(pthread_create(&thread[i], NULL, storm, &seed[i]), 0);
  }
  ck_assert_int_eq(pthread_create(&publisher, NULL, publish_numbers, numbers), 0);
  ck_assert_int_eq(pthread_create(&cutter, NULL, cut_connections, cuts), 0);
  ck_assert_int_gt(ck_numbers(), 0);
  pthread_join(publisher, NULL);
  pthread_join(cutter, NULL);
  while (atomic_load(&finished) < STORMERS) {
    larder_reply_free(larder_command(store, "PUBLISH a last"));
    poll(NULL, 0, 20);
  }
  for (int i = 0; i < STORMERS; i++) {
    void *failed;
    pthread_join(thread[i], &failed);
    ck_assert_ptr_null(failed);
  }
  resp_close(numbers);
  resp_close(cuts);
  close_way();
}
END_TEST

int main(void)
{
  server_require();
  Suite *s = suite_create("store/subscriber over a Redis");
  TCase *t = tcase_create("ways");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, the_same_is_heard, 0, WAYS);
  tcase_add_loop_test(t, a_loss_is_told, 0, WAYS);
  tcase_add_loop_test(t, a_refusal_is_told, 0, 2);
  tcase_add_loop_test(t, storms_while_connections_end, 0, 2);
  suite_add_tcase(s, t);
  return run_suite(s);
}
