/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/hold.h"

#include "memory/block.h"
#include "util/memory.h"

/* A key that somebody watches, in one database or another. */
struct lrd_watched {
  struct lrd_watch *first, **end; /* in order of arrival */
  uint64_t hash;
  size_t key_len;
  char key[];
};

struct lrd_watch {
  struct larder_hold *hold;
  struct lrd_watch *next; /* in the hold */
  struct lrd_watched *on;
  struct lrd_watch *sibling, **link; /* at the key */
  unsigned database;
  int touched;
};

static larder_bytes watched_key(const void *item)
{
  const struct lrd_watched *w = item;
  return (larder_bytes){ w->key, w->key_len };
}

void lrd_hold_shard_init(struct lrd_engine *e, struct lrd_shard *shard)
{
  lrd_index_init(&shard->watched, &e->account.memory, &e->hash_key, watched_key);
}

static struct lrd_at place_of(const struct lrd_engine *e, const struct lrd_watch *w)
{
  return (struct lrd_at){ lrd_shard_of(e, w->on->hash), w->database, watched_key(w->on),
                          w->on->hash };
}

static struct lrd_watched *find(const struct lrd_at *at)
{
  void **place = lrd_index_find(&at->shard->watched, at->hash, at->key);
  return place ? *place : NULL;
}

static void forget_key(struct lrd_engine *e, struct lrd_shard *shard, struct lrd_watched *on)
{
  lrd_index_remove(&shard->watched, on->hash, on);
  lrd_release(&e->account.memory, on, sizeof *on + on->key_len);
}

static struct lrd_watched *find_or_add(struct lrd_engine *e, const struct lrd_at *at)
{
  struct lrd_watched *on = find(at);

  if (on)
    return on;
  on = lrd_allocate(&e->account.memory, sizeof *on + at->key.len);
  if (!on)
    return NULL;
  *on = (struct lrd_watched){ .end = &on->first, .hash = at->hash, .key_len = at->key.len };
  if (at->key.len)
    memcpy(on->key, at->key.data, at->key.len);
  if (!lrd_index_insert(&at->shard->watched, at->hash, on))
    return on;
  lrd_release(&e->account.memory, on, sizeof *on + on->key_len);
  return NULL;
}

int lrd_hold_add(struct larder_hold *hold, const struct lrd_at *at)
{
  struct lrd_engine *e = hold->engine;
  struct lrd_watched *on = find(at);
  struct lrd_watch *w;

  for (w = on ? on->first : NULL; w; w = w->sibling)
    if (w->hold == hold && w->database == at->database)
      return 0;
  w = lrd_allocate_zeroed(&e->account.memory, 1, sizeof *w);
  if (!w)
    return -1;
  on = find_or_add(e, at);
  if (!on) {
    lrd_release(&e->account.memory, w, sizeof *w);
    return -1;
  }
  *w = (struct lrd_watch){ .hold = hold, .next = hold->first, .on = on, .link = on->end,
                           .database = at->database };
  *on->end = w;
  on->end = &w->sibling;
  hold->first = w;
  return 0;
}

void lrd_hold_shards(const struct larder_hold *hold, void (*visit)(void *, unsigned),
                     void *context)
{
  for (const struct lrd_watch *w = hold->first; w; w = w->next) {
    struct lrd_shard *shard = lrd_shard_of(hold->engine, w->on->hash);
    visit(context, (unsigned)(shard - hold->engine->shard));
  }
}

int lrd_hold_changed(struct larder_hold *hold, int64_t now)
{
  int changed = 0;

  for (struct lrd_watch *w = hold->first; w; w = w->next) {
    struct lrd_at at = place_of(hold->engine, w);
    /* a key that expired since is a key that changed */
    (void)lrd_keyspace_live(hold->engine, &at, now);
    changed |= w->touched;
  }
  return changed;
}

static void remove_watch(struct lrd_engine *e, struct lrd_watch *w, int locked)
{
  struct lrd_shard *shard = lrd_shard_of(e, w->on->hash);

  if (!locked)
    lrd_latch_take(&shard->lock);
  *w->link = w->sibling;
  *(w->sibling ? &w->sibling->link : &w->on->end) = w->link;
  if (!w->on->first)
    forget_key(e, shard, w->on);
  if (!locked)
    lrd_latch_drop(&shard->lock);
  lrd_release(&e->account.memory, w, sizeof *w);
}

void lrd_hold_rewind(struct larder_hold *hold, const struct lrd_watch *first)
{
  for (struct lrd_watch *w; (w = hold->first) != first;) {
    hold->first = w->next;
    remove_watch(hold->engine, w, 1);
  }
}

void lrd_hold_clear(struct larder_hold *hold, int locked)
{
  for (struct lrd_watch *w; (w = hold->first);) {
    hold->first = w->next;
    remove_watch(hold->engine, w, locked);
  }
}

/* The first from w on that waits for the key. */
static struct lrd_watch *first_waiting(struct lrd_watch *w, unsigned database)
{
  while (w && !(w->hold->waits && w->database == database))
    w = w->sibling;
  return w;
}

void lrd_hold_touch(const struct lrd_at *at)
{
  struct lrd_watched *on = find(at);
  struct lrd_watch *waiting = on ? first_waiting(on->first, at->database) : NULL;

  for (struct lrd_watch *w = on ? on->first : NULL; w; w = w->sibling)
    if (w->database == at->database)
      w->touched = 1;
  if (waiting)
    lrd_block_ready(waiting->hold, watched_key(on), 0);
}

void lrd_hold_pass_on(const struct larder_hold *hold, int ended)
{
  for (struct lrd_watch *w = hold->first; w; w = w->next) {
    struct lrd_at at = place_of(hold->engine, w);
    struct lrd_watch *next = first_waiting(w->sibling, w->database);
    struct lrd_entry **place = next ? lrd_keyspace_find(&at) : NULL;

    if (next && (ended || (place && (*place)->kind != LRD_NONE)))
      lrd_block_ready(next->hold, at.key, 1);
  }
}

struct flush {
  struct lrd_shard *shard;
  unsigned database;
};

static void touch_existing(void *context, void *item)
{
  struct flush *f = context;
  struct lrd_watched *on = item;
  struct lrd_at at = { f->shard, f->database, watched_key(on), on->hash };
  struct lrd_entry **place = lrd_keyspace_find(&at);

  if (place && (*place)->kind != LRD_NONE)
    lrd_hold_touch(&at);
}

void lrd_hold_touch_database(struct lrd_shard *shard, unsigned database)
{
  struct flush f = { shard, database };
  uint64_t cursor = 0;

  do
    cursor = lrd_index_scan(&shard->watched, cursor, touch_existing, &f);
  while (cursor);
}

larder_hold *lrd_hold_open(larder_backend *base)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  larder_hold *hold = lrd_allocate_zeroed(&e->account.memory, 1, sizeof *hold);

  if (hold)
    hold->engine = e;
  return hold;
}

void lrd_hold_close(larder_backend *base, larder_hold *hold)
{
  struct lrd_engine *e = (struct lrd_engine *)base;

  if (!hold)
    return;
  lrd_hold_clear(hold, 0);
  lrd_release(&e->account.memory, hold, sizeof *hold);
}
