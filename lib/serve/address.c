/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/number.h"

enum { BACKLOG = 511, KEEPALIVE_SECONDS = 300 };

static const char form[] = "tcp://127.0.0.1:PORT, tcp://[::1]:PORT or unix:///PATH";

/* --- parsing -------------------------------------------------------------- */

static int parse_unix(struct lrd_address *a, const char *text, const char *path, char *error,
                      size_t error_size)
{
  struct sockaddr_un *un = (struct sockaddr_un *)&a->name;
  size_t len = strlen(path);

  if (path[0] != '/' || path[len - 1] == '/') {
    snprintf(error, error_size, "address %s: the path of a unix socket must be absolute "
             "(unix:///PATH)", text);
    return -1;
  }
  if (len >= sizeof un->sun_path) {
    snprintf(error, error_size, "address %s: a unix socket's path has at most %zu bytes, not %zu",
             text, sizeof un->sun_path - 1, len);
    return -1;
  }
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, path, len + 1);
  a->name_len = sizeof *un;
  return 0;
}

static int is_loopback(const struct sockaddr_storage *name)
{
  const struct sockaddr_in *in = (const struct sockaddr_in *)name;
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)name;

  return name->ss_family == AF_INET ? ntohl(in->sin_addr.s_addr) >> 24 == 127
                                    : IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int parse_host(struct lrd_address *a, const char *host, int port)
{
  struct sockaddr_in *in = (struct sockaddr_in *)&a->name;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->name;

  if (strcmp(host, "localhost") == 0)
    host = "127.0.0.1";
  if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    a->name_len = sizeof *in;
    return 0;
  }
  if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    a->name_len = sizeof *in6;
    return 0;
  }
  return -1;
}

/* "127.0.0.1:7777", "[::1]:7777" */
static int parse_tcp(struct lrd_address *a, const char *text, const char *rest, char *error,
                     size_t error_size)
{
  char host[64];
  const char *colon = strrchr(rest, ':');
  size_t len = colon ? (size_t)(colon - rest) : 0;
  int64_t port = 0;

  if (!colon || !lrd_parse_integer(colon + 1, strlen(colon + 1), &port) || port < 0 ||
      port > 65535) {
    snprintf(error, error_size, "address %s: a port of 0 to 65535 is missing (allowed: %s)", text,
             form);
    return -1;
  }
  if (len >= 2 && rest[0] == '[' && rest[len - 1] == ']') {
    rest++;
    len -= 2;
  }
  if (len < sizeof host) {
    memcpy(host, rest, len);
    host[len] = '\0';
  }
  if (len >= sizeof host || parse_host(a, host, (int)port) != 0) {
    snprintf(error, error_size, "address %s: the host must be an IP address or localhost "
             "(allowed: %s)", text, form);
    return -1;
  }
  return 0;
}

int lrd_address_parse(struct lrd_address *a, const char *text, int allow_remote, char *error,
                      size_t error_size)
{
  size_t len = text ? strlen(text) : 0;

  memset(a, 0, sizeof *a);
  a->fd = -1;
  if (!text || len >= sizeof a->text) {
    snprintf(error, error_size, "address: %s (allowed: %s)", text ? "too long" : "missing", form);
    return -1;
  }
  memcpy(a->text, text, len + 1);
  if (strncmp(text, "unix://", 7) == 0)
    return parse_unix(a, text, text + 7, error, error_size);
  if (strncmp(text, "tcp://", 6) != 0) {
    snprintf(error, error_size, "address %s: allowed are %s", text, form);
    return -1;
  }
  if (parse_tcp(a, text, text + 6, error, error_size) != 0)
    return -1;
  if (!allow_remote && !is_loopback(&a->name)) {
    snprintf(error, error_size, "address %s: not a loopback address, and allow_remote is not set",
             text);
    return -1;
  }
  return 0;
}

/* --- sockets -------------------------------------------------------------- */

/* Non-blocking and close-on-exec, where the system has no flag for it. */
static int tame(int fd)
{
#ifndef SOCK_CLOEXEC
  if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
    close(fd);
    return -1;
  }
#endif
#ifdef SO_NOSIGPIPE
  if (fd >= 0)
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#endif
  return fd;
}

static int new_socket(int family)
{
#ifdef SOCK_CLOEXEC
  return tame(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
#else
  return tame(socket(family, SOCK_STREAM, 0));
#endif
}

static int say_errno(const struct lrd_address *a, const char *what, char *error, size_t error_size)
{
  int cause = errno;

  snprintf(error, error_size, "address %s: %s: %s", a->text, what, strerror(cause));
  errno = cause;
  return -1;
}

static int open_tcp(struct lrd_address *a, char *error, size_t error_size)
{
  char host[64] = "";
  struct sockaddr_in *in = (struct sockaddr_in *)&a->name;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->name;
  int six = a->name.ss_family == AF_INET6;
  const int yes = 1;

  setsockopt(a->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (six)
    setsockopt(a->fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (bind(a->fd, (struct sockaddr *)&a->name, a->name_len) != 0)
    return say_errno(a, "bind", error, error_size);
  if (listen(a->fd, BACKLOG) != 0)
    return say_errno(a, "listen", error, error_size);
  if (getsockname(a->fd, (struct sockaddr *)&a->name, &a->name_len) != 0)
    return say_errno(a, "getsockname", error, error_size);
  a->port = ntohs(six ? in6->sin6_port : in->sin_port);
  inet_ntop(a->name.ss_family, six ? (void *)&in6->sin6_addr : (void *)&in->sin_addr, host,
            sizeof host);
  snprintf(a->text, sizeof a->text, six ? "tcp://[%s]:%d" : "tcp://%s:%d", host, a->port);
  return 0;
}

/* 0: nothing is there, or a socket that nobody serves. */
static int look_for_stale(struct lrd_address *a, const char *path, char *error, size_t error_size)
{
  struct stat st;
  int fd, refused;

  if (lstat(path, &st) != 0)
    return errno == ENOENT ? 0 : say_errno(a, "lstat", error, error_size);
  if (!S_ISSOCK(st.st_mode)) {
    snprintf(error, error_size, "address %s: this file is there and is not a socket", a->text);
    errno = EEXIST;
    return -1;
  }
  fd = new_socket(AF_UNIX);
  if (fd < 0)
    return say_errno(a, "socket", error, error_size);
  refused = connect(fd, (const struct sockaddr *)&a->name, a->name_len) != 0 &&
            errno == ECONNREFUSED;
  close(fd);
  if (refused)
    return 0;
  snprintf(error, error_size, "address %s: somebody listens there already", a->text);
  errno = EADDRINUSE;
  return -1;
}

/* Binds in a new directory that nobody else may enter, and moves the socket to
 * its place when its mode is right: umask belongs to the whole process. */
static int bind_private(struct lrd_address *a, const char *path, char *error, size_t error_size)
{
  struct sockaddr_un un = { .sun_family = AF_UNIX };
  char directory[sizeof un.sun_path + 16];
  const char *base = strrchr(path, '/');
  struct stat st;
  int result = -1, cause;

  snprintf(directory, sizeof directory, "%.*s/.lXXXXXX", (int)(base - path), path);
  if (strlen(directory) + 2 >= sizeof un.sun_path) {
    errno = ENAMETOOLONG;
    return say_errno(a, "bind", error, error_size);
  }
  if (!mkdtemp(directory))
    return say_errno(a, "temporary directory beside it", error, error_size);
  snprintf(un.sun_path, sizeof un.sun_path, "%.*s/s", (int)sizeof un.sun_path - 3, directory);
  if (bind(a->fd, (struct sockaddr *)&un, sizeof un) != 0)
    say_errno(a, "bind", error, error_size);
  else if (chmod(un.sun_path, 0600) != 0 || listen(a->fd, BACKLOG) != 0 ||
           lstat(un.sun_path, &st) != 0 || rename(un.sun_path, path) != 0)
    say_errno(a, "listen", error, error_size);
  else
    result = 0;
  cause = errno;
  if (result == 0) {
    a->device = st.st_dev;
    a->inode = st.st_ino;
  } else {
    unlink(un.sun_path);
  }
  rmdir(directory);
  errno = cause;
  return result;
}

static int open_unix(struct lrd_address *a, char *error, size_t error_size)
{
  const struct sockaddr_un *un = (const struct sockaddr_un *)&a->name;

  if (look_for_stale(a, un->sun_path, error, error_size) != 0)
    return -1;
  return bind_private(a, un->sun_path, error, error_size);
}

int lrd_address_open(struct lrd_address *a, char *error, size_t error_size)
{
  int is_unix = a->name.ss_family == AF_UNIX, cause;

  a->fd = new_socket(a->name.ss_family);
  if (a->fd < 0)
    return say_errno(a, "socket", error, error_size);
  if ((is_unix ? open_unix : open_tcp)(a, error, error_size) == 0)
    return 0;
  cause = errno;
  close(a->fd);
  a->fd = -1;
  errno = cause;
  return -1;
}

void lrd_address_close(struct lrd_address *a)
{
  const char *path = ((const struct sockaddr_un *)&a->name)->sun_path;
  struct stat st;

  if (a->fd < 0)
    return;
  if (a->name.ss_family == AF_UNIX && lstat(path, &st) == 0 && st.st_dev == a->device &&
      st.st_ino == a->inode)
    unlink(path);
  close(a->fd);
  a->fd = -1;
}

int lrd_address_accept(const struct lrd_address *a)
{
  const int yes = 1;
#ifdef SOCK_CLOEXEC
  int fd = tame(accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
#else
  int fd = tame(accept(a->fd, NULL, NULL));
#endif

  if (fd < 0 || a->name.ss_family == AF_UNIX)
    return fd;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
#ifdef TCP_KEEPIDLE
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ KEEPALIVE_SECONDS }, sizeof(int));
#endif
  return fd;
}
