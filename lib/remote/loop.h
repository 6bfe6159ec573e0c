/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_LOOP_H
#define LRD_REMOTE_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <larder/backend.h>

#include "util/hash.h"
#include "util/lock.h"

/*
 * The background thread: one libuv loop that connects every link, and owns the
 * submit links, which carry asynchronous calls.  Nothing that a synchronous
 * call does once its link is READY passes through here.
 *
 * One uv_async wakes it, but only where it sleeps or is about to: before it does, it looks at the
 * queue once more, under the lock.  So a loop that has work takes what was queued meanwhile
 * together, and writes it together.  One uv_timer stands at, or before, the earliest of all
 * moments that it waits for.
 */

struct lrd_remote;
struct lrd_link;
struct lrd_dial;
struct lrd_job;
struct lrd_resolution;

/* A descriptor that the loop polls; freed by its own close callback. */
struct lrd_watch {
  uv_poll_t poll;
  struct lrd_loop *loop;
  void (*ready)(void *owner, int events);
  void *owner; /* NULL: being closed */
  int events;  /* polled for now */
};

struct lrd_job_list {
  struct lrd_job *first, *last;
};

/* flow.h */
enum { LRD_FLOW_BITS = 3, LRD_FLOWS = 1 << LRD_FLOW_BITS, LRD_FLOW_TURN = 32 };

/* What the loop thread keeps with each link. */
struct lrd_link_work {
  struct lrd_dial *dial;       /* CONNECTING */
  int delayed;                 /* to be dialled when the group's backoff is over */
  struct lrd_link *delayed_next;
  struct lrd_watch *watch;     /* a submit link that is READY */
  struct lrd_job_list flow[LRD_FLOWS]; /* a submit link: jobs that are not in its wire */
  size_t waiting;              /* how many */
  unsigned turn, turn_left;    /* whose turn it is, and for how many more jobs */
  size_t window;               /* calls in the wire, at most; 0: never used yet */
  int64_t fastest;             /* ns from sending to reply, the least seen */
  size_t until_sample;         /* replies to come before the window is looked at */
  int dirty;                   /* in loop->dirty: has something to send */
  struct lrd_link *dirty_next;
};

enum { LRD_JOBS_MAX = 65536, LRD_JOBS_SPARE = 1024 };
#define LRD_JOB_BYTES_MAX ((size_t)256 << 20)

struct lrd_loop {
  struct lrd_remote *remote;
  uv_loop_t uv;
  uv_async_t async;
  uv_timer_t timer;
  uv_prepare_t before; /* it sleeps */
  uv_check_t round;
  uv_idle_t again;     /* active: it doesn't sleep */
  pthread_t thread;

  struct lrd_lock lock; /* a leaf: what follows is what other threads ask for */
  int stopping, cancel_all;
  struct lrd_link *dial_first, *dial_last;
  struct lrd_job_list queued;
  struct lrd_job *cancelled; /* to be ended */
  struct lrd_job *known;     /* every block of a job */
  struct lrd_job *spare;     /* those not in use */
  size_t spares, jobs, job_bytes;
  atomic_int asleep;         /* or about to: whoever queues something wakes it; cleared without
                                the lock by the loop thread */

  /* The loop thread's own. */
  struct lrd_dial *dials;
  struct lrd_link *delayed, *dirty;
  struct lrd_job_list due; /* jobs in the order of their deadlines, ... */
  struct lrd_job **heap;   /* ... but for those that came out of order: by deadline */
  size_t heap_used, heap_capacity;
  int64_t armed;           /* when the timer goes off; INT64_MAX: never */
  struct lrd_resolution *resolution;
  struct lrd_prng prng;
};

/* Something was queued (1: the loop must be woken, once the lock is released). */
static inline int lrd_loop_must_wake(struct lrd_loop *loop)
{
  return atomic_exchange_explicit(&loop->asleep, 0, memory_order_relaxed);
}

/* Starts the thread; NULL: no memory, or no thread. */
struct lrd_loop *lrd_loop_start(struct lrd_remote *);
/* Ends every job and attempt and joins the thread; lrd_loop_dial and _submit still find
 * it, stopped. */
void lrd_loop_stop(struct lrd_loop *);
void lrd_loop_free(struct lrd_loop *);
/* In a forked child, which has no such thread: frees what can be freed. */
void lrd_loop_abandon(struct lrd_loop *);

/* Somebody wants this link, which is DOWN; probe: now, whatever the backoff says.
 * Any thread, the link's lock may be held. */
void lrd_loop_dial(struct lrd_loop *, struct lrd_link *, int probe);

/* As the table's slots. */
void lrd_loop_submit(struct lrd_loop *, const larder_call *, larder_submission *);
void lrd_loop_cancel(struct lrd_loop *, larder_submission *);

/* --- for the loop thread's own files --------------------------------------------------- */

/* Polls a descriptor for UV_READABLE | UV_WRITABLE; NULL: no memory. */
struct lrd_watch *lrd_watch_new(struct lrd_loop *, int fd, void (*ready)(void *, int), void *owner);
int lrd_watch_events(struct lrd_watch *, int events);
/* Stops at once; the memory goes with the loop's next round.  NULL is allowed. */
void lrd_watch_close(struct lrd_watch *);

/* dial.c: attempts to connect. */
void lrd_dial_link(struct lrd_loop *, struct lrd_link *, int probe);
void lrd_dial_resolved(struct lrd_loop *);
int64_t lrd_dial_tick(struct lrd_loop *, int64_t now); /* the next moment, or INT64_MAX */
void lrd_dial_stop(struct lrd_loop *);
void lrd_dial_abandon(struct lrd_loop *);

/* submit.c: the submit links and their jobs.  Takes what was queued and sends what it can; 1:
 * there is more already. */
int lrd_submit_queued(struct lrd_loop *);
int64_t lrd_submit_tick(struct lrd_loop *, int64_t now);
/* A submit link is up (fault NULL) or an attempt failed. */
void lrd_submit_link_changed(struct lrd_loop *, struct lrd_link *, int up);
void lrd_submit_stop(struct lrd_loop *, larder_outcome unsent);
void lrd_jobs_release(struct lrd_loop *); /* job.c: every block */

#endif
