/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "memory/list_chunk.h"

/* Changing what lies in the middle of a list. */

/* An element in the place of some bytes of a chunk. */
struct edit {
  struct lrd_list *list;
  const larder_memory *memory;
  struct lrd_chunk *chunk;
  size_t at, old; /* where, and how many bytes go */
  size_t size;    /* how many the element takes */
  larder_bytes element;
};

static size_t head_of(const struct edit *e)
{
  return e->at - e->chunk->begin;
}

static size_t tail_of(const struct edit *e)
{
  return e->chunk->end - e->at - e->old;
}

/* The parts before and behind the element, and it between them, to an offset of a chunk: of
 * another one, or of their own, there not behind where they begin now. */
static void lay_out(const struct edit *e, struct lrd_chunk *to, size_t begin)
{
  const struct lrd_chunk *from = e->chunk;
  size_t head = head_of(e), tail = tail_of(e);
  unsigned char *front = to->bytes + begin, *back = front + head + e->size;

  memmove(front, from->bytes + from->begin, head);
  memmove(back, from->bytes + e->at + e->old, tail);
  lrd_list_element_write(front + head, e->element);
  to->begin = begin;
  to->end = begin + head + e->size + tail;
}

/* It fits into the chunk. */
static void put_within(const struct edit *e, size_t total)
{
  struct lrd_chunk *c = e->chunk;

  lay_out(e, c, c->begin + total <= c->capacity ? c->begin : c->capacity - total);
}

static struct lrd_chunk *chunk_sized(const larder_memory *memory, size_t capacity)
{
  struct lrd_chunk *c = lrd_allocate(memory, lrd_chunk_size(capacity));

  if (c) {
    c->capacity = capacity;
    c->begin = c->end = c->count = 0;
  }
  return c;
}

/* Another chunk in the place of the old one, which was too small, or was made for one large
 * element that goes. */
static int exchange(const struct edit *e, size_t total)
{
  size_t capacity = 2 * total;
  struct lrd_chunk *old = e->chunk, *c;

  if (lrd_chunk_size(capacity) > LRD_CHUNK_SIZE)
    capacity = LRD_CHUNK_SIZE - sizeof *c;
  if (capacity < total)
    capacity = total;
  c = chunk_sized(e->memory, capacity);
  if (!c)
    return -1;
  lay_out(e, c, 0);
  c->count = old->count;
  lrd_chunk_link(e->list, old, c);
  lrd_chunk_unlink(e->list, old);
  lrd_chunk_free(e->memory, old);
  return 0;
}

static struct lrd_chunk *chunk_for(const larder_memory *memory, size_t size)
{
  size_t least = LRD_CHUNK_SIZE - sizeof(struct lrd_chunk);

  return chunk_sized(memory, size > least ? size : least);
}

static size_t elements_in(const unsigned char *p, const unsigned char *end)
{
  larder_bytes e;
  size_t n = 0;

  for (; p < end; n++)
    p = lrd_list_element_read(p, &e);
  return n;
}

static void append(struct lrd_chunk *c, larder_bytes element, size_t size)
{
  lrd_list_element_write(c->bytes + c->end, element);
  c->end += size;
  c->count++;
}

/* The chunk is divided at the element, which goes to the end of the first part if there is
 * room, else into a chunk of its own. */
static int divide(const struct edit *e)
{
  size_t head = head_of(e), tail = tail_of(e), moved;
  struct lrd_chunk *c = e->chunk, *behind = NULL, *own = NULL;
  int own_needed = !head || c->capacity - e->at < e->size;

  if (tail && head && !(behind = chunk_for(e->memory, tail)))
    return -1;
  if (own_needed && !(own = chunk_for(e->memory, e->size))) {
    if (behind)
      lrd_chunk_free(e->memory, behind);
    return -1;
  }
  if (behind) {
    moved = elements_in(c->bytes + c->end - tail, c->bytes + c->end);
    memcpy(behind->bytes, c->bytes + c->end - tail, tail);
    behind->end = tail;
    behind->count = moved;
    c->count -= moved;
    lrd_chunk_link(e->list, c, behind);
  }
  if (head)
    c->end = e->at;
  else
    c->begin += e->old; /* and what is left is the tail */
  c->count -= e->old != 0;
  if (own)
    lrd_chunk_link(e->list, head ? c : c->previous, own);
  append(own ? own : c, e->element, e->size);
  if (!c->count) { /* the old element was all */
    lrd_chunk_unlink(e->list, c);
    lrd_chunk_free(e->memory, c);
  }
  return 0;
}

static int put_somewhere(const struct edit *e, size_t total)
{
  struct lrd_chunk *c = e->chunk;
  int fits = total <= c->capacity, wasted = c->capacity > LRD_CHUNK_SIZE && total < c->capacity / 2;

  if (!fits && lrd_chunk_size(total) > LRD_CHUNK_SIZE)
    return divide(e);
  c->count += !e->old;
  if ((!fits || wasted) && exchange(e, total) == 0)
    return 0;
  if (fits) {
    put_within(e, total);
    return 0;
  }
  c->count -= !e->old;
  return -1;
}

int lrd_list_put(struct lrd_list *list, const larder_memory *memory,
                 const struct lrd_list_cursor *cursor, int replace, larder_bytes element)
{
  struct edit e = { list, memory, (struct lrd_chunk *)(uintptr_t)cursor->chunk, cursor->at, 0,
                    lrd_list_element_size(element.len), element };
  larder_bytes old;
  size_t total;

  if (replace && e.at == e.chunk->end) {
    e.chunk = e.chunk->next;
    e.at = e.chunk->begin;
  }
  if (replace)
    e.old = (size_t)(lrd_list_element_read(e.chunk->bytes + e.at, &old) - e.chunk->bytes) - e.at;
  total = head_of(&e) + e.size + tail_of(&e);
  if (put_somewhere(&e, total) != 0)
    return -1;
  list->count += !replace;
  return 0;
}

/* --- removing ------------------------------------------------------------ */

/* Of one chunk; how many of the list's equal ones were seen so far is kept. */
static void remove_in(struct lrd_list *list, struct lrd_chunk *c, larder_bytes what, size_t *seen,
                      size_t skip, size_t n)
{
  const unsigned char *from = c->bytes + c->begin, *end = c->bytes + c->end, *next;
  unsigned char *to = c->bytes + c->begin;
  larder_bytes e;

  for (; from < end; from = next) {
    next = lrd_list_element_read(from, &e);
    if (lrd_bytes_equal(e, what) && (*seen)++ >= skip && *seen <= skip + n) {
      c->count--;
      list->count--;
      continue;
    }
    if (to != from)
      memmove(to, from, (size_t)(next - from));
    to += next - from;
  }
  c->end = (size_t)(to - c->bytes);
}

/* What both hold goes into the first, if it has room. */
static int absorb(struct lrd_chunk *c, const struct lrd_chunk *next)
{
  size_t used = next->end - next->begin;

  if (c->capacity - c->end < used)
    return 0;
  memcpy(c->bytes + c->end, next->bytes + next->begin, used);
  c->end += used;
  c->count += next->count;
  return 1;
}

void lrd_list_remove_equal(struct lrd_list *list, const larder_memory *memory, larder_bytes what,
                           size_t skip, size_t n)
{
  struct lrd_chunk *c, *next;
  size_t seen = 0;

  for (c = list->first; c && seen < skip + n; c = next) {
    size_t before = c->count;
    next = c->next;
    remove_in(list, c, what, &seen, skip, n);
    if (c->count && (c->count == before || !c->previous || !absorb(c->previous, c)))
      continue;
    lrd_chunk_unlink(list, c);
    lrd_chunk_free(memory, c);
  }
}
