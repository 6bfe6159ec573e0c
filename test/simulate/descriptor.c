/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors of the world: sockets (net.c) and eventfds.  A number is given again as soon as it
 * is free, so who uses a closed one meets somebody else's, as with the system's.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "simulate/task.h"
#include "simulate/world.h"

enum { DESCRIPTORS = 1024, FIRST = 1000 };

static struct descriptor {
  int open, polled;
  struct sim_conn *conn; /* NULL: an eventfd */
  uint64_t count;
} table[DESCRIPTORS];

static int most;

static struct descriptor *get(int fd, const char *what)
{
  if (fd < FIRST || fd >= FIRST + DESCRIPTORS || !table[fd - FIRST].open)
    sim_fail("%s of descriptor %d, which is not open", what, fd);
  return &table[fd - FIRST];
}

static int open_one(void)
{
  if (sim_once_in(sim_odds.descriptor)) {
    errno = EMFILE;
    return -1;
  }
  for (int i = 0; i < DESCRIPTORS; i++)
    if (!table[i].open) {
      table[i] = (struct descriptor){.open = 1};
      most = i >= most ? i + 1 : most;
      return FIRST + i;
    }
  sim_fail("more than %d descriptors", DESCRIPTORS);
}

void sim_descriptors_begin(void)
{
  memset(table, 0, sizeof table);
  most = 0;
}

void sim_descriptors_end(void)
{
  for (int i = 0; i < most; i++)
    if (table[i].open)
      sim_fail("descriptor %d (%s) was not closed", FIRST + i, table[i].conn ? "socket" : "eventfd");
}

short sim_descriptor_ready(int fd)
{
  struct descriptor *d = get(fd, "poll");
  if (d->conn)
    return sim_conn_ready(d->conn);
  return (short)(POLLOUT | (d->count ? POLLIN : 0));
}

int sim_poll_block(const char *what, int64_t until)
{
  return sim_block(what, table, until);
}

void sim_poll_wake(void)
{
  sim_wake_on(table, 1); /* they look for themselves */
}

void sim_descriptor_changed(int fd)
{
  (void)fd;
  sim_poll_wake();
}

/* --- the system's calls -------------------------------------------------------------------- */

int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
  (void)family, (void)protocol;
  if (!(type & SOCK_CLOEXEC) || !(type & SOCK_NONBLOCK))
    sim_fail("a socket that blocks, or is handed on by exec");
  int fd = open_one();
  if (fd >= 0)
    table[fd - FIRST].conn = sim_conn_new(fd);
  return fd;
}

struct sim_conn *sim_descriptor_conn(int fd, const char *what);
struct sim_conn *sim_descriptor_conn(int fd, const char *what)
{
  struct descriptor *d = get(fd, what);
  if (!d->conn)
    sim_fail("%s of descriptor %d, which is no socket", what, fd);
  return d->conn;
}

int __wrap_eventfd(unsigned initial, int flags);
int __wrap_eventfd(unsigned initial, int flags)
{
  if (!(flags & EFD_CLOEXEC) || !(flags & EFD_NONBLOCK))
    sim_fail("an eventfd that blocks, or is handed on by exec");
  int fd = open_one();
  if (fd >= 0)
    table[fd - FIRST].count = initial;
  return fd;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
  struct descriptor *d = get(fd, "write");
  uint64_t n;
  if (d->conn || len != sizeof n)
    sim_fail("write() to a socket, which may raise SIGPIPE");
  memcpy(&n, bytes, sizeof n);
  d->count += n;
  sim_descriptor_changed(fd);
  return sizeof n;
}

ssize_t __wrap_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
  struct descriptor *d = get(fd, "read");
  if (d->conn || size < sizeof d->count)
    sim_fail("read() of a socket, or of less than an eventfd gives");
  if (!d->count) {
    errno = EAGAIN;
    return -1;
  }
  memcpy(bytes, &d->count, sizeof d->count);
  d->count = 0;
  return sizeof d->count;
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
  struct descriptor *d = get(fd, "close");
  if (d->polled)
    sim_fail("descriptor %d is closed while somebody polls it", fd);
  if (d->conn)
    sim_conn_closed(d->conn);
  d->open = 0;
  return 0;
}

/* --- poll ------------------------------------------------------------------------------------ */

static int look(struct pollfd *p, nfds_t n)
{
  int ready = 0;
  for (nfds_t i = 0; i < n; i++) {
    p[i].revents = 0;
    if (p[i].fd < 0)
      continue;
    p[i].revents =
      (short)(sim_descriptor_ready(p[i].fd) & (p[i].events | POLLERR | POLLHUP | POLLNVAL));
    ready += p[i].revents != 0;
  }
  return ready;
}

static void mark(const struct pollfd *p, nfds_t n, int by)
{
  for (nfds_t i = 0; i < n; i++)
    if (p[i].fd >= 0)
      table[p[i].fd - FIRST].polled += by;
}

static int poll_until(struct pollfd *p, nfds_t n, int64_t until)
{
  sim_assert_unlocked("poll");
  sim_pause();
  int ready = look(p, n);
  while (!ready && sim_now() < until) {
    mark(p, n, 1);
    int woken = sim_poll_block("poll", until);
    mark(p, n, -1);
    ready = look(p, n);
    if (!woken)
      break;
  }
  return ready;
}

int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const void *mask);
int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const void *mask)
{
  (void)mask;
  int64_t left = !t || t->tv_sec > 4000000000 ? SIM_NEVER : (int64_t)t->tv_sec * SIM_S + t->tv_nsec;
  return poll_until(p, n, left == SIM_NEVER ? left : sim_now() + left);
}

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
  return poll_until(p, n, timeout < 0 ? SIM_NEVER : sim_now() + timeout * SIM_MS);
}
