/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/job.h"

#include <string.h>

#include "remote/instance.h"
#include "util/memory.h"

/* Size of the block: the job, its vectors, their arguments, all bytes; 0: overflow. */
static size_t block_size(const larder_call *call)
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

struct lrd_job *lrd_job_new(struct lrd_remote *r, const larder_call *call,
                            larder_submission *submission)
{
  size_t size = block_size(call);
  struct lrd_job *job = size ? lrd_allocate(&r->base.memory, size) : NULL;
  if (!job)
    return NULL;
  memset(job, 0, sizeof *job);
  larder_vector *vector = (larder_vector *)(void *)(job + 1);
  larder_bytes *argument = (larder_bytes *)(void *)(vector + call->count);
  size_t arguments = 0;
  for (size_t i = 0; i < call->count; i++)
    arguments += (size_t)call->vector[i].argc;
  char *bytes = (char *)(argument + arguments);
  for (size_t i = 0; i < call->count; i++) {
    vector[i] = call->vector[i];
    vector[i].argv = argument;
    for (int j = 0; j < vector[i].argc; j++) {
      const larder_bytes *from = &call->vector[i].argv[j];
      if (from->len)
        memcpy(bytes, from->data, from->len);
      *argument++ = (larder_bytes){bytes, from->len};
      bytes += from->len;
    }
  }
  lrd_ticket_init(&job->ticket, &r->base.memory, vector, call->count,
                  (call->flags & LARDER_CALL_ATOMIC) != 0);
  job->ticket.deadline = call->deadline;
  job->submission = submission;
  job->size = size;
  job->database = call->database;
  job->flags = call->flags;
  job->entered_at = lrd_remote_now(r);
  return job;
}

void lrd_job_free(struct lrd_remote *r, struct lrd_job *job)
{
  lrd_ticket_release(&job->ticket);
  lrd_release(&r->base.memory, job, job->size);
}

static struct lrd_job **bucket_of(struct lrd_loop *loop, const larder_submission *s)
{
  uint64_t h = (uint64_t)(uintptr_t)s * UINT64_C(0x9e3779b97f4a7c15);
  return &loop->bucket[h >> 32 & (LRD_JOB_BUCKETS - 1)];
}

int lrd_job_register(struct lrd_loop *loop, struct lrd_job *job)
{
  if (loop->jobs >= LRD_JOBS_MAX || loop->job_bytes > LRD_JOB_BYTES_MAX)
    return -1;
  loop->jobs++;
  loop->job_bytes += job->size;
  struct lrd_job **bucket = bucket_of(loop, job->submission);
  job->registered = *bucket;
  *bucket = job;
  return 0;
}

void lrd_job_unregister(struct lrd_loop *loop, struct lrd_job *job)
{
  struct lrd_job **at = bucket_of(loop, job->submission);
  while (*at != job)
    at = &(*at)->registered;
  *at = job->registered;
  loop->jobs--;
  loop->job_bytes -= job->size;
}

void lrd_loop_cancel(struct lrd_loop *loop, larder_submission *submission)
{
  lrd_lock(&loop->lock);
  int found = !submission;
  if (!submission)
    loop->cancel_all = 1;
  else
    for (struct lrd_job *job = *bucket_of(loop, submission); job; job = job->registered)
      if (job->submission == submission)
        job->cancelled = loop->any_cancelled = found = 1;
  if (found && !loop->stopping)
    uv_async_send(&loop->async);
  lrd_unlock(&loop->lock);
}

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

/* --- the heap -------------------------------------------------------------------------- */

static void put(struct lrd_loop *loop, size_t i, struct lrd_job *job)
{
  loop->heap[i] = job;
  job->heap_index = i;
}

static void sift_up(struct lrd_loop *loop, size_t i, struct lrd_job *job)
{
  while (i && loop->heap[(i - 1) / 2]->ticket.deadline > job->ticket.deadline) {
    put(loop, i, loop->heap[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  put(loop, i, job);
}

static void sift_down(struct lrd_loop *loop, size_t i, struct lrd_job *job)
{
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= loop->heap_used)
      break;
    if (child + 1 < loop->heap_used &&
        loop->heap[child + 1]->ticket.deadline < loop->heap[child]->ticket.deadline)
      child++;
    if (loop->heap[child]->ticket.deadline >= job->ticket.deadline)
      break;
    put(loop, i, loop->heap[child]);
    i = child;
  }
  put(loop, i, job);
}

int lrd_job_heap_push(struct lrd_loop *loop, struct lrd_job *job)
{
  if (loop->heap_used == loop->heap_capacity) {
    const larder_memory *memory = &loop->remote->base.memory;
    size_t capacity = loop->heap_capacity ? loop->heap_capacity * 2 : 64;
    struct lrd_job **heap = lrd_allocate(memory, capacity * sizeof(struct lrd_job *));
    if (!heap)
      return -1;
    if (loop->heap_used)
      memcpy(heap, loop->heap, loop->heap_used * sizeof *heap);
    lrd_release(memory, loop->heap, loop->heap_capacity * sizeof *heap);
    loop->heap = heap;
    loop->heap_capacity = capacity;
  }
  sift_up(loop, loop->heap_used++, job);
  return 0;
}

void lrd_job_heap_remove(struct lrd_loop *loop, struct lrd_job *job)
{
  size_t i = job->heap_index;
  struct lrd_job *last = loop->heap[--loop->heap_used];
  if (last == job)
    return;
  if (i && loop->heap[(i - 1) / 2]->ticket.deadline > last->ticket.deadline)
    sift_up(loop, i, last);
  else
    sift_down(loop, i, last);
}
