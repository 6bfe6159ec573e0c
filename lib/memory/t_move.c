/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/clone.h"
#include "memory/evict.h"
#include "memory/hold.h"
#include "memory/shard.h"
#include "memory/t_engine.h"

/* Values that change their place: to another key, to another database. */

/* --- placing --------------------------------------------------------------------------- */

static struct lrd_entry *stage_string(struct lrd_exec *x, const struct lrd_at *at,
                                      const struct lrd_entry *from)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes text = lrd_entry_string(from, number);

  return from->flags & LRD_ENTRY_RAW
           ? lrd_stage_text(x, at, text, lrd_entry_expiry(from))
           : lrd_keyspace_stage(x->engine, at, text, lrd_entry_expiry(from), lrd_now(x));
}

/* The entry's value under another key, in a block that is not in any index yet; value: of a
 * collection.  NULL: no memory. */
static struct lrd_entry *stage(struct lrd_exec *x, const struct lrd_at *at,
                               const struct lrd_entry *from, void *value)
{
  struct lrd_entry *entry;

  if (from->kind == LRD_STRING)
    return stage_string(x, at, from);
  entry = lrd_keyspace_stage(x->engine, at, (larder_bytes){ "0", 1 }, lrd_entry_expiry(from),
                             lrd_now(x));
  if (!entry)
    return NULL;
  entry->kind = from->kind;
  entry->flags &= LRD_ENTRY_TIMER;
  entry->value = value;
  return entry;
}

/* Puts the entry's value where at says, with its expiry.  0: no memory, and nothing has
 * changed; value is still the caller's. */
static int place(struct lrd_exec *x, const struct lrd_at *at, const struct lrd_entry *from,
                 void *value)
{
  int64_t when = lrd_entry_expiry(from);
  struct lrd_entry *entry = stage(x, at, from, value);

  if (entry && !lrd_keyspace_commit(x->engine, at, entry, when))
    return 1;
  if (entry) {
    if (lrd_kind_type(entry->kind))
      entry->value = NULL;
    lrd_entry_free(lrd_memory_of(x->engine), entry);
  }
  lrd_no_memory(x);
  return 0;
}

/* A key's place in another database; what expired there is gone. */
static struct lrd_at place_in(struct lrd_exec *x, larder_bytes key, int database)
{
  struct lrd_at at = lrd_at(x, key);

  at.database = (unsigned)database;
  (void)lrd_keyspace_live(x->engine, &at, lrd_now(x));
  return at;
}

static void changed_in(struct lrd_exec *x, larder_bytes key, int database)
{
  int here = x->database;

  x->database = database;
  lrd_changed(x, key, 0, NULL);
  x->database = here;
}

int lrd_move(struct lrd_exec *x, struct lrd_entry *entry, int database, larder_bytes to)
{
  void *value = lrd_kind_type(entry->kind) ? entry->value : NULL;
  struct lrd_at at = place_in(x, to, database);

  if (!place(x, &at, entry, value))
    return 0;
  if (value)
    entry->value = NULL;
  lrd_remove(x, entry);
  lrd_changed_del(x, x->argv[1]);
  changed_in(x, to, database);
  return 1;
}

static int copy(struct lrd_exec *x, const struct lrd_entry *entry, int database, larder_bytes to)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  const struct lrd_kind_type *type = lrd_kind_type(entry->kind);
  void *value = type ? lrd_clone(memory, lrd_hash_key_of(x->engine), entry->kind, entry->value)
                     : NULL;
  struct lrd_at at = place_in(x, to, database);

  if (type && !value) {
    lrd_no_memory(x);
    return 0;
  }
  if (!place(x, &at, entry, value)) {
    if (value)
      type->destroy(memory, value);
    return 0;
  }
  changed_in(x, to, database);
  return 1;
}

/* --- MOVE, COPY ------------------------------------------------------------------------ */

static const char text_same[] = "ERR source and destination objects are the same";

/* The number of a database; 0: replied. */
static int parse_database(struct lrd_exec *x, int i, int *database)
{
  larder_vector v = { .argc = 2, .argv = x->argv + i - 1 };
  const char *wrong = lrd_command_select(&v, database);

  if (wrong)
    lrd_error(x, wrong);
  return !wrong;
}

/* As lrd_read, in another database. */
static int read_in(struct lrd_exec *x, larder_bytes key, int database, struct lrd_entry **entry)
{
  int here = x->database, known;

  x->database = database;
  known = lrd_read(x, key, LRD_NONE, entry);
  x->database = here;
  return known;
}

void lrd_t_move(struct lrd_exec *x)
{
  struct lrd_entry *entry, *there;
  int database;

  if (!parse_database(x, 2, &database))
    return;
  if (database == x->database) {
    lrd_error(x, text_same);
    return;
  }
  if (!lrd_read(x, x->argv[1], LRD_NONE, &entry) || !read_in(x, x->argv[1], database, &there))
    return;
  if (!entry || there)
    lrd_sink_integer(x->sink, 0);
  else if (lrd_move(x, entry, database, x->argv[1]))
    lrd_sink_integer(x->sink, 1);
}

static int parse_copy(struct lrd_exec *x, int *database, int *replace)
{
  *database = x->database;
  *replace = 0;
  for (int i = 3; i < x->argc; i++) {
    if (lrd_is_word(&x->argv[i], "REPLACE")) {
      *replace = 1;
    } else if (lrd_is_word(&x->argv[i], "DB") && i + 1 < x->argc) {
      if (!parse_database(x, ++i, database))
        return 0;
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  return 1;
}

void lrd_t_copy(struct lrd_exec *x)
{
  larder_bytes from = x->argv[1], to = x->argv[2];
  struct lrd_entry *entry, *there = NULL;
  int database, replace;

  if (!parse_copy(x, &database, &replace))
    return;
  if (database == x->database && from.len == to.len &&
      (!to.len || !memcmp(from.data, to.data, to.len))) {
    lrd_error(x, text_same);
    return;
  }
  if (!lrd_read(x, from, LRD_NONE, &entry) ||
      (!replace && !read_in(x, to, database, &there)))
    return;
  if (!entry || there)
    lrd_sink_integer(x->sink, 0);
  else if (copy(x, entry, database, to))
    lrd_sink_integer(x->sink, 1);
}

/* --- SWAPDB ---------------------------------------------------------------------------- */

static void renumber(void *context, void *item)
{
  ((struct lrd_entry *)item)->database = *(unsigned *)context & 15;
}

static void number_all(struct lrd_keyspace *ks, unsigned database)
{
  uint64_t cursor = 0;

  if (!ks)
    return;
  do
    cursor = lrd_index_scan(&ks->index, cursor, renumber, &database);
  while (cursor);
}

/* Who watches a key that is in either is told. */
static void swap_in(struct lrd_shard *shard, unsigned a, unsigned b)
{
  struct lrd_keyspace *first = shard->database[a];

  lrd_hold_touch_database(shard, a);
  lrd_hold_touch_database(shard, b);
  shard->database[a] = shard->database[b];
  shard->database[b] = first;
  number_all(shard->database[a], a);
  number_all(shard->database[b], b);
  lrd_hold_touch_database(shard, a);
  lrd_hold_touch_database(shard, b);
}

static int parse_swap(struct lrd_exec *x, int64_t database[2])
{
  static const char *const wrong[] = { "ERR invalid first DB index",
                                       "ERR invalid second DB index" };

  for (int i = 0; i < 2; i++)
    if (!lrd_parse_integer(x->argv[1 + i].data, x->argv[1 + i].len, &database[i]) ||
        database[i] > INT32_MAX || database[i] < INT32_MIN) {
      lrd_error(x, wrong[i]);
      return 0;
    }
  for (int i = 0; i < 2; i++)
    if (database[i] < 0 || database[i] >= LRD_DATABASES) {
      lrd_error(x, "ERR DB index is out of range");
      return 0;
    }
  return 1;
}

/* An entry knows its database, so this takes a walk over the keys of both, with every
 * shard locked (run() in exec.c): about 10 ns a key. */
void lrd_t_swapdb(struct lrd_exec *x)
{
  larder_intent intent = { .note = x->note, .database = x->database, .key = { "", 0 },
                           .complete = 1, .argc = x->argc, .argv = x->argv };
  struct lrd_engine *e = x->engine;
  int64_t database[2];

  if (!parse_swap(x, database))
    return;
  for (unsigned i = 0; database[0] != database[1] && i < e->shards; i++)
    swap_in(&e->shard[i], (unsigned)database[0], (unsigned)database[1]);
  /* what eviction knows of keys is filed under their databases */
  atomic_fetch_add(&e->evict.epoch, 1);
  x->changed = 1;
  if (e->observer.changed)
    e->observer.changed(e->observer.context, &intent);
  lrd_sink_ok(x->sink);
}
