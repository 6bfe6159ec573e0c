/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/index.h"

#include "memory/pool.h"

enum { ITEMS = 20000 };

struct item {
  unsigned number;
  int in, seen, throughout;
  char name[NAME_SIZE];
  size_t len;
};

struct fixture {
  struct pool pool;
  struct lrd_universal_key key;
  struct lrd_index index;
  struct lrd_prng prng;
  struct item *item;
  size_t in;
};

static larder_bytes key_of(const void *p)
{
  const struct item *item = p;
  return (larder_bytes){ item->name, item->len };
}

static void key_from(struct lrd_prng *prng, struct lrd_universal_key *key)
{
  unsigned char *p = (unsigned char *)key;

  for (size_t i = 0; i < sizeof *key; i++)
    p[i] = (unsigned char)lrd_prng_next(prng);
}

static void begin(struct fixture *f, const char *test)
{
  memset(f, 0, sizeof *f);
  pool_init(&f->pool);
  seed_prng(&f->prng, test);
  key_from(&f->prng, &f->key);
  lrd_index_init(&f->index, &f->pool.memory, &f->key, key_of);
  f->item = calloc(ITEMS, sizeof *f->item);
  for (unsigned i = 0; i < ITEMS; i++) {
    f->item[i].number = i;
    f->item[i].len = name_of(i, f->item[i].name).len;
  }
}

static void end(struct fixture *f)
{
  lrd_index_free(&f->index);
  pool_check_empty(&f->pool);
  free(f->item);
}

static uint64_t hash_of(const struct fixture *f, const struct item *item)
{
  return lrd_universal_hash(&f->key, item->name, item->len);
}

static int insert(struct fixture *f, struct item *item)
{
  int failed = lrd_index_insert(&f->index, hash_of(f, item), item);

  if (!failed) {
    item->in = 1;
    f->in++;
  }
  return failed;
}

static void take_out(struct fixture *f, struct item *item)
{
  lrd_index_remove(&f->index, hash_of(f, item), item);
  item->in = 0;
  f->in--;
}

static void compare(const struct fixture *f)
{
  check_ok(lrd_index_check(&f->index));
  ck_assert_uint_eq(f->index.count, f->in);
  for (unsigned i = 0; i < ITEMS; i++) {
    void **place = lrd_index_find(&f->index, hash_of(f, &f->item[i]), key_of(&f->item[i]));
    ck_assert_ptr_eq(place ? *place : NULL, f->item[i].in ? &f->item[i] : NULL);
  }
}

/* Fills up to size and empties down to nearly nothing, at random. */
static void wander(struct fixture *f, unsigned size, unsigned steps, unsigned share)
{
  for (unsigned i = 0; i < steps; i++) {
    struct item *item = &f->item[roll(&f->prng, size)];

    if (roll(&f->prng, 100) < share) {
      if (!item->in)
        ck_assert_int_eq(insert(f, item), 0);
    } else if (item->in) {
      take_out(f, item);
    }
  }
}

START_TEST(does_what_a_model_does)
{
  struct fixture f;

  begin(&f, "index, model");
  compare(&f);
  for (unsigned size = 3; size < ITEMS; size *= 3)
    for (unsigned share = 10; share <= 90; share += 40) {
      wander(&f, size, size * 3, share);
      compare(&f);
    }
  for (unsigned i = 0; i < ITEMS; i++)
    if (f.item[i].in)
      take_out(&f, &f.item[i]);
  compare(&f);
  end(&f);
}
END_TEST

/* Growing and shrinking are spread: no step costs more than a segment. */
START_TEST(no_step_is_expensive)
{
  struct fixture f;
  size_t most = 0;

  begin(&f, "index, steps");
  for (unsigned i = 0; i < ITEMS; i++) {
    size_t before = f.pool.bytes, buckets = f.index.buckets;
    ck_assert_int_eq(insert(&f, &f.item[i]), 0);
    if (f.pool.bytes - before > most && f.pool.bytes > before)
      most = f.pool.bytes - before;
    ck_assert_uint_le(f.index.buckets, buckets + 2);
  }
  ck_assert_uint_le(most, 256 * 64 + 64 + 1024);
  ck_assert_uint_ge(f.index.buckets, ITEMS / 6);
  for (unsigned i = 0; i < ITEMS; i++) {
    size_t buckets = f.index.buckets;
    take_out(&f, &f.item[i]);
    ck_assert_uint_ge(f.index.buckets + 1, buckets);
  }
  ck_assert_uint_le(f.index.buckets, 2);
  end(&f);
}
END_TEST

START_TEST(works_on_without_memory_to_grow)
{
  struct fixture f;
  unsigned failures = 0;

  begin(&f, "index, memory");
  for (unsigned round = 0; round < 200; round++) {
    wander(&f, 2000, 300, 55 - round % 3 * 10);
    for (unsigned i = 0; i < 40; i++) {
      struct item *item = &f.item[2000 + roll(&f.prng, 2000)];

      f.pool.fail_in = (long)roll(&f.prng, 3);
      if (item->in)
        take_out(&f, item);
      else
        failures += insert(&f, item) != 0;
      f.pool.fail_in = -1;
    }
    if (round % 20 == 0)
      compare(&f);
  }
  ck_assert_uint_gt(failures, 0);
  compare(&f);
  end(&f);
}
END_TEST

/* With no memory at all, what is there already can be found and taken out. */
START_TEST(removal_needs_no_memory)
{
  struct fixture f;

  begin(&f, "index, removal");
  wander(&f, 5000, 10000, 80);
  f.pool.fail_in = 0;
  for (unsigned i = 0; i < 5000; i++)
    if (f.item[i].in)
      take_out(&f, &f.item[i]);
  compare(&f);
  end(&f);
}
END_TEST

/* --- scanning ------------------------------------------------------------------- */

static void see(void *context, void *item)
{
  (void)context;
  ((struct item *)item)->seen++;
}

START_TEST(a_scan_sees_what_was_there_throughout)
{
  struct fixture f;

  begin(&f, "index, scan");
  for (unsigned round = 0; round < 60; round++) {
    uint64_t cursor = 0;
    unsigned share = roll(&f.prng, 101), pace = roll(&f.prng, 60), calls = 0;

    wander(&f, 4000, roll(&f.prng, 12000), roll(&f.prng, 101));
    for (unsigned i = 0; i < ITEMS; i++) {
      f.item[i].seen = 0;
      f.item[i].throughout = f.item[i].in;
    }
    do {
      cursor = lrd_index_scan(&f.index, cursor, see, NULL);
      for (unsigned i = 0; i < pace; i++) {
        struct item *item = &f.item[roll(&f.prng, 4000)];

        if (item->in && roll(&f.prng, 100) >= share) {
          take_out(&f, item);
          item->throughout = 0;
        } else if (!item->in && roll(&f.prng, 100) < share) {
          ck_assert_int_eq(insert(&f, item), 0);
        }
      }
    } while (cursor && ++calls < 1000000);
    ck_assert_uint_eq(cursor, 0);
    for (unsigned i = 0; i < ITEMS; i++)
      ck_assert_msg(!f.item[i].throughout || f.item[i].seen, "item %u was missed", i);
  }
  end(&f);
}
END_TEST

START_TEST(an_undisturbed_scan_sees_each_once)
{
  struct fixture f;
  uint64_t cursor = 0;

  begin(&f, "index, once");
  wander(&f, 7000, 9000, 90);
  do
    cursor = lrd_index_scan(&f.index, cursor, see, NULL);
  while (cursor);
  for (unsigned i = 0; i < ITEMS; i++)
    ck_assert_int_eq(f.item[i].seen, f.item[i].in);
  end(&f);
}
END_TEST

static void take_out_some(void *context, void *p)
{
  struct fixture *f = context;
  struct item *item = p, *other = &f->item[roll(&f->prng, 3000)];

  if (roll(&f->prng, 2))
    take_out(f, item);
  if (other->in && roll(&f->prng, 8) == 0)
    take_out(f, other);
}

START_TEST(a_visit_may_remove)
{
  struct fixture f;

  begin(&f, "index, removing visits");
  for (unsigned round = 0; round < 50; round++) {
    uint64_t cursor = 0;

    wander(&f, 3000, 6000, 90);
    do
      cursor = lrd_index_scan(&f.index, cursor, take_out_some, &f);
    while (cursor);
    for (unsigned i = 0; i < 3000; i++) {
      void **place = lrd_index_find(&f.index, hash_of(&f, &f.item[i]), key_of(&f.item[i]));
      ck_assert_int_eq(place != NULL, f.item[i].in);
    }
  }
  end(&f);
}
END_TEST

START_TEST(any_cursor_is_safe)
{
  struct fixture f;

  begin(&f, "index, cursors");
  ck_assert_uint_eq(lrd_index_scan(&f.index, 12345, see, NULL), 0);
  wander(&f, 3000, 6000, 90);
  for (unsigned i = 0; i < 20000; i++) {
    uint64_t cursor = lrd_prng_next(&f.prng) >> roll(&f.prng, 64);
    ck_assert_uint_lt(lrd_index_scan(&f.index, cursor, see, NULL),
                      f.index.buckets);
  }
  end(&f);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("index");
  TCase *tests = tcase_create("index");

  tcase_add_test(tests, does_what_a_model_does);
  tcase_add_test(tests, no_step_is_expensive);
  tcase_add_test(tests, works_on_without_memory_to_grow);
  tcase_add_test(tests, removal_needs_no_memory);
  tcase_add_test(tests, a_scan_sees_what_was_there_throughout);
  tcase_add_test(tests, an_undisturbed_scan_sees_each_once);
  tcase_add_test(tests, a_visit_may_remove);
  tcase_add_test(tests, any_cursor_is_safe);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
