/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_UTIL_SEED_H
#define TEST_UTIL_SEED_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/hash.h"

/* Seeds a generator from LARDER_SEED, or by chance; prints the seed. */
static inline void seed_prng(struct lrd_prng *r, const char *test)
{
  const char *text = getenv("LARDER_SEED");
  uint64_t seed = 0;

  if (text)
    seed = strtoull(text, NULL, 0);
  else if (lrd_random(&seed, sizeof seed))
    abort();
  printf("%s: LARDER_SEED=%" PRIu64 "\n", test, seed);
  fflush(stdout);
  lrd_prng_seed(r, seed);
}

#endif
