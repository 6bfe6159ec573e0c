/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/buffer.h"

#include <stdint.h>
#include <string.h>

#include "util/memory.h"

enum { FIRST_CAPACITY = 256 };

void lrd_buffer_init(struct lrd_buffer *b, const larder_memory *memory, size_t limit)
{
  *b = (struct lrd_buffer){
    .memory = memory,
    .limit = limit && limit < SIZE_MAX / 2 ? limit : SIZE_MAX / 2,
  };
}

void lrd_buffer_free(struct lrd_buffer *b)
{
  lrd_release(b->memory, b->data, b->capacity);
  b->data = NULL;
  b->len = b->capacity = 0;
}

int lrd_buffer_grow(struct lrd_buffer *b, size_t more)
{
  size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY;
  char *data;

  if (more > b->limit || b->len > b->limit - more) {
    b->failed = 1;
    return -1;
  }
  while (capacity < b->len + more)
    capacity *= 2;
  if (capacity > b->limit)
    capacity = b->limit;
  data = b->data ? lrd_resize(b->memory, b->data, b->capacity, capacity)
                 : lrd_allocate(b->memory, capacity);
  if (!data) {
    b->failed = 1;
    return -1;
  }
  b->data = data;
  b->capacity = capacity;
  return 0;
}

int lrd_buffer_append(struct lrd_buffer *b, const void *bytes, size_t len)
{
  if (lrd_buffer_reserve(b, len))
    return -1;
  if (len)
    memcpy(b->data + b->len, bytes, len);
  b->len += len;
  return 0;
}

void lrd_buffer_consume(struct lrd_buffer *b, size_t len)
{
  if (len >= b->len) {
    b->len = 0;
    return;
  }
  if (!len)
    return;
  memmove(b->data, b->data + len, b->len - len);
  b->len -= len;
}
