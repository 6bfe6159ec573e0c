/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ORDER_H
#define LRD_MEMORY_ORDER_H

#include <larder/backend.h>

/*
 * The order of a large sorted set: a counted B+-tree over (score, item).  An
 * item is a pointer to a blob (packed.h), the member; equal scores are ordered
 * by the members' bytes.  Each link of an inner page carries the lowest entry
 * of the page below and the number of entries under it, so that rank, entry by
 * rank and bounds by score are one descent each.  Leaves are linked to a row.
 *
 * Pages may be thinly filled but are never empty; neighbours that fit into
 * three quarters of one page are merged when one of them lost an entry.
 */

enum { LRD_ORDER_HEIGHT = 16, LRD_ORDER_LEAF = 32, LRD_ORDER_INNER = 32 };

struct lrd_order_entry {
  double score;
  const unsigned char *item;
};

struct lrd_order_leaf;
struct lrd_order_inner;

struct lrd_order {
  void *root; /* a leaf if height is 0 */
  unsigned height;
  size_t count;
  size_t pages[LRD_ORDER_HEIGHT]; /* of each level; 0: leaves */
  void *spare_leaf, *spare_inner;
  size_t spare_leaves, spare_inners;
};

void lrd_order_init(struct lrd_order *);
/* The items are the owner's. */
void lrd_order_free(struct lrd_order *, const larder_memory *);

/* After 0, n inserts and moves can't fail; -1: no memory.  One: for the insert
 * of this entry, or a move to it, and nothing in between.  Both end with
 * unreserve. */
int lrd_order_reserve(struct lrd_order *, const larder_memory *, size_t n);
int lrd_order_reserve_one(struct lrd_order *, const larder_memory *, struct lrd_order_entry);
void lrd_order_unreserve(struct lrd_order *, const larder_memory *);

/* Of an item that is not there; reserved before. */
void lrd_order_insert(struct lrd_order *, struct lrd_order_entry);
/* Of an entry that is there.  Emptied pages are kept until unreserve. */
void lrd_order_remove(struct lrd_order *, struct lrd_order_entry);
/* An item gets another score; reserved before. */
void lrd_order_move(struct lrd_order *, struct lrd_order_entry, double score);

/* How many entries come before an entry. */
size_t lrd_order_rank(const struct lrd_order *, struct lrd_order_entry);
/* How many entries come before the first one for which below() is 0; below
 * must be 1 up to some place in the order and 0 from there on. */
size_t lrd_order_bound(const struct lrd_order *,
                       int (*below)(const void *context, const struct lrd_order_entry *),
                       const void *context);

/* A walk from a rank (below count) in either direction. */
struct lrd_order_cursor {
  const struct lrd_order_leaf *leaf;
  unsigned at;
};
void lrd_order_seek(const struct lrd_order *, size_t rank, struct lrd_order_cursor *);
struct lrd_order_entry lrd_order_entry_at(const struct lrd_order_cursor *);
/* 0: that was the last (first) one. */
int lrd_order_next(struct lrd_order_cursor *);
int lrd_order_previous(struct lrd_order_cursor *);

/* For tests: NULL, or what is wrong. */
const char *lrd_order_check(const struct lrd_order *);

#endif
