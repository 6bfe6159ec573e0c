/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_TABLE_GROUP_H
#define LRD_MEMORY_TABLE_GROUP_H

#include <stdint.h>

#include "memory/table.h"

/* What a table is made of, for its own files: groups, and where the bucket of a hash lies. */

enum {
  LRD_GROUP_PLACES = 7,
  LRD_GROUP_CHAINED = 0x80, /* in state; the rest of it is the number of items */
  LRD_TABLE_SEGMENT = 256,  /* buckets of each segment but the first few */
  LRD_TABLE_LINE = 64
};

struct lrd_group {
  unsigned char tag[LRD_GROUP_PLACES];
  unsigned char state;
  const void *place[LRD_GROUP_PLACES]; /* items; the last one: the next group, if chained */
};

static inline unsigned lrd_group_items(const struct lrd_group *g)
{
  return g->state & 0x7f;
}

static inline struct lrd_group *lrd_group_next(const struct lrd_group *g)
{
  if (!(g->state & LRD_GROUP_CHAINED))
    return NULL;
  return (struct lrd_group *)(uintptr_t)g->place[LRD_GROUP_PLACES - 1];
}

static inline unsigned char lrd_group_tag(uint64_t hash)
{
  return (unsigned char)(hash >> 56);
}

static inline unsigned lrd_table_log2(size_t n)
{
  return 63 - (unsigned)__builtin_clzll(n);
}

static inline size_t lrd_table_power(size_t n)
{
  return (size_t)1 << lrd_table_log2(n);
}

/* Segment s begins with bucket base: 0, 16, 32, 64, 128; from 256 on all have the same size. */
static inline unsigned lrd_table_small(size_t bucket, size_t *base)
{
  *base = 0;
  if (bucket < LRD_TABLE_FIRST)
    return 0;
  *base = lrd_table_power(bucket);
  return lrd_table_log2(bucket) - lrd_table_log2(LRD_TABLE_FIRST) + 1;
}

static inline void **lrd_table_segment(const struct lrd_table *t, size_t bucket, size_t *base)
{
  if (bucket < LRD_TABLE_SEGMENT)
    return (void **)(uintptr_t)&t->small[lrd_table_small(bucket, base)];
  *base = bucket & ~(size_t)(LRD_TABLE_SEGMENT - 1);
  return &t->large[bucket / LRD_TABLE_SEGMENT - 1];
}

static inline struct lrd_group *lrd_table_bucket(const struct lrd_table *t, size_t bucket)
{
  size_t base;
  void *segment = *lrd_table_segment(t, bucket, &base);
  uintptr_t start = ((uintptr_t)segment + LRD_TABLE_LINE - 1) & ~(uintptr_t)(LRD_TABLE_LINE - 1);

  return (struct lrd_group *)start + (bucket - base);
}

static inline size_t lrd_table_bucket_of(const struct lrd_table *t, uint64_t hash)
{
  size_t half = lrd_table_power(t->buckets);
  size_t bucket = (size_t)hash & (2 * half - 1);
  return bucket < t->buckets ? bucket : bucket & (half - 1);
}

#endif
