/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"

#include "memory/evict.h"
#include "memory/hold.h"
#include "memory/index_find.h"
#include "util/memory.h"

static const larder_memory *memory_of(const struct lrd_engine *e)
{
  return &e->account.memory;
}

/* Of what a reader may be looking at: index, entries. */
static const larder_memory *blocks_of(const struct lrd_engine *e)
{
  return &e->grace->memory;
}

static struct lrd_keyspace *keyspace_of(const struct lrd_at *at)
{
  return at->shard->database[at->database];
}

static inline larder_bytes item_key(const void *item)
{
  return lrd_entry_key(item);
}

/* --- timers ------------------------------------------------------------------ */

static int reserve_wheel(struct lrd_engine *e, struct lrd_shard *shard, int64_t now)
{
  if (shard->wheel)
    return 0;
  shard->wheel = lrd_allocate(memory_of(e), sizeof *shard->wheel);
  if (!shard->wheel)
    return -1;
  lrd_wheel_init(shard->wheel, now);
  return 0;
}

static void disarm(const struct lrd_at *at, struct lrd_entry *entry)
{
  struct lrd_timer *t = lrd_entry_timer(entry);

  if (!t || !t->link)
    return;
  lrd_wheel_disarm(at->shard->wheel, t);
  keyspace_of(at)->expiring--;
}

/* The entry has a timer, the shard a wheel. */
static void arm(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry,
                int64_t when)
{
  disarm(at, entry);
  lrd_wheel_arm(at->shard->wheel, lrd_entry_timer(entry), when);
  keyspace_of(at)->expiring++;
  lrd_maintenance_note(e, when);
}

/* --- entries ------------------------------------------------------------------ */

struct lrd_entry **lrd_keyspace_find(const struct lrd_at *at)
{
  struct lrd_keyspace *ks = keyspace_of(at);

  lrd_yield_point();
  return ks ? (struct lrd_entry **)(void *)lrd_index_find_by(&ks->index, at->hash, at->key,
                                                             item_key)
            : NULL;
}

static void expire_now(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry)
{
  larder_bytes argv[2] = { { "DEL", 3 }, at->key };

  at->shard->expired++;
  lrd_keyspace_changed(e, at, NULL, 1, e->partial ? 0 : 2, argv);
  lrd_keyspace_remove(e, at, entry, 1);
}

struct lrd_entry **lrd_keyspace_live(struct lrd_engine *e, const struct lrd_at *at, int64_t now)
{
  struct lrd_entry **place = lrd_keyspace_find(at);
  int64_t when;

  if (!place)
    return NULL;
  when = lrd_entry_expiry(*place);
  if (when < 0 || now <= when)
    return place;
  expire_now(e, at, *place);
  return e->partial ? lrd_keyspace_find(at) : NULL;
}

int lrd_keyspace_insert(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry)
{
  struct lrd_keyspace *ks = keyspace_of(at);

  if (!ks) {
    ks = lrd_allocate_zeroed(memory_of(e), 1, sizeof *ks);
    if (!ks)
      return -1;
    lrd_index_init(&ks->index, blocks_of(e), &e->hash_key, item_key);
    at->shard->database[at->database] = ks;
  }
  if (lrd_index_insert(&ks->index, at->hash, entry))
    return -1;
  ks->tombstones += entry->kind == LRD_NONE;
  lrd_evict_added(e, at, entry);
  return 0;
}

void lrd_keyspace_replace(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry **place,
                          struct lrd_entry *by)
{
  struct lrd_entry *old = *place;
  struct lrd_keyspace *ks = keyspace_of(at);

  ks->tombstones += (size_t)(by->kind == LRD_NONE) - (size_t)(old->kind == LRD_NONE);
  disarm(at, old);
  lrd_evict_replaced(old, by);
  *place = by;
  lrd_discard_entry(e, old);
}

/* In the same block, if that is not a large one. */
static void leave_tombstone(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry)
{
  struct lrd_entry *small = lrd_entry_size(entry) < LRD_DISCARD_LEAST_BYTES
                              ? NULL
                              : lrd_entry_new(memory_of(e), at->database, at->key, 0, 0);

  if (small) {
    lrd_keyspace_replace(e, at, lrd_keyspace_find(at), small);
    return;
  }
  disarm(at, entry);
  lrd_discard_value(e, entry);
  keyspace_of(at)->tombstones += entry->kind != LRD_NONE;
  lrd_entry_clear(memory_of(e), entry);
}

void lrd_keyspace_remove(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry,
                         int known)
{
  struct lrd_keyspace *ks = keyspace_of(at);

  if (e->partial && known) {
    leave_tombstone(e, at, entry);
    return;
  }
  disarm(at, entry);
  ks->tombstones -= entry->kind == LRD_NONE;
  lrd_index_remove(&ks->index, at->hash, entry);
  lrd_discard_entry(e, entry);
}

struct lrd_entry *lrd_keyspace_stage(struct lrd_engine *e, const struct lrd_at *at,
                                     larder_bytes value, int64_t when, int64_t now)
{
  struct lrd_entry *entry;

  if (when >= 0 && reserve_wheel(e, at->shard, now))
    return NULL;
  entry = lrd_entry_new(memory_of(e), at->database, at->key, lrd_entry_room(value), when >= 0);
  if (entry)
    lrd_entry_set_string(entry, value);
  return entry;
}

int lrd_keyspace_commit(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *staged,
                        int64_t when)
{
  struct lrd_entry **place = lrd_keyspace_find(at);

  if (place) {
    lrd_evict_used(e, *place, -1);
    lrd_keyspace_replace(e, at, place, staged);
  } else if (lrd_keyspace_insert(e, at, staged)) {
    return -1;
  }
  if (when >= 0)
    arm(e, at, staged, when);
  return 0;
}

/* In place: a text over a text, no expiry before or after, as most writes are. */
static inline int overwrite_text(struct lrd_engine *e, struct lrd_entry *entry, larder_bytes value,
                                 int64_t when)
{
  if (when >= 0 || entry->kind != LRD_STRING || !entry->text.capacity ||
      entry->flags & (LRD_ENTRY_TIMER | LRD_ENTRY_INTEGER | LRD_ENTRY_DELTA) ||
      !lrd_entry_fits(entry, value))
    return 0;
  entry->flags = 0;
  entry->text.len = (uint32_t)value.len;
  if (value.len)
    memcpy(lrd_entry_text(entry), value.data, value.len);
  lrd_evict_used(e, entry, -1);
  return 1;
}

/* In place, where the block can stay. */
static int overwrite(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry,
                     larder_bytes value, int64_t when)
{
  if (!lrd_entry_fits(entry, value) || (when >= 0 && !lrd_entry_timer(entry)))
    return 0;
  keyspace_of(at)->tombstones -= entry->kind == LRD_NONE;
  disarm(at, entry);
  lrd_discard_value(e, entry);
  lrd_entry_clear(memory_of(e), entry);
  lrd_entry_set_string(entry, value);
  if (when >= 0)
    arm(e, at, entry, when);
  lrd_evict_used(e, entry, -1);
  return 1;
}

struct lrd_entry *lrd_keyspace_put(struct lrd_engine *e, const struct lrd_at *at,
                                   larder_bytes value, int64_t when, int64_t now)
{
  struct lrd_entry **place = lrd_keyspace_find(at);
  struct lrd_entry *entry = place ? *place : NULL;

  if (entry && overwrite_text(e, entry, value, when))
    return entry;
  if (when >= 0 && reserve_wheel(e, at->shard, now))
    return NULL;
  if (entry && overwrite(e, at, entry, value, when))
    return entry;
  entry = lrd_keyspace_stage(e, at, value, when, now);
  if (entry && lrd_keyspace_commit(e, at, entry, when)) {
    lrd_entry_free(memory_of(e), entry);
    return NULL;
  }
  return entry;
}

int lrd_keyspace_bury(struct lrd_engine *e, const struct lrd_at *at)
{
  struct lrd_entry *entry = lrd_entry_new(memory_of(e), at->database, at->key, 0, 0);

  if (!entry)
    return -1;
  if (lrd_keyspace_insert(e, at, entry)) {
    lrd_entry_free(memory_of(e), entry);
    return -1;
  }
  return 0;
}

/* The same value in another block; a text that had none gets capacity. */
static struct lrd_entry *reblock(struct lrd_engine *e, const struct lrd_at *at,
                                 struct lrd_entry *old, size_t capacity, int timer)
{
  struct lrd_entry *entry = lrd_entry_new(memory_of(e), at->database, at->key, capacity, timer);
  char number[LRD_NUMBER_SIZE];
  larder_bytes text;
  int64_t when = lrd_entry_expiry(old);

  if (!entry)
    return NULL;
  entry->kind = old->kind;
  entry->flags |= old->flags & (LRD_ENTRY_DELTA | LRD_ENTRY_RAW);
  if (lrd_kind_type(old->kind)) {
    entry->value = old->value;
    old->value = NULL;
  } else if ((old->flags & LRD_ENTRY_INTEGER) && !capacity) {
    entry->flags |= LRD_ENTRY_INTEGER;
    entry->integer = old->integer;
  } else {
    text = lrd_entry_string(old, number);
    entry->text.len = (uint32_t)text.len;
    if (text.len)
      memcpy(lrd_entry_text(entry), text.data, text.len);
  }
  lrd_keyspace_replace(e, at, lrd_keyspace_find(at), entry);
  if (when >= 0)
    arm(e, at, entry, when);
  return entry;
}

int lrd_keyspace_reserve_timer(struct lrd_engine *e, const struct lrd_at *at,
                               struct lrd_entry **entry, int64_t now)
{
  struct lrd_entry *moved;

  if (reserve_wheel(e, at->shard, now))
    return -1;
  if (lrd_entry_timer(*entry))
    return 0;
  moved = reblock(e, at, *entry, lrd_entry_has_text(*entry) ? (*entry)->text.capacity : 0, 1);
  if (!moved)
    return -1;
  *entry = moved;
  return 0;
}

int lrd_keyspace_expire(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry **entry,
                        int64_t when, int64_t now)
{
  if (when < 0) {
    disarm(at, *entry);
    return 0;
  }
  if (lrd_keyspace_reserve_timer(e, at, entry, now))
    return -1;
  arm(e, at, *entry, when);
  return 0;
}

int lrd_keyspace_widen(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry **entry,
                       size_t capacity)
{
  struct lrd_entry **place = lrd_keyspace_find(at), *moved;

  if (!((*entry)->flags & LRD_ENTRY_INTEGER)) {
    moved = *entry;
    if (moved->text.capacity < capacity)
      moved = lrd_entry_resize(blocks_of(e), moved, capacity);
    if (moved)
      *place = moved;
  } else {
    moved = reblock(e, at, *entry, capacity, lrd_entry_timer(*entry) != NULL);
  }
  if (!moved)
    return -1;
  moved->flags |= LRD_ENTRY_RAW;
  *entry = moved;
  return 0;
}

int lrd_keyspace_set_integer(struct lrd_engine *e, const struct lrd_at *at,
                             struct lrd_entry *entry, int64_t value)
{
  struct lrd_entry *moved;
  int64_t when = lrd_entry_expiry(entry);

  if (entry->flags & LRD_ENTRY_INTEGER) {
    entry->integer = value;
    return 0;
  }
  moved = lrd_entry_new(memory_of(e), at->database, at->key, 0, when >= 0);
  if (!moved)
    return -1;
  moved->kind = LRD_STRING;
  moved->flags |= LRD_ENTRY_INTEGER | (entry->flags & LRD_ENTRY_DELTA);
  moved->integer = value;
  lrd_keyspace_replace(e, at, lrd_keyspace_find(at), moved);
  if (when >= 0)
    arm(e, at, moved, when);
  return 0;
}

/* --- telling ------------------------------------------------------------------ */

int lrd_keyspace_knows(const struct lrd_engine *e, const struct lrd_at *at)
{
  struct lrd_entry **place;

  if (!e->partial)
    return 1;
  place = lrd_keyspace_find(at);
  return place && !((*place)->flags & LRD_ENTRY_DELTA);
}

void lrd_keyspace_tell(struct lrd_engine *e, const struct lrd_at *at, void *note, int complete,
                       int argc, const larder_bytes *argv)
{
  if (at->shard->watched.count)
    lrd_hold_touch(at);
  if (e->observer.changed) {
    larder_intent intent = { .note = note,
                             .database = (int)at->database,
                             .key = at->key,
                             .complete = complete,
                             .argc = argc,
                             .argv = argc ? argv : NULL };
    e->observer.changed(e->observer.context, &intent);
  }
}

size_t lrd_keyspace_count(const struct lrd_shard *shard, unsigned database)
{
  const struct lrd_keyspace *ks = shard->database[database];
  return ks ? ks->index.count - ks->tombstones : 0;
}

/* --- whole databases ----------------------------------------------------------- */

static void disarm_item(void *context, void *item)
{
  struct lrd_timer *t = lrd_entry_timer(item);
  if (t)
    lrd_wheel_disarm(context, t);
}

static void free_item(void *context, void *item)
{
  const struct lrd_engine *e = context;

  lrd_entry_clear(memory_of(e), item);
  lrd_entry_free(blocks_of(e), item);
}

static void visit_all(struct lrd_keyspace *ks, lrd_index_visit *visit, const void *context)
{
  uint64_t cursor = 0;

  do
    cursor = lrd_index_scan(&ks->index, cursor, visit, (void *)(uintptr_t)context);
  while (cursor);
}

struct lrd_keyspace *lrd_keyspace_detach(struct lrd_shard *shard, unsigned database)
{
  struct lrd_keyspace *ks = shard->database[database];

  if (!ks)
    return NULL;
  lrd_hold_touch_database(shard, database);
  shard->database[database] = NULL;
  if (shard->wheel && shard->wheel->armed == ks->expiring) {
    ks->wheel = shard->wheel;
    shard->wheel = NULL;
  } else if (ks->expiring) {
    visit_all(ks, disarm_item, shard->wheel);
  }
  return ks;
}

void lrd_keyspace_free(struct lrd_engine *e, struct lrd_keyspace *ks)
{
  if (!ks)
    return;
  visit_all(ks, free_item, e);
  lrd_index_free(&ks->index);
  lrd_release(memory_of(e), ks->wheel, sizeof *ks->wheel);
  lrd_release(blocks_of(e), ks, sizeof *ks);
}

/* --- reclaiming ------------------------------------------------------------------ */

struct reclaim {
  struct lrd_engine *engine;
  struct lrd_shard *shard;
};

static void due(void *context, struct lrd_timer *t)
{
  struct reclaim *r = context;
  struct lrd_entry *entry = lrd_entry_of_timer(t);
  struct lrd_at at = { r->shard, entry->database, lrd_entry_key(entry), 0 };

  at.hash = lrd_key_hash(r->engine, at.key);
  keyspace_of(&at)->expiring--;
  expire_now(r->engine, &at, entry);
}

/* Its entry is on its way by then; where the index has it may be far from there. */
static void soon(void *context, struct lrd_timer *t)
{
  struct reclaim *r = context;
  const struct lrd_entry *entry = lrd_entry_of_timer(t);

  lrd_index_prefetch(&r->shard->database[entry->database]->index,
                     lrd_key_hash(r->engine, lrd_entry_key(entry)));
}

size_t lrd_shard_reclaim(struct lrd_engine *e, struct lrd_shard *shard, int64_t now, size_t budget)
{
  struct reclaim r = { e, shard };

  return shard->wheel ? lrd_wheel_advance(shard->wheel, now, budget, due, soon, &r) : budget;
}

struct overdue {
  unsigned database;
  size_t count;
};

static void count_overdue(void *context, struct lrd_timer *t)
{
  struct overdue *o = context;

  o->count += lrd_entry_of_timer(t)->database == o->database;
}

size_t lrd_keyspace_count_live(struct lrd_engine *e, struct lrd_shard *shard, unsigned database,
                               int64_t now)
{
  struct overdue overdue = { database, 0 };

  (void)lrd_shard_reclaim(e, shard, now, SIZE_MAX);
  if (shard->wheel)
    lrd_wheel_overdue(shard->wheel, now, count_overdue, &overdue);
  return lrd_keyspace_count(shard, database) - overdue.count;
}
