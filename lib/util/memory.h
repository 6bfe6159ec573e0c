/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_MEMORY_H
#define LRD_UTIL_MEMORY_H

#include <larder/hooks.h>

/* Sized allocation through a store's hook.  Every block is released with the
 * size it was asked for. */

/* malloc, realloc, free. */
extern const larder_memory lrd_memory_system;

static inline void *lrd_allocate(const larder_memory *m, size_t size)
{
  return m->allocate(m->context, size);
}

static inline void *lrd_resize(const larder_memory *m, void *block, size_t old_size, size_t size)
{
  return m->resize(m->context, block, old_size, size);
}

/* NULL is allowed. */
static inline void lrd_release(const larder_memory *m, void *block, size_t size)
{
  if (block)
    m->release(m->context, block, size);
}

/* Releases a block in such a way that the small ones released before it are merged now:
 * glibc's malloc sets those aside and merges all at once when next something
 * large is wanted, by whomever, and a million of them take it half a second. */
void lrd_release_merging(const larder_memory *m, void *block, size_t size);

/* Zeroed; NULL also if count * size overflows. */
void *lrd_allocate_zeroed(const larder_memory *m, size_t count, size_t size);

/* Overwrites a secret in a way that the compiler keeps. */
void lrd_wipe(void *block, size_t size);

#endif
