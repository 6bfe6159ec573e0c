/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_engine.h"
#include "memory/t_types.h"

#include "command/argv.h"
#include "memory/hash.h"
#include "memory/zset.h"
#include "util/arena.h"
#include "util/buffer.h"

/* HSCAN, SSCAN and ZSCAN: a packed collection is replied at once, a table some
 * buckets at a time. */

struct found {
  larder_bytes name, value; /* value: a hash's */
  double score;             /* a sorted set's */
};

struct scan {
  struct lrd_exec *x;
  larder_bytes pattern; /* data NULL: any */
  int64_t count;
  size_t visited;
  struct lrd_buffer found;
  struct lrd_arena prints; /* of an integer set's members */
  int prints_pass;
};

static int parse_options(struct scan *s)
{
  struct lrd_exec *x = s->x;

  for (int i = 3; i < x->argc; i += 2) {
    if (i + 1 < x->argc && lrd_is_word(&x->argv[i], "MATCH")) {
      s->pattern = x->argv[i + 1];
      continue;
    }
    if (i + 1 < x->argc && lrd_is_word(&x->argv[i], "COUNT")) {
      if (!lrd_argument_integer(x, i + 1, &s->count))
        return 0;
      if (s->count > 0)
        continue;
    }
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  return 1;
}

static void visit(void *context, larder_bytes name, larder_bytes value, double score)
{
  struct scan *s = context;
  struct found f = { name, value, score };

  s->visited++;
  if (s->pattern.data && !lrd_glob(s->pattern.data, s->pattern.len, name.data, name.len, 0))
    return;
  if (s->prints_pass && !(f.name.data = lrd_arena_copy(&s->prints, name.data, name.len)))
    s->found.failed = 1;
  (void)lrd_buffer_append(&s->found, &f, sizeof f);
}

static uint64_t step(struct scan *s, const struct lrd_entry *entry, uint64_t cursor)
{
  switch (lrd_kind_of(entry)) {
  case LRD_HASH:
    return lrd_hash_scan(lrd_value(entry), cursor, visit, s);
  case LRD_ZSET:
    return lrd_zset_scan(lrd_value(entry), cursor, visit, s);
  default:
    return lrd_set_scan(lrd_value(entry), cursor, visit, s);
  }
}

/* As Redis: what lies packed there is a whole number if it can be. */
static size_t print_score(char *out, double score, int packed)
{
  const double limit = (double)(INT64_MAX / 2);

  if (packed && score >= -limit && score <= limit && (double)(int64_t)score == score)
    return lrd_print_integer(out, (int64_t)score);
  return lrd_print_double(out, score);
}

static void reply(const struct scan *s, enum lrd_kind kind, const struct lrd_entry *entry,
                  uint64_t cursor)
{
  size_t n = s->found.len / sizeof(struct found);
  int packed = kind == LRD_ZSET && entry && !((const struct lrd_zset *)lrd_value(entry))->large;
  larder_sink *sink = s->x->sink;
  char number[LRD_NUMBER_SIZE];
  struct found f;

  lrd_sink_array(sink, 2);
  lrd_sink_string(sink, number, lrd_print_unsigned(number, cursor));
  lrd_sink_array(sink, kind == LRD_SET_KIND ? n : 2 * n);
  for (size_t i = 0; i < n; i++) {
    memcpy(&f, s->found.data + i * sizeof f, sizeof f);
    lrd_sink_string(sink, f.name.data, f.name.len);
    if (kind == LRD_ZSET)
      lrd_sink_string(sink, number, print_score(number, f.score, packed));
    else if (kind == LRD_HASH)
      lrd_sink_string(sink, f.value.data, f.value.len);
  }
}

static void scan(struct lrd_exec *x, enum lrd_kind kind)
{
  struct scan s = { .x = x, .count = 10 };
  struct lrd_entry *entry;
  uint64_t cursor;
  int64_t steps;

  if (!lrd_argument_cursor(x, x->argv[2], &cursor) || !lrd_read(x, x->argv[1], kind, &entry))
    return;
  lrd_buffer_init(&s.found, lrd_memory_of(x->engine), 0);
  lrd_arena_init(&s.prints, lrd_memory_of(x->engine));
  s.prints_pass = entry && kind == LRD_SET_KIND && lrd_set_is_integers(lrd_value(entry));
  if (!entry) {
    reply(&s, kind, NULL, 0);
    return;
  }
  if (!parse_options(&s))
    return;
  steps = s.count > INT64_MAX / 10 ? INT64_MAX : s.count * 10;
  do
    cursor = step(&s, entry, cursor);
  while (cursor && --steps && s.visited < (uint64_t)s.count && !s.found.failed);
  if (s.found.failed)
    lrd_no_memory(x);
  else
    reply(&s, kind, entry, cursor);
  lrd_buffer_free(&s.found);
  lrd_arena_free(&s.prints);
}

void lrd_t_hscan(struct lrd_exec *x)
{
  scan(x, LRD_HASH);
}

void lrd_t_sscan(struct lrd_exec *x)
{
  scan(x, LRD_SET_KIND);
}

void lrd_t_zscan(struct lrd_exec *x)
{
  scan(x, LRD_ZSET);
}
