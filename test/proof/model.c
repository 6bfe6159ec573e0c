/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/model.h"

#include <inttypes.h>
#include <stdio.h>

/* --- texts -------------------------------------------------------------------- */

static const uint64_t prime = (UINT64_C(1) << 61) - 1, base = UINT64_C(0x0d1b54a32d192ed0);

__extension__ typedef unsigned __int128 wide;

static uint64_t times(uint64_t a, uint64_t b)
{
  wide product = (wide)a * b;
  uint64_t sum = (uint64_t)(product & prime) + (uint64_t)(product >> 61);

  return sum >= prime ? sum - prime : sum;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
  return a + b >= prime ? a + b - prime : a + b;
}

struct text text_of(const void *bytes, size_t len)
{
  const unsigned char *p = bytes;
  struct text t = { len, 0 };

  for (size_t i = 0; i < len; i++)
    t.digest = plus(times(t.digest, base), (uint64_t)p[i] + 1);
  return t;
}

struct text text_of_number(int64_t n)
{
  char print[32];
  int len = snprintf(print, sizeof print, "%" PRId64, n);

  return text_of(print, (size_t)len);
}

struct text text_join(struct text head, struct text tail)
{
  uint64_t shift = 1, factor = base;

  for (size_t n = tail.len; n; n >>= 1) {
    if (n & 1)
      shift = times(shift, factor);
    factor = times(factor, factor);
  }
  return (struct text){ head.len + tail.len, plus(times(head.digest, shift), tail.digest) };
}

static int same(struct text a, struct text b)
{
  return a.len == b.len && a.digest == b.digest;
}

/* --- actions ------------------------------------------------------------------ */

static void write_text(struct state *s, const struct operation *o, const struct action *a)
{
  *s = (struct state){ .exists = 1,
                       .is_number = a->is_number,
                       .number = a->is_number ? a->number : 0,
                       .text = a->given,
                       .expires = a->ttl != 0 };
  if (a->ttl) {
    s->earliest = o->wall_begin + a->ttl;
    s->latest = o->wall_end + a->ttl;
  }
}

static int read_text(const struct state *s, const struct action *a)
{
  return a->found == s->exists && (!s->exists || same(a->seen, s->text));
}

static int append(struct state *s, const struct action *a)
{
  s->text = s->exists ? text_join(s->text, a->given) : a->given;
  s->exists = 1;
  s->is_number = 0;
  s->number = 0;
  return a->result == (int64_t)s->text.len;
}

static int add(struct state *s, const struct action *a)
{
  if (s->exists && !s->is_number)
    return 0;
  s->number += a->number;
  s->text = text_of_number(s->number);
  s->exists = s->is_number = 1;
  return a->result == s->number;
}

static int act(struct state *s, const struct operation *o, const struct action *a)
{
  switch (a->kind) {
  case ACTION_READ:
    return read_text(s, a);
  case ACTION_WRITE:
    write_text(s, o, a);
    return 1;
  case ACTION_WRITE_NEW:
    if (a->found != s->exists)
      return 0;
    if (!s->exists)
      write_text(s, o, a);
    return 1;
  case ACTION_EXCHANGE:
    if (!read_text(s, a))
      return 0;
    write_text(s, o, a);
    return 1;
  case ACTION_TAKE:
    if (!read_text(s, a))
      return 0;
    *s = (struct state){ 0 };
    return 1;
  case ACTION_DELETE:
    if (a->found != s->exists)
      return 0;
    *s = (struct state){ 0 };
    return 1;
  case ACTION_APPEND:
    return append(s, a);
  case ACTION_ADD:
    return add(s, a);
  default:
    return 0;
  }
}

int model_step(const struct model *m, const struct state *from, const struct operation *o, int way,
               struct state *to)
{
  if (way) {
    int may_expire = from->expires && o->wall_end > from->earliest;

    if (!from->exists || !(m->may_vanish || may_expire))
      return 0;
    *to = (struct state){ 0 };
  } else {
    if (from->expires && o->wall_begin > from->latest)
      return 0;
    *to = *from;
  }
  for (unsigned i = 0; i < o->actions; i++)
    if (!act(to, o, &o->action[i]))
      return 0;
  return 1;
}
