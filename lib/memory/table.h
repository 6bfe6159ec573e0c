/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_TABLE_H
#define LRD_MEMORY_TABLE_H

#include <larder/backend.h>

#include "util/hash.h"

/*
 * An index of items by their key.  An item is a pointer to a blob (packed.h),
 * its key; what lies before and behind the blob is the owner's.
 *
 * Linear hashing (Litwin, 1980): buckets are split and merged one by one, two
 * at each insert or removal, so no operation ever pays for a whole rehash.
 * Buckets lie in segments of doubling size that never move.  A bucket is a
 * cache line with seven places and a tag byte for each; a full one is chained.
 *
 *   +------------------+-------+--------+-----+--------+-----------------+
 *   | tag[0] .. tag[6] | state | item 0 | ... | item 5 | item 6, or next |
 *   +------------------+-------+--------+-----+--------+-----------------+
 */

enum { LRD_TABLE_SEGMENTS = 40 };

struct lrd_group;

struct lrd_table {
  struct lrd_hash_key key; /* its own, random */
  size_t count;
  size_t buckets;
  size_t target;  /* a power of two that buckets is on the way to */
  size_t longest; /* no chain has ever held more items */
  struct lrd_group *spare;
  size_t spares;
  void *segment[LRD_TABLE_SEGMENTS];
};

/* NULL: no memory, or no randomness. */
struct lrd_table *lrd_table_new(const larder_memory *);
/* The items are the owner's to free, before. */
void lrd_table_free(struct lrd_table *, const larder_memory *);

uint64_t lrd_table_hash(const struct lrd_table *, larder_bytes key);
/* The place of the item, which may be exchanged for one of the same key; NULL:
 * there is none. */
const unsigned char **lrd_table_find(const struct lrd_table *, uint64_t hash, larder_bytes key);

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

/* Any of the items with the same chance; the table is not empty. */
const unsigned char *lrd_table_sample(const struct lrd_table *, struct lrd_prng *);

/* For tests: NULL, or what is wrong. */
const char *lrd_table_check(const struct lrd_table *);

#endif
