/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks, conditions, threads and clocks of the library's tasks.  What lies in a pthread_mutex_t or
 * pthread_cond_t is ours.  Without a running task (the program itself) the system's are called.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

#include "simulate/task.h"
#include "simulate/world.h"

struct sim_odds sim_odds;

struct mutex {
  struct sim_task *owner;
};

_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "no room");

static unsigned threads;

void sim_sync_begin(void)
{
  threads = 0;
  memset(&sim_odds, 0, sizeof sim_odds);
}

void sim_assert_unlocked(const char *what)
{
  if (sim_self() && *sim_held())
    sim_fail("%s with %d locks held", what, *sim_held());
}

/* --- mutexes ----------------------------------------------------------------------------- */

static struct mutex *mutex_of(pthread_mutex_t *m)
{
  return (struct mutex *)(void *)m;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attributes)
{
  (void)attributes;
  memset(m, 0, sizeof *m);
  return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *m);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *m)
{
  if (mutex_of(m)->owner)
    sim_fail("a mutex is destroyed that %s holds", sim_name(mutex_of(m)->owner));
  if (sim_is_awaited(m))
    sim_fail("a mutex is destroyed that somebody waits for");
  memset(m, 0xa5, sizeof *m);
  return 0;
}

static int try_lock(pthread_mutex_t *m)
{
  if (mutex_of(m)->owner)
    return EBUSY;
  mutex_of(m)->owner = sim_self();
  ++*sim_held();
  return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
  if (!sim_self())
    return 0;
  if (mutex_of(m)->owner == sim_self())
    sim_fail("a mutex is locked twice");
  while (try_lock(m) != 0)
    sim_block("pthread_mutex_lock", m, SIM_NEVER);
  return 0;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *m);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *m)
{
  return sim_self() ? try_lock(m) : 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
  if (!sim_self())
    return 0;
  if (mutex_of(m)->owner != sim_self())
    sim_fail("a mutex is unlocked that is not the task's");
  mutex_of(m)->owner = NULL;
  --*sim_held();
  sim_wake_on(m, 0);
  return 0;
}

/* --- conditions -------------------------------------------------------------------------- */

int __wrap_pthread_condattr_init(pthread_condattr_t *a);
int __wrap_pthread_condattr_init(pthread_condattr_t *a)
{
  memset(a, 0, sizeof *a);
  return 0;
}

int __wrap_pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock);
int __wrap_pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock)
{
  (void)a;
  if (clock != CLOCK_MONOTONIC)
    sim_fail("a condition waits by another clock than the monotonic one");
  return 0;
}

int __wrap_pthread_condattr_destroy(pthread_condattr_t *a);
int __wrap_pthread_condattr_destroy(pthread_condattr_t *a)
{
  (void)a;
  return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);
int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a)
{
  (void)a;
  memset(c, 0, sizeof *c);
  return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *c);
int __wrap_pthread_cond_destroy(pthread_cond_t *c)
{
  if (sim_is_awaited(c))
    sim_fail("a condition is destroyed that somebody waits for");
  memset(c, 0xa5, sizeof *c);
  return 0;
}

static int wait_for(pthread_cond_t *c, pthread_mutex_t *m, int64_t until)
{
  __wrap_pthread_mutex_unlock(m);
  if (*sim_held())
    sim_fail("a condition wait with %d other locks held", *sim_held());
  if (sim_once_in(sim_odds.spurious)) {
    sim_pause();
    __wrap_pthread_mutex_lock(m);
    return 0;
  }
  int woken = sim_block("pthread_cond_wait", c, until);
  __wrap_pthread_mutex_lock(m);
  return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
  return wait_for(c, m, SIM_NEVER);
}

static int64_t of_timespec(const struct timespec *t)
{
  return t->tv_sec > 4000000000 ? SIM_NEVER : (int64_t)t->tv_sec * SIM_S + t->tv_nsec;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t)
{
  return wait_for(c, m, of_timespec(t));
}

int __wrap_pthread_cond_signal(pthread_cond_t *c);
int __wrap_pthread_cond_signal(pthread_cond_t *c)
{
  sim_wake_on(c, 0);
  return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *c);
int __wrap_pthread_cond_broadcast(pthread_cond_t *c)
{
  sim_wake_on(c, 1);
  return 0;
}

/* --- threads ----------------------------------------------------------------------------- */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *a, void *(*run)(void *), void *x);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *a, void *(*run)(void *), void *x)
{
  char name[24];
  (void)a;
  if (sim_once_in(sim_odds.thread))
    return EAGAIN;
  snprintf(name, sizeof name, "thread%u", ++threads);
  *thread = (pthread_t)sim_spawn(name, run, x);
  return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result)
{
  sim_assert_unlocked("pthread_join");
  void *r = sim_join((struct sim_task *)thread);
  if (result)
    *result = r;
  return 0;
}

int __wrap_pthread_detach(pthread_t thread);
int __wrap_pthread_detach(pthread_t thread)
{
  sim_detach((struct sim_task *)thread);
  return 0;
}

pthread_t __wrap_pthread_self(void);
pthread_t __wrap_pthread_self(void)
{
  return (pthread_t)sim_self();
}

int __wrap_pthread_sigmask(int how, const void *set, void *old);
int __wrap_pthread_sigmask(int how, const void *set, void *old)
{
  (void)how, (void)set, (void)old;
  return 0;
}

int __wrap_pthread_setcancelstate(int state, int *old);
int __wrap_pthread_setcancelstate(int state, int *old)
{
  (void)state;
  if (old)
    *old = 0;
  return 0;
}

int __wrap_sched_yield(void);
int __wrap_sched_yield(void)
{
  sim_pause();
  return 0;
}

/* --- clocks, and what else the system gives ------------------------------------------------- */

/* The wall clock began somewhere in 2026, and stands still when the monotonic one does. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
  int64_t now = sim_now() + (clock == CLOCK_REALTIME ? INT64_C(1790000000) * SIM_S : 0);
  t->tv_sec = now / SIM_S;
  t->tv_nsec = now % SIM_S;
  return 0;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
  (void)left;
  if (!sim_self())
    return 0;
  sim_assert_unlocked("nanosleep");
  sim_block("nanosleep", NULL, sim_now() + of_timespec(t));
  return 0;
}

ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags)
{
  (void)flags;
  for (size_t i = 0; i < len; i++)
    ((unsigned char *)bytes)[i] = (unsigned char)sim_random(256);
  return (ssize_t)len;
}

/* util/park.h sleeps on a word.  The moment is an absolute one of the monotonic clock. */
static long futex(_Atomic uint32_t *word, int operation, uint32_t value, const struct timespec *until)
{
  operation &= ~FUTEX_PRIVATE_FLAG;
  if (operation == FUTEX_WAKE) {
    long n = 0;
    while (n < (long)value && sim_wake_on(word, 0))
      n++;
    return n;
  }
  if (operation != FUTEX_WAIT_BITSET)
    sim_fail("futex(2) is asked for operation %d, which is not simulated", operation);
  sim_assert_unlocked("futex");
  if (atomic_load(word) != value) {
    errno = EAGAIN;
    return -1;
  }
  if (sim_once_in(sim_odds.spurious)) {
    sim_pause();
    return 0;
  }
  if (sim_block("futex", word, until ? of_timespec(until) : SIM_NEVER))
    return 0;
  errno = ETIMEDOUT;
  return -1;
}

/* membarrier(2) does nothing: there is one processor. */
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
  long result = 0;
  va_list list;
  va_start(list, number);
  if (number == SYS_futex) {
    _Atomic uint32_t *word = va_arg(list, void *);
    int operation = va_arg(list, int);
    uint32_t value = va_arg(list, uint32_t);
    result = futex(word, operation, value, va_arg(list, const struct timespec *));
  } else if (number != SYS_membarrier) {
    sim_fail("system call %ld, which is not simulated", number);
  }
  va_end(list);
  return result;
}
