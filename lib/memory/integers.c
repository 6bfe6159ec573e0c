/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/integers.h"

#include "util/memory.h"
#include "util/number.h"

enum { SMALL = 512 }; /* bytes */

static size_t width_of(const struct lrd_packed *p, size_t count)
{
  return p->used <= 2 * count ? 2 : p->used <= 4 * count ? 4 : 8;
}

static inline int64_t load(const unsigned char *data, size_t width, size_t at)
{
  int16_t narrow;
  int32_t middle;
  int64_t wide;

  if (width == 2) {
    memcpy(&narrow, data + 2 * at, sizeof narrow);
    return narrow;
  }
  if (width == 4) {
    memcpy(&middle, data + 4 * at, sizeof middle);
    return middle;
  }
  memcpy(&wide, data + 8 * at, sizeof wide);
  return wide;
}

static inline void store(unsigned char *data, size_t width, size_t at, int64_t n)
{
  int16_t narrow = (int16_t)n;
  int32_t middle = (int32_t)n;

  if (width == 2)
    memcpy(data + 2 * at, &narrow, sizeof narrow);
  else if (width == 4)
    memcpy(data + 4 * at, &middle, sizeof middle);
  else
    memcpy(data + 8 * at, &n, sizeof n);
}

int64_t lrd_integers_get(const struct lrd_packed *p, size_t count, size_t at)
{
  return load(p->data, width_of(p, count), at);
}

larder_bytes lrd_integers_print(const struct lrd_packed *p, size_t count, size_t at, char *room)
{
  return (larder_bytes){ room, lrd_print_integer(room, lrd_integers_get(p, count, at)) };
}

/* The steps are without a branch that could be foretold wrongly. */
size_t lrd_integers_find(const struct lrd_packed *p, size_t count, int64_t n, int *found)
{
  size_t width = width_of(p, count), base = 0, left = count, half;

  *found = 0;
  if (!count)
    return 0;
  if (n > load(p->data, width, count - 1)) /* numbers often come in order */
    return count;
  for (; left > 1; left -= half) {
    half = left / 2;
    base += load(p->data, width, base + half - 1) < n ? half : 0;
  }
  *found = load(p->data, width, base) == n;
  return base;
}

/* From the last on: none is overwritten before it is read. */
static void widen(struct lrd_packed *p, size_t count, size_t from, size_t to)
{
  size_t i = count;

  while (i--)
    store(p->data, to, i, load(p->data, from, i));
  p->used = (uint16_t)(count * to);
}

int lrd_integers_reserve(struct lrd_packed *p, const larder_memory *memory, size_t count,
                         size_t more, size_t width)
{
  size_t old = width_of(p, count);

  if (count && width < old)
    width = old;
  if (lrd_packed_reserve(p, memory, (count + more) * width - p->used) != 0)
    return -1;
  if (count && width > old)
    widen(p, count, old, width);
  return 0;
}

void lrd_integers_insert(struct lrd_packed *p, size_t count, size_t at, int64_t n, size_t width)
{
  if (count)
    width = width_of(p, count);
  (void)lrd_packed_open(p, at * width, width);
  store(p->data, width, at, n);
}

void lrd_integers_remove(struct lrd_packed *p, const larder_memory *memory, size_t count, size_t at)
{
  size_t width = width_of(p, count);

  lrd_packed_close(p, at * width, width);
  if (p->used < SMALL || p->capacity - p->used > p->capacity / 4)
    lrd_packed_trim(p, memory); /* of a longer block not with each removal */
}

int lrd_integers_copy(struct lrd_packed *to, const larder_memory *memory,
                      const struct lrd_packed *from)
{
  if (lrd_packed_reserve(to, memory, from->used) != 0)
    return -1;
  if (from->used)
    memcpy(lrd_packed_open(to, 0, from->used), from->data, from->used);
  return 0;
}

const char *lrd_integers_check(const struct lrd_packed *p, size_t count)
{
  size_t i, width = width_of(p, count);

  if (p->used != count * width)
    return "integers: the bytes don't fit the count";
  if (p->used > p->capacity)
    return "integers: more than there is room for";
  if (count > LRD_INTEGERS_MOST)
    return "integers: too many";
  for (i = 1; i < count; i++)
    if (load(p->data, width, i - 1) >= load(p->data, width, i))
      return "integers: not in order";
  return NULL;
}
