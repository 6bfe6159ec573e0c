/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_RECORD_H
#define TEST_PROOF_RECORD_H

#include <larder.h>
#include <stdatomic.h>

#include "proof/linear.h"

/*
 * Threads that use a store at random and write down what they did to which key, when
 * it began and ended, and what came back.
 *
 * The store's wall clock is the test's: it moves on with the calls, so that keys
 * expire between any two steps however slow the machine is.  Stamps are of the
 * monotonic clock, which orders the threads less than a shared counter would.
 */

enum { RECORD_TEXTS = 4, RECORD_NUMBERS = 3, RECORD_KEYS = RECORD_TEXTS + RECORD_NUMBERS };

extern const char *const record_names[RECORD_KEYS];

struct record_setup {
  unsigned threads, calls; /* calls of each thread */
  size_t longest;          /* of the texts, at least 100 bytes */
  int expiry;              /* a part of the texts expires */
  int background;          /* a maintenance thread, else the threads tick */
  int may_vanish;          /* url bounds the memory so that keys are evicted */
  const char *url;
  uint64_t seed;
};

struct record {
  larder *store;
  larder_clock clock;
  _Atomic int64_t wall; /* ms */
  struct record_setup setup;
  struct operation *operation[RECORD_KEYS];
  size_t count[RECORD_KEYS];
};

/* Opens the store, runs the threads to their end, collects what they did; the store
 * stays open.  NULL, or what went wrong. */
const char *record_run(struct record *, const struct record_setup *);
/* Closes the store too. */
void record_free(struct record *);

/* Prints the operations on a key around the one at which the search was stuck. */
void record_print(const struct record *, unsigned key, size_t stuck);

#endif
