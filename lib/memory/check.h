/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_CHECK_H
#define LRD_MEMORY_CHECK_H

#include "memory/shard.h"

/*
 * For tests: walks over all that an engine holds, shard by shard under its lock, and
 * compares what is counted with what is there: each item in its shard, database and
 * bucket; values sound and not empty; as many timers armed as keys expire; tombstones
 * in a partial engine only.  NULL, or what is wrong.
 */
const char *lrd_engine_check(struct lrd_engine *);

#endif
