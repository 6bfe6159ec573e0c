/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_INDEX_FIND_H
#define LRD_MEMORY_INDEX_FIND_H

#include <string.h>
#if defined __SSE2__ && defined __x86_64__
#include <emmintrin.h>
#endif

#include "memory/index.h"
#include "util/bytes.h"
#include "util/prefetch.h"

/*
 * Looking up in an index, for its own file and for who knows at compile time
 * where an item has its key.
 */

enum { LRD_BUCKET_PLACES = 7, LRD_INDEX_SEGMENT = 256 };

struct lrd_bucket {
  uint8_t tag[LRD_BUCKET_PLACES];
  uint8_t chained;
  void *item[LRD_BUCKET_PLACES];
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct lrd_bucket) == 64, "one cache line");

static inline uint8_t lrd_bucket_tag(uint64_t hash)
{
  uint8_t tag = (uint8_t)(hash >> 44);
  return tag ? tag : 255;
}

static inline unsigned lrd_bucket_places(const struct lrd_bucket *b)
{
  return b->chained ? LRD_BUCKET_PLACES - 1 : LRD_BUCKET_PLACES;
}

static inline struct lrd_bucket *lrd_bucket_next(const struct lrd_bucket *b)
{
  return b->chained ? b->item[LRD_BUCKET_PLACES - 1] : NULL;
}

/* All tags, the first in the lowest byte, and the mark in the highest; from a bucket's first
 * word. */
static inline uint64_t lrd_tags_of(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static inline uint64_t lrd_tags_load(const struct lrd_bucket *b)
{
  uint64_t word;

  memcpy(&word, b, sizeof word);
  return lrd_tags_of(word);
}

static inline int lrd_tags_chained(uint64_t tags)
{
  return tags >> 8 * LRD_BUCKET_PLACES != 0;
}

/* The places whose tags equal tag: each a bit, one of eight without SSE2. */
#if defined __SSE2__ && defined __x86_64__
typedef unsigned lrd_match;

static inline lrd_match lrd_tags_match(uint64_t tags, uint8_t tag)
{
  __m128i same = _mm_cmpeq_epi8(_mm_cvtsi64_si128((int64_t)tags), _mm_set1_epi8((char)tag));

  return (unsigned)_mm_movemask_epi8(same) & ((1u << LRD_BUCKET_PLACES) - 1);
}

static inline unsigned lrd_match_place(lrd_match match)
{
  return (unsigned)__builtin_ctz(match);
}
#else
typedef uint64_t lrd_match;

static inline lrd_match lrd_tags_match(uint64_t tags, uint8_t tag)
{
  const uint64_t ones = UINT64_C(0x0101010101010101), rest = ones * 0x7f;

  tags ^= ones * tag;
  return ~(((tags & rest) + rest) | tags | rest) & UINT64_C(0x00ffffffffffffff);
}

static inline unsigned lrd_match_place(lrd_match match)
{
  return (unsigned)__builtin_ctzll(match) / 8;
}
#endif

static inline lrd_match lrd_bucket_match(const struct lrd_bucket *b, uint8_t tag)
{
  return lrd_tags_match(lrd_tags_load(b), tag);
}

static inline unsigned lrd_log2(size_t n)
{
  return (unsigned)(63 - __builtin_clzll((unsigned long long)n));
}

static inline struct lrd_bucket *lrd_bucket_at(const struct lrd_index *ix, size_t i)
{
  unsigned level;

  if (i >= LRD_INDEX_SEGMENT)
    return &ix->large[i / LRD_INDEX_SEGMENT - 1][i % LRD_INDEX_SEGMENT];
  if (!i)
    return ix->small[0];
  level = lrd_log2(i);
  return &ix->small[level + 1][i - ((size_t)1 << level)];
}

static inline size_t lrd_index_position(const struct lrd_index *ix, uint64_t hash)
{
  size_t i = (size_t)hash & ix->mask;
  return i < ix->buckets ? i : i & (ix->mask >> 1);
}

/* lrd_index_find, with the index's own key function known. */
__attribute__((always_inline)) static inline void **
lrd_index_find_by(const struct lrd_index *ix, uint64_t hash, larder_bytes key,
                  lrd_index_key_fn *key_of)
{
  uint8_t tag = lrd_bucket_tag(hash);

  if (!ix->buckets)
    return NULL;
  for (struct lrd_bucket *b = lrd_bucket_at(ix, lrd_index_position(ix, hash)); b;
       b = lrd_bucket_next(b))
    for (lrd_match found = lrd_bucket_match(b, tag); found; found &= found - 1) {
      unsigned i = lrd_match_place(found);
      larder_bytes other;

      other = key_of(b->item[i]);
      if (other.len == key.len && lrd_same_bytes(other.data, key.data, key.len))
        return &b->item[i];
    }
  return NULL;
}

/* Asks for the cache lines of the items that may have that hash; the bucket's own
 * line should be there, or have been asked for with lrd_index_prefetch. */
LRD_PREFETCHES lrd_index_prefetch_items(const struct lrd_index *ix, uint64_t hash)
{
  const struct lrd_bucket *b;

  if (!ix->buckets)
    return;
  b = lrd_bucket_at(ix, lrd_index_position(ix, hash));
  for (lrd_match found = lrd_bucket_match(b, lrd_bucket_tag(hash)); found; found &= found - 1) {
    const char *item = b->item[lrd_match_place(found)];

    __builtin_prefetch(item);
    __builtin_prefetch(item + 64);
  }
}

LRD_PREFETCHES lrd_index_prefetch(const struct lrd_index *ix, uint64_t hash)
{
  if (ix->buckets)
    __builtin_prefetch(lrd_bucket_at(ix, lrd_index_position(ix, hash)));
}

#endif
