/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_WIRE_PART_H
#define LRD_REMOTE_WIRE_PART_H

#include "remote/wire.h"

/* What wire.c (commands and replies), wire_turn.c (whose turn it is) and wire_end.c (giving up)
 * share. */

static inline struct lrd_slot *lrd_wire_slot_at(struct lrd_wire *w, size_t i)
{
  return &w->slot[(w->head + i) & (w->capacity - 1)];
}

static inline void lrd_wire_pop_slot(struct lrd_wire *w)
{
  w->head = (w->head + 1) & (w->capacity - 1);
  w->used--;
}

/* Gives -1. */
int lrd_wire_poison(struct lrd_wire *, const char *what);
/* Into the list of those that ended. */
void lrd_wire_end_ticket(struct lrd_wire *, struct lrd_ticket *, enum lrd_ticket_state);
/* An atomic call with a SELECT in it is followed by one that leads back. */
int lrd_ticket_wanders(const struct lrd_ticket *);

/* Makes a ticket ready to be put.  0, or -1: no memory. */
int lrd_wire_begin(struct lrd_ticket *);
/* Encodes its vectors from t->put on, one at least, until they are so many bytes (atomic: all), and
 * queues a slot for them.  0, or -1: no memory, nothing changed. */
int lrd_wire_put(struct lrd_wire *, struct lrd_ticket *, size_t most);
/* It waits for no turn any more, if it did. */
void lrd_wire_leave_turn(struct lrd_wire *, struct lrd_ticket *);

#endif
