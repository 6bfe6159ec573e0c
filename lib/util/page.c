/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/page.h"

#include <string.h>
#include <sys/mman.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

_Static_assert(sizeof(struct lrd_page) == LRD_LINE_SIZE, "a line each");
_Static_assert(sizeof(struct lrd_extent) == LRD_LINE_SIZE, "in place of a descriptor");
_Static_assert(LRD_EXTENT_HEAD + LRD_EXTENT_PAGES * LRD_PAGE_SIZE <= LRD_EXTENT_SIZE, "fits");

/* --- the system's memory ------------------------------------------------------- */

void *lrd_map(size_t size)
{
  void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return block == MAP_FAILED ? NULL : block;
}

void lrd_unmap(void *block, size_t size)
{
  munmap(block, size);
}

static char *map_aligned(void)
{
  char *block = lrd_map(LRD_EXTENT_SIZE);
  size_t before;

  if (!block || (uintptr_t)block % LRD_EXTENT_SIZE == 0)
    return block;
  lrd_unmap(block, LRD_EXTENT_SIZE);
  block = lrd_map(2 * (size_t)LRD_EXTENT_SIZE);
  if (!block)
    return NULL;
  before = (LRD_EXTENT_SIZE - (uintptr_t)block % LRD_EXTENT_SIZE) % LRD_EXTENT_SIZE;
  if (before)
    lrd_unmap(block, before);
  block += before;
  lrd_unmap(block + LRD_EXTENT_SIZE, LRD_EXTENT_SIZE - before);
  return block;
}

static void *system_map(void *context, int huge)
{
  char *block = map_aligned();

  (void)context;
  (void)huge;
#ifdef MADV_HUGEPAGE
  if (block)
    (void)madvise(block, LRD_EXTENT_SIZE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
  return block;
}

static void system_unmap(void *context, void *extent)
{
  (void)context;
  lrd_unmap(extent, LRD_EXTENT_SIZE);
}

const struct lrd_page_source lrd_page_source_system = { system_map, system_unmap, NULL };

/* --- extents by their number of free pages --------------------------------------- */

static void link_extent(struct lrd_pages *p, struct lrd_extent *e)
{
  struct lrd_extent **first = &p->by_free[e->free];

  e->previous = NULL;
  e->next = *first;
  if (*first)
    (*first)->previous = e;
  *first = e;
  p->some[e->free / 64] |= UINT64_C(1) << e->free % 64;
}

static void unlink_extent(struct lrd_pages *p, struct lrd_extent *e)
{
  if (e->next)
    e->next->previous = e->previous;
  if (e->previous)
    e->previous->next = e->next;
  else
    p->by_free[e->free] = e->next;
  if (!p->by_free[e->free])
    p->some[e->free / 64] &= ~(UINT64_C(1) << e->free % 64);
}

/* The one with the fewest free pages of those that have one. */
static struct lrd_extent *fullest(const struct lrd_pages *p)
{
  uint64_t low = p->some[0] & ~UINT64_C(1);

  if (low)
    return p->by_free[__builtin_ctzll(low)];
  return p->some[1] ? p->by_free[64 + __builtin_ctzll(p->some[1])] : NULL;
}

static void add_resident(struct lrd_pages *p, size_t bytes)
{
  atomic_fetch_add_explicit(&p->resident, bytes, memory_order_relaxed);
}

static size_t resident(const struct lrd_extent *e)
{
  return e->huge ? LRD_EXTENT_SIZE : LRD_EXTENT_HEAD + e->touched * (size_t)LRD_PAGE_SIZE;
}

static struct lrd_extent *new_extent(struct lrd_pages *p, int huge)
{
  struct lrd_extent *e = p->source.map(p->source.context, huge);

  if (!e)
    return NULL;
  *e = (struct lrd_extent){ .free = LRD_EXTENT_PAGES, .huge = huge };
  e->taken[1] = UINT64_C(1) << 63; /* there is no page 127 */
  return e;
}

/* --- pages -------------------------------------------------------------------------- */

static struct lrd_page *take(struct lrd_pages *p, struct lrd_extent *e)
{
  unsigned word = !~e->taken[0], bit = (unsigned)__builtin_ctzll(~e->taken[word]);
  unsigned number = word * 64 + bit;

  unlink_extent(p, e);
  e->taken[word] |= UINT64_C(1) << bit;
  e->free--;
  link_extent(p, e);
  if (number >= e->touched) {
    if (!e->huge)
      add_resident(p, LRD_PAGE_SIZE);
    e->touched = number + 1;
  }
  atomic_fetch_add_explicit(&p->used, 1, memory_order_relaxed);
  return (struct lrd_page *)(void *)(e + 1) + number;
}

struct lrd_page *lrd_pages_take(struct lrd_pages *p)
{
  struct lrd_extent *e;
  struct lrd_page *page;
  int huge;

  lrd_latch_take(&p->latch);
  e = fullest(p);
  if (!e) {
    huge = p->extents >= LRD_EXTENTS_LAZY;
    lrd_latch_drop(&p->latch);
    e = new_extent(p, huge);
    if (!e)
      return NULL;
    lrd_latch_take(&p->latch);
    p->extents++;
    add_resident(p, resident(e));
    link_extent(p, e);
  }
  page = take(p, e);
  lrd_latch_drop(&p->latch);
  return page;
}

void lrd_pages_give(struct lrd_pages *p, struct lrd_page *page)
{
  struct lrd_extent *e = (struct lrd_extent *)((uintptr_t)page & ~(uintptr_t)(LRD_EXTENT_SIZE - 1));
  size_t number = (size_t)(page - (struct lrd_page *)(void *)(e + 1));
  int surplus;

  lrd_latch_take(&p->latch);
  unlink_extent(p, e);
  e->taken[number / 64] &= ~(UINT64_C(1) << number % 64);
  e->free++;
  atomic_fetch_sub_explicit(&p->used, 1, memory_order_relaxed);
  surplus = e->free == LRD_EXTENT_PAGES && p->by_free[LRD_EXTENT_PAGES];
  if (surplus) {
    p->extents--;
    add_resident(p, (size_t)0 - resident(e));
  } else {
    link_extent(p, e);
  }
  lrd_latch_drop(&p->latch);
  if (surplus)
    p->source.unmap(p->source.context, e);
}

void lrd_pages_init(struct lrd_pages *p, const struct lrd_page_source *source)
{
  lrd_latch_init(&p->latch, LRD_RANK_PAGES, 0);
  p->source = *source;
  p->extents = 0;
  atomic_init(&p->used, 0);
  atomic_init(&p->resident, 0);
  memset(p->some, 0, sizeof p->some);
  memset(p->by_free, 0, sizeof p->by_free);
}

void lrd_pages_close(struct lrd_pages *p)
{
  struct lrd_extent *e;

  if (!lrd_latch_try(&p->latch))
    return;
  for (unsigned free = 0; free <= LRD_EXTENT_PAGES; free++)
    while ((e = p->by_free[free])) {
      p->by_free[free] = e->next;
      p->source.unmap(p->source.context, e);
    }
}

/* --- for tests ------------------------------------------------------------------------ */

static const char *check_extent(const struct lrd_extent *e, unsigned free,
                                const char *(*visit)(void *context, const struct lrd_page *),
                                void *context)
{
  const struct lrd_page *page = (const struct lrd_page *)(const void *)(e + 1);
  unsigned taken = 0;

  if (e->free != free)
    return "pages: an extent is in the list of another number of free pages";
  if (e->next && e->next->previous != e)
    return "pages: a list of extents is torn";
  for (unsigned i = 0; i < LRD_EXTENT_PAGES; i++) {
    const char *wrong;

    if (!(e->taken[i / 64] >> i % 64 & 1))
      continue;
    taken++;
    if (i >= e->touched)
      return "pages: a page that is in use is said never to have been";
    if ((wrong = visit(context, &page[i])))
      return wrong;
  }
  return taken + free == LRD_EXTENT_PAGES ? NULL : "pages: free ones are counted wrong";
}

const char *lrd_pages_check(const struct lrd_pages *p,
                            const char *(*visit)(void *context, const struct lrd_page *),
                            void *context)
{
  size_t extents = 0, used = 0, bytes = 0;

  for (unsigned free = 0; free <= LRD_EXTENT_PAGES; free++) {
    if ((p->some[free / 64] >> free % 64 & 1) != !!p->by_free[free])
      return "pages: a list is said to be empty, or not to be";
    for (const struct lrd_extent *e = p->by_free[free]; e; e = e->next) {
      const char *wrong = check_extent(e, free, visit, context);

      if (wrong)
        return wrong;
      extents++;
      used += LRD_EXTENT_PAGES - free;
      bytes += resident(e);
    }
  }
  if (p->by_free[LRD_EXTENT_PAGES] && p->by_free[LRD_EXTENT_PAGES]->next)
    return "pages: more than one empty extent is kept";
  if (extents != p->extents || used != atomic_load(&p->used) ||
      bytes != atomic_load(&p->resident))
    return "pages: extents, pages or bytes are counted wrong";
  return NULL;
}
