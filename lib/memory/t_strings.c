/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/ahead.h"
#include "memory/evict.h"
#include "memory/t_engine.h"
#include "util/memory.h"

/* Several strings at once. */

/* first: how many keys stand before them. */
static void mget_some(struct lrd_exec *x, const larder_bytes *keys, int first, int count)
{
  uint64_t room[LRD_AHEAD];
  const uint64_t *hash = first + count <= x->hashed_keys ? x->hashes + first : room;

  if (hash == room)
    lrd_ahead_hash(x->engine, keys, count, room);
  lrd_ahead_fetch(x->engine, x->database, hash, count);
  for (int i = 0; i < count; i++) {
    struct lrd_entry *entry;
    struct lrd_shard *shard;
    int hit;

    lrd_ahead_use(x, keys[i], hash[i]);
    shard = lrd_at(x, keys[i]).shard;
    entry = lrd_peek(x, keys[i]);
    hit = entry && entry->kind == LRD_STRING && !(entry->flags & LRD_ENTRY_DELTA);
    shard->hits += (uint64_t)hit;
    shard->misses += (uint64_t)!hit;
    if (hit)
      lrd_evict_used(x->engine, entry, lrd_now(x));
    lrd_reply_string(x, hit ? entry : NULL);
  }
}

void lrd_t_mget(struct lrd_exec *x)
{
  for (int i = 1; i < x->argc; i++)
    if (!lrd_knows(x, x->argv[i])) {
      x->unknown = 1;
      if (!x->as_absent) {
        lrd_unknown(x);
        return;
      }
    }
  lrd_sink_array(x->sink, (size_t)x->argc - 1);
  for (int i = 1; i < x->argc; i += LRD_AHEAD)
    mget_some(x, x->argv + i, i - 1, x->argc - i < LRD_AHEAD ? x->argc - i : LRD_AHEAD);
}

/* Takes the staged entries back, those too that are in the keyspace already:
 * the first ones of each key that had no entry. */
static void unstage(struct lrd_exec *x, struct lrd_entry **staged, int pairs)
{
  for (int i = 0; i < pairs; i++) {
    struct lrd_at at = lrd_at(x, x->argv[1 + 2 * i]);
    struct lrd_entry **place = lrd_keyspace_find(&at);

    if (place && *place == staged[i])
      lrd_keyspace_remove(x->engine, &at, staged[i], 0);
    else
      lrd_entry_free(lrd_memory_of(x->engine), staged[i]);
  }
}

static struct lrd_entry *stage_pair(struct lrd_exec *x, larder_bytes key, larder_bytes value)
{
  struct lrd_at at = lrd_at(x, key);
  struct lrd_entry *staged = lrd_keyspace_stage(x->engine, &at, value, -1, lrd_now(x));

  if (!staged || lrd_keyspace_live(x->engine, &at, lrd_now(x)) ||
      !lrd_keyspace_insert(x->engine, &at, staged))
    return staged;
  lrd_entry_free(lrd_memory_of(x->engine), staged);
  return NULL;
}

/* After 1 every key has an entry, so that to commit can't fail. */
static int stage_pairs(struct lrd_exec *x, struct lrd_entry **staged, int pairs)
{
  for (int i = 0; i < pairs; i++) {
    staged[i] = stage_pair(x, x->argv[1 + 2 * i], x->argv[2 + 2 * i]);
    if (!staged[i]) {
      unstage(x, staged, i);
      return 0;
    }
  }
  return 1;
}

/* 0: no memory, replied. */
static int set_all(struct lrd_exec *x)
{
  struct lrd_entry *few[16], **staged = few;
  int pairs = (x->argc - 1) / 2, done = 0;
  size_t size = (size_t)pairs * sizeof *staged;

  if (pairs > 16)
    staged = lrd_allocate(lrd_memory_of(x->engine), size);
  if (!staged || !stage_pairs(x, staged, pairs)) {
    lrd_no_memory(x);
  } else {
    for (int i = 0; i < pairs; i++) {
      larder_bytes key = x->argv[1 + 2 * i];
      struct lrd_at at = lrd_at(x, key);

      if (*lrd_keyspace_find(&at) != staged[i])
        (void)lrd_keyspace_commit(x->engine, &at, staged[i], -1);
      lrd_changed_set(x, key, x->argv[2 + 2 * i], -1);
    }
    done = 1;
  }
  if (staged != few)
    lrd_release(lrd_memory_of(x->engine), staged, size);
  return done;
}

static int are_pairs(struct lrd_exec *x)
{
  if (x->argc % 2)
    return 1;
  lrd_errorf(x, "ERR wrong number of arguments for '%s' command",
             lrd_commands[x->vector->command].name);
  return 0;
}

void lrd_t_mset(struct lrd_exec *x)
{
  if (are_pairs(x) && set_all(x))
    lrd_sink_ok(x->sink);
}

void lrd_t_msetnx(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (!are_pairs(x))
    return;
  for (int i = 1; i < x->argc; i += 2) {
    if (!lrd_read(x, x->argv[i], LRD_NONE, &entry))
      return;
    if (entry) {
      lrd_sink_integer(x->sink, 0);
      return;
    }
  }
  if (set_all(x))
    lrd_sink_integer(x->sink, 1);
}
