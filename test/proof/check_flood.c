/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "memory/index.h"
#include "memory/pool.h"
#include "support/check.h"
#include "util/universal.h"
#include "util/memory.h"

/*
 * Hash flooding: who does not know a store's key can't choose names that meet in its
 * table.  Names are searched that meet under a key that is known; under any other
 * one they are like names by chance, and so are rows of names that people use.
 */

enum { NAME = 24, NAMES = 4000 };

static struct lrd_universal_key some_key(struct lrd_prng *prng)
{
  struct lrd_universal_key key;
  unsigned char *p = (unsigned char *)&key;

  for (size_t i = 0; i < sizeof key; i++)
    p[i] = (unsigned char)lrd_prng_next(prng);
  return key;
}

/* --- chains ---------------------------------------------------------------------- */

struct item {
  size_t len;
  char name[NAME];
};

static unsigned long asked; /* how often the index looked at a name */

static larder_bytes name_of_item(const void *context)
{
  const struct item *item = context;

  asked++;
  return (larder_bytes){ item->name, item->len };
}

static struct item by_chance(struct lrd_prng *prng)
{
  struct item item;

  item.len = (size_t)snprintf(item.name, NAME, "%016llx",
                              (unsigned long long)lrd_prng_next(prng));
  return item;
}

/* How many names the index compares, in all, when each of them is looked up. */
static unsigned long cost(const struct lrd_universal_key *key, const struct item *items)
{
  struct lrd_index index;

  lrd_index_init(&index, &lrd_memory_system, key, name_of_item);
  for (int i = 0; i < NAMES; i++)
    ck_assert_int_eq(lrd_index_insert(&index,
                                      lrd_universal_hash(key, items[i].name, items[i].len),
                                      (void *)(uintptr_t)&items[i]), 0);
  asked = 0;
  for (int i = 0; i < NAMES; i++)
    ck_assert_ptr_nonnull(lrd_index_find(&index,
                                         lrd_universal_hash(key, items[i].name, items[i].len),
                                         (larder_bytes){ items[i].name, items[i].len }));
  lrd_index_free(&index);
  return asked;
}

/* Names that all lie in one bucket of a thousand, so that chains grow long. */
static void collide(struct lrd_prng *prng, const struct lrd_universal_key *key, struct item *items)
{
  enum { LOW = 10 };
  const uint64_t mask = ((uint64_t)1 << LOW) - 1;
  uint64_t wanted = lrd_prng_next(prng) & mask;

  for (int i = 0; i < NAMES; i++)
    do
      items[i] = by_chance(prng);
    while ((lrd_universal_hash(key, items[i].name, items[i].len) & mask) != wanted);
}

START_TEST(names_that_meet_under_one_key_do_not_under_another)
{
  static struct item bad[NAMES], good[NAMES];
  struct lrd_universal_key known, other;
  struct lrd_prng prng;
  unsigned long random, flooded;

  seed_prng(&prng, "flood");
  known = some_key(&prng);
  other = some_key(&prng);
  collide(&prng, &known, bad);
  for (int i = 0; i < NAMES; i++)
    good[i] = by_chance(&prng);
  random = cost(&other, good);
  flooded = cost(&other, bad);
  ck_assert_uint_le(flooded, 3 * random);
  /* they do meet where they were made to: this test can fail */
  ck_assert_uint_gt(cost(&known, bad), 3 * random);
}
END_TEST

/* --- rows of names ----------------------------------------------------------------- */

enum { BINS = 256, ROW = 65536 };

typedef size_t make_name(uint64_t i, unsigned char name[80]);

static size_t number(uint64_t i, unsigned char name[80])
{
  return (size_t)snprintf((char *)name, 80, "%llu", (unsigned long long)i);
}

static size_t binary(uint64_t i, unsigned char name[80])
{
  memcpy(name, &i, 8);
  return 8;
}

static size_t prefixed(uint64_t i, unsigned char name[80])
{
  return (size_t)snprintf((char *)name, 80, "application:tenant:00000017:session:user:%llu",
                          (unsigned long long)i);
}

static size_t suffixed(uint64_t i, unsigned char name[80])
{
  return (size_t)snprintf((char *)name, 80, "%llu:session:of:a:user:with:a:long:suffix",
                          (unsigned long long)i);
}

/* 64 bytes with two bits set, one in each half. */
static size_t sparse(uint64_t i, unsigned char name[80])
{
  memset(name, 0, 64);
  name[i % 256 / 8] = (unsigned char)(1u << i % 8);
  name[32 + i / 256 / 8] = (unsigned char)(1u << i / 256 % 8);
  return 64;
}

/* High bytes only: what a multiplication without folding loses. */
static size_t high(uint64_t i, unsigned char name[80])
{
  uint64_t word = i << 48;

  memset(name, 0, 32);
  memcpy(name + 8, &word, 8);
  return 32;
}

static make_name *const rows[] = { number, binary, prefixed, suffixed, sparse, high };

/* How far the bits from shift on are from being spread evenly, in standard deviations
 * of the chi-square distribution. */
static double unevenness(const struct lrd_universal_key *key, make_name *name, unsigned shift)
{
  unsigned count[BINS] = { 0 };
  unsigned char text[80];
  double chi = 0, mean = (double)ROW / BINS;

  for (uint64_t i = 0; i < ROW; i++) {
    size_t len = name(i, text);

    count[(lrd_universal_hash(key, text, len) >> shift) % BINS]++;
  }
  for (int i = 0; i < BINS; i++)
    chi += (count[i] - mean) * (count[i] - mean) / mean;
  return (chi - (BINS - 1)) / sqrt(2.0 * (BINS - 1));
}

/* Beyond six deviations is once in a billion for a normal distribution; this one's tail
 * is a little longer. */
START_TEST(rows_of_names_are_spread_evenly)
{
  struct lrd_prng prng;

  seed_prng(&prng, "rows");
  for (int k = 0; k < 8; k++) {
    struct lrd_universal_key key = some_key(&prng);

    for (unsigned shift = 0; shift <= 56; shift += 8) {
      double far = unevenness(&key, rows[_i], shift);

      ck_assert_msg(far < 8, "row %d, bits %u to %u: %.1f deviations", _i, shift, shift + 7, far);
    }
  }
}
END_TEST

/* Each length is hashed from all of its bytes and nothing else. */
START_TEST(every_byte_of_every_length_counts)
{
  struct lrd_prng prng;
  struct lrd_universal_key key;
  unsigned char text[80] = { 0 }, same[80];
  uint64_t zeros[66];

  seed_prng(&prng, "lengths");
  key = some_key(&prng);
  for (size_t len = 0; len <= 64; len++) {
    zeros[len] = lrd_universal_hash(&key, text, len);
    for (size_t shorter = 0; shorter < len; shorter++)
      ck_assert_msg(zeros[shorter] != zeros[len], "%zu and %zu zeros", shorter, len);
    for (size_t i = 0; i < len * 8; i++) {
      memcpy(same, text, sizeof same);
      same[i / 8] ^= (unsigned char)(1u << i % 8);
      ck_assert_msg(lrd_universal_hash(&key, same, len) != zeros[len], "bit %zu of %zu bytes", i,
                    len);
    }
    memset(same, 0, len);
    memset(same + len, 0xff, sizeof same - len);
    ck_assert_msg(lrd_universal_hash(&key, same, len) == zeros[len], "beyond %zu bytes", len);
  }
}
END_TEST

/* One bit of the name changes about half of the hash's bits. */
START_TEST(one_bit_changes_half_of_them)
{
  enum { TIMES = 2000 };
  static const size_t lengths[] = { 1, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64 };
  size_t len = lengths[_i];
  unsigned flips[64] = { 0 };
  struct lrd_prng prng;

  seed_prng(&prng, "one bit");
  for (int i = 0; i < TIMES; i++) {
    struct lrd_universal_key key = some_key(&prng);
    unsigned char text[64];
    uint64_t before;
    unsigned bit = roll(&prng, (unsigned)len * 8);

    for (size_t k = 0; k < len; k++)
      text[k] = (unsigned char)roll(&prng, 256);
    before = lrd_universal_hash(&key, text, len);
    text[bit / 8] ^= (unsigned char)(1u << bit % 8);
    before ^= lrd_universal_hash(&key, text, len);
    for (int k = 0; k < 64; k++)
      flips[k] += before >> k & 1;
  }
  for (int k = 0; k < 64; k++)
    ck_assert_msg(flips[k] > TIMES * 4 / 10 && flips[k] < TIMES * 6 / 10,
                  "%zu bytes: bit %d flips %u times of %d", len, k, flips[k], TIMES);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("flood");
  TCase *tests = tcase_create("flood");

  tcase_add_test(tests, names_that_meet_under_one_key_do_not_under_another);
  tcase_add_loop_test(tests, rows_of_names_are_spread_evenly, 0, sizeof rows / sizeof *rows);
  tcase_add_test(tests, every_byte_of_every_length_counts);
  tcase_add_loop_test(tests, one_bit_changes_half_of_them, 0, 17);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
