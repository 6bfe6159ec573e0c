/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"

#include <stdio.h>
#include <string.h>

#include "memory/evict.h"
#include "memory/hold.h"
#include "store/config.h"
#include "util/memory.h"

/* --- opening and closing --------------------------------------------------------- */

static unsigned power_of_two(unsigned n)
{
  unsigned p = 1;

  while (p < n && p < 1024)
    p *= 2;
  return p;
}

static int shard_init(struct lrd_engine *e, struct lrd_shard *shard, unsigned number)
{
  uint64_t seed;

  if (lrd_random(&seed, sizeof seed))
    return -1;
  lrd_latch_init(&shard->lock, LRD_RANK_SHARD, number);
  lrd_prng_seed(&shard->prng, seed);
  lrd_hold_shard_init(e, shard);
  return 0;
}

static void shard_close(struct lrd_engine *e, struct lrd_shard *shard, int locks)
{
  /* a thread of the parent was changing this shard when the process forked */
  if (!locks && !lrd_latch_try(&shard->lock))
    return;
  for (unsigned i = 0; i < LRD_DATABASES; i++)
    lrd_keyspace_free(e, shard->database[i]);
  lrd_release(&e->account.memory, shard->wheel, sizeof *shard->wheel);
  lrd_index_free(&shard->watched, &e->account.memory);
  lrd_evict_close(e, shard);
}

static size_t block_size(unsigned shards)
{
  return shards * sizeof(struct lrd_shard) + LRD_LINE;
}

int lrd_shards_open(struct lrd_engine *e, unsigned shards)
{
  unsigned n = power_of_two(shards);

  if (lrd_universal_init(&e->hash_key))
    return -1;
  e->shift = (unsigned)(64 - __builtin_ctz(n));
  e->shard_block = lrd_allocate_zeroed(&e->base.memory, 1, block_size(n));
  if (!e->shard_block)
    return -1;
  lrd_account_add(&e->account, block_size(n));
  e->shard = (struct lrd_shard *)(((uintptr_t)e->shard_block + LRD_LINE - 1) &
                                  ~(uintptr_t)(LRD_LINE - 1));
  for (; e->shards < n; e->shards++)
    if (shard_init(e, &e->shard[e->shards], e->shards)) {
      for (unsigned i = 0; i < e->shards; i++)
        shard_close(e, &e->shard[i], 1);
      lrd_release(&e->base.memory, e->shard_block, block_size(n));
      return -1;
    }
  return 0;
}

/* Typed calls that come late still ask a shard whether it is sealed: so the shards are
 * never in the slab. */
static void release_block(struct lrd_engine *e)
{
  larder_late *late = e->base.late;

  if (late && !late->block)
    *late = (larder_late){ e->shard_block, block_size(e->shards) };
  else
    lrd_release(&e->base.memory, e->shard_block, block_size(e->shards));
}

void lrd_shards_close(struct lrd_engine *e, int locks)
{
  for (unsigned i = 0; i < e->shards; i++)
    shard_close(e, &e->shard[i], locks);
  release_block(e);
}

/* Those that hold the latch leave before it can be taken here, or say that they are
 * inside without it; those that wait for it say so too, and when the last of them is
 * counted off it may still hold the latch. */
static void seal(struct lrd_shard *shard)
{
  lrd_latch_take(&shard->lock);
  atomic_store(&shard->sealed, 1);
  lrd_latch_drop(&shard->lock);
  for (unsigned round = 0; atomic_load(&shard->waiting); round++)
    lrd_latch_back_off(round);
  lrd_latch_take(&shard->lock);
  lrd_latch_drop(&shard->lock);
}

void lrd_shards_seal(struct lrd_engine *e)
{
  for (unsigned i = 0; i < e->shards; i++)
    seal(&e->shard[i]);
}

/* The account counts either what the slab gives, or what the application's hook gives. */
static int memory_open(struct lrd_engine *e)
{
  larder_memory slab;

  lrd_account_init(&e->account, &e->base.memory);
  if (!LRD_SLAB_BY_DEFAULT || e->base.memory.allocate != lrd_memory_system.allocate)
    return 0;
  e->slab = lrd_slab_open(NULL);
  if (!e->slab)
    return -1;
  slab = lrd_slab_memory(e->slab);
  lrd_account_init(&e->account, &slab);
  return 0;
}

static void memory_close(struct lrd_engine *e)
{
  if (e->slab)
    lrd_slab_close(e->slab);
}

static larder_outcome engine_open(larder_backend *base, const larder_backend_options *options,
                                  char *error, size_t error_size)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  if (memory_open(e)) {
    snprintf(error, error_size, "memory: no memory for its allocator");
    return LARDER_NO_MEMORY;
  }
  if (options->observer)
    e->observer = *options->observer;
  e->partial = options->partial;
  e->background = options->config->background;
  e->opened = lrd_wall_ms(&base->clock);
  lrd_parameters_init(&e->parameters);
  lrd_parameter_set(&e->parameters, LRD_MAXMEMORY, (int64_t)options->config->maxmemory);
  lrd_parameter_set(&e->parameters, LRD_MAXMEMORY_POLICY, options->config->maxmemory_policy);
  lrd_evict_configure(e);
  if (lrd_shards_open(e, options->config->shards)) {
    snprintf(error, error_size, "memory: no memory for %u shards, or no random numbers",
             options->config->shards);
    memory_close(e);
    return LARDER_NO_MEMORY;
  }
  if (lrd_maintenance_open(e)) {
    lrd_shards_close(e, 1);
    memory_close(e);
    snprintf(error, error_size, "memory: the system has no more locks");
    return LARDER_NO_MEMORY;
  }
  return LARDER_OK;
}

static uint64_t engine_close(larder_backend *base, int64_t deadline, int forked)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  (void)deadline;
  if (forked && e->slab)
    e->account.below = lrd_slab_forked(e->slab);
  lrd_maintenance_close(e, forked);
  (void)lrd_discard_free(e, SIZE_MAX);
  lrd_shards_close(e, !forked);
  memory_close(e);
  return 0;
}

/* --- status ----------------------------------------------------------------------- */

static void add_typed(const struct lrd_shard *shard, uint64_t *typed)
{
  for (int k = 0; k < LARDER_OUTCOMES; k++)
    typed[k] += shard->typed[k];
  typed[LARDER_OK] += shard->got[LARDER_OK] + shard->set;
  typed[LARDER_ABSENT] += shard->got[LARDER_ABSENT];
}

static void engine_status(larder_backend *base, larder_backend_status *status)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  status->link = LARDER_LINK_NONE;
  for (unsigned i = 0; i < e->shards; i++) {
    lrd_latch_take(&e->shard[i].lock);
    for (unsigned d = 0; d < LRD_DATABASES; d++)
      status->keys += lrd_keyspace_count(&e->shard[i], d);
    add_typed(&e->shard[i], status->typed);
    lrd_latch_drop(&e->shard[i].lock);
  }
  status->memory = lrd_account_bytes(&e->account);
}

/* When to come again is in ns of the monotonic clock: the wall clock may jump, so
 * never later than in a second. */
static int64_t engine_tick(larder_backend *base, int64_t budget)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  int64_t next = lrd_maintenance_round(e, budget), wait;

  if (next < 0)
    return -1;
  wait = next - lrd_wall_ms(&base->clock);
  if (wait < 0)
    wait = 0;
  if (wait > 1000)
    wait = 1000;
  return lrd_monotonic(&base->clock) + wait * LRD_NS_PER_MS;
}

/* --- the typed calls ----------------------------------------------------------------- */

/*
 * A typed call costs one atomic operation, the taking of the latch: the store has
 * not noted that it is here (LARDER_COUNTS_TYPED).  So before it has the latch, or is
 * counted as waiting, it may do nothing that takes long or that the application sees
 * (no hook), and afterwards it may touch nothing of the engine.
 */

#define TTL_MAX (INT64_C(1) << 53) /* ms */

static const larder_verdict verdict_ok = { .outcome = LARDER_OK,
                                           .origin = LARDER_FROM_LOCAL,
                                           .age_ms = -1 };

static struct lrd_at typed_at(const struct lrd_engine *e, int database, larder_bytes key)
{
  uint64_t hash = lrd_key_hash(e, key);

  return (struct lrd_at){ lrd_shard_of(e, hash), (unsigned)database, key, hash };
}

__attribute__((noinline)) static void wait_for(struct lrd_shard *shard)
{
  atomic_fetch_add(&shard->waiting, 1);
  lrd_latch_take(&shard->lock);
  atomic_fetch_sub(&shard->waiting, 1);
}

/* 0: the engine is closing, and the latch is not held. */
static int begin_typed(struct lrd_shard *shard)
{
  if (__builtin_expect(!lrd_latch_take_at_once(&shard->lock), 0))
    wait_for(shard);
  if (__builtin_expect(!atomic_load_explicit(&shard->sealed, memory_order_relaxed), 1))
    return 1;
  lrd_latch_drop(&shard->lock);
  return 0;
}

static int is_more_to_do(const struct lrd_engine *e)
{
  return atomic_load_explicit(&e->discard.first, memory_order_relaxed) ||
         atomic_load_explicit(&e->maintenance.state, memory_order_relaxed) == LRD_WANTED;
}

/* Drops the latch; what is left to be done is done without it. */
static void end_typed(struct lrd_engine *e, struct lrd_shard *shard)
{
  int more = is_more_to_do(e);

  if (more)
    atomic_fetch_add(&shard->waiting, 1);
  lrd_latch_drop(&shard->lock);
  if (!more)
    return;
  lrd_discard_settle(e);
  lrd_maintenance_start(e);
  atomic_fetch_sub(&shard->waiting, 1);
}

static void closed(larder_verdict *verdict)
{
  verdict->outcome = LARDER_CLOSED;
  verdict->origin = LARDER_FROM_NOWHERE;
}

static larder_outcome copy_out(const struct lrd_engine *e, const struct lrd_entry *entry,
                               void *buffer, size_t size, size_t *length)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes value;

  if (!entry)
    return e->partial ? LARDER_UNKNOWN_LOCALLY : LARDER_ABSENT;
  if (entry->flags & LRD_ENTRY_DELTA)
    return LARDER_UNKNOWN_LOCALLY;
  if (entry->kind == LRD_NONE)
    return LARDER_ABSENT;
  if (entry->kind != LRD_STRING)
    return LARDER_REFUSED;
  value = lrd_entry_string(entry, number);
  *length = value.len;
  if (value.len < size)
    size = value.len;
  if (size)
    memcpy(buffer, value.data, size);
  return LARDER_OK;
}

static void engine_get(larder_backend *base, int database, larder_bytes key, int64_t deadline,
                       void *buffer, size_t size, size_t *length, larder_verdict *verdict)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  struct lrd_entry **place;
  struct lrd_at at = typed_at(e, database, key);

  (void)deadline;
  *length = 0;
  *verdict = verdict_ok;
  if (!begin_typed(at.shard)) {
    closed(verdict);
    return;
  }
  place = lrd_keyspace_find(&at);
  /* most keys don't expire, and then the time is of no interest */
  if (place && lrd_entry_expiry(*place) >= 0)
    place = lrd_keyspace_live(e, &at, lrd_wall_ms(&base->clock));
  if (place)
    lrd_evict_used(e, *place, -1);
  verdict->outcome = copy_out(e, place ? *place : NULL, buffer, size, length);
  if (verdict->outcome <= LARDER_ABSENT)
    at.shard->got[verdict->outcome]++;
  else
    at.shard->typed[verdict->outcome]++;
  end_typed(e, at.shard);
  if (verdict->outcome == LARDER_REFUSED)
    verdict->cause = LARDER_CAUSE_CALLER;
}

/* In the middle of set, with the latch. */
static larder_outcome set_locked(struct lrd_engine *e, const struct lrd_at *at,
                                 larder_bytes value, int64_t ttl_ms)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[5] = { { "SET", 3 }, at->key, value, { "PXAT", 4 }, { number, 0 } };
  int64_t now = ttl_ms ? lrd_wall_ms(&e->base.clock) : 0, when = ttl_ms ? now + ttl_ms : -1;

  if (!lrd_keyspace_put(e, at, value, when, now))
    return LARDER_NO_MEMORY;
  if (e->observer.changed && when >= 0)
    argv[4].len = lrd_print_integer(number, when);
  lrd_keyspace_changed(e, at, NULL, 1, when >= 0 ? 5 : 3, argv);
  return LARDER_OK;
}

static void engine_set(larder_backend *base, int database, larder_bytes key, larder_bytes value,
                       int64_t ttl_ms, int64_t deadline, larder_verdict *verdict)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  int bounded = lrd_parameter(&e->parameters, LRD_MAXMEMORY) != 0, begun, full = 0;
  int wrong = key.len > LRD_STRING_MAX || value.len > LRD_STRING_MAX || ttl_ms < 0 ||
              ttl_ms > TTL_MAX;
  struct lrd_at at = typed_at(e, database, key);

  (void)deadline;
  *verdict = verdict_ok;
  if (bounded) {
    atomic_fetch_add(&at.shard->waiting, 1);
    /* sequentially consistent: either sealing waits for us, or we see it */
    full = !atomic_load(&at.shard->sealed) && lrd_evict_before_write(e);
  }
  begun = begin_typed(at.shard);
  if (bounded)
    atomic_fetch_sub(&at.shard->waiting, 1);
  if (!begun) {
    closed(verdict);
    return;
  }
  if (full)
    verdict->outcome = LARDER_REFUSED;
  else
    verdict->outcome = wrong ? LARDER_BAD_ARGUMENT : set_locked(e, &at, value, ttl_ms);
  if (verdict->outcome == LARDER_OK)
    at.shard->set++;
  else
    at.shard->typed[verdict->outcome]++;
  end_typed(e, at.shard);
  if (full)
    verdict->cause = LARDER_CAUSE_CAPACITY;
}

/* Nothing that an engine does waits; what the store has not noted is ended. */
static void engine_cancel(larder_backend *base, larder_submission *submission)
{
  if (!submission)
    lrd_shards_seal((struct lrd_engine *)base);
}

const larder_backend_table lrd_memory_table = {
  .version = LARDER_BACKEND_VERSION,
  .name = "memory",
  .capabilities = LARDER_CAN_WATCH | LARDER_CAN_ATOMIC | LARDER_CAN_OBSERVE | LARDER_IS_LOCAL |
                  LARDER_COUNTS_TYPED,
  .size = sizeof(struct lrd_engine),
  .open = engine_open,
  .close = engine_close,
  .execute = lrd_engine_execute,
  .submit = larder_backend_default_submit,
  .cancel = engine_cancel,
  .hold_open = lrd_hold_open,
  .hold_close = lrd_hold_close,
  .status = engine_status,
  .tick = engine_tick,
  .get = engine_get,
  .set = engine_set,
};
