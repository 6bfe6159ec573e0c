/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_LOOP_H
#define LRD_REMOTE_LOOP_H

#include <pthread.h>
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
 * One uv_async wakes it (queues under the lock, drained whole), one uv_timer stands
 * at the earliest of all moments that it waits for.
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
};

struct lrd_job_list {
  struct lrd_job *first, *last;
};

/* What the loop thread keeps with each link. */
struct lrd_link_work {
  struct lrd_dial *dial;       /* CONNECTING */
  int delayed;                 /* to be dialled when the group's backoff is over */
  struct lrd_link *delayed_next;
  struct lrd_watch *watch;     /* a submit link that is READY */
  struct lrd_job_list waiting; /* a submit link: jobs that are not in its wire */
  int dirty;                   /* has bytes to write */
};

enum { LRD_JOB_BUCKETS = 1024, LRD_JOBS_MAX = 65536 };
#define LRD_JOB_BYTES_MAX ((size_t)256 << 20)

struct lrd_loop {
  struct lrd_remote *remote;
  uv_loop_t uv;
  uv_async_t async;
  uv_timer_t timer;
  uv_check_t round;
  pthread_t thread;

  struct lrd_lock lock; /* a leaf: what follows is what other threads ask for */
  int stopping, cancel_all;
  struct lrd_link *dial_first, *dial_last;
  struct lrd_job_list queued;
  struct lrd_job *bucket[LRD_JOB_BUCKETS]; /* every job, by its submission's address */
  size_t jobs, job_bytes;

  int any_cancelled; /* some job has its cancelled mark */

  /* The loop thread's own. */
  struct lrd_dial *dials;
  struct lrd_link *delayed;
  struct lrd_job **heap; /* by deadline */
  size_t heap_used, heap_capacity;
  struct lrd_resolution *resolution;
  struct lrd_prng prng;
};

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

/* submit.c: the submit links and their jobs. */
void lrd_submit_queued(struct lrd_loop *);
int64_t lrd_submit_tick(struct lrd_loop *, int64_t now);
/* A submit link is up (fault NULL) or an attempt failed. */
void lrd_submit_link_changed(struct lrd_loop *, struct lrd_link *, int up);
void lrd_submit_stop(struct lrd_loop *, larder_outcome unsent);
void lrd_submit_abandon(struct lrd_loop *);

#endif
