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

  if (lrd_random(&seed, sizeof seed) || lrd_lock_init(&shard->lock, LRD_RANK_SHARD, number))
    return -1;
  lrd_prng_seed(&shard->prng, seed);
  lrd_hold_shard_init(e, shard);
  return 0;
}

static void shard_close(struct lrd_engine *e, struct lrd_shard *shard, int locks)
{
  /* a thread of the parent was changing this shard when the process forked */
  if (!locks && pthread_mutex_trylock(&shard->lock.mutex))
    return;
  for (unsigned i = 0; i < LRD_DATABASES; i++)
    lrd_keyspace_free(e, shard->database[i]);
  lrd_release(&e->account.memory, shard->wheel, sizeof *shard->wheel);
  lrd_index_free(&shard->watched, &e->account.memory);
  lrd_evict_close(e, shard);
  if (locks)
    lrd_lock_destroy(&shard->lock);
}

int lrd_shards_open(struct lrd_engine *e, unsigned shards)
{
  unsigned n = power_of_two(shards);

  if (lrd_random(&e->hash_key, sizeof e->hash_key))
    return -1;
  e->shift = (unsigned)(64 - __builtin_ctz(n));
  e->shard = lrd_allocate_zeroed(&e->account.memory, n, sizeof *e->shard);
  if (!e->shard)
    return -1;
  for (; e->shards < n; e->shards++)
    if (shard_init(e, &e->shard[e->shards], e->shards)) {
      for (unsigned i = 0; i < e->shards; i++)
        shard_close(e, &e->shard[i], 1);
      lrd_release(&e->account.memory, e->shard, n * sizeof *e->shard);
      return -1;
    }
  return 0;
}

void lrd_shards_close(struct lrd_engine *e, int locks)
{
  for (unsigned i = 0; i < e->shards; i++)
    shard_close(e, &e->shard[i], locks);
  lrd_release(&e->account.memory, e->shard, e->shards * sizeof *e->shard);
}

static larder_outcome engine_open(larder_backend *base, const larder_backend_options *options,
                                  char *error, size_t error_size)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  lrd_account_init(&e->account, &base->memory);
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
    return LARDER_NO_MEMORY;
  }
  if (lrd_maintenance_open(e)) {
    lrd_shards_close(e, 1);
    snprintf(error, error_size, "memory: the system has no more locks");
    return LARDER_NO_MEMORY;
  }
  return LARDER_OK;
}

static uint64_t engine_close(larder_backend *base, int64_t deadline, int forked)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  (void)deadline;
  lrd_maintenance_close(e, forked);
  (void)lrd_discard_free(e, SIZE_MAX);
  lrd_shards_close(e, !forked);
  return 0;
}

/* --- status ----------------------------------------------------------------------- */

static void engine_status(larder_backend *base, larder_backend_status *status)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  status->link = LARDER_LINK_NONE;
  for (unsigned i = 0; i < e->shards; i++) {
    lrd_lock(&e->shard[i].lock);
    for (unsigned d = 0; d < LRD_DATABASES; d++)
      status->keys += lrd_keyspace_count(&e->shard[i], d);
    lrd_unlock(&e->shard[i].lock);
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

static const larder_verdict verdict_ok = { .outcome = LARDER_OK,
                                           .origin = LARDER_FROM_LOCAL,
                                           .age_ms = -1 };

static struct lrd_at lock_key(struct lrd_engine *e, int database, larder_bytes key)
{
  uint64_t hash = lrd_key_hash(e, key);
  struct lrd_at at = { lrd_shard_of(e, hash), (unsigned)database, key, hash };

  lrd_lock(&at.shard->lock);
  at.shard->calls++;
  return at;
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
  struct lrd_at at = lock_key(e, database, key);
  struct lrd_entry **place = lrd_keyspace_find(&at);

  (void)deadline;
  /* most keys don't expire, and then the time is of no interest */
  if (place && lrd_entry_expiry(*place) >= 0)
    place = lrd_keyspace_live(e, &at, lrd_wall_ms(&base->clock));
  if (place)
    lrd_evict_used(e, *place, -1);
  *length = 0;
  *verdict = verdict_ok;
  verdict->outcome = copy_out(e, place ? *place : NULL, buffer, size, length);
  at.shard->hits += verdict->outcome == LARDER_OK;
  at.shard->misses += verdict->outcome == LARDER_ABSENT;
  lrd_unlock(&at.shard->lock);
  if (verdict->outcome == LARDER_REFUSED)
    verdict->cause = LARDER_CAUSE_CALLER;
}

static void engine_set(larder_backend *base, int database, larder_bytes key, larder_bytes value,
                       int64_t ttl_ms, int64_t deadline, larder_verdict *verdict)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  int64_t now = ttl_ms ? lrd_wall_ms(&base->clock) : 0;
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[5] = { { "SET", 3 }, key, value, { "PXAT", 4 }, { number, 0 } };
  struct lrd_at at;

  (void)deadline;
  *verdict = verdict_ok;
  if (key.len > LRD_STRING_MAX || value.len > LRD_STRING_MAX || ttl_ms < 0 ||
      ttl_ms > INT64_MAX - now) {
    verdict->outcome = LARDER_BAD_ARGUMENT;
    return;
  }
  if (lrd_evict_before_write(e)) {
    verdict->outcome = LARDER_REFUSED;
    verdict->cause = LARDER_CAUSE_CAPACITY;
    return;
  }
  if (ttl_ms)
    argv[4].len = lrd_print_integer(number, now + ttl_ms);
  at = lock_key(e, database, key);
  if (lrd_keyspace_put(e, &at, value, ttl_ms ? now + ttl_ms : -1, now))
    lrd_keyspace_changed(e, &at, NULL, 1, ttl_ms ? 5 : 3, argv);
  else
    verdict->outcome = LARDER_NO_MEMORY;
  lrd_unlock(&at.shard->lock);
  lrd_discard_settle(e);
  if (ttl_ms)
    lrd_maintenance_start(e);
}

const larder_backend_table lrd_memory_table = {
  .version = LARDER_BACKEND_VERSION,
  .name = "memory",
  .capabilities = LARDER_CAN_WATCH | LARDER_CAN_ATOMIC | LARDER_CAN_OBSERVE | LARDER_IS_LOCAL,
  .size = sizeof(struct lrd_engine),
  .open = engine_open,
  .close = engine_close,
  .execute = lrd_engine_execute,
  .submit = larder_backend_default_submit,
  .cancel = larder_backend_default_cancel,
  .hold_open = lrd_hold_open,
  .hold_close = lrd_hold_close,
  .status = engine_status,
  .tick = engine_tick,
  .get = engine_get,
  .set = engine_set,
};
