/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "fallback/fallback.h"
#include "fallback/relay.h"
#include "util/memory.h"

/* --- judging ------------------------------------------------------------------ */

int lrd_fallback_is_denial(const larder_verdict *v, const char *text)
{
  return v->cause == LARDER_CAUSE_AUTH && !strstr(text, "NOPERM");
}

void lrd_fallback_judge(struct lrd_fallback *f, const larder_verdict *v, const char *text)
{
  enum larder_state state = lrd_fallback_state(f);

  if (state != LARDER_STATE_UP && state != LARDER_STATE_STARTING)
    return;
  if (lrd_fallback_is_denial(v, text))
    lrd_fallback_deny(f, text);
  else if (lrd_breaker_judge(&f->breaker, v, lrd_fallback_now(f)))
    lrd_fallback_degrade(f, v->cause, text);
}

/* Certainly not executed, and not because of the caller or of its deadline. */
int lrd_fallback_is_local(struct lrd_fallback *f, const larder_verdict *v)
{
  if (v->outcome == LARDER_REFUSED)
    return v->cause == LARDER_CAUSE_SERVER || v->cause == LARDER_CAUSE_QUOTA;
  if (v->outcome != LARDER_NOT_SENT)
    return 0;
  return v->cause != LARDER_CAUSE_SLOW || lrd_fallback_state(f) != LARDER_STATE_UP;
}

/* Redis's own words: wrong credentials are not an outage. */
static void deny(struct lrd_fallback *f, larder_sink *sink)
{
  char text[sizeof f->denial];

  lrd_lock(&f->lock);
  memcpy(text, f->denial, sizeof text);
  lrd_unlock(&f->lock);
  lrd_sink_fail(sink, LARDER_REFUSED, LARDER_FROM_REDIS, LARDER_CAUSE_AUTH, text);
}

/* --- calls to Redis ------------------------------------------------------------- */

static int route_ending(void *context, larder_verdict *v)
{
  struct lrd_route *r = context;
  size_t index = r->next++;

  if (v->cause == LARDER_CAUSE_NONE && v->outcome == LARDER_OK) {
    lrd_breaker_judge(&r->fallback->breaker, v, lrd_fallback_now(r->fallback));
    return 1;
  }
  lrd_fallback_judge(r->fallback, v, r->text);
  r->text[0] = '\0';
  if (r->remote_only || !lrd_fallback_is_local(r->fallback, v))
    return 1;
  r->relay.target->type->rewind(r->relay.target);
  if (lrd_fallback_state(r->fallback) == LARDER_STATE_DENIED)
    deny(r->fallback, r->relay.target);
  else if (r->call->flags & LARDER_CALL_ATOMIC)
    lrd_fallback_local(r->fallback, r->call, r->relay.target);
  else
    lrd_fallback_local_vector(r->fallback, r->call, &r->call->vector[index], r->relay.target);
  return 0;
}

/* What an error says is wanted where a verdict is not good. */
static void catch_error(larder_sink *s, const char *text, size_t len)
{
  struct lrd_route *r = (struct lrd_route *)s;
  size_t n = len < sizeof r->text - 1 ? len : sizeof r->text - 1;

  memcpy(r->text, text, n);
  r->text[n] = '\0';
  r->plain->error(s, text, len);
}

void lrd_route_init(struct lrd_route *r, struct lrd_fallback *f, const larder_call *call,
                    int remote_only, larder_sink *target)
{
  lrd_relay_init(&r->relay, target, route_ending, r);
  r->plain = r->relay.sink.type;
  r->type = *r->plain;
  r->type.error = catch_error;
  r->relay.sink.type = &r->type;
  r->fallback = f;
  r->call = call;
  r->next = 0;
  r->remote_only = remote_only;
  r->text[0] = '\0';
}

static void to_remote(struct lrd_fallback *f, const larder_call *call, struct larder_hold *hold,
                      int remote_only, larder_sink *sink)
{
  larder_call inner = *call;
  struct lrd_route r;

  inner.hold = hold;
  if (lrd_fallback_state(f) == LARDER_STATE_UP)
    inner.flags |= LARDER_CALL_NOWAIT;
  lrd_route_init(&r, f, call, remote_only, sink);
  f->remote->table->execute(f->remote, &inner, &r.relay.sink);
}

/* --- pending keys ----------------------------------------------------------------- */

struct pending {
  struct lrd_fallback *fallback;
  const larder_vector *vector;
  int database;
  int found;
  larder_bytes key;
};

static void look(void *context, int index)
{
  struct pending *p = context;

  if (p->found)
    return;
  p->key = p->vector->argv[index];
  if (!p->key.data)
    p->key.data = "";
  p->found = lrd_journal_pending(&p->fallback->journal, p->database, p->key);
}

/* A key of the call that is pending; who touches keys that it does not name waits for all. */
static int find_pending(struct lrd_fallback *f, const larder_call *call, struct pending *p)
{
  *p = (struct pending){ .fallback = f, .database = call->database };
  if (!atomic_load_explicit(&f->journal.keys, memory_order_acquire))
    return 0;
  for (size_t i = 0; i < call->count && !p->found; i++) {
    p->vector = &call->vector[i];
    if (p->vector->command == LRD_SELECT) /* within an atomic call */
      lrd_command_select(p->vector, &p->database);
    lrd_command_keys(p->vector, look, p);
    if (!p->found && ((lrd_commands[p->vector->command].flags & LRD_KEYSPACE) ||
                      lrd_command_strays(p->vector))) {
      p->found = 1;
      p->database = -1;
      p->key = (larder_bytes){ NULL, 0 };
    }
  }
  return p->found;
}

/* Replays what the call's keys owe: DONE, DOWN, PAUSED or LATE. */
static enum lrd_replay settle(struct lrd_fallback *f, const larder_call *call)
{
  struct pending p;

  while (find_pending(f, call, &p)) {
    enum lrd_replay r;

    if (lrd_fallback_state(f) != LARDER_STATE_UP)
      return LRD_REPLAY_DOWN;
    r = lrd_fallback_replay(f, p.database, p.key, call->deadline);
    if (r != LRD_REPLAY_DONE)
      return r;
    if (lrd_fallback_now(f) >= call->deadline && find_pending(f, call, &p))
      return LRD_REPLAY_LATE;
  }
  return LRD_REPLAY_DONE;
}

int lrd_fallback_owes(struct lrd_fallback *f, const larder_call *call)
{
  struct pending p;

  return find_pending(f, call, &p);
}

/* --- failing ------------------------------------------------------------------------ */

static void fail_all(const larder_call *call, larder_sink *sink, larder_outcome outcome,
                     larder_origin origin, enum larder_cause cause, const char *text)
{
  size_t n = call->flags & LARDER_CALL_ATOMIC ? 1 : call->count;

  while (n--)
    lrd_sink_fail(sink, outcome, origin, cause, text);
}

/* --- sessions that watch --------------------------------------------------------------- */

struct lrd_fallback_hold {
  larder_hold *remote; /* or NULL: nothing is watched */
  int watching;
  uint64_t epoch;      /* in which the keys were watched */
};

larder_hold *lrd_fallback_hold_open(larder_backend *b)
{
  return lrd_allocate_zeroed(&b->memory, 1, sizeof(struct lrd_fallback_hold));
}

static void unwatch(struct lrd_fallback *f, struct lrd_fallback_hold *h)
{
  if (h->remote)
    f->remote->table->hold_close(f->remote, h->remote);
  h->remote = NULL;
  h->watching = 0;
}

void lrd_fallback_hold_close(larder_backend *b, larder_hold *hold)
{
  struct lrd_fallback_hold *h = (struct lrd_fallback_hold *)hold;

  if (!h)
    return;
  unwatch(lrd_fallback_of(b), h);
  lrd_release(&b->memory, h, sizeof *h);
}

static int same_epoch(struct lrd_fallback *f, const struct lrd_fallback_hold *h)
{
  enum larder_state state = lrd_fallback_state(f);

  return (state == LARDER_STATE_UP || state == LARDER_STATE_STARTING) &&
         atomic_load(&f->epoch) == h->epoch;
}

static int catch_outcome(void *context, larder_verdict *v)
{
  *(larder_outcome *)context = v->outcome;
  return 1;
}

static void watch(struct lrd_fallback *f, const larder_call *call, struct lrd_fallback_hold *h,
                  larder_sink *sink)
{
  larder_outcome outcome = LARDER_NOT_SENT;
  struct lrd_relay relay;

  if (!h->remote)
    h->remote = f->remote->table->hold_open(f->remote);
  if (!h->remote) {
    fail_all(call, sink, LARDER_NO_MEMORY, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
             "ERR out of memory");
    return;
  }
  if (!h->watching)
    h->epoch = atomic_load(&f->epoch);
  lrd_relay_init(&relay, sink, catch_outcome, &outcome);
  to_remote(f, call, h->remote, 1, &relay.sink);
  if (outcome == LARDER_OK)
    h->watching = 1;
  else if (!h->watching)
    unwatch(f, h);
}

/* A call of a session that watches keys: by Redis, in the epoch of the WATCH, or not at all. */
static void watched(struct lrd_fallback *f, const larder_call *call, struct lrd_fallback_hold *h,
                    larder_sink *sink)
{
  unsigned command = call->vector[0].command;
  int ends = (call->flags & LARDER_CALL_ATOMIC) || command == LRD_UNWATCH;

  if (same_epoch(f, h)) {
    if (command == LRD_WATCH && !ends)
      watch(f, call, h, sink);
    else
      to_remote(f, call, h->remote, 1, sink);
  } else if (command == LRD_UNWATCH && !(call->flags & LARDER_CALL_ATOMIC)) {
    larder_verdict ok = { .outcome = LARDER_OK, .origin = LARDER_FROM_LOCAL, .age_ms = -1 };

    lrd_sink_ok(sink);
    lrd_sink_end(sink, &ok);
  } else {
    fail_all(call, sink, LARDER_NOT_SENT, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
             "NOTSENT Redis was lost or came back after WATCH: begin again with WATCH");
  }
  if (ends)
    unwatch(f, h);
}

/* --- the call --------------------------------------------------------------------------- */

static void route(struct lrd_fallback *f, const larder_call *call, larder_sink *sink)
{
  struct lrd_fallback_hold *h = (struct lrd_fallback_hold *)call->hold;
  enum larder_state state = lrd_fallback_state(f);

  if (call->flags & LARDER_CALL_PROBE) {
    to_remote(f, call, NULL, 1, sink);
    return;
  }
  if (state != LARDER_STATE_DOWN && state != LARDER_STATE_DENIED) {
    enum lrd_replay settled = settle(f, call);

    if (settled == LRD_REPLAY_PAUSED || settled == LRD_REPLAY_LATE) {
      fail_all(call, sink, LARDER_NOT_SENT, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
               "NOTSENT writes of the outage to this key are still on their way to Redis");
      return;
    }
    if (settled == LRD_REPLAY_DOWN)
      state = lrd_fallback_state(f) == LARDER_STATE_DENIED ? LARDER_STATE_DENIED
                                                           : LARDER_STATE_DOWN;
  }
  if (state == LARDER_STATE_DENIED) {
    size_t n = call->flags & LARDER_CALL_ATOMIC ? 1 : call->count;

    while (n--)
      deny(f, sink);
    return;
  }
  if (h && h->watching)
    watched(f, call, h, sink);
  else if (state == LARDER_STATE_DOWN)
    lrd_fallback_local(f, call, sink);
  else if (h && call->vector[0].command == LRD_WATCH)
    watch(f, call, h, sink);
  else
    to_remote(f, call, NULL, 0, sink);
}

void lrd_fallback_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  struct lrd_fallback *f = lrd_fallback_of(b);

  if (!call->hold || call->count == 1 || (call->flags & LARDER_CALL_ATOMIC)) {
    route(f, call, sink);
    return;
  }
  /* In a session one command may decide how the next one goes. */
  for (size_t i = 0; i < call->count; i++) {
    larder_call one = *call;

    one.vector = &call->vector[i];
    one.count = 1;
    route(f, &one, sink);
  }
}
