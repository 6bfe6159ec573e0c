/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_BUFFER_H
#define LRD_UTIL_BUFFER_H

#include <stddef.h>

#include <larder/hooks.h>

/*
 * A growing byte buffer with a limit.  Born empty without an allocation;
 * growth doubles.  A failed append changes nothing and sets failed (sticky).
 */
struct lrd_buffer {
  const larder_memory *memory;
  char *data;
  size_t len;
  size_t capacity;
  size_t limit; /* 0: SIZE_MAX / 2 */
  int failed;
};

void lrd_buffer_init(struct lrd_buffer *, const larder_memory *, size_t limit);
void lrd_buffer_free(struct lrd_buffer *);

/* 0, or -1: no memory or over the limit. */
int lrd_buffer_grow(struct lrd_buffer *, size_t more);
static inline int lrd_buffer_reserve(struct lrd_buffer *b, size_t more)
{
  return b->capacity - b->len >= more ? 0 : lrd_buffer_grow(b, more);
}
/* Its bytes from a position on; NULL + 0 would be undefined. */
static inline const char *lrd_buffer_from(const struct lrd_buffer *b, size_t position)
{
  return b->data ? b->data + position : b->data;
}
int lrd_buffer_append(struct lrd_buffer *, const void *bytes, size_t len);
/* Removes len bytes from the front. */
void lrd_buffer_consume(struct lrd_buffer *, size_t len);

#endif
