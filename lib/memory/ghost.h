/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_GHOST_H
#define LRD_MEMORY_GHOST_H

#include <stddef.h>
#include <stdint.h>

#include <larder/hooks.h>

/*
 * Remembers keys that went lately: 16 bits of each one's hash, in buckets of eight, the
 * oldest of a bucket making way for the next.  It holds about as many as it was last told
 * to, two bytes each; one in 8192 keys that never went is taken for one that did.
 *
 * Segments of 64 buckets, linear hashing over the segments: a new one begins as a copy of the
 * one that it relieves, and what lies in the wrong one of both is soon forgotten.
 *
 * Not safe for threads.
 */

struct lrd_ghost_segment;

struct lrd_ghost {
  struct lrd_ghost_segment **segment;
  size_t segments, capacity;
};

/* All zero is empty.  Remembers a key.  size: how many are worth remembering now; the table
 * grows or shrinks towards it by a step.  Without memory it remembers less. */
void lrd_ghost_add(struct lrd_ghost *, const larder_memory *, uint64_t hash, size_t size);
/* Did that key go lately?  It is forgotten then. */
int lrd_ghost_take(struct lrd_ghost *, uint64_t hash);
/* Empties it. */
void lrd_ghost_drop(struct lrd_ghost *, const larder_memory *);

#endif
