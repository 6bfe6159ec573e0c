/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include <math.h>

#include "memory/kind.h"
#include "memory/set.h"
#include "memory/zset.h"
#include "memory/zset_entry.h"
#include "util/memory.h"

/* Several sorted sets at once; a set among them has scores of 1. */

enum operation { INTER, UNION, DIFF };
enum aggregate { SUM, MIN, MAX };

struct source {
  const struct lrd_zset *zset; /* or */
  const struct lrd_set *set;   /* or neither: there is no such key */
  double weight;
};

struct sources {
  struct lrd_exec *x;
  enum operation operation;
  enum aggregate aggregate;
  int scores, stored, counted;
  int64_t limit; /* of ZINTERCARD; 0: none */
  int first; /* argument of the first key */
  size_t n;
  struct source *source;
};

static size_t count_of(const struct source *s)
{
  return s->zset ? s->zset->count : s->set ? s->set->count : 0;
}

static int score_in(const struct source *s, larder_bytes member, double *score)
{
  *score = 1;
  return s->zset ? lrd_zset_score(s->zset, member, score)
                 : s->set && lrd_set_has(s->set, member);
}

/* --- walking over one ---------------------------------------------------- */

struct walk {
  const struct source *of;
  struct lrd_zset_cursor zset;
  struct lrd_set_cursor set;
  int more;
};

static void walk_init(struct walk *w, const struct source *s)
{
  w->of = s;
  w->set = (struct lrd_set_cursor){ 0 };
  w->more = count_of(s) > 0;
  if (s->zset && w->more)
    lrd_zset_seek(s->zset, 0, &w->zset);
}

static int walk_next(struct walk *w, struct lrd_scored *e)
{
  if (!w->more)
    return 0;
  if (w->of->zset) {
    lrd_zset_get(w->of->zset, &w->zset, e);
    w->more = lrd_zset_next(w->of->zset, &w->zset);
    return 1;
  }
  e->score = 1;
  return lrd_set_next(w->of->set, &w->set, &e->member);
}

/* --- scores -------------------------------------------------------------- */

static double weighted(const struct source *s, double score)
{
  double value = s->weight * score;
  return isnan(value) ? 0 : value;
}

static double aggregated(enum aggregate how, double a, double b)
{
  if (how == MIN)
    return b < a ? b : a;
  if (how == MAX)
    return b > a ? b : a;
  return isnan(a + b) ? 0 : a + b; /* +inf and -inf */
}

/* --- combining ----------------------------------------------------------- */

static int put(const struct sources *s, struct lrd_zset *to, const struct lrd_scored *e)
{
  struct lrd_zset_change change;

  return lrd_zset_add(to, lrd_memory_of(s->x->engine), lrd_hash_key_of(s->x->engine), 0, 1, e,
                      &change) == 0;
}

static int by_count(const void *a, const void *b)
{
  size_t x = count_of(a), y = count_of(b);
  return (x > y) - (x < y);
}

/* As qsort, stable, so that sums of doubles are added in one order. */
static void sort_by_count(struct sources *s)
{
  for (size_t i = 1; i < s->n; i++) {
    struct source one = s->source[i];
    size_t k = i;

    for (; k && by_count(&s->source[k - 1], &one) > 0; k--)
      s->source[k] = s->source[k - 1];
    s->source[k] = one;
  }
}

/* Whether all have the member; its score then. */
static int inter_score(const struct sources *s, struct lrd_scored *e)
{
  double score, value = weighted(&s->source[0], e->score);

  for (size_t i = 1; i < s->n; i++) {
    if (s->source[i].zset == s->source[0].zset && s->source[i].set == s->source[0].set)
      score = e->score;
    else if (!score_in(&s->source[i], e->member, &score))
      return 0;
    /* as Redis: a product that is no number counts as 0 in the first set only */
    value = aggregated(s->aggregate, value, s->source[i].weight * score);
  }
  e->score = value;
  return 1;
}

static int inter(const struct sources *s, struct lrd_zset *to)
{
  struct lrd_scored e;
  struct walk w;

  walk_init(&w, &s->source[0]);
  while (walk_next(&w, &e))
    if (inter_score(s, &e) && !put(s, to, &e))
      return 0;
  return 1;
}

/* To an add a zero is as good as a negative one that is there already. */
static void drop_other_zero(const struct sources *s, struct lrd_zset *to,
                            const struct lrd_scored *e, double known)
{
  if (e->score == 0 && signbit(e->score) != signbit(known))
    lrd_zset_remove(to, lrd_memory_of(s->x->engine), e->member);
}

static int unite(const struct sources *s, struct lrd_zset *to)
{
  struct lrd_scored e;
  struct walk w;
  double known;

  for (size_t i = 0; i < s->n; i++) {
    walk_init(&w, &s->source[i]);
    while (walk_next(&w, &e)) {
      e.score = weighted(&s->source[i], e.score);
      if (lrd_zset_score(to, e.member, &known)) {
        e.score = aggregated(s->aggregate, known, e.score);
        drop_other_zero(s, to, &e, known);
      }
      if (!put(s, to, &e))
        return 0;
    }
  }
  return 1;
}

static int subtract(const struct sources *s, struct lrd_zset *to)
{
  struct lrd_scored e;
  struct walk w;
  double score;

  walk_init(&w, &s->source[0]);
  while (walk_next(&w, &e)) {
    size_t i = 1;

    while (i < s->n && !score_in(&s->source[i], e.member, &score))
      i++;
    if (i == s->n && !put(s, to, &e))
      return 0;
  }
  return 1;
}

static int is_small(const struct lrd_zset *z)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (!z->count || z->count > LRD_ZSET_PACKED)
    return 0;
  lrd_zset_seek(z, 0, &c);
  do {
    lrd_zset_get(z, &c, &e);
    if (e.member.len > LRD_ZSET_PACKED_LEN)
      return 0;
  } while (lrd_zset_next(z, &c));
  return 1;
}

/* A small one that is stored is packed.  NULL: no memory, replied. */
static struct lrd_zset *pack(const struct sources *s, struct lrd_zset *z)
{
  const larder_memory *memory = lrd_memory_of(s->x->engine);
  struct lrd_zset *to;
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  int done;

  if (!s->stored || !is_small(z))
    return z;
  to = lrd_zset_new(memory);
  done = to != NULL;
  lrd_zset_seek(z, 0, &c);
  for (size_t i = 0; done && i < z->count; i++) {
    lrd_zset_get(z, &c, &e);
    done = put(s, to, &e);
    lrd_zset_next(z, &c);
  }
  lrd_zset_free(z, memory);
  if (done)
    return to;
  if (to)
    lrd_zset_free(to, memory);
  lrd_no_memory(s->x);
  return NULL;
}

/* Made as a large one, as Redis does: until it is stored it keeps negative zeros. */
static struct lrd_zset *combine(struct sources *s)
{
  const larder_memory *memory = lrd_memory_of(s->x->engine);
  struct lrd_zset *to = lrd_zset_new(memory);
  int done;

  if (!to || lrd_zset_enlarge(to, memory, lrd_hash_key_of(s->x->engine)) != 0) {
    if (to)
      lrd_zset_free(to, memory);
    lrd_no_memory(s->x);
    return NULL;
  }
  if (s->operation != DIFF)
    sort_by_count(s);
  done = s->operation == INTER ? inter(s, to) : s->operation == UNION ? unite(s, to)
                                                                       : subtract(s, to);
  if (done)
    return pack(s, to);
  lrd_zset_free(to, memory);
  lrd_no_memory(s->x);
  return NULL;
}

/* --- parsing ------------------------------------------------------------- */

static void release(struct sources *s)
{
  lrd_release(lrd_memory_of(s->x->engine), s->source, s->n * sizeof *s->source);
}

static int read_source(struct sources *s, size_t i)
{
  larder_bytes key = s->x->argv[s->first + (int)i];
  struct lrd_entry *entry;

  s->source[i] = (struct source){ .weight = 1 };
  if (!lrd_read(s->x, key, LRD_NONE, &entry))
    return 0;
  if (!entry)
    return 1;
  if (lrd_kind_of(entry) == LRD_ZSET) {
    s->source[i].zset = lrd_value(entry);
  } else if (lrd_kind_of(entry) == LRD_SET_KIND) {
    s->source[i].set = lrd_value(entry);
  } else {
    lrd_error(s->x, lrd_text_wrongtype);
    return 0;
  }
  return 1;
}

static int parse_weights(struct sources *s, int at)
{
  for (size_t i = 0; i < s->n; i++) {
    larder_bytes text = s->x->argv[at + (int)i];

    if (!lrd_parse_double(text.data, text.len, &s->source[i].weight)) {
      lrd_error(s->x, "ERR weight value is not a float");
      return 0;
    }
  }
  return 1;
}

static int parse_aggregate(struct sources *s, const larder_bytes *word)
{
  static const char *const names[] = { [SUM] = "SUM", [MIN] = "MIN", [MAX] = "MAX" };

  for (s->aggregate = SUM; s->aggregate <= MAX; s->aggregate++)
    if (lrd_is_word(word, names[s->aggregate]))
      return 1;
  lrd_error(s->x, lrd_text_syntax);
  return 0;
}

static int parse_limit(struct sources *s, const larder_bytes *text)
{
  if (lrd_parse_integer(text->data, text->len, &s->limit) && s->limit >= 0)
    return 1;
  lrd_error(s->x, "ERR LIMIT can't be negative");
  return 0;
}

static int parse_options(struct sources *s)
{
  struct lrd_exec *x = s->x;
  int weighs = s->operation != DIFF && !s->counted;

  for (int i = s->first + (int)s->n; i < x->argc; i++) {
    int left = x->argc - i;

    if (s->counted && left > 1 && lrd_is_word(&x->argv[i], "LIMIT")) {
      if (!parse_limit(s, &x->argv[++i]))
        return 0;
    } else if (weighs && left > (int)s->n && lrd_is_word(&x->argv[i], "WEIGHTS")) {
      if (!parse_weights(s, i + 1))
        return 0;
      i += (int)s->n;
    } else if (weighs && left > 1 && lrd_is_word(&x->argv[i], "AGGREGATE")) {
      if (!parse_aggregate(s, &x->argv[++i]))
        return 0;
    } else if (!s->stored && !s->counted && lrd_is_word(&x->argv[i], "WITHSCORES")) {
      s->scores = 1;
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  return 1;
}

/* 0: replied, and nothing is to be released. */
static int parse(struct sources *s, struct lrd_exec *x, enum operation o, int store)
{
  int at = store ? 2 : 1;
  int64_t keys;

  *s = (struct sources){ .x = x, .operation = o, .first = at + 1, .stored = store,
                         .counted = x->vector->command == LRD_ZINTERCARD };
  if (!lrd_argument_integer(x, at, &keys))
    return 0;
  if (keys < 1) {
    lrd_errorf(x, "ERR at least 1 input key is needed for '%s' command",
               lrd_commands[x->vector->command].name);
    return 0;
  }
  if (keys > x->argc - s->first) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  s->n = (size_t)keys;
  s->source = lrd_allocate(lrd_memory_of(x->engine), s->n * sizeof *s->source);
  if (!s->source) {
    lrd_no_memory(x);
    return 0;
  }
  for (size_t i = 0; i < s->n; i++)
    if (!read_source(s, i)) {
      release(s);
      return 0;
    }
  if (parse_options(s))
    return 1;
  release(s);
  return 0;
}

/* --- the commands -------------------------------------------------------- */

static void reply_all(struct sources *s, const struct lrd_zset *z)
{
  larder_sink *sink = s->x->sink;
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (s->scores)
    lrd_sink_pairs(sink, z->count);
  else
    lrd_sink_array(sink, z->count);
  if (!z->count)
    return;
  lrd_zset_seek(z, 0, &c);
  do {
    lrd_zset_get(z, &c, &e);
    if (s->scores)
      lrd_sink_pair(sink);
    lrd_sink_string(sink, e.member.data, e.member.len);
    if (s->scores)
      lrd_sink_real(sink, e.score);
  } while (lrd_zset_next(z, &c));
}

static void reply(struct lrd_exec *x, enum operation o)
{
  struct sources s;
  struct lrd_zset *z;

  if (!parse(&s, x, o, 0))
    return;
  z = combine(&s);
  if (z) {
    reply_all(&s, z);
    lrd_zset_free(z, lrd_memory_of(x->engine));
  }
  release(&s);
}

static void store(struct lrd_exec *x, enum operation o)
{
  struct sources s;
  struct lrd_zset *z;
  size_t count;

  if (!parse(&s, x, o, 1))
    return;
  z = combine(&s);
  release(&s);
  if (!z)
    return;
  count = z->count;
  if (!count) {
    lrd_zset_free(z, lrd_memory_of(x->engine));
    z = NULL;
  }
  if (lrd_store(x, x->argv[1], LRD_ZSET, z, -1))
    lrd_sink_integer(x->sink, (int64_t)count);
}

void lrd_t_zinter(struct lrd_exec *x)
{
  reply(x, INTER);
}

void lrd_t_zunion(struct lrd_exec *x)
{
  reply(x, UNION);
}

void lrd_t_zdiff(struct lrd_exec *x)
{
  reply(x, DIFF);
}

void lrd_t_zinterstore(struct lrd_exec *x)
{
  store(x, INTER);
}

void lrd_t_zunionstore(struct lrd_exec *x)
{
  store(x, UNION);
}

void lrd_t_zdiffstore(struct lrd_exec *x)
{
  store(x, DIFF);
}

/* --- counting ------------------------------------------------------------ */

void lrd_t_zintercard(struct lrd_exec *x)
{
  struct lrd_scored e;
  struct sources s;
  struct walk w;
  int64_t n = 0;

  if (!parse(&s, x, INTER, 0))
    return;
  sort_by_count(&s);
  walk_init(&w, &s.source[0]);
  while ((!s.limit || n < s.limit) && walk_next(&w, &e))
    n += inter_score(&s, &e);
  release(&s);
  lrd_sink_integer(x->sink, n);
}
