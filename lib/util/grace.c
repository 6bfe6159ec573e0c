/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/grace.h"

#include <string.h>

#include "util/barrier.h"
#include "util/memory.h"

/* It is tried to advance each so many blocks, where a KiB counts as one more. */
enum { TRY_EACH = 64, KIB = 1024, WAITS_FOR = 3 };

/* In the first bytes of the block. */
struct lrd_retired {
  struct lrd_retired *next;
  size_t size;
};

_Static_assert(sizeof(struct lrd_retired) <= LRD_GRACE_HEAD, "the first bytes of a block");

/* --- readers ---------------------------------------------------------------------------- */

struct lrd_reader *lrd_grace_claim(struct lrd_grace *g, uintptr_t self)
{
  int mine, claimed = 0;

  if (!g->works)
    return NULL;
  mine = lrd_thread_cell(g->reader, sizeof g->reader[0], LRD_GRACE_BITS, self, &claimed);
  if (claimed) {
    atomic_fetch_add(&g->readers, 1);
    lrd_barrier();
  }
  return mine < 0 ? NULL : &g->reader[mine];
}

/* Nobody else may be inside? */
static int is_alone(struct lrd_grace *g)
{
  unsigned readers = atomic_load_explicit(&g->readers, memory_order_seq_cst);

  return !readers ||
         (readers == 1 && lrd_thread_cell(g->reader, sizeof g->reader[0], LRD_GRACE_BITS,
                                          lrd_thread_address(), NULL) >= 0);
}

uint64_t lrd_grace_counted(const struct lrd_grace *g, unsigned what)
{
  uint64_t n = 0;

  for (unsigned i = 0; i < LRD_GRACE_READERS; i++)
    n += atomic_load_explicit(&g->reader[i].counted[what], memory_order_relaxed);
  return n;
}

void lrd_grace_wait(struct lrd_grace *g)
{
  if (!atomic_load(&g->readers))
    return;
  lrd_barrier();
  for (unsigned i = 0; i < LRD_GRACE_READERS; i++) {
    uint64_t inside = atomic_load_explicit(&g->reader[i].inside, memory_order_acquire);

    for (unsigned round = 0; inside; round++) {
      uint64_t now;

      lrd_latch_back_off(round);
      now = atomic_load_explicit(&g->reader[i].inside, memory_order_acquire);
      inside = now == inside ? now : 0;
    }
  }
}

/* --- epochs ------------------------------------------------------------------------------ */

static void advance(struct lrd_grace *g)
{
  uint64_t epoch;

  if (atomic_exchange_explicit(&g->advancing, 1, memory_order_acquire))
    return;
  lrd_yield_point();
  epoch = atomic_load_explicit(&g->epoch, memory_order_relaxed);
  lrd_barrier();
  for (unsigned i = 0; i < LRD_GRACE_READERS; i++) {
    uint64_t inside = atomic_load_explicit(&g->reader[i].inside, memory_order_acquire);

    if (inside && inside != epoch) {
      atomic_store_explicit(&g->advancing, 0, memory_order_release);
      return;
    }
  }
  atomic_store_explicit(&g->epoch, epoch + 1, memory_order_release);
  atomic_store_explicit(&g->advancing, 0, memory_order_release);
}

static uint64_t epoch_of(const struct lrd_grace *g)
{
  return atomic_load_explicit(&g->epoch, memory_order_acquire);
}

static struct lrd_retired *joined(struct lrd_retired *list, struct lrd_retired *before)
{
  struct lrd_retired *last = before;

  if (!before)
    return list;
  while (last->next)
    last = last->next;
  last->next = list;
  return before;
}

/* Takes out what has waited long enough; the stripe is locked. */
static struct lrd_retired *take_ripe(struct lrd_grace_stripe *stripe, uint64_t epoch)
{
  struct lrd_retired *ripe = NULL;

  for (unsigned i = 0; i < 4; i++)
    if (stripe->batch[i].first && stripe->batch[i].epoch + WAITS_FOR <= epoch) {
      ripe = joined(ripe, stripe->batch[i].first);
      stripe->batch[i].first = NULL;
    }
  return ripe;
}

static void free_all(struct lrd_grace *g, struct lrd_grace_stripe *stripe, struct lrd_retired *list)
{
  size_t bytes = 0;

  while (list) {
    struct lrd_retired *next = list->next;

    bytes += list->size;
    lrd_release(g->below, list, list->size);
    list = next;
  }
  if (bytes)
    atomic_fetch_sub_explicit(&stripe->bytes, bytes, memory_order_relaxed);
}

static void collect_stripe(struct lrd_grace *g, struct lrd_grace_stripe *stripe)
{
  struct lrd_retired *ripe;

  if (!atomic_load_explicit(&stripe->bytes, memory_order_relaxed))
    return;
  lrd_latch_take(&stripe->lock);
  ripe = take_ripe(stripe, epoch_of(g));
  lrd_latch_drop(&stripe->lock);
  free_all(g, stripe, ripe);
}

void lrd_grace_collect(struct lrd_grace *g)
{
  if (!lrd_grace_bytes(g))
    return;
  for (int i = 0; i < WAITS_FOR; i++)
    advance(g);
  for (unsigned i = 0; i < LRD_GRACE_STRIPES; i++)
    collect_stripe(g, &g->stripe[i]);
}

size_t lrd_grace_bytes(const struct lrd_grace *g)
{
  size_t bytes = 0;

  for (unsigned i = 0; i < LRD_GRACE_STRIPES; i++)
    bytes += atomic_load_explicit(&g->stripe[i].bytes, memory_order_relaxed);
  return bytes;
}

/* --- retiring ------------------------------------------------------------------------------ */

/* 1: it is time to try to advance. */
static int put(struct lrd_grace *g, struct lrd_grace_stripe *stripe, struct lrd_retired *block,
               size_t size)
{
  struct lrd_retired *ripe;
  uint64_t epoch;
  int due, first;

  block->size = size;
  lrd_latch_take(&stripe->lock);
  epoch = epoch_of(g);
  ripe = take_ripe(stripe, epoch);
  stripe->batch[epoch % 4].epoch = epoch;
  block->next = stripe->batch[epoch % 4].first;
  stripe->batch[epoch % 4].first = block;
  first = !atomic_fetch_add_explicit(&stripe->bytes, size, memory_order_relaxed);
  stripe->since += 1 + size / KIB;
  due = stripe->since >= TRY_EACH;
  if (due)
    stripe->since = 0;
  lrd_latch_drop(&stripe->lock);
  free_all(g, stripe, ripe);
  if (first && g->ask)
    g->ask(g->asked);
  return due;
}

static void retire(struct lrd_grace *g, void *block, size_t size)
{
  unsigned place = lrd_thread_place(lrd_thread_address(), LRD_GRACE_BITS);
  struct lrd_grace_stripe *stripe = &g->stripe[place % LRD_GRACE_STRIPES];

  if (put(g, stripe, block, size))
    advance(g);
  for (unsigned round = 0;
       atomic_load_explicit(&stripe->bytes, memory_order_relaxed) > LRD_GRACE_MOST; round++) {
    advance(g);
    collect_stripe(g, stripe);
    if (round >= WAITS_FOR)
      lrd_latch_back_off(round - WAITS_FOR);
  }
}

static void *grace_allocate(void *context, size_t size)
{
  struct lrd_grace *g = context;

  return lrd_allocate(g->below, size);
}

static void grace_release(void *context, void *block, size_t size)
{
  struct lrd_grace *g = context;

  if (is_alone(g))
    lrd_release(g->below, block, size);
  else
    retire(g, block, size);
}

static void *grace_resize(void *context, void *block, size_t old_size, size_t size)
{
  struct lrd_grace *g = context;
  void *other;

  if (is_alone(g))
    return lrd_resize(g->below, block, old_size, size);
  other = lrd_allocate(g->below, size);
  if (!other)
    return NULL;
  memcpy(other, block, old_size < size ? old_size : size);
  grace_release(context, block, old_size);
  return other;
}

/* --- opening and closing ---------------------------------------------------------------- */

void lrd_grace_init(struct lrd_grace *g, const larder_memory *below)
{
  memset(g, 0, sizeof *g);
  for (unsigned i = 0; i < LRD_GRACE_STRIPES; i++)
    lrd_latch_init(&g->stripe[i].lock, LRD_RANK_GRACE, i);
  atomic_init(&g->epoch, 1);
  g->below = below;
  g->memory = (larder_memory){ grace_allocate, grace_resize, grace_release, g };
  g->works = lrd_barrier_register();
}

void lrd_grace_attend(struct lrd_grace *g, void (*ask)(void *context), void *context)
{
  g->asked = context;
  g->ask = ask;
}

void lrd_grace_end(struct lrd_grace *g)
{
  g->memory = *g->below;
}

void lrd_grace_close(struct lrd_grace *g, int locks)
{
  for (unsigned i = 0; i < LRD_GRACE_STRIPES; i++) {
    struct lrd_grace_stripe *stripe = &g->stripe[i];

    if (!locks && !lrd_latch_try(&stripe->lock))
      continue;
    free_all(g, stripe, take_ripe(stripe, UINT64_MAX));
  }
}
