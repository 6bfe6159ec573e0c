/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_RESOLVE_H
#define LRD_REMOTE_RESOLVE_H

#include <stddef.h>
#include <sys/socket.h>
#include <uv.h>

#include "store/config.h"

/*
 * Where a server is.  Literal addresses and unix sockets are known at once.
 * Names are asked for on a thread of their own, since getaddrinfo has no
 * deadline: one at a time a store; if it hangs, it is left behind and frees
 * itself when it returns, so that neither a call nor close() waits for it.
 */

enum { LRD_ADDRESSES = 8 };

struct lrd_addresses {
  size_t count;
  struct {
    struct sockaddr_storage address;
    socklen_t length;
  } of[LRD_ADDRESSES];
};

/* 1: filled; 0: a name, to be resolved; -1: no address (error says why). */
int lrd_addresses_known(const struct lrd_config *, struct lrd_addresses *, char *error,
                        size_t size);

struct lrd_resolution;

/* Starts asking; done is sent to when there is an answer.  NULL: no memory or no thread. */
struct lrd_resolution *lrd_resolution_start(const char *host, int port, uv_async_t *done);
/* 1: answered; *out, or out->count 0 and error.  0: not yet. */
int lrd_resolution_result(struct lrd_resolution *, struct lrd_addresses *out, char *error,
                          size_t size);
/* The owner loses interest: done is never sent to again.  NULL is allowed. */
void lrd_resolution_leave(struct lrd_resolution *);

#endif
