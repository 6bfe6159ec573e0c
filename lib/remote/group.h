/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_GROUP_H
#define LRD_REMOTE_GROUP_H

#include "remote/link.h"

/*
 * Which link a call takes.
 *
 * A key has a home link, so that two writes of one thread to one key can't
 * overtake each other.  Reads and calls without a key take any idle link, their home first.
 * All these go over the first LRD_GROUP_FRONT links: measured on two processors, 64 callers over
 * two had 1.4 to 1.6 times the throughput of as many connections of hiredis, over eight 1.2 to 1.4
 * times, and took less of the server's time; 8 callers had 0.9 to 1.1 times.  Long batches of reads
 * take the others; a long batch with a write in it stays at its home, where it takes turns with
 * the other calls (wire.h).  Links are made on demand, up to config->connections a database, and
 * live as long as the store.
 */

enum {
  LRD_GROUP_FRONT = 2,
  LRD_GROUP_LONG = 64 /* commands of a batch that is long */
};

/* 0, or -1: no memory. */
int lrd_group_init(struct lrd_remote *, struct lrd_group *);
void lrd_group_free(struct lrd_remote *, struct lrd_group *, int forked);

/* NULL: no memory for a link. */
struct lrd_link *lrd_group_pick(struct lrd_remote *, const larder_call *);

/* Calls visit for every link of callers there is, pinned ones too. */
void lrd_group_each(struct lrd_remote *, void (*visit)(struct lrd_link *, void *context),
                    void *context);

#endif
