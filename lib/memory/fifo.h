/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_FIFO_H
#define LRD_MEMORY_FIFO_H

#include <stddef.h>
#include <stdint.h>

#include <larder/hooks.h>

/*
 * First in, first out: words in a list of small chunks, so that it grows and shrinks
 * with what is in it and nothing is ever moved.
 *
 * Not safe for threads.
 */

struct lrd_fifo_chunk;

struct lrd_fifo {
  struct lrd_fifo_chunk *first, *last; /* NULL: empty */
  unsigned begin, end;                 /* in the first chunk; in the last one */
  size_t count;
};

/* All zero is empty.  0, or -1: no memory. */
int lrd_fifo_push(struct lrd_fifo *, const larder_memory *, uint64_t word);
/* 0: it is empty. */
int lrd_fifo_pop(struct lrd_fifo *, const larder_memory *, uint64_t *word);
/* Empties it. */
void lrd_fifo_drop(struct lrd_fifo *, const larder_memory *);

/* Shows each word, the first one first. */
void lrd_fifo_visit(const struct lrd_fifo *, void (*visit)(void *context, uint64_t word),
                    void *context);

/* For tests: NULL, or what is wrong. */
const char *lrd_fifo_check(const struct lrd_fifo *);

#endif
