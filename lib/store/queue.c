/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "store/promise.h"
#include "util/cancel.h"

#if defined __linux__
#include <sys/eventfd.h>
#endif

/* --- the descriptor ------------------------------------------------------ */

static int open_descriptor(struct lrd_queue *q)
{
#if defined __linux__
  q->read_fd = q->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return q->read_fd < 0 ? -1 : 0;
#else
  int fd[2];
  if (pipe(fd) != 0)
    return -1;
  for (int i = 0; i < 2; i++) {
    fcntl(fd[i], F_SETFD, FD_CLOEXEC);
    fcntl(fd[i], F_SETFL, O_NONBLOCK);
  }
  q->read_fd = fd[0];
  q->write_fd = fd[1];
  return 0;
#endif
}

static void close_descriptor(struct lrd_queue *q)
{
  if (q->read_fd >= 0)
    close(q->read_fd);
  if (q->write_fd >= 0 && q->write_fd != q->read_fd)
    close(q->write_fd);
}

/* A full pipe or counter is as readable as it can be. */
static void ring(struct lrd_queue *q)
{
  const uint64_t one = 1;
  int state = lrd_cancel_disable();
  while (write(q->write_fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
  lrd_cancel_restore(state);
}

static void hush(struct lrd_queue *q)
{
  char bytes[64];
  ssize_t n;
  int state = lrd_cancel_disable();
  do
    n = read(q->read_fd, bytes, sizeof bytes);
  while ((n < 0 && errno == EINTR) || n == (ssize_t)sizeof bytes);
  lrd_cancel_restore(state);
}

/* --- life ---------------------------------------------------------------- */

larder_outcome lrd_queue_init(struct lrd_queue *q, larder_delivery delivery)
{
  q->delivery = delivery;
  q->read_fd = q->write_fd = -1;
  if (delivery == LARDER_DELIVER_DISPATCH && open_descriptor(q) != 0)
    return LARDER_NO_MEMORY;
  if (lrd_lock_init(&q->lock, LRD_RANK_QUEUE, 0) != 0) {
    close_descriptor(q);
    return LARDER_NO_MEMORY;
  }
  if (lrd_cond_init(&q->work) != 0) {
    lrd_lock_destroy(&q->lock);
    close_descriptor(q);
    return LARDER_NO_MEMORY;
  }
  return LARDER_OK;
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
        lrd_answer_free(q->promise[i]->answer);
    lrd_release(m, q->promise, q->slots * sizeof *q->promise);
    lrd_release(m, q->vacant, q->slots * sizeof *q->vacant);
  }
  close_descriptor(q);
  if (forked)
    return;
  pthread_cond_destroy(&q->work);
  lrd_lock_destroy(&q->lock);
}

uint64_t lrd_queue_running(larder *s)
{
  lrd_lock(&s->queue.lock);
  uint64_t n = s->queue.running;
  lrd_unlock(&s->queue.lock);
  return n;
}

/* --- done ---------------------------------------------------------------- */

/* Appends under the lock; 1: the descriptor must be rung, after unlocking. */
static int append(struct lrd_queue *q, struct lrd_promise *promise)
{
  promise->next = NULL;
  if (q->last)
    q->last->next = promise;
  else
    q->first = promise;
  q->last = promise;
  q->waiting++;
  if (q->delivery == LARDER_DELIVER_THREAD) {
    pthread_cond_signal(&q->work);
    return 0;
  }
  int must_ring = !q->signalled;
  q->signalled = 1;
  return must_ring;
}

static void promise_done(larder_submission *submission)
{
  struct lrd_promise *promise = (struct lrd_promise *)(void *)submission;
  struct lrd_queue *q = &promise->store->queue;
  int must_ring = 0;
  lrd_lock(&q->lock);
  promise->state = LRD_PROMISE_DONE;
  q->running--;
  if (promise->pins == 0)
    must_ring = append(q, promise);
  lrd_unlock(&q->lock);
  if (must_ring)
    ring(q);
}

/* It ends on any thread: it is counted where any thread may. */
struct lrd_promise *lrd_promise_new(larder *s, larder_callback *callback, void *context)
{
  struct lrd_answer *answer = lrd_answer_new(&s->config.memory);
  if (!answer)
    return NULL;
  struct lrd_promise *promise = lrd_arena_allocate(&answer->arena, sizeof *promise);
  if (!promise) {
    lrd_answer_free(answer);
    return NULL;
  }
  memset(promise, 0, sizeof *promise);
  promise->submission.done = promise_done;
  promise->store = s;
  promise->answer = answer;
  promise->callback = callback;
  promise->context = context;
  lrd_meter_attach(&promise->meter, &answer->tree.sink, lrd_cells_shared(&s->cells));
  return promise;
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

static larder_outcome add(larder *s, struct lrd_promise *promise)
{
  struct lrd_queue *q = &s->queue;
  if (q->vacancies == 0 && q->slots >= LRD_PROMISES_MAX)
    return LARDER_NOT_SENT;
  if (q->delivery == LARDER_DELIVER_THREAD && !q->started && start_thread(s) != 0)
    return LARDER_NO_MEMORY;
  if (q->vacancies == 0 && grow(q, &s->config.memory) != 0)
    return LARDER_NO_MEMORY;
  unsigned slot = q->vacant[--q->vacancies];
  q->promise[slot] = promise;
  q->running++;
  promise->id = ++q->serial << 16 | slot;
  return LARDER_OK;
}

larder_outcome lrd_queue_add(larder *s, struct lrd_promise *promise)
{
  lrd_lock(&s->queue.lock);
  larder_outcome outcome = add(s, promise);
  lrd_unlock(&s->queue.lock);
  return outcome;
}

struct lrd_promise *lrd_queue_pin(larder *s, uint64_t id)
{
  struct lrd_queue *q = &s->queue;
  unsigned slot = (unsigned)(id & 0xffff);
  lrd_lock(&q->lock);
  struct lrd_promise *promise = slot < q->slots ? q->promise[slot] : NULL;
  if (promise && (promise->id != id || promise->state != LRD_PROMISE_RUNNING))
    promise = NULL;
  if (promise)
    promise->pins++;
  lrd_unlock(&q->lock);
  return promise;
}

void lrd_queue_unpin(larder *s, struct lrd_promise *promise)
{
  struct lrd_queue *q = &s->queue;
  int must_ring = 0;
  lrd_lock(&q->lock);
  if (--promise->pins == 0 && promise->state == LRD_PROMISE_DONE)
    must_ring = append(q, promise);
  lrd_unlock(&q->lock);
  if (must_ring)
    ring(q);
}

/* --- delivery ------------------------------------------------------------ */

/* The next promise that is done, out of queue and table. */
static struct lrd_promise *take(struct lrd_queue *q)
{
  struct lrd_promise *promise = q->first;
  if (!promise)
    return NULL;
  q->first = promise->next;
  if (!q->first)
    q->last = NULL;
  q->waiting--;
  unsigned slot = (unsigned)(promise->id & 0xffff);
  q->promise[slot] = NULL;
  q->vacant[q->vacancies++] = slot;
  return promise;
}

static void call_back(struct lrd_promise *promise)
{
  /* The callback frees the reply, and the promise with it. */
  larder_callback *callback = promise->callback;
  void *context = promise->context;
  lrd_lock_assert_none();
  callback(context, lrd_answer_finish(promise->answer));
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
static size_t deliver(struct lrd_queue *q, uint64_t most)
{
  size_t n = 0;
  struct lrd_promise *promise;
  while (n < most && (promise = take(q)) != NULL) {
    lrd_unlock(&q->lock);
    call_back(promise);
    n++;
    lrd_lock(&q->lock);
  }
  return n;
}

size_t lrd_queue_deliver(larder *s, size_t max)
{
  struct lrd_queue *q = &s->queue;
  struct lrd_deliverer self;
  int must_ring = 0;
  if (q->delivery != LARDER_DELIVER_DISPATCH)
    return 0;
  hush(q);
  lrd_lock(&q->lock);
  q->signalled = 0;
  uint64_t most = max && max < q->waiting ? max : q->waiting;
  enlist(q, &self);
  size_t n = deliver(q, most);
  leave(q, &self);
  if (q->first && !q->signalled)
    must_ring = q->signalled = 1;
  lrd_unlock(&q->lock);
  if (must_ring)
    ring(q);
  return n;
}

static void *deliver_forever(void *argument)
{
  larder *s = argument;
  struct lrd_queue *q = &s->queue;
  struct lrd_deliverer self;
  lrd_lock(&q->lock);
  enlist(q, &self);
  while (!q->stop || q->first) {
    if (q->first)
      deliver(q, UINT64_MAX);
    else
      lrd_cond_wait(&q->work, &q->lock, INT64_MAX);
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
    if (q->promise[*from] && q->promise[*from]->state == LRD_PROMISE_RUNNING)
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
    if (orphan->answer->tree.replies == 0) {
      orphan->meter.sink->type->rewind(orphan->meter.sink);
      lrd_sink_fail(orphan->meter.sink, LARDER_CLOSED, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
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
