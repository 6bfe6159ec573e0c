/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

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

static void pop_first(struct lrd_exec *x, larder_bytes key, struct lrd_entry *entry, int64_t count,
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

void lrd_t_zmpop(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  int64_t keys, count;
  int highest;

  if (!lrd_argument_keys(x, 1, &keys))
    return;
  highest = keys <= x->argc - 3 && lrd_is_word(&x->argv[2 + keys], "MAX");
  if (keys > x->argc - 3 || (!highest && !lrd_is_word(&x->argv[2 + keys], "MIN"))) {
    lrd_error(x, lrd_text_syntax);
    return;
  }
  if (!lrd_argument_pop_count(x, (int)keys + 3, &count))
    return;
  for (int i = 2; i < 2 + keys; i++) {
    if (!lrd_read(x, x->argv[i], LRD_ZSET, &entry))
      return;
    if (entry) {
      pop_first(x, x->argv[i], entry, count, highest);
      return;
    }
  }
  lrd_sink_nil_array(x->sink);
}
