/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_SERVE_H
#define LARDER_SERVE_H

#include <stddef.h>
#include <stdint.h>

#include <larder/outcome.h>

/*
 * A listener lets other programs talk to a store of this process in Redis's
 * protocol (RESP2, RESP3, inline commands): redis-cli, or a client library in
 * any language.  Only in builds that have libuv (not with --disable-redis).
 *
 * One thread of larder's own serves all clients of a listener.  If the store
 * may have to wait for a network, clients' commands run on up to `workers`
 * further threads.  Commands of one client are executed in their order.
 *
 * Where a reply can't carry an outcome it is an error that begins with
 * UNAVAILABLE (UNKNOWN_LOCALLY, NO_ANSWER), UNKNOWN or NOTSENT.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct larder larder;
typedef struct larder_listener larder_listener;

/* Fields that are zero or NULL have their default. */
typedef struct larder_listen_options {
  size_t size; /* sizeof(larder_listen_options): set by LARDER_LISTEN_OPTIONS_INIT */

  /* Where to listen, at least one, at most 64: "tcp://127.0.0.1:7777", "tcp://[::1]:7777",
   * "tcp://localhost:7777", "unix:///path" (mode 0600; replaces a socket that nobody
   * serves any more).  Port 0: any free one.  Host names other than localhost
   * are not resolved. */
  const char *const *address;
  size_t addresses;

  /* What clients must AUTHenticate with, as user "default"; at most 512 bytes.  Copied,
   * and wiped at close.  NULL: no password. */
  const char *password;

  int allow_remote; /* 1: addresses other than loopback are allowed */

  unsigned max_clients;   /* 1 .. 100000, default 10000; one too many gets Redis's error */
  unsigned workers;       /* 1 .. 256, default 64 */
  size_t query_buffer;    /* bytes of one request: 1 KiB .. 1 GiB, default 512 MiB */
  size_t output_buffer;   /* bytes of replies that a client has not read, from where on no
                             more of its commands are read: 1 KiB .. 1 GiB, default 16 MiB */
  size_t output_limit;    /* ... from where on it is disconnected (one huge reply):
                             1 KiB .. 4 GiB, default 1 GiB */
} larder_listen_options;

#ifdef __cplusplus
static inline larder_listen_options larder_listen_options_unset(void)
{
  larder_listen_options options = larder_listen_options();
  options.size = sizeof options;
  return options;
}
#define LARDER_LISTEN_OPTIONS_INIT larder_listen_options_unset()
#else
#define LARDER_LISTEN_OPTIONS_INIT { .size = sizeof(larder_listen_options) }
#endif

typedef struct larder_listener_status {
  size_t size;              /* in: sizeof(larder_listener_status) */
  uint64_t clients;         /* now */
  uint64_t accepted;        /* so far */
  uint64_t rejected;        /* one too many, or no memory */
  uint64_t commands;
  uint64_t protocol_errors;
  uint64_t bytes_in, bytes_out;
  uint64_t workers;         /* threads now */
} larder_listener_status;

/* Begins to listen.  The store must stay open until larder_listener_close has
 * returned.  NULL on failure, with one line in error (always NUL-terminated if
 * error_size > 0) that names the option, its value and what is allowed (errno is
 * EINVAL), or the address and cause (errno).  Any thread. */
larder_listener *larder_listen(larder *store, const larder_listen_options *options, char *error,
                               size_t error_size);

/* The i-th address as it is: "tcp://127.0.0.1:34567", "unix:///path"; NULL: out
 * of range.  Valid until close.  Any thread. */
const char *larder_listener_address(const larder_listener *listener, size_t i);

/* Its port; 0: a unix socket; -1: out of range.  Any thread. */
int larder_listener_port(const larder_listener *listener, size_t i);

/* OK, BAD_ARGUMENT (status->size), FORKED.  Any thread. */
larder_outcome larder_listener_get_status(larder_listener *listener,
                                          larder_listener_status *status);

/* Stops listening, lets calls that are being executed end (each has its
 * deadline; what is pipelined behind them is dropped), disconnects the clients, joins the
 * threads, removes the unix sockets.  NULL is allowed.  In a child of fork(): does nothing.
 * Once, by one thread. */
void larder_listener_close(larder_listener *listener);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
