/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_CLIENT_H
#define LRD_SERVE_CLIENT_H

#include "serve/listener.h"

/*
 * One connection.  All functions are called on the loop's thread.
 *
 * What was received is parsed into a list of commands whose arguments point
 * into the input buffer; the list runs in the client's session, at most one at
 * a time; its replies are appended to the output buffer.  While a list runs on
 * a worker, `busy` is set and input, list, session and `replies` are the worker's.  A command that
 * waits for a key interrupts it (client_wait.h).
 */

/* Takes over a connected socket; it is closed in any case.  -1: no memory. */
int lrd_client_open(larder_listener *, int fd);

/* A job that lrd_pool_done gave back. */
void lrd_client_done(struct lrd_job *);

/* Sends messages to those who heard some. */
void lrd_client_heard(larder_listener *);

/* Disconnects; a client that is busy goes when it is done. */
void lrd_client_close(struct lrd_client *);

/* The next in the listener's list; NULL: the last. */
struct lrd_client *lrd_client_next(const struct lrd_client *);

#endif
