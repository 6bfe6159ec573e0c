/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_REPLY_H
#define LRD_STORE_REPLY_H

#include <larder/reply.h>

#include "command/sink.h"
#include "util/arena.h"

/*
 * A reply of one call: one block with the reply tree of a small value, and an
 * arena for what is larger and whatever else must live as long.  larder_reply_free
 * finds it from the reply, and needs no store.
 */
struct lrd_answer {
  larder_memory memory; /* the store's; the answer may outlive it */
  struct lrd_arena arena;
  struct lrd_tree tree;
  larder_reply reply;
  struct lrd_tree_room room;
};

/* With room for one reply; NULL: no memory. */
struct lrd_answer *lrd_answer_new(const larder_memory *);
void lrd_answer_free(struct lrd_answer *);
/* Fills reply from the tree's only reply; its meter isn't told any more. */
larder_reply *lrd_answer_finish(struct lrd_answer *);

/* Replies that need no memory: NO_MEMORY, CLOSED, FORKED, BAD_ARGUMENT (no store). */
larder_reply *lrd_fixed_reply(larder_outcome);
/* The text of such a reply. */
const char *lrd_fixed_text(larder_outcome);

/* One reply of a tree as a larder_reply. */
void lrd_reply_fill(larder_reply *, const struct lrd_tree_reply *);

#endif
