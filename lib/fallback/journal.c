/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/journal.h"

#include <string.h>
#include <time.h>

#include "fallback/fold.h"
#include "util/hash.h"
#include "util/memory.h"

enum { HALF_TOLD_NAPS = 100, FIRST_SLOTS = 64, RECORD_ROOM = sizeof(struct lrd_record) + 16 };

/* How many ops are dropped before the lock is let go for a moment. */
enum { DROPPED_AT_ONCE = 512 };

/* --- the index ------------------------------------------------------------ */

/* Doubling that may fail: chains grow longer then, nothing is lost. */
static void grow_records(struct lrd_journal *j)
{
  size_t slots = j->record_slots * 2;
  struct lrd_record **index = lrd_allocate_zeroed(j->memory, slots, sizeof *index);

  if (!index)
    return;
  for (size_t i = 0; i < j->record_slots; i++) {
    for (struct lrd_record *r = j->record_index[i], *next; r; r = next) {
      next = r->chain;
      r->chain = index[r->hash & (slots - 1)];
      index[r->hash & (slots - 1)] = r;
    }
  }
  lrd_release(j->memory, j->record_index, j->record_slots * sizeof *index);
  j->record_index = index;
  j->record_slots = slots;
}

uint64_t lrd_journal_hash(const struct lrd_journal *j, larder_bytes b, uint64_t salt)
{
  struct lrd_hash_key key = { j->seed[0] ^ salt, j->seed[1] };

  return lrd_hash(&key, b.data, b.len);
}

static int same_key(const struct lrd_record *r, uint64_t hash, int database, larder_bytes key)
{
  return r->hash == hash && r->database == database && r->key_len == key.len &&
         (!key.len || !memcmp(r->key, key.data, key.len));
}

/* The record that takes new writes (frozen 0), or any record of the key. */
static struct lrd_record *find_record(struct lrd_journal *j, int database, larder_bytes key,
                                      int frozen_too)
{
  uint64_t hash = lrd_journal_hash(j, key, (uint64_t)database);
  struct lrd_record *r = j->record_index[hash & (j->record_slots - 1)];

  while (r && !(same_key(r, hash, database, key) && (frozen_too || !r->frozen)))
    r = r->chain;
  return r;
}

/* --- records and groups ---------------------------------------------------- */

static struct lrd_record *new_record(struct lrd_journal *j, struct lrd_purse *purse, int database,
                                     larder_bytes key)
{
  struct lrd_record *r = lrd_purse_carve(purse, sizeof *r + key.len);

  memset(r, 0, sizeof *r);
  r->purse = purse;
  r->leader = r->ring = r;
  r->since = lrd_monotonic(j->clock);
  r->database = database;
  r->key = lrd_purse_bytes((char *)(r + 1), key);
  r->key_len = key.len;
  r->hash = lrd_journal_hash(j, key, (uint64_t)database);
  if (atomic_load_explicit(&j->keys, memory_order_relaxed) >= j->record_slots)
    grow_records(j);
  r->chain = j->record_index[r->hash & (j->record_slots - 1)];
  j->record_index[r->hash & (j->record_slots - 1)] = r;
  r->previous = j->newest;
  *(j->newest ? &j->newest->next : &j->oldest) = r;
  j->newest = r;
  atomic_fetch_add(&j->keys, 1);
  return r;
}

static struct lrd_record *leader_of(struct lrd_record *r)
{
  while (r->leader != r) {
    r->leader = r->leader->leader;
    r = r->leader;
  }
  return r;
}

static void join_groups(struct lrd_record *a, struct lrd_record *b)
{
  struct lrd_record *la = leader_of(a), *lb = leader_of(b), *ring;

  if (la == lb)
    return;
  lb->leader = la;
  ring = a->ring;
  a->ring = b->ring;
  b->ring = ring;
}

/* --- the observer ----------------------------------------------------------- */

void lrd_journal_changed(void *context, const larder_intent *intent)
{
  struct lrd_journal *j = context;
  struct lrd_note *note = intent->note;
  struct lrd_record *r;

  lrd_lock(&j->lock);
  r = find_record(j, intent->database, intent->key, 0);
  if (!note || !note->purse) {
    /* Nobody wrote: the key expired.  Only what is still unsent must change. */
    if (r && !r->drop) {
      lrd_journal_clear_ops(j, r);
      r->whole = 1;
    }
    lrd_unlock(&j->lock);
    return;
  }
  if (!r)
    r = new_record(j, note->records, intent->database, intent->key);
  note->changes++;
  r->writes++;
  j->writes++;
  if (note->grouped) {
    if (note->group)
      join_groups(note->group, r);
    note->group = r;
  }
  if (j->drop) {
    r->drop = 1;
  } else if (intent->complete) {
    lrd_journal_clear_ops(j, r);
    r->whole = 1;
  } else if (!r->whole) {
    lrd_fold(j, r, note->purse, intent);
  }
  lrd_unlock(&j->lock);
}

int lrd_journal_pending(struct lrd_journal *j, int database, larder_bytes key)
{
  int pending;

  if (!atomic_load_explicit(&j->keys, memory_order_acquire))
    return 0;
  lrd_lock(&j->lock);
  pending = find_record(j, database, key, 1) != NULL;
  lrd_unlock(&j->lock);
  return pending;
}

int lrd_journal_may_forget(void *journal, int database, larder_bytes key)
{
  struct lrd_journal *j = journal;
  int wanted;

  lrd_lock(&j->lock);
  wanted = find_record(j, database, key, 0) != NULL;
  lrd_unlock(&j->lock);
  return !wanted;
}

/* --- reserving ---------------------------------------------------------------- */

struct room {
  const larder_vector *vector;
  size_t size;
};

static void add_key(void *context, int index)
{
  struct room *room = context;

  room->size += ((size_t)RECORD_ROOM + room->vector->argv[index].len + 15) & ~(size_t)15;
}

larder_outcome lrd_journal_reserve(struct lrd_journal *j, struct lrd_note *note,
                                   const larder_vector *vectors, size_t count, int grouped)
{
  struct room room = { 0 };
  size_t ops = 0;

  memset(note, 0, sizeof *note);
  note->grouped = grouped;
  for (size_t i = 0; i < count; i++) {
    room.vector = &vectors[i];
    lrd_command_keys(&vectors[i], add_key, &room);
    ops += lrd_fold_size(&vectors[i]);
  }
  if (atomic_load(&j->bytes) + room.size + ops + 2 * LRD_PURSE_HEAD > j->limit_bytes ||
      atomic_load(&j->keys) >= j->limit_keys)
    return LARDER_REFUSED;
  note->purse = lrd_purse_new(j, ops);
  note->records = lrd_purse_new(j, room.size);
  if (note->purse && note->records) {
    lrd_lock(&j->lock);
    note->half_told = grouped != 0;
    j->half_told += grouped != 0;
    lrd_unlock(&j->lock);
    return LARDER_OK;
  }
  lrd_journal_release(j, note);
  return LARDER_NO_MEMORY;
}

void lrd_journal_release(struct lrd_journal *j, struct lrd_note *note)
{
  lrd_lock(&j->lock);
  if (note->purse)
    lrd_purse_drop(j, note->purse);
  if (note->records)
    lrd_purse_drop(j, note->records);
  j->half_told -= note->half_told != 0;
  note->half_told = 0;
  lrd_unlock(&j->lock);
  note->purse = note->records = NULL;
}

/* --- freezing ------------------------------------------------------------------ */

static void freeze_one(struct lrd_journal *j, struct lrd_record *r, struct lrd_record **list)
{
  *(r->previous ? &r->previous->next : &j->oldest) = r->next;
  *(r->next ? &r->next->previous : &j->newest) = r->previous;
  r->frozen = 1;
  r->previous = NULL;
  r->next = *list;
  *list = r;
}

static size_t freeze_group(struct lrd_journal *j, struct lrd_record *first,
                           struct lrd_record **list)
{
  struct lrd_record *r = first;
  size_t n = 0;

  do {
    freeze_one(j, r, list);
    r = r->ring;
    n++;
  } while (r != first);
  return n;
}

/* With the lock held, let go meanwhile. */
static int all_told(struct lrd_journal *j)
{
  static const struct timespec nap = { 0, 100000 };

  for (int i = 0; i < HALF_TOLD_NAPS && j->half_told; i++) {
    lrd_unlock(&j->lock);
    nanosleep(&nap, NULL);
    lrd_lock(&j->lock);
  }
  return !j->half_told;
}

struct lrd_record *lrd_journal_freeze(struct lrd_journal *j, int database, larder_bytes key,
                                      size_t max)
{
  struct lrd_record *list = NULL, *r;
  size_t n = 0;

  lrd_lock(&j->lock);
  if (!all_told(j)) {
    lrd_unlock(&j->lock);
    return NULL;
  }
  if (key.data) {
    r = find_record(j, database, key, 0);
    if (r)
      n += freeze_group(j, r, &list);
  }
  while (n < max) {
    r = j->oldest;
    while (r && (r->database != database || r->frozen))
      r = r->next;
    if (!r)
      break;
    n += freeze_group(j, r, &list);
  }
  lrd_unlock(&j->lock);
  return list;
}

static void free_record(struct lrd_journal *j, struct lrd_record *r)
{
  struct lrd_record **at = &j->record_index[r->hash & (j->record_slots - 1)];

  while (*at != r)
    at = &(*at)->chain;
  *at = r->chain;
  lrd_journal_clear_ops(j, r);
  j->writes -= r->writes;
  atomic_fetch_sub(&j->keys, 1);
  lrd_purse_drop(j, r->purse);
}

/* Nobody but us knows a frozen record's ops. */
static void drop_ops(struct lrd_journal *j, struct lrd_record *r)
{
  for (size_t n = 1; r->first; n++) {
    lrd_journal_remove_op(j, r, r->first);
    if (n % DROPPED_AT_ONCE)
      continue;
    lrd_unlock(&j->lock);
    lrd_lock(&j->lock);
  }
}

uint64_t lrd_journal_drop(struct lrd_journal *j, struct lrd_record *frozen)
{
  uint64_t writes = 0;

  lrd_lock(&j->lock);
  for (struct lrd_record *r = frozen, *next; r; r = next) {
    next = r->next;
    writes += r->writes;
    drop_ops(j, r);
    free_record(j, r);
  }
  lrd_unlock(&j->lock);
  return writes;
}

int64_t lrd_journal_age(struct lrd_journal *j)
{
  int64_t age = -1;

  lrd_lock(&j->lock);
  if (j->oldest)
    age = lrd_monotonic(j->clock) - j->oldest->since;
  lrd_unlock(&j->lock);
  return age;
}

/* --- life ------------------------------------------------------------------------ */

int lrd_journal_init(struct lrd_journal *j, const larder_memory *memory, const larder_clock *clock,
                     size_t limit_bytes, size_t limit_keys, int drop)
{
  memset(j, 0, sizeof *j);
  j->memory = memory;
  j->clock = clock;
  j->limit_bytes = limit_bytes;
  j->limit_keys = limit_keys;
  j->drop = drop;
  j->record_slots = j->op_slots = FIRST_SLOTS;
  if (lrd_random(j->seed, sizeof j->seed) || lrd_lock_init(&j->lock, LRD_RANK_JOURNAL, 0))
    return -1;
  j->record_index = lrd_allocate_zeroed(memory, j->record_slots, sizeof(void *));
  j->op_index = lrd_allocate_zeroed(memory, j->op_slots, sizeof(void *));
  if (j->record_index && j->op_index)
    return 0;
  lrd_journal_destroy(j);
  return -1;
}

void lrd_journal_destroy(struct lrd_journal *j)
{
  for (size_t i = 0; j->record_index && i < j->record_slots; i++)
    while (j->record_index[i])
      free_record(j, j->record_index[i]);
  lrd_release(j->memory, j->record_index, j->record_slots * sizeof(void *));
  lrd_release(j->memory, j->op_index, j->op_slots * sizeof(void *));
  j->record_index = NULL;
  j->op_index = NULL;
  lrd_lock_destroy(&j->lock);
}
