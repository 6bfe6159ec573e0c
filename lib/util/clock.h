/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_CLOCK_H
#define LRD_UTIL_CLOCK_H

#include <larder/hooks.h>

extern const larder_clock lrd_clock_system;

#define LRD_NS_PER_MS INT64_C(1000000)

/* Nanoseconds, monotonic. */
static inline int64_t lrd_monotonic(const larder_clock *c)
{
  return c->monotonic(c->context);
}

/* Milliseconds since 1970. */
static inline int64_t lrd_wall_ms(const larder_clock *c)
{
  return c->wall(c->context) / 1000;
}

/* Whole milliseconds until deadline, rounded up, for poll(); 0 if it passed,
 * at most 60000. */
int lrd_clock_poll_ms(const larder_clock *c, int64_t deadline);

#endif
