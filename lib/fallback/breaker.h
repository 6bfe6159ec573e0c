/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_FALLBACK_BREAKER_H
#define LRD_FALLBACK_BREAKER_H

#include <stdatomic.h>

#include <larder/backend.h>

#include "util/hash.h"

/*
 * When is Redis down?  A decision from the verdicts of real calls; no clock of
 * its own, no I/O, no lock (atomics: a success costs one relaxed load).
 *
 *   at once            connection refused, no connection can be made, a server that
 *                      says it can't serve (LOADING ...), silence: nothing
 *                      arrived on any connection for as long as a call waits
 *   5 in a row         connections that end under calls, protocol errors
 *   half of 20 or more calls within 10 s    any of these, and slow calls
 *   never              errors of the caller, credentials, capacity (OOM, READONLY)
 */
enum { LRD_BREAKER_ROW = 5, LRD_BREAKER_CALLS = 20, LRD_BREAKER_WINDOW_S = 10 };

struct lrd_breaker {
  _Atomic unsigned row;     /* faults since the last success */
  _Atomic unsigned calls, faults; /* in this window */
  _Atomic int64_t window;   /* its beginning, monotonic ns */
};

void lrd_breaker_reset(struct lrd_breaker *, int64_t now);

/* One verdict of the remote backend.  1: Redis is to be taken for down. */
int lrd_breaker_judge(struct lrd_breaker *, const larder_verdict *, int64_t now);

/* Probing intervals: 100 ms doubling to 5 s, half of it random ("equal jitter"). */
int64_t lrd_breaker_backoff(unsigned attempt, struct lrd_prng *);

/* "connection refused", ...: for events. */
const char *lrd_cause_name(enum larder_cause);

#endif
