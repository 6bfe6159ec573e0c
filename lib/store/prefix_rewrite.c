/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/prefix.h"

#include <stdio.h>
#include <string.h>

/* --- memory -------------------------------------------------------------- */

void lrd_room_init(struct lrd_room *room, const larder_memory *memory)
{
  lrd_arena_init(&room->arena, memory);
  room->used = 0;
}

void lrd_room_free(struct lrd_room *room)
{
  lrd_arena_free(&room->arena);
}

void *lrd_room_take(struct lrd_room *room, size_t size)
{
  size_t rounded = (size + 15) & ~(size_t)15;
  if (size > sizeof room->stack || rounded > sizeof room->stack - room->used)
    return lrd_arena_allocate(&room->arena, size);
  void *p = room->stack + room->used;
  room->used += rounded;
  return p;
}

/* --- which rule ---------------------------------------------------------- */

/* By name, since not every build of the list has every command. */
static const struct {
  const char *name;
  enum lrd_prefix_rule rule;
} rules[] = {
    {"config", LRD_PREFIX_PASS},      {"script", LRD_PREFIX_PASS},
    {"sort", LRD_PREFIX_SORT},        {"sort_ro", LRD_PREFIX_SORT},
    {"keys", LRD_PREFIX_GLOB},        {"scan", LRD_PREFIX_CURSOR},
    {"blpop", LRD_PREFIX_FIRST},      {"brpop", LRD_PREFIX_FIRST},
    {"lmpop", LRD_PREFIX_FIRST},      {"blmpop", LRD_PREFIX_FIRST},
    {"zmpop", LRD_PREFIX_FIRST},      {"bzmpop", LRD_PREFIX_FIRST},
    {"bzpopmin", LRD_PREFIX_FIRST},   {"bzpopmax", LRD_PREFIX_FIRST},
    {"xread", LRD_PREFIX_EACH},       {"xreadgroup", LRD_PREFIX_EACH},
    {"xgroup", LRD_PREFIX_QUOTE},     {"xinfo", LRD_PREFIX_QUOTE},
    {"xpending", LRD_PREFIX_QUOTE},   {"xautoclaim", LRD_PREFIX_QUOTE},
    {"xclaim", LRD_PREFIX_QUOTE},
    {"dbsize", LRD_PREFIX_COUNT},     {"randomkey", LRD_PREFIX_RANDOM},
    {"flushdb", LRD_PREFIX_FLUSH},    {"flushall", LRD_PREFIX_FLUSH_ALL},
    {"publish", LRD_PREFIX_CHANNEL},  {"spublish", LRD_PREFIX_CHANNEL},
    {"pubsub", LRD_PREFIX_CHANNELS},
    {"swapdb", LRD_PREFIX_REFUSE}, /* it moves the keys of others too */
};

void lrd_prefix_rules(struct lrd_prefix *p)
{
  for (unsigned id = 0; id < LRD_COMMANDS; id++) {
    const struct lrd_command *c = &lrd_commands[id];
    if (c->flags & LRD_KEYSPACE)
      p->rule[id] = LRD_PREFIX_REFUSE;
    else if (c->class == LRD_CLASS_CONNECTION || (c->flags & LRD_FRONT))
      p->rule[id] = LRD_PREFIX_PASS;
  }
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    unsigned id = lrd_command_find(rules[i].name, strlen(rules[i].name));
    if (id != LRD_NO_COMMAND)
      p->rule[id] = (unsigned char)rules[i].rule;
  }
}

static void count_key(void *context, int index)
{
  (void)index;
  ++*(int *)context;
}

enum lrd_prefix_rule lrd_prefix_rule_of(const struct lrd_prefix *p, const larder_vector *v)
{
  const struct lrd_command *c = &lrd_commands[v->command];
  enum lrd_prefix_rule rule = (enum lrd_prefix_rule)p->rule[v->command];
  if (rule != LRD_PREFIX_KEYS)
    return rule;
  int keys = 0;
  lrd_command_keys(v, count_key, &keys);
  if (keys)
    return rule;
  /* OBJECT HELP; and a number of keys that is none is refused by whoever reads it. */
  int help = v->argc == 2 && lrd_is_word(&v->argv[1], "HELP");
  int movable = (c->flags & LRD_MOVABLE_KEYS) && c->class != LRD_CLASS_SCRIPT;
  return help || movable ? LRD_PREFIX_PASS : LRD_PREFIX_REFUSE;
}

const char *lrd_prefix_refusal(const larder_vector *v, const char *why, char *text, size_t size)
{
  snprintf(text, size, "ERR '%s' is not possible in a store with a key prefix%s",
           lrd_commands[v->command].name, why);
  return text;
}

/* --- arguments ----------------------------------------------------------- */

struct rewrite {
  const struct lrd_prefix *prefix;
  struct lrd_room *room;
  larder_bytes *argv;
  int failed;
};

static void put_before(struct rewrite *r, int index, larder_bytes head)
{
  larder_bytes *a = &r->argv[index];
  char *joined = lrd_room_take(r->room, head.len + a->len);
  if (!joined) {
    r->failed = 1;
    return;
  }
  memcpy(joined, head.data, head.len);
  if (a->len)
    memcpy(joined + head.len, a->data, a->len);
  *a = (larder_bytes){joined, head.len + a->len};
}

static void put_key(void *context, int index)
{
  struct rewrite *r = context;
  put_before(r, index, r->prefix->text);
}

static void put_pattern(struct rewrite *r, int index)
{
  larder_bytes escaped = r->prefix->all;
  escaped.len--; /* the '*' */
  put_before(r, index, escaped);
}

/* Patterns of keys in BY and GET take the place of their first '*' only: nothing to escape. */
static void rewrite_sort(struct rewrite *r, const larder_vector *v)
{
  put_key(r, 1);
  for (int i = 2; i + 1 < v->argc; i++) {
    if (lrd_is_word(&v->argv[i], "LIMIT")) {
      i += 2;
      continue;
    }
    int get = lrd_is_word(&v->argv[i], "GET");
    if (!get && !lrd_is_word(&v->argv[i], "BY") && !lrd_is_word(&v->argv[i], "STORE"))
      continue;
    i++;
    if (!get || !lrd_is_word(&v->argv[i], "#"))
      put_key(r, i);
  }
}

/* An option without its value is an error whoever answers: as it is. */
static void rewrite_scan(struct rewrite *r, const larder_vector *v, larder_vector *out)
{
  int found = 0;
  if (v->argc % 2)
    return;
  for (int i = 2; i < v->argc; i += 2) {
    if (!lrd_is_word(&v->argv[i], "MATCH"))
      continue;
    put_pattern(r, i + 1);
    found = 1;
  }
  if (found)
    return;
  r->argv[out->argc++] = (larder_bytes){"MATCH", 5};
  r->argv[out->argc++] = r->prefix->all;
}

/* NUMPAT counts those of others too: Redis tells no more. */
static void rewrite_pubsub(struct rewrite *r, const larder_vector *v, larder_vector *out)
{
  const larder_bytes *word = &v->argv[1];
  int names = lrd_is_word(word, "NUMSUB") || lrd_is_word(word, "SHARDNUMSUB");
  for (int i = 2; names && i < v->argc; i++)
    put_key(r, i);
  if (!lrd_is_word(word, "CHANNELS") && !lrd_is_word(word, "SHARDCHANNELS"))
    return;
  if (v->argc == 2)
    r->argv[out->argc++] = r->prefix->all;
  else if (v->argc == 3)
    put_pattern(r, 2);
}

/* How many keys there are is told in a transaction by KEYS alone. */
static void rewrite_count(struct rewrite *r, larder_vector *out)
{
  r->argv[0] = (larder_bytes){"KEYS", 4};
  r->argv[1] = r->prefix->all;
  out->command = LRD_KEYS;
  out->argc = 2;
}

int lrd_prefix_rewrite(const struct lrd_prefix *p, const larder_vector *v, struct lrd_room *room,
                       larder_vector *out)
{
  enum lrd_prefix_rule rule = lrd_prefix_rule_of(p, v);
  struct rewrite r = {.prefix = p, .room = room};
  *out = *v;
  if (rule == LRD_PREFIX_PASS)
    return 0;
  r.argv = lrd_room_take(room, ((size_t)v->argc + 2) * sizeof *r.argv);
  if (!r.argv)
    return -1;
  memcpy(r.argv, v->argv, (size_t)v->argc * sizeof *r.argv);
  out->argv = r.argv;
  if (rule == LRD_PREFIX_SORT)
    rewrite_sort(&r, v);
  else if (rule == LRD_PREFIX_GLOB)
    put_pattern(&r, 1);
  else if (rule == LRD_PREFIX_CURSOR)
    rewrite_scan(&r, v, out);
  else if (rule == LRD_PREFIX_COUNT)
    rewrite_count(&r, out);
  else if (rule == LRD_PREFIX_CHANNEL)
    put_key(&r, 1);
  else if (rule == LRD_PREFIX_CHANNELS)
    rewrite_pubsub(&r, v, out);
  else
    lrd_command_keys(v, put_key, &r);
  return r.failed ? -1 : 0;
}

/* --- replies ------------------------------------------------------------- */

static int is_aggregate(const larder_value *v)
{
  return v->type >= LARDER_ARRAY;
}

/* The trees are ours, in an arena of ours. */
static larder_value *element(const larder_value *v, size_t i)
{
  return (larder_value *)(uintptr_t)&v->element[i];
}

static void strip(const struct lrd_prefix *p, larder_value *v)
{
  if (v->type != LARDER_STRING || v->len < p->text.len ||
      memcmp(v->str, p->text.data, p->text.len) != 0)
    return;
  v->str += p->text.len;
  v->len -= p->text.len;
}

static void strip_all(const struct lrd_prefix *p, larder_value *v, size_t step)
{
  for (size_t i = 0; is_aggregate(v) && i < v->len; i += step)
    strip(p, element(v, i));
}

/* "NOGROUP No such key 'app:k' or consumer group ..." */
static void strip_error(const struct lrd_prefix *p, larder_value *v)
{
  char *text = (char *)(uintptr_t)v->str;
  for (size_t i = 0; i + p->text.len < v->len; i++) {
    if (text[i] != '\'' || memcmp(text + i + 1, p->text.data, p->text.len) != 0)
      continue;
    memmove(text + i + 1, text + i + 1 + p->text.len, v->len - i - p->text.len);
    v->len -= p->text.len;
  }
}

void lrd_prefix_reply(const struct lrd_prefix *p, enum lrd_prefix_rule rule, larder_value *v)
{
  if (v->type == LARDER_ERROR) {
    strip_error(p, v);
    return;
  }
  switch (rule) {
  case LRD_PREFIX_GLOB:
  case LRD_PREFIX_CHANNELS:
    strip_all(p, v, 1);
    break;
  case LRD_PREFIX_CURSOR:
    if (is_aggregate(v) && v->len == 2)
      strip_all(p, element(v, 1), 1);
    break;
  case LRD_PREFIX_FIRST:
    if (is_aggregate(v) && v->len)
      strip(p, element(v, 0));
    break;
  case LRD_PREFIX_EACH:
    if (v->type == LARDER_MAP)
      strip_all(p, v, 2);
    for (size_t i = 0; v->type == LARDER_ARRAY && i < v->len; i++)
      if (is_aggregate(element(v, i)) && v->element[i].len)
        strip(p, element(element(v, i), 0));
    break;
  case LRD_PREFIX_COUNT:
    if (is_aggregate(v))
      *v = (larder_value){.type = LARDER_INTEGER, .integer = (int64_t)v->len};
    break;
  case LRD_PREFIX_KEYS:
  case LRD_PREFIX_PASS:
  case LRD_PREFIX_CHANNEL:
  case LRD_PREFIX_SORT:
  case LRD_PREFIX_QUOTE:
  case LRD_PREFIX_RANDOM:
  case LRD_PREFIX_FLUSH:
  case LRD_PREFIX_FLUSH_ALL:
  case LRD_PREFIX_REFUSE:
    break;
  }
}
