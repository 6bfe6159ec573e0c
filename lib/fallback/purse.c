/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/journal.h"

#include <string.h>

#include "util/memory.h"

struct lrd_purse *lrd_purse_new(struct lrd_journal *j, size_t size)
{
  struct lrd_purse *purse;

  size += LRD_PURSE_HEAD;
  purse = lrd_allocate(j->memory, size);
  if (!purse)
    return NULL;
  *purse = (struct lrd_purse){ .references = 1, .size = size, .used = LRD_PURSE_HEAD };
  atomic_fetch_add_explicit(&j->bytes, size, memory_order_relaxed);
  return purse;
}

void lrd_purse_drop(struct lrd_journal *j, struct lrd_purse *purse)
{
  if (--purse->references)
    return;
  atomic_fetch_sub_explicit(&j->bytes, purse->size, memory_order_relaxed);
  lrd_release(j->memory, purse, purse->size);
}

void *lrd_purse_carve(struct lrd_purse *purse, size_t size)
{
  char *at = (char *)purse + purse->used;

  purse->used += (size + 15) & ~(size_t)15;
  purse->references++;
  return at;
}

const char *lrd_purse_bytes(char *at, larder_bytes b)
{
  if (b.len)
    memcpy(at, b.data, b.len);
  return at;
}
