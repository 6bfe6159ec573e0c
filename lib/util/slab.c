/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/slab.h"

#include <string.h>

#include "util/memory.h"
#include "util/thread.h"

enum {
  STEPS = 4,             /* log2 of the classes for each doubling */
  LEAST = 3,             /* log2 of the step of the smallest */
  SMALL = 2560,          /* the largest of them */
  MEDIUM = 4096,         /* a class with a quarter of a page */
  MEDIUM_CLASS = 84,     /* behind those up to SMALL */
  PAGE_CLASS,            /* one block a page */
  CLASSES,
  POOL_BITS = 3,
  POOLS = 1 << POOL_BITS,
  LEVELS = 4,            /* of pages with free blocks; the last one is the fullest */
  CURRENT = LEVELS, FULL /* other values of a page's level: in no list */
};

/* A pool's pages that are not full. */
struct lists {
  struct lrd_page *current[CLASSES]; /* from which blocks are taken */
  struct lrd_page *partial[CLASSES][LEVELS];
};

struct pool {
  _Alignas(LRD_LINE_SIZE) struct lrd_latch latch;
  struct lists *of;
};

struct lrd_slab {
  struct lrd_pages pages;
  struct pool pool[POOLS];
  struct lists lists[POOLS]; /* what no thread uses is never touched */
  _Atomic size_t large; /* bytes asked from malloc */
};

/* --- classes ----------------------------------------------------------------- */

static inline int is_between(size_t size, size_t above, size_t most)
{
  return size - above - 1 < most - above;
}

/* Sizes whose blocks would waste much of a page are malloc's. */
static inline int is_pooled(size_t size)
{
  return __builtin_expect(size <= SMALL, 1) || is_between(size, MEDIUM - 256, MEDIUM) ||
         is_between(size, LRD_PAGE_SIZE - LRD_LINE_SIZE, LRD_PAGE_SIZE);
}

/* Of the largest block of the class the highest bits, and how many others there are. */
static inline unsigned class_of(size_t size)
{
  unsigned last = (unsigned)size - 1, shift;

  if (__builtin_expect(size > SMALL, 0))
    return size > MEDIUM ? PAGE_CLASS : MEDIUM_CLASS;
  shift = 31 - (unsigned)__builtin_clz(last | 1 << (STEPS + LEAST)) - STEPS;
  return ((shift - LEAST) << STEPS) + (last >> shift);
}

static uint32_t size_of(unsigned class)
{
  unsigned doublings = class >> STEPS;

  if (class >= MEDIUM_CLASS)
    return class == MEDIUM_CLASS ? MEDIUM : LRD_PAGE_SIZE;
  if (doublings < 2)
    return (class + 1) << LEAST;
  return ((class & ((1 << STEPS) - 1)) + (1 << STEPS) + 1) << (doublings - 1 + LEAST);
}

/* --- a pool's pages ------------------------------------------------------------- */

static void link_page(struct pool *pool, struct lrd_page *page, unsigned level)
{
  struct lrd_page **first = &pool->of->partial[page->class][level];

  page->level = (uint8_t)level;
  /* with fewer blocks than this it belongs to the level below */
  page->least = level ? (uint16_t)((level * page->capacity + LEVELS - 1) / LEVELS - 1) : 0;
  page->previous = NULL;
  page->next = *first;
  if (*first)
    (*first)->previous = page;
  *first = page;
}

static void unlink_page(struct pool *pool, struct lrd_page *page)
{
  if (page->next)
    page->next->previous = page->previous;
  if (page->previous)
    page->previous->next = page->next;
  else
    pool->of->partial[page->class][page->level] = page->next;
}

static void make_current(struct pool *pool, struct lrd_page *page)
{
  pool->of->current[page->class] = page;
  page->level = CURRENT;
  page->least = 0;
}

/* It comes back to a list when it has some blocks to give, not with the first one: in a pool that
 * is full each block would take it there and back. */
static void make_full(struct lrd_page *page)
{
  unsigned some = page->capacity / 32u;

  page->level = FULL;
  page->least = (uint16_t)(page->capacity - (some ? some : 1));
}

/* The current page is full; another one that is not takes its place, if there is one. */
static struct lrd_page *advance(struct pool *pool, unsigned class)
{
  struct lrd_page *page = pool->of->current[class];

  if (page) {
    make_full(page);
    pool->of->current[class] = NULL;
  }
  for (unsigned level = LEVELS; level--;)
    if ((page = pool->of->partial[class][level])) {
      unlink_page(pool, page);
      make_current(pool, page);
      return page;
    }
  return NULL;
}

/* A page has as few blocks as its level allows.  It, if it is the pool's no more. */
static struct lrd_page *settle(struct pool *pool, struct lrd_page *page)
{
  if (page->level == CURRENT)
    pool->of->current[page->class] = NULL;
  else if (page->level != FULL)
    unlink_page(pool, page);
  if (!page->used)
    return page;
  link_page(pool, page, (unsigned)page->used * LEVELS / page->capacity);
  return NULL;
}

/* --- blocks ------------------------------------------------------------------------ */

/* NULL: the page is full. */
static inline void *take(struct lrd_page *page)
{
  void *block = page->free;

  if (block) {
    memcpy(&page->free, block, sizeof page->free);
  } else {
    if (page->used == page->capacity)
      return NULL;
    block = lrd_page_start(page) + page->fresh;
    page->fresh += page->size;
  }
  page->used++;
  return block;
}

static void page_init(struct lrd_page *page, struct pool *pool, unsigned class)
{
  uint32_t size = size_of(class);

  *page = (struct lrd_page){ .owner = pool,
                             .size = size,
                             .capacity = (uint16_t)(LRD_PAGE_SIZE / size),
                             .class = (uint8_t)class };
}

static inline unsigned pool_of_thread(void)
{
  return lrd_thread_place(lrd_thread_address(), POOL_BITS);
}

/* With its latch. */
static struct pool *enter(struct lrd_slab *s)
{
  unsigned first = pool_of_thread();

  for (unsigned i = 0; i < POOLS; i++) {
    struct pool *pool = &s->pool[(first + i) % POOLS];

    if (__builtin_expect(lrd_latch_take_at_once(&pool->latch), 1))
      return pool;
  }
  lrd_latch_take(&s->pool[first].latch);
  return &s->pool[first];
}

/* With the latch, which is dropped for a while if the pool has no page left. */
__attribute__((noinline)) static void *take_elsewhere(struct lrd_slab *s, struct pool *pool,
                                                      unsigned class)
{
  struct lrd_page *page = advance(pool, class), *fresh;
  void *block;

  if (page)
    return take(page);
  lrd_latch_drop(&pool->latch);
  fresh = lrd_pages_take(&s->pages);
  lrd_latch_take(&pool->latch);
  if (!fresh)
    return NULL;
  page_init(fresh, pool, class);
  page = pool->of->current[class];
  block = page ? take(page) : NULL; /* somebody else was here meanwhile */
  if (block) {
    lrd_pages_give(&s->pages, fresh);
    return block;
  }
  if (page)
    make_full(page);
  make_current(pool, fresh);
  return take(fresh);
}

static void *small_allocate(struct lrd_slab *s, size_t size)
{
  unsigned class = class_of(size);
  struct pool *pool = enter(s);
  struct lrd_page *page = pool->of->current[class];
  void *block = page ? take(page) : NULL;

  if (__builtin_expect(!block, 0))
    block = take_elsewhere(s, pool, class);
  lrd_latch_drop(&pool->latch);
  return block;
}

static void small_release(struct lrd_slab *s, void *block)
{
  struct lrd_page *page = lrd_page_of(block), *gone = NULL;
  struct pool *pool = page->owner;

  lrd_latch_take(&pool->latch);
  memcpy(block, &page->free, sizeof page->free);
  page->free = block;
  if (__builtin_expect(--page->used <= page->least, 0))
    gone = settle(pool, page);
  lrd_latch_drop(&pool->latch);
  if (gone)
    lrd_pages_give(&s->pages, gone);
}

/* --- the hook ------------------------------------------------------------------------- */

static void add_large(struct lrd_slab *s, size_t bytes)
{
  atomic_fetch_add_explicit(&s->large, bytes, memory_order_relaxed);
}

static void *large_allocate(struct lrd_slab *s, size_t size)
{
  void *block = lrd_allocate(&lrd_memory_system, size);

  if (block)
    add_large(s, size);
  return block;
}

static void large_release(struct lrd_slab *s, void *block, size_t size)
{
  add_large(s, (size_t)0 - size);
  lrd_release(&lrd_memory_system, block, size);
}

static void *slab_allocate(void *context, size_t size)
{
  return is_pooled(size) ? small_allocate(context, size) : large_allocate(context, size);
}

static void slab_release(void *context, void *block, size_t size)
{
  if (is_pooled(size))
    small_release(context, block);
  else
    large_release(context, block, size);
}

static void *slab_resize(void *context, void *block, size_t old_size, size_t size)
{
  int was_pooled = is_pooled(old_size), pooled = is_pooled(size);
  void *moved;

  if (was_pooled && pooled && class_of(old_size) == class_of(size))
    return block;
  if (!was_pooled && !pooled) {
    moved = lrd_resize(&lrd_memory_system, block, old_size, size);
    if (moved)
      add_large(context, size - old_size);
    return moved;
  }
  moved = slab_allocate(context, size);
  if (!moved)
    return NULL;
  memcpy(moved, block, old_size < size ? old_size : size);
  slab_release(context, block, old_size);
  return moved;
}

larder_memory lrd_slab_memory(struct lrd_slab *s)
{
  return (larder_memory){ slab_allocate, slab_resize, slab_release, s };
}

static void *forked_allocate(void *context, size_t size)
{
  (void)context;
  (void)size;
  return NULL;
}

static void *forked_resize(void *context, void *block, size_t old_size, size_t size)
{
  (void)block;
  (void)old_size;
  return forked_allocate(context, size);
}

static void forked_release(void *context, void *block, size_t size)
{
  if (!is_pooled(size))
    large_release(context, block, size);
}

larder_memory lrd_slab_forked(struct lrd_slab *s)
{
  return (larder_memory){ forked_allocate, forked_resize, forked_release, s };
}

/* --- opening and closing ------------------------------------------------------------------ */

/* Mapped by itself: what is not used of it is never resident. */
struct lrd_slab *lrd_slab_open(const struct lrd_page_source *source)
{
  struct lrd_slab *s = lrd_map(sizeof *s);

  if (!s)
    return NULL;
  lrd_pages_init(&s->pages, source ? source : &lrd_page_source_system);
  for (unsigned i = 0; i < POOLS; i++) {
    lrd_latch_init(&s->pool[i].latch, LRD_RANK_SLAB, i);
    s->pool[i].of = &s->lists[i];
  }
  return s;
}

void lrd_slab_close(struct lrd_slab *s)
{
  lrd_pages_close(&s->pages);
  lrd_unmap(s, sizeof *s);
}

void lrd_slab_attend(struct lrd_slab *s, void (*ask)(void *context), void *context)
{
  lrd_pages_attend(&s->pages, ask, context);
}

int lrd_slab_tend(struct lrd_slab *s)
{
  return lrd_pages_tend(&s->pages);
}

struct lrd_slab_bytes lrd_slab_bytes(const struct lrd_slab *s)
{
  size_t large = atomic_load_explicit(&s->large, memory_order_relaxed);
  size_t used = atomic_load_explicit(&s->pages.used, memory_order_relaxed);

  return (struct lrd_slab_bytes){
    .active = used * LRD_PAGE_SIZE + large,
    .resident = atomic_load_explicit(&s->pages.resident, memory_order_relaxed) + large,
  };
}

/* --- for tests ------------------------------------------------------------------------ */

struct checked {
  const struct lrd_slab *slab;
  size_t blocks, pages;
};

static const char *check_blocks(const struct lrd_page *page)
{
  uintptr_t start = (uintptr_t)lrd_page_start(page);
  uint32_t given = page->fresh / page->size, free = 0;

  for (void *block = page->free; block; memcpy(&block, block, sizeof page->free), free++) {
    if ((uintptr_t)block - start >= page->fresh || ((uintptr_t)block - start) % page->size)
      return "slab: a free block is not one of its page";
    if (free == given)
      return "slab: a page's free blocks go round in a circle";
  }
  return given == page->used + free ? NULL : "slab: a page's blocks are counted wrong";
}

/* A level is what the number of blocks says, and of those not in a list there is one. */
static const char *check_level(const struct pool *pool, const struct lrd_page *page)
{
  if (page->level == CURRENT)
    return pool->of->current[page->class] == page ? NULL : "slab: a page thinks that it is current";
  if (page->level == FULL)
    return page->used > page->least ? NULL : "slab: a full page isn't";
  if (page->used == page->capacity || page->used <= page->least)
    return "slab: a page is on the wrong level";
  if (page->next && page->next->previous != page)
    return "slab: a list of pages is torn";
  if (page->previous ? page->previous->next != page
                     : pool->of->partial[page->class][page->level] != page)
    return "slab: a page is not in its list";
  return NULL;
}

static const char *check_page(void *context, const struct lrd_page *page)
{
  struct checked *c = context;
  const struct pool *pool = page->owner;
  const char *wrong;

  if (pool < c->slab->pool || pool >= c->slab->pool + POOLS)
    return "slab: a page in use belongs to no pool";
  if (page->class >= CLASSES || page->size != size_of(page->class) || !page->used)
    return "slab: a page has the wrong class, or no block";
  c->pages++;
  c->blocks += page->used;
  wrong = check_blocks(page);
  return wrong ? wrong : check_level(pool, page);
}

static size_t count_pages(const struct pool *pool, unsigned class)
{
  size_t pages = pool->of->current[class] != NULL;

  for (unsigned level = 0; level < LEVELS; level++)
    for (const struct lrd_page *p = pool->of->partial[class][level]; p; p = p->next)
      pages++;
  return pages;
}

const char *lrd_slab_check(const struct lrd_slab *s, size_t *blocks)
{
  struct checked c = { s, 0, 0 };
  const char *wrong = lrd_pages_check(&s->pages, check_page, &c);
  size_t listed = 0;

  if (wrong)
    return wrong;
  for (unsigned i = 0; i < POOLS; i++)
    for (unsigned class = 0; class < CLASSES; class++)
      listed += count_pages(&s->pool[i], class);
  if (listed > c.pages)
    return "slab: a pool has a page that isn't in use";
  *blocks = c.blocks;
  return NULL;
}
