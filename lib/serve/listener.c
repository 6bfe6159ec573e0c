/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/listener.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "serve/client.h"
#include "serve/client_wait.h"
#include "store/store.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

enum {
  ACCEPT_AT_ONCE = 64,
  ACCEPT_PAUSE_MS = 100,
  CLIENTS = 10000,
  WORKERS = 64
};

/* --- the loop's thread ---------------------------------------------------- */

static void on_connection(uv_poll_t *poll, int status, int events);

static void accept_from_all(larder_listener *l)
{
  size_t i;

  for (i = 0; i < l->endpoints; i++)
    uv_poll_start(&l->endpoint[i].poll, UV_READABLE, on_connection);
}

static void on_pause_over(uv_timer_t *timer)
{
  accept_from_all(timer->data);
}

static void pause_accepting(larder_listener *l)
{
  size_t i;

  for (i = 0; i < l->endpoints; i++)
    uv_poll_stop(&l->endpoint[i].poll);
  uv_timer_start(&l->pause, on_pause_over, ACCEPT_PAUSE_MS, 0);
}

static void refuse(larder_listener *l, int fd)
{
  static const char text[] = "-ERR max number of clients reached\r\n";

  ssize_t n = send(fd, text, sizeof text - 1, MSG_NOSIGNAL);

  (void)n; /* as far as it goes */
  lrd_count_up(&l->rejected, 1);
  close(fd);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
  larder_listener *l = poll->loop->data;
  const struct lrd_endpoint *e = poll->data;
  int i, fd;

  (void)status;
  (void)events;
  for (i = 0; i < ACCEPT_AT_ONCE; i++) {
    fd = lrd_address_accept(&e->address);
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return;
    if (fd < 0 && errno != EINTR && errno != ECONNABORTED) {
      pause_accepting(l);
      return;
    }
    if (fd < 0)
      continue;
    if (atomic_load(&l->clients_now) >= l->max_clients)
      refuse(l, fd);
    else if (lrd_client_open(l, fd) != 0)
      lrd_count_up(&l->rejected, 1);
  }
}

static void drain_pool(larder_listener *l)
{
  struct lrd_job *job = l->pool ? lrd_pool_done(l->pool) : NULL, *next;

  for (; job; job = next) {
    next = job->next;
    lrd_client_done(job);
  }
}

static void begin_end(larder_listener *l)
{
  struct lrd_client *c, *next;
  size_t i;

  l->ended = 1;
  for (i = 0; i < l->endpoints; i++)
    uv_close((uv_handle_t *)&l->endpoint[i].poll, NULL);
  uv_close((uv_handle_t *)&l->pause, NULL);
  for (c = l->clients; c; c = next) {
    next = lrd_client_next(c);
    lrd_client_close(c);
  }
  if (l->pool) {
    lrd_pool_drop(l->pool);
    drain_pool(l);
  }
}

static void on_wake(uv_async_t *wake)
{
  larder_listener *l = wake->data;

  drain_pool(l);
  lrd_client_heard(l);
  lrd_client_waited(l);
  if (atomic_load(&l->stopping) && !l->ended)
    begin_end(l);
  if (l->ended && !l->clients && !uv_is_closing((uv_handle_t *)wake)) {
    if (l->pool)
      lrd_pool_stop(l->pool); /* after this nobody wakes us */
    uv_close((uv_handle_t *)wake, NULL);
  }
}

static void run_loop(void *context)
{
  larder_listener *l = context;

  uv_run(&l->loop, UV_RUN_DEFAULT);
}

static void wake_loop(void *context)
{
  larder_listener *l = context;

  uv_async_send(&l->wake);
}

/* --- opening and closing -------------------------------------------------- */

/* The loop's thread is not running (any more): what is still open is closed. */
static void close_loop(larder_listener *l)
{
  size_t i;

  for (i = 0; i < l->endpoints; i++)
    if (l->endpoint[i].poll.data && !uv_is_closing((uv_handle_t *)&l->endpoint[i].poll))
      uv_close((uv_handle_t *)&l->endpoint[i].poll, NULL);
  if (l->pause.data && !uv_is_closing((uv_handle_t *)&l->pause))
    uv_close((uv_handle_t *)&l->pause, NULL);
  if (l->wake.data && !uv_is_closing((uv_handle_t *)&l->wake))
    uv_close((uv_handle_t *)&l->wake, NULL);
  uv_run(&l->loop, UV_RUN_DEFAULT);
  uv_loop_close(&l->loop);
}

static void listener_free(larder_listener *l)
{
  size_t i;

  if (l->loop.data)
    close_loop(l);
  for (i = 0; i < l->endpoints; i++)
    lrd_address_close(&l->endpoint[i].address);
  if (l->pool)
    lrd_pool_free(l->pool);
  if (l->password) {
    lrd_wipe(l->password, LRD_SERVE_PASSWORD);
    lrd_release(l->memory, l->password, LRD_SERVE_PASSWORD);
  }
  lrd_lock_destroy(&l->heard_lock);
  lrd_release(l->memory, l->endpoint, l->endpoints * sizeof *l->endpoint);
  lrd_release(l->memory, l, sizeof *l);
}

static int number(const char *name, uint64_t value, uint64_t least, uint64_t most, char *error,
                  size_t error_size)
{
  if (value >= least && value <= most)
    return 0;
  snprintf(error, error_size, "%s: %llu is out of range (allowed: %llu to %llu)", name,
           (unsigned long long)value, (unsigned long long)least, (unsigned long long)most);
  errno = EINVAL;
  return -1;
}

static uint64_t or_default(uint64_t value, uint64_t standard)
{
  return value ? value : standard;
}

/* Copies and checks all but the addresses. */
static int read_options(larder_listener *l, const larder_listen_options *o, unsigned *workers,
                        char *error, size_t error_size)
{
  const uint64_t gib = UINT64_C(1) << 30;
  uint64_t clients = or_default(o->max_clients, CLIENTS);
  uint64_t threads = or_default(o->workers, WORKERS);
  uint64_t query = or_default(o->query_buffer, gib / 2);
  uint64_t output = or_default(o->output_buffer, gib / 64);
  uint64_t limit = or_default(o->output_limit, gib);

  if (number("max_clients", clients, 1, 100000, error, error_size) != 0 ||
      number("workers", threads, 1, 256, error, error_size) != 0 ||
      number("query_buffer", query, 1024, gib, error, error_size) != 0 ||
      number("output_buffer", output, 1024, gib, error, error_size) != 0 ||
      number("output_limit", limit, 1024, 4 * gib, error, error_size) != 0 ||
      number("addresses", o->addresses, 1, 64, error, error_size) != 0)
    return -1;
  l->max_clients = (unsigned)clients;
  *workers = (unsigned)threads;
  l->query_buffer = (size_t)query;
  l->output_buffer = (size_t)output;
  l->output_limit = (size_t)(limit > output ? limit : output);
  return 0;
}

static int no_memory(char *error, size_t error_size)
{
  snprintf(error, error_size, "out of memory");
  errno = ENOMEM;
  return -1;
}

static int copy_password(larder_listener *l, const char *password, char *error, size_t error_size)
{
  size_t len = password ? strlen(password) : 0;

  if (!password)
    return 0;
  if (len == 0 || len > LRD_SERVE_PASSWORD) {
    snprintf(error, error_size, "password: %zu bytes (allowed: 1 to %d)", len, LRD_SERVE_PASSWORD);
    errno = EINVAL;
    return -1;
  }
  l->password = lrd_allocate_zeroed(l->memory, 1, LRD_SERVE_PASSWORD);
  if (!l->password) {
    return no_memory(error, error_size);
  }
  memcpy(l->password, password, len);
  l->password_len = len;
  return 0;
}

static int open_addresses(larder_listener *l, const larder_listen_options *o, char *error,
                          size_t error_size)
{
  struct lrd_address *a;
  size_t i;

  l->endpoint = lrd_allocate_zeroed(l->memory, o->addresses, sizeof *l->endpoint);
  if (!l->endpoint) {
    return no_memory(error, error_size);
  }
  l->endpoints = o->addresses;
  for (i = 0; i < l->endpoints; i++)
    l->endpoint[i].address.fd = -1;
  for (i = 0; i < l->endpoints; i++) {
    a = &l->endpoint[i].address;
    if (lrd_address_parse(a, o->address[i], o->allow_remote, error, error_size) != 0) {
      errno = EINVAL;
      return -1;
    }
    if (lrd_address_open(a, error, error_size) != 0)
      return -1;
  }
  return 0;
}

/* The handles' data say that they are there (close_loop). */
static int prepare_loop(larder_listener *l)
{
  size_t i;
  int status = uv_loop_init(&l->loop);

  if (status != 0)
    return status;
  l->loop.data = l;
  status = uv_async_init(&l->loop, &l->wake, on_wake);
  if (status != 0)
    return status;
  l->wake.data = l;
  uv_timer_init(&l->loop, &l->pause);
  l->pause.data = l;
  for (i = 0; i < l->endpoints; i++) {
    struct lrd_endpoint *e = &l->endpoint[i];
    status = uv_poll_init(&l->loop, &e->poll, e->address.fd);
    if (status != 0)
      return status;
    e->poll.data = e;
  }
  accept_from_all(l);
  return 0;
}

static int start_thread(larder_listener *l)
{
  sigset_t all, old;
  int status;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  status = uv_thread_create(&l->thread, run_loop, l);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return status;
}

static int listener_start(larder_listener *l, const larder_listen_options *o, char *error,
                          size_t error_size)
{
  unsigned workers = 0;
  int status;

  if (read_options(l, o, &workers, error, error_size) != 0 ||
      copy_password(l, o->password, error, error_size) != 0 ||
      open_addresses(l, o, error, error_size) != 0)
    return -1;
  if (!l->local) {
    l->pool = lrd_pool_new(l->memory, workers, wake_loop, l);
    if (!l->pool)
      return no_memory(error, error_size);
  }
  status = prepare_loop(l);
  if (status == 0)
    status = start_thread(l);
  if (status == 0)
    return 0;
  snprintf(error, error_size, "event loop: %s", uv_strerror(status));
  errno = -status;
  return -1;
}

static larder_listener *bad_call(const char *why, char *error, size_t error_size)
{
  snprintf(error, error_size, "larder_listen: %s", why);
  errno = EINVAL;
  return NULL;
}

larder_listener *larder_listen(larder *store, const larder_listen_options *options, char *error,
                               size_t error_size)
{
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  larder_listener *l;
  int cause;

  if (error_size > 0)
    error[0] = '\0';
  if (!store || !options || options->size == 0 || options->size > sizeof o)
    return bad_call("a store and LARDER_LISTEN_OPTIONS_INIT options are needed", error, error_size);
  if (lrd_forked(&store->fork))
    return bad_call("the store belongs to another process", error, error_size);
  memset(&o, 0, sizeof o);
  memcpy(&o, options, options->size);
  l = lrd_allocate_zeroed(&store->config.memory, 1, sizeof *l);
  if (!l) {
    no_memory(error, error_size);
    return NULL;
  }
  if (lrd_lock_init(&l->heard_lock, LRD_RANK_QUEUE, 1) != 0) {
    lrd_release(&store->config.memory, l, sizeof *l);
    no_memory(error, error_size);
    return NULL;
  }
  l->store = store;
  l->memory = &store->config.memory;
  l->pid = getpid();
  l->local = (store->table->capabilities & LARDER_IS_LOCAL) != 0;
  if (listener_start(l, &o, error, error_size) == 0)
    return l;
  cause = errno;
  listener_free(l);
  errno = cause;
  return NULL;
}

const char *larder_listener_address(const larder_listener *l, size_t i)
{
  return i < l->endpoints ? l->endpoint[i].address.text : NULL;
}

int larder_listener_port(const larder_listener *l, size_t i)
{
  return i < l->endpoints ? l->endpoint[i].address.port : -1;
}

larder_outcome larder_listener_get_status(larder_listener *l, larder_listener_status *status)
{
  if (status->size != sizeof *status)
    return LARDER_BAD_ARGUMENT;
  if (l->pid != getpid())
    return LARDER_FORKED;
  status->clients = atomic_load(&l->clients_now);
  status->accepted = atomic_load(&l->accepted);
  status->rejected = atomic_load(&l->rejected);
  status->commands = atomic_load(&l->commands);
  status->protocol_errors = atomic_load(&l->protocol_errors);
  status->bytes_in = atomic_load(&l->bytes_in);
  status->bytes_out = atomic_load(&l->bytes_out);
  status->workers = l->pool ? lrd_pool_threads(l->pool) : 0;
  return LARDER_OK;
}

void larder_listener_close(larder_listener *l)
{
  if (!l || l->pid != getpid())
    return;
  atomic_store(&l->stopping, 1);
  uv_async_send(&l->wake);
  uv_thread_join(&l->thread);
  listener_free(l);
}
