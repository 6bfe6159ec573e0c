/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/promise.h"

#include "util/memory.h"

static const struct lrd_promise closed;
#define LRD_PROMISES_CLOSED ((struct lrd_promise *)(uintptr_t)&closed) /* an address that no block has */

struct lrd_promises *lrd_promises_new(const larder_memory *memory)
{
  struct lrd_promises *p = lrd_allocate(memory, sizeof *p);
  if (!p)
    return NULL;
  p->memory = *memory;
  atomic_init(&p->blocks, 1);
  atomic_init(&p->returned, NULL);
  atomic_init(&p->idle, 0);
  p->spare = NULL;
  return p;
}

/* One block fewer, or the store; the last one takes the pool along. */
static void leave(struct lrd_promises *p)
{
  if (atomic_fetch_sub_explicit(&p->blocks, 1, memory_order_acq_rel) != 1)
    return;
  const larder_memory memory = p->memory;
  lrd_release(&memory, p, sizeof *p);
}

static void release(struct lrd_promise *promise)
{
  struct lrd_promises *p = promise->pool;
  lrd_release(&p->memory, promise, sizeof *promise);
  leave(p);
}

static void release_list(struct lrd_promise *promise)
{
  for (struct lrd_promise *next; promise; promise = next) {
    next = promise->next;
    release(promise);
  }
}

void lrd_promises_close(struct lrd_promises *p)
{
  struct lrd_promise *returned =
      atomic_exchange_explicit(&p->returned, LRD_PROMISES_CLOSED, memory_order_acq_rel);
  struct lrd_promise *spare = p->spare;
  p->spare = NULL;
  release_list(returned);
  release_list(spare);
  leave(p);
}

struct lrd_promise *lrd_promises_take(struct lrd_promises *p)
{
  if (!p->spare && atomic_load_explicit(&p->returned, memory_order_relaxed))
    p->spare = atomic_exchange_explicit(&p->returned, NULL, memory_order_acquire);
  struct lrd_promise *promise = p->spare;
  if (!promise)
    return NULL;
  p->spare = promise->next;
  atomic_fetch_sub_explicit(&p->idle, 1, memory_order_relaxed);
  return promise;
}

/* Whose owner may fork away before he has used it: a child frees what is in the table. */
static void make_empty(struct lrd_promise *promise)
{
  lrd_answer_init(&promise->answer, &promise->pool->memory, promise->room, sizeof promise->room);
}

struct lrd_promise *lrd_promises_grow(struct lrd_promises *p)
{
  struct lrd_promise *promise = lrd_allocate(&p->memory, sizeof *promise);
  if (!promise)
    return NULL;
  atomic_fetch_add_explicit(&p->blocks, 1, memory_order_relaxed);
  promise->pool = p;
  make_empty(promise);
  return promise;
}

/* While it is not on the stack it keeps the pool there. */
void lrd_promises_return(struct lrd_promise *promise)
{
  struct lrd_promises *p = promise->pool;
  struct lrd_promise *top = atomic_load_explicit(&p->returned, memory_order_relaxed);
  if (top == LRD_PROMISES_CLOSED ||
      atomic_fetch_add_explicit(&p->idle, 1, memory_order_relaxed) >= LRD_PROMISES_SPARE) {
    if (top != LRD_PROMISES_CLOSED)
      atomic_fetch_sub_explicit(&p->idle, 1, memory_order_relaxed);
    release(promise);
    return;
  }
  make_empty(promise);
  do {
    if (top == LRD_PROMISES_CLOSED) {
      release(promise);
      return;
    }
    promise->next = top;
  } while (!atomic_compare_exchange_weak_explicit(&p->returned, &top, promise,
                                                  memory_order_release, memory_order_relaxed));
}
