/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/remote.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command/command.h"
#include "remote/group.h"
#include "remote/hold.h"
#include "remote/instance.h"
#include "remote/link.h"
#include "remote/listen.h"
#include "remote/report.h"
#include "util/memory.h"
#include "util/number.h"

/* --- calls ----------------------------------------------------------------------------- */

/* 0: the store is closing. */
static int enter(struct lrd_remote *r)
{
  atomic_fetch_add(&r->inside, 1);
  if (!atomic_load(&r->closing))
    return 1;
  atomic_fetch_sub(&r->inside, 1);
  return 0;
}

static void leave(struct lrd_remote *r)
{
  atomic_fetch_sub(&r->inside, 1);
}

/* A connection that watches keys belongs to somebody. */
static int is_misplaced(const larder_call *call)
{
  unsigned command = call->vector[0].command;
  return !call->hold && (command == LRD_WATCH || command == LRD_UNWATCH);
}

static void run(struct lrd_remote *r, const larder_call *call, struct lrd_link_call *c)
{
  lrd_link_call_init(c, r, call->vector, call->count, (call->flags & LARDER_CALL_ATOMIC) != 0,
                     call->deadline);
  if (call->hold && lrd_hold_run(r, call->hold, call, c))
    return;
  if (lrd_hold_waits(call)) {
    lrd_hold_run_alone(r, call, c);
    return;
  }
  struct lrd_link *l = lrd_group_pick(r, call);
  if (l)
    lrd_link_run(l, c, call->flags);
  else
    lrd_link_call_fail(c, LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory for a connection");
}

static void remote_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  struct lrd_remote *r = lrd_remote_of(b);
  if (!enter(r)) {
    lrd_call_refuse(call, sink, LARDER_CLOSED, LARDER_CAUSE_CALLER, "the store is closed");
    return;
  }
  if (is_misplaced(call)) {
    lrd_call_refuse(call, sink, LARDER_BAD_ARGUMENT, LARDER_CAUSE_CALLER, "WATCH needs a session");
  } else {
    struct lrd_link_call c;
    run(r, call, &c);
    lrd_ticket_report(&c.ticket, c.unsent, sink);
    lrd_link_call_release(&c);
  }
  leave(r);
}

static void remote_submit(larder_backend *b, const larder_call *call, larder_submission *s)
{
  struct lrd_remote *r = lrd_remote_of(b);
  if (!enter(r)) {
    lrd_call_refuse(call, s->sink, LARDER_CLOSED, LARDER_CAUSE_CALLER, "the store is closed");
    s->done(s);
    return;
  }
  if (lrd_hold_waits(call)) {
    lrd_call_refuse(call, s->sink, LARDER_UNSUPPORTED, LARDER_CAUSE_CALLER,
                    "towards Redis only a thread's call can wait for a key: not a submitted one, "
                    "nor a listener's client");
    s->done(s);
  } else {
    lrd_loop_submit(r->loop, call, s);
  }
  leave(r);
}

static void cancel_link(struct lrd_link *l, void *context)
{
  larder_outcome *unsent = context;
  lrd_link_cancel(l, *unsent, "cancelled");
}

static void remote_cancel(larder_backend *b, larder_submission *s)
{
  struct lrd_remote *r = lrd_remote_of(b);
  larder_outcome unsent = LARDER_NOT_SENT;
  lrd_loop_cancel(r->loop, s);
  if (!s)
    lrd_group_each(r, cancel_link, &unsent);
}

/* --- typed calls ----------------------------------------------------------------------- */

static larder_verdict run_typed(larder_backend *b, struct lrd_link_call *c, int database,
                                const larder_vector *vector, int64_t deadline)
{
  struct lrd_remote *r = lrd_remote_of(b);
  larder_call call = {.vector = vector, .count = 1, .database = database, .deadline = deadline};
  if (enter(r)) {
    run(r, &call, c);
    leave(r);
  } else {
    lrd_link_call_init(c, r, vector, 1, 0, deadline);
    lrd_link_call_fail(c, LARDER_CLOSED, LARDER_CAUSE_CALLER, "");
  }
  return lrd_ticket_verdict(&c->ticket, 0, c->unsent);
}

static void remote_get(larder_backend *b, int database, larder_bytes key, int64_t deadline,
                       void *buffer, size_t size, size_t *length, larder_verdict *verdict)
{
  larder_bytes argv[2] = {{"GET", 3}, key};
  larder_vector vector = {.command = LRD_GET, .argc = 2, .argv = argv};
  struct lrd_link_call c;
  *verdict = run_typed(b, &c, database, &vector, deadline);
  *length = 0;
  if (verdict->outcome == LARDER_OK) {
    const larder_value *v = c.ticket.value;
    if (v->type == LARDER_STRING) {
      *length = v->len;
      if (size && v->len)
        memcpy(buffer, v->str, v->len < size ? v->len : size);
    } else if (v->type == LARDER_NIL) {
      verdict->outcome = LARDER_ABSENT;
    } else {
      verdict->outcome = LARDER_NO_ANSWER;
      verdict->cause = LARDER_CAUSE_PROTOCOL;
    }
  }
  lrd_link_call_release(&c);
}

static void remote_set(larder_backend *b, int database, larder_bytes key, larder_bytes value,
                       int64_t ttl_ms, int64_t deadline, larder_verdict *verdict)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[5] = {{"SET", 3}, key, value, {"PX", 2}, {number, 0}};
  larder_vector vector = {.command = LRD_SET, .argc = ttl_ms ? 5 : 3, .argv = argv};
  if (ttl_ms)
    argv[4].len = lrd_print_integer(number, ttl_ms);
  struct lrd_link_call c;
  *verdict = run_typed(b, &c, database, &vector, deadline);
  lrd_link_call_release(&c);
}

/* --- holds, status --------------------------------------------------------------------- */

static larder_hold *remote_hold_open(larder_backend *b)
{
  return lrd_allocate_zeroed(&b->memory, 1, sizeof(larder_hold));
}

static void remote_hold_close(larder_backend *b, larder_hold *h)
{
  lrd_hold_end(lrd_remote_of(b), h);
  lrd_release(&b->memory, h, sizeof *h);
}

/* What goes through the visits of the links. */
struct visit {
  uint64_t commands;
  struct lrd_metrics_visit *meter;
};

static void name_link(const struct lrd_link *l, char *name, size_t size)
{
  if (l->kind == LRD_LINK_PINNED)
    snprintf(name, size, "held-%u", l->index % 1000);
  else if (l->kind == LRD_LINK_LISTEN)
    snprintf(name, size, "listen");
  else if (l->kind == LRD_LINK_SUBMIT)
    snprintf(name, size, "db%d-async", l->home_database);
  else
    snprintf(name, size, "db%d-%u", l->home_database, l->index);
}

static void count_link(struct lrd_link *l, void *context)
{
  struct visit *v = context;
  char name[40];
  if (v->meter && v->meter->reset) {
    lrd_lock(&l->lock);
    lrd_metrics_reset(&l->metrics);
    lrd_unlock(&l->lock);
  }
  v->commands += lrd_metric(&l->metrics, LRD_COMMANDS_PUT);
  if (!v->meter || !v->meter->show)
    return;
  name_link(l, name, sizeof name);
  v->meter->show(v->meter, name, &l->metrics);
}

static uint64_t count_links(struct lrd_remote *r, struct lrd_metrics_visit *meter)
{
  struct visit v = {0, meter};
  lrd_group_each(r, count_link, &v);
  for (int d = 0; d < LRD_DATABASES; d++) {
    struct lrd_link *l = r->group[d].submit;
    if (l)
      count_link(l, &v);
  }
  struct lrd_link *l = r->listen ? r->listen->link : NULL;
  if (l)
    count_link(l, &v);
  return v.commands;
}

static void remote_status(larder_backend *b, larder_backend_status *s)
{
  struct lrd_remote *r = lrd_remote_of(b);
  lrd_lock(&r->notes);
  s->link = r->state;
  s->since = r->state_since;
  s->last_error_at = r->last_error_at;
  memcpy(s->last_error, r->last_error, sizeof s->last_error);
  memcpy(s->run_id, r->run_id, sizeof s->run_id);
  s->clock_offset_us = r->clock_offset_us;
  s->volatile_marker = r->volatile_marker;
  s->fence = r->can_fence;
  lrd_unlock(&r->notes);
  if (s->link == LARDER_LINK_UP && atomic_load(&r->silent))
    s->link = LARDER_LINK_DOWN;
  snprintf(s->address, sizeof s->address, "%s", r->config->address);
  s->connections = atomic_load(&r->count.connections);
  s->connects = atomic_load(&r->count.connects);
  s->connect_faults = atomic_load(&r->count.connect_faults);
  s->commands_sent = count_links(r, s->meter);
  s->deadline_misses = atomic_load(&r->count.deadline_misses);
}

/* --- life ------------------------------------------------------------------------------ */

static void release(struct lrd_remote *r, int forked)
{
  for (int d = 0; d < LRD_DATABASES; d++) {
    lrd_link_free(r->group[d].submit, forked);
    lrd_group_free(r, &r->group[d], forked);
  }
  for (int i = 0; i < LRD_PINNED; i++)
    lrd_link_free(r->pinned[i], forked);
  lrd_listen_free(r->listen, forked);
  lrd_tls_context_free(r->tls);
  r->tls = NULL;
  lrd_fence_free(&r->fence);
  lrd_lock_destroy(&r->lock);
  lrd_lock_destroy(&r->notes);
}

static larder_outcome fail_open(larder_outcome outcome, const char *text, char *error, size_t size)
{
  if (size)
    snprintf(error, size, "%s", text);
  return outcome;
}

static int init(struct lrd_remote *r)
{
  if (lrd_lock_init(&r->lock, LRD_RANK_REMOTE, 0) != 0)
    return -1;
  if (lrd_lock_init(&r->notes, LRD_RANK_QUEUE, 2) != 0)
    goto no_notes;
  if (lrd_fence_init(&r->fence, &r->base.memory) != 0)
    goto no_fence;
  for (int d = 0; d < LRD_DATABASES; d++)
    if (lrd_group_init(r, &r->group[d]) != 0) {
      release(r, 0);
      return -1;
    }
  return 0;
no_fence:
  lrd_lock_destroy(&r->notes);
no_notes:
  lrd_lock_destroy(&r->lock);
  return -1;
}

static larder_outcome remote_open(larder_backend *b, const larder_backend_options *options,
                                  char *error, size_t error_size)
{
  struct lrd_remote *r = lrd_remote_of(b);
  r->config = options->config;
  r->state = LARDER_LINK_STARTING;
  if (lrd_random(&r->hash, sizeof r->hash) != 0)
    return fail_open(LARDER_UNSUPPORTED, "the system has no random numbers", error, error_size);
  r->protocol = r->config->protocol != 2 && lrd_reader_knows_resp3(&b->memory) ? 3 : 2;
  if (r->config->protocol == 3 && r->protocol != 3)
    return fail_open(LARDER_BAD_ARGUMENT,
                     "option protocol=3: allowed is 2: the hiredis that larder runs with reads no RESP3",
                     error, error_size);
  if (r->config->scheme == LRD_SCHEME_TLS) {
    larder_outcome o = lrd_tls_context_new(&r->tls, r->config, &b->memory, error, error_size);
    if (o != LARDER_OK)
      return o;
  }
  if (init(r) != 0) {
    lrd_tls_context_free(r->tls);
    return fail_open(LARDER_NO_MEMORY, "no memory for the store", error, error_size);
  }
  if (options->hub)
    r->listen = lrd_listen_new(r, options->hub);
  if (!options->hub || r->listen)
    r->loop = lrd_loop_start(r);
  if (!r->loop) {
    release(r, 0);
    return fail_open(LARDER_NO_MEMORY, "no memory or no thread for connections", error, error_size);
  }
  if (r->listen)
    lrd_listen_attach(r->listen, r->loop);
  if (r->tls && r->config->tls_insecure)
    lrd_remote_tell(r, LARDER_WARNING, "tls-unverified",
                    "the server's certificate is not verified: anybody on the way may read and "
                    "change everything");
  larder_call first = {.vector = NULL, .count = 0, .database = r->config->database};
  struct lrd_link *l = lrd_group_pick(r, &first);
  if (l)
    lrd_loop_dial(r->loop, l, 0);
  return LARDER_OK;
}

/* Calls that were ended are on their way out. */
static void wait_outside(struct lrd_remote *r)
{
  struct timespec pause = {.tv_nsec = 100000};
  while (atomic_load(&r->inside))
    nanosleep(&pause, NULL);
}

static uint64_t remote_close(larder_backend *b, int64_t deadline, int forked)
{
  struct lrd_remote *r = lrd_remote_of(b);
  (void)deadline; /* every call knows its outcome at once: there is nothing to wait for */
  if (forked) {
    lrd_loop_abandon(r->loop);
    release(r, 1);
    return 0;
  }
  larder_outcome unsent = LARDER_CLOSED;
  atomic_store(&r->closing, 1);
  lrd_group_each(r, cancel_link, &unsent);
  if (r->listen)
    lrd_listen_detach(r->listen);
  lrd_loop_stop(r->loop);
  wait_outside(r);
  lrd_loop_free(r->loop);
  release(r, 0);
  return 0;
}

const larder_backend_table lrd_remote_table = {
  .version = LARDER_BACKEND_VERSION,
  .name = "remote",
  .capabilities = LARDER_CAN_SUBMIT | LARDER_CAN_WATCH | LARDER_CAN_ATOMIC |
                  LARDER_CAN_LISTEN,
  .size = sizeof(struct lrd_remote),
  .open = remote_open,
  .close = remote_close,
  .execute = remote_execute,
  .submit = remote_submit,
  .cancel = remote_cancel,
  .hold_open = remote_hold_open,
  .hold_close = remote_hold_close,
  .status = remote_status,
  .tick = larder_backend_default_tick,
  .get = remote_get,
  .set = remote_set,
};
