/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "util/seed.h"
#include "util/universal.h"

static void key_from(struct lrd_prng *prng, struct lrd_universal_key *key)
{
  unsigned char *p = (unsigned char *)key;

  for (size_t i = 0; i < sizeof *key; i++)
    p[i] = (unsigned char)lrd_prng_next(prng);
}

/* --- as its definition reads --------------------------------------------------- */

/* A number of 128 bits as eight digits of 16. */
struct number {
  uint32_t digit[8];
};

static struct number number_of(uint64_t low, uint64_t high)
{
  struct number n;

  for (int i = 0; i < 4; i++) {
    n.digit[i] = (uint32_t)(low >> 16 * i & 0xffff);
    n.digit[i + 4] = (uint32_t)(high >> 16 * i & 0xffff);
  }
  return n;
}

static uint64_t word_of(const struct number *n, int from)
{
  uint64_t word = 0;

  for (int i = 0; i < 4; i++)
    word |= (uint64_t)n->digit[from + i] << 16 * i;
  return word;
}

/* sum += a b */
static void add_product(struct number *sum, struct number a, struct number b)
{
  for (int i = 0; i < 8; i++) {
    uint64_t carry = 0;

    for (int j = 0; i + j < 8; j++) {
      carry += sum->digit[i + j] + (uint64_t)a.digit[i] * b.digit[j];
      sum->digit[i + j] = carry & 0xffff;
      carry >>= 16;
    }
  }
}

static uint64_t multilinear(const struct lrd_universal_key *k, uint64_t x, uint64_t y, size_t len)
{
  const uint64_t factor[4] = { x, y, len, 1 };
  struct number sum = { { 0 } };

  for (int i = 0; i < (len > 16 ? 4 : 2); i++)
    add_product(&sum, number_of(k->term[i][0], k->term[i][1]), number_of(factor[i], 0));
  if (len <= 16)
    add_product(&sum, number_of(k->length[len][0], k->length[len][1]), number_of(1, 0));
  x = word_of(&sum, 4);
  x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
  return x ^ x >> 29;
}

static uint64_t word_at(const unsigned char *p)
{
  uint64_t v;

  memcpy(&v, p, 8);
  return v;
}

static uint64_t by_definition(const struct lrd_universal_key *k, const unsigned char *p, size_t len)
{
  static const size_t begin[2][4] = { { 0, 16 }, { 0, 16, 32, 48 } };
  struct number sum = { { 0 } };
  unsigned pairs = len <= 32 ? 2 : 4;
  uint32_t first, last;

  if (len > 64)
    return multilinear(k, lrd_hash(&k->longer, p, len), 0, len);
  if (len > 16) {
    for (unsigned i = 0; i < pairs; i++) {
      /* the second half is counted from the end */
      size_t at = begin[pairs / 4][i] + (i >= pairs / 2 ? len - 16 * pairs : 0);
      add_product(&sum, number_of(word_at(p + at) + k->nh[2 * i], 0),
                  number_of(word_at(p + at + 8) + k->nh[2 * i + 1], 0));
    }
    return multilinear(k, word_of(&sum, 0), word_of(&sum, 4), len);
  }
  if (len >= 8)
    return multilinear(k, word_at(p), word_at(p + len - 8), len);
  if (len >= 4) {
    memcpy(&first, p, 4);
    memcpy(&last, p + len - 4, 4);
    return multilinear(k, (uint64_t)first << 32 | last, 0, len);
  }
  if (!len)
    return multilinear(k, 0, 0, 0);
  return multilinear(k, (uint64_t)(p[0] << 16 | p[len / 2] << 8 | p[len - 1]), 0, len);
}

START_TEST(is_what_its_definition_says)
{
  struct lrd_prng prng;
  struct lrd_universal_key key;
  unsigned char bytes[300];

  seed_prng(&prng, "universal, definition");
  for (int round = 0; round < 20; round++) {
    key_from(&prng, &key);
    for (size_t i = 0; i < sizeof bytes; i++)
      bytes[i] = (unsigned char)lrd_prng_next(&prng);
    for (size_t len = 0; len < 280; len++)
      ck_assert_uint_eq(lrd_universal_hash(&key, bytes + len % 9, len),
                        by_definition(&key, bytes + len % 9, len));
  }
}
END_TEST

/* --- who can't know the key can't collide --------------------------------------- */

/* Strings of many lengths that differ in one byte, by their length alone, or only
 * in zeros: all have hashes of their own. */
START_TEST(each_byte_and_the_length_count)
{
  struct lrd_prng prng;
  struct lrd_universal_key key;
  unsigned char bytes[200] = { 0 };

  seed_prng(&prng, "universal, bytes");
  key_from(&prng, &key);
  for (size_t len = 0; len < sizeof bytes; len++) {
    uint64_t hash = lrd_universal_hash(&key, bytes, len);

    ck_assert(hash != lrd_universal_hash(&key, bytes, len + 1));
    for (size_t i = 0; i < len; i++)
      for (unsigned bit = 0; bit < 8; bit++) {
        bytes[i] ^= (unsigned char)(1 << bit);
        ck_assert(hash != lrd_universal_hash(&key, bytes, len));
        bytes[i] ^= (unsigned char)(1 << bit);
      }
  }
}
END_TEST

enum { BITS = 10, COLLIDING = 400 };

static unsigned bucket_of(const struct lrd_universal_key *key, const char *name)
{
  return lrd_universal_hash(key, name, strlen(name)) & ((1 << BITS) - 1);
}

/* The most that share a bucket. */
static unsigned fullest(const struct lrd_universal_key *key, char name[][24], unsigned n)
{
  unsigned count[1 << BITS] = { 0 }, most = 0;

  for (unsigned i = 0; i < n; i++) {
    unsigned c = ++count[bucket_of(key, name[i])];
    most = c > most ? c : most;
  }
  return most;
}

/* Names that all fall into one bucket under one key are spread under others. */
START_TEST(collisions_belong_to_their_key)
{
  static char name[COLLIDING][24];
  struct lrd_prng prng;
  struct lrd_universal_key key;

  seed_prng(&prng, "universal, collisions");
  key_from(&prng, &key);
  for (unsigned n = 0, i = 0; n < COLLIDING; i++) {
    snprintf(name[n], sizeof name[n], "user:%012u", i);
    n += bucket_of(&key, name[n]) == 0;
  }
  ck_assert_uint_eq(fullest(&key, name, COLLIDING), COLLIDING);
  for (unsigned round = 0; round < 100; round++) {
    key_from(&prng, &key);
    ck_assert_uint_le(fullest(&key, name, COLLIDING), 12);
  }
}
END_TEST

/* What people and adversaries use as keys without knowing the key: the buckets, from
 * the lowest and from the highest bits, are as full as chance makes them. */
static double chi_square(const struct lrd_universal_key *key, int kind, unsigned shift)
{
  enum { BUCKETS = 256, KEYS = 25600 };
  unsigned count[BUCKETS] = { 0 };
  double chi = 0;

  for (uint64_t i = 0; i < KEYS; i++) {
    unsigned char block[64] = { 0 };
    char text[32];
    uint64_t wide = i << 40;
    uint64_t hash = 0;

    switch (kind) {
    case 0:
      hash = lrd_universal_hash(key, text, (size_t)snprintf(text, sizeof text, "%llu",
                                                            (unsigned long long)i));
      break;
    case 1:
      memcpy(block, &wide, sizeof wide);
      hash = lrd_universal_hash(key, block, 16);
      break;
    case 2:
      memcpy(block + 40, &i, sizeof i);
      hash = lrd_universal_hash(key, block, 48);
      break;
    default:
      memcpy(block, &i, sizeof i);
      memcpy(block + 8, &wide, sizeof wide);
      hash = lrd_universal_hash(key, block, 24);
    }
    count[hash >> shift & (BUCKETS - 1)]++;
  }
  for (int i = 0; i < BUCKETS; i++)
    chi += ((double)count[i] - KEYS / BUCKETS) * ((double)count[i] - KEYS / BUCKETS) /
           (KEYS / BUCKETS);
  return chi;
}

START_TEST(buckets_fill_evenly)
{
  struct lrd_prng prng;
  struct lrd_universal_key key;

  seed_prng(&prng, "universal, buckets");
  for (int kind = 0; kind < 4; kind++) {
    double sum[3] = { 0, 0, 0 };
    enum { KEYS = 40 };

    for (int round = 0; round < KEYS; round++) {
      key_from(&prng, &key);
      sum[0] += chi_square(&key, kind, 0);
      sum[1] += chi_square(&key, kind, 44);
      sum[2] += chi_square(&key, kind, 56);
    }
    /* 255 expected on average for a random function, less is even better */
    for (int i = 0; i < 3; i++)
      ck_assert_double_lt(sum[i] / KEYS, 340);
  }
}
END_TEST

START_TEST(keys_are_random)
{
  struct lrd_universal_key a, b;

  ck_assert_int_eq(lrd_universal_init(&a), 0);
  ck_assert_int_eq(lrd_universal_init(&b), 0);
  ck_assert(lrd_universal_hash(&a, "x", 1) != lrd_universal_hash(&b, "x", 1));
}
END_TEST

int main(void)
{
  Suite *s = suite_create("universal");
  TCase *t = tcase_create("universal");

  tcase_add_test(t, is_what_its_definition_says);
  tcase_add_test(t, each_byte_and_the_length_count);
  tcase_add_test(t, collisions_belong_to_their_key);
  tcase_add_test(t, buckets_fill_evenly);
  tcase_add_test(t, keys_are_random);
  suite_add_tcase(s, t);
  return run_suite(s);
}
