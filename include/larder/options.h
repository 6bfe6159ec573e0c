/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_OPTIONS_H
#define LARDER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <larder/hooks.h>

/*
 * How a store is opened.  Each option has one name everywhere: a field here, a
 * query parameter of the URL ("redis://h:6379/0?timeout=250ms&outage=strict"),
 * and for some an environment variable.  The struct wins over the URL, the URL
 * over the environment.  Fields that are zero or NULL were not set.
 *
 * URL schemes: memory:   redis://[user[:password]@]host[:port][/db]
 *              rediss://[user[:password]@]host[:port][/db] (TLS)   unix:///path?db=N
 * Environment (only if larder_open gets a NULL URL): LARDER_URL, else REDIS_URL;
 * with any URL that is a Redis: REDIS_ENABLED, REDIS_REQUIRED (0/1/yes/no/true/false/on/off),
 * REDIS_CONNECT_TIMEOUT, REDIS_SOCKET_TIMEOUT (seconds, fractions allowed),
 * REDIS_MAX_RETRIES (0..100), REDIS_USERNAME and REDIS_PASSWORD; with rediss://:
 * LARDER_TLS_CA, LARDER_TLS_CERT, LARDER_TLS_KEY.
 * With any URL: LARDER_PREFIX.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct larder_backend_table;

typedef enum larder_outage {
  LARDER_OUTAGE_UNSET = 0,
  LARDER_OUTAGE_JOURNAL, /* the default: see doc/operations.md */
  LARDER_OUTAGE_CACHE,   /* misses are nil, nothing is replayed, keys are dropped on return */
  LARDER_OUTAGE_STRICT   /* fail at once */
} larder_outage;

/* Which keys go when the memory bound is reached: Redis's policies, and larder's own,
 * allkeys-s3fifo, the default under a bound. */
typedef enum larder_policy {
  LARDER_POLICY_UNSET = 0,
  LARDER_POLICY_VOLATILE_LRU,
  LARDER_POLICY_VOLATILE_LFU,
  LARDER_POLICY_VOLATILE_RANDOM,
  LARDER_POLICY_VOLATILE_TTL,
  LARDER_POLICY_ALLKEYS_LRU,
  LARDER_POLICY_ALLKEYS_LFU,
  LARDER_POLICY_ALLKEYS_RANDOM,
  LARDER_POLICY_NOEVICTION,
  LARDER_POLICY_ALLKEYS_S3FIFO
} larder_policy;

typedef enum larder_choice {
  LARDER_UNSET = 0,
  LARDER_NO,
  LARDER_YES
} larder_choice;

typedef enum larder_delivery {
  LARDER_DELIVER_THREAD = 0, /* completions are called on a thread of larder's own */
  LARDER_DELIVER_DISPATCH    /* ... from larder_dispatch() on the caller's thread */
} larder_delivery;

/* User and password of one connection. */
typedef struct larder_credentials {
  char user[132];     /* "": the default user */
  char password[516]; /* both "": no AUTH is sent */
} larder_credentials;

/*
 * Fills in what the next connection says, zeroed before: 0; else there is nothing now, and the
 * attempt to connect has failed.  Asked anew at each connection, so what was rotated is used from then
 * on; connections that stand are not asked again.
 *
 * Called on larder's thread for connections, one call at a time a store, with no lock held.  It
 * may read a file or take a lock of the application; while it runs, this store connects
 * nothing else and its asynchronous calls wait (synchronous ones on connections that stand don't),
 * close waits for it, and calls that need the connection still end at their deadlines.  So
 * what asks over a network is better done elsewhere, and only copied here.  It must not
 * call this store.  What it filled in is wiped once the server has answered.
 */
typedef int larder_credentials_fn(void *context, larder_credentials *out);

typedef struct larder_options {
  size_t size; /* sizeof(larder_options): set by LARDER_OPTIONS_INIT */

  const char *user;     /* ACL user; URL: user@ */
  const char *password; /* copied at opening, wiped at close; never shown */
  larder_credentials_fn *credentials; /* asked in place of user and password; NULL: nobody is */
  void *credentials_context;
  const char *client_name;
  const char *prefix;   /* "prefix": in front of every key, see doc/prefix.md; 1 to 128 printable
                           characters (! to ~) without '*'.  NULL or "": none */

  /* Of rediss:// only, see larder-urls(7). */
  const char *tls_ca;   /* "tls_ca": PEM file, or hashed directory, of the CAs that are trusted;
                           NULL: the system's */
  const char *tls_cert; /* "tls_cert": PEM file with our certificate and its chain; NULL: none */
  const char *tls_key;  /* "tls_key": PEM file with its key; NULL: it is in tls_cert */
  const char *tls_name; /* "tls_name": whom the certificate must be for; NULL: the URL's host */
  larder_choice tls_insecure_accept_any_certificate; /* the same name: yes = nothing is verified,
                           anybody on the way may read and change everything */

  int64_t timeout_ms;         /* "timeout": per call, default 250 ms; 1 .. 3600000 */
  int64_t connect_timeout_ms; /* "connect_timeout": default 1000 ms; 1 .. 3600000 */
  int max_retries;            /* "max_retries": 0 .. 100, default 3, -1 = not set; of what was
                                 certainly not sent */
  int protocol;               /* "protocol": 2 or 3: RESP that is spoken to Redis, for certain;
                                 default 0: 3 where hiredis and the server have it, else 2 */
  larder_choice required;     /* "required": opening fails if Redis can't be reached */
  larder_choice enabled;      /* "enabled": no = never talk to Redis, local engine only */
  larder_choice fallback;     /* "fallback": memory (yes, the default) or none (no) */
  larder_outage outage;       /* "outage": cache, journal, strict */

  unsigned connections;         /* "connections": at most so many a database for synchronous calls,
                                   1 .. 256, default 8: two, made when wanted, are shared by all
                                   threads, the others take batches of 64 reads or more; those of
                                   asynchronous calls, WATCH and subscribers are not among them */
  size_t journal_bytes;         /* "journal_bytes": default 64 MiB, 4 KiB .. 1 TiB */
  size_t journal_keys;          /* "journal_keys": default 1000000 */
  unsigned shards;              /* "shards": of the engine, 1 .. 1024, default 16 */
  larder_choice background;     /* "background": a maintenance thread for the engine (yes, the
                                   default) or larder_tick by the caller (no) */
  larder_delivery delivery;     /* "delivery": thread, dispatch */

  size_t maxmemory;               /* "maxmemory": bytes that the engine may hold; default 0: no
                                     bound */
  larder_policy maxmemory_policy; /* "maxmemory_policy": allkeys-s3fifo, allkeys-lru, ... */

  const larder_memory *memory; /* NULL: malloc, and an allocator of the engine's own */
  const larder_clock *clock;   /* NULL: the system's */
  larder_event_fn *event;      /* NULL: events are dropped */
  void *event_context;

  /* A backend of the application's own instead of the URL's (larder/backend.h). */
  const struct larder_backend_table *backend;
} larder_options;

/* C++ has no designated initialisers before C++20. */
#ifdef __cplusplus
static inline larder_options larder_options_unset(void)
{
  larder_options options = larder_options();
  options.size = sizeof options;
  options.max_retries = -1;
  return options;
}
#define LARDER_OPTIONS_INIT larder_options_unset()
#else
#define LARDER_OPTIONS_INIT { .size = sizeof(larder_options), .max_retries = -1 }
#endif

#ifdef __cplusplus
}
#endif

#endif
