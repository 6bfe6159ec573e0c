/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_UTIL_HEAP_H
#define TEST_UTIL_HEAP_H

#include <stdlib.h>
#include <string.h>

#include <larder/hooks.h>

/* A memory hook that checks sizes, counts, and fails the n-th request. */
struct heap {
  larder_memory memory; /* give this away */
  size_t bytes, blocks; /* outstanding */
  size_t requests;      /* so far */
  size_t fail_at;       /* this request fails and all after it; 0: none */
  int wrong_size;       /* a block came back with another size than it was asked for */
};

/* The size stands in front of the block. */
enum { HEAP_HEADER = 16 };

static inline int heap_refuses(struct heap *h)
{
  h->requests++;
  return h->fail_at && h->requests >= h->fail_at;
}

static void *heap_allocate(void *context, size_t size)
{
  struct heap *h = context;
  char *p;

  if (heap_refuses(h) || !(p = malloc(HEAP_HEADER + size)))
    return NULL;
  memcpy(p, &size, sizeof size);
  memset(p + HEAP_HEADER, 0xa5, size); /* nobody may count on zeros */
  h->bytes += size;
  h->blocks++;
  return p + HEAP_HEADER;
}

static void heap_release(void *context, void *block, size_t size)
{
  struct heap *h = context;
  char *p = (char *)block - HEAP_HEADER;

  if (memcmp(p, &size, sizeof size))
    h->wrong_size = 1;
  h->bytes -= size;
  h->blocks--;
  memset(block, 0x5a, size);
  free(p);
}

static void *heap_resize(void *context, void *block, size_t old_size, size_t size)
{
  struct heap *h = context;
  char *p = (char *)block - HEAP_HEADER;

  if (memcmp(p, &old_size, sizeof old_size))
    h->wrong_size = 1;
  if (heap_refuses(h) || !(p = realloc(p, HEAP_HEADER + size)))
    return NULL;
  memcpy(p, &size, sizeof size);
  h->bytes += size - old_size;
  return p + HEAP_HEADER;
}

static inline void heap_init(struct heap *h, size_t fail_at)
{
  memset(h, 0, sizeof *h);
  h->memory = (larder_memory){ heap_allocate, heap_resize, heap_release, h };
  h->fail_at = fail_at;
}

#endif
