/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ZSET_ENTRY_H
#define LRD_MEMORY_ZSET_ENTRY_H

#include <string.h>

#include "memory/zset.h"

/*
 * How an entry of a sorted set lies in memory, in both forms: the score, then
 * the member's blob.  In a large set it is an allocation that is known by its
 * item, the blob behind the score.
 */
enum { LRD_ZSET_SCORE = sizeof(double), LRD_ZSET_PACKED_LEN = 64 };

static inline size_t lrd_zset_entry_size(larder_bytes member)
{
  return LRD_ZSET_SCORE + lrd_blob_size(member.len);
}

static inline const unsigned char *lrd_zset_entry_read(const unsigned char *p,
                                                       struct lrd_scored *e)
{
  memcpy(&e->score, p, LRD_ZSET_SCORE);
  return lrd_blob_read(p + LRD_ZSET_SCORE, &e->member);
}

static inline void lrd_zset_entry_write(unsigned char *p, const struct lrd_scored *e)
{
  memcpy(p, &e->score, LRD_ZSET_SCORE);
  lrd_blob_write(p + LRD_ZSET_SCORE, e->member);
}

static inline int lrd_zset_entry_compare(const struct lrd_scored *a, const struct lrd_scored *b)
{
  if (a->score != b->score)
    return a->score < b->score ? -1 : 1;
  return lrd_bytes_compare(a->member, b->member);
}

static inline struct lrd_order_entry lrd_zset_item_entry(const unsigned char *item)
{
  struct lrd_order_entry e = { 0, item };

  memcpy(&e.score, item - LRD_ZSET_SCORE, LRD_ZSET_SCORE);
  return e;
}

static inline const unsigned char *lrd_zset_packed_find(const struct lrd_packed *p,
                                                        larder_bytes member, struct lrd_scored *e)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;

  for (; at < end; at = next) {
    next = lrd_zset_entry_read(at, e);
    if (lrd_bytes_equal(e->member, member))
      return at;
  }
  return NULL;
}

static inline const unsigned char *lrd_zset_large_find(const struct lrd_zset_large *large,
                                                       larder_bytes member)
{
  const unsigned char **place =
      lrd_table_find(large->table, lrd_table_hash(large->table, member), member);

  return place ? *place : NULL;
}

#endif
