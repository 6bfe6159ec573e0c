/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/kind.h"
#include "memory/set.h"
#include "util/memory.h"

/* Several sets at once.  Every key is looked up before anything is said of one. */

enum { FEW = 16 };

enum operation { INTER, UNION, DIFF };

struct sets {
  struct lrd_exec *x;
  size_t n;
  const struct lrd_set **set; /* NULL: there is no such key */
  const struct lrd_set *few[FEW];
};

static void release(struct sets *s)
{
  if (s->set != s->few)
    lrd_release(lrd_memory_of(s->x->engine), s->set, s->n * sizeof *s->set);
}

/* 0: replied, and nothing is to be released. */
static int look_up(struct sets *s, struct lrd_exec *x, int first, size_t n)
{
  struct lrd_entry *entry;

  s->x = x;
  s->n = n;
  s->set = n > FEW ? lrd_allocate(lrd_memory_of(x->engine), n * sizeof *s->set) : s->few;
  if (!s->set) {
    lrd_no_memory(x);
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    if (!lrd_read(x, x->argv[first + (int)i], LRD_SET_KIND, &entry)) {
      release(s);
      return 0;
    }
    s->set[i] = entry ? lrd_value(entry) : NULL;
  }
  return 1;
}

static int in_others(const struct sets *s, size_t but, larder_bytes member, int all)
{
  for (size_t i = 0; i < s->n; i++) {
    if (i == but)
      continue;
    if ((s->set[i] && lrd_set_has(s->set[i], member)) != all)
      return !all;
  }
  return all;
}

/* The smallest; 0 if one is empty. */
static int smallest(const struct sets *s, size_t *at)
{
  *at = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (!s->set[i])
      return 0;
    if (s->set[i]->count < s->set[*at]->count)
      *at = i;
  }
  return 1;
}

static int add(const struct sets *s, struct lrd_set *to, larder_bytes member)
{
  return lrd_set_add(to, lrd_memory_of(s->x->engine), lrd_hash_key_of(s->x->engine), 1,
                     &member) >= 0;
}

/* Of one set: those members that are in all others, or in none, or whatever. */
static int add_chosen(const struct sets *s, struct lrd_set *to, size_t of, enum operation o)
{
  struct lrd_set_cursor c = { 0 };
  larder_bytes member;

  while (s->set[of] && lrd_set_next(s->set[of], &c, &member)) {
    if (o == INTER ? !in_others(s, of, member, 1) : o == DIFF && in_others(s, of, member, 0))
      continue;
    if (!add(s, to, member))
      return 0;
  }
  return 1;
}

static int combine(const struct sets *s, enum operation o, struct lrd_set *to)
{
  size_t at = 0;

  if (o == INTER)
    return !smallest(s, &at) || add_chosen(s, to, at, INTER);
  if (o == DIFF)
    return add_chosen(s, to, 0, DIFF);
  for (; at < s->n; at++)
    if (!add_chosen(s, to, at, UNION))
      return 0;
  return 1;
}

static struct lrd_set *result(const struct sets *s, enum operation o)
{
  const larder_memory *memory = lrd_memory_of(s->x->engine);
  struct lrd_set *to = lrd_set_new(memory);

  if (to && combine(s, o, to))
    return to;
  if (to)
    lrd_set_free(to, memory);
  lrd_no_memory(s->x);
  return NULL;
}

static void reply(struct lrd_exec *x, enum operation o)
{
  struct lrd_set_cursor c = { 0 };
  struct lrd_set *set;
  larder_bytes member;
  struct sets s;

  if (!look_up(&s, x, 1, (size_t)x->argc - 1))
    return;
  set = result(&s, o);
  if (set) {
    lrd_sink_set(x->sink, set->count);
    while (lrd_set_next(set, &c, &member))
      lrd_sink_string(x->sink, member.data, member.len);
    lrd_set_free(set, lrd_memory_of(x->engine));
  }
  release(&s);
}

static void store(struct lrd_exec *x, enum operation o)
{
  struct lrd_set *set;
  struct sets s;
  size_t count;

  if (!look_up(&s, x, 2, (size_t)x->argc - 2))
    return;
  set = result(&s, o);
  release(&s);
  if (!set)
    return;
  count = set->count;
  if (!count) {
    lrd_set_free(set, lrd_memory_of(x->engine));
    set = NULL;
  }
  if (lrd_store(x, x->argv[1], LRD_SET_KIND, set, -1))
    lrd_sink_integer(x->sink, (int64_t)count);
}

void lrd_t_sinter(struct lrd_exec *x)
{
  reply(x, INTER);
}

void lrd_t_sunion(struct lrd_exec *x)
{
  reply(x, UNION);
}

void lrd_t_sdiff(struct lrd_exec *x)
{
  reply(x, DIFF);
}

void lrd_t_sinterstore(struct lrd_exec *x)
{
  store(x, INTER);
}

void lrd_t_sunionstore(struct lrd_exec *x)
{
  store(x, UNION);
}

void lrd_t_sdiffstore(struct lrd_exec *x)
{
  store(x, DIFF);
}

/* --- SINTERCARD ---------------------------------------------------------- */

int lrd_argument_card(struct lrd_exec *x, int64_t *keys, int64_t *limit)
{
  *limit = 0;
  if (!lrd_argument_keys(x, 1, keys))
    return 0;
  if (*keys > x->argc - 2) {
    lrd_error(x, "ERR Number of keys can't be greater than number of args");
    return 0;
  }
  for (int i = 2 + (int)*keys; i < x->argc; i += 2) {
    if (i + 1 == x->argc || !lrd_is_word(&x->argv[i], "LIMIT")) {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
    if (!lrd_parse_integer(x->argv[i + 1].data, x->argv[i + 1].len, limit) || *limit < 0) {
      lrd_error(x, "ERR LIMIT can't be negative");
      return 0;
    }
  }
  return 1;
}

void lrd_t_sintercard(struct lrd_exec *x)
{
  struct lrd_set_cursor c = { 0 };
  int64_t keys, limit, count = 0;
  larder_bytes member;
  struct sets s;
  size_t at;

  if (!lrd_argument_card(x, &keys, &limit) || !look_up(&s, x, 2, (size_t)keys))
    return;
  if (smallest(&s, &at))
    while ((!limit || count < limit) && lrd_set_next(s.set[at], &c, &member))
      count += in_others(&s, at, member, 1);
  release(&s);
  lrd_sink_integer(x->sink, count);
}
