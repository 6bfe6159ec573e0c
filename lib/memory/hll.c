/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/hll.h"

#include <string.h>

#include "memory/hll_run.h"

/* --- the head ---------------------------------------------------------------------------- */

enum { DENSE, SPARSE };
enum { ENCODING = 4, CACHE = 8, STALE = 0x80 };

int lrd_hll_is(const unsigned char *p, size_t len)
{
  return len >= LRD_HLL_HEAD && !memcmp(p, "HYLL", 4) &&
         (p[ENCODING] == SPARSE || (p[ENCODING] == DENSE && len == LRD_HLL_DENSE));
}

int lrd_hll_is_dense(const unsigned char *p)
{
  return p[ENCODING] == DENSE;
}

size_t lrd_hll_room(size_t len)
{
  size_t grown = len + LRD_RUN_MOST;

  return grown > LRD_HLL_DENSE ? grown : LRD_HLL_DENSE;
}

void lrd_hll_init(struct lrd_hll *h)
{
  static const unsigned char empty[LRD_HLL_HEAD] = { 'H', 'Y', 'L', 'L', SPARSE };

  memcpy(h->bytes, empty, sizeof empty);
  h->len = LRD_HLL_HEAD + lrd_run_write(h->bytes + LRD_HLL_HEAD, 0, LRD_HLL_REGISTERS);
}

int lrd_hll_cached(const unsigned char *p, uint64_t *count)
{
  *count = 0;
  for (int i = 7; i >= 0; i--)
    *count = *count << 8 | p[CACHE + i];
  return !(p[CACHE + 7] & STALE);
}

void lrd_hll_cache(unsigned char *p, uint64_t count)
{
  for (int i = 0; i < 8; i++)
    p[CACHE + i] = (unsigned char)(count >> (8 * i));
}

void lrd_hll_uncache(unsigned char *p)
{
  p[CACHE + 7] |= STALE;
}

/* --- hashing ------------------------------------------------------------------------------- */

static uint64_t load(const unsigned char *p, size_t len)
{
  uint64_t v = 0;

  while (len--)
    v = v << 8 | p[len];
  return v;
}

/* MurmurHash64A (Appleby, public domain), read from the lowest byte up on every machine. */
static uint64_t murmur(const unsigned char *p, size_t len, uint64_t seed)
{
  const uint64_t m = UINT64_C(0xc6a4a7935bd1e995);
  uint64_t h = seed ^ (len * m);

  for (; len >= 8; p += 8, len -= 8) {
    uint64_t k = load(p, 8) * m;

    h = (h ^ (k ^ k >> 47) * m) * m;
  }
  if (len)
    h = (h ^ load(p, len)) * m;
  h = (h ^ h >> 47) * m;
  return h ^ h >> 47;
}

unsigned lrd_hll_hash(const void *element, size_t len, unsigned *value)
{
  enum { INDEX_BITS = 14, VALUE_BITS = 64 - INDEX_BITS };
  uint64_t hash = murmur(element, len, 0xadc83b19);
  uint64_t rest = hash >> INDEX_BITS | UINT64_C(1) << VALUE_BITS;

  *value = (unsigned)__builtin_ctzll(rest) + 1;
  return (unsigned)(hash & (LRD_HLL_REGISTERS - 1));
}

/* --- dense --------------------------------------------------------------------------------- */

static unsigned dense_get(const unsigned char *registers, unsigned index)
{
  size_t at = index * 6 / 8;
  unsigned shift = index * 6 % 8, low = registers[at];
  unsigned high = shift > 2 ? registers[at + 1] : 0;

  return (low | high << 8) >> shift & 63;
}

static void dense_set(unsigned char *registers, unsigned index, unsigned value)
{
  size_t at = index * 6 / 8;
  unsigned shift = index * 6 % 8;

  registers[at] = (unsigned char)((registers[at] & ~(63u << shift)) | value << shift);
  if (shift > 2)
    registers[at + 1] = (unsigned char)((registers[at + 1] & ~(63u >> (8 - shift))) |
                                        value >> (8 - shift));
}

static int dense_raise(unsigned char *bytes, unsigned index, unsigned value)
{
  if (dense_get(bytes + LRD_HLL_HEAD, index) >= value)
    return 0;
  dense_set(bytes + LRD_HLL_HEAD, index, value);
  return 1;
}

int lrd_hll_make_dense(struct lrd_hll *h)
{
  unsigned char registers[LRD_HLL_REGISTERS] = { 0 };

  if (lrd_hll_is_dense(h->bytes))
    return 0;
  if (lrd_hll_merge(h->bytes, h->len, registers))
    return -1;
  memset(h->bytes + LRD_HLL_HEAD, 0, LRD_HLL_DENSE - LRD_HLL_HEAD);
  for (unsigned i = 0; i < LRD_HLL_REGISTERS; i++)
    dense_set(h->bytes + LRD_HLL_HEAD, i, registers[i]);
  h->bytes[ENCODING] = DENSE;
  h->len = LRD_HLL_DENSE;
  return 0;
}

/* --- both ---------------------------------------------------------------------------------- */

int lrd_hll_raise(struct lrd_hll *h, unsigned index, unsigned value)
{
  int done = LRD_RUN_FULL;

  if (lrd_hll_is_dense(h->bytes))
    return dense_raise(h->bytes, index, value);
  if (value <= LRD_RUN_VALUE_MAX)
    done = lrd_run_raise(h->bytes, &h->len, index, value);
  if (done != LRD_RUN_FULL)
    return done;
  if (lrd_hll_make_dense(h))
    return -1;
  return dense_raise(h->bytes, index, value);
}

int lrd_hll_merge(const unsigned char *p, size_t len, unsigned char *registers)
{
  unsigned index = 0;

  if (lrd_hll_is_dense(p)) {
    for (; index < LRD_HLL_REGISTERS; index++) {
      unsigned value = dense_get(p + LRD_HLL_HEAD, index);

      if (value > registers[index])
        registers[index] = (unsigned char)value;
    }
    return 0;
  }
  for (size_t at = LRD_HLL_HEAD; at < len;) {
    struct lrd_run run;

    at += lrd_run_read(p + at, len - at, &run);
    if (!run.len || run.len > LRD_HLL_REGISTERS - index)
      return -1;
    for (; run.len; run.len--, index++)
      if (run.value > registers[index])
        registers[index] = (unsigned char)run.value;
  }
  return index == LRD_HLL_REGISTERS ? 0 : -1;
}
