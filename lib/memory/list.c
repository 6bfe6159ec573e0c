/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/list.h"

#include <string.h>

#include "memory/list_chunk.h"

/* --- chunks -------------------------------------------------------------- */

/* An empty chunk at an end of the list. */
static struct lrd_chunk *chunk_new(struct lrd_list *list, const larder_memory *memory,
                                   enum lrd_side side, size_t size)
{
  size_t least = list->first ? LRD_CHUNK_SIZE - sizeof(struct lrd_chunk)
                             : LRD_CHUNK_LEAST - sizeof(struct lrd_chunk);
  size_t capacity = size > least ? size : least;
  struct lrd_chunk *c = lrd_allocate(memory, lrd_chunk_size(capacity));

  if (!c)
    return NULL;
  c->capacity = capacity;
  c->count = 0;
  c->begin = c->end = side == LRD_LIST_FRONT ? capacity : 0;
  lrd_chunk_link(list, side == LRD_LIST_BACK ? list->last : NULL, c);
  return c;
}

/* The only chunk of a small list is exchanged for one twice as large, with the
 * new room on the side that wants it. */
static struct lrd_chunk *chunk_grow(struct lrd_list *list, const larder_memory *memory,
                                    enum lrd_side side, size_t size)
{
  struct lrd_chunk *old = list->first, *c;
  size_t used = old->end - old->begin;
  size_t capacity = 2 * lrd_chunk_size(old->capacity) - sizeof *old;

  if (capacity < used + size)
    capacity = used + size;
  if (lrd_chunk_size(capacity) > LRD_CHUNK_SIZE)
    capacity = LRD_CHUNK_SIZE - sizeof *old;
  c = lrd_allocate(memory, lrd_chunk_size(capacity));
  if (!c)
    return NULL;
  c->previous = c->next = NULL;
  c->capacity = capacity;
  c->count = old->count;
  c->begin = side == LRD_LIST_FRONT ? capacity - used : 0;
  c->end = c->begin + used;
  memcpy(c->bytes + c->begin, old->bytes + old->begin, used);
  list->first = list->last = c;
  lrd_chunk_free(memory, old);
  return c;
}

static size_t room(const struct lrd_chunk *c, enum lrd_side side)
{
  return side == LRD_LIST_FRONT ? c->begin : c->capacity - c->end;
}

/* The chunk at an end, with room there for one element. */
static struct lrd_chunk *chunk_for(struct lrd_list *list, const larder_memory *memory,
                                   enum lrd_side side, size_t size)
{
  struct lrd_chunk *c = side == LRD_LIST_FRONT ? list->first : list->last;

  if (c && room(c, side) >= size)
    return c;
  if (c && !c->next && !c->previous && lrd_chunk_size(c->capacity) < LRD_CHUNK_SIZE &&
      lrd_chunk_size(c->end - c->begin + size) <= LRD_CHUNK_SIZE)
    return chunk_grow(list, memory, side, size);
  return chunk_new(list, memory, side, size);
}

/* --- the list ------------------------------------------------------------ */

struct lrd_list *lrd_list_new(const larder_memory *memory)
{
  return lrd_allocate_zeroed(memory, 1, sizeof(struct lrd_list));
}

size_t lrd_list_free_some(struct lrd_list *list, const larder_memory *memory, size_t budget)
{
  struct lrd_chunk *c;

  for (; (c = list->first); budget--) {
    if (!budget)
      return 0;
    list->first = c->next;
    lrd_chunk_free(memory, c);
  }
  if (budget)
    lrd_release(memory, list, sizeof *list);
  return budget;
}

void lrd_list_free(struct lrd_list *list, const larder_memory *memory)
{
  (void)lrd_list_free_some(list, memory, SIZE_MAX);
}

size_t lrd_list_largest(const struct lrd_list *list)
{
  const struct lrd_chunk *c;
  size_t largest = 0;

  for (c = list->first; c; c = c->next)
    if (lrd_chunk_size(c->capacity) > largest)
      largest = lrd_chunk_size(c->capacity);
  return largest;
}

static int push(struct lrd_list *list, const larder_memory *memory, enum lrd_side side,
                larder_bytes element)
{
  size_t size = lrd_list_element_size(element.len);
  struct lrd_chunk *c = chunk_for(list, memory, side, size);

  if (!c)
    return -1;
  if (side == LRD_LIST_FRONT) {
    c->begin -= size;
    lrd_list_element_write(c->bytes + c->begin, element);
  } else {
    lrd_list_element_write(c->bytes + c->end, element);
    c->end += size;
  }
  c->count++;
  list->count++;
  return 0;
}

int lrd_list_push(struct lrd_list *list, const larder_memory *memory, enum lrd_side side, size_t n,
                  const larder_bytes *elements)
{
  size_t i;

  for (i = 0; i < n; i++)
    if (push(list, memory, side, elements[i]) != 0) {
      lrd_list_pop(list, memory, side, i);
      return -1;
    }
  return 0;
}

void lrd_list_pop(struct lrd_list *list, const larder_memory *memory, enum lrd_side side, size_t n)
{
  while (n) {
    struct lrd_chunk *c = side == LRD_LIST_FRONT ? list->first : list->last;
    larder_bytes e;
    if (c->count <= n) {
      n -= c->count;
      list->count -= c->count;
      lrd_chunk_unlink(list, c);
      lrd_chunk_free(memory, c);
      continue;
    }
    if (side == LRD_LIST_FRONT)
      c->begin = (size_t)(lrd_list_element_read(c->bytes + c->begin, &e) - c->bytes);
    else
      c->end = (size_t)(lrd_list_element_read_back(c->bytes + c->end, &e) - c->bytes);
    c->count--;
    list->count--;
    n--;
  }
}

void lrd_list_seek(const struct lrd_list *list, size_t index, struct lrd_list_cursor *cursor)
{
  const struct lrd_chunk *c;
  const unsigned char *p;
  larder_bytes e;
  size_t skip;

  if (index < list->count / 2) {
    for (c = list->first; index >= c->count; c = c->next)
      index -= c->count;
  } else {
    size_t behind = list->count - index; /* elements from it to the end */
    for (c = list->last; behind > c->count; c = c->previous)
      behind -= c->count;
    index = c->count - behind;
  }
  if (index <= c->count / 2) {
    p = c->bytes + c->begin;
    for (skip = index; skip; skip--)
      p = lrd_list_element_read(p, &e);
  } else {
    p = c->bytes + c->end;
    for (skip = c->count - index; skip; skip--)
      p = lrd_list_element_read_back(p, &e);
  }
  cursor->chunk = c;
  cursor->at = (size_t)(p - c->bytes);
}

void lrd_list_seek_last(const struct lrd_list *list, struct lrd_list_cursor *cursor)
{
  cursor->chunk = list->last;
  cursor->at = list->last ? list->last->end : 0;
}

int lrd_list_next(struct lrd_list_cursor *cursor, larder_bytes *element)
{
  const struct lrd_chunk *c = cursor->chunk;

  if (c && cursor->at == c->end) {
    c = cursor->chunk = c->next;
    cursor->at = c ? c->begin : 0;
  }
  if (!c)
    return 0;
  cursor->at = (size_t)(lrd_list_element_read(c->bytes + cursor->at, element) - c->bytes);
  return 1;
}

int lrd_list_previous(struct lrd_list_cursor *cursor, larder_bytes *element)
{
  const struct lrd_chunk *c = cursor->chunk;

  if (c && cursor->at == c->begin) {
    c = cursor->chunk = c->previous;
    cursor->at = c ? c->end : 0;
  }
  if (!c)
    return 0;
  cursor->at = (size_t)(lrd_list_element_read_back(c->bytes + cursor->at, element) - c->bytes);
  return 1;
}

/* --- for tests ----------------------------------------------------------- */

static const char *check_chunk(const struct lrd_chunk *c)
{
  const unsigned char *p = c->bytes + c->begin, *end = c->bytes + c->end, *q;
  size_t count = 0;
  larder_bytes e, back;

  if (c->begin > c->end || c->end > c->capacity)
    return "a chunk's bounds are wrong";
  for (; p < end; p = q, count++) {
    q = lrd_list_element_read(p, &e);
    if (q > end || lrd_list_element_read_back(q, &back) != p || back.data != e.data ||
        back.len != e.len)
      return "an element's two lengths differ";
  }
  if (p != end)
    return "an element lies over a chunk's end";
  return count != c->count || count == 0 ? "a chunk's count is wrong" : NULL;
}

const char *lrd_list_check(const struct lrd_list *list)
{
  const struct lrd_chunk *c, *previous = NULL;
  size_t count = 0;

  for (c = list->first; c; c = c->next) {
    const char *wrong = check_chunk(c);
    if (wrong)
      return wrong;
    if (c->previous != previous)
      return "a chunk's way back is wrong";
    count += c->count;
    previous = c;
  }
  if (list->last != previous)
    return "the last chunk is wrong";
  return count != list->count ? "the list's count is wrong" : NULL;
}
