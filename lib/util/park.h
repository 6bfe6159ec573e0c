/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_PARK_H
#define LRD_UTIL_PARK_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * Where one thread sleeps until another lets it go.  It notes lrd_park_look before it says
 * (under the lock of what it waits for) that it sleeps, gives the lock back and sleeps.
 *
 * To let it go takes two steps, so that the system call is made when the lock has been given
 * back: lrd_park_release, after which the park may be gone (the sleeper may have returned), and
 * lrd_park_wake with what that gave.  Where there is no futex, the first step does it all.
 */

#if defined __linux__ && defined __LP64__
#define LRD_PARK_FUTEX 1
#else
#include <pthread.h>
#endif

struct lrd_park {
  atomic_uint word;
#ifndef LRD_PARK_FUTEX
  pthread_mutex_t mutex;
  pthread_cond_t cond;
#endif
};

/* 0 or an errno value. */
int lrd_park_init(struct lrd_park *);
void lrd_park_destroy(struct lrd_park *);

static inline unsigned lrd_park_look(struct lrd_park *p)
{
  return atomic_load_explicit(&p->word, memory_order_acquire);
}

/* 1: it was released for good. */
static inline int lrd_park_is_over(unsigned look)
{
  return look & 1;
}

/* Until somebody has released it since it was looked at, or the deadline (monotonic ns, the
 * system's clock); it may end sooner.  0 or ETIMEDOUT.  No cancellation point. */
int lrd_park_sleep(struct lrd_park *, unsigned seen, int64_t deadline);

/* What was written before is seen by whoever comes back.  for_good: once. */
atomic_uint *lrd_park_release(struct lrd_park *, int for_good);
void lrd_park_wake(atomic_uint *word);

#endif
