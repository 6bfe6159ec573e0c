/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/order.h"

#include <string.h>

#include "memory/order_page.h"
#include "util/memory.h"

enum { LEAF = LRD_ORDER_LEAF, INNER = LRD_ORDER_INNER };

/* --- pages --------------------------------------------------------------- */

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

static void leaf_give(struct lrd_order *o, struct lrd_order_leaf *leaf)
{
  o->pages[0]--;
  spare_give(&o->spare_leaf, &o->spare_leaves, leaf);
}

static struct lrd_order_leaf *leaf_take(struct lrd_order *o)
{
  struct lrd_order_leaf *leaf = spare_take(&o->spare_leaf, &o->spare_leaves);

  o->pages[0]++;
  leaf->previous = leaf->next = NULL;
  leaf->used = 0;
  return leaf;
}

static void inner_give(struct lrd_order *o, unsigned level, struct lrd_order_inner *inner)
{
  o->pages[level]--;
  spare_give(&o->spare_inner, &o->spare_inners, inner);
}

static struct lrd_order_inner *inner_take(struct lrd_order *o, unsigned level)
{
  struct lrd_order_inner *inner = spare_take(&o->spare_inner, &o->spare_inners);

  o->pages[level]++;
  inner->used = 0;
  return inner;
}

void lrd_order_init(struct lrd_order *o)
{
  memset(o, 0, sizeof *o);
}

static void page_free(const larder_memory *memory, void *page, unsigned level)
{
  if (level) {
    struct lrd_order_inner *inner = page;
    unsigned i;
    for (i = 0; i < inner->used; i++)
      page_free(memory, inner->link[i].page, level - 1);
    lrd_release(memory, inner, sizeof *inner);
  } else {
    lrd_release(memory, page, sizeof(struct lrd_order_leaf));
  }
}

void lrd_order_free(struct lrd_order *o, const larder_memory *memory)
{
  if (o->root)
    page_free(memory, o->root, o->height);
  lrd_order_unreserve(o, memory);
  memset(o, 0, sizeof *o);
}

static int reserve(struct lrd_order *o, const larder_memory *memory, size_t leaves, size_t inners)
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
  return reserve(o, memory, n + 1, inners);
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

int lrd_order_reserve_one(struct lrd_order *o, const larder_memory *memory,
                          struct lrd_order_entry e)
{
  struct lrd_order_path path;
  unsigned depth = o->height;

  if (!o->root)
    return reserve(o, memory, 1, 0);
  lrd_order_descend(o, &e, &path);
  if (path.leaf->used < LEAF)
    return 0;
  while (depth && path.step[depth - 1].page->used == INNER)
    depth--;
  /* The full pages above the leaf, and a new root if all are. */
  return reserve(o, memory, 1, o->height - depth + (depth == 0));
}

/* --- inserting ----------------------------------------------------------- */

/* The page below a depth has a new first entry. */
static void lower(struct lrd_order_path *path, unsigned depth, const struct lrd_order_entry *low)
{
  while (depth--) {
    path->step[depth].page->link[path->step[depth].at].low = *low;
    if (path->step[depth].at)
      return;
  }
}

/* The page below a depth has one entry more; low: and a new first one, or NULL. */
static void count_up(struct lrd_order_path *path, unsigned depth, const struct lrd_order_entry *low)
{
  unsigned i;

  for (i = 0; i < depth; i++)
    path->step[i].page->link[path->step[i].at].count++;
  if (low)
    lower(path, depth, low);
}

static void leaf_open(struct lrd_order_leaf *leaf, unsigned at, struct lrd_order_entry e)
{
  memmove(&leaf->entry[at + 1], &leaf->entry[at], (leaf->used - at) * sizeof e);
  leaf->entry[at] = e;
  leaf->used++;
}

/* A full leaf becomes two, with e in one of them.  At the end of the row the
 * left one stays full: scores often only grow. */
static struct lrd_order_leaf *leaf_split(struct lrd_order *o, struct lrd_order_leaf *leaf,
                                         unsigned at, struct lrd_order_entry e)
{
  struct lrd_order_leaf *right = leaf_take(o);
  unsigned keep = !leaf->next && at == LEAF ? LEAF : LEAF / 2;

  right->used = LEAF - keep;
  memcpy(right->entry, &leaf->entry[keep], right->used * sizeof e);
  leaf->used = keep;
  right->previous = leaf;
  right->next = leaf->next;
  if (right->next)
    right->next->previous = right;
  leaf->next = right;
  if (at > keep || keep == LEAF)
    leaf_open(right, at - keep, e);
  else
    leaf_open(leaf, at, e);
  return right;
}

static void inner_open(struct lrd_order_inner *page, unsigned at, const struct lrd_order_link *link)
{
  memmove(&page->link[at + 1], &page->link[at], (page->used - at) * sizeof *link);
  page->link[at] = *link;
  page->used++;
}

static struct lrd_order_inner *inner_split(struct lrd_order *o, unsigned level,
                                           struct lrd_order_inner *page, unsigned at,
                                           const struct lrd_order_link *link, int edge)
{
  struct lrd_order_inner *right = inner_take(o, level);
  unsigned keep = edge && at == INNER ? INNER - 1 : INNER / 2;

  right->used = INNER - keep;
  memcpy(right->link, &page->link[keep], right->used * sizeof *link);
  page->used = keep;
  if (at > keep)
    inner_open(right, at - keep, link);
  else
    inner_open(page, at, link);
  return right;
}

static void root_grow(struct lrd_order *o, const struct lrd_order_link *left,
                      const struct lrd_order_link *right)
{
  struct lrd_order_inner *root = inner_take(o, o->height + 1);

  root->link[0] = *left;
  root->link[1] = *right;
  root->used = 2;
  o->root = root;
  o->height++;
}

static struct lrd_order_link leaf_link(struct lrd_order_leaf *leaf)
{
  return (struct lrd_order_link){ leaf->entry[0], leaf->used, leaf };
}

static struct lrd_order_link inner_link(struct lrd_order_inner *page)
{
  return (struct lrd_order_link){ page->link[0].low, lrd_order_inner_count(page), page };
}

/* A leaf was split: right is to be linked behind the path, level by level. */
static void link_up(struct lrd_order *o, struct lrd_order_path *path, struct lrd_order_link left,
                    struct lrd_order_link right)
{
  int edge = ((struct lrd_order_leaf *)right.page)->next == NULL;
  unsigned depth = o->height;

  while (depth--) {
    struct lrd_order_inner *page = path->step[depth].page;
    unsigned at = path->step[depth].at;
    page->link[at] = left;
    if (page->used < INNER) {
      inner_open(page, at + 1, &right);
      count_up(path, depth, at == 0 ? &left.low : NULL);
      return;
    }
    right = inner_link(inner_split(o, o->height - depth, page, at + 1, &right, edge));
    left = inner_link(page);
  }
  root_grow(o, &left, &right);
}

void lrd_order_insert(struct lrd_order *o, struct lrd_order_entry e)
{
  struct lrd_order_path path;
  unsigned at;

  o->count++;
  if (!o->root) {
    o->root = leaf_take(o);
    leaf_open(o->root, 0, e);
    return;
  }
  lrd_order_descend(o, &e, &path);
  at = lrd_order_place_for(path.leaf, &e);
  if (path.leaf->used == LEAF) {
    struct lrd_order_leaf *right = leaf_split(o, path.leaf, at, e);
    link_up(o, &path, leaf_link(path.leaf), leaf_link(right));
  } else {
    leaf_open(path.leaf, at, e);
    count_up(&path, o->height, at == 0 ? &e : NULL);
  }
}

/* --- removing ------------------------------------------------------------ */

static void leaf_unlink(struct lrd_order *o, struct lrd_order_leaf *leaf)
{
  if (leaf->previous)
    leaf->previous->next = leaf->next;
  if (leaf->next)
    leaf->next->previous = leaf->previous;
  leaf_give(o, leaf);
}

static void inner_close(struct lrd_order_inner *page, unsigned at)
{
  page->used--;
  memmove(&page->link[at], &page->link[at + 1], (page->used - at) * sizeof page->link[0]);
}

static void leaf_append(struct lrd_order_leaf *to, const struct lrd_order_leaf *from)
{
  memcpy(&to->entry[to->used], from->entry, from->used * sizeof from->entry[0]);
  to->used += from->used;
}

static void inner_append(struct lrd_order_inner *to, const struct lrd_order_inner *from)
{
  memcpy(&to->link[to->used], from->link, from->used * sizeof from->link[0]);
  to->used += from->used;
}

/* The child at a place lost an entry; level is the child's.  It goes if it is
 * empty, and into a neighbour if both fit. */
static void settle(struct lrd_order *o, struct lrd_order_inner *page, unsigned at, unsigned level)
{
  void *child = page->link[at].page;
  unsigned used = lrd_order_page_used(child, level), left;

  if (used == 0) {
    if (level)
      inner_give(o, level, child);
    else
      leaf_unlink(o, child);
    inner_close(page, at);
    return;
  }
  for (left = at ? at - 1 : at; left <= at && left + 1 < page->used; left++) {
    void *a = page->link[left].page, *b = page->link[left + 1].page;
    if (lrd_order_page_used(a, level) + lrd_order_page_used(b, level) > LEAF * 3 / 4)
      continue;
    if (level) {
      inner_append(a, b);
      inner_give(o, level, b);
    } else {
      leaf_append(a, b);
      leaf_unlink(o, b);
    }
    page->link[left].count += page->link[left + 1].count;
    inner_close(page, left + 1);
    return;
  }
}

static void root_shrink(struct lrd_order *o)
{
  while (o->height && lrd_order_page_used(o->root, o->height) == 1) {
    struct lrd_order_inner *root = o->root;
    o->root = root->link[0].page;
    inner_give(o, o->height, root);
    o->height--;
  }
}

void lrd_order_remove(struct lrd_order *o, struct lrd_order_entry e)
{
  struct lrd_order_path path;
  struct lrd_order_leaf *leaf;
  unsigned at, depth;

  lrd_order_descend(o, &e, &path);
  leaf = path.leaf;
  at = lrd_order_place_for(leaf, &e);
  o->count--;
  leaf->used--;
  memmove(&leaf->entry[at], &leaf->entry[at + 1], (leaf->used - at) * sizeof e);
  if (o->count == 0) { /* the only leaf */
    leaf_give(o, leaf);
    o->root = NULL;
    return;
  }
  for (depth = 0; depth < o->height; depth++)
    path.step[depth].page->link[path.step[depth].at].count--;
  if (at == 0 && leaf->used)
    lower(&path, o->height, &leaf->entry[0]);
  for (depth = o->height; depth--;) {
    struct lrd_order_inner *page = path.step[depth].page;
    settle(o, page, path.step[depth].at, o->height - depth - 1);
    if (path.step[depth].at == 0 && page->used && depth)
      path.step[depth - 1].page->link[path.step[depth - 1].at].low = page->link[0].low;
  }
  root_shrink(o);
}

/* Between its neighbours an entry changes in place. */
void lrd_order_move(struct lrd_order *o, struct lrd_order_entry e, double score)
{
  struct lrd_order_entry to = { score, e.item };
  const struct lrd_order_entry *before = NULL, *after = NULL;
  struct lrd_order_leaf *leaf;
  struct lrd_order_path path;
  unsigned at;

  lrd_order_descend(o, &e, &path);
  leaf = path.leaf;
  at = lrd_order_place_for(leaf, &e);
  if (at)
    before = &leaf->entry[at - 1];
  else if (leaf->previous)
    before = &leaf->previous->entry[leaf->previous->used - 1];
  if (at + 1 < leaf->used)
    after = &leaf->entry[at + 1];
  else if (leaf->next)
    after = &leaf->next->entry[0];
  if ((!before || lrd_order_compare(before, &to) < 0) &&
      (!after || lrd_order_compare(&to, after) < 0)) {
    leaf->entry[at].score = score;
    if (at == 0)
      lower(&path, o->height, &to);
    return;
  }
  lrd_order_remove(o, e);
  lrd_order_insert(o, to);
}
