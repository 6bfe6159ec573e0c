/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_AHEAD_H
#define LRD_MEMORY_AHEAD_H

#include "memory/shard.h"

/*
 * Looking up several keys.  One after the other, each waits for two cache lines
 * that are far away, its bucket's and its entry's; asked for together they come
 * together (group prefetching: Chen, Ailamaki, Gibbons, Mowry: "Improving hash
 * join performance through prefetching", ICDE 2004).
 */

enum { LRD_AHEAD = 16 }; /* about as many lines as a CPU has under way */

/* The hashes of at most LRD_AHEAD keys; needs no lock. */
void lrd_ahead_hash(const struct lrd_engine *, const larder_bytes *keys, int count,
                    uint64_t *hash);
/* Asks for what a look-up of those keys will need; the shards of all are locked. */
void lrd_ahead_fetch(const struct lrd_engine *, int database, const uint64_t *hash, int count);

/* The key that is looked up next has that hash. */
static inline void lrd_ahead_use(struct lrd_exec *x, larder_bytes key, uint64_t hash)
{
  x->hashed = key.data;
  x->hashed_len = key.len;
  x->hash = hash;
}

#endif
