/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/fallback.h"

#include <stdio.h>
#include <string.h>

#include "memory/engine.h"
#include "remote/remote.h"
#include "util/hash.h"
#include "util/hook.h"
#include "util/memory.h"
#include "util/number.h"

/* --- opening -------------------------------------------------------------------- */

static larder_backend *open_inner(struct lrd_fallback *f, const larder_backend_table *table,
                                  const larder_backend_options *options, char *error,
                                  size_t error_size, larder_outcome *outcome)
{
  larder_backend *b = lrd_allocate_zeroed(&f->base.memory, 1, table->size);

  *outcome = LARDER_NO_MEMORY;
  if (!b) {
    snprintf(error, error_size, "out of memory");
    return NULL;
  }
  *b = f->base;
  b->table = table;
  *outcome = table->open(b, options, error, error_size);
  if (*outcome == LARDER_OK)
    return b;
  lrd_release(&f->base.memory, b, table->size);
  return NULL;
}

static void close_inner(struct lrd_fallback *f, larder_backend **b, int64_t deadline, int forked)
{
  if (!*b)
    return;
  (*b)->table->close(*b, deadline, forked);
  lrd_release(&f->base.memory, *b, (*b)->table->size);
  *b = NULL;
}

static int init(struct lrd_fallback *f)
{
  const struct lrd_config *c = f->config;
  uint64_t random[3];

  if (lrd_random(random, sizeof random))
    return -1;
  snprintf(f->marker, sizeof f->marker, "larder:journal:%016llx%016llx",
           (unsigned long long)random[0], (unsigned long long)random[1]);
  lrd_prng_seed(&f->prng, random[2]);
  atomic_store(&f->state, LARDER_STATE_STARTING);
  f->since = lrd_fallback_now(f);
  lrd_breaker_reset(&f->breaker, f->since);
  if (lrd_lock_init(&f->lock, LRD_RANK_FALLBACK, 0))
    return -1;
  if (lrd_cond_init(&f->changed)) {
    lrd_lock_destroy(&f->lock);
    return -1;
  }
  if (lrd_journal_init(&f->journal, &f->base.memory, &f->base.clock, c->journal_bytes,
                       c->journal_keys, c->outage == LARDER_OUTAGE_CACHE)) {
    pthread_cond_destroy(&f->changed);
    lrd_lock_destroy(&f->lock);
    return -1;
  }
  return 0;
}

static void destroy(struct lrd_fallback *f, int64_t deadline, int forked)
{
  close_inner(f, &f->remote, deadline, forked);
  close_inner(f, &f->memory, deadline, forked);
  lrd_fallback_batch_free(f);
  lrd_journal_destroy(&f->journal);
  if (forked)
    return; /* the parent's threads may have held them */
  pthread_cond_destroy(&f->changed);
  lrd_lock_destroy(&f->lock);
}

static larder_outcome fallback_open(larder_backend *b, const larder_backend_options *options,
                                    char *error, size_t error_size)
{
  struct lrd_fallback *f = lrd_fallback_of(b);
  larder_backend_options memory = { .config = options->config, .observer = &f->observer,
                                    .partial = 1 };
  larder_backend_options remote = { .config = options->config, .hub = options->hub };
  larder_outcome outcome = LARDER_NO_MEMORY;

  f->config = options->config;
  f->observer = (larder_observer){ lrd_journal_changed, lrd_journal_may_forget, &f->journal };
  if (init(f)) {
    snprintf(error, error_size, "out of memory or no random source");
    return outcome;
  }
  f->memory = open_inner(f, &lrd_memory_table, &memory, error, error_size, &outcome);
  if (f->memory)
    f->remote = open_inner(f, &lrd_remote_table, &remote, error, error_size, &outcome);
  if (f->remote && lrd_keeper_start(f)) {
    snprintf(error, error_size, "can't start the fallback's thread");
    outcome = LARDER_NO_MEMORY;
  }
  if (outcome != LARDER_OK)
    destroy(f, 0, 0);
  return outcome;
}

/* --- closing ---------------------------------------------------------------------- */

/* Waits until everything is replayed, Redis is lost or the deadline passed. */
static void drain(struct lrd_fallback *f, int64_t deadline)
{
  if (atomic_load(&f->journal.keys) && lrd_fallback_now(f) < deadline)
    lrd_keeper_hurry(f);
  while (atomic_load(&f->journal.keys) && lrd_fallback_now(f) < deadline) {
    enum lrd_replay r = LRD_REPLAY_DOWN;

    if (lrd_fallback_state(f) == LARDER_STATE_UP)
      r = lrd_fallback_replay(f, -1, (larder_bytes){ NULL, 0 }, deadline);
    if (r != LRD_REPLAY_DONE) {
      int64_t nap = lrd_fallback_now(f) + 20 * LRD_NS_PER_MS;

      lrd_lock(&f->lock);
      lrd_cond_wait(&f->changed, &f->lock, nap < deadline ? nap : deadline);
      lrd_unlock(&f->lock);
    }
  }
  if (!atomic_load(&f->journal.keys) && lrd_fallback_state(f) == LARDER_STATE_UP)
    lrd_fallback_clean(f, deadline);
}

static uint64_t fallback_close(larder_backend *b, int64_t deadline, int forked)
{
  struct lrd_fallback *f = lrd_fallback_of(b);

  if (!forked) {
    drain(f, deadline);
    lrd_keeper_stop(f);
    lrd_fallback_cancel(b, NULL);
    /* Its last calls end here, and what was not sent is written to memory: lost as well. */
    close_inner(f, &f->remote, deadline, 0);
  }
  uint64_t lost = f->journal.writes;
  destroy(f, deadline, forked);
  return lost;
}

/* --- status -------------------------------------------------------------------------- */

static void fallback_status(larder_backend *b, larder_backend_status *s)
{
  struct lrd_fallback *f = lrd_fallback_of(b);
  larder_backend_status memory = { .state = -1, .journal_oldest_ms = -1 };
  enum larder_state state;
  int64_t age;

  f->remote->table->status(f->remote, s);
  f->memory->table->status(f->memory, &memory);
  s->keys = memory.keys;
  s->memory = memory.memory;
  lrd_lock(&f->lock);
  state = lrd_fallback_state(f);
  s->since = f->since;
  memcpy(s->replay_error, f->refusal, sizeof f->refusal);
  lrd_unlock(&f->lock);
  s->journal_keys = atomic_load(&f->journal.keys);
  s->journal_bytes = atomic_load(&f->journal.bytes);
  age = lrd_journal_age(&f->journal);
  s->journal_oldest_ms = age < 0 ? -1 : age / LRD_NS_PER_MS;
  s->state = state == LARDER_STATE_UP && s->journal_keys ? LARDER_STATE_REPLAYING : (int)state;
  s->serving = state != LARDER_STATE_DOWN                    ? "redis"
               : f->config->outage == LARDER_OUTAGE_STRICT ? "none"
                                                           : "memory";
  s->breaker = state == LARDER_STATE_DOWN                    ? "open"
               : s->state == (int)LARDER_STATE_REPLAYING ? "trial"
                                                             : "closed";
  s->outages = atomic_load(&f->outages);
  s->local_calls = atomic_load(&f->local_calls);
  s->replayed = atomic_load(&f->replayed);
  s->replay_batches = atomic_load(&f->batches);
  s->dropped = atomic_load(&f->dropped);
  s->dead_letters = atomic_load(&f->dead_letters);
  s->unknown_batches = atomic_load(&f->unknown_batches);
}

static int64_t fallback_tick(larder_backend *b, int64_t budget)
{
  struct lrd_fallback *f = lrd_fallback_of(b);

  return f->memory->table->tick(f->memory, budget);
}

const larder_backend_table lrd_fallback_table = {
  .version = LARDER_BACKEND_VERSION,
  .name = "fallback",
  .capabilities = LARDER_CAN_SUBMIT | LARDER_CAN_WATCH | LARDER_CAN_ATOMIC |
                  LARDER_CAN_LISTEN,
  .size = sizeof(struct lrd_fallback),
  .open = fallback_open,
  .close = fallback_close,
  .execute = lrd_fallback_execute,
  .submit = lrd_fallback_submit,
  .cancel = lrd_fallback_cancel,
  .hold_open = lrd_fallback_hold_open,
  .hold_close = lrd_fallback_hold_close,
  .status = fallback_status,
  .tick = fallback_tick,
  .get = larder_backend_default_get,
  .set = larder_backend_default_set,
};
