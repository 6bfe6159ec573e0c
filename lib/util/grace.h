/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_GRACE_H
#define LRD_UTIL_GRACE_H

#include <stdatomic.h>
#include <stdint.h>

#include <larder/hooks.h>

#include "util/latch.h"
#include "util/thread.h"

/*
 * Readers that take no lock, and when the memory that they may be reading can be freed:
 * epoch-based reclamation (Fraser: "Practical lock-freedom", 2004), with the costs on the
 * side of who frees.
 *
 * A reader is a thread with a cell of its own, a cache line.  It writes the epoch there
 * when it comes in and 0 when it leaves: plain stores, no atomic read-modify-write and no
 * fence, so that a processor works on the next call while this one's memory is still on its
 * way.  The fence that this order needs (a reader's note before its reads) is made by
 * the other side with membarrier(2) (barrier.h), which has every running thread of the
 * process pass one.  Where the system has none nobody becomes a reader.
 *
 * Who takes a block away from readers (unlinks it first) retires it.  Proof that it is freed
 * only when no reader can have it: it is retired in an epoch t that was read after it was
 * unlinked.  Advancing from t + 1 to t + 2 begins with a membarrier, and this comes after
 * that reading, so by then everybody sees that it is unlinked: readers that come in when the epoch
 * is t + 2 or later can't find it.  Those that came in before wrote t + 1 or less, and the
 * next advance, to t + 3, is made only when all who are inside wrote t + 2.  Then it is freed.
 * The epoch that a reader writes may be old already: that only delays advancing.
 *
 * While the only reader is the thread that frees, or there is none, a block is freed at once:
 * a program with one thread has nothing set aside.  Who becomes a reader counts itself
 * first and then makes a membarrier: whoever did not see it counted had unlinked before.
 *
 * What is set aside is bounded: beyond LRD_GRACE_MOST bytes in a stripe who retires
 * waits until readers have left, which takes as long as the longest read (or until a
 * suspended reader runs again).  So a reader must not wait for anything inside.
 */

enum { LRD_GRACE_BITS = 6, LRD_GRACE_READERS = 1 << LRD_GRACE_BITS };
enum { LRD_GRACE_COUNTERS = 4 };
enum { LRD_GRACE_STRIPES = 8, LRD_GRACE_MOST = 8 << 20 };

/* A thread's own, for good: nothing tells when the thread ends.  But the C library gives the
 * address by which it is known, and so its cell, to a thread that begins later; and a thread
 * that finds none takes the lock.  counted: for what its calls came to. */
struct lrd_reader {
  _Alignas(64) _Atomic uintptr_t owner; /* lrd_thread_cell */
  _Atomic uint64_t inside;              /* the epoch it came in, or 0 */
  _Atomic uint64_t counted[LRD_GRACE_COUNTERS];
};

struct lrd_retired;

/* Blocks that wait, by the epoch in which they were retired. */
struct lrd_grace_stripe {
  _Alignas(64) struct lrd_latch lock;
  struct {
    uint64_t epoch;
    struct lrd_retired *first;
  } batch[4];
  _Atomic size_t bytes;
  size_t since; /* blocks, and KiB, since it was last tried to advance */
};

struct lrd_grace {
  struct lrd_reader reader[LRD_GRACE_READERS];
  struct lrd_grace_stripe stripe[LRD_GRACE_STRIPES];
  _Alignas(64) _Atomic uint64_t epoch;
  _Atomic unsigned readers;  /* cells with an owner */
  _Atomic unsigned advancing;
  int works;                 /* membarrier does */
  void (*ask)(void *context); /* lrd_grace_attend */
  void *asked;
  const larder_memory *below;
  larder_memory memory;      /* as below, but blocks are retired, and never resized in place */
};

/* The first bytes of a block, which are written over when it is retired: what a reader does
 * not look at again before it uses it is not there.  Blocks are no smaller. */
enum { LRD_GRACE_HEAD = 16 };

/* Must not be moved afterwards; below must outlive it. */
void lrd_grace_init(struct lrd_grace *, const larder_memory *below);
/* Somebody will call lrd_grace_collect some time after ask was called, which is when a first block
 * waits; any lock below LRD_RANK_GRACE may be held.  Before any block is released. */
void lrd_grace_attend(struct lrd_grace *, void (*ask)(void *context), void *context);
/* From now on blocks are freed at once: nobody who comes in follows anything any more, or this is
 * a forked child, where readers that are not there may seem to be inside for ever. */
void lrd_grace_end(struct lrd_grace *);
/* Frees all that waits; no reader is inside.  locks 0: a forked child, what a thread
 * was changing when the process forked is left. */
void lrd_grace_close(struct lrd_grace *, int locks);

/* Waits until every reader that is inside now has left; no lock is held that readers
 * may want.  Those that come in later see everything that the caller wrote before. */
void lrd_grace_wait(struct lrd_grace *);
/* Frees what can be freed without waiting. */
void lrd_grace_collect(struct lrd_grace *);
/* Bytes that wait.  Exact when nobody retires. */
size_t lrd_grace_bytes(const struct lrd_grace *);

/* Sum of what readers counted. */
uint64_t lrd_grace_counted(const struct lrd_grace *, unsigned what);

/* Finds the thread's cell where it isn't at the thread's place, or claims one; NULL: there is
 * none. */
struct lrd_reader *lrd_grace_claim(struct lrd_grace *, uintptr_t self);

static inline void lrd_grace_begin(const struct lrd_grace *g, struct lrd_reader *r)
{
  atomic_store_explicit(&r->inside, atomic_load_explicit(&g->epoch, memory_order_acquire),
                        memory_order_relaxed);
  atomic_signal_fence(memory_order_seq_cst);
}

/* The calling thread comes in, if its cell is at its place and has been claimed: 1. */
static inline int lrd_grace_enter_at_once(struct lrd_grace *g, struct lrd_reader **reader)
{
  uintptr_t self = lrd_thread_address();
  struct lrd_reader *r = &g->reader[lrd_thread_place(self, LRD_GRACE_BITS)];

  if (__builtin_expect(atomic_load_explicit(&r->owner, memory_order_relaxed) != self, 0))
    return 0;
  lrd_grace_begin(g, r);
  *reader = r;
  return 1;
}

/* The same wherever its cell is.  NULL: it must take the lock instead. */
static inline struct lrd_reader *lrd_grace_enter(struct lrd_grace *g)
{
  struct lrd_reader *r;

  if (__builtin_expect(lrd_grace_enter_at_once(g, &r), 1))
    return r;
  r = lrd_grace_claim(g, lrd_thread_address());
  if (r)
    lrd_grace_begin(g, r);
  return r;
}

static inline void lrd_grace_leave(struct lrd_reader *r)
{
  atomic_store_explicit(&r->inside, 0, memory_order_release);
}

/* Its owner counts. */
static inline void lrd_grace_count(struct lrd_reader *r, unsigned what)
{
  uint64_t n = atomic_load_explicit(&r->counted[what], memory_order_relaxed);

  atomic_store_explicit(&r->counted[what], n + 1, memory_order_relaxed);
}

#endif
