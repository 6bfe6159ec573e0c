/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream_change.h"

enum step { READ, NEW_CONSUMER, SEEN, TAKEN, DROPPED };

/* A step, and what was before it. */
struct lrd_xundo {
  enum step step;
  struct lrd_xgroup *group;
  struct lrd_xconsumer *consumer; /* TAKEN: whose it was, NULL: it is new */
  struct lrd_xpending *pending;
  struct lrd_xid id;              /* READ: the last one */
  int64_t time;                   /* SEEN: when; READ: how many */
  uint64_t count;
};

void lrd_xchange_init(struct lrd_xchange *x, const larder_memory *memory)
{
  *x = (struct lrd_xchange){ .memory = memory };
}

static void end(struct lrd_xchange *x)
{
  lrd_release(x->memory, x->undo, x->capacity * sizeof *x->undo);
  *x = (struct lrd_xchange){ .memory = x->memory };
}

/* Room for one step; it counts when it is done. */
static struct lrd_xundo *next(struct lrd_xchange *x)
{
  enum { LEAST = 4 };

  if (x->count == x->capacity) {
    size_t capacity = x->capacity ? 2 * x->capacity : LEAST;
    struct lrd_xundo *more = lrd_xgrow(x->memory, x->undo, x->capacity * sizeof *more,
                                       capacity * sizeof *more);

    if (!more)
      return NULL;
    x->undo = more;
    x->capacity = capacity;
  }
  return &x->undo[x->count];
}

int lrd_xchange_read(struct lrd_xchange *x, struct lrd_xgroup *g)
{
  struct lrd_xundo *u = next(x);

  if (!u)
    return -1;
  *u = (struct lrd_xundo){ .step = READ, .group = g, .id = g->last, .time = g->read };
  x->count++;
  return 0;
}

struct lrd_xconsumer *lrd_xchange_consumer(struct lrd_xchange *x, struct lrd_xgroup *g,
                                           larder_bytes name, int64_t now)
{
  struct lrd_xconsumer *c = lrd_xconsumer_find(g, name);
  struct lrd_xundo *u = next(x);
  enum step step = c ? SEEN : NEW_CONSUMER;

  if (!u || (!c && !(c = lrd_xconsumer_add(g, x->memory, name))))
    return NULL;
  *u = (struct lrd_xundo){ .step = step, .group = g, .consumer = c, .time = c->seen };
  c->seen = now;
  x->count++;
  return c;
}

struct lrd_xpending *lrd_xchange_take(struct lrd_xchange *x, struct lrd_xgroup *g,
                                      struct lrd_xconsumer *c, struct lrd_xid id,
                                      struct lrd_xpending *p)
{
  struct lrd_xundo *u = next(x);
  struct lrd_xconsumer *before = p ? p->consumer : NULL;

  if (!u)
    return NULL;
  if (!p && !(p = lrd_xpending_add(g, x->memory, id, c)))
    return NULL;
  if (before && before != c && lrd_xmap_add(&c->pending, x->memory, id, p) < 0)
    return NULL;
  *u = (struct lrd_xundo){ .step = TAKEN, .group = g, .consumer = before, .pending = p, .id = id,
                           .time = p->time, .count = p->count };
  p->consumer = c;
  x->count++;
  return p;
}

int lrd_xchange_drop(struct lrd_xchange *x, struct lrd_xgroup *g, struct lrd_xid id)
{
  struct lrd_xundo *u = next(x);

  if (!u)
    return -1;
  *u = (struct lrd_xundo){ .step = DROPPED, .group = g, .id = id };
  x->count++;
  return 0;
}

void lrd_xchange_commit(struct lrd_xchange *x)
{
  for (size_t i = 0; i < x->count; i++) {
    struct lrd_xundo *u = &x->undo[i];

    if (u->step == DROPPED)
      (void)lrd_xpending_remove(u->group, x->memory, u->id);
    else if (u->step == TAKEN && u->consumer && u->consumer != u->pending->consumer)
      (void)lrd_xmap_remove(&u->consumer->pending, x->memory, u->id);
  }
  end(x);
}

static void take_back(const larder_memory *memory, const struct lrd_xundo *u)
{
  if (!u->consumer) {
    (void)lrd_xpending_remove(u->group, memory, u->id);
    return;
  }
  if (u->consumer != u->pending->consumer)
    (void)lrd_xmap_remove(&u->pending->consumer->pending, memory, u->id);
  u->pending->consumer = u->consumer;
  u->pending->time = u->time;
  u->pending->count = u->count;
}

void lrd_xchange_undo(struct lrd_xchange *x)
{
  while (x->count) {
    const struct lrd_xundo *u = &x->undo[--x->count];

    switch (u->step) {
    case READ:
      u->group->last = u->id;
      u->group->read = u->time;
      break;
    case NEW_CONSUMER:
      lrd_xconsumer_remove(u->group, x->memory, u->consumer);
      break;
    case SEEN:
      u->consumer->seen = u->time;
      break;
    case TAKEN:
      take_back(x->memory, u);
      break;
    case DROPPED:
      break;
    }
  }
  end(x);
}
