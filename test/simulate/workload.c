/* SPDX-License-Identifier: BSD-2-Clause */
#include "simulate/workload.h"

#include <stdio.h>
#include <string.h>

#include "simulate/judge.h"
#include "simulate/task.h"
#include "simulate/world.h"

struct words {
  int argc;
  const char *argv[4];
};

static struct words words_of(const struct op *o)
{
  switch (o->kind) {
  case OP_SET:
    return (struct words){3, {"SET", o->key, o->token}};
  case OP_GET:
  case OP_COUNT:
  case OP_TEXT:
    return (struct words){2, {"GET", o->key}};
  case OP_INCR:
    return (struct words){2, {"INCR", o->key}};
  case OP_APPEND:
    return (struct words){3, {"APPEND", o->key, o->token}};
  case OP_RPUSH:
    return (struct words){3, {"RPUSH", o->key, o->token}};
  case OP_LRANGE:
    return (struct words){4, {"LRANGE", o->key, "0", "-1"}};
  case OP_HSET:
    return (struct words){4, {"HSET", o->key, o->token, o->token}};
  case OP_PUBLISH:
    return (struct words){3, {"PUBLISH", o->key, o->token}};
  default:
    return (struct words){2, {"ECHO", o->token}};
  }
}

static enum op_kind any_kind(void)
{
  return (enum op_kind)sim_random(OP_KINDS);
}

static void finish(const struct client *c, struct op *o, const larder_reply *r)
{
  judge_reply(o, r->outcome, r->origin, r->flags, &r->value);
  if (!c || !c->plan->must_work)
    return;
  if ((r->outcome != LARDER_OK && r->outcome != LARDER_ABSENT) || r->origin != LARDER_FROM_REDIS)
    sim_fail("%s %s ends as %s from %s though nothing is wrong any more: %.*s",
             judge_kind(o->kind), o->token, larder_outcome_name(r->outcome),
             larder_origin_name(r->origin), r->value.type == LARDER_ERROR ? (int)r->value.len : 0,
             r->value.str);
}

/* --- one call ---------------------------------------------------------------------------------- */

static void call(const struct client *c)
{
  int64_t timeout = c->plan->must_work ? 1000 : sim_between(1, 2 * c->plan->timeout_ms);
  struct op *o = judge_call(c->number, any_kind(), timeout);
  o->plain = 1;
  struct words w = words_of(o);
  larder_reply *r = larder_argv_within(c->plan->store, timeout, w.argc, w.argv, NULL);
  finish(c, o, r);
  larder_reply_free(r);
}

/* larder_get and larder_set. */
static void typed_call(const struct client *c)
{
  char buffer[64];
  size_t len = 0;
  struct op *o = judge_call(c->number, sim_random(2) ? OP_SET : OP_GET, c->plan->timeout_ms);
  larder_outcome outcome;
  o->plain = 1;
  if (o->kind == OP_SET)
    outcome = larder_set(c->plan->store, o->key, strlen(o->key), o->token, strlen(o->token), 0);
  else
    outcome = larder_get(c->plan->store, o->key, strlen(o->key), buffer, sizeof buffer, &len);
  larder_value v = {.type = LARDER_STATUS, .str = "OK", .len = 2};
  if (o->kind == OP_GET && outcome == LARDER_OK)
    v = (larder_value){.type = LARDER_STRING, .str = buffer, .len = len};
  /* It does not say where the answer came from. */
  judge_reply(o, outcome, LARDER_FROM_NOWHERE, 0, &v);
}

/* --- asynchronous -------------------------------------------------------------------------------- */

static void completed(void *context, larder_reply *r)
{
  struct op *o = context;
  judge_reply(o, r->outcome, r->origin, r->flags, &r->value);
  larder_reply_free(r);
}

static void submit(const struct client *c)
{
  int64_t timeout = c->plan->must_work ? 1000 : sim_between(1, 2 * c->plan->timeout_ms);
  struct op *o = judge_call(c->number, any_kind(), timeout);
  struct words w = words_of(o);
  uint64_t id;
  if (c->plan->dispatch)
    o->limit += 3600 * SIM_S; /* when somebody dispatches */
  larder_outcome outcome =
    larder_async_argv(c->plan->store, w.argc, w.argv, NULL, timeout, completed, o, &id);
  if (outcome != LARDER_OK) {
    judge_reply(o, outcome, LARDER_FROM_NOWHERE, 0, NULL);
    return;
  }
  if (!c->plan->must_work && !c->plan->stop && sim_once_in(8))
    larder_async_cancel(c->plan->store, id);
}

/* --- batches and transactions -------------------------------------------------------------------- */

static void batch(const struct client *c)
{
  struct op *o[5];
  unsigned n = 2 + (unsigned)sim_random(4), added = 0;
  int64_t timeout = c->plan->must_work ? 1000 : sim_between(1, 2 * c->plan->timeout_ms);
  larder_batch *b = larder_batch_new(c->plan->store);
  if (!b)
    return;
  int atomic = (int)sim_random(2);
  for (; added < n; added++) {
    o[added] = judge_call(c->number, any_kind(), timeout);
    o[added]->atomic = atomic;
    struct words w = words_of(o[added]);
    if (larder_batch_argv(b, w.argc, w.argv, NULL) != LARDER_OK)
      break;
  }
  larder_outcome outcome = added == n ? larder_batch_run(b, atomic, timeout) : LARDER_NO_MEMORY;
  for (unsigned i = 0; i < added + (added < n); i++) {
    const larder_reply *r = added == n ? larder_batch_reply(b, i) : NULL;
    if (r)
      finish(c, o[i], r);
    else
      judge_reply(o[i], outcome == LARDER_OK ? LARDER_NO_MEMORY : outcome, LARDER_FROM_NOWHERE, 0,
                  NULL);
  }
  larder_batch_free(b);
}

static larder_outcome say(larder_session *s, int argc, const char *const *argv, larder_reply **out)
{
  *out = larder_session_argv(s, argc, argv, NULL);
  sim_trace("session %s -> %s", argv[0], larder_outcome_name((*out)->outcome));
  return (*out)->outcome;
}

/* "t" grows by one, seen under WATCH. */
static void transaction(const struct client *c)
{
  larder_session *s = larder_session_open(c->plan->store);
  if (!s)
    return;
  larder_reply *r;
  larder_outcome outcome = say(s, 2, (const char *const[]){"WATCH", "t"}, &r);
  larder_reply_free(r);
  int64_t value = 0;
  int known = 0;
  if (outcome == LARDER_OK) {
    outcome = say(s, 2, (const char *const[]){"GET", "t"}, &r);
    known = outcome == LARDER_ABSENT || outcome == LARDER_OK;
    for (size_t i = 0; r->value.type == LARDER_STRING && i < r->value.len; i++)
      value = value * 10 + (r->value.str[i] - '0');
    larder_reply_free(r);
  }
  if (known) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value + 1);
    int ok = say(s, 1, (const char *const[]){"MULTI"}, &r) == LARDER_OK;
    larder_reply_free(r);
    if (ok) {
      ok = say(s, 3, (const char *const[]){"SET", "t", text}, &r) == LARDER_OK;
      larder_reply_free(r);
    }
    if (ok) {
      outcome = say(s, 1, (const char *const[]){"EXEC"}, &r);
      if (outcome == LARDER_OK && r->value.type == LARDER_ARRAY)
        ledger.exec_ok++;
      else if (outcome == LARDER_UNKNOWN)
        ledger.exec_unknown++;
      if (outcome == LARDER_OK && r->value.type == LARDER_ARRAY &&
          r->origin != LARDER_FROM_REDIS)
        sim_fail("a transaction under WATCH was answered by %s", larder_origin_name(r->origin));
      larder_reply_free(r);
    }
  }
  larder_session_close(s);
}

/* --- all of them ---------------------------------------------------------------------------------- */

static void one(const struct client *c)
{
  unsigned dice = (unsigned)sim_random(100);
  const struct plan *p = c->plan;
  if (dice < p->submits)
    submit(c);
  else if ((dice -= p->submits) < p->typed)
    typed_call(c);
  else if ((dice -= p->typed) < p->batches)
    batch(c);
  else if (dice - p->batches < p->transactions)
    transaction(c);
  else
    call(c);
}

void *client_run(void *argument)
{
  const struct client *c = argument;
  for (unsigned i = 0; i < c->plan->calls; i++) {
    if (c->plan->think_us && !sim_once_in(4))
      sim_block("its own thoughts", NULL, sim_now() + sim_between(0, c->plan->think_us) * SIM_US);
    if (c->plan->stop)
      break;
    one(c);
    if (c->plan->dispatch && !c->plan->stop)
      larder_dispatch(c->plan->store, 0);
  }
  return NULL;
}
