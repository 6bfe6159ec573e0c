/* SPDX-License-Identifier: BSD-2-Clause */

/* uthash with XXH3 in huge pages, which malloc doesn't use unless it is told to, and larder's own
 * allocator does: how much of the difference is that.  From chunks that are given back all
 * together, so one table at a time, and nothing is used again. */

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>

#include "bench.h"

enum { LEAST = 32 << 20 };

struct chunk {
  struct chunk *next;
  size_t used, size;
};

static struct chunk *chunks;

static void *take(size_t size)
{
  struct chunk *chunk = chunks;
  void *block;

  size = (size + 15) & ~(size_t)15;
  if (chunk == NULL || chunk->size - chunk->used < size) {
    size_t bytes = sizeof *chunk + 15 + (size > LEAST ? size : LEAST);

    chunk = bench_huge_memory(bytes, 1);
    chunk->next = chunks;
    chunk->used = (sizeof *chunk + 15) & ~(size_t)15;
    chunk->size = bytes;
    chunks = chunk;
  }
  block = (char *)chunk + chunk->used;
  chunk->used += size;
  return block;
}

static void leave(void *block)
{
  (void)block;
}

#define HASH_FUNCTION(key, length, hash) ((hash) = (unsigned)XXH3_64bits(key, length))
#define TABLE_MALLOC take
#define TABLE_FREE leave

#include "uthash_table.h"

/* In a child: what its parent has begun isn't its own. */
static void *open_huge(char *why, size_t why_size)
{
  chunks = NULL;
  return open_raw(why, why_size);
}

static void close_all(void *table)
{
  struct chunk *next;

  table_close(table);
  for (; chunks != NULL; chunks = next) {
    next = chunks->next;
    free(chunks);
  }
}

const struct target target_xxh3_huge = {
  .name = "uthash-xxh3-huge",
  .judged = 1,
  .can = OP_BIT(OP_GET) | OP_BIT(OP_SET) | OP_BIT(OP_NEW),
  .open = open_huge,
  .close = close_all,
  .run = table_run,
};
