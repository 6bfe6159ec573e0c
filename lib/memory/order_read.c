/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/order.h"

#include <string.h>

#include "memory/order_page.h"

size_t lrd_order_rank(const struct lrd_order *o, struct lrd_order_entry e)
{
  struct lrd_order_probe probe = lrd_order_probe_of(e);
  struct lrd_order_path path;
  size_t rank = 0;
  unsigned depth;

  if (!o->root)
    return 0;
  lrd_order_descend(o, &probe, &path);
  for (depth = 0; depth < o->height; depth++)
    rank += lrd_order_inner_count(path.step[depth].page, path.step[depth].at);
  return rank + lrd_order_place_for(path.leaf, &probe);
}

size_t lrd_order_bound(const struct lrd_order *o, lrd_order_below *below, const void *context)
{
  const struct lrd_order_leaf *leaf;
  const void *page = o->root;
  size_t rank = 0;
  unsigned level, at;

  if (!page)
    return 0;
  for (level = o->height; level; level--) {
    const struct lrd_order_inner *inner = page;
    at = below(context, inner->score, inner->item, inner->used);
    at -= at > 0; /* what lies below the bound ends in the page of the last low below it */
    page = inner->page[at];
    if (level == 1)
      lrd_order_prefetch(page, sizeof *leaf);
    rank += lrd_order_inner_count(inner, at);
  }
  leaf = page;
  return rank + below(context, leaf->score, leaf->item, leaf->used);
}

/* Members are fetched that many entries before they are read. */
enum { AHEAD = 8 };

static void fetch(const struct lrd_order_leaf *leaf, unsigned at)
{
  if (at < leaf->used)
    __builtin_prefetch(leaf->item[at]);
}

void lrd_order_seek(const struct lrd_order *o, size_t rank, struct lrd_order_cursor *c)
{
  const void *page = o->root;
  unsigned level, i;

  for (level = o->height; level; level--) {
    const struct lrd_order_inner *inner = page;
    page = inner->page[lrd_order_link_at(inner, &rank)];
  }
  c->leaf = page;
  c->at = (unsigned)rank;
  for (i = 0; i < AHEAD; i++)
    fetch(c->leaf, c->at + i);
}

struct lrd_order_entry lrd_order_entry_at(const struct lrd_order_cursor *c)
{
  return (struct lrd_order_entry){ c->leaf->score[c->at], c->leaf->item[c->at] };
}

int lrd_order_next(struct lrd_order_cursor *c)
{
  if (++c->at == c->leaf->used) {
    c->leaf = c->leaf->next;
    c->at = 0;
    if (!c->leaf)
      return 0;
  }
  fetch(c->leaf, c->at + AHEAD);
  return 1;
}

int lrd_order_previous(struct lrd_order_cursor *c)
{
  if (c->at == 0) {
    c->leaf = c->leaf->previous;
    if (!c->leaf)
      return 0;
    c->at = c->leaf->used;
  }
  c->at--;
  if (c->at >= AHEAD)
    fetch(c->leaf, c->at - AHEAD);
  return 1;
}

/* --- for tests ----------------------------------------------------------- */

struct check {
  const struct lrd_order_leaf *last; /* leaf seen */
  size_t pages[LRD_ORDER_HEIGHT];
};

static const char *check_leaf(struct check *k, const struct lrd_order_leaf *leaf,
                              const struct lrd_order_link *link)
{
  struct lrd_order_entry before, e = { 0, NULL };
  unsigned i;

  if (leaf->used == 0 || leaf->used > LRD_ORDER_LEAF || (link && link->count != leaf->used))
    return "a leaf's count is wrong";
  if (leaf->previous != k->last || (k->last && k->last->next != leaf))
    return "the row of leaves is wrong";
  if (link && (link->low.score != leaf->score[0] || link->low.item != leaf->item[0]))
    return "a leaf's low is wrong";
  if (k->last)
    e = (struct lrd_order_entry){ k->last->score[k->last->used - 1],
                                  k->last->item[k->last->used - 1] };
  for (i = 0; i < leaf->used; i++) {
    before = e;
    e = (struct lrd_order_entry){ leaf->score[i], leaf->item[i] };
    if (before.item && lrd_order_compare(&before, &e) >= 0)
      return "the leaves are not in order";
  }
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
  if (link && (link->low.item != inner->item[0] || link->low.score != inner->score[0] ||
               link->count != lrd_order_inner_count(inner, inner->used)))
    return "a link is wrong";
  for (i = 0; i < inner->used && !wrong; i++) {
    struct lrd_order_link below = { { inner->score[i], inner->item[i] },
                                    inner->count[i],
                                    inner->page[i] };
    wrong = check_page(k, below.page, level - 1, &below);
  }
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
