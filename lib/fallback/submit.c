/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <string.h>

#include "fallback/fallback.h"
#include "util/memory.h"

/*
 * Asynchronous calls.  One that goes to Redis is kept, because it may have to be answered
 * locally after all (copied, unless its bytes last until it is done); one that must wait for a
 * replay is parked and run by the keeper.
 */
struct lrd_parked {
  larder_submission inner; /* first: what the remote backend gets */
  larder_submission *outer;
  struct lrd_parked *next, **place; /* place: what points to it, while it flies */
  struct lrd_fallback *fallback;
  struct lrd_route route;
  larder_call call;
  struct lrd_arena arena;  /* the vectors and their bytes, where they don't last */
  unsigned references;     /* under lock: the lists' and the cancellers' */
};

static void unref(struct lrd_fallback *f, struct lrd_parked *p)
{
  unsigned left;

  lrd_lock(&f->lock);
  left = --p->references;
  lrd_unlock(&f->lock);
  if (left)
    return;
  lrd_arena_free(&p->arena);
  lrd_release(&f->base.memory, p, sizeof *p);
}

static int copy_vector(struct lrd_arena *arena, larder_vector *to, const larder_vector *from)
{
  larder_bytes *argv = lrd_arena_allocate(arena, (size_t)from->argc * sizeof *argv);

  if (!argv)
    return -1;
  for (int i = 0; i < from->argc; i++) {
    argv[i].len = from->argv[i].len;
    argv[i].data = lrd_arena_copy(arena, from->argv[i].data, from->argv[i].len);
    if (!argv[i].data)
      return -1;
  }
  *to = *from;
  to->argv = argv;
  return 0;
}

static struct lrd_parked *keep(struct lrd_fallback *f, const larder_call *call,
                               larder_submission *outer)
{
  struct lrd_parked *p = lrd_allocate_zeroed(&f->base.memory, 1, sizeof *p);
  larder_vector *v;

  if (!p)
    return NULL;
  p->fallback = f;
  p->outer = outer;
  p->references = 1;
  p->call = *call;
  lrd_arena_init(&p->arena, &f->base.memory);
  if (call->flags & LARDER_CALL_LASTING)
    return p;
  p->call.flags |= LARDER_CALL_LASTING;
  p->call.vector = v = lrd_arena_allocate(&p->arena, call->count * sizeof *v);
  for (size_t i = 0; v && i < call->count; i++)
    if (copy_vector(&p->arena, &v[i], &call->vector[i]))
      v = NULL;
  if (v)
    return p;
  lrd_arena_free(&p->arena);
  lrd_release(&f->base.memory, p, sizeof *p);
  return NULL;
}

static void fly_done(larder_submission *inner)
{
  struct lrd_parked *p = (struct lrd_parked *)inner;
  struct lrd_fallback *f = p->fallback;

  lrd_lock(&f->lock);
  *p->place = p->next;
  if (p->next)
    p->next->place = p->place;
  lrd_unlock(&f->lock);
  p->outer->done(p->outer);
  unref(f, p);
}

static void fly(struct lrd_fallback *f, struct lrd_parked *p)
{
  larder_call call = p->call;

  call.hold = NULL;
  if (lrd_fallback_state(f) == LARDER_STATE_UP)
    call.flags |= LARDER_CALL_NOWAIT;
  lrd_route_init(&p->route, f, &p->call, 0, p->outer->sink);
  p->inner.sink = &p->route.relay.sink;
  p->inner.done = fly_done;
  lrd_lock(&f->lock);
  if ((p->next = f->flying))
    p->next->place = &p->next;
  p->place = &f->flying;
  f->flying = p;
  lrd_unlock(&f->lock);
  f->remote->table->submit(f->remote, &call, &p->inner);
}

static void refuse(struct lrd_fallback *f, struct lrd_parked *p, const char *text)
{
  size_t replies = p->call.flags & LARDER_CALL_ATOMIC ? 1 : p->call.count;

  while (replies--)
    lrd_sink_fail(p->outer->sink, LARDER_NOT_SENT, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE, text);
  p->outer->done(p->outer);
  unref(f, p);
}

/* --- deadlines of what is parked -------------------------------------------------- */

/* With the lock held: what is over, and when the next one is. */
static struct lrd_parked *take_expired(struct lrd_fallback *f, int64_t *next)
{
  struct lrd_parked *expired = NULL, **at = &f->parked;
  int64_t now = lrd_fallback_now(f);

  *next = now + 3600 * 1000 * LRD_NS_PER_MS;
  while (*at) {
    struct lrd_parked *p = *at;

    if (p->call.deadline > now) {
      *next = p->call.deadline < *next ? p->call.deadline : *next;
      at = &p->next;
      continue;
    }
    *at = p->next;
    p->next = expired;
    expired = p;
  }
  f->parked_tail = at;
  return expired;
}

/* A thread of its own: the keeper may be in the middle of a batch or a probe. */
static void *expire(void *context)
{
  struct lrd_fallback *f = context;
  int64_t next;

  lrd_lock(&f->lock);
  while (!f->stop) {
    struct lrd_parked *p = take_expired(f, &next);

    if (!p) {
      lrd_cond_wait(&f->changed, &f->lock, next);
      continue;
    }
    lrd_unlock(&f->lock);
    while (p) {
      struct lrd_parked *following = p->next;

      refuse(f, p, "NOTSENT writes of the outage to this key are still on their way to Redis");
      p = following;
    }
    lrd_lock(&f->lock);
  }
  lrd_unlock(&f->lock);
  return NULL;
}

/* Started by the first call that is parked; 0: it runs. */
static int start_usher(struct lrd_fallback *f)
{
  sigset_t all, old;
  int failed;

  if (atomic_exchange(&f->usher_wanted, 1))
    return 0;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old)) {
    atomic_store(&f->usher_wanted, 0);
    return -1;
  }
  failed = pthread_create(&f->usher, NULL, expire, f);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (failed)
    atomic_store(&f->usher_wanted, 0);
  return failed ? -1 : 0;
}

void lrd_fallback_join_usher(struct lrd_fallback *f)
{
  if (atomic_exchange(&f->usher_wanted, 0))
    pthread_join(f->usher, NULL);
}

static void park(struct lrd_fallback *f, struct lrd_parked *p)
{
  if (start_usher(f)) {
    refuse(f, p, "NOTSENT no thread to wait for writes of the outage with");
    return;
  }
  lrd_lock(&f->lock);
  p->next = NULL;
  *(f->parked ? f->parked_tail : &f->parked) = p;
  f->parked_tail = &p->next;
  pthread_cond_broadcast(&f->changed);
  lrd_unlock(&f->lock);
}

void lrd_fallback_submit(larder_backend *b, const larder_call *call, larder_submission *outer)
{
  struct lrd_fallback *f = lrd_fallback_of(b);
  enum larder_state state = lrd_fallback_state(f);
  struct lrd_parked *p;

  if (state == LARDER_STATE_DOWN || state == LARDER_STATE_DENIED) {
    lrd_fallback_execute(b, call, outer->sink);
    outer->done(outer);
    return;
  }
  p = keep(f, call, outer);
  if (!p) {
    size_t replies = call->flags & LARDER_CALL_ATOMIC ? 1 : call->count;

    while (replies--)
      lrd_sink_fail(outer->sink, LARDER_NO_MEMORY, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                    "ERR out of memory");
    outer->done(outer);
    return;
  }
  outer->backend_data = p;
  if (call->hold || lrd_fallback_owes(f, call))
    park(f, p);
  else
    fly(f, p);
}

static void run(struct lrd_fallback *f, struct lrd_parked *p)
{
  lrd_fallback_execute(&f->base, &p->call, p->outer->sink);
  p->outer->done(p->outer);
  unref(f, p);
}

void lrd_fallback_run_parked(struct lrd_fallback *f)
{
  while (f->parked && !f->stop) {
    struct lrd_parked *p = f->parked;

    f->parked = p->next;
    lrd_unlock(&f->lock);
    run(f, p);
    lrd_lock(&f->lock);
  }
}

/* Takes what is parked for outer (NULL: everything) off the list. */
static struct lrd_parked *take_parked(struct lrd_fallback *f, const larder_submission *outer)
{
  struct lrd_parked *taken = NULL, **at = &f->parked;

  while (*at) {
    struct lrd_parked *p = *at;

    if (outer && p->outer != outer) {
      at = &p->next;
      continue;
    }
    *at = p->next;
    p->next = taken;
    taken = p;
  }
  f->parked_tail = at;
  return taken;
}

void lrd_fallback_cancel(larder_backend *b, larder_submission *outer)
{
  struct lrd_fallback *f = lrd_fallback_of(b);
  struct lrd_parked *parked, *flying = NULL;

  lrd_lock(&f->lock);
  parked = take_parked(f, outer);
  for (struct lrd_parked *p = f->flying; outer && p; p = p->next)
    if (p->outer == outer)
      flying = p;
  if (flying)
    flying->references++;
  lrd_unlock(&f->lock);
  while (parked) {
    struct lrd_parked *next = parked->next;

    refuse(f, parked, "NOTSENT the call was cancelled");
    parked = next;
  }
  if (!outer)
    f->remote->table->cancel(f->remote, NULL);
  if (flying) {
    f->remote->table->cancel(f->remote, &flying->inner);
    unref(f, flying);
  }
}
