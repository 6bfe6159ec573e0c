/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/session.h"

#include <stdio.h>
#include <string.h>

#include "store/call.h"

/* --- replies ------------------------------------------------------------- */

static void reply_error(struct lrd_meter *m, larder_outcome outcome, const char *text)
{
  lrd_sink_fail(m->sink, outcome, LARDER_FROM_NOWHERE, LARDER_CAUSE_CALLER, text);
}

static void reply_status(struct lrd_meter *m, const char *word)
{
  const larder_verdict v = {.outcome = LARDER_OK, .age_ms = -1};
  lrd_sink_status(m->sink, word);
  lrd_sink_end(m->sink, &v);
}

/* --- the queue ----------------------------------------------------------- */

static void forget_queue(larder_session *s)
{
  struct lrd_transaction *t = &s->transaction;
  lrd_arena_free(&t->arena);
  lrd_arena_init(&t->arena, &s->store->config.memory);
  t->count = 0;
  t->bytes = 0;
  t->open = 0;
  t->aborted = 0;
  t->fronts = 0;
}

static int make_room(larder_session *s)
{
  struct lrd_transaction *t = &s->transaction;
  const larder_memory *m = &s->store->config.memory;
  if (t->count < t->capacity)
    return 0;
  size_t old = t->capacity * sizeof *t->vector, capacity = t->capacity ? t->capacity * 2 : 8;
  larder_vector *vector = t->vector ? lrd_resize(m, t->vector, old, capacity * sizeof *vector)
                                    : lrd_allocate(m, capacity * sizeof *vector);
  if (!vector)
    return -1;
  t->vector = vector;
  t->capacity = capacity;
  return 0;
}

/* Counts the command in; 0: there is no room for it. */
static int admit(struct lrd_transaction *t, const larder_vector *v)
{
  size_t left = t->limit - t->bytes, need = sizeof *v;
  for (int i = 0; i < v->argc && need <= left; i++) {
    need += sizeof *v->argv;
    if (v->argv[i].len > left)
      return 0;
    need += v->argv[i].len;
  }
  if (need > left)
    return 0;
  t->bytes += need;
  return 1;
}

/* What is answered above the backends; but SELECT they know, within an atomic call. */
static int is_front(const larder_vector *v)
{
  return (v->command != LRD_SELECT &&
          (lrd_commands[v->command].flags & (LRD_SESSION | LRD_FRONT)) != 0) ||
         lrd_asks_front(v);
}

void lrd_transaction_queue(larder_session *s, const larder_vector *v, struct lrd_meter *m)
{
  struct lrd_transaction *t = &s->transaction;
  if (lrd_commands[v->command].flags & LRD_NO_MULTI) {
    t->aborted = 1;
    reply_error(m, LARDER_REFUSED, "ERR Command not allowed inside a transaction");
    return;
  }
  if (lrd_commands[v->command].flags & LRD_CHANNELS &&
      lrd_commands[v->command].flags & LRD_SESSION) {
    t->aborted = 1;
    reply_error(m, LARDER_REFUSED, "ERR subscriptions can't be changed inside a transaction");
    return;
  }
  if (!admit(t, v)) {
    t->aborted = 1;
    reply_error(m, LARDER_REFUSED, "ERR the transaction is too large");
    return;
  }
  if (make_room(s) != 0 || lrd_copy_vector(&t->arena, v, &t->vector[t->count]) != 0) {
    t->aborted = 1;
    reply_error(m, LARDER_NO_MEMORY, lrd_fixed_text(LARDER_NO_MEMORY));
    return;
  }
  t->count++;
  t->fronts |= is_front(v);
  reply_status(m, "QUEUED");
}

/* --- the backend's part -------------------------------------------------- */

static larder_call call_of(larder_session *s, const larder_vector *v, size_t count,
                           unsigned flags)
{
  larder_call call = lrd_plain_call(s->store, v, count, flags, s->store->config.timeout);
  call.database = s->database;
  call.hold = s->hold;
  return call;
}

static void drop_hold(larder_session *s)
{
  if (s->hold)
    lrd_hold_end(s->store, s->hold);
  s->hold = NULL;
  s->watching = 0;
}

static void watch(larder_session *s, const larder_vector *v, struct lrd_meter *m)
{
  larder *store = s->store;
  if (s->transaction.open) {
    reply_error(m, LARDER_REFUSED, "ERR WATCH inside MULTI is not allowed");
    return;
  }
  if (!(store->table->capabilities & LARDER_CAN_WATCH)) {
    s->unguarded = 1;
    reply_error(m, LARDER_UNSUPPORTED, "ERR this backend can't watch keys");
    return;
  }
  if (!s->hold)
    s->hold = store->table->hold_open(store->base);
  if (!s->hold) {
    s->unguarded = 1;
    reply_error(m, LARDER_NO_MEMORY, lrd_fixed_text(LARDER_NO_MEMORY));
    return;
  }
  s->watching = 1;
  larder_call call = call_of(s, v, 1, 0);
  lrd_dispatch(store, &call, m);
  /* Whoever does not look at this reply must not execute unguarded. */
  if (m->last != LARDER_OK)
    s->unguarded = 1;
}

static void unwatch(larder_session *s, const larder_vector *v, struct lrd_meter *m)
{
  s->unguarded = 0;
  if (!s->watching) {
    reply_status(m, "OK");
    return;
  }
  larder_call call = call_of(s, v, 1, 0);
  lrd_dispatch(s->store, &call, m);
  s->watching = 0;
  if (m->last != LARDER_OK)
    drop_hold(s);
}

/* What is sent of a transaction with commands in it that are answered here, or with
 * nothing at all: the rest, or a PING where watched keys still decide; *count 0: nothing.
 * NULL: no memory. */
static const larder_vector *without_fronts(larder_session *s, size_t *count)
{
  static const larder_bytes name = {"PING", 4};
  static const larder_vector ping = {.command = LRD_PING, .argc = 1, .argv = &name};
  struct lrd_transaction *t = &s->transaction;
  larder_vector *rest = lrd_arena_allocate(&t->arena, (t->count + 1) * sizeof *rest);
  if (!rest)
    return NULL;
  *count = 0;
  for (size_t i = 0; i < t->count; i++)
    if (!is_front(&t->vector[i]))
      rest[(*count)++] = t->vector[i];
  if (*count > 0 || !s->watching)
    return rest;
  *count = 1;
  return &ping;
}

/* One element of EXEC's reply. */
static void answer_here(larder_session *s, const larder_vector *v, larder_sink *sink)
{
  if (v->command == LRD_UNWATCH) {
    lrd_sink_ok(sink);
    return;
  }
  struct lrd_answer *a = lrd_answer_new(&s->store->config.memory);
  if (!a) {
    lrd_sink_error(sink, lrd_fixed_text(LARDER_NO_MEMORY));
    return;
  }
  lrd_front(s->store, s, v, &a->tree.sink);
  lrd_sink_value(sink, &lrd_answer_finish(a)->value);
  lrd_answer_free(a);
}

/* The replies of what was sent, and those of what is answered here in between. */
static void weave(larder_session *s, const larder_value *value, larder_sink *sink)
{
  const struct lrd_transaction *t = &s->transaction;
  size_t next = 0;
  lrd_sink_array(sink, t->count);
  for (size_t i = 0; i < t->count; i++) {
    if (is_front(&t->vector[i]))
      answer_here(s, &t->vector[i], sink);
    else if (next < value->len)
      lrd_sink_value(sink, &value->element[next++]);
    else
      lrd_sink_nil(sink);
  }
}

/* After EXEC: the session stands where the last SELECT led. */
static void follow_selects(larder_session *s)
{
  const struct lrd_transaction *t = &s->transaction;
  for (size_t i = 0; i < t->count; i++)
    if (t->vector[i].command == LRD_SELECT)
      lrd_command_select(&t->vector[i], &s->database);
}

static void execute_nothing(larder_sink *sink)
{
  const larder_verdict v = {.outcome = LARDER_OK, .age_ms = -1};
  lrd_sink_array(sink, 0);
  lrd_sink_end(sink, &v);
}

static void execute_atomic(larder_session *s, const larder_vector *vector, size_t count,
                           larder_sink *sink)
{
  larder_call call = call_of(s, vector, count, LARDER_CALL_ATOMIC);
  call.hold = s->watching ? s->hold : NULL;
  s->store->table->execute(s->store->base, &call, sink);
}

static void execute_around(larder_session *s, struct lrd_meter *m)
{
  size_t count;
  const larder_vector *vector = without_fronts(s, &count);
  struct lrd_answer *a = vector ? lrd_answer_new(&s->store->config.memory) : NULL;
  if (!a) {
    reply_error(m, LARDER_NO_MEMORY, lrd_fixed_text(LARDER_NO_MEMORY));
    return;
  }
  if (count == 0)
    execute_nothing(&a->tree.sink);
  else
    execute_atomic(s, vector, count, &a->tree.sink);
  const larder_reply *r = lrd_answer_finish(a);
  larder_verdict *verdict = &a->tree.reply[0].verdict;
  if (r->outcome == LARDER_OK && r->value.type == LARDER_ARRAY) {
    weave(s, &r->value, m->sink);
    follow_selects(s);
  } else
    lrd_sink_value(m->sink, &r->value);
  if (m->sink->failed && r->outcome == LARDER_OK && r->value.type == LARDER_ARRAY) {
    m->sink->type->rewind(m->sink);
    verdict->outcome = LARDER_UNKNOWN;
    lrd_sink_error(m->sink,
                   "UNKNOWN out of memory: the transaction was executed, its reply is lost");
  }
  lrd_sink_end(m->sink, verdict);
  lrd_answer_free(a);
}

/* --- the commands -------------------------------------------------------- */

static void multi(larder_session *s, struct lrd_meter *m)
{
  if (s->transaction.open) {
    reply_error(m, LARDER_REFUSED, "ERR MULTI calls can not be nested");
    return;
  }
  s->transaction.open = 1;
  reply_status(m, "OK");
}

/* Ends the backend's watches without a reply of its own. */
static void forget_watches(larder_session *s)
{
  s->unguarded = 0;
  if (s->watching)
    drop_hold(s);
}

/* Nothing to ask a backend for. */
static int is_empty(const larder_session *s)
{
  return s->transaction.count == 0 && !s->watching;
}

static void execute(larder_session *s, struct lrd_meter *m)
{
  struct lrd_transaction *t = &s->transaction;
  larder_call call = call_of(s, t->vector, t->count, LARDER_CALL_ATOMIC);
  call.hold = s->watching ? s->hold : NULL;
  lrd_dispatch(s->store, &call, m);
  if (m->last == LARDER_OK && !m->last_nil)
    follow_selects(s);
}

static void exec(larder_session *s, struct lrd_meter *m)
{
  struct lrd_transaction *t = &s->transaction;
  if (!t->open) {
    reply_error(m, LARDER_REFUSED, "ERR EXEC without MULTI");
    return;
  }
  if (t->aborted) {
    forget_watches(s);
    reply_error(m, LARDER_REFUSED,
                "EXECABORT Transaction discarded because of previous errors.");
  } else if (s->unguarded) {
    forget_watches(s);
    reply_error(m, LARDER_NOT_SENT,
                "NOTSENT a key could not be watched: nothing was executed");
  } else if (is_empty(s)) {
    execute_nothing(m->sink);
  } else if (t->count == 0 || t->fronts) {
    execute_around(s, m);
  } else {
    execute(s, m);
  }
  s->unguarded = 0;
  /* A backend ends a hold's watches with the atomic call; after a failure
   * nothing is taken for granted. */
  s->watching = 0;
  if (m->last != LARDER_OK)
    drop_hold(s);
  forget_queue(s);
}

void lrd_transaction_reset(larder_session *s)
{
  forget_queue(s);
  forget_watches(s);
}

static void discard(larder_session *s, struct lrd_meter *m)
{
  if (!s->transaction.open) {
    reply_error(m, LARDER_REFUSED, "ERR DISCARD without MULTI");
    return;
  }
  lrd_transaction_reset(s);
  reply_status(m, "OK");
}

int lrd_is_transaction_command(const larder_session *s, const larder_vector *v)
{
  switch (v->command) {
  case LRD_MULTI:
  case LRD_EXEC:
  case LRD_DISCARD:
  case LRD_WATCH:
    return 1;
  case LRD_UNWATCH: /* between MULTI and EXEC it is queued like any other */
    return !s->transaction.open;
  default:
    return 0;
  }
}

void lrd_transaction_command(larder_session *s, const larder_vector *v, struct lrd_meter *m)
{
  switch (v->command) {
  case LRD_MULTI:
    multi(s, m);
    break;
  case LRD_EXEC:
    exec(s, m);
    break;
  case LRD_DISCARD:
    discard(s, m);
    break;
  case LRD_WATCH:
    watch(s, v, m);
    break;
  default:
    unwatch(s, v, m);
    break;
  }
}

void lrd_transaction_refuse(larder_session *s, const larder_vector *v, const char *error,
                            struct lrd_meter *m)
{
  char text[LARDER_ERROR_SIZE];
  if (lrd_command_find(v->argv[0].data, v->argv[0].len) == LRD_EXEC) {
    /* EXEC with arguments ends the transaction too. */
    const char *why = strncmp(error, "ERR ", 4) == 0 ? error + 4 : error;
    snprintf(text, sizeof text, "EXECABORT Transaction discarded because of: %s", why);
    lrd_transaction_reset(s);
    reply_error(m, LARDER_BAD_ARGUMENT, text);
    return;
  }
  if (s->transaction.open)
    s->transaction.aborted = 1;
  reply_error(m, LARDER_BAD_ARGUMENT, error);
}
