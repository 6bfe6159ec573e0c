/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_UNIVERSAL_H
#define LRD_UTIL_UNIVERSAL_H

#include <string.h>

#include "util/hash.h"

/*
 * The hash of keys in hash tables: four multiplications for 16 bytes, and one for the mix.
 *
 * A string becomes two words x and y, and the hash is the upper half of
 *
 *   a x + b y + c length + d   (modulo 2^128, a b c d random, 128 bits each)
 *
 * where for each length up to 16 another random number stands for c length + d.  It is
 * MULTILINEAR of Lemire and Kaser, "Strongly universal string hashing is fast"
 * (2014), and after it one to one a mix of the bits, so that keys in an arithmetic
 * progression are not one afterwards whatever a and b are.  Up to 16 bytes x and y
 * hold the string itself; up to 64 they are the two halves of NH (Black, Halevi,
 * Krawetz, Krovetz, Rogaway: "UMAC", 1999), the sum of (m[2i] + k[2i]) (m[2i+1] +
 * k[2i+1]) over its words; a longer one is represented by its SipHash-1-3.
 *
 * Why nobody who doesn't know the key can build keys that collide: MULTILINEAR is
 * strongly universal.  Whatever two different (x, y, length) somebody chooses, over
 * the choice of the key their hashes are two independent uniform numbers (which no
 * one-to-one mix changes); so in any b bits of the hash (a shard, a bucket, a tag)
 * they agree with probability 2^-b.  NH maps two different strings of one length to
 * the same x, y with probability 2^-64 at most, and SipHash is as good as a random
 * function.  There is no word that swallows the others, as a multiplication by zero
 * does where two secrets are multiplied: each word is multiplied by a secret of its
 * own, the products are added.  Nothing is appended to a string, so none can be
 * extended: its length is a term of the sum, or chooses one.
 *
 * The key must stay secret, and hash values must not be shown: it is no MAC.
 */

struct lrd_universal_key {
  uint64_t term[4][2]; /* a, b, c, d: low and high word */
  uint64_t nh[8];
  struct lrd_hash_key longer; /* for strings above 64 bytes */
  uint64_t length[17][2];     /* for strings to 16 bytes, in the place of c length + d */
};

/* 0, or -1: no random numbers. */
int lrd_universal_init(struct lrd_universal_key *);

/* Of lengths that are not 8 to 16. */
uint64_t lrd_universal_other(const struct lrd_universal_key *, const void *bytes, size_t len);

struct lrd_wide {
  uint64_t low, high;
};

static inline struct lrd_wide lrd_wide_product(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
  __extension__ unsigned __int128 product = (unsigned __int128)a * b;

  return (struct lrd_wide){ (uint64_t)product, (uint64_t)(product >> 64) };
#else
  uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
  uint64_t middle = ah * bl + (al * bl >> 32), other = al * bh + (uint32_t)middle;

  return (struct lrd_wide){ a * b, ah * bh + (middle >> 32) + (other >> 32) };
#endif
}

static inline struct lrd_wide lrd_wide_sum(struct lrd_wide a, struct lrd_wide b)
{
  uint64_t low = a.low + b.low;

  return (struct lrd_wide){ low, a.high + b.high + (low < a.low) };
}

/* The length's part of the sum. */
static inline struct lrd_wide lrd_universal_length(const struct lrd_universal_key *k, size_t len)
{
  struct lrd_wide s = lrd_wide_sum(lrd_wide_product(k->term[2][0], len),
                                   (struct lrd_wide){ k->term[3][0], k->term[3][1] });

  s.high += k->term[2][1] * len;
  return s;
}

/* MULTILINEAR and the mix. */
static inline uint64_t lrd_universal_words(const struct lrd_universal_key *k, uint64_t x,
                                           uint64_t y, struct lrd_wide length)
{
  uint64_t h = k->term[0][1] * x + k->term[1][1] * y;

#ifdef __SIZEOF_INT128__ /* the same, in fewer instructions */
  __extension__ typedef unsigned __int128 wide;
  wide s = (wide)k->term[0][0] * x + (wide)k->term[1][0] * y;

  s += (wide)length.high << 64 | length.low;
  h += (uint64_t)(s >> 64);
#else
  struct lrd_wide s = lrd_wide_sum(lrd_wide_product(k->term[0][0], x),
                                   lrd_wide_product(k->term[1][0], y));

  h += lrd_wide_sum(s, length).high;
#endif
  h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
  return h ^ h >> 29;
}

/* The lengths that most keys have. */
static inline int lrd_universal_is_brief(size_t len)
{
  return len - 8 <= 8;
}

static inline uint64_t lrd_universal_brief(const struct lrd_universal_key *k, const void *bytes,
                                           size_t len)
{
  const unsigned char *p = bytes;
  uint64_t x, y;

  memcpy(&x, p, sizeof x);
  memcpy(&y, p + len - sizeof y, sizeof y);
  return lrd_universal_words(k, x, y,
                             (struct lrd_wide){ k->length[len][0], k->length[len][1] });
}

static inline uint64_t lrd_universal_hash(const struct lrd_universal_key *k, const void *bytes,
                                          size_t len)
{
  return lrd_universal_is_brief(len) ? lrd_universal_brief(k, bytes, len)
                                     : lrd_universal_other(k, bytes, len);
}

#endif
