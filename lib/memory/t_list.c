/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/kind.h"
#include "memory/list.h"

static struct lrd_list *list_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

static void push(struct lrd_exec *x, enum lrd_side side)
{
  larder_bytes key = x->argv[1];
  struct lrd_entry *entry, *fresh = NULL;

  if (!lrd_write(x, key, LRD_LIST, &entry))
    return;
  if (!entry && !(entry = fresh = lrd_create(x, key, LRD_LIST))) {
    lrd_no_memory(x);
    return;
  }
  if (lrd_list_push(list_of(entry), lrd_memory_of(x->engine), side, (size_t)(x->argc - 2),
                    x->argv + 2) != 0) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  lrd_changed(x, key, 0, NULL);
  lrd_sink_integer(x->sink, (int64_t)list_of(entry)->count);
}

void lrd_t_lpush(struct lrd_exec *x)
{
  push(x, LRD_LIST_FRONT);
}

void lrd_t_rpush(struct lrd_exec *x)
{
  push(x, LRD_LIST_BACK);
}

/* --- popping ------------------------------------------------------------- */

static void take(struct lrd_exec *x, struct lrd_entry *entry, enum lrd_side side, size_t n)
{
  struct lrd_list *list = list_of(entry);
  struct lrd_list_cursor c;
  larder_bytes element;
  size_t i;

  if (side == LRD_LIST_FRONT)
    lrd_list_seek(list, 0, &c);
  else
    lrd_list_seek_last(list, &c);
  for (i = 0; i < n; i++) {
    if (side == LRD_LIST_FRONT)
      lrd_list_next(&c, &element);
    else
      lrd_list_previous(&c, &element);
    lrd_sink_string(x->sink, element.data, element.len);
  }
  if (x->sink->failed)
    return;
  if (n == list->count && lrd_is_whole(x, entry))
    lrd_remove(x, entry);
  else
    lrd_list_pop(list, lrd_memory_of(x->engine), side, n);
  lrd_changed(x, x->argv[1], 0, NULL);
}

static void pop(struct lrd_exec *x, enum lrd_side side)
{
  int counted = x->argc == 3;
  struct lrd_entry *entry;
  const char *too_many = side == LRD_LIST_FRONT ? "ERR wrong number of arguments for 'lpop' command"
                                                : "ERR wrong number of arguments for 'rpop' command";
  int64_t count;

  if (!lrd_argument_last_count(x, too_many, &count))
    return;
  if (!lrd_write(x, x->argv[1], LRD_LIST, &entry))
    return;
  if (!entry) {
    if (counted)
      lrd_sink_nil_array(x->sink);
    else
      lrd_sink_nil(x->sink);
    return;
  }
  if ((uint64_t)count > list_of(entry)->count)
    count = (int64_t)list_of(entry)->count;
  if (counted)
    lrd_sink_array(x->sink, (size_t)count);
  if (count)
    take(x, entry, side, (size_t)count);
  else if (!counted)
    lrd_sink_nil(x->sink);
}

void lrd_t_lpop(struct lrd_exec *x)
{
  pop(x, LRD_LIST_FRONT);
}

void lrd_t_rpop(struct lrd_exec *x)
{
  pop(x, LRD_LIST_BACK);
}

/* --- reading ------------------------------------------------------------- */

void lrd_t_llen(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_read(x, x->argv[1], LRD_LIST, &entry))
    lrd_sink_integer(x->sink, entry ? (int64_t)list_of(entry)->count : 0);
}

void lrd_t_lrange(struct lrd_exec *x)
{
  struct lrd_list_cursor c;
  struct lrd_entry *entry;
  larder_bytes element;
  int64_t start, stop, count;

  if (!lrd_argument_integer(x, 2, &start) || !lrd_argument_integer(x, 3, &stop) ||
      !lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  count = entry ? (int64_t)list_of(entry)->count : 0;
  if (start < 0)
    start = start + count < 0 ? 0 : start + count;
  if (stop < 0)
    stop += count;
  if (stop >= count)
    stop = count - 1;
  if (start > stop) {
    lrd_sink_array(x->sink, 0);
    return;
  }
  lrd_sink_array(x->sink, (size_t)(stop - start + 1));
  lrd_list_seek(list_of(entry), (size_t)start, &c);
  for (; start <= stop && lrd_list_next(&c, &element); start++)
    lrd_sink_string(x->sink, element.data, element.len);
}

/* --- the kind ------------------------------------------------------------ */

static void *create(const larder_memory *memory)
{
  return lrd_list_new(memory);
}

static void destroy(const larder_memory *memory, void *value)
{
  lrd_list_free(value, memory);
}

static size_t free_some(const larder_memory *memory, void *value, size_t budget)
{
  return lrd_list_free_some(value, memory, budget);
}

static size_t rebuild(const void *value, larder_bytes key, larder_sink *sink)
{
  const struct lrd_list *list = value;
  size_t left = list->count, most = LRD_REBUILD_ARGUMENTS - 2, vectors = 0, n, i;
  struct lrd_list_cursor c;
  larder_bytes element;

  if (left)
    lrd_list_seek(list, 0, &c);
  for (; left; left -= n, vectors++) {
    n = left < most ? left : most;
    lrd_sink_array(sink, 2 + n);
    lrd_sink_string(sink, "RPUSH", 5);
    lrd_sink_string(sink, key.data, key.len);
    for (i = 0; i < n && lrd_list_next(&c, &element); i++)
      lrd_sink_string(sink, element.data, element.len);
  }
  return vectors;
}

const struct lrd_kind_type lrd_list_type = { "list", create, destroy, rebuild, free_some };
