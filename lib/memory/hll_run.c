/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/hll_run.h"

#include <string.h>

#include "memory/hll.h"

enum { IS_VALUE = 0x80, IS_LONG = 0x40, SHORT_MAX = 64, VALUE_LEN_MAX = 4 };

static int is_value(const unsigned char *p)
{
  return *p & IS_VALUE;
}

size_t lrd_run_read(const unsigned char *p, size_t left, struct lrd_run *run)
{
  if (is_value(p)) {
    *run = (struct lrd_run){ (*p >> 2 & 31u) + 1, (*p & 3u) + 1 };
    return 1;
  }
  *run = (struct lrd_run){ 0, (*p & 63u) + 1 };
  if (!(*p & IS_LONG))
    return 1;
  run->len = left < 2 ? 0 : ((*p & 63u) << 8 | p[1]) + 1;
  return 2;
}

size_t lrd_run_write(unsigned char *p, unsigned value, unsigned len)
{
  if (value) {
    *p = (unsigned char)(IS_VALUE | (value - 1) << 2 | (len - 1));
    return 1;
  }
  if (len <= SHORT_MAX) {
    *p = (unsigned char)(len - 1);
    return 1;
  }
  p[0] = (unsigned char)(IS_LONG | (len - 1) >> 8);
  p[1] = (unsigned char)(len - 1);
  return 2;
}

/* Where the run is that a register is in, and what stands around it. */
struct place {
  unsigned char *at, *before; /* before: the previous run, or NULL */
  size_t size;
  struct lrd_run run;
  unsigned first; /* register */
};

static int find(unsigned char *p, const unsigned char *end, unsigned index, struct place *place)
{
  *place = (struct place){ .at = p };
  for (; place->at < end; place->at += place->size) {
    place->size = lrd_run_read(place->at, (size_t)(end - place->at), &place->run);
    if (!place->run.len)
      return 0;
    if (index - place->first < place->run.len)
      return 1;
    place->before = place->at;
    place->first += place->run.len;
  }
  return 0;
}

/* What the run becomes: its part before the register, the register, its part behind. */
static size_t split(const struct place *place, unsigned index, unsigned value, unsigned char *to)
{
  unsigned before = index - place->first, behind = place->run.len - before - 1;
  size_t n = 0;

  if (before)
    n += lrd_run_write(to, place->run.value, before);
  n += lrd_run_write(to + n, value, 1);
  if (behind)
    n += lrd_run_write(to + n, place->run.value, behind);
  return n;
}

/* Joins neighbours of the same value among the five runs from p on; where the end is then. */
static unsigned char *join(unsigned char *p, unsigned char *end)
{
  enum { LOOKED_AT = 5 };

  for (int i = 0; i < LOOKED_AT && p < end; i++) {
    struct lrd_run a, b;

    if (!is_value(p)) {
      p += *p & IS_LONG ? 2 : 1;
      continue;
    }
    if (p + 1 < end && is_value(p + 1)) {
      (void)lrd_run_read(p, 1, &a);
      (void)lrd_run_read(p + 1, 1, &b);
      if (a.value == b.value && a.len + b.len <= VALUE_LEN_MAX) {
        (void)lrd_run_write(p, a.value, a.len + b.len);
        memmove(p + 1, p + 2, (size_t)(end - p) - 2);
        end--;
        continue;
      }
    }
    p++;
  }
  return end;
}

int lrd_run_raise(unsigned char *bytes, size_t *len, unsigned index, unsigned value)
{
  unsigned char *first = bytes + LRD_HLL_HEAD, *end = bytes + *len, with[LRD_RUN_MOST];
  struct place place;
  size_t size;

  if (!find(first, end, index, &place))
    return -1;
  if (place.run.value >= value)
    return 0;
  size = split(&place, index, value, with);
  if (size > place.size && *len + size - place.size > LRD_HLL_SPARSE_MAX)
    return LRD_RUN_FULL;
  memmove(place.at + size, place.at + place.size, (size_t)(end - place.at) - place.size);
  memcpy(place.at, with, size);
  end = end + size - place.size;
  *len = (size_t)(join(place.before ? place.before : first, end) - bytes);
  return 1;
}
