/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/zrange.h"
#include "memory/zset.h"

/* The older names of ZRANGE, and what counts or asks for parts of a sorted set. */

static struct lrd_zset *zset_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

static void range(struct lrd_exec *x, enum lrd_zrange_by by, int reverse)
{
  struct lrd_zrange range;
  struct lrd_entry *entry;
  const char *wrong = lrd_zrange_parse_old(&range, by, reverse, x->argc, x->argv);

  if (wrong)
    lrd_error(x, wrong);
  else if (lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    lrd_zrange_reply(&range, entry ? zset_of(entry) : NULL, x->sink);
}

void lrd_t_zrevrange(struct lrd_exec *x)
{
  range(x, LRD_ZRANGE_RANK, 1);
}

void lrd_t_zrangebyscore(struct lrd_exec *x)
{
  range(x, LRD_ZRANGE_SCORE, 0);
}

void lrd_t_zrevrangebyscore(struct lrd_exec *x)
{
  range(x, LRD_ZRANGE_SCORE, 1);
}

void lrd_t_zrangebylex(struct lrd_exec *x)
{
  range(x, LRD_ZRANGE_LEX, 0);
}

void lrd_t_zrevrangebylex(struct lrd_exec *x)
{
  range(x, LRD_ZRANGE_LEX, 1);
}

/* --- counting ------------------------------------------------------------ */

/* Which ranks of the key the arguments 2 and 3 name, n of them; 0: replied. */
static int find_range(struct lrd_exec *x, enum lrd_zrange_by by, struct lrd_entry **entry,
                      size_t *first, size_t *n)
{
  struct lrd_zrange range;
  const char *wrong = lrd_zrange_parse_old(&range, by, 0, 4, x->argv);

  *first = *n = 0;
  if (wrong) {
    lrd_error(x, wrong);
    return 0;
  }
  if (!lrd_read(x, x->argv[1], LRD_ZSET, entry))
    return 0;
  if (*entry)
    lrd_zrange_ranks(&range, zset_of(*entry), first, n);
  return 1;
}

static void count(struct lrd_exec *x, enum lrd_zrange_by by)
{
  struct lrd_entry *entry;
  size_t first, n;

  if (find_range(x, by, &entry, &first, &n))
    lrd_sink_integer(x->sink, (int64_t)n);
}

void lrd_t_zcount(struct lrd_exec *x)
{
  count(x, LRD_ZRANGE_SCORE);
}

void lrd_t_zlexcount(struct lrd_exec *x)
{
  count(x, LRD_ZRANGE_LEX);
}

/* --- removing ------------------------------------------------------------ */

static void remove_range(struct lrd_exec *x, enum lrd_zrange_by by)
{
  struct lrd_entry *entry;
  size_t first, n;

  if (!find_range(x, by, &entry, &first, &n))
    return;
  if (n && n == zset_of(entry)->count)
    lrd_remove(x, entry);
  else if (n)
    lrd_zset_remove_range(zset_of(entry), lrd_memory_of(x->engine), first, n);
  if (n)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, (int64_t)n);
}

void lrd_t_zremrangebyrank(struct lrd_exec *x)
{
  remove_range(x, LRD_ZRANGE_RANK);
}

void lrd_t_zremrangebylex(struct lrd_exec *x)
{
  remove_range(x, LRD_ZRANGE_LEX);
}

/* --- members ------------------------------------------------------------- */

void lrd_t_zrevrank(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  size_t rank;

  if (!lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    return;
  if (entry && lrd_zset_rank(zset_of(entry), x->argv[2], &rank))
    lrd_sink_integer(x->sink, (int64_t)(zset_of(entry)->count - 1 - rank));
  else
    lrd_sink_nil(x->sink);
}

static int find(const struct lrd_entry *entry, larder_bytes member, double *score)
{
  return entry && lrd_zset_score(zset_of(entry), member, score) &&
         !lrd_zset_is_sum(zset_of(entry), member);
}

void lrd_t_zmscore(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  double score;

  if (!lrd_read_part(x, x->argv[1], LRD_ZSET, &entry))
    return;
  for (int i = 2; i < x->argc && !lrd_is_whole(x, entry); i++)
    if (!find(entry, x->argv[i], &score)) {
      lrd_unknown(x);
      return;
    }
  lrd_sink_array(x->sink, (size_t)x->argc - 2);
  for (int i = 2; i < x->argc; i++) {
    if (find(entry, x->argv[i], &score))
      lrd_sink_real(x->sink, score);
    else
      lrd_sink_nil(x->sink);
  }
}
