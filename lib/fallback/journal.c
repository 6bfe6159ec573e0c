/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/journal.h"

#include <string.h>
#include <time.h>

#include "fallback/fold.h"
#include "util/hash.h"
#include "util/memory.h"

enum { HALF_TOLD_NAPS = 100, FIRST_SLOTS = 64, RECORD_ROOM = sizeof(struct lrd_record) + 16, PURSE_HEAD = 32 };
_Static_assert(sizeof(struct lrd_purse) <= PURSE_HEAD, "a purse's head has its room");

/* --- purses -------------------------------------------------------------- */

static void purse_drop(struct lrd_journal *j, struct lrd_purse *purse)
{
  if (--purse->references)
    return;
  atomic_fetch_sub_explicit(&j->bytes, purse->size, memory_order_relaxed);
  lrd_release(j->memory, purse, purse->size);
}

/* What lrd_journal_reserve made room for: it can't run out. */
static void *carve(struct lrd_purse *purse, size_t size)
{
  char *at = (char *)purse + purse->used;

  purse->used += (size + 15) & ~(size_t)15;
  purse->references++;
  return at;
}

static const char *carve_bytes(char *at, larder_bytes b)
{
  if (b.len)
    memcpy(at, b.data, b.len);
  return at;
}

/* --- the two indexes ------------------------------------------------------ */

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

static void grow_ops(struct lrd_journal *j)
{
  size_t slots = j->op_slots * 2;
  struct lrd_op **index = lrd_allocate_zeroed(j->memory, slots, sizeof *index);

  if (!index)
    return;
  for (size_t i = 0; i < j->op_slots; i++) {
    for (struct lrd_op *op = j->op_index[i], *next; op; op = next) {
      next = op->chain;
      op->chain = index[op->hash & (slots - 1)];
      index[op->hash & (slots - 1)] = op;
    }
  }
  lrd_release(j->memory, j->op_index, j->op_slots * sizeof *index);
  j->op_index = index;
  j->op_slots = slots;
}

static uint64_t hash_bytes(const struct lrd_journal *j, larder_bytes b, uint64_t salt)
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
  uint64_t hash = hash_bytes(j, key, (uint64_t)database);
  struct lrd_record *r = j->record_index[hash & (j->record_slots - 1)];

  while (r && !(same_key(r, hash, database, key) && (frozen_too || !r->frozen)))
    r = r->chain;
  return r;
}

static uint64_t op_hash(const struct lrd_journal *j, const struct lrd_record *r, larder_bytes sub)
{
  return hash_bytes(j, sub, (uint64_t)(uintptr_t)r);
}

struct lrd_op *lrd_journal_find_op(struct lrd_journal *j, struct lrd_record *r, larder_bytes sub)
{
  uint64_t hash = op_hash(j, r, sub);
  struct lrd_op *op = j->op_index[hash & (j->op_slots - 1)];

  while (op && !(op->hash == hash && op->record == r && op->sub_len == sub.len &&
                 (!sub.len || !memcmp(op->sub, sub.data, sub.len))))
    op = op->chain;
  return op;
}

static void unindex_op(struct lrd_journal *j, struct lrd_op *op)
{
  struct lrd_op **at = &j->op_index[op->hash & (j->op_slots - 1)];

  if (!op->indexed)
    return;
  while (*at != op)
    at = &(*at)->chain;
  *at = op->chain;
  op->indexed = 0;
  j->ops--;
}

/* --- ops ------------------------------------------------------------------ */

void lrd_journal_index_op(struct lrd_journal *j, struct lrd_op *op)
{
  larder_bytes sub = { op->sub, op->sub_len };

  if (j->ops >= j->op_slots)
    grow_ops(j);
  op->hash = op_hash(j, op->record, sub);
  op->chain = j->op_index[op->hash & (j->op_slots - 1)];
  j->op_index[op->hash & (j->op_slots - 1)] = op;
  op->indexed = 1;
  j->ops++;
}

static void link_op(struct lrd_record *r, struct lrd_op *op, struct lrd_op *before)
{
  op->next = before;
  op->previous = before ? before->previous : r->last;
  *(op->previous ? &op->previous->next : &r->first) = op;
  *(before ? &before->previous : &r->last) = op;
}

struct lrd_op *lrd_journal_add_op(struct lrd_journal *j, struct lrd_record *r,
                                  struct lrd_purse *purse, const struct lrd_op *content,
                                  struct lrd_op *instead, int indexed)
{
  struct lrd_op *op = carve(purse, sizeof *op + content->sub_len + content->value_len), *known;
  larder_bytes sub = { content->sub, content->sub_len };
  larder_bytes value = { content->value, content->value_len };

  *op = *content;
  op->purse = purse;
  op->record = r;
  op->generation = r->generation;
  op->sub = carve_bytes((char *)(op + 1), sub);
  op->value = carve_bytes((char *)(op + 1) + sub.len, value);
  op->indexed = op->chained = 0;
  op->before = NULL;
  link_op(r, op, instead);
  r->generation_ops++;
  if (instead) {
    op->before = instead->before;
    if (r->anchor == instead)
      r->anchor = op;
    lrd_journal_remove_op(j, r, instead);
  }
  if (indexed) {
    known = lrd_journal_find_op(j, r, sub);
    if (known) {
      unindex_op(j, known);
      op->chained = known->generation == op->generation;
      op->before = known;
    }
    lrd_journal_index_op(j, op);
  }
  return op;
}

void lrd_journal_remove_op(struct lrd_journal *j, struct lrd_record *r, struct lrd_op *op)
{
  unindex_op(j, op);
  *(op->previous ? &op->previous->next : &r->first) = op->next;
  *(op->next ? &op->next->previous : &r->last) = op->previous;
  if (r->expiry == op)
    r->expiry = NULL;
  if (r->anchor == op)
    r->anchor = NULL;
  if (op->generation == r->generation)
    r->generation_ops--;
  purse_drop(j, op->purse);
}

void lrd_journal_clear_ops(struct lrd_journal *j, struct lrd_record *r)
{
  while (r->first)
    lrd_journal_remove_op(j, r, r->first);
  r->generation = 0;
  r->generation_ops = 0;
}

/* --- records and groups ---------------------------------------------------- */

static struct lrd_record *new_record(struct lrd_journal *j, struct lrd_purse *purse, int database,
                                     larder_bytes key)
{
  struct lrd_record *r = carve(purse, sizeof *r + key.len);

  memset(r, 0, sizeof *r);
  r->purse = purse;
  r->leader = r->ring = r;
  r->since = lrd_monotonic(j->clock);
  r->database = database;
  r->key = carve_bytes((char *)(r + 1), key);
  r->key_len = key.len;
  r->hash = hash_bytes(j, key, (uint64_t)database);
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

static struct lrd_purse *new_purse(struct lrd_journal *j, size_t size)
{
  struct lrd_purse *purse;

  size += PURSE_HEAD;
  purse = lrd_allocate(j->memory, size);
  if (!purse)
    return NULL;
  *purse = (struct lrd_purse){ .references = 1, .size = size, .used = PURSE_HEAD };
  atomic_fetch_add_explicit(&j->bytes, size, memory_order_relaxed);
  return purse;
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
  if (atomic_load(&j->bytes) + room.size + ops + 2 * PURSE_HEAD > j->limit_bytes ||
      atomic_load(&j->keys) >= j->limit_keys)
    return LARDER_REFUSED;
  note->purse = new_purse(j, ops);
  note->records = new_purse(j, room.size);
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
    purse_drop(j, note->purse);
  if (note->records)
    purse_drop(j, note->records);
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
  while (r->first && r->whole)
    lrd_journal_remove_op(j, r, r->first);
  for (struct lrd_op *op = r->first; op; op = op->next)
    unindex_op(j, op);
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
  purse_drop(j, r->purse);
}

uint64_t lrd_journal_drop(struct lrd_journal *j, struct lrd_record *frozen)
{
  uint64_t writes = 0;

  lrd_lock(&j->lock);
  for (struct lrd_record *r = frozen, *next; r; r = next) {
    next = r->next;
    writes += r->writes;
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
