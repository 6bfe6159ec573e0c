/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stage.h"

#include "util/memory.h"

int lrd_stage_open(struct lrd_stage *s, struct lrd_table *t, const larder_memory *memory, size_t n,
                   const larder_bytes *key, size_t stride)
{
  size_t i;

  s->n = n;
  s->each = n <= LRD_STAGE_FEW ? s->few : lrd_allocate(memory, n * sizeof *s->each);
  if (!s->each)
    return -1;
  for (i = 0; i < n; i++, key = (const void *)((const char *)key + stride)) {
    s->each[i] = (struct lrd_staged){ lrd_table_hash(t, *key), NULL };
    lrd_table_prefetch(t, s->each[i].hash);
  }
  for (i = 0; i < n; i++)
    lrd_table_prefetch_items(t, s->each[i].hash);
  if (lrd_table_reserve(t, memory, n) == 0)
    return 0;
  lrd_stage_close(s, t, memory, NULL);
  return -1;
}

int64_t lrd_stage_insert(struct lrd_stage *s, struct lrd_table *t, const larder_memory *memory,
                         const larder_bytes *key, size_t stride, int exchange)
{
  int64_t added = 0;
  size_t i;

  for (i = 0; i < s->n; i++, key = (const void *)((const char *)key + stride)) {
    struct lrd_staged *staged = &s->each[i];
    const unsigned char **place, *there;

    if (!staged->item)
      continue;
    place = lrd_table_find(t, staged->hash, *key);
    if (!place) {
      lrd_table_insert(t, memory, staged->hash, staged->item);
      staged->item = NULL;
      added++;
    } else if (exchange) {
      there = *place;
      *place = staged->item;
      staged->item = there;
    }
  }
  return added;
}

void lrd_stage_close(struct lrd_stage *s, struct lrd_table *t, const larder_memory *memory,
                     lrd_table_release *release)
{
  size_t i;

  for (i = 0; i < s->n; i++)
    if (s->each[i].item)
      release(memory, s->each[i].item);
  lrd_table_unreserve(t, memory);
  if (s->each != s->few)
    lrd_release(memory, s->each, s->n * sizeof *s->each);
}
