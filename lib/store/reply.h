/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_REPLY_H
#define LRD_STORE_REPLY_H

#include <larder/reply.h>

#include "command/sink.h"
#include "store/cell.h"
#include "util/arena.h"

/*
 * A reply of one call: one block with the reply tree of a small value, and an
 * arena for what is larger and whatever else must live as long.  larder_reply_free
 * finds it from the reply, and needs no store.
 *
 * A thread that owns a cell (cell.h) keeps one answer there and uses it again once it is
 * freed, which any thread may do, without an atomic operation.  Whether the store still
 * wants it back is known by `orphan`: who frees says that it is about to (LEAVING) and reads
 * orphan, closing writes orphan and reads what is said, with a fence for all threads in
 * between, so one of them sees the other; where both do, the second to come to `claimed`
 * releases the block.
 */
enum lrd_use {
  LRD_ONCE, /* nobody keeps it: it is released when it is freed */
  LRD_IDLE, /* kept, free */
  LRD_USED, /* kept, a caller has it */
  LRD_LEAVING,
  LRD_PROMISED /* it is part of a promise (promise.h) */
};

struct lrd_answer {
  larder_memory memory; /* the store's; the answer may outlive it */
  struct lrd_arena arena;
  struct lrd_tree tree;
  larder_reply reply;
  _Atomic unsigned char use; /* enum lrd_use */
  _Atomic unsigned char orphan;
  _Atomic unsigned char claimed;
  struct lrd_tree_room room;
};

/* With room for one reply; NULL: no memory. */
struct lrd_answer *lrd_answer_new(const larder_memory *);
/* The same, kept for the thread if the cell is its own. */
struct lrd_answer *lrd_answer_take(struct lrd_cell *, const larder_memory *);
/* One that is part of a promise: its arena begins in room. */
void lrd_answer_init(struct lrd_answer *, const larder_memory *, void *room, size_t size);
void lrd_answer_free(struct lrd_answer *);
/* What threads keep is released, at the latest when the reply is freed.  forked: in a child. */
void lrd_answers_close(struct lrd_cells *, int forked);
/* Fills reply from the tree's only reply; its meter isn't told any more. */
larder_reply *lrd_answer_finish(struct lrd_answer *);

/* Replies that need no memory: NO_MEMORY, CLOSED, FORKED, BAD_ARGUMENT (no store). */
larder_reply *lrd_fixed_reply(larder_outcome);
/* The text of such a reply. */
const char *lrd_fixed_text(larder_outcome);

/* One reply of a tree as a larder_reply. */
void lrd_reply_fill(larder_reply *, const struct lrd_tree_reply *);

#endif
