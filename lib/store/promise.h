/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_PROMISE_H
#define LRD_STORE_PROMISE_H

#include "store/dispatch.h"
#include "store/queue.h"
#include "store/reply.h"

/*
 * One asynchronous call: what the backend holds, the copy of its arguments and the
 * answer, in one block, which goes back to the store's pool when the reply is freed.
 *
 * The pool outlives its store while replies are out.  Freeing one takes no lock (any
 * thread may, in a forked child too): blocks come back on a stack that is only pushed to, and is
 * taken whole under the queue's lock.
 */

/* NEW: its callback may still be called off. */
enum lrd_promise_state { LRD_PROMISE_NEW = 0, LRD_PROMISE_RUNNING, LRD_PROMISE_DONE };

enum { LRD_PROMISE_ROOM = 256, LRD_PROMISES_SPARE = 1024 };

struct lrd_promise {
  larder_submission submission; /* first: what the backend holds */
  larder *store;
  larder_vector vector;
  larder_callback *callback;
  void *context;
  int by_backend;          /* its reply may mean ABSENT */
  uint64_t id;             /* serial << 16 | slot */
  _Atomic unsigned char state; /* enum lrd_promise_state */
  atomic_uint holders;     /* the call while it runs, and who cancels it: the last queues it */
  struct lrd_promise *next; /* done, ready, or spare */
  struct lrd_promises *pool;
  struct lrd_answer answer;
  _Alignas(16) char room[LRD_PROMISE_ROOM]; /* where the answer's arena begins */
};

struct lrd_promises {
  larder_memory memory;
  atomic_ulong blocks;                   /* that there are, and 1 for the store */
  _Atomic(struct lrd_promise *) returned; /* LRD_PROMISES_CLOSED: the store has gone */
  atomic_uint idle;                      /* returned and spare */
  struct lrd_promise *spare;             /* under the queue's lock */
};

/* NULL: no memory. */
struct lrd_promises *lrd_promises_new(const larder_memory *);
/* The store goes: what is idle is released. */
void lrd_promises_close(struct lrd_promises *);
/* One that is idle, with the queue's lock held; NULL: none is. */
struct lrd_promise *lrd_promises_take(struct lrd_promises *);
/* A new one; NULL: no memory.  Every block's answer is empty when it is placed. */
struct lrd_promise *lrd_promises_grow(struct lrd_promises *);
void lrd_promises_return(struct lrd_promise *);

/* A promise with a slot and a number, NEW; starts the delivery thread if there is none.
 * NULL: *why is NOT_SENT (too many) or NO_MEMORY (or no thread). */
struct lrd_promise *lrd_promise_new(larder *, larder_callback *, void *context,
                                    larder_outcome *why);
/* Its callback won't come. */
void lrd_promise_withdraw(struct lrd_promise *);
/* The running promise of that number, held, or NULL. */
struct lrd_promise *lrd_queue_pin(larder *, uint64_t id);
void lrd_queue_unpin(larder *, struct lrd_promise *);
/* larder_dispatch without its checks. */
size_t lrd_queue_deliver(larder *, size_t max);

#endif
