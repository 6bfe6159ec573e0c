/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_INSTANCE_H
#define LRD_REMOTE_INSTANCE_H

#include <stdatomic.h>

#include <larder/backend.h>

#include "command/command.h"
#include "remote/fence.h"
#include "remote/loop.h"
#include "remote/tls.h"
#include "store/config.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/lock.h"

/*
 * The state of one remote store.
 *
 * Lock order: remote (registry of links and pins), link, then the leaves: the
 * loop's queue, fence, notes.  No lock is held over a poll, a callback or an event.
 */

enum { LRD_PINNED = 32 };

/* Why a connection attempt failed, as a call that waited for it is told. */
struct lrd_fault {
  larder_outcome outcome; /* NOT_SENT; REFUSED: the server said no to us */
  larder_cause cause;
  char text[200];         /* of REFUSED: the server's own */
};

/* The links of one database number, and when they may be dialled. */
struct lrd_group {
  _Atomic(struct lrd_link *) *link; /* config->connections of them, made on demand */
  _Atomic(struct lrd_link *) submit; /* the loop's own, made by its thread */
  atomic_llong next_attempt;        /* monotonic ns; 0: at any time */
  atomic_uint failures;             /* since the last success */
  int64_t failed_at, succeeded_at;  /* loop thread only */
  struct lrd_fault fault;           /* the last one; under remote->notes */
};

struct lrd_counters {
  atomic_ullong connections, connects, connect_faults, deadline_misses;
};

struct lrd_remote {
  larder_backend base;
  const struct lrd_config *config;
  struct lrd_hash_key hash;
  struct lrd_fence fence;
  struct lrd_loop *loop;
  struct lrd_listen *listen; /* NULL: the store has no hub */
  struct lrd_tls_context *tls; /* NULL: plain */
  int protocol;                /* 3: offered to the server; 2 */
  atomic_uint hello_cuts;      /* handshakes that ended before its reply, one after another */

  struct lrd_lock lock;
  struct lrd_group group[LRD_DATABASES];
  struct lrd_link *pinned[LRD_PINNED]; /* under lock; so are their taken flags */

  atomic_int closing;
  atomic_uint inside;      /* threads in execute, get, set */
  atomic_llong heard_at;   /* when a byte last came from the server, on any link */
  atomic_int silent;       /* since then it was found silent, or refused a connection */
  struct lrd_counters count;

  struct lrd_lock notes; /* what status tells; a leaf */
  larder_link state;
  int64_t state_since;
  char last_error[256];
  int64_t last_error_at;
  char run_id[LRD_RUN_ID_SIZE];
  int64_t clock_offset_us;
  int volatile_marker, can_fence;
};

static inline struct lrd_remote *lrd_remote_of(larder_backend *b)
{
  return (struct lrd_remote *)(void *)b;
}

static inline int64_t lrd_remote_now(const struct lrd_remote *r)
{
  return lrd_monotonic(&r->base.clock);
}

/* The same moment on the system's monotonic clock, which waits are measured by. */
int64_t lrd_remote_system_time(const struct lrd_remote *, int64_t at);

/* Something went wrong: for status.  Any thread; no secrets in text. */
void lrd_remote_note_error(struct lrd_remote *, const char *text);
void lrd_remote_note_state(struct lrd_remote *, larder_link);
/* Bytes came. */
void lrd_remote_heard(struct lrd_remote *, int64_t now);

/* An event, with the address.  No lock held. */
void lrd_remote_tell(struct lrd_remote *, larder_level, const char *name, const char *text);

/* The last attempt failed and the next one is later than now: 1, and *fault says why it
 * failed.  now INT64_MIN: whenever the next one is. */
int lrd_group_is_backing_off(struct lrd_remote *, int database, int64_t now,
                             struct lrd_fault *fault);

#endif
