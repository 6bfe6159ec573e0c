/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_EVICT_SHARD_H
#define LRD_MEMORY_EVICT_SHARD_H

#include "memory/evict.h"
#include "memory/s3fifo.h"

/*
 * What a shard has for evicting, from the first key that comes in under a bound or the first that
 * has to go.  The shard's lock guards it.
 */

/* The best of what was sampled so far, as in Redis: the worst first. */
enum { LRD_POOL = 16 };

struct lrd_candidate {
  uint64_t hash; /* the low 52 bits */
  unsigned database;
  uint64_t score;
};

struct lrd_evict_shard {
  unsigned epoch; /* of lrd_evict, when it was begun */
  struct lrd_s3fifo queues;
  unsigned candidates;
  struct lrd_candidate pool[LRD_POOL];
};

/* How a search went. */
struct lrd_evict_search {
  unsigned freed;  /* keys evicted */
  unsigned looked; /* candidates looked at, ... */
  unsigned kept;   /* ... and of those the ones that the observer keeps */
};

/* The entry with that low part of a hash, and where it is; NULL: there is none. */
struct lrd_entry *lrd_evict_find(struct lrd_engine *, struct lrd_shard *, uint64_t hash,
                                 unsigned database, struct lrd_at *at);
/* Does nobody need the key? */
int lrd_evict_may_go(const struct lrd_engine *, const struct lrd_at *);

/* By one of Redis's policies: who goes next, and *at.  NULL: nobody was found. */
struct lrd_entry *lrd_evict_sample(struct lrd_engine *, struct lrd_evict_shard *,
                                   struct lrd_shard *, larder_policy, int64_t now,
                                   struct lrd_at *at, struct lrd_evict_search *);

/* What an entry's "used" says at a time: seconds without use; Redis's counter, decayed. */
unsigned lrd_evict_seconds(const struct lrd_engine *, const struct lrd_entry *, int64_t now);
unsigned lrd_evict_count(const struct lrd_engine *, const struct lrd_entry *, int64_t now);

#endif
