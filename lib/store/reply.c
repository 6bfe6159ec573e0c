/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/reply.h"

#include <stddef.h>
#include <string.h>

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

struct lrd_answer *lrd_answer_new(const larder_memory *memory)
{
  struct lrd_answer *a = lrd_allocate(memory, sizeof *a);
  if (!a)
    return NULL;
  a->memory = *memory;
  lrd_arena_init(&a->arena, &a->memory);
  lrd_tree_init_room(&a->tree, &a->arena, &a->room);
  return a;
}

void lrd_answer_free(struct lrd_answer *a)
{
  const larder_memory memory = a->memory;
  if (a->arena.block)
    lrd_arena_free(&a->arena);
  lrd_release(&memory, a, sizeof *a);
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
