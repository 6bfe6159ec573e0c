/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_LOCK_H
#define LRD_UTIL_LOCK_H

#include <pthread.h>
#include <stdint.h>

#include "util/yield.h"

/*
 * Mutexes with a rank.  A thread may only take a lock whose (rank, index) is
 * above all that it holds; a build with --enable-debug asserts it (and that
 * unlock matches).  Condition waits use the monotonic clock.
 */
enum lrd_rank {
  LRD_RANK_STORE = 10,    /* registry of sessions, open/close */
  LRD_RANK_FALLBACK = 20, /* breaker, replay order */
  LRD_RANK_REMOTE = 30,   /* connection registry */
  LRD_RANK_LINK = 40,     /* one connection */
  LRD_RANK_STREAM = 45,   /* the TLS state of one connection */
  LRD_RANK_SERVING = 48,  /* calls that wait for a key are served */
  LRD_RANK_SHARD = 50,    /* a shard of the engine; index = its number */
  LRD_RANK_WATCH = 55,
  LRD_RANK_BLOCK = 57,    /* who waits for a key */
  LRD_RANK_JOURNAL = 60,
  LRD_RANK_HUB = 65,      /* who listens to which channel */
  LRD_RANK_QUEUE = 70,    /* completion queues; what a subscriber has not read yet */
  LRD_RANK_HOOK = 80,     /* event rate limit */
  LRD_RANK_GRACE = 85,    /* blocks that wait for readers; index = the stripe */
  LRD_RANK_SLAB = 90,     /* a pool of the default allocator; index = its number */
  LRD_RANK_PAGES = 95     /* what the pools share */
};

struct lrd_level {
  unsigned short rank, index;
};

/* Debug builds: may the thread take this now; it has taken it; it gives it back. */
#ifdef LRD_DEBUG
void lrd_level_check(const struct lrd_level *);
void lrd_level_taken(const struct lrd_level *);
void lrd_level_given(const struct lrd_level *);
#else
static inline void lrd_level_check(const struct lrd_level *level) { (void)level; }
static inline void lrd_level_taken(const struct lrd_level *level) { (void)level; }
static inline void lrd_level_given(const struct lrd_level *level) { (void)level; }
#endif

struct lrd_lock {
  pthread_mutex_t mutex;
  struct lrd_level level;
};

/* 0 or an errno value. */
int lrd_lock_init(struct lrd_lock *, enum lrd_rank, unsigned index);
void lrd_lock_destroy(struct lrd_lock *);
#ifdef LRD_DEBUG
void lrd_lock(struct lrd_lock *);
void lrd_unlock(struct lrd_lock *);
#else
static inline void lrd_lock(struct lrd_lock *lock)
{
  lrd_yield_point();
  pthread_mutex_lock(&lock->mutex);
}
static inline void lrd_unlock(struct lrd_lock *lock)
{
  pthread_mutex_unlock(&lock->mutex);
  lrd_yield_point();
}
#endif

/* A condition variable on the monotonic clock. */
int lrd_cond_init(pthread_cond_t *);
/* Waits until deadline (monotonic ns, the system's clock); 0 or ETIMEDOUT. */
int lrd_cond_wait(pthread_cond_t *, struct lrd_lock *, int64_t deadline);

/* Debug builds: asserts that the calling thread holds no lrd_lock (before a
 * callback to the application or I/O).  Otherwise nothing. */
#ifdef LRD_DEBUG
void lrd_lock_assert_none(void);
#else
static inline void lrd_lock_assert_none(void) {}
#endif

#endif
