/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_CONFIG_H
#define LRD_STORE_CONFIG_H

#include <larder/backend.h>
#include <larder/options.h>

/*
 * The checked options of one store: URL, struct and environment merged, every
 * value in range.  Owned by the store, constant while it is open.
 */

enum lrd_scheme { LRD_SCHEME_MEMORY, LRD_SCHEME_TCP, LRD_SCHEME_TLS, LRD_SCHEME_UNIX };

struct lrd_config {
  enum lrd_scheme scheme;
  char *host; /* or NULL */
  int port;
  char *path; /* of the unix socket, or NULL */
  int database;
  char *user, *password, *client_name; /* or NULL; password is wiped at release */
  larder_credentials_fn *credentials; /* asked in their place, or NULL */
  void *credentials_context;
  char *tls_ca, *tls_cert, *tls_key, *tls_name; /* or NULL */
  int tls_insecure; /* any certificate will do */
  char *prefix; /* of every key, or NULL */
  int64_t timeout;         /* ns */
  int64_t connect_timeout; /* ns */
  int max_retries;
  int protocol;            /* 2, 3; 0: the best that there is */
  int required, enabled, fallback, background;
  larder_outage outage;
  unsigned connections, shards;
  size_t journal_bytes, journal_keys;
  larder_delivery delivery;
  size_t maxmemory; /* 0: no bound */
  larder_policy maxmemory_policy;
  char address[272]; /* for people: "127.0.0.1:6379" */
  const struct larder_backend_table *backend; /* the application's own, or NULL */
  larder_memory memory;
  larder_clock clock;
  larder_event_fn *event;
  void *event_context;
};

/* Fills *config from url, options and environment (larder/options.h).  OK, or
 * BAD_ARGUMENT / NO_MEMORY with one line in error that names option, value and
 * what is allowed; then there is nothing to release. */
larder_outcome lrd_config_read(struct lrd_config *, const char *url, const larder_options *,
                               char *error, size_t error_size);
void lrd_config_release(struct lrd_config *);

#endif
