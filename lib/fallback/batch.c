/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "fallback/ask.h"
#include "fallback/fallback.h"
#include "fallback/fold.h"
#include "util/hook.h"
#include "util/memory.h"
#include "util/number.h"

/* --- beginning one --------------------------------------------------------------------- */

/* What can be known of its weight before it is built. */
static void weigh(struct lrd_batch *b)
{
  b->writes = 0;
  b->size = 0;
  b->whole = 0;
  for (const struct lrd_record *r = b->records; r; r = r->next) {
    b->writes += r->writes;
    b->size += r->bytes;
    b->whole |= r->whole && !r->drop;
  }
}

void lrd_batch_begin(struct lrd_fallback *f, struct lrd_batch *b, struct lrd_record *records,
                     int database)
{
  memset(b, 0, sizeof *b);
  b->records = records;
  b->database = database;
  b->number = ++f->batch_number;
  weigh(b);
}

static struct lrd_record *last_of_group(struct lrd_record *first)
{
  struct lrd_record *r = first;

  for (const struct lrd_record *ring = first->ring; ring != first; ring = ring->ring)
    r = r->next;
  return r;
}

int lrd_batch_split(struct lrd_fallback *f, struct lrd_batch *b)
{
  size_t groups = 0;
  struct lrd_record *last, *end;

  for (last = b->records; last; last = last_of_group(last)->next)
    groups++;
  if (groups < 2)
    return 0;
  last = last_of_group(b->records);
  for (size_t i = 1; i < groups / 2; i++)
    last = last_of_group(last->next);
  for (end = last->next; end->next; end = end->next)
    ;
  end->next = f->rest;
  f->rest = last->next;
  last->next = NULL;
  if (b->built)
    lrd_arena_free(&b->arena);
  b->built = 0;
  b->commands = b->forget = NULL;
  weigh(b);
  return 1;
}

/* --- building it ----------------------------------------------------------------------- */

/* PEXPIREAT of the engine's own clock becomes one of the server's. */
static int emit_rebuilt(struct lrd_fallback *f, struct lrd_batch *b, const struct lrd_record *r,
                        const larder_value *argv_value, int64_t offset_ms,
                        struct lrd_emitted ***tail)
{
  size_t argc = argv_value->len;
  larder_bytes *argv = lrd_allocate(&f->base.memory, argc * sizeof *argv);
  char text[LRD_NUMBER_SIZE];
  int64_t at;
  int failed;

  if (!argv)
    return -1;
  for (size_t i = 0; i < argc; i++)
    argv[i] = (larder_bytes){ argv_value->element[i].str, argv_value->element[i].len };
  if (argc == 3 && lrd_is_word(&argv[0], "PEXPIREAT") &&
      lrd_parse_integer(argv[2].data, argv[2].len, &at))
    argv[2] = (larder_bytes){ text, lrd_print_integer(text, at + offset_ms) };
  failed = lrd_emit(&b->arena, r, (int)argc, argv, tail);
  lrd_release(&f->base.memory, argv, argc * sizeof *argv);
  return failed;
}

static int emit_whole(struct lrd_fallback *f, struct lrd_batch *b, const struct lrd_record *r,
                      int64_t offset_ms, struct lrd_emitted ***tail)
{
  larder_bytes argv[2] = { lrd_ask_word("LARDER.REBUILD"), { r->key, r->key_len } };
  larder_vector v = { .command = LRD_LARDER_REBUILD, .argc = 2, .argv = argv };
  larder_call call = { .vector = &v, .count = 1, .database = r->database,
                       .deadline = INT64_MAX };
  struct lrd_ask a;
  const struct lrd_tree_reply *reply;
  int failed = lrd_ask(f, &a, f->memory, &call);

  reply = failed ? NULL : &a.tree.reply[0];
  if (reply && (reply->verdict.outcome != LARDER_OK || reply->value.type != LARDER_ARRAY))
    failed = -1;
  for (size_t i = 0; !failed && i < reply->value.len; i++)
    failed = emit_rebuilt(f, b, r, &reply->value.element[i], offset_ms, tail);
  lrd_ask_end(&a);
  return failed;
}

static int emit_drop(struct lrd_batch *b, const struct lrd_record *r, struct lrd_emitted ***tail)
{
  larder_bytes argv[2] = { lrd_ask_word("DEL"), { r->key, r->key_len } };

  return lrd_emit(&b->arena, r, 2, argv, tail);
}

/* A group may span databases, where a transaction did. */
static int emit_select(struct lrd_batch *b, int database, struct lrd_emitted ***tail)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[2] = { lrd_ask_word("SELECT"),
                           { number, lrd_print_integer(number, database) } };

  return lrd_emit(&b->arena, NULL, 2, argv, tail);
}

/* What will be told to the engine when the batch is through, an argument vector a database. */
static int prepare_return(struct lrd_batch *b, int database, struct lrd_emitted ***tail)
{
  size_t keys = 0;
  larder_bytes *argv;
  struct lrd_emitted *e;

  for (const struct lrd_record *r = b->records; r; r = r->next)
    keys += r->database == database;
  if (!keys)
    return 0;
  argv = lrd_arena_allocate(&b->arena, (keys + 1) * sizeof *argv);
  e = lrd_arena_allocate(&b->arena, sizeof *e);
  if (!argv || !e)
    return -1;
  *e = (struct lrd_emitted){ .database = database };
  e->vector = (larder_vector){ .command = LRD_LARDER_FORGET, .argc = 1, .argv = argv };
  argv[0] = lrd_ask_word("LARDER.FORGET");
  for (const struct lrd_record *r = b->records; r; r = r->next) {
    larder_bytes *key = &argv[e->vector.argc];

    if (r->database != database)
      continue;
    *key = (larder_bytes){ lrd_arena_copy(&b->arena, r->key, r->key_len), r->key_len };
    if (!key->data)
      return -1;
    e->vector.argc++;
  }
  **tail = e;
  *tail = &e->next;
  return 0;
}

int lrd_batch_build(struct lrd_fallback *f, struct lrd_batch *b)
{
  larder_backend_status status = { .state = -1, .journal_oldest_ms = -1 };
  struct lrd_emitted **tail = &b->commands, **forget = &b->forget;
  int failed = 0, database = b->database;
  int64_t offset;

  f->remote->table->status(f->remote, &status);
  offset = status.clock_offset_us / 1000;
  lrd_arena_init(&b->arena, &f->base.memory);
  b->commands = b->forget = NULL;
  b->count = 0;
  b->writes = 0;
  for (const struct lrd_record *r = b->records; r && !failed; r = r->next) {
    if (r->database != database)
      failed = emit_select(b, database = r->database, &tail);
    if (failed)
      break;
    if (r->drop)
      failed = emit_drop(b, r, &tail);
    else if (r->whole)
      failed = emit_whole(f, b, r, offset, &tail);
    else
      failed = lrd_fold_emit(&b->arena, r, offset, &tail);
    b->writes += r->writes;
  }
  for (int d = 0; d < LRD_DATABASES && !failed; d++)
    failed = prepare_return(b, d, &forget);
  b->size = 0;
  for (const struct lrd_emitted *e = b->commands; e; e = e->next) {
    b->count++;
    for (int i = 0; i < e->vector.argc; i++)
      b->size += e->vector.argv[i].len + 16;
  }
  b->built = !failed;
  if (failed)
    lrd_arena_free(&b->arena);
  return failed;
}

/* --- ending it ------------------------------------------------------------------------- */

/* The keys are Redis's again: nothing here can fail, or the engine would go on to
 * believe what it knew of them. */
static void return_keys(struct lrd_fallback *f, struct lrd_batch *b)
{
  /* Forgotten first: a key that is not pending may be written at Redis at once, and
   * if Redis is lost right then, the engine must not believe in an older value. */
  for (const struct lrd_emitted *e = b->built ? b->forget : NULL; e; e = e->next) {
    larder_call call = { .vector = &e->vector, .count = 1, .database = e->database,
                         .deadline = INT64_MAX };
    struct lrd_count count;

    lrd_count_init(&count);
    f->memory->table->execute(f->memory, &call, &count.sink);
  }
  b->writes = lrd_journal_drop(&f->journal, b->records);
  b->records = NULL;
}

void lrd_batch_end(struct lrd_fallback *f, struct lrd_batch *b)
{
  if (b->records)
    return_keys(f, b);
  if (b->built)
    lrd_arena_free(&b->arena);
  b->built = b->sent = 0;
  b->commands = NULL;
}

void lrd_fallback_batch_free(struct lrd_fallback *f)
{
  if (f->rest)
    lrd_journal_drop(&f->journal, f->rest);
  f->rest = NULL;
  if (f->batch.built)
    lrd_arena_free(&f->batch.arena);
  if (f->batch.records)
    lrd_journal_drop(&f->journal, f->batch.records);
  memset(&f->batch, 0, sizeof f->batch);
}

/* One command of an applied batch that Redis refused for its own reasons. */
void lrd_batch_letter(struct lrd_fallback *f, const struct lrd_emitted *e,
                        const larder_value *error)
{
  const larder_bytes *argv = e->vector.argv;
  char key[80], text[160];
  const char *fields[] = { "key", key, "error", text, NULL };

  snprintf(key, sizeof key, "%.*s", argv[1].len > 64 ? 64 : (int)argv[1].len, argv[1].data);
  snprintf(text, sizeof text, "%.*s", error->len > 150 ? 150 : (int)error->len, error->str);
  atomic_fetch_add(&f->dead_letters, 1);
  atomic_fetch_add(&f->dropped, 1);
  lrd_event(f->base.hook, LARDER_FAULT, "dead-letter", fields,
            "Redis refused a replayed %.*s", (int)argv[0].len, argv[0].data);
}
