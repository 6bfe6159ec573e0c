/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/check.h"

#include "memory/evict.h"
#include "memory/hash.h"
#include "memory/list.h"
#include "memory/set.h"
#include "memory/stream.h"
#include "memory/zset.h"

/* What is counted in one keyspace. */
struct walk {
  struct lrd_engine *engine;
  struct lrd_shard *shard;
  unsigned database;
  size_t items, tombstones, expiring;
  const char *wrong;
};

static const char *check_value(const struct lrd_entry *entry)
{
  switch (entry->kind) {
  case LRD_LIST:
    return lrd_list_check(entry->value);
  case LRD_SET_KIND:
    return lrd_set_check(entry->value);
  case LRD_ZSET:
    return lrd_zset_check(entry->value);
  case LRD_HASH:
    return lrd_hash_check(entry->value);
  case LRD_STREAM:
    return lrd_xstream_check(entry->value);
  case LRD_STRING:
    if (!(entry->flags & LRD_ENTRY_INTEGER) && entry->text.len > entry->text.capacity)
      return "a text is longer than its room";
    return NULL;
  case LRD_NONE:
    return NULL;
  default:
    return "a kind that there is not";
  }
}

static const char *check_entry(struct walk *w, const struct lrd_entry *entry)
{
  struct lrd_at at = { w->shard, w->database, lrd_entry_key(entry), 0 };
  struct lrd_entry **place;

  at.hash = lrd_key_hash(w->engine, at.key);
  if (entry->database != w->database)
    return "an entry says another database";
  if (lrd_shard_of(w->engine, at.hash) != w->shard)
    return "a key is in the wrong shard";
  place = lrd_keyspace_find(&at);
  if (!place || *place != entry)
    return "a key is there twice, or can't be found";
  if (!w->engine->partial && (entry->kind == LRD_NONE || (entry->flags & LRD_ENTRY_DELTA)))
    return "a complete engine holds what is not known";
  if (lrd_entry_is_empty(entry) && !(entry->flags & LRD_ENTRY_DELTA))
    return "an empty collection";
  return check_value(entry);
}

static void visit(void *context, void *item)
{
  struct walk *w = context;
  const struct lrd_entry *entry = item;

  w->items++;
  w->tombstones += entry->kind == LRD_NONE;
  w->expiring += lrd_entry_expiry(entry) >= 0;
  if (!w->wrong)
    w->wrong = check_entry(w, entry);
}

static const char *check_keyspace(struct lrd_engine *e, struct lrd_shard *shard,
                                  unsigned database, size_t *expiring)
{
  struct lrd_keyspace *ks = shard->database[database];
  struct walk w = { .engine = e, .shard = shard, .database = database };
  uint64_t cursor = 0;

  if (!ks)
    return NULL;
  if ((w.wrong = lrd_index_check(&ks->index)))
    return w.wrong;
  do
    cursor = lrd_index_scan(&ks->index, cursor, visit, &w);
  while (cursor);
  if (w.wrong)
    return w.wrong;
  if (w.items != ks->index.count)
    return "a scan does not see what the index counts";
  if (w.tombstones != ks->tombstones)
    return "the count of tombstones is wrong";
  if (w.expiring != ks->expiring)
    return "the count of expiring keys is wrong";
  *expiring += w.expiring;
  return NULL;
}

static const char *check_shard(struct lrd_engine *e, struct lrd_shard *shard)
{
  size_t expiring = 0;
  const char *wrong = lrd_index_check(&shard->watched);

  for (unsigned d = 0; d < LRD_DATABASES && !wrong; d++)
    wrong = check_keyspace(e, shard, d, &expiring);
  if (!wrong)
    wrong = lrd_evict_check(e, shard);
  if (wrong)
    return wrong;
  if (!shard->wheel)
    return expiring ? "keys expire without a wheel" : NULL;
  if (shard->wheel->armed != expiring)
    return "not as many timers as keys that expire";
  return lrd_wheel_check(shard->wheel);
}

const char *lrd_engine_check(struct lrd_engine *e)
{
  const char *wrong = NULL;

  for (unsigned i = 0; i < e->shards && !wrong; i++) {
    lrd_latch_take(&e->shard[i].lock);
    wrong = check_shard(e, &e->shard[i]);
    lrd_latch_drop(&e->shard[i].lock);
  }
  return wrong;
}
