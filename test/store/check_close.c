/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <larder.h>

#include "proof/yield.h"
#include "store/heap.h"
#include "support/check.h"

/*
 * Typed calls of the in-process engine, which the store does not note, while it is
 * being closed.  A completion that is delivered inside larder_close keeps the store in
 * existence for as long as a test needs it; the heap spoils what is released.
 */

static struct heap heap;
static larder *store;

static void open_store(larder_options *o, const char *url)
{
  char error[LARDER_ERROR_SIZE];
  heap_init(&heap);
  o->memory = &heap.memory;
  o->delivery = LARDER_DELIVER_DISPATCH;
  store = larder_open(url, o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
}

/* callback is called inside the larder_close that follows. */
static void keep_open(larder_callback *callback)
{
  ck_assert_int_eq(larder_async_command(store, callback, NULL, "PING"), LARDER_OK);
}

static void close_store(void)
{
  larder_close(store, 1000);
  ck_assert_int_eq(heap.blocks, 0);
  ck_assert_int_eq(heap.bytes, 0);
}

/* --- from inside ---------------------------------------------------------- */

static int asked;

static void expect_closed(void)
{
  char buffer[8];
  size_t length = 7;
  larder_reply *r = larder_command(store, "GET k");
  ck_assert_int_eq(r->outcome, LARDER_CLOSED);
  larder_reply_free(r);
  ck_assert_int_eq(larder_get(store, "k", 1, buffer, sizeof buffer, &length), LARDER_CLOSED);
  ck_assert_uint_eq(length, 0);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, 0), LARDER_CLOSED);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, 1000), LARDER_CLOSED);
  asked++;
}

static void on_reply(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
  expect_closed();
}

static void on_event(void *context, const larder_event *event)
{
  (void)context;
  if (!strcmp(event->name, "close"))
    expect_closed();
}

START_TEST(callbacks_of_closing_are_told_closed)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.event = on_event;
  asked = 0;
  open_store(&o, "memory:");
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, 0), LARDER_OK);
  keep_open(on_reply);
  close_store();
  ck_assert_int_eq(asked, 2);
}
END_TEST

/* --- inside a hook -------------------------------------------------------- */

static atomic_int in_hook, is_closed;
static int closed_too_early;
static _Thread_local int is_caller;

static int64_t slow_clock(void *context)
{
  (void)context;
  if (is_caller && !in_hook) {
    in_hook = 1;
    for (int i = 0; i < 50 && !is_closed; i++)
      usleep(1000);
    closed_too_early = is_closed;
  }
  return 1;
}

static void *set_with_expiry(void *context)
{
  larder_outcome *outcome = context;
  is_caller = 1;
  *outcome = larder_set(store, "k", 1, "v", 1, 1000);
  return NULL;
}

START_TEST(a_call_that_asks_for_the_time_is_waited_for)
{
  const larder_clock clock = {slow_clock, slow_clock, NULL};
  larder_options o = LARDER_OPTIONS_INIT;
  larder_outcome outcome;
  pthread_t thread;
  o.clock = &clock;
  in_hook = is_closed = 0;
  open_store(&o, "memory:");
  ck_assert_int_eq(pthread_create(&thread, NULL, set_with_expiry, &outcome), 0);
  while (!in_hook)
    sched_yield();
  close_store();
  is_closed = 1;
  pthread_join(thread, NULL);
  ck_assert(!closed_too_early);
  ck_assert(outcome == LARDER_OK || outcome == LARDER_CLOSED);
}
END_TEST

/* --- from everywhere ------------------------------------------------------- */

enum { CALLERS = 8, ROUNDS = 250, VALUE = 100 };

static const struct round {
  unsigned shards;
  size_t maxmemory;
  larder_choice background;
} rounds[] = {
    {1, 0, LARDER_NO},
    {1, 65536, LARDER_YES},
    {4, 0, LARDER_YES},
    {16, 262144, LARDER_NO},
};

static atomic_int callers_closed;
static atomic_long done, wrong;

static larder_outcome call(unsigned i)
{
  char key[32], value[VALUE];
  size_t length = 0;
  int n = snprintf(key, sizeof key, "%u", i % 1000);
  if (i % 3 == 0)
    return larder_get(store, key, (size_t)n, value, sizeof value, &length);
  memset(value, 'v', sizeof value);
  return larder_set(store, key, (size_t)n, value, sizeof value, i % 3 == 1 ? 0 : i % 2 + 1);
}

/* Until it is closed, and a little longer. */
static void *call_on(void *context)
{
  unsigned i = *(const unsigned *)context * 137;
  larder_outcome outcome;
  while ((outcome = call(i++)) != LARDER_CLOSED) {
    wrong += outcome != LARDER_OK && outcome != LARDER_ABSENT && outcome != LARDER_REFUSED;
    done++;
  }
  for (unsigned late = 0; late < 10; late++)
    wrong += call(i++) != LARDER_CLOSED;
  callers_closed++;
  return NULL;
}

static void wait_for_callers(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
  while (callers_closed < CALLERS)
    sched_yield();
}

static void play(const struct round *round, unsigned number)
{
  static const unsigned numbers[CALLERS] = {0, 1, 2, 3, 4, 5, 6, 7};
  larder_options o = LARDER_OPTIONS_INIT;
  pthread_t thread[CALLERS];
  o.shards = round->shards;
  o.maxmemory = round->maxmemory;
  o.background = round->background;
  open_store(&o, "memory:");
  callers_closed = 0;
  done = 0;
  for (int i = 0; i < CALLERS; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, call_on, (void *)(uintptr_t)&numbers[i]),
                     0);
  while (done < (long)(number % 200))
    sched_yield();
  keep_open(wait_for_callers);
  close_store();
  for (int i = 0; i < CALLERS; i++)
    pthread_join(thread[i], NULL);
}

START_TEST(nobody_is_inside_what_is_freed)
{
  wrong = 0;
  yield_seed((uint64_t)_i + 1, 100);
  for (unsigned i = 0; i < ROUNDS; i++)
    play(&rounds[_i], i);
  ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/close");
  TCase *tc = tcase_create("close");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, callbacks_of_closing_are_told_closed);
  tcase_add_test(tc, a_call_that_asks_for_the_time_is_waited_for);
  tcase_add_loop_test(tc, nobody_is_inside_what_is_freed, 0,
                      (int)(sizeof rounds / sizeof *rounds));
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
