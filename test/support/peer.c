/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, PATIENCE_MS = 10000 };

struct connection {
  int fd;
  char *in;
  size_t len, capacity;
};

struct peer {
  int listener, stop; /* stop: an eventfd that is readable once the peer is to end */
  int port;
  char path[96], directory[64];
  const struct peer_step *script;
  size_t steps;
  const char *const (*reply)[2];
  pthread_t thread;
  struct connection connection[CONNECTIONS];
  int connections, current;

  pthread_mutex_t mutex;
  pthread_cond_t cond;
  int at_barrier, met, ended;
  char why[256];
  char *log;
  size_t log_len;
};

static void die(const char *what)
{
  perror(what);
  exit(1);
}

static void fault(struct peer *, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fault(struct peer *p, const char *format, ...)
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

/* 1: fd is ready; 0: it took too long; -1: the peer is to end. */
static int wait_for(struct peer *p, int fd, short events, int timeout_ms)
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

static int send_all(struct peer *p, int fd, const char *bytes, size_t len)
{
  while (len) {
    ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (wait_for(p, fd, POLLOUT, PATIENCE_MS) != 1)
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

/* 1: bytes came; 0: the end; -1: error, or the peer is to end. */
static int read_more(struct peer *p, struct connection *c)
{
  if (wait_for(p, c->fd, POLLIN, PATIENCE_MS) != 1)
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

/* Reads one command; 0, or -1. */
static int read_command(struct peer *p, int number, char *words, size_t size)
{
  struct connection *c = &p->connection[number];
  for (;;) {
    size_t len = c->len ? parse(c, words, size) : 0;
    if (len) {
      consume(c, len);
      note(p, number, words);
      return 0;
    }
    if (read_more(p, c) != 1)
      return -1;
  }
}

static int accept_one(struct peer *p)
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

static void close_one(struct connection *c, int reset)
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

static int greet(struct peer *p)
{
  char words[512], room[128];
  int number = p->current;
  do {
    if (read_command(p, number, words, sizeof words) != 0)
      return -1;
    const char *reply = greeting(p, number, words, room, sizeof room);
    if (!reply) {
      fault(p, "%s is no command of the handshake", words);
      return -1;
    }
    if (send_all(p, p->connection[number].fd, reply, strlen(reply)) != 0)
      return -1;
  } while (strcmp(words, "PING") != 0);
  return 0;
}

/* --- serving --------------------------------------------------------------------------- */

static void doze(int ms)
{
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  nanosleep(&t, NULL);
}

static int send_cut(struct peer *p, int fd, const char *bytes, size_t len, int piece)
{
  while (len) {
    size_t n = piece > 0 && len > (size_t)piece ? (size_t)piece : len;
    if (send_all(p, fd, bytes, n) != 0)
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
  if (read_more(p, c) != 1) {
    close_one(c, 0);
    return;
  }
  for (size_t len; c->fd >= 0 && c->len && (len = parse(c, words, sizeof words));) {
    consume(c, len);
    if (answer(p, number, words, piece) != 0)
      close_one(c, 0);
  }
}

static void serve(struct peer *p, int piece)
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
    if (fds[1].revents && accept_one(p) != 0)
      return;
    for (int i = 0; i < n; i++)
      if (fds[i + 2].fd >= 0 && fds[i + 2].revents)
        serve_one(p, i, piece);
  }
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
  if (read_command(p, p->current, words, sizeof words) != 0) {
    fault(p, "no command came, %s was expected", s->text ? s->text : "one");
    return -1;
  }
  if (s->text && strcmp(words, s->text) != 0) {
    fault(p, "%s came, %s was expected", words, s->text);
    return -1;
  }
  return 0;
}

static int drip(struct peer *p, const struct peer_step *s, size_t len)
{
  int fd = p->connection[p->current].fd;
  for (size_t i = 0; i < len; i++) {
    if (send_all(p, fd, s->text + i, 1) != 0)
      return 0; /* the client has had enough */
    if (wait_for(p, -1, 0, s->number) < 0)
      return -1;
  }
  return 0;
}

static int wait_gone(struct peer *p)
{
  struct connection *c = &p->connection[p->current];
  int n;
  while ((n = read_more(p, c)) == 1)
    c->len = 0;
  return n == 0 || errno == ECONNRESET ? 0 : -1;
}

static int perform(struct peer *p, const struct peer_step *s)
{
  struct connection *c = &p->connection[p->current];
  size_t len = s->text && !s->len ? strlen(s->text) : s->len;
  switch (s->verb) {
  case PEER_STEP_ACCEPT:
    return wait_for(p, p->listener, POLLIN, PATIENCE_MS) == 1 ? accept_one(p) : -1;
  case PEER_STEP_GREET:
    return greet(p);
  case PEER_STEP_EXPECT:
    return expect(p, s);
  case PEER_STEP_SEND:
    return send_all(p, c->fd, s->text, len);
  case PEER_STEP_DRIP:
    return drip(p, s, len);
  case PEER_STEP_CLOSE:
  case PEER_STEP_RST:
    close_one(c, s->verb == PEER_STEP_RST);
    return 0;
  case PEER_STEP_USE:
    p->current = s->number;
    return 0;
  case PEER_STEP_SYNC:
  case PEER_STEP_HANG:
    return barrier(p);
  case PEER_STEP_GONE:
    return wait_gone(p);
  case PEER_STEP_UNBIND:
    close(p->listener);
    p->listener = -1;
    if (p->path[0])
      unlink(p->path);
    return 0;
  case PEER_STEP_SERVE:
    serve(p, s->number);
    return 0;
  }
  return -1;
}

static void *run(void *argument)
{
  struct peer *p = argument;
  for (size_t i = 0; i < p->steps; i++)
    if (perform(p, &p->script[i]) != 0) {
      fault(p, "step %zu failed", i);
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
    close_one(&p->connection[i], 0);
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
