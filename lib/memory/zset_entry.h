/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ZSET_ENTRY_H
#define LRD_MEMORY_ZSET_ENTRY_H

#include <stddef.h>
#include <string.h>

#include "memory/zset.h"
#include "memory/zset_score.h"

/*
 * How an entry of a sorted set lies in memory.
 *
 * Small: its score's code (zset_score.h) as a varint, 1 to 8 bytes, then the member's blob;
 * a score without a code is the byte 1 and the 8 of the double.
 *
 * Large: an allocation that is known by its item, the blob behind 8 bytes of score; or
 * behind 7 bytes of its code, lowest first, where that spares a step of 8.  Allocations have
 * even addresses, so an odd item is one with a short score.
 */
enum {
  LRD_ZSET_SCORE = sizeof(double),
  LRD_ZSET_SHORT = LRD_ZSET_CODE_BITS / 8,
  LRD_ZSET_SCORE_MAX = 9,
  LRD_ZSET_PACKED_LEN = 64
};

static inline size_t lrd_zset_packed_size(const struct lrd_scored *e)
{
  uint64_t code = lrd_zset_score_code(e->score);

  return (code == LRD_ZSET_SCORE_RAW ? LRD_ZSET_SCORE_MAX : lrd_varint_size(code)) +
         lrd_blob_size(e->member.len);
}

/* The score of a packed entry; where its blob begins. */
static inline const unsigned char *lrd_zset_score_read(const unsigned char *p, double *score)
{
  uint64_t code;

  p = lrd_varint_read(p, &code);
  if (code == LRD_ZSET_SCORE_RAW) {
    memcpy(score, p, sizeof *score);
    return p + sizeof *score;
  }
  *score = lrd_zset_decode(code);
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
  if (code == LRD_ZSET_SCORE_RAW) {
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

static inline int lrd_zset_item_is_short(const unsigned char *item)
{
  return (uintptr_t)item & 1;
}

/* 8 bytes, of which the first is the lowest. */
static inline uint64_t lrd_zset_word(const unsigned char *p)
{
  uint64_t word;

  memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static inline struct lrd_order_entry lrd_zset_item_entry(const unsigned char *item)
{
  struct lrd_order_entry e = { 0, item };

  if (lrd_zset_item_is_short(item)) /* the word's last byte is the blob's first */
    e.score = lrd_zset_decode(lrd_zset_word(item - LRD_ZSET_SHORT) &
                              ((UINT64_C(1) << LRD_ZSET_CODE_BITS) - 1));
  else
    memcpy(&e.score, item - LRD_ZSET_SCORE, LRD_ZSET_SCORE);
  return e;
}

/* Into the room before an item; a short one must suit it. */
static inline void lrd_zset_item_write(unsigned char *item, double score)
{
  uint64_t code;
  int i;

  if (!lrd_zset_item_is_short(item)) {
    memcpy(item - LRD_ZSET_SCORE, &score, LRD_ZSET_SCORE);
    return;
  }
  code = lrd_zset_score_code(score);
  for (i = 0; i < LRD_ZSET_SHORT; i++)
    item[i - LRD_ZSET_SHORT] = (unsigned char)(code >> 8 * i);
}

static inline int lrd_zset_item_suits(const unsigned char *item, double score)
{
  return !lrd_zset_item_is_short(item) || lrd_zset_score_is_short(score);
}

/* Where the blob of an entry begins. */
static inline const unsigned char *lrd_zset_score_skip(const unsigned char *p)
{
  if (*p == LRD_ZSET_SCORE_RAW)
    return p + LRD_ZSET_SCORE_MAX;
  while (*p++ & 0x80)
    ;
  return p;
}

/* Passes entries, word by word, that are not of a member of 8 bytes or more, as their length or
 * their last bytes tell: the first that may be of it, or lies too near to the end for that.
 * The size of each member is one byte, as it is below 128.  before: the one passed last. */
static inline const unsigned char *lrd_zset_packed_pass(const unsigned char *at,
                                                        const unsigned char *end,
                                                        larder_bytes member,
                                                        const unsigned char **before)
{
  enum { WORD = sizeof(uint64_t) };
  const uint64_t tops = UINT64_C(0x8080808080808080),
                 tail = lrd_zset_word((const unsigned char *)member.data + member.len - WORD);
  const unsigned char *passed = NULL, *blob, *next;

  for (end -= WORD; at <= end; at = next) {
    uint64_t word = lrd_zset_word(at);
    blob = (word & 0xff) == LRD_ZSET_SCORE_RAW ? at + LRD_ZSET_SCORE_MAX
                                               : at + (__builtin_ctzll(~word & tops) >> 3) + 1;
    next = blob + 1 + *blob;
    if (*blob == member.len && lrd_zset_word(next - WORD) == tail)
      break;
    passed = at;
  }
  *before = passed;
  return at;
}

/* The entry of a member; last: the last entry that was seen, of the block if there is none
 * of that member (NULL: it is empty). */
static inline const unsigned char *lrd_zset_packed_seek(const struct lrd_packed *p,
                                                        larder_bytes member,
                                                        const unsigned char **last)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;
  larder_bytes other;

  *last = NULL;
  if (member.len >= sizeof(uint64_t) && p->used >= sizeof(uint64_t))
    at = lrd_zset_packed_pass(at, end, member, last);
  for (; at < end; at = next) {
    *last = at;
    next = lrd_blob_read(lrd_zset_score_skip(at), &other);
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
