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
 * Scores stand beside the items, in an array of their own: a search touches
 * nothing else until it meets an equal score, and a descent costs one miss of the
 * cache, in the leaf (the inner pages of 1e6 entries have 2 MB, their scores 0.5).
 *
 * A full leaf hands entries to a neighbour before it is split, so leaves are
 * filled to four fifths by random scores and wholly by rising ones.  Pages may be thinly
 * filled but are never empty; neighbours that fit into three quarters of one
 * page are merged when one of them lost an entry.
 */

enum { LRD_ORDER_HEIGHT = 16, LRD_ORDER_LEAF = 40, LRD_ORDER_INNER = 64 };

struct lrd_order_entry {
  double score;
  const unsigned char *item;
};

struct lrd_order_leaf;
struct lrd_order_inner;

struct lrd_order {
  void *root; /* a leaf if height is 0 */
  unsigned height;
  size_t count; /* below 2^32, as in Redis */
  size_t pages[LRD_ORDER_HEIGHT]; /* of each level; 0: leaves */
  void *spare_leaf, *spare_inner;
  size_t spare_leaves, spare_inners;
};

void lrd_order_init(struct lrd_order *);
/* The items are the owner's. */
void lrd_order_free(struct lrd_order *, const larder_memory *);
/* The same step by step: frees up to budget leaves and returns what is left of
 * it; 0: there may be more.  Then only drain and free are allowed. */
size_t lrd_order_drain(struct lrd_order *, const larder_memory *, size_t budget);

/* After 0, n inserts and moves can't fail for want of memory; -1: no memory.
 * Ends with unreserve. */
int lrd_order_reserve(struct lrd_order *, const larder_memory *, size_t n);
/* Pages that a removal emptied are kept until this too. */
void lrd_order_unreserve(struct lrd_order *, const larder_memory *);

/* The way to where an entry is or belongs (order_page.h); its leaf is asked for, so that
 * something else can be looked up meanwhile.  It holds until the order changes. */
struct lrd_order_path;
void lrd_order_find(const struct lrd_order *, double score, larder_bytes member,
                    struct lrd_order_path *);

/* Of an item that is not there.  0, or -1: no memory, nothing was changed.  at: the way to
 * its place, NULL: not yet found. */
int lrd_order_insert(struct lrd_order *, const larder_memory *, const struct lrd_order_path *at,
                     struct lrd_order_entry);
/* An entry that is there gets another score.  0, or -1 as above. */
int lrd_order_move(struct lrd_order *, const larder_memory *, const struct lrd_order_path *at,
                   struct lrd_order_entry, double score);
/* Of an entry that is there. */
void lrd_order_remove(struct lrd_order *, struct lrd_order_entry);
/* Removes entries from a rank on, as many of n as lie in one leaf; their items,
 * and how many they are. */
size_t lrd_order_take(struct lrd_order *, size_t rank, size_t n,
                      const unsigned char *item[LRD_ORDER_LEAF]);

/* How many entries come before an entry. */
size_t lrd_order_rank(const struct lrd_order *, struct lrd_order_entry);
/* How many entries lie below a bound: below() says how many of the first ones of
 * a run of entries do. */
typedef unsigned lrd_order_below(const void *context, const double *score,
                                 const unsigned char *const *item, unsigned n);
size_t lrd_order_bound(const struct lrd_order *, lrd_order_below *, const void *context);

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
