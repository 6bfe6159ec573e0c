/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In front of each block. */
union front {
  size_t size;
  _Alignas(16) char room[16];
};

/* Also outside of Check's tests, in any thread. */
static void insist(int truth, const char *what)
{
  if (truth)
    return;
  fprintf(stderr, "%s\n", what);
  abort();
}

static int fails(struct heap *h)
{
  long call = atomic_fetch_add(&h->calls, 1) + 1;
  return call == h->fail_at || (h->lasting && h->fail_at && call > h->fail_at);
}

static void *heap_allocate(void *context, size_t size)
{
  struct heap *h = context;
  insist(size > 0, "a block of no size is asked for");
  union front *f = fails(h) ? NULL : malloc(sizeof *f + size);
  if (!f)
    return NULL;
  f->size = size;
  memset(f + 1, 0xa5, size);
  h->blocks++;
  h->bytes += (long)size;
  return f + 1;
}

static void heap_release(void *context, void *block, size_t size)
{
  struct heap *h = context;
  union front *f = (union front *)block - 1;
  insist(f->size == size, "a block comes back with another size");
  memset(block, 0x5a, size);
  h->blocks--;
  h->bytes -= (long)size;
  free(f);
}

static void *heap_resize(void *context, void *block, size_t old_size, size_t size)
{
  struct heap *h = context;
  union front *f = (union front *)block - 1;
  insist(f->size == old_size, "a block is resized from another size");
  insist(size > 0, "a block of no size is asked for");
  f = fails(h) ? NULL : realloc(f, sizeof *f + size);
  if (!f)
    return NULL;
  f->size = size;
  h->bytes += (long)size - (long)old_size;
  return f + 1;
}

void heap_init(struct heap *h)
{
  memset(h, 0, sizeof *h);
  h->memory = (larder_memory){heap_allocate, heap_resize, heap_release, h};
}
