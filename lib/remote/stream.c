/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <uv.h>

static ssize_t result(ssize_t n)
{
  if (n >= 0)
    return n;
  return errno == EAGAIN || errno == EWOULDBLOCK ? LRD_STREAM_AGAIN : LRD_STREAM_FAULT;
}

ssize_t lrd_stream_write(struct lrd_stream *s, const char *bytes, size_t len)
{
  if (s->tls)
    return lrd_tls_write(s->tls, bytes, len);
  ssize_t n;
  do
    n = send(s->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return result(n);
}

ssize_t lrd_stream_read(struct lrd_stream *s, char *bytes, size_t size)
{
  if (s->tls)
    return lrd_tls_read(s->tls, bytes, size);
  ssize_t n;
  do
    n = recv(s->fd, bytes, size, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return result(n);
}

void lrd_stream_be_patient(struct lrd_stream *s)
{
  struct timeval limit = {.tv_usec = LRD_STREAM_PATIENCE_MS * 1000};
  if (s->tls || setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
    return;
  int flags = fcntl(s->fd, F_GETFL);
  s->patient = flags >= 0 && fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

ssize_t lrd_stream_receive(struct lrd_stream *s, char *bytes, size_t size)
{
  if (!s->patient)
    return lrd_stream_read(s, bytes, size);
  ssize_t n = recv(s->fd, bytes, size, 0);
  return n < 0 && errno == EINTR ? LRD_STREAM_AGAIN : result(n);
}

void lrd_stream_close(struct lrd_stream *s)
{
  if (s->tls)
    lrd_tls_free(s->tls);
  if (s->fd >= 0)
    close(s->fd);
  *s = LRD_STREAM_NONE;
}

void lrd_stream_abandon(struct lrd_stream *s)
{
  if (s->tls)
    lrd_tls_abandon(s->tls);
  if (s->fd >= 0)
    close(s->fd);
  *s = LRD_STREAM_NONE;
}

const char *lrd_stream_error(const struct lrd_stream *s, int error,
                             char text[LRD_STREAM_ERROR_SIZE])
{
  if (s && s->tls && lrd_tls_error(s->tls, text, LRD_STREAM_ERROR_SIZE))
    return text;
  return uv_strerror_r(-error, text, LRD_STREAM_ERROR_SIZE);
}

larder_cause lrd_stream_cause(const struct lrd_stream *s)
{
  return s->tls ? lrd_tls_cause(s->tls) : LARDER_CAUSE_CUT;
}
