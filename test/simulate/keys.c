/* SPDX-License-Identifier: BSD-2-Clause */
/* The data of the world's Redis: strings, lists, hashes and sets, few and small. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simulate/server.h"
#include "simulate/task.h"

enum kind { STRING, LIST, HASH, SET };

struct item {
  size_t len;
  char *data;
};

struct key {
  int database;
  struct item name;
  enum kind kind;
  struct item *item; /* a string: one; a hash: field, value, ... */
  size_t items, capacity;
  int64_t expires; /* wall clock ms; 0: never */
  uint64_t version;
};

struct sim_keyspace {
  struct key *key;
  size_t keys, capacity;
  uint64_t version;
};

/* --- text -------------------------------------------------------------------------------- */

void sim_text_add(struct sim_text *t, const void *bytes, size_t len)
{
  if (t->len + len + 1 > t->capacity) {
    t->capacity = (t->len + len + 1) * 2;
    t->data = realloc(t->data, t->capacity);
    if (!t->data)
      abort();
  }
  if (len)
    memcpy(t->data + t->len, bytes, len);
  t->len += len;
  t->data[t->len] = 0;
}

void sim_text_format(struct sim_text *t, const char *format, ...)
{
  char line[1024];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  sim_text_add(t, line, (size_t)n);
}

int sim_is(const struct sim_bytes *b, const char *word)
{
  return b->len == strlen(word) && strncasecmp(b->data, word, b->len) == 0;
}

uint64_t sim_hash(uint64_t seed, const void *bytes, size_t len)
{
  uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < len; i++)
    h = (h ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
  return h ? h : 1;
}

/* --- the data ---------------------------------------------------------------------------- */

static struct item copy(const char *data, size_t len)
{
  struct item i = {len, malloc(len + 1)};
  if (!i.data)
    abort();
  if (len)
    memcpy(i.data, data, len);
  i.data[len] = 0;
  return i;
}

static void clear(struct key *k)
{
  for (size_t i = 0; i < k->items; i++)
    free(k->item[i].data);
  free(k->item);
  free(k->name.data);
}

struct sim_keyspace *sim_keys_new(void)
{
  struct sim_keyspace *s = calloc(1, sizeof *s);
  if (!s)
    abort();
  return s;
}

void sim_keys_free(struct sim_keyspace *s)
{
  if (!s)
    return;
  for (size_t i = 0; i < s->keys; i++)
    clear(&s->key[i]);
  free(s->key);
  free(s);
}

struct sim_keyspace *sim_keys_copy(const struct sim_keyspace *s)
{
  struct sim_keyspace *c = sim_keys_new();
  *c = *s;
  c->capacity = s->keys;
  c->key = calloc(s->keys + 1, sizeof *c->key);
  if (!c->key)
    abort();
  for (size_t i = 0; i < s->keys; i++) {
    const struct key *from = &s->key[i];
    struct key *k = &c->key[i];
    *k = *from;
    k->name = copy(from->name.data, from->name.len);
    k->capacity = from->items;
    k->item = calloc(from->items + 1, sizeof *k->item);
    if (!k->item)
      abort();
    for (size_t j = 0; j < from->items; j++)
      k->item[j] = copy(from->item[j].data, from->item[j].len);
  }
  return c;
}

static int64_t wall_ms(void)
{
  return INT64_C(1790000000000) + sim_now() / SIM_MS;
}

static struct key *find(const struct sim_keyspace *s, int database, struct sim_bytes name)
{
  for (size_t i = 0; i < s->keys; i++) {
    struct key *k = &s->key[i];
    if (k->database == database && k->name.len == name.len &&
        memcmp(k->name.data, name.data, name.len) == 0)
      return k->expires && k->expires <= wall_ms() ? NULL : k;
  }
  return NULL;
}

static int drop(struct sim_keyspace *s, int database, struct sim_bytes name)
{
  for (size_t i = 0; i < s->keys; i++) {
    struct key *k = &s->key[i];
    if (k->database != database || k->name.len != name.len ||
        memcmp(k->name.data, name.data, name.len) != 0)
      continue;
    int there = !k->expires || k->expires > wall_ms();
    clear(k);
    s->key[i] = s->key[--s->keys];
    s->version++;
    return there;
  }
  return 0;
}

static struct key *make(struct sim_keyspace *s, int database, struct sim_bytes name,
                        enum kind kind)
{
  struct key *k = find(s, database, name);
  if (!k) {
    drop(s, database, name); /* it may have expired */
    if (s->keys == s->capacity) {
      s->capacity = s->capacity ? s->capacity * 2 : 32;
      s->key = realloc(s->key, s->capacity * sizeof *s->key);
      if (!s->key)
        abort();
    }
    k = &s->key[s->keys++];
    *k = (struct key){.database = database, .name = copy(name.data, name.len), .kind = kind};
  }
  k->version = ++s->version;
  return k;
}

static void push(struct key *k, struct sim_bytes b, int in_front)
{
  if (k->items == k->capacity) {
    k->capacity = k->capacity ? k->capacity * 2 : 4;
    k->item = realloc(k->item, k->capacity * sizeof *k->item);
    if (!k->item)
      abort();
  }
  size_t at = in_front ? 0 : k->items;
  memmove(k->item + at + 1, k->item + at, (k->items - at) * sizeof *k->item);
  k->item[at] = copy(b.data, b.len);
  k->items++;
}

static void assign(struct item *i, struct sim_bytes b)
{
  free(i->data);
  *i = copy(b.data, b.len);
}

uint64_t sim_keys_version(const struct sim_keyspace *s, int database, struct sim_bytes key)
{
  const struct key *k = find(s, database, key);
  return k ? k->version : 0;
}

uint64_t sim_keys_hash(const struct sim_keyspace *s, int database, struct sim_bytes key)
{
  const struct key *k = find(s, database, key);
  uint64_t h = 7;
  for (size_t i = 0; k && i < k->items; i++)
    h = sim_hash(h + k->item[i].len, k->item[i].data, k->item[i].len);
  return k ? h : 0;
}

void sim_keys_text(const struct sim_keyspace *s, int database, const char *key,
                   struct sim_text *out)
{
  const struct key *k = find(s, database, (struct sim_bytes){key, strlen(key)});
  for (size_t i = 0; k && i < k->items; i++)
    sim_text_add(out, k->item[i].data, k->item[i].len);
}

/* --- commands ------------------------------------------------------------------------------ */

struct call {
  struct sim_keyspace *s;
  int database;
  const struct sim_bytes *argv;
  size_t argc;
  struct sim_text *out;
  struct key *k; /* argv[1]'s, if it is there */
};

static void bulk(struct sim_text *out, const char *data, size_t len)
{
  sim_text_format(out, "$%zu\r\n", len);
  sim_text_add(out, data, len);
  sim_text_add(out, "\r\n", 2);
}

static void integer(struct call *c, long long n)
{
  sim_text_format(c->out, ":%lld\r\n", n);
}

static void say(struct call *c, const char *line)
{
  sim_text_format(c->out, "%s\r\n", line);
}

static int is_wrong(struct call *c, enum kind kind)
{
  if (!c->k || c->k->kind == kind)
    return 0;
  say(c, "-WRONGTYPE Operation against a key holding the wrong kind of value");
  return 1;
}

static int64_t number(struct sim_bytes b)
{
  char text[24];
  snprintf(text, sizeof text, "%.*s", (int)(b.len < 23 ? b.len : 23), b.data);
  return strtoll(text, NULL, 10);
}

static void get(struct call *c)
{
  if (is_wrong(c, STRING))
    return;
  if (c->k)
    bulk(c->out, c->k->item[0].data, c->k->item[0].len);
  else
    say(c, "$-1");
}

static void set(struct call *c)
{
  int64_t expires = 0;
  for (size_t i = 3; i < c->argc; i++) {
    if (sim_is(&c->argv[i], "PX") && i + 1 < c->argc)
      expires = wall_ms() + number(c->argv[++i]);
    else if (sim_is(&c->argv[i], "PXAT") && i + 1 < c->argc)
      expires = number(c->argv[++i]);
    else if (sim_is(&c->argv[i], "NX") || sim_is(&c->argv[i], "XX")) {
      if (!c->k == !sim_is(&c->argv[i], "NX")) {
        say(c, "$-1");
        return;
      }
    } else {
      say(c, "-ERR syntax error");
      return;
    }
  }
  drop(c->s, c->database, c->argv[1]);
  struct key *k = make(c->s, c->database, c->argv[1], STRING);
  push(k, c->argv[2], 0);
  k->expires = expires;
  say(c, "+OK");
}

static void increase(struct call *c, int64_t by)
{
  char text[24];
  if (is_wrong(c, STRING))
    return;
  if (c->k && c->k->item[0].data[strspn(c->k->item[0].data, "-0123456789")]) {
    say(c, "-ERR value is not an integer or out of range");
    return;
  }
  struct key *k = make(c->s, c->database, c->argv[1], STRING);
  if (!k->items)
    push(k, (struct sim_bytes){"0", 1}, 0);
  int64_t n =
    (int64_t)((uint64_t)number((struct sim_bytes){k->item[0].data, k->item[0].len}) + (uint64_t)by);
  int len = snprintf(text, sizeof text, "%lld", (long long)n);
  assign(&k->item[0], (struct sim_bytes){text, (size_t)len});
  integer(c, n);
}

static void incr(struct call *c)
{
  increase(c, 1);
}

static void incrby(struct call *c)
{
  increase(c, number(c->argv[2]));
}

static void append(struct call *c)
{
  if (is_wrong(c, STRING))
    return;
  struct key *k = make(c->s, c->database, c->argv[1], STRING);
  if (!k->items)
    push(k, (struct sim_bytes){"", 0}, 0);
  struct item *i = &k->item[0];
  i->data = realloc(i->data, i->len + c->argv[2].len + 1);
  if (!i->data)
    abort();
  memcpy(i->data + i->len, c->argv[2].data, c->argv[2].len);
  i->len += c->argv[2].len;
  i->data[i->len] = 0;
  integer(c, (long long)i->len);
}

static void pushes(struct call *c, int in_front)
{
  if (is_wrong(c, LIST))
    return;
  struct key *k = make(c->s, c->database, c->argv[1], LIST);
  for (size_t i = 2; i < c->argc; i++)
    push(k, c->argv[i], in_front);
  integer(c, (long long)k->items);
}

static void rpush(struct call *c)
{
  pushes(c, 0);
}

static void lpush(struct call *c)
{
  pushes(c, 1);
}

static void every(struct call *c)
{
  sim_text_format(c->out, "*%zu\r\n", c->k ? c->k->items : 0);
  for (size_t i = 0; c->k && i < c->k->items; i++)
    bulk(c->out, c->k->item[i].data, c->k->item[i].len);
}

static void lrange(struct call *c)
{
  if (!is_wrong(c, LIST))
    every(c);
}

static void hgetall(struct call *c)
{
  if (!is_wrong(c, HASH))
    every(c);
}

static size_t field(const struct key *k, struct sim_bytes name)
{
  size_t i = 0;
  while (k && i < k->items &&
         (k->item[i].len != name.len || memcmp(k->item[i].data, name.data, name.len) != 0))
    i += 2;
  return k ? i : 0;
}

static void hset(struct call *c)
{
  if (is_wrong(c, HASH))
    return;
  struct key *k = make(c->s, c->database, c->argv[1], HASH);
  long long added = 0;
  for (size_t i = 2; i + 1 < c->argc; i += 2) {
    size_t at = field(k, c->argv[i]);
    if (at < k->items) {
      assign(&k->item[at + 1], c->argv[i + 1]);
      continue;
    }
    push(k, c->argv[i], 0);
    push(k, c->argv[i + 1], 0);
    added++;
  }
  integer(c, added);
}

static void hget(struct call *c)
{
  if (is_wrong(c, HASH))
    return;
  size_t at = field(c->k, c->argv[2]);
  if (c->k && at < c->k->items)
    bulk(c->out, c->k->item[at + 1].data, c->k->item[at + 1].len);
  else
    say(c, "$-1");
}

static void del(struct call *c)
{
  long long n = 0;
  for (size_t i = 1; i < c->argc; i++)
    n += drop(c->s, c->database, c->argv[i]);
  integer(c, n);
}

static void exists(struct call *c)
{
  integer(c, c->k != NULL);
}

static void expire_at(struct call *c)
{
  if (c->k) {
    c->k->expires = number(c->argv[2]);
    c->k->version = ++c->s->version;
  }
  integer(c, c->k != NULL);
}

static void persist(struct call *c)
{
  int had = c->k && c->k->expires;
  if (c->k)
    c->k->expires = 0;
  integer(c, had);
}

static const struct {
  const char *name;
  void (*run)(struct call *);
  int arity; /* as Redis says it */
  int writes;
} commands[] = {
  {"get", get, 2, 0},           {"set", set, -3, 1},         {"incr", incr, 2, 1},
  {"incrby", incrby, 3, 1},     {"append", append, 3, 1},    {"rpush", rpush, -3, 1},
  {"lpush", lpush, -3, 1},      {"lrange", lrange, 4, 0},    {"hset", hset, -4, 1},
  {"hget", hget, 3, 0},         {"hgetall", hgetall, 2, 0},  {"del", del, -2, 1},
  {"unlink", del, -2, 1},       {"exists", exists, -2, 0},   {"pexpireat", expire_at, -3, 1},
  {"persist", persist, 2, 1},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static int which(const struct sim_bytes *name)
{
  for (int i = 0; i < COMMANDS; i++)
    if (sim_is(name, commands[i].name))
      return i;
  return -1;
}

int sim_keys_is_write(const struct sim_bytes *name)
{
  int i = which(name);
  return i < 0 ? -1 : commands[i].writes;
}

int sim_keys_execute(struct sim_keyspace *s, int database, const struct sim_bytes *argv,
                     size_t argc, struct sim_text *reply)
{
  int i = which(&argv[0]);
  if (i < 0)
    return 0;
  struct call c = {s, database, argv, argc, reply, NULL};
  int arity = commands[i].arity;
  if (arity < 0 ? argc < (size_t)-arity : argc != (size_t)arity) {
    sim_text_format(reply, "-ERR wrong number of arguments for '%s' command\r\n",
                    commands[i].name);
    return 1;
  }
  c.k = find(s, database, argv[1]);
  commands[i].run(&c);
  return 1;
}
