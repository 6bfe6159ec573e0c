/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_PAGE_H
#define LRD_UTIL_PAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "util/latch.h"

/*
 * Pages for the slab allocator (util/slab.h), from extents of 2 MiB that are aligned at
 * their size.  The descriptors of an extent's pages stand together at its start, so that
 * blocks in a page begin at a multiple of 64.
 *
 *   +--------+-----------------+--------+--------+-----+----------+----------+
 *   | extent | 127 descriptors | page 0 | page 1 | ... | page 126 | 64 bytes |
 *   +--------+-----------------+--------+--------+-----+----------+----------+
 *
 * A page is 16 KiB and one line more: a segment of a hash table (memory/index.c,
 * memory/table.c), which asks for that line to be aligned, fills one.
 *
 * The first extents take memory as it is touched.  A store that needs more of them is big,
 * and has its extents in huge pages: a miss then costs no walk through page tables.
 * A page is taken from the extent that has the fewest to give, so that others
 * empty; an empty one is kept, the next goes back to the system.
 *
 * The system takes its time to map, touch and unmap 2 MiB: 0.1 ms, and in a virtual machine
 * sometimes 10, for which whoever takes or gives the page would hold its shard's latch.  Where a
 * thread attends to that (lrd_pages_tend) one or two huge extents are kept in readiness
 * for a store that uses huge ones, all of their memory touched, and up to
 * LRD_EXTENTS_WAITING more that have emptied wait until it gives them back.  Of one that is not
 * huge the rest is touched when half of it is in use, or at once if it isn't the first.  If the
 * thread doesn't come in time all goes as if there were none.
 *
 * Safe for threads.  The latch (LRD_RANK_PAGES) is innermost; the system is called
 * without it.
 */

enum {
  LRD_LINE_SIZE = 64,
  LRD_PAGE_SIZE = 16 * 1024 + LRD_LINE_SIZE,
  LRD_EXTENT_SIZE = 2 * 1024 * 1024,
  LRD_EXTENT_PAGES = 127,
  LRD_EXTENT_HEAD = (LRD_EXTENT_PAGES + 1) * LRD_LINE_SIZE,
  LRD_EXTENTS_LAZY = 2,   /* so many before those in huge pages */
  LRD_EXTENTS_AHEAD = 2,  /* in readiness, at most */
  LRD_EXTENTS_WAITING = 4, /* to be given back, at most */
  LRD_EXTENT_HALF = 64    /* pages */
};

/* Memory of the system: zeroed, at the start of one of its pages, resident where it was
 * touched.  NULL: there is none. */
void *lrd_map(size_t);
void lrd_unmap(void *, size_t);

/* A descriptor; what is in it is its owner's while the page is taken. */
struct lrd_page {
  _Alignas(LRD_LINE_SIZE) void *owner;
  void *free;            /* blocks that were given back; their first word is the next one */
  struct lrd_page *next, *previous; /* in a list of its level */
  uint32_t size, fresh;  /* of a block; bytes from which on no block was ever given */
  uint16_t used, capacity, least; /* blocks; when used falls to least the level changes */
  uint8_t class, level;
};

struct lrd_extent {
  _Alignas(LRD_LINE_SIZE) struct lrd_extent *next; /* of as many free pages */
  struct lrd_extent *previous;
  uint64_t taken[2];     /* a bit for each page */
  unsigned free, touched; /* pages; those from touched on never were in use */
  int huge;
};

/* Where extents come from.  map: LRD_EXTENT_SIZE bytes, zeroed, aligned at their size;
 * NULL: the system has none.  touch: has the system find memory for all of it now; no lock is
 * held, and nobody knows the extent yet.  fill: the same of one that is in use, which stays as it
 * is; 0: done.  Else any lock may be held. */
struct lrd_page_source {
  void *(*map)(void *context, int huge);
  void (*touch)(void *context, void *extent);
  int (*fill)(void *context, void *extent);
  void (*unmap)(void *context, void *extent);
  void *context;
};

/* mmap, madvise, munmap. */
extern const struct lrd_page_source lrd_page_source_system;

struct lrd_pages {
  struct lrd_latch latch;
  struct lrd_page_source source;
  void (*ask)(void *context); /* lrd_pages_attend */
  void *asked;
  int attended;
  size_t extents, empty;      /* empty: those of them without a page in use */
  struct lrd_extent *filling; /* is to be filled, or NULL */
  _Atomic size_t used, resident; /* pages; bytes, as far as it can be known */
  uint64_t some[2];              /* a bit for each list that isn't empty */
  struct lrd_extent *by_free[LRD_EXTENT_PAGES + 1];
};

void lrd_pages_init(struct lrd_pages *, const struct lrd_page_source *);
/* Gives all extents back, whatever is in use.  In a forked child a thread that is not
 * there may have been changing them: then they are left. */
void lrd_pages_close(struct lrd_pages *);

/* Somebody will call lrd_pages_tend soon after ask was called, which is called with any lock below
 * LRD_RANK_SLAB held.  Before any page is taken. */
void lrd_pages_attend(struct lrd_pages *, void (*ask)(void *context), void *context);
/* Touches what will be needed, or unmaps an extent that is too many; from the first
 * call on further ones are relied on.  1: there may be more to do; 0: there isn't, or
 * the system has no memory.  No lock is held. */
int lrd_pages_tend(struct lrd_pages *);

/* NULL: no memory. */
struct lrd_page *lrd_pages_take(struct lrd_pages *);
void lrd_pages_give(struct lrd_pages *, struct lrd_page *);

/* Of any block in a page. */
static inline struct lrd_page *lrd_page_of(const void *block)
{
  uintptr_t at = (uintptr_t)block, extent = at & ~(uintptr_t)(LRD_EXTENT_SIZE - 1);
  uint32_t number = ((uint32_t)(at - extent) - LRD_EXTENT_HEAD) / LRD_PAGE_SIZE;

  return (struct lrd_page *)(extent + sizeof(struct lrd_extent)) + number;
}

static inline unsigned char *lrd_page_start(const struct lrd_page *page)
{
  uintptr_t at = (uintptr_t)page, extent = at & ~(uintptr_t)(LRD_EXTENT_SIZE - 1);
  size_t number = (at - extent) / sizeof *page - 1;

  return (unsigned char *)(extent + LRD_EXTENT_HEAD + number * LRD_PAGE_SIZE);
}

/* For tests: NULL, or what is wrong.  visit is shown each page in use and may object; no
 * other thread is at it. */
const char *lrd_pages_check(const struct lrd_pages *,
                            const char *(*visit)(void *context, const struct lrd_page *),
                            void *context);

#endif
