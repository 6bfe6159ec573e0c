/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_UV_H
#define LARDER_UV_H

#include <stddef.h>

#include <uv.h>

#include <larder.h>

/*
 * A store on the application's own uv_loop_t: callbacks of asynchronous calls come on the
 * loop's thread, between its other events.  A header alone: the library knows nothing of the
 * loop, and who includes this links with -luv.
 *
 * The store is opened with LARDER_DELIVER_DISPATCH.  attach, detach and close are called on the
 * loop's thread; calls may be started on any.  All three may be called inside callbacks.
 *
 * Attached, it keeps uv_run() going, as any handle does (uv_unref on &a->poll: it doesn't).
 * The adapter is memory of the application until its closed callback has been called.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* Callbacks of one store in one round of the loop: others' events are not kept waiting. */
enum { LARDER_UV_ROUND = 256 };

typedef struct larder_uv larder_uv;
typedef void larder_uv_closed(larder_uv *);

struct larder_uv {
  uv_poll_t poll;
  larder *store;
  larder_uv_closed *closed;
  void *data; /* the application's */
};

static inline void larder_uv_on_poll(uv_poll_t *poll, int status, int events)
{
  larder_uv *a = (larder_uv *)poll->data;
  (void)status; /* dispatch never waits, so it may always be asked */
  (void)events;
  larder_dispatch(a->store, LARDER_UV_ROUND);
}

/* Polls the store's descriptor on the loop.  0, or libuv's error: UV_EINVAL for a store that
 * delivers on a thread, is closed, or belongs to another process; then a is not in use. */
static inline int larder_uv_attach(larder_uv *a, uv_loop_t *loop, larder *store)
{
  int fd = larder_pollfd(store);
  if (fd < 0)
    return UV_EINVAL;
  a->store = store;
  a->closed = NULL;
  a->poll.data = a;
  int error = uv_poll_init(loop, &a->poll, fd);
  if (error)
    return error;
  /* Fails only where an initialised handle is misused: it need not be taken back. */
  return uv_poll_start(&a->poll, UV_READABLE, larder_uv_on_poll);
}

static inline void larder_uv_on_closed(uv_handle_t *handle)
{
  larder_uv *a = (larder_uv *)handle->data;
  if (a->closed)
    a->closed(a);
}

/* Takes the store off the loop; closed (may be NULL) is called in the loop's next round, and
 * then a may be freed, or attached again.  Callbacks that are being delivered when this is called
 * inside one of them still come; the others come by larder_dispatch, or when the store is
 * closed.  Once only: a second call before a new attachment does nothing. */
static inline void larder_uv_detach(larder_uv *a, larder_uv_closed *closed)
{
  if (uv_is_closing((uv_handle_t *)&a->poll))
    return;
  a->closed = closed;
  uv_poll_stop(&a->poll);
  uv_close((uv_handle_t *)&a->poll, larder_uv_on_closed);
}

/* A larder_uv_closed for the end of both: closes the store, which may not be done inside a
 * callback of its own.  Calls in flight end now, their callbacks come inside this; what waits
 * for Redis's return is lost (larder_close with time of its own waits for it, and so would the
 * loop). */
static inline void larder_uv_close_store(larder_uv *a)
{
  larder *store = a->store;
  a->store = NULL;
  larder_close(store, 0);
}

#ifdef __cplusplus
}
#endif

#endif
