/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"
#include "util/memory.h"

/* LCS: the table of dynamic programming, walked back from its end as Redis does,
 * whose ranges are cut where that walk cuts them. */

struct lcs {
  larder_bytes a, b;
  int length, index, lengths;
  int64_t least;
  uint32_t *table; /* (a.len + 1) rows of b.len + 1 */
  size_t size;
  char *text;
  size_t text_size;
};

static int parse(struct lrd_exec *x, struct lcs *l)
{
  for (int i = 3; i < x->argc; i++) {
    const larder_bytes *word = &x->argv[i];

    if (lrd_is_word(word, "IDX")) {
      l->index = 1;
    } else if (lrd_is_word(word, "LEN")) {
      l->length = 1;
    } else if (lrd_is_word(word, "WITHMATCHLEN")) {
      l->lengths = 1;
    } else if (lrd_is_word(word, "MINMATCHLEN") && i + 1 < x->argc) {
      if (!lrd_argument_integer(x, ++i, &l->least))
        return 0;
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  if (l->index && l->length) {
    lrd_error(x, "ERR If you want both the length and indexes, please just use IDX.");
    return 0;
  }
  return 1;
}

static int look_up(struct lrd_exec *x, int i, struct lrd_entry **entry)
{
  return lrd_read(x, x->argv[i], LRD_NONE, entry);
}

static int are_strings(struct lrd_exec *x, const struct lrd_entry *a, const struct lrd_entry *b)
{
  if ((!a || a->kind == LRD_STRING) && (!b || b->kind == LRD_STRING))
    return 1;
  lrd_error(x, "ERR The specified keys must contain string values");
  return 0;
}

static uint32_t *cell(const struct lcs *l, size_t i, size_t j)
{
  return &l->table[i * (l->b.len + 1) + j];
}

static int fill(struct lrd_exec *x, struct lcs *l)
{
  const larder_memory *memory = lrd_memory_of(x->engine);

  if ((l->a.len + 1) > LRD_STRING_MAX / sizeof *l->table / (l->b.len + 1)) {
    lrd_error(x, "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    return 0;
  }
  l->size = (l->a.len + 1) * (l->b.len + 1) * sizeof *l->table;
  l->table = lrd_allocate_zeroed(memory, 1, l->size);
  if (!l->table) {
    lrd_no_memory(x);
    return 0;
  }
  for (size_t i = 1; i <= l->a.len; i++)
    for (size_t j = 1; j <= l->b.len; j++) {
      uint32_t up = *cell(l, i - 1, j), left = *cell(l, i, j - 1);

      if (l->a.data[i - 1] == l->b.data[j - 1])
        *cell(l, i, j) = *cell(l, i - 1, j - 1) + 1;
      else
        *cell(l, i, j) = up > left ? up : left;
    }
  l->text_size = *cell(l, l->a.len, l->b.len);
  l->text = l->text_size ? lrd_allocate(memory, l->text_size) : NULL;
  if (l->text || !l->text_size)
    return 1;
  lrd_no_memory(x);
  return 0;
}

struct range {
  int open;
  size_t a, b, len;
};

static void reply_ends(larder_sink *sink, size_t from, size_t len)
{
  lrd_sink_array(sink, 2);
  lrd_sink_integer(sink, (int64_t)from);
  lrd_sink_integer(sink, (int64_t)(from + len - 1));
}

static size_t reply_range(struct lrd_exec *x, const struct lcs *l, struct range *r)
{
  r->open = 0;
  if (!l->index || (int64_t)r->len < l->least)
    return 0;
  lrd_sink_array(x->sink, l->lengths ? 3 : 2);
  reply_ends(x->sink, r->a, r->len);
  reply_ends(x->sink, r->b, r->len);
  if (l->lengths)
    lrd_sink_integer(x->sink, (int64_t)r->len);
  return 1;
}

/* The subsequence into text, its ranges to the sink; how many. */
static size_t walk_back(struct lrd_exec *x, const struct lcs *l)
{
  size_t i = l->a.len, j = l->b.len, at = l->text_size, ranges = 0;
  struct range r = { 0 };

  while (i && j) {
    int ends = 0;

    if (l->a.data[i - 1] == l->b.data[j - 1]) {
      l->text[--at] = l->a.data[i - 1];
      if (!r.open)
        r = (struct range){ 1, i - 1, j - 1, 1 };
      else if (r.a == i && r.b == j)
        r = (struct range){ 1, i - 1, j - 1, r.len + 1 };
      else
        ends = 1;
      ends = ends || r.a == 0 || r.b == 0;
      i--;
      j--;
    } else {
      if (*cell(l, i - 1, j) > *cell(l, i, j - 1))
        i--;
      else
        j--;
      ends = r.open;
    }
    if (ends)
      ranges += reply_range(x, l, &r);
  }
  return ranges;
}

static void reply(struct lrd_exec *x, const struct lcs *l)
{
  if (l->index) {
    lrd_sink_map(x->sink, 2);
    lrd_sink_string(x->sink, "matches", 7);
    x->sink->type->open(x->sink, LARDER_ARRAY);
    x->sink->type->close(x->sink, walk_back(x, l));
    lrd_sink_string(x->sink, "len", 3);
    lrd_sink_integer(x->sink, (int64_t)l->text_size);
  } else if (l->length) {
    lrd_sink_integer(x->sink, (int64_t)l->text_size);
  } else {
    walk_back(x, l);
    lrd_sink_string(x->sink, l->text ? l->text : "", l->text_size);
  }
}

void lrd_t_lcs(struct lrd_exec *x)
{
  char numbers[2][LRD_NUMBER_SIZE];
  struct lcs l = { .a = { "", 0 }, .b = { "", 0 } };
  struct lrd_entry *a, *b;

  if (!look_up(x, 1, &a) || !look_up(x, 2, &b) || !are_strings(x, a, b) || !parse(x, &l))
    return;
  if (a)
    l.a = lrd_entry_string(a, numbers[0]);
  if (b)
    l.b = lrd_entry_string(b, numbers[1]);
  if (fill(x, &l))
    reply(x, &l);
  lrd_release(lrd_memory_of(x->engine), l.table, l.size);
  lrd_release(lrd_memory_of(x->engine), l.text, l.text_size);
}
