/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/arena.h"

#include <stdint.h>
#include <string.h>

#include "util/memory.h"

enum { ALIGNMENT = 16, FIRST_BLOCK = 1024, LARGEST_BLOCK = 65536 };

struct lrd_arena_block {
  struct lrd_arena_block *next;
  size_t size; /* of the whole block */
  size_t used; /* from its beginning */
  size_t lent; /* 1: it is not the arena's to release */
};

#define ROUND_UP(n) (((n) + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1))
#define HEADER ROUND_UP(sizeof(struct lrd_arena_block))

void lrd_arena_init(struct lrd_arena *a, const larder_memory *memory)
{
  a->memory = memory;
  a->block = NULL;
}

void lrd_arena_init_room(struct lrd_arena *a, const larder_memory *memory, void *room, size_t size)
{
  struct lrd_arena_block *b = room;

  *b = (struct lrd_arena_block){ .size = size, .used = HEADER, .lent = 1 };
  a->memory = memory;
  a->block = b;
}

/* Moves the memory hook into the arena's first block. */
static void adopt_memory(struct lrd_arena *a, struct lrd_arena_block *first)
{
  larder_memory *copy = (larder_memory *)(void *)((char *)first + HEADER);

  *copy = *a->memory;
  a->memory = copy;
  first->used += ROUND_UP(sizeof *copy);
}

/* A block with room for size bytes at least. */
static struct lrd_arena_block *new_block(struct lrd_arena *a, size_t size)
{
  size_t need = HEADER + (a->block ? 0 : ROUND_UP(sizeof(larder_memory))) + size;
  size_t usual = FIRST_BLOCK;
  struct lrd_arena_block *b;

  if (a->block)
    usual = a->block->size < LARGEST_BLOCK / 2 ? a->block->size * 2 : LARGEST_BLOCK;
  if (need < usual)
    need = usual;
  b = lrd_allocate(a->memory, need);
  if (!b)
    return NULL;
  b->size = need;
  b->used = HEADER;
  b->lent = 0;
  if (!a->block)
    adopt_memory(a, b);
  return b;
}

static void *take(struct lrd_arena_block *b, size_t size)
{
  void *p = (char *)b + b->used;

  b->used += size;
  return p;
}

static void *allocate_slow(struct lrd_arena *a, size_t size)
{
  struct lrd_arena_block *b = new_block(a, size), *current = a->block;
  void *p;

  if (!b)
    return NULL;
  p = take(b, size);
  if (current && current->size - current->used >= b->size - b->used) {
    /* a large request's own block: go on in the one that has more room */
    b->next = current->next;
    current->next = b;
  } else {
    b->next = current;
    a->block = b;
  }
  return p;
}

void *lrd_arena_allocate(struct lrd_arena *a, size_t size)
{
  struct lrd_arena_block *b = a->block;

  if (size > SIZE_MAX / 2)
    return NULL;
  size = size ? ROUND_UP(size) : ALIGNMENT;
  if (b && b->size - b->used >= size)
    return take(b, size);
  return allocate_slow(a, size);
}

char *lrd_arena_copy(struct lrd_arena *a, const void *bytes, size_t len)
{
  char *p;

  if (len > SIZE_MAX / 2 - 1)
    return NULL;
  p = lrd_arena_allocate(a, len + 1);
  if (!p)
    return NULL;
  if (len)
    memcpy(p, bytes, len);
  p[len] = '\0';
  return p;
}

void lrd_arena_free(struct lrd_arena *a)
{
  struct lrd_arena_block *b = a->block, *next;
  larder_memory memory;

  if (!b)
    return;
  memory = *a->memory; /* it lies in a block */
  for (; b; b = next) {
    next = b->next;
    if (!b->lent)
      lrd_release(&memory, b, b->size);
  }
  a->block = NULL;
  a->memory = NULL;
}
