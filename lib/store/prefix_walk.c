/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/prefix.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/number.h"

/* How many keys one step may visit. */
#define STEP_KEYS "1000"

/* Walk.step.  ONCE: a single command whose reply is changed. */
enum { ONCE, TRY, SCAN, UNLINK, DATABASES, ENDED };

static int is_flush(const struct lrd_walk *w)
{
  return w->rule == LRD_PREFIX_FLUSH || w->rule == LRD_PREFIX_FLUSH_ALL;
}

static const char *name_of(const struct lrd_walk *w)
{
  return w->rule == LRD_PREFIX_FLUSH_ALL ? "FLUSHALL" : "FLUSHDB";
}

/* --- ends ---------------------------------------------------------------- */

static void finish(struct lrd_walk *w, larder_value value)
{
  w->value = value;
  w->step = ENDED;
}

static void finish_status(struct lrd_walk *w, const char *word)
{
  finish(w, (larder_value){.type = LARDER_STATUS, .str = word, .len = strlen(word)});
}

__attribute__((format(printf, 3, 4))) static void fail(struct lrd_walk *w, larder_outcome outcome,
                                                       const char *format, ...)
{
  va_list ap;
  va_start(ap, format);
  vsnprintf(w->text, sizeof w->text, format, ap);
  va_end(ap);
  w->verdict.outcome = outcome;
  w->verdict.age_ms = -1;
  finish(w, (larder_value){.type = LARDER_ERROR, .str = w->text, .len = strlen(w->text)});
}

static void fail_memory(struct lrd_walk *w)
{
  fail(w, LARDER_NO_MEMORY, "ERR out of memory");
}

/* A step failed.  A read that got no answer has changed nothing; what is deleted stays so. */
static void fail_step(struct lrd_walk *w, larder_verdict verdict, const char *text)
{
  w->verdict.cause = verdict.cause;
  if (!is_flush(w))
    fail(w, verdict.outcome, "%.500s", text);
  else if (w->keys || verdict.outcome == LARDER_UNKNOWN)
    fail(w, LARDER_UNKNOWN,
         "UNKNOWN %s came to an end after %llu keys of the prefix were deleted: %.300s",
         name_of(w), (unsigned long long)w->keys, text);
  else if (verdict.outcome == LARDER_UNKNOWN_LOCALLY || verdict.outcome == LARDER_NO_ANSWER ||
           verdict.outcome == LARDER_NOT_SENT)
    fail(w, LARDER_NOT_SENT, "NOTSENT %s deleted nothing: %.300s", name_of(w), text);
  else
    fail(w, verdict.outcome, "%.500s", text);
}

static void fail_reply(struct lrd_walk *w)
{
  const larder_verdict verdict = {.outcome = LARDER_NO_ANSWER, .cause = LARDER_CAUSE_PROTOCOL};
  fail_step(w, verdict, "UNAVAILABLE a reply of the backend made no sense");
}

/* --- beginning ----------------------------------------------------------- */

static void begin_once(struct lrd_walk *w, const larder_vector *v)
{
  w->step = ONCE;
  if (lrd_prefix_rewrite(w->prefix, v, &w->room, &w->vector[0]) != 0)
    fail_memory(w);
}

static int is_flush_syntax(const larder_vector *v)
{
  return v->argc == 1 || (v->argc == 2 && (lrd_is_word(&v->argv[1], "SYNC") ||
                                           lrd_is_word(&v->argv[1], "ASYNC")));
}

void lrd_walk_init(struct lrd_walk *w, struct lrd_prefix *p, const larder_call *call,
                   const larder_vector *v)
{
  char text[LARDER_ERROR_SIZE];
  w->prefix = p;
  w->rule = lrd_prefix_rule_of(p, v);
  w->call = *call;
  w->step = SCAN;
  w->vector[0] = *v;
  w->databases = 0;
  w->keys = 0;
  w->origin = -1;
  w->cancelled = 0;
  w->verdict = (larder_verdict){.outcome = LARDER_OK, .age_ms = -1};
  memcpy(w->cursor, "0", sizeof "0");
  lrd_room_init(&w->room, &p->base.memory);
  lrd_arena_init(&w->page, &p->base.memory);
  lrd_arena_init(&w->arena, &p->base.memory);
  if (w->rule == LRD_PREFIX_REFUSE) {
    fail(w, LARDER_UNSUPPORTED, "%s",
         lrd_prefix_refusal(v, ": where its keys are is not known", text, sizeof text));
  } else if (is_flush(w) && !is_flush_syntax(v)) {
    w->verdict.cause = LARDER_CAUSE_CALLER;
    fail(w, LARDER_REFUSED, "ERR syntax error");
  } else if (w->rule == LRD_PREFIX_RANDOM) {
    w->step = TRY;
    w->vector[0] = (larder_vector){.command = v->command, .argc = 1, .argv = w->argv};
  } else if (!is_flush(w) && w->rule != LRD_PREFIX_COUNT) {
    begin_once(w, v);
  }
}

/* --- asking -------------------------------------------------------------- */

static void ask(struct lrd_walk *w, unsigned command, int argc)
{
  w->vector[0] = (larder_vector){.command = command, .argc = argc, .argv = w->argv};
}

static size_t ask_random(struct lrd_walk *w)
{
  w->argv[0] = (larder_bytes){"RANDOMKEY", 9};
  for (size_t i = 1; i < LRD_WALK_TRIES; i++)
    w->vector[i] = w->vector[0];
  return LRD_WALK_TRIES;
}

static void ask_scan(struct lrd_walk *w)
{
  w->argv[0] = (larder_bytes){"SCAN", 4};
  w->argv[1] = (larder_bytes){w->cursor, strlen(w->cursor)};
  w->argv[2] = (larder_bytes){"MATCH", 5};
  w->argv[3] = w->prefix->all;
  w->argv[4] = (larder_bytes){"COUNT", 5};
  w->argv[5] = (larder_bytes){STEP_KEYS, sizeof STEP_KEYS - 1};
  ask(w, LRD_SCAN, 6);
}

static void ask_databases(struct lrd_walk *w)
{
  w->argv[0] = (larder_bytes){"INFO", 4};
  w->argv[1] = (larder_bytes){"keyspace", 8};
  ask(w, LRD_INFO, 2);
}

/* The page of names that SCAN gave stays; other replies are not kept. */
static int make_tree(struct lrd_walk *w, size_t replies)
{
  struct lrd_arena *arena = &w->arena;
  if (w->step == SCAN || w->step == DATABASES || w->step == TRY) {
    lrd_arena_free(&w->page);
    lrd_arena_init(&w->page, &w->prefix->base.memory);
    arena = &w->page;
  } else if (w->step == UNLINK) {
    lrd_arena_free(&w->arena);
    lrd_arena_init(&w->arena, &w->prefix->base.memory);
  }
  return lrd_tree_init(&w->tree, arena, replies);
}

static int is_over(struct lrd_walk *w)
{
  lrd_lock(&w->prefix->lock);
  int cancelled = w->cancelled;
  lrd_unlock(&w->prefix->lock);
  return cancelled || atomic_load(&w->prefix->closing);
}

int lrd_walk_next(struct lrd_walk *w, larder_call *call)
{
  const larder_verdict over = {.outcome = LARDER_NOT_SENT};
  size_t count = 1;
  if (w->step != ENDED && is_over(w))
    fail_step(w, over, "NOTSENT the call was cancelled");
  if (w->step == ENDED)
    return 0;
  if (w->step == TRY)
    count = ask_random(w);
  else if (w->step == SCAN)
    ask_scan(w);
  else if (w->step == DATABASES)
    ask_databases(w);
  if (make_tree(w, count) != 0) {
    const larder_verdict none = {.outcome = LARDER_NO_MEMORY};
    fail_step(w, none, "ERR out of memory");
    return 0;
  }
  *call = w->call;
  call->vector = w->vector;
  call->count = count;
  return 1;
}

/* --- reading ------------------------------------------------------------- */

static int has_prefix(const struct lrd_walk *w, const larder_value *v)
{
  const larder_bytes *text = &w->prefix->text;
  return v->type == LARDER_STRING && v->len >= text->len &&
         memcmp(v->str, text->data, text->len) == 0;
}

static void take_random(struct lrd_walk *w)
{
  for (size_t i = 0; i < w->tree.replies; i++) {
    larder_value name = w->tree.reply[i].value;
    if (name.type == LARDER_NIL) {
      finish(w, name);
      return;
    }
    if (!has_prefix(w, &name))
      continue;
    name.str += w->prefix->text.len;
    name.len -= w->prefix->text.len;
    finish(w, name);
    return;
  }
  w->step = SCAN;
}

/* A flush goes on in the next database that has keys. */
static void next_database(struct lrd_walk *w)
{
  for (int i = 0; i < LRD_DATABASES; i++) {
    if (!(w->databases & 1u << i))
      continue;
    w->databases &= ~(1u << i);
    w->call.database = i;
    w->step = SCAN;
    return;
  }
  finish_status(w, "OK");
}

static void end_scan(struct lrd_walk *w)
{
  if (w->rule == LRD_PREFIX_COUNT)
    finish(w, (larder_value){.type = LARDER_INTEGER, .integer = (int64_t)w->keys});
  else if (w->rule == LRD_PREFIX_RANDOM)
    finish(w, (larder_value){.type = LARDER_NIL});
  else if (w->rule == LRD_PREFIX_FLUSH_ALL && !(w->databases & 1u << LRD_DATABASES))
    w->step = DATABASES;
  else
    next_database(w);
}

static void after_page(struct lrd_walk *w)
{
  if (strcmp(w->cursor, "0") == 0)
    end_scan(w);
  else
    w->step = SCAN;
}

static void begin_unlink(struct lrd_walk *w, const larder_value *names)
{
  larder_bytes *argv = lrd_arena_allocate(&w->page, (names->len + 1) * sizeof *argv);
  if (!argv) {
    const larder_verdict none = {.outcome = LARDER_NO_MEMORY};
    fail_step(w, none, "ERR out of memory");
    return;
  }
  argv[0] = (larder_bytes){"UNLINK", 6};
  for (size_t i = 0; i < names->len; i++)
    argv[i + 1] = (larder_bytes){names->element[i].str, names->element[i].len};
  w->vector[0] =
      (larder_vector){.command = LRD_UNLINK, .argc = (int)names->len + 1, .argv = argv};
  w->step = UNLINK;
}

/* Only what is ours is ever counted or deleted, whatever was replied. */
static int is_page(const struct lrd_walk *w, const larder_value *v)
{
  if (v->type != LARDER_ARRAY || v->len != 2 || v->element[0].type != LARDER_STRING ||
      v->element[0].len >= sizeof w->cursor || v->element[1].type != LARDER_ARRAY ||
      v->element[1].len > 1 << 20)
    return 0;
  for (size_t i = 0; i < v->element[1].len; i++)
    if (!has_prefix(w, &v->element[1].element[i]))
      return 0;
  return 1;
}

static void take_scan(struct lrd_walk *w, const larder_value *v)
{
  if (!is_page(w, v)) {
    fail_reply(w);
    return;
  }
  const larder_value *names = &v->element[1];
  memcpy(w->cursor, v->element[0].str, v->element[0].len);
  w->cursor[v->element[0].len] = '\0';
  if (w->rule == LRD_PREFIX_RANDOM && names->len) {
    larder_value name = names->element[0];
    name.str += w->prefix->text.len;
    name.len -= w->prefix->text.len;
    finish(w, name);
    return;
  }
  if (is_flush(w) && names->len) {
    begin_unlink(w, names);
    return;
  }
  w->keys += names->len;
  after_page(w);
}

static void take_unlink(struct lrd_walk *w, const larder_value *v)
{
  if (v->type != LARDER_INTEGER) {
    fail_reply(w);
    return;
  }
  w->keys += (uint64_t)v->integer;
  after_page(w);
}

/* INFO's lines "db3:keys=...".  What the local engine says of its own databases while
 * Redis is away says nothing of Redis's. */
static void take_databases(struct lrd_walk *w, const larder_value *v)
{
  if ((v->type != LARDER_VERBATIM && v->type != LARDER_STRING) ||
      (int)w->verdict.origin != w->origin) {
    fail_reply(w);
    return;
  }
  int first = w->call.database;
  for (const char *line = v->str; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    const char *colon = strncmp(line, "db", 2) == 0 ? strchr(line, ':') : NULL;
    int64_t n;
    if (colon && lrd_parse_integer(line + 2, (size_t)(colon - line - 2), &n) && n >= 0 &&
        n < LRD_DATABASES && n != first)
      w->databases |= 1u << n;
  }
  w->databases |= 1u << LRD_DATABASES; /* known now */
  next_database(w);
}

void lrd_walk_take(struct lrd_walk *w)
{
  struct lrd_tree_reply *reply = w->tree.replies ? &w->tree.reply[0] : NULL;
  if (!reply) {
    fail_reply(w);
    return;
  }
  w->verdict.origin = reply->verdict.origin;
  w->verdict.flags |= reply->verdict.flags;
  w->verdict.age_ms = reply->verdict.age_ms;
  if (w->origin < 0)
    w->origin = (int)w->verdict.origin;
  if (w->step == ONCE) {
    w->verdict = reply->verdict;
    lrd_prefix_reply(w->prefix, w->rule, &reply->value);
    finish(w, reply->value);
  } else if (reply->verdict.outcome != LARDER_OK || reply->value.type == LARDER_ERROR) {
    fail_step(w, reply->verdict,
              reply->value.type == LARDER_ERROR ? reply->value.str : "UNAVAILABLE no reply");
  } else if (w->step == TRY) {
    take_random(w);
  } else if (w->step == SCAN) {
    take_scan(w, &reply->value);
  } else if (w->step == UNLINK) {
    take_unlink(w, &reply->value);
  } else {
    take_databases(w, &reply->value);
  }
}

/* --- ending -------------------------------------------------------------- */

void lrd_walk_free(struct lrd_walk *w)
{
  lrd_room_free(&w->room);
  lrd_arena_free(&w->page);
  lrd_arena_free(&w->arena);
}

void lrd_walk_end(struct lrd_walk *w, larder_sink *sink)
{
  lrd_sink_value(sink, &w->value);
  if (sink->failed && w->verdict.outcome == LARDER_OK &&
      (lrd_commands[w->vector[0].command].flags & LRD_WRITE)) {
    sink->type->rewind(sink);
    w->verdict.outcome = LARDER_UNKNOWN;
    lrd_sink_error(sink, "UNKNOWN out of memory: the reply is lost");
  }
  lrd_sink_end(sink, &w->verdict);
  lrd_walk_free(w);
}
