/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/resp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "support/bytes.h"

enum { MAX_DEPTH = 32, READ_SIZE = 65536, MAX_WORDS = 64 };

struct resp_client {
  int fd;
  int timeout_ms;
  int protocol;
  int timed_out;
  char fault[160];
  struct bytes out, in;
  size_t at; /* of in: how far it is parsed */
};

int resp_has_bytes(const struct resp_client *c)
{
  struct pollfd p = { .fd = c->fd, .events = POLLIN };

  return c->in.len > c->at || poll(&p, 1, 0) > 0;
}

/* --- connection ------------------------------------------------------------ */

static struct resp_client *open_address(const struct sockaddr *address, socklen_t size,
                                        int timeout_ms)
{
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return NULL;
  int one = 1, error = 0;
  socklen_t error_size = sizeof error;
  if (address->sa_family == AF_INET)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, address, size) != 0) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    error = errno;
    if (error == EINPROGRESS) {
      if (poll(&p, 1, timeout_ms) != 1)
        error = ETIMEDOUT;
      else
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
    }
  }
  if (error) {
    close(fd);
    errno = error;
    return NULL;
  }
  struct resp_client *c = need(calloc(1, sizeof *c));
  c->fd = fd;
  c->timeout_ms = timeout_ms;
  c->protocol = 2;
  return c;
}

struct resp_client *resp_open_port(int port, int timeout_ms)
{
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return open_address((struct sockaddr *)&in, sizeof in, timeout_ms);
}

struct resp_client *resp_open_path(const char *path, int timeout_ms)
{
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof un.sun_path) {
    errno = ENAMETOOLONG;
    return NULL;
  }
  memcpy(un.sun_path, path, strlen(path) + 1);
  return open_address((struct sockaddr *)&un, sizeof un, timeout_ms);
}

void resp_close(struct resp_client *c)
{
  if (!c)
    return;
  close(c->fd);
  free(c->out.data);
  free(c->in.data);
  free(c);
}

void resp_set_timeout(struct resp_client *c, int timeout_ms)
{
  c->timeout_ms = timeout_ms;
}

int resp_protocol(const struct resp_client *c)
{
  return c->protocol;
}

const char *resp_fault(const struct resp_client *c)
{
  return c->fault;
}

int resp_timed_out(const struct resp_client *c)
{
  return c->timed_out;
}

static int fault(struct resp_client *c, const char *text)
{
  if (!c->fault[0])
    snprintf(c->fault, sizeof c->fault, "%s", text);
  return -1;
}

/* Takes what the socket has; 0, or -1 at its end. */
static int take_in(struct resp_client *c)
{
  if (c->at && c->at == c->in.len)
    c->at = c->in.len = 0;
  if (c->at > 1 << 20) {
    memmove(c->in.data, c->in.data + c->at, c->in.len - c->at);
    c->in.len -= c->at;
    c->at = 0;
  }
  bytes_reserve(&c->in, READ_SIZE);
  ssize_t n = recv(c->fd, c->in.data + c->in.len, c->in.room - c->in.len, 0);
  if (n > 0) {
    c->in.len += (size_t)n;
    return 0;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  return fault(c, n == 0 ? "end of stream" : strerror(errno));
}

static int await(struct resp_client *c, short events)
{
  struct pollfd p = {.fd = c->fd, .events = events};
  int n;
  do
    n = poll(&p, 1, c->timeout_ms);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    return p.revents;
  c->timed_out = n == 0;
  return fault(c, n == 0 ? "timeout" : strerror(errno));
}

int resp_flush(struct resp_client *c)
{
  size_t sent = 0;
  while (sent < c->out.len) {
    if (c->fault[0])
      return -1;
    ssize_t n = send(c->fd, c->out.data + sent, c->out.len - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += (size_t)n;
      continue;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return fault(c, strerror(errno));
    int events = await(c, POLLOUT | POLLIN);
    if (events < 0 || ((events & POLLIN) && take_in(c) != 0))
      return -1;
  }
  c->out.len = 0;
  return 0;
}

void resp_append_raw(struct resp_client *c, const char *bytes, size_t len)
{
  bytes_add(&c->out, bytes, len);
}

void resp_append(struct resp_client *c, int argc, const char *const *argv, const size_t *len)
{
  char head[32];
  bytes_add(&c->out, head, (size_t)snprintf(head, sizeof head, "*%d\r\n", argc));
  for (int i = 0; i < argc; i++) {
    size_t n = len ? len[i] : strlen(argv[i]);
    bytes_add(&c->out, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", n));
    bytes_add(&c->out, argv[i], n);
    bytes_add(&c->out, "\r\n", 2);
  }
}

/* --- parsing --------------------------------------------------------------- */

static int more(struct resp_client *c)
{
  int events = await(c, POLLIN);
  return events < 0 ? -1 : take_in(c);
}

/* A line without its end, as an offset into c->in (which may move). */
static int read_line(struct resp_client *c, size_t *offset, size_t *len)
{
  size_t looked = c->at;
  for (;;) {
    char *end = looked < c->in.len ? memchr(c->in.data + looked, '\r', c->in.len - looked) : NULL;
    if (end && (size_t)(end - c->in.data) + 1 < c->in.len) {
      if (end[1] != '\n')
        return fault(c, "a line that ends with \\r alone");
      *offset = c->at;
      *len = (size_t)(end - c->in.data) - c->at;
      c->at = (size_t)(end - c->in.data) + 2;
      return 0;
    }
    looked = end ? (size_t)(end - c->in.data) : c->in.len;
    size_t before = c->at;
    if (more(c) != 0)
      return -1;
    looked -= before - c->at;
  }
}

static int read_body(struct resp_client *c, size_t len, size_t *offset)
{
  while (c->in.len - c->at < len + 2)
    if (more(c) != 0)
      return -1;
  *offset = c->at;
  if (memcmp(c->in.data + c->at + len, "\r\n", 2) != 0)
    return fault(c, "a bulk without its end");
  c->at += len + 2;
  return 0;
}

static int parse_number(struct resp_client *c, size_t offset, size_t len, int64_t *out)
{
  char text[32], *end;
  if (len == 0 || len >= sizeof text)
    return fault(c, "a number of a strange length");
  memcpy(text, c->in.data + offset, len);
  text[len] = 0;
  errno = 0;
  *out = strtoll(text, &end, 10);
  return *end || errno ? fault(c, "a number that is none") : 0;
}

static int parse(struct resp_client *c, struct resp *r, int depth);

static int parse_bulk(struct resp_client *c, struct resp *r, char kind, int64_t len)
{
  size_t offset;
  if (len == -1 && kind == '$') {
    r->type = RESP_NIL;
    return 0;
  }
  if (len < 0 || len > 1 << 30)
    return fault(c, "a bulk of a strange length");
  if (read_body(c, (size_t)len, &offset) != 0)
    return -1;
  const char *text = c->in.data + offset;
  if (kind == '$') {
    resp_set_text(r, RESP_STRING, text, (size_t)len);
    return 0;
  }
  if (kind == '!') {
    resp_set_text(r, RESP_ERROR, text, (size_t)len);
    return 0;
  }
  if (len < 4 || text[3] != ':')
    return fault(c, "a verbatim string without its kind");
  resp_set_text(r, RESP_VERBATIM, text + 4, (size_t)len - 4);
  return 0;
}

static int parse_aggregate(struct resp_client *c, struct resp *r, char kind, int64_t len, int depth)
{
  if (len == -1 && kind == '*') {
    r->type = RESP_NIL_ARRAY;
    return 0;
  }
  if (len < 0 || len > 1 << 26 || depth >= MAX_DEPTH)
    return fault(c, "an aggregate of a strange length or depth");
  enum resp_type type = kind == '*' ? RESP_ARRAY : kind == '%' ? RESP_MAP : RESP_SET;
  if (kind == '>')
    type = RESP_PUSH;
  resp_set_aggregate(r, type, (size_t)len * (kind == '%' ? 2 : 1));
  for (size_t i = 0; i < r->len; i++)
    if (parse(c, &r->element[i], depth + 1) != 0)
      return -1;
  return 0;
}

static double parse_real(const char *text)
{
  if (strcmp(text, "inf") == 0)
    return INFINITY;
  if (strcmp(text, "-inf") == 0)
    return -INFINITY;
  return strcmp(text, "nan") == 0 ? NAN : strtod(text, NULL);
}

static int parse(struct resp_client *c, struct resp *r, int depth)
{
  size_t offset = 0, len = 0;
  int64_t number = 0;
  if (read_line(c, &offset, &len) != 0)
    return -1;
  if (len == 0)
    return fault(c, "an empty line");
  const char *text = c->in.data + offset + 1;
  char kind = text[-1];
  len--;
  switch (kind) {
  case '+': resp_set_text(r, RESP_STATUS, text, len); return 0;
  case '-': resp_set_text(r, RESP_ERROR, text, len); return 0;
  case '(': resp_set_text(r, RESP_BIGNUM, text, len); return 0;
  case '_': r->type = RESP_NIL; return len ? fault(c, "a nil with text") : 0;
  case ':': r->type = RESP_INTEGER; return parse_number(c, offset + 1, len, &r->integer);
  case ',':
    resp_set_text(r, RESP_DOUBLE, text, len);
    r->real = parse_real(r->str);
    return 0;
  case '#':
    r->type = RESP_BOOLEAN;
    r->integer = len == 1 && *text == 't';
    return len == 1 && (*text == 't' || *text == 'f') ? 0 : fault(c, "a strange boolean");
  case '$':
  case '!':
  case '=': return parse_number(c, offset + 1, len, &number) ? -1 : parse_bulk(c, r, kind, number);
  case '*':
  case '%':
  case '~':
  case '>':
    return parse_number(c, offset + 1, len, &number) ? -1
                                                     : parse_aggregate(c, r, kind, number, depth);
  default: return fault(c, "a reply of no known type");
  }
}

struct resp *resp_read(struct resp_client *c)
{
  if (c->fault[0])
    return NULL;
  struct resp *r = need(calloc(1, sizeof *r));
  if (parse(c, r, 0) == 0)
    return r;
  resp_free(r);
  return NULL;
}

struct resp *resp_call(struct resp_client *c, int argc, const char *const *argv, const size_t *len)
{
  resp_append(c, argc, argv, len);
  return resp_flush(c) == 0 ? resp_read(c) : NULL;
}

struct resp *resp_words(struct resp_client *c, const char *word, ...)
{
  const char *argv[MAX_WORDS];
  int argc = 0;
  va_list list;
  va_start(list, word);
  for (; word && argc < MAX_WORDS; word = va_arg(list, const char *))
    argv[argc++] = word;
  va_end(list);
  return resp_call(c, argc, argv, NULL);
}

int resp_hello(struct resp_client *c, int protocol)
{
  struct resp *r = resp_words(c, "HELLO", protocol == 3 ? "3" : "2", NULL);
  int failed = !r || r->type == RESP_ERROR;
  resp_free(r);
  if (failed)
    return -1;
  c->protocol = protocol;
  return 0;
}
