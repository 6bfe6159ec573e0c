/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/packed.h"

#include "util/memory.h"

/* While it is small a block has no slack but what malloc rounds up to, as each
 * collection has one; then an eighth. */
static size_t capacity_for(size_t used)
{
  size_t wanted = used < 512 ? used : used + used / 8;
  return ((wanted + 7) & ~(size_t)15) + 8;
}

int lrd_packed_reserve(struct lrd_packed *p, const larder_memory *memory, size_t more)
{
  size_t capacity;
  unsigned char *data;

  if (more <= (size_t)p->capacity - p->used)
    return 0;
  if (more > UINT16_MAX)
    return -1;
  capacity = capacity_for(p->used + more);
  if (capacity > UINT16_MAX)
    return -1;
  data = p->data ? lrd_resize(memory, p->data, p->capacity, capacity)
                 : lrd_allocate(memory, capacity);
  if (!data)
    return -1;
  p->data = data;
  p->capacity = (uint16_t)capacity;
  return 0;
}

unsigned char *lrd_packed_open(struct lrd_packed *p, size_t at, size_t len)
{
  unsigned char *gap = p->data + at;

  if (p->used > at)
    memmove(gap + len, gap, p->used - at);
  p->used = (uint16_t)(p->used + len);
  return gap;
}

void lrd_packed_close(struct lrd_packed *p, size_t at, size_t len)
{
  unsigned char *gone = p->data + at;

  if (p->used > at + len)
    memmove(gone, gone + len, p->used - at - len);
  p->used = (uint16_t)(p->used - len);
}

void lrd_packed_trim(struct lrd_packed *p, const larder_memory *memory)
{
  size_t capacity = capacity_for(p->used);
  unsigned char *data;

  if (p->used == 0) {
    lrd_packed_free(p, memory);
    return;
  }
  if (p->capacity <= capacity)
    return;
  data = lrd_resize(memory, p->data, p->capacity, capacity);
  if (!data)
    return;
  p->data = data;
  p->capacity = (uint16_t)capacity;
}

void lrd_packed_free(struct lrd_packed *p, const larder_memory *memory)
{
  lrd_release(memory, p->data, p->capacity);
  p->data = NULL;
  p->used = p->capacity = 0;
}
