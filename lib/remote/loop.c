/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/loop.h"

#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "remote/link.h"
#include "remote/listen.h"
#include "remote/resolve.h"
#include "util/memory.h"

/* --- watches --------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *handle, int status, int events)
{
  struct lrd_watch *w = handle->data;
  if (!w->owner)
    return;
  /* An error of the descriptor shows again, with its cause, when it is read. */
  w->ready(w->owner, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

struct lrd_watch *lrd_watch_new(struct lrd_loop *loop, int fd, void (*ready)(void *, int),
                                void *owner)
{
  const larder_memory *memory = &loop->remote->base.memory;
  struct lrd_watch *w = lrd_allocate(memory, sizeof *w);
  if (!w)
    return NULL;
  if (uv_poll_init(&loop->uv, &w->poll, fd) != 0) {
    lrd_release(memory, w, sizeof *w);
    return NULL;
  }
  w->poll.data = w;
  w->loop = loop;
  w->ready = ready;
  w->owner = owner;
  w->events = 0;
  return w;
}

int lrd_watch_events(struct lrd_watch *w, int events)
{
  w->events = events;
  return uv_poll_start(&w->poll, events, on_poll);
}

static void on_watch_closed(uv_handle_t *handle)
{
  struct lrd_watch *w = handle->data;
  lrd_release(&w->loop->remote->base.memory, w, sizeof *w);
}

void lrd_watch_close(struct lrd_watch *w)
{
  if (!w)
    return;
  w->owner = NULL;
  uv_poll_stop(&w->poll);
  uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

/* --- the thread ------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer);

/* Does what is due.  A timer that stands too early is left alone: it will be set when it goes
 * off, which is rarer than that a round ends a call. */
static void tick(struct lrd_loop *loop)
{
  int64_t now = lrd_remote_now(loop->remote);
  int64_t next = lrd_dial_tick(loop, now), submit = lrd_submit_tick(loop, now);
  if (submit < next)
    next = submit;
  int64_t listen = lrd_listen_tick(loop, now);
  if (listen < next)
    next = listen;
  if (next >= loop->armed)
    return;
  loop->armed = next;
  now = lrd_remote_now(loop->remote);
  uint64_t wait = next <= now ? 0 : (uint64_t)(next - now + LRD_NS_PER_MS - 1) / LRD_NS_PER_MS;
  uv_update_time(&loop->uv);
  uv_timer_start(&loop->timer, on_timer, wait, 0);
}

static void on_timer(uv_timer_t *timer)
{
  struct lrd_loop *loop = timer->data;
  loop->armed = INT64_MAX;
  tick(loop);
}

static void on_round(uv_check_t *check)
{
  struct lrd_loop *loop = check->data;
  atomic_store_explicit(&loop->asleep, 0, memory_order_relaxed);
}

static void on_again(uv_idle_t *idle)
{
  (void)idle;
}

/* The end of a round: everything that it brought is sent, link by link.  Then, because what was
 * queued has deadlines, the timer is set to what is due next. */
static void on_before(uv_prepare_t *prepare)
{
  struct lrd_loop *loop = prepare->data;
  int more = lrd_submit_queued(loop);
  tick(loop);
  if (more || loop->dirty) /* who gave up in the tick may have made room for another */
    uv_idle_start(&loop->again, on_again);
  else
    uv_idle_stop(&loop->again);
}

static struct lrd_link *next_dial(struct lrd_loop *loop, int *probe)
{
  lrd_lock(&loop->lock);
  struct lrd_link *l = loop->dial_first;
  if (l) {
    loop->dial_first = l->dial_next;
    if (!l->dial_next)
      loop->dial_last = NULL;
    l->dial_next = NULL;
    *probe = l->dial_probe;
    l->dial_queued = l->dial_probe = 0;
  }
  lrd_unlock(&loop->lock);
  return l;
}

static void close_handle(uv_handle_t *handle, void *context)
{
  (void)context;
  if (!uv_is_closing(handle))
    uv_close(handle, NULL);
}

static void on_async(uv_async_t *async)
{
  struct lrd_loop *loop = async->data;
  lrd_lock(&loop->lock);
  int stopping = loop->stopping, cancel_all = loop->cancel_all;
  loop->cancel_all = 0;
  lrd_unlock(&loop->lock);
  if (stopping) {
    lrd_dial_stop(loop);
    lrd_submit_stop(loop, LARDER_CLOSED);
    lrd_listen_drop(loop, "the store is closed");
    uv_walk(&loop->uv, close_handle, NULL);
    return;
  }
  if (cancel_all) {
    lrd_submit_stop(loop, LARDER_NOT_SENT);
    lrd_listen_drop(loop, "cancelled");
  }
  lrd_dial_resolved(loop);
  int probe;
  for (struct lrd_link *l; (l = next_dial(loop, &probe));)
    lrd_dial_link(loop, l, probe);
  lrd_listen_changes(loop);
}

static void *run(void *argument)
{
  struct lrd_loop *loop = argument;
  uv_run(&loop->uv, UV_RUN_DEFAULT);
  return NULL;
}

/* A thread that no signal of the application is delivered to. */
static int start_thread(struct lrd_loop *loop)
{
  sigset_t all, old;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
    return -1;
  int error = pthread_create(&loop->thread, NULL, run, loop);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error ? -1 : 0;
}

struct lrd_loop *lrd_loop_start(struct lrd_remote *r)
{
  const larder_memory *memory = &r->base.memory;
  struct lrd_loop *loop = lrd_allocate_zeroed(memory, 1, sizeof *loop);
  if (!loop)
    return NULL;
  loop->remote = r;
  uint64_t seed;
  if (lrd_random(&seed, sizeof seed) != 0)
    seed = (uint64_t)lrd_remote_now(r);
  lrd_prng_seed(&loop->prng, seed);
  if (lrd_lock_init(&loop->lock, LRD_RANK_QUEUE, 0) != 0)
    goto no_lock;
  if (uv_loop_init(&loop->uv) != 0)
    goto no_loop;
  loop->async.data = loop->timer.data = loop->before.data = loop->round.data = loop;
  loop->armed = INT64_MAX;
  if (uv_async_init(&loop->uv, &loop->async, on_async) != 0)
    goto no_async;
  uv_timer_init(&loop->uv, &loop->timer);
  uv_prepare_init(&loop->uv, &loop->before);
  uv_prepare_start(&loop->before, on_before);
  uv_check_init(&loop->uv, &loop->round);
  uv_check_start(&loop->round, on_round);
  uv_idle_init(&loop->uv, &loop->again);
  if (start_thread(loop) == 0)
    return loop;
  uv_walk(&loop->uv, close_handle, NULL);
  uv_run(&loop->uv, UV_RUN_DEFAULT);
no_async:
  uv_loop_close(&loop->uv);
no_loop:
  lrd_lock_destroy(&loop->lock);
no_lock:
  lrd_release(memory, loop, sizeof *loop);
  return NULL;
}

static void release(struct lrd_loop *loop)
{
  const larder_memory *memory = &loop->remote->base.memory;
  lrd_jobs_release(loop);
  lrd_release(memory, loop->heap, loop->heap_capacity * sizeof *loop->heap);
  lrd_release(memory, loop, sizeof *loop);
}

void lrd_loop_stop(struct lrd_loop *loop)
{
  lrd_lock(&loop->lock);
  loop->stopping = 1;
  uv_async_send(&loop->async);
  lrd_unlock(&loop->lock);
  pthread_join(loop->thread, NULL);
}

/* Not before: a thread that saw the loop asleep may wake it late. */
void lrd_loop_free(struct lrd_loop *loop)
{
  uv_loop_close(&loop->uv);
  lrd_lock_destroy(&loop->lock);
  release(loop);
}

/* The loop may be in the middle of anything, so none of libuv's functions may touch it; but these
 * have not changed since it was made.  (An io_uring of newer versions is not to be found.) */
static void close_descriptors(const uv_loop_t *uv)
{
  const int fd[] = {uv->backend_fd, uv->async_io_watcher.fd, uv->async_wfd, uv->signal_pipefd[0],
                    uv->signal_pipefd[1]};
  for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
    if (fd[i] >= 0)
      close(fd[i]);
}

void lrd_loop_abandon(struct lrd_loop *loop)
{
  close_descriptors(&loop->uv);
  if (pthread_mutex_trylock(&loop->lock.mutex) != 0)
    return;
  lrd_dial_abandon(loop);
  release(loop);
}

void lrd_loop_dial(struct lrd_loop *loop, struct lrd_link *l, int probe)
{
  lrd_lock(&loop->lock);
  l->dial_probe |= probe;
  if (!l->dial_queued && !loop->stopping) {
    l->dial_queued = 1;
    if (loop->dial_last)
      loop->dial_last->dial_next = l;
    else
      loop->dial_first = l;
    loop->dial_last = l;
    uv_async_send(&loop->async);
  }
  lrd_unlock(&loop->lock);
}
