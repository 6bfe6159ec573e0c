/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/queue.h"

#include <signal.h>

#include "store/promise.h"

/* --- life ---------------------------------------------------------------- */

larder_outcome lrd_queue_init(struct lrd_queue *q, larder_delivery delivery,
                              const larder_memory *memory)
{
  q->delivery = delivery;
  q->bell.read_fd = q->bell.write_fd = -1;
  if (delivery == LARDER_DELIVER_DISPATCH && lrd_bell_open(&q->bell) != 0)
    return LARDER_NO_MEMORY;
  if (lrd_lock_init(&q->lock, LRD_RANK_QUEUE, 0) != 0)
    goto no_lock;
  if (lrd_cond_init(&q->work) != 0)
    goto no_cond;
  if ((q->pool = lrd_promises_new(memory)))
    return LARDER_OK;
  pthread_cond_destroy(&q->work);
no_cond:
  lrd_lock_destroy(&q->lock);
no_lock:
  lrd_bell_close(&q->bell);
  return LARDER_NO_MEMORY;
}

void lrd_queue_release(larder *s, int forked)
{
  struct lrd_queue *q = &s->queue;
  const larder_memory *m = &s->config.memory;
  /* In a child the tables are as they were at the fork: whole, unless somebody
   * was changing them. */
  if (!forked || pthread_mutex_trylock(&q->lock.mutex) == 0) {
    for (unsigned i = 0; i < q->slots; i++)
      if (q->promise[i])
        lrd_answer_free(&q->promise[i]->answer);
    lrd_release(m, q->promise, q->slots * sizeof *q->promise);
    lrd_release(m, q->vacant, q->slots * sizeof *q->vacant);
    lrd_promises_close(q->pool);
  }
  lrd_bell_close(&q->bell);
  if (forked)
    return;
  pthread_cond_destroy(&q->work);
  lrd_lock_destroy(&q->lock);
}

uint64_t lrd_queue_running(larder *s)
{
  return atomic_load(&s->queue.running);
}

/* --- done ---------------------------------------------------------------- */

static void wake(struct lrd_queue *q)
{
  if (q->delivery == LARDER_DELIVER_DISPATCH) {
    if (!atomic_exchange(&q->signalled, 1))
      lrd_bell_ring(&q->bell);
  } else if (atomic_exchange(&q->sleeping, 0)) {
    lrd_lock(&q->lock); /* it sleeps now, or has seen what is done */
    pthread_cond_signal(&q->work);
    lrd_unlock(&q->lock);
  }
}

/* One that held it leaves; the last one queues it. */
static void let_go(struct lrd_queue *q, struct lrd_promise *promise)
{
  if (atomic_fetch_sub(&promise->holders, 1) != 1)
    return;
  struct lrd_promise *top = atomic_load_explicit(&q->done, memory_order_relaxed);
  do
    promise->next = top;
  while (!atomic_compare_exchange_weak(&q->done, &top, promise));
  if (!top)
    wake(q);
}

/* Closing waits until nothing runs: the queue isn't touched after that. */
static void promise_done(larder_submission *submission)
{
  struct lrd_promise *promise = (struct lrd_promise *)(void *)submission;
  struct lrd_queue *q = &promise->store->queue;
  atomic_store(&promise->state, LRD_PROMISE_DONE);
  let_go(q, promise);
  atomic_fetch_sub(&q->running, 1);
}

/* Moves what is done behind what is ready, in its order; with the lock held. */
static void gather(struct lrd_queue *q)
{
  if (!atomic_load(&q->done))
    return;
  struct lrd_promise *top = atomic_exchange(&q->done, NULL), *first = NULL, *last = top;
  for (struct lrd_promise *next; top; top = next) {
    next = top->next;
    top->next = first;
    first = top;
    q->waiting++;
  }
  *(q->last ? &q->last->next : &q->first) = first;
  q->last = last;
}

/* --- the table ----------------------------------------------------------- */

static int grow(struct lrd_queue *q, const larder_memory *m)
{
  unsigned slots = q->slots ? q->slots * 2 : 64;
  struct lrd_promise **promise = lrd_allocate(m, slots * sizeof *promise);
  unsigned *vacant = lrd_allocate(m, slots * sizeof *vacant);
  if (!promise || !vacant) {
    lrd_release(m, promise, slots * sizeof *promise);
    lrd_release(m, vacant, slots * sizeof *vacant);
    return -1;
  }
  for (unsigned i = 0; i < slots; i++)
    promise[i] = i < q->slots ? q->promise[i] : NULL;
  /* Growth happens only when no slot is vacant. */
  for (unsigned i = slots; i-- > q->slots;)
    vacant[q->vacancies++] = i;
  lrd_release(m, q->promise, q->slots * sizeof *promise);
  lrd_release(m, q->vacant, q->slots * sizeof *vacant);
  q->promise = promise;
  q->vacant = vacant;
  q->slots = slots;
  return 0;
}

static void *deliver_forever(void *);

/* All signals are blocked in the thread: they are the application's. */
static int start_thread(larder *s)
{
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
    return -1;
  int failed = pthread_create(&s->queue.thread, NULL, deliver_forever, s);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  s->queue.started = !failed;
  return failed ? -1 : 0;
}

/* Room for one more, and a block if one is idle; with the lock held. */
static larder_outcome admit(larder *s, struct lrd_promise **spare)
{
  struct lrd_queue *q = &s->queue;
  if (q->vacancies == 0 && q->slots >= LRD_PROMISES_MAX)
    return LARDER_NOT_SENT;
  if (q->delivery == LARDER_DELIVER_THREAD && !q->started && start_thread(s) != 0)
    return LARDER_NO_MEMORY;
  if (q->vacancies == 0 && grow(q, &s->config.memory) != 0)
    return LARDER_NO_MEMORY;
  if (!*spare)
    *spare = lrd_promises_take(q->pool);
  return LARDER_OK;
}

static void place(struct lrd_queue *q, struct lrd_promise *promise)
{
  unsigned slot = q->vacant[--q->vacancies];
  q->promise[slot] = promise;
  promise->id = ++q->serial << 16 | slot;
  atomic_init(&promise->state, LRD_PROMISE_NEW);
}

static void vacate(struct lrd_queue *q, struct lrd_promise *promise)
{
  unsigned slot = (unsigned)(promise->id & 0xffff);
  q->promise[slot] = NULL;
  q->vacant[q->vacancies++] = slot;
}

/* Who places a new block asks again whether there is room. */
static struct lrd_promise *acquire(larder *s, larder_outcome *why)
{
  struct lrd_queue *q = &s->queue;
  struct lrd_promise *promise = NULL;
  for (int round = 0;; round++) {
    lrd_lock(&q->lock);
    *why = admit(s, &promise);
    if (*why == LARDER_OK && promise)
      place(q, promise);
    lrd_unlock(&q->lock);
    if (*why != LARDER_OK && promise)
      lrd_promises_return(promise);
    if (*why != LARDER_OK)
      return NULL;
    if (promise)
      return promise;
    if (!(promise = lrd_promises_grow(q->pool)))
      break;
  }
  *why = LARDER_NO_MEMORY;
  return NULL;
}

struct lrd_promise *lrd_promise_new(larder *s, larder_callback *callback, void *context,
                                    larder_outcome *why)
{
  struct lrd_promise *promise = acquire(s, why);
  if (!promise)
    return NULL;
  struct lrd_answer *answer = &promise->answer;
  promise->submission =
      (larder_submission){.sink = &answer->tree.sink, .done = promise_done};
  promise->store = s;
  promise->callback = callback;
  promise->context = context;
  promise->by_backend = 0;
  atomic_init(&promise->holders, 1);
  atomic_fetch_add_explicit(&s->queue.running, 1, memory_order_relaxed);
  return promise;
}

void lrd_promise_withdraw(struct lrd_promise *promise)
{
  struct lrd_queue *q = &promise->store->queue;
  lrd_lock(&q->lock);
  vacate(q, promise);
  lrd_unlock(&q->lock);
  lrd_answer_free(&promise->answer);
  atomic_fetch_sub(&q->running, 1);
}

/* Holds it, unless nobody does any more. */
static int hold(struct lrd_promise *promise)
{
  unsigned holders = atomic_load(&promise->holders);
  while (holders)
    if (atomic_compare_exchange_weak(&promise->holders, &holders, holders + 1))
      return 1;
  return 0;
}

struct lrd_promise *lrd_queue_pin(larder *s, uint64_t id)
{
  struct lrd_queue *q = &s->queue;
  unsigned slot = (unsigned)(id & 0xffff);
  lrd_lock(&q->lock);
  struct lrd_promise *promise = slot < q->slots ? q->promise[slot] : NULL;
  if (promise && (promise->id != id || atomic_load(&promise->state) != LRD_PROMISE_RUNNING ||
                  !hold(promise)))
    promise = NULL;
  lrd_unlock(&q->lock);
  return promise;
}

void lrd_queue_unpin(larder *s, struct lrd_promise *promise)
{
  let_go(&s->queue, promise);
}

/* --- delivery ------------------------------------------------------------ */

/* The next promise that is done, out of queue and table. */
static struct lrd_promise *take(struct lrd_queue *q)
{
  if (!q->first)
    gather(q);
  struct lrd_promise *promise = q->first;
  if (!promise)
    return NULL;
  q->first = promise->next;
  if (!q->first)
    q->last = NULL;
  q->waiting--;
  vacate(q, promise);
  return promise;
}

static void call_back(larder *s, struct lrd_promise *promise)
{
  /* The callback frees the reply, and the promise with it. */
  larder_callback *callback = promise->callback;
  void *context = promise->context;
  struct lrd_tree *tree = &promise->answer.tree;
  larder_verdict *verdict = &tree->reply[0].verdict;
  if (tree->replies) {
    if (promise->by_backend && verdict->outcome == LARDER_OK &&
        lrd_command_absent(&promise->vector, &tree->reply[0].value))
      verdict->outcome = LARDER_ABSENT;
    lrd_tally(lrd_cell_mine(&s->cells), verdict);
  }
  lrd_lock_assert_none();
  callback(context, lrd_answer_finish(&promise->answer));
}

static void enlist(struct lrd_queue *q, struct lrd_deliverer *self)
{
  self->thread = pthread_self();
  self->next = q->deliverers;
  q->deliverers = self;
}

static void leave(struct lrd_queue *q, struct lrd_deliverer *self)
{
  struct lrd_deliverer **p = &q->deliverers;
  while (*p != self)
    p = &(*p)->next;
  *p = self->next;
}

int lrd_queue_delivering(larder *s)
{
  int found = 0;
  lrd_lock(&s->queue.lock);
  for (struct lrd_deliverer *d = s->queue.deliverers; d && !found; d = d->next)
    found = pthread_equal(d->thread, pthread_self());
  lrd_unlock(&s->queue.lock);
  return found;
}

/* With the lock held, and again at the end; not while a callback runs. */
static size_t deliver(larder *s, uint64_t most)
{
  struct lrd_queue *q = &s->queue;
  size_t n = 0;
  struct lrd_promise *promise;
  while (n < most && (promise = take(q)) != NULL) {
    lrd_unlock(&q->lock);
    call_back(s, promise);
    n++;
    lrd_lock(&q->lock);
  }
  return n;
}

size_t lrd_queue_deliver(larder *s, size_t max)
{
  struct lrd_queue *q = &s->queue;
  struct lrd_deliverer self;
  if (q->delivery != LARDER_DELIVER_DISPATCH)
    return 0;
  lrd_bell_hush(&q->bell);
  atomic_store(&q->signalled, 0); /* who ends a call now rings again, unless it is seen below */
  lrd_lock(&q->lock);
  gather(q);
  uint64_t most = max && max < q->waiting ? max : q->waiting;
  enlist(q, &self);
  size_t n = deliver(s, most);
  leave(q, &self);
  int must_ring = (q->first || atomic_load(&q->done)) && !atomic_exchange(&q->signalled, 1);
  lrd_unlock(&q->lock);
  if (must_ring)
    lrd_bell_ring(&q->bell);
  return n;
}

/* Sleeps until something is done, or stop; with the lock held. */
static void await_work(struct lrd_queue *q)
{
  atomic_store(&q->sleeping, 1);
  while (!q->stop && !atomic_load(&q->done) && atomic_load(&q->sleeping))
    lrd_cond_wait(&q->work, &q->lock, INT64_MAX);
  atomic_store(&q->sleeping, 0);
}

static void *deliver_forever(void *argument)
{
  larder *s = argument;
  struct lrd_queue *q = &s->queue;
  struct lrd_deliverer self;
  lrd_lock(&q->lock);
  enlist(q, &self);
  for (;;) {
    deliver(s, UINT64_MAX);
    if (q->stop && !atomic_load(&q->done))
      break;
    await_work(q);
  }
  leave(q, &self);
  lrd_unlock(&q->lock);
  return NULL;
}

/* --- the end ------------------------------------------------------------- */

/* The next promise that the backend never ended, though it has ended itself. */
static struct lrd_promise *find_orphan(struct lrd_queue *q, unsigned *from)
{
  struct lrd_promise *promise = NULL;
  lrd_lock(&q->lock);
  for (; *from < q->slots && !promise; ++*from)
    if (q->promise[*from] && atomic_load(&q->promise[*from]->state) == LRD_PROMISE_RUNNING)
      promise = q->promise[*from];
  lrd_unlock(&q->lock);
  return promise;
}

void lrd_queue_finish(larder *s)
{
  struct lrd_queue *q = &s->queue;
  struct lrd_promise *orphan;
  unsigned from = 0;
  while ((orphan = find_orphan(q, &from)) != NULL) {
    larder_sink *sink = orphan->submission.sink;
    if (orphan->answer.tree.replies == 0) {
      sink->type->rewind(sink);
      lrd_sink_fail(sink, LARDER_CLOSED, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                    lrd_fixed_text(LARDER_CLOSED));
    }
    promise_done(&orphan->submission);
  }
  if (q->delivery == LARDER_DELIVER_DISPATCH) {
    while (lrd_queue_deliver(s, 0) > 0)
      ;
    return;
  }
  lrd_lock(&q->lock);
  q->stop = 1;
  pthread_cond_signal(&q->work);
  lrd_unlock(&q->lock);
  if (q->started)
    pthread_join(q->thread, NULL);
}
