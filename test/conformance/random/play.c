/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/random/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/line.h"
#include "support/compare.h"

enum { AHEAD = 256, MAX_QUEUED = 64, SESSIONS = 2 };

/* A command that the target has answered and the server has been sent. */
struct pending {
  size_t index;
  const struct command *command;
  struct resp *got;
  int popped; /* SPOP, replayed by name: SCARD, SMISMEMBER, SREM were sent */
};

/* What is queued in a transaction. */
struct queued {
  int count;
  enum compare_mode mode[MAX_QUEUED];
};

struct stage {
  struct play *play;
  int session; /* of all that is pending */
  size_t count;
  struct pending pending[AHEAD];
  struct queued queued[SESSIONS];
};

static void differs(struct play *p, const struct pending *at, char *text)
{
  if (p->what) {
    free(text);
    return;
  }
  p->at = at->index;
  char *line = line_print(at->command->argc, at->command->argv, at->command->len);
  size_t size = strlen(line) + strlen(text) + 32;
  p->what = malloc(size);
  if (p->what)
    snprintf(p->what, size, "%s%s: %s", at->command->session ? "2> " : "", line, text);
  free(line);
  free(text);
}

static struct resp *next(struct stage *s)
{
  struct resp_client *c = s->play->oracle[s->session];
  struct resp *r = resp_read(c);
  if (r)
    return r;
  fprintf(stderr, "redis-server: %s\n", resp_fault(c));
  exit(1);
}

/* --- comparing --------------------------------------------------------------- */

static void compare_exec(struct stage *s, const struct pending *p, const struct resp *expected)
{
  const struct queued *q = &s->queued[s->session];
  if (!expected->element || !p->got->element || expected->len != p->got->len ||
      expected->len != (size_t)q->count) {
    char *text = compare(expected, p->got, COMPARE_EXACT);
    if (text)
      differs(s->play, p, text);
    return;
  }
  for (size_t i = 0; i < expected->len; i++) {
    char *text = compare(&expected->element[i], &p->got->element[i], q->mode[i]);
    if (text)
      differs(s->play, p, text);
  }
}

/* A server counts the dead that it has not yet met (SET ... PXAT 1). */
static enum compare_mode mode_of(const struct command *c)
{
  if (compare_is_word(c->argv, c->len, 0, "DBSIZE"))
    return COMPARE_TYPE;
  return compare_mode_of(c->argc, c->argv, c->len);
}

static void follow(struct stage *s, const struct command *c, const struct resp *reply)
{
  struct queued *q = &s->queued[s->session];
  if (compare_is_word(c->argv, c->len, 0, "MULTI") && reply->type != RESP_ERROR)
    q->count = 0;
  else if (resp_is_text(reply, "QUEUED") && q->count < MAX_QUEUED)
    q->mode[q->count++] = mode_of(c);
}

static char *say(const char *text)
{
  char *copy = strdup(text);
  if (!copy)
    exit(1);
  return copy;
}

/* The server's view of what was popped: so many there were, all of these among
 * them, and these were taken out. */
static void compare_popped(struct stage *s, const struct pending *p)
{
  const struct resp *got = p->got;
  struct resp *size = next(s), *members = next(s), *removed = next(s);
  size_t n = got->element ? got->len : 1;
  int64_t wanted = 1;
  if (p->command->argc == 3)
    wanted = strtoll(p->command->argv[2], NULL, 10);
  int64_t least = size->integer < wanted ? size->integer : wanted;
  int all = members->element != NULL;
  for (size_t i = 0; all && i < members->len; i++)
    all = members->element[i].integer == 1;
  if (size->type != RESP_INTEGER || (int64_t)n != least)
    differs(s->play, p, say("the number of popped members is not what the set's size allows"));
  else if (!all)
    differs(s->play, p, say("a popped member was not in the set"));
  else if (removed->integer != (int64_t)n)
    differs(s->play, p, say("a member was popped twice"));
  resp_free(size);
  resp_free(members);
  resp_free(removed);
}

static void compare_one(struct stage *s, const struct pending *p)
{
  if (p->popped) {
    compare_popped(s, p);
    return;
  }
  struct resp *expected = next(s);
  if (compare_is_word(p->command->argv, p->command->len, 0, "EXEC"))
    compare_exec(s, p, expected);
  else {
    char *text = compare(expected, p->got, mode_of(p->command));
    if (text)
      differs(s->play, p, text);
  }
  follow(s, p->command, expected);
  resp_free(expected);
}

static void drain(struct stage *s)
{
  resp_flush(s->play->oracle[s->session]);
  for (size_t i = 0; i < s->count; i++) {
    compare_one(s, &s->pending[i]);
    resp_free(s->pending[i].got);
    s->play->commands++;
  }
  s->count = 0;
}

/* --- playing -------------------------------------------------------------------- */

static int is_random_pop(const struct command *c, const struct resp *got)
{
  if (!compare_is_word(c->argv, c->len, 0, "SPOP"))
    return 0;
  return got->type == RESP_STRING || (got->element && got->len > 0);
}

static void append_popped(struct resp_client *client, const struct command *c,
                          const struct resp *got)
{
  size_t n = got->element ? got->len : 1;
  const char **argv = malloc((n + 2) * sizeof *argv);
  size_t *len = malloc((n + 2) * sizeof *len);
  if (!argv || !len)
    exit(1);
  argv[1] = c->argv[1];
  len[1] = c->len[1];
  for (size_t i = 0; i < n; i++) {
    const struct resp *member = got->element ? &got->element[i] : got;
    argv[2 + i] = member->str ? member->str : "";
    len[2 + i] = member->str ? member->len : 0;
  }
  static const char *const names[] = {"SCARD", "SMISMEMBER", "SREM"};
  for (int i = 0; i < 3; i++) {
    argv[0] = names[i];
    len[0] = strlen(names[i]);
    resp_append(client, i == 0 ? 2 : (int)n + 2, argv, len);
  }
  free(argv);
  free(len);
}

static void play_one(struct stage *s, size_t index, const struct command *c)
{
  if (s->count == AHEAD || (s->count && s->session != c->session))
    drain(s);
  s->session = c->session;
  struct resp_client *client = s->play->oracle[c->session];
  struct pending *p = &s->pending[s->count++];
  p->index = index;
  p->command = c;
  p->got = s->play->target->call(s->play->target, c->session, c->argc, c->argv, c->len);
  p->popped = is_random_pop(c, p->got);
  if (p->popped)
    append_popped(client, c, p->got);
  else
    resp_append(client, c->argc, c->argv, c->len);
}

static struct command *words(const char *text)
{
  static struct line l;
  line_parse(&l, text);
  return command_new(0, l.argc, l.argv, l.len);
}

static void play_words(struct stage *s, size_t index, const char *text)
{
  struct command *c = words(text);
  play_one(s, index, c);
  drain(s);
  free(c);
}

static void begin(struct stage *s)
{
  struct play *p = s->play;
  const char *all = "FLUSHALL";
  for (int i = 0; i < SESSIONS; i++) {
    resp_free(resp_words(p->oracle[i], "RESET", NULL));
    if (resp_hello(p->oracle[i], 3) != 0) {
      fprintf(stderr, "redis-server: %s\n", resp_fault(p->oracle[i]));
      exit(1);
    }
  }
  resp_free(resp_words(p->oracle[0], "FLUSHALL", NULL));
  p->target->fresh(p->target);
  resp_free(p->target->call(p->target, 0, 1, &all, NULL));
  free(p->what);
  p->what = NULL;
}

/* --- the end ---------------------------------------------------------------------- */

static void play_read(struct stage *s, size_t index, const char *name, const char *key, size_t len,
                      const char *rest)
{
  static struct line l;
  const char *argv[8];
  size_t lens[8];
  int argc = 2;
  argv[0] = name;
  lens[0] = strlen(name);
  argv[1] = key;
  lens[1] = len;
  line_parse(&l, rest);
  for (int i = 0; i < l.argc; i++) {
    argv[argc] = l.argv[i];
    lens[argc++] = l.len[i];
  }
  struct command *c = command_new(0, argc, argv, lens);
  play_one(s, index, c);
  drain(s);
  free(c);
}

static void play_key(struct stage *s, size_t index, const char *key, size_t len)
{
  static const char *const types[][3] = {{"string", "GET", ""},
                                         {"list", "LRANGE", "0 -1"},
                                         {"set", "SMEMBERS", ""},
                                         {"hash", "HGETALL", ""},
                                         {"zset", "ZRANGE", "0 -1 WITHSCORES"},
                                         {"stream", "XRANGE", "- +"}};
  const char *argv[] = {"TYPE", key};
  const size_t lens[] = {4, len};
  struct resp *type = resp_call(s->play->oracle[0], 2, argv, lens);
  play_read(s, index, "TYPE", key, len, "");
  play_read(s, index, "PTTL", key, len, "");
  for (int i = 0; i < 6; i++)
    if (resp_is_text(type, types[i][0]))
      play_read(s, index, types[i][1], key, len, types[i][2]);
  resp_free(type);
}

static void check_size(struct stage *s, size_t index, const struct resp *keys)
{
  static const char *const name[] = {"DBSIZE"};
  static const size_t len[] = {6};
  struct command *c = command_new(0, 1, name, len);
  struct pending p = {.index = index, .command = c};
  p.got = s->play->target->call(s->play->target, 0, 1, name, len);
  if (p.got->type != RESP_INTEGER || !keys || p.got->integer != (int64_t)keys->len)
    differs(s->play, &p, say("it is not the number of keys"));
  resp_free(p.got);
  free(c);
}

static void play_end(struct stage *s, size_t index)
{
  static const char *const databases[] = {"SELECT 0", "SELECT 1"};
  play_words(s, index, "DISCARD");
  for (int i = 0; i < 2 && !s->play->what; i++) {
    play_words(s, index, databases[i]);
    play_words(s, index, "SCAN 0 COUNT 1000000"); /* which makes a server meet them */
    play_words(s, index, "KEYS *");
    struct resp *keys = resp_words(s->play->oracle[0], "KEYS", "*", NULL);
    check_size(s, index, keys);
    for (size_t k = 0; keys && k < keys->len && !s->play->what; k++)
      play_key(s, index, keys->element[k].str, keys->element[k].len);
    resp_free(keys);
  }
}

int play(struct play *p, const struct history *h)
{
  struct stage *s = calloc(1, sizeof *s);
  if (!s)
    exit(1);
  s->play = p;
  begin(s);
  for (size_t i = 0; i < h->count && !p->what; i++)
    play_one(s, i, h->command[i]);
  drain(s);
  if (!p->what)
    play_end(s, h->count);
  free(s);
  return p->what != NULL;
}
