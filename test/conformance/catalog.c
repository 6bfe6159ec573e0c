/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/compare.h"

static const char *const names[] = {
    "get",       "set",      "getdel",  "getex",     "mget",   "mset",
    "append",    "strlen",   "incr",    "decr",      "incrby", "decrby",
    "del",       "unlink",   "exists",  "type",      "rename", "scan",
    "keys",      "expire",   "pexpire", "pexpireat", "ttl",    "pttl",
    "persist",   "dbsize",   "flushdb", "flushall",  "hset",   "hget",
    "hdel",      "hgetall",  "hlen",    "hincrby",   "sadd",   "srem",
    "sismember", "smembers", "scard",   "spop",      "lpush",  "rpush",
    "lpop",      "rpop",     "llen",    "lrange",    "zadd",   "zrem",
    "zscore",    "zincrby",  "zcard",   "zrank",     "zrange", "zremrangebyscore",
    "zpopmin",   "multi",    "exec",    "discard",   "watch",  "unwatch",
    "ping",      "echo",     "select",  "quit",      "hello",  "auth",
    "client",    "command",  "config",  "info",      "time",   "object"};

enum { NAMES = sizeof names / sizeof *names };

static struct resp *ask(struct target *t, const char *what, const char *name)
{
  const char *argv[] = {"COMMAND", what, name};
  return t->call(t, 0, name ? 3 : 2, argv, NULL);
}

static int complain(const struct target *t, const char *name, char *text)
{
  printf("%s: COMMAND INFO %s: %s\n", t->name, name, text);
  fflush(stdout);
  free(text);
  return 1;
}

/* Of the ten fields all but the last, the subcommands. */
static int compare_fields(struct target *t, const char *name, struct resp *expected,
                          struct resp *got)
{
  static const char *const fields[] = {"name", "arity", "flags", "first", "last",
                                       "step", "acl",   "tips",  "keys"};
  int bad = 0;
  if (got->len != 10)
    return complain(t, name, strdup("10 fields expected"));
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    char *text = compare(&expected->element[i], &got->element[i], COMPARE_UNORDERED);
    if (text)
      printf("(%s) ", fields[i]);
    bad += text ? complain(t, name, text) : 0;
  }
  return bad;
}

/* Each subcommand is one of Redis's, and as Redis describes it. */
static int compare_parts(struct target *t, struct resp *expected, struct resp *got)
{
  int bad = 0;
  for (size_t i = 0; i < got->len; i++) {
    struct resp *part = &got->element[i];
    size_t k = 0;
    while (k < expected->len && strcmp(expected->element[k].element[0].str, part->element[0].str))
      k++;
    bad += k < expected->len ? compare_fields(t, part->element[0].str, &expected->element[k], part)
                             : complain(t, part->element[0].str, strdup("no such subcommand"));
  }
  return bad;
}

static int run_info(struct target *target, struct target *oracle, const char *name)
{
  struct resp *expected = ask(oracle, "INFO", name), *got = ask(target, "INFO", name);
  int bad;
  if (!got->element || got->len != 1 || !got->element[0].element)
    bad = complain(target, name, resp_text(got));
  else
    bad = compare_fields(target, name, &expected->element[0], &got->element[0]) +
          compare_parts(target, &expected->element[0].element[9], &got->element[0].element[9]);
  resp_free(expected);
  resp_free(got);
  return bad;
}

static int has(const struct resp *list, const char *name)
{
  for (size_t i = 0; list->element && i < list->len; i++)
    if (resp_is_text(&list->element[i], name))
      return 1;
  return 0;
}

static int run_list(struct target *target, struct target *oracle)
{
  struct resp *all = ask(oracle, "LIST", NULL), *list = ask(target, "LIST", NULL);
  struct resp *count = ask(target, "COUNT", NULL), *none = ask(target, "INFO", "nosuch");
  int bad = 0;
  for (int i = 0; i < NAMES; i++)
    bad += has(list, names[i]) ? 0 : complain(target, names[i], strdup("not in COMMAND LIST"));
  for (size_t i = 0; list->element && i < list->len; i++)
    if (!has(all, list->element[i].str))
      bad += complain(target, list->element[i].str, strdup("no such command in Redis"));
  if (count->type != RESP_INTEGER || count->integer != (int64_t)list->len)
    bad += complain(target, "", strdup("COMMAND COUNT is not the length of COMMAND LIST"));
  if (!none->element || none->len != 1 || none->element[0].element)
    bad += complain(target, "nosuch", resp_text(none));
  resp_free(all);
  resp_free(list);
  resp_free(count);
  resp_free(none);
  return bad;
}

int catalog_run(struct target *target, struct target *oracle)
{
  int bad = run_list(target, oracle);
  for (int i = 0; i < NAMES; i++)
    bad += run_info(target, oracle, names[i]);
  bad += run_info(target, oracle, "config|get") + run_info(target, oracle, "Client|SetName");
  return bad;
}
