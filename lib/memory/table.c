/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/table.h"

#include <stdint.h>
#include <string.h>

#include "memory/packed.h"
#include "util/memory.h"
#include "util/prefetch.h"

enum {
  PLACES = 7,
  CHAINED = 0x80, /* in state; the rest of it is the number of items */
  FIRST = LRD_TABLE_FIRST,
  SEGMENT = 256, /* buckets of each segment but the first few */
  STEPS = 2,     /* buckets that one insert or removal splits or merges at most */
  LINE = 64
};

struct lrd_group {
  unsigned char tag[PLACES];
  unsigned char state;
  const void *place[PLACES]; /* items; the last one: the next group, if chained */
};

static unsigned items_of(const struct lrd_group *g)
{
  return g->state & 0x7f;
}

static struct lrd_group *next_of(const struct lrd_group *g)
{
  return g->state & CHAINED ? (struct lrd_group *)(uintptr_t)g->place[PLACES - 1] : NULL;
}

static unsigned char tag_of(uint64_t hash)
{
  return (unsigned char)(hash >> 56);
}

/* --- buckets ------------------------------------------------------------- */

static unsigned log2_of(size_t n)
{
  return 63 - (unsigned)__builtin_clzll(n);
}

static size_t power_below(size_t n)
{
  return (size_t)1 << log2_of(n);
}

/* Segment s begins with bucket base: 0, 16, 32, 64, 128; from 256 on all have the same size. */
static unsigned small_segment(size_t bucket, size_t *base)
{
  *base = bucket < FIRST ? 0 : power_below(bucket);
  return bucket < FIRST ? 0 : log2_of(bucket) - log2_of(FIRST) + 1;
}

static void **segment_of(const struct lrd_table *t, size_t bucket, size_t *base)
{
  if (bucket < SEGMENT)
    return (void **)(uintptr_t)&t->small[small_segment(bucket, base)];
  *base = bucket & ~(size_t)(SEGMENT - 1);
  return &t->large[bucket / SEGMENT - 1];
}

static size_t segment_size(size_t base)
{
  size_t buckets = base == 0 ? FIRST : base < SEGMENT ? base : SEGMENT;
  return buckets * sizeof(struct lrd_group) + LINE - 1;
}

static struct lrd_group *bucket_at(const struct lrd_table *t, size_t bucket)
{
  size_t base;
  void *segment = *segment_of(t, bucket, &base);
  uintptr_t start = ((uintptr_t)segment + LINE - 1) & ~(uintptr_t)(LINE - 1);

  return (struct lrd_group *)start + (bucket - base);
}

static int directory_grow(struct lrd_table *t, const larder_memory *memory)
{
  size_t capacity = t->large_capacity ? 2 * t->large_capacity : 8;
  size_t old = t->large_capacity * sizeof *t->large, size = capacity * sizeof *t->large;
  void **large = t->large ? lrd_resize(memory, t->large, old, size) : lrd_allocate(memory, size);

  if (!large)
    return -1;
  t->large = large;
  t->large_capacity = capacity;
  return 0;
}

/* One bucket more, empty; -1: no memory. */
static int bucket_add(struct lrd_table *t, const larder_memory *memory)
{
  size_t base;
  void **segment;

  if (t->buckets >= SEGMENT && t->buckets / SEGMENT > t->large_capacity &&
      directory_grow(t, memory) != 0)
    return -1;
  segment = segment_of(t, t->buckets, &base);
  if (t->buckets == base && !(*segment = lrd_allocate(memory, segment_size(base))))
    return -1;
  bucket_at(t, t->buckets++)->state = 0;
  return 0;
}

/* The last bucket goes. */
static void bucket_drop(struct lrd_table *t, const larder_memory *memory)
{
  size_t base;
  void **segment = segment_of(t, --t->buckets, &base);

  if (t->buckets != base)
    return;
  if (base < SEGMENT)
    lrd_release(memory, *segment, segment_size(base));
  else /* the items of a table that shrinks were small blocks */
    lrd_release_merging(memory, *segment, segment_size(base));
}

static size_t bucket_of(const struct lrd_table *t, uint64_t hash)
{
  size_t half = power_below(t->buckets);
  size_t bucket = (size_t)hash & (2 * half - 1);
  return bucket < t->buckets ? bucket : bucket & (half - 1);
}

/* --- chains -------------------------------------------------------------- */

static struct lrd_group *take_spare(struct lrd_table *t)
{
  struct lrd_group *g = t->spare;

  t->spare = next_of(g);
  t->spares--;
  g->state = 0;
  return g;
}

static void give_spare(struct lrd_table *t, struct lrd_group *g)
{
  g->state = t->spare ? CHAINED : 0;
  g->place[PLACES - 1] = t->spare;
  t->spare = g;
  t->spares++;
}

/* All groups of a chain but the last are full; a spare is there if all are. */
static void chain_add(struct lrd_table *t, struct lrd_group *g, unsigned char tag,
                      const void *item)
{
  size_t items = 1;
  unsigned n;

  for (; next_of(g); g = next_of(g))
    items += PLACES - 1;
  n = items_of(g);
  items += n;
  if (items > t->longest)
    t->longest = items;
  if (n == PLACES) {
    struct lrd_group *more = take_spare(t);
    more->tag[0] = g->tag[PLACES - 1];
    more->place[0] = g->place[PLACES - 1];
    more->state = 1;
    g->place[PLACES - 1] = more;
    g->state = CHAINED | (PLACES - 1);
    g = more;
    n = 1;
  }
  g->tag[n] = tag;
  g->place[n] = item;
  g->state++;
}

/* Takes the last item of the chain; an emptied group becomes a spare. */
static const void *chain_pop(struct lrd_table *t, struct lrd_group *g, unsigned char *tag)
{
  struct lrd_group *before = NULL;
  const void *item;

  for (; next_of(g); g = next_of(g))
    before = g;
  g->state--;
  *tag = g->tag[g->state];
  item = g->place[g->state];
  if (g->state == 0 && before) {
    before->state = PLACES - 1;
    give_spare(t, g);
  }
  return item;
}

static size_t chain_items(const struct lrd_group *g)
{
  size_t items = 0;

  for (; g; g = next_of(g))
    items += items_of(g);
  return items;
}

/* The groups that a chain of so many items has besides its bucket. */
static size_t chained(size_t items)
{
  return items <= PLACES ? 0 : (items - PLACES + PLACES - 2) / (PLACES - 1);
}

/* A bit at the top of each byte that belongs to an item with that tag, and perhaps of
 * some behind such a one. */
static uint64_t group_match(const struct lrd_group *g, unsigned char tag)
{
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
  uint64_t word;

  memcpy(&word, g, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  word ^= ones * tag;
  return (word - ones) & ~word & tops & (((uint64_t)1 << 8 * items_of(g)) - 1);
}

static const unsigned char *group_find(struct lrd_group *g, unsigned char tag, larder_bytes key,
                                       unsigned *at)
{
  uint64_t found;

  for (found = group_match(g, tag); found; found &= found - 1) {
    unsigned i = (unsigned)__builtin_ctzll(found) / 8;
    if (g->tag[i] == tag && lrd_bytes_equal(lrd_blob(g->place[i]), key)) {
      *at = i;
      return g->place[i];
    }
  }
  return NULL;
}

/* --- growing and shrinking ----------------------------------------------- */

LRD_PREFETCHES prefetch_items(const struct lrd_group *g)
{
  unsigned i, n = items_of(g);

  for (i = 0; i < n; i++)
    __builtin_prefetch(g->place[i]);
}

/* The items of a bucket are dealt out to it and to the new last one.  Both
 * together never need more groups than the chain had, and the new one. */
static int split(struct lrd_table *t, const larder_memory *memory)
{
  struct lrd_group *old = bucket_at(t, t->buckets - power_below(t->buckets)), *g, *next;
  struct lrd_group first = *old;

  for (g = old; g; g = next_of(g))
    prefetch_items(g);
  if (bucket_add(t, memory) != 0)
    return -1;
  old->state = 0;
  for (g = &first; g; g = next) {
    unsigned i, n = items_of(g);
    struct lrd_group copy = *g;
    next = next_of(g);
    if (g != &first)
      give_spare(t, g);
    for (i = 0; i < n; i++) {
      uint64_t hash = lrd_table_hash(t, lrd_blob(copy.place[i]));
      chain_add(t, bucket_at(t, bucket_of(t, hash)), copy.tag[i], copy.place[i]);
    }
  }
  return 0;
}

/* The last bucket's items go back to the one that they were split from.  It
 * needs two more groups at most: for the seven places that are lost. */
static int merge(struct lrd_table *t, const larder_memory *memory)
{
  size_t last = t->buckets - 1;
  struct lrd_group *from = bucket_at(t, last);
  struct lrd_group *to = bucket_at(t, last - power_below(last));
  size_t kept = chain_items(to), moved = chain_items(from);

  if (lrd_table_reserve(t, memory, chained(kept + moved) - chained(kept) - chained(moved)) != 0)
    return -1;
  while (moved--) {
    unsigned char tag;
    const void *item = chain_pop(t, from, &tag);
    chain_add(t, to, tag, item);
  }
  bucket_drop(t, memory);
  return 0;
}

static void trim_spares(struct lrd_table *t, const larder_memory *memory, size_t keep)
{
  while (t->spares > keep)
    lrd_release(memory, take_spare(t), sizeof(struct lrd_group));
}

static int is_full(const struct lrd_table *t)
{
  return t->count * 2 > t->buckets * LRD_TABLE_FULL_2;
}

static int is_sparse(const struct lrd_table *t)
{
  return t->count < t->buckets * LRD_TABLE_SPARSE && t->buckets > FIRST;
}

/* --- the table ----------------------------------------------------------- */

struct lrd_table *lrd_table_new(const larder_memory *memory, const struct lrd_universal_key *key)
{
  struct lrd_table *t = lrd_allocate_zeroed(memory, 1, sizeof *t);
  size_t i;

  if (!t)
    return NULL;
  t->key = key;
  for (i = 0; i < FIRST; i++)
    if (bucket_add(t, memory) != 0) {
      lrd_table_free(t, memory, NULL);
      return NULL;
    }
  return t;
}

size_t lrd_table_drain(struct lrd_table *t, const larder_memory *memory, lrd_table_release *release,
                       size_t budget)
{
  while (t->buckets) {
    struct lrd_group *first = bucket_at(t, t->buckets - 1), *g, *next;
    size_t steps = chain_items(first) + 1;

    if (!budget)
      return 0;
    budget -= steps < budget ? steps : budget;
    for (g = first; g; g = next_of(g))
      prefetch_items(g);
    for (g = first; g; g = next) {
      unsigned i, n = items_of(g);
      next = next_of(g);
      for (i = 0; i < n; i++)
        release(memory, g->place[i]);
      t->count -= n;
      if (g != first)
        lrd_release(memory, g, sizeof *g);
    }
    bucket_drop(t, memory);
  }
  return budget ? budget : 1;
}

void lrd_table_free(struct lrd_table *t, const larder_memory *memory, lrd_table_release *release)
{
  (void)lrd_table_drain(t, memory, release, SIZE_MAX);
  trim_spares(t, memory, 0);
  lrd_release(memory, t->large, t->large_capacity * sizeof *t->large);
  lrd_release(memory, t, sizeof *t);
}

const unsigned char **lrd_table_find(const struct lrd_table *t, uint64_t hash, larder_bytes key)
{
  struct lrd_group *g = bucket_at(t, bucket_of(t, hash));
  unsigned at;

  for (; g; g = next_of(g))
    if (group_find(g, tag_of(hash), key, &at))
      return (const unsigned char **)&g->place[at];
  return NULL;
}

void lrd_table_prefetch(const struct lrd_table *t, uint64_t hash)
{
  __builtin_prefetch(bucket_at(t, bucket_of(t, hash)));
}

void lrd_table_prefetch_items(const struct lrd_table *t, uint64_t hash)
{
  const struct lrd_group *g = bucket_at(t, bucket_of(t, hash));
  uint64_t found;

  for (found = group_match(g, tag_of(hash)); found; found &= found - 1)
    __builtin_prefetch(g->place[__builtin_ctzll(found) / 8]);
}

int lrd_table_reserve(struct lrd_table *t, const larder_memory *memory, size_t n)
{
  while (t->spares < n) {
    struct lrd_group *g = lrd_allocate(memory, sizeof *g);
    if (!g)
      return -1;
    give_spare(t, g);
  }
  return 0;
}

void lrd_table_unreserve(struct lrd_table *t, const larder_memory *memory)
{
  trim_spares(t, memory, 1);
}

void lrd_table_insert(struct lrd_table *t, const larder_memory *memory, uint64_t hash,
                      const unsigned char *item)
{
  int steps;

  chain_add(t, bucket_at(t, bucket_of(t, hash)), tag_of(hash), item);
  t->count++;
  /* without memory chains get longer; the next insert tries again */
  for (steps = STEPS; steps && is_full(t) && split(t, memory) == 0; steps--)
    ;
}

const unsigned char *lrd_table_remove(struct lrd_table *t, const larder_memory *memory,
                                      uint64_t hash, larder_bytes key)
{
  struct lrd_group *first = bucket_at(t, bucket_of(t, hash)), *g = first;
  const unsigned char *item = NULL;
  const void *last;
  unsigned char tag;
  unsigned at = 0;
  int steps;

  for (; g && !(item = group_find(g, tag_of(hash), key, &at)); g = next_of(g))
    ;
  if (!item)
    return NULL;
  last = chain_pop(t, first, &tag);
  if (last != item) {
    g->tag[at] = tag;
    g->place[at] = last;
  }
  t->count--;
  for (steps = STEPS; steps && is_sparse(t) && merge(t, memory) == 0; steps--)
    ;
  trim_spares(t, memory, 1);
  return item;
}

/* --- walking ------------------------------------------------------------- */

static void visit_chain(const struct lrd_group *g, void (*visit)(void *, const unsigned char *),
                        void *context)
{
  for (; g; g = next_of(g))
    for (unsigned at = 0; at < items_of(g); at++)
      visit(context, g->place[at]);
}

static uint64_t reversed(uint64_t v)
{
  uint64_t r = 0;

  for (int i = 0; i < 64; i++, v >>= 1)
    r = r << 1 | (v & 1);
  return r;
}

uint64_t lrd_table_scan(const struct lrd_table *t, uint64_t cursor,
                        void (*visit)(void *, const unsigned char *), void *context)
{
  size_t half = power_below(t->buckets), bucket = (size_t)cursor & (half - 1);

  visit_chain(bucket_at(t, bucket), visit, context);
  if ((bucket | half) < t->buckets)
    visit_chain(bucket_at(t, bucket | half), visit, context);
  return reversed(reversed(cursor | ~(uint64_t)(half - 1)) + 1);
}

const unsigned char *lrd_table_next(const struct lrd_table *t, struct lrd_table_cursor *c)
{
  for (;;) {
    if (c->group && c->at < items_of(c->group))
      return c->group->place[c->at++];
    c->at = 0;
    if (c->group && next_of(c->group)) {
      c->group = next_of(c->group);
      continue;
    }
    if (c->bucket == t->buckets)
      return NULL;
    c->group = bucket_at(t, c->bucket++);
  }
}

/* Rejection: a bucket and a place in it, until an item is there; so a long
 * chain's items have no other chance than a short one's.  A table that has
 * become nearly empty is counted through instead. */
const unsigned char *lrd_table_sample(const struct lrd_table *t, struct lrd_prng *prng)
{
  if (t->count < t->buckets && t->buckets == FIRST) {
    struct lrd_table_cursor c = { 0 };
    uint64_t skip = lrd_prng_below(prng, t->count);
    const unsigned char *item = lrd_table_next(t, &c);
    while (skip--)
      item = lrd_table_next(t, &c);
    return item;
  }
  for (;;) {
    const struct lrd_group *g = bucket_at(t, (size_t)lrd_prng_below(prng, t->buckets));
    uint64_t at = lrd_prng_below(prng, t->longest);
    for (; g && at >= items_of(g); g = next_of(g))
      at -= items_of(g);
    if (g)
      return g->place[at];
  }
}

/* --- for tests ----------------------------------------------------------- */

static const char *check_chain(const struct lrd_table *t, size_t bucket, size_t *items)
{
  const struct lrd_group *g;

  *items = 0;
  for (g = bucket_at(t, bucket); g; g = next_of(g)) {
    unsigned i, n = items_of(g);
    if (n > PLACES || (g->state & CHAINED && n != PLACES - 1))
      return "a group's state is wrong";
    if (n == 0 && g != bucket_at(t, bucket))
      return "an empty group is chained";
    for (i = 0; i < n; i++) {
      uint64_t hash = lrd_table_hash(t, lrd_blob(g->place[i]));
      if (g->tag[i] != tag_of(hash) || bucket_of(t, hash) != bucket)
        return "an item lies in the wrong place";
    }
    *items += n;
  }
  return *items > t->longest ? "a chain is longer than any" : NULL;
}

const char *lrd_table_check(const struct lrd_table *t)
{
  size_t i, items, count = 0, spares = 0;
  const struct lrd_group *g;

  for (i = 0; i < t->buckets; i++) {
    const char *wrong = check_chain(t, i, &items);
    if (wrong)
      return wrong;
    count += items;
  }
  for (g = t->spare; g; g = next_of(g))
    spares++;
  if (count != t->count)
    return "the table's count is wrong";
  if (t->buckets < FIRST)
    return "the table has too few buckets";
  return spares != t->spares ? "the number of spare groups is wrong" : NULL;
}
