/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "util/cancel.h"

#if defined __linux__
#include <sys/eventfd.h>
#endif

int lrd_bell_open(struct lrd_bell *b)
{
#if defined __linux__
  b->read_fd = b->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return b->read_fd < 0 ? -1 : 0;
#else
  int fd[2];

  b->read_fd = b->write_fd = -1;
  if (pipe(fd) != 0)
    return -1;
  for (int i = 0; i < 2; i++) {
    fcntl(fd[i], F_SETFD, FD_CLOEXEC);
    fcntl(fd[i], F_SETFL, O_NONBLOCK);
  }
  b->read_fd = fd[0];
  b->write_fd = fd[1];
  return 0;
#endif
}

void lrd_bell_close(struct lrd_bell *b)
{
  if (b->read_fd >= 0)
    close(b->read_fd);
  if (b->write_fd >= 0 && b->write_fd != b->read_fd)
    close(b->write_fd);
  b->read_fd = b->write_fd = -1;
}

/* A full pipe or counter is as readable as it can be. */
void lrd_bell_ring(const struct lrd_bell *b)
{
  const uint64_t one = 1;
  int state = lrd_cancel_disable();

  while (write(b->write_fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
  lrd_cancel_restore(state);
}

void lrd_bell_hush(const struct lrd_bell *b)
{
  char bytes[64];
  ssize_t n;
  int state = lrd_cancel_disable();

  do
    n = read(b->read_fd, bytes, sizeof bytes);
  while ((n < 0 && errno == EINTR) || n == (ssize_t)sizeof bytes);
  lrd_cancel_restore(state);
}
