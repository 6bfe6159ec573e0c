/* SPDX-License-Identifier: BSD-2-Clause */
#include "drill.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_S = 10 };

struct drill_wire {
  FILE *in;
  int fd;
};

struct drill_wire *drill_wire_open(const char *socket_path)
{
  struct sockaddr_un un = { .sun_family = AF_UNIX };
  struct timeval wait = { .tv_sec = WAIT_S };
  struct drill_wire *w = calloc(1, sizeof *w);

  if (!w || strlen(socket_path) >= sizeof un.sun_path) {
    free(w);
    return NULL;
  }
  strcpy(un.sun_path, socket_path);
  w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  if (w->fd >= 0 && connect(w->fd, (struct sockaddr *)&un, sizeof un) == 0)
    w->in = fdopen(w->fd, "r");
  if (w->in)
    return w;
  if (w->fd >= 0)
    close(w->fd);
  free(w);
  return NULL;
}

void drill_wire_close(struct drill_wire *w)
{
  if (!w)
    return;
  fclose(w->in);
  free(w);
}

static int put(struct drill_wire *w, const char *bytes, size_t len)
{
  ssize_t n;

  while (len > 0) {
    n = send(w->fd, bytes, len, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return -1;
    bytes += n;
    len -= (size_t)n;
  }
  return 0;
}

int drill_wire_send(struct drill_wire *w, const char *word, ...)
{
  char head[64];
  va_list words;
  const char *next;
  int n = 1, failed, size;

  va_start(words, word);
  while (va_arg(words, const char *))
    n++;
  va_end(words);
  size = snprintf(head, sizeof head, "*%d\r\n", n);
  failed = put(w, head, (size_t)size);
  va_start(words, word);
  for (next = word; next && !failed; next = va_arg(words, const char *)) {
    size = snprintf(head, sizeof head, "$%zu\r\n", strlen(next));
    failed = put(w, head, (size_t)size) || put(w, next, strlen(next)) || put(w, "\r\n", 2);
  }
  va_end(words);
  return failed ? -1 : 0;
}

/* Bytes of a bulk string: as many as fit are kept. */
static int read_bulk(struct drill_wire *w, int64_t len, char *text, size_t size)
{
  int64_t i;
  int c;

  for (i = 0; i < len + 2; i++) {
    c = getc(w->in);
    if (c == EOF)
      return 0;
    if (i < len && (size_t)i + 1 < size)
      text[i] = (char)c;
  }
  text[(size_t)len + 1 < size ? (size_t)len : size - 1] = '\0';
  return '$';
}

int drill_wire_read(struct drill_wire *w, int64_t *n, char *text, size_t size)
{
  char line[512];
  size_t len;

  if (!fgets(line, sizeof line, w->in))
    return 0;
  len = strcspn(line, "\r\n");
  line[len] = '\0';
  *n = (int64_t)len - 1;
  switch (line[0]) {
  case ':':
  case '*':
    *n = strtoll(line + 1, NULL, 10);
    return line[0];
  case '$':
    *n = strtoll(line + 1, NULL, 10);
    if (*n >= 0)
      return read_bulk(w, *n, text, size);
    text[0] = '\0';
    return '$';
  case '+':
  case '-':
    snprintf(text, size, "%s", line + 1);
    return line[0];
  default:
    return 0;
  }
}
