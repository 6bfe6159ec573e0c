/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_SLAB_H
#define LRD_UTIL_SLAB_H

#include <larder/hooks.h>

#include "util/page.h"

/*
 * The allocator of an engine whose application gives none: blocks of one size class
 * stand side by side in pages of 16 KiB, without a header each (who releases a block
 * says its size), in memory that is mapped in huge pages when there is much of it.
 *
 * Classes: steps of 8 bytes up to 256, then 16 steps for each doubling, up to 2560; and
 * two sizes that the engine is full of, 4 KiB and a page (util/page.h).  What is
 * between those and above is malloc's.  A block is aligned at the largest power of two,
 * 64 at most, by which its class's size can be divided: 8 at least.
 *
 * Safe for threads.  There are a few pools with a latch each (LRD_RANK_SLAB); a thread takes
 * from one that depends on the thread, or from the next whose latch is free.  A block
 * goes back to the pool that owns its page, whoever gives it.  So allocating and releasing
 * cost one atomic exchange each.  A pool takes from the fullest of its pages, roughly
 * (four levels), so that others empty; an empty page goes back at once and serves
 * any class of any pool.
 */
struct lrd_slab;

/* Whether engines use it.  Where something looks for wrong uses of memory each block is to be
 * malloc's, which that knows. */
#ifdef __has_feature
#define LRD_SLAB_FEATURE(x) __has_feature(x)
#else
#define LRD_SLAB_FEATURE(x) 0
#endif
#ifndef LRD_SLAB_BY_DEFAULT
#if defined __SANITIZE_ADDRESS__ || LRD_SLAB_FEATURE(address_sanitizer) || \
  LRD_SLAB_FEATURE(memory_sanitizer)
#define LRD_SLAB_BY_DEFAULT 0
#else
#define LRD_SLAB_BY_DEFAULT 1
#endif
#endif

/* source NULL: the system's.  NULL: no memory.  Takes no page yet. */
struct lrd_slab *lrd_slab_open(const struct lrd_page_source *source);
/* Gives all pages back, whatever is in use; blocks that were malloc's are not known any more. */
void lrd_slab_close(struct lrd_slab *);

/* Of its pages (util/page.h): that somebody tends them when asked to, and the tending. */
void lrd_slab_attend(struct lrd_slab *, void (*ask)(void *context), void *context);
int lrd_slab_tend(struct lrd_slab *);

/* The hook; its context is the slab. */
larder_memory lrd_slab_memory(struct lrd_slab *);
/* For a forked child, where latches may be held by threads that are not there: releases
 * what is malloc's, leaves the rest to lrd_slab_close, and has no memory. */
larder_memory lrd_slab_forked(struct lrd_slab *);

struct lrd_slab_bytes {
  size_t active;   /* of pages in use, and of what was asked from malloc */
  size_t resident; /* the same with the rest of the extents, as far as they were touched */
};
struct lrd_slab_bytes lrd_slab_bytes(const struct lrd_slab *);

/* For tests, while no other thread is at it: NULL, or what is wrong; the number of blocks
 * in pages is told. */
const char *lrd_slab_check(const struct lrd_slab *, size_t *blocks);

#endif
