/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include <string.h>

#include "memory/hash.h"
#include "memory/list.h"
#include "memory/shard.h"
#include "memory/sorting.h"
#include "memory/zset.h"
#include "util/arena.h"

/*
 * SORT and SORT_RO.  Weights and results may be anywhere: exec.c has locked all shards if a
 * pattern looks for them.
 */
struct sort {
  struct lrd_exec *x;
  struct lrd_sorting how;
  const larder_bytes *by;     /* NULL: by the elements themselves */
  const larder_bytes *store;  /* NULL: the result is replied */
  int gets;
  int idle;                   /* BY a constant: the elements stay as they stand */
  int64_t offset, limit;      /* limit -1: there is none */
  struct lrd_entry *entry;
  size_t count;
  struct lrd_sorted *item;
  size_t first, end;          /* which of them are wanted */
  struct lrd_arena arena;
};

/* --- parsing ------------------------------------------------------------------------------ */

static int parse_limit(struct sort *s, int i)
{
  return lrd_argument_integer(s->x, i, &s->offset) && lrd_argument_integer(s->x, i + 1, &s->limit);
}

/* How many arguments of its own the option at i has; -1: replied. */
static int parse_option(struct sort *s, int i)
{
  const larder_bytes *word = &s->x->argv[i];
  int left = s->x->argc - i - 1;

  if (lrd_is_word(word, "ASC") || lrd_is_word(word, "DESC")) {
    s->how.down = lrd_is_word(word, "DESC");
    return 0;
  }
  if (lrd_is_word(word, "ALPHA")) {
    s->how.alpha = 1;
    return 0;
  }
  if (left >= 2 && lrd_is_word(word, "LIMIT"))
    return parse_limit(s, i + 1) ? 2 : -1;
  if (left && s->x->vector->command == LRD_SORT && lrd_is_word(word, "STORE")) {
    s->store = word + 1;
    return 1;
  }
  if (left && lrd_is_word(word, "BY")) {
    s->by = word + 1;
    s->idle |= !word[1].len || !memchr(word[1].data, '*', word[1].len);
    return 1;
  }
  if (left && lrd_is_word(word, "GET")) {
    s->gets++;
    return 1;
  }
  lrd_error(s->x, lrd_text_syntax);
  return -1;
}

static int parse(struct sort *s)
{
  for (int i = 2, more; i < s->x->argc; i += more + 1) {
    more = parse_option(s, i);
    if (more < 0)
      return 0;
  }
  return 1;
}

/* --- patterns ------------------------------------------------------------------------------ */

/* "weight_*->field": where a pattern's parts are. */
struct pattern {
  larder_bytes before, behind, field; /* field.len 0: a string is meant */
};

static int split(larder_bytes text, struct pattern *p)
{
  const char *end, *star = text.len ? memchr(text.data, '*', text.len) : NULL, *arrow = NULL;

  if (!star)
    return 0;
  end = text.data + text.len;
  for (const char *at = star + 1; at + 2 < end && !arrow; at++)
    if (at[0] == '-' && at[1] == '>')
      arrow = at;
  p->before = (larder_bytes){ text.data, (size_t)(star - text.data) };
  p->behind = (larder_bytes){ star + 1, (size_t)((arrow ? arrow : end) - star - 1) };
  p->field = arrow ? (larder_bytes){ arrow + 2, (size_t)(end - arrow - 2) }
                   : (larder_bytes){ NULL, 0 };
  return 1;
}

/* Into memory that the caller has for it. */
static larder_bytes join(char *to, const struct pattern *p, larder_bytes element)
{
  const larder_bytes part[3] = { p->before, element, p->behind };
  size_t len = 0;

  for (int i = 0; i < 3; i++) {
    if (part[i].len)
      memcpy(to + len, part[i].data, part[i].len);
    len += part[i].len;
  }
  return (larder_bytes){ to, len };
}

static void value_of(const struct lrd_entry *entry, larder_bytes field, char *number,
                     larder_bytes *value)
{
  if (!entry)
    return;
  if (field.len && lrd_kind_of(entry) == LRD_HASH)
    (void)lrd_hash_get(lrd_value(entry), field, value);
  else if (!field.len && lrd_kind_of(entry) == LRD_STRING)
    *value = lrd_entry_string(entry, number);
}

/* What a pattern finds for an element; value->data NULL: nothing.  number: for the print of
 * one.  0: replied. */
static int find(struct sort *s, const larder_bytes *text, larder_bytes element, char *number,
                larder_bytes *value)
{
  enum { SHORT = 256 };
  char room[SHORT], *name = room;
  const larder_memory *memory = lrd_memory_of(s->x->engine);
  size_t size = text->len + element.len;
  struct lrd_entry *entry;
  struct pattern p;
  int known;

  *value = (larder_bytes){ NULL, 0 };
  if (!split(*text, &p))
    return 1;
  if (size > SHORT && !(name = memory->allocate(memory->context, size))) {
    lrd_no_memory(s->x);
    return 0;
  }
  s->x->hashed = NULL; /* the name's memory is used again */
  known = lrd_read(s->x, join(name, &p, element), LRD_NONE, &entry);
  s->x->hashed = NULL;
  if (known)
    value_of(entry, p.field, number, value);
  if (name != room)
    memory->release(memory->context, name, size);
  return known;
}

/* --- the elements --------------------------------------------------------------------------- */

static void take_list(struct sort *s, const struct lrd_list *list)
{
  struct lrd_list_cursor c;
  int back = s->idle && s->how.down;

  if (back)
    lrd_list_seek_last(list, &c);
  else
    lrd_list_seek(list, 0, &c);
  for (size_t i = 0; i < s->count; i++)
    (void)(back ? lrd_list_previous(&c, &s->item[i].element)
                : lrd_list_next(&c, &s->item[i].element));
}

/* An integer's print has to last until all is sorted.  0: no memory. */
static int keep(struct sort *s, const char *number, larder_bytes *value)
{
  return value->data != number ||
         (value->data = lrd_arena_copy(&s->arena, number, value->len)) != NULL;
}

static int take_set(struct sort *s, const struct lrd_set *set)
{
  struct lrd_set_cursor c = { 0 };

  for (size_t i = 0; i < s->count; i++)
    if (!lrd_set_next(set, &c, &s->item[i].element) || !keep(s, c.text, &s->item[i].element))
      return 0;
  return 1;
}

/* To sort a sorted set Redis makes it a large one; its encoding and what becomes of negative
 * zeros show that. */
static int take_zset(struct sort *s, struct lrd_zset *zset)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  int back = s->idle && s->how.down;

  if (lrd_zset_enlarge(zset, lrd_memory_of(s->x->engine), lrd_hash_key_of(s->x->engine)) != 0)
    return 0;
  zset->packed.longest = LRD_PEAK;
  lrd_zset_seek(zset, back ? s->count - 1 : 0, &c);
  for (size_t i = 0; i < s->count; i++) {
    lrd_zset_get(zset, &c, &e);
    s->item[i].element = e.member;
    (void)(back ? lrd_zset_previous(zset, &c) : lrd_zset_next(zset, &c));
  }
  return 1;
}

static int take_elements(struct sort *s)
{
  switch (lrd_kind_of(s->entry)) {
  case LRD_LIST:
    take_list(s, lrd_value(s->entry));
    return 1;
  case LRD_SET_KIND:
    return take_set(s, lrd_value(s->entry));
  default:
    return take_zset(s, lrd_value(s->entry));
  }
}

/* With room for them twice, for sorting. */
static int take(struct sort *s)
{
  s->item = lrd_arena_allocate(&s->arena, (s->count ? s->count : 1) * 2 * sizeof *s->item);
  if (s->item && (!s->count || take_elements(s)))
    return 1;
  lrd_no_memory(s->x);
  return 0;
}

static int weigh(struct sort *s)
{
  char number[LRD_NUMBER_SIZE];
  int wrong = 0;

  for (size_t i = 0; i < s->count; i++) {
    struct lrd_sorted *item = &s->item[i];

    item->by = item->element;
    item->score = 0;
    if (s->by && !find(s, s->by, item->element, number, &item->by))
      return 0;
    if (s->how.alpha && !keep(s, number, &item->by)) {
      lrd_no_memory(s->x);
      return 0;
    }
    if (!s->how.alpha && item->by.data)
      wrong |= !lrd_sorting_score(item->by, &item->score);
  }
  if (wrong)
    lrd_error(s->x, "ERR One or more scores can't be converted into double");
  return !wrong;
}

static size_t at_most(int64_t n, size_t most)
{
  return n < 0 ? 0 : (uint64_t)n > most ? most : (size_t)n;
}

static void limit(struct sort *s)
{
  s->first = at_most(s->offset, s->count);
  s->end = s->limit < 0 ? s->count : s->first + at_most(s->limit, s->count - s->first);
}

/* --- the result ------------------------------------------------------------------------------ */

/* What the i-th GET pattern (or, without any, the element itself) gives; as find. */
static int get(struct sort *s, const larder_bytes *text, larder_bytes element, char *number,
               larder_bytes *value)
{
  if (!text || (text->len == 1 && text->data[0] == '#')) {
    *value = element.data ? element : (larder_bytes){ "", 0 };
    return 1;
  }
  return find(s, text, element, number, value);
}

/* The next GET pattern from i on; 0: there is none. */
static int next_get(const struct sort *s, int i)
{
  for (; i + 1 < s->x->argc; i++) {
    if (lrd_is_word(&s->x->argv[i], "GET"))
      return i + 1;
    if (lrd_is_word(&s->x->argv[i], "LIMIT"))
      i += 2;
    else if (lrd_is_word(&s->x->argv[i], "BY") || lrd_is_word(&s->x->argv[i], "STORE"))
      i++;
  }
  return 0;
}

/* Gives each value of the result to put(); 0 back from it, or a value that is not known,
 * ends it. */
static int each(struct sort *s, int (*put)(struct sort *, void *, const larder_bytes *),
                void *context)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes value;

  for (size_t i = s->first; i < s->end; i++) {
    int at = s->gets ? next_get(s, 2) : 0;

    do {
      if (!get(s, at ? &s->x->argv[at] : NULL, s->item[i].element, number, &value) ||
          !put(s, context, &value))
        return 0;
      at = at ? next_get(s, at + 1) : 0;
    } while (at);
  }
  return 1;
}

static int put_nowhere(struct sort *s, void *context, const larder_bytes *value)
{
  (void)s;
  (void)context;
  (void)value;
  return 1;
}

static int put_reply(struct sort *s, void *context, const larder_bytes *value)
{
  (void)context;
  if (value->data)
    lrd_sink_string(s->x->sink, value->data, value->len);
  else
    lrd_sink_nil(s->x->sink);
  return 1;
}

static int put_list(struct sort *s, void *context, const larder_bytes *value)
{
  larder_bytes element = value->data ? *value : (larder_bytes){ "", 0 };

  if (lrd_list_push(context, lrd_memory_of(s->x->engine), LRD_LIST_BACK, 1, &element) == 0)
    return 1;
  lrd_no_memory(s->x);
  return 0;
}

/* Nothing may be written before all is known. */
static void reply(struct sort *s)
{
  size_t each_gives = s->gets ? (size_t)s->gets : 1;

  if (s->gets && s->x->engine->partial && !each(s, put_nowhere, NULL))
    return;
  lrd_sink_array(s->x->sink, (s->end - s->first) * each_gives);
  if (each(s, put_reply, NULL) || s->x->atomic)
    return;
  /* memory for a name was lacking: the array is incomplete; in a transaction exec.c sees to it */
  s->x->sink->type->rewind(s->x->sink);
  lrd_no_memory(s->x);
}

static void store(struct sort *s)
{
  const larder_memory *memory = lrd_memory_of(s->x->engine);
  struct lrd_list *list = lrd_list_new(memory);
  size_t count;

  if (!list) {
    lrd_no_memory(s->x);
    return;
  }
  if (!each(s, put_list, list)) {
    lrd_list_free(list, memory);
    return;
  }
  count = list->count;
  if (!count) {
    lrd_list_free(list, memory);
    list = NULL;
  }
  if (lrd_store(s->x, *s->store, LRD_LIST, list, -1))
    lrd_sink_integer(s->x->sink, (int64_t)count);
}

/* --- the commands ------------------------------------------------------------------------------ */

static int look_up(struct sort *s)
{
  enum lrd_kind kind;

  if (!lrd_read(s->x, s->x->argv[1], LRD_NONE, &s->entry))
    return 0;
  if (!s->entry)
    return 1;
  kind = lrd_kind_of(s->entry);
  if (kind != LRD_LIST && kind != LRD_SET_KIND && kind != LRD_ZSET) {
    lrd_error(s->x, lrd_text_wrongtype);
    return 0;
  }
  s->count = lrd_entry_elements(s->entry);
  /* a set has no order of its own that could be stored */
  if (s->idle && s->store && kind == LRD_SET_KIND) {
    s->idle = 0;
    s->by = NULL;
    s->how.alpha = 1;
  }
  return 1;
}

void lrd_t_sort(struct lrd_exec *x)
{
  struct sort s = { .x = x, .limit = -1 };

  if (!parse(&s) || !look_up(&s))
    return;
  lrd_arena_init(&s.arena, lrd_memory_of(x->engine));
  s.how.binary = s.store != NULL;
  if (take(&s) && (s.idle || weigh(&s))) {
    if (!s.idle)
      s.item = lrd_sort(&s.how, s.item, s.item + s.count, s.count);
    limit(&s);
    if (s.store)
      store(&s);
    else
      reply(&s);
  }
  lrd_arena_free(&s.arena);
}
