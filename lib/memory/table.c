/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/table.h"

#include <stdint.h>
#include <string.h>

#include "memory/packed.h"
#include "memory/table_group.h"
#include "util/memory.h"
#include "util/prefetch.h"

enum { STEPS = 2 }; /* buckets that one insert or removal splits or merges at most */

/* --- buckets ------------------------------------------------------------- */

static size_t segment_size(size_t base)
{
  size_t buckets = base < LRD_TABLE_SEGMENT ? base : LRD_TABLE_SEGMENT;

  if (!base)
    buckets = LRD_TABLE_FIRST;
  return buckets * sizeof(struct lrd_group) + LRD_TABLE_LINE - 1;
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

  if (t->buckets >= LRD_TABLE_SEGMENT && t->buckets / LRD_TABLE_SEGMENT > t->large_capacity &&
      directory_grow(t, memory) != 0)
    return -1;
  segment = lrd_table_segment(t, t->buckets, &base);
  if (t->buckets == base && !(*segment = lrd_allocate(memory, segment_size(base))))
    return -1;
  lrd_table_bucket(t, t->buckets++)->state = 0;
  return 0;
}

/* The last bucket goes. */
static void bucket_drop(struct lrd_table *t, const larder_memory *memory)
{
  size_t base;
  void **segment = lrd_table_segment(t, --t->buckets, &base);

  if (t->buckets != base)
    return;
  if (base < LRD_TABLE_SEGMENT)
    lrd_release(memory, *segment, segment_size(base));
  else /* the items of a table that shrinks were small blocks */
    lrd_release_merging(memory, *segment, segment_size(base));
}

/* --- chains -------------------------------------------------------------- */

static struct lrd_group *take_spare(struct lrd_table *t)
{
  struct lrd_group *g = t->spare;

  t->spare = lrd_group_next(g);
  t->spares--;
  g->state = 0;
  return g;
}

static void give_spare(struct lrd_table *t, struct lrd_group *g)
{
  g->state = t->spare ? LRD_GROUP_CHAINED : 0;
  g->place[LRD_GROUP_PLACES - 1] = t->spare;
  t->spare = g;
  t->spares++;
}

/* All groups of a chain but the last are full; a spare is there if all are. */
static void chain_add(struct lrd_table *t, struct lrd_group *g, unsigned char tag,
                      const void *item)
{
  size_t items = 1;
  unsigned n;

  for (; lrd_group_next(g); g = lrd_group_next(g))
    items += LRD_GROUP_PLACES - 1;
  n = lrd_group_items(g);
  items += n;
  if (items > t->longest)
    t->longest = items;
  if (n == LRD_GROUP_PLACES) {
    struct lrd_group *more = take_spare(t);
    more->tag[0] = g->tag[LRD_GROUP_PLACES - 1];
    more->place[0] = g->place[LRD_GROUP_PLACES - 1];
    more->state = 1;
    g->place[LRD_GROUP_PLACES - 1] = more;
    g->state = LRD_GROUP_CHAINED | (LRD_GROUP_PLACES - 1);
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

  for (; lrd_group_next(g); g = lrd_group_next(g))
    before = g;
  g->state--;
  *tag = g->tag[g->state];
  item = g->place[g->state];
  if (g->state == 0 && before) {
    before->state = LRD_GROUP_PLACES - 1;
    give_spare(t, g);
  }
  return item;
}

static size_t chain_items(const struct lrd_group *g)
{
  size_t items = 0;

  for (; g; g = lrd_group_next(g))
    items += lrd_group_items(g);
  return items;
}

/* The groups that a chain of so many items has besides its bucket. */
static size_t chained(size_t items)
{
  return items <= LRD_GROUP_PLACES ? 0 : (items - 2) / (LRD_GROUP_PLACES - 1);
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
  return (word - ones) & ~word & tops & (((uint64_t)1 << 8 * lrd_group_items(g)) - 1);
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
  unsigned i, n = lrd_group_items(g);

  for (i = 0; i < n; i++)
    __builtin_prefetch(g->place[i]);
}

/* The items of a bucket are dealt out to it and to the new last one.  Both
 * together never need more groups than the chain had, and the new one. */
static int split(struct lrd_table *t, const larder_memory *memory)
{
  struct lrd_group *old = lrd_table_bucket(t, t->buckets - lrd_table_power(t->buckets)), *g, *next;
  struct lrd_group first = *old;

  for (g = old; g; g = lrd_group_next(g))
    prefetch_items(g);
  if (bucket_add(t, memory) != 0)
    return -1;
  old->state = 0;
  for (g = &first; g; g = next) {
    unsigned i, n = lrd_group_items(g);
    struct lrd_group copy = *g;
    next = lrd_group_next(g);
    if (g != &first)
      give_spare(t, g);
    for (i = 0; i < n; i++) {
      uint64_t hash = lrd_table_hash(t, lrd_blob(copy.place[i]));
      chain_add(t, lrd_table_bucket(t, lrd_table_bucket_of(t, hash)), copy.tag[i], copy.place[i]);
    }
  }
  return 0;
}

/* The last bucket's items go back to the one that they were split from.  It
 * needs two more groups at most: for the seven places that are lost. */
static int merge(struct lrd_table *t, const larder_memory *memory)
{
  size_t last = t->buckets - 1;
  struct lrd_group *from = lrd_table_bucket(t, last);
  struct lrd_group *to = lrd_table_bucket(t, last - lrd_table_power(last));
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
  return t->count < t->buckets * LRD_TABLE_SPARSE && t->buckets > LRD_TABLE_FIRST;
}

/* --- the table ----------------------------------------------------------- */

struct lrd_table *lrd_table_new(const larder_memory *memory, const struct lrd_universal_key *key)
{
  struct lrd_table *t = lrd_allocate_zeroed(memory, 1, sizeof *t);
  size_t i;

  if (!t)
    return NULL;
  t->key = key;
  for (i = 0; i < LRD_TABLE_FIRST; i++)
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
    struct lrd_group *first = lrd_table_bucket(t, t->buckets - 1), *g, *next;
    size_t steps = chain_items(first) + 1;

    if (!budget)
      return 0;
    budget -= steps < budget ? steps : budget;
    for (g = first; g; g = lrd_group_next(g))
      prefetch_items(g);
    for (g = first; g; g = next) {
      unsigned i, n = lrd_group_items(g);
      next = lrd_group_next(g);
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
  struct lrd_group *g = lrd_table_bucket(t, lrd_table_bucket_of(t, hash));
  unsigned at;

  for (; g; g = lrd_group_next(g))
    if (group_find(g, lrd_group_tag(hash), key, &at))
      return (const unsigned char **)&g->place[at];
  return NULL;
}

void lrd_table_prefetch(const struct lrd_table *t, uint64_t hash)
{
  __builtin_prefetch(lrd_table_bucket(t, lrd_table_bucket_of(t, hash)));
}

void lrd_table_prefetch_items(const struct lrd_table *t, uint64_t hash)
{
  const struct lrd_group *g = lrd_table_bucket(t, lrd_table_bucket_of(t, hash));
  uint64_t found;

  for (found = group_match(g, lrd_group_tag(hash)); found; found &= found - 1)
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

  chain_add(t, lrd_table_bucket(t, lrd_table_bucket_of(t, hash)), lrd_group_tag(hash), item);
  t->count++;
  /* without memory chains get longer; the next insert tries again */
  for (steps = STEPS; steps && is_full(t) && split(t, memory) == 0; steps--)
    ;
}

const unsigned char *lrd_table_remove(struct lrd_table *t, const larder_memory *memory,
                                      uint64_t hash, larder_bytes key)
{
  struct lrd_group *first = lrd_table_bucket(t, lrd_table_bucket_of(t, hash)), *g = first;
  const unsigned char *item = NULL;
  const void *last;
  unsigned char tag;
  unsigned at = 0;
  int steps;

  for (; g && !(item = group_find(g, lrd_group_tag(hash), key, &at)); g = lrd_group_next(g))
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
