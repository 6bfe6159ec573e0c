/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_TABLE_H
#define LRD_MEMORY_TABLE_H

#include <larder/backend.h>

#include "util/universal.h"

/*
 * An index of items by their key.  An item is a pointer to a blob (packed.h),
 * its key; what lies before and behind the blob is the owner's.
 *
 * Linear hashing (Litwin, 1980) with a constant load: an insert splits a bucket
 * when there are more than 5.5 items to one, a removal merges the last one when
 * there are fewer than 4; at most two buckets an operation, so none ever pays for
 * a whole rehash, and bytes an item (about 14) don't depend on the number of items.
 *
 * How crowded it gets: with n items there are n / 5.5 to n / 4 buckets (never
 * fewer than LRD_TABLE_FIRST).  Those not yet split in this round have twice the
 * load of the others, 11 at most on average.  A split or merge that had no memory is
 * made up for by the next operations: an insert adds 2/11 of a bucket to what is wanted,
 * a removal takes a quarter away, and each may do two; so after k operations
 * that had memory at least 1.75 k of the lag is gone.
 *
 * The hash is keyed (universal.h) with the engine's random key, so who does not know it
 * can't build members that meet.  Who may fill a collection and list it learns from the
 * order which members share a bucket, whatever the hash is; as in Redis.
 *
 * Buckets lie in segments that never move.  A bucket is a cache line with
 * seven places and a tag byte for each; a full one is chained.
 *
 *   +------------------+-------+--------+-----+--------+-----------------+
 *   | tag[0] .. tag[6] | state | item 0 | ... | item 5 | item 6, or next |
 *   +------------------+-------+--------+-----+--------+-----------------+
 */

enum {
  LRD_TABLE_FIRST = 16,  /* buckets at least */
  LRD_TABLE_FULL_2 = 11, /* twice the items a bucket above which it grows */
  LRD_TABLE_SPARSE = 4,  /* items a bucket below which it shrinks */
  LRD_TABLE_SMALL = 5
};

struct lrd_group;

struct lrd_table {
  const struct lrd_universal_key *key; /* the owner's, which outlives the table */
  size_t count;
  size_t buckets;
  size_t longest; /* no chain has ever held more items */
  struct lrd_group *spare;
  size_t spares;
  void *small[LRD_TABLE_SMALL]; /* buckets 0-15, 16-31, 32-63, 64-127, 128-255 */
  void **large;                 /* 256 each */
  size_t large_capacity;
};

/* NULL: no memory. */
struct lrd_table *lrd_table_new(const larder_memory *, const struct lrd_universal_key *);
/* Frees an item. */
typedef void lrd_table_release(const larder_memory *, const unsigned char *item);
void lrd_table_free(struct lrd_table *, const larder_memory *, lrd_table_release *);
/* The same step by step: frees whole buckets until the budget, in items and
 * buckets, is used up: 0, or all items are free: what is left of it, 1 at least.
 * Then only drain and free are allowed. */
size_t lrd_table_drain(struct lrd_table *, const larder_memory *, lrd_table_release *,
                       size_t budget);

static inline uint64_t lrd_table_hash(const struct lrd_table *t, larder_bytes key)
{
  return lrd_universal_hash(t->key, key.data, key.len);
}
/* The place of the item, which may be exchanged for one of the same key; NULL:
 * there is none. */
const unsigned char **lrd_table_find(const struct lrd_table *, uint64_t hash, larder_bytes key);

/* Asks for what a look-up touches first; and, when that is there, next. */
void lrd_table_prefetch(const struct lrd_table *, uint64_t hash);
void lrd_table_prefetch_items(const struct lrd_table *, uint64_t hash);

/* After 0, the next n inserts can't fail; -1: no memory.  Ends with release. */
int lrd_table_reserve(struct lrd_table *, const larder_memory *, size_t n);
void lrd_table_unreserve(struct lrd_table *, const larder_memory *);
/* Of a key that is not in the table; reserved before. */
void lrd_table_insert(struct lrd_table *, const larder_memory *, uint64_t hash,
                      const unsigned char *item);
/* The item, no longer in the table; NULL: there was none. */
const unsigned char *lrd_table_remove(struct lrd_table *, const larder_memory *, uint64_t hash,
                                      larder_bytes key);

/* Walks over all items while nothing changes; begins as { 0 }, ends with NULL. */
struct lrd_table_cursor {
  size_t bucket;
  const struct lrd_group *group;
  unsigned at;
};
const unsigned char *lrd_table_next(const struct lrd_table *, struct lrd_table_cursor *);

/* A walk in steps between which anything may change: who is there all the time is
 * visited, perhaps more than once.  Begins with 0; returns where to go on, 0: the end.
 * The cursor says which bits of the hash come next, the highest first, so that it
 * has its meaning however many buckets there are (as Redis's dictScan). */
uint64_t lrd_table_scan(const struct lrd_table *, uint64_t cursor,
                        void (*visit)(void *context, const unsigned char *item), void *context);

/* Any of the items with the same chance; the table is not empty. */
const unsigned char *lrd_table_sample(const struct lrd_table *, struct lrd_prng *);

/* For tests: NULL, or what is wrong. */
const char *lrd_table_check(const struct lrd_table *);

#endif
