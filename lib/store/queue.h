/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_QUEUE_H
#define LRD_STORE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

#include <larder/async.h>
#include <larder/options.h>

#include "util/bell.h"
#include "util/lock.h"

/*
 * The asynchronous calls of one store: a table of those in flight (found by
 * their number), and the queue of those that are done and wait for delivery.
 *
 * A promise is new -> running -> done -> delivered (its callback runs, no lock held) -> freed
 * by the owner of its reply.  While somebody cancels a promise it is held: it can become done, but
 * is not delivered before it was let go.
 *
 * Who ends a call takes no lock: it pushes the promise on a stack, which the delivering
 * thread takes whole and turns round.  It wakes that thread (rings the descriptor) only where the
 * stack was empty and the thread sleeps (the descriptor was not rung since the last dispatch).
 */

struct lrd_promise;

enum { LRD_PROMISES_MAX = 65536 };

/* One thread that delivers: whoever is inside a callback must not close. */
struct lrd_deliverer {
  pthread_t thread;
  struct lrd_deliverer *next;
};

struct lrd_queue {
  /* Written by those that end calls. */
  _Atomic(struct lrd_promise *) done; /* the last one first */
  atomic_int sleeping;  /* the thread waits for work, or is about to */
  atomic_int signalled; /* the descriptor is readable, or about to be */
  _Atomic uint64_t running; /* begun and not done */

  char apart[64]; /* another cache line */
  struct lrd_lock lock; /* of everything below */
  pthread_cond_t work;  /* something is done, or stop */
  larder_delivery delivery;
  struct lrd_promise **promise; /* in flight, by slot; a free slot is NULL */
  unsigned *vacant;     /* stack of free slots */
  unsigned slots, vacancies;
  uint64_t serial;      /* upper part of the next number */
  struct lrd_promises *pool;
  struct lrd_promise *first, *last; /* done, in order of completion */
  uint64_t waiting;     /* how many of them */
  struct lrd_deliverer *deliverers;
  pthread_t thread;
  int started, stop;
  struct lrd_bell bell; /* DISPATCH only */
};

/* OK, NO_MEMORY (or no descriptor). */
larder_outcome lrd_queue_init(struct lrd_queue *, larder_delivery, const larder_memory *);

/* Delivers everything that is done or becomes done, ends what the backend has
 * forgotten, stops the thread.  After the backend was closed. */
void lrd_queue_finish(larder *);
/* Frees the tables.  In a forked child also what is in flight. */
void lrd_queue_release(larder *, int forked);

/* Calls begun and not done. */
uint64_t lrd_queue_running(larder *);
/* Is the calling thread inside a callback of this store? */
int lrd_queue_delivering(larder *);

#endif
