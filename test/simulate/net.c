/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: two streams of bytes with delays, and what may become of them.
 *
 * Parts of a message arrive as events, in order.  A connection has two ends, and each may be gone
 * without the other's knowing: a cut is told to each by an event of its own, or not at all.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "simulate/server.h"
#include "simulate/task.h"
#include "simulate/world.h"

struct buffer {
  char *bytes;
  size_t len, position, capacity;
};

enum stage { NEW, DIALLING, UP };

struct sim_conn {
  struct sim_conn *next;
  long long port;
  int fd;             /* -1: the client has closed it */
  enum stage stage;
  int error;          /* errno that the client is told, after what has come */
  int at_end;         /* FIN has come to the client */
  int server_open, server_ending;
  int lost;           /* what is under way does not arrive */
  void *session;
  struct buffer in, out; /* at the client, at the server */
  size_t under_way, unread; /* to the server: not read by it; of these: arrived */
  struct way {
    struct sim_conn *conn;
    int up; /* to the server */
    struct part *first, **last; /* in their order */
    int64_t latest;             /* when the last one arrives */
  } up, down;
};

struct sim_net sim_net;
static struct sim_conn *conns;
static long long ports;

/* --- buffers ------------------------------------------------------------------------------- */

static void put(struct buffer *b, const char *bytes, size_t len)
{
  if (b->position) {
    memmove(b->bytes, b->bytes + b->position, b->len - b->position);
    b->len -= b->position;
    b->position = 0;
  }
  if (b->len + len > b->capacity) {
    b->capacity = (b->len + len) * 2;
    b->bytes = realloc(b->bytes, b->capacity);
    if (!b->bytes)
      abort();
  }
  if (len)
    memcpy(b->bytes + b->len, bytes, len);
  b->len += len;
}

static size_t left(const struct buffer *b)
{
  return b->len - b->position;
}

/* --- parts under way -------------------------------------------------------------------------- */

enum part_kind { BYTES, END, RESET, OPENED, FAILED };

struct part {
  struct part *next;
  enum part_kind kind;
  int error;
  int64_t at;
  size_t len;
  char bytes[];
};

static void arrive(void *way);

static int64_t delay(void)
{
  int64_t d = sim_between(sim_net.delay_least, sim_net.delay_most);
  return sim_now() < sim_net.slow_until ? d * 50 + 5 * SIM_MS : d;
}

static void send_part(struct sim_conn *c, int up, enum part_kind kind, int error,
                      const char *bytes, size_t len, int64_t after)
{
  struct way *w = up ? &c->up : &c->down;
  struct part *p = malloc(sizeof *p + len);
  if (!p)
    abort();
  w->latest = sim_now() + after > w->latest ? sim_now() + after : w->latest;
  *p = (struct part){NULL, kind, error, w->latest, len};
  if (len)
    memcpy(p->bytes, bytes, len);
  *w->last = p;
  w->last = &p->next;
  sim_at(p->at, arrive, w);
}

static void changed(struct sim_conn *c)
{
  if (c->fd >= 0)
    sim_descriptor_changed(c->fd);
}

static void at_server(struct sim_conn *c, const struct part *p)
{
  if (!c->server_open)
    return;
  if (p->kind == BYTES) {
    put(&c->out, p->bytes, p->len);
    c->unread += p->len;
  } else
    c->server_ending = p->kind == RESET ? 2 : 1;
  sim_server_input(c);
}

static void at_client(struct sim_conn *c, const struct part *p)
{
  if (c->fd < 0) {
    if (p->kind == BYTES && c->server_open)
      send_part(c, 1, RESET, 0, NULL, 0, delay());
    return;
  }
  switch (p->kind) {
  case BYTES:
    put(&c->in, p->bytes, p->len);
    break;
  case END:
    c->at_end = 1;
    break;
  case OPENED:
    c->stage = UP;
    break;
  case RESET:
  case FAILED:
    c->error = p->error;
    c->stage = UP;
    break;
  }
  changed(c);
}

static int64_t held_until(const struct way *w)
{
  int64_t until = w->up ? sim_net.deaf_until : sim_net.mute_until;
  return until > sim_net.silent_until ? until : sim_net.silent_until;
}

static void arrive(void *argument)
{
  struct way *w = argument;
  struct part *p;
  while ((p = w->first) && p->at <= sim_now()) {
    int64_t until = held_until(w);
    if (until > sim_now()) {
      sim_at(until, arrive, w);
      return;
    }
    w->first = p->next;
    if (!w->first)
      w->last = &w->first;
    if (!w->conn->lost || p->kind == RESET)
      (w->up ? at_server : at_client)(w->conn, p);
    free(p);
  }
}

/* --- the server's side ------------------------------------------------------------------------ */

size_t sim_conn_input(struct sim_conn *c, const char **bytes)
{
  if (c->unread) {
    c->under_way -= c->unread;
    c->unread = 0;
    changed(c);
  }
  *bytes = c->out.bytes + c->out.position;
  return left(&c->out);
}

void sim_conn_consume(struct sim_conn *c, size_t n)
{
  c->out.position += n;
}

int sim_conn_is_ending(const struct sim_conn *c)
{
  return c->server_ending;
}

int sim_conn_is_open(const struct sim_conn *c)
{
  return c->server_open;
}

void sim_conn_reply(struct sim_conn *c, const char *bytes, size_t len)
{
  int drips = sim_now() < sim_net.drip_until;
  while (len) {
    size_t n = len;
    if (drips)
      n = 1;
    else if (sim_once_in(sim_odds.partial))
      n = 1 + sim_random(len);
    send_part(c, 0, BYTES, 0, bytes, n, drips ? sim_between(SIM_MS, 30 * SIM_MS) : delay());
    bytes += n;
    len -= n;
  }
}

void sim_conn_drop(struct sim_conn *c, int reset)
{
  if (!c->server_open)
    return;
  c->server_open = 0;
  sim_server_gone(c);
  send_part(c, 0, reset ? RESET : END, ECONNRESET, NULL, 0, delay());
}

long long sim_conn_port(const struct sim_conn *c)
{
  return c->port;
}

void **sim_conn_session(struct sim_conn *c)
{
  return &c->session;
}

void sim_conn_each(void (*visit)(struct sim_conn *, void *), void *context)
{
  for (struct sim_conn *c = conns; c; c = c->next)
    if (c->server_open)
      visit(c, context);
}

void sim_net_cut(unsigned once_in, int reset, int lost)
{
  for (struct sim_conn *c = conns; c; c = c->next)
    if (c->stage == UP && c->server_open && sim_once_in(once_in)) {
      sim_trace("cut: port %lld, %s%s", c->port, reset ? "RST" : "FIN", lost ? ", lost" : "");
      c->lost = lost;
      sim_conn_drop(c, reset || lost);
    }
}

/* --- the client's side ------------------------------------------------------------------------- */

struct sim_conn *sim_conn_new(int fd)
{
  struct sim_conn *c = calloc(1, sizeof *c);
  if (!c)
    abort();
  c->fd = fd;
  c->port = 40000 + ++ports;
  c->up = (struct way){.conn = c, .up = 1, .last = &c->up.first};
  c->down = (struct way){.conn = c, .last = &c->down.first};
  c->next = conns;
  conns = c;
  return c;
}

short sim_conn_ready(const struct sim_conn *c)
{
  short ready = 0;
  if (c->stage != UP)
    return 0;
  if (left(&c->in) || c->at_end || c->error)
    ready |= POLLIN;
  if (c->under_way < sim_net.window || c->error)
    ready |= POLLOUT;
  if (c->error)
    ready |= POLLERR | POLLHUP;
  return ready;
}

void sim_conn_closed(struct sim_conn *c)
{
  c->fd = -1;
  if (c->server_open)
    send_part(c, 1, left(&c->in) ? RESET : END, 0, NULL, 0, delay());
}

struct sim_conn *sim_descriptor_conn(int fd, const char *what);

static void knock(void *argument)
{
  struct sim_conn *c = argument;
  if (c->fd < 0)
    return;
  if (sim_now() < sim_net.unreachable_until) {
    sim_at(sim_net.unreachable_until + sim_between(0, SIM_S), knock, c); /* SYN again */
    return;
  }
  if (sim_now() < sim_net.refused_until || !sim_server_accept(c)) {
    send_part(c, 0, FAILED, ECONNREFUSED, NULL, 0, delay());
    return;
  }
  c->server_open = 1;
  send_part(c, 0, OPENED, 0, NULL, 0, 0);
  sim_server_accepted(c);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
  (void)len;
  struct sim_conn *c = sim_descriptor_conn(fd, "connect");
  if (c->stage != NEW)
    sim_fail("connect on a socket that is not new");
  c->stage = DIALLING;
  errno = EINPROGRESS;
  const struct sockaddr_in *in = (const void *)address;
  int dead = address->sa_family == AF_INET && ntohl(in->sin_addr.s_addr) != INADDR_LOOPBACK;
  if (dead && sim_once_in(2))
    return -1; /* nobody is there, and nobody says so */
  if (dead)
    send_part(c, 0, FAILED, EHOSTUNREACH, NULL, 0, delay());
  else
    sim_at(sim_now() + sim_between(sim_net.dial_least, sim_net.dial_most), knock, c);
  return -1;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
  struct sim_conn *c = sim_descriptor_conn(fd, "getsockopt");
  if (level != SOL_SOCKET || name != SO_ERROR || *len != sizeof c->error)
    sim_fail("a getsockopt that the simulator does not know");
  memcpy(value, &c->error, sizeof c->error);
  c->error = 0;
  return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
  (void)level, (void)name, (void)value, (void)len;
  sim_descriptor_conn(fd, "setsockopt");
  return 0;
}

static ssize_t fail(int error)
{
  errno = error;
  return -1;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
  struct sim_conn *c = sim_descriptor_conn(fd, "send");
  if (!(flags & MSG_NOSIGNAL) || !(flags & MSG_DONTWAIT))
    sim_fail("a send that blocks, or may raise SIGPIPE");
  if (c->stage != UP)
    return fail(ENOTCONN);
  if (c->error)
    return fail(c->at_end ? EPIPE : c->error);
  size_t room = c->under_way < sim_net.window ? sim_net.window - c->under_way : 0;
  if (!room)
    return fail(EAGAIN);
  size_t n = len < room ? len : room;
  if (n > 1 && sim_once_in(sim_odds.partial))
    n = 1 + sim_random(n);
  if (!c->server_open) {
    send_part(c, 0, RESET, ECONNRESET, NULL, 0, 2 * delay());
    return (ssize_t)n;
  }
  c->under_way += n;
  send_part(c, 1, BYTES, 0, bytes, n, delay());
  return (ssize_t)n;
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
  struct sim_conn *c = sim_descriptor_conn(fd, "recv");
  if (!(flags & MSG_DONTWAIT))
    sim_fail("a recv that blocks");
  size_t n = left(&c->in) < size ? left(&c->in) : size;
  if (n > 1 && sim_once_in(sim_odds.partial))
    n = 1 + sim_random(n);
  if (n) {
    memcpy(bytes, c->in.bytes + c->in.position, n);
    c->in.position += n;
    return (ssize_t)n;
  }
  if (c->error)
    return fail(c->error);
  return c->at_end ? 0 : fail(EAGAIN);
}

/* --- names ----------------------------------------------------------------------------------- */

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out)
{
  (void)host, (void)hints;
  sim_assert_unlocked("getaddrinfo");
  sim_block("getaddrinfo", NULL, sim_now() + sim_between(0, sim_once_in(sim_net.resolver) ? 3 * SIM_S : SIM_MS));
  if (sim_once_in(sim_net.resolver) || sim_now() < sim_net.unreachable_until)
    return EAI_AGAIN;
  size_t count = 1 + sim_random(3), alive = sim_random(count);
  struct addrinfo *list = NULL;
  for (size_t i = 0; i < count; i++) {
    struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_in));
    if (!a)
      abort();
    struct sockaddr_in *in = (void *)(a + 1);
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)atoi(service));
    in->sin_addr.s_addr = htonl(i == alive ? INADDR_LOOPBACK : 0xc0000201u);
    a->ai_family = AF_INET;
    a->ai_addr = (void *)in;
    a->ai_addrlen = sizeof *in;
    a->ai_next = list;
    list = a;
  }
  *out = list;
  return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *list);
void __wrap_freeaddrinfo(struct addrinfo *list)
{
  for (struct addrinfo *next; list; list = next) {
    next = list->ai_next;
    free(list);
  }
}

/* --- life ------------------------------------------------------------------------------------ */

void sim_net_begin(void)
{
  ports = 0;
  memset(&sim_net, 0, sizeof sim_net);
  sim_net.delay_least = 10 * SIM_US;
  sim_net.delay_most = 100 * SIM_US;
  sim_net.dial_least = 10 * SIM_US;
  sim_net.dial_most = 300 * SIM_US;
  sim_net.window = 64 * 1024;
}

static void forget(struct way *w)
{
  for (struct part *p; (p = w->first);) {
    w->first = p->next;
    free(p);
  }
}

void sim_net_end(void)
{
  for (struct sim_conn *c; (c = conns);) {
    conns = c->next;
    forget(&c->up);
    forget(&c->down);
    free(c->in.bytes);
    free(c->out.bytes);
    free(c);
  }
}
