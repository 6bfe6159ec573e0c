/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/hold.h"
#include "memory/t_engine.h"

/* MULTI, EXEC and DISCARD are the session's; what reaches the engine is an atomic
 * call with the session's hold. */

void lrd_t_watch(struct lrd_exec *x)
{
  const struct lrd_watch *before;

  if (x->atomic) {
    lrd_error(x, "ERR WATCH inside MULTI is not allowed");
    return;
  }
  if (!x->hold) {
    lrd_error(x, "ERR WATCH needs a session");
    return;
  }
  before = x->hold->first;
  for (int i = 1; i < x->argc; i++)
    if (!lrd_knows(x, x->argv[i])) {
      lrd_unknown(x);
      return;
    }
  for (int i = 1; i < x->argc; i++) {
    struct lrd_at at = lrd_at(x, x->argv[i]);

    (void)lrd_keyspace_live(x->engine, &at, lrd_now(x));
    if (lrd_hold_add(x->hold, &at)) {
      lrd_hold_rewind(x->hold, before);
      lrd_no_memory(x);
      return;
    }
  }
  lrd_sink_ok(x->sink);
}

void lrd_t_unwatch(struct lrd_exec *x)
{
  if (x->hold && !x->atomic)
    lrd_hold_clear(x->hold, 0);
  lrd_sink_ok(x->sink);
}
