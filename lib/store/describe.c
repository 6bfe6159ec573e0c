/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <stdio.h>
#include <string.h>

#include "command/keyspec.h"

/* What COMMAND INFO says of one command, in the order of Redis 7.0's ten fields. */

static const struct {
  unsigned flag;
  const char *name;
} flag_names[] = {
    {LRD_WRITE, "write"},
    {LRD_READONLY, "readonly"},
    {LRD_DENYOOM, "denyoom"},
    {LRD_ADMIN, "admin"},
    {LRD_CHANNELS, "pubsub"},
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

static larder_bytes text(const char *s)
{
  return (larder_bytes){s, strlen(s)};
}

typedef void put_fn(larder_sink *, const char *, size_t);

static void put_words(struct lrd_front *f, larder_bytes list, put_fn *put)
{
  larder_bytes word;
  lrd_sink_set(f->sink, lrd_parts(list, ' '));
  while ((word = lrd_part_next(&list, ' ')).data)
    put(f->sink, word.data, word.len);
}

/* --- key specifications ---------------------------------------------------- */

/* The names of a search's numbers. */
static const struct {
  const char *kind;
  const char *name[LRD_SEARCH_NUMBERS];
} kinds[] = {
    {"index", {"index"}},
    {"keyword", {"startfrom"}},
    {"range", {"lastkey", "keystep", "limit"}},
    {"keynum", {"keynumidx", "firstkey", "keystep"}},
    {"unknown", {NULL}},
};

static void put_search(struct lrd_front *f, const char *title, const struct lrd_search *s)
{
  size_t kind = 0, n = 0;
  while (strlen(kinds[kind].kind) != s->kind.len ||
         memcmp(kinds[kind].kind, s->kind.data, s->kind.len) != 0)
    kind++;
  while (n < LRD_SEARCH_NUMBERS && kinds[kind].name[n])
    n++;
  lrd_front_text(f, title);
  lrd_sink_map(f->sink, 2);
  lrd_front_text(f, "type");
  lrd_sink_string(f->sink, s->kind.data, s->kind.len);
  lrd_front_text(f, "spec");
  lrd_sink_map(f->sink, n + (s->word.len > 0));
  if (s->word.len) {
    lrd_front_text(f, "keyword");
    lrd_sink_string(f->sink, s->word.data, s->word.len);
  }
  for (size_t i = 0; i < n; i++) {
    lrd_front_text(f, kinds[kind].name[i]);
    lrd_sink_integer(f->sink, s->number[i]);
  }
}

static void put_key(struct lrd_front *f, const struct lrd_keyspec *key)
{
  lrd_sink_map(f->sink, 3 + (key->note.len > 0));
  if (key->note.len) {
    lrd_front_text(f, "notes");
    lrd_sink_string(f->sink, key->note.data, key->note.len);
  }
  lrd_front_text(f, "flags");
  put_words(f, key->flags, f->sink->type->status);
  put_search(f, "begin_search", &key->begin);
  put_search(f, "find_keys", &key->find);
}

static void put_keys(struct lrd_front *f, larder_bytes keys)
{
  struct lrd_keyspec key;
  lrd_sink_set(f->sink, lrd_parts(keys, '|'));
  while (lrd_keyspec_next(&keys, &key))
    put_key(f, &key);
}

/* --- a subcommand ----------------------------------------------------------- */

/* First key, last key, step: those of its only specification, if it has any. */
static void put_range(struct lrd_front *f, larder_bytes keys)
{
  struct lrd_keyspec key;
  int first = 0, last = 0, step = 0;
  if (lrd_keyspec_next(&keys, &key)) {
    first = key.begin.number[0];
    last = key.find.number[0] < 0 ? key.find.number[0] : first + key.find.number[0];
    step = key.find.number[1];
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

const struct lrd_detail *lrd_front_find_part(const larder_bytes *name, unsigned *command)
{
  const struct lrd_detail *d;
  larder_bytes rest = *name;
  larder_bytes whole = lrd_part_next(&rest, '|');
  *command = whole.data ? lrd_command_find(whole.data, whole.len) : LRD_NO_COMMAND;
  for (size_t i = 0; (d = lrd_front_part(*command, i)) != NULL; i++)
    if (lrd_is_word(name, d->name))
      return d;
  return NULL;
}

int lrd_front_describe_part(struct lrd_front *f, const larder_bytes *name)
{
  unsigned command;
  const struct lrd_detail *d = lrd_front_find_part(name, &command);
  if (d)
    put_part(f, d);
  return d != NULL;
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
