/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_RUN_H
#define LRD_MEMORY_RUN_H

#include "memory/shard.h"

/*
 * One vector in the engine: whether it may run, its handler, and what becomes of a reply
 * that depends on what a partial engine does not know.  The shards of its keys are locked.
 */

extern const char lrd_text_unknown_value[];

static inline int lrd_is_keyspace(const larder_vector *v)
{
  return (lrd_commands[v->command].flags & LRD_KEYSPACE) != 0;
}

/* Is each of the vector's keys wholly known? */
int lrd_knows_all_keys(struct lrd_exec *);

/* Slow ways of lrd_run. */
void lrd_run_carefully(struct lrd_exec *);
void lrd_settle_unknown(struct lrd_exec *, lrd_handler *);

static inline int lrd_is_too_long(const struct lrd_exec *x)
{
  for (int i = 1; i < x->argc; i++)
    if (x->argv[i].len > LRD_STRING_MAX)
      return 1;
  return 0;
}

/* Writes one value. */
static inline void lrd_run(struct lrd_exec *x)
{
  lrd_handler *handler = lrd_handlers[x->vector->command];

  if (!handler || x->engine->partial || lrd_is_too_long(x)) {
    lrd_run_carefully(x);
    return;
  }
  handler(x);
  if (x->unknown)
    lrd_settle_unknown(x, handler);
}

#endif
