/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/block.h"
#include "memory/kind.h"
#include "memory/list.h"
#include "util/memory.h"

/* Lists that exist, and elements that go from one to another. */

static struct lrd_list *list_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

static void push(struct lrd_exec *x, enum lrd_side side)
{
  struct lrd_entry *entry;

  if (!lrd_read(x, x->argv[1], LRD_LIST, &entry))
    return;
  if (entry) {
    if (lrd_list_push(list_of(entry), lrd_memory_of(x->engine), side, (size_t)(x->argc - 2),
                      x->argv + 2) != 0) {
      lrd_no_memory(x);
      return;
    }
    lrd_changed(x, x->argv[1], 0, NULL);
  }
  lrd_sink_integer(x->sink, entry ? (int64_t)list_of(entry)->count : 0);
}

void lrd_t_lpushx(struct lrd_exec *x)
{
  push(x, LRD_LIST_FRONT);
}

void lrd_t_rpushx(struct lrd_exec *x)
{
  push(x, LRD_LIST_BACK);
}

/* --- moving -------------------------------------------------------------- */

static larder_bytes end_of(const struct lrd_list *list, enum lrd_side side)
{
  struct lrd_list_cursor c;
  larder_bytes element;

  if (side == LRD_LIST_FRONT) {
    lrd_list_seek(list, 0, &c);
    lrd_list_next(&c, &element);
  } else {
    lrd_list_seek_last(list, &c);
    lrd_list_previous(&c, &element);
  }
  return element;
}

/* What has become empty goes. */
static void take(struct lrd_exec *x, struct lrd_entry *entry, enum lrd_side side, size_t n)
{
  if (n == list_of(entry)->count)
    lrd_remove(x, entry);
  else
    lrd_list_pop(list_of(entry), lrd_memory_of(x->engine), side, n);
}

/* The element lies where the list may move it: pushed is a copy, and the list keeps two of
 * it until one is taken from its other end. */
static int push_copy(struct lrd_exec *x, struct lrd_list *to, enum lrd_side side, larder_bytes e)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  char few[256], *copy = e.len > sizeof few ? lrd_allocate(memory, e.len) : few;
  int failed = -1;

  if (copy) {
    if (e.len)
      memcpy(copy, e.data, e.len);
    e.data = copy;
    failed = lrd_list_push(to, memory, side, 1, &e);
    if (copy != few)
      lrd_release(memory, copy, e.len);
  }
  return failed;
}

static void move(struct lrd_exec *x, struct lrd_entry *from, struct lrd_entry *to,
                 enum lrd_side out, enum lrd_side in)
{
  larder_bytes element = end_of(list_of(from), out);
  struct lrd_entry *fresh = NULL;

  if (!to && !(to = fresh = lrd_create(x, x->argv[2], LRD_LIST))) {
    lrd_no_memory(x);
    return;
  }
  if (push_copy(x, list_of(to), in, element) != 0) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  if (from == to && out == in)
    lrd_list_pop(list_of(to), lrd_memory_of(x->engine), in, 1);
  element = end_of(list_of(from), out);
  lrd_sink_string(x->sink, element.data, element.len);
  if (x->sink->failed) {
    if (from != to || out != in)
      lrd_list_pop(list_of(to), lrd_memory_of(x->engine), in, 1);
    if (fresh)
      lrd_remove(x, fresh);
    return;
  }
  if (from != to || out != in)
    take(x, from, out, 1);
  lrd_changed(x, x->argv[1], 0, NULL);
  if (from != to)
    lrd_changed(x, x->argv[2], 0, NULL);
}

static void move_between(struct lrd_exec *x, enum lrd_side out, enum lrd_side in)
{
  struct lrd_entry *from, *to;

  if (!lrd_read(x, x->argv[1], LRD_LIST, &from))
    return;
  if (!from)
    lrd_sink_nil(x->sink);
  else if (lrd_read(x, x->argv[2], LRD_LIST, &to))
    move(x, from, to, out, in);
}

static int parse_side(const larder_bytes *word, enum lrd_side *side)
{
  *side = lrd_is_word(word, "LEFT") ? LRD_LIST_FRONT : LRD_LIST_BACK;
  return *side == LRD_LIST_FRONT || lrd_is_word(word, "RIGHT");
}

void lrd_t_lmove(struct lrd_exec *x)
{
  enum lrd_side out, in;

  if (!parse_side(&x->argv[3], &out) || !parse_side(&x->argv[4], &in))
    lrd_error(x, lrd_text_syntax);
  else
    move_between(x, out, in);
}

void lrd_t_rpoplpush(struct lrd_exec *x)
{
  move_between(x, LRD_LIST_BACK, LRD_LIST_FRONT);
}

/* --- LMPOP --------------------------------------------------------------- */

int lrd_argument_keys(struct lrd_exec *x, int at, int64_t *n)
{
  if (lrd_parse_integer(x->argv[at].data, x->argv[at].len, n) && *n > 0)
    return 1;
  lrd_error(x, "ERR numkeys should be greater than 0");
  return 0;
}

int lrd_argument_last_count(struct lrd_exec *x, const char *too_many, int64_t *count)
{
  const larder_bytes *text = &x->argv[2];

  *count = 1;
  if (x->argc > 3)
    lrd_error(x, too_many);
  else if (x->argc == 3 && (!lrd_parse_integer(text->data, text->len, count) || *count < 0))
    lrd_error(x, "ERR value is out of range, must be positive");
  else
    return 1;
  return 0;
}

int lrd_argument_pop_count(struct lrd_exec *x, int at, int64_t *count)
{
  *count = 1;
  if (at == x->argc)
    return 1;
  if (at + 1 == x->argc || !lrd_is_word(&x->argv[at], "COUNT")) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  if (!lrd_parse_integer(x->argv[at + 1].data, x->argv[at + 1].len, count) || *count <= 0) {
    lrd_error(x, "ERR count should be greater than 0");
    return 0;
  }
  if (at + 2 == x->argc)
    return 1;
  lrd_error(x, lrd_text_syntax);
  return 0;
}

static void pop(struct lrd_exec *x, larder_bytes key, struct lrd_entry *entry, enum lrd_side side,
                size_t n)
{
  struct lrd_list_cursor c;
  larder_bytes element;

  if (n > list_of(entry)->count)
    n = list_of(entry)->count;
  lrd_sink_array(x->sink, 2);
  lrd_sink_string(x->sink, key.data, key.len);
  lrd_sink_array(x->sink, n);
  if (side == LRD_LIST_FRONT)
    lrd_list_seek(list_of(entry), 0, &c);
  else
    lrd_list_seek_last(list_of(entry), &c);
  for (size_t i = 0; i < n; i++) {
    if (side == LRD_LIST_FRONT)
      lrd_list_next(&c, &element);
    else
      lrd_list_previous(&c, &element);
    lrd_sink_string(x->sink, element.data, element.len);
  }
  if (x->sink->failed)
    return;
  take(x, entry, side, n);
  lrd_changed(x, key, 0, NULL);
}

/* From the first of the keys that has some; numkeys stands at `at`.  1: there is nothing, and
 * nothing is replied. */
static int pop_first(struct lrd_exec *x, int at)
{
  struct lrd_entry *entry;
  enum lrd_side side;
  int64_t keys, count, ms;

  if (!lrd_argument_keys(x, at, &keys))
    return 0;
  if (keys > x->argc - at - 2 || !parse_side(&x->argv[at + 1 + keys], &side)) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  if (!lrd_argument_pop_count(x, at + (int)keys + 2, &count))
    return 0;
  if (at > 1 && !lrd_argument_wait(x, &ms))
    return 0;
  for (int i = at + 1; i <= at + keys; i++) {
    if (!lrd_block_read(x, x->argv[i], LRD_LIST, &entry))
      return 0;
    if (entry) {
      pop(x, x->argv[i], entry, side, (size_t)count);
      return 0;
    }
  }
  return 1;
}

void lrd_t_lmpop(struct lrd_exec *x)
{
  if (pop_first(x, 1))
    lrd_sink_nil_array(x->sink);
}

/* --- those that wait ----------------------------------------------------- */

void lrd_t_blmpop(struct lrd_exec *x)
{
  if (pop_first(x, 2) && !lrd_block_may_wait(x))
    lrd_sink_nil_array(x->sink);
}

static void pop_or_wait(struct lrd_exec *x, enum lrd_side side)
{
  struct lrd_entry *entry;
  larder_bytes element;
  int64_t ms;

  if (!lrd_argument_wait(x, &ms))
    return;
  for (int i = 1; i < x->argc - 1; i++) {
    if (!lrd_block_read(x, x->argv[i], LRD_LIST, &entry))
      return;
    if (!entry)
      continue;
    element = end_of(list_of(entry), side);
    lrd_sink_array(x->sink, 2);
    lrd_sink_string(x->sink, x->argv[i].data, x->argv[i].len);
    lrd_sink_string(x->sink, element.data, element.len);
    if (x->sink->failed)
      return;
    take(x, entry, side, 1);
    lrd_changed(x, x->argv[i], 0, NULL);
    return;
  }
  if (!lrd_block_may_wait(x))
    lrd_sink_nil_array(x->sink);
}

void lrd_t_blpop(struct lrd_exec *x)
{
  pop_or_wait(x, LRD_LIST_FRONT);
}

void lrd_t_brpop(struct lrd_exec *x)
{
  pop_or_wait(x, LRD_LIST_BACK);
}

static void move_or_wait(struct lrd_exec *x, enum lrd_side out, enum lrd_side in)
{
  struct lrd_entry *from, *to;
  int64_t ms;

  if (!lrd_argument_wait(x, &ms) || !lrd_block_read(x, x->argv[1], LRD_LIST, &from))
    return;
  if (!from) {
    if (!lrd_block_may_wait(x))
      lrd_sink_nil(x->sink);
  } else if (lrd_read(x, x->argv[2], LRD_LIST, &to)) {
    move(x, from, to, out, in);
  }
}

void lrd_t_blmove(struct lrd_exec *x)
{
  enum lrd_side out, in;

  if (!parse_side(&x->argv[3], &out) || !parse_side(&x->argv[4], &in))
    lrd_error(x, lrd_text_syntax);
  else
    move_or_wait(x, out, in);
}

void lrd_t_brpoplpush(struct lrd_exec *x)
{
  move_or_wait(x, LRD_LIST_BACK, LRD_LIST_FRONT);
}
