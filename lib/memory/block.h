/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_BLOCK_H
#define LRD_MEMORY_BLOCK_H

#include "memory/hold.h"

/*
 * Calls that wait for a key to hold something: BLPOP and its kin.
 *
 * A call that found nothing hangs at its keys where WATCH hangs (hold.h), under the locks with
 * which it has looked.  Whoever changes such a key makes the first who waits there ready, and
 * serves those that are ready when it has given its locks back, before its own call returns:
 * their commands are run again, key by key in the order in which the keys changed.  Whoever was
 * looked at and leaves something in its keys passes the turn on to who came next.  So a change
 * costs the calls that it can serve, not all that wait.
 *
 * Between the change and the serving another thread's call may take the element: it came first
 * then.  In a transaction nothing waits, and nobody is served before all of it has happened.
 *
 * A thread waits on a condition of its own; a submission waits without a thread, and its time is
 * the maintenance thread's (or tick's) to watch.
 */

enum { LRD_WAITERS_MAX = 16384 };

/* The command's timeout, ms; 0: it is none, which is replied. */
int lrd_argument_wait(struct lrd_exec *, int64_t *ms);
/* As lrd_read; in another turn of a call that waits, a key of another kind is as if it were not
 * there. */
int lrd_block_read(struct lrd_exec *, larder_bytes key, enum lrd_kind, struct lrd_entry **);
/* A handler's last word: may the call wait, or is it refused because it would have to?  Then
 * nothing is to be written. */
int lrd_block_may_wait(struct lrd_exec *);

/* Runs a command that may wait; the sink has its one reply when it returns. */
void lrd_block_execute(struct lrd_engine *, const larder_call *, const larder_vector *,
                       larder_sink *);
/* The same without waiting; done is called once. */
void lrd_block_submit(struct lrd_engine *, const larder_call *, larder_submission *);

/* Ends one submission (NOT_SENT), or all calls that wait, and those to come (CLOSED). */
void lrd_block_cancel(struct lrd_engine *, larder_submission *);
/* Ends the submissions whose time has come.  Returns when the next one's does, wall ms, or -1. */
int64_t lrd_block_expire(struct lrd_engine *, int64_t wall_ms);

/* --- for hold.c and exec.c; the shards are locked ------------------------------------------ */

/* The waiter may find something at the key, which lives as long as it hangs there.  next: before
 * all others that are ready. */
void lrd_block_ready(struct larder_hold *, larder_bytes key, int next);
/* It found nothing at that key.  1: the others are to be looked at too. */
int lrd_block_look_on(struct lrd_exec *);
/* The command was run: it begins to wait, goes on waiting, or has ended. */
void lrd_block_settle(struct lrd_exec *);
/* exec.c: one turn.  1: it has ended, and verdict is what its reply's end is. */
int lrd_exec_turn(struct lrd_engine *, const larder_call *, larder_sink *, struct lrd_waiter *,
                  int again, larder_verdict *verdict);

int lrd_block_open(struct lrd_engine *);
void lrd_block_close(struct lrd_engine *, int forked);

#endif
