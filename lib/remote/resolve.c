/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static void add(struct lrd_addresses *a, const void *address, socklen_t length)
{
  if (a->count == LRD_ADDRESSES || length > sizeof a->of[0].address)
    return;
  memcpy(&a->of[a->count].address, address, length);
  a->of[a->count++].length = length;
}

static int unix_address(const char *path, struct lrd_addresses *out, char *error, size_t size)
{
  struct sockaddr_un u = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  if (len >= sizeof u.sun_path) {
    snprintf(error, size, "the path of a unix socket is at most %zu bytes", sizeof u.sun_path - 1);
    return -1;
  }
  memcpy(u.sun_path, path, len + 1);
  add(out, &u, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1));
  return 1;
}

int lrd_addresses_known(const struct lrd_config *config, struct lrd_addresses *out, char *error,
                        size_t size)
{
  out->count = 0;
  if (config->scheme == LRD_SCHEME_UNIX)
    return unix_address(config->path ? config->path : "", out, error, size);
  const char *host = config->host ? config->host : "127.0.0.1";
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)config->port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)config->port)};
  if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
    add(out, &v4, sizeof v4);
    return 1;
  }
  if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
    add(out, &v6, sizeof v6);
    return 1;
  }
  return 0;
}

/* --- names ----------------------------------------------------------------------------- */

/* Shared by owner and thread; the last one frees it.  Not of the store's memory: the
 * thread may outlive the store. */
struct lrd_resolution {
  pthread_mutex_t mutex;
  int owners, answered;
  uv_async_t *done; /* NULL: nobody waits any more */
  struct lrd_addresses addresses;
  int error;
  char service[8];
  char host[];
};

static void disown(struct lrd_resolution *r)
{
  int left = --r->owners;
  pthread_mutex_unlock(&r->mutex);
  if (left)
    return;
  pthread_mutex_destroy(&r->mutex);
  free(r);
}

static void *ask(void *argument)
{
  struct lrd_resolution *r = argument;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
  int error = getaddrinfo(r->host, r->service, &hints, &list);
  pthread_mutex_lock(&r->mutex);
  r->error = error;
  if (!error) {
    for (struct addrinfo *a = list; a; a = a->ai_next)
      add(&r->addresses, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(list);
  }
  r->answered = 1;
  if (r->done)
    uv_async_send(r->done);
  disown(r);
  return NULL;
}

static int start_detached(struct lrd_resolution *r)
{
  pthread_t thread;
  sigset_t all, old;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
    return -1;
  int error = pthread_create(&thread, NULL, ask, r);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (!error)
    pthread_detach(thread);
  return error ? -1 : 0;
}

struct lrd_resolution *lrd_resolution_start(const char *host, int port, uv_async_t *done)
{
  size_t len = strlen(host) + 1;
  struct lrd_resolution *r = calloc(1, sizeof *r + len);
  if (!r)
    return NULL;
  memcpy(r->host, host, len);
  snprintf(r->service, sizeof r->service, "%u", (unsigned)port & 0xffffu);
  r->owners = 2;
  r->done = done;
  if (pthread_mutex_init(&r->mutex, NULL) == 0) {
    if (start_detached(r) == 0)
      return r;
    pthread_mutex_destroy(&r->mutex);
  }
  free(r);
  return NULL;
}

int lrd_resolution_result(struct lrd_resolution *r, struct lrd_addresses *out, char *error,
                          size_t size)
{
  pthread_mutex_lock(&r->mutex);
  int answered = r->answered;
  if (answered) {
    *out = r->addresses;
    if (!out->count)
      snprintf(error, size, "%s: %s", r->host, r->error ? gai_strerror(r->error) : "no address");
  }
  pthread_mutex_unlock(&r->mutex);
  return answered;
}

void lrd_resolution_leave(struct lrd_resolution *r)
{
  if (!r)
    return;
  pthread_mutex_lock(&r->mutex);
  r->done = NULL;
  disown(r);
}
