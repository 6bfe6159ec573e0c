/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command/argv.h"
#include "command/sink.h"
#include "memory/check.h"
#include "proof/script.h"
#include "store/store.h"
#include "support/check.h"
#include "util/memory.h"

/* --- opening and closing -------------------------------------------------------- */

static int64_t monotonic(void *context)
{
  (void)context;
  return INT64_C(1000000000000);
}

static int64_t wall(void *context)
{
  (void)context;
  return INT64_C(1700000000000000);
}

static long engine_bytes(struct stage *s)
{
  larder_status status = { .size = sizeof status };

  ck_assert_int_eq(larder_get_status(s->store, &status), LARDER_OK);
  return (long)status.memory;
}

static void make_key(struct stage *s, const char *key)
{
  const char *line[2];
  size_t lines = script_world(key, line);

  for (size_t i = 0; i < lines; i++) {
    struct scene *scene = calloc(1, sizeof *scene);

    if (scene_read(scene, line[i]))
      stage_say(s, &scene->command[0]);
    scene_free(scene);
    free(scene);
  }
}

static int was_named(const struct scene *scene, size_t command, int word)
{
  const char *name = scene->command[command].argv[word];

  for (size_t c = 0; c <= command; c++)
    for (int i = 0; i < scene->command[c].argc && (c < command || i < word); i++)
      if (!strcmp(scene->command[c].argv[i], name))
        return 1;
  return 0;
}

static void prepared(void *context, larder_reply *r)
{
  larder_reply_free(r);
  atomic_store((atomic_int *)context, 1);
}

/* The first asynchronous call starts what they all use. */
static void prepare_async(struct stage *s)
{
  atomic_int done = 0;

  ck_assert_int_eq(larder_async_command(s->store, prepared, &done, "PING"), LARDER_OK);
  while (!atomic_load(&done))
    nanosleep(&(struct timespec){ 0, 20000 }, NULL);
}

void stage_open(struct stage *s, const struct scene *scene)
{
  larder_options options = LARDER_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];

  heap_init(&s->heap);
  s->clock = (larder_clock){ monotonic, wall, NULL };
  options.memory = &s->heap.memory;
  options.clock = &s->clock;
  options.background = LARDER_NO;
  options.shards = 2;
  s->store = larder_open("memory:", &options, error, sizeof error);
  ck_assert_msg(s->store != NULL, "%s", error);
  if (scene->kind == CALL_ASYNC)
    prepare_async(s);
  larder_reply_free(larder_command(s->store, "PING")); /* the thread's kept reply: store/reply.h */
  s->own = s->heap.bytes - engine_bytes(s);
  for (size_t c = 0; c < scene->count; c++)
    for (int i = 0; i < scene->command[c].argc; i++)
      if (!was_named(scene, c, i))
        make_key(s, scene->command[c].argv[i]);
}

const char *stage_check(struct stage *s)
{
  const char *wrong = lrd_engine_check((struct lrd_engine *)s->store->base);

  if (wrong)
    return wrong;
  return s->heap.bytes - engine_bytes(s) == s->own ? NULL : "the accounting is not exact";
}

void stage_close(struct stage *s)
{
  larder_close(s->store, 0);
  ck_assert_int_eq(s->heap.blocks, 0);
  ck_assert_int_eq(s->heap.bytes, 0);
}

/* --- playing ---------------------------------------------------------------------- */

static void note(struct played *p, larder_outcome outcome, const larder_value *v)
{
  if (p->count < STAGE_COMMANDS)
    p->outcome[p->count] = outcome;
  p->count++;
  if (v && v->type == LARDER_ERROR)
    snprintf(p->text, sizeof p->text, "%s", v->str);
}

static void take(struct played *p, larder_reply *r)
{
  note(p, r->outcome, &r->value);
  larder_reply_free(r);
}

void stage_say(struct stage *s, const struct words *w)
{
  larder_reply_free(larder_argv(s->store, w->argc, w->argv, w->len));
}

struct completion {
  struct played *played;
  atomic_int done;
};

static void completed(void *context, larder_reply *r)
{
  struct completion *c = context;

  take(c->played, r);
  atomic_store(&c->done, 1);
}

static void play_async(struct stage *s, const struct words *w, struct played *p)
{
  struct completion c = { .played = p };
  larder_outcome outcome =
    larder_async_argv(s->store, w->argc, w->argv, w->len, 0, completed, &c, NULL);

  if (outcome != LARDER_OK) {
    note(p, outcome, NULL);
    return;
  }
  while (!atomic_load(&c.done))
    nanosleep(&(struct timespec){ 0, 20000 }, NULL);
}

static void play_batch(struct stage *s, const struct scene *scene, struct played *p)
{
  larder_batch *b = larder_batch_new(s->store);
  larder_outcome added = b ? LARDER_OK : LARDER_NO_MEMORY, ran;

  for (size_t i = 0; i < scene->count && added == LARDER_OK; i++) {
    const struct words *w = &scene->command[i];

    added = larder_batch_argv(b, w->argc, w->argv, w->len);
  }
  ran = added == LARDER_OK ? larder_batch_run(b, scene->kind == CALL_ATOMIC, 0) : added;
  for (size_t i = 0; i < scene->count; i++) {
    const larder_reply *r = larder_batch_reply(b, i);

    note(p, r ? r->outcome : ran, r ? &r->value : NULL);
  }
  larder_batch_free(b);
}

/* Who is told NO_MEMORY goes no further, unless a transaction is open. */
static void play_session(struct stage *s, const struct scene *scene, struct played *p)
{
  larder_session *session = larder_session_open(s->store);
  int open = 0;

  for (size_t i = 0; i < scene->count; i++) {
    const struct words *w = &scene->command[i];
    int give_up = i && p->outcome[i - 1] == LARDER_NO_MEMORY && !open;

    if (session && !give_up)
      take(p, larder_session_argv(session, w->argc, w->argv, w->len));
    else
      note(p, LARDER_NO_MEMORY, NULL);
    open |= !strcmp(w->argv[0], "MULTI") && p->outcome[i] == LARDER_OK;
  }
  larder_session_close(session);
}

void stage_say_some(struct stage *s, const struct scene *scene, size_t first, size_t count)
{
  larder_session *session = larder_session_open(s->store);

  for (size_t i = first; i < first + count; i++) {
    const struct words *w = &scene->command[i];

    larder_reply_free(larder_session_argv(session, w->argc, w->argv, w->len));
  }
  larder_session_close(session);
}

static void play_typed(struct stage *s, const struct scene *scene, struct played *p)
{
  const struct words *w = &scene->command[0];
  char buffer[1000];
  size_t len;

  if (scene->kind == CALL_GET)
    note(p, larder_get(s->store, w->argv[0], w->len[0], buffer, sizeof buffer, &len), NULL);
  else
    note(p,
         larder_set(s->store, w->argv[0], w->len[0], w->argv[1], w->len[1],
                    w->argc > 2 ? atoll(w->argv[2]) : 0),
         NULL);
}

int stage_play(struct stage *s, const struct scene *scene, struct played *p, long fail_at,
               int lasting)
{
  const struct words *w = &scene->command[0];
  long last;

  *p = (struct played){ 0 };
  s->heap.lasting = lasting;
  s->heap.fail_at = fail_at ? s->heap.calls + fail_at : 0;
  switch (scene->kind) {
  case CALL_PLAIN:
    take(p, larder_argv(s->store, w->argc, w->argv, w->len));
    break;
  case CALL_ASYNC:
    play_async(s, w, p);
    break;
  case CALL_BATCH:
  case CALL_ATOMIC:
    play_batch(s, scene, p);
    break;
  case CALL_SESSION:
    play_session(s, scene, p);
    break;
  default:
    play_typed(s, scene, p);
  }
  last = s->heap.fail_at;
  s->heap.fail_at = 0;
  return last && s->heap.calls >= last;
}

/* --- what is stored ------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, because a table's order is nobody's business. */
static void put_sorted(struct lrd_buffer *out, char **item, size_t count)
{
  qsort(item, count, sizeof *item, by_text);
  for (size_t i = 0; i < count; i++) {
    ck_assert_int_eq(lrd_buffer_append(out, item[i], strlen(item[i])), 0);
    ck_assert_int_eq(lrd_buffer_append(out, "\n", 1), 0);
    free(item[i]);
  }
}

/* One command of those that make a key: a line, or one for each member or field. */
static size_t put_command(struct lrd_buffer *out, const larder_value *v, char **item)
{
  int of_set = !strcmp(v->element[0].str, "SADD"), of_hash = !strcmp(v->element[0].str, "HSET");
  size_t step = of_set ? 1 : of_hash ? 2 : v->len, items = 0;

  for (size_t i = of_set || of_hash ? 2 : 0; i < v->len; i += step) {
    size_t room = 40 + v->element[1].len;
    char *text;

    for (size_t k = 0; k < step; k++)
      room += v->element[i + k].len + 1;
    text = calloc(1, room);
    if (of_set || of_hash)
      sprintf(text, "%s %s", v->element[0].str, v->element[1].str);
    for (size_t k = 0; k < step; k++)
      strcat(strcat(text, " "), v->element[i + k].str);
    item[items++] = text;
  }
  (void)out;
  return items;
}

static void dump_key(struct stage *s, int database, larder_bytes key, struct lrd_buffer *out)
{
  enum { ITEMS = 4000 };
  larder_bytes argv[2] = { { "LARDER.REBUILD", 14 }, key };
  larder_vector v = { .command = LRD_LARDER_REBUILD, .argc = 2, .argv = argv };
  struct lrd_arena arena;
  struct lrd_tree tree;
  char **item = calloc(ITEMS, sizeof *item);
  size_t items = 0;

  lrd_arena_init(&arena, &lrd_memory_system);
  ck_assert_int_eq(lrd_tree_init(&tree, &arena, 1), 0);
  s->store->table->execute(s->store->base,
                           &(larder_call){ .vector = &v, .count = 1, .database = database },
                           &tree.sink);
  ck_assert_int_eq(tree.reply[0].value.type, LARDER_ARRAY);
  for (size_t i = 0; i < tree.reply[0].value.len; i++) {
    ck_assert_uint_lt(items + tree.reply[0].value.element[i].len, ITEMS);
    items += put_command(out, &tree.reply[0].value.element[i], item + items);
  }
  put_sorted(out, item, items);
  free(item);
  lrd_arena_free(&arena);
}

static void dump_database(struct stage *s, int database, struct lrd_buffer *out)
{
  larder_session *session = larder_session_open(s->store);
  larder_reply *keys;
  char **name;

  larder_reply_free(larder_session_command(session, "SELECT %d", database));
  keys = larder_session_command(session, "KEYS *");
  name = calloc(keys->value.len + 1, sizeof *name);
  for (size_t i = 0; i < keys->value.len; i++)
    name[i] = (char *)(uintptr_t)keys->value.element[i].str;
  qsort(name, keys->value.len, sizeof *name, by_text);
  for (size_t i = 0; i < keys->value.len; i++) {
    char head[32];

    snprintf(head, sizeof head, "-- %d --\n", database);
    ck_assert_int_eq(lrd_buffer_append(out, head, strlen(head)), 0);
    dump_key(s, database, (larder_bytes){ name[i], strlen(name[i]) }, out);
  }
  free(name);
  larder_reply_free(keys);
  larder_session_close(session);
}

void stage_dump(struct stage *s, struct lrd_buffer *out)
{
  lrd_buffer_init(out, &lrd_memory_system, 0);
  for (int database = 0; database < 2; database++)
    dump_database(s, database, out);
  ck_assert_int_eq(lrd_buffer_append(out, "", 1), 0);
}
