/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_CROWD_H
#define TEST_PROOF_CROWD_H

#include <larder.h>
#include <pthread.h>
#include <stdatomic.h>

#include "conformance/random/generate.h"

/*
 * Threads that do everything that can be done with a store: all commands, made up by
 * the generator of test/conformance/random, bare, in sessions with transactions and
 * watches, in batches and asynchronously; typed calls, scans, status, ticks, settings,
 * and other stores opened and closed beside it.
 */

enum { CROWD_MAX = 64 };

struct crowd {
  larder *store;
  int local;          /* nothing but the in-process engine: nothing may fail */
  atomic_int stop;
  atomic_int closing;  /* it is time to close sessions */
  atomic_int sessions; /* threads that have not done so */
  atomic_int active;   /* threads that may still begin calls */
  atomic_int at_gate;  /* the gate's completion is being delivered */
  atomic_ullong done;  /* completions of asynchronous calls */
  unsigned threads;
  uint64_t seed;
  struct guest *guest[CROWD_MAX];
  /* Of those that have left. */
  uint64_t calls, started, outcomes[LARDER_OUTCOMES];
  char wrong[200]; /* what should not have been, or "" */
};

/* 0, or -1: the system has no more threads. */
int crowd_start(struct crowd *, unsigned threads, uint64_t seed);
/* Tells the threads to stop, waits for them and for what they have started. */
void crowd_end(struct crowd *);
/* Closes the store while the threads are calling it; how many writes were left.
 * crowd_end comes after it. */
uint64_t crowd_close_under_fire(struct crowd *);

#endif
