/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_JOB_H
#define LRD_REMOTE_JOB_H

#include "remote/loop.h"
#include "remote/wire.h"

/*
 * One submitted call: a copy of the call in one block, its ticket, and the place
 * where it waits.  Registered (by its submission's address, so that a
 * cancel never touches a submission that has gone) until done() is called.
 */

enum lrd_job_place { LRD_JOB_QUEUED, LRD_JOB_WAITING, LRD_JOB_IN_WIRE };

struct lrd_job {
  struct lrd_ticket ticket; /* first: the wire knows only this */
  larder_submission *submission;
  struct lrd_job *registered; /* next in its bucket; under loop->lock */
  int cancelled;              /* under loop->lock */
  size_t size;                /* of the block */

  /* The loop thread's. */
  enum lrd_job_place place;
  struct lrd_job *next, *previous; /* queued, or waiting for its link */
  struct lrd_link *link;
  int database;
  unsigned flags, failed;
  int64_t entered_at;
  size_t heap_index;
};

/* Copies a call; NULL: no memory. */
struct lrd_job *lrd_job_new(struct lrd_remote *, const larder_call *, larder_submission *);
void lrd_job_free(struct lrd_remote *, struct lrd_job *);

/* loop->lock held.  register: 0, or -1: too many. */
int lrd_job_register(struct lrd_loop *, struct lrd_job *);
void lrd_job_unregister(struct lrd_loop *, struct lrd_job *);

void lrd_job_list_push(struct lrd_job_list *, struct lrd_job *);
void lrd_job_list_remove(struct lrd_job_list *, struct lrd_job *);

/* The heap of deadlines, loop thread only. */
int lrd_job_heap_push(struct lrd_loop *, struct lrd_job *); /* 0, or -1: no memory */
void lrd_job_heap_remove(struct lrd_loop *, struct lrd_job *);

#endif
