/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/pool.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "util/clock.h"
#include "util/lock.h"
#include "util/memory.h"

enum { STACK = 256 * 1024 };

struct list {
  struct lrd_job *first, **last;
};

struct lrd_pool {
  const larder_memory *memory;
  void (*wake)(void *);
  void *context;
  unsigned bound;
  pthread_t *thread;
  struct lrd_lock lock; /* for all below */
  pthread_cond_t work;
  struct list queue, done;
  unsigned queued, idle, threads;
  int stopping;
};

static void list_init(struct list *l)
{
  l->first = NULL;
  l->last = &l->first;
}

static void list_append(struct list *l, struct lrd_job *job)
{
  job->next = NULL;
  *l->last = job;
  l->last = &job->next;
}

static struct lrd_job *list_take(struct list *l)
{
  struct lrd_job *job = l->first;

  l->first = job->next;
  if (!l->first)
    l->last = &l->first;
  return job;
}

struct lrd_pool *lrd_pool_new(const larder_memory *memory, unsigned threads, void (*wake)(void *),
                              void *context)
{
  struct lrd_pool *p = lrd_allocate_zeroed(memory, 1, sizeof *p);
  int error;

  if (!p)
    return NULL;
  p->memory = memory;
  p->wake = wake;
  p->context = context;
  p->bound = threads;
  list_init(&p->queue);
  list_init(&p->done);
  p->thread = lrd_allocate_zeroed(memory, threads, sizeof *p->thread);
  if (!p->thread) {
    error = ENOMEM;
    goto no_threads;
  }
  error = lrd_lock_init(&p->lock, LRD_RANK_QUEUE, 0);
  if (error)
    goto no_lock;
  error = lrd_cond_init(&p->work);
  if (error)
    goto no_cond;
  return p;

no_cond:
  lrd_lock_destroy(&p->lock);
no_lock:
  lrd_release(memory, p->thread, threads * sizeof *p->thread);
no_threads:
  lrd_release(memory, p, sizeof *p);
  errno = error;
  return NULL;
}

static void *work(void *context)
{
  struct lrd_pool *p = context;
  struct lrd_job *job;

  lrd_lock(&p->lock);
  for (;;) {
    if (p->queue.first) {
      job = list_take(&p->queue);
      p->queued--;
      lrd_unlock(&p->lock);
      job->run(job);
      lrd_lock(&p->lock);
      list_append(&p->done, job);
      p->wake(p->context);
    } else if (p->stopping) {
      break;
    } else {
      p->idle++;
      lrd_cond_wait(&p->work, &p->lock, INT64_MAX);
      p->idle--;
    }
  }
  lrd_unlock(&p->lock);
  return NULL;
}

/* With the lock held.  A new thread inherits the creator's mask. */
static int add_thread(struct lrd_pool *p)
{
  pthread_attr_t attributes;
  sigset_t all, old;
  int error;

  if (p->threads == p->bound || pthread_attr_init(&attributes) != 0)
    return -1;
  pthread_attr_setstacksize(&attributes, STACK);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  error = pthread_create(&p->thread[p->threads], &attributes, work, p);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
  if (error)
    return -1;
  p->threads++;
  return 0;
}

int lrd_pool_submit(struct lrd_pool *p, struct lrd_job *job)
{
  int result = 0;

  lrd_lock(&p->lock);
  if (p->queued >= p->idle)
    add_thread(p);
  if (p->threads == 0) {
    result = -1;
  } else {
    list_append(&p->queue, job);
    p->queued++;
    pthread_cond_signal(&p->work);
  }
  lrd_unlock(&p->lock);
  return result;
}

struct lrd_job *lrd_pool_done(struct lrd_pool *p)
{
  struct lrd_job *first;

  lrd_lock(&p->lock);
  first = p->done.first;
  list_init(&p->done);
  lrd_unlock(&p->lock);
  return first;
}

void lrd_pool_drop(struct lrd_pool *p)
{
  lrd_lock(&p->lock);
  while (p->queue.first)
    list_append(&p->done, list_take(&p->queue));
  p->queued = 0;
  lrd_unlock(&p->lock);
}

unsigned lrd_pool_threads(struct lrd_pool *p)
{
  unsigned threads;

  lrd_lock(&p->lock);
  threads = p->threads;
  lrd_unlock(&p->lock);
  return threads;
}

void lrd_pool_stop(struct lrd_pool *p)
{
  unsigned i, threads;

  lrd_lock(&p->lock);
  p->stopping = 1;
  pthread_cond_broadcast(&p->work);
  threads = p->threads;
  lrd_unlock(&p->lock);
  for (i = 0; i < threads; i++)
    pthread_join(p->thread[i], NULL);
  p->threads = 0;
}

void lrd_pool_free(struct lrd_pool *p)
{
  const larder_memory *memory = p->memory;

  pthread_cond_destroy(&p->work);
  lrd_lock_destroy(&p->lock);
  lrd_release(memory, p->thread, p->bound * sizeof *p->thread);
  lrd_release(memory, p, sizeof *p);
}
