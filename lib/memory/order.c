/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/order.h"

#include <string.h>

#include "memory/order_page.h"

enum { LEAF = LRD_ORDER_LEAF, INNER = LRD_ORDER_INNER };

/* --- entries and links --------------------------------------------------- */

/* Moves n entries between leaves, or within one. */
static void leaf_copy(struct lrd_order_leaf *to, unsigned at, const struct lrd_order_leaf *from,
                      unsigned from_at, unsigned n)
{
  memmove(&to->score[at], &from->score[from_at], n * sizeof to->score[0]);
  memmove(&to->item[at], &from->item[from_at], n * sizeof to->item[0]);
}

static void leaf_put(struct lrd_order_leaf *leaf, unsigned at, struct lrd_order_entry e)
{
  leaf->score[at] = e.score;
  leaf->item[at] = e.item;
}

static struct lrd_order_entry leaf_entry(const struct lrd_order_leaf *leaf, unsigned at)
{
  return (struct lrd_order_entry){ leaf->score[at], leaf->item[at] };
}

static void leaf_open(struct lrd_order_leaf *leaf, unsigned at, struct lrd_order_entry e)
{
  leaf_copy(leaf, at + 1, leaf, at, leaf->used - at);
  leaf_put(leaf, at, e);
  leaf->used++;
}

static void leaf_close(struct lrd_order_leaf *leaf, unsigned at, unsigned n)
{
  leaf->used -= n;
  leaf_copy(leaf, at, leaf, at + n, leaf->used - at);
}

static void inner_copy(struct lrd_order_inner *to, unsigned at, const struct lrd_order_inner *from,
                       unsigned from_at, unsigned n)
{
  memmove(&to->count[at], &from->count[from_at], n * sizeof to->count[0]);
  memmove(&to->score[at], &from->score[from_at], n * sizeof to->score[0]);
  memmove(&to->item[at], &from->item[from_at], n * sizeof to->item[0]);
  memmove(&to->page[at], &from->page[from_at], n * sizeof to->page[0]);
}

static void set_low(struct lrd_order_inner *page, unsigned at, struct lrd_order_entry low)
{
  page->score[at] = low.score;
  page->item[at] = low.item;
}

static void inner_put(struct lrd_order_inner *page, unsigned at, const struct lrd_order_link *link)
{
  page->count[at] = (uint32_t)link->count;
  set_low(page, at, link->low);
  page->page[at] = link->page;
}

static void inner_open(struct lrd_order_inner *page, unsigned at, const struct lrd_order_link *link)
{
  inner_copy(page, at + 1, page, at, page->used - at);
  inner_put(page, at, link);
  page->used++;
}

static void inner_close(struct lrd_order_inner *page, unsigned at)
{
  page->used--;
  inner_copy(page, at, page, at + 1, page->used - at);
}

static struct lrd_order_link leaf_link(struct lrd_order_leaf *leaf)
{
  return (struct lrd_order_link){ leaf_entry(leaf, 0), leaf->used, leaf };
}

static struct lrd_order_link inner_link(struct lrd_order_inner *page)
{
  return (struct lrd_order_link){ { page->score[0], page->item[0] },
                                  lrd_order_inner_count(page, page->used),
                                  page };
}

/* --- the path ------------------------------------------------------------ */

/* The page below a depth has a new first entry. */
static void lower(const struct lrd_order_path *path, unsigned depth, struct lrd_order_entry low)
{
  while (depth--) {
    set_low(path->step[depth].page, path->step[depth].at, low);
    if (path->step[depth].at)
      return;
  }
}

/* The page below a depth has n entries more. */
static void count_up(const struct lrd_order_path *path, unsigned depth, uint32_t n)
{
  while (depth--)
    path->step[depth].page->count[path->step[depth].at] += n;
}

/* --- a full leaf --------------------------------------------------------- */

/* A full leaf becomes two, with e in one of them.  At the end of the row the
 * left one stays full: scores often only grow. */
static struct lrd_order_leaf *leaf_split(struct lrd_order *o, struct lrd_order_leaf *leaf,
                                         unsigned at, struct lrd_order_entry e)
{
  struct lrd_order_leaf *right = lrd_order_leaf_take(o);
  unsigned keep = !leaf->next && at == LEAF ? LEAF : LEAF / 2;

  right->used = LEAF - keep;
  leaf_copy(right, 0, leaf, keep, right->used);
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

static struct lrd_order_inner *inner_split(struct lrd_order *o, unsigned level,
                                           struct lrd_order_inner *page, unsigned at,
                                           const struct lrd_order_link *link, int edge)
{
  struct lrd_order_inner *right = lrd_order_inner_take(o, level);
  unsigned keep = edge && at == INNER ? INNER - 1 : INNER / 2;

  right->used = INNER - keep;
  inner_copy(right, 0, page, keep, right->used);
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
  struct lrd_order_inner *root = lrd_order_inner_take(o, o->height + 1);

  inner_put(root, 0, left);
  inner_put(root, 1, right);
  root->used = 2;
  o->root = root;
  o->height++;
}

/* A leaf was split: right is to be linked behind the path, level by level. */
static void link_up(struct lrd_order *o, const struct lrd_order_path *path,
                    struct lrd_order_link left, struct lrd_order_link right)
{
  int edge = ((struct lrd_order_leaf *)right.page)->next == NULL;
  unsigned depth = o->height;

  while (depth--) {
    struct lrd_order_inner *page = path->step[depth].page;
    unsigned at = path->step[depth].at;
    inner_put(page, at, &left);
    if (page->used < INNER) {
      inner_open(page, at + 1, &right);
      count_up(path, depth, 1);
      if (at == 0)
        lower(path, depth, left.low);
      return;
    }
    right = inner_link(inner_split(o, o->height - depth, page, at + 1, &right, edge));
    left = inner_link(page);
  }
  root_grow(o, &left, &right);
}

/* The full pages above the leaf are split too, and a new root is needed if all are. */
static int split_stock(struct lrd_order *o, const larder_memory *memory,
                       const struct lrd_order_path *path)
{
  unsigned depth = o->height;

  while (depth && path->step[depth - 1].page->used == INNER)
    depth--;
  return lrd_order_stock(o, memory, 1, o->height - depth + (depth == 0));
}

/* Entries of a full leaf that a neighbour under the same page takes: half of the
 * room that it has, if that is worth the trouble. */
static unsigned spill(const struct lrd_order_inner *page, unsigned neighbour)
{
  unsigned room = LEAF - page->count[neighbour];
  return room >= LEAF / 8 ? (room + 1) / 2 : 0;
}

/* The last n entries go to the right neighbour, e into one of the two. */
static void spill_right(const struct lrd_order_path *path, unsigned depth, unsigned n, unsigned at,
                        struct lrd_order_entry e)
{
  struct lrd_order_inner *page = path->step[depth].page;
  unsigned link = path->step[depth].at;
  struct lrd_order_leaf *left = path->leaf, *right = page->page[link + 1];

  leaf_copy(right, n, right, 0, right->used);
  left->used -= n;
  leaf_copy(right, 0, left, left->used, n);
  right->used += n;
  if (at > left->used)
    leaf_open(right, at - left->used, e);
  else
    leaf_open(left, at, e);
  page->count[link] = left->used;
  page->count[link + 1] = right->used;
  set_low(page, link + 1, leaf_entry(right, 0));
  if (at == 0)
    lower(path, depth + 1, e);
}

static void spill_left(const struct lrd_order_path *path, unsigned depth, unsigned n, unsigned at,
                       struct lrd_order_entry e)
{
  struct lrd_order_inner *page = path->step[depth].page;
  unsigned link = path->step[depth].at;
  struct lrd_order_leaf *left = page->page[link - 1], *right = path->leaf;
  unsigned taken = left->used;

  leaf_copy(left, taken, right, 0, n);
  left->used += n;
  leaf_close(right, 0, n);
  if (at <= n)
    leaf_open(left, taken + at, e);
  else
    leaf_open(right, at - n, e);
  page->count[link - 1] = left->used;
  page->count[link] = right->used;
  set_low(page, link, leaf_entry(right, 0));
}

/* 1: e is in; 0: no neighbour has room. */
static int insert_spilling(const struct lrd_order *o, const struct lrd_order_path *path,
                           unsigned at, struct lrd_order_entry e)
{
  unsigned depth = o->height - 1, link, n;
  const struct lrd_order_inner *page;

  if (!o->height)
    return 0;
  page = path->step[depth].page;
  link = path->step[depth].at;
  if (link && (n = spill(page, link - 1)))
    spill_left(path, depth, n, at, e);
  else if (link + 1 < page->used && (n = spill(page, link + 1)))
    spill_right(path, depth, n, at, e);
  else
    return 0;
  count_up(path, depth, 1);
  return 1;
}

/* --- inserting ----------------------------------------------------------- */

static int insert_at(struct lrd_order *o, const larder_memory *memory,
                     const struct lrd_order_path *path, unsigned at, struct lrd_order_entry e)
{
  struct lrd_order_leaf *leaf = path->leaf;

  if (leaf->used < LEAF) {
    leaf_open(leaf, at, e);
    count_up(path, o->height, 1);
    if (at == 0)
      lower(path, o->height, e);
  } else if (!insert_spilling(o, path, at, e)) {
    struct lrd_order_leaf *right;
    if (split_stock(o, memory, path) != 0)
      return -1;
    right = leaf_split(o, leaf, at, e);
    link_up(o, path, leaf_link(leaf), leaf_link(right));
  }
  o->count++;
  return 0;
}

void lrd_order_find(const struct lrd_order *o, double score, larder_bytes member,
                    struct lrd_order_path *path)
{
  struct lrd_order_probe probe = { score, NULL, member };

  if (o->root)
    lrd_order_descend(o, &probe, path);
}

int lrd_order_insert(struct lrd_order *o, const larder_memory *memory,
                     const struct lrd_order_path *at, struct lrd_order_entry e)
{
  struct lrd_order_probe probe = lrd_order_probe_of(e);
  struct lrd_order_path path;

  if (o->count == UINT32_MAX)
    return -1;
  if (!o->root) {
    if (lrd_order_stock(o, memory, 1, 0) != 0)
      return -1;
    o->root = lrd_order_leaf_take(o);
    at = NULL;
  }
  if (!at) {
    lrd_order_descend(o, &probe, &path);
    at = &path;
  }
  return insert_at(o, memory, at, lrd_order_place_for(at->leaf, &probe), e);
}

/* --- removing ------------------------------------------------------------ */

static void leaf_unlink(struct lrd_order *o, struct lrd_order_leaf *leaf)
{
  if (leaf->previous)
    leaf->previous->next = leaf->next;
  if (leaf->next)
    leaf->next->previous = leaf->previous;
  lrd_order_leaf_give(o, leaf);
}

static void child_drop(struct lrd_order *o, unsigned level, void *child)
{
  if (level)
    lrd_order_inner_give(o, level, child);
  else
    leaf_unlink(o, child);
}

static void child_append(unsigned level, void *to, const void *from)
{
  if (level) {
    struct lrd_order_inner *page = to;
    const struct lrd_order_inner *more = from;
    inner_copy(page, page->used, more, 0, more->used);
    page->used += more->used;
  } else {
    struct lrd_order_leaf *leaf = to;
    const struct lrd_order_leaf *more = from;
    leaf_copy(leaf, leaf->used, more, 0, more->used);
    leaf->used += more->used;
  }
}

/* The child at a place lost entries; level is the child's.  It goes if it is
 * empty, and into a neighbour if both fit. */
static void settle(struct lrd_order *o, struct lrd_order_inner *page, unsigned at, unsigned level)
{
  unsigned most = (level ? (unsigned)INNER : (unsigned)LEAF) * 3 / 4, left;

  if (lrd_order_page_used(page->page[at], level) == 0) {
    child_drop(o, level, page->page[at]);
    inner_close(page, at);
    return;
  }
  for (left = at ? at - 1 : at; left <= at && left + 1 < page->used; left++) {
    void *a = page->page[left], *b = page->page[left + 1];
    /* a leaf is as full as its link says: it need not be touched */
    unsigned used = level ? lrd_order_page_used(a, level) + lrd_order_page_used(b, level)
                          : page->count[left] + page->count[left + 1];
    if (used > most)
      continue;
    child_append(level, a, b);
    child_drop(o, level, b);
    page->count[left] += page->count[left + 1];
    inner_close(page, left + 1);
    return;
  }
}

static void root_shrink(struct lrd_order *o)
{
  while (o->height && lrd_order_page_used(o->root, o->height) == 1) {
    struct lrd_order_inner *root = o->root;
    o->root = root->page[0];
    lrd_order_inner_give(o, o->height, root);
    o->height--;
  }
}

/* n entries of the path's leaf. */
static void remove_at(struct lrd_order *o, const struct lrd_order_path *path, unsigned at,
                      unsigned n)
{
  struct lrd_order_leaf *leaf = path->leaf;
  unsigned depth;

  o->count -= n;
  leaf_close(leaf, at, n);
  if (o->count == 0) { /* the only leaf */
    lrd_order_leaf_give(o, leaf);
    o->root = NULL;
    return;
  }
  count_up(path, o->height, 0U - n);
  if (at == 0 && leaf->used)
    lower(path, o->height, leaf_entry(leaf, 0));
  for (depth = o->height; depth--;) {
    struct lrd_order_inner *page = path->step[depth].page;
    settle(o, page, path->step[depth].at, o->height - depth - 1);
    if (path->step[depth].at == 0 && page->used && depth)
      set_low(path->step[depth - 1].page, path->step[depth - 1].at,
              (struct lrd_order_entry){ page->score[0], page->item[0] });
  }
  root_shrink(o);
}

void lrd_order_remove(struct lrd_order *o, struct lrd_order_entry e)
{
  struct lrd_order_probe probe = lrd_order_probe_of(e);
  struct lrd_order_path path;

  lrd_order_descend(o, &probe, &path);
  remove_at(o, &path, lrd_order_place_for(path.leaf, &probe), 1);
}

size_t lrd_order_take(struct lrd_order *o, size_t rank, size_t n,
                      const unsigned char *item[LRD_ORDER_LEAF])
{
  struct lrd_order_path path;
  void *page = o->root;
  unsigned depth, taken;

  for (depth = 0; depth < o->height; depth++) {
    struct lrd_order_inner *inner = page;
    unsigned at = lrd_order_link_at(inner, &rank);
    path.step[depth].page = inner;
    path.step[depth].at = at;
    page = inner->page[at];
  }
  path.leaf = page;
  taken = path.leaf->used - (unsigned)rank;
  if (taken > n)
    taken = (unsigned)n;
  memcpy(item, &path.leaf->item[rank], taken * sizeof *item);
  remove_at(o, &path, (unsigned)rank, taken);
  return taken;
}

/* --- moving -------------------------------------------------------------- */

/* Within one leaf, from a place to the one that is free when e is gone. */
static void move_within(const struct lrd_order *o, const struct lrd_order_path *path, unsigned from,
                        const struct lrd_order_probe *to)
{
  struct lrd_order_leaf *leaf = path->leaf;
  unsigned at;

  leaf_close(leaf, from, 1);
  at = lrd_order_place_for(leaf, to);
  leaf_open(leaf, at, (struct lrd_order_entry){ to->score, to->item });
  if (at == 0 || from == 0)
    lower(path, o->height, leaf_entry(leaf, 0));
}

/* Both leaves are fetched at the same time. */
int lrd_order_move(struct lrd_order *o, const larder_memory *memory,
                   const struct lrd_order_path *at, struct lrd_order_entry e, double score)
{
  struct lrd_order_probe old = lrd_order_probe_of(e), to = { score, e.item, old.member };
  struct lrd_order_path from, path;
  int splits;

  lrd_order_descend(o, &old, &from);
  if (!at) {
    lrd_order_descend(o, &to, &path);
    at = &path;
  }
  if (from.leaf == at->leaf) {
    move_within(o, &from, lrd_order_place_for(from.leaf, &old), &to);
    return 0;
  }
  splits = at->leaf->used == LEAF;
  e.score = score;
  if (insert_at(o, memory, at, lrd_order_place_for(at->leaf, &to), e) != 0)
    return -1;
  if (splits)
    lrd_order_descend(o, &old, &from);
  remove_at(o, &from, lrd_order_place_for(from.leaf, &old), 1);
  return 0;
}
