/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/sink.h"

static void ignore(larder_sink *s)
{
  (void)s;
}

static void ignore_integer(larder_sink *s, int64_t integer)
{
  (void)s;
  (void)integer;
}

static void ignore_real(larder_sink *s, double real, const char *text, size_t len)
{
  (void)s;
  (void)real;
  (void)text;
  (void)len;
}

static void ignore_flag(larder_sink *s, int flag)
{
  (void)s;
  (void)flag;
}

static void ignore_text(larder_sink *s, const char *text, size_t len)
{
  (void)s;
  (void)text;
  (void)len;
}

static void ignore_aggregate(larder_sink *s, larder_type type, size_t len, int resp2)
{
  (void)s;
  (void)type;
  (void)len;
  (void)resp2;
}

static void ignore_open(larder_sink *s, larder_type type)
{
  (void)s;
  (void)type;
}

static void ignore_close(larder_sink *s, size_t len)
{
  (void)s;
  (void)len;
}

static void count_end(larder_sink *s, const larder_verdict *verdict)
{
  struct lrd_count *c = (struct lrd_count *)s;

  static const larder_value unseen = { .type = LARDER_ERROR };

  c->replies++;
  c->last = *verdict;
  lrd_sink_ending(s, &unseen, &c->last);
}

static const larder_sink_type count_type = {
  .nil = ignore_flag,
  .integer = ignore_integer,
  .real = ignore_real,
  .boolean = ignore_flag,
  .string = ignore_text,
  .status = ignore_text,
  .error = ignore_text,
  .bignum = ignore_text,
  .verbatim = ignore_text,
  .aggregate = ignore_aggregate,
  .open = ignore_open,
  .close = ignore_close,
  .rewind = ignore,
  .end = count_end,
};

void lrd_count_init(struct lrd_count *c)
{
  *c = (struct lrd_count){ .sink = { .type = &count_type } };
}
