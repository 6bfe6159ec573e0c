/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "fallback/fallback.h"
#include "fallback/fold.h"
#include "util/hook.h"
#include "util/memory.h"
#include "util/number.h"

enum { RECORDS_MAX = 128, MARKER_TTL_MS = 24 * 60 * 60 * 1000, TRIES = 3 };

/* What a caller may replay within its own deadline; more than that is the keeper's. */
enum { LIGHT_WRITES = 2000, LIGHT_BYTES = 256 * 1024, NS_PER_BYTE = 1000 };

static larder_bytes bytes(const char *s)
{
  return (larder_bytes){ s, strlen(s) };
}

/* --- calls of our own ------------------------------------------------------------ */

/* A call whose replies are kept; everything lives in the arena. */
struct ask {
  struct lrd_arena arena;
  struct lrd_tree tree;
};

/* -1: no memory.  To be ended with ask_end in any case. */
static int ask(struct lrd_fallback *f, struct ask *a, larder_backend *whom,
               const larder_call *call)
{
  size_t replies = call->flags & LARDER_CALL_ATOMIC ? 1 : call->count;

  lrd_arena_init(&a->arena, &f->base.memory);
  if (lrd_tree_init(&a->tree, &a->arena, replies))
    return -1;
  whom->table->execute(whom, call, &a->tree.sink);
  return a->tree.replies == replies ? 0 : -1;
}

static void ask_end(struct ask *a)
{
  lrd_arena_free(&a->arena);
}

static larder_vector vector(int argc, const larder_bytes *argv)
{
  larder_vector v = { .command = lrd_command_find(argv[0].data, argv[0].len), .argc = argc,
                      .argv = argv };

  return v;
}

/* --- building a batch --------------------------------------------------------------- */

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
  larder_bytes argv[2] = { bytes("LARDER.REBUILD"), { r->key, r->key_len } };
  larder_vector v = { .command = LRD_LARDER_REBUILD, .argc = 2, .argv = argv };
  larder_call call = { .vector = &v, .count = 1, .database = r->database,
                       .deadline = INT64_MAX };
  struct ask a;
  const struct lrd_tree_reply *reply;
  int failed = ask(f, &a, f->memory, &call);

  reply = failed ? NULL : &a.tree.reply[0];
  if (reply && (reply->verdict.outcome != LARDER_OK || reply->value.type != LARDER_ARRAY))
    failed = -1;
  for (size_t i = 0; !failed && i < reply->value.len; i++)
    failed = emit_rebuilt(f, b, r, &reply->value.element[i], offset_ms, tail);
  ask_end(&a);
  return failed;
}

static int emit_drop(struct lrd_batch *b, const struct lrd_record *r, struct lrd_emitted ***tail)
{
  larder_bytes argv[2] = { bytes("DEL"), { r->key, r->key_len } };

  return lrd_emit(&b->arena, r, 2, argv, tail);
}

/* A group may span databases, where a transaction did. */
static int emit_select(struct lrd_batch *b, int database, struct lrd_emitted ***tail)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[2] = { bytes("SELECT"), { number, lrd_print_integer(number, database) } };

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
  argv[0] = bytes("LARDER.FORGET");
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

static int build(struct lrd_fallback *f, struct lrd_batch *b)
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

/* --- ending a batch -------------------------------------------------------------------- */

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

static void end_batch(struct lrd_fallback *f, struct lrd_batch *b)
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
  if (f->batch.built)
    lrd_arena_free(&f->batch.arena);
  if (f->batch.records)
    lrd_journal_drop(&f->journal, f->batch.records);
  memset(&f->batch, 0, sizeof f->batch);
}

static void acknowledged(struct lrd_fallback *f, struct lrd_batch *b)
{
  uint64_t writes;

  end_batch(f, b);
  writes = b->writes;
  atomic_fetch_add(&f->replayed, writes);
  atomic_fetch_add(&f->batches, 1);
}

/* The batch can't be replayed, or nobody knows whether it was. */
static void given_up(struct lrd_fallback *f, struct lrd_batch *b, const char *name,
                     const char *why)
{
  char number[LRD_NUMBER_SIZE], writes[LRD_NUMBER_SIZE];
  const char *fields[] = { "batch", number, "writes", writes, NULL };

  lrd_print_integer(number, b->number);
  end_batch(f, b);
  lrd_print_integer(writes, (int64_t)b->writes);
  atomic_fetch_add(&f->dropped, b->writes);
  lrd_event(f->base.hook, LARDER_FAULT, name, fields, "%s", why);
}

/* One command of an applied batch that Redis refused for its own reasons. */
static void dead_letter(struct lrd_fallback *f, const struct lrd_emitted *e,
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

/* --- sending ------------------------------------------------------------------------------ */

static enum lrd_replay failed_verdict(struct lrd_fallback *f, const struct lrd_tree_reply *r)
{
  char text[200] = "";

  if (r->value.type == LARDER_ERROR)
    snprintf(text, sizeof text, "%.*s", (int)(r->value.len > 190 ? 190 : r->value.len),
             r->value.str);
  lrd_fallback_judge(f, &r->verdict, text);
  return lrd_fallback_state(f) == LARDER_STATE_UP ? LRD_REPLAY_PAUSED : LRD_REPLAY_DOWN;
}

/* Watches and reads the marker: *value is what it holds, -1 if it is not there. */
static enum lrd_replay read_marker(struct lrd_fallback *f, struct lrd_batch *b,
                                   struct larder_hold *hold, int64_t deadline, int64_t *value)
{
  larder_bytes watch[2] = { bytes("WATCH"), bytes(f->marker) };
  larder_bytes get[2] = { bytes("GET"), bytes(f->marker) };
  larder_vector v[2] = { vector(2, watch), vector(2, get) };
  larder_call call = { .vector = v, .count = 2, .flags = LARDER_CALL_NOWAIT,
                       .database = b->database, .deadline = deadline, .hold = hold };
  enum lrd_replay result = LRD_REPLAY_DONE;
  struct ask a;

  if (ask(f, &a, f->remote, &call)) {
    result = LRD_REPLAY_PAUSED;
  } else {
    for (int i = 0; i < 2 && result == LRD_REPLAY_DONE; i++)
      if (a.tree.reply[i].verdict.outcome != LARDER_OK)
        result = failed_verdict(f, &a.tree.reply[i]);
    *value = -1;
    if (result == LRD_REPLAY_DONE && a.tree.reply[1].value.type == LARDER_STRING)
      lrd_parse_integer(a.tree.reply[1].value.str, a.tree.reply[1].value.len, value);
  }
  ask_end(&a);
  return result;
}

/* The marker is not there although the batch was sent: did it die alone? */
static int marker_may_have_died(struct lrd_fallback *f, const struct lrd_batch *b)
{
  larder_backend_status status = { .state = -1, .journal_oldest_ms = -1 };

  f->remote->table->status(f->remote, &status);
  return status.volatile_marker ||
         lrd_fallback_now(f) - b->sent_at > (MARKER_TTL_MS - 60000) * LRD_NS_PER_MS;
}

static void bury_errors(struct lrd_fallback *f, const struct lrd_batch *b,
                        const larder_value *replies)
{
  const struct lrd_emitted *e = b->commands;

  for (size_t i = 1; i < replies->len && e; i++, e = e->next)
    if (replies->element[i].type == LARDER_ERROR)
      dead_letter(f, e, &replies->element[i]);
}

/* What EXEC said.  *again: the marker changed under us, look at it once more. */
static enum lrd_replay conclude(struct lrd_fallback *f, struct lrd_batch *b,
                                const struct lrd_tree_reply *r, int *again)
{
  if (r->verdict.outcome == LARDER_OK && r->value.type == LARDER_ARRAY) {
    bury_errors(f, b, &r->value);
    f->marker_databases |= 1u << b->database;
    acknowledged(f, b);
    return LRD_REPLAY_DONE;
  }
  if (r->verdict.outcome == LARDER_OK) {
    *again = 1;
    return LRD_REPLAY_DONE;
  }
  if (r->verdict.outcome == LARDER_REFUSED || r->verdict.outcome == LARDER_NOT_SENT)
    b->sent = 0;
  if (r->verdict.outcome == LARDER_REFUSED && r->verdict.cause == LARDER_CAUSE_CALLER) {
    char why[200];

    snprintf(why, sizeof why, "Redis refuses a batch of journaled writes: %.*s",
             (int)(r->value.len > 140 ? 140 : r->value.len), r->value.str);
    given_up(f, b, "drop", why);
    return LRD_REPLAY_DONE;
  }
  return failed_verdict(f, r);
}

static enum lrd_replay send_batch(struct lrd_fallback *f, struct lrd_batch *b,
                                  struct larder_hold *hold, int64_t deadline, int *again)
{
  char number[LRD_NUMBER_SIZE], ttl[LRD_NUMBER_SIZE];
  larder_bytes set[5] = { bytes("SET"), bytes(f->marker), { number, 0 }, bytes("PX"), { ttl, 0 } };
  size_t n = 1, size = (b->count + 1) * sizeof(larder_vector);
  larder_vector *v = lrd_allocate(&f->base.memory, size);
  larder_call call = { .vector = v, .count = b->count + 1,
                       .flags = LARDER_CALL_ATOMIC | LARDER_CALL_NOWAIT,
                       .database = b->database, .deadline = deadline, .hold = hold };
  enum lrd_replay result = LRD_REPLAY_PAUSED;
  struct ask a;

  if (!v)
    return result;
  set[2].len = lrd_print_integer(number, b->number);
  set[4].len = lrd_print_integer(ttl, MARKER_TTL_MS);
  v[0] = vector(5, set);
  for (const struct lrd_emitted *e = b->commands; e; e = e->next)
    v[n++] = e->vector;
  b->sent = 1;
  b->sent_at = lrd_fallback_now(f);
  if (!ask(f, &a, f->remote, &call))
    result = conclude(f, b, &a.tree.reply[0], again);
  ask_end(&a);
  lrd_release(&f->base.memory, v, size);
  return result;
}

/* Resolves the batch: by what the marker says, or by sending it. */
static enum lrd_replay resolve(struct lrd_fallback *f, struct lrd_batch *b, int64_t deadline)
{
  struct larder_hold *hold = f->remote->table->hold_open(f->remote);
  enum lrd_replay result = LRD_REPLAY_PAUSED;
  int again = hold != NULL;

  for (int i = 0; i < TRIES && again; i++) {
    int64_t value = -1;

    again = 0;
    result = read_marker(f, b, hold, deadline, &value);
    if (result != LRD_REPLAY_DONE)
      break;
    if (value >= b->number) {
      acknowledged(f, b);
    } else if (b->sent && value < 0 && marker_may_have_died(f, b)) {
      atomic_fetch_add(&f->unknown_batches, 1);
      given_up(f, b, "unknown-batch",
               "a batch of journaled writes may have been applied: its marker is gone");
    } else {
      result = send_batch(f, b, hold, deadline, &again);
    }
  }
  if (hold)
    f->remote->table->hold_close(f->remote, hold);
  return again ? LRD_REPLAY_PAUSED : result;
}

/* --- one at a time ---------------------------------------------------------------------------- */

/* 1: we are the one who replays; 0: why not (DONE: something changed, look again). */
static int begin(struct lrd_fallback *f, int64_t deadline, enum lrd_replay *why)
{
  int mine = 0;

  lrd_lock(&f->lock);
  if (f->replaying) {
    *why = lrd_cond_wait(&f->changed, &f->lock, deadline) ? LRD_REPLAY_LATE : LRD_REPLAY_DONE;
  } else if (lrd_fallback_state(f) != LARDER_STATE_UP) {
    *why = LRD_REPLAY_DOWN;
  } else if (f->paused_until > deadline) {
    *why = LRD_REPLAY_PAUSED;
  } else if (f->paused_until > lrd_fallback_now(f)) {
    lrd_cond_wait(&f->changed, &f->lock, f->paused_until);
    *why = LRD_REPLAY_DONE;
  } else {
    f->replaying = mine = 1;
  }
  lrd_unlock(&f->lock);
  return mine;
}

static void finish(struct lrd_fallback *f, enum lrd_replay result)
{
  lrd_lock(&f->lock);
  f->replaying = 0;
  if (result == LRD_REPLAY_PAUSED) {
    f->paused_until = lrd_fallback_now(f) + lrd_breaker_backoff(f->pauses, &f->prng);
    f->pauses++;
  } else if (result == LRD_REPLAY_DONE) {
    f->pauses = 0;
    f->paused_until = 0;
  }
  pthread_cond_broadcast(&f->changed);
  lrd_unlock(&f->lock);
}

static int next_batch(struct lrd_fallback *f, struct lrd_batch *b, int database, larder_bytes key)
{
  struct lrd_record *records = NULL;

  if (database < 0) {
    for (int d = 0; d < LRD_DATABASES && !records; d++) {
      records = lrd_journal_freeze(&f->journal, d, key, RECORDS_MAX);
      database = d;
    }
  } else {
    records = lrd_journal_freeze(&f->journal, database, key, RECORDS_MAX);
  }
  if (!records)
    return 0;
  memset(b, 0, sizeof *b);
  b->records = records;
  b->database = database;
  b->number = ++f->batch_number;
  for (const struct lrd_record *r = records; r; r = r->next)
    b->writes += r->writes;
  return 1;
}

/* How long the batch may take: by its size, else a large one would never get through. */
static int64_t allowance(const struct lrd_fallback *f, const struct lrd_batch *b)
{
  return f->config->connect_timeout + (int64_t)b->size * NS_PER_BYTE;
}

/* Builds and sends; the batch is left to the keeper if it is too large for the deadline. */
static enum lrd_replay push(struct lrd_fallback *f, struct lrd_batch *b, int64_t deadline)
{
  int64_t limit;

  f->heavy = b->writes > LIGHT_WRITES || (b->built && b->size > LIGHT_BYTES);
  if (f->heavy && lrd_fallback_now(f) + allowance(f, b) > deadline)
    return LRD_REPLAY_LATE;
  if (!b->built && build(f, b))
    return LRD_REPLAY_PAUSED;
  f->heavy |= b->size > LIGHT_BYTES;
  limit = lrd_fallback_now(f) + allowance(f, b);
  if (f->heavy && limit > deadline)
    return LRD_REPLAY_LATE;
  return resolve(f, b, limit < deadline ? limit : deadline);
}

/* The keeper has a batch to send that takes longer than we may. */
static enum lrd_replay await_keeper(struct lrd_fallback *f, int64_t deadline)
{
  int late = 0;

  lrd_lock(&f->lock);
  while (f->heavy && !late && !f->stop && lrd_fallback_state(f) == LARDER_STATE_UP &&
         !pthread_equal(pthread_self(), f->keeper))
    late = lrd_cond_wait(&f->changed, &f->lock, deadline);
  late |= f->heavy;
  lrd_unlock(&f->lock);
  return lrd_fallback_state(f) != LARDER_STATE_UP ? LRD_REPLAY_DOWN
         : late                                  ? LRD_REPLAY_LATE
                                                 : LRD_REPLAY_DONE;
}

enum lrd_replay lrd_fallback_replay(struct lrd_fallback *f, int database, larder_bytes key,
                                    int64_t deadline)
{
  struct lrd_batch *b = &f->batch;
  enum lrd_replay result;
  int handed_over;

  if (!begin(f, deadline, &result))
    return result;
  result = LRD_REPLAY_DONE;
  if (b->records || next_batch(f, b, database, key))
    result = push(f, b, deadline);
  handed_over = result == LRD_REPLAY_LATE && b->records;
  if (!b->records)
    f->heavy = 0;
  finish(f, result);
  return handed_over ? await_keeper(f, deadline) : result;
}

void lrd_fallback_clean(struct lrd_fallback *f, int64_t deadline)
{
  enum lrd_replay why;

  if (!begin(f, deadline, &why))
    return;
  for (int d = 0; d < LRD_DATABASES; d++) {
    larder_bytes argv[2] = { bytes("DEL"), bytes(f->marker) };
    larder_vector v = vector(2, argv);
    larder_call call = { .vector = &v, .count = 1, .flags = LARDER_CALL_NOWAIT, .database = d,
                         .deadline = deadline };
    struct ask a;

    if (!(f->marker_databases & (1u << d)) || atomic_load(&f->journal.keys))
      continue;
    if (!ask(f, &a, f->remote, &call))
      f->marker_databases &= ~(1u << d);
    ask_end(&a);
  }
  finish(f, LRD_REPLAY_DONE);
}
