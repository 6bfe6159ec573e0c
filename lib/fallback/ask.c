/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/ask.h"

int lrd_ask(struct lrd_fallback *f, struct lrd_ask *a, larder_backend *whom,
            const larder_call *call)
{
  size_t replies = call->flags & LARDER_CALL_ATOMIC ? 1 : call->count;

  lrd_arena_init(&a->arena, &f->base.memory);
  if (lrd_tree_init(&a->tree, &a->arena, replies))
    return -1;
  whom->table->execute(whom, call, &a->tree.sink);
  return a->tree.replies == replies ? 0 : -1;
}

void lrd_ask_end(struct lrd_ask *a)
{
  lrd_arena_free(&a->arena);
}
