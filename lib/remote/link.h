/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_LINK_H
#define LRD_REMOTE_LINK_H

#include <stdatomic.h>

#include "remote/instance.h"
#include "remote/metrics.h"
#include "remote/stream.h"
#include "remote/wire.h"
#include "util/park.h"

/*
 * One connection.
 *
 *   DOWN        no descriptor.  Whoever wants it asks the loop to dial.
 *   CONNECTING  the loop thread connects and shakes hands.
 *   READY       a caller's link: callers do the I/O; a submit link: the loop does.
 *   CLOSING     everything pending has ended, but the driver is still in poll()
 *               with the descriptor and closes it on its way out.
 *
 * A caller's link is driven by one of its callers.  Every caller appends its command under the
 * lock and sends it at once.  If nobody drives, it becomes the driver: it waits and reads
 * outside the lock, feeds the wire under it and hands replies to their owners; when its own call
 * has ended, it wakes a waiting caller, who drives on.
 *
 * Batches form by themselves: what several callers have sent the server reads at once.  To hold
 * commands back while a round trip is under way makes larger ones, and was measured to be slower
 * with 8 callers and with 64: the server idles and has to be woken.
 *
 * The eventfd wakes the driver only when a send would have blocked or the link was closed
 * under it; a driver that sits in recv() (see stream.h) sees it a little later.
 *
 * The lock protects everything here but what is said to be the loop's or atomic.
 * Only the driver (the loop, for a submit link) closes the descriptor.
 */

enum lrd_link_kind {
  LRD_LINK_SHARED,
  LRD_LINK_PINNED,
  LRD_LINK_SUBMIT,
  LRD_LINK_LISTEN /* the loop's, as a submit link is; its wire is idle: listen.h */
};

enum lrd_link_state { LRD_LINK_DOWN, LRD_LINK_CONNECTING, LRD_LINK_READY, LRD_LINK_CLOSING };

/* A synchronous call on its caller's stack. */
struct lrd_link_call {
  struct lrd_ticket ticket; /* first: the wire knows only this */
  struct lrd_link_call *next, *previous; /* in link->waiting, oldest first */
  struct lrd_park park;
  int has_park, sleeping, cancelled;
  unsigned failed;          /* attempts to connect, and to send, that failed under it */
  int64_t entered_at;
  larder_outcome unsent;    /* what vectors that did not leave us are: NOT_SENT, ... */
};

/* Sleepers that were let go under the lock, to be woken when it has been given back. */
enum { LRD_LINK_WAKES = 32 };
struct lrd_wakes {
  unsigned count;
  atomic_uint *word[LRD_LINK_WAKES];
};

struct lrd_link {
  struct lrd_lock lock;
  struct lrd_remote *remote;
  enum lrd_link_kind kind;
  unsigned index;     /* among those of its kind and database; constant */
  int database;       /* the one selected, or to be selected */
  int home_database;  /* whose group's backoff counts; constant */
  int taken;          /* pinned: by a hold; under remote->lock */

  enum lrd_link_state state;
  atomic_int ready;   /* to choose by: READY, and no tombstone in the way */
  atomic_uint load;   /* commands of the calls inside */
  struct lrd_stream stream;
  int wake;           /* eventfd; -1: none yet */
  struct lrd_wire wire;
  int driven;
  struct lrd_link_call *waiting, *waiting_last;
  struct lrd_wakes wakes;
  int64_t touched_at;  /* last time bytes were written or read */
  int64_t progress_at; /* last time a slot was completed */
  int64_t doubt_at;    /* a call gave up, and since then no call has had its reply and something
                          was owed all the time; 0: not so */
  int doubted_again;   /* so did one that was sent since then: replies may be one place off */
  struct lrd_identity identity;
  char no_multi[128];  /* why this server lets us have no MULTI; "": it does */
  unsigned attempts;   /* connection attempts that failed so far */
  struct lrd_fault fault; /* of the last one */
  char ended[200];     /* why it was closed; "": told already */

  struct lrd_link *dial_next; /* the loop's queue, under its lock */
  int dial_queued, dial_probe;
  struct lrd_link_work work; /* the loop thread's */
  struct lrd_metrics metrics;
};

/* A link that is DOWN; NULL: no memory. */
struct lrd_link *lrd_link_new(struct lrd_remote *, enum lrd_link_kind, int database,
                              unsigned index);
/* Closes its descriptors and frees it.  forked: in a child, where the lock may be
 * held for ever: then its memory stays. */
void lrd_link_free(struct lrd_link *, int forked);

void lrd_link_call_init(struct lrd_link_call *, struct lrd_remote *, const larder_vector *,
                        size_t count, int atomic, int64_t deadline);
void lrd_link_call_release(struct lrd_link_call *);
/* Ends a call that no wire has seen. */
void lrd_link_call_fail(struct lrd_link_call *, larder_outcome, larder_cause, const char *text);

enum { LRD_LINK_NO_RETRY = 1 << 30 }; /* with LARDER_CALL_... flags: this connection or none */

/* Runs a call on the caller's thread: afterwards its ticket is DONE or FAILED. */
void lrd_link_run(struct lrd_link *, struct lrd_link_call *, unsigned flags);

/* Ends every call in flight and closes the connection.  text: for the callers. */
void lrd_link_cancel(struct lrd_link *, larder_outcome unsent, const char *text);
/* Closes the connection if there is one (a pinned link in doubt). */
void lrd_link_drop(struct lrd_link *, const char *text);

/* --- with the lock held, for callers ---------------------------------------------------- */

/* Lets a caller go if it sleeps; lrd_link_unlock wakes it.  for_good: it is in no list any more,
 * and comes back without the lock. */
void lrd_link_let_go(struct lrd_link *, struct lrd_link_call *, int for_good);
void lrd_link_delist(struct lrd_link *, struct lrd_link_call *);
void lrd_link_unlock(struct lrd_link *);

/* --- with the lock held, for the loop -------------------------------------------------- */

/* Writes what it can: 0, or -1: the link was closed. */
int lrd_link_flush(struct lrd_link *);
/* 1: it would write more: poll for that too. */
int lrd_link_has_output(const struct lrd_link *);
/* Takes bytes that were read (n as lrd_stream_read returns it, errno in error): 0,
 * or -1: the link was closed. */
int lrd_link_received(struct lrd_link *, const char *bytes, ssize_t n, int error, int64_t now);
/* Puts into the wire what waits for its turn there, and tells owners of calls that ended. */
void lrd_link_turn(struct lrd_link *, int64_t now);
/* READY to DOWN or CLOSING: fails everything pending, remembers what to fence. */
void lrd_link_close(struct lrd_link *, larder_cause, const char *text);
/* CLOSING to DOWN, by whoever had the descriptor in use; otherwise nothing. */
void lrd_link_finish(struct lrd_link *);
/* When the oldest slot counts as stuck, or the replies as one place off (each comes when its call has
 * given up); INT64_MAX: nothing is owed.  Replies that come late, to calls that were all sent
 * before the first of them gave up, are a slow server's. */
int64_t lrd_link_stuck_at(const struct lrd_link *);
/* A call that was put into the wire at sent_at was withdrawn from it, late. */
void lrd_link_doubt(struct lrd_link *, int64_t sent_at, int64_t now);
/* SILENT or SLOW, for a call put into a wire at sent_at whose deadline passed. */
larder_cause lrd_link_late(struct lrd_remote *, int64_t sent_at, int64_t now);
/* CONNECTING to READY (0; -1: no memory) or DOWN, and wakes who waits. */
int lrd_link_up(struct lrd_link *, const struct lrd_identity *);
void lrd_link_down(struct lrd_link *, const struct lrd_fault *);

#endif
