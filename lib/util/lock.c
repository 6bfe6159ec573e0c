/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/lock.h"

#include <errno.h>
#include <time.h>

#ifdef LRD_DEBUG

/* The locks that this thread holds, in the order in which it took them. */
enum { HELD_MAX = 1100 }; /* a transaction may hold every shard (1024) */
static _Thread_local const struct lrd_level *held[HELD_MAX];
static _Thread_local unsigned held_count;

void lrd_level_check(const struct lrd_level *level)
{
  const struct lrd_level *last = held_count ? held[held_count - 1] : NULL;

  if (last && (level->rank < last->rank ||
               (level->rank == last->rank && level->index <= last->index)))
    __builtin_trap();
}

/* held[] is ascending: what is taken last is the highest, whatever was released between. */
void lrd_level_taken(const struct lrd_level *level)
{
  if (held_count == HELD_MAX)
    __builtin_trap();
  held[held_count++] = level;
}

void lrd_level_given(const struct lrd_level *level)
{
  unsigned i = held_count;

  while (i && held[i - 1] != level)
    i--;
  if (!i)
    __builtin_trap();
  for (; i < held_count; i++)
    held[i - 1] = held[i];
  held_count--;
}

static void check(int condition)
{
  if (!condition)
    __builtin_trap();
}

void lrd_lock(struct lrd_lock *lock)
{
  lrd_level_check(&lock->level);
  lrd_yield_point();
  check(!pthread_mutex_lock(&lock->mutex));
  lrd_level_taken(&lock->level);
}

void lrd_unlock(struct lrd_lock *lock)
{
  lrd_level_given(&lock->level);
  check(!pthread_mutex_unlock(&lock->mutex));
  lrd_yield_point();
}

void lrd_lock_assert_none(void)
{
  check(!held_count);
}

#endif

int lrd_lock_init(struct lrd_lock *lock, enum lrd_rank rank, unsigned index)
{
  lock->level = (struct lrd_level){ (unsigned short)rank, (unsigned short)index };
  return pthread_mutex_init(&lock->mutex, NULL);
}

void lrd_lock_destroy(struct lrd_lock *lock)
{
  pthread_mutex_destroy(&lock->mutex);
}

int lrd_cond_init(pthread_cond_t *cond)
{
  pthread_condattr_t attributes;
  int error = pthread_condattr_init(&attributes);

  if (error)
    return error;
  error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (!error)
    error = pthread_cond_init(cond, &attributes);
  pthread_condattr_destroy(&attributes);
  return error;
}

int lrd_cond_wait(pthread_cond_t *cond, struct lrd_lock *lock, int64_t deadline)
{
  struct timespec until = { 0, 0 };
  int error;

  if (deadline > 0) {
    until.tv_sec = (time_t)(deadline / INT64_C(1000000000));
    until.tv_nsec = (long)(deadline % INT64_C(1000000000));
  }
  lrd_level_given(&lock->level);
  error = pthread_cond_timedwait(cond, &lock->mutex, &until);
  lrd_level_check(&lock->level);
  lrd_level_taken(&lock->level);
  return error == ETIMEDOUT ? ETIMEDOUT : 0;
}
