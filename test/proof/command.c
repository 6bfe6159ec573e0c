/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- making a command ----------------------------------------------------------- */

static void argument(struct command *c, const char *text, size_t len)
{
  c->argv[c->argc] = text;
  c->len[c->argc++] = len;
}

static void word(struct command *c, const char *text)
{
  argument(c, text, strlen(text));
}

/* A text that says who wrote it, over and over, so that a torn one shows. */
static void make_text(struct maker *m, char *text, size_t *len)
{
  char mark[32];
  size_t n = (size_t)snprintf(mark, sizeof mark, "w%u.%u;", m->number, m->texts++);
  size_t longest = m->longest;

  *len = roll(m, 3) ? n : 100 + roll(m, (unsigned)longest - 99);
  for (size_t i = 0; i < *len; i++)
    text[i] = mark[i % n];
}

void command_give(struct maker *m, struct command *c, unsigned which)
{
  struct action *a = &c->action[which];
  char *text = c->value[which];
  size_t len;

  if (c->key[which] >= RECORD_TEXTS) {
    a->is_number = 1;
    a->number = roll(m, 1000);
    len = (size_t)snprintf(text, COMMAND_LONGEST, "%" PRId64, a->number);
  } else {
    make_text(m, text, &len);
  }
  a->given = text_of(text, len);
  argument(c, text, len);
}

static void give_ttl(struct maker *m, struct command *c)
{
  if (!m->expiry || roll(m, 2))
    return;
  c->action[0].ttl = 1 + roll(m, 10);
  word(c, "PX");
  snprintf(c->ttl, sizeof c->ttl, "%" PRId64, c->action[0].ttl);
  word(c, c->ttl);
}

static void make_many(struct maker *m, struct command *c, int write)
{
  unsigned first = roll(m, RECORD_KEYS);

  c->keys = 2 + roll(m, 2);
  word(c, write ? "MSET" : "MGET");
  for (unsigned i = 0; i < c->keys; i++) {
    c->key[i] = (first + i) % RECORD_KEYS;
    c->action[i].kind = write ? ACTION_WRITE : ACTION_READ;
    word(c, record_names[c->key[i]]);
    if (write)
      command_give(m, c, i);
  }
}

static void make_write(struct maker *m, struct command *c, enum action_kind kind)
{
  word(c, "SET");
  word(c, record_names[c->key[0]]);
  command_give(m, c, 0);
  give_ttl(m, c);
  if (kind == ACTION_WRITE_NEW)
    word(c, "NX");
  if (kind == ACTION_EXCHANGE)
    word(c, "GET");
}

static void make_plain(struct maker *m, struct command *c, enum action_kind kind)
{
  static const char *const word_of[] = { [ACTION_READ] = "GET",
                                         [ACTION_TAKE] = "GETDEL",
                                         [ACTION_DELETE] = "DEL",
                                         [ACTION_APPEND] = "APPEND",
                                         [ACTION_ADD] = "INCRBY" };

  word(c, word_of[kind]);
  word(c, record_names[c->key[0]]);
  if (kind == ACTION_APPEND)
    command_give(m, c, 0);
  if (kind == ACTION_ADD) {
    c->action[0].number = 1 + roll(m, 9);
    snprintf(c->amount, sizeof c->amount, "%" PRId64, c->action[0].number);
    word(c, c->amount);
  }
}

void command_make(struct maker *m, struct command *c)
{
  static const enum action_kind kinds[] = {
    ACTION_READ,  ACTION_READ,     ACTION_READ, ACTION_WRITE,  ACTION_WRITE,
    ACTION_WRITE_NEW, ACTION_EXCHANGE, ACTION_TAKE, ACTION_DELETE, ACTION_APPEND
  };
  enum action_kind kind = kinds[roll(m, sizeof kinds / sizeof *kinds)];

  memset(c->action, 0, sizeof c->action);
  c->argc = 0;
  if (roll(m, 8) == 0) {
    make_many(m, c, (int)roll(m, 2));
    return;
  }
  c->keys = 1;
  c->key[0] = roll(m, RECORD_KEYS);
  if (c->key[0] >= RECORD_TEXTS && (kind == ACTION_APPEND || roll(m, 2)))
    kind = ACTION_ADD;
  c->action[0].kind = kind;
  if (kind == ACTION_WRITE || kind == ACTION_WRITE_NEW || kind == ACTION_EXCHANGE)
    make_write(m, c, kind);
  else
    make_plain(m, c, kind);
}

/* --- understanding its reply ------------------------------------------------------ */

static int understand_one(struct action *a, const larder_value *v)
{
  int is_text = v->type == LARDER_STRING;

  switch (a->kind) {
  case ACTION_READ:
  case ACTION_TAKE:
  case ACTION_EXCHANGE:
    a->found = is_text;
    a->seen = is_text ? text_of(v->str, v->len) : (struct text){ 0 };
    return is_text || v->type == LARDER_NIL;
  case ACTION_WRITE:
    return v->type == LARDER_STATUS;
  case ACTION_WRITE_NEW:
    a->found = v->type == LARDER_NIL;
    return a->found || v->type == LARDER_STATUS;
  case ACTION_DELETE:
    a->found = v->integer != 0;
    return v->type == LARDER_INTEGER;
  default:
    a->result = v->integer;
    return v->type == LARDER_INTEGER;
  }
}

int command_understand(struct command *c, const larder_value *v)
{
  if (v->type == LARDER_ARRAY) {
    for (unsigned i = 0; i < c->keys; i++)
      if (v->len != c->keys || !understand_one(&c->action[i], &v->element[i]))
        return 0;
    return 1;
  }
  for (unsigned i = 0; i < c->keys; i++)
    if (!understand_one(&c->action[i], v))
      return 0;
  return 1;
}
