/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/reply.h"

#include <stddef.h>
#include <string.h>

#include "store/promise.h"
#include "util/latch.h"
#include "util/memory.h"

#define FIXED(code, words)                                                                         \
  {                                                                                                \
    .value = {.type = LARDER_ERROR, .len = sizeof(words) - 1, .str = (words)}, .outcome = (code),  \
    .age_ms = -1                                                                                   \
  }

static const larder_reply fixed[] = {
    FIXED(LARDER_BAD_ARGUMENT, "ERR no store, no session or no arguments"),
    FIXED(LARDER_NO_MEMORY, "ERR out of memory"),
    FIXED(LARDER_CLOSED, "UNAVAILABLE the store is closed"),
    FIXED(LARDER_FORKED, "UNAVAILABLE the store was opened by another process"),
};

enum { FIXED_REPLIES = sizeof fixed / sizeof *fixed };

static const larder_reply *find_fixed(larder_outcome outcome)
{
  size_t i = 0;
  while (i + 1 < FIXED_REPLIES && fixed[i].outcome != outcome)
    i++;
  return &fixed[i];
}

/* Callers get a pointer that they may not write through, and free() returns at once. */
larder_reply *lrd_fixed_reply(larder_outcome outcome)
{
  return (larder_reply *)(uintptr_t)find_fixed(outcome);
}

const char *lrd_fixed_text(larder_outcome outcome)
{
  return find_fixed(outcome)->value.str;
}

static inline void prepare(struct lrd_answer *a)
{
  lrd_arena_init(&a->arena, &a->memory);
  lrd_tree_init_room(&a->tree, &a->arena, &a->room);
}

struct lrd_answer *lrd_answer_new(const larder_memory *memory)
{
  struct lrd_answer *a = lrd_allocate(memory, sizeof *a);
  if (!a)
    return NULL;
  a->memory = *memory;
  atomic_init(&a->use, LRD_ONCE);
  atomic_init(&a->orphan, 0);
  atomic_init(&a->claimed, 0);
  prepare(a);
  return a;
}

void lrd_answer_init(struct lrd_answer *a, const larder_memory *memory, void *room, size_t size)
{
  a->memory = *memory;
  atomic_init(&a->use, LRD_PROMISED);
  lrd_arena_init_room(&a->arena, &a->memory, room, size);
  lrd_tree_init_room(&a->tree, &a->arena, &a->room);
}

static void release(struct lrd_answer *a)
{
  const larder_memory memory = a->memory;
  lrd_release(&memory, a, sizeof *a);
}

/* Gives a kept one back. */
static void give_back(struct lrd_answer *a)
{
  atomic_store_explicit(&a->use, LRD_LEAVING, memory_order_relaxed);
  atomic_signal_fence(memory_order_seq_cst);
  lrd_yield_point();
  if (!atomic_load_explicit(&a->orphan, memory_order_relaxed))
    atomic_store_explicit(&a->use, LRD_IDLE, memory_order_release);
  else if (atomic_exchange(&a->claimed, 1))
    release(a);
}

static struct lrd_promise *promise_of(struct lrd_answer *a)
{
  return (struct lrd_promise *)(void *)((char *)a - offsetof(struct lrd_promise, answer));
}

void lrd_answer_free(struct lrd_answer *a)
{
  if (a->arena.block)
    lrd_arena_free(&a->arena);
  unsigned char use = atomic_load_explicit(&a->use, memory_order_relaxed);
  if (use == LRD_ONCE)
    release(a);
  else if (use == LRD_PROMISED)
    lrd_promises_return(promise_of(a));
  else
    give_back(a);
}

/* The first one that the thread makes is kept. */
static struct lrd_answer *take_new(struct lrd_cell *cell, const larder_memory *memory)
{
  struct lrd_answer *a = lrd_answer_new(memory);
  if (a && !cell->kept && !lrd_cell_is_shared(cell)) {
    atomic_init(&a->use, LRD_USED);
    cell->kept = a;
  }
  return a;
}

struct lrd_answer *lrd_answer_take(struct lrd_cell *cell, const larder_memory *memory)
{
  struct lrd_answer *a = cell->kept;
  if (!a || atomic_load_explicit(&a->use, memory_order_acquire) != LRD_IDLE)
    return take_new(cell, memory);
  atomic_store_explicit(&a->use, LRD_USED, memory_order_relaxed);
  prepare(a);
  return a;
}

/* Orphaned, and the fence is made: 1 if it is the caller's to release. */
static int is_left(struct lrd_answer *a, int forked)
{
  unsigned char use;
  for (unsigned round = 0;
       (use = atomic_load_explicit(&a->use, memory_order_acquire)) == LRD_LEAVING; round++) {
    if (forked || atomic_load_explicit(&a->claimed, memory_order_acquire))
      return !forked; /* in a child nobody goes on */
    lrd_latch_back_off(round);
  }
  return use == LRD_IDLE || atomic_exchange(&a->claimed, 1);
}

void lrd_answers_close(struct lrd_cells *cells, int forked)
{
  for (int i = 0; i < LRD_CELLS_OWN; i++)
    if (cells->cell[i].kept)
      atomic_store_explicit(&cells->cell[i].kept->orphan, 1, memory_order_relaxed);
  lrd_cells_settle(cells);
  for (int i = 0; i < LRD_CELLS_OWN; i++)
    if (cells->cell[i].kept && is_left(cells->cell[i].kept, forked))
      release(cells->cell[i].kept);
}

void lrd_reply_fill(larder_reply *reply, const struct lrd_tree_reply *from)
{
  reply->value = from->value;
  reply->outcome = from->verdict.outcome;
  reply->origin = from->verdict.origin;
  reply->flags = from->verdict.flags;
  reply->age_ms = from->verdict.age_ms;
}

larder_reply *lrd_answer_finish(struct lrd_answer *a)
{
  a->tree.sink.ending = NULL;
  /* A backend of the application's own may have forgotten to answer. */
  if (a->tree.replies == 0)
    lrd_sink_fail(&a->tree.sink, LARDER_UNKNOWN, LARDER_FROM_NOWHERE, LARDER_CAUSE_PROTOCOL,
                  "UNKNOWN the backend gave no reply");
  lrd_reply_fill(&a->reply, &a->tree.reply[0]);
  return &a->reply;
}

static int is_fixed(const larder_reply *reply)
{
  return (uintptr_t)reply - (uintptr_t)fixed < sizeof fixed;
}

void larder_reply_free(larder_reply *reply)
{
  if (reply && !is_fixed(reply))
    lrd_answer_free(
        (struct lrd_answer *)(void *)((char *)reply - offsetof(struct lrd_answer, reply)));
}
