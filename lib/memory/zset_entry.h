/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ZSET_ENTRY_H
#define LRD_MEMORY_ZSET_ENTRY_H

#include <stddef.h>
#include <string.h>

#include "memory/zset.h"

/*
 * How an entry of a sorted set lies in memory.
 *
 * Small: its score, then the member's blob.  A whole number n below 2^53 is the
 * varint 4n (of a negative one: -4n - 2), 1 to 8 bytes; any other score is the
 * byte 1 and the 8 of the double.
 *
 * Large: an allocation that is known by its item, the blob behind 8 bytes of score.
 */
enum { LRD_ZSET_SCORE = sizeof(double), LRD_ZSET_SCORE_MAX = 9, LRD_ZSET_PACKED_LEN = 64 };

/* 1: it is no whole number. */
static inline uint64_t lrd_zset_score_code(double score)
{
  const double limit = 9007199254740992.0; /* 2^53 */
  int64_t whole;

  if (!(score > -limit && score < limit))
    return 1;
  whole = (int64_t)score;
  if ((double)whole != score)
    return 1;
  return (whole < 0 ? (uint64_t)(-whole) * 2 - 1 : (uint64_t)whole * 2) * 2;
}

static inline size_t lrd_zset_packed_size(const struct lrd_scored *e)
{
  uint64_t code = lrd_zset_score_code(e->score);
  return (code == 1 ? LRD_ZSET_SCORE_MAX : lrd_varint_size(code)) + lrd_blob_size(e->member.len);
}

/* The score of a packed entry; where its blob begins. */
static inline const unsigned char *lrd_zset_score_read(const unsigned char *p, double *score)
{
  uint64_t code;

  p = lrd_varint_read(p, &code);
  if (code == 1) {
    memcpy(score, p, sizeof *score);
    return p + sizeof *score;
  }
  code /= 2;
  *score = code & 1 ? -(double)(code / 2 + 1) : (double)(code / 2);
  return p;
}

static inline const unsigned char *lrd_zset_packed_read(const unsigned char *p,
                                                        struct lrd_scored *e)
{
  return lrd_blob_read(lrd_zset_score_read(p, &e->score), &e->member);
}

static inline void lrd_zset_packed_write(unsigned char *p, const struct lrd_scored *e)
{
  uint64_t code = lrd_zset_score_code(e->score);

  p = lrd_varint_write(p, code);
  if (code == 1) {
    memcpy(p, &e->score, sizeof e->score);
    p += sizeof e->score;
  }
  lrd_blob_write(p, e->member);
}

static inline int lrd_zset_entry_compare(const struct lrd_scored *a, const struct lrd_scored *b)
{
  if (a->score != b->score)
    return a->score < b->score ? -1 : 1;
  return lrd_bytes_compare(a->member, b->member);
}

static inline struct lrd_order_entry lrd_zset_item_entry(const unsigned char *item)
{
  struct lrd_order_entry e = { 0, item };

  memcpy(&e.score, item - LRD_ZSET_SCORE, LRD_ZSET_SCORE);
  return e;
}

/* Where the blob of an entry begins; end: of the block. */
static inline const unsigned char *lrd_zset_score_skip(const unsigned char *p,
                                                       const unsigned char *end)
{
  const uint64_t tops = UINT64_C(0x8080808080808080);
  uint64_t word;

  if (*p == 1)
    return p + LRD_ZSET_SCORE_MAX;
  if (end - p >= (ptrdiff_t)sizeof word) {
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    if (~word & tops)
      return p + __builtin_ctzll(~word & tops) / 8 + 1;
  }
  while (*p++ & 0x80)
    ;
  return p;
}

/* The entry of a member; last: the last entry that was seen, of the block if there is none
 * of that member (NULL: it is empty). */
static inline const unsigned char *lrd_zset_packed_seek(const struct lrd_packed *p,
                                                        larder_bytes member,
                                                        const unsigned char **last)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;
  larder_bytes other;

  for (*last = NULL; at < end; at = next) {
    *last = at;
    next = lrd_blob_read(lrd_zset_score_skip(at, end), &other);
    if (lrd_bytes_equal(other, member))
      return at;
  }
  return NULL;
}

static inline const unsigned char *lrd_zset_packed_find(const struct lrd_packed *p,
                                                        larder_bytes member, struct lrd_scored *e)
{
  const unsigned char *last, *at = lrd_zset_packed_seek(p, member, &last);

  if (at)
    (void)lrd_zset_packed_read(at, e);
  return at;
}

static inline const unsigned char *lrd_zset_large_find(const struct lrd_zset_large *large,
                                                       larder_bytes member)
{
  const unsigned char **place =
      lrd_table_find(large->table, lrd_table_hash(large->table, member), member);

  return place ? *place : NULL;
}

#endif
