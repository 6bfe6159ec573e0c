/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/zrange.h"

#include <math.h>
#include <stdlib.h>

#include "command/command.h"
#include "memory/engine.h"

const char lrd_text_not_score_range[] = "ERR min or max is not a float";

/* --- parsing ------------------------------------------------------------- */

/* Range ends are read more leniently than scores: leading blanks, nothing at
 * all (0), and numbers too large or too small for a double are taken; a NUL
 * ends the text. */
static int parse_score(larder_bytes text, double *out, int *exclusive)
{
  char copy[512], *end;
  size_t len;

  *exclusive = text.len && text.data[0] == '(';
  if (*exclusive) {
    text.data++;
    text.len--;
  }
  if (lrd_parse_double(text.data, text.len, out))
    return 1;
  len = text.len ? strnlen(text.data, text.len) : 0;
  if (len >= sizeof copy)
    return 0;
  if (len)
    memcpy(copy, text.data, len);
  copy[len] = '\0';
  *out = strtod(copy, &end);
  return (*end == '\0') && !isnan(*out);
}

int lrd_score_range_parse(struct lrd_score_range *r, larder_bytes min, larder_bytes max)
{
  return parse_score(min, &r->min, &r->above) && parse_score(max, &r->max, &r->below);
}

static int parse_lex(larder_bytes text, struct lrd_lex_bound *b)
{
  char first = text.len ? text.data[0] : '\0';

  memset(b, 0, sizeof *b);
  if (first == '+' || first == '-') {
    b->infinite = first == '+' ? 1 : -1;
    return text.len == 1 || text.data[1] == '\0';
  }
  if (first != '(' && first != '[')
    return 0;
  b->exclusive = first == '(';
  b->member = (larder_bytes){ text.data + 1, text.len - 1 };
  return 1;
}

static int parse_integer(const larder_bytes *b, int64_t *out)
{
  return lrd_parse_integer(b->data, b->len, out);
}

static const char *parse_option(struct lrd_zrange *r, int argc, const larder_bytes *argv, int *i,
                                int *limited)
{
  const larder_bytes *word = &argv[*i];

  if (lrd_is_word(word, "withscores")) {
    r->scores = 1;
  } else if (lrd_is_word(word, "limit") && *i + 2 < argc) {
    if (!parse_integer(&argv[*i + 1], &r->offset) || !parse_integer(&argv[*i + 2], &r->limit))
      return lrd_text_not_integer;
    *limited = r->limit != -1;
    *i += 2;
  } else if (!r->fixed && !r->reverse && lrd_is_word(word, "rev")) {
    r->reverse = 1;
  } else if (!r->fixed && r->by == LRD_ZRANGE_RANK && lrd_is_word(word, "bylex")) {
    r->by = LRD_ZRANGE_LEX;
  } else if (!r->fixed && r->by == LRD_ZRANGE_RANK && lrd_is_word(word, "byscore")) {
    r->by = LRD_ZRANGE_SCORE;
  } else {
    return lrd_text_syntax;
  }
  return NULL;
}

static const char *parse_ends(struct lrd_zrange *r, const larder_bytes *argv)
{
  /* In reverse, by score or member, the greater end is given first. */
  int swap = r->reverse && r->by != LRD_ZRANGE_RANK;
  larder_bytes min = argv[swap ? 3 : 2], max = argv[swap ? 2 : 3];

  switch (r->by) {
  case LRD_ZRANGE_RANK:
    if (!parse_integer(&min, &r->start) || !parse_integer(&max, &r->stop))
      return lrd_text_not_integer;
    break;
  case LRD_ZRANGE_SCORE:
    if (!lrd_score_range_parse(&r->score, min, max))
      return lrd_text_not_score_range;
    break;
  case LRD_ZRANGE_LEX:
    if (!parse_lex(min, &r->lex.min) || !parse_lex(max, &r->lex.max))
      return "ERR min or max not valid string range item";
    break;
  }
  return NULL;
}

static const char *parse(struct lrd_zrange *r, int argc, const larder_bytes *argv)
{
  const char *wrong;
  int i, limited = 0;

  r->limit = -1;
  for (i = 4; i < argc; i++)
    if ((wrong = parse_option(r, argc, argv, &i, &limited)))
      return wrong;
  if (limited && r->by == LRD_ZRANGE_RANK)
    return "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
  if (r->scores && r->by == LRD_ZRANGE_LEX)
    return "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
  return parse_ends(r, argv);
}

const char *lrd_zrange_parse(struct lrd_zrange *r, int argc, const larder_bytes *argv)
{
  memset(r, 0, sizeof *r);
  return parse(r, argc, argv);
}

const char *lrd_zrange_parse_old(struct lrd_zrange *r, enum lrd_zrange_by by, int reverse,
                                 int argc, const larder_bytes *argv)
{
  memset(r, 0, sizeof *r);
  r->by = by;
  r->reverse = reverse;
  r->fixed = 1;
  return parse(r, argc, argv);
}

/* --- replying ------------------------------------------------------------ */

/* Where the reply begins, and how many entries it has from there on. */
struct run {
  size_t rank, n;
};

void lrd_score_range_ranks(const struct lrd_zset *z, const struct lrd_score_range *r,
                           size_t *first, size_t *n)
{
  size_t end = lrd_zset_below(z, r->max, !r->below);

  *first = lrd_zset_below(z, r->min, r->above);
  *n = end > *first ? end - *first : 0;
}

static struct run run_by_rank(const struct lrd_zrange *r, const struct lrd_zset *z)
{
  int64_t count = (int64_t)z->count, start = r->start, stop = r->stop;

  if (start < 0)
    start = start + count < 0 ? 0 : start + count;
  if (stop < 0)
    stop += count;
  if (stop >= count)
    stop = count - 1;
  if (start > stop)
    return (struct run){ 0, 0 };
  return (struct run){ (size_t)(r->reverse ? count - 1 - start : start),
                       (size_t)(stop - start + 1) };
}

static struct run run_by_score(const struct lrd_zrange *r, const struct lrd_zset *z)
{
  size_t first, n, skip = (size_t)r->offset;

  lrd_score_range_ranks(z, &r->score, &first, &n);
  if (r->offset < 0 || skip >= n)
    return (struct run){ 0, 0 };
  n -= skip;
  first = r->reverse ? first + n - 1 : first + skip;
  return (struct run){ first, n };
}

static int step(const struct lrd_zset *z, struct lrd_zset_cursor *c, int reverse)
{
  return reverse ? lrd_zset_previous(z, c) : lrd_zset_next(z, c);
}

/* As Redis walks: the offset is skipped unseen, and the first member beyond
 * the far end ends the run. */
static struct run run_by_lex(const struct lrd_zrange *r, const struct lrd_zset *z)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  struct run run = { 0, 0 };
  size_t ahead;

  if (r->offset < 0 || !lrd_zset_lex_first(z, &r->lex, r->reverse, &run.rank))
    return (struct run){ 0, 0 };
  ahead = r->reverse ? run.rank : z->count - 1 - run.rank;
  if ((uint64_t)r->offset > ahead)
    return (struct run){ 0, 0 };
  run.rank = r->reverse ? run.rank - (size_t)r->offset : run.rank + (size_t)r->offset;
  lrd_zset_seek(z, run.rank, &c);
  do {
    lrd_zset_get(z, &c, &e);
    if (!(r->reverse ? lrd_lex_above_min(&r->lex, e.member) : lrd_lex_below_max(&r->lex, e.member)))
      break;
    run.n++;
  } while ((r->limit < 0 || run.n < (size_t)r->limit) && step(z, &c, r->reverse));
  return run;
}

static struct run run_of(const struct lrd_zrange *r, const struct lrd_zset *z)
{
  struct run run;

  switch (r->by) {
  case LRD_ZRANGE_SCORE:
    run = run_by_score(r, z);
    break;
  case LRD_ZRANGE_LEX:
    run = run_by_lex(r, z);
    break;
  default:
    return run_by_rank(r, z);
  }
  if (r->limit >= 0 && run.n > (size_t)r->limit)
    run.n = (size_t)r->limit;
  return run;
}

void lrd_zrange_ranks(const struct lrd_zrange *r, const struct lrd_zset *z, size_t *rank, size_t *n)
{
  struct run run = run_of(r, z);

  *rank = run.rank;
  *n = run.n;
}

void lrd_zrange_reply(const struct lrd_zrange *r, const struct lrd_zset *z, larder_sink *sink)
{
  struct run run = { 0, 0 };
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (z && z->count)
    run = run_of(r, z);
  if (r->scores)
    lrd_sink_pairs(sink, run.n);
  else
    lrd_sink_array(sink, run.n);
  if (!run.n)
    return;
  lrd_zset_seek(z, run.rank, &c);
  do {
    lrd_zset_get(z, &c, &e);
    if (r->scores)
      lrd_sink_pair(sink);
    lrd_sink_string(sink, e.member.data, e.member.len);
    if (r->scores)
      lrd_sink_real(sink, e.score);
  } while (--run.n && step(z, &c, r->reverse));
}
