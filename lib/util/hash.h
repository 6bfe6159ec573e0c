/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_HASH_H
#define LRD_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Keyed hash (SipHash-1-3; Aumasson and Bernstein, 2012) and random bytes. */

struct lrd_hash_key {
  uint64_t k0, k1;
};

uint64_t lrd_hash(const struct lrd_hash_key *, const void *bytes, size_t len);

/* Fills a buffer from the system's random source; 0, or -1 (never silently weak). */
int lrd_random(void *buffer, size_t size);

/* Fast generator for choices that need no secrecy (jitter, SPOP, RANDOMKEY):
 * xoshiro256** (Blackman and Vigna, 2018); seed it with lrd_random. */
struct lrd_prng {
  uint64_t s[4];
};
void lrd_prng_seed(struct lrd_prng *, uint64_t seed);
uint64_t lrd_prng_next(struct lrd_prng *);
/* 0 .. bound-1, without bias; bound > 0. */
uint64_t lrd_prng_below(struct lrd_prng *, uint64_t bound);

#endif
