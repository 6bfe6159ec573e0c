/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_PACKED_H
#define LRD_MEMORY_PACKED_H

#include <stdint.h>
#include <string.h>

#include <larder/backend.h>

#include "util/bytes.h"

/*
 * Two things that the collection types are made of:
 *
 * blob    a byte string behind its own length: 7 bits a byte, lowest first,
 *         the high bit says that more follow.
 *
 *           +-----+-----------+
 *           | len | len bytes |
 *           +-----+-----------+
 *
 * packed  one growing block in which a small collection lies, entry behind
 *         entry: few allocations, no pointers, searched from the front.
 */

enum { LRD_BLOB_LEN_MAX = 10 };

static inline size_t lrd_varint_size(uint64_t v)
{
  size_t n = 1;
  while (v >= 0x80) {
    v >>= 7;
    n++;
  }
  return n;
}

static inline unsigned char *lrd_varint_write(unsigned char *p, uint64_t v)
{
  while (v >= 0x80) {
    *p++ = (unsigned char)(v | 0x80);
    v >>= 7;
  }
  *p++ = (unsigned char)v;
  return p;
}

static inline const unsigned char *lrd_varint_read(const unsigned char *p, uint64_t *v)
{
  uint64_t value = *p & 0x7f;
  unsigned shift = 7;
  while (*p++ & 0x80) {
    value |= (uint64_t)(*p & 0x7f) << shift;
    shift += 7;
  }
  *v = value;
  return p;
}

static inline size_t lrd_blob_size(size_t len)
{
  return lrd_varint_size(len) + len;
}

/* Writes a blob; the first byte behind it. */
static inline unsigned char *lrd_blob_write(unsigned char *p, larder_bytes b)
{
  p = lrd_varint_write(p, b.len);
  if (b.len)
    memcpy(p, b.data, b.len);
  return p + b.len;
}

/* Reads a blob; the first byte behind it. */
static inline const unsigned char *lrd_blob_read(const unsigned char *p, larder_bytes *b)
{
  uint64_t len;
  p = lrd_varint_read(p, &len);
  b->data = (const char *)p;
  b->len = (size_t)len;
  return p + b->len;
}

static inline larder_bytes lrd_blob(const unsigned char *p)
{
  larder_bytes b;
  lrd_blob_read(p, &b);
  return b;
}

static inline int lrd_bytes_equal(larder_bytes a, larder_bytes b)
{
  return a.len == b.len && lrd_same_bytes(a.data, b.data, a.len);
}

/* As memcmp; a prefix comes before what it begins. */
static inline int lrd_bytes_compare(larder_bytes a, larder_bytes b)
{
  size_t n = a.len < b.len ? a.len : b.len;
  int order = n ? memcmp(a.data, b.data, n) : 0;
  return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* All zero: an empty one. */
struct lrd_packed {
  unsigned char *data;
  uint16_t used, capacity;
  /* Of the collection, also when it no longer lies in the block: how many entries
   * it ever had, and how long the longest string was; or LRD_PEAK and above. */
  uint16_t most, longest;
};

enum { LRD_PEAK = UINT16_MAX };

static inline void lrd_packed_peak(struct lrd_packed *p, size_t count, size_t len)
{
  if (count > p->most)
    p->most = count < LRD_PEAK ? (uint16_t)count : LRD_PEAK;
  if (len > p->longest)
    p->longest = len < LRD_PEAK ? (uint16_t)len : LRD_PEAK;
}

static inline const unsigned char *lrd_packed_end(const struct lrd_packed *p)
{
  return p->used ? p->data + p->used : p->data;
}

/* Room for more bytes (the whole is below 56 KB): 0, or -1: no memory. */
int lrd_packed_reserve(struct lrd_packed *, const larder_memory *, size_t more);
/* Opens a gap of len bytes (reserved before) at an offset; where it is. */
unsigned char *lrd_packed_open(struct lrd_packed *, size_t at, size_t len);
/* Removes len bytes at an offset. */
void lrd_packed_close(struct lrd_packed *, size_t at, size_t len);
/* Gives back room that is not used. */
void lrd_packed_trim(struct lrd_packed *, const larder_memory *);
/* The peaks stay. */
void lrd_packed_free(struct lrd_packed *, const larder_memory *);

#endif
