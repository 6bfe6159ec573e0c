/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"

#include <signal.h>

#include "memory/block.h"
#include "memory/evict.h"

/*
 * The maintenance thread reclaims what has expired, and has memory ready for a store that
 * grows (util/page.h).  It is started by the first call after something got an expiry, or when
 * the store has taken 1 MiB; it sleeps until the next thing is due, and
 * is woken when something is to expire before that, or there is memory to map or unmap.
 * What waits for readers to leave (util/grace.h) it frees a second later at most: a few blocks would
 * keep many of an idle store's extents.
 */

/* Steps of the wheel under one lock; a shard's callers wait that long at most. */
enum { SLICE = 64 };

/* Elements of discarded values that are freed before the time is looked at. */
enum { FREED = 1024 };

/* So long the thread works before it looks whether it is to stop, and takes a breath. */
#define ROUND_NS (4 * LRD_NS_PER_MS)

/* The thread sleeps at least that long, so that what expires about the same time
 * is reclaimed together (a breath only, if a round did not finish), and at most
 * that long, because the wall clock may jump; with nothing to expire much longer. */
enum { COLLECT_MS = 1000 };
enum { SLEEP_BREATH_MS = 1, SLEEP_MIN_MS = 10, SLEEP_MAX_MS = 1000, SLEEP_IDLE_MS = 3600000 };

int lrd_maintenance_open(struct lrd_engine *e)
{
  struct lrd_maintenance *m = &e->maintenance;

  atomic_init(&m->state, LRD_NOT_WANTED);
  atomic_init(&m->sleeps_until, INT64_MAX);
  if (lrd_lock_init(&m->lock, LRD_RANK_QUEUE, 0))
    return -1;
  if (lrd_cond_init(&m->wake)) {
    lrd_lock_destroy(&m->lock);
    return -1;
  }
  return 0;
}

void lrd_maintenance_note(struct lrd_engine *e, int64_t at)
{
  struct lrd_maintenance *m = &e->maintenance;

  if (!e->background || at >= atomic_load_explicit(&m->sleeps_until, memory_order_relaxed))
    return;
  if (atomic_load_explicit(&m->state, memory_order_relaxed) == LRD_NOT_WANTED) {
    atomic_store_explicit(&m->state, LRD_WANTED, memory_order_relaxed);
    return;
  }
  lrd_lock(&m->lock);
  if (at < atomic_load_explicit(&m->sleeps_until, memory_order_relaxed)) {
    atomic_store_explicit(&m->sleeps_until, at, memory_order_relaxed);
    pthread_cond_signal(&m->wake);
  }
  lrd_unlock(&m->lock);
}

void lrd_maintenance_ask(void *engine)
{
  struct lrd_engine *e = engine;

  atomic_store_explicit(&e->maintenance.state, LRD_WANTED, memory_order_relaxed);
}

/* A thread that does not run has little to give back. */
void lrd_maintenance_ask_later(void *engine)
{
  struct lrd_engine *e = engine;

  if (atomic_load_explicit(&e->maintenance.state, memory_order_relaxed) != LRD_NOT_WANTED)
    lrd_maintenance_note(e, lrd_wall_ms(&e->base.clock) + COLLECT_MS);
}

static int64_t earlier(int64_t a, int64_t b)
{
  return a < 0 || (b >= 0 && b < a) ? b : a;
}

int lrd_maintenance_wake(struct lrd_engine *e)
{
  if (!e->background)
    return 0;
  lrd_maintenance_note(e, 0);
  lrd_maintenance_start(e);
  return atomic_load_explicit(&e->maintenance.state, memory_order_relaxed) != LRD_NOT_WANTED;
}

/* 0: the time is over before all is freed. */
static int free_discarded(struct lrd_engine *e, int64_t begin, int64_t budget)
{
  while (!lrd_discard_free(e, FREED))
    if (lrd_monotonic(&e->base.clock) - begin >= budget)
      return 0;
  return 1;
}

/* Of one shard; then it is another one's turn, lest who wants this latch finds it taken again each
 * time.  0: there may be more to do, else *next comes to be no later than the next thing. */
static int reclaim_slice(struct lrd_engine *e, struct lrd_shard *shard, int64_t now, int64_t *next)
{
  size_t left;

  lrd_latch_take(&shard->lock);
  left = lrd_shard_reclaim(e, shard, now, SLICE);
  if (left && shard->wheel)
    *next = earlier(*next, lrd_wheel_next(shard->wheel));
  lrd_latch_drop(&shard->lock);
  return left != 0;
}

int64_t lrd_maintenance_round(struct lrd_engine *e, int64_t budget)
{
  int64_t begin = lrd_monotonic(&e->base.clock), now = lrd_wall_ms(&e->base.clock), next, waits;
  unsigned number = atomic_load_explicit(&e->next_tick, memory_order_relaxed), idle = 0;

  if (!free_discarded(e, begin, budget))
    return now;
  (void)lrd_evict_before_write(e);
  next = waits = lrd_block_expire(e, now);
  /* until all of them in a row had nothing (more) to do */
  for (; idle < e->shards; number = (number + 1) & (e->shards - 1)) {
    if (reclaim_slice(e, &e->shard[number], now, &next)) {
      idle++;
      continue;
    }
    idle = 0;
    next = waits;
    if (lrd_monotonic(&e->base.clock) - begin >= budget) {
      atomic_store_explicit(&e->next_tick, (number + 1) & (e->shards - 1), memory_order_relaxed);
      return now;
    }
  }
  if (!free_discarded(e, begin, budget))
    return now;
  if (!lrd_grace_bytes(e->grace))
    return next;
  lrd_grace_collect(e->grace);
  return earlier(next, now + COLLECT_MS); /* not each time that a block waits */
}

int lrd_maintenance_tend(struct lrd_engine *e, int64_t begin, int64_t budget)
{
  if (!e->slab || budget <= 0)
    return 1;
  while (lrd_slab_tend(e->slab))
    if (lrd_monotonic(&e->base.clock) - begin >= budget)
      return 0;
  return 1;
}

/* Under the lock. */
static void sleep_until(struct lrd_engine *e, int64_t next)
{
  struct lrd_maintenance *m = &e->maintenance;
  int64_t wait = SLEEP_IDLE_MS;

  if (next >= 0) {
    wait = next - lrd_wall_ms(&e->base.clock);
    if (wait > SLEEP_MAX_MS)
      wait = SLEEP_MAX_MS;
    else if (wait <= 0)
      wait = SLEEP_BREATH_MS;
    else if (wait < SLEEP_MIN_MS)
      wait = SLEEP_MIN_MS;
  }
  (void)lrd_cond_wait(&m->wake, &m->lock,
                      lrd_monotonic(&lrd_clock_system) + wait * LRD_NS_PER_MS);
}

static void *maintain(void *context)
{
  struct lrd_engine *e = context;
  struct lrd_maintenance *m = &e->maintenance;

  lrd_lock(&m->lock);
  while (!m->stop) {
    int64_t next, begin = lrd_monotonic(&e->base.clock);

    /* whoever arms a timer from here on wakes us, unless it is later than next */
    atomic_store_explicit(&m->sleeps_until, INT64_MAX, memory_order_relaxed);
    lrd_unlock(&m->lock);
    next = lrd_maintenance_round(e, ROUND_NS);
    if (!lrd_maintenance_tend(e, begin, ROUND_NS))
      next = 0;
    lrd_lock(&m->lock);
    if (m->stop)
      break;
    next = earlier(next, atomic_load_explicit(&m->sleeps_until, memory_order_relaxed));
    if (next == INT64_MAX)
      next = -1;
    atomic_store_explicit(&m->sleeps_until, next < 0 ? INT64_MAX : next, memory_order_relaxed);
    sleep_until(e, next);
  }
  lrd_unlock(&m->lock);
  return NULL;
}

/* Without it expired keys stay invisible, but are not reclaimed.  Under the lock. */
static void start_thread(struct lrd_engine *e)
{
  struct lrd_maintenance *m = &e->maintenance;
  sigset_t all, old;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  m->started = !pthread_create(&m->thread, NULL, maintain, e);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (!m->started)
    atomic_store(&m->state, LRD_NOT_WANTED);
}

void lrd_maintenance_start(struct lrd_engine *e)
{
  struct lrd_maintenance *m = &e->maintenance;
  int wanted = LRD_WANTED;

  if (atomic_load_explicit(&m->state, memory_order_relaxed) != LRD_WANTED)
    return;
  lrd_lock(&m->lock);
  if (!m->stop && atomic_compare_exchange_strong(&m->state, &wanted, LRD_RUNS)) {
    if (m->started) {
      atomic_store_explicit(&m->sleeps_until, 0, memory_order_relaxed);
      pthread_cond_signal(&m->wake);
    } else {
      start_thread(e);
    }
  }
  lrd_unlock(&m->lock);
}

void lrd_maintenance_close(struct lrd_engine *e, int forked)
{
  struct lrd_maintenance *m = &e->maintenance;
  if (forked)
    return;
  lrd_lock(&m->lock);
  m->stop = 1;
  pthread_cond_signal(&m->wake);
  lrd_unlock(&m->lock);
  if (m->started)
    pthread_join(m->thread, NULL);
  pthread_cond_destroy(&m->wake);
  lrd_lock_destroy(&m->lock);
}
