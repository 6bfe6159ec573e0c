/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_OUTAGE_CLIENT_H
#define TEST_OUTAGE_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include "outage/ledger.h"
#include "support/resp.h"

/*
 * Writers for the switch test: threads that write to every kind of value and
 * keep a ledger.  Through larder they read too, what it can and can't know; straight on
 * Redis they go on connecting until it is back.
 */

/* What the threads share with the test. */
struct scene {
  atomic_int stop;
  atomic_int outage; /* Redis is killed or stopped now */
};

enum { CLIENT_COUNTER_STEP = 1, DIRECT_COUNTER_STEP = 1000000 };

struct client {
  struct scene *scene;
  int number; /* in the names of what it writes; -1: straight on Redis */
  int port;
  uint64_t seed;
  pthread_t thread;
  struct ledger ledger;
  /* Counted: */
  uint64_t writes, reads;
  uint64_t outage_writes, outage_ok; /* of those begun during an outage */
  uint64_t unavailable;              /* reads that larder could not answer and said so */
  uint64_t false_reads;              /* nil, 0 or anything else that is not so: each printed */
  uint64_t broken;                   /* connections that larder let down */
  int64_t slowest_us;
};

/* Starts its thread; 0, or -1. */
int client_start(struct client *);
void client_join(struct client *);

/* Before the test: what is there already. */
void client_preload(struct resp_client *);
/* How many entries of the preload a key has. */
enum { PRELOADED = 50 };

#endif
