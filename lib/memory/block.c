/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/block.h"

#include <string.h>

#include "util/arena.h"
#include "util/memory.h"

struct lrd_waiter {
  struct larder_hold hold; /* first: its keys */
  larder_call call;
  larder_sink *sink;
  larder_submission *submission; /* NULL: a thread waits */
  struct lrd_arena arena;        /* a submission's copy of the call */
  pthread_cond_t ended_now;
  int64_t wait_ms;               /* its own timeout; 0: for ever */
  int64_t until;                 /* monotonic ns */
  larder_bytes key;              /* a turn's first; data NULL: all of them */
  larder_verdict verdict;
  /* Under the lock of lrd_block. */
  int hangs, is_ready, ended;
  larder_bytes next_key;
  struct lrd_waiter *previous, *next; /* all that wait */
  struct lrd_waiter *next_ready;
};

static struct lrd_waiter *waiter_of(struct larder_hold *hold)
{
  return (struct lrd_waiter *)hold;
}

static int64_t now(const struct lrd_engine *e)
{
  return lrd_monotonic(&e->base.clock);
}

/* --- what handlers say ---------------------------------------------------------------------- */

int lrd_argument_wait(struct lrd_exec *x, int64_t *ms)
{
  const char *why = lrd_command_wait(x->vector, ms);

  if (why)
    lrd_error(x, why);
  else if (x->waiter)
    x->waiter->wait_ms = *ms;
  return !why;
}

static int is_in_turn(const struct lrd_waiter *w, larder_bytes key)
{
  return !w->key.data ||
         (w->key.len == key.len && (!key.len || !memcmp(w->key.data, key.data, key.len)));
}

int lrd_block_read(struct lrd_exec *x, larder_bytes key, enum lrd_kind kind,
                   struct lrd_entry **entry)
{
  if (!x->turn)
    return lrd_read(x, key, kind, entry);
  if (!lrd_read(x, key, LRD_NONE, entry))
    return 0;
  if (*entry && (lrd_kind_of(*entry) != kind || !is_in_turn(x->waiter, key)))
    *entry = NULL;
  return 1;
}

int lrd_block_look_on(struct lrd_exec *x)
{
  int more = x->turn && x->blocked && x->waiter->key.data;

  if (more) {
    x->waiter->key.data = NULL;
    x->blocked = 0;
  }
  return more;
}

int lrd_block_may_wait(struct lrd_exec *x)
{
  if (x->waiter && (x->call_flags & LARDER_CALL_NOBLOCK)) {
    lrd_error(x, "ERR nothing is there, and a call can't wait for it over this connection");
    return 1;
  }
  x->blocked = x->waiter != NULL;
  return x->blocked;
}

/* --- the lists; with the lock held ---------------------------------------------------------- */

static void link_waiter(struct lrd_block *b, struct lrd_waiter *w)
{
  w->hangs = 1;
  w->previous = b->last;
  *(b->last ? &b->last->next : &b->first) = w;
  b->last = w;
  b->count++;
}

static void leave_ready(struct lrd_block *b, struct lrd_waiter *w)
{
  struct lrd_waiter **link = &b->ready;

  if (!w->is_ready)
    return;
  while (*link != w)
    link = &(*link)->next_ready;
  *link = w->next_ready;
  if (b->ready_end == &w->next_ready)
    b->ready_end = link;
  w->is_ready = 0;
  atomic_fetch_sub_explicit(&b->ready_count, 1, memory_order_relaxed);
}

static void unlink_waiter(struct lrd_block *b, struct lrd_waiter *w)
{
  leave_ready(b, w);
  if (!w->hangs)
    return;
  *(w->previous ? &w->previous->next : &b->first) = w->next;
  *(w->next ? &w->next->previous : &b->last) = w->previous;
  w->hangs = 0;
  b->count--;
}

void lrd_block_ready(struct larder_hold *hold, larder_bytes key, int next)
{
  struct lrd_block *b = &hold->engine->block;
  struct lrd_waiter *w = waiter_of(hold), **link;

  lrd_lock(&b->lock);
  if (!w->is_ready && w->hangs) {
    link = next ? &b->ready : b->ready_end;
    w->next_ready = *link;
    *link = w;
    if (b->ready_end == link)
      b->ready_end = &w->next_ready;
    w->next_key = key;
    w->is_ready = 1;
    atomic_fetch_add_explicit(&b->ready_count, 1, memory_order_relaxed);
  }
  lrd_unlock(&b->lock);
}

/* --- beginning to wait ---------------------------------------------------------------------- */

struct hanging {
  struct lrd_exec *x;
  int failed;
};

static void hang(void *context, int index)
{
  struct hanging *h = context;
  struct lrd_at at = lrd_at(h->x, h->x->argv[index]);

  if (!h->failed)
    h->failed = lrd_hold_add(&h->x->waiter->hold, &at);
}

static int64_t time_limit(const struct lrd_waiter *w)
{
  const struct lrd_engine *e = w->hold.engine;
  int64_t limit = INT64_MAX, at = now(e);

  if (w->wait_ms && w->wait_ms < (INT64_MAX - at) / LRD_NS_PER_MS)
    limit = at + w->wait_ms * LRD_NS_PER_MS;
  return limit;
}

/* A submission's time, told to who watches it. */
static void note_time(struct lrd_engine *e, const struct lrd_waiter *w)
{
  struct lrd_block *b = &e->block;
  int64_t left = w->until - now(e);

  if (!w->submission || w->until == INT64_MAX)
    return;
  if (w->until < atomic_load_explicit(&b->next_end, memory_order_relaxed))
    atomic_store_explicit(&b->next_end, w->until, memory_order_relaxed);
  lrd_maintenance_note(e, lrd_wall_ms(&e->base.clock) + left / LRD_NS_PER_MS + 1);
}

static void begin_to_wait(struct lrd_exec *x)
{
  struct lrd_engine *e = x->engine;
  struct lrd_block *b = &e->block;
  struct lrd_waiter *w = x->waiter;
  struct hanging h = { .x = x };
  int64_t own = time_limit(w);
  const char *why = NULL;

  w->until = own < w->call.deadline ? own : w->call.deadline;
  lrd_command_keys(x->vector, hang, &h);
  lrd_lock(&b->lock);
  if (b->closed)
    x->verdict.outcome = LARDER_CLOSED, why = "CLOSED the store is being closed";
  else if (b->count >= LRD_WAITERS_MAX)
    why = "ERR too many calls wait for keys of this store already";
  else if (!h.failed)
    link_waiter(b, w);
  lrd_unlock(&b->lock);
  if (!why && !h.failed) {
    note_time(e, w);
    return;
  }
  lrd_hold_clear(&w->hold, 1);
  x->blocked = 0;
  if (!why)
    lrd_no_memory(x);
  else if (x->verdict.outcome == LARDER_CLOSED)
    lrd_sink_error(x->sink, why);
  else
    lrd_error(x, why);
}

void lrd_block_settle(struct lrd_exec *x)
{
  struct lrd_waiter *w = x->waiter;

  if (!x->turn) {
    if (x->blocked)
      begin_to_wait(x);
    return;
  }
  lrd_hold_pass_on(&w->hold, !x->blocked);
  if (x->blocked)
    return;
  lrd_lock(&x->engine->block.lock);
  unlink_waiter(&x->engine->block, w);
  lrd_unlock(&x->engine->block.lock);
  lrd_hold_clear(&w->hold, 1);
}

/* --- ending --------------------------------------------------------------------------------- */

/* It waits no more and its reply is written, but for the end, which is its owner's, or who lets
 * go of the serving lock. */
static void ended(struct lrd_block *b, struct lrd_waiter *w)
{
  lrd_lock(&b->lock);
  unlink_waiter(b, w);
  w->ended = 1;
  if (w->submission) {
    w->submission->backend_data = NULL;
    w->next = b->ended;
    b->ended = w;
  } else {
    pthread_cond_signal(&w->ended_now);
  }
  lrd_unlock(&b->lock);
}

static void free_waiter(struct lrd_waiter *w)
{
  struct lrd_engine *e = w->hold.engine;

  lrd_arena_free(&w->arena);
  lrd_release(&e->base.memory, w, sizeof *w);
}

static void finish_submission(struct lrd_waiter *w)
{
  larder_submission *submission = w->submission;

  lrd_sink_end(w->sink, &w->verdict);
  free_waiter(w);
  submission->done(submission);
}

/* Lets go of the serving lock and tells whose submissions have ended meanwhile. */
static void stop_serving(struct lrd_engine *e)
{
  struct lrd_block *b = &e->block;
  struct lrd_waiter *list, *w;

  lrd_lock(&b->lock);
  list = b->ended;
  b->ended = NULL;
  lrd_unlock(&b->lock);
  lrd_unlock(&b->serving);
  while ((w = list)) {
    list = w->next;
    finish_submission(w);
  }
}

static struct lrd_waiter *next_ready(struct lrd_block *b)
{
  struct lrd_waiter *w;

  lrd_lock(&b->lock);
  w = b->ready;
  if (w) {
    leave_ready(b, w);
    w->key = w->next_key;
  }
  lrd_unlock(&b->lock);
  return w;
}

static void serve(struct lrd_engine *e)
{
  struct lrd_waiter *w;

  while ((w = next_ready(&e->block)))
    if (lrd_exec_turn(e, &w->call, w->sink, w, 1, &w->verdict))
      ended(&e->block, w);
}

void lrd_block_serve(struct lrd_engine *e)
{
  lrd_lock(&e->block.serving);
  serve(e);
  stop_serving(e);
}

/* Its time is over, or it is ended from outside; with the serving lock held. */
static void end_unserved(struct lrd_waiter *w, larder_outcome outcome, const char *text)
{
  lrd_hold_clear(&w->hold, 0);
  w->verdict = (larder_verdict){ .outcome = outcome, .origin = LARDER_FROM_LOCAL, .age_ms = -1 };
  if (text)
    lrd_sink_error(w->sink, text);
  else
    lrd_sink_nil_array(w->sink);
  ended(&w->hold.engine->block, w);
}

static void end_late(struct lrd_waiter *w)
{
  if (w->until < w->call.deadline || w->call.deadline == INT64_MAX) {
    end_unserved(w, LARDER_OK, NULL);
    return;
  }
  end_unserved(w, LARDER_NOT_SENT, "NOTSENT nothing came before the deadline of the call");
  w->verdict.cause = LARDER_CAUSE_SLOW;
}

/* --- a thread that waits -------------------------------------------------------------------- */

static void wait(struct lrd_waiter *w)
{
  struct lrd_engine *e = w->hold.engine;
  struct lrd_block *b = &e->block;
  int late = 0, served;

  lrd_lock(&b->lock);
  while (!w->ended && !late) {
    int64_t left = w->until == INT64_MAX ? INT64_MAX : w->until - now(e);
    int64_t at = lrd_monotonic(&lrd_clock_system);

    late = lrd_cond_wait(&w->ended_now, &b->lock, left < INT64_MAX - at ? at + left : INT64_MAX);
  }
  served = w->ended;
  lrd_unlock(&b->lock);
  if (served)
    return;
  lrd_lock(&b->serving);
  serve(e); /* what came in the last moment */
  if (!w->ended)
    end_late(w);
  stop_serving(e);
}

static void prepare(struct lrd_waiter *w, struct lrd_engine *e, const larder_call *call,
                    const larder_vector *v, larder_sink *sink)
{
  memset(w, 0, sizeof *w);
  w->hold.engine = e;
  w->hold.waits = 1;
  w->call = *call;
  w->call.vector = v;
  w->call.count = 1;
  w->sink = sink;
}

void lrd_block_execute(struct lrd_engine *e, const larder_call *call, const larder_vector *v,
                       larder_sink *sink)
{
  struct lrd_waiter w;

  prepare(&w, e, call, v, sink);
  if (lrd_cond_init(&w.ended_now)) {
    lrd_sink_fail(sink, LARDER_NO_MEMORY, LARDER_FROM_LOCAL, LARDER_CAUSE_NONE,
                  "ERR out of memory");
    return;
  }
  if (!lrd_exec_turn(e, &w.call, sink, &w, 0, &w.verdict))
    wait(&w);
  pthread_cond_destroy(&w.ended_now);
  lrd_sink_end(sink, &w.verdict);
}

/* --- a submission that waits ---------------------------------------------------------------- */

static int copy_call(struct lrd_waiter *w)
{
  const larder_vector *from = w->call.vector;
  larder_vector *v = lrd_arena_allocate(&w->arena, sizeof *v);
  larder_bytes *argv = lrd_arena_allocate(&w->arena, (size_t)from->argc * sizeof *argv);

  if (!v || !argv)
    return -1;
  for (int i = 0; i < from->argc; i++) {
    char *bytes = lrd_arena_allocate(&w->arena, from->argv[i].len + 1);

    if (!bytes)
      return -1;
    if (from->argv[i].len)
      memcpy(bytes, from->argv[i].data, from->argv[i].len);
    argv[i] = (larder_bytes){ bytes, from->argv[i].len };
  }
  *v = *from;
  v->argv = argv;
  w->call.vector = v;
  return 0;
}

void lrd_block_submit(struct lrd_engine *e, const larder_call *call, larder_submission *submission)
{
  struct lrd_waiter *w = lrd_allocate(&e->base.memory, sizeof *w);
  int ready = 0;

  submission->backend_data = NULL;
  if (w) {
    prepare(w, e, call, call->vector, submission->sink);
    w->submission = submission;
    lrd_arena_init(&w->arena, &e->base.memory);
    ready = copy_call(w) == 0;
  }
  if (!ready) {
    if (w)
      free_waiter(w);
    lrd_sink_fail(submission->sink, LARDER_NO_MEMORY, LARDER_FROM_LOCAL, LARDER_CAUSE_NONE,
                  "ERR out of memory");
    submission->done(submission);
    return;
  }
  lrd_lock(&e->block.serving);
  if (lrd_exec_turn(e, &w->call, w->sink, w, 0, &w->verdict))
    ended(&e->block, w);
  else
    submission->backend_data = w; /* whoever ends it takes it away */
  stop_serving(e);
}

/* --- from outside --------------------------------------------------------------------------- */

static struct lrd_waiter *first_waiter(struct lrd_block *b)
{
  struct lrd_waiter *w;

  lrd_lock(&b->lock);
  w = b->first;
  lrd_unlock(&b->lock);
  return w;
}

void lrd_block_cancel(struct lrd_engine *e, larder_submission *submission)
{
  struct lrd_block *b = &e->block;
  struct lrd_waiter *w;

  lrd_lock(&b->serving);
  if (submission) {
    if ((w = submission->backend_data))
      end_unserved(w, LARDER_NOT_SENT, "NOTSENT the call was cancelled");
  } else {
    lrd_lock(&b->lock);
    b->closed = 1;
    lrd_unlock(&b->lock);
    while ((w = first_waiter(b)))
      end_unserved(w, LARDER_CLOSED, "CLOSED the store is being closed");
  }
  stop_serving(e);
}

/* The first submission whose time is over; *next: when the next one's is. */
static struct lrd_waiter *find_late(struct lrd_block *b, int64_t at, int64_t *next)
{
  struct lrd_waiter *w, *late = NULL;

  *next = INT64_MAX;
  lrd_lock(&b->lock);
  for (w = b->first; w && !late; w = w->next)
    if (w->submission && w->until <= at)
      late = w;
    else if (w->submission && w->until < *next)
      *next = w->until;
  lrd_unlock(&b->lock);
  return late;
}

int64_t lrd_block_expire(struct lrd_engine *e, int64_t wall_ms)
{
  struct lrd_block *b = &e->block;
  int64_t at = now(e), next = atomic_load_explicit(&b->next_end, memory_order_relaxed);
  struct lrd_waiter *w;

  if (next == INT64_MAX)
    return -1;
  if (next <= at) {
    lrd_lock(&b->serving);
    serve(e);
    while ((w = find_late(b, at, &next)))
      end_late(w);
    atomic_store_explicit(&b->next_end, next, memory_order_relaxed);
    stop_serving(e);
  }
  return next == INT64_MAX ? -1 : wall_ms + (next - at) / LRD_NS_PER_MS + 1;
}

/* --- life ----------------------------------------------------------------------------------- */

int lrd_block_open(struct lrd_engine *e)
{
  e->block.ready_end = &e->block.ready;
  atomic_store_explicit(&e->block.next_end, INT64_MAX, memory_order_relaxed);
  if (lrd_lock_init(&e->block.serving, LRD_RANK_SERVING, 0))
    return -1;
  if (!lrd_lock_init(&e->block.lock, LRD_RANK_BLOCK, 0))
    return 0;
  lrd_lock_destroy(&e->block.serving);
  return -1;
}

void lrd_block_close(struct lrd_engine *e, int forked)
{
  if (forked)
    return;
  lrd_lock_destroy(&e->block.lock);
  lrd_lock_destroy(&e->block.serving);
}
