/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_POLICY_H
#define LRD_MEMORY_POLICY_H

#include <larder/options.h>

#include "memory/parameter.h"

/* Which keys go when the memory bound is reached. */

/* The names, a larder_policy minus 1 is the position; ended by NULL. */
extern const char *const lrd_policy_names[];

static inline int lrd_policy_is_lfu(larder_policy p)
{
  return p == LARDER_POLICY_ALLKEYS_LFU || p == LARDER_POLICY_VOLATILE_LFU;
}

static inline int lrd_policy_is_lru(larder_policy p)
{
  return p == LARDER_POLICY_ALLKEYS_LRU || p == LARDER_POLICY_VOLATILE_LRU;
}

/* Only keys that expire may go. */
static inline int lrd_policy_is_volatile(larder_policy p)
{
  return p >= LARDER_POLICY_VOLATILE_LRU && p <= LARDER_POLICY_VOLATILE_TTL;
}

/* The policy in force: the one that was named; if none was, S3-FIFO under a bound, and
 * Redis's noeviction without one. */
larder_policy lrd_policy_of(const struct lrd_parameters *);

#endif
