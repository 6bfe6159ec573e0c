/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/job.h"

#include <stdint.h>
#include <string.h>

#include "remote/instance.h"
#include "util/memory.h"

/* The deadlines of submitted calls (job.h). */

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

static int heap_push(struct lrd_loop *loop, struct lrd_job *job)
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

static void heap_remove(struct lrd_loop *loop, struct lrd_job *job)
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

/* --- both ------------------------------------------------------------------------------ */

/* Threads that begin calls at the same time may queue them in another order. */
enum { NEARLY = 8 };

int lrd_job_due_add(struct lrd_loop *loop, struct lrd_job *job)
{
  struct lrd_job *before = loop->due.last;
  for (int i = 0; before && before->ticket.deadline > job->ticket.deadline; i++) {
    if (i == NEARLY)
      return heap_push(loop, job);
    before = before->due_previous;
  }
  job->heap_index = SIZE_MAX;
  job->due_previous = before;
  struct lrd_job **place = before ? &before->due_next : &loop->due.first;
  job->due_next = *place;
  *place = job;
  *(job->due_next ? &job->due_next->due_previous : &loop->due.last) = job;
  return 0;
}

void lrd_job_due_remove(struct lrd_loop *loop, struct lrd_job *job)
{
  if (job->heap_index != SIZE_MAX) {
    heap_remove(loop, job);
    return;
  }
  *(job->due_previous ? &job->due_previous->due_next : &loop->due.first) = job->due_next;
  *(job->due_next ? &job->due_next->due_previous : &loop->due.last) = job->due_previous;
}

struct lrd_job *lrd_job_due_first(const struct lrd_loop *loop)
{
  struct lrd_job *first = loop->due.first;
  if (!loop->heap_used)
    return first;
  struct lrd_job *top = loop->heap[0];
  return first && first->ticket.deadline <= top->ticket.deadline ? first : top;
}
