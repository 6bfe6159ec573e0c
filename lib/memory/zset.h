/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ZSET_H
#define LRD_MEMORY_ZSET_H

#include "memory/order.h"
#include "memory/set.h"

/*
 * A sorted set: members with scores, ordered by score, then by the members'
 * bytes.  Small: score and member, entry behind entry in one packed block, in
 * order.  Else each member is one allocation (score, blob) that stands in a
 * table by member and in an order by score.  A sorted set that has become
 * large stays so.  Members that are handed out are valid until it changes.
 *
 * Ranks count from 0 at the lowest score.
 *
 * sums: the members of which only increments are known, not what they were
 * added to (in an entry that is a DELTA); NULL as long as there are none.
 */
enum { LRD_ZSET_PACKED = 128 }; /* entries at most while it is small */

struct lrd_zset_large {
  struct lrd_table *table;
  struct lrd_order order;
};

struct lrd_zset {
  struct lrd_packed packed;
  struct lrd_zset_large *large; /* NULL: packed */
  struct lrd_set *sums;
  size_t count;
};

struct lrd_scored {
  larder_bytes member;
  double score;
};

/* NULL: no memory. */
struct lrd_zset *lrd_zset_new(const larder_memory *);
void lrd_zset_free(struct lrd_zset *, const larder_memory *);
/* Makes it a large one before it is, so that negative zeros are kept.  0, or -1: no memory. */
int lrd_zset_enlarge(struct lrd_zset *, const larder_memory *, const struct lrd_universal_key *);
/* The same step by step: what is left of a budget of elements; 0: call it again. */
size_t lrd_zset_free_some(struct lrd_zset *, const larder_memory *, size_t budget);

/* --- changing ------------------------------------------------------------ */

enum {
  LRD_ZSET_NX = 1,  /* only members that are not there */
  LRD_ZSET_XX = 2,  /* only members that are there */
  LRD_ZSET_GT = 4,  /* a score only if it becomes greater */
  LRD_ZSET_LT = 8,  /* a score only if it becomes less */
  LRD_ZSET_INCR = 16
};

struct lrd_zset_change {
  int64_t added, updated; /* updated: got another score */
  int skipped;            /* a condition kept the last pair from being done */
  int nan;                /* the increment's sum is not a number: nothing was changed */
  double score;           /* of the last pair, now */
};

/* 0, or -1: no memory, nothing was changed.  With LRD_ZSET_INCR n is 1. */
int lrd_zset_add(struct lrd_zset *, const larder_memory *, const struct lrd_universal_key *,
                 unsigned flags, size_t n, const struct lrd_scored *, struct lrd_zset_change *);
/* 1: it was there. */
int lrd_zset_remove(struct lrd_zset *, const larder_memory *, larder_bytes member);
/* n entries from a rank on, which must be there. */
void lrd_zset_remove_range(struct lrd_zset *, const larder_memory *, size_t rank, size_t n);

/* Marks a member as a sum; 0, or -1: no memory.  An add without LRD_ZSET_INCR
 * and a removal take the mark away. */
int lrd_zset_mark_sum(struct lrd_zset *, const larder_memory *, const struct lrd_universal_key *,
                      larder_bytes member);
void lrd_zset_unmark_sum(struct lrd_zset *, const larder_memory *, larder_bytes member);
int lrd_zset_is_sum(const struct lrd_zset *, larder_bytes member);

/* --- looking up ---------------------------------------------------------- */

/* 1: the member is there. */
int lrd_zset_score(const struct lrd_zset *, larder_bytes member, double *score);
int lrd_zset_rank(const struct lrd_zset *, larder_bytes member, size_t *rank);

/* How many entries have a score below this one (or equal to it). */
size_t lrd_zset_below(const struct lrd_zset *, double score, int or_equal);

/* An end of a range by members. */
struct lrd_lex_bound {
  int infinite; /* -1: before all, 1: behind all */
  int exclusive;
  larder_bytes member;
};
struct lrd_lex_range {
  struct lrd_lex_bound min, max;
};
/* Whether a member keeps to the lower (upper) end. */
int lrd_lex_above_min(const struct lrd_lex_range *, larder_bytes member);
int lrd_lex_below_max(const struct lrd_lex_range *, larder_bytes member);
/* The first entry (reverse: the last) that is in the range.  Meant for equal
 * scores; what Redis finds in a small set of different ones is found too. */
int lrd_zset_lex_first(const struct lrd_zset *, const struct lrd_lex_range *, int reverse,
                       size_t *rank);

/* A walk from a rank (below count) in either direction while nothing changes. */
struct lrd_zset_cursor {
  size_t rank, count;
  struct lrd_order_cursor order;
  uint16_t offset[LRD_ZSET_PACKED];
};
void lrd_zset_seek(const struct lrd_zset *, size_t rank, struct lrd_zset_cursor *);
void lrd_zset_get(const struct lrd_zset *, const struct lrd_zset_cursor *, struct lrd_scored *);
/* 0: that was the last (first) one. */
int lrd_zset_next(const struct lrd_zset *, struct lrd_zset_cursor *);
int lrd_zset_previous(const struct lrd_zset *, struct lrd_zset_cursor *);

uint64_t lrd_zset_scan(const struct lrd_zset *, uint64_t cursor, lrd_scan_visit *,
                       void *context);

/* For tests: NULL, or what is wrong. */
const char *lrd_zset_check(const struct lrd_zset *);

#endif
