/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_LISTEN_H
#define LRD_REMOTE_LISTEN_H

#include "remote/feed.h"
#include "remote/link.h"

/*
 * The connection that listens: the hub's source, one a store, owned by the loop's thread.
 *
 * It is made when the first name is wanted and goes a second after the last one isn't; it is one
 * more than `connections`, and its handshake, TLS and backoff are those of all others.  When it is
 * lost the hub tells every ear that had a name READY of a GAP; while somebody wants something it
 * is made again, and every name READY when the server has confirmed it.  One that keeps ending
 * young (the server cuts off who reads too slowly, a proxy that knows no SUBSCRIBE) is made again
 * after a pause that grows up to 2 s.
 *
 * A server that is gone without a word is found LRD_FEED_INTERVAL after it was last heard, or
 * when another connection can't be made, plus timeout and connect_timeout.
 *
 * lrd_listen_open and _free: the thread that opens and closes the store.  The rest: the loop's.
 */

struct lrd_listen {
  struct lrd_loop *loop;
  struct lrd_hub_source source;
  atomic_int changed;    /* the hub wants something; set by any thread */
  _Atomic(struct lrd_link *) link; /* NULL: never made yet; others look at what it counts */
  struct lrd_feed feed;
  int up, writing; /* writing: the socket is polled for that too */
  int64_t up_at, retry_at, leave_at; /* 0: not so */
  unsigned failures;     /* connections that ended young, one after another */
  size_t lost;           /* names that were ready; 0: all are back */
  uint64_t counted;      /* of the feed's commands, by the link's metrics */
};

/* The hub is asked for nothing before lrd_listen_attach.  NULL: no memory. */
struct lrd_listen *lrd_listen_new(struct lrd_remote *, struct lrd_hub *);
/* The loop runs.  OK, or BAD_ARGUMENT: the hub has a source. */
larder_outcome lrd_listen_attach(struct lrd_listen *, struct lrd_loop *);
/* Before the loop is stopped: the hub wakes it no more. */
void lrd_listen_detach(struct lrd_listen *);
/* The loop has gone.  forked: in a child, where only the descriptor is closed: the loop's thread
 * may have been changing all else.  NULL is allowed. */
void lrd_listen_free(struct lrd_listen *, int forked);

/* --- from the loop; a store without a hub: nothing happens ------------------------------- */

/* The hub's changes, if it has called. */
void lrd_listen_changes(struct lrd_loop *);
int64_t lrd_listen_tick(struct lrd_loop *, int64_t now); /* the next moment, or INT64_MAX */
/* The link is up, or an attempt failed. */
void lrd_listen_link_changed(struct lrd_loop *, int up);
/* Another attempt to connect failed: is this one still there? */
void lrd_listen_doubt(struct lrd_loop *);
/* Closes the connection; a new one is made if it is wanted (not while the loop stops). */
void lrd_listen_drop(struct lrd_loop *, const char *text);

#endif
