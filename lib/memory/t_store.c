/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_types.h"

#include "memory/t_engine.h"

/* The entry is in no index yet. */
static struct lrd_entry *stage(struct lrd_exec *x, const struct lrd_at *at, enum lrd_kind kind,
                               void *value, int64_t expiry)
{
  struct lrd_entry *entry =
      lrd_keyspace_stage(x->engine, at, (larder_bytes){ "0", 1 }, expiry, lrd_now(x));

  if (!entry)
    return NULL;
  entry->kind = kind & 15;
  entry->flags &= LRD_ENTRY_TIMER;
  entry->value = value;
  return entry;
}

int lrd_store(struct lrd_exec *x, larder_bytes key, enum lrd_kind kind, void *value,
              int64_t expiry)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  struct lrd_entry *entry;
  struct lrd_at at;

  if (!value)
    return lrd_delete(x, key) >= 0;
  (void)lrd_peek(x, key);
  at = lrd_at(x, key);
  entry = stage(x, &at, kind, value, expiry);
  if (entry && lrd_keyspace_commit(x->engine, &at, entry, expiry) == 0) {
    lrd_changed(x, key, 0, NULL);
    return 1;
  }
  if (entry)
    lrd_entry_free(memory, entry);
  else
    lrd_kind_type(kind)->destroy(memory, value);
  lrd_no_memory(x);
  return 0;
}
