/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_JOB_H
#define LRD_REMOTE_JOB_H

#include "remote/loop.h"
#include "remote/wire.h"

/*
 * One submitted call: its ticket, what must be copied of it, and the place where it
 * waits.  Blocks are all of one size and used again, the first bytes of a ticket's arena lie in
 * them: in the usual case a call takes no memory from the allocator.
 *
 * From lrd_job_queue until it is forgotten, which is before done() is called, its
 * submission's backend_data points to it, so a cancel finds it, or finds that it has gone.
 */

enum lrd_job_place { LRD_JOB_QUEUED, LRD_JOB_WAITING, LRD_JOB_IN_WIRE };
enum { LRD_JOB_ROOM = 448 };

struct lrd_job {
  struct lrd_ticket ticket; /* first: the wire knows only this */
  larder_submission *submission;
  size_t bytes; /* counted in loop->job_bytes */

  /* Under loop->lock. */
  struct lrd_job *known_next, *known_previous;
  struct lrd_job *cancelled_next, *cancelled_previous;
  int known, cancelled;

  /* The loop thread's, once it is queued. */
  enum lrd_job_place place;
  unsigned flow;
  struct lrd_job *next, *previous; /* queued, waiting for its link, or ended */
  struct lrd_link *link;
  int database;
  unsigned flags, failed;
  int64_t entered_at;
  struct lrd_job *due_next, *due_previous;
  size_t heap_index; /* SIZE_MAX: it is in loop->due */

  _Alignas(16) char room[LRD_JOB_ROOM];
};

/* A job for a call; NULL: *why is CLOSED, NOT_SENT (too many) or NO_MEMORY. */
struct lrd_job *lrd_job_new(struct lrd_loop *, const larder_call *, larder_submission *,
                            larder_outcome *why);
/* Queues it: 0, or -1: the loop is stopping, and the job was taken back. */
int lrd_job_queue(struct lrd_loop *, struct lrd_job *);

/* Jobs that are in no list of the loop thread's: from now on no cancel finds them. */
void lrd_jobs_forget(struct lrd_loop *, const struct lrd_job_list *);
/* Their blocks are free for others. */
void lrd_jobs_free(struct lrd_loop *, struct lrd_job_list *);

/* One that is to be ended, or NULL. */
struct lrd_job *lrd_job_cancelled(struct lrd_loop *);

void lrd_job_list_push(struct lrd_job_list *, struct lrd_job *);
void lrd_job_list_remove(struct lrd_job_list *, struct lrd_job *);

/* Deadlines, loop thread only.  Most calls have the store's, so they come in order: a list does;
 * the heap is for those that don't. */
int lrd_job_due_add(struct lrd_loop *, struct lrd_job *); /* 0, or -1: no memory */
void lrd_job_due_remove(struct lrd_loop *, struct lrd_job *);
struct lrd_job *lrd_job_due_first(const struct lrd_loop *); /* NULL: none */

#endif
