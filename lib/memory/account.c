/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/account.h"

#include <string.h>

#include "util/memory.h"
#include "util/thread.h"

/* Wraps around below zero: blocks are freed by other threads than took them. */
void lrd_account_add(struct lrd_account *a, size_t bytes)
{
  unsigned place = lrd_thread_place(lrd_thread_address(), LRD_ACCOUNT_BITS);

  atomic_fetch_add_explicit(&a->stripe[place].bytes, bytes, memory_order_relaxed);
}

static void *account_allocate(void *context, size_t size)
{
  struct lrd_account *a = context;
  void *block = lrd_allocate(&a->below, size);

  if (block)
    lrd_account_add(a, size);
  return block;
}

static void *account_resize(void *context, void *block, size_t old_size, size_t size)
{
  struct lrd_account *a = context;
  void *moved = lrd_resize(&a->below, block, old_size, size);

  if (moved)
    lrd_account_add(a, size - old_size);
  return moved;
}

static void account_release(void *context, void *block, size_t size)
{
  struct lrd_account *a = context;

  lrd_release(&a->below, block, size);
  lrd_account_add(a, (size_t)0 - size);
}

void lrd_account_init(struct lrd_account *a, const larder_memory *below)
{
  memset(a, 0, sizeof *a);
  a->below = *below;
  a->memory = (larder_memory){ account_allocate, account_resize, account_release, a };
}

size_t lrd_account_bytes(const struct lrd_account *a)
{
  size_t bytes = 0;

  for (int i = 0; i < LRD_ACCOUNT_STRIPES; i++)
    bytes += atomic_load_explicit(&a->stripe[i].bytes, memory_order_relaxed);
  return bytes;
}
