/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What COMMAND INFO says of one command, in the order of Redis 7.0's ten fields. */

static const struct {
  unsigned flag;
  const char *name;
} flag_names[] = {
    {LRD_WRITE, "write"},
    {LRD_READONLY, "readonly"},
    {LRD_DENYOOM, "denyoom"},
    {LRD_ADMIN, "admin"},
    {LRD_PUBSUB, "pubsub"},
    {LRD_NOSCRIPT, "noscript"},
    {LRD_BLOCKING, "blocking"},
    {LRD_LOADING, "loading"},
    {LRD_STALE, "stale"},
    {LRD_SKIP_MONITOR, "skip_monitor"},
    {LRD_SKIP_SLOWLOG, "skip_slowlog"},
    {LRD_FAST, "fast"},
    {LRD_NO_AUTH, "no_auth"},
    {LRD_MAY_REPLICATE, "may_replicate"},
    {LRD_NO_MANDATORY_KEYS, "no_mandatory_keys"},
    {LRD_NO_ASYNC_LOADING, "no_async_loading"},
    {LRD_NO_MULTI, "no_multi"},
    {LRD_ALLOW_BUSY, "allow_busy"},
    {LRD_MOVABLE_KEYS, "movablekeys"},
};

enum { FLAG_NAMES = sizeof flag_names / sizeof *flag_names };

static void put_flags(struct lrd_front *f, unsigned flags)
{
  size_t n = 0;
  for (size_t i = 0; i < FLAG_NAMES; i++)
    n += (flags & flag_names[i].flag) != 0;
  lrd_sink_set(f->sink, n);
  for (size_t i = 0; i < FLAG_NAMES; i++)
    if (flags & flag_names[i].flag)
      lrd_sink_status(f->sink, flag_names[i].name);
}

/* --- lists in texts -------------------------------------------------------- */

/* The next of the parts between separators; data NULL: no more. */
static larder_bytes next_part(const char **list, size_t *left, char separator)
{
  larder_bytes part = {*left ? *list : NULL, 0};
  while (part.len < *left && part.data[part.len] != separator)
    part.len++;
  size_t taken = part.len + (part.len < *left);
  *list += taken;
  *left -= taken;
  return part;
}

static size_t count_parts(larder_bytes list, char separator)
{
  size_t n = 0;
  while (next_part(&list.data, &list.len, separator).data)
    n++;
  return n;
}

static larder_bytes text(const char *s)
{
  return (larder_bytes){s, strlen(s)};
}

typedef void put_fn(larder_sink *, const char *, size_t);

static void put_words(struct lrd_front *f, larder_bytes list, put_fn *put)
{
  larder_bytes word;
  lrd_sink_set(f->sink, count_parts(list, ' '));
  while ((word = next_part(&list.data, &list.len, ' ')).data)
    put(f->sink, word.data, word.len);
}

/* --- key specifications ---------------------------------------------------- */

enum { NUMBERS = 3 };

/* One way to find keys: a kind, maybe a word, numbers. */
struct search {
  larder_bytes kind, word;
  int number[NUMBERS];
};

static struct search read_search(larder_bytes s)
{
  struct search r = {.kind = next_part(&s.data, &s.len, ' ')};
  larder_bytes part;
  for (size_t n = 0; n < NUMBERS && (part = next_part(&s.data, &s.len, ' ')).data;) {
    if ((*part.data >= '0' && *part.data <= '9') || *part.data == '-')
      r.number[n++] = atoi(part.data);
    else
      r.word = part;
  }
  return r;
}

/* The names of a search's numbers. */
static const struct {
  const char *kind;
  const char *name[NUMBERS];
} kinds[] = {
    {"index", {"index"}},
    {"keyword", {"startfrom"}},
    {"range", {"lastkey", "keystep", "limit"}},
    {"keynum", {"keynumidx", "firstkey", "keystep"}},
    {"unknown", {NULL}},
};

static void put_search(struct lrd_front *f, const char *title, larder_bytes of)
{
  struct search s = read_search(of);
  size_t kind = 0, n = 0;
  while (strlen(kinds[kind].kind) != s.kind.len ||
         memcmp(kinds[kind].kind, s.kind.data, s.kind.len) != 0)
    kind++;
  while (n < NUMBERS && kinds[kind].name[n])
    n++;
  lrd_front_text(f, title);
  lrd_sink_map(f->sink, 2);
  lrd_front_text(f, "type");
  lrd_sink_string(f->sink, s.kind.data, s.kind.len);
  lrd_front_text(f, "spec");
  lrd_sink_map(f->sink, n + (s.word.len > 0));
  if (s.word.len) {
    lrd_front_text(f, "keyword");
    lrd_sink_string(f->sink, s.word.data, s.word.len);
  }
  for (size_t i = 0; i < n; i++) {
    lrd_front_text(f, kinds[kind].name[i]);
    lrd_sink_integer(f->sink, s.number[i]);
  }
}

static void put_key(struct lrd_front *f, larder_bytes key)
{
  larder_bytes flags = next_part(&key.data, &key.len, ';');
  larder_bytes begin = next_part(&key.data, &key.len, ';');
  larder_bytes find = next_part(&key.data, &key.len, ';');
  lrd_sink_map(f->sink, 3 + (key.len > 0));
  if (key.len) {
    lrd_front_text(f, "notes");
    lrd_sink_string(f->sink, key.data, key.len);
  }
  lrd_front_text(f, "flags");
  put_words(f, flags, f->sink->type->status);
  put_search(f, "begin_search", begin);
  put_search(f, "find_keys", find);
}

static void put_keys(struct lrd_front *f, larder_bytes keys)
{
  larder_bytes key;
  lrd_sink_set(f->sink, count_parts(keys, '|'));
  while ((key = next_part(&keys.data, &keys.len, '|')).data)
    put_key(f, key);
}

/* --- a subcommand ----------------------------------------------------------- */

/* First key, last key, step: those of its only specification, if it has any. */
static void put_range(struct lrd_front *f, larder_bytes keys)
{
  int first = 0, last = 0, step = 0;
  next_part(&keys.data, &keys.len, ';');
  struct search begin = read_search(next_part(&keys.data, &keys.len, ';'));
  struct search find = read_search(next_part(&keys.data, &keys.len, ';'));
  if (begin.kind.len) {
    first = begin.number[0];
    last = find.number[0] < 0 ? find.number[0] : first + find.number[0];
    step = find.number[1];
  }
  lrd_sink_integer(f->sink, first);
  lrd_sink_integer(f->sink, last);
  lrd_sink_integer(f->sink, step);
}

static void put_part(struct lrd_front *f, const struct lrd_detail *d)
{
  lrd_sink_array(f->sink, 10);
  lrd_front_text(f, d->name);
  lrd_sink_integer(f->sink, d->arity);
  put_words(f, text(d->flags), f->sink->type->status);
  put_range(f, text(d->keys));
  put_words(f, text(d->acl), f->sink->type->status);
  put_words(f, text(d->tips), f->sink->type->string);
  put_keys(f, text(d->keys));
  lrd_sink_set(f->sink, 0);
}

const struct lrd_detail *lrd_front_part(unsigned command, size_t i)
{
  char name[48];
  const char *part = lrd_command_part(command, i);
  if (!part)
    return NULL;
  snprintf(name, sizeof name, "%s|%s", lrd_commands[command].name, part);
  return lrd_detail_find(name);
}

static void put_parts(struct lrd_front *f, unsigned command)
{
  size_t n = 0;
  while (lrd_front_part(command, n))
    n++;
  if (n)
    lrd_sink_array(f->sink, n);
  else
    lrd_sink_set(f->sink, 0); /* Redis 7.0 says it so */
  for (size_t i = 0; i < n; i++)
    put_part(f, lrd_front_part(command, i));
}

int lrd_front_describe_part(struct lrd_front *f, const larder_bytes *name)
{
  const struct lrd_detail *d;
  larder_bytes rest = *name;
  larder_bytes whole = next_part(&rest.data, &rest.len, '|');
  unsigned command = whole.data ? lrd_command_find(whole.data, whole.len) : LRD_NO_COMMAND;
  for (size_t i = 0; (d = lrd_front_part(command, i)) != NULL; i++)
    if (lrd_is_word(name, d->name)) {
      put_part(f, d);
      return 1;
    }
  return 0;
}

/* --- a command --------------------------------------------------------------- */

void lrd_front_describe(struct lrd_front *f, unsigned command)
{
  static const struct lrd_detail nothing = {.tips = "", .keys = ""};
  const struct lrd_command *c = &lrd_commands[command];
  const struct lrd_detail *d = lrd_detail_find(c->name);
  if (!d)
    d = &nothing;
  lrd_sink_array(f->sink, 10);
  lrd_front_text(f, c->name);
  lrd_sink_integer(f->sink, c->arity);
  put_flags(f, c->flags);
  lrd_sink_integer(f->sink, c->first);
  lrd_sink_integer(f->sink, c->last);
  lrd_sink_integer(f->sink, c->step);
  put_words(f, text(c->acl), f->sink->type->status);
  put_words(f, text(d->tips), f->sink->type->string);
  put_keys(f, text(d->keys));
  put_parts(f, command);
}
