/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/engine.h"

#include <stdarg.h>
#include <stdio.h>

#include "memory/evict.h"
#include "memory/shard.h"
#include "util/memory.h"

const char lrd_text_wrongtype[] =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
const char lrd_text_syntax[] = "ERR syntax error";
const char lrd_text_not_integer[] = "ERR value is not an integer or out of range";
const char lrd_text_not_float[] = "ERR value is not a valid float";
const char lrd_text_overflow[] = "ERR increment or decrement would overflow";
const char lrd_text_no_such_key[] = "ERR no such key";
const char lrd_text_out_of_range[] = "ERR index out of range";

/* --- replies ------------------------------------------------------------------ */

void lrd_error(struct lrd_exec *x, const char *text)
{
  x->verdict.outcome = LARDER_REFUSED;
  x->verdict.cause = LARDER_CAUSE_CALLER;
  lrd_sink_error(x->sink, text);
}

void lrd_errorf(struct lrd_exec *x, const char *format, ...)
{
  char text[256];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lrd_error(x, text);
}

void lrd_no_memory(struct lrd_exec *x)
{
  if (x->as_absent && x->unknown) {
    /* not a lack of memory: this run must not create anything */
    lrd_unknown(x);
    return;
  }
  x->verdict.outcome = LARDER_NO_MEMORY;
  lrd_sink_error(x->sink, "ERR out of memory");
}

void lrd_unknown(struct lrd_exec *x)
{
  x->unknown = 1;
  x->unanswered = 1;
}

void lrd_value_error(struct lrd_exec *x, const struct lrd_entry *entry, const char *text)
{
  if (lrd_is_whole(x, entry))
    lrd_error(x, text);
  else
    lrd_unknown(x);
}

int lrd_argument_integer(struct lrd_exec *x, int i, int64_t *out)
{
  if (lrd_parse_integer(x->argv[i].data, x->argv[i].len, out))
    return 1;
  lrd_error(x, lrd_text_not_integer);
  return 0;
}

/* --- looking up ------------------------------------------------------------------ */

int64_t lrd_now(struct lrd_exec *x)
{
  if (!*x->moment)
    *x->moment = lrd_wall_ms(&x->engine->base.clock);
  return *x->moment;
}

static inline struct lrd_at at_key(struct lrd_exec *x, larder_bytes key)
{
  if (x->hashed != key.data || !key.data || x->hashed_len != key.len) {
    x->hash = lrd_key_hash(x->engine, key);
    x->hashed = key.data;
    x->hashed_len = key.len;
  }
  return (struct lrd_at){ lrd_shard_of(x->engine, x->hash), (unsigned)x->database, key, x->hash };
}

struct lrd_at lrd_at(struct lrd_exec *x, larder_bytes key)
{
  return at_key(x, key);
}

/* lrd_keyspace_live, but of a key that doesn't expire the time is of no interest. */
static inline struct lrd_entry *live(struct lrd_exec *x, const struct lrd_at *at)
{
  struct lrd_entry **place = lrd_keyspace_find(at);

  if (place && lrd_entry_expiry(*place) >= 0)
    place = lrd_keyspace_live(x->engine, at, lrd_now(x));
  return place ? *place : NULL;
}

struct lrd_entry *lrd_peek(struct lrd_exec *x, larder_bytes key)
{
  struct lrd_at at = at_key(x, key);

  return live(x, &at);
}

int lrd_knows(struct lrd_exec *x, larder_bytes key)
{
  const struct lrd_entry *entry;

  if (!x->engine->partial)
    return 1;
  entry = lrd_peek(x, key);
  return entry && !(entry->flags & LRD_ENTRY_DELTA);
}

/* Who asks about a key, and not for its value, does not use it. */
static int is_use(const struct lrd_exec *x)
{
  switch (x->vector->command) {
  case LRD_OBJECT:
  case LRD_TYPE:
  case LRD_TTL:
  case LRD_PTTL:
  case LRD_LARDER_REBUILD:
    return 0;
  default:
    return 1;
  }
}

static inline void note_use(struct lrd_exec *x, struct lrd_entry *entry)
{
  if (entry && lrd_evict_tracks(x->engine) && is_use(x))
    lrd_evict_touch(x->engine, entry, lrd_now(x));
}

enum { BULKY = 4096 };

static inline int is_bulky(const struct lrd_entry *entry)
{
  return entry->kind == LRD_STRING && !(entry->flags & LRD_ENTRY_INTEGER) &&
         entry->text.len > BULKY;
}

/* As lrd_peek, for a read: those are counted. */
__attribute__((always_inline)) static inline struct lrd_entry *
peek_and_count(struct lrd_exec *x, larder_bytes key)
{
  struct lrd_at at = at_key(x, key);
  struct lrd_entry *entry = live(x, &at);
  int hit = entry && entry->kind != LRD_NONE;

  at.shard->hits += (uint64_t)hit;
  at.shard->misses += (uint64_t)!hit;
  if (hit && is_bulky(entry))
    x->bulky = 1;
  note_use(x, entry);
  return entry;
}

/* What is known wholly; *entry NULL for a key that does not exist. */
__attribute__((noinline)) static int wrong_type(struct lrd_exec *x)
{
  lrd_error(x, lrd_text_wrongtype);
  return 0;
}

static inline int found(struct lrd_exec *x, struct lrd_entry *have, enum lrd_kind kind,
                 struct lrd_entry **entry)
{
  x->whole = 1;
  if (!have || have->kind == LRD_NONE)
    return 1;
  if (kind != LRD_NONE && have->kind != kind)
    return wrong_type(x);
  *entry = have;
  return 1;
}

/* What is not known wholly, in a second run: counts as absent. */
static int absent(struct lrd_exec *x)
{
  x->unknown = 1;
  x->whole = 1;
  return 1;
}

static inline int is_whole(const struct lrd_exec *x, const struct lrd_entry *have)
{
  return have ? !(have->flags & LRD_ENTRY_DELTA) : !x->engine->partial;
}

int lrd_read(struct lrd_exec *x, larder_bytes key, enum lrd_kind kind, struct lrd_entry **entry)
{
  struct lrd_entry *have = peek_and_count(x, key);

  *entry = NULL;
  if (is_whole(x, have))
    return found(x, have, kind, entry);
  if (x->as_absent)
    return absent(x);
  lrd_unknown(x);
  return 0;
}

int lrd_read_part(struct lrd_exec *x, larder_bytes key, enum lrd_kind kind,
                  struct lrd_entry **entry)
{
  struct lrd_entry *have = peek_and_count(x, key);

  *entry = NULL;
  if (is_whole(x, have))
    return found(x, have, kind, entry);
  if (x->as_absent)
    return absent(x);
  x->whole = 0;
  if (have && kind != LRD_NONE && have->kind != kind) {
    lrd_unknown(x);
    return 0;
  }
  *entry = have;
  return 1;
}

int lrd_write(struct lrd_exec *x, larder_bytes key, enum lrd_kind kind, struct lrd_entry **entry)
{
  struct lrd_entry *have = lrd_peek(x, key);

  note_use(x, have);
  *entry = NULL;
  if (is_whole(x, have))
    return found(x, have, kind, entry);
  if (x->as_absent)
    return absent(x);
  x->whole = 0;
  if (have && kind != LRD_NONE && have->kind != kind) {
    lrd_unknown(x);
    return 0;
  }
  x->provisional = 1;
  *entry = have;
  return 1;
}

int lrd_is_whole(struct lrd_exec *x, const struct lrd_entry *entry)
{
  return entry ? !(entry->flags & LRD_ENTRY_DELTA) : x->whole;
}

/* --- changing --------------------------------------------------------------------- */

struct lrd_entry *lrd_create(struct lrd_exec *x, larder_bytes key, enum lrd_kind kind)
{
  struct lrd_at at = at_key(x, key);
  struct lrd_entry **place = lrd_keyspace_find(&at), *entry;
  const larder_memory *m = lrd_memory_of(x->engine);

  if (x->as_absent && x->unknown)
    return NULL;
  entry = lrd_entry_new(m, at.database, key, 0, 0);
  if (!entry)
    return NULL;
  entry->value = lrd_kind_type(kind)->create(m);
  if (!entry->value)
    goto failed;
  entry->kind = kind & 15;
  if (x->engine->partial && !place)
    entry->flags |= LRD_ENTRY_DELTA;
  if (place)
    lrd_keyspace_replace(x->engine, &at, place, entry);
  else if (lrd_keyspace_insert(x->engine, &at, entry))
    goto failed;
  return entry;

failed:
  lrd_entry_free(m, entry);
  return NULL;
}

void lrd_remove(struct lrd_exec *x, struct lrd_entry *entry)
{
  struct lrd_at at = lrd_at(x, lrd_entry_key(entry));

  /* the hash is remembered by address, and that is about to go */
  x->hashed = NULL;
  lrd_keyspace_remove(x->engine, &at, entry, !(entry->flags & LRD_ENTRY_DELTA));
}

struct lrd_entry *lrd_put(struct lrd_exec *x, larder_bytes key, larder_bytes value, int64_t when)
{
  struct lrd_at at = at_key(x, key);
  struct lrd_entry *entry = x->as_absent && x->unknown
                              ? NULL
                              : lrd_keyspace_put(x->engine, &at, value, when,
                                                 when < 0 ? 0 : lrd_now(x));

  if (!entry)
    lrd_no_memory(x);
  return entry;
}

int lrd_bury(struct lrd_exec *x, larder_bytes key)
{
  struct lrd_at at = at_key(x, key);
  struct lrd_entry **place = lrd_keyspace_find(&at);

  if (place) {
    lrd_keyspace_remove(x->engine, &at, *place, 1);
    return 1;
  }
  if (!x->engine->partial || !lrd_keyspace_bury(x->engine, &at))
    return 1;
  lrd_no_memory(x);
  return 0;
}

void *lrd_value(const struct lrd_entry *entry)
{
  return entry->value;
}

void lrd_set_value(struct lrd_entry *entry, void *value)
{
  entry->value = value;
}

enum lrd_kind lrd_kind_of(const struct lrd_entry *entry)
{
  return entry->kind;
}

larder_bytes lrd_key_of(const struct lrd_entry *entry)
{
  return lrd_entry_key(entry);
}

const larder_memory *lrd_memory_of(const struct lrd_engine *e)
{
  return &e->account.memory;
}

const struct lrd_universal_key *lrd_hash_key_of(const struct lrd_engine *e)
{
  return &e->hash_key;
}

struct lrd_prng *lrd_prng_of(struct lrd_exec *x)
{
  return &lrd_at(x, x->argv[lrd_command_key_range(x->vector).first]).shard->prng;
}

int64_t lrd_expiry(const struct lrd_entry *entry)
{
  return lrd_entry_expiry(entry);
}

int lrd_set_expiry(struct lrd_exec *x, struct lrd_entry **entry, int64_t when)
{
  struct lrd_at at = lrd_at(x, lrd_entry_key(*entry));

  x->hashed = NULL;
  return lrd_keyspace_expire(x->engine, &at, entry, when, lrd_now(x));
}

/* Of a DELTA collection that has become empty nothing is known any more, not even
 * that its key exists and expires. */
static void drop_empty_delta(struct lrd_exec *x, const struct lrd_at *at)
{
  struct lrd_entry **place = lrd_keyspace_find(at);

  if (place && ((*place)->flags & LRD_ENTRY_DELTA) && lrd_entry_is_empty(*place))
    lrd_keyspace_remove(x->engine, at, *place, 0);
}

int lrd_note_change(struct lrd_exec *x, larder_bytes key)
{
  x->changed = 1;
  return x->engine->partial || x->engine->observer.changed || at_key(x, key).shard->watched.count;
}

void lrd_changed(struct lrd_exec *x, larder_bytes key, int argc, const larder_bytes *argv)
{
  struct lrd_at at;
  int complete;

  if (!lrd_note_change(x, key))
    return;
  at = at_key(x, key);
  complete = lrd_keyspace_knows(x->engine, &at);
  if (!complete)
    drop_empty_delta(x, &at);
  if (!argc && !complete) {
    argc = x->argc;
    argv = x->argv;
  }
  lrd_keyspace_changed(x->engine, &at, x->note, complete, argc, argv);
}

void lrd_changed_quietly(struct lrd_exec *x, larder_bytes key)
{
  const larder_observer *o = &x->engine->observer;
  larder_intent intent = { .note = x->note, .database = x->database, .key = key, .complete = 1 };

  x->changed = 1;
  if (o->changed)
    o->changed(o->context, &intent);
}
