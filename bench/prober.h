/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_PROBER_H
#define BENCH_PROBER_H

#include <stddef.h>
#include <stdint.h>

#include "stall.h"

/*
 * A thread that makes one call after another while something else happens, and knows
 * the slowest.  Between two calls it does nothing for about as long as a GET takes: what
 * is slow there is the machine's.
 */

enum { PROBE_BUCKETS = 1000 };
#define PROBE_BUCKET_NS 1e7

struct probed {
  struct stall call, nothing;
  double at;                      /* when it began: now_ns() */
  double bucket[PROBE_BUCKETS];   /* the slowest call in each 10 ms since then */
  double own[PROBE_BUCKETS];      /* the same, without waiting for a processor */
};

struct prober;

/* call: makes one, 0 or -1; on the prober's thread. */
struct prober *prober_start(int (*call)(void *context, uint64_t *random), void *context);
/* Stops and frees it; -1: a call failed. */
int prober_stop(struct prober *, struct probed *);

/* Figures: what is left of the slowest call, how many were over 1 ms, and what they waited for. */
struct bench;
void probed_note(struct bench *, const char *what, const char *who, double x,
                 const struct stall *call);

#endif
