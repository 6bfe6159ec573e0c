/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "fallback/fallback.h"
#include "fallback/relay.h"
#include "util/memory.h"

/* Local calls of one vector, nearly all of them, need no allocation here. */
enum { VECTORS_ON_STACK = 8 };

static void fail_not_sent(struct lrd_fallback *f, const larder_vector *v, larder_sink *sink)
{
  char text[200];

  snprintf(text, sizeof text,
           "NOTSENT Redis can't be used now and the outage rule for %s commands is: fail",
           lrd_class_name(f->config->outage == LARDER_OUTAGE_STRICT ? LRD_CLASS_READ
                                                                    : lrd_command_class(v)));
  if (f->config->outage == LARDER_OUTAGE_STRICT)
    snprintf(text, sizeof text, "NOTSENT Redis can't be used now and the outage rule is: strict");
  lrd_sink_fail(sink, LARDER_NOT_SENT, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE, text);
}

static const larder_vector *strictest(const larder_vector *v, size_t count, larder_outage preset)
{
  for (size_t i = 0; i < count; i++)
    if (lrd_contract_rule(preset, lrd_command_class(&v[i])) == LRD_RULE_FAIL)
      return &v[i];
  return v;
}

static void fail_full(struct lrd_fallback *f, larder_outcome outcome, larder_sink *sink)
{
  char text[160];

  if (outcome == LARDER_NO_MEMORY) {
    lrd_sink_fail(sink, outcome, LARDER_FROM_LOCAL, LARDER_CAUSE_NONE, "ERR out of memory");
    return;
  }
  snprintf(text, sizeof text,
           "JOURNALFULL %zu of %zu keys and %zu of %zu bytes of writes wait for Redis",
           atomic_load(&f->journal.keys), f->journal.limit_keys, atomic_load(&f->journal.bytes),
           f->journal.limit_bytes);
  lrd_sink_fail(sink, LARDER_REFUSED, LARDER_FROM_LOCAL, LARDER_CAUSE_CAPACITY, text);
}

static int mark_journaled(void *note, larder_verdict *verdict)
{
  if (((struct lrd_note *)note)->changes)
    verdict->flags |= LARDER_JOURNALED;
  return 1;
}

/* Consuming commands are told to insist on whole keys. */
static const larder_vector *insist(struct lrd_fallback *f, const larder_vector *v, size_t count,
                                   larder_vector *room)
{
  larder_vector *copy = count <= VECTORS_ON_STACK
                          ? room
                          : lrd_allocate(&f->base.memory, count * sizeof *copy);

  for (size_t i = 0; copy && i < count; i++) {
    copy[i] = v[i];
    if (lrd_contract_rule(f->config->outage, lrd_command_class(&v[i])) == LRD_RULE_COMPLETE)
      copy[i].flags |= LARDER_VECTOR_COMPLETE;
  }
  return copy;
}

static int names_several_keys(const larder_vector *v)
{
  return lrd_command_key_range(v).count > 1;
}

static void journaled(struct lrd_fallback *f, larder_call *call, enum lrd_rule rule,
                      larder_sink *sink)
{
  larder_vector room[VECTORS_ON_STACK];
  const larder_vector *given = call->vector;
  struct lrd_note note;
  struct lrd_relay relay;
  int grouped = call->count > 1 || names_several_keys(given);
  larder_outcome reserved = lrd_journal_reserve(&f->journal, &note, given, call->count, grouped);

  if (reserved == LARDER_OK && rule == LRD_RULE_COMPLETE)
    call->vector = insist(f, given, call->count, room);
  if (!call->vector)
    reserved = LARDER_NO_MEMORY;
  if (reserved != LARDER_OK) {
    lrd_journal_release(&f->journal, &note);
    fail_full(f, reserved, sink);
    return;
  }
  call->note = &note;
  lrd_relay_init(&relay, sink, mark_journaled, &note);
  f->memory->table->execute(f->memory, call, &relay.sink);
  lrd_journal_release(&f->journal, &note);
  if (call->vector != given && call->vector != room)
    lrd_release(&f->base.memory, (void *)(uintptr_t)call->vector, call->count * sizeof *room);
  if (note.changes && lrd_fallback_state(f) == LARDER_STATE_UP)
    lrd_keeper_wake(f);
}

/* One vector, or all vectors of an atomic call. */
static void local(struct lrd_fallback *f, const larder_call *call, const larder_vector *vector,
                  size_t count, larder_sink *sink)
{
  enum lrd_rule rule = lrd_contract_call(f->config->outage, vector, count);
  larder_call inner = *call;

  inner.vector = vector;
  inner.count = count;
  inner.hold = NULL;
  inner.note = NULL;
  if (f->config->outage == LARDER_OUTAGE_CACHE)
    inner.flags |= LARDER_CALL_MISS_NIL;
  if (rule == LRD_RULE_FAIL) {
    fail_not_sent(f, strictest(vector, count, f->config->outage), sink);
    return;
  }
  atomic_fetch_add_explicit(&f->local_calls, 1, memory_order_relaxed);
  if (rule == LRD_RULE_LOCAL)
    f->memory->table->execute(f->memory, &inner, sink);
  else
    journaled(f, &inner, rule, sink);
}

void lrd_fallback_local_vector(struct lrd_fallback *f, const larder_call *call,
                               const larder_vector *vector, larder_sink *sink)
{
  local(f, call, vector, 1, sink);
}

void lrd_fallback_local(struct lrd_fallback *f, const larder_call *call, larder_sink *sink)
{
  if (call->flags & LARDER_CALL_ATOMIC) {
    local(f, call, call->vector, call->count, sink);
    return;
  }
  for (size_t i = 0; i < call->count; i++)
    local(f, call, &call->vector[i], 1, sink);
}
