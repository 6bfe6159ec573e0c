/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"

#include <stdio.h>
#include <string.h>

#include "memory/block.h"
#include "memory/evict.h"
#include "memory/hold.h"
#include "memory/typed.h"
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
  lrd_index_free(&shard->watched);
  lrd_evict_close(e, shard);
}

/* One block: where readers note themselves, then the shards. */
static size_t block_size(unsigned shards)
{
  return sizeof(struct lrd_grace) + shards * sizeof(struct lrd_shard) + LRD_LINE;
}

int lrd_shards_open(struct lrd_engine *e, unsigned shards)
{
  unsigned n = power_of_two(shards);

  if (lrd_universal_init(&e->hash_key))
    return -1;
  e->shift = (unsigned)(63 - __builtin_ctz(n));
  e->shard_block = lrd_allocate_zeroed(&e->base.memory, 1, block_size(n));
  if (!e->shard_block)
    return -1;
  lrd_account_add(&e->account, block_size(n));
  e->grace = (struct lrd_grace *)(((uintptr_t)e->shard_block + LRD_LINE - 1) &
                                  ~(uintptr_t)(LRD_LINE - 1));
  lrd_grace_init(e->grace, &e->account.memory);
  e->shard = (struct lrd_shard *)(void *)(e->grace + 1);
  for (; e->shards < n; e->shards++)
    if (shard_init(e, &e->shard[e->shards], e->shards)) {
      for (unsigned i = 0; i < e->shards; i++)
        shard_close(e, &e->shard[i], 1);
      lrd_account_add(&e->account, (size_t)0 - block_size(n));
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
  lrd_grace_close(e->grace, locks);
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
  lrd_grace_wait(e->grace);
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
  if (e->background)
    lrd_slab_attend(e->slab, lrd_maintenance_ask, e);
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

  e->background = options->config->background;
  if (memory_open(e)) {
    snprintf(error, error_size, "memory: no memory for its allocator");
    return LARDER_NO_MEMORY;
  }
  if (options->observer)
    e->observer = *options->observer;
  e->partial = options->partial;
  e->hub = options->hub;
  e->database = (unsigned)options->config->database;
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
  if (lrd_block_open(e) || lrd_maintenance_open(e)) {
    lrd_shards_close(e, 1);
    memory_close(e);
    snprintf(error, error_size, "memory: the system has no more locks");
    return LARDER_NO_MEMORY;
  }
  if (e->background)
    lrd_grace_attend(e->grace, lrd_maintenance_ask_later, e);
  if (!e->partial) {
    base->get_now = lrd_typed_get_now;
    base->set_now = lrd_typed_set_now;
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
  lrd_block_close(e, forked);
  lrd_grace_end(e->grace);
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
  typed[LARDER_OK] += shard->got[LARDER_OK];
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
  for (unsigned k = LARDER_OK; k <= LARDER_ABSENT; k++)
    status->typed[k] += lrd_grace_counted(e->grace, LRD_COUNTED_TYPED + k);
  lrd_grace_collect(e->grace);
  if (lrd_engine_has_more(e))
    lrd_engine_do_more(e);
  status->memory = lrd_account_bytes(&e->account);
}

/* When to come again is in ns of the monotonic clock: the wall clock may jump, so
 * never later than in a second. */
static int64_t engine_tick(larder_backend *base, int64_t budget)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  int64_t begin = lrd_monotonic(&base->clock), next = lrd_maintenance_round(e, budget), wait;

  if (!lrd_maintenance_tend(e, begin, budget))
    return lrd_monotonic(&base->clock);
  if (next < 0)
    return -1;
  wait = next - lrd_wall_ms(&base->clock);
  if (wait < 0)
    wait = 0;
  if (wait > 1000)
    wait = 1000;
  return lrd_monotonic(&base->clock) + wait * LRD_NS_PER_MS;
}

/* --- the table --------------------------------------------------------------------- */

/* What waits for a key is ended, and what the store has not noted. */
static void engine_cancel(larder_backend *base, larder_submission *submission)
{
  lrd_block_cancel((struct lrd_engine *)base, submission);
  if (!submission)
    lrd_shards_seal((struct lrd_engine *)base);
}

/* Only what waits for a key takes longer than running it. */
static void engine_submit(larder_backend *base, const larder_call *call,
                          larder_submission *submission)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  submission->backend_data = NULL;
  if (call->count != 1 || (call->flags & LARDER_CALL_ATOMIC) ||
      !(lrd_commands[call->vector->command].flags & LRD_BLOCKING)) {
    larder_backend_default_submit(base, call, submission);
    return;
  }
  lrd_block_submit(e, call, submission);
  if (lrd_engine_has_more(e))
    lrd_engine_do_more(e);
}

const larder_backend_table lrd_memory_table = {
  .version = LARDER_BACKEND_VERSION,
  .name = "memory",
  .capabilities = LARDER_CAN_WATCH | LARDER_CAN_ATOMIC | LARDER_CAN_OBSERVE | LARDER_IS_LOCAL |
                  LARDER_COUNTS_TYPED | LARDER_CAN_LISTEN,
  .size = sizeof(struct lrd_engine),
  .open = engine_open,
  .close = engine_close,
  .execute = lrd_engine_execute,
  .submit = engine_submit,
  .cancel = engine_cancel,
  .hold_open = lrd_hold_open,
  .hold_close = lrd_hold_close,
  .status = engine_status,
  .tick = engine_tick,
  .get = lrd_typed_get,
  .set = lrd_typed_set,
};
