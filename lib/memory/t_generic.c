/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

void lrd_changed_del(struct lrd_exec *x, larder_bytes key)
{
  larder_bytes argv[2] = { { "DEL", 3 }, key };
  lrd_changed(x, key, 2, argv);
}

/* --- deleting ---------------------------------------------------------------------- */

int lrd_delete(struct lrd_exec *x, larder_bytes key)
{
  const struct lrd_entry *entry = lrd_peek(x, key);
  int known = lrd_knows(x, key);

  if (known && (!entry || entry->kind == LRD_NONE))
    return 0;
  if (!lrd_bury(x, key))
    return -1;
  if (!known)
    x->provisional = 1;
  lrd_changed_del(x, key);
  return 1;
}

/* A tombstone for each key of which nothing is known, so that deleting can't fail
 * half-way; fresh ones are marked by a text length, which tombstones don't have. */
static int bury_unseen(struct lrd_exec *x)
{
  for (int i = 1; i < x->argc; i++) {
    struct lrd_at at = lrd_at(x, x->argv[i]);

    if (!x->engine->partial || lrd_keyspace_live(x->engine, &at, lrd_now(x)))
      continue;
    if (!lrd_keyspace_bury(x->engine, &at)) {
      (*lrd_keyspace_find(&at))->text.len = 1;
      continue;
    }
    while (--i > 0) {
      struct lrd_entry **place;

      at = lrd_at(x, x->argv[i]);
      place = lrd_keyspace_find(&at);
      if (place && (*place)->kind == LRD_NONE && (*place)->text.len)
        lrd_keyspace_remove(x->engine, &at, *place, 0);
    }
    lrd_no_memory(x);
    return 0;
  }
  return 1;
}

static int delete_buried(struct lrd_exec *x, larder_bytes key)
{
  struct lrd_entry *entry = lrd_peek(x, key);

  if (!entry || entry->kind != LRD_NONE || !entry->text.len)
    return lrd_delete(x, key);
  /* it may have existed, for all that is known */
  entry->text.len = 0;
  x->provisional = 1;
  lrd_changed_del(x, key);
  return 1;
}

void lrd_t_del(struct lrd_exec *x)
{
  int64_t count = 0;

  if (!bury_unseen(x))
    return;
  for (int i = 1; i < x->argc; i++)
    count += delete_buried(x, x->argv[i]);
  lrd_sink_integer(x->sink, count);
}

/* --- asking ------------------------------------------------------------------------- */

void lrd_t_exists(struct lrd_exec *x)
{
  int64_t count = 0;

  for (int i = 1; i < x->argc; i++) {
    struct lrd_entry *entry;

    if (!lrd_read_part(x, x->argv[i], LRD_NONE, &entry))
      return;
    /* of what is a delta only, so much is known: it is there */
    if (!entry && !lrd_is_whole(x, NULL)) {
      lrd_unknown(x);
      return;
    }
    count += entry != NULL;
  }
  lrd_sink_integer(x->sink, count);
}

void lrd_t_type(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (!lrd_read(x, x->argv[1], LRD_NONE, &entry))
    return;
  if (!entry)
    lrd_sink_status(x->sink, "none");
  else if (entry->kind == LRD_STRING)
    lrd_sink_status(x->sink, "string");
  else
    lrd_sink_status(x->sink, lrd_kind_type(entry->kind)->name);
}

/* --- RENAME --------------------------------------------------------------------------- */

static int is_same_key(const struct lrd_exec *x)
{
  larder_bytes from = x->argv[1], to = x->argv[2];

  return from.len == to.len && (!to.len || !memcmp(from.data, to.data, to.len));
}

/* 0: replied. */
static int find_source(struct lrd_exec *x, struct lrd_entry **entry)
{
  if (!lrd_read(x, x->argv[1], LRD_NONE, entry))
    return 0;
  if (*entry)
    return 1;
  if (x->unknown)
    lrd_unknown(x);
  else
    lrd_error(x, lrd_text_no_such_key);
  return 0;
}

void lrd_t_rename(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (find_source(x, &entry) &&
      (is_same_key(x) || lrd_move(x, entry, x->database, x->argv[2])))
    lrd_sink_ok(x->sink);
}

void lrd_t_renamenx(struct lrd_exec *x)
{
  struct lrd_entry *entry, *there;

  if (!find_source(x, &entry) || !lrd_read(x, x->argv[2], LRD_NONE, &there))
    return;
  if (there)
    lrd_sink_integer(x->sink, 0);
  else if (lrd_move(x, entry, x->database, x->argv[2]))
    lrd_sink_integer(x->sink, 1);
}
