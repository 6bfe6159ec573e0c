/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder/async.h>

#include <string.h>

#include "store/call.h"
#include "store/dispatch.h"
#include "store/promise.h"

/* --- beginning ----------------------------------------------------------- */

/* A call that is being prepared: inside the store, with a promise that may be withdrawn. */
struct start {
  larder *store;
  struct lrd_cell *cell;
  struct lrd_promise *promise;
};

static larder_outcome begin(struct start *a, larder *store, larder_callback *callback,
                            void *context)
{
  larder_outcome why;
  if (!callback)
    return LARDER_BAD_ARGUMENT;
  a->store = store;
  a->cell = lrd_enter(store, &why);
  if (!a->cell)
    return why;
  a->promise = lrd_promise_new(store, callback, context, &why);
  if (a->promise)
    return LARDER_OK;
  lrd_leave(a->cell);
  return why;
}

static larder_outcome abandon(struct start *a, larder_outcome outcome)
{
  lrd_promise_withdraw(a->promise);
  lrd_leave(a->cell);
  return outcome;
}

/* From here on its callback will come. */
static void send(struct start *a, enum lrd_route route, int64_t timeout)
{
  struct lrd_promise *promise = a->promise;
  atomic_store_explicit(&promise->state, LRD_PROMISE_RUNNING, memory_order_release);
  if (route == LRD_ROUTE_FRONT) {
    lrd_front(a->store, NULL, &promise->vector, promise->submission.sink);
    promise->submission.done(&promise->submission);
  } else {
    larder_call call =
        lrd_plain_call(a->store, &promise->vector, 1, LARDER_CALL_LASTING, timeout);
    promise->by_backend = 1;
    int state = lrd_wait_begin(a->store);
    a->store->table->submit(a->store->base, &call, &promise->submission);
    lrd_wait_end(state);
  }
  lrd_leave(a->cell);
}

/* v: the caller's bytes, or already the promise's own. */
static larder_outcome start(struct start *a, larder_vector *v, int own, int64_t timeout_ms,
                            uint64_t *id)
{
  char text[LARDER_ERROR_SIZE];
  int64_t timeout = lrd_timeout(a->store, timeout_ms);
  if (timeout == 0)
    return abandon(a, LARDER_BAD_ARGUMENT);
  enum lrd_route route = lrd_route(a->store, v, text, sizeof text);
  if (route != LRD_ROUTE_BACKEND && route != LRD_ROUTE_FRONT)
    return abandon(a, LARDER_BAD_ARGUMENT);
  if (own)
    a->promise->vector = *v;
  else if (lrd_copy_vector(&a->promise->answer.arena, v, &a->promise->vector) != 0)
    return abandon(a, LARDER_NO_MEMORY);
  if (id)
    *id = a->promise->id;
  send(a, route, timeout);
  return LARDER_OK;
}

larder_outcome larder_async_argv(larder *store, int argc, const char *const *argv,
                                 const size_t *argvlen, int64_t timeout_ms,
                                 larder_callback *callback, void *context, uint64_t *id)
{
  struct start a;
  larder_vector v;
  larder_bytes room[LRD_STACK_ARGUMENTS];
  larder_outcome outcome = begin(&a, store, callback, context);
  if (outcome != LARDER_OK)
    return outcome;
  outcome = lrd_take_argv(&v, room, &a.promise->answer.arena, argc, argv, argvlen);
  if (outcome != LARDER_OK)
    return abandon(&a, outcome);
  return start(&a, &v, 0, timeout_ms, id);
}

larder_outcome larder_async_command(larder *store, larder_callback *callback, void *context,
                                    const char *format, ...)
{
  struct start a;
  larder_vector v, own;
  char error[LARDER_ERROR_SIZE];
  larder_outcome outcome = begin(&a, store, callback, context);
  if (outcome != LARDER_OK)
    return outcome;
  struct lrd_arena *arena = &a.promise->answer.arena;
  va_list ap;
  va_start(ap, format);
  outcome = lrd_take_format(&v, arena, format, ap, error, sizeof error);
  va_end(ap);
  /* An argument that is a directive alone may point to the caller's bytes. */
  if (outcome == LARDER_OK && lrd_copy_vector(arena, &v, &own) != 0)
    outcome = LARDER_NO_MEMORY;
  if (outcome != LARDER_OK)
    return abandon(&a, outcome);
  return start(&a, &own, 1, 0, NULL);
}

/* --- cancelling ---------------------------------------------------------- */

larder_outcome larder_async_cancel(larder *store, uint64_t id)
{
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  if (!cell)
    return why;
  struct lrd_promise *promise = lrd_queue_pin(store, id);
  if (promise) {
    int state = lrd_wait_begin(store);
    store->table->cancel(store->base, &promise->submission);
    lrd_wait_end(state);
    lrd_queue_unpin(store, promise);
  }
  lrd_leave(cell);
  return promise ? LARDER_OK : LARDER_ABSENT;
}

/* --- delivering ---------------------------------------------------------- */

int larder_pollfd(larder *store)
{
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  if (!cell)
    return -1;
  int fd = store->queue.bell.read_fd;
  lrd_leave(cell);
  return fd;
}

size_t larder_dispatch(larder *store, size_t max)
{
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  if (!cell)
    return 0;
  size_t n = lrd_queue_deliver(store, max);
  lrd_leave(cell);
  return n;
}
