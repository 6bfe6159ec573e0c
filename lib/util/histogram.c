/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/histogram.h"

void lrd_histogram_add(struct lrd_histogram *to, const struct lrd_histogram *from)
{
  for (size_t i = 0; i < LRD_HISTOGRAM_BUCKETS; i++)
    lrd_count_up(&to->bucket[i], lrd_counted(&from->bucket[i]));
  lrd_count_up(&to->sum, lrd_counted(&from->sum));
  if (lrd_counted(&from->most) > lrd_counted(&to->most))
    atomic_store_explicit(&to->most, lrd_counted(&from->most), memory_order_relaxed);
}

void lrd_histogram_clear(struct lrd_histogram *h)
{
  for (size_t i = 0; i < LRD_HISTOGRAM_BUCKETS; i++)
    atomic_store_explicit(&h->bucket[i], 0, memory_order_relaxed);
  atomic_store_explicit(&h->sum, 0, memory_order_relaxed);
  atomic_store_explicit(&h->most, 0, memory_order_relaxed);
}

static uint64_t add_up(const struct lrd_histogram *h, size_t buckets)
{
  uint64_t count = 0;
  for (size_t i = 0; i < buckets; i++)
    count += lrd_counted(&h->bucket[i]);
  return count;
}

uint64_t lrd_histogram_count(const struct lrd_histogram *h)
{
  return add_up(h, LRD_HISTOGRAM_BUCKETS);
}

uint64_t lrd_histogram_below(const struct lrd_histogram *h, int power)
{
  return add_up(h, lrd_histogram_index((int64_t)1 << power) + 1);
}

/* The middle of a bucket, in ns. */
static uint64_t middle(size_t i)
{
  const size_t steps = (size_t)1 << LRD_HISTOGRAM_STEPS;
  size_t shift = i < 2 * steps ? 0 : (i >> LRD_HISTOGRAM_STEPS) - 1;
  uint64_t low = (uint64_t)(i - (shift << LRD_HISTOGRAM_STEPS)) << shift;
  return (low << LRD_HISTOGRAM_UNIT) + ((uint64_t)1 << (shift + LRD_HISTOGRAM_UNIT - 1));
}

uint64_t lrd_histogram_quantile(const struct lrd_histogram *h, uint32_t millionths)
{
  uint64_t count = lrd_histogram_count(h), most = lrd_counted(&h->most), seen = 0;
  uint64_t rank = count / 1000000 * millionths + (count % 1000000 * millionths + 999999) / 1000000;
  if (rank < 1)
    rank = 1;
  for (size_t i = 0; i < LRD_HISTOGRAM_BUCKETS; i++) {
    seen += lrd_counted(&h->bucket[i]);
    if (seen >= rank)
      return middle(i) < most && i + 1 < LRD_HISTOGRAM_BUCKETS ? middle(i) : most;
  }
  return count ? most : 0;
}
