/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ORDER_PAGE_H
#define LRD_MEMORY_ORDER_PAGE_H

#include "memory/order.h"
#include "memory/packed.h"

/* The pages of an order, and the way down through them. */

struct lrd_order_leaf {
  struct lrd_order_leaf *previous, *next;
  unsigned used;
  struct lrd_order_entry entry[LRD_ORDER_LEAF];
};

struct lrd_order_link {
  struct lrd_order_entry low; /* the first entry below */
  size_t count;               /* of entries below */
  void *page;
};

struct lrd_order_inner {
  unsigned used;
  struct lrd_order_link link[LRD_ORDER_INNER];
};

/* The way down to a leaf: step[0] is the root. */
struct lrd_order_path {
  struct {
    struct lrd_order_inner *page;
    unsigned at;
  } step[LRD_ORDER_HEIGHT];
  struct lrd_order_leaf *leaf;
};

static inline int lrd_order_compare(const struct lrd_order_entry *a,
                                    const struct lrd_order_entry *b)
{
  if (a->score != b->score)
    return a->score < b->score ? -1 : 1;
  return a->item == b->item ? 0 : lrd_bytes_compare(lrd_blob(a->item), lrd_blob(b->item));
}

static inline size_t lrd_order_inner_count(const struct lrd_order_inner *page)
{
  size_t count = 0;
  unsigned i;

  for (i = 0; i < page->used; i++)
    count += page->link[i].count;
  return count;
}

static inline unsigned lrd_order_page_used(const void *page, unsigned level)
{
  return level ? ((const struct lrd_order_inner *)page)->used
               : ((const struct lrd_order_leaf *)page)->used;
}

/* The link under which an entry lies or would: the last whose low is not above it. */
static inline unsigned lrd_order_link_for(const struct lrd_order_inner *page,
                                          const struct lrd_order_entry *e)
{
  unsigned low = 1, high = page->used;

  while (low < high) {
    unsigned middle = (low + high) / 2;
    if (lrd_order_compare(&page->link[middle].low, e) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

/* The place of the first entry that is not below e. */
static inline unsigned lrd_order_place_for(const struct lrd_order_leaf *leaf,
                                           const struct lrd_order_entry *e)
{
  unsigned low = 0, high = leaf->used;

  while (low < high) {
    unsigned middle = (low + high) / 2;
    if (lrd_order_compare(&leaf->entry[middle], e) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static inline void lrd_order_descend(const struct lrd_order *o, const struct lrd_order_entry *e,
                                     struct lrd_order_path *path)
{
  void *page = o->root;
  unsigned depth;

  for (depth = 0; depth < o->height; depth++) {
    struct lrd_order_inner *inner = page;
    path->step[depth].page = inner;
    path->step[depth].at = lrd_order_link_for(inner, e);
    page = inner->link[path->step[depth].at].page;
  }
  path->leaf = page;
}

#endif
