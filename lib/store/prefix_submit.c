/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/prefix.h"

#include "util/memory.h"

/*
 * A walk without waiting.  Its steps run one after the other, each begun on the thread
 * that ended the one before.  Where submit ends a step before it returns (a local
 * backend does), the loop goes on in place: no step is begun inside another one.
 */
struct lrd_prefix_task {
  larder_submission inner; /* first: what the inner backend holds */
  larder_submission *outer;
  struct lrd_prefix *prefix;
  struct lrd_prefix_task *next;
  unsigned references;     /* under lock: the list's and the cancellers' */
  atomic_int turn;
  struct lrd_walk walk;
};

enum { BEGUN, RETURNED, DONE };

static void unref(struct lrd_prefix_task *t)
{
  struct lrd_prefix *p = t->prefix;
  lrd_lock(&p->lock);
  unsigned left = --t->references;
  lrd_unlock(&p->lock);
  if (!left)
    lrd_release(&p->base.memory, t, sizeof *t);
}

void lrd_prefix_release_tasks(struct lrd_prefix *p)
{
  /* As it was at the fork: whole, unless somebody was changing it. */
  if (pthread_mutex_trylock(&p->lock.mutex) != 0)
    return;
  while (p->tasks) {
    struct lrd_prefix_task *t = p->tasks;
    p->tasks = t->next;
    lrd_walk_free(&t->walk);
    lrd_release(&p->base.memory, t, sizeof *t);
  }
}

static void end(struct lrd_prefix_task *t)
{
  struct lrd_prefix *p = t->prefix;
  struct lrd_prefix_task **at = &p->tasks;
  lrd_lock(&p->lock);
  while (*at != t)
    at = &(*at)->next;
  *at = t->next;
  lrd_unlock(&p->lock);
  lrd_walk_end(&t->walk, t->outer->sink);
  larder_submission *outer = t->outer;
  unref(t);
  outer->done(outer);
}

/* Begins steps until one is left to whoever will end it. */
static void go_on(struct lrd_prefix_task *t)
{
  larder_backend *inner = t->prefix->inner;
  larder_call call;
  while (lrd_walk_next(&t->walk, &call)) {
    t->inner.sink = &t->walk.tree.sink;
    atomic_store(&t->turn, BEGUN);
    inner->table->submit(inner, &call, &t->inner);
    if (atomic_exchange(&t->turn, RETURNED) == BEGUN)
      return;
    lrd_walk_take(&t->walk);
  }
  end(t);
}

static void step_done(larder_submission *inner)
{
  struct lrd_prefix_task *t = (struct lrd_prefix_task *)(void *)inner;
  if (atomic_exchange(&t->turn, DONE) == BEGUN)
    return;
  lrd_walk_take(&t->walk);
  go_on(t);
}

static void begin(struct lrd_prefix *p, const larder_call *call, larder_submission *outer)
{
  struct lrd_prefix_task *t = lrd_allocate_zeroed(&p->base.memory, 1, sizeof *t);
  if (!t) {
    lrd_sink_fail(outer->sink, LARDER_NO_MEMORY, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                  "ERR out of memory");
    outer->done(outer);
    return;
  }
  t->inner.done = step_done;
  t->outer = outer;
  t->prefix = p;
  t->references = 1;
  lrd_walk_init(&t->walk, p, call, &call->vector[0]);
  lrd_lock(&p->lock);
  t->next = p->tasks;
  p->tasks = t;
  lrd_unlock(&p->lock);
  go_on(t);
}

void lrd_prefix_submit(larder_backend *b, const larder_call *call, larder_submission *outer)
{
  struct lrd_prefix *p = lrd_prefix_of(b);
  struct lrd_room room;
  larder_vector v;
  if (call->count > 1 || (call->flags & LARDER_CALL_ATOMIC)) {
    larder_backend_default_submit(b, call, outer);
    return;
  }
  if (lrd_prefix_rule_of(p, &call->vector[0]) > LRD_PREFIX_SORT) {
    begin(p, call, outer);
    return;
  }
  lrd_room_init(&room, &p->base.memory);
  if (lrd_prefix_rewrite(p, &call->vector[0], &room, &v) == 0) {
    larder_call inner = *call;
    inner.vector = &v;
    inner.flags &= ~(unsigned)LARDER_CALL_LASTING; /* the room goes with this function */
    p->inner->table->submit(p->inner, &inner, outer);
  } else {
    lrd_sink_fail(outer->sink, LARDER_NO_MEMORY, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                  "ERR out of memory");
    outer->done(outer);
  }
  lrd_room_free(&room);
}

static struct lrd_prefix_task *find(struct lrd_prefix *p, const larder_submission *outer)
{
  lrd_lock(&p->lock);
  struct lrd_prefix_task *t = p->tasks;
  while (t && t->outer != outer)
    t = t->next;
  if (t) {
    t->references++;
    t->walk.cancelled = 1;
  }
  lrd_unlock(&p->lock);
  return t;
}

void lrd_prefix_cancel(larder_backend *b, larder_submission *outer)
{
  struct lrd_prefix *p = lrd_prefix_of(b);
  if (!outer)
    atomic_store(&p->closing, 1);
  struct lrd_prefix_task *t = outer ? find(p, outer) : NULL;
  p->inner->table->cancel(p->inner, t ? &t->inner : outer);
  if (t)
    unref(t);
}
