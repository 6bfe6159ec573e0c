/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_HOLD_H
#define LRD_REMOTE_HOLD_H

#include "remote/link.h"

/*
 * What a session needs of a server: a connection of its own from its first WATCH
 * to its EXEC or UNWATCH.  Such links come from a bounded pool (LRD_PINNED); one
 * that is in doubt is closed.  If it is lost, the next EXEC is NOT_SENT.
 *
 * One thread at a time.
 */

struct larder_hold {
  struct lrd_link *link; /* NULL: nothing is watched */
  int lost;              /* a connection that watched keys has gone */
};

/* 1: the call concerns the hold and was run, its ticket has ended; 0: it is for the group. */
int lrd_hold_run(struct lrd_remote *, larder_hold *, const larder_call *, struct lrd_link_call *);
/* A call that may wait for a key: on a pinned link, while it lasts. */
int lrd_hold_waits(const larder_call *);
void lrd_hold_run_alone(struct lrd_remote *, const larder_call *, struct lrd_link_call *);
/* Gives the link back. */
void lrd_hold_end(struct lrd_remote *, larder_hold *);

#endif
