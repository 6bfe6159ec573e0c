/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_SORTING_H
#define LRD_MEMORY_SORTING_H

#include <larder/backend.h>

/*
 * Elements put in order, for SORT: a merge sort from the bottom up, so that what is
 * equal keeps its order, as in Redis on glibc.  O(n log n) comparisons, and no memory but
 * what the caller brings.
 */
struct lrd_sorted {
  larder_bytes element;
  larder_bytes by; /* alphabetically: what it is compared by; data NULL: nothing, comes first */
  double score;    /* numerically: by this, then by the element's bytes */
};

struct lrd_sorting {
  int alpha;    /* by text, not by score */
  int down;
  int binary;   /* texts byte for byte; else up to their first zero byte */
};

/* What Redis makes of a text as a score: C's strtod, nothing behind the number.  An empty text
 * is 0.  0: it is none, or out of range. */
int lrd_sorting_score(larder_bytes text, double *score);

/* spare: room for n more.  Returns where the sorted ones are: item or spare. */
struct lrd_sorted *lrd_sort(const struct lrd_sorting *, struct lrd_sorted *item,
                            struct lrd_sorted *spare, size_t n);

#endif
