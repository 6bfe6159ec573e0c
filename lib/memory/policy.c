/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/policy.h"

/* In the order in which Redis's error names them. */
const char *const lrd_policy_names[] = {
  "volatile-lru", "volatile-lfu",   "volatile-random", "volatile-ttl",   "allkeys-lru",
  "allkeys-lfu",  "allkeys-random", "noeviction",      "allkeys-s3fifo", NULL
};

larder_policy lrd_policy_of(const struct lrd_parameters *p)
{
  int64_t named = lrd_parameter(p, LRD_MAXMEMORY_POLICY);

  if (named != LARDER_POLICY_UNSET)
    return (larder_policy)named;
  return lrd_parameter(p, LRD_MAXMEMORY) ? LARDER_POLICY_ALLKEYS_S3FIFO
                                         : LARDER_POLICY_NOEVICTION;
}
