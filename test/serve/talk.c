/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/check.h"

static int connected(int fd, const void *name, socklen_t len)
{
  int error;

  if (fd < 0 || connect(fd, name, len) == 0)
    return fd;
  error = errno;
  close(fd);
  errno = error;
  return -1;
}

int talk_connect(int port)
{
  struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &in, sizeof in);
}

int talk_connect_path(const char *path)
{
  struct sockaddr_un un = { .sun_family = AF_UNIX };

  strncpy(un.sun_path, path, sizeof un.sun_path - 1);
  return connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &un, sizeof un);
}

static int wait_for(int fd, short events, int wait_ms)
{
  struct pollfd p = { fd, events, 0 };

  return poll(&p, 1, wait_ms) > 0 ? p.revents : 0;
}

struct talk talk_exchange(int fd, const void *bytes, size_t len, int half_close, int wait_ms)
{
  size_t capacity = 65536;
  struct talk t = { malloc(capacity), 0, 0 };
  const char *at = bytes;
  char block[16384];
  ssize_t n;
  int ready;

  if (len == 0 && half_close)
    shutdown(fd, SHUT_WR);
  while ((ready = wait_for(fd, (short)(POLLIN | (len ? POLLOUT : 0)), wait_ms)) != 0) {
    if (ready & POLLOUT) {
      n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        at += n;
        len -= (size_t)n;
        if (len == 0 && half_close)
          shutdown(fd, SHUT_WR);
      } else if (errno != EAGAIN) {
        len = 0; /* it has closed: what it said before is still to be read */
      }
    }
    if (!(ready & (POLLIN | POLLHUP | POLLERR)))
      continue;
    n = recv(fd, block, sizeof block, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
      continue;
    if (n <= 0) {
      t.closed = 1;
      break;
    }
    if (capacity < t.len + (size_t)n + 1)
      t.bytes = realloc(t.bytes, capacity *= 2);
    memcpy(t.bytes + t.len, block, (size_t)n);
    t.len += (size_t)n;
  }
  t.bytes[t.len] = '\0';
  return t;
}

void talk_free(struct talk *t)
{
  free(t->bytes);
  t->bytes = NULL;
}

int talk_read(int fd, void *bytes, size_t len, int wait_ms)
{
  char *at = bytes;
  ssize_t n;

  while (len > 0) {
    if (!wait_for(fd, POLLIN, wait_ms))
      return -1;
    n = recv(fd, at, len, 0);
    if (n <= 0)
      return -1;
    at += n;
    len -= (size_t)n;
  }
  return 0;
}

int talk_send(int fd, const void *bytes, size_t len)
{
  const char *at = bytes;
  ssize_t n;

  while (len > 0) {
    n = send(fd, at, len, MSG_NOSIGNAL);
    if (n <= 0)
      return -1;
    at += n;
    len -= (size_t)n;
  }
  return 0;
}

void talk_expect(int fd, const char *reply)
{
  size_t len = strlen(reply);
  char *got = calloc(1, len + 1);

  ck_assert_msg(talk_read(fd, got, len, TALK_MS) == 0, "got only \"%s\"", got);
  ck_assert_str_eq(got, reply);
  free(got);
}

void talk_expect_end(int fd)
{
  struct pollfd p = { fd, POLLIN, 0 };
  char byte;

  ck_assert_int_eq(poll(&p, 1, TALK_MS), 1);
  ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
}

void talk_say(int fd, const char *bytes)
{
  ck_assert_int_eq(talk_send(fd, bytes, strlen(bytes)), 0);
}

/* --- house ------------------------------------------------------------------ */

static int spend(struct house *h)
{
  long left = atomic_load(&h->left);

  while (left > 0 && !atomic_compare_exchange_weak(&h->left, &left, left - 1))
    continue;
  return left != 0;
}

static void *count_allocate(void *context, size_t size)
{
  struct house *h = context;

  if (!spend(h))
    return NULL;
  atomic_fetch_add(&h->used, size);
  return malloc(size);
}

static void *count_resize(void *context, void *block, size_t old_size, size_t size)
{
  struct house *h = context;
  void *larger = spend(h) ? realloc(block, size) : NULL;

  if (larger) {
    atomic_fetch_add(&h->used, size);
    atomic_fetch_sub(&h->used, old_size);
  }
  return larger;
}

static void count_release(void *context, void *block, size_t size)
{
  atomic_fetch_sub(&((struct house *)context)->used, size);
  free(block);
}

void house_open_store(struct house *h, const larder_options *options)
{
  larder_memory memory = { count_allocate, count_resize, count_release, h };
  larder_options o = LARDER_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];

  memset(h, 0, sizeof *h);
  atomic_store(&h->left, -1);
  if (options)
    o = *options;
  o.memory = &memory;
  h->store = larder_open("memory:", &o, error, sizeof error);
  ck_assert_msg(h->store != NULL, "%s", error);
}

void house_open(struct house *h, const larder_options *store_options,
                const larder_listen_options *listen_options)
{
  static const char *const anywhere[] = { "tcp://127.0.0.1:0" };
  larder_listen_options l = LARDER_LISTEN_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];

  house_open_store(h, store_options);
  if (listen_options)
    l = *listen_options;
  if (!l.addresses) {
    l.address = anywhere;
    l.addresses = 1;
  }
  h->listener = larder_listen(h->store, &l, error, sizeof error);
  ck_assert_msg(h->listener != NULL, "%s", error);
  h->port = larder_listener_port(h->listener, 0);
}

void house_close(struct house *h)
{
  larder_listener_close(h->listener);
  larder_close(h->store, 0);
  ck_assert_uint_eq(atomic_load(&h->used), 0);
}

int house_connect(const struct house *h)
{
  int fd = talk_connect(h->port);

  ck_assert_msg(fd >= 0, "connect: %s", strerror(errno));
  return fd;
}
