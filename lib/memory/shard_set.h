/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_SHARD_SET_H
#define LRD_MEMORY_SHARD_SET_H

#include "memory/shard.h"

enum { LRD_SHARDS_MAX = 1024 };

/* The shards of a call, locked in order of their numbers. */
struct lrd_shard_set {
  const struct lrd_engine *engine;
  unsigned words;
  uint64_t word[LRD_SHARDS_MAX / 64];
};

static inline void lrd_shard_set_init(struct lrd_shard_set *set, const struct lrd_engine *e)
{
  set->engine = e;
  set->words = (e->shards + 63) / 64;
  for (unsigned i = 0; i < set->words; i++)
    set->word[i] = 0;
}

/* context: the set. */
static inline void lrd_shard_set_add(void *context, unsigned shard)
{
  struct lrd_shard_set *set = context;
  set->word[shard / 64] |= UINT64_C(1) << (shard % 64);
}

static inline void lrd_shard_set_add_all(struct lrd_shard_set *set)
{
  for (unsigned i = 0; i < set->engine->shards; i++)
    lrd_shard_set_add(set, i);
}

static inline void lrd_shard_set_add_hash(struct lrd_shard_set *set, uint64_t hash)
{
  lrd_shard_set_add(set, (unsigned)(lrd_shard_of(set->engine, hash) - set->engine->shard));
}

static inline void lrd_shard_set_lock(const struct lrd_shard_set *set)
{
  for (unsigned i = 0; i < set->words; i++)
    for (uint64_t w = set->word[i]; w; w &= w - 1)
      lrd_latch_take(&set->engine->shard[i * 64 + (unsigned)__builtin_ctzll(w)].lock);
}

static inline void lrd_shard_set_unlock(const struct lrd_shard_set *set)
{
  for (unsigned i = 0; i < set->words; i++)
    for (uint64_t w = set->word[i]; w; w &= w - 1)
      lrd_latch_drop(&set->engine->shard[i * 64 + (unsigned)__builtin_ctzll(w)].lock);
}

#endif
