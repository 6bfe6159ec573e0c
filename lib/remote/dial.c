/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "remote/dial_part.h"
#include "remote/listen.h"
#include "util/memory.h"

/*
 * One attempt to make a link READY: address, connection, TLS, handshake, all within one
 * connect_timeout.  Loop thread only.
 */

static const int64_t backoff_first = 50 * LRD_NS_PER_MS, backoff_most = 2000 * LRD_NS_PER_MS;

static void try_address(struct lrd_dial *d);

/* --- ends ------------------------------------------------------------------------------ */

static void release(struct lrd_dial *d)
{
  struct lrd_loop *loop = d->loop;
  lrd_watch_close(d->watch);
  lrd_stream_close(&d->stream);
  lrd_handshake_release(&d->greet);
  if (d->previous)
    d->previous->next = d->next;
  else
    loop->dials = d->next;
  if (d->next)
    d->next->previous = d->previous;
  d->link->work.dial = NULL;
  lrd_release(&loop->remote->base.memory, d, sizeof *d);
}

/* Equal jitter: half of the step is fixed, half is random. */
static void back_off(struct lrd_loop *loop, struct lrd_link *l, int64_t begun_at,
                     const struct lrd_fault *fault)
{
  struct lrd_remote *r = loop->remote;
  struct lrd_group *g = &r->group[l->home_database];
  int64_t now = lrd_remote_now(r);
  lrd_lock(&r->notes);
  g->fault = *fault;
  lrd_unlock(&r->notes);
  if (begun_at < (atomic_load(&g->failures) ? g->failed_at : g->succeeded_at))
    return; /* it ran beside one that has been counted, or that got through */
  g->failed_at = now;
  unsigned failures = atomic_load(&g->failures);
  int64_t step = failures > 6 ? backoff_most : backoff_first << failures;
  if (step > backoff_most)
    step = backoff_most;
  step = step / 2 + (int64_t)lrd_prng_below(&loop->prng, (uint64_t)(step / 2) + 1);
  atomic_store(&g->next_attempt, now + step);
  atomic_store(&g->failures, failures + 1);
}

void lrd_dial_fail(struct lrd_dial *d, const struct lrd_fault *fault)
{
  struct lrd_loop *loop = d->loop;
  struct lrd_remote *r = loop->remote;
  struct lrd_link *l = d->link;
  int64_t begun_at = d->begun_at;
  struct lrd_fault why = *fault;
  if (d->phase == PHASE_GREET) {
    l->stream = LRD_STREAM_NONE; /* the dial closes it, after its watch */
    lrd_handshake_wipe(&d->greet);
  }
  release(d);
  if (why.outcome != LARDER_CLOSED) {
    back_off(loop, l, begun_at, &why);
    lrd_remote_note_error(r, why.text);
  }
  if (atomic_load(&r->count.connections)) {
    /* Others may still be up (the server is full), or nobody has noticed yet that they are not. */
    if (why.cause == LARDER_CAUSE_REFUSED || why.cause == LARDER_CAUSE_SILENT)
      atomic_store(&r->silent, 1);
  } else if (why.cause != LARDER_CAUSE_CALLER)
    lrd_remote_note_state(r, why.cause == LARDER_CAUSE_AUTH ? LARDER_LINK_DENIED
                                                            : LARDER_LINK_DOWN);
  lrd_lock(&l->lock);
  lrd_link_down(l, &why);
  lrd_unlock(&l->lock);
  if (why.outcome != LARDER_CLOSED)
    lrd_remote_tell(r, LARDER_WARNING, "connect_fault", why.text);
  if (l->kind == LRD_LINK_SUBMIT)
    lrd_submit_link_changed(loop, l, 0);
  if (l->kind == LRD_LINK_LISTEN)
    lrd_listen_link_changed(loop, 0);
  else
    lrd_listen_doubt(loop);
}

void lrd_dial_fail_text(struct lrd_dial *d, larder_cause cause, const char *text)
{
  struct lrd_fault fault = {.outcome = LARDER_NOT_SENT, .cause = cause};
  snprintf(fault.text, sizeof fault.text, "%s", text);
  lrd_dial_fail(d, &fault);
}

void lrd_dial_succeed(struct lrd_dial *d)
{
  struct lrd_loop *loop = d->loop;
  struct lrd_remote *r = loop->remote;
  struct lrd_link *l = d->link;
  struct lrd_group *g = &r->group[l->home_database];
  lrd_lock(&r->notes);
  memcpy(r->run_id, d->greet.identity.run_id, sizeof r->run_id);
  r->clock_offset_us = d->greet.clock_offset_us;
  r->volatile_marker = d->greet.volatile_marker;
  r->can_fence = d->greet.can_fence;
  lrd_unlock(&r->notes);
  lrd_remote_note_state(r, LARDER_LINK_UP);
  lrd_watch_close(d->watch);
  d->watch = NULL;
  lrd_lock(&l->lock);
  memcpy(l->no_multi, d->greet.no_multi, sizeof l->no_multi);
  lrd_wire_ended(&l->wire);
  int up = lrd_link_up(l, &d->greet.identity) == 0;
  if (up) {
    g->succeeded_at = lrd_remote_now(r);
    atomic_store(&g->failures, 0);
    atomic_store(&g->next_attempt, 0);
    d->stream = LRD_STREAM_NONE;
  }
  lrd_unlock(&l->lock);
  if (!up) {
    lrd_dial_fail_text(d, LARDER_CAUSE_CALLER, "no memory to connect");
    return;
  }
  release(d);
  lrd_remote_tell(r, LARDER_INFO, "connect", "connected");
  if (l->kind == LRD_LINK_SUBMIT)
    lrd_submit_link_changed(loop, l, 1);
  if (l->kind == LRD_LINK_LISTEN)
    lrd_listen_link_changed(loop, 1);
}

/* --- connecting ------------------------------------------------------------------------ */

static void set_options(int fd, int family)
{
  if (family == AF_UNIX)
    return;
  int on = 1, idle = 60, interval = 10, probes = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#ifdef TCP_KEEPIDLE
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
#else
  (void)idle, (void)interval, (void)probes;
#endif
}

static void next_address(struct lrd_dial *d, int error)
{
  char text[LRD_STREAM_ERROR_SIZE];
  snprintf(d->error, sizeof d->error, "%s", lrd_stream_error(NULL, error, text));
  lrd_watch_close(d->watch);
  d->watch = NULL;
  lrd_stream_close(&d->stream);
  d->address++;
  try_address(d);
}

static void on_ready(void *owner, int events)
{
  struct lrd_dial *d = owner;
  (void)events;
  if (d->phase != PHASE_CONNECT) {
    lrd_dial_greeting(d);
    return;
  }
  int error = 0;
  socklen_t len = sizeof error;
  if (getsockopt(d->stream.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
    error = errno;
  if (error)
    next_address(d, error);
  else
    lrd_dial_greet(d);
}

/* 0: connected or on its way; else an errno value. */
static int start_connect(struct lrd_dial *d)
{
  const struct sockaddr *address = (const void *)&d->addresses.of[d->address].address;
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return errno;
  d->stream.fd = fd;
  set_options(fd, address->sa_family);
  if (connect(fd, address, d->addresses.of[d->address].length) != 0 && errno != EINPROGRESS &&
      errno != EINTR)
    return errno;
  d->watch = lrd_watch_new(d->loop, fd, on_ready, d);
  return d->watch && lrd_watch_events(d->watch, UV_WRITABLE) == 0 ? 0 : ENOMEM;
}

static void try_address(struct lrd_dial *d)
{
  int64_t now = lrd_remote_now(d->loop->remote);
  d->phase = PHASE_CONNECT;
  size_t left = d->addresses.count - d->address;
  if (!left) {
    lrd_dial_fail_text(d, LARDER_CAUSE_REFUSED, d->error);
    return;
  }
  d->address_deadline = now + (d->deadline - now) / (int64_t)left;
  int error = start_connect(d);
  if (error)
    next_address(d, error);
}

/* --- from the loop --------------------------------------------------------------------- */

static void resolve(struct lrd_dial *d)
{
  struct lrd_loop *loop = d->loop;
  const struct lrd_config *config = loop->remote->config;
  d->phase = PHASE_RESOLVE;
  if (!loop->resolution)
    loop->resolution = lrd_resolution_start(config->host, config->port, &loop->async);
  if (!loop->resolution)
    lrd_dial_fail_text(d, LARDER_CAUSE_REFUSED, "no thread to resolve the host's name with");
}

void lrd_dial_resolved(struct lrd_loop *loop)
{
  struct lrd_addresses addresses;
  char error[200] = "";
  if (!loop->resolution ||
      !lrd_resolution_result(loop->resolution, &addresses, error, sizeof error))
    return;
  lrd_resolution_leave(loop->resolution);
  loop->resolution = NULL;
  struct lrd_dial *next;
  for (struct lrd_dial *d = loop->dials; d; d = next) {
    next = d->next;
    if (d->phase != PHASE_RESOLVE)
      continue;
    d->addresses = addresses;
    memcpy(d->error, error, sizeof d->error);
    try_address(d);
  }
}

static void delay(struct lrd_loop *loop, struct lrd_link *l)
{
  if (l->work.delayed)
    return;
  l->work.delayed = 1;
  l->work.delayed_next = loop->delayed;
  loop->delayed = l;
}

static void start(struct lrd_loop *loop, struct lrd_link *l)
{
  struct lrd_remote *r = loop->remote;
  struct lrd_dial *d = lrd_allocate_zeroed(&r->base.memory, 1, sizeof *d);
  lrd_lock(&l->lock);
  if (l->state != LRD_LINK_DOWN) {
    lrd_unlock(&l->lock);
    lrd_release(&r->base.memory, d, sizeof *d);
    return;
  }
  if (!d) {
    struct lrd_fault fault = {LARDER_NOT_SENT, LARDER_CAUSE_CALLER, "no memory to connect"};
    lrd_link_down(l, &fault);
    lrd_unlock(&l->lock);
    if (l->kind == LRD_LINK_SUBMIT)
      lrd_submit_link_changed(loop, l, 0);
    if (l->kind == LRD_LINK_LISTEN)
      lrd_listen_link_changed(loop, 0);
    return;
  }
  l->state = LRD_LINK_CONNECTING;
  lrd_unlock(&l->lock);
  d->loop = loop;
  d->link = l;
  d->stream = LRD_STREAM_NONE;
  d->begun_at = lrd_remote_now(r);
  d->deadline = d->begun_at + r->config->connect_timeout;
  d->next = loop->dials;
  if (d->next)
    d->next->previous = d;
  loop->dials = d;
  l->work.dial = d;
  switch (lrd_addresses_known(r->config, &d->addresses, d->error, sizeof d->error)) {
  case 0:
    resolve(d);
    break;
  default:
    try_address(d);
  }
}

void lrd_dial_link(struct lrd_loop *loop, struct lrd_link *l, int probe)
{
  struct lrd_group *g = &loop->remote->group[l->home_database];
  if (l->work.dial)
    return;
  if (!probe && atomic_load(&g->next_attempt) > lrd_remote_now(loop->remote))
    delay(loop, l);
  else
    start(loop, l);
}

static void tick_delayed(struct lrd_loop *loop, int64_t now, int64_t *next)
{
  struct lrd_link *l = loop->delayed;
  loop->delayed = NULL;
  while (l) {
    struct lrd_link *following = l->work.delayed_next;
    lrd_lock(&l->lock); /* a hold may move the link to another database */
    int64_t at = atomic_load(&loop->remote->group[l->home_database].next_attempt);
    lrd_unlock(&l->lock);
    l->work.delayed = 0;
    if (at > now) {
      delay(loop, l);
      *next = at < *next ? at : *next;
    } else if (!l->work.dial) {
      start(loop, l);
    }
    l = following;
  }
}

/* A server that waits for a whole line, or for nothing at all, is as silent as a slow one. */
static void fail_silent(struct lrd_dial *d)
{
  char text[160];
  long long ms = d->loop->remote->config->connect_timeout / LRD_NS_PER_MS;
  if (d->phase != PHASE_TLS)
    snprintf(text, sizeof text, "not connected within %lld ms", ms);
  else
    snprintf(text, sizeof text, "the TLS handshake was not finished within %lld ms%s", ms,
             lrd_tls_heard(d->stream.tls)
               ? ""
               : ": the server said nothing, perhaps it speaks no TLS at this port");
  lrd_dial_fail_text(d, LARDER_CAUSE_SILENT, text);
}

int64_t lrd_dial_tick(struct lrd_loop *loop, int64_t now)
{
  int64_t next = INT64_MAX;
  tick_delayed(loop, now, &next);
  struct lrd_dial *following;
  for (struct lrd_dial *d = loop->dials; d; d = following) {
    following = d->next;
    int64_t at = d->phase == PHASE_CONNECT ? d->address_deadline : d->deadline;
    if (at > now) {
      next = at < next ? at : next;
    } else if (d->phase == PHASE_CONNECT && d->address + 1 < d->addresses.count) {
      next = now;
      next_address(d, ETIMEDOUT);
    } else {
      fail_silent(d);
    }
  }
  return next;
}

void lrd_dial_stop(struct lrd_loop *loop)
{
  struct lrd_fault fault = {LARDER_CLOSED, LARDER_CAUSE_CALLER, "the store is closed"};
  lrd_resolution_leave(loop->resolution);
  loop->resolution = NULL;
  while (loop->dials)
    lrd_dial_fail(loop->dials, &fault);
}

void lrd_dial_abandon(struct lrd_loop *loop)
{
  while (loop->dials) {
    struct lrd_dial *d = loop->dials;
    loop->dials = d->next;
    if (d->stream.fd != d->link->stream.fd)
      lrd_stream_abandon(&d->stream);
    lrd_wipe(&d->greet.credentials, sizeof d->greet.credentials);
    lrd_release(&loop->remote->base.memory, d, sizeof *d);
  }
}
