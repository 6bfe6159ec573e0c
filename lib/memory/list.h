/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_LIST_H
#define LRD_MEMORY_LIST_H

#include <larder/backend.h>

/*
 * A list of byte strings: a doubly linked row of chunks.
 *
 * An element lies in its chunk between its length and its length once more
 * backwards, so that it can be read from either end.  The elements of a chunk
 * lie together, free bytes before and behind them: a chunk that was begun at
 * the front of the list grows to the front.  A push or a pop at an end touches
 * one chunk and moves nothing; what lies in the middle is found chunk by chunk.
 *
 *     first                                            last
 *   +--------------+   +--------------------+   +--------------+
 *   |      [c][b][a|<->|[d][e][f][g][h][i]  |<->|[j][k]        |
 *   +--------------+   +--------------------+   +--------------+
 *
 * Elements that are handed out are valid until the list changes.
 */
struct lrd_chunk;

struct lrd_list {
  struct lrd_chunk *first, *last;
  size_t count;
};

enum lrd_side { LRD_LIST_FRONT, LRD_LIST_BACK };

/* NULL: no memory. */
struct lrd_list *lrd_list_new(const larder_memory *);
void lrd_list_free(struct lrd_list *, const larder_memory *);
/* The same step by step: what is left of a budget of elements; 0: call it again. */
size_t lrd_list_free_some(struct lrd_list *, const larder_memory *, size_t budget);

/* The bytes of the largest block that it is made of: one look at each. */
size_t lrd_list_largest(const struct lrd_list *);

/* Pushes one after the other; 0, or -1: no memory, nothing was pushed. */
int lrd_list_push(struct lrd_list *, const larder_memory *, enum lrd_side, size_t n,
                  const larder_bytes *elements);
/* Removes n elements from an end; n is at most count. */
void lrd_list_pop(struct lrd_list *, const larder_memory *, enum lrd_side, size_t n);

/* A walk from an element (index below count) forward, or backward from it. */
struct lrd_list_cursor {
  const struct lrd_chunk *chunk;
  size_t at; /* forward: where the element begins; backward: where it ends */
};
void lrd_list_seek(const struct lrd_list *, size_t index, struct lrd_list_cursor *);
/* Begins a walk backward at the last element. */
void lrd_list_seek_last(const struct lrd_list *, struct lrd_list_cursor *);
/* The element, and on to the next one (previous one); 0: there is none. */
int lrd_list_next(struct lrd_list_cursor *, larder_bytes *element);
int lrd_list_previous(struct lrd_list_cursor *, larder_bytes *element);

/* Puts an element in at the cursor, or (replace) instead of the one that begins there.  One
 * chunk is changed; where it has no room it is exchanged for a larger one or divided.  0, or
 * -1: no memory, nothing changed.  The cursor is used up. */
int lrd_list_put(struct lrd_list *, const larder_memory *, const struct lrd_list_cursor *,
                 int replace, larder_bytes element);
/* Removes elements that are equal to what: of all those, in order, n behind the first skip. */
void lrd_list_remove_equal(struct lrd_list *, const larder_memory *, larder_bytes what, size_t skip,
                           size_t n);

/* For tests: NULL, or what is wrong. */
const char *lrd_list_check(const struct lrd_list *);

#endif
