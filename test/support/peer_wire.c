/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/peer_wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

void peer_fault(struct peer *p, const char *format, ...)
{
  va_list arguments;
  pthread_mutex_lock(&p->mutex);
  if (!p->why[0]) {
    va_start(arguments, format);
    vsnprintf(p->why, sizeof p->why, format, arguments);
    va_end(arguments);
  }
  pthread_mutex_unlock(&p->mutex);
}

static void note(struct peer *p, int connection, const char *text)
{
  pthread_mutex_lock(&p->mutex);
  size_t size = strlen(text) + 16;
  p->log = realloc(p->log, p->log_len + size);
  if (!p->log)
    abort();
  p->log_len += (size_t)snprintf(p->log + p->log_len, size, "%d: %s\n", connection, text);
  pthread_mutex_unlock(&p->mutex);
}

/* --- I/O ------------------------------------------------------------------------------- */

int peer_wait(struct peer *p, int fd, short events, int timeout_ms)
{
  struct pollfd poll_fd[2] = {{.fd = fd, .events = events}, {.fd = p->stop, .events = POLLIN}};
  int n;
  do
    n = poll(poll_fd, 2, timeout_ms);
  while (n < 0 && errno == EINTR);
  if (poll_fd[1].revents)
    return -1;
  return n > 0;
}

int peer_send(struct peer *p, int fd, const char *bytes, size_t len)
{
  while (len) {
    ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (peer_wait(p, fd, POLLOUT, PATIENCE_MS) != 1)
        return -1;
      continue;
    }
    if (n < 0)
      return -1;
    bytes += n;
    len -= (size_t)n;
  }
  return 0;
}

/* Bytes of the first whole command in the buffer, written to words; 0: not whole yet. */
static size_t parse(const struct connection *c, char *words, size_t size)
{
  const char *p = c->in, *end = c->in + c->len;
  const char *line = memchr(p, '\n', (size_t)(end - p));
  if (!line || *p != '*')
    return 0;
  long count = strtol(p + 1, NULL, 10);
  p = line + 1;
  size_t used = 0;
  for (long i = 0; i < count; i++) {
    line = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    if (!line)
      return 0;
    long len = strtol(p + 1, NULL, 10);
    p = line + 1;
    if (end - p < len + 2)
      return 0;
    int n = snprintf(words + used, size - used, "%s%.*s", i ? " " : "", (int)len, p);
    used += (size_t)n < size - used ? (size_t)n : size - used - 1;
    p += len + 2;
  }
  return (size_t)(p - c->in);
}

static void consume(struct connection *c, size_t len)
{
  memmove(c->in, c->in + len, c->len - len);
  c->len -= len;
}

int peer_read(struct peer *p, struct connection *c)
{
  if (peer_wait(p, c->fd, POLLIN, PATIENCE_MS) != 1)
    return -1;
  if (c->capacity - c->len < 65536) {
    c->capacity = c->capacity * 2 + 65536;
    c->in = realloc(c->in, c->capacity);
    if (!c->in)
      abort();
  }
  ssize_t n = recv(c->fd, c->in + c->len, c->capacity - c->len, 0);
  if (n <= 0)
    return n == 0 ? 0 : -1;
  c->len += (size_t)n;
  return 1;
}

int peer_command(struct peer *p, int number, char *words, size_t size)
{
  struct connection *c = &p->connection[number];
  for (;;) {
    size_t len = c->len ? parse(c, words, size) : 0;
    if (len) {
      consume(c, len);
      note(p, number, words);
      return 0;
    }
    if (peer_read(p, c) != 1)
      return -1;
  }
}

int peer_accept(struct peer *p)
{
  int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0 || p->connections == CONNECTIONS)
    return -1;
  int on = 1;
  if (p->port)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  pthread_mutex_lock(&p->mutex);
  p->current = p->connections++;
  pthread_mutex_unlock(&p->mutex);
  p->connection[p->current].fd = fd;
  return 0;
}

void peer_close(struct connection *c, int reset)
{
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  if (c->fd < 0)
    return;
  if (reset)
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(c->fd);
  c->fd = -1;
}

/* --- the handshake --------------------------------------------------------------------- */

static const char *const standard[][2] = {
  {"AUTH", "+OK\r\n"},
  {"SELECT", "+OK\r\n"},
  {"CLIENT SETNAME", "+OK\r\n"},
  {"HELLO", "-ERR unknown command 'HELLO'\r\n"},
  {"CLIENT KILL ID 9223372036854775807", ":0\r\n"},
  {"CLIENT KILL", ":1\r\n"},
  {"INFO server", "$49\r\nrun_id:0123456789012345678901234567890123456789\r\n\r\n"},
  {"INFO memory", "$29\r\nmaxmemory_policy:noeviction\r\n\r\n"},
  {"TIME", "*2\r\n$10\r\n1700000000\r\n$6\r\n123456\r\n"},
  {"MULTI", "+OK\r\n"},
  {"DISCARD", "+OK\r\n"},
  {"PING", "+PONG\r\n"},
};

/* The reply to a command of the handshake; NULL: it is none. */
static const char *greeting(const struct peer *p, int number, const char *words, char *room,
                            size_t size)
{
  for (size_t i = 0; p->reply && p->reply[i][0]; i++)
    if (strncmp(words, p->reply[i][0], strlen(p->reply[i][0])) == 0)
      return p->reply[i][1];
  if (strcmp(words, "CLIENT ID") == 0) {
    snprintf(room, size, ":%d\r\n", number + 1);
    return room;
  }
  if (strcmp(words, "CLIENT INFO") == 0) {
    char info[64];
    int len = snprintf(info, sizeof info, "id=%d addr=peer:%d laddr=us:0 name=", number + 1,
                       number);
    snprintf(room, size, "$%d\r\n%s\r\n", len, info);
    return room;
  }
  for (size_t i = 0; i < sizeof standard / sizeof *standard; i++)
    if (strncmp(words, standard[i][0], strlen(standard[i][0])) == 0)
      return standard[i][1];
  return NULL;
}

int peer_greet(struct peer *p)
{
  char words[512], room[128];
  int number = p->current;
  do {
    if (peer_command(p, number, words, sizeof words) != 0)
      return -1;
    const char *reply = greeting(p, number, words, room, sizeof room);
    if (!reply) {
      peer_fault(p, "%s is no command of the handshake", words);
      return -1;
    }
    if (peer_send(p, p->connection[number].fd, reply, strlen(reply)) != 0)
      return -1;
  } while (strcmp(words, "PING") != 0);
  return 0;
}

/* --- serving --------------------------------------------------------------------------- */

static int send_cut(struct peer *p, int fd, const char *bytes, size_t len, int piece)
{
  while (len) {
    size_t n = piece > 0 && len > (size_t)piece ? (size_t)piece : len;
    if (peer_send(p, fd, bytes, n) != 0)
      return -1;
    bytes += n;
    len -= n;
  }
  return 0;
}

static int answer(struct peer *p, int number, const char *words, int piece)
{
  char room[1024];
  const char *reply = greeting(p, number, words, room, sizeof room);
  if (strncmp(words, "GET ", 4) == 0) {
    snprintf(room, sizeof room, "$%zu\r\n%s\r\n", strlen(words + 4), words + 4);
    reply = room;
  }
  if (!reply)
    reply = "+OK\r\n";
  return send_cut(p, p->connection[number].fd, reply, strlen(reply), piece);
}

static void serve_one(struct peer *p, int number, int piece)
{
  char words[800];
  struct connection *c = &p->connection[number];
  if (peer_read(p, c) != 1) {
    peer_close(c, 0);
    return;
  }
  if (p->retort) {
    c->len = 0;
    peer_send(p, c->fd, p->retort, strlen(p->retort));
    return;
  }
  for (size_t len; c->fd >= 0 && c->len && (len = parse(c, words, sizeof words));) {
    consume(c, len);
    if (answer(p, number, words, piece) != 0)
      peer_close(c, 0);
  }
}

void peer_serve(struct peer *p, int piece)
{
  for (;;) {
    struct pollfd fds[CONNECTIONS + 2] = {{.fd = p->stop, .events = POLLIN},
                                          {.fd = p->listener, .events = POLLIN}};
    int n = p->connections;
    for (int i = 0; i < n; i++)
      fds[i + 2] = (struct pollfd){.fd = p->connection[i].fd, .events = POLLIN};
    if (poll(fds, (nfds_t)n + 2, -1) < 0)
      continue;
    if (fds[0].revents)
      return;
    if (fds[1].revents && peer_accept(p) != 0)
      return;
    for (int i = 0; i < n; i++)
      if (fds[i + 2].fd >= 0 && fds[i + 2].revents)
        serve_one(p, i, piece);
  }
}
