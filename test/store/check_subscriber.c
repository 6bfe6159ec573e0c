/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <larder.h>

#include "store/heap.h"
#include "support/check.h"

/* Publish/subscribe of the C API on the in-process engine. */

static larder *store;
static larder_subscriber *sub;

static larder *open_at(const char *url)
{
  char error[LARDER_ERROR_SIZE];
  larder *s = larder_open(url, NULL, error, sizeof error);
  ck_assert_msg(s != NULL, "%s", error);
  return s;
}

static larder_subscriber *open_subscriber(const larder_subscriber_options *o)
{
  char error[LARDER_ERROR_SIZE];
  larder_subscriber *s = larder_subscriber_open(store, o, error, sizeof error);
  ck_assert_msg(s != NULL, "%s", error);
  return s;
}

static void setup(void)
{
  store = open_at("memory:");
  sub = open_subscriber(NULL);
}

static void teardown(void)
{
  larder_subscriber_close(sub);
  larder_close(store, 0);
}

static int64_t publish(larder *s, const char *command, const char *channel, const char *payload)
{
  larder_reply *r = larder_command(s, "%s %s %s", command, channel, payload);
  ck_assert_int_eq(r->outcome, LARDER_OK);
  int64_t n = r->value.integer;
  larder_reply_free(r);
  return n;
}

#define ck_subscribe(how, s, name) ck_assert_int_eq(how(s, name, strlen(name)), LARDER_OK)

static const char *const sign[] = {"", "p:", "s:", "+", "!", "-", "."};

/* "x=1", "p:x*>x=1", "s:x=1", "+x" READY, "!" GAP, "-x" REFUSED */
static void show(const larder_message *m, char *text, size_t size)
{
  char gap[32] = "";
  if (m->heard == LARDER_HEARD_GAP && m->missed)
    snprintf(gap, sizeof gap, "%llu", (unsigned long long)m->missed);
  if (m->heard > LARDER_HEARD_SMESSAGE)
    snprintf(text, size, "%s%s%s", sign[m->heard], m->name, gap);
  else
    snprintf(text, size, "%s%s%s%s=%s", sign[m->heard],
             m->heard == LARDER_HEARD_PMESSAGE ? m->name : "",
             m->heard == LARDER_HEARD_PMESSAGE ? ">" : "", m->channel, m->payload);
}

static void ck_next(larder_subscriber *s, const char *expected)
{
  char text[256];
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(s, 0, &m), LARDER_OK);
  show(&m, text, sizeof text);
  ck_assert_str_eq(text, expected);
  ck_assert_uint_eq(m.payload_len, strlen(m.payload));
  ck_assert_uint_eq(m.name_len, strlen(m.name));
}

static void ck_nothing(larder_subscriber *s)
{
  larder_message m;
  ck_assert_int_eq(larder_subscriber_next(s, 0, &m), LARDER_ABSENT);
}

/* --- what is heard ---------------------------------------------------------- */

START_TEST(messages_come_in_order)
{
  ck_assert_int_eq(publish(store, "PUBLISH", "x", "0"), 0);
  ck_subscribe(larder_subscribe, sub, "x");
  ck_subscribe(larder_psubscribe, sub, "x*");
  ck_subscribe(larder_ssubscribe, sub, "x");
  ck_assert_int_eq(publish(store, "PUBLISH", "x", "1"), 2);
  ck_assert_int_eq(publish(store, "PUBLISH", "xy", "2"), 1);
  ck_assert_int_eq(publish(store, "SPUBLISH", "x", "3"), 1);
  static const char *const expected[] = {"+x",       "+x*",       "+x",   "x=1",
                                         "p:x*>x=1", "p:x*>xy=2", "s:x=3"};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
    ck_next(sub, expected[i]);
  ck_nothing(sub);
}
END_TEST

START_TEST(bytes_are_any)
{
  larder_message m;
  ck_assert_int_eq(larder_subscribe(sub, "a\0b", 3), LARDER_OK);
  ck_assert_int_eq(larder_subscribe(sub, NULL, 0), LARDER_OK);
  larder_reply_free(larder_command(store, "PUBLISH %b %b", "a\0b", (size_t)3, "\0\n", (size_t)2));
  larder_reply_free(larder_command(store, "PUBLISH %b %b", "", (size_t)0, "", (size_t)0));
  ck_assert_int_eq(larder_subscriber_next(sub, 0, &m), LARDER_OK);
  ck_assert_uint_eq(m.name_len, 3);
  ck_next(sub, "+");
  ck_assert_int_eq(larder_subscriber_next(sub, 0, &m), LARDER_OK);
  ck_assert_uint_eq(m.channel_len, 3);
  ck_assert_mem_eq(m.channel, "a\0b", 4);
  ck_assert_mem_eq(m.payload, "\0\n", 3);
  ck_next(sub, "=");
}
END_TEST

START_TEST(unsubscribed_names_are_heard_no_more)
{
  ck_subscribe(larder_subscribe, sub, "x");
  ck_subscribe(larder_psubscribe, sub, "y*");
  publish(store, "PUBLISH", "x", "1");
  ck_assert_int_eq(larder_unsubscribe(sub, "x", 1), LARDER_OK);
  ck_assert_int_eq(larder_unsubscribe(sub, "x", 1), LARDER_ABSENT);
  ck_assert_int_eq(larder_punsubscribe(sub, "y*", 2), LARDER_OK);
  ck_assert_int_eq(larder_sunsubscribe(sub, "x", 1), LARDER_ABSENT);
  ck_assert_int_eq(publish(store, "PUBLISH", "x", "2"), 0);
  ck_next(sub, "+x");
  ck_next(sub, "+y*");
  ck_next(sub, "x=1"); /* was queued */
  ck_nothing(sub);
}
END_TEST

START_TEST(transactions_and_batches_publish)
{
  ck_subscribe(larder_subscribe, sub, "x");
  ck_next(sub, "+x");
  larder_session *s = larder_session_open(store);
  larder_reply_free(larder_session_command(s, "MULTI"));
  larder_reply_free(larder_session_command(s, "SET k 1"));
  larder_reply_free(larder_session_command(s, "PUBLISH x 1"));
  ck_nothing(sub);
  larder_reply *r = larder_session_command(s, "EXEC");
  ck_assert_uint_eq(r->value.len, 2);
  ck_assert_int_eq(r->value.element[1].integer, 1);
  larder_reply_free(r);
  larder_session_close(s);
  ck_next(sub, "x=1");
}
END_TEST

START_TEST(replies_carry_no_messages)
{
  static const char *const refused[] = {"SUBSCRIBE x", "PSUBSCRIBE x", "SSUBSCRIBE x",
                                        "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"};
  larder_session *s = larder_session_open(store);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    larder_reply *r[2] = {larder_command(store, refused[i]), larder_session_command(s, refused[i])};
    for (int j = 0; j < 2; j++) {
      ck_assert_int_eq(r[j]->outcome, LARDER_BAD_ARGUMENT);
      ck_assert_ptr_nonnull(strstr(r[j]->value.str, "larder_subscriber"));
      larder_reply_free(r[j]);
    }
  }
  larder_session_close(s);
}
END_TEST

START_TEST(pubsub_tells_who_listens)
{
  larder_subscriber *other = open_subscriber(NULL);
  ck_subscribe(larder_subscribe, sub, "x");
  ck_subscribe(larder_subscribe, other, "x");
  ck_subscribe(larder_psubscribe, other, "p*");
  larder_reply *r = larder_command(store, "PUBSUB NUMSUB x none");
  ck_assert_uint_eq(r->value.len, 4);
  ck_assert_int_eq(r->value.element[1].integer, 2);
  ck_assert_int_eq(r->value.element[3].integer, 0);
  larder_reply_free(r);
  larder_subscriber_close(other);
  r = larder_command(store, "PUBSUB NUMPAT");
  ck_assert_int_eq(r->value.integer, 0);
  larder_reply_free(r);
  r = larder_command(store, "PUBSUB CHANNELS");
  ck_assert_uint_eq(r->value.len, 1);
  larder_reply_free(r);
}
END_TEST

/* --- bounds ------------------------------------------------------------------- */

START_TEST(a_full_queue_says_what_is_missing)
{
  larder_subscriber_options o = {.size = sizeof o, .queue_bytes = 4096};
  larder_subscriber *small = open_subscriber(&o);
  char payload[1001] = "";
  memset(payload, 'p', 1000);
  ck_subscribe(larder_subscribe, small, "x");
  ck_next(small, "+x");
  for (int i = 0; i < 10; i++)
    publish(store, "PUBLISH", "x", payload);
  larder_message m;
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(larder_subscriber_next(small, 0, &m), LARDER_OK);
  publish(store, "PUBLISH", "x", "room");
  ck_next(small, "!7");
  ck_next(small, "x=room");
  ck_nothing(small);
  larder_subscriber_close(small);
}
END_TEST

START_TEST(notices_are_bounded)
{
  larder_outcome outcome = LARDER_OK;
  int n = 0;
  for (; n < 70000 && outcome == LARDER_OK; n++)
    outcome = larder_subscribe(sub, "x", 1);
  ck_assert_int_eq(outcome, LARDER_NO_MEMORY);
  ck_assert_int_eq(n, 65537);
  ck_next(sub, "+x");
  ck_subscribe(larder_subscribe, sub, "y");
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
  char error[LARDER_ERROR_SIZE];
  larder_message m;
  larder_subscriber_options o = {.size = sizeof o, .queue_bytes = 5};
  ck_assert_ptr_null(larder_subscriber_open(store, &o, error, sizeof error));
  ck_assert_str_eq(error, "queue_bytes is 5: allowed are 4096 to 1073741824, and 0 for 8388608");
  o = (larder_subscriber_options){.size = 3};
  ck_assert_ptr_null(larder_subscriber_open(store, &o, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "options.size is 3"));
  ck_assert_ptr_null(larder_subscriber_open(NULL, NULL, NULL, 0));
  ck_assert_int_eq(larder_subscribe(NULL, "x", 1), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_subscribe(sub, NULL, 1), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_subscriber_next(sub, -2, &m), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_subscriber_next(sub, 3600001, &m), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_subscriber_next(sub, 0, NULL), LARDER_BAD_ARGUMENT);
  larder_subscriber_close(NULL);
}
END_TEST

/* --- waiting -------------------------------------------------------------------- */

static void *publish_later(void *context)
{
  usleep(30000);
  publish(store, "PUBLISH", "x", context);
  return NULL;
}

START_TEST(next_waits)
{
  pthread_t thread;
  larder_message m;
  ck_subscribe(larder_subscribe, sub, "x");
  ck_next(sub, "+x");
  ck_assert_int_eq(larder_subscriber_next(sub, 20, &m), LARDER_ABSENT);
  ck_assert_int_eq(pthread_create(&thread, NULL, publish_later, (void *)"1"), 0);
  ck_assert_int_eq(larder_subscriber_next(sub, -1, &m), LARDER_OK);
  ck_assert_str_eq(m.payload, "1");
  pthread_join(thread, NULL);
}
END_TEST

static int is_readable(int fd)
{
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, 0) == 1;
}

START_TEST(a_descriptor_tells_of_messages)
{
  ck_subscribe(larder_subscribe, sub, "x");
  int fd = larder_subscriber_pollfd(sub);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(larder_subscriber_pollfd(sub), fd);
  ck_assert(is_readable(fd)); /* +x */
  ck_next(sub, "+x");
  ck_assert(!is_readable(fd));
  publish(store, "PUBLISH", "x", "1");
  publish(store, "PUBLISH", "x", "2");
  ck_next(sub, "x=1");
  ck_assert(is_readable(fd));
  ck_next(sub, "x=2");
  ck_assert(!is_readable(fd));
}
END_TEST

struct seen {
  larder_subscriber *subscriber;
  atomic_int messages, over;
  int close_at;
};

static void on_message(void *context, const larder_message *m)
{
  struct seen *seen = context;
  if (m->heard == LARDER_HEARD_CLOSED)
    atomic_store(&seen->over, 1);
  if (m->heard != LARDER_HEARD_MESSAGE)
    return;
  if (atomic_fetch_add(&seen->messages, 1) + 1 == seen->close_at)
    larder_subscriber_close(seen->subscriber);
}

static void await(atomic_int *n, int least)
{
  for (int i = 0; i < 5000 && atomic_load(n) < least; i++)
    usleep(1000);
  ck_assert_int_ge(atomic_load(n), least);
}

static void open_seen(struct seen *seen)
{
  larder_subscriber_options o = {.size = sizeof o, .message = on_message, .context = seen};
  seen->subscriber = open_subscriber(&o);
  ck_subscribe(larder_subscribe, seen->subscriber, "x");
}

START_TEST(a_callback_hears)
{
  struct seen seen = {0};
  larder_message m;
  open_seen(&seen);
  ck_assert_int_eq(larder_subscriber_next(seen.subscriber, 0, &m), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_subscriber_pollfd(seen.subscriber), -1);
  for (int i = 0; i < 100; i++)
    publish(store, "PUBLISH", "x", "1");
  await(&seen.messages, 100);
  larder_subscriber_close(seen.subscriber);
  ck_assert_int_eq(publish(store, "PUBLISH", "x", "1"), 0);
  ck_assert_int_eq(atomic_load(&seen.messages), 100);
}
END_TEST

START_TEST(a_callback_may_close)
{
  struct seen seen = {.close_at = 3};
  open_seen(&seen);
  for (int i = 0; i < 10; i++)
    publish(store, "PUBLISH", "x", "1");
  await(&seen.messages, 3);
  for (int i = 0; i < 5000 && publish(store, "PUBLISH", "x", "1"); i++)
    usleep(1000);
  ck_assert_int_eq(publish(store, "PUBLISH", "x", "1"), 0);
  ck_assert_int_eq(atomic_load(&seen.messages), 3);
  usleep(50000); /* the thread lets go */
}
END_TEST

/* --- the end ---------------------------------------------------------------------- */

START_TEST(the_store_may_be_closed_first)
{
  struct seen seen = {0};
  larder_message m;
  store = open_at("memory:");
  sub = open_subscriber(NULL);
  open_seen(&seen);
  ck_subscribe(larder_subscribe, sub, "x");
  publish(store, "PUBLISH", "x", "1");
  larder_close(store, 0);
  ck_next(sub, "+x");
  ck_next(sub, "x=1");
  ck_assert_int_eq(larder_subscriber_next(sub, -1, &m), LARDER_CLOSED);
  ck_assert_int_eq(larder_subscriber_next(sub, -1, &m), LARDER_CLOSED);
  ck_assert_int_eq(larder_subscribe(sub, "y", 1), LARDER_CLOSED);
  await(&seen.over, 1);
  larder_subscriber_close(seen.subscriber);
  larder_subscriber_close(sub);
}
END_TEST

static void *wait_for_ever(void *context)
{
  larder_message m;
  larder_outcome *outcome = context;
  *outcome = larder_subscriber_next(sub, -1, &m);
  return NULL;
}

START_TEST(closing_wakes_who_waits)
{
  pthread_t thread;
  larder_outcome outcome = LARDER_OK;
  store = open_at("memory:");
  sub = open_subscriber(NULL);
  ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_ever, &outcome), 0);
  usleep(30000);
  larder_subscriber_close(sub);
  pthread_join(thread, NULL);
  ck_assert_int_eq(outcome, LARDER_CLOSED);
  larder_close(store, 0);
}
END_TEST

START_TEST(a_child_has_no_subscriber)
{
  ck_subscribe(larder_subscribe, sub, "x");
  pid_t child = fork();
  if (child == 0) {
    larder_message m;
    int wrong = larder_subscriber_next(sub, 0, &m) != LARDER_FORKED;
    wrong |= larder_subscribe(sub, "y", 1) != LARDER_FORKED;
    wrong |= larder_subscriber_pollfd(sub) != -1;
    larder_subscriber_close(sub);
    larder_close(store, 0);
    _exit(wrong);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  publish(store, "PUBLISH", "x", "1");
  ck_next(sub, "+x");
  ck_next(sub, "x=1");
}
END_TEST

/* --- memory ------------------------------------------------------------------------ */

static struct heap heap;

/* 1: something lacked memory. */
static int scenario(void)
{
  char error[LARDER_ERROR_SIZE];
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.prefix = "app:";
  store = larder_open("memory:", &o, error, sizeof error);
  if (!store)
    return 1;
  int lacked = 1;
  larder_message m;
  larder_subscriber *s = larder_subscriber_open(store, NULL, error, sizeof error);
  if (s && larder_subscribe(s, "x", 1) == LARDER_OK && larder_psubscribe(s, "*", 1) == LARDER_OK) {
    larder_reply *r = larder_command(store, "PUBLISH x 1");
    larder_outcome outcome = r->outcome;
    larder_reply_free(r);
    lacked = outcome != LARDER_OK;
    while (larder_subscriber_next(s, 0, &m) == LARDER_OK)
      lacked |= m.heard == LARDER_HEARD_GAP;
  }
  larder_subscriber_close(s);
  larder_close(store, 0);
  return lacked;
}

START_TEST(each_allocation_may_fail)
{
  heap_init(&heap);
  int n = 1;
  for (;; n++) {
    heap.calls = 0;
    heap.fail_at = n;
    int lacked = scenario();
    ck_assert_int_eq(heap.blocks, 0);
    if (!lacked && heap.calls < n)
      break;
    ck_assert_int_lt(n, 500);
  }
  ck_assert_int_gt(n, 30);
}
END_TEST

/* --- a prefix ----------------------------------------------------------------------- */

START_TEST(a_prefix_is_unseen)
{
  store = open_at("memory:?prefix=a%3F%5Bb:"); /* "a?[b:" has characters of patterns */
  sub = open_subscriber(NULL);
  ck_subscribe(larder_subscribe, sub, "x");
  ck_subscribe(larder_psubscribe, sub, "[xy]");
  ck_subscribe(larder_ssubscribe, sub, "x");
  ck_assert_int_eq(publish(store, "PUBLISH", "x", "1"), 2);
  ck_assert_int_eq(publish(store, "SPUBLISH", "x", "2"), 1);
  static const char *const expected[] = {"+x", "+[xy]", "+x", "x=1", "p:[xy]>x=1", "s:x=2"};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
    ck_next(sub, expected[i]);
  static const char *const asked[] = {"PUBSUB CHANNELS", "PUBSUB CHANNELS x*",
                                      "PUBSUB SHARDCHANNELS", "PUBSUB NUMSUB x",
                                      "PUBSUB SHARDNUMSUB x"};
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    larder_reply *r = larder_command(store, asked[i]);
    ck_assert_msg(r->outcome == LARDER_OK, "%s", asked[i]);
    ck_assert_uint_eq(r->value.len, i < 3 ? 1 : 2);
    ck_assert_str_eq(r->value.element[0].str, "x");
    larder_reply_free(r);
  }
  larder_subscriber_close(sub);
  larder_close(store, 0);
}
END_TEST

/* --- threads -------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 300 };

/* Opens, subscribes, publishes, takes and closes, beside seven others. */
static void *bustle(void *context)
{
  unsigned seed = *(unsigned *)context;
  for (int i = 0; i < ROUNDS; i++) {
    char name[8];
    larder_message m;
    larder_subscriber *s = larder_subscriber_open(store, NULL, NULL, 0);
    snprintf(name, sizeof name, "c%u", rand_r(&seed) % 4);
    if (larder_subscribe(s, name, 2) != LARDER_OK || larder_psubscribe(s, "c*", 2) != LARDER_OK)
      return (void *)1;
    if (publish(store, "PUBLISH", name, "1") < 2) /* itself, twice */
      return (void *)1;
    larder_subscribe(sub, name, 2);
    int messages = 0;
    while (larder_subscriber_next(s, 0, &m) == LARDER_OK)
      messages += m.heard <= LARDER_HEARD_SMESSAGE;
    if (messages < 2)
      return (void *)1;
    larder_unsubscribe(i % 2 ? s : sub, name, 2);
    larder_subscriber_close(s);
  }
  return NULL;
}

START_TEST(threads_do_everything_at_once)
{
  pthread_t thread[THREADS];
  unsigned seed[THREADS];
  struct seen seen = {0};
  open_seen(&seen);
  ck_subscribe(larder_psubscribe, seen.subscriber, "*");
  for (unsigned i = 0; i < THREADS; i++) {
    seed[i] = i;
    ck_assert_int_eq(pthread_create(&thread[i], NULL, bustle, &seed[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    void *failed;
    pthread_join(thread[i], &failed);
    ck_assert_ptr_null(failed);
  }
  larder_subscriber_close(seen.subscriber);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("store/subscriber");
  TCase *t = tcase_create("open");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, messages_come_in_order);
  tcase_add_test(t, bytes_are_any);
  tcase_add_test(t, unsubscribed_names_are_heard_no_more);
  tcase_add_test(t, transactions_and_batches_publish);
  tcase_add_test(t, replies_carry_no_messages);
  tcase_add_test(t, pubsub_tells_who_listens);
  tcase_add_test(t, a_full_queue_says_what_is_missing);
  tcase_add_test(t, notices_are_bounded);
  tcase_add_test(t, wrong_arguments_are_told);
  tcase_add_test(t, next_waits);
  tcase_add_test(t, a_descriptor_tells_of_messages);
  tcase_add_test(t, a_callback_hears);
  tcase_add_test(t, a_callback_may_close);
  tcase_add_test(t, a_child_has_no_subscriber);
  tcase_add_test(t, threads_do_everything_at_once);
  suite_add_tcase(s, t);
  t = tcase_create("ends");
  tcase_add_test(t, the_store_may_be_closed_first);
  tcase_add_test(t, closing_wakes_who_waits);
  tcase_add_test(t, each_allocation_may_fail);
  tcase_add_test(t, a_prefix_is_unseen);
  suite_add_tcase(s, t);
  return run_suite(s);
}
