/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/proxy_pair.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the listener ---------------------------------------------------------------------- */

static void listen_again(struct proxy *x)
{
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = htons((uint16_t)x->port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int is_unix = x->path[0] != 0, on = 1;
  x->listener = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (x->listener < 0)
    proxy_die("proxy: socket");
  setsockopt(x->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  memcpy(path.sun_path, x->path, sizeof x->path);
  unlink(x->path);
  if (bind(x->listener, is_unix ? (void *)&path : (void *)&port,
           is_unix ? sizeof path : sizeof port) != 0 || listen(x->listener, PAIRS) != 0)
    proxy_die("proxy: listen");
}

static void obey_drop(struct proxy *x)
{
  if (!x->dropping)
    return;
  for (int i = 0; i < PAIRS; i++)
    if (x->pair[i])
      proxy_free_pair(&x->pair[i]);
  x->dropping = 0;
  pthread_cond_broadcast(&x->cond);
}

static void obey_door(struct proxy *x)
{
  if (!x->door_asked)
    return;
  if (x->door == PROXY_CLOSED)
    proxy_close_fd(&x->listener, 0);
  else if (x->listener < 0)
    listen_again(x);
  x->door_asked = 0;
  pthread_cond_broadcast(&x->cond);
}

/* --- the thread ------------------------------------------------------------------------ */

/* Milliseconds until something is due; -1: never. */
static int prepare(struct proxy *x, struct pollfd *fds, int64_t now)
{
  int64_t wait = -1;
  for (int i = 0; i < PAIRS; i++) {
    struct pair *p = x->pair[i];
    struct pollfd *client = &fds[2 + 2 * i], *server = client + 1;
    client->fd = server->fd = -1;
    client->revents = server->revents = 0;
    if (!p)
      continue;
    client->fd = p->client;
    client->events = POLLRDHUP;
    if (p->hung)
      continue;
    server->fd = p->server;
    client->events = server->events = POLLIN;
    if (p->to_server.len)
      server->events |= POLLOUT;
    if (p->pause_until) {
      int64_t left = p->pause_until > now ? p->pause_until - now : 0;
      wait = wait < 0 || left < wait ? left : wait;
    } else if (p->to_client.len) {
      client->events |= POLLOUT;
    }
  }
  return (int)wait;
}

static void *run(void *context)
{
  struct proxy *x = context;
  struct pollfd fds[2 + 2 * PAIRS];
  for (;;) {
    pthread_mutex_lock(&x->mutex);
    obey_door(x);
    obey_drop(x);
    int stop = x->stop, wait = prepare(x, fds, now_ms());
    fds[0] = (struct pollfd){.fd = x->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = x->listener, .events = POLLIN};
    pthread_mutex_unlock(&x->mutex);
    if (stop)
      return NULL;
    if (poll(fds, 2 + 2 * PAIRS, wait) < 0)
      continue;
    uint64_t n;
    if (fds[0].revents && read(x->wake, &n, sizeof n) < 0)
      return NULL;
    pthread_mutex_lock(&x->mutex);
    int64_t now = now_ms();
    for (int i = 0; i < PAIRS; i++)
      if (x->pair[i])
        proxy_serve(x, &x->pair[i], fds[2 + 2 * i].revents, fds[3 + 2 * i].revents, now);
    if (fds[1].revents && x->listener >= 0)
      proxy_accept(x);
    pthread_mutex_unlock(&x->mutex);
  }
}

static void wake(struct proxy *x)
{
  uint64_t one = 1;
  if (write(x->wake, &one, sizeof one) < 0)
    proxy_die("proxy: wake");
}

/* --- for the test ---------------------------------------------------------------------- */

struct proxy *proxy_start(const struct server *server, int unix_socket)
{
  struct proxy *x = calloc(1, sizeof *x);
  if (!x)
    abort();
  x->server = server;
  x->wake = eventfd(0, EFD_CLOEXEC);
  snprintf(x->directory, sizeof x->directory, "/tmp/larder-proxy-XXXXXX");
  if (unix_socket) {
    if (!mkdtemp(x->directory))
      proxy_die("proxy: mkdtemp");
    snprintf(x->path, sizeof x->path, "%s/socket", x->directory);
  } else {
    x->port = server_free_port();
  }
  listen_again(x);
  pthread_mutex_init(&x->mutex, NULL);
  pthread_cond_init(&x->cond, NULL);
  proxy_arm(x, NULL, 0);
  if (x->wake < 0 || pthread_create(&x->thread, NULL, run, x) != 0)
    proxy_die("proxy: thread");
  return x;
}

void proxy_stop(struct proxy *x)
{
  pthread_mutex_lock(&x->mutex);
  x->stop = 1;
  pthread_mutex_unlock(&x->mutex);
  wake(x);
  pthread_join(x->thread, NULL);
  for (int i = 0; i < PAIRS; i++)
    if (x->pair[i])
      proxy_free_pair(&x->pair[i]);
  proxy_close_fd(&x->listener, 0);
  close(x->wake);
  if (x->path[0]) {
    unlink(x->path);
    rmdir(x->directory);
  }
  pthread_cond_destroy(&x->cond);
  pthread_mutex_destroy(&x->mutex);
  free(x);
}

int proxy_port(const struct proxy *x)
{
  return x->port;
}

const char *proxy_path(const struct proxy *x)
{
  return x->path[0] ? x->path : NULL;
}

void proxy_arm(struct proxy *x, const struct proxy_fault *fault, size_t count)
{
  pthread_mutex_lock(&x->mutex);
  x->armed = x->requests;
  x->news = 0;
  x->struck = 0;
  x->faults = count < PROXY_FAULTS ? count : PROXY_FAULTS;
  if (x->faults)
    memcpy(x->fault, fault, x->faults * sizeof *fault);
  for (int k = 0; k < REQUESTS; k++)
    x->length[k] = x->question[k] = -1;
  pthread_mutex_unlock(&x->mutex);
}

void proxy_set_door(struct proxy *x, enum proxy_door door)
{
  pthread_mutex_lock(&x->mutex);
  x->door = door;
  x->door_asked = 1;
  wake(x);
  while (x->door_asked)
    pthread_cond_wait(&x->cond, &x->mutex);
  pthread_mutex_unlock(&x->mutex);
}

void proxy_drop(struct proxy *x)
{
  pthread_mutex_lock(&x->mutex);
  x->dropping = 1;
  wake(x);
  while (x->dropping)
    pthread_cond_wait(&x->cond, &x->mutex);
  pthread_mutex_unlock(&x->mutex);
}

static long look(struct proxy *x, const long *what)
{
  pthread_mutex_lock(&x->mutex);
  long value = *what;
  pthread_mutex_unlock(&x->mutex);
  return value;
}

void proxy_set_slice(struct proxy *x, int bytes)
{
  pthread_mutex_lock(&x->mutex);
  x->slice = bytes;
  pthread_mutex_unlock(&x->mutex);
}

long proxy_requests(struct proxy *x)
{
  pthread_mutex_lock(&x->mutex);
  long n = x->requests - x->armed;
  pthread_mutex_unlock(&x->mutex);
  return n;
}

long proxy_length(struct proxy *x, long k)
{
  return k >= 0 && k < REQUESTS ? look(x, &x->length[k]) : -1;
}

long proxy_question(struct proxy *x, long k)
{
  return k >= 0 && k < REQUESTS ? look(x, &x->question[k]) : -1;
}

long proxy_find(struct proxy *x, const char *command, int n)
{
  long found = -1;
  pthread_mutex_lock(&x->mutex);
  for (long k = 0; k < x->requests - x->armed && k < REQUESTS && found < 0; k++)
    if (strcmp(x->word[k], command) == 0 && !n--)
      found = k;
  pthread_mutex_unlock(&x->mutex);
  return found;
}

long proxy_news(struct proxy *x)
{
  return look(x, &x->news);
}

int proxy_struck(struct proxy *x)
{
  pthread_mutex_lock(&x->mutex);
  int n = x->struck;
  pthread_mutex_unlock(&x->mutex);
  return n;
}

int proxy_accepted(struct proxy *x)
{
  pthread_mutex_lock(&x->mutex);
  int n = x->accepted;
  pthread_mutex_unlock(&x->mutex);
  return n;
}

int proxy_connected(struct proxy *x)
{
  int n = 0;
  pthread_mutex_lock(&x->mutex);
  for (int i = 0; i < PAIRS; i++)
    n += x->pair[i] && x->pair[i]->client >= 0;
  pthread_mutex_unlock(&x->mutex);
  return n;
}
