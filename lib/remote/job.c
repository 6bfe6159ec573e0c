/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/job.h"

#include <string.h>

#include "remote/instance.h"
#include "util/memory.h"
#include "util/thread.h"

/* --- the copy of a call ---------------------------------------------------------------- */

/* 0: overflow. */
static size_t size_of_call(const larder_call *call)
{
  size_t size = sizeof(struct lrd_job);
  for (size_t i = 0; i < call->count; i++) {
    const larder_vector *v = &call->vector[i];
    size += sizeof *v + (size_t)v->argc * sizeof *v->argv;
    for (int j = 0; j < v->argc; j++)
      if (__builtin_add_overflow(size, v->argv[j].len, &size))
        return 0;
  }
  return size;
}

static int copy_vector(struct lrd_arena *arena, larder_vector *to, const larder_vector *from)
{
  larder_bytes *argument = lrd_arena_allocate(arena, (size_t)from->argc * sizeof *argument);
  if (!argument)
    return -1;
  *to = *from;
  to->argv = argument;
  for (int i = 0; i < from->argc; i++) {
    argument[i].len = from->argv[i].len;
    argument[i].data = lrd_arena_copy(arena, from->argv[i].data, from->argv[i].len);
    if (!argument[i].data)
      return -1;
  }
  return 0;
}

static int copy_vectors(struct lrd_job *job, const larder_call *call)
{
  struct lrd_arena *arena = &job->ticket.arena;
  larder_vector *vector = lrd_arena_allocate(arena, call->count * sizeof *vector);
  if (!vector)
    return -1;
  for (size_t i = 0; i < call->count; i++)
    if (copy_vector(arena, &vector[i], &call->vector[i]) != 0)
      return -1;
  job->ticket.vector = vector;
  return 0;
}

/* --- blocks ---------------------------------------------------------------------------- */

static larder_outcome admit(struct lrd_loop *loop, size_t bytes, struct lrd_job **spare)
{
  if (loop->stopping)
    return LARDER_CLOSED;
  if (loop->jobs >= LRD_JOBS_MAX || loop->job_bytes > LRD_JOB_BYTES_MAX)
    return LARDER_NOT_SENT;
  loop->jobs++;
  loop->job_bytes += bytes;
  if ((*spare = loop->spare)) {
    loop->spare = (*spare)->next;
    loop->spares--;
  }
  return LARDER_OK;
}

static void dismiss(struct lrd_loop *loop, size_t bytes)
{
  loop->jobs--;
  loop->job_bytes -= bytes;
}

static void init(struct lrd_job *job, struct lrd_loop *loop, const larder_call *call,
                 larder_submission *submission)
{
  const larder_memory *memory = &loop->remote->base.memory;
  lrd_ticket_init(&job->ticket, memory, call->vector, call->count,
                  (call->flags & LARDER_CALL_ATOMIC) != 0);
  lrd_arena_init_room(&job->ticket.arena, memory, job->room, sizeof job->room);
  job->ticket.deadline = call->deadline;
  job->submission = submission;
  job->place = LRD_JOB_QUEUED;
  job->flow = lrd_thread_place(lrd_thread_address(), LRD_FLOW_BITS);
  job->link = NULL;
  job->database = call->database;
  job->flags = call->flags;
  job->failed = 0;
  job->cancelled = 0;
}

struct lrd_job *lrd_job_new(struct lrd_loop *loop, const larder_call *call,
                            larder_submission *submission, larder_outcome *why)
{
  struct lrd_job *job = NULL;
  size_t bytes = size_of_call(call);
  if (!bytes) {
    *why = LARDER_NO_MEMORY;
    return NULL;
  }
  lrd_lock(&loop->lock);
  *why = admit(loop, bytes, &job);
  lrd_unlock(&loop->lock);
  if (*why != LARDER_OK)
    return NULL;
  if (!job && (job = lrd_allocate(&loop->remote->base.memory, sizeof *job)))
    job->known = 0;
  if (job) {
    job->bytes = bytes;
    init(job, loop, call, submission);
    if ((call->flags & LARDER_CALL_LASTING) || copy_vectors(job, call) == 0)
      return job;
    struct lrd_job_list list = {0};
    lrd_job_list_push(&list, job);
    lrd_jobs_free(loop, &list);
  }
  lrd_lock(&loop->lock);
  dismiss(loop, bytes);
  lrd_unlock(&loop->lock);
  *why = LARDER_NO_MEMORY;
  return NULL;
}

/* With the lock held. */
static void know(struct lrd_loop *loop, struct lrd_job *job)
{
  job->known = 1;
  job->known_previous = NULL;
  job->known_next = loop->known;
  if (loop->known)
    loop->known->known_previous = job;
  loop->known = job;
}

static void unknow(struct lrd_loop *loop, struct lrd_job *job)
{
  job->known = 0;
  *(job->known_previous ? &job->known_previous->known_next : &loop->known) = job->known_next;
  if (job->known_next)
    job->known_next->known_previous = job->known_previous;
}

int lrd_job_queue(struct lrd_loop *loop, struct lrd_job *job)
{
  int must_wake = 0;
  lrd_lock(&loop->lock);
  int stopping = loop->stopping;
  if (!job->known)
    know(loop, job);
  if (stopping) {
    dismiss(loop, job->bytes);
  } else {
    job->submission->backend_data = job;
    lrd_job_list_push(&loop->queued, job);
    must_wake = lrd_loop_must_wake(loop);
  }
  lrd_unlock(&loop->lock);
  if (must_wake)
    uv_async_send(&loop->async);
  if (!stopping)
    return 0;
  struct lrd_job_list list = {0};
  lrd_job_list_push(&list, job);
  lrd_jobs_free(loop, &list);
  return -1;
}

void lrd_jobs_free(struct lrd_loop *loop, struct lrd_job_list *list)
{
  struct lrd_job *surplus = NULL, *next;
  for (struct lrd_job *job = list->first; job; job = job->next)
    lrd_ticket_release(&job->ticket);
  lrd_lock(&loop->lock);
  for (struct lrd_job *job = list->first; job; job = next) {
    next = job->next;
    if (loop->spares < LRD_JOBS_SPARE) {
      if (!job->known)
        know(loop, job);
      job->next = loop->spare;
      loop->spare = job;
      loop->spares++;
      continue;
    }
    if (job->known)
      unknow(loop, job);
    job->next = surplus;
    surplus = job;
  }
  lrd_unlock(&loop->lock);
  *list = (struct lrd_job_list){0};
  for (; surplus; surplus = next) {
    next = surplus->next;
    lrd_release(&loop->remote->base.memory, surplus, sizeof *surplus);
  }
}

void lrd_jobs_release(struct lrd_loop *loop)
{
  for (struct lrd_job *job; (job = loop->known);) {
    loop->known = job->known_next;
    lrd_ticket_release(&job->ticket);
    lrd_release(&loop->remote->base.memory, job, sizeof *job);
  }
}

/* --- cancelling ------------------------------------------------------------------------ */

/* With the lock held. */
static void forget_cancel(struct lrd_loop *loop, struct lrd_job *job)
{
  job->cancelled = 0;
  *(job->cancelled_previous ? &job->cancelled_previous->cancelled_next : &loop->cancelled) =
      job->cancelled_next;
  if (job->cancelled_next)
    job->cancelled_next->cancelled_previous = job->cancelled_previous;
}

void lrd_jobs_forget(struct lrd_loop *loop, const struct lrd_job_list *list)
{
  lrd_lock(&loop->lock);
  for (struct lrd_job *job = list->first; job; job = job->next) {
    job->submission->backend_data = NULL;
    dismiss(loop, job->bytes);
    if (job->cancelled)
      forget_cancel(loop, job);
  }
  lrd_unlock(&loop->lock);
}

static void mark_cancelled(struct lrd_loop *loop, struct lrd_job *job)
{
  if (job->cancelled)
    return;
  job->cancelled = 1;
  job->cancelled_previous = NULL;
  job->cancelled_next = loop->cancelled;
  if (loop->cancelled)
    loop->cancelled->cancelled_previous = job;
  loop->cancelled = job;
}

void lrd_loop_cancel(struct lrd_loop *loop, larder_submission *submission)
{
  lrd_lock(&loop->lock);
  if (!submission)
    loop->cancel_all = 1;
  else if (submission->backend_data)
    mark_cancelled(loop, submission->backend_data);
  if (!loop->stopping && (loop->cancel_all || loop->cancelled))
    uv_async_send(&loop->async);
  lrd_unlock(&loop->lock);
}

struct lrd_job *lrd_job_cancelled(struct lrd_loop *loop)
{
  lrd_lock(&loop->lock);
  struct lrd_job *job = loop->cancelled;
  if (job) {
    forget_cancel(loop, job);
    if (job->place == LRD_JOB_QUEUED)
      lrd_job_list_remove(&loop->queued, job);
  }
  lrd_unlock(&loop->lock);
  return job;
}

/* --- lists ----------------------------------------------------------------------------- */

void lrd_job_list_push(struct lrd_job_list *list, struct lrd_job *job)
{
  job->next = NULL;
  job->previous = list->last;
  *(list->last ? &list->last->next : &list->first) = job;
  list->last = job;
}

void lrd_job_list_remove(struct lrd_job_list *list, struct lrd_job *job)
{
  *(job->previous ? &job->previous->next : &list->first) = job->next;
  *(job->next ? &job->next->previous : &list->last) = job->previous;
}
