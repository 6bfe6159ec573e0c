/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_STORE_H
#define LRD_STORE_STORE_H

#include <stdatomic.h>

#include <larder.h>
#include <larder/backend.h>

#include "store/config.h"
#include "store/fork.h"
#include "store/queue.h"
#include "util/cancel.h"
#include "util/clock.h"
#include "util/hook.h"
#include "util/memory.h"

/*
 * The store itself, as the files of this folder see it.
 *
 * Life: opening -> open -> closing -> gone.  Every public call enters (which
 * fails unless the store is open and ours) and leaves; closing waits until
 * nobody is inside.  What calls count is spread over a few cells, each on a
 * cache line of its own, so that threads do not share one.  Only typed calls of a
 * backend that LARDER_COUNTS_TYPED do not enter while the store is open: the backend
 * sees to it that closing waits for them.
 */

enum lrd_phase { LRD_OPEN = 0, LRD_CLOSING };

enum { LRD_CELLS = 16, LRD_CELL_ALIGN = 64 };

struct lrd_cell {
  _Alignas(LRD_CELL_ALIGN) _Atomic uint64_t active; /* calls inside */
  _Atomic uint64_t calls[LARDER_OUTCOMES];
  _Atomic uint64_t origins[LARDER_ORIGINS];
  _Atomic uint64_t deadline_misses;
};

struct larder {
  const larder_backend_table *table;
  int counts_typed;        /* LARDER_COUNTS_TYPED */
  atomic_int phase;        /* enum lrd_phase */
  larder_backend *base; /* table->size bytes */
  larder_late late;     /* of base */
  struct lrd_config config;
  struct lrd_hook *hook;
  struct lrd_fork fork;
  struct lrd_cell *cell;   /* LRD_CELLS of them, inside cells */
  void *cells;
  int64_t opened_at;       /* monotonic ns */
  _Atomic uint64_t sessions; /* the last session's number */
  struct lrd_queue queue;  /* of asynchronous calls */
};

/* --- entering and leaving ------------------------------------------------ */

/* The caller's cell, or NULL: *why is CLOSED, FORKED or (store NULL) BAD_ARGUMENT. */
struct lrd_cell *lrd_enter(larder *, larder_outcome *why);

static inline void lrd_leave(struct lrd_cell *cell)
{
  atomic_fetch_sub_explicit(&cell->active, 1, memory_order_release);
}

/* Around a call of the backend that may wait or do I/O, which a local one does not: the
 * thread can't be cancelled there. */
static inline int lrd_wait_begin(const larder *s)
{
  return s->table->capabilities & LARDER_IS_LOCAL ? -1 : lrd_cancel_disable();
}

static inline void lrd_wait_end(int state)
{
  if (state >= 0)
    lrd_cancel_restore(state);
}

static inline void lrd_hold_end(const larder *s, larder_hold *hold)
{
  int state = lrd_wait_begin(s);
  s->table->hold_close(s->base, hold);
  lrd_wait_end(state);
}

/* Sum of the calls inside. */
uint64_t lrd_active(const larder *);

static inline void lrd_count_many(_Atomic uint64_t *counter, uint64_t n)
{
  atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Counts replies that ended the same way. */
void lrd_tally_many(struct lrd_cell *, const larder_verdict *, uint64_t replies);
static inline void lrd_tally(struct lrd_cell *cell, const larder_verdict *v)
{
  lrd_tally_many(cell, v, 1);
}

/* When a call that begins now must end: timeout in ns.  A local backend never
 * waits: for it the clock isn't read. */
int64_t lrd_deadline(const larder *, int64_t timeout);

/* A caller's timeout (ms; 0: the store's) as ns; 0: out of range. */
int64_t lrd_timeout(const larder *, int64_t timeout_ms);

/* --- backend.c ------------------------------------------------------------ */

/* The table for these options, or NULL and a line in error. */
const larder_backend_table *lrd_backend_choose(const struct lrd_config *, char *error,
                                               size_t error_size);
/* Every slot filled, the version ours, the instance large enough? */
larder_outcome lrd_backend_check(const larder_backend_table *, char *error, size_t error_size);

#endif
