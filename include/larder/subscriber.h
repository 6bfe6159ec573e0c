/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_SUBSCRIBER_H
#define LARDER_SUBSCRIBER_H

#include <stddef.h>
#include <stdint.h>

#include <larder/outcome.h>

/*
 * Publish/subscribe.  A subscriber is a queue of what was published to the channels, patterns
 * and shard channels that it subscribed; publishing is a command (PUBLISH, SPUBLISH).  The same on
 * every backend: the in-process engine, a Redis, both with fallback.
 *
 * Subscribing registers and never waits: what follows comes in the queue, in order, as in Redis.
 *
 *   READY   a name is subscribed: from here on nothing that is published to it is missed
 *   GAP     from here on messages may have been missed.  missed 0: the connection to Redis is
 *           lost (payload: why); it is being made anew, and each name's READY ends its gap.
 *           missed > 0: so many messages did not fit into this queue, or into memory; the
 *           subscriptions last, and what follows is received
 *   REFUSED the server does not let us subscribe this name (payload: its words); it is not
 *           subscribed any more
 *
 * Redis delivers a message at most once, so what must not be lost belongs into a stream.  While
 * Redis is away PUBLISH fails, it is never delivered to local subscribers only.
 *
 * A store's key prefix is put in front of every name, and taken off what is delivered.
 *
 * Threads: any thread may subscribe and unsubscribe; one at a time takes messages; close comes
 * last.  Processes: in a child after fork() everything is FORKED, but for close, which frees.
 * The store may be closed first: what is queued is delivered, then CLOSED.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct larder larder;
typedef struct larder_subscriber larder_subscriber;

typedef enum larder_heard {
  LARDER_HEARD_MESSAGE = 0, /* of a channel */
  LARDER_HEARD_PMESSAGE,    /* by a pattern */
  LARDER_HEARD_SMESSAGE,    /* of a shard channel */
  LARDER_HEARD_READY,
  LARDER_HEARD_GAP,
  LARDER_HEARD_REFUSED,
  LARDER_HEARD_CLOSED /* the store was closed: nothing follows; larder_subscriber_next says it
                         by its outcome */
} larder_heard;

typedef enum larder_listening {
  LARDER_LISTEN_CHANNEL = 0,
  LARDER_LISTEN_PATTERN,
  LARDER_LISTEN_SHARD
} larder_listening;

/* What was heard.  Bytes are followed by a NUL that is not counted; they are valid until the
 * next one is taken, or the callback returns. */
typedef struct larder_message {
  larder_heard heard;
  larder_listening listening; /* what name is: of messages, READY and REFUSED */
  const char *name;           /* as it was subscribed (a PMESSAGE: the pattern), or "" */
  size_t name_len;
  const char *channel;        /* that it was published to, or "" */
  size_t channel_len;
  const char *payload;        /* of a message; else the reason, or "" */
  size_t payload_len;
  uint64_t missed;            /* of GAP */
} larder_message;

/* Called for each on a thread of the subscriber's own, with no lock held.  It may call anything of
 * larder, larder_subscriber_close on this subscriber too: then it is the last call. */
typedef void larder_message_fn(void *context, const larder_message *message);

typedef struct larder_subscriber_options {
  size_t size;                /* sizeof(larder_subscriber_options) */
  size_t queue_bytes;         /* that may wait to be taken, 64 a message beside its own; 4096 ..
                                 1 GiB; 0: 8 MiB */
  larder_message_fn *message; /* NULL: larder_subscriber_next takes them */
  void *context;
} larder_subscriber_options;

/* options: NULL for the defaults.  NULL: error has one line that says why (size bytes of it:
 * LARDER_ERROR_SIZE is enough; NULL and 0 are allowed). */
larder_subscriber *larder_subscriber_open(larder *store, const larder_subscriber_options *options,
                                          char *error, size_t error_size);

/* Ends all its subscriptions.  A thread that waits in larder_subscriber_next gets CLOSED first; a
 * callback that runs is waited for.  NULL is allowed. */
void larder_subscriber_close(larder_subscriber *subscriber);

/* name: any bytes; patterns as PSUBSCRIBE has them.  OK: READY will come, or has (subscribed
 * already: once more).  Else nothing was changed: BAD_ARGUMENT, CLOSED, FORKED, NO_MEMORY (also: 1048576
 * subscriptions or 64 MiB of names in this store, 65536 notices that nobody has taken). */
larder_outcome larder_subscribe(larder_subscriber *subscriber, const char *name, size_t len);
larder_outcome larder_psubscribe(larder_subscriber *subscriber, const char *pattern, size_t len);
larder_outcome larder_ssubscribe(larder_subscriber *subscriber, const char *name, size_t len);

/* OK, ABSENT (was not subscribed), or as above.  What is queued already is still delivered. */
larder_outcome larder_unsubscribe(larder_subscriber *subscriber, const char *name, size_t len);
larder_outcome larder_punsubscribe(larder_subscriber *subscriber, const char *pattern, size_t len);
larder_outcome larder_sunsubscribe(larder_subscriber *subscriber, const char *name, size_t len);

/* Takes the oldest: OK; ABSENT: none came within timeout_ms (0: doesn't wait; at most 3600000;
 * -1: however long it takes); CLOSED: the store, or this subscriber, was closed; FORKED; BAD_ARGUMENT: also
 * where there is a callback, or another thread takes at the same time. */
larder_outcome larder_subscriber_next(larder_subscriber *subscriber, int64_t timeout_ms,
                                      larder_message *message);

/* A descriptor that is readable while something waits to be taken (for poll, epoll, a loop's
 * watcher): then call larder_subscriber_next with timeout 0 until it says ABSENT.  Owned by the
 * subscriber; do not read or close it.  -1: there is a callback, or no descriptor left. */
int larder_subscriber_pollfd(larder_subscriber *subscriber);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
