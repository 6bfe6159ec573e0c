/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/table.h"

#include "memory/packed.h"
#include "memory/table_group.h"

static void visit_chain(const struct lrd_group *g, void (*visit)(void *, const unsigned char *),
                        void *context)
{
  for (; g; g = lrd_group_next(g))
    for (unsigned at = 0; at < lrd_group_items(g); at++)
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
  size_t half = lrd_table_power(t->buckets), bucket = (size_t)cursor & (half - 1);

  visit_chain(lrd_table_bucket(t, bucket), visit, context);
  if ((bucket | half) < t->buckets)
    visit_chain(lrd_table_bucket(t, bucket | half), visit, context);
  return reversed(reversed(cursor | ~(uint64_t)(half - 1)) + 1);
}

const unsigned char *lrd_table_next(const struct lrd_table *t, struct lrd_table_cursor *c)
{
  for (;;) {
    if (c->group && c->at < lrd_group_items(c->group))
      return c->group->place[c->at++];
    c->at = 0;
    if (c->group && lrd_group_next(c->group)) {
      c->group = lrd_group_next(c->group);
      continue;
    }
    if (c->bucket == t->buckets)
      return NULL;
    c->group = lrd_table_bucket(t, c->bucket++);
  }
}

/* Rejection: a bucket and a place in it, until an item is there; so a long
 * chain's items have no other chance than a short one's.  A table that has
 * become nearly empty is counted through instead. */
const unsigned char *lrd_table_sample(const struct lrd_table *t, struct lrd_prng *prng)
{
  if (t->count < t->buckets && t->buckets == LRD_TABLE_FIRST) {
    struct lrd_table_cursor c = { 0 };
    uint64_t skip = lrd_prng_below(prng, t->count);
    const unsigned char *item = lrd_table_next(t, &c);
    while (skip--)
      item = lrd_table_next(t, &c);
    return item;
  }
  for (;;) {
    const struct lrd_group *g = lrd_table_bucket(t, (size_t)lrd_prng_below(prng, t->buckets));
    uint64_t at = lrd_prng_below(prng, t->longest);
    for (; g && at >= lrd_group_items(g); g = lrd_group_next(g))
      at -= lrd_group_items(g);
    if (g)
      return g->place[at];
  }
}

/* --- for tests ----------------------------------------------------------- */

static const char *check_chain(const struct lrd_table *t, size_t bucket, size_t *items)
{
  const struct lrd_group *g;

  *items = 0;
  for (g = lrd_table_bucket(t, bucket); g; g = lrd_group_next(g)) {
    unsigned i, n = lrd_group_items(g);
    if (n > LRD_GROUP_PLACES || (g->state & LRD_GROUP_CHAINED && n != LRD_GROUP_PLACES - 1))
      return "a group's state is wrong";
    if (n == 0 && g != lrd_table_bucket(t, bucket))
      return "an empty group is chained";
    for (i = 0; i < n; i++) {
      uint64_t hash = lrd_table_hash(t, lrd_blob(g->place[i]));
      if (g->tag[i] != lrd_group_tag(hash) || lrd_table_bucket_of(t, hash) != bucket)
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
  for (g = t->spare; g; g = lrd_group_next(g))
    spares++;
  if (count != t->count)
    return "the table's count is wrong";
  if (t->buckets < LRD_TABLE_FIRST)
    return "the table has too few buckets";
  return spares != t->spares ? "the number of spare groups is wrong" : NULL;
}
