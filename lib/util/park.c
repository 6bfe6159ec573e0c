/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/park.h"

#include <errno.h>
#include <time.h>

static struct timespec moment(int64_t ns)
{
  if (ns < 0)
    ns = 0;
  return (struct timespec){ (time_t)(ns / INT64_C(1000000000)), (long)(ns % INT64_C(1000000000)) };
}

#ifdef LRD_PARK_FUTEX

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

int lrd_park_init(struct lrd_park *p)
{
  atomic_init(&p->word, 0);
  return 0;
}

void lrd_park_destroy(struct lrd_park *p)
{
  (void)p;
}

int lrd_park_sleep(struct lrd_park *p, unsigned seen, int64_t deadline)
{
  struct timespec until = moment(deadline);
  if (syscall(SYS_futex, &p->word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen, &until, NULL,
              FUTEX_BITSET_MATCH_ANY) != 0 && errno == ETIMEDOUT)
    return ETIMEDOUT;
  return 0;
}

atomic_uint *lrd_park_release(struct lrd_park *p, int for_good)
{
  atomic_uint *word = &p->word;
  atomic_fetch_add_explicit(word, for_good ? 1 : 2, memory_order_release);
  return word;
}

/* Should the sleeper have gone, whoever sleeps on the same address wakes once for nothing. */
void lrd_park_wake(atomic_uint *word)
{
  syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

#else

#include "util/cancel.h"
#include "util/lock.h"

int lrd_park_init(struct lrd_park *p)
{
  atomic_init(&p->word, 0);
  int error = pthread_mutex_init(&p->mutex, NULL);
  if (error)
    return error;
  error = lrd_cond_init(&p->cond);
  if (error)
    pthread_mutex_destroy(&p->mutex);
  return error;
}

void lrd_park_destroy(struct lrd_park *p)
{
  pthread_mutex_lock(&p->mutex); /* who released it has left */
  pthread_mutex_unlock(&p->mutex);
  pthread_cond_destroy(&p->cond);
  pthread_mutex_destroy(&p->mutex);
}

int lrd_park_sleep(struct lrd_park *p, unsigned seen, int64_t deadline)
{
  struct timespec until = moment(deadline);
  int state = lrd_cancel_disable(), error = 0;
  pthread_mutex_lock(&p->mutex);
  while (!error && atomic_load_explicit(&p->word, memory_order_relaxed) == seen)
    error = pthread_cond_timedwait(&p->cond, &p->mutex, &until);
  pthread_mutex_unlock(&p->mutex);
  lrd_cancel_restore(state);
  return error == ETIMEDOUT ? ETIMEDOUT : 0;
}

atomic_uint *lrd_park_release(struct lrd_park *p, int for_good)
{
  pthread_mutex_lock(&p->mutex);
  atomic_fetch_add_explicit(&p->word, for_good ? 1 : 2, memory_order_release);
  pthread_cond_signal(&p->cond);
  pthread_mutex_unlock(&p->mutex);
  return NULL;
}

void lrd_park_wake(atomic_uint *word)
{
  (void)word;
}

#endif
