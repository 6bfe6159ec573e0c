/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/table.h"

#include "memory/packed.h"
#include "memory/pool.h"

/* CURE: removals with memory that make up for all that were without.  There are at
 * most (OTHERS + 2 CROWD) / 5.5 + 1 = 569 buckets, 30 are wanted, and each removal
 * brings them nearer by 1.75. */
enum { CROWD = 60, OTHERS = 3000, MASK = 255, CURE = 310 };

/* Items that all fall into bucket 0, or into bucket MASK, of any table of up to
 * MASK + 1 buckets, and others that make it grow. */
struct fixture {
  struct pool pool;
  struct lrd_prng prng;
  struct lrd_table *table;
  unsigned char crowd[2][CROWD][16], other[OTHERS][16];
};

static void make_item(unsigned char *item, const char *format, unsigned i)
{
  char text[16];
  larder_bytes key = { text, (size_t)snprintf(text, sizeof text, format, i) };

  lrd_blob_write(item, key);
}

static uint64_t hash_of(const struct fixture *f, const unsigned char *item)
{
  return lrd_table_hash(f->table, lrd_blob(item));
}

static struct fixture *begin(void)
{
  struct fixture *f = calloc(1, sizeof *f);
  unsigned i, k, next = 0;

  pool_init(&f->pool);
  seed_prng(&f->prng, "table");
  f->table = lrd_table_new(&f->pool.memory, &f->pool.key);
  ck_assert_ptr_nonnull(f->table);
  for (k = 0; k < 2; k++)
    for (i = 0; i < CROWD; i++)
      do
        make_item(f->crowd[k][i], "c%u", next++);
      while ((hash_of(f, f->crowd[k][i]) & MASK) != (k ? MASK : 0));
  for (i = 0; i < OTHERS; i++)
    make_item(f->other[i], "o%u", i);
  return f;
}

/* The items are the fixture's. */
static void keep(const larder_memory *memory, const unsigned char *item)
{
  (void)memory;
  (void)item;
}

static void end(struct fixture *f)
{
  lrd_table_free(f->table, &f->pool.memory, keep);
  pool_check_empty(&f->pool);
  free(f);
}

static void insert(struct fixture *f, const unsigned char *item)
{
  ck_assert_int_eq(lrd_table_reserve(f->table, &f->pool.memory, 1), 0);
  f->pool.fail_in = roll(&f->prng, 2) ? 0 : -1; /* nothing more is needed */
  lrd_table_insert(f->table, &f->pool.memory, hash_of(f, item), item);
  f->pool.fail_in = -1;
  lrd_table_unreserve(f->table, &f->pool.memory);
}

static void take_out(struct fixture *f, const unsigned char *item, int may_fail)
{
  f->pool.fail_in = may_fail && roll(&f->prng, 2) ? (long)roll(&f->prng, 3) : -1;
  ck_assert_ptr_eq(
      lrd_table_remove(f->table, &f->pool.memory, hash_of(f, item), lrd_blob(item)), item);
  ck_assert_ptr_null(
      lrd_table_remove(f->table, &f->pool.memory, hash_of(f, item), lrd_blob(item)));
  f->pool.fail_in = -1;
}

static void check_there(struct fixture *f, const unsigned char *item, int there)
{
  const unsigned char **place = lrd_table_find(f->table, hash_of(f, item), lrd_blob(item));

  ck_assert_int_eq(place != NULL, there);
  if (there)
    ck_assert_ptr_eq(*place, item);
}

/* Long chains are split and merged while memory fails. */
START_TEST(crowded_buckets)
{
  struct fixture *f = begin();
  unsigned i, round;

  for (round = 0; round < 3; round++) {
    for (i = 0; i < CROWD; i++) {
      insert(f, f->crowd[0][i]);
      insert(f, f->crowd[1][i]);
      check_ok(lrd_table_check(f->table));
    }
    for (i = 0; i < OTHERS; i++) {
      insert(f, f->other[i]);
      if (i % 10 == 0)
        check_ok(lrd_table_check(f->table));
    }
    ck_assert_uint_gt(f->table->buckets, MASK);
    for (i = 0; i < CROWD; i++) {
      check_there(f, f->crowd[0][i], 1);
      check_there(f, f->crowd[1][i], 1);
    }
    for (i = 0; i < OTHERS; i++) {
      take_out(f, f->other[i], i < OTHERS - CURE);
      check_ok(lrd_table_check(f->table));
    }
    ck_assert_uint_le(f->table->buckets, 2 * CROWD / LRD_TABLE_SPARSE);
    for (i = 0; i < CROWD; i++) {
      take_out(f, f->crowd[round % 2][CROWD - 1 - i], 1);
      take_out(f, f->crowd[!(round % 2)][i], 1);
      check_ok(lrd_table_check(f->table));
    }
    ck_assert_uint_eq(f->table->count, 0);
  }
  end(f);
}
END_TEST

/* What was built to meet under one key does not under another. */
START_TEST(crowds_belong_to_their_key)
{
  struct fixture *f = begin();
  struct lrd_universal_key other;
  struct lrd_table *table;
  unsigned i;

  ck_assert_int_eq(lrd_universal_init(&other), 0);
  table = lrd_table_new(&f->pool.memory, &other);
  ck_assert_ptr_nonnull(table);
  for (i = 0; i < CROWD; i++) {
    insert(f, f->crowd[0][i]);
    ck_assert_int_eq(lrd_table_reserve(table, &f->pool.memory, 1), 0);
    lrd_table_insert(table, &f->pool.memory, lrd_table_hash(table, lrd_blob(f->crowd[0][i])),
                     f->crowd[0][i]);
  }
  check_ok(lrd_table_check(table));
  ck_assert_uint_eq(f->table->longest, CROWD);
  /* 3.75 on average; 20 once in 10^8 */
  ck_assert_uint_lt(table->longest, 20);
  lrd_table_free(table, &f->pool.memory, keep);
  end(f);
}
END_TEST

/* A crowd's members have no other chance than the others. */
START_TEST(crowds_are_sampled_fairly)
{
  struct fixture *f = begin();
  unsigned i, crowd = 0, draws = 40000, expected = draws / 5;

  for (i = 0; i < CROWD; i++)
    insert(f, f->crowd[0][i]);
  for (i = 0; i < 4 * CROWD; i++)
    insert(f, f->other[i]);
  for (i = 0; i < draws; i++) {
    const unsigned char *item = lrd_table_sample(f->table, &f->prng);
    crowd += lrd_blob(item).data[0] == 'c';
  }
  ck_assert_uint_gt(crowd, expected - 500); /* six standard deviations are 480 */
  ck_assert_uint_lt(crowd, expected + 500);
  end(f);
}
END_TEST

/* What is taken is the same an item whatever their number: here the buckets and
 * chains of the table alone. */
START_TEST(bytes_an_item)
{
  struct fixture *f = begin();
  unsigned i;

  for (i = 0; i < OTHERS; i++) {
    insert(f, f->other[i]);
    if (i >= 1000) /* 1 for segments not yet used, 3 for the unevenness of random ones */
      ck_assert_uint_le(f->pool.bytes, (i + 1) * (15 + 3) + 256 * 64 + sizeof *f->table);
  }
  end(f);
}
END_TEST

/* Bucket by bucket everything goes, a bounded number of items at a time. */
START_TEST(drained_in_steps)
{
  struct fixture *f = begin();
  size_t left, count, steps = 0;
  unsigned i;

  for (i = 0; i < OTHERS; i++)
    insert(f, f->other[i]);
  do {
    count = f->table->count;
    left = lrd_table_drain(f->table, &f->pool.memory, keep, 100);
    ck_assert_uint_le(count - f->table->count, 100 + f->table->longest);
    steps++;
  } while (!left);
  ck_assert_uint_eq(f->table->count, 0);
  ck_assert_uint_ge(steps, OTHERS / 200);
  end(f);
}
END_TEST

/* No insert and no removal allocates, or frees, more than a few blocks. */
START_TEST(no_step_is_long)
{
  struct fixture *f = begin();
  size_t before;
  unsigned i;

  for (i = 0; i < OTHERS; i++) {
    size_t buckets = f->table->buckets;
    before = f->pool.blocks;
    insert(f, f->other[i]);
    ck_assert_uint_le(f->table->buckets - buckets, 2);
    ck_assert_uint_le(f->pool.blocks - before + 8, 8 + 3);
  }
  end(f);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("table");
  TCase *t = tcase_create("table");

  tcase_set_timeout(t, 120);
  tcase_add_test(t, crowded_buckets);
  tcase_add_test(t, crowds_belong_to_their_key);
  tcase_add_test(t, crowds_are_sampled_fairly);
  tcase_add_test(t, bytes_an_item);
  tcase_add_test(t, drained_in_steps);
  tcase_add_test(t, no_step_is_long);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
