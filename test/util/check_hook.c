/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "util/clock.h"
#include "util/heap.h"
#include "util/hook.h"
#include "util/lock.h"

static int64_t now;
static int told;
static char last_name[64], last_text[2048], last_fields[512];
static uint64_t last_suppressed;
static struct lrd_hook *again; /* tells one more event from inside the callback */

static int64_t test_time(void *context)
{
  (void)context;
  return now;
}

static const larder_clock test_clock = { test_time, test_time, NULL };

static void remember(void *context, const larder_event *e)
{
  size_t i, n = 0;

  ck_assert_ptr_eq(context, &told);
  told++;
  snprintf(last_name, sizeof last_name, "%d %s", (int)e->level, e->name);
  snprintf(last_text, sizeof last_text, "%s", e->text);
  last_suppressed = e->suppressed;
  last_fields[0] = '\0';
  for (i = 0; i < e->fields; i++)
    n += (size_t)snprintf(last_fields + n, sizeof last_fields - n, "%s=%s;", e->key[i],
                          e->value[i]);
  if (again) {
    struct lrd_hook *h = again;

    again = NULL;
    lrd_event(h, LARDER_INFO, "inner", NULL, "from inside");
  }
}

START_TEST(tells_text_and_fields)
{
  const char *const pairs[] = { "host", "a", "cause", NULL, "port", "1", NULL };
  struct heap m;
  struct lrd_hook *h;

  heap_init(&m, 0);
  h = lrd_hook_new(&m.memory, &test_clock, remember, &told);
  lrd_event(h, LARDER_WARNING, "connect", pairs, "to %s:\r\n%d\x01", "a", 7);
  ck_assert_str_eq(last_name, "2 connect");
  ck_assert_str_eq(last_text, "to a:  7 ");
  ck_assert_str_eq(last_fields, "host=a;cause=;port=1;");
  again = h;
  lrd_event(h, LARDER_DEBUG, "outer", NULL, "x");
  ck_assert_str_eq(last_name, "1 inner");
  ck_assert_str_eq(last_fields, "");
  ck_assert_int_eq(told, 3);
  lrd_hook_free(h);
  ck_assert_uint_eq(m.bytes, 0);
  ck_assert(!m.wrong_size);
}
END_TEST

START_TEST(limits_each_name)
{
  struct lrd_hook *h;
  struct heap m;
  char name[16];
  int i;

  heap_init(&m, 0);
  h = lrd_hook_new(&m.memory, &test_clock, remember, &told);
  now = 1;
  for (i = 0; i < 12; i++)
    lrd_event(h, LARDER_INFO, "drop", NULL, "%d", i);
  ck_assert_int_eq(told, 5);
  ck_assert_str_eq(last_text, "4");
  lrd_event(h, LARDER_INFO, "other", NULL, "x");
  ck_assert_int_eq(told, 6);
  ck_assert_uint_eq(last_suppressed, 0);
  now += 999 * LRD_NS_PER_MS;
  lrd_event(h, LARDER_INFO, "drop", NULL, "x");
  ck_assert_int_eq(told, 6);
  now += LRD_NS_PER_MS;
  lrd_event(h, LARDER_INFO, "drop", NULL, "x");
  ck_assert_int_eq(told, 7);
  ck_assert_uint_eq(last_suppressed, 8);
  lrd_event(h, LARDER_INFO, "drop", NULL, "x");
  ck_assert_uint_eq(last_suppressed, 0);
  /* more names than are kept apart: still told, still limited */
  told = 0;
  for (i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "name%d", i);
    lrd_event(h, LARDER_INFO, name, NULL, "x");
  }
  ck_assert_int_ge(told, 30);
  ck_assert_int_le(told, 40);
  lrd_hook_free(h);
}
END_TEST

START_TEST(silent_without_callback)
{
  struct lrd_hook *h;
  struct heap m;

  heap_init(&m, 0);
  h = lrd_hook_new(&m.memory, &test_clock, NULL, NULL);
  lrd_event(h, LARDER_FAULT, "x", NULL, "%s", "y");
  lrd_event(NULL, LARDER_FAULT, "x", NULL, "y");
  lrd_hook_free(h);
  lrd_hook_free(NULL);
  heap_init(&m, 1);
  ck_assert_ptr_null(lrd_hook_new(&m.memory, &test_clock, remember, &told));
}
END_TEST

static void count_only(void *context, const larder_event *e)
{
  __atomic_add_fetch((int *)context, 1 + (int)e->suppressed, __ATOMIC_RELAXED);
}

static void *tell_many(void *hook)
{
  int i;

  for (i = 0; i < 5000; i++)
    lrd_event(hook, LARDER_INFO, "busy", NULL, "%d", i);
  return NULL;
}

START_TEST(nothing_is_lost_between_threads)
{
  struct lrd_hook *h;
  pthread_t thread[4];
  struct heap m;
  int i, total = 0;

  heap_init(&m, 0);
  h = lrd_hook_new(&m.memory, &test_clock, count_only, &total);
  for (i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, tell_many, h), 0);
  for (i = 0; i < 4; i++)
    pthread_join(thread[i], NULL);
  now += 2000 * LRD_NS_PER_MS;
  lrd_event(h, LARDER_INFO, "busy", NULL, "last");
  ck_assert_int_eq(total, 20001);
  lrd_hook_free(h);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("hook");
  TCase *t = tcase_create("hook");

  tcase_add_test(t, tells_text_and_fields);
  tcase_add_test(t, limits_each_name);
  tcase_add_test(t, silent_without_callback);
  tcase_add_test(t, nothing_is_lost_between_threads);
  suite_add_tcase(s, t);
  return run_suite(s);
}
