/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SIMULATE_WORKLOAD_H
#define TEST_SIMULATE_WORKLOAD_H

#include <stdint.h>

#include <larder.h>

/* Who calls a store: each client is a thread of an application. */

struct plan {
  larder *store;
  unsigned clients, calls; /* of each */
  int64_t timeout_ms;      /* the store's */
  int64_t think_us;        /* between two calls, at most */
  int dispatch;            /* completions by larder_dispatch */
  unsigned submits, typed, batches, transactions; /* of 100 calls, so many are such */
  int stop;                /* no call begins any more */
  int must_work;           /* every call must be answered by Redis now */
};

/* A client's calls, on a task of its own. */
struct client {
  const struct plan *plan;
  int number;
};
void *client_run(void *client);

#endif
