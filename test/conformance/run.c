/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conformance/line.h"
#include "support/compare.h"

enum { MAX_QUEUED = 256 };

/* What one conversation is in the middle of. */
struct conversation {
  int in_multi;
  int watches;
  int unserved; /* a queued command that the contract does not serve */
  int queued;
  enum compare_mode mode[MAX_QUEUED];
};

struct step {
  struct run *run;
  const struct sequence *sequence;
  const struct line *line;
  int session;
};

static int is(const struct line *l, int i, const char *word)
{
  return i < l->argc && compare_is_word(l->argv, l->len, i, word);
}

static void complain(const struct step *s, const char *text)
{
  char *command = line_print(s->line->argc, s->line->argv, s->line->len);
  s->run->differences++;
  printf("%s: %s: %s%s\n  %s\n", s->run->target->name, s->sequence->name, command,
         s->session ? " (second session)" : "", text);
  fflush(stdout);
  free(command);
}

static struct resp *ask(struct target *t, const struct step *s)
{
  return t->call(t, s->session, s->line->argc, s->line->argv, s->line->len);
}

static struct resp *ask_word(struct target *t, int session, const char *word)
{
  return t->call(t, session, 1, &word, NULL);
}

/* --- outcomes ---------------------------------------------------------------- */

static int absent_by_nil(const struct line *l)
{
  static const char *const names[] = {"GET",    "GETDEL", "GETEX", "HGET",
                                      "ZSCORE", "ZRANK",  "LPOP",  "RPOP"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (is(l, 0, names[i]))
      return 1;
  return is(l, 0, "SPOP") && l->argc == 2;
}

/* The outcome that the server's reply stands for; -1: not laid down here. */
static int outcome_of(const struct line *l, const struct resp *r)
{
  if (r->type == RESP_ERROR)
    return LARDER_REFUSED;
  if (absent_by_nil(l))
    return r->type == RESP_NIL || r->type == RESP_NIL_ARRAY ? LARDER_ABSENT : LARDER_OK;
  if (is(l, 0, "TTL") || is(l, 0, "PTTL"))
    return r->integer == -2 ? LARDER_ABSENT : LARDER_OK;
  if (is(l, 0, "TYPE"))
    return resp_is_text(r, "none") ? LARDER_ABSENT : LARDER_OK;
  return -1;
}

static void check_outcome(const struct step *s, int in_multi, const struct resp *expected,
                          const struct resp *referred)
{
  struct run *run = s->run;
  char text[128];
  if (!run->target->has_outcome || in_multi)
    return;
  int want = outcome_of(s->line, expected), got = (int)run->target->outcome;
  if (want == LARDER_REFUSED && got == LARDER_BAD_ARGUMENT)
    want = got; /* what the list itself knows to be wrong: name, number of arguments */
  if (want < 0 && referred)
    want = (int)run->reference->outcome;
  if (want < 0 || want == got)
    return;
  snprintf(text, sizeof text, "outcome: expected %s, got %s",
           larder_outcome_name((larder_outcome)want), larder_outcome_name((larder_outcome)got));
  complain(s, text);
}

static int not_served(larder_outcome outcome)
{
  return outcome == LARDER_NOT_SENT || outcome == LARDER_UNKNOWN_LOCALLY;
}

/* --- the contract of an outage ------------------------------------------------ */

static int has_word_after(int argc, const char *const *argv, const size_t *len, int from,
                          const char *const *words)
{
  for (int i = from; i < argc; i++)
    for (const char *const *w = words; *w; w++)
      if (compare_is_word(argv, len, i, *w))
        return 1;
  return 0;
}

int run_is_served(int argc, const char *const *argv, const size_t *len)
{
  static const char *const conditions[] = {"NX", "XX", "GT", "LT", NULL};
  static const char *const conditional[] = {"SET", "ZADD", "EXPIRE", "PEXPIRE", "PEXPIREAT",
                                            "EXPIREAT", "GEOADD", NULL};
  static const char *const always[] = {"SETNX",  "MSETNX", "HSETNX",   "LPUSHX",
                                       "RPUSHX", "MOVE",   "RENAMENX", NULL};
  static const char *const replace[] = {"REPLACE", NULL}, *const elsewhere[] = {"DB", NULL};
  static const char *const keyspace[] = {"RANDOMKEY", "SWAPDB",
                                         "KEYS",   "SCAN", "DBSIZE", "FLUSHDB", "FLUSHALL",
                                         "CONFIG", "INFO", "WATCH",  "PUBLISH", "SPUBLISH", "PUBSUB",
                                         NULL};
  if (argc == 0 || has_word_after(1, argv, len, 0, keyspace))
    return 0;
  if (has_word_after(1, argv, len, 0, always))
    return 0;
  if (compare_is_word(argv, len, 0, "COPY"))
    return has_word_after(argc, argv, len, 3, replace) &&
           !has_word_after(argc, argv, len, 3, elsewhere);
  if (compare_is_word(argv, len, 0, "RESTORE"))
    return has_word_after(argc, argv, len, 4, replace);
  if (!has_word_after(1, argv, len, 0, conditional))
    return 1;
  int from = compare_is_word(argv, len, 0, "ZADD") || compare_is_word(argv, len, 0, "GEOADD") ? 2
                                                                                              : 3;
  return !has_word_after(argc, argv, len, from, conditions);
}

/* --- comparing ------------------------------------------------------------------ */

static void compare_exec(const struct step *s, struct conversation *c, const struct resp *expected,
                         const struct resp *got)
{
  if (!expected->element || !got->element || expected->len != got->len ||
      expected->len != (size_t)c->queued) {
    char *text = compare(expected, got, COMPARE_EXACT);
    if (text)
      complain(s, text);
    free(text);
    return;
  }
  for (size_t i = 0; i < expected->len; i++) {
    char *text = compare(&expected->element[i], &got->element[i], c->mode[i]);
    char *whole = text ? malloc(strlen(text) + 64) : NULL;
    if (whole) {
      sprintf(whole, "in the reply to queued command %zu: %s", i, text);
      complain(s, whole);
    }
    free(whole);
    free(text);
  }
}

static void follow(struct conversation *c, const struct line *l, const struct resp *reply)
{
  if (is(l, 0, "MULTI") && reply->type != RESP_ERROR) {
    c->in_multi = 1;
    c->queued = c->unserved = 0;
  } else if (is(l, 0, "EXEC") || is(l, 0, "DISCARD")) {
    c->in_multi = c->watches = 0;
  } else if (is(l, 0, "WATCH") && reply->type != RESP_ERROR) {
    c->watches = 1;
  } else if (is(l, 0, "UNWATCH") && !c->in_multi) {
    c->watches = 0;
  } else if (c->in_multi && resp_is_text(reply, "QUEUED") && c->queued < MAX_QUEUED) {
    c->mode[c->queued++] = compare_mode_of(l->argc, l->argv, l->len);
    c->unserved |= !run_is_served(l->argc, l->argv, l->len);
  }
}

static void compare_step(const struct step *s, struct conversation *c, const struct resp *got)
{
  struct run *run = s->run;
  struct resp *referred = run->reference ? ask(run->reference, s) : NULL;
  struct resp *expected = ask(run->oracle, s);
  int in_multi = c->in_multi;
  run->commands++;
  if (is(s->line, 0, "EXEC"))
    compare_exec(s, c, expected, got);
  else {
    char *text =
        compare(expected, got, compare_mode_of(s->line->argc, s->line->argv, s->line->len));
    if (text)
      complain(s, text);
    else
      check_outcome(s, in_multi, expected, referred);
    free(text);
  }
  follow(c, s->line, expected);
  resp_free(expected);
  resp_free(referred);
}

/* The contract says no: the server must not hear of it either. */
static void refuse_step(const struct step *s, struct conversation *c, const struct resp *got)
{
  struct run *run = s->run;
  char text[96];
  if (!not_served(run->target->outcome) && got->type == RESP_ERROR) {
    compare_step(s, c, got); /* wrong in itself: then the text has to be Redis's */
    return;
  }
  if (is(s->line, 0, "WATCH") && !not_served(run->target->outcome)) {
    compare_step(s, c, got); /* then its EXEC has to fail */
    return;
  }
  run->refused++;
  c->watches |= is(s->line, 0, "WATCH"); /* what could not be watched guards its EXEC, too */
  if (!not_served(run->target->outcome)) {
    snprintf(text, sizeof text, "not to be served in an outage, but the outcome is %s",
             larder_outcome_name(run->target->outcome));
    complain(s, text);
  }
  if (!c->in_multi)
    return;
  resp_free(ask_word(run->oracle, s->session, "DISCARD"));
  if (run->reference)
    resp_free(ask_word(run->reference, s->session, "DISCARD"));
  c->in_multi = c->watches = 0;
}

static int has_to_fail(const struct step *s, const struct conversation *c)
{
  if (!s->run->outage)
    return 0;
  if (is(s->line, 0, "EXEC"))
    return c->in_multi && (c->unserved || c->watches);
  return !c->in_multi && !run_is_served(s->line->argc, s->line->argv, s->line->len);
}

static void run_step(const struct step *s, struct conversation *c)
{
  struct resp *got = ask(s->run->target, s);
  if (has_to_fail(s, c))
    refuse_step(s, c, got);
  else
    compare_step(s, c, got);
  resp_free(got);
}

/* --- before and after ------------------------------------------------------------ */

/* Makes every word of the sequence a key that is known not to exist. */
static void delete_words(struct run *run, const struct sequence *sequence, struct line *l)
{
  for (const char *const *line = sequence->line; *line; line++) {
    line_parse(l, strncmp(*line, "2> ", 3) == 0 ? *line + 3 : *line);
    if (l->argc < 2)
      continue;
    l->argv[0] = "DEL";
    l->len[0] = 3;
    resp_free(run->target->call(run->target, 0, l->argc, l->argv, l->len));
  }
}

static void delete_words_everywhere(struct run *run, const struct sequence *sequence,
                                    struct line *l)
{
  static const char *const databases[] = {"0", "1", "2", "3", "15"};
  int selects = 0;
  for (const char *const *line = sequence->line; *line; line++)
    selects |= strstr(*line, "SELECT") != NULL;
  for (size_t i = 0; i < (selects ? 5 : 1); i++) {
    const char *select[] = {"SELECT", databases[i]};
    resp_free(run->target->call(run->target, 0, 2, select, NULL));
    delete_words(run, sequence, l);
  }
}

static void prepare(struct run *run, const struct sequence *sequence, struct line *l)
{
  struct target *all[] = {run->oracle, run->reference, run->target};
  for (int i = 0; i < 3; i++) {
    if (!all[i])
      continue;
    all[i]->fresh(all[i]);
    if (all[i] == run->target && run->outage)
      delete_words_everywhere(run, sequence, l);
    else
      resp_free(ask_word(all[i], 0, "FLUSHALL"));
    all[i]->fresh(all[i]);
  }
}

static void probe(struct step *s, struct line *l, struct conversation *c, const char *pattern,
                  const char *key, size_t len)
{
  char *name = line_print(1, &key, &len);
  size_t size = strlen(name) + 64;
  char *text = malloc(size);
  if (text) {
    line_fill(text, size, pattern, name);
    line_parse(l, text);
    s->line = l;
    run_step(s, c);
  }
  free(text);
  free(name);
}

static void probe_key(struct step *s, struct line *l, const char *key, size_t len)
{
  static const char *const reads[] = {"GET %s", "LRANGE %s 0 -1", "SMEMBERS %s",
                                      "ZRANGE %s 0 -1 WITHSCORES", "HGETALL %s"};
  static const char *const types[] = {"string", "list", "set", "zset", "hash"};
  struct conversation c = {0};
  const char *type[] = {"TYPE", key};
  size_t lens[] = {4, len};
  struct resp *r = s->run->oracle->call(s->run->oracle, 0, 2, type, lens);
  probe(s, l, &c, "TYPE %s", key, len);
  probe(s, l, &c, "PTTL %s", key, len);
  for (int i = 0; i < 5; i++)
    if (resp_is_text(r, types[i]))
      probe(s, l, &c, reads[i], key, len);
  resp_free(r);
}

/* Every key that the server has in the end, and the names that it may have lost. */
static void compare_keys(struct run *run, const struct sequence *sequence, struct line *l)
{
  struct step s = {.run = run, .sequence = sequence};
  struct conversation c = {0};
  const char *keys[] = {"KEYS", "*"};
  run->oracle->fresh(run->oracle);
  run->target->fresh(run->target);
  if (run->reference)
    run->reference->fresh(run->reference);
  struct resp *r = run->oracle->call(run->oracle, 0, 2, keys, NULL);
  for (size_t i = 0; i < r->len; i++)
    probe_key(&s, l, r->element[i].str, r->element[i].len);
  if (!run->outage) {
    line_parse(l, "KEYS *");
    s.line = l;
    run_step(&s, &c);
  }
  resp_free(r);
}

void run_sequence(struct run *run, const struct sequence *sequence)
{
  struct conversation conversation[TARGET_SESSIONS] = {0};
  struct step s = {.run = run, .sequence = sequence};
  struct line *l = malloc(sizeof *l);
  if (!l)
    return;
  run->sequences++;
  prepare(run, sequence, l);
  for (const char *const *line = sequence->line; *line; line++) {
    int second = strncmp(*line, "2> ", 3) == 0;
    line_parse(l, second ? *line + 3 : *line);
    if (strcmp(l->argv[0], ".wait") == 0) {
      struct timespec t = {0, atol(l->argv[1]) * 1000000};
      nanosleep(&t, NULL);
      continue;
    }
    s.line = l;
    s.session = second;
    run_step(&s, &conversation[second]);
  }
  compare_keys(run, sequence, l);
  free(l);
}
