/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "remote/flow.h"
#include "remote/job.h"
#include "remote/link.h"
#include "remote/report.h"
#include "util/memory.h"

/*
 * Asynchronous calls: jobs on the submit links, one a database, all on the loop
 * thread.  done() is called without any lock, after the job has left every list.
 */

/* --- ending jobs ----------------------------------------------------------------------- */

enum { TOGETHER = 64 }; /* jobs that are reported before the first of them is done */

static struct lrd_job *job_of(struct lrd_ticket *t)
{
  return (struct lrd_job *)(void *)t;
}

static struct lrd_job_list split(struct lrd_job_list *list, int most)
{
  struct lrd_job_list part = {list->first, list->first};
  for (int i = 1; i < most && part.last->next; i++)
    part.last = part.last->next;
  if ((list->first = part.last->next))
    list->first->previous = NULL;
  else
    list->last = NULL;
  part.last->next = NULL;
  return part;
}

/* Reports jobs that are in no other list any more. */
static void finish(struct lrd_loop *loop, struct lrd_job_list *list, larder_outcome unsent)
{
  while (list->first) {
    struct lrd_job_list part = split(list, TOGETHER);
    for (struct lrd_job *job = part.first; job; job = job->next)
      lrd_ticket_report(&job->ticket, unsent, job->submission->sink);
    lrd_jobs_forget(loop, &part);
    for (struct lrd_job *job = part.first; job; job = job->next)
      job->submission->done(job->submission);
    lrd_jobs_free(loop, &part);
  }
}

static void finish_one(struct lrd_loop *loop, struct lrd_job *job, larder_outcome unsent)
{
  struct lrd_job_list list = {0};
  lrd_job_list_push(&list, job);
  finish(loop, &list, unsent);
}

/* Ends a job that no wire holds. */
static void finish_unsent(struct lrd_loop *loop, struct lrd_job *job, const struct lrd_fault *fault)
{
  struct lrd_ticket *t = &job->ticket;
  t->state = LRD_TICKET_FAILED;
  t->got = t->committed = 0;
  t->cause = fault->cause;
  snprintf(t->error, sizeof t->error, "%s", fault->text);
  finish_one(loop, job, fault->outcome);
}

/* Takes a job that waits for its link out of every list. */
static void unqueue(struct lrd_loop *loop, struct lrd_job *job)
{
  lrd_flow_leave(job);
  lrd_job_due_remove(loop, job);
}

/* Something may be sent on this link; it will be, before the loop sleeps. */
static void mark_dirty(struct lrd_loop *loop, struct lrd_link *l)
{
  if (l->work.dirty)
    return;
  l->work.dirty = 1;
  l->work.dirty_next = loop->dirty;
  loop->dirty = l;
}

/* --- sending --------------------------------------------------------------------------- */

static void collect(struct lrd_loop *loop, struct lrd_link *l, larder_outcome unsent, int retry);

static void poll_link(struct lrd_link *l)
{
  int events = lrd_link_has_output(l) ? UV_READABLE | UV_WRITABLE : UV_READABLE;
  if (l->work.watch && l->work.watch->events != events)
    lrd_watch_events(l->work.watch, events);
}

static int has_room(const struct lrd_link *l)
{
  size_t unsent;
  lrd_wire_out(&l->wire, &unsent);
  return l->wire.used < l->work.window && unsent < LRD_UNSENT_MOST;
}

/* Jobs go from the link's flows into its wire, with its lock held.  NULL, or one that can't go. */
static struct lrd_job *load_some(struct lrd_link *l, int64_t now)
{
  struct lrd_job *job;
  while (has_room(l) && (job = lrd_flow_next(l))) {
    job->ticket.sent_at = now;
    job->ticket.home = l->database;
    lrd_flow_leave(job);
    if ((job->ticket.atomic && l->no_multi[0]) || lrd_wire_call(&l->wire, &job->ticket) != 0)
      return job;
    job->place = LRD_JOB_IN_WIRE;
    lrd_metrics_put(&l->metrics, job->ticket.count, l->wire.used);
  }
  return NULL;
}

static void load(struct lrd_loop *loop, struct lrd_link *l)
{
  int64_t now = lrd_remote_now(loop->remote);
  for (;;) {
    lrd_lock(&l->lock);
    struct lrd_job *job = load_some(l, now);
    lrd_unlock(&l->lock);
    if (!job)
      break;
    struct lrd_fault fault = {LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory for the command"};
    if (job->ticket.atomic && l->no_multi[0]) {
      fault = (struct lrd_fault){LARDER_REFUSED, LARDER_CAUSE_AUTH, ""};
      memcpy(fault.text, l->no_multi, sizeof l->no_multi);
    }
    lrd_job_due_remove(loop, job);
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

/* With the link's lock held: what has ended, and how much that is. */
static size_t take_ended(struct lrd_link *l, struct lrd_job_list *done)
{
  size_t n = 0;
  struct lrd_ticket *next;
  for (struct lrd_ticket *t = lrd_wire_ended(&l->wire); t; t = next, n++) {
    next = t->next;
    lrd_job_list_push(done, job_of(t));
  }
  return n;
}

/* Ended jobs are reported; a link that was closed goes DOWN, and what was not sent
 * may wait for its successor. */
static void collect(struct lrd_loop *loop, struct lrd_link *l, larder_outcome unsent, int retry)
{
  struct lrd_remote *r = loop->remote;
  int64_t now = lrd_remote_now(r);
  char ended[sizeof l->ended];
  struct lrd_job_list all = {0}, again = {0}, done = {0};
  ended[0] = '\0';
  lrd_lock(&l->lock);
  size_t n = take_ended(l, &all);
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
  if (n && all.last->ticket.state == LRD_TICKET_DONE)
    lrd_window_look(l, &all.last->ticket, n, now);
  for (struct lrd_job *job; (job = all.first);) {
    lrd_job_list_remove(&all, job);
    if (retry && may_retry(r, job, now)) {
      job->ticket.state = LRD_TICKET_NEW;
      lrd_job_list_push(&again, job);
    } else {
      lrd_job_due_remove(loop, job);
      lrd_job_list_push(&done, job);
    }
  }
  lrd_flow_return(l, &again);
  finish(loop, &done, unsent);
  if (l->work.waiting && l->state == LRD_LINK_DOWN)
    lrd_loop_dial(loop, l, 0);
}

static void on_link_ready(void *owner, int events)
{
  struct lrd_link *l = owner;
  struct lrd_loop *loop = l->remote->loop;
  char bytes[64 * 1024];
  atomic_store_explicit(&loop->asleep, 0, memory_order_relaxed);
  if (events & UV_READABLE) {
    ssize_t n = lrd_stream_read(&l->stream, bytes, sizeof bytes);
    int error = errno;
    lrd_lock(&l->lock);
    lrd_link_received(l, bytes, n, error, lrd_remote_now(l->remote));
    lrd_unlock(&l->lock);
    collect(loop, l, LARDER_NOT_SENT, 1);
  }
  mark_dirty(loop, l);
}

/* --- links ----------------------------------------------------------------------------- */

static struct lrd_link *submit_link(struct lrd_loop *loop, int database)
{
  struct lrd_group *g = &loop->remote->group[database];
  struct lrd_link *l = g->submit;
  if (!l && (l = lrd_link_new(loop->remote, LRD_LINK_SUBMIT, database, 1000))) {
    l->work.window = LRD_WINDOW_LEAST;
    g->submit = l; /* seen by who asks for metrics */
  }
  return l;
}

/* 1: the job may wait for a connection; 0: *fault says why not. */
static int may_wait(struct lrd_loop *loop, struct lrd_link *l, struct lrd_job *job,
                    struct lrd_fault *fault)
{
  struct lrd_remote *r = loop->remote;
  int64_t now = lrd_remote_now(r);
  if (job->flags & LARDER_CALL_PROBE)
    return 1;
  if (job->flags & LARDER_CALL_NOWAIT) /* a failure of long ago tells it nothing, as in drive.c */
    return !lrd_group_is_backing_off(r, l->home_database, now - r->config->connect_timeout, fault);
  if (!lrd_group_is_backing_off(r, l->home_database, INT64_MIN, fault))
    return 1;
  int64_t at = atomic_load(&r->group[l->home_database].next_attempt);
  if (at <= now)
    return 1;
  return fault->outcome != LARDER_REFUSED && at < job->ticket.deadline;
}

static void route(struct lrd_loop *loop, struct lrd_job *job, int64_t now)
{
  struct lrd_fault fault = {LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory for the call"};
  struct lrd_link *l = submit_link(loop, job->database);
  job->entered_at = now;
  if (!l || lrd_job_due_add(loop, job) != 0) {
    finish_unsent(loop, job, &fault);
    return;
  }
  lrd_flow_enter(l, job);
  if (l->state == LRD_LINK_READY && now > lrd_link_stuck_at(l)) {
    lrd_lock(&l->lock);
    lrd_link_close(l, LARDER_CAUSE_SILENT, "the server makes no progress");
    lrd_unlock(&l->lock);
    collect(loop, l, LARDER_NOT_SENT, 1);
  }
  mark_dirty(loop, l);
  if (l->state == LRD_LINK_READY)
    return;
  lrd_loop_dial(loop, l, (job->flags & LARDER_CALL_PROBE) != 0);
  if (!may_wait(loop, l, job, &fault)) {
    unqueue(loop, job);
    finish_unsent(loop, job, &fault);
  }
}

/* An attempt to connect failed: those that may not wait for another one. */
static void end_waiting(struct lrd_loop *loop, struct lrd_job_list *flow,
                        const struct lrd_fault *fault)
{
  struct lrd_job *next;
  for (struct lrd_job *job = flow->first; job; job = next) {
    next = job->next;
    if (++job->failed <= (unsigned)loop->remote->config->max_retries &&
        fault->outcome == LARDER_NOT_SENT && !(job->flags & LARDER_CALL_NOWAIT))
      continue;
    unqueue(loop, job);
    finish_unsent(loop, job, fault);
  }
}

void lrd_submit_link_changed(struct lrd_loop *loop, struct lrd_link *l, int up)
{
  struct lrd_fault fault = l->fault;
  if (up) {
    l->work.watch = lrd_watch_new(loop, l->stream.fd, on_link_ready, l);
    if (l->work.watch) {
      l->work.fastest = 0; /* the way may be another one */
      mark_dirty(loop, l);
      poll_link(l);
      return;
    }
    lrd_lock(&l->lock);
    lrd_link_close(l, LARDER_CAUSE_CALLER, "no memory to connect");
    lrd_unlock(&l->lock);
    collect(loop, l, LARDER_NOT_SENT, 1);
    return;
  }
  for (int i = 0; i < LRD_FLOWS; i++)
    end_waiting(loop, &l->work.flow[i], &fault);
  if (l->work.waiting)
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
  else
    lrd_metrics_owe(&l->metrics, l->wire.used);
  int dead = l->wire.poisoned;
  if (dead)
    lrd_link_close(l, LARDER_CAUSE_PROTOCOL, l->wire.error);
  lrd_unlock(&l->lock);
  lrd_job_due_remove(loop, job);
  finish_one(loop, job, LARDER_NOT_SENT);
  if (dead)
    collect(loop, l, LARDER_NOT_SENT, 1);
  else
    mark_dirty(loop, l); /* there is room in its window */
}

static void expire(struct lrd_loop *loop, int64_t now)
{
  struct lrd_job *job;
  while ((job = lrd_job_due_first(loop)) && job->ticket.deadline <= now) {
    int64_t since = job->place == LRD_JOB_WAITING ? job->entered_at : job->ticket.sent_at;
    end_now(loop, job, lrd_link_late(loop->remote, since, now), "no reply within the deadline");
  }
}

/* --- from the loop --------------------------------------------------------------------- */

/* The whole queue, once: what done() submits while it is worked off waits for the next
 * round, lest one who tries again at once keep the loop from connecting. */
static struct lrd_job_list take_queue(struct lrd_loop *loop)
{
  lrd_lock(&loop->lock);
  struct lrd_job_list taken = loop->queued;
  loop->queued = (struct lrd_job_list){0};
  lrd_unlock(&loop->lock);
  return taken;
}

static void end_cancelled(struct lrd_loop *loop)
{
  struct lrd_fault fault = {LARDER_NOT_SENT, LARDER_CAUSE_CALLER, "cancelled"};
  for (struct lrd_job *job; (job = lrd_job_cancelled(loop));)
    if (job->place == LRD_JOB_QUEUED)
      finish_unsent(loop, job, &fault);
    else
      end_now(loop, job, LARDER_CAUSE_CALLER, "cancelled");
}

static void send_dirty(struct lrd_loop *loop)
{
  struct lrd_link *l = loop->dirty, *next;
  loop->dirty = NULL;
  for (; l; l = next) {
    next = l->work.dirty_next;
    l->work.dirty = 0;
    flush(loop, l);
  }
}

/* 0: from now on whoever queues something must wake the loop. */
static int is_there_more(struct lrd_loop *loop)
{
  if (loop->dirty)
    return 1;
  lrd_lock(&loop->lock);
  int more = loop->queued.first || loop->cancelled;
  if (!more)
    atomic_store_explicit(&loop->asleep, 1, memory_order_relaxed);
  lrd_unlock(&loop->lock);
  return more;
}

int lrd_submit_queued(struct lrd_loop *loop)
{
  struct lrd_job_list queued = take_queue(loop);
  int64_t now = queued.first ? lrd_remote_now(loop->remote) : 0;
  for (struct lrd_job *job; (job = queued.first);) {
    lrd_job_list_remove(&queued, job);
    route(loop, job, now);
  }
  end_cancelled(loop);
  send_dirty(loop);
  return is_there_more(loop);
}

int64_t lrd_submit_tick(struct lrd_loop *loop, int64_t now)
{
  expire(loop, now);
  struct lrd_job *first = lrd_job_due_first(loop);
  int64_t next = first ? first->ticket.deadline : INT64_MAX;
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
  struct lrd_job_list queued = take_queue(loop);
  for (struct lrd_job *job; (job = queued.first);) {
    lrd_job_list_remove(&queued, job);
    finish_unsent(loop, job, &fault);
  }
  for (int d = 0; d < LRD_DATABASES; d++) {
    struct lrd_link *l = loop->remote->group[d].submit;
    if (!l)
      continue;
    for (struct lrd_job *job; (job = lrd_flow_next(l));) {
      unqueue(loop, job);
      finish_unsent(loop, job, &fault);
    }
    lrd_lock(&l->lock);
    lrd_link_close(l, LARDER_CAUSE_CALLER, "cancelled");
    lrd_unlock(&l->lock);
    collect(loop, l, unsent, 0);
  }
}

/* --- from any thread ------------------------------------------------------------------- */

static void refuse(const larder_call *call, larder_submission *s, larder_outcome outcome)
{
  const char *text = outcome == LARDER_CLOSED     ? "the store is closed"
                     : outcome == LARDER_NOT_SENT ? "too many calls in flight"
                                                  : "no memory for the call";
  lrd_call_refuse(call, s->sink, outcome, LARDER_CAUSE_CALLER, text);
  s->done(s);
}

void lrd_loop_submit(struct lrd_loop *loop, const larder_call *call, larder_submission *s)
{
  larder_outcome why;
  struct lrd_job *job = lrd_job_new(loop, call, s, &why);
  if (!job)
    refuse(call, s, why);
  else if (lrd_job_queue(loop, job) != 0)
    refuse(call, s, LARDER_CLOSED);
}
