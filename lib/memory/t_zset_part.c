/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/kind.h"
#include "memory/zrange.h"
#include "memory/zset.h"
#include "util/hash.h"

/* Parts of a sorted set: kept under another key, or chosen by chance. */

static struct lrd_zset *zset_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

static void get(const struct lrd_zset *z, size_t rank, struct lrd_scored *e)
{
  struct lrd_zset_cursor c;

  lrd_zset_seek(z, rank, &c);
  lrd_zset_get(z, &c, e);
}

/* --- ZRANGESTORE --------------------------------------------------------- */

/* n entries from a rank on; NULL: no memory, replied. */
static struct lrd_zset *copy(struct lrd_exec *x, const struct lrd_zset *z, size_t rank, size_t n)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  struct lrd_zset *to = lrd_zset_new(memory);
  struct lrd_zset_change change;
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  int failed = !to;

  if (!failed && n)
    lrd_zset_seek(z, rank, &c);
  while (!failed && n--) {
    lrd_zset_get(z, &c, &e);
    failed = lrd_zset_add(to, memory, lrd_hash_key_of(x->engine), 0, 1, &e, &change) != 0;
    lrd_zset_next(z, &c);
  }
  if (!failed)
    return to;
  if (to)
    lrd_zset_free(to, memory);
  lrd_no_memory(x);
  return NULL;
}

void lrd_t_zrangestore(struct lrd_exec *x)
{
  struct lrd_zrange range;
  struct lrd_entry *entry;
  struct lrd_zset *z = NULL;
  size_t rank = 0, n = 0;
  const char *wrong = lrd_zrange_parse(&range, x->argc - 1, x->argv + 1);

  if (range.scores)
    wrong = lrd_text_syntax;
  if (wrong) {
    lrd_error(x, wrong);
    return;
  }
  if (!lrd_read(x, x->argv[2], LRD_ZSET, &entry))
    return;
  if (entry)
    lrd_zrange_ranks(&range, zset_of(entry), &rank, &n);
  if (n && range.reverse)
    rank -= n - 1;
  if (n && !(z = copy(x, zset_of(entry), rank, n)))
    return;
  if (lrd_store(x, x->argv[1], LRD_ZSET, z, -1))
    lrd_sink_integer(x->sink, (int64_t)n);
}

/* --- ZRANDMEMBER --------------------------------------------------------- */

static void begin(struct lrd_exec *x, size_t n, int scores)
{
  if (scores)
    lrd_sink_pairs(x->sink, n);
  else
    lrd_sink_array(x->sink, n);
}

static void reply_one(struct lrd_exec *x, const struct lrd_scored *e, int scores)
{
  if (scores)
    lrd_sink_pair(x->sink);
  lrd_sink_string(x->sink, e->member.data, e->member.len);
  if (scores)
    lrd_sink_real(x->sink, e->score);
}

static void reply_any(struct lrd_exec *x, const struct lrd_zset *z, uint64_t n, int scores)
{
  struct lrd_scored e;

  begin(x, n, scores);
  while (n-- && !x->sink->failed) {
    get(z, (size_t)lrd_prng_below(lrd_prng_of(x), z->count), &e);
    reply_one(x, &e, scores);
  }
}

/* Each has the chance that those still wanted have among those still to come. */
static void reply_distinct(struct lrd_exec *x, const struct lrd_zset *z, uint64_t n, int scores)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  size_t left = z->count;

  if (n > left)
    n = left;
  begin(x, n, scores);
  lrd_zset_seek(z, 0, &c);
  while (n) {
    if (lrd_prng_below(lrd_prng_of(x), left--) < n) {
      lrd_zset_get(z, &c, &e);
      reply_one(x, &e, scores);
      n--;
    }
    lrd_zset_next(z, &c);
  }
}

static int parse(struct lrd_exec *x, int64_t *count, int *scores)
{
  *scores = x->argc == 4;
  if (!lrd_argument_random(x, count))
    return 0;
  if (x->argc > 4 || (*scores && !lrd_is_word(&x->argv[3], "WITHSCORES"))) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  if (*scores && (*count < -INT64_MAX / 2 || *count > INT64_MAX / 2)) {
    lrd_error(x, "ERR value is out of range");
    return 0;
  }
  return 1;
}

void lrd_t_zrandmember(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct lrd_scored e;
  int64_t count = 0;
  int scores = 0;

  if ((x->argc > 2 && !parse(x, &count, &scores)) || !lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    return;
  if (x->argc == 2 && entry) {
    get(zset_of(entry), (size_t)lrd_prng_below(lrd_prng_of(x), zset_of(entry)->count), &e);
    reply_one(x, &e, 0);
  } else if (x->argc == 2) {
    lrd_sink_nil(x->sink);
  } else if (!entry || !count) {
    lrd_sink_array(x->sink, 0);
  } else if (count < 0) {
    reply_any(x, zset_of(entry), (uint64_t)-count, scores);
  } else {
    reply_distinct(x, zset_of(entry), (uint64_t)count, scores);
  }
}
