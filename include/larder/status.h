/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_STATUS_H
#define LARDER_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include <larder/outcome.h>

/*
 * What state a store is in, answered without touching the network.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct larder larder;

typedef enum larder_state {
  LARDER_STATE_STARTING = 0, /* the first connection attempt has not ended */
  LARDER_STATE_UP,           /* serving as intended */
  LARDER_STATE_REPLAYING,    /* Redis is back, journaled writes are being replayed */
  LARDER_STATE_DOWN,         /* Redis can't be used: the outage rules apply */
  LARDER_STATE_DENIED,       /* Redis refuses our credentials: not an outage */
  LARDER_STATE_CLOSED
} larder_state;

typedef struct larder_status {
  size_t size;         /* in: sizeof(larder_status), as the caller was compiled with */
  char backend[16];    /* "memory", "remote", "fallback", or the application's own */
  char serving[16];    /* who answers now: "memory", "redis", or "none" */
  larder_state state;
  int64_t since_ms;    /* how long in this state */
  char address[272];   /* "127.0.0.1:6379", "/path"; "" for memory.  No secrets */
  char prefix[136];    /* of every key; "" if there is none */
  char last_error[256]; /* "" if there was none */
  int64_t last_error_ms; /* its age; -1 if there was none */
  char breaker[16];    /* "closed", "open", "trial"; "" without a fallback */
  char fence[8];       /* "yes", "none"; "" without a fallback */

  uint64_t calls[LARDER_OUTCOMES]; /* by outcome */
  uint64_t origins[LARDER_ORIGINS]; /* by origin */
  uint64_t in_flight; /* but for larder_get and larder_set of the in-process engine, which
                         never wait for anybody else's answer */

  uint64_t connections;     /* open now */
  uint64_t connects;        /* made so far */
  uint64_t connect_faults;
  uint64_t commands_sent;   /* to Redis */
  uint64_t deadline_misses;

  uint64_t outages;         /* times the breaker opened */
  uint64_t local_calls;     /* answered locally during outages */
  uint64_t journal_keys, journal_bytes;
  int64_t journal_oldest_ms; /* -1: empty */
  char replay_error[128];   /* why Redis takes no journaled writes now; "" if it does */
  uint64_t replayed;        /* journaled writes acknowledged by Redis */
  uint64_t replay_batches;
  uint64_t dropped;         /* journaled writes given up, with an event each */
  uint64_t dead_letters;    /* of these: refused by Redis for the caller's reasons */
  uint64_t unknown_batches; /* of these: perhaps applied, perhaps not */

  uint64_t keys;            /* in the local engine */
  uint64_t memory;          /* bytes that the allocator hook handed out to it */

  /* Of the connections to Redis, since larder_reset_metrics (larder/metrics.h has each of them). */
  uint64_t round_trips;     /* writes to them that carried commands: commands_sent of them */
  uint64_t bytes_out, bytes_in; /* of Redis's protocol */
  uint64_t replies_owed;    /* calls that Redis owes a reply now */
  uint64_t reconnects;
  /* From when a call is put into its connection until it has its replies, ns: what one half of
   * them, nine tenths, 99 %, ... took at most, within 2 %, and the longest; 0: there were none. */
  uint64_t latency_p50, latency_p90, latency_p99, latency_p999, latency_p9999, latency_most;
} larder_status;

/* Fills *status, as far as its size goes (programs that were compiled before fields were added
 * at the end have a smaller one).  OK, BAD_ARGUMENT (status->size), FORKED.  Any thread. */
larder_outcome larder_get_status(larder *store, larder_status *status);

/* "starting", "up", "replaying", "down", "denied", "closed". */
const char *larder_state_name(larder_state state);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
