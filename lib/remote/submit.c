/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "remote/job.h"
#include "remote/link.h"
#include "remote/report.h"
#include "util/memory.h"

/*
 * Asynchronous calls: jobs on the submit links, one a database, all on the loop
 * thread.  done() is called without any lock, after the job has left every list.
 */

/* --- ending a job ---------------------------------------------------------------------- */

static struct lrd_job_list *list_of(struct lrd_link *l)
{
  return &l->work.waiting;
}

static struct lrd_job *job_of(struct lrd_ticket *t)
{
  return (struct lrd_job *)(void *)t;
}

/* Reports a job that is in no list any more. */
static void finish(struct lrd_loop *loop, struct lrd_job *job, larder_outcome unsent)
{
  lrd_lock(&loop->lock);
  lrd_job_unregister(loop, job);
  lrd_unlock(&loop->lock);
  larder_submission *s = job->submission;
  lrd_ticket_report(&job->ticket, unsent, s->sink);
  lrd_job_free(loop->remote, job);
  s->done(s);
}

/* Ends a job that no wire holds. */
static void finish_unsent(struct lrd_loop *loop, struct lrd_job *job, const struct lrd_fault *fault)
{
  struct lrd_ticket *t = &job->ticket;
  t->state = LRD_TICKET_FAILED;
  t->got = t->committed = 0;
  t->cause = fault->cause;
  snprintf(t->error, sizeof t->error, "%s", fault->text);
  finish(loop, job, fault->outcome);
}

/* Takes a job that waits for its link out of the list and the heap. */
static void unqueue(struct lrd_loop *loop, struct lrd_job *job)
{
  lrd_job_list_remove(list_of(job->link), job);
  lrd_job_heap_remove(loop, job);
}

/* --- sending --------------------------------------------------------------------------- */

static void collect(struct lrd_loop *loop, struct lrd_link *l, larder_outcome unsent, int retry);

static void poll_link(struct lrd_link *l)
{
  if (l->work.watch)
    lrd_watch_events(l->work.watch,
                     lrd_link_has_output(l) ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* Jobs go from the link's list into its wire. */
static void load(struct lrd_loop *loop, struct lrd_link *l)
{
  struct lrd_remote *r = loop->remote;
  int64_t now = lrd_remote_now(r);
  struct lrd_job *job;
  while ((job = list_of(l)->first)) {
    struct lrd_fault fault = {LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory for the command"};
    if (job->ticket.atomic && l->no_multi[0]) {
      fault = (struct lrd_fault){LARDER_REFUSED, LARDER_CAUSE_AUTH, ""};
      memcpy(fault.text, l->no_multi, sizeof l->no_multi);
    } else {
      lrd_lock(&l->lock);
      job->ticket.sent_at = now;
      job->ticket.home = l->database;
      int failed = lrd_wire_call(&l->wire, &job->ticket);
      lrd_unlock(&l->lock);
      if (!failed) {
        lrd_job_list_remove(list_of(l), job);
        job->place = LRD_JOB_IN_WIRE;
        atomic_fetch_add_explicit(&r->count.commands_sent, job->ticket.count, memory_order_relaxed);
        continue;
      }
    }
    unqueue(loop, job);
    finish_unsent(loop, job, &fault);
  }
}

static void flush(struct lrd_loop *loop, struct lrd_link *l)
{
  if (l->state != LRD_LINK_READY)
    return;
  load(loop, l);
  lrd_lock(&l->lock);
  int dead = lrd_link_flush(l);
  lrd_unlock(&l->lock);
  if (dead)
    collect(loop, l, LARDER_NOT_SENT, 1);
  else
    poll_link(l);
}

/* --- receiving ------------------------------------------------------------------------- */

static int may_retry(struct lrd_remote *r, struct lrd_job *job, int64_t now)
{
  const struct lrd_ticket *t = &job->ticket;
  return t->state == LRD_TICKET_FAILED && !t->got && !t->committed &&
         t->cause == LARDER_CAUSE_CUT && ++job->failed <= (unsigned)r->config->max_retries &&
         now < t->deadline;
}

/* Ended jobs are reported; a link that was closed goes DOWN, and what was not sent
 * may wait for its successor. */
static void collect(struct lrd_loop *loop, struct lrd_link *l, larder_outcome unsent, int retry)
{
  struct lrd_remote *r = loop->remote;
  int64_t now = lrd_remote_now(r);
  char ended[sizeof l->ended] = "";
  struct lrd_job_list done = {0};
  lrd_lock(&l->lock);
  struct lrd_ticket *next;
  for (struct lrd_ticket *t = lrd_wire_ended(&l->wire); t; t = next) {
    next = t->next;
    lrd_job_list_push(&done, job_of(t));
  }
  if (l->state == LRD_LINK_CLOSING) {
    memcpy(ended, l->ended, sizeof ended);
    lrd_wire_free(&l->wire);
    lrd_watch_close(l->work.watch);
    l->work.watch = NULL;
    lrd_link_finish(l);
  }
  lrd_unlock(&l->lock);
  if (ended[0])
    lrd_remote_tell(r, LARDER_WARNING, "disconnect", ended);
  for (struct lrd_job *job; (job = done.first);) {
    lrd_job_list_remove(&done, job);
    if (retry && may_retry(r, job, now)) {
      job->ticket.state = LRD_TICKET_NEW;
      job->place = LRD_JOB_WAITING;
      lrd_job_list_push(list_of(l), job);
    } else {
      lrd_job_heap_remove(loop, job);
      finish(loop, job, unsent);
    }
  }
  if (list_of(l)->first && l->state == LRD_LINK_DOWN)
    lrd_loop_dial(loop, l, 0);
}

static void on_link_ready(void *owner, int events)
{
  struct lrd_link *l = owner;
  struct lrd_loop *loop = l->remote->loop;
  char bytes[64 * 1024];
  if (events & UV_READABLE) {
    ssize_t n = lrd_stream_read(&l->stream, bytes, sizeof bytes);
    int error = errno;
    lrd_lock(&l->lock);
    lrd_link_received(l, bytes, n, error, lrd_remote_now(l->remote));
    lrd_unlock(&l->lock);
    collect(loop, l, LARDER_NOT_SENT, 1);
  }
  flush(loop, l);
}

/* --- links ----------------------------------------------------------------------------- */

static struct lrd_link *submit_link(struct lrd_loop *loop, int database)
{
  struct lrd_group *g = &loop->remote->group[database];
  if (!g->submit)
    g->submit = lrd_link_new(loop->remote, LRD_LINK_SUBMIT, database, 1000);
  return g->submit;
}

/* 1: the job may wait for a connection; 0: *fault says why not. */
static int may_wait(struct lrd_loop *loop, struct lrd_link *l, struct lrd_job *job,
                    struct lrd_fault *fault)
{
  struct lrd_remote *r = loop->remote;
  if ((job->flags & LARDER_CALL_PROBE) ||
      !lrd_group_is_backing_off(r, l->home_database, INT64_MIN, fault))
    return 1;
  if (job->flags & LARDER_CALL_NOWAIT)
    return 0;
  int64_t at = atomic_load(&r->group[l->home_database].next_attempt);
  if (at <= lrd_remote_now(r))
    return 1;
  return fault->outcome != LARDER_REFUSED && at < job->ticket.deadline;
}

static void route(struct lrd_loop *loop, struct lrd_job *job)
{
  struct lrd_fault fault = {LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory for the call"};
  struct lrd_link *l = submit_link(loop, job->database);
  int64_t now = lrd_remote_now(loop->remote);
  if (!l || lrd_job_heap_push(loop, job) != 0) {
    finish_unsent(loop, job, &fault);
    return;
  }
  job->link = l;
  job->place = LRD_JOB_WAITING;
  lrd_job_list_push(list_of(l), job);
  if (l->state == LRD_LINK_READY && now > lrd_link_stuck_at(l)) {
    lrd_lock(&l->lock);
    lrd_link_close(l, LARDER_CAUSE_SILENT, "the server makes no progress");
    lrd_unlock(&l->lock);
    collect(loop, l, LARDER_NOT_SENT, 1);
  }
  l->work.dirty = 1;
  if (l->state == LRD_LINK_READY)
    return;
  lrd_loop_dial(loop, l, (job->flags & LARDER_CALL_PROBE) != 0);
  if (!may_wait(loop, l, job, &fault)) {
    unqueue(loop, job);
    finish_unsent(loop, job, &fault);
  }
}

void lrd_submit_link_changed(struct lrd_loop *loop, struct lrd_link *l, int up)
{
  struct lrd_fault fault = l->fault;
  if (up) {
    l->work.watch = lrd_watch_new(loop, l->stream.fd, on_link_ready, l);
    if (l->work.watch) {
      flush(loop, l);
      return;
    }
    lrd_lock(&l->lock);
    lrd_link_close(l, LARDER_CAUSE_CALLER, "no memory to connect");
    lrd_unlock(&l->lock);
    collect(loop, l, LARDER_NOT_SENT, 1);
    return;
  }
  struct lrd_job *next;
  for (struct lrd_job *job = list_of(l)->first; job; job = next) {
    next = job->next;
    if (++job->failed <= (unsigned)loop->remote->config->max_retries &&
        fault.outcome == LARDER_NOT_SENT && !(job->flags & LARDER_CALL_NOWAIT))
      continue;
    unqueue(loop, job);
    finish_unsent(loop, job, &fault);
  }
  if (list_of(l)->first)
    lrd_loop_dial(loop, l, 0);
}

/* --- deadlines and cancelling ---------------------------------------------------------- */

/* Ends a job now, wherever it is. */
static void end_now(struct lrd_loop *loop, struct lrd_job *job, larder_cause cause,
                    const char *text)
{
  struct lrd_link *l = job->link;
  if (job->place == LRD_JOB_WAITING) {
    struct lrd_fault fault = {LARDER_NOT_SENT, cause, ""};
    snprintf(fault.text, sizeof fault.text, "%s", text);
    if (cause != LARDER_CAUSE_CALLER)
      lrd_group_is_backing_off(loop->remote, l->home_database, INT64_MIN, &fault);
    unqueue(loop, job);
    finish_unsent(loop, job, &fault);
    return;
  }
  lrd_lock(&l->lock);
  lrd_wire_withdraw(&l->wire, &job->ticket, cause, text);
  if (cause != LARDER_CAUSE_CALLER)
    lrd_link_doubt(l, job->ticket.sent_at, lrd_remote_now(loop->remote));
  int dead = l->wire.poisoned;
  if (dead)
    lrd_link_close(l, LARDER_CAUSE_PROTOCOL, l->wire.error);
  lrd_unlock(&l->lock);
  lrd_job_heap_remove(loop, job);
  finish(loop, job, LARDER_NOT_SENT);
  if (dead)
    collect(loop, l, LARDER_NOT_SENT, 1);
}

static void expire(struct lrd_loop *loop, int64_t now)
{
  while (loop->heap_used && loop->heap[0]->ticket.deadline <= now) {
    struct lrd_job *job = loop->heap[0];
    int64_t since = job->place == LRD_JOB_WAITING ? job->entered_at : job->ticket.sent_at;
    end_now(loop, job, lrd_link_late(loop->remote, since, now), "no reply within the deadline");
  }
}

/* One pass over the heap; 1: it ended some (a removal may move others out of its way). */
static int end_cancelled_pass(struct lrd_loop *loop)
{
  int ended = 0;
  for (size_t i = 0; i < loop->heap_used;) {
    struct lrd_job *job = loop->heap[i];
    lrd_lock(&loop->lock);
    int cancelled = job->cancelled;
    lrd_unlock(&loop->lock);
    if (cancelled) {
      end_now(loop, job, LARDER_CAUSE_CALLER, "cancelled");
      ended = 1;
    } else {
      i++;
    }
  }
  return ended;
}

/* any: some may have been cancelled before the queue was taken. */
static void end_cancelled(struct lrd_loop *loop, int any)
{
  while (any)
    any = end_cancelled_pass(loop);
}

/* --- from the loop --------------------------------------------------------------------- */

/* The whole queue, once: what done() submits while it is worked off waits for the next
 * round, lest one who tries again at once keep the loop from connecting.  A cancelled
 * job that is in the queue later than this keeps its mark for that round too. */
static struct lrd_job_list take_queue(struct lrd_loop *loop, int *cancelled)
{
  lrd_lock(&loop->lock);
  struct lrd_job_list taken = loop->queued;
  loop->queued = (struct lrd_job_list){0};
  *cancelled = loop->any_cancelled;
  loop->any_cancelled = 0;
  lrd_unlock(&loop->lock);
  return taken;
}

void lrd_submit_queued(struct lrd_loop *loop)
{
  int cancelled;
  struct lrd_job_list queued = take_queue(loop, &cancelled);
  for (struct lrd_job *job; (job = queued.first);) {
    lrd_job_list_remove(&queued, job);
    route(loop, job);
  }
  end_cancelled(loop, cancelled);
  for (int d = 0; d < LRD_DATABASES; d++) {
    struct lrd_link *l = loop->remote->group[d].submit;
    if (l && l->work.dirty) {
      l->work.dirty = 0;
      flush(loop, l);
    }
  }
}

int64_t lrd_submit_tick(struct lrd_loop *loop, int64_t now)
{
  expire(loop, now);
  int64_t next = loop->heap_used ? loop->heap[0]->ticket.deadline : INT64_MAX;
  for (int d = 0; d < LRD_DATABASES; d++) {
    struct lrd_link *l = loop->remote->group[d].submit;
    if (!l || l->state != LRD_LINK_READY)
      continue;
    int64_t stuck_at = lrd_link_stuck_at(l);
    if (now > stuck_at) {
      lrd_lock(&l->lock);
      lrd_link_close(l, LARDER_CAUSE_SILENT, "the server makes no progress");
      lrd_unlock(&l->lock);
      collect(loop, l, LARDER_NOT_SENT, 1);
    } else if (stuck_at < next) {
      next = stuck_at + 1;
    }
  }
  return next;
}

void lrd_submit_stop(struct lrd_loop *loop, larder_outcome unsent)
{
  struct lrd_fault fault = {unsent, LARDER_CAUSE_CALLER, "cancelled"};
  int cancelled;
  struct lrd_job_list queued = take_queue(loop, &cancelled);
  for (struct lrd_job *job; (job = queued.first);) {
    lrd_job_list_remove(&queued, job);
    finish_unsent(loop, job, &fault);
  }
  for (int d = 0; d < LRD_DATABASES; d++) {
    struct lrd_link *l = loop->remote->group[d].submit;
    if (!l)
      continue;
    for (struct lrd_job *job; (job = list_of(l)->first);) {
      unqueue(loop, job);
      finish_unsent(loop, job, &fault);
    }
    lrd_lock(&l->lock);
    lrd_link_close(l, LARDER_CAUSE_CALLER, "cancelled");
    lrd_unlock(&l->lock);
    collect(loop, l, unsent, 0);
  }
}

void lrd_submit_abandon(struct lrd_loop *loop)
{
  for (size_t i = 0; i < LRD_JOB_BUCKETS; i++)
    for (struct lrd_job *job; (job = loop->bucket[i]);) {
      loop->bucket[i] = job->registered;
      lrd_job_free(loop->remote, job);
    }
}

/* --- from any thread ------------------------------------------------------------------- */

static void refuse(const larder_call *call, larder_submission *s, larder_outcome outcome,
                   const char *text)
{
  lrd_call_refuse(call, s->sink, outcome, LARDER_CAUSE_CALLER, text);
  s->done(s);
}

void lrd_loop_submit(struct lrd_loop *loop, const larder_call *call, larder_submission *s)
{
  struct lrd_job *job = lrd_job_new(loop->remote, call, s);
  if (!job) {
    refuse(call, s, LARDER_NO_MEMORY, "no memory for the call");
    return;
  }
  lrd_lock(&loop->lock);
  int stopping = loop->stopping;
  int full = stopping || lrd_job_register(loop, job) != 0;
  if (!full) {
    lrd_job_list_push(&loop->queued, job);
    uv_async_send(&loop->async);
  }
  lrd_unlock(&loop->lock);
  if (!full)
    return;
  lrd_job_free(loop->remote, job);
  if (stopping)
    refuse(call, s, LARDER_CLOSED, "the store is closed");
  else
    refuse(call, s, LARDER_NOT_SENT, "too many calls in flight");
}
