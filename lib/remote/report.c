/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/report.h"

#include <stdio.h>

#include "command/command.h"
#include "command/sink.h"

static int may_change(const struct lrd_ticket *t, size_t i)
{
  if (!t->atomic)
    return lrd_is_write(&t->vector[i]);
  for (size_t j = 0; j < t->count; j++)
    if (lrd_is_write(&t->vector[j]))
      return 1;
  return 0;
}

larder_verdict lrd_ticket_verdict(const struct lrd_ticket *t, size_t i, larder_outcome unsent)
{
  larder_verdict v = {.outcome = LARDER_OK, .origin = LARDER_FROM_REDIS, .age_ms = -1};
  if (i < t->got) {
    const larder_value *value = &t->value[i];
    if (value->type != LARDER_ERROR)
      return v;
    v.outcome = t->stray == 2 && may_change(t, i) ? LARDER_UNKNOWN : LARDER_REFUSED;
    v.cause = lrd_error_cause(value->str, value->len);
    return v;
  }
  v.cause = t->cause;
  if (i < t->committed) {
    v.outcome = may_change(t, i) ? LARDER_UNKNOWN : LARDER_NO_ANSWER;
  } else {
    v.outcome = unsent;
  }
  if (v.outcome != LARDER_REFUSED)
    v.origin = LARDER_FROM_NOWHERE;
  return v;
}

/* The word that a reply over RESP begins with, where RESP can't carry the outcome. */
static const char *word_of(larder_outcome outcome)
{
  switch (outcome) {
  case LARDER_REFUSED:
    return "";
  case LARDER_NOT_SENT:
    return "NOTSENT ";
  case LARDER_UNKNOWN:
    return "UNKNOWN ";
  case LARDER_NO_ANSWER:
    return "UNAVAILABLE ";
  default:
    return "ERR ";
  }
}

static void fail(larder_sink *sink, const larder_verdict *v, const char *text)
{
  char line[256];
  int n = snprintf(line, sizeof line, "%s%s", word_of(v->outcome), text);
  sink->type->error(sink, line, n < 0 ? 0 : n < (int)sizeof line ? (size_t)n : sizeof line - 1);
  sink->type->end(sink, v);
}

/* There is no memory for the reply of what was executed: NO_MEMORY would say that it was not. */
static void lose(larder_sink *sink, larder_verdict *v)
{
  sink->type->rewind(sink);
  v->outcome = LARDER_UNKNOWN;
  v->cause = LARDER_CAUSE_CALLER;
  fail(sink, v, "out of memory: it was executed, its reply is lost");
}

void lrd_ticket_report(const struct lrd_ticket *t, larder_outcome unsent, larder_sink *sink)
{
  size_t replies = lrd_ticket_replies(t);
  for (size_t i = 0; i < replies; i++) {
    larder_verdict v = lrd_ticket_verdict(t, i, unsent);
    if (i >= t->got) {
      fail(sink, &v, t->error);
    } else if (v.outcome == LARDER_UNKNOWN) {
      fail(sink, &v, "MULTI was refused, commands ran by themselves");
    } else {
      lrd_sink_value(sink, &t->value[i]);
      if (sink->failed && v.outcome == LARDER_OK && may_change(t, i))
        lose(sink, &v);
      else
        sink->type->end(sink, &v);
    }
  }
}

void lrd_call_refuse(const larder_call *call, larder_sink *sink, larder_outcome outcome,
                     larder_cause cause, const char *text)
{
  larder_verdict v = {.outcome = outcome, .cause = cause, .age_ms = -1};
  size_t replies = call->flags & LARDER_CALL_ATOMIC ? 1 : call->count;
  for (size_t i = 0; i < replies; i++)
    fail(sink, &v, text);
}
