/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/proxy_pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void proxy_die(const char *what)
{
  perror(what);
  exit(1);
}

/* --- bytes ----------------------------------------------------------------------------- */

static void put(struct bytes *b, const char *data, size_t len)
{
  if (b->capacity - b->len < len) {
    b->capacity = (b->len + len) * 2 + 256;
    b->data = realloc(b->data, b->capacity);
    if (!b->data)
      abort();
  }
  if (len)
    memcpy(b->data + b->len, data, len);
  b->len += len;
}

static void consume(struct bytes *b, size_t len)
{
  memmove(b->data, b->data + len, b->len - len);
  b->len -= len;
}

/* Length of the first whole RESP value; 0: it is not whole. */
static size_t value_length(const char *p, size_t len)
{
  const char *line = memchr(p, '\n', len);
  if (!line)
    return 0;
  size_t at = (size_t)(line - p) + 1;
  long n = *p == '$' || *p == '*' ? strtol(p + 1, NULL, 10) : 0;
  if (*p == '$' && n >= 0)
    return len - at >= (size_t)n + 2 ? at + (size_t)n + 2 : 0;
  for (long i = 0; *p == '*' && i < n; i++) {
    size_t one = at < len ? value_length(p + at, len - at) : 0;
    if (!one)
      return 0;
    at += one;
  }
  return at;
}

/* --- pairs ----------------------------------------------------------------------------- */

void proxy_close_fd(int *fd, int reset)
{
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  if (*fd < 0)
    return;
  if (reset)
    setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(*fd);
  *fd = -1;
}

void proxy_free_pair(struct pair **place)
{
  struct pair *p = *place;
  proxy_close_fd(&p->client, 0);
  proxy_close_fd(&p->server, 0);
  free(p->ask.data);
  free(p->to_server.data);
  free(p->answer.data);
  free(p->to_client.data);
  free(p);
  *place = NULL;
}

/* A socket for the server, connected or on its way; -1: it refuses. */
static int dial(const struct server *s)
{
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port(s)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int is_unix = server_socket(s) != NULL, on = 1;
  int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    proxy_die("proxy: socket");
  if (is_unix)
    snprintf(path.sun_path, sizeof path.sun_path, "%s", server_socket(s));
  else
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, is_unix ? (void *)&path : (void *)&port,
              is_unix ? sizeof path : sizeof port) != 0 && errno != EINPROGRESS) {
    close(fd);
    return -1;
  }
  return fd;
}

void proxy_accept(struct proxy *x)
{
  int fd = accept4(x->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1, i = 0;
  if (fd < 0)
    return;
  if (x->port)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  x->accepted++;
  while (i < PAIRS && x->pair[i])
    i++;
  int server = x->door == PROXY_OPEN ? dial(x->server) : -1;
  if (i == PAIRS || x->door == PROXY_SLAM || (x->door == PROXY_OPEN && server < 0)) {
    close(fd);
    return;
  }
  struct pair *p = calloc(1, sizeof *p);
  if (!p)
    abort();
  p->client = fd;
  p->server = server;
  p->hung = x->door == PROXY_MUTE;
  x->pair[i] = p;
}

/* --- faults ---------------------------------------------------------------------------- */

static const struct proxy_fault *fault_of(struct proxy *x, long number)
{
  for (size_t i = 0; i < x->faults; i++)
    if (x->armed + x->fault[i].k == number)
      return &x->fault[i];
  return NULL;
}

static long *note(struct proxy *x, long *list, long number)
{
  static long nowhere;
  long k = number - x->armed;
  return k >= 0 && k < REQUESTS ? &list[k] : &nowhere;
}

static void owe(struct pair *p, long number)
{
  if (p->owed_used == OWED)
    abort();
  p->owed[(p->owed_first + p->owed_used++) % OWED] = number;
}

static size_t at_most(long j, size_t len)
{
  return j < 0 ? 0 : (size_t)j < len ? (size_t)j : len;
}

/* "*2\r\n$3\r\nGET\r\n...": GET. */
static void note_word(struct proxy *x, long k, const char *data, size_t len)
{
  const char *line = memchr(data, '$', len);
  const char *name = line ? memchr(line, '\n', len - (size_t)(line - data)) : NULL;
  if (k >= 0 && k < REQUESTS && name)
    snprintf(x->word[k], WORD, "%.*s", (int)strtol(line + 1, NULL, 10), name + 1);
}

/* Is "*3\r\n$9\r\nsubscribe\r\n..." about something to listen to? */
static int is_news(const char *data, size_t len)
{
  static const char *const ends[] = {"subscribe", "message"};
  const char *line = *data == '*' ? memchr(data, '$', len) : NULL;
  const char *word = line ? memchr(line, '\n', len - (size_t)(line - data)) : NULL;
  const char *end = word ? memchr(word, '\r', len - (size_t)(word - data)) : NULL;
  for (size_t i = 0; end && i < 2; i++) {
    size_t n = strlen(ends[i]);
    if ((size_t)(end - word) > n && strncasecmp(end - n, ends[i], n) == 0)
      return 1;
  }
  return 0;
}

/* A whole request of the client. */
static void take_request(struct proxy *x, struct pair *p, const char *data, size_t len)
{
  static const char ping[] = "*1\r\n$4\r\nPING\r\n";
  long number = x->requests++;
  const struct proxy_fault *f = fault_of(x, number);
  *note(x, x->question, number) = (long)len;
  note_word(x, number - x->armed, data, len);
  if (f && f->verb == PROXY_INSTEAD) {
    data = ping; /* so that its reply has its turn */
    len = sizeof ping - 1;
  }
  if (f && f->verb == PROXY_SHORT) {
    x->struck++;
    put(&p->to_server, data, at_most(f->j, len));
    p->ending = ENDS_FIN;
    return;
  }
  put(&p->to_server, data, len);
  if (!is_news(data, len))
    owe(p, number);
}

static void cut_reply(struct pair *p, const struct proxy_fault *f, const char *data, size_t len)
{
  static const enum ending ends[] = {[PROXY_CUT] = ENDS_FIN, [PROXY_RESET] = ENDS_RST,
                                     [PROXY_HALF] = ENDS_HALF, [PROXY_HANG] = ENDS_HANG};
  put(&p->to_client, data, at_most(f->j, len));
  p->ending = ends[f->verb];
}

static void harm_reply(struct pair *p, const struct proxy_fault *f, const char *data, size_t len)
{
  switch (f->verb) {
  case PROXY_CUT:
  case PROXY_RESET:
  case PROXY_HALF:
  case PROXY_HANG:
    cut_reply(p, f, data, len);
    return;
  case PROXY_SWALLOW:
    return;
  case PROXY_DELAY:
    p->pause_at = p->to_client.len + at_most(f->j, len);
    p->pause_ms = f->number;
    break;
  case PROXY_DRIP:
    p->drip_ms = f->number;
    break;
  case PROXY_TWICE:
    put(&p->to_client, data, len);
    break;
  case PROXY_INSTEAD:
  case PROXY_REPLACE:
    data = f->text;
    len = strlen(f->text);
    break;
  case PROXY_CALL:
    f->strike(f->context);
    break;
  default:
    break;
  }
  put(&p->to_client, data, len);
}

/* A whole reply of the server. */
static void take_reply(struct proxy *x, struct pair *p, const char *data, size_t len)
{
  int news = is_news(data, len);
  long number = news           ? x->armed + PROXY_NEWS + x->news++
                : p->owed_used ? p->owed[p->owed_first]
                               : -1;
  if (p->owed_used && !news) {
    p->owed_first = (p->owed_first + 1) % OWED;
    p->owed_used--;
  }
  *note(x, x->length, number) = (long)len;
  const struct proxy_fault *f = fault_of(x, number);
  if (p->half)
    return;
  if (!f) {
    put(&p->to_client, data, len);
    return;
  }
  x->struck++;
  harm_reply(p, f, data, len);
}

/* --- one round ------------------------------------------------------------------------- */

/* 1: bytes came; 0: none; -1: the end. */
static int receive(int fd, struct bytes *b)
{
  char room[64 * 1024];
  ssize_t n = recv(fd, room, sizeof room, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
    return 0;
  if (n <= 0)
    return -1;
  put(b, room, (size_t)n);
  return 1;
}

/* 0, or -1: the other side has gone. */
static int give(int fd, struct bytes *b, size_t most)
{
  while (most) {
    ssize_t n = send(fd, b->data, most, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
      return errno == EAGAIN || errno == EINTR || errno == ENOTCONN ? 0 : -1;
    consume(b, (size_t)n);
    most -= (size_t)n;
  }
  return 0;
}

static void end_pair(struct pair *p)
{
  enum ending ending = p->ending;
  p->ending = STAYS;
  if (ending == ENDS_HANG) {
    p->hung = 1;
  } else if (ending == ENDS_HALF) {
    shutdown(p->client, SHUT_WR);
    p->half = 1;
  } else {
    proxy_close_fd(&p->client, ending == ENDS_RST);
    proxy_close_fd(&p->server, 0);
  }
}

/* How many bytes may go to the client now. */
static size_t allowed(const struct proxy *x, struct pair *p, int64_t now)
{
  size_t most = p->to_client.len;
  if (p->pause_until > now)
    return 0;
  p->pause_until = 0;
  if (p->pause_ms && p->pause_at < most)
    most = p->pause_at;
  size_t slice = p->drip_ms ? 1 : (size_t)x->slice;
  return slice && slice < most ? slice : most;
}

static void deliver(struct proxy *x, struct pair *p, int64_t now)
{
  size_t before = p->to_client.len, most = allowed(x, p, now);
  if (give(p->client, &p->to_client, most) != 0) {
    proxy_close_fd(&p->client, 0);
    return;
  }
  size_t sent = before - p->to_client.len;
  if (p->pause_ms) {
    p->pause_at -= sent;
    if (!p->pause_at) {
      p->pause_until = now + p->pause_ms;
      p->pause_ms = 0;
    }
  } else if (p->drip_ms && sent) {
    p->pause_until = now + p->drip_ms;
  }
  if (!p->to_client.len && p->ending && !p->pause_until)
    end_pair(p);
}

static void take_all(struct proxy *x, struct pair *p)
{
  size_t len;
  while (!p->ending && p->ask.len && (len = value_length(p->ask.data, p->ask.len))) {
    take_request(x, p, p->ask.data, len);
    consume(&p->ask, len);
  }
  while (!p->ending && p->answer.len && (len = value_length(p->answer.data, p->answer.len))) {
    take_reply(x, p, p->answer.data, len);
    consume(&p->answer, len);
  }
}

void proxy_serve(struct proxy *x, struct pair **place, short client, short server, int64_t now)
{
  struct pair *p = *place;
  if (p->hung) {
    if (client)
      proxy_free_pair(place); /* the client has gone */
    return;
  }
  if (client && receive(p->client, &p->ask) < 0)
    proxy_close_fd(&p->client, 0);
  int gone = server && receive(p->server, &p->answer) < 0;
  take_all(x, p);
  if (gone) {
    proxy_close_fd(&p->server, 0);
    p->ending = p->ending ? p->ending : ENDS_FIN; /* behind what it has said */
  }
  if (p->server >= 0 && give(p->server, &p->to_server, p->to_server.len) != 0)
    proxy_close_fd(&p->server, 0);
  if (p->client >= 0)
    deliver(x, p, now);
  if (p->client < 0)
    proxy_free_pair(place);
}
