/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/peer_wire.h"

#include <arpa/inet.h>
#include <errno.h>
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

static void die(const char *what)
{
  perror(what);
  exit(1);
}

static void doze(int ms)
{
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  nanosleep(&t, NULL);
}

/* --- the script ------------------------------------------------------------------------ */

static int barrier(struct peer *p)
{
  pthread_mutex_lock(&p->mutex);
  p->at_barrier = 1;
  pthread_cond_broadcast(&p->cond);
  while (!p->met && !p->ended)
    pthread_cond_wait(&p->cond, &p->mutex);
  int failed = !p->met;
  p->met = p->at_barrier = 0;
  pthread_mutex_unlock(&p->mutex);
  return failed ? -1 : 0;
}

static int expect(struct peer *p, const struct peer_step *s)
{
  char words[4096];
  if (peer_command(p, p->current, words, sizeof words) != 0) {
    peer_fault(p, "no command came, %s was expected", s->text ? s->text : "one");
    return -1;
  }
  if (s->text && strcmp(words, s->text) != 0) {
    peer_fault(p, "%s came, %s was expected", words, s->text);
    return -1;
  }
  return 0;
}

static int drip(struct peer *p, const struct peer_step *s, size_t len)
{
  int fd = p->connection[p->current].fd;
  for (size_t i = 0; i < len; i++) {
    if (peer_send(p, fd, s->text + i, 1) != 0)
      return 0; /* the client has had enough */
    if (peer_wait(p, -1, 0, s->number) < 0)
      return -1;
  }
  return 0;
}

/* Reads so many bytes and forgets them. */
static int read_some(struct peer *p, size_t least)
{
  struct connection *c = &p->connection[p->current];
  while (c->len < least)
    if (peer_read(p, c) != 1)
      return -1;
  c->len = 0;
  return 0;
}

static int wait_gone(struct peer *p)
{
  struct connection *c = &p->connection[p->current];
  int n;
  while ((n = peer_read(p, c)) == 1)
    c->len = 0;
  return n == 0 || errno == ECONNRESET ? 0 : -1;
}

static int perform(struct peer *p, const struct peer_step *s)
{
  struct connection *c = &p->connection[p->current];
  size_t len = s->text && !s->len ? strlen(s->text) : s->len;
  switch (s->verb) {
  case PEER_STEP_ACCEPT:
    return peer_wait(p, p->listener, POLLIN, PATIENCE_MS) == 1 ? peer_accept(p) : -1;
  case PEER_STEP_GREET:
    return peer_greet(p);
  case PEER_STEP_EXPECT:
    return expect(p, s);
  case PEER_STEP_SEND:
    return peer_send(p, c->fd, s->text, len);
  case PEER_STEP_DRIP:
    return drip(p, s, len);
  case PEER_STEP_CLOSE:
  case PEER_STEP_RST:
    peer_close(c, s->verb == PEER_STEP_RST);
    return 0;
  case PEER_STEP_USE:
    p->current = s->number;
    return 0;
  case PEER_STEP_SYNC:
  case PEER_STEP_HANG:
    return barrier(p);
  case PEER_STEP_READ:
    return read_some(p, (size_t)s->number);
  case PEER_STEP_GONE:
    return wait_gone(p);
  case PEER_STEP_UNBIND:
    close(p->listener);
    p->listener = -1;
    if (p->path[0])
      unlink(p->path);
    return 0;
  case PEER_STEP_SERVE:
    peer_serve(p, s->number);
    return 0;
  }
  return -1;
}

static void *run(void *argument)
{
  struct peer *p = argument;
  for (size_t i = 0; i < p->steps; i++)
    if (perform(p, &p->script[i]) != 0) {
      peer_fault(p, "step %zu failed", i);
      break;
    }
  pthread_mutex_lock(&p->mutex);
  p->ended = 1;
  pthread_cond_broadcast(&p->cond);
  pthread_mutex_unlock(&p->mutex);
  return NULL;
}

/* --- from the test --------------------------------------------------------------------- */

static void listen_unix(struct peer *p)
{
  struct sockaddr_un u = {.sun_family = AF_UNIX};
  snprintf(p->directory, sizeof p->directory, "/tmp/larder-peer-XXXXXX");
  if (!mkdtemp(p->directory))
    die("mkdtemp");
  snprintf(p->path, sizeof p->path, "%s/s", p->directory);
  snprintf(u.sun_path, sizeof u.sun_path, "%s", p->path);
  p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (p->listener < 0 || bind(p->listener, (void *)&u, sizeof u) != 0)
    die("peer");
}

static void listen_tcp(struct peer *p)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof a;
  p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (p->listener < 0 || bind(p->listener, (void *)&a, sizeof a) != 0 ||
      getsockname(p->listener, (void *)&a, &len) != 0)
    die("peer");
  p->port = ntohs(a.sin_port);
}

struct peer *peer_start(const struct peer_options *options, const struct peer_step *script,
                        size_t steps)
{
  struct peer *p = calloc(1, sizeof *p);
  if (!p)
    abort();
  p->script = script;
  p->steps = steps;
  p->reply = options ? options->reply : NULL;
  p->retort = options ? options->retort : NULL;
  for (int i = 0; i < CONNECTIONS; i++)
    p->connection[i].fd = -1;
  if (options && options->unix_socket)
    listen_unix(p);
  else
    listen_tcp(p);
  p->stop = eventfd(0, EFD_CLOEXEC);
  if (p->stop < 0 || listen(p->listener, 128) != 0)
    die("peer");
  pthread_mutex_init(&p->mutex, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&p->cond, &attributes);
  pthread_condattr_destroy(&attributes);
  if (pthread_create(&p->thread, NULL, run, p) != 0)
    die("peer");
  return p;
}

int peer_meet(struct peer *p, int timeout_ms)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += timeout_ms / 1000;
  until.tv_nsec += timeout_ms % 1000 * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000L;
  }
  pthread_mutex_lock(&p->mutex);
  while (!(p->at_barrier && !p->met) && !p->ended)
    if (pthread_cond_timedwait(&p->cond, &p->mutex, &until) != 0)
      break;
  int met = p->at_barrier && !p->met;
  if (met) {
    p->met = 1;
    pthread_cond_broadcast(&p->cond);
  }
  pthread_mutex_unlock(&p->mutex);
  return met ? 0 : -1;
}

int peer_stop(struct peer *p, char *why, size_t size)
{
  uint64_t one = 1;
  for (int i = 0; i < 200; i++) { /* a script that is nearly through may end by itself */
    pthread_mutex_lock(&p->mutex);
    int ended = p->ended || (p->at_barrier && !p->met);
    pthread_mutex_unlock(&p->mutex);
    if (ended || (p->steps && p->script[p->steps - 1].verb == PEER_STEP_SERVE))
      break;
    doze(5);
  }
  if (write(p->stop, &one, sizeof one) < 0)
    die("peer");
  pthread_mutex_lock(&p->mutex);
  p->ended = 1;
  pthread_cond_broadcast(&p->cond);
  pthread_mutex_unlock(&p->mutex);
  pthread_join(p->thread, NULL);
  for (int i = 0; i < CONNECTIONS; i++) {
    peer_close(&p->connection[i], 0);
    free(p->connection[i].in);
  }
  if (p->listener >= 0)
    close(p->listener);
  close(p->stop);
  if (p->path[0]) {
    unlink(p->path);
    rmdir(p->directory);
  }
  int failed = p->why[0] != 0;
  if (size)
    snprintf(why, size, "%s", p->why);
  pthread_cond_destroy(&p->cond);
  pthread_mutex_destroy(&p->mutex);
  free(p->log);
  free(p);
  return failed ? -1 : 0;
}

int peer_port(const struct peer *p)
{
  return p->port;
}

const char *peer_path(const struct peer *p)
{
  return p->path[0] ? p->path : NULL;
}

int peer_saw(struct peer *p, const char *text)
{
  int lines = 0;
  pthread_mutex_lock(&p->mutex);
  if (p->log)
    for (const char *at = p->log; (at = strstr(at, text)); lines++) {
      at = strchr(at, '\n');
      if (!at)
        break;
    }
  pthread_mutex_unlock(&p->mutex);
  return lines;
}

int peer_connections(struct peer *p)
{
  pthread_mutex_lock(&p->mutex);
  int n = p->connections;
  pthread_mutex_unlock(&p->mutex);
  return n;
}
