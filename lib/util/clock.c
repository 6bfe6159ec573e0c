/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/clock.h"

#include <time.h>

static int64_t system_monotonic(void *context)
{
  struct timespec t;

  (void)context;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t system_wall(void *context)
{
  struct timespec t;

  (void)context;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

const larder_clock lrd_clock_system = {
  .monotonic = system_monotonic,
  .wall = system_wall,
};

int lrd_clock_poll_ms(const larder_clock *c, int64_t deadline)
{
  int64_t now = lrd_monotonic(c), left;

  if (deadline <= now)
    return 0;
  /* now may be negative with an application's clock: the difference may not fit */
  left = now < 0 && deadline > INT64_MAX + now ? INT64_MAX : deadline - now;
  if (left > 60000 * LRD_NS_PER_MS)
    return 60000;
  return (int)((left + LRD_NS_PER_MS - 1) / LRD_NS_PER_MS);
}
