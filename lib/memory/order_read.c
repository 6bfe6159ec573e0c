/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/order.h"

#include <string.h>

#include "memory/order_page.h"

size_t lrd_order_rank(const struct lrd_order *o, struct lrd_order_entry e)
{
  struct lrd_order_path path;
  size_t rank;
  unsigned depth, i;

  if (!o->root)
    return 0;
  lrd_order_descend(o, &e, &path);
  rank = lrd_order_place_for(path.leaf, &e);
  for (depth = 0; depth < o->height; depth++)
    for (i = 0; i < path.step[depth].at; i++)
      rank += path.step[depth].page->link[i].count;
  return rank;
}

size_t lrd_order_bound(const struct lrd_order *o,
                       int (*below)(const void *context, const struct lrd_order_entry *),
                       const void *context)
{
  const struct lrd_order_leaf *leaf;
  const void *page = o->root;
  size_t rank = 0;
  unsigned level, low, high;

  if (!page)
    return 0;
  for (level = o->height; level; level--) {
    const struct lrd_order_inner *inner = page;
    for (low = 1, high = inner->used; low < high;) {
      unsigned middle = (low + high) / 2;
      if (below(context, &inner->link[middle].low))
        low = middle + 1;
      else
        high = middle;
    }
    for (high = 0; high + 1 < low; high++)
      rank += inner->link[high].count;
    page = inner->link[low - 1].page;
  }
  leaf = page;
  for (low = 0, high = leaf->used; low < high;) {
    unsigned middle = (low + high) / 2;
    if (below(context, &leaf->entry[middle]))
      low = middle + 1;
    else
      high = middle;
  }
  return rank + low;
}

void lrd_order_seek(const struct lrd_order *o, size_t rank, struct lrd_order_cursor *c)
{
  const void *page = o->root;
  unsigned level;

  for (level = o->height; level; level--) {
    const struct lrd_order_inner *inner = page;
    const struct lrd_order_link *link = inner->link;
    for (; rank >= link->count; link++)
      rank -= link->count;
    page = link->page;
  }
  c->leaf = page;
  c->at = (unsigned)rank;
}

struct lrd_order_entry lrd_order_entry_at(const struct lrd_order_cursor *c)
{
  return c->leaf->entry[c->at];
}

int lrd_order_next(struct lrd_order_cursor *c)
{
  if (++c->at == c->leaf->used) {
    c->leaf = c->leaf->next;
    c->at = 0;
  }
  return c->leaf != NULL;
}

int lrd_order_previous(struct lrd_order_cursor *c)
{
  if (c->at == 0) {
    c->leaf = c->leaf->previous;
    c->at = c->leaf ? c->leaf->used : 0;
  }
  c->at--;
  return c->leaf != NULL;
}

/* --- for tests ----------------------------------------------------------- */

struct check {
  const struct lrd_order_leaf *last; /* leaf seen */
  size_t pages[LRD_ORDER_HEIGHT];
};

static const char *check_leaf(struct check *k, const struct lrd_order_leaf *leaf,
                              const struct lrd_order_link *link)
{
  unsigned i;

  if (leaf->used == 0 || leaf->used > LRD_ORDER_LEAF || (link && link->count != leaf->used))
    return "a leaf's count is wrong";
  if (leaf->previous != k->last || (k->last && k->last->next != leaf))
    return "the row of leaves is wrong";
  for (i = 1; i < leaf->used; i++)
    if (lrd_order_compare(&leaf->entry[i - 1], &leaf->entry[i]) >= 0)
      return "a leaf is not in order";
  if (k->last && lrd_order_compare(&k->last->entry[k->last->used - 1], &leaf->entry[0]) >= 0)
    return "two leaves are not in order";
  if (link && (link->low.score != leaf->entry[0].score || link->low.item != leaf->entry[0].item))
    return "a leaf's low is wrong";
  k->last = leaf;
  return NULL;
}

static const char *check_page(struct check *k, const void *page, unsigned level,
                              const struct lrd_order_link *link)
{
  const struct lrd_order_inner *inner = page;
  const char *wrong = NULL;
  unsigned i;

  k->pages[level]++;
  if (!level)
    return check_leaf(k, page, link);
  if (inner->used == 0 || inner->used > LRD_ORDER_INNER)
    return "an inner page's count is wrong";
  if (link && (link->low.item != inner->link[0].low.item ||
               link->low.score != inner->link[0].low.score ||
               link->count != lrd_order_inner_count(inner)))
    return "a link is wrong";
  for (i = 0; i < inner->used && !wrong; i++)
    wrong = check_page(k, inner->link[i].page, level - 1, &inner->link[i]);
  return wrong;
}

const char *lrd_order_check(const struct lrd_order *o)
{
  struct check k = { NULL, { 0 } };
  const char *wrong = o->root ? check_page(&k, o->root, o->height, NULL) : NULL;
  size_t count = 0;

  if (wrong)
    return wrong;
  if (k.last && k.last->next)
    return "the row of leaves has no end";
  if (memcmp(k.pages, o->pages, sizeof k.pages) != 0)
    return "the numbers of pages are wrong";
  for (; k.last; k.last = k.last->previous)
    count += k.last->used;
  if (o->height && lrd_order_page_used(o->root, o->height) < 2)
    return "the root is needless";
  return count != o->count ? "the order's count is wrong" : NULL;
}
