/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_POOL_H
#define LRD_SERVE_POOL_H

#include <larder/hooks.h>

/*
 * Threads for work that may wait for a network.  They are created when there is
 * work and nobody free for it, up to a bound; they end with the pool.  All
 * signals are blocked in them.
 */
struct lrd_pool;

struct lrd_job {
  struct lrd_job *next; /* the pool's */
  void (*run)(struct lrd_job *); /* on a thread of the pool */
};

/* wake(context) is called after each job, on its thread, with a lock of the pool
 * held: it may only signal.  NULL: no memory, or errno says why. */
struct lrd_pool *lrd_pool_new(const larder_memory *, unsigned threads, void (*wake)(void *),
                              void *context);

/* Queues a job; -1: there is no thread and none can be created. */
int lrd_pool_submit(struct lrd_pool *, struct lrd_job *);

/* The jobs that are done, in the order in which they ended; NULL: none.  When
 * it returns, the wake() of each of them has returned too. */
struct lrd_job *lrd_pool_done(struct lrd_pool *);

/* Jobs that no thread has begun are done without being run. */
void lrd_pool_drop(struct lrd_pool *);

unsigned lrd_pool_threads(struct lrd_pool *);

/* Runs what is queued, joins the threads.  Jobs that are done can still be fetched. */
void lrd_pool_stop(struct lrd_pool *);
void lrd_pool_free(struct lrd_pool *);

#endif
