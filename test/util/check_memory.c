/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>

#include "support/check.h"
#include "util/arena.h"
#include "util/buffer.h"
#include "util/clock.h"
#include "util/heap.h"
#include "util/memory.h"

START_TEST(zeroed_and_overflow)
{
  struct heap h;
  unsigned char *p;
  size_t i;

  heap_init(&h, 0);
  p = lrd_allocate_zeroed(&h.memory, 7, 9);
  for (i = 0; i < 63; i++)
    ck_assert_uint_eq(p[i], 0);
  lrd_release(&h.memory, p, 63);
  lrd_release(&h.memory, NULL, 5);
  ck_assert_ptr_null(lrd_allocate_zeroed(&h.memory, SIZE_MAX / 2, 3));
  ck_assert_uint_eq(h.requests, 1);
  ck_assert_uint_eq(h.blocks, 0);
  ck_assert(!h.wrong_size);
}
END_TEST

START_TEST(wipe_overwrites)
{
  char secret[] = "0123456789abcdef";
  size_t i;

  lrd_wipe(secret, 10);
  for (i = 0; i < 10; i++)
    ck_assert_int_eq(secret[i], 0);
  ck_assert_str_eq(secret + 10, "abcdef");
}
END_TEST

/* --- arena --------------------------------------------------------------- */

/* Many blocks of many sizes; each is filled and must keep what it holds. */
static int fill_arena(struct lrd_arena *a)
{
  enum { N = 300 };
  unsigned char *p[N];
  size_t size[N], i, k;

  for (i = 0; i < N; i++) {
    size[i] = i % 40 == 39 ? 100000 : i * 7 % 500;
    p[i] = lrd_arena_allocate(a, size[i]);
    if (!p[i])
      return -1;
    ck_assert_uint_eq((uintptr_t)p[i] % 16, 0);
    memset(p[i], (int)i, size[i]);
  }
  for (i = 0; i < N; i++)
    for (k = 0; k < size[i]; k++)
      ck_assert_uint_eq(p[i][k], (unsigned char)i);
  return 0;
}

START_TEST(arena_keeps_and_frees)
{
  struct lrd_arena a;
  struct heap h;
  larder_memory gone;

  heap_init(&h, 0);
  gone = h.memory;
  lrd_arena_init(&a, &gone);
  ck_assert_str_eq(lrd_arena_copy(&a, "", 0), "");
  memset(&gone, 0, sizeof gone); /* the arena lives on its own copy */
  ck_assert_int_eq(fill_arena(&a), 0);
  ck_assert(!memcmp(lrd_arena_copy(&a, "a\0b", 3), "a\0b", 4));
  ck_assert_ptr_null(lrd_arena_allocate(&a, SIZE_MAX - 8));
  ck_assert_ptr_null(lrd_arena_copy(&a, "", SIZE_MAX));
  ck_assert_uint_lt(h.requests, 30); /* blocks double */
  lrd_arena_free(&a);
  ck_assert_uint_eq(h.blocks, 0);
  ck_assert_uint_eq(h.bytes, 0);
  ck_assert(!h.wrong_size);
  lrd_arena_free(&a);
}
END_TEST

START_TEST(arena_small_reply_is_one_block)
{
  struct lrd_arena a;
  struct heap h;

  heap_init(&h, 0);
  lrd_arena_init(&a, &h.memory);
  ck_assert_uint_eq(h.requests, 0);
  lrd_arena_allocate(&a, 100);
  lrd_arena_allocate(&a, 600);
  ck_assert_uint_eq(h.requests, 1);
  lrd_arena_free(&a);
}
END_TEST

START_TEST(arena_survives_each_failure)
{
  struct lrd_arena a;
  struct heap h;
  size_t n;
  int done = 0;

  for (n = 1; !done; n++) {
    heap_init(&h, n);
    lrd_arena_init(&a, &h.memory);
    done = !fill_arena(&a);
    ck_assert_uint_lt(n, 1000);
    ck_assert(done == (h.requests < n));
    lrd_arena_free(&a);
    ck_assert_uint_eq(h.blocks, 0);
    ck_assert_uint_eq(h.bytes, 0);
    ck_assert(!h.wrong_size);
  }
  ck_assert_uint_gt(n, 5);
}
END_TEST

/* --- buffer -------------------------------------------------------------- */

START_TEST(buffer_grows_and_consumes)
{
  struct lrd_buffer b;
  struct heap h;
  size_t i;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 0);
  ck_assert_uint_eq(h.requests, 0);
  ck_assert_int_eq(lrd_buffer_append(&b, NULL, 0), 0);
  for (i = 0; i < 10000; i++)
    ck_assert_int_eq(lrd_buffer_append(&b, "abc", 3), 0);
  ck_assert_uint_eq(b.len, 30000);
  ck_assert_uint_lt(h.requests, 12);
  lrd_buffer_consume(&b, 0);
  lrd_buffer_consume(&b, 29995);
  ck_assert_uint_eq(b.len, 5);
  ck_assert(!memcmp(b.data, "bcabc", 5));
  lrd_buffer_consume(&b, 99);
  ck_assert_uint_eq(b.len, 0);
  ck_assert(!b.failed);
  lrd_buffer_free(&b);
  ck_assert_uint_eq(h.bytes, 0);
  ck_assert(!h.wrong_size);
}
END_TEST

START_TEST(buffer_has_a_limit)
{
  struct lrd_buffer b;
  struct heap h;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 1000);
  ck_assert_int_eq(lrd_buffer_reserve(&b, 1000), 0);
  ck_assert_uint_le(b.capacity, 1000);
  ck_assert_int_eq(lrd_buffer_append(&b, "xyz", 3), 0);
  ck_assert_int_eq(lrd_buffer_reserve(&b, 998), -1);
  ck_assert(b.failed);
  ck_assert_int_eq(lrd_buffer_reserve(&b, SIZE_MAX), -1);
  ck_assert_uint_eq(b.len, 3);
  lrd_buffer_free(&b);
  lrd_buffer_init(&b, &h.memory, 0);
  ck_assert_int_eq(lrd_buffer_reserve(&b, SIZE_MAX - 3), -1);
  lrd_buffer_free(&b);
  ck_assert_uint_eq(h.bytes, 0);
}
END_TEST

START_TEST(buffer_survives_each_failure)
{
  struct lrd_buffer b;
  struct heap h;
  size_t n, i;

  for (n = 1; n < 8; n++) {
    heap_init(&h, n);
    lrd_buffer_init(&b, &h.memory, 0);
    for (i = 0; i < 5000 && !lrd_buffer_append(&b, "0123456789", 10); i++)
      ;
    ck_assert(b.failed);
    ck_assert_uint_eq(b.len, i * 10);
    for (; i; i--)
      ck_assert(!memcmp(b.data + (i - 1) * 10, "0123456789", 10));
    lrd_buffer_free(&b);
    ck_assert_uint_eq(h.bytes, 0);
    ck_assert(!h.wrong_size);
  }
}
END_TEST

/* --- clock --------------------------------------------------------------- */

static int64_t fixed_time(void *context)
{
  return *(int64_t *)context;
}

START_TEST(poll_timeouts_round_up)
{
  int64_t now = 5000;
  larder_clock c = { fixed_time, fixed_time, &now };

  ck_assert_int_eq(lrd_clock_poll_ms(&c, 5000), 0);
  ck_assert_int_eq(lrd_clock_poll_ms(&c, INT64_MIN), 0);
  ck_assert_int_eq(lrd_clock_poll_ms(&c, 5001), 1);
  ck_assert_int_eq(lrd_clock_poll_ms(&c, 5000 + LRD_NS_PER_MS), 1);
  ck_assert_int_eq(lrd_clock_poll_ms(&c, 5001 + LRD_NS_PER_MS), 2);
  ck_assert_int_eq(lrd_clock_poll_ms(&c, INT64_MAX), 60000);
  ck_assert_int_eq(lrd_wall_ms(&c), 5);
  now = -5;
  ck_assert_int_eq(lrd_clock_poll_ms(&c, INT64_MAX), 60000);
  ck_assert_int_eq(lrd_clock_poll_ms(&c, -4), 1);
}
END_TEST

START_TEST(system_clock_runs)
{
  int64_t a = lrd_monotonic(&lrd_clock_system), b = lrd_monotonic(&lrd_clock_system);

  ck_assert_int_le(a, b);
  ck_assert_int_gt(lrd_wall_ms(&lrd_clock_system), INT64_C(1600000000000));
}
END_TEST

int main(void)
{
  Suite *s = suite_create("memory");
  TCase *t = tcase_create("memory");

  tcase_add_test(t, zeroed_and_overflow);
  tcase_add_test(t, wipe_overwrites);
  tcase_add_test(t, arena_keeps_and_frees);
  tcase_add_test(t, arena_small_reply_is_one_block);
  tcase_add_test(t, arena_survives_each_failure);
  tcase_add_test(t, buffer_grows_and_consumes);
  tcase_add_test(t, buffer_has_a_limit);
  tcase_add_test(t, buffer_survives_each_failure);
  tcase_add_test(t, poll_timeouts_round_up);
  tcase_add_test(t, system_clock_runs);
  suite_add_tcase(s, t);
  return run_suite(s);
}
