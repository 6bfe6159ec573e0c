/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

/* Parts of strings by position. */

char *lrd_string_extend(struct lrd_exec *x, larder_bytes key, struct lrd_entry *entry, size_t len)
{
  enum { DOUBLES_UNTIL = 1024 * 1024 };
  struct lrd_at at = lrd_at(x, key);
  struct lrd_entry *fresh = NULL;
  char number[LRD_NUMBER_SIZE];
  size_t used = entry ? lrd_entry_string(entry, number).len : 0, capacity = len > used ? len : used;

  if (entry && len > used)
    capacity += len < DOUBLES_UNTIL ? len : DOUBLES_UNTIL;
  if (!entry && !(entry = fresh = lrd_put(x, key, (larder_bytes){ "", 0 }, -1)))
    return NULL;
  if (lrd_keyspace_widen(x->engine, &at, &entry, capacity)) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return NULL;
  }
  if (len > used) {
    memset(lrd_entry_text(entry) + used, 0, len - used);
    entry->text.len = (uint32_t)len;
  }
  return lrd_entry_text(entry);
}

struct lrd_entry *lrd_stage_text(struct lrd_exec *x, const struct lrd_at *at, larder_bytes text,
                                 int64_t when)
{
  static const larder_bytes room = { "longer than any number", 22 };
  struct lrd_entry *entry = lrd_keyspace_stage(x->engine, at, text.len < room.len ? room : text,
                                               when, lrd_now(x));

  if (!entry)
    return NULL;
  lrd_entry_set_string(entry, text);
  entry->flags |= LRD_ENTRY_RAW;
  return entry;
}

struct lrd_entry *lrd_put_text(struct lrd_exec *x, larder_bytes key, larder_bytes text,
                               int64_t when)
{
  struct lrd_entry *entry;
  struct lrd_at at;

  (void)lrd_peek(x, key);
  at = lrd_at(x, key);
  entry = lrd_stage_text(x, &at, text, when);
  if (entry && !lrd_keyspace_commit(x->engine, &at, entry, when))
    return entry;
  if (entry)
    lrd_entry_free(lrd_memory_of(x->engine), entry);
  lrd_no_memory(x);
  return NULL;
}

static size_t clamp(int64_t position, size_t len)
{
  if (position < 0)
    position += (int64_t)len;
  return position < 0 ? 0 : (size_t)position;
}

void lrd_t_getrange(struct lrd_exec *x)
{
  larder_bytes value = { "", 0 };
  char number[LRD_NUMBER_SIZE];
  struct lrd_entry *entry;
  int64_t start, end;
  size_t from, to;

  if (!lrd_argument_integer(x, 2, &start) || !lrd_argument_integer(x, 3, &end) ||
      !lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  if (entry)
    value = lrd_entry_string(entry, number);
  from = clamp(start, value.len);
  to = clamp(end, value.len);
  if (to >= value.len)
    to = value.len - 1;
  if (!value.len || from > to || (start < 0 && end < 0 && start > end))
    lrd_sink_string(x->sink, "", 0);
  else
    lrd_sink_string(x->sink, value.data + from, to - from + 1);
}

void lrd_t_setrange(struct lrd_exec *x)
{
  larder_bytes part = x->argv[3];
  char number[LRD_NUMBER_SIZE], *text;
  struct lrd_entry *entry;
  size_t len;
  int64_t offset;

  if (!lrd_argument_integer(x, 2, &offset))
    return;
  if (offset < 0) {
    lrd_error(x, "ERR offset is out of range");
    return;
  }
  if (!lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  len = entry ? lrd_entry_string(entry, number).len : 0;
  if (part.len) {
    if ((uint64_t)offset + part.len > LRD_STRING_MAX) {
      lrd_error(x, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
      return;
    }
    if ((size_t)offset + part.len > len)
      len = (size_t)offset + part.len;
    text = lrd_string_extend(x, x->argv[1], entry, len);
    if (!text)
      return;
    memcpy(text + offset, part.data, part.len);
    lrd_changed(x, x->argv[1], 0, NULL);
  }
  lrd_sink_integer(x->sink, (int64_t)len);
}
