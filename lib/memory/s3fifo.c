/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/evict_shard.h"

enum walk { WALK_ALL, WALK_LOST, WALK_DONE };

enum { PROMOTE = 2, MARK_SHIFT = 8 };

/* A tenth of all slots are the small queue's. */
enum { SMALL_PART = 10 };

static const larder_memory *memory_of(const struct lrd_engine *e)
{
  return &e->account.memory;
}

/* --- slots ------------------------------------------------------------------------- */

static uint64_t slot_of(const struct lrd_at *at, uint8_t mark)
{
  return at->hash << 12 | (uint64_t)at->database << 8 | mark;
}

static unsigned used_of(const struct lrd_entry *entry)
{
  return atomic_load_explicit(&entry->used, memory_order_relaxed);
}

static void set_used(struct lrd_entry *entry, unsigned used)
{
  atomic_store_explicit(&entry->used, (uint16_t)used, memory_order_relaxed);
}

/* The entry that a slot stands for, and where it is; NULL: the slot is stale. */
static struct lrd_entry *entry_of(struct lrd_engine *e, struct lrd_shard *shard, uint64_t slot,
                                  struct lrd_at *at)
{
  struct lrd_entry *entry = lrd_evict_find(e, shard, slot >> 12, slot >> 8 & 15, at);

  return entry && used_of(entry) >> MARK_SHIFT == (slot & 255) ? entry : NULL;
}

static size_t count(const struct lrd_s3fifo_queue *q)
{
  return q->sifted.count + q->rest.count;
}

static size_t live(const struct lrd_shard *shard)
{
  size_t n = 0;

  for (unsigned d = 0; d < LRD_DATABASES; d++)
    n += shard->database[d] ? shard->database[d]->index.count : 0;
  return n;
}

static int pop(struct lrd_engine *e, struct lrd_s3fifo_queue *q, uint64_t *slot)
{
  return lrd_fifo_pop(&q->sifted, memory_of(e), slot) || lrd_fifo_pop(&q->rest, memory_of(e), slot);
}

/* Without memory the key has no slot until the next walk finds it. */
static void push(struct lrd_engine *e, struct lrd_s3fifo *s, struct lrd_fifo *f, uint64_t slot,
                 struct lrd_entry *entry)
{
  if (!lrd_fifo_push(f, memory_of(e), slot))
    return;
  set_used(entry, used_of(entry) & LRD_EVICT_USES);
  s->walk_again = 1;
}

/* --- sifting ------------------------------------------------------------------------- */

static void sift(struct lrd_engine *e, struct lrd_s3fifo *s, struct lrd_s3fifo_queue *q,
                 struct lrd_shard *shard)
{
  enum { STEPS = 2, SPARE = 128 };
  uint64_t slot;
  struct lrd_at at;

  if (!q->sifting && count(&s->small) + count(&s->main) > 2 * live(shard) + SPARE)
    q->sifting = 1;
  for (int i = 0; q->sifting && i < STEPS; i++) {
    struct lrd_entry *entry;

    if (!lrd_fifo_pop(&q->rest, memory_of(e), &slot)) {
      q->rest = q->sifted;
      q->sifted = (struct lrd_fifo){ 0 };
      q->sifting = 0;
      return;
    }
    entry = entry_of(e, shard, slot, &at);
    if (entry)
      push(e, s, &q->sifted, slot, entry);
  }
}

/* --- coming in ------------------------------------------------------------------------ */

static void enter(struct lrd_engine *e, struct lrd_s3fifo *s, struct lrd_s3fifo_queue *q,
                  const struct lrd_at *at, struct lrd_entry *entry, unsigned uses)
{
  s->mark = s->mark == UINT8_MAX ? 1 : (uint8_t)(s->mark + 1);
  set_used(entry, (unsigned)s->mark << MARK_SHIFT | uses);
  push(e, s, &q->rest, slot_of(at, s->mark), entry);
}

struct walk_step {
  struct lrd_engine *engine;
  struct lrd_s3fifo *s;
  struct lrd_shard *shard;
};

static void come_in(void *context, void *item)
{
  struct walk_step *w = context;
  struct lrd_entry *entry = item;
  struct lrd_at at = { w->shard, entry->database, lrd_entry_key(entry), 0 };

  if (w->s->walks != WALK_ALL && used_of(entry) >> MARK_SHIFT)
    return;
  at.hash = lrd_key_hash(w->engine, at.key);
  enter(w->engine, w->s, &w->s->main, &at, entry, used_of(entry) & LRD_EVICT_USES);
}

/* Whoever was there before has come through more than a new key has to. */
static void walk(struct lrd_engine *e, struct lrd_s3fifo *s, struct lrd_shard *shard)
{
  struct walk_step step = { e, s, shard };

  if (s->walks == WALK_DONE)
    return;
  for (; s->walk_database < LRD_DATABASES; s->walk_database++, s->walk_cursor = 0)
    if (shard->database[s->walk_database])
      break;
  if (s->walk_database == LRD_DATABASES) {
    s->walks = s->walk_again ? WALK_LOST : WALK_DONE;
    s->walk_again = 0;
    s->walk_database = 0;
    return;
  }
  s->walk_cursor = lrd_index_scan(&shard->database[s->walk_database]->index,
                                  s->walk_cursor, come_in, &step);
  s->walk_database += s->walk_cursor == 0;
}

/* What is used must not come round before it was used again, only because the walk has
 * met few of those that are there. */
static void walk_ahead(struct lrd_engine *e, struct lrd_s3fifo *s, struct lrd_shard *shard)
{
  enum { AHEAD = 128 };

  do
    walk(e, s, shard);
  while (s->walks == WALK_ALL && count(&s->main) < AHEAD);
}

void lrd_s3fifo_add(struct lrd_engine *e, struct lrd_s3fifo *s, const struct lrd_at *at,
                    struct lrd_entry *entry)
{
  enter(e, s, lrd_ghost_take(&s->ghost, at->hash) ? &s->main : &s->small, at, entry, 0);
  sift(e, s, &s->small, at->shard);
  sift(e, s, &s->main, at->shard);
  walk(e, s, at->shard);
}

/* --- going ------------------------------------------------------------------------------ */

/* Does the entry, whose slot was taken out, stay?  Then it has one in the main queue again. */
static int stays(struct lrd_engine *e, struct lrd_s3fifo *s, int from_small, uint64_t slot,
                 const struct lrd_at *at, struct lrd_entry *entry, struct lrd_evict_search *search)
{
  unsigned used = used_of(entry), uses = used & LRD_EVICT_USES;

  if (!lrd_evict_may_go(e, at)) {
    search->kept++;
  } else if (from_small) {
    if (uses < PROMOTE) {
      lrd_ghost_add(&s->ghost, memory_of(e), at->hash, count(&s->main));
      return 0;
    }
    set_used(entry, used & ~(unsigned)LRD_EVICT_USES);
  } else {
    if (!uses)
      return 0;
    set_used(entry, used - 1);
  }
  push(e, s, &s->main.rest, slot, entry);
  return 1;
}

struct lrd_entry *lrd_s3fifo_next(struct lrd_engine *e, struct lrd_s3fifo *s,
                                  struct lrd_shard *shard, struct lrd_at *at,
                                  struct lrd_evict_search *search)
{
  for (int looks = 0; looks < LRD_S3FIFO_LOOKS; looks++) {
    size_t small = count(&s->small), main = count(&s->main);
    int from_small = small && (small >= (small + main) / SMALL_PART || !main);
    struct lrd_entry *entry;
    uint64_t slot;

    if (s->walks == WALK_ALL)
      walk_ahead(e, s, shard);
    if (!pop(e, from_small ? &s->small : &s->main, &slot)) {
      if (s->walks == WALK_DONE && live(shard))
        s->walks = WALK_ALL;
      else if (s->walks == WALK_DONE)
        return NULL;
      walk(e, s, shard);
      search->looked++;
      continue;
    }
    search->looked++;
    entry = entry_of(e, shard, slot, at);
    if (entry && !stays(e, s, from_small, slot, at, entry, search))
      return entry;
  }
  return NULL;
}

static void queue_drop(struct lrd_s3fifo_queue *q, const larder_memory *m)
{
  lrd_fifo_drop(&q->sifted, m);
  lrd_fifo_drop(&q->rest, m);
}

void lrd_s3fifo_drop(struct lrd_s3fifo *s, const larder_memory *m)
{
  queue_drop(&s->small, m);
  queue_drop(&s->main, m);
  lrd_ghost_drop(&s->ghost, m);
  *s = (struct lrd_s3fifo){ 0 };
}

/* --- for tests ---------------------------------------------------------------------------- */

struct tally {
  struct lrd_engine *engine;
  struct lrd_shard *shard;
  size_t found;
};

static void tally_slot(void *context, uint64_t slot)
{
  struct tally *t = context;
  struct lrd_at at;

  t->found += entry_of(t->engine, t->shard, slot, &at) != NULL;
}

static const char *check_queue(const struct lrd_s3fifo_queue *q, struct tally *t)
{
  const char *wrong = lrd_fifo_check(&q->sifted);

  if (!wrong)
    wrong = lrd_fifo_check(&q->rest);
  if (wrong)
    return wrong;
  if (q->sifted.count && !q->rest.count && !q->sifting)
    return "a queue was sifted and not taken back";
  lrd_fifo_visit(&q->sifted, tally_slot, t);
  lrd_fifo_visit(&q->rest, tally_slot, t);
  return NULL;
}

/* A mark may come round while an old slot of the same key still stands: so one key may be
 * found twice, but none is missing. */
const char *lrd_s3fifo_check(struct lrd_engine *e, struct lrd_s3fifo *s, struct lrd_shard *shard)
{
  struct tally t = { e, shard, 0 };
  const char *wrong = check_queue(&s->small, &t);

  if (!wrong)
    wrong = check_queue(&s->main, &t);
  if (!wrong && s->walks == WALK_DONE && !s->walk_again && t.found < live(shard))
    wrong = "a key has no slot, and nobody looks for it";
  return wrong;
}
