/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_HOLD_H
#define LRD_MEMORY_HOLD_H

#include "memory/shard.h"

/*
 * A session's watches.  Each watch hangs at its key in the registry of the key's
 * shard, whose lock guards the watch's mark; the list in the hold belongs to the
 * session, which makes one call at a time.
 */
struct lrd_watch;

struct larder_hold {
  struct lrd_engine *engine;
  struct lrd_watch *first;
  int waits; /* not a session's: a call hangs at its keys until they hold something (block.h) */
};

larder_hold *lrd_hold_open(larder_backend *);
/* No lock is held. */
void lrd_hold_close(larder_backend *, larder_hold *);

/* Watches a key (again: nothing happens); its shard is locked.  0, or -1: no memory. */
int lrd_hold_add(struct larder_hold *, const struct lrd_at *);
/* Forgets the watches that were added since hold->first was that; their shards are
 * locked. */
void lrd_hold_rewind(struct larder_hold *, const struct lrd_watch *first);
/* Calls visit for the shard of each watch; no lock is needed. */
void lrd_hold_shards(const struct larder_hold *, void (*visit)(void *context, unsigned shard),
                     void *context);
/* Has a watched key changed?  Its shards are locked. */
int lrd_hold_changed(struct larder_hold *, int64_t now);
/* Forgets all watches.  locked: the shards are locked, else it locks them one by one. */
void lrd_hold_clear(struct larder_hold *, int locked);

/* A key changed; the shard is locked. */
void lrd_hold_touch(const struct lrd_at *);
/* A call that waits was looked at: who hangs behind it at the same keys may be next.  ended: it
 * waits no more.  Its shards are locked. */
void lrd_hold_pass_on(const struct larder_hold *, int ended);
/* All keys of a database will be gone; the shard is locked. */
void lrd_hold_touch_database(struct lrd_shard *, unsigned database);

void lrd_hold_shard_init(struct lrd_engine *, struct lrd_shard *);

#endif
