/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_ARENA_H
#define LRD_UTIL_ARENA_H

#include <stddef.h>

#include <larder/hooks.h>

/*
 * An arena: allocations that are freed together.  Blocks double up to 64 KiB
 * (a larger request gets a block of its own).  16-byte alignment.
 */
struct lrd_arena_block;
struct lrd_arena {
  const larder_memory *memory; /* a copy lives in the first block: the arena may
                                  outlive the store */
  struct lrd_arena_block *block;
};

void lrd_arena_init(struct lrd_arena *, const larder_memory *);
/* The same with a first block that is the caller's: size bytes (at least 64) on a 16-byte boundary.
 * It and memory must stay as long as the arena. */
void lrd_arena_init_room(struct lrd_arena *, const larder_memory *memory, void *room, size_t size);
/* NULL: no memory. */
void *lrd_arena_allocate(struct lrd_arena *, size_t size);
/* Copies bytes and adds a NUL. */
char *lrd_arena_copy(struct lrd_arena *, const void *bytes, size_t len);
void lrd_arena_free(struct lrd_arena *);

#endif
