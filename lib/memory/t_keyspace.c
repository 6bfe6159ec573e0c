/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/argv.h"
#include "util/buffer.h"

/* Commands over all keys.  run() in exec.c has refused them in a partial engine,
 * and has locked all shards except for SCAN. */

static int is_live(const struct lrd_entry *entry, int64_t now)
{
  int64_t when = lrd_entry_expiry(entry);
  return entry->kind != LRD_NONE && (when < 0 || now <= when);
}

/* --- SCAN -------------------------------------------------------------------------- */

struct scan {
  larder_bytes pattern; /* data NULL: any */
  larder_bytes type;    /* data NULL: any */
  int64_t count;
  int64_t now;
  int64_t visited;
  size_t found;
  struct lrd_buffer keys; /* length and bytes, one behind the other */
};

/* As Redis has it: strtoul's grammar without leading space. */
int lrd_argument_cursor(struct lrd_exec *x, larder_bytes text, uint64_t *cursor)
{
  char copy[64], *end = copy;
  unsigned long long value = 0;

  if (text.len < sizeof copy && (!text.len || !strchr(" \t\n\v\f\r", text.data[0]))) {
    if (text.len)
      memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    errno = 0;
    value = strtoull(copy, &end, 10);
    if (!*end && !errno) {
      *cursor = value;
      return 1;
    }
  }
  lrd_error(x, "ERR invalid cursor");
  return 0;
}

static int parse_scan(struct lrd_exec *x, struct scan *s)
{
  for (int i = 2; i < x->argc; i += 2) {
    int more = i + 1 < x->argc;

    if (more && lrd_is_word(&x->argv[i], "COUNT")) {
      if (!lrd_argument_integer(x, i + 1, &s->count))
        return 0;
      if (s->count >= 1)
        continue;
    } else if (more && lrd_is_word(&x->argv[i], "MATCH")) {
      s->pattern = x->argv[i + 1];
      continue;
    } else if (more && lrd_is_word(&x->argv[i], "TYPE")) {
      s->type = x->argv[i + 1];
      continue;
    }
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  return 1;
}

static const char *type_name(const struct lrd_entry *entry)
{
  return entry->kind == LRD_STRING ? "string" : lrd_kind_type(entry->kind)->name;
}

static void scan_visit(void *context, void *item)
{
  struct scan *s = context;
  const struct lrd_entry *entry = item;
  larder_bytes key = lrd_entry_key(entry);

  s->visited++;
  if (!is_live(entry, s->now) || (s->type.data && !lrd_is_word(&s->type, type_name(entry))) ||
      (s->pattern.data && !lrd_glob(s->pattern.data, s->pattern.len, key.data, key.len, 0)))
    return;
  if (!lrd_buffer_append(&s->keys, &key.len, sizeof key.len) &&
      !lrd_buffer_append(&s->keys, key.data, key.len))
    s->found++;
}

/* One bucket, or less, of one shard; the next cursor.  The shard's number is in
 * the lowest bits, what the index says in those above. */
static uint64_t scan_step(struct lrd_exec *x, struct scan *s, uint64_t cursor)
{
  struct lrd_engine *e = x->engine;
  unsigned bits = 63 - e->shift, number = (unsigned)(cursor & (e->shards - 1));
  struct lrd_shard *shard = &e->shard[number];
  uint64_t position = 0;

  if (!x->all_locked)
    lrd_latch_take(&shard->lock);
  if (shard->database[x->database])
    position = lrd_index_scan(&shard->database[x->database]->index,
                              cursor >> bits, scan_visit, s);
  if (!x->all_locked)
    lrd_latch_drop(&shard->lock);
  if (position)
    return position << bits | number;
  return number + 1 < e->shards ? number + 1 : 0;
}

static void reply_scan(struct lrd_exec *x, const struct scan *s, uint64_t cursor)
{
  char number[24];
  int len = snprintf(number, sizeof number, "%llu", (unsigned long long)cursor);
  const char *at = s->keys.data;

  lrd_sink_array(x->sink, 2);
  lrd_sink_string(x->sink, number, (size_t)len);
  lrd_sink_array(x->sink, s->found);
  for (size_t i = 0; i < s->found; i++) {
    size_t key_len;

    memcpy(&key_len, at, sizeof key_len);
    at += sizeof key_len;
    lrd_sink_string(x->sink, at, key_len);
    at += key_len;
  }
}

void lrd_t_scan(struct lrd_exec *x)
{
  struct scan s = { .count = 10, .now = lrd_now(x) };
  uint64_t cursor;
  int64_t steps;

  if (!lrd_argument_cursor(x, x->argv[1], &cursor) || !parse_scan(x, &s))
    return;
  lrd_buffer_init(&s.keys, lrd_memory_of(x->engine), 0);
  steps = s.count > INT64_MAX / 10 ? INT64_MAX : s.count * 10;
  do
    cursor = scan_step(x, &s, cursor);
  while (cursor && --steps && s.visited < s.count && !s.keys.failed);
  if (s.keys.failed)
    lrd_no_memory(x);
  else
    reply_scan(x, &s, cursor);
  lrd_buffer_free(&s.keys);
}

/* --- KEYS, DBSIZE -------------------------------------------------------------------- */

struct keys {
  struct lrd_exec *x;
  size_t found;
};

static void keys_visit(void *context, void *item)
{
  struct keys *k = context;
  larder_bytes key = lrd_entry_key(item), pattern = k->x->argv[1];

  if (!is_live(item, lrd_now(k->x)) ||
      !lrd_glob(pattern.data, pattern.len, key.data, key.len, 0))
    return;
  lrd_sink_string(k->x->sink, key.data, key.len);
  k->found++;
}

void lrd_t_keys(struct lrd_exec *x)
{
  struct lrd_engine *e = x->engine;
  struct keys k = { x, 0 };

  x->sink->type->open(x->sink, LARDER_ARRAY);
  for (unsigned i = 0; i < e->shards; i++) {
    struct lrd_keyspace *ks = e->shard[i].database[x->database];
    uint64_t cursor = 0;

    if (!ks)
      continue;
    do
      cursor = lrd_index_scan(&ks->index, cursor, keys_visit, &k);
    while (cursor);
  }
  x->sink->type->close(x->sink, k.found);
}

/* --- RANDOMKEY ------------------------------------------------------------------------ */

enum { DRAWS = 100 };

struct drawn {
  int64_t now;
  struct lrd_prng *prng;
  uint64_t live; /* seen so far: each is the one with the same chance */
  const struct lrd_entry *entry;
};

static void draw_visit(void *context, void *item)
{
  struct drawn *d = context;

  if (is_live(item, d->now) && !lrd_prng_below(d->prng, ++d->live))
    d->entry = item;
}

/* Some of the keys of a shard, which is chosen by how many it has. */
static void draw_some(struct lrd_exec *x, struct drawn *d, uint64_t total)
{
  struct lrd_engine *e = x->engine;
  uint64_t at = lrd_prng_below(d->prng, total);
  struct lrd_keyspace *ks = NULL;

  for (unsigned i = 0; i < e->shards; i++) {
    uint64_t count = lrd_keyspace_count(&e->shard[i], (unsigned)x->database);

    ks = e->shard[i].database[x->database];
    if (at < count)
      break;
    at -= count;
  }
  if (ks)
    (void)lrd_index_scan(&ks->index, lrd_prng_next(d->prng), draw_visit, d);
}

/* Nearly all keys have expired, or there is none. */
static void draw_of_all(struct lrd_exec *x, struct drawn *d)
{
  for (unsigned i = 0; i < x->engine->shards; i++) {
    struct lrd_keyspace *ks = x->engine->shard[i].database[x->database];
    uint64_t cursor = 0;

    if (!ks)
      continue;
    do
      cursor = lrd_index_scan(&ks->index, cursor, draw_visit, d);
    while (cursor);
  }
}

void lrd_t_randomkey(struct lrd_exec *x)
{
  struct drawn d = { .now = lrd_now(x), .prng = &x->engine->shard[0].prng };
  uint64_t total = 0;

  for (unsigned i = 0; i < x->engine->shards; i++)
    total += lrd_keyspace_count(&x->engine->shard[i], (unsigned)x->database);
  for (int i = 0; total && i < DRAWS && !d.entry; i++)
    draw_some(x, &d, total);
  if (!d.entry)
    draw_of_all(x, &d);
  if (d.entry)
    lrd_sink_string(x->sink, d.entry->bytes, d.entry->key_len);
  else
    lrd_sink_nil(x->sink);
}

void lrd_t_dbsize(struct lrd_exec *x)
{
  uint64_t count = 0;

  for (unsigned i = 0; i < x->engine->shards; i++)
    count += lrd_keyspace_count_live(x->engine, &x->engine->shard[i], (unsigned)x->database,
                                     lrd_now(x));
  lrd_sink_integer(x->sink, (int64_t)count);
}

/* --- flushing -------------------------------------------------------------------------- */

static int parse_flush(struct lrd_exec *x)
{
  if (x->argc == 1 || (x->argc == 2 && (lrd_is_word(&x->argv[1], "SYNC") ||
                                        lrd_is_word(&x->argv[1], "ASYNC"))))
    return 1;
  lrd_error(x, lrd_text_syntax);
  return 0;
}

static void flush(struct lrd_exec *x, unsigned database)
{
  struct lrd_engine *e = x->engine;

  for (unsigned i = 0; i < e->shards; i++) {
    struct lrd_keyspace *ks = lrd_keyspace_detach(&e->shard[i], database);

    if (!ks)
      continue;
    ks->next = x->discarded;
    x->discarded = ks;
  }
}

/* Which keys are gone nobody counts: the intent has no key. */
static void flushed(struct lrd_exec *x)
{
  larder_intent intent = { .note = x->note, .database = x->database, .key = { "", 0 },
                           .complete = 1, .argc = x->argc, .argv = x->argv };

  x->changed = 1;
  if (x->engine->observer.changed)
    x->engine->observer.changed(x->engine->observer.context, &intent);
  lrd_sink_ok(x->sink);
}

void lrd_t_flushdb(struct lrd_exec *x)
{
  if (!parse_flush(x))
    return;
  flush(x, (unsigned)x->database);
  flushed(x);
}

void lrd_t_flushall(struct lrd_exec *x)
{
  if (!parse_flush(x))
    return;
  for (unsigned i = 0; i < LRD_DATABASES; i++)
    flush(x, i);
  flushed(x);
}
