/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/lock.h"

#include <errno.h>
#include <time.h>

#ifdef LRD_DEBUG

/* The locks that this thread holds, in the order in which it took them. */
enum { HELD_MAX = 1100 }; /* a transaction may hold every shard (1024) */
static _Thread_local const struct lrd_lock *held[HELD_MAX];
static _Thread_local unsigned held_count;

static void check_order(const struct lrd_lock *lock)
{
  const struct lrd_lock *last = held_count ? held[held_count - 1] : NULL;

  if (last && (lock->rank < last->rank ||
               (lock->rank == last->rank && lock->index <= last->index)))
    __builtin_trap();
}

/* held[] is ascending: what is taken last is the highest, whatever was released between. */
static void note_locked(const struct lrd_lock *lock)
{
  if (held_count == HELD_MAX)
    __builtin_trap();
  held[held_count++] = lock;
}

static void note_unlocked(const struct lrd_lock *lock)
{
  unsigned i = held_count;

  while (i && held[i - 1] != lock)
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
  check_order(lock);
  lrd_yield_point();
  check(!pthread_mutex_lock(&lock->mutex));
  note_locked(lock);
}

void lrd_unlock(struct lrd_lock *lock)
{
  note_unlocked(lock);
  check(!pthread_mutex_unlock(&lock->mutex));
  lrd_yield_point();
}

void lrd_lock_assert_none(void)
{
  check(!held_count);
}

#else

#define check_order(lock) ((void)0)
#define note_locked(lock) ((void)0)
#define note_unlocked(lock) ((void)0)

#endif

int lrd_lock_init(struct lrd_lock *lock, enum lrd_rank rank, unsigned index)
{
  lock->rank = (unsigned char)rank;
  lock->index = index;
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
  note_unlocked(lock);
  error = pthread_cond_timedwait(cond, &lock->mutex, &until);
  check_order(lock);
  note_locked(lock);
  return error == ETIMEDOUT ? ETIMEDOUT : 0;
}
