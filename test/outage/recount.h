/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_OUTAGE_RECOUNT_H
#define TEST_OUTAGE_RECOUNT_H

#include "outage/client.h"

/*
 * In the end: asks redis-server what there is and compares with what everybody
 * was told.
 */

struct recount {
  struct verdict verdict;
  uint64_t preload_gone;
  uint64_t wrong_sums; /* counter, field or score beyond what may be: printed */
};

/* clients: the last is the one straight on Redis. */
void recount(struct resp_client *, struct client *clients, int count, struct recount *);

#endif
