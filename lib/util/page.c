/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/page.h"

#include <errno.h>
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

static int system_fill(void *context, void *extent)
{
  (void)context;
#ifdef MADV_POPULATE_WRITE
  return madvise(extent, LRD_EXTENT_SIZE, MADV_POPULATE_WRITE);
#else
  (void)extent;
  errno = EINVAL;
  return -1;
#endif
}

/* Where the system has no memory it comes, or doesn't, as it is used. */
static void system_touch(void *context, void *extent)
{
  enum { LEAST_PAGE = 4096 };
  volatile char *bytes = extent;

  if (!system_fill(context, extent) || errno != EINVAL)
    return;
  for (size_t i = 0; i < LRD_EXTENT_SIZE; i += LEAST_PAGE)
    bytes[i] = 0;
}

static void system_unmap(void *context, void *extent)
{
  (void)context;
  lrd_unmap(extent, LRD_EXTENT_SIZE);
}

const struct lrd_page_source lrd_page_source_system = { system_map, system_touch,
                                                          system_fill, system_unmap, NULL };

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

static struct lrd_extent *new_extent(struct lrd_pages *p, int huge, int touch)
{
  struct lrd_extent *e = p->source.map(p->source.context, huge);

  if (!e)
    return NULL;
  if (touch)
    p->source.touch(p->source.context, e);
  *e = (struct lrd_extent){ .free = LRD_EXTENT_PAGES, .huge = huge };
  e->taken[1] = UINT64_C(1) << 63; /* there is no page 127 */
  return e;
}

static void add_empty(struct lrd_pages *p, struct lrd_extent *e)
{
  p->extents++;
  p->empty++;
  add_resident(p, resident(e));
  link_extent(p, e);
}

static struct lrd_extent *remove_empty(struct lrd_pages *p)
{
  struct lrd_extent *e = p->by_free[LRD_EXTENT_PAGES];

  unlink_extent(p, e);
  add_resident(p, (size_t)0 - resident(e));
  p->empty--;
  p->extents--;
  if (p->filling == e)
    p->filling = NULL;
  return e;
}

static struct lrd_page *take(struct lrd_pages *p, struct lrd_extent *e)
{
  unsigned word = !~e->taken[0], bit = (unsigned)__builtin_ctzll(~e->taken[word]);
  unsigned number = word * 64 + bit;

  unlink_extent(p, e);
  p->empty -= e->free == LRD_EXTENT_PAGES;
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

/* --- empty extents, and who attends to them --------------------------------------- */

/* So many should be in readiness. */
static size_t ahead(const struct lrd_pages *p)
{
  size_t n = (p->extents - p->empty) / LRD_EXTENTS_LAZY;

  if (!p->attended)
    return 0;
  return n < LRD_EXTENTS_AHEAD ? n : LRD_EXTENTS_AHEAD;
}

/* One more: a page that comes and goes does not bring an extent there and back. */
static size_t kept(const struct lrd_pages *p)
{
  return ahead(p) + 1;
}

static size_t most(const struct lrd_pages *p)
{
  return kept(p) + (p->attended ? LRD_EXTENTS_WAITING : 0);
}

static void ask(const struct lrd_pages *p)
{
  if (p->ask)
    p->ask(p->asked);
}

void lrd_pages_attend(struct lrd_pages *p, void (*ask_for)(void *context), void *context)
{
  p->ask = ask_for;
  p->asked = context;
  p->attended = 1;
}

/* held: a page of it, so that it stays. */
static void fill_extent(struct lrd_pages *p, struct lrd_extent *e, struct lrd_page *held)
{
  if (!p->source.fill(p->source.context, e)) {
    lrd_latch_take(&p->latch);
    add_resident(p, (LRD_EXTENT_PAGES - e->touched) * (size_t)LRD_PAGE_SIZE);
    e->touched = LRD_EXTENT_PAGES;
    lrd_latch_drop(&p->latch);
  }
  lrd_pages_give(p, held);
}

int lrd_pages_tend(struct lrd_pages *p)
{
  struct lrd_extent *e = NULL, *filling;
  struct lrd_page *held = NULL;
  int low;

  lrd_latch_take(&p->latch);
  p->attended = 1;
  low = p->empty < ahead(p);
  if (p->empty > kept(p))
    e = remove_empty(p);
  filling = p->filling;
  if (!e && filling && filling->free && filling->free < LRD_EXTENT_PAGES)
    held = take(p, filling);
  if (!e)
    p->filling = NULL;
  lrd_latch_drop(&p->latch);
  if (e) {
    p->source.unmap(p->source.context, e);
    return 1;
  }
  if (held) {
    fill_extent(p, filling, held);
    return 1;
  }
  e = low ? new_extent(p, 1, 1) : NULL;
  if (!e)
    return 0;
  lrd_latch_take(&p->latch);
  add_empty(p, e);
  lrd_latch_drop(&p->latch);
  return 1;
}

/* --- pages -------------------------------------------------------------------------- */

/* The first one when half of it is in use, another one at once. */
static int is_to_fill(const struct lrd_pages *p, const struct lrd_extent *e, int begun)
{
  return p->attended && e->touched < LRD_EXTENT_PAGES && !e->huge &&
         (begun ? p->extents > 1 : LRD_EXTENT_PAGES - e->free == LRD_EXTENT_HALF);
}

struct lrd_page *lrd_pages_take(struct lrd_pages *p)
{
  struct lrd_extent *e;
  struct lrd_page *page;
  int huge, begun, low;

  lrd_latch_take(&p->latch);
  e = fullest(p);
  if (!e) {
    huge = p->extents >= LRD_EXTENTS_LAZY;
    lrd_latch_drop(&p->latch);
    e = new_extent(p, huge, 0);
    if (!e)
      return NULL;
    lrd_latch_take(&p->latch);
    add_empty(p, e);
  }
  begun = e->free == LRD_EXTENT_PAGES;
  page = take(p, e);
  low = begun && p->empty < ahead(p);
  if (is_to_fill(p, e, begun)) {
    p->filling = e;
    low = 1;
  }
  lrd_latch_drop(&p->latch);
  if (low)
    ask(p);
  return page;
}

void lrd_pages_give(struct lrd_pages *p, struct lrd_page *page)
{
  struct lrd_extent *e = (struct lrd_extent *)((uintptr_t)page & ~(uintptr_t)(LRD_EXTENT_SIZE - 1));
  size_t number = (size_t)(page - (struct lrd_page *)(void *)(e + 1));
  struct lrd_extent *surplus = NULL;
  int many = 0;

  lrd_latch_take(&p->latch);
  unlink_extent(p, e);
  e->taken[number / 64] &= ~(UINT64_C(1) << number % 64);
  e->free++;
  atomic_fetch_sub_explicit(&p->used, 1, memory_order_relaxed);
  link_extent(p, e);
  if (e->free == LRD_EXTENT_PAGES) {
    p->empty++;
    many = p->empty > kept(p);
    while (p->empty > most(p)) {
      e = remove_empty(p);
      e->next = surplus;
      surplus = e;
    }
  }
  lrd_latch_drop(&p->latch);
  if (many)
    ask(p);
  while ((e = surplus)) {
    surplus = e->next;
    p->source.unmap(p->source.context, e);
  }
}

void lrd_pages_init(struct lrd_pages *p, const struct lrd_page_source *source)
{
  lrd_latch_init(&p->latch, LRD_RANK_PAGES, 0);
  p->source = *source;
  p->ask = NULL;
  p->asked = NULL;
  p->attended = 0;
  p->extents = 0;
  p->empty = 0;
  p->filling = NULL;
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
  size_t extents = 0, empty = 0, used = 0, bytes = 0;

  for (unsigned free = 0; free <= LRD_EXTENT_PAGES; free++) {
    if ((p->some[free / 64] >> free % 64 & 1) != !!p->by_free[free])
      return "pages: a list is said to be empty, or not to be";
    for (const struct lrd_extent *e = p->by_free[free]; e; e = e->next) {
      const char *wrong = check_extent(e, free, visit, context);

      if (wrong)
        return wrong;
      extents++;
      empty += free == LRD_EXTENT_PAGES;
      used += LRD_EXTENT_PAGES - free;
      bytes += resident(e);
    }
  }
  if (empty > most(p))
    return "pages: more empty extents than are kept";
  if (extents != p->extents || empty != p->empty || used != atomic_load(&p->used) ||
      bytes != atomic_load(&p->resident))
    return "pages: extents, pages or bytes are counted wrong";
  return NULL;
}
