/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/evict_shard.h"
#include "memory/rig.h"

/* The parts of S3-FIFO: its queues, and what it remembers of keys that went. */

START_TEST(fifo_is_one)
{
  struct pool pool;
  struct lrd_fifo f = { 0 };
  struct lrd_prng prng;
  uint64_t in = 0, out = 0, word;

  pool_init(&pool);
  lrd_prng_seed(&prng, 42);
  for (int i = 0; i < 20000; i++) {
    int grows = i / 2500 % 2 == 0;

    if (lrd_prng_below(&prng, 10) < (grows ? 7 : 3)) {
      ck_assert_int_eq(lrd_fifo_push(&f, &pool.memory, in++), 0);
    } else {
      ck_assert_int_eq(lrd_fifo_pop(&f, &pool.memory, &word), in > out);
      if (in > out)
        ck_assert_uint_eq(word, out++);
    }
    ck_assert_uint_eq(f.count, in - out);
    ck_assert_ptr_null(lrd_fifo_check(&f));
  }
  lrd_fifo_drop(&f, &pool.memory);
  ck_assert_ptr_null(lrd_fifo_check(&f));
  pool_check_empty(&pool);
}
END_TEST

START_TEST(ghost_remembers)
{
  enum { SIZE = 10000 };
  struct pool pool;
  struct lrd_ghost g = { 0 };
  struct lrd_prng prng;
  uint64_t hash[2 * SIZE];
  int known = 0, strange = 0;

  pool_init(&pool);
  lrd_prng_seed(&prng, 7);
  for (int i = 0; i < 2 * SIZE; i++) {
    hash[i] = lrd_prng_next(&prng);
    lrd_ghost_add(&g, &pool.memory, hash[i], SIZE);
  }
  for (int i = 3 * SIZE / 2; i < 2 * SIZE; i++)
    known += lrd_ghost_take(&g, hash[i]);
  for (int i = 0; i < SIZE; i++)
    strange += lrd_ghost_take(&g, lrd_prng_next(&prng));
  ck_assert_int_gt(known, SIZE / 2 * 85 / 100);
  ck_assert_int_lt(strange, SIZE / 500);
  ck_assert_uint_lt(pool.bytes, 3 * SIZE);
  for (int i = 0; i < 100; i++)
    lrd_ghost_add(&g, &pool.memory, lrd_prng_next(&prng), 100);
  ck_assert_uint_lt(pool.bytes, 4096);
  lrd_ghost_drop(&g, &pool.memory);
  pool_check_empty(&pool);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("fifo");
  TCase *t = tcase_create("fifo");

  tcase_set_timeout(t, 600);
  tcase_add_test(t, fifo_is_one);
  tcase_add_test(t, ghost_remembers);
  suite_add_tcase(s, t);
  return run_suite(s);
}
