/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_YIELD_H
#define LRD_UTIL_YIELD_H

/*
 * Places where another thread may come in between: before a lock is taken, after it
 * was released, between an atomic load and what depends on it, before memory is
 * reclaimed.  With --enable-yields a test program may define lrd_yield, which is
 * called there and sleeps or not by a seed of its own, so that rare interleavings
 * become frequent (test/proof/yield.h); any thread, any lock may be held.  Otherwise
 * nothing is compiled.
 */
#ifdef LRD_YIELDS
void lrd_yield(void) __attribute__((weak, visibility("default")));

static inline void lrd_yield_point(void)
{
  if (lrd_yield)
    lrd_yield();
}
#else
static inline void lrd_yield_point(void) {}
#endif

#endif
