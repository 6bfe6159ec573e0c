/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_PROMISE_H
#define LRD_STORE_PROMISE_H

#include "store/dispatch.h"
#include "store/queue.h"
#include "store/reply.h"

/* One asynchronous call.  It lives in its answer's arena, and so does the copy
 * of its arguments. */

enum lrd_promise_state { LRD_PROMISE_RUNNING = 0, LRD_PROMISE_DONE };

struct lrd_promise {
  larder_submission submission; /* first: what the backend holds */
  larder *store;
  struct lrd_answer *answer;
  struct lrd_meter meter;
  larder_vector vector;
  larder_callback *callback;
  void *context;
  uint64_t id; /* serial << 16 | slot */
  /* Under the queue's lock. */
  enum lrd_promise_state state;
  unsigned pins;
  struct lrd_promise *next;
};

/* NULL: no memory. */
struct lrd_promise *lrd_promise_new(larder *, larder_callback *, void *context);

/* Gives it a slot and a number; starts the delivery thread if there is none.
 * OK, NOT_SENT (too many), NO_MEMORY (or no thread). */
larder_outcome lrd_queue_add(larder *, struct lrd_promise *);
/* The running promise of that number, pinned, or NULL. */
struct lrd_promise *lrd_queue_pin(larder *, uint64_t id);
void lrd_queue_unpin(larder *, struct lrd_promise *);
/* larder_dispatch without its checks. */
size_t lrd_queue_deliver(larder *, size_t max);

#endif
