/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/order_page.h"

#include <string.h>

#include "util/memory.h"

/* A spare page's first bytes are the pointer to the next one. */
static void *spare_take(void **spare, size_t *n)
{
  void *page = *spare;

  memcpy(spare, page, sizeof *spare);
  --*n;
  return page;
}

static void spare_give(void **spare, size_t *n, void *page)
{
  memcpy(page, spare, sizeof *spare);
  *spare = page;
  ++*n;
}

void lrd_order_leaf_give(struct lrd_order *o, struct lrd_order_leaf *leaf)
{
  o->pages[0]--;
  spare_give(&o->spare_leaf, &o->spare_leaves, leaf);
}

struct lrd_order_leaf *lrd_order_leaf_take(struct lrd_order *o)
{
  struct lrd_order_leaf *leaf = spare_take(&o->spare_leaf, &o->spare_leaves);

  o->pages[0]++;
  leaf->previous = leaf->next = NULL;
  leaf->used = 0;
  return leaf;
}

void lrd_order_inner_give(struct lrd_order *o, unsigned level, struct lrd_order_inner *inner)
{
  o->pages[level]--;
  spare_give(&o->spare_inner, &o->spare_inners, inner);
}

struct lrd_order_inner *lrd_order_inner_take(struct lrd_order *o, unsigned level)
{
  struct lrd_order_inner *inner = spare_take(&o->spare_inner, &o->spare_inners);

  o->pages[level]++;
  inner->used = 0;
  return inner;
}

int lrd_order_stock(struct lrd_order *o, const larder_memory *memory, size_t leaves, size_t inners)
{
  while (o->spare_leaves < leaves) {
    void *page = lrd_allocate(memory, sizeof(struct lrd_order_leaf));
    if (!page)
      return -1;
    spare_give(&o->spare_leaf, &o->spare_leaves, page);
  }
  while (o->spare_inners < inners) {
    void *page = lrd_allocate(memory, sizeof(struct lrd_order_inner));
    if (!page)
      return -1;
    spare_give(&o->spare_inner, &o->spare_inners, page);
  }
  return 0;
}

/* Each insert splits at most one leaf.  A split makes an insert one level up;
 * there a page is split when it is full, and two pages that came from a split
 * or a merge take at least eight inserts until they are: so no more splits on
 * a level than pages are there now and an eighth of the inserts. */
int lrd_order_reserve(struct lrd_order *o, const larder_memory *memory, size_t n)
{
  size_t splits = n, inners = 0;
  unsigned level;

  for (level = 1; level < LRD_ORDER_HEIGHT; level++) {
    size_t most = o->pages[level] + splits / 8 + 1;
    splits = splits < most ? splits : most;
    inners += splits;
    if (level > o->height && splits <= 1)
      break;
  }
  return lrd_order_stock(o, memory, n + 1, inners);
}

void lrd_order_unreserve(struct lrd_order *o, const larder_memory *memory)
{
  while (o->spare_leaves)
    lrd_release(memory, spare_take(&o->spare_leaf, &o->spare_leaves),
                sizeof(struct lrd_order_leaf));
  while (o->spare_inners)
    lrd_release(memory, spare_take(&o->spare_inner, &o->spare_inners),
                sizeof(struct lrd_order_inner));
}

/* --- the whole ----------------------------------------------------------- */

void lrd_order_init(struct lrd_order *o)
{
  memset(o, 0, sizeof *o);
}

/* The last leaf, and the inner pages that it leaves empty. */
static void last_leaf_free(struct lrd_order *o, const larder_memory *memory)
{
  struct lrd_order_inner *step[LRD_ORDER_HEIGHT];
  void *page = o->root;
  unsigned depth;

  for (depth = 0; depth < o->height; depth++) {
    step[depth] = page;
    page = step[depth]->page[step[depth]->used - 1];
  }
  lrd_release(memory, page, sizeof(struct lrd_order_leaf));
  while (depth--) {
    if (--step[depth]->used)
      return;
    lrd_release(memory, step[depth], sizeof *step[depth]);
  }
  o->root = NULL;
}

size_t lrd_order_drain(struct lrd_order *o, const larder_memory *memory, size_t budget)
{
  for (; budget && o->root; budget--)
    last_leaf_free(o, memory);
  return budget;
}

void lrd_order_free(struct lrd_order *o, const larder_memory *memory)
{
  (void)lrd_order_drain(o, memory, SIZE_MAX);
  lrd_order_unreserve(o, memory);
  memset(o, 0, sizeof *o);
}
