/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ORDER_PAGE_H
#define LRD_MEMORY_ORDER_PAGE_H

#include "memory/order.h"
#include "memory/packed.h"
#include "util/prefetch.h"

/* The pages of an order, and the way down through them. */

struct lrd_order_leaf {
  struct lrd_order_leaf *previous, *next;
  unsigned used;
  double score[LRD_ORDER_LEAF];
  const unsigned char *item[LRD_ORDER_LEAF];
};

/* A link is what stands at one place of the arrays: the page below, its first
 * entry, and the number of entries under it. */
struct lrd_order_inner {
  unsigned used;
  uint32_t count[LRD_ORDER_INNER];
  double score[LRD_ORDER_INNER];
  const unsigned char *item[LRD_ORDER_INNER];
  void *page[LRD_ORDER_INNER];
};

struct lrd_order_link {
  struct lrd_order_entry low;
  size_t count;
  void *page;
};

/* What is looked for: a score and a member; its item, if it has one. */
struct lrd_order_probe {
  double score;
  const unsigned char *item;
  larder_bytes member;
};

static inline struct lrd_order_probe lrd_order_probe_of(struct lrd_order_entry e)
{
  return (struct lrd_order_probe){ e.score, e.item, lrd_blob(e.item) };
}

/* The way down to a leaf: step[0] is the root. */
struct lrd_order_path {
  struct {
    struct lrd_order_inner *page;
    unsigned at;
  } step[LRD_ORDER_HEIGHT];
  struct lrd_order_leaf *leaf;
};

/* Pages: from the spare ones, which must be there, and back to them. */
struct lrd_order_leaf *lrd_order_leaf_take(struct lrd_order *);
void lrd_order_leaf_give(struct lrd_order *, struct lrd_order_leaf *);
struct lrd_order_inner *lrd_order_inner_take(struct lrd_order *, unsigned level);
void lrd_order_inner_give(struct lrd_order *, unsigned level, struct lrd_order_inner *);
/* Until so many are spare; 0, or -1: no memory. */
int lrd_order_stock(struct lrd_order *, const larder_memory *, size_t leaves, size_t inners);

static inline int lrd_order_compare(const struct lrd_order_entry *a,
                                    const struct lrd_order_entry *b)
{
  if (a->score != b->score)
    return a->score < b->score ? -1 : 1;
  return a->item == b->item ? 0 : lrd_bytes_compare(lrd_blob(a->item), lrd_blob(b->item));
}

enum { LRD_ORDER_BLOCK = 8 }; /* counts that are added together, two in a word */

/* All counts of an order are below 2^32, their sum too, so no half of the word
 * overflows into the other. */
static inline size_t lrd_order_block_count(const uint32_t *count)
{
  uint64_t word[LRD_ORDER_BLOCK / 2], sum;

  memcpy(word, count, sizeof word);
  sum = word[0] + word[1] + word[2] + word[3];
  return (size_t)((uint32_t)sum + (sum >> 32));
}

static inline size_t lrd_order_inner_count(const struct lrd_order_inner *page, unsigned links)
{
  size_t count = 0;
  unsigned i = 0;

  for (; i + LRD_ORDER_BLOCK <= links; i += LRD_ORDER_BLOCK)
    count += lrd_order_block_count(&page->count[i]);
  for (; i < links; i++)
    count += page->count[i];
  return count;
}

/* The link under which the entry of a rank lies; the rank becomes that below the link. */
static inline unsigned lrd_order_link_at(const struct lrd_order_inner *page, size_t *rank)
{
  unsigned i = 0;
  size_t block;

  for (; i + LRD_ORDER_BLOCK <= page->used; i += LRD_ORDER_BLOCK, *rank -= block)
    if ((block = lrd_order_block_count(&page->count[i])) > *rank)
      break;
  for (; *rank >= page->count[i]; i++)
    *rank -= page->count[i];
  return i;
}

static inline unsigned lrd_order_page_used(const void *page, unsigned level)
{
  return level ? ((const struct lrd_order_inner *)page)->used
               : ((const struct lrd_order_leaf *)page)->used;
}

/* How many of n scores are less than one (or equal to it). */
static inline unsigned lrd_order_scores_below(const double *score, unsigned n, double than,
                                              int or_equal)
{
  const double *first = score;

  if (!n)
    return 0;
  for (; n > 1; n -= n / 2) {
    const double *middle = first + n / 2;
    int below = or_equal ? middle[-1] <= than : middle[-1] < than;
    first = below ? middle : first;
  }
  return (unsigned)(first - score) + (or_equal ? *first <= than : *first < than);
}

/* How many of n entries are below what is looked for. */
static inline unsigned lrd_order_entries_below(const double *score,
                                               const unsigned char *const *item, unsigned n,
                                               const struct lrd_order_probe *e)
{
  unsigned low = lrd_order_scores_below(score, n, e->score, 0), high;

  if (low == n || score[low] != e->score)
    return low;
  high = low + lrd_order_scores_below(score + low, n - low, e->score, 1);
  while (low < high) {
    unsigned middle = (low + high) / 2;
    if (item[middle] != e->item &&
        lrd_bytes_compare(lrd_blob(item[middle]), e->member) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The place of the first entry that is not below e. */
static inline unsigned lrd_order_place_for(const struct lrd_order_leaf *leaf,
                                           const struct lrd_order_probe *e)
{
  return lrd_order_entries_below(leaf->score, leaf->item, leaf->used, e);
}

/* The link under which an entry lies or would: the last whose low is not above it. */
static inline unsigned lrd_order_link_for(const struct lrd_order_inner *page,
                                          const struct lrd_order_probe *e)
{
  unsigned at = lrd_order_entries_below(page->score, page->item, page->used, e);

  if (at < page->used && page->score[at] == e->score &&
      (page->item[at] == e->item ||
       lrd_bytes_equal(lrd_blob(page->item[at]), e->member)))
    return at;
  return at ? at - 1 : 0;
}

LRD_PREFETCHES lrd_order_prefetch(const void *start, size_t size)
{
  size_t i;

  for (i = 0; i < size; i += 64)
    __builtin_prefetch((const char *)start + i);
}

/* The leaf is being fetched when this returns. */
static inline void lrd_order_descend(const struct lrd_order *o, const struct lrd_order_probe *e,
                                     struct lrd_order_path *path)
{
  void *page = o->root;
  unsigned depth;

  for (depth = 0; depth < o->height; depth++) {
    struct lrd_order_inner *inner = page;
    path->step[depth].page = inner;
    path->step[depth].at = lrd_order_link_for(inner, e);
    page = inner->page[path->step[depth].at];
  }
  path->leaf = page;
  lrd_order_prefetch(page, sizeof *path->leaf);
}

#endif
