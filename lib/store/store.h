/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_STORE_H
#define LRD_STORE_STORE_H

#include <stdatomic.h>

#include <larder.h>
#include <larder/backend.h>

#include "command/hub.h"
#include "store/cell.h"
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
 * nobody is inside.  Only the backend's get_now and set_now are called without entering:
 * it sees to it that closing waits for them.
 */

enum lrd_phase { LRD_OPEN = 0, LRD_CLOSING };

struct larder {
  /* The backend's while the store is open, else NULL: call.c. */
  larder_outcome (*_Atomic get_now)(larder_backend *, const void *, size_t, void *, size_t,
                                    size_t *);
  larder_outcome (*_Atomic set_now)(larder_backend *, const void *, size_t, const void *, size_t,
                                    int64_t);
  larder_backend *base;     /* table->size bytes */
  struct lrd_fork fork;
  const larder_backend_table *table;
  atomic_int phase;        /* enum lrd_phase */
  larder_late late;     /* of base */
  struct lrd_config config;
  struct lrd_hook *hook;
  struct lrd_hub *hub;     /* who listens to channels */
  struct lrd_cells cells;
  int64_t opened_at;       /* monotonic ns */
  _Atomic uint64_t sessions; /* the last session's number */
  struct lrd_queue queue;  /* of asynchronous calls */
};

/* --- entering and leaving ------------------------------------------------ */

/* lrd_enter where it fails. */
struct lrd_cell *lrd_refuse(larder *, struct lrd_cell *, larder_outcome *why);

static inline void lrd_leave(struct lrd_cell *cell)
{
  lrd_cell_leave(cell);
}

/* The caller's cell, or NULL: *why is CLOSED, FORKED or (store NULL) BAD_ARGUMENT. */
static inline struct lrd_cell *lrd_enter(larder *store, larder_outcome *why)
{
  if (!store || lrd_forked(&store->fork))
    return lrd_refuse(store, NULL, why);
  struct lrd_cell *cell = lrd_cell_mine(&store->cells);
  lrd_cell_enter(cell);
  /* either closing sees us, or we see it: cell.h */
  if (atomic_load(&store->phase) == LRD_OPEN)
    return cell;
  return lrd_refuse(store, cell, why);
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
static inline uint64_t lrd_active(const larder *s)
{
  return lrd_cells_active(&s->cells);
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
static inline int64_t lrd_timeout(const larder *store, int64_t timeout_ms)
{
  if (timeout_ms == 0)
    return store->config.timeout;
  return timeout_ms < 0 || timeout_ms > 3600000 ? 0 : timeout_ms * LRD_NS_PER_MS;
}

/* --- backend.c ------------------------------------------------------------ */

/* The table for these options, or NULL and a line in error. */
const larder_backend_table *lrd_backend_choose(const struct lrd_config *, char *error,
                                               size_t error_size);
/* Every slot filled, the version ours, the instance large enough? */
larder_outcome lrd_backend_check(const larder_backend_table *, char *error, size_t error_size);

#endif
