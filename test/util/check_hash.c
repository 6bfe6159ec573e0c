/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "util/hash.h"
#include "util/seed.h"

/* SipHash-1-3 as its definition reads, a byte at a time. */
static uint64_t rotate(uint64_t x, int n)
{
  return x << n | x >> (64 - n);
}

static void sip_round(uint64_t *v)
{
  v[0] += v[1];
  v[2] += v[3];
  v[1] = rotate(v[1], 13) ^ v[0];
  v[3] = rotate(v[3], 16) ^ v[2];
  v[0] = rotate(v[0], 32);
  v[2] += v[1];
  v[0] += v[3];
  v[1] = rotate(v[1], 17) ^ v[2];
  v[3] = rotate(v[3], 21) ^ v[0];
  v[2] = rotate(v[2], 32);
}

static uint64_t by_definition(uint64_t k0, uint64_t k1, const unsigned char *p, size_t len,
                              int rounds, int final_rounds)
{
  uint64_t v[4] = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                    k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
  size_t i, words = len / 8 + 1, w;
  int k;

  for (w = 0; w < words; w++) {
    uint64_t m = 0;

    for (i = 0; i < 8; i++) {
      size_t at = w * 8 + i;
      uint64_t byte = at < len ? p[at] : 0;

      if (w == words - 1 && i == 7)
        byte = len & 0xff;
      m |= byte << (i * 8);
    }
    v[3] ^= m;
    for (k = 0; k < rounds; k++)
      sip_round(v);
    v[0] ^= m;
  }
  v[2] ^= 0xff;
  for (k = 0; k < final_rounds; k++)
    sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

START_TEST(hash_is_siphash)
{
  const struct lrd_hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
  unsigned char bytes[300];
  size_t i;

  for (i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)i;
  /* the authors' test vector of SipHash-2-4 holds the definition above */
  ck_assert_uint_eq(by_definition(key.k0, key.k1, bytes, 15, 2, 4), UINT64_C(0xa129ca6149be45e5));
  for (i = 0; i < 280; i++)
    ck_assert_uint_eq(lrd_hash(&key, bytes + i % 9, i),
                      by_definition(key.k0, key.k1, bytes + i % 9, i, 1, 3));
}
END_TEST

START_TEST(hash_depends_on_key)
{
  struct lrd_hash_key a, b;

  ck_assert_int_eq(lrd_random(&a, sizeof a), 0);
  ck_assert_int_eq(lrd_random(&b, sizeof b), 0);
  ck_assert(a.k0 != b.k0);
  ck_assert(lrd_hash(&a, "x", 1) != lrd_hash(&b, "x", 1));
  ck_assert_int_eq(lrd_random(NULL, 0), 0);
}
END_TEST

START_TEST(prng_is_xoshiro)
{
  struct lrd_prng r = { { 1, 2, 3, 4 } }, q;
  int i, below[3] = { 0 };

  /* from its definition: rotl(s1 * 5, 7) * 9 */
  ck_assert_uint_eq(lrd_prng_next(&r), 11520);
  ck_assert_uint_eq(lrd_prng_next(&r), 0);
  ck_assert_uint_eq(lrd_prng_next(&r), 1509978240);
  lrd_prng_seed(&r, 0);
  lrd_prng_seed(&q, 0);
  ck_assert(r.s[0] | r.s[1] | r.s[2] | r.s[3]);
  for (i = 0; i < 1000; i++)
    ck_assert_uint_eq(lrd_prng_next(&r), lrd_prng_next(&q));
  seed_prng(&r, "prng");
  for (i = 0; i < 30000; i++)
    below[lrd_prng_below(&r, 3)]++;
  for (i = 0; i < 3; i++) {
    ck_assert_int_gt(below[i], 9400);
    ck_assert_int_lt(below[i], 10600);
  }
  ck_assert_uint_eq(lrd_prng_below(&r, 1), 0);
  for (i = 0; i < 1000; i++)
    ck_assert_uint_lt(lrd_prng_below(&r, UINT64_MAX / 3 * 2), UINT64_MAX / 3 * 2);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("hash");
  TCase *t = tcase_create("hash");

  tcase_add_test(t, hash_is_siphash);
  tcase_add_test(t, hash_depends_on_key);
  tcase_add_test(t, prng_is_xoshiro);
  suite_add_tcase(s, t);
  return run_suite(s);
}
