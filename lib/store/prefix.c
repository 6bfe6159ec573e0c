/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/prefix.h"

#include <stdio.h>
#include <string.h>

#include "store/store.h"

/* --- life ---------------------------------------------------------------- */

static void make_pattern(struct lrd_prefix *p)
{
  size_t n = 0;
  for (size_t i = 0; i < p->text.len; i++) {
    if (strchr("?[]^-\\", p->text.data[i]))
      p->pattern[n++] = '\\';
    p->pattern[n++] = p->text.data[i];
  }
  p->pattern[n++] = '*';
  p->all = (larder_bytes){p->pattern, n};
}

static void make_table(struct lrd_prefix *p)
{
  p->table = lrd_prefix_table;
  p->table.name = p->inner->table->name;
  p->table.capabilities = p->inner->table->capabilities & ~(unsigned)LARDER_COUNTS_TYPED;
  p->base.table = &p->table;
}

static larder_outcome open_inner(struct lrd_prefix *p, const larder_backend_options *options,
                                 char *error, size_t error_size)
{
  const larder_backend_table *table = lrd_backend_choose(options->config, error, error_size);
  if (!table)
    return LARDER_BAD_ARGUMENT;
  p->inner = lrd_allocate_zeroed(&p->base.memory, 1, table->size);
  if (!p->inner) {
    snprintf(error, error_size, "no memory to open the store");
    return LARDER_NO_MEMORY;
  }
  *p->inner = p->base;
  p->inner->table = table;
  return table->open(p->inner, options, error, error_size);
}

static void release_inner(struct lrd_prefix *p)
{
  if (p->inner)
    lrd_release(&p->base.memory, p->inner, p->inner->table->size);
  p->inner = NULL;
}

static larder_outcome prefix_open(larder_backend *b, const larder_backend_options *options,
                                  char *error, size_t error_size)
{
  struct lrd_prefix *p = lrd_prefix_of(b);
  p->text = (larder_bytes){options->config->prefix, strlen(options->config->prefix)};
  make_pattern(p);
  lrd_prefix_rules(p);
  if (lrd_lock_init(&p->lock, LRD_RANK_STORE, 0) != 0) {
    snprintf(error, error_size, "no memory to open the store");
    return LARDER_NO_MEMORY;
  }
  larder_outcome outcome = open_inner(p, options, error, error_size);
  if (outcome == LARDER_OK) {
    make_table(p);
    return LARDER_OK;
  }
  release_inner(p);
  lrd_lock_destroy(&p->lock);
  return outcome;
}

static uint64_t prefix_close(larder_backend *b, int64_t deadline, int forked)
{
  struct lrd_prefix *p = lrd_prefix_of(b);
  uint64_t lost = p->inner->table->close(p->inner, deadline, forked);
  release_inner(p);
  if (forked)
    lrd_prefix_release_tasks(p);
  else
    lrd_lock_destroy(&p->lock);
  return lost;
}

/* --- execute ------------------------------------------------------------- */

/* Commands that need new arguments and nothing else: as many as come one after the other. */
static size_t count_plain(const struct lrd_prefix *p, const larder_vector *v, size_t count)
{
  size_t n = 0;
  while (n < count && lrd_prefix_rule_of(p, &v[n]) <= LRD_PREFIX_SORT)
    n++;
  return n;
}

static larder_vector *rewrite_all(const struct lrd_prefix *p, const larder_vector *v, size_t count,
                                  struct lrd_room *room)
{
  larder_vector *copy = lrd_room_take(room, count * sizeof *copy);
  for (size_t i = 0; copy && i < count; i++)
    if (lrd_prefix_rewrite(p, &v[i], room, &copy[i]) != 0)
      return NULL;
  return copy;
}

static void execute_plain(struct lrd_prefix *p, const larder_call *call, const larder_vector *v,
                          size_t count, larder_sink *sink)
{
  struct lrd_room room;
  larder_call inner = *call;
  lrd_room_init(&room, &p->base.memory);
  inner.vector = rewrite_all(p, v, count, &room);
  inner.count = count;
  if (inner.vector)
    p->inner->table->execute(p->inner, &inner, sink);
  else
    for (size_t i = 0; i < (call->flags & LARDER_CALL_ATOMIC ? 1 : count); i++)
      lrd_sink_fail(sink, LARDER_NO_MEMORY, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                    "ERR out of memory");
  lrd_room_free(&room);
}

static void walk(struct lrd_prefix *p, const larder_call *call, const larder_vector *v,
                 larder_sink *sink)
{
  struct lrd_walk w;
  larder_call step;
  lrd_walk_init(&w, p, call, v);
  while (lrd_walk_next(&w, &step)) {
    p->inner->table->execute(p->inner, &step, &w.tree.sink);
    lrd_walk_take(&w);
  }
  lrd_walk_end(&w, sink);
}

/* --- execute, all or nothing --------------------------------------------- */

/* The first vector that can't be one command in a transaction, or NULL. */
static const larder_vector *find_refused(const struct lrd_prefix *p, const larder_call *call)
{
  for (size_t i = 0; i < call->count; i++)
    if (lrd_prefix_rule_of(p, &call->vector[i]) > LRD_PREFIX_COUNT)
      return &call->vector[i];
  return NULL;
}

static void change_replies(const struct lrd_prefix *p, const larder_call *call, larder_value *v)
{
  if (v->type != LARDER_ARRAY || v->len != call->count)
    return;
  for (size_t i = 0; i < v->len; i++)
    lrd_prefix_reply(p, lrd_prefix_rule_of(p, &call->vector[i]),
                     (larder_value *)(uintptr_t)&v->element[i]);
}

static void hand_on(struct lrd_tree_reply *reply, larder_sink *sink)
{
  lrd_sink_value(sink, &reply->value);
  if (sink->failed && reply->verdict.outcome == LARDER_OK) {
    sink->type->rewind(sink);
    reply->verdict.outcome = LARDER_UNKNOWN;
    lrd_sink_error(sink,
                   "UNKNOWN out of memory: the transaction was executed, its reply is lost");
  }
  lrd_sink_end(sink, &reply->verdict);
}

/* A transaction in whose replies there are names. */
static void execute_changed(struct lrd_prefix *p, const larder_call *call, larder_sink *sink)
{
  struct lrd_arena arena;
  struct lrd_tree tree;
  lrd_arena_init(&arena, &p->base.memory);
  if (lrd_tree_init(&tree, &arena, 1) == 0) {
    execute_plain(p, call, call->vector, call->count, &tree.sink);
    change_replies(p, call, &tree.reply[0].value);
    hand_on(&tree.reply[0], sink);
  } else {
    lrd_sink_fail(sink, LARDER_NO_MEMORY, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                  "ERR out of memory");
  }
  lrd_arena_free(&arena);
}

static void execute_atomic(struct lrd_prefix *p, const larder_call *call, larder_sink *sink)
{
  char text[LARDER_ERROR_SIZE];
  const larder_vector *refused = find_refused(p, call);
  if (refused)
    lrd_sink_fail(sink, LARDER_UNSUPPORTED, LARDER_FROM_NOWHERE, LARDER_CAUSE_CALLER,
                  lrd_prefix_refusal(refused, " inside a transaction: nothing was executed", text,
                                     sizeof text));
  else if (count_plain(p, call->vector, call->count) == call->count)
    execute_plain(p, call, call->vector, call->count, sink);
  else
    execute_changed(p, call, sink);
}

void lrd_prefix_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  struct lrd_prefix *p = lrd_prefix_of(b);
  if (call->flags & LARDER_CALL_ATOMIC) {
    execute_atomic(p, call, sink);
    return;
  }
  for (size_t i = 0; i < call->count;) {
    size_t n = count_plain(p, &call->vector[i], call->count - i);
    if (n)
      execute_plain(p, call, &call->vector[i], n, sink);
    else
      walk(p, call, &call->vector[i], sink);
    i += n ? n : 1;
  }
}

/* --- typed --------------------------------------------------------------- */

/* A whole key: in stack if it is short, else allocated.  data NULL: no memory. */
enum { SHORT_KEY = 512 };

static larder_bytes whole_key(const struct lrd_prefix *p, larder_bytes key, char stack[SHORT_KEY])
{
  larder_bytes whole = {stack, p->text.len + key.len};
  if (whole.len > SHORT_KEY)
    whole.data = lrd_allocate(&p->base.memory, whole.len);
  if (!whole.data)
    return whole;
  char *at = (char *)(uintptr_t)whole.data;
  memcpy(at, p->text.data, p->text.len);
  if (key.len)
    memcpy(at + p->text.len, key.data, key.len);
  return whole;
}

static void release_key(const struct lrd_prefix *p, larder_bytes whole, const char *stack)
{
  if (whole.data != stack)
    lrd_release(&p->base.memory, (void *)(uintptr_t)whole.data, whole.len);
}

static void prefix_get(larder_backend *b, int database, larder_bytes key, int64_t deadline,
                       void *buffer, size_t size, size_t *length, larder_verdict *verdict)
{
  struct lrd_prefix *p = lrd_prefix_of(b);
  char stack[SHORT_KEY];
  larder_bytes whole = whole_key(p, key, stack);
  if (!whole.data) {
    *verdict = (larder_verdict){.outcome = LARDER_NO_MEMORY, .age_ms = -1};
    return;
  }
  p->inner->table->get(p->inner, database, whole, deadline, buffer, size, length, verdict);
  release_key(p, whole, stack);
}

static void prefix_set(larder_backend *b, int database, larder_bytes key, larder_bytes value,
                       int64_t ttl_ms, int64_t deadline, larder_verdict *verdict)
{
  struct lrd_prefix *p = lrd_prefix_of(b);
  char stack[SHORT_KEY];
  larder_bytes whole = whole_key(p, key, stack);
  if (!whole.data) {
    *verdict = (larder_verdict){.outcome = LARDER_NO_MEMORY, .age_ms = -1};
    return;
  }
  p->inner->table->set(p->inner, database, whole, value, ttl_ms, deadline, verdict);
  release_key(p, whole, stack);
}

/* --- handed on as they are ------------------------------------------------ */

static larder_hold *prefix_hold_open(larder_backend *b)
{
  larder_backend *inner = lrd_prefix_of(b)->inner;
  return inner->table->hold_open(inner);
}

static void prefix_hold_close(larder_backend *b, larder_hold *hold)
{
  larder_backend *inner = lrd_prefix_of(b)->inner;
  inner->table->hold_close(inner, hold);
}

static void prefix_status(larder_backend *b, larder_backend_status *status)
{
  larder_backend *inner = lrd_prefix_of(b)->inner;
  inner->table->status(inner, status);
}

static int64_t prefix_tick(larder_backend *b, int64_t budget)
{
  larder_backend *inner = lrd_prefix_of(b)->inner;
  return inner->table->tick(inner, budget);
}

const larder_backend_table lrd_prefix_table = {
    .version = LARDER_BACKEND_VERSION,
    .name = "prefix",
    .size = sizeof(struct lrd_prefix),
    .open = prefix_open,
    .close = prefix_close,
    .execute = lrd_prefix_execute,
    .submit = lrd_prefix_submit,
    .cancel = lrd_prefix_cancel,
    .hold_open = prefix_hold_open,
    .hold_close = prefix_hold_close,
    .status = prefix_status,
    .tick = prefix_tick,
    .get = prefix_get,
    .set = prefix_set,
};
