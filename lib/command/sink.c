/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/sink.h"

#include <stdarg.h>
#include <stdio.h>

#include "util/number.h"

void lrd_sink_real(larder_sink *s, double v)
{
  char text[LRD_NUMBER_SIZE];
  size_t len = lrd_print_double(text, v);

  s->type->real(s, v, text, len);
}

void lrd_sink_errorf(larder_sink *s, const char *format, ...)
{
  char text[512];
  va_list arguments;
  int n;

  va_start(arguments, format);
  n = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (n < 0)
    n = 0;
  s->type->error(s, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void lrd_sink_fail(larder_sink *s, larder_outcome outcome, larder_origin origin, larder_cause cause,
                   const char *text)
{
  larder_verdict verdict = { .outcome = outcome, .origin = origin, .cause = cause, .age_ms = -1 };

  s->type->rewind(s);
  lrd_sink_error(s, text);
  s->type->end(s, &verdict);
}

/* Recursion: whoever made the tree bounded its depth. */
void lrd_sink_value(larder_sink *s, const larder_value *value)
{
  const larder_sink_type *t = s->type;
  size_t i;

  switch ((larder_type)value->type) {
  case LARDER_NIL:
    t->nil(s, value->resp2 == LARDER_RESP2_NIL_ARRAY);
    return;
  case LARDER_STRING:
    t->string(s, value->str, value->len);
    return;
  case LARDER_STATUS:
    t->status(s, value->str, value->len);
    return;
  case LARDER_ERROR:
    t->error(s, value->str, value->len);
    return;
  case LARDER_INTEGER:
    t->integer(s, value->integer);
    return;
  case LARDER_DOUBLE:
    t->real(s, value->real, value->str, value->len);
    return;
  case LARDER_BOOLEAN:
    t->boolean(s, value->integer != 0);
    return;
  case LARDER_BIGNUM:
    t->bignum(s, value->str, value->len);
    return;
  case LARDER_VERBATIM:
    t->verbatim(s, value->str, value->len);
    return;
  case LARDER_ARRAY:
  case LARDER_MAP:
  case LARDER_SET:
  case LARDER_PUSH:
    t->aggregate(s, (larder_type)value->type, value->len, value->resp2);
    for (i = 0; i < value->len; i++) {
      if (value->resp2 == LARDER_RESP2_NESTED && i % 2 == 0)
        lrd_sink_keyed(s);
      lrd_sink_value(s, &value->element[i]);
    }
    return;
  }
}
