/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_LIST_CHUNK_H
#define LRD_MEMORY_LIST_CHUNK_H

#include "memory/list.h"
#include "memory/packed.h"
#include "util/memory.h"

/* The chunks of a list and the elements in them, for the list's own files. */

enum {
  LRD_CHUNK_SIZE = 4096, /* with its head */
  LRD_CHUNK_LEAST = 128
};

struct lrd_chunk {
  struct lrd_chunk *previous, *next;
  size_t capacity;   /* of bytes */
  size_t begin, end; /* of the elements in bytes */
  size_t count;
  unsigned char bytes[];
};

static inline size_t lrd_list_element_size(size_t len)
{
  return 2 * lrd_varint_size(len) + len;
}

static inline void lrd_list_element_write(unsigned char *p, larder_bytes e)
{
  unsigned char len[LRD_BLOB_LEN_MAX];
  size_t n = (size_t)(lrd_varint_write(len, e.len) - len);

  p = lrd_blob_write(p, e);
  while (n--)
    *p++ = len[n];
}

/* The element that begins at p; where the next one begins. */
static inline const unsigned char *lrd_list_element_read(const unsigned char *p, larder_bytes *e)
{
  return lrd_blob_read(p, e) + lrd_varint_size(e->len);
}

/* The element that ends before p; where it begins. */
static inline const unsigned char *lrd_list_element_read_back(const unsigned char *p,
                                                              larder_bytes *e)
{
  uint64_t len = 0;
  unsigned shift = 0;
  size_t size;

  do {
    len |= (uint64_t)(*--p & 0x7f) << shift;
    shift += 7;
  } while (*p & 0x80);
  size = lrd_varint_size(len);
  e->len = (size_t)len;
  e->data = (const char *)p - e->len;
  return p - e->len - size;
}

static inline size_t lrd_chunk_size(size_t capacity)
{
  return sizeof(struct lrd_chunk) + capacity;
}

static inline void lrd_chunk_free(const larder_memory *memory, struct lrd_chunk *c)
{
  lrd_release(memory, c, lrd_chunk_size(c->capacity));
}

/* Into the row, behind a chunk; NULL: as the first. */
static inline void lrd_chunk_link(struct lrd_list *list, struct lrd_chunk *behind,
                                  struct lrd_chunk *c)
{
  c->previous = behind;
  c->next = behind ? behind->next : list->first;
  if (c->previous)
    c->previous->next = c;
  else
    list->first = c;
  if (c->next)
    c->next->previous = c;
  else
    list->last = c;
}

static inline void lrd_chunk_unlink(struct lrd_list *list, struct lrd_chunk *c)
{
  if (c->previous)
    c->previous->next = c->next;
  else
    list->first = c->next;
  if (c->next)
    c->next->previous = c->previous;
  else
    list->last = c->previous;
}

#endif
