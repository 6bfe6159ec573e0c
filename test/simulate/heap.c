/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator of a store: counts to the byte, and fails by the dice. */
#include <stdlib.h>
#include <string.h>

#include <larder/hooks.h>

#include "simulate/task.h"
#include "simulate/world.h"

static size_t bytes, blocks;

static void *give(void *context, size_t size)
{
  (void)context;
  if (!size)
    sim_fail("an allocation of no bytes");
  if (sim_once_in(sim_odds.allocation))
    return NULL;
  void *block = malloc(size);
  if (!block)
    abort();
  memset(block, 0xbb, size < 4096 ? size : 4096);
  bytes += size;
  blocks++;
  return block;
}

static void take(void *context, void *block, size_t size)
{
  (void)context;
  if (size > bytes || !blocks)
    sim_fail("more is released than was allocated");
  bytes -= size;
  blocks--;
  free(block);
}

static void *resize(void *context, void *block, size_t old_size, size_t new_size)
{
  void *other = give(context, new_size);
  if (!other)
    return NULL;
  if (block) {
    memcpy(other, block, old_size < new_size ? old_size : new_size);
    take(context, block, old_size);
  }
  return other;
}

void sim_heap_begin(void)
{
  bytes = blocks = 0;
}

const struct larder_memory *sim_heap(void)
{
  static const larder_memory memory = {give, resize, take, NULL};
  return &memory;
}

size_t sim_heap_bytes(void)
{
  return bytes;
}

void sim_heap_end(void)
{
  if (bytes || blocks)
    sim_fail("%zu bytes in %zu blocks were not given back", bytes, blocks);
}
