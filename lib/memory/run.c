/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/run.h"

const char lrd_text_unknown_value[] =
    "UNAVAILABLE Redis can't be reached and what this key holds is not known here";
static const char text_unknown_keys[] =
    "UNAVAILABLE Redis can't be reached and which keys there are is not known here";

static inline int is_write(const larder_vector *v)
{
  return (lrd_commands[v->command].flags & LRD_WRITE) != 0;
}

int lrd_knows_all_keys(struct lrd_exec *x)
{
  struct lrd_keys keys = lrd_command_key_range(x->vector);

  for (int i = 0; i < keys.count; i++)
    if (!lrd_knows(x, x->argv[lrd_key_index(&keys, i)]))
      return 0;
  return 1;
}

/* Does the command need more than a partial engine knows?  What takes something
 * out of a key must know what is in it. */
static int is_beyond(struct lrd_exec *x)
{
  if (lrd_is_keyspace(x->vector))
    return 1;
  return ((x->vector->flags & LARDER_VECTOR_COMPLETE) ||
          lrd_command_class(x->vector) == LRD_CLASS_CONSUME) &&
         !lrd_knows_all_keys(x);
}

/* May the handler run again with what is not known counted as absent?  Reads
 * may, and what takes something out of one key: there is nothing to take then. */
static int may_run_as_absent(const struct lrd_exec *x)
{
  return (x->call_flags & LARDER_CALL_MISS_NIL) &&
         !(lrd_commands[x->vector->command].flags & (LRD_KEYSPACE | LRD_INTERNAL)) &&
         (!is_write(x->vector) || (lrd_command_class(x->vector) == LRD_CLASS_CONSUME &&
                                   lrd_command_key_range(x->vector).count == 1));
}

static void run_as_absent(struct lrd_exec *x, lrd_handler *handler)
{
  x->as_absent = 1;
  x->unanswered = 0;
  x->provisional = 0;
  handler(x);
}

/* Whether the command may run at all; else one value is written. */
static int may_run(struct lrd_exec *x)
{
  if (!lrd_handlers[x->vector->command]) {
    x->verdict.outcome = LARDER_UNSUPPORTED;
    lrd_sink_errorf(x->sink, "ERR the in-process engine has no command '%s'",
                    lrd_commands[x->vector->command].name);
    return 0;
  }
  if (lrd_is_too_long(x)) {
    lrd_error(x, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return 0;
  }
  if (x->engine->partial && lrd_is_keyspace(x->vector) && is_write(x->vector)) {
    x->verdict.outcome = LARDER_UNSUPPORTED;
    lrd_sink_errorf(x->sink, "ERR %s is not possible while Redis can't be reached",
                    lrd_commands[x->vector->command].name);
    return 0;
  }
  return 1;
}

/* What the handler could not know. */
void lrd_settle_unknown(struct lrd_exec *x, lrd_handler *handler)
{
  if (x->unanswered && may_run_as_absent(x))
    run_as_absent(x, handler);
  if (x->unanswered) {
    if (!x->atomic)
      x->sink->type->rewind(x->sink);
    lrd_sink_error(x->sink,
                   lrd_is_keyspace(x->vector) ? text_unknown_keys : lrd_text_unknown_value);
  }
  if (x->verdict.outcome == LARDER_OK || x->unanswered) {
    x->verdict.outcome = LARDER_UNKNOWN_LOCALLY;
    x->verdict.cause = LARDER_CAUSE_NONE;
  }
}

void lrd_run_carefully(struct lrd_exec *x)
{
  lrd_handler *handler = lrd_handlers[x->vector->command];

  if (!may_run(x))
    return;
  if (x->engine->partial && is_beyond(x))
    lrd_unknown(x);
  else
    handler(x);
  if (x->unknown)
    lrd_settle_unknown(x, handler);
}
