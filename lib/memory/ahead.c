/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/ahead.h"

#include "memory/index_find.h"

void lrd_ahead_hash(const struct lrd_engine *e, const larder_bytes *keys, int count,
                    uint64_t *hash)
{
  for (int i = 0; i < count; i++)
    hash[i] = lrd_key_hash(e, keys[i]);
}

static const struct lrd_index *index_of(const struct lrd_engine *e, int database, uint64_t hash)
{
  const struct lrd_keyspace *ks = lrd_shard_of(e, hash)->database[database];

  return ks ? &ks->index : NULL;
}

void lrd_ahead_fetch(const struct lrd_engine *e, int database, const uint64_t *hash, int count)
{
  const struct lrd_index *index[LRD_AHEAD];

  for (int i = 0; i < count; i++) {
    index[i] = index_of(e, database, hash[i]);
    if (index[i])
      lrd_index_prefetch(index[i], hash[i]);
  }
  for (int i = 0; i < count; i++)
    if (index[i])
      lrd_index_prefetch_items(index[i], hash[i]);
}
