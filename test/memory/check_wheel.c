/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/wheel.h"

#include "memory/pool.h"

enum { TIMERS = 3000 };

struct fixture {
  struct lrd_wheel wheel;
  struct lrd_timer timer[TIMERS];
  struct lrd_prng prng;
  int64_t now;
  size_t due, most; /* most: shown and not yet handed out */
  unsigned char shown[TIMERS];
};

static void fell_due(void *context, struct lrd_timer *t)
{
  struct fixture *f = context;

  ck_assert_ptr_null(t->link);
  ck_assert_int_lt(t->at, f->now);
  t->at = -1;
  f->due++;
}

static void show(void *context, struct lrd_timer *t)
{
  struct fixture *f = context;

  ck_assert_ptr_nonnull(t->link);
  ck_assert_int_lt(t->at, f->now);
  f->shown[t - f->timer] = 1;
}

static void shown_fell_due(void *context, struct lrd_timer *t)
{
  struct fixture *f = context;
  size_t shown = 0;

  fell_due(f, t);
  ck_assert(f->shown[t - f->timer]);
  for (unsigned i = 0; i < TIMERS; i++)
    shown += f->shown[i];
  if (shown > f->most)
    f->most = shown;
  f->shown[t - f->timer] = 0;
}

static void begin(struct fixture *f, const char *test, int64_t now)
{
  memset(f, 0, sizeof *f);
  seed_prng(&f->prng, test);
  f->now = now;
  lrd_wheel_init(&f->wheel, now);
}

/* Nothing is early, and nothing that was due a tick ago is still there. */
static void check_all(const struct fixture *f)
{
  size_t armed = 0;

  for (unsigned i = 0; i < TIMERS; i++)
    if (f->timer[i].link) {
      ck_assert_int_gt(f->timer[i].at + LRD_WHEEL_TICK_MS, f->now - 1);
      armed++;
    }
  ck_assert_uint_eq(f->wheel.armed, armed);
  check_ok(lrd_wheel_check(&f->wheel));
}

static int64_t some_time(struct fixture *f)
{
  unsigned bits = roll(&f->prng, 50);
  return f->now - 5 + (int64_t)(lrd_prng_next(&f->prng) & ((UINT64_C(1) << bits) - 1));
}

static void change_some(struct fixture *f, unsigned changes)
{
  for (unsigned i = 0; i < changes; i++) {
    struct lrd_timer *t = &f->timer[roll(&f->prng, TIMERS)];

    lrd_wheel_disarm(&f->wheel, t);
    if (roll(&f->prng, 3))
      lrd_wheel_arm(&f->wheel, t, some_time(f));
    check_ok(lrd_wheel_check(&f->wheel));
  }
}

START_TEST(everything_falls_due_in_its_time)
{
  struct fixture f;

  begin(&f, "wheel", INT64_C(1700000000000));
  for (unsigned round = 0; round < 3000; round++) {
    int64_t step = (int64_t)(lrd_prng_next(&f.prng) & ((UINT64_C(1) << roll(&f.prng, 40)) - 1));
    int64_t next;

    change_some(&f, roll(&f.prng, 20));
    next = lrd_wheel_next(&f.wheel);
    for (unsigned i = 0; i < TIMERS; i++)
      if (f.timer[i].link)
        ck_assert_int_le(next, f.timer[i].at + LRD_WHEEL_TICK_MS);
    ck_assert_int_eq(next < 0, f.wheel.armed == 0);
    f.now += step;
    while (!lrd_wheel_advance(&f.wheel, f.now, 1 + roll(&f.prng, 50), fell_due, NULL, &f))
      change_some(&f, roll(&f.prng, 2));
    check_all(&f);
  }
  ck_assert_uint_gt(f.due, 1000);
}
END_TEST

START_TEST(a_slice_is_bounded)
{
  struct fixture f;
  size_t slices = 0;

  begin(&f, "wheel, slices", 5000);
  for (unsigned i = 0; i < TIMERS; i++)
    lrd_wheel_arm(&f.wheel, &f.timer[i], 100000 + i % 7);
  f.now = 200000;
  for (size_t before = 0; !lrd_wheel_advance(&f.wheel, f.now, 10, fell_due, NULL, &f); slices++) {
    ck_assert_uint_le(f.due - before, 10);
    before = f.due;
  }
  ck_assert_uint_eq(f.due, TIMERS);
  ck_assert_uint_ge(slices, TIMERS / 10);
  ck_assert_uint_eq(f.wheel.armed, 0);
  ck_assert_int_eq(lrd_wheel_next(&f.wheel), -1);
}
END_TEST

START_TEST(extreme_times_are_in_order)
{
  struct fixture f;
  static const int64_t at[] = { -5, 0, 1, INT64_MAX, INT64_MAX - 1, INT64_C(1) << 62 };

  begin(&f, "wheel, extremes", 0);
  for (unsigned i = 0; i < 6; i++)
    lrd_wheel_arm(&f.wheel, &f.timer[i], at[i]);
  f.now = 32;
  ck_assert_uint_gt(lrd_wheel_advance(&f.wheel, f.now, 100, fell_due, NULL, &f), 0);
  ck_assert_uint_eq(f.due, 3);
  f.now = INT64_MAX - 1;
  ck_assert_uint_gt(lrd_wheel_advance(&f.wheel, f.now, 1000, fell_due, NULL, &f), 0);
  ck_assert_uint_eq(f.due, 4);
  ck_assert_uint_eq(f.wheel.armed, 2);
  lrd_wheel_disarm(&f.wheel, &f.timer[3]);
  lrd_wheel_disarm(&f.wheel, &f.timer[4]);
  ck_assert_int_eq(lrd_wheel_next(&f.wheel), -1);
}
END_TEST

START_TEST(a_clock_set_back_only_delays)
{
  struct fixture f;

  begin(&f, "wheel, clock", 1000000);
  lrd_wheel_arm(&f.wheel, &f.timer[0], 2000000);
  f.now = 1500000;
  (void)lrd_wheel_advance(&f.wheel, f.now, 100, fell_due, NULL, &f);
  f.now = 1200000;
  lrd_wheel_arm(&f.wheel, &f.timer[1], 1300000);
  (void)lrd_wheel_advance(&f.wheel, f.now, 100, fell_due, NULL, &f);
  f.now = 1400000;
  (void)lrd_wheel_advance(&f.wheel, f.now, 100, fell_due, NULL, &f);
  f.now = 1500016;
  (void)lrd_wheel_advance(&f.wheel, f.now, 100, fell_due, NULL, &f);
  ck_assert_uint_eq(f.due, 1);
  f.now = 2000032;
  (void)lrd_wheel_advance(&f.wheel, f.now, 100, fell_due, NULL, &f);
  ck_assert_uint_eq(f.due, 2);
}
END_TEST

START_TEST(a_timer_may_be_moved)
{
  struct fixture f;
  struct lrd_timer elsewhere;

  begin(&f, "wheel, moving", 1000);
  for (unsigned i = 0; i < 3; i++)
    lrd_wheel_arm(&f.wheel, &f.timer[i], 5000);
  elsewhere = f.timer[1];
  memset(&f.timer[1], 0xff, sizeof f.timer[1]);
  lrd_wheel_moved(&elsewhere);
  f.now = 6000;
  (void)lrd_wheel_advance(&f.wheel, f.now, 100, fell_due, NULL, &f);
  ck_assert_uint_eq(f.due, 3);
  ck_assert_int_eq(elsewhere.at, -1);
}
END_TEST

/* Each is shown before it is handed out, some of them at a time, and no other. */
START_TEST(timers_are_shown_before)
{
  struct fixture f;

  begin(&f, "shown", 1000000);
  for (unsigned i = 0; i < TIMERS; i++)
    lrd_wheel_arm(&f.wheel, &f.timer[i], 1000000 + (i % 3 ? 100 : roll(&f.prng, 100000)));
  while (f.wheel.armed) {
    f.now += roll(&f.prng, 2000);
    while (!lrd_wheel_advance(&f.wheel, f.now, 1 + roll(&f.prng, 50), shown_fell_due, show, &f))
      check_ok(lrd_wheel_check(&f.wheel));
  }
  ck_assert_uint_eq(f.due, TIMERS);
  ck_assert_uint_gt(f.most, 4);
  ck_assert_uint_lt(f.most, 64);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("wheel");
  TCase *tests = tcase_create("wheel");

  tcase_add_test(tests, timers_are_shown_before);
  tcase_add_test(tests, everything_falls_due_in_its_time);
  tcase_add_test(tests, a_slice_is_bounded);
  tcase_add_test(tests, extreme_times_are_in_order);
  tcase_add_test(tests, a_clock_set_back_only_delays);
  tcase_add_test(tests, a_timer_may_be_moved);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
