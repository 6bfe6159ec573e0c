/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/relay.h"

static struct lrd_relay *relay_of(larder_sink *s)
{
  return (struct lrd_relay *)s;
}

/* Hands one write on, and the target's state back. */
#define RELAY(s, ...)                              \
  do {                                             \
    larder_sink *target = relay_of(s)->target;     \
    target->type->__VA_ARGS__;                     \
    (s)->failed = target->failed;                  \
  } while (0)

static void relay_nil(larder_sink *s, int array) { RELAY(s, nil(target, array)); }
static void relay_integer(larder_sink *s, int64_t v) { RELAY(s, integer(target, v)); }
static void relay_real(larder_sink *s, double v, const char *p, size_t n)
{
  RELAY(s, real(target, v, p, n));
}
static void relay_boolean(larder_sink *s, int v) { RELAY(s, boolean(target, v)); }
static void relay_string(larder_sink *s, const char *p, size_t n)
{
  RELAY(s, string(target, p, n));
}
static void relay_status(larder_sink *s, const char *p, size_t n)
{
  RELAY(s, status(target, p, n));
}
static void relay_error(larder_sink *s, const char *p, size_t n) { RELAY(s, error(target, p, n)); }
static void relay_bignum(larder_sink *s, const char *p, size_t n)
{
  RELAY(s, bignum(target, p, n));
}
static void relay_verbatim(larder_sink *s, const char *p, size_t n)
{
  RELAY(s, verbatim(target, p, n));
}
static void relay_open(larder_sink *s, larder_type t) { RELAY(s, open(target, t)); }
static void relay_close(larder_sink *s, size_t n) { RELAY(s, close(target, n)); }
static void relay_rewind(larder_sink *s) { RELAY(s, rewind(target)); }

static void relay_aggregate(larder_sink *s, larder_type t, size_t n, int resp2)
{
  RELAY(s, aggregate(target, t, n, resp2));
}

static void relay_end(larder_sink *s, const larder_verdict *v)
{
  struct lrd_relay *r = relay_of(s);
  larder_verdict verdict = *v;

  if (r->ending(r->context, &verdict))
    r->target->type->end(r->target, &verdict);
  s->failed = r->target->failed;
}

static const larder_sink_type relay_type = {
  .nil = relay_nil,
  .integer = relay_integer,
  .real = relay_real,
  .boolean = relay_boolean,
  .string = relay_string,
  .status = relay_status,
  .error = relay_error,
  .bignum = relay_bignum,
  .verbatim = relay_verbatim,
  .aggregate = relay_aggregate,
  .open = relay_open,
  .close = relay_close,
  .rewind = relay_rewind,
  .end = relay_end,
};

void lrd_relay_init(struct lrd_relay *r, larder_sink *target,
                    int (*ending)(void *, larder_verdict *), void *context)
{
  r->sink.type = &relay_type;
  r->sink.failed = target->failed;
  r->target = target;
  r->ending = ending;
  r->context = context;
}
