/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fallback/fallback.h"
#include "util/hook.h"
#include "util/number.h"

/* A link that stood for this long was a good one: probing begins anew after it. */
#define STEADY (2000 * LRD_NS_PER_MS)

/* --- changes of state --------------------------------------------------------- */

/* With the lock held; the time spent in the old state. */
static int64_t enter(struct lrd_fallback *f, enum larder_state state)
{
  int64_t now = lrd_fallback_now(f), spent = now - f->since;

  f->since = now;
  if (lrd_fallback_state(f) != LARDER_STATE_STARTING || state != LARDER_STATE_UP)
    atomic_fetch_add(&f->epoch, 1);
  atomic_store_explicit(&f->state, (int)state, memory_order_release);
  pthread_cond_broadcast(&f->changed);
  return spent;
}

void lrd_fallback_degrade(struct lrd_fallback *f, enum larder_cause cause, const char *text)
{
  enum larder_state state;

  lrd_lock(&f->lock);
  state = lrd_fallback_state(f);
  if (state == LARDER_STATE_UP || state == LARDER_STATE_STARTING) {
    if (enter(f, LARDER_STATE_DOWN) > STEADY && state == LARDER_STATE_UP)
      f->attempts = 0;
    f->cut = 1;
    f->next_probe = f->since + lrd_breaker_backoff(f->attempts++, &f->prng);
    atomic_fetch_add(&f->outages, 1);
    lrd_unlock(&f->lock);
    lrd_event(f->base.hook, LARDER_WARNING, "degrade",
              (const char *[]){ "cause", lrd_cause_name(cause), "detail", text, "address",
                                f->config->address, NULL },
              "Redis at %s can't be used (%s): the outage rules apply", f->config->address,
              lrd_cause_name(cause));
    return;
  }
  lrd_unlock(&f->lock);
}

void lrd_fallback_deny(struct lrd_fallback *f, const char *text)
{
  int fresh;

  lrd_lock(&f->lock);
  fresh = lrd_fallback_state(f) != LARDER_STATE_DENIED;
  snprintf(f->denial, sizeof f->denial, "%s", text);
  if (fresh) {
    enter(f, LARDER_STATE_DENIED);
    f->cut = 1;
  }
  f->next_probe = lrd_fallback_now(f) + lrd_breaker_backoff(f->attempts++, &f->prng);
  lrd_unlock(&f->lock);
  if (fresh)
    lrd_event(f->base.hook, LARDER_FAULT, "denied",
              (const char *[]){ "detail", text, "address", f->config->address, NULL },
              "Redis at %s refuses our credentials: calls fail until that is mended",
              f->config->address);
}

void lrd_fallback_recover(struct lrd_fallback *f)
{
  enum larder_state before;
  char spent[LRD_NUMBER_SIZE], keys[LRD_NUMBER_SIZE];
  int64_t ns;

  lrd_lock(&f->lock);
  before = lrd_fallback_state(f);
  if (f->cut || before == LARDER_STATE_UP || before == LARDER_STATE_CLOSED) {
    lrd_unlock(&f->lock);
    return;
  }
  lrd_breaker_reset(&f->breaker, lrd_fallback_now(f));
  f->paused_until = 0;
  f->pauses = 0;
  ns = enter(f, LARDER_STATE_UP);
  lrd_unlock(&f->lock);
  lrd_print_integer(spent, ns / LRD_NS_PER_MS);
  lrd_print_integer(keys, (int64_t)atomic_load(&f->journal.keys));
  lrd_event(f->base.hook, LARDER_INFO, before == LARDER_STATE_STARTING ? "connect" : "recover",
            (const char *[]){ "address", f->config->address, "after_ms", spent, "journal_keys",
                              keys, NULL },
            "Redis at %s is there", f->config->address);
}

/* --- work ------------------------------------------------------------------------ */

/* The server answers, if not with PONG: to a user that has no PING, for a full disk, ... */
static int is_answer(const larder_verdict *v, const char *text)
{
  if (v->outcome == LARDER_REFUSED)
    return v->cause != LARDER_CAUSE_SERVER && !lrd_fallback_is_denial(v, text);
  return v->outcome == LARDER_OK;
}

/* Connects and asks; the handshake fences what was before. */
static void probe(struct lrd_fallback *f)
{
  static const larder_bytes argv[1] = { { "PING", 4 } };
  larder_vector v = { .command = LRD_PING, .argc = 1, .argv = argv };
  larder_call call = { .vector = &v, .count = 1, .flags = LARDER_CALL_PROBE,
                       .database = f->config->database,
                       .deadline = lrd_fallback_now(f) + f->config->connect_timeout };
  struct lrd_tree_reply reply = { .verdict = { .outcome = LARDER_NO_MEMORY } };
  char text[200] = "";
  struct lrd_arena arena;
  struct lrd_tree tree;

  lrd_arena_init(&arena, &f->base.memory);
  if (!lrd_tree_init(&tree, &arena, 1)) {
    f->remote->table->execute(f->remote, &call, &tree.sink);
    if (tree.replies)
      reply = tree.reply[0];
  }
  if (reply.value.type == LARDER_ERROR && reply.value.str)
    snprintf(text, sizeof text, "%.*s", (int)(reply.value.len > 190 ? 190 : reply.value.len),
             reply.value.str);
  lrd_arena_free(&arena);
  if (is_answer(&reply.verdict, text)) {
    lrd_fallback_recover(f);
  } else if (reply.verdict.cause == LARDER_CAUSE_AUTH) {
    lrd_fallback_deny(f, text);
  } else {
    lrd_fallback_degrade(f, reply.verdict.cause, text);
    lrd_lock(&f->lock);
    f->next_probe = lrd_fallback_now(f) + lrd_breaker_backoff(f->attempts++, &f->prng);
    lrd_unlock(&f->lock);
  }
}

enum work { NOTHING, STOP, CUT, PROBE, REPLAY, CLEAN, PARKED };

/* With the lock held: what to do now, or until when nothing will be. */
static enum work look(struct lrd_fallback *f, int64_t *until)
{
  int64_t now = lrd_fallback_now(f);
  enum larder_state state = lrd_fallback_state(f);

  *until = INT64_MAX;
  if (f->stop)
    return STOP;
  if (f->cut)
    return CUT;
  if (f->parked)
    return PARKED;
  if (state == LARDER_STATE_DOWN || state == LARDER_STATE_DENIED) {
    *until = f->next_probe;
    return now >= f->next_probe ? PROBE : NOTHING;
  }
  if (state != LARDER_STATE_UP)
    return state == LARDER_STATE_STARTING ? PROBE : NOTHING;
  if (atomic_load(&f->journal.keys)) {
    *until = f->paused_until;
    return f->replaying ? (*until = INT64_MAX, NOTHING) : now >= f->paused_until ? REPLAY : NOTHING;
  }
  return !f->replaying && f->marker_databases ? CLEAN : NOTHING;
}

static void do_work(struct lrd_fallback *f, enum work work)
{
  int64_t deadline = lrd_fallback_now(f) + f->config->connect_timeout;

  switch (work) {
  case CUT:
    f->remote->table->cancel(f->remote, NULL);
    lrd_lock(&f->lock);
    f->cut = 0;
    lrd_unlock(&f->lock);
    break;
  case PROBE:
    probe(f);
    break;
  case REPLAY:
    /* as long as the batch needs */
    lrd_fallback_replay(f, -1, (larder_bytes){ NULL, 0 },
                        lrd_fallback_now(f) + 3600 * 1000 * LRD_NS_PER_MS);
    break;
  case CLEAN:
    lrd_fallback_clean(f, deadline);
    break;
  case NOTHING:
  case STOP:
  case PARKED:
    break;
  }
}

static void replay_event(struct lrd_fallback *f, uint64_t *told)
{
  uint64_t replayed = atomic_load(&f->replayed);
  char writes[LRD_NUMBER_SIZE];

  if (replayed == *told || atomic_load(&f->journal.keys))
    return;
  lrd_print_integer(writes, (int64_t)(replayed - *told));
  *told = replayed;
  lrd_event(f->base.hook, LARDER_INFO, "replay", (const char *[]){ "writes", writes, NULL },
            "every journaled write is at Redis");
}

static void *keep(void *context)
{
  struct lrd_fallback *f = context;
  enum work work = NOTHING;
  uint64_t told = 0;
  int64_t until;

  lrd_lock(&f->lock);
  while (work != STOP) {
    work = look(f, &until);
    if (work == NOTHING) {
      if (until == INT64_MAX)
        until = lrd_fallback_now(f) + 3600 * 1000 * LRD_NS_PER_MS;
      lrd_cond_wait(&f->changed, &f->lock, until);
    } else if (work == PARKED) {
      lrd_fallback_run_parked(f);
    } else if (work != STOP) {
      lrd_unlock(&f->lock);
      do_work(f, work);
      replay_event(f, &told);
      lrd_lock(&f->lock);
    }
  }
  lrd_unlock(&f->lock);
  return NULL;
}

/* --- the thread --------------------------------------------------------------------- */

int lrd_keeper_start(struct lrd_fallback *f)
{
  sigset_t all, old;
  int failed;

  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old))
    return -1;
  failed = pthread_create(&f->keeper, NULL, keep, f);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  f->keeper_runs = !failed;
  return failed ? -1 : 0;
}

void lrd_keeper_wake(struct lrd_fallback *f)
{
  lrd_lock(&f->lock);
  pthread_cond_broadcast(&f->changed);
  lrd_unlock(&f->lock);
}

void lrd_keeper_hurry(struct lrd_fallback *f)
{
  lrd_lock(&f->lock);
  f->next_probe = lrd_fallback_now(f);
  pthread_cond_broadcast(&f->changed);
  lrd_unlock(&f->lock);
}

void lrd_keeper_stop(struct lrd_fallback *f)
{
  if (!f->keeper_runs)
    return;
  lrd_lock(&f->lock);
  f->stop = 1;
  pthread_cond_broadcast(&f->changed);
  lrd_unlock(&f->lock);
  f->remote->table->cancel(f->remote, NULL); /* it may be in the middle of a probe */
  pthread_join(f->keeper, NULL);
  f->keeper_runs = 0;
  lrd_fallback_join_usher(f);
}
