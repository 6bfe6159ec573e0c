/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/memory.h"

#include <stdlib.h>
#include <string.h>

static void *system_allocate(void *context, size_t size)
{
  (void)context;
  return malloc(size);
}

static void *system_resize(void *context, void *block, size_t old_size, size_t size)
{
  (void)context;
  (void)old_size;
  return realloc(block, size);
}

static void system_release(void *context, void *block, size_t size)
{
  (void)context;
  (void)size;
  free(block);
}

const larder_memory lrd_memory_system = {
  .allocate = system_allocate,
  .resize = system_resize,
  .release = system_release,
};

void lrd_release_merging(const larder_memory *m, void *block, size_t size)
{
  enum { MERGES = 68 * 1024 }; /* above FASTBIN_CONSOLIDATION_THRESHOLD, below mmap's */
  void *large = size < MERGES ? lrd_resize(m, block, size, MERGES) : NULL;

  if (large)
    lrd_release(m, large, MERGES);
  else
    lrd_release(m, block, size);
}

void *lrd_allocate_zeroed(const larder_memory *m, size_t count, size_t size)
{
  void *block;

  if (size && count > SIZE_MAX / size)
    return NULL;
  block = lrd_allocate(m, count * size);
  if (block)
    memset(block, 0, count * size);
  return block;
}

void lrd_wipe(void *block, size_t size)
{
  volatile unsigned char *p = block;

  while (size--)
    *p++ = 0;
}
