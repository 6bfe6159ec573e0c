/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/fifo.h"

#include "util/memory.h"

enum { WORDS = 62 };

struct lrd_fifo_chunk {
  struct lrd_fifo_chunk *next;
  uint64_t word[WORDS];
};

int lrd_fifo_push(struct lrd_fifo *f, const larder_memory *m, uint64_t word)
{
  if (!f->last || f->end == WORDS) {
    struct lrd_fifo_chunk *chunk = lrd_allocate(m, sizeof *chunk);

    if (!chunk)
      return -1;
    chunk->next = NULL;
    if (f->last)
      f->last->next = chunk;
    else
      f->first = chunk;
    f->last = chunk;
    f->end = 0;
  }
  f->last->word[f->end++] = word;
  f->count++;
  return 0;
}

static void drop_first(struct lrd_fifo *f, const larder_memory *m)
{
  struct lrd_fifo_chunk *chunk = f->first;

  f->first = chunk->next;
  f->begin = 0;
  if (!f->first) {
    f->last = NULL;
    f->end = 0;
  }
  lrd_release(m, chunk, sizeof *chunk);
}

int lrd_fifo_pop(struct lrd_fifo *f, const larder_memory *m, uint64_t *word)
{
  if (!f->count)
    return 0;
  *word = f->first->word[f->begin++];
  f->count--;
  if (!f->count || f->begin == WORDS)
    drop_first(f, m);
  return 1;
}

void lrd_fifo_drop(struct lrd_fifo *f, const larder_memory *m)
{
  while (f->first)
    drop_first(f, m);
  f->count = 0;
}

void lrd_fifo_visit(const struct lrd_fifo *f, void (*visit)(void *, uint64_t), void *context)
{
  unsigned i = f->begin;

  for (const struct lrd_fifo_chunk *c = f->first; c; c = c->next, i = 0)
    for (; i < (c == f->last ? f->end : WORDS); i++)
      visit(context, c->word[i]);
}

const char *lrd_fifo_check(const struct lrd_fifo *f)
{
  const struct lrd_fifo_chunk *last = NULL;
  size_t words = 0;

  for (const struct lrd_fifo_chunk *c = f->first; c; c = c->next) {
    last = c;
    words += WORDS;
  }
  if (last != f->last)
    return "the last chunk is not where the list ends";
  if (!last)
    return f->count || f->begin || f->end ? "empty, and not all zero" : NULL;
  if (!f->count || f->begin >= WORDS || !f->end || f->end > WORDS)
    return "an empty chunk is kept";
  return words - f->begin - (WORDS - f->end) == f->count ? NULL : "the count is wrong";
}
