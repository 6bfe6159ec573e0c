/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_INTEGERS_H
#define LRD_MEMORY_INTEGERS_H

#include "memory/packed.h"

/*
 * A set of integers: in order, all as wide as the widest that has been among them, one behind
 * the other in a packed block (the idea is Redis's intset).
 *
 *   +---------+---------+-----+-------------+
 *   | least   |         | ... | greatest    |   2, 4 or 8 bytes each, the host's order
 *   +---------+---------+-----+-------------+
 *
 * The width is what the block's used bytes are to the count, which is the owner's and
 * passed to each call.  It is searched by halves; an insert or a removal moves what lies
 * behind, 4 KB at most.
 */
enum { LRD_INTEGERS_MOST = 512, LRD_INTEGER_TEXT = 24 }; /* the latter: bytes of a print */

/* Which of them, counted in order, a number is; or would be, if it is not found. */
size_t lrd_integers_find(const struct lrd_packed *, size_t count, int64_t n, int *found);
int64_t lrd_integers_get(const struct lrd_packed *, size_t count, size_t at);
/* The same as text, in room of LRD_INTEGER_TEXT bytes. */
larder_bytes lrd_integers_print(const struct lrd_packed *, size_t count, size_t at, char *room);

/* The bytes that a number takes at least: 2, 4 or 8. */
static inline size_t lrd_integer_width(int64_t n)
{
  return n == (int16_t)n ? 2 : n == (int32_t)n ? 4 : 8;
}

/* After 0 the next `more` inserts of that width or less can't fail; -1: no memory.  The
 * block may be wider then. */
int lrd_integers_reserve(struct lrd_packed *, const larder_memory *, size_t count, size_t more,
                         size_t width);
/* Of one that is not there, where find says; reserved before.  width: as reserved. */
void lrd_integers_insert(struct lrd_packed *, size_t count, size_t at, int64_t n, size_t width);
void lrd_integers_remove(struct lrd_packed *, const larder_memory *, size_t count, size_t at);
/* Into an empty block; 0, or -1: no memory.  The peaks are not touched. */
int lrd_integers_copy(struct lrd_packed *to, const larder_memory *, const struct lrd_packed *);

/* For tests: NULL, or what is wrong. */
const char *lrd_integers_check(const struct lrd_packed *, size_t count);

#endif
