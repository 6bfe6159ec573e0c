/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library uses of libuv, over the world's clock and descriptors.  The handles are libuv's own
 * structures; what we keep of one hangs in u.reserved[0].
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "simulate/task.h"
#include "simulate/world.h"

enum kind { ASYNC, TIMER, IDLE, PREPARE, CHECK, POLL };

struct handle {
  struct handle *next;
  uv_handle_t *uv;
  enum kind kind;
  int active, closing;
  union {
    uv_async_cb async;
    uv_timer_cb timer;
    uv_idle_cb idle;
    uv_prepare_cb prepare;
    uv_check_cb check;
    uv_poll_cb poll;
  } call;
  uv_close_cb closed;
  int pending;         /* ASYNC */
  int64_t due;         /* TIMER */
  int fd;              /* POLL */
  int events;
};

struct loop {
  struct handle *handles;
  int64_t now; /* as libuv caches it: whole milliseconds */
};

static struct loop *loop_of(uv_loop_t *l)
{
  return l->internal_fields;
}

static struct handle *handle_of(const void *uv)
{
  return ((const uv_handle_t *)uv)->u.reserved[0];
}

static struct handle *add(uv_loop_t *l, void *uv, enum kind kind)
{
  struct handle *h = calloc(1, sizeof *h), **last = &loop_of(l)->handles;
  if (!h)
    abort();
  h->uv = uv;
  h->kind = kind;
  h->uv->loop = l;
  h->uv->u.reserved[0] = h;
  while (*last)
    last = &(*last)->next;
  *last = h;
  return h;
}

int __wrap_uv_loop_init(uv_loop_t *l);
int __wrap_uv_loop_init(uv_loop_t *l)
{
  l->internal_fields = calloc(1, sizeof(struct loop));
  if (!l->internal_fields)
    abort();
  loop_of(l)->now = sim_now();
  return 0;
}

int __wrap_uv_loop_close(uv_loop_t *l);
int __wrap_uv_loop_close(uv_loop_t *l)
{
  if (loop_of(l)->handles)
    sim_fail("a loop is closed that has handles");
  free(l->internal_fields);
  l->internal_fields = NULL;
  return 0;
}

void __wrap_uv_update_time(uv_loop_t *l);
void __wrap_uv_update_time(uv_loop_t *l)
{
  loop_of(l)->now = sim_now() / SIM_MS * SIM_MS;
}

/* --- handles ----------------------------------------------------------------------------- */

int __wrap_uv_async_init(uv_loop_t *l, uv_async_t *a, uv_async_cb call);
int __wrap_uv_async_init(uv_loop_t *l, uv_async_t *a, uv_async_cb call)
{
  struct handle *h = add(l, a, ASYNC);
  h->call.async = call;
  h->active = 1;
  return 0;
}

int __wrap_uv_async_send(uv_async_t *a);
int __wrap_uv_async_send(uv_async_t *a)
{
  struct handle *h = handle_of(a);
  if (!h->closing)
    h->pending = 1;
  sim_poll_wake();
  return 0;
}

int __wrap_uv_timer_init(uv_loop_t *l, uv_timer_t *t);
int __wrap_uv_timer_init(uv_loop_t *l, uv_timer_t *t)
{
  add(l, t, TIMER);
  return 0;
}

int __wrap_uv_timer_start(uv_timer_t *t, uv_timer_cb call, uint64_t after, uint64_t again);
int __wrap_uv_timer_start(uv_timer_t *t, uv_timer_cb call, uint64_t after, uint64_t again)
{
  struct handle *h = handle_of(t);
  if (h->closing || again)
    sim_fail("a timer is started that is closing, or repeats");
  h->call.timer = call;
  h->due = loop_of(t->loop)->now + (int64_t)after * SIM_MS;
  h->active = 1;
  return 0;
}

int __wrap_uv_timer_stop(uv_timer_t *t);
int __wrap_uv_timer_stop(uv_timer_t *t)
{
  handle_of(t)->active = 0;
  return 0;
}

int __wrap_uv_idle_init(uv_loop_t *l, uv_idle_t *x);
int __wrap_uv_idle_init(uv_loop_t *l, uv_idle_t *x)
{
  add(l, x, IDLE);
  return 0;
}

int __wrap_uv_idle_start(uv_idle_t *x, uv_idle_cb call);
int __wrap_uv_idle_start(uv_idle_t *x, uv_idle_cb call)
{
  handle_of(x)->call.idle = call;
  handle_of(x)->active = 1;
  return 0;
}

int __wrap_uv_prepare_init(uv_loop_t *l, uv_prepare_t *x);
int __wrap_uv_prepare_init(uv_loop_t *l, uv_prepare_t *x)
{
  add(l, x, PREPARE);
  return 0;
}

int __wrap_uv_prepare_start(uv_prepare_t *x, uv_prepare_cb call);
int __wrap_uv_prepare_start(uv_prepare_t *x, uv_prepare_cb call)
{
  handle_of(x)->call.prepare = call;
  handle_of(x)->active = 1;
  return 0;
}

int __wrap_uv_idle_stop(uv_idle_t *x);
int __wrap_uv_idle_stop(uv_idle_t *x)
{
  handle_of(x)->active = 0;
  return 0;
}

int __wrap_uv_check_init(uv_loop_t *l, uv_check_t *c);
int __wrap_uv_check_init(uv_loop_t *l, uv_check_t *c)
{
  add(l, c, CHECK);
  return 0;
}

int __wrap_uv_check_start(uv_check_t *c, uv_check_cb call);
int __wrap_uv_check_start(uv_check_t *c, uv_check_cb call)
{
  handle_of(c)->call.check = call;
  handle_of(c)->active = 1;
  return 0;
}

int __wrap_uv_poll_init(uv_loop_t *l, uv_poll_t *p, int fd);
int __wrap_uv_poll_init(uv_loop_t *l, uv_poll_t *p, int fd)
{
  for (struct handle *h = loop_of(l)->handles; h; h = h->next)
    if (h->kind == POLL && h->fd == fd && h->active && !h->closing)
      return UV_EEXIST;
  add(l, p, POLL)->fd = fd;
  return 0;
}

int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb call);
int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb call)
{
  struct handle *h = handle_of(p);
  if (h->closing)
    sim_fail("a closing handle is to poll");
  h->call.poll = call;
  h->events = events;
  h->active = events != 0;
  return 0;
}

int __wrap_uv_poll_stop(uv_poll_t *p);
int __wrap_uv_poll_stop(uv_poll_t *p)
{
  handle_of(p)->active = 0;
  return 0;
}

void __wrap_uv_close(uv_handle_t *uv, uv_close_cb call);
void __wrap_uv_close(uv_handle_t *uv, uv_close_cb call)
{
  struct handle *h = handle_of(uv);
  if (h->closing)
    sim_fail("a handle is closed twice");
  h->closing = 1;
  h->active = 0;
  h->closed = call;
}

int __wrap_uv_is_closing(const uv_handle_t *uv);
int __wrap_uv_is_closing(const uv_handle_t *uv)
{
  return handle_of(uv)->closing;
}

void __wrap_uv_walk(uv_loop_t *l, uv_walk_cb call, void *context);
void __wrap_uv_walk(uv_loop_t *l, uv_walk_cb call, void *context)
{
  for (struct handle *h = loop_of(l)->handles; h; h = h->next)
    call(h->uv, context);
}

int __wrap_uv_backend_fd(const uv_loop_t *l);
int __wrap_uv_backend_fd(const uv_loop_t *l)
{
  (void)l;
  sim_fail("uv_backend_fd: only a forked child asks for it");
}

/* --- running ----------------------------------------------------------------------------- */

static int poll_events(const struct handle *h)
{
  short ready = sim_descriptor_ready(h->fd);
  int events = 0;
  if (ready & (POLLIN | POLLERR | POLLHUP))
    events |= UV_READABLE;
  if (ready & (POLLOUT | POLLERR | POLLHUP))
    events |= UV_WRITABLE;
  return events & h->events;
}

static int is_alive(const struct loop *l)
{
  for (const struct handle *h = l->handles; h; h = h->next)
    if (h->active || h->closing)
      return 1;
  return 0;
}

/* 1: something is to be done before the loop may sleep; else *until. */
static int is_busy(const struct loop *l, int64_t *until)
{
  *until = SIM_NEVER;
  for (const struct handle *h = l->handles; h; h = h->next) {
    if (h->closing || (h->kind == IDLE && h->active) || (h->kind == ASYNC && h->pending) ||
        (h->kind == POLL && h->active && poll_events(h)))
      return 1;
    if (h->kind == TIMER && h->active && h->due < *until)
      *until = h->due;
  }
  return *until <= sim_now();
}

static void run_timers(struct loop *l)
{
  for (struct handle *h = l->handles; h; h = h->next)
    if (h->kind == TIMER && h->active && h->due <= l->now) {
      h->active = 0;
      h->call.timer((uv_timer_t *)(void *)h->uv);
      sim_assert_unlocked("a timer's callback ends");
    }
}

/* The handles are visited from a place that the dice choose: epoll promises no order. */
static void run_ready(struct loop *l)
{
  unsigned count = 0, from;
  for (struct handle *h = l->handles; h; h = h->next)
    count++;
  from = (unsigned)sim_random(count);
  for (unsigned i = 0; i < count; i++) {
    struct handle *h = l->handles;
    for (unsigned at = (from + i) % count; at && h; at--)
      h = h->next;
    if (!h || h->closing || !h->active)
      continue;
    int events;
    if (h->kind == ASYNC && h->pending) {
      h->pending = 0;
      h->call.async((uv_async_t *)(void *)h->uv);
    } else if (h->kind == POLL && (events = poll_events(h))) {
      h->call.poll((uv_poll_t *)(void *)h->uv, 0, events);
    }
    sim_assert_unlocked("a loop's callback ends");
  }
}

static void run_each(struct loop *l, enum kind kind)
{
  for (struct handle *h = l->handles; h; h = h->next)
    if (h->kind == kind && h->active) {
      if (kind == IDLE)
        h->call.idle((uv_idle_t *)(void *)h->uv);
      else if (kind == PREPARE)
        h->call.prepare((uv_prepare_t *)(void *)h->uv);
      else
        h->call.check((uv_check_t *)(void *)h->uv);
    }
}

static void run_closing(struct loop *l)
{
  for (struct handle **at = &l->handles; *at;) {
    struct handle *h = *at;
    if (!h->closing) {
      at = &h->next;
      continue;
    }
    *at = h->next;
    if (h->closed)
      h->closed(h->uv);
    free(h);
    at = &l->handles;
  }
}

int __wrap_uv_run(uv_loop_t *uv, uv_run_mode mode);
int __wrap_uv_run(uv_loop_t *uv, uv_run_mode mode)
{
  struct loop *l = loop_of(uv);
  int64_t until;
  if (mode != UV_RUN_DEFAULT)
    sim_fail("uv_run in a mode that the simulator does not know");
  while (is_alive(l)) {
    __wrap_uv_update_time(uv);
    run_timers(l);
    run_each(l, IDLE);
    run_each(l, PREPARE);
    sim_assert_unlocked("a loop sleeps");
    sim_pause();
    while (!is_busy(l, &until))
      sim_poll_block("uv_run", until);
    __wrap_uv_update_time(uv);
    run_ready(l);
    run_each(l, CHECK);
    run_closing(l);
  }
  return 0;
}
