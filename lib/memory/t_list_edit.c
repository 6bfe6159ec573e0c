/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/kind.h"
#include "memory/list.h"
#include "memory/packed.h"

/* Lists by position and by content. */

static struct lrd_list *list_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

/* A position as commands give it; -1: before the first element. */
static int64_t position(const struct lrd_entry *entry, int64_t index)
{
  if (index >= 0)
    return index;
  index += (int64_t)list_of(entry)->count;
  return index < 0 ? -1 : index;
}

/* --- asking -------------------------------------------------------------- */

void lrd_t_lindex(struct lrd_exec *x)
{
  struct lrd_list_cursor c;
  struct lrd_entry *entry;
  larder_bytes element;
  int64_t index;

  if (!lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  if (!entry) {
    lrd_sink_nil(x->sink);
    return;
  }
  if (!lrd_argument_integer(x, 2, &index))
    return;
  index = position(entry, index);
  if (index < 0 || (uint64_t)index >= list_of(entry)->count) {
    lrd_sink_nil(x->sink);
    return;
  }
  lrd_list_seek(list_of(entry), (size_t)index, &c);
  lrd_list_next(&c, &element);
  lrd_sink_string(x->sink, element.data, element.len);
}

struct lpos {
  int64_t rank, count, most; /* count below 0: one, not in an array; most 0: all */
};

static int parse_lpos(struct lrd_exec *x, struct lpos *p)
{
  for (int i = 3; i < x->argc; i += 2) {
    const larder_bytes *word = &x->argv[i], *number = word + 1;
    int more = i + 1 < x->argc;

    if (more && lrd_is_word(word, "RANK")) {
      if (!lrd_argument_integer(x, i + 1, &p->rank))
        return 0;
      if (!p->rank) {
        lrd_error(x, "ERR RANK can't be zero: use 1 to start from the first match, 2 from the "
                     "second ... or use negative to start from the end of the list");
        return 0;
      }
    } else if (more && lrd_is_word(word, "COUNT")) {
      if (!lrd_parse_integer(number->data, number->len, &p->count) || p->count < 0) {
        lrd_error(x, "ERR COUNT can't be negative");
        return 0;
      }
    } else if (more && lrd_is_word(word, "MAXLEN")) {
      if (!lrd_parse_integer(number->data, number->len, &p->most) || p->most < 0) {
        lrd_error(x, "ERR MAXLEN can't be negative");
        return 0;
      }
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  return 1;
}

static size_t find(struct lrd_exec *x, const struct lrd_list *list, const struct lpos *p)
{
  /* Redis turns the lowest rank into itself, and then every match is beyond it */
  uint64_t skip = p->rank == INT64_MIN ? 0
                  : p->rank < 0        ? (uint64_t)-p->rank - 1
                                       : (uint64_t)p->rank - 1;
  uint64_t most = p->most && (uint64_t)p->most < list->count ? (uint64_t)p->most : list->count;
  uint64_t wanted = p->count < 0 ? 1 : (uint64_t)p->count;
  struct lrd_list_cursor c;
  larder_bytes element;
  size_t found = 0;

  if (p->rank > 0)
    lrd_list_seek(list, 0, &c);
  else
    lrd_list_seek_last(list, &c);
  for (uint64_t i = 0; i < most && (!wanted || found < wanted); i++) {
    if (p->rank > 0)
      lrd_list_next(&c, &element);
    else
      lrd_list_previous(&c, &element);
    if (!lrd_bytes_equal(element, x->argv[2]))
      continue;
    if (skip) {
      skip--;
      continue;
    }
    lrd_sink_integer(x->sink, (int64_t)(p->rank > 0 ? i : list->count - 1 - i));
    found++;
  }
  return found;
}

void lrd_t_lpos(struct lrd_exec *x)
{
  struct lpos p = { .rank = 1, .count = -1 };
  struct lrd_entry *entry;
  size_t found = 0;

  if (!parse_lpos(x, &p) || !lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  if (p.count >= 0)
    x->sink->type->open(x->sink, LARDER_ARRAY);
  if (entry)
    found = find(x, list_of(entry), &p);
  if (p.count >= 0)
    x->sink->type->close(x->sink, found);
  else if (!found)
    lrd_sink_nil(x->sink);
}

/* --- changing ------------------------------------------------------------ */

/* 0: no memory, replied. */
static int put(struct lrd_exec *x, struct lrd_entry *entry, const struct lrd_list_cursor *c,
               int replace, larder_bytes element)
{
  if (lrd_list_put(list_of(entry), lrd_memory_of(x->engine), c, replace, element) != 0) {
    lrd_no_memory(x);
    return 0;
  }
  lrd_changed(x, x->argv[1], 0, NULL);
  return 1;
}

void lrd_t_lset(struct lrd_exec *x)
{
  struct lrd_list_cursor c;
  struct lrd_entry *entry;
  int64_t index;

  if (!lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  if (!entry) {
    lrd_error(x, lrd_text_no_such_key);
    return;
  }
  if (!lrd_argument_integer(x, 2, &index))
    return;
  index = position(entry, index);
  if (index < 0 || (uint64_t)index >= list_of(entry)->count) {
    lrd_error(x, lrd_text_out_of_range);
    return;
  }
  lrd_list_seek(list_of(entry), (size_t)index, &c);
  if (put(x, entry, &c, 1, x->argv[3]))
    lrd_sink_ok(x->sink);
}

void lrd_t_linsert(struct lrd_exec *x)
{
  int after = lrd_is_word(&x->argv[2], "AFTER");
  struct lrd_list_cursor c, at;
  struct lrd_entry *entry;
  larder_bytes element;
  int found;

  if (!after && !lrd_is_word(&x->argv[2], "BEFORE")) {
    lrd_error(x, lrd_text_syntax);
    return;
  }
  if (!lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  if (!entry) {
    lrd_sink_integer(x->sink, 0);
    return;
  }
  lrd_list_seek(list_of(entry), 0, &c);
  do {
    at = c;
    found = lrd_list_next(&c, &element);
  } while (found && !lrd_bytes_equal(element, x->argv[3]));
  if (!found)
    lrd_sink_integer(x->sink, -1);
  else if (put(x, entry, after ? &c : &at, 0, x->argv[4]))
    lrd_sink_integer(x->sink, (int64_t)list_of(entry)->count);
}

static size_t count_equal(const struct lrd_list *list, larder_bytes what)
{
  struct lrd_list_cursor c;
  larder_bytes element;
  size_t n = 0;

  lrd_list_seek(list, 0, &c);
  while (lrd_list_next(&c, &element))
    n += (size_t)lrd_bytes_equal(element, what);
  return n;
}

void lrd_t_lrem(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  uint64_t equal, remove, skip;
  int64_t count;

  if (!lrd_argument_integer(x, 2, &count) || !lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  equal = entry ? count_equal(list_of(entry), x->argv[3]) : 0;
  remove = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
  if (!remove || remove > equal)
    remove = equal;
  if (!remove) {
    lrd_sink_integer(x->sink, 0);
    return;
  }
  /* from the end: those before the last ones are kept */
  skip = count < 0 ? equal - remove : 0;
  lrd_list_remove_equal(list_of(entry), lrd_memory_of(x->engine), x->argv[3], skip, remove);
  if (!list_of(entry)->count)
    lrd_remove(x, entry);
  lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, (int64_t)remove);
}

void lrd_t_ltrim(struct lrd_exec *x)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  struct lrd_entry *entry;
  struct lrd_list *list;
  int64_t start, stop, count;

  if (!lrd_argument_integer(x, 2, &start) || !lrd_argument_integer(x, 3, &stop) ||
      !lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  if (entry) {
    list = list_of(entry);
    count = (int64_t)list->count;
    start = position(entry, start) < 0 ? 0 : position(entry, start);
    stop = position(entry, stop);
    if (stop >= count)
      stop = count - 1;
    if (start > stop) {
      lrd_remove(x, entry);
    } else {
      lrd_list_pop(list, memory, LRD_LIST_BACK, (size_t)(count - 1 - stop));
      lrd_list_pop(list, memory, LRD_LIST_FRONT, (size_t)start);
    }
    lrd_changed(x, x->argv[1], 0, NULL);
  }
  lrd_sink_ok(x->sink);
}
