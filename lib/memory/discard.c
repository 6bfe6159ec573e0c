/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/discard.h"

#include "memory/hash.h"
#include "memory/list.h"
#include "memory/shard.h"
#include "memory/stream.h"
#include "memory/zset.h"
#include "util/memory.h"

static void push(struct lrd_discard *d, struct lrd_discarded *first, struct lrd_discarded *last)
{
  last->next = atomic_load_explicit(&d->first, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(&d->first, &last->next, first,
                                                memory_order_release, memory_order_relaxed))
    ;
}

/* 0, or -1: no memory. */
static int put(struct lrd_engine *e, const larder_memory *memory, lrd_discard_fn *free_some,
               void *value)
{
  struct lrd_discarded *node = lrd_allocate(lrd_memory_of(e), sizeof *node);

  if (!node)
    return -1;
  node->memory = memory;
  node->free_some = free_some;
  node->value = value;
  push(&e->discard, node, node);
  return 0;
}

/* Whether a collection has, or once had, an element of LRD_DISCARD_LEAST_BYTES: of a list of
 * few elements the chunks tell it, of the others the longest string ever. */
static int has_long(const struct lrd_entry *entry)
{
  switch (entry->kind) {
  case LRD_LIST:
    return lrd_list_largest(entry->value) >= LRD_DISCARD_LEAST_BYTES;
  case LRD_SET_KIND:
    return ((const struct lrd_set *)entry->value)->packed.longest == LRD_PEAK;
  case LRD_HASH:
    return ((const struct lrd_hash *)entry->value)->packed.longest == LRD_PEAK;
  case LRD_STREAM:
    return lrd_xstream_is_heavy(entry->value, LRD_DISCARD_LEAST, LRD_DISCARD_LEAST_BYTES);
  default:
    return ((const struct lrd_zset *)entry->value)->packed.longest == LRD_PEAK;
  }
}

int lrd_discard_later(struct lrd_engine *e, lrd_discard_fn *free_some, void *value)
{
  return put(e, lrd_memory_of(e), free_some, value);
}

void lrd_discard_value(struct lrd_engine *e, struct lrd_entry *entry)
{
  const struct lrd_kind_type *type = lrd_kind_type(entry->kind);

  if (type && entry->value && type->free_some &&
      (lrd_entry_elements(entry) >= LRD_DISCARD_LEAST || has_long(entry)) &&
      !put(e, lrd_memory_of(e), type->free_some, entry->value))
    entry->value = NULL;
}

static size_t free_entry(const larder_memory *memory, void *entry, size_t budget)
{
  lrd_entry_free(memory, entry);
  return budget;
}

void lrd_discard_entry(struct lrd_engine *e, struct lrd_entry *entry)
{
  const larder_memory *blocks = &e->grace->memory; /* a reader may be looking at it */

  lrd_discard_value(e, entry);
  lrd_entry_clear(lrd_memory_of(e), entry);
  if (lrd_entry_size(entry) < LRD_DISCARD_LEAST_BYTES || put(e, blocks, free_entry, entry))
    lrd_entry_free(blocks, entry);
}

size_t lrd_discard_free(struct lrd_engine *e, size_t steps)
{
  const larder_memory *memory = lrd_memory_of(e);
  struct lrd_discarded *first, *last;

  if (!atomic_load_explicit(&e->discard.first, memory_order_relaxed))
    return steps;
  first = atomic_exchange_explicit(&e->discard.first, NULL, memory_order_acquire);
  while (first && (steps = first->free_some(first->memory, first->value, steps))) {
    struct lrd_discarded *next = first->next;
    lrd_release(memory, first, sizeof *first);
    first = next;
    if (!--steps)
      break;
  }
  if (first) {
    for (last = first; last->next; last = last->next)
      ;
    push(&e->discard, first, last);
  }
  return steps;
}

void lrd_discard_settle(struct lrd_engine *e)
{
  if (!atomic_load_explicit(&e->discard.first, memory_order_relaxed))
    return;
  if (!lrd_maintenance_wake(e))
    (void)lrd_discard_free(e, SIZE_MAX);
}
