/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/block.h"
#include "memory/kind.h"
#include "memory/zset.h"

/* ZPOPMIN, ZPOPMAX, ZMPOP. */

static struct lrd_zset *zset_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

/* Each with its score, from the lowest on, or from the highest on down. */
enum form { FLAT, PAIRS, ARRAYS };

static void reply(struct lrd_exec *x, const struct lrd_zset *zset, size_t n, int highest,
                  enum form form)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (form == PAIRS)
    lrd_sink_pairs(x->sink, n);
  else if (form == ARRAYS)
    lrd_sink_array(x->sink, n);
  lrd_zset_seek(zset, highest ? zset->count - 1 : 0, &c);
  for (size_t i = 0; i < n; i++) {
    lrd_zset_get(zset, &c, &e);
    if (form == PAIRS)
      lrd_sink_pair(x->sink);
    else
      lrd_sink_array(x->sink, 2);
    lrd_sink_string(x->sink, e.member.data, e.member.len);
    lrd_sink_real(x->sink, e.score);
    if (highest)
      lrd_zset_previous(zset, &c);
    else
      lrd_zset_next(zset, &c);
  }
}

static void take(struct lrd_exec *x, larder_bytes key, struct lrd_entry *entry, size_t n,
                 int highest)
{
  struct lrd_zset *zset = zset_of(entry);

  if (x->sink->failed)
    return;
  if (n == zset->count && lrd_is_whole(x, entry))
    lrd_remove(x, entry);
  else
    lrd_zset_remove_range(zset, lrd_memory_of(x->engine), highest ? zset->count - n : 0, n);
  lrd_changed(x, key, 0, NULL);
}

static void pop(struct lrd_exec *x, int highest)
{
  int counted = x->argc == 3;
  struct lrd_entry *entry;
  int64_t count;

  if (!lrd_argument_last_count(x, lrd_text_syntax, &count))
    return;
  if (!lrd_write(x, x->argv[1], LRD_ZSET, &entry))
    return;
  if (entry && (uint64_t)count > zset_of(entry)->count)
    count = (int64_t)zset_of(entry)->count;
  if (!entry || !count) {
    lrd_sink_array(x->sink, 0);
    return;
  }
  reply(x, zset_of(entry), (size_t)count, highest, counted ? PAIRS : FLAT);
  take(x, x->argv[1], entry, (size_t)count, highest);
}

void lrd_t_zpopmin(struct lrd_exec *x)
{
  pop(x, 0);
}

void lrd_t_zpopmax(struct lrd_exec *x)
{
  pop(x, 1);
}

static void pop_some(struct lrd_exec *x, larder_bytes key, struct lrd_entry *entry, int64_t count,
                     int highest)
{
  size_t n = zset_of(entry)->count;

  if ((uint64_t)count < n)
    n = (size_t)count;
  lrd_sink_array(x->sink, 2);
  lrd_sink_string(x->sink, key.data, key.len);
  reply(x, zset_of(entry), n, highest, ARRAYS);
  take(x, key, entry, n, highest);
}

/* From the first of the keys that has some; numkeys stands at `at`.  1: there is nothing, and
 * nothing is replied. */
static int pop_first(struct lrd_exec *x, int at)
{
  struct lrd_entry *entry;
  int64_t keys, count, ms;
  int highest;

  if (!lrd_argument_keys(x, at, &keys))
    return 0;
  highest = keys <= x->argc - at - 2 && lrd_is_word(&x->argv[at + 1 + keys], "MAX");
  if (keys > x->argc - at - 2 || (!highest && !lrd_is_word(&x->argv[at + 1 + keys], "MIN"))) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  if (!lrd_argument_pop_count(x, at + (int)keys + 2, &count))
    return 0;
  if (at > 1 && !lrd_argument_wait(x, &ms))
    return 0;
  for (int i = at + 1; i <= at + keys; i++) {
    if (!lrd_block_read(x, x->argv[i], LRD_ZSET, &entry))
      return 0;
    if (entry) {
      pop_some(x, x->argv[i], entry, count, highest);
      return 0;
    }
  }
  return 1;
}

void lrd_t_zmpop(struct lrd_exec *x)
{
  if (pop_first(x, 1))
    lrd_sink_nil_array(x->sink);
}

/* --- those that wait ----------------------------------------------------- */

void lrd_t_bzmpop(struct lrd_exec *x)
{
  if (pop_first(x, 2) && !lrd_block_may_wait(x))
    lrd_sink_nil_array(x->sink);
}

static void pop_or_wait(struct lrd_exec *x, int highest)
{
  struct lrd_zset_cursor c;
  struct lrd_entry *entry;
  struct lrd_scored e;
  int64_t ms;

  if (!lrd_argument_wait(x, &ms))
    return;
  for (int i = 1; i < x->argc - 1; i++) {
    if (!lrd_block_read(x, x->argv[i], LRD_ZSET, &entry))
      return;
    if (!entry)
      continue;
    lrd_zset_seek(zset_of(entry), highest ? zset_of(entry)->count - 1 : 0, &c);
    lrd_zset_get(zset_of(entry), &c, &e);
    lrd_sink_array(x->sink, 3);
    lrd_sink_string(x->sink, x->argv[i].data, x->argv[i].len);
    lrd_sink_string(x->sink, e.member.data, e.member.len);
    lrd_sink_real(x->sink, e.score);
    take(x, x->argv[i], entry, 1, highest);
    return;
  }
  if (!lrd_block_may_wait(x))
    lrd_sink_nil_array(x->sink);
}

void lrd_t_bzpopmin(struct lrd_exec *x)
{
  pop_or_wait(x, 0);
}

void lrd_t_bzpopmax(struct lrd_exec *x)
{
  pop_or_wait(x, 1);
}
