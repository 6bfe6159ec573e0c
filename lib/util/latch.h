/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_LATCH_H
#define LRD_UTIL_LATCH_H

#include <stdatomic.h>
#include <stdint.h>

#include "util/fence.h"
#include "util/lock.h"

/*
 * A lock for sections of well under a microsecond; ranked as an lrd_lock is.
 *
 * It costs one atomic exchange and one store, where a mutex needs two atomic
 * operations: its word does not tell whether somebody waits.  Who finds it taken
 * spins a while, then leaves the CPU (the holder may have been suspended, or runs
 * a long command), at first by yielding, then by sleeping, 50 us and by and by up to
 * 0.8 ms: it oversleeps by a third of its wait at most, and many that wait long take
 * little time from the holder.  Who yields may have a higher priority than the
 * holder: it sleeps soon.  Not fair.
 *
 * A reader need not take it (a sequence lock: Lameter, "Effective synchronization on
 * Linux/NUMA systems", 2005): it notes the version, reads with atomic loads, and what it read
 * was one state of what the latch guards if the version is the same afterwards (unless the
 * reader was suspended while it was given back a multiple of 2^32 times, and no other number).
 * Taking it and a reader's first look are sequentially consistent: of two threads that each
 * change what one latch guards and then read what the other's does, one sees the other's change
 * (or the latch taken).
 */
struct lrd_latch {
  union {
    struct {
      _Atomic uint32_t taken, version; /* version: how often it was given back */
    };
    _Atomic uint64_t both; /* for readers */
  };
  struct lrd_level level;
};

static inline void lrd_latch_init(struct lrd_latch *latch, enum lrd_rank rank, unsigned index)
{
  atomic_init(&latch->both, 0);
  latch->level = (struct lrd_level){ (unsigned short)rank, (unsigned short)index };
}

/* 1: it is the caller's. */
static inline int lrd_latch_try(struct lrd_latch *latch)
{
  if (atomic_exchange_explicit(&latch->taken, 1, memory_order_seq_cst))
    return 0;
  lrd_fence(memory_order_release); /* readers see that before they see what is written now */
  return 1;
}

/* Leaves the CPU for a while that grows with the round (0, 1, ...). */
void lrd_latch_back_off(unsigned round);

/* Tries until it is the caller's. */
void lrd_latch_wait(struct lrd_latch *);

/* 1: it is the caller's, 0: it was taken, and lrd_latch_take would wait. */
static inline int lrd_latch_take_at_once(struct lrd_latch *latch)
{
  lrd_level_check(&latch->level);
  lrd_yield_point();
  if (!lrd_latch_try(latch))
    return 0;
  lrd_level_taken(&latch->level);
  return 1;
}

static inline void lrd_latch_take(struct lrd_latch *latch)
{
  lrd_level_check(&latch->level);
  lrd_yield_point();
  if (__builtin_expect(!lrd_latch_try(latch), 0))
    lrd_latch_wait(latch);
  lrd_level_taken(&latch->level);
}

static inline void lrd_latch_drop(struct lrd_latch *latch)
{
  lrd_level_given(&latch->level);
  atomic_store_explicit(&latch->version,
                        atomic_load_explicit(&latch->version, memory_order_relaxed) + 1,
                        memory_order_release);
  atomic_store_explicit(&latch->taken, 0, memory_order_release);
  lrd_yield_point();
}

/* For a reader: 0: somebody has it now. */
static inline int lrd_latch_look(const struct lrd_latch *latch, uint64_t *version)
{
  *version = atomic_load_explicit(&latch->both, memory_order_seq_cst);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return !(*version >> 32);
#else
  return !(uint32_t)*version;
#endif
}

/* Was what was read since then one state? */
static inline int lrd_latch_is_same(const struct lrd_latch *latch, uint64_t version)
{
  lrd_fence(memory_order_acquire);
  return atomic_load_explicit(&latch->both, memory_order_relaxed) == version;
}

#endif
