/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/kind.h"
#include "memory/zset.h"
#include "memory/zrange.h"
#include "util/memory.h"

static struct lrd_zset *zset_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

/* What has become empty goes, but for a DELTA: what else its key has is not known. */
static void drop_if_empty(struct lrd_exec *x, struct lrd_entry *entry, int whole)
{
  if (whole && zset_of(entry)->count == 0)
    lrd_remove(x, entry);
}

/* --- ZADD ---------------------------------------------------------------- */

enum { CH = 256, FEW = 16 }; /* CH: beside the LRD_ZSET_ flags */

struct zadd {
  unsigned flags;
  size_t n;
  struct lrd_scored *pair;
  struct lrd_scored few[FEW];
  struct lrd_zset_change change;
};

/* The options; where the pairs begin. */
static int parse_options(struct lrd_exec *x, unsigned *flags)
{
  static const struct {
    const char *word;
    unsigned flag;
  } option[] = { { "nx", LRD_ZSET_NX }, { "xx", LRD_ZSET_XX },     { "gt", LRD_ZSET_GT },
                 { "lt", LRD_ZSET_LT }, { "incr", LRD_ZSET_INCR }, { "ch", CH } };
  int i;

  for (i = 2; i < x->argc; i++) {
    size_t k;
    if (x->argv[i].len && (unsigned char)(x->argv[i].data[0] - '0') < 10)
      break; /* as most scores begin, and no option */
    for (k = 0; k < sizeof option / sizeof option[0]; k++)
      if (lrd_is_word(&x->argv[i], option[k].word))
        break;
    if (k == sizeof option / sizeof option[0])
      break;
    *flags |= option[k].flag;
  }
  return i;
}

static const char *options_wrong(unsigned flags, int arguments)
{
  unsigned nx = flags & LRD_ZSET_NX, gt = flags & LRD_ZSET_GT, lt = flags & LRD_ZSET_LT;

  if (arguments % 2 || arguments == 0)
    return lrd_text_syntax;
  if (nx && flags & LRD_ZSET_XX)
    return "ERR XX and NX options at the same time are not compatible";
  if ((gt && nx) || (lt && nx) || (gt && lt))
    return "ERR GT, LT, and/or NX options at the same time are not compatible";
  if (flags & LRD_ZSET_INCR && arguments > 2)
    return "ERR INCR option supports a single increment-element pair";
  return NULL;
}

static void zadd_free(struct zadd *z, struct lrd_exec *x)
{
  if (z->pair != z->few)
    lrd_release(lrd_memory_of(x->engine), z->pair, z->n * sizeof *z->pair);
}

/* 0: an error is replied. */
static int zadd_parse(struct zadd *z, struct lrd_exec *x)
{
  int first = parse_options(x, &z->flags);
  const char *wrong = options_wrong(z->flags, x->argc - first);
  size_t i;

  if (wrong) {
    lrd_error(x, wrong);
    return 0;
  }
  z->n = (size_t)(x->argc - first) / 2;
  z->pair = z->few;
  if (z->n > FEW) {
    z->pair = lrd_allocate(lrd_memory_of(x->engine), z->n * sizeof *z->pair);
    if (!z->pair) {
      lrd_no_memory(x);
      return 0;
    }
  }
  for (i = 0; i < z->n; i++) {
    const larder_bytes *score = &x->argv[first + 2 * (int)i];
    z->pair[i].member = score[1];
    if (!lrd_parse_double(score->data, score->len, &z->pair[i].score)) {
      zadd_free(z, x);
      lrd_error(x, lrd_text_not_float);
      return 0;
    }
  }
  return 1;
}

/* An increment of a member whose score is not known makes it a sum. */
static int zadd_mark(struct zadd *z, struct lrd_exec *x, struct lrd_entry *entry, int whole)
{
  double score;

  if (whole || !(z->flags & LRD_ZSET_INCR) ||
      lrd_zset_score(zset_of(entry), z->pair->member, &score))
    return 0;
  return lrd_zset_mark_sum(zset_of(entry), lrd_memory_of(x->engine), lrd_hash_key_of(x->engine),
                           z->pair->member);
}

static int zadd_store(struct zadd *z, struct lrd_exec *x, struct lrd_entry *entry, int whole)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  double score;

  if (zadd_mark(z, x, entry, whole) != 0)
    return -1;
  if (lrd_zset_add(zset_of(entry), memory, lrd_hash_key_of(x->engine), z->flags & ~(unsigned)CH,
                   z->n, z->pair, &z->change) == 0)
    return 0;
  if (!lrd_zset_score(zset_of(entry), z->pair->member, &score))
    lrd_zset_unmark_sum(zset_of(entry), memory, z->pair->member);
  return -1;
}

static void zadd_reply(struct zadd *z, struct lrd_exec *x)
{
  if (z->flags & LRD_ZSET_INCR) {
    if (z->change.skipped)
      lrd_sink_nil(x->sink);
    else
      lrd_sink_real(x->sink, z->change.score);
  } else {
    lrd_sink_integer(x->sink, z->change.added + (z->flags & CH ? z->change.updated : 0));
  }
}

static void zadd_run(struct zadd *z, struct lrd_exec *x)
{
  larder_bytes key = x->argv[1];
  struct lrd_entry *entry, *fresh = NULL;
  int whole;

  if (!lrd_write(x, key, LRD_ZSET, &entry))
    return;
  whole = lrd_is_whole(x, entry);
  if (!entry && z->flags & LRD_ZSET_XX) {
    z->change.skipped = 1;
    zadd_reply(z, x);
    return;
  }
  if (!entry && !(entry = fresh = lrd_create(x, key, LRD_ZSET))) {
    lrd_no_memory(x);
    return;
  }
  if (zadd_store(z, x, entry, whole) != 0) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  if (z->change.nan) {
    lrd_value_error(x, entry, "ERR resulting score is not a number (NaN)");
    return;
  }
  if (z->change.added || z->change.updated || !whole)
    lrd_changed(x, key, 0, NULL);
  zadd_reply(z, x);
}

static void zadd(struct lrd_exec *x, unsigned flags)
{
  struct zadd z;

  z.flags = flags;
  memset(&z.change, 0, sizeof z.change);
  if (!zadd_parse(&z, x))
    return;
  zadd_run(&z, x);
  zadd_free(&z, x);
}

void lrd_t_zadd(struct lrd_exec *x)
{
  zadd(x, 0);
}

void lrd_t_zincrby(struct lrd_exec *x)
{
  zadd(x, LRD_ZSET_INCR);
}

/* --- removing ------------------------------------------------------------ */

void lrd_t_zrem(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  int64_t removed = 0;
  int i, whole;

  if (!lrd_write(x, x->argv[1], LRD_ZSET, &entry))
    return;
  whole = lrd_is_whole(x, entry);
  if (entry) {
    for (i = 2; i < x->argc; i++)
      removed += lrd_zset_remove(zset_of(entry), lrd_memory_of(x->engine), x->argv[i]);
    drop_if_empty(x, entry, whole);
  }
  if (removed || !whole)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, removed);
}

void lrd_t_zremrangebyscore(struct lrd_exec *x)
{
  struct lrd_score_range range;
  struct lrd_entry *entry;
  size_t first = 0, n = 0;
  int whole;

  if (!lrd_score_range_parse(&range, x->argv[2], x->argv[3])) {
    lrd_error(x, lrd_text_not_score_range);
    return;
  }
  if (!lrd_write(x, x->argv[1], LRD_ZSET, &entry))
    return;
  whole = lrd_is_whole(x, entry);
  if (entry) {
    lrd_score_range_ranks(zset_of(entry), &range, &first, &n);
    lrd_zset_remove_range(zset_of(entry), lrd_memory_of(x->engine), first, n);
    drop_if_empty(x, entry, whole);
  }
  if (n || !whole)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, (int64_t)n);
}

/* --- reading ------------------------------------------------------------- */

void lrd_t_zscore(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  double score;

  if (!lrd_read_part(x, x->argv[1], LRD_ZSET, &entry))
    return;
  if (entry && lrd_zset_score(zset_of(entry), x->argv[2], &score) &&
      !lrd_zset_is_sum(zset_of(entry), x->argv[2]))
    lrd_sink_real(x->sink, score);
  else if (lrd_is_whole(x, entry))
    lrd_sink_nil(x->sink);
  else
    lrd_unknown(x);
}

void lrd_t_zcard(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    lrd_sink_integer(x->sink, entry ? (int64_t)zset_of(entry)->count : 0);
}

void lrd_t_zrank(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  size_t rank;

  if (!lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    return;
  if (entry && lrd_zset_rank(zset_of(entry), x->argv[2], &rank))
    lrd_sink_integer(x->sink, (int64_t)rank);
  else
    lrd_sink_nil(x->sink);
}

void lrd_t_zrange(struct lrd_exec *x)
{
  struct lrd_zrange range;
  struct lrd_entry *entry;
  const char *wrong = lrd_zrange_parse(&range, x->argc, x->argv);

  if (wrong)
    lrd_error(x, wrong);
  else if (lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    lrd_zrange_reply(&range, entry ? zset_of(entry) : NULL, x->sink);
}

/* --- the kind ------------------------------------------------------------ */

static void *create(const larder_memory *memory)
{
  return lrd_zset_new(memory);
}

static void destroy(const larder_memory *memory, void *value)
{
  lrd_zset_free(value, memory);
}

static size_t free_some(const larder_memory *memory, void *value, size_t budget)
{
  return lrd_zset_free_some(value, memory, budget);
}

static size_t rebuild(const void *value, larder_bytes key, larder_sink *sink)
{
  const struct lrd_zset *zset = value;
  size_t left = zset->count, most = (LRD_REBUILD_ARGUMENTS - 2) / 2, vectors = 0, n, i;
  char text[LRD_NUMBER_SIZE];
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (left)
    lrd_zset_seek(zset, 0, &c);
  for (; left; left -= n, vectors++) {
    n = left < most ? left : most;
    lrd_sink_array(sink, 2 + 2 * n);
    lrd_sink_string(sink, "ZADD", 4);
    lrd_sink_string(sink, key.data, key.len);
    for (i = 0; i < n; i++) {
      lrd_zset_get(zset, &c, &e);
      lrd_sink_string(sink, text, lrd_print_double(text, e.score));
      lrd_sink_string(sink, e.member.data, e.member.len);
      lrd_zset_next(zset, &c);
    }
  }
  return vectors;
}

const struct lrd_kind_type lrd_zset_type = { "zset", create, destroy, rebuild, free_some };
