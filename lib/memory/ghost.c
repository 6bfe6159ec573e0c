/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/ghost.h"

#include <string.h>

#include "util/memory.h"

enum { PLACES = 8, BUCKETS = 64, SEGMENT = PLACES * BUCKETS };

struct lrd_ghost_segment {
  uint16_t print[BUCKETS][PLACES]; /* newest first; 0: free */
};

/* The bits that the index chooses buckets by are the lowest; these are others. */
static uint16_t print_of(uint64_t hash)
{
  uint16_t print = (uint16_t)(hash >> 34);
  return print ? print : 1;
}

static size_t mask_of(size_t n)
{
  return n > 1 ? ((size_t)2 << (63 - __builtin_clzll((unsigned long long)n - 1))) - 1 : 0;
}

static uint16_t *bucket_of(const struct lrd_ghost *g, uint64_t hash)
{
  size_t mask = mask_of(g->segments), i = (size_t)(hash >> 6) & mask;

  if (i >= g->segments)
    i &= mask >> 1;
  return g->segment[i]->print[hash % BUCKETS];
}

static int reserve(struct lrd_ghost *g, const larder_memory *m)
{
  size_t capacity = g->capacity ? g->capacity * 2 : 4;
  struct lrd_ghost_segment **segment;

  if (g->segments < g->capacity)
    return 0;
  segment = g->segment ? lrd_resize(m, g->segment, g->capacity * sizeof *segment,
                                    capacity * sizeof *segment)
                       : lrd_allocate(m, capacity * sizeof *segment);
  if (!segment)
    return -1;
  g->segment = segment;
  g->capacity = capacity;
  return 0;
}

static void grow(struct lrd_ghost *g, const larder_memory *m)
{
  struct lrd_ghost_segment *segment;

  if (reserve(g, m))
    return;
  segment = lrd_allocate(m, sizeof *segment);
  if (!segment)
    return;
  if (g->segments)
    *segment = *g->segment[g->segments & (mask_of(g->segments + 1) >> 1)];
  else
    memset(segment, 0, sizeof *segment);
  g->segment[g->segments++] = segment;
}

void lrd_ghost_add(struct lrd_ghost *g, const larder_memory *m, uint64_t hash, size_t size)
{
  uint16_t *bucket;

  if (g->segments * SEGMENT < size || !g->segments)
    grow(g, m);
  else if (g->segments > 1 && (g->segments - 1) * SEGMENT > size + size / 4)
    lrd_release(m, g->segment[--g->segments], sizeof **g->segment);
  if (!g->segments)
    return;
  bucket = bucket_of(g, hash);
  memmove(bucket + 1, bucket, (PLACES - 1) * sizeof *bucket);
  bucket[0] = print_of(hash);
}

int lrd_ghost_take(struct lrd_ghost *g, uint64_t hash)
{
  uint16_t print = print_of(hash), *bucket;

  if (!g->segments)
    return 0;
  bucket = bucket_of(g, hash);
  for (size_t i = 0; i < PLACES; i++)
    if (bucket[i] == print) {
      memmove(bucket + i, bucket + i + 1, (PLACES - 1 - i) * sizeof *bucket);
      bucket[PLACES - 1] = 0;
      return 1;
    }
  return 0;
}

void lrd_ghost_drop(struct lrd_ghost *g, const larder_memory *m)
{
  while (g->segments)
    lrd_release(m, g->segment[--g->segments], sizeof **g->segment);
  lrd_release(m, g->segment, g->capacity * sizeof *g->segment);
  *g = (struct lrd_ghost){ NULL, 0, 0 };
}
