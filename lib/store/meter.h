/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_METER_H
#define LRD_STORE_METER_H

#include <larder/status.h>

#include "remote/metrics.h"

/* What all connections of a store have counted, added up: some 10 KB, for a stack. */
struct lrd_sum {
  struct lrd_metrics_visit meter; /* first */
  struct lrd_metrics total;
  unsigned links;
};

void lrd_sum_init(struct lrd_sum *);

/* Fills *out, of which nothing but its size is asked, and the sum.  Between lrd_enter and
 * lrd_leave. */
void lrd_status_of(larder *, struct lrd_sum *, larder_status *out);

#endif
