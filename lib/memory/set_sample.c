/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/set.h"

#include "util/memory.h"

/* One walk; each member is taken with the chance that those still wanted have
 * among those still to come. */
static void sample_walk(const struct lrd_set *set, struct lrd_prng *prng, size_t n,
                        larder_bytes *members)
{
  struct lrd_set_cursor c = { 0 };
  size_t left = set->count;

  while (n) {
    lrd_set_next(set, &c, members);
    if (lrd_prng_below(prng, left--) < n) {
      members++;
      n--;
    }
  }
}

/* The same of integers; only those taken are printed. */
static void sample_integers(const struct lrd_set *set, struct lrd_prng *prng, size_t n,
                            larder_bytes *members, char *room)
{
  size_t at = 0;

  if (n == 1) {
    *members = lrd_integers_print(&set->packed, set->count, lrd_prng_below(prng, set->count), room);
    return;
  }
  for (; n; at++) {
    if (lrd_prng_below(prng, set->count - at) >= n)
      continue;
    *members++ = lrd_integers_print(&set->packed, set->count, at, room);
    room += LRD_INTEGER_TEXT;
    n--;
  }
}

/* A few of many: draws, and draws again what was drawn before. */
static int sample_draw(const struct lrd_set *set, const larder_memory *memory,
                       struct lrd_prng *prng, size_t n, larder_bytes *members)
{
  const unsigned char **drawn;
  size_t size = 4, i, at;

  while (size < 2 * n)
    size *= 2;
  drawn = lrd_allocate_zeroed(memory, size, sizeof *drawn);
  if (!drawn)
    return -1;
  for (i = 0; i < n;) {
    const unsigned char *node = lrd_table_sample(set->table, prng);
    at = ((uintptr_t)node >> 4) & (size - 1);
    while (drawn[at] && drawn[at] != node)
      at = (at + 1) & (size - 1);
    if (drawn[at])
      continue;
    drawn[at] = node;
    lrd_blob_read(node, &members[i++]);
  }
  lrd_release(memory, drawn, size * sizeof *drawn);
  return 0;
}

int lrd_set_sample(const struct lrd_set *set, const larder_memory *memory, struct lrd_prng *prng,
                   size_t n, larder_bytes *members, char *room)
{
  if (lrd_set_is_integers(set)) {
    sample_integers(set, prng, n, members, room);
    return 0;
  }
  if (set->table && n == 1) {
    lrd_blob_read(lrd_table_sample(set->table, prng), members);
    return 0;
  }
  if (set->table && n <= set->count / 4)
    return sample_draw(set, memory, prng, n, members);
  sample_walk(set, prng, n, members);
  return 0;
}
