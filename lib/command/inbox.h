/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_INBOX_H
#define LRD_COMMAND_INBOX_H

#include "command/hub.h"
#include "util/lock.h"

/*
 * What an ear heard and nobody has taken yet: a ring of references, in the order in which it
 * was heard.  The hub appends, one thread takes; a lock of its own (LRD_RANK_QUEUE), since whoever
 * takes should not wait for whoever publishes.
 *
 * Bounded: a message beyond `limit` bytes is counted in a MISSED item in its place, which
 * the next one joins until there is room again.  Notices (READY and the like) are short, and
 * only as many as subscriptions and losses; a flood of them is folded into a MISSED and the
 * last GAP.
 */

enum lrd_item_type {
  LRD_ITEM_MESSAGE,
  LRD_ITEM_READY,
  LRD_ITEM_GAP,
  LRD_ITEM_MISSED,
  LRD_ITEM_REFUSED,
  LRD_ITEM_CLOSED
};

struct lrd_item {
  enum lrd_item_type type;
  enum lrd_hub_kind kind;
  struct lrd_name *name; /* held, or NULL */
  union {
    struct lrd_message *message; /* held; of MESSAGE */
    uint64_t missed;             /* of MISSED */
    struct lrd_name *text;       /* held, or NULL: why; of GAP and REFUSED */
  } body;
};

struct lrd_inbox {
  struct lrd_ear ear; /* first */
  struct lrd_lock lock; /* of everything below */
  larder_memory memory; /* the hub's */
  struct lrd_item *item; /* a ring: count of capacity (a power of two) from first on */
  size_t first, count, capacity;
  size_t notices;        /* of count */
  size_t bytes, limit;   /* of messages that wait */
  /* The first item came into an empty ring: wake whoever takes.  The lock is held. */
  void (*wake)(struct lrd_inbox *);
};

/* OK; NO_MEMORY.  Then lrd_ear_open(hub, &inbox->ear). */
larder_outcome lrd_inbox_init(struct lrd_inbox *, struct lrd_hub *, size_t limit,
                              void (*wake)(struct lrd_inbox *));
/* After lrd_ear_close. */
void lrd_inbox_free(struct lrd_inbox *, int forked);

/* 1: *item is the oldest, and the caller's now; 0: there is none. */
int lrd_inbox_take(struct lrd_inbox *, struct lrd_item *);
int lrd_inbox_take_locked(struct lrd_inbox *, struct lrd_item *);
void lrd_item_drop(const larder_memory *, struct lrd_item *);

/* Too many notices wait: subscribing more would lose some. */
int lrd_inbox_is_full(struct lrd_inbox *);

#endif
