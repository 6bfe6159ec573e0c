/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STREAM_CHANGE_H
#define LRD_MEMORY_STREAM_CHANGE_H

#include "memory/stream_group.h"

/*
 * What one command does to groups, all or nothing: each step notes how to take it back, and what
 * could not be taken back without memory (an entry leaves its consumer, or is pending no more) is
 * done last, when nothing can fail.  Between, an entry may be pending with two consumers.
 */

struct lrd_xundo;

struct lrd_xchange {
  const larder_memory *memory;
  struct lrd_xundo *undo;
  size_t count, capacity;
};

void lrd_xchange_init(struct lrd_xchange *, const larder_memory *);

/* The group's last id and count will change.  0, or -1: no memory (so below). */
int lrd_xchange_read(struct lrd_xchange *, struct lrd_xgroup *);
/* The consumer of that name, which is seen now; a new one if there is none.  NULL: no memory. */
struct lrd_xconsumer *lrd_xchange_consumer(struct lrd_xchange *, struct lrd_xgroup *,
                                           larder_bytes name, int64_t now);
/* Makes a pending entry (NULL: it is not pending yet, and its count is zero then) the consumer's;
 * its time and count are the caller's to change.  NULL: no memory. */
struct lrd_xpending *lrd_xchange_take(struct lrd_xchange *, struct lrd_xgroup *,
                                      struct lrd_xconsumer *, struct lrd_xid,
                                      struct lrd_xpending *);
/* An entry is pending no more. */
int lrd_xchange_drop(struct lrd_xchange *, struct lrd_xgroup *, struct lrd_xid);

/* The end, one way or the other. */
void lrd_xchange_commit(struct lrd_xchange *);
void lrd_xchange_undo(struct lrd_xchange *);

#endif
