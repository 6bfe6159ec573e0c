/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_INDEX_H
#define LRD_MEMORY_INDEX_H

#include <larder/backend.h>

#include "util/universal.h"

/*
 * The keyspace's hash table.  Items are the owner's; the index holds pointers
 * and asks the owner for an item's key.
 *
 * Linear hashing (Litwin, 1980): an insert that makes the table too full splits
 * one bucket, a removal that leaves it too empty merges one; nothing ever pays
 * for a whole rehash, and there is never a second table.  If memory for a split
 * is missing the table stays as it is and its chains grow.
 *
 * A bucket is one cache line: seven tag bytes (8 bits of the hash each, 0 =
 * free), a mark, seven items.  In a full bucket that has a successor the
 * seventh place holds the successor.
 *
 *   +--------+--------+-----+--------+---------+--------+-----+-----------------+
 *   | tag[0] | tag[1] | ... | tag[6] | chained | item 0 | ... | item 6, or next |
 *   +--------+--------+-----+--------+---------+--------+-----+-----------------+
 *
 * Not safe for threads: the shard's lock guards it.
 */

typedef larder_bytes lrd_index_key_fn(const void *item);

struct lrd_bucket;

struct lrd_index {
  size_t buckets;
  size_t mask;                  /* the power of two above buckets, minus 1 */
  struct lrd_bucket **large;    /* 256 each */
  size_t large_capacity;
  size_t count;
  lrd_index_key_fn *key;
  const struct lrd_universal_key *hash_key;
  const larder_memory *memory;
  struct lrd_bucket *small[9];  /* buckets 0, 1, 2-3, 4-7, ... 128-255 */
  unsigned visiting;
};

/* Takes no memory yet.  Memory and hash key must outlive the index. */
void lrd_index_init(struct lrd_index *, const larder_memory *, const struct lrd_universal_key *,
                    lrd_index_key_fn *);
/* The items are not touched. */
void lrd_index_free(struct lrd_index *);

/* The place of the item of that key, valid until the next change: the item may
 * be exchanged there for another one of the same key.  NULL: there is none. */
void **lrd_index_find(const struct lrd_index *, uint64_t hash, larder_bytes key);

/* The item whose hash ends with the low LRD_INDEX_HASH_BITS of that one, and of which is()
 * says so; NULL: there is none. */
enum { LRD_INDEX_HASH_BITS = 52 };
#define LRD_INDEX_HASH_MASK ((UINT64_C(1) << LRD_INDEX_HASH_BITS) - 1)
void *lrd_index_find_if(const struct lrd_index *, uint64_t hash,
                        int (*is)(void *context, const void *item), void *context);

/* Of a key that is not in the index.  0, or -1: no memory. */
int lrd_index_insert(struct lrd_index *, uint64_t hash, void *item);

/* Of an item that is in the index.  Can't fail; also during a visit. */
void lrd_index_remove(struct lrd_index *, uint64_t hash, const void *item);

/* Visits some items and returns the cursor for the next call; begins with 0, and
 * 0 back is the end.  An item that is there from the first call to the last is
 * visited at least once, whatever is inserted and removed between the calls; any
 * cursor is safe.  The visit may remove items, but not insert any. */
typedef void lrd_index_visit(void *context, void *item);
uint64_t lrd_index_scan(struct lrd_index *, uint64_t cursor,
                        lrd_index_visit *, void *context);

/* For tests: NULL, or what is wrong. */
const char *lrd_index_check(const struct lrd_index *);

#endif
