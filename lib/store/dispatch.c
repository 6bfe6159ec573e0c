/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/dispatch.h"

#include <stdio.h>
#include <string.h>

/* --- entering ------------------------------------------------------------ */

struct lrd_cell *lrd_refuse(larder *store, struct lrd_cell *cell, larder_outcome *why)
{
  *why = !store ? LARDER_BAD_ARGUMENT : cell ? LARDER_CLOSED : LARDER_FORKED;
  if (cell)
    lrd_leave(cell);
  return NULL;
}

int64_t lrd_deadline(const larder *store, int64_t timeout)
{
  if (store->table->capabilities & LARDER_IS_LOCAL)
    return INT64_MAX;
  return lrd_monotonic(&store->config.clock) + timeout;
}

void lrd_tally_many(struct lrd_cell *cell, const larder_verdict *v, uint64_t replies)
{
  if ((unsigned)v->outcome < LARDER_OUTCOMES)
    lrd_cell_add(cell, &cell->calls[v->outcome], replies);
  if ((unsigned)v->origin < LARDER_ORIGINS)
    lrd_cell_add(cell, &cell->origins[v->origin], replies);
  if (v->cause == LARDER_CAUSE_SILENT || v->cause == LARDER_CAUSE_SLOW)
    lrd_cell_add(cell, &cell->deadline_misses, replies);
}

/* --- the meter ----------------------------------------------------------- */

static void tell(struct lrd_meter *m)
{
  if (m->untold)
    lrd_tally_many(m->cell, &m->same, m->untold);
  m->untold = 0;
}

/* The counters are shared: within a call replies that are alike are counted together. */
static void note(struct lrd_meter *m, const larder_verdict *v)
{
  if (m->untold && (v->outcome != m->same.outcome || v->origin != m->same.origin ||
                    v->cause != m->same.cause))
    tell(m);
  m->same = *v;
  m->untold++;
  if (m->vectors == 0)
    tell(m);
}

static void count_ending(struct lrd_ending *ending, const larder_value *head, larder_verdict *v)
{
  struct lrd_meter *m = (struct lrd_meter *)(void *)ending;
  if (m->sink->failed)
    v->outcome = v->outcome == LARDER_UNKNOWN ? LARDER_UNKNOWN : LARDER_NO_MEMORY;
  else if (v->outcome == LARDER_OK && m->vectors && lrd_command_absent(m->vector, head))
    v->outcome = LARDER_ABSENT;
  if (m->vectors) {
    m->vector++;
    m->vectors--;
  }
  m->last = v->outcome;
  m->last_nil = head->type == LARDER_NIL;
  note(m, v);
}

void lrd_meter_attach(struct lrd_meter *m, larder_sink *sink, struct lrd_cell *cell)
{
  m->ending.call = count_ending;
  m->sink = sink;
  m->cell = cell;
  m->vector = NULL;
  m->vectors = 0;
  m->last = LARDER_OK;
  m->last_nil = 0;
  m->untold = 0;
  sink->ending = &m->ending;
}

/* --- to the backend ------------------------------------------------------ */

static int refuse_atomic(larder *store, const larder_call *call, struct lrd_meter *m)
{
  if (!(call->flags & LARDER_CALL_ATOMIC) || (store->table->capabilities & LARDER_CAN_ATOMIC))
    return 0;
  lrd_sink_fail(m->sink, LARDER_UNSUPPORTED, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                "ERR this backend has no transactions");
  return 1;
}

static void attach(const larder_call *call, struct lrd_meter *m)
{
  int whole = (call->flags & LARDER_CALL_ATOMIC) != 0;
  m->vector = whole ? NULL : call->vector;
  m->vectors = whole ? 0 : call->count;
}

static inline void execute(larder *store, const larder_call *call, larder_sink *sink)
{
  int state = lrd_wait_begin(store);
  store->table->execute(store->base, call, sink);
  lrd_wait_end(state);
}

void lrd_dispatch(larder *store, const larder_call *call, struct lrd_meter *m)
{
  m->vectors = 0;
  if (refuse_atomic(store, call, m))
    return;
  attach(call, m);
  execute(store, call, m->sink);
  m->vectors = 0;
  tell(m); /* a backend that gave too few replies */
}

/* What blocking commands may wait by themselves, ns; their deadlines lie behind that. */
static int64_t patience(const larder_vector *v, size_t count)
{
  int64_t sum = 0, ms;
  for (; count > 0; v++, count--) {
    if (!(lrd_commands[v->command].flags & LRD_BLOCKING) || lrd_command_wait(v, &ms) || ms < 0)
      continue;
    if (ms == 0 || ms >= (INT64_MAX / 4 - sum) / LRD_NS_PER_MS)
      return INT64_MAX / 4;
    sum += ms * LRD_NS_PER_MS;
  }
  return sum;
}

static inline larder_call plain_call(const larder *store, const larder_vector *vector,
                                     size_t count, unsigned flags, int64_t timeout)
{
  larder_call call = {
      .vector = vector,
      .count = count,
      .database = store->config.database,
      .flags = flags,
      .deadline = lrd_deadline(store, timeout),
  };
  if (call.deadline != INT64_MAX && !(flags & (LARDER_CALL_ATOMIC | LARDER_CALL_NOBLOCK)))
    call.deadline += patience(vector, count);
  return call;
}

larder_call lrd_plain_call(const larder *store, const larder_vector *vector, size_t count,
                           unsigned flags, int64_t timeout)
{
  return plain_call(store, vector, count, flags, timeout);
}

/* --- routing ------------------------------------------------------------- */

int lrd_asks_front(const larder_vector *v)
{
  return v->command == LRD_INFO && v->argc == 2 && lrd_is_word(&v->argv[1], "larder");
}

/* To an in-process store's INFO a section is added; a server's is its own. */
__attribute__((noinline)) static enum lrd_route route_info(const larder *store,
                                                           const larder_vector *v)
{
  return lrd_asks_front(v) || (store && store->table->capabilities & LARDER_IS_LOCAL)
             ? LRD_ROUTE_FRONT
             : LRD_ROUTE_BACKEND;
}

static inline enum lrd_route route(const larder *store, larder_vector *v, char *error,
                                   size_t error_size)
{
  if (lrd_command_check(v, error, error_size) != LARDER_OK)
    return LRD_ROUTE_BAD;
  unsigned flags = lrd_commands[v->command].flags;
  if (flags & LRD_SESSION)
    return LRD_ROUTE_SESSION;
  if (v->command == LRD_INFO)
    return route_info(store, v);
  return flags & LRD_FRONT ? LRD_ROUTE_FRONT : LRD_ROUTE_BACKEND;
}

enum lrd_route lrd_route(const larder *store, larder_vector *v, char *error, size_t error_size)
{
  return route(store, v, error, error_size);
}

/* What is not the backend's. */
__attribute__((noinline)) static void answer_above(larder *store, const larder_vector *v,
                                                   enum lrd_route way, char *text,
                                                   larder_sink *sink)
{
  if (way == LRD_ROUTE_FRONT) {
    lrd_front(store, NULL, v, sink);
    return;
  }
  if (way == LRD_ROUTE_SESSION && lrd_commands[v->command].flags & LRD_CHANNELS)
    snprintf(text, LARDER_ERROR_SIZE, "%s", lrd_text_subscriber);
  else if (way == LRD_ROUTE_SESSION)
    snprintf(text, LARDER_ERROR_SIZE,
             "ERR %s belongs to one conversation: use a larder_session, or an atomic larder_batch",
             lrd_commands[v->command].name);
  lrd_sink_fail(sink, LARDER_BAD_ARGUMENT, LARDER_FROM_NOWHERE, LARDER_CAUSE_CALLER, text);
}

int lrd_run_bare(larder *store, larder_vector *v, int64_t timeout, larder_sink *sink)
{
  char text[LARDER_ERROR_SIZE];
  enum lrd_route way = route(store, v, text, sizeof text);
  if (way != LRD_ROUTE_BACKEND) {
    answer_above(store, v, way, text, sink);
    return 0;
  }
  larder_call call = plain_call(store, v, 1, 0, timeout);
  execute(store, &call, sink);
  return 1;
}
