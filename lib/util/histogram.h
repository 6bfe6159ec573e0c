/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_HISTOGRAM_H
#define LRD_UTIL_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Durations in ns, up to more than an hour, counted in buckets whose width is at most 1/32 of
 * where they begin (but never below 32 ns): log-linear, as HdrHistogram does it.  What is asked of it
 * is the middle of a bucket, so it is off by at most 1.6 % from 1 us on.  Fixed size, no allocation.
 *
 * One thread writes at a time (whoever holds a lock, or owns it); any thread may read
 * meanwhile, without one: counters are written with relaxed stores, no locked instruction.
 * Zeroed memory is an empty one.
 */

enum {
  LRD_HISTOGRAM_UNIT = 5,  /* log2 of ns: the narrowest bucket */
  LRD_HISTOGRAM_STEPS = 5, /* log2 of the buckets for each doubling */
  LRD_HISTOGRAM_TOP = 42,  /* log2 of ns: 73 minutes; what is longer counts as that */
  LRD_HISTOGRAM_BUCKETS = (LRD_HISTOGRAM_TOP - LRD_HISTOGRAM_UNIT - LRD_HISTOGRAM_STEPS + 1)
                          << LRD_HISTOGRAM_STEPS
};

struct lrd_histogram {
  atomic_ullong bucket[LRD_HISTOGRAM_BUCKETS];
  atomic_ullong sum;  /* ns */
  atomic_ullong most; /* the longest one */
};

/* Adds to a counter that one thread at a time writes. */
static inline void lrd_count_up(atomic_ullong *counter, unsigned long long n)
{
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                        memory_order_relaxed);
}

static inline unsigned long long lrd_counted(const atomic_ullong *counter)
{
  return atomic_load_explicit(counter, memory_order_relaxed);
}

/* A bucket's durations are above its lower end, and at most its upper end. */
static inline size_t lrd_histogram_index(int64_t ns)
{
  uint64_t units = ns > 0 ? (uint64_t)(ns - 1) >> LRD_HISTOGRAM_UNIT : 0;
  if (units >> (LRD_HISTOGRAM_TOP - LRD_HISTOGRAM_UNIT))
    return LRD_HISTOGRAM_BUCKETS - 1;
  int top = 63 - __builtin_clzll(units | 1);
  int shift = top > LRD_HISTOGRAM_STEPS ? top - LRD_HISTOGRAM_STEPS : 0;
  return ((size_t)shift << LRD_HISTOGRAM_STEPS) + (size_t)(units >> shift);
}

static inline void lrd_histogram_record(struct lrd_histogram *h, int64_t ns)
{
  unsigned long long took = ns > 0 ? (unsigned long long)ns : 0;
  lrd_count_up(&h->bucket[lrd_histogram_index(ns)], 1);
  lrd_count_up(&h->sum, took);
  if (took > lrd_counted(&h->most))
    atomic_store_explicit(&h->most, took, memory_order_relaxed);
}

/* Adds what one has counted to another, which nobody else writes. */
void lrd_histogram_add(struct lrd_histogram *to, const struct lrd_histogram *from);
/* Empties one that nobody else writes now. */
void lrd_histogram_clear(struct lrd_histogram *);

/* How many there are. */
uint64_t lrd_histogram_count(const struct lrd_histogram *);
/* How many took at most 2^power ns, exactly; power: UNIT .. TOP - 1. */
uint64_t lrd_histogram_below(const struct lrd_histogram *, int power);
/* What so many of a million took at most, in ns (990000: the 99th percentile), never more
 * than the longest one; 0: it is empty. */
uint64_t lrd_histogram_quantile(const struct lrd_histogram *, uint32_t millionths);

#endif
