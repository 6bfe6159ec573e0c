/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_EVICT_H
#define LRD_MEMORY_EVICT_H

#include "memory/policy.h"
#include "memory/shard.h"

/*
 * The memory bound.  What the engine holds is what it has got from its allocator and not
 * given back (account.h); before a command that may grow it (denyoom in the command list),
 * and before an atomic call with such a command in it, keys are evicted until it is not
 * above maxmemory.  So a write goes beyond the bound by what that one write takes, and the
 * next one brings it back; nothing is ever evicted while a command runs.
 *
 * One bound for all shards: each eviction takes its victim from the next shard, in turn.  A
 * keyed hash spreads the keys, so shards hold about as many each, and a few shards full of
 * huge values don't lose all their keys to what they alone have grown.  No lock is held in
 * between, and one shard's at a time while evicting, so the order of locks plays no part.
 *
 * What is known of an entry are 16 bits, struct lrd_entry.used, which readers change without
 * a lock, and losing a change among two readers does no harm.  By what is tracked:
 *
 *   time       seconds since tracking began, 1 .. 65535, around; 0: not used since
 *   frequency  Redis's logarithmic counter, and in the high byte when it decayed last
 *   queue      2 bits of use (LRD_EVICT_USES at most), and a mark that ties the entry to its
 *              slot: s3fifo.h
 *
 * Nothing is tracked without a bound, unless a policy that needs it was named, or somebody
 * asked for a key's idle time.  Then the cost is one branch that is always the same.
 */

enum { LRD_EVICT_USES = 3 };

enum lrd_track { LRD_TRACK_NOTHING, LRD_TRACK_TIME, LRD_TRACK_FREQUENCY, LRD_TRACK_QUEUE };

/* After a change of parameters. */
void lrd_evict_configure(struct lrd_engine *);
/* Frees what a shard has for evicting. */
void lrd_evict_close(struct lrd_engine *, struct lrd_shard *);
/* For tests: NULL, or what is wrong. */
const char *lrd_evict_check(struct lrd_engine *, struct lrd_shard *);

/* --- hooks ------------------------------------------------------------------------ */

void lrd_evict_enroll(struct lrd_engine *, const struct lrd_at *, struct lrd_entry *);
void lrd_evict_begin_use(struct lrd_engine *, struct lrd_entry *, int64_t now);
void lrd_evict_touch(struct lrd_engine *, struct lrd_entry *, int64_t now);
int lrd_evict_make_room(struct lrd_engine *);

static inline enum lrd_track lrd_evict_tracks(const struct lrd_engine *e)
{
  return (enum lrd_track)atomic_load_explicit(&e->evict.tracks, memory_order_relaxed);
}

/* An entry has come into the index; the shard is locked. */
static inline void lrd_evict_added(struct lrd_engine *e, const struct lrd_at *at,
                                   struct lrd_entry *entry)
{
  if (lrd_evict_tracks(e))
    lrd_evict_enroll(e, at, entry);
}

/* Another block stands for the same key. */
static inline void lrd_evict_replaced(const struct lrd_entry *old, struct lrd_entry *by)
{
  atomic_store_explicit(&by->used, atomic_load_explicit(&old->used, memory_order_relaxed),
                        memory_order_relaxed);
}

/* A key was looked up by a command that uses it.  now: wall ms, or -1: not known.  With
 * or without the shard's lock, as long as the entry's memory stands. */
static inline void lrd_evict_used(struct lrd_engine *e, struct lrd_entry *entry, int64_t now)
{
  if (lrd_evict_tracks(e))
    lrd_evict_touch(e, entry, now);
}

/* Before a write that may take memory; no lock is held.  0: go ahead; -1: what is used is
 * above the bound and nothing may be evicted: lrd_text_oom. */
static inline int lrd_evict_before_write(struct lrd_engine *e)
{
  return lrd_parameter(&e->parameters, LRD_MAXMEMORY) ? lrd_evict_make_room(e) : 0;
}

extern const char lrd_text_oom[];

/* --- what OBJECT asks ----------------------------------------------------------------- */

/* Of an entry: Redis's counter (of S3-FIFO: 0 .. 3); seconds since the last use.  *error is
 * NULL, or why it isn't known. */
int64_t lrd_evict_freq(struct lrd_engine *, const struct lrd_entry *, int64_t now,
                       const char **error);
int64_t lrd_evict_idle(struct lrd_engine *, const struct lrd_entry *, int64_t now,
                       const char **error);
/* Does the policy in force need to know of each key, so that Redis shares no values? */
int lrd_evict_knows_each(const struct lrd_engine *);

#endif
