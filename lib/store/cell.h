/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_CELL_H
#define LRD_STORE_CELL_H

#include <stdatomic.h>
#include <stdint.h>

#include <larder/backend.h>

#include "util/thread.h"
#include "util/yield.h"

/*
 * Who is inside a store, and what the calls came to: counters in cells, each on cache
 * lines of its own.
 *
 * A thread claims a cell with its first call and is from then on the only one that
 * writes there: it counts with plain loads and stores, where an atomic addition would keep
 * the processor from beginning the next call while this one's memory is on its way.  A
 * thread that finds no cell shares one with others, and adds atomically.
 *
 * A cell belongs to a thread for good: nothing tells when the thread ends.  The C library
 * gives a thread's address, and so its cell, to one that begins later; a program that
 * makes and ends threads at ever new addresses comes to share.
 *
 * Closing (the phase is set, then lrd_cells_settle, then lrd_cells_active) sees each call
 * that does not see the phase: an owner counts itself, then reads the phase, and the fence
 * that must lie between these two is made by lrd_cells_settle for all threads (util/barrier.h);
 * where there is no such fence nobody owns a cell.
 */

enum { LRD_CELLS_BITS = 5, LRD_CELLS_OWN = 1 << LRD_CELLS_BITS };
enum { LRD_CELLS_SHARED = 4, LRD_CELL_ALIGN = 64 };

struct lrd_cell {
  _Alignas(LRD_CELL_ALIGN) _Atomic uintptr_t owner; /* 0: nobody yet; LRD_SHARED */
  _Atomic uint64_t active;                          /* calls inside */
  _Atomic uint64_t origins[LARDER_ORIGINS];
  _Atomic uint64_t calls[LARDER_OUTCOMES];
  _Atomic uint64_t deadline_misses;
  struct lrd_answer *kept; /* its owner's; reply.h */
};

#define LRD_SHARED ((uintptr_t)1) /* no thread is there */

struct lrd_cells {
  struct lrd_cell *cell; /* those that may be owned, then the shared; inside block */
  void *block;
  int owned;             /* threads may own one */
};

/* 0, or -1: no memory. */
int lrd_cells_open(struct lrd_cells *, const larder_memory *);
void lrd_cells_close(struct lrd_cells *, const larder_memory *);

/* Where the thread has none at its place. */
struct lrd_cell *lrd_cells_claim(struct lrd_cells *, uintptr_t self);
/* For what one thread begins and another ends. */
struct lrd_cell *lrd_cells_shared(struct lrd_cells *);
/* All that count from now on see what was written before, or are seen by the sum. */
void lrd_cells_settle(const struct lrd_cells *);
/* Sum of the calls inside. */
uint64_t lrd_cells_active(const struct lrd_cells *);

/* The caller's: its own, or one to share. */
static inline struct lrd_cell *lrd_cell_mine(struct lrd_cells *cells)
{
  uintptr_t self = lrd_thread_address();
  struct lrd_cell *cell = &cells->cell[lrd_thread_place(self, LRD_CELLS_BITS)];
  if (atomic_load_explicit(&cell->owner, memory_order_relaxed) != self)
    cell = lrd_cells_claim(cells, self);
  return cell;
}

static inline int lrd_cell_is_shared(const struct lrd_cell *cell)
{
  return atomic_load_explicit(&cell->owner, memory_order_relaxed) == LRD_SHARED;
}

/* Of a cell: counter += n. */
static inline void lrd_cell_add(const struct lrd_cell *cell, _Atomic uint64_t *counter, uint64_t n)
{
  if (lrd_cell_is_shared(cell)) {
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
    return;
  }
  uint64_t had = atomic_load_explicit(counter, memory_order_relaxed);
  atomic_store_explicit(counter, had + n, memory_order_relaxed);
}

/* The caller comes in.  What it reads afterwards is not read before. */
static inline void lrd_cell_enter(struct lrd_cell *cell)
{
  if (lrd_cell_is_shared(cell)) {
    atomic_fetch_add(&cell->active, 1);
    return;
  }
  uint64_t had = atomic_load_explicit(&cell->active, memory_order_relaxed);
  atomic_store_explicit(&cell->active, had + 1, memory_order_relaxed);
  atomic_signal_fence(memory_order_seq_cst);
  lrd_yield_point();
}

static inline void lrd_cell_leave(struct lrd_cell *cell)
{
  if (lrd_cell_is_shared(cell)) {
    atomic_fetch_sub_explicit(&cell->active, 1, memory_order_release);
    return;
  }
  uint64_t had = atomic_load_explicit(&cell->active, memory_order_relaxed);
  atomic_store_explicit(&cell->active, had - 1, memory_order_release);
}

#endif
