/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "support/check.h"
#include "util/clock.h"
#include "util/lock.h"

static struct lrd_lock low, high, shard[3];
static pthread_cond_t cond;

static void make_locks(void)
{
  unsigned i;

  ck_assert_int_eq(lrd_lock_init(&low, LRD_RANK_STORE, 0), 0);
  ck_assert_int_eq(lrd_lock_init(&high, LRD_RANK_QUEUE, 0), 0);
  for (i = 0; i < 3; i++)
    ck_assert_int_eq(lrd_lock_init(&shard[i], LRD_RANK_SHARD, i), 0);
  ck_assert_int_eq(lrd_cond_init(&cond), 0);
}

START_TEST(order_is_allowed)
{
  lrd_lock_assert_none();
  lrd_lock(&low);
  lrd_lock(&shard[0]);
  lrd_lock(&shard[2]);
  lrd_lock(&high);
  lrd_unlock(&low); /* in any order */
  lrd_unlock(&shard[2]);
  lrd_unlock(&high);
  lrd_lock(&shard[1]);
  lrd_unlock(&shard[0]);
  lrd_unlock(&shard[1]);
  lrd_lock_assert_none();
  lrd_lock_destroy(&low);
}
END_TEST

static int counter, woken;

static void *count_up(void *unused)
{
  int i;

  for (i = 0; i < 20000; i++) {
    lrd_lock(&low);
    counter++;
    lrd_unlock(&low);
  }
  return unused;
}

START_TEST(excludes)
{
  pthread_t a, b;

  ck_assert_int_eq(pthread_create(&a, NULL, count_up, NULL), 0);
  ck_assert_int_eq(pthread_create(&b, NULL, count_up, NULL), 0);
  pthread_join(a, NULL);
  pthread_join(b, NULL);
  ck_assert_int_eq(counter, 40000);
}
END_TEST

START_TEST(waits_until_the_deadline)
{
  int64_t begin = lrd_monotonic(&lrd_clock_system), passed;

  lrd_lock(&low);
  ck_assert_int_eq(lrd_cond_wait(&cond, &low, begin - 1), ETIMEDOUT);
  ck_assert_int_eq(lrd_cond_wait(&cond, &low, -1), ETIMEDOUT);
  while (lrd_cond_wait(&cond, &low, begin + 30 * LRD_NS_PER_MS) != ETIMEDOUT)
    continue;
  lrd_unlock(&low);
  passed = lrd_monotonic(&lrd_clock_system) - begin;
  ck_assert_int_ge(passed, 30 * LRD_NS_PER_MS);
  ck_assert_int_lt(passed, 2000 * LRD_NS_PER_MS);
}
END_TEST

static void *wake(void *unused)
{
  lrd_lock(&low);
  woken = 1;
  pthread_cond_signal(&cond);
  lrd_unlock(&low);
  return unused;
}

START_TEST(wakes)
{
  int64_t until = lrd_monotonic(&lrd_clock_system) + 5000 * LRD_NS_PER_MS;
  pthread_t a;
  int error = 0;

  lrd_lock(&low);
  ck_assert_int_eq(pthread_create(&a, NULL, wake, NULL), 0);
  while (!woken && !error)
    error = lrd_cond_wait(&cond, &low, until);
  ck_assert(woken);
  lrd_unlock(&low);
  pthread_join(a, NULL);
}
END_TEST

#ifdef LRD_DEBUG

START_TEST(trap_rank_down)
{
  lrd_lock(&high);
  lrd_lock(&low);
}
END_TEST

START_TEST(trap_index_down)
{
  lrd_lock(&shard[1]);
  lrd_lock(&shard[0]);
}
END_TEST

START_TEST(trap_twice)
{
  lrd_lock(&low);
  lrd_lock(&low);
}
END_TEST

START_TEST(trap_unlock_of_free)
{
  lrd_lock(&low);
  lrd_unlock(&high);
}
END_TEST

START_TEST(trap_held_at_callback)
{
  lrd_lock(&low);
  lrd_lock_assert_none();
}
END_TEST

/* __builtin_trap: which signal is the machine's choice. */
static int trap_signal(void)
{
#if defined __x86_64__ || defined __i386__
  return SIGILL;
#else
  return SIGTRAP;
#endif
}

static void add_traps(Suite *s)
{
  TCase *t = tcase_create("traps");

  tcase_add_checked_fixture(t, make_locks, NULL);
  tcase_add_test_raise_signal(t, trap_rank_down, trap_signal());
  tcase_add_test_raise_signal(t, trap_index_down, trap_signal());
  tcase_add_test_raise_signal(t, trap_twice, trap_signal());
  tcase_add_test_raise_signal(t, trap_unlock_of_free, trap_signal());
  tcase_add_test_raise_signal(t, trap_held_at_callback, trap_signal());
  suite_add_tcase(s, t);
}

#endif

int main(void)
{
  Suite *s = suite_create("lock");
  TCase *t = tcase_create("lock");

  tcase_add_checked_fixture(t, make_locks, NULL);
  tcase_add_test(t, order_is_allowed);
  tcase_add_test(t, excludes);
  tcase_add_test(t, waits_until_the_deadline);
  tcase_add_test(t, wakes);
  suite_add_tcase(s, t);
#ifdef LRD_DEBUG
  add_traps(s);
#endif
  return run_suite(s);
}
