/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "fallback/ask.h"
#include "fallback/fallback.h"
#include "fallback/fold.h"
#include "util/hook.h"
#include "util/memory.h"
#include "util/number.h"

enum { RECORDS_MAX = 128, MARKER_TTL_MS = 24 * 60 * 60 * 1000, TRIES = 3 };

/* What a caller may replay within its own deadline; more than that is the keeper's. */
enum { LIGHT_WRITES = 2000, LIGHT_BYTES = 256 * 1024, NS_PER_BYTE = 1000 };

/* --- the end of a batch ------------------------------------------------------------ */

static void acknowledged(struct lrd_fallback *f, struct lrd_batch *b)
{
  uint64_t writes;

  lrd_batch_end(f, b);
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
  lrd_batch_end(f, b);
  lrd_print_integer(writes, (int64_t)b->writes);
  atomic_fetch_add(&f->dropped, b->writes);
  lrd_event(f->base.hook, LARDER_FAULT, name, fields, "%s", why);
}

/* --- sending ------------------------------------------------------------------------------ */

/* Redis's own word for why nothing is replayed: told once, and shown by status. */
static void tell_pause(struct lrd_fallback *f, const char *text)
{
  char keys[LRD_NUMBER_SIZE];
  const char *fields[] = { "error", text, "journal_keys", keys, NULL };
  int fresh;

  lrd_lock(&f->lock);
  fresh = strncmp(f->refusal, text, sizeof f->refusal - 1) != 0;
  snprintf(f->refusal, sizeof f->refusal, "%.127s", text);
  lrd_unlock(&f->lock);
  if (!fresh)
    return;
  lrd_print_integer(keys, (int64_t)atomic_load(&f->journal.keys));
  lrd_event(f->base.hook, LARDER_FAULT, "replay-paused", fields,
            "Redis takes no journaled writes: they wait until it does");
}

static enum lrd_replay failed_verdict(struct lrd_fallback *f, const struct lrd_tree_reply *r)
{
  char text[200] = "";

  if (r->value.type == LARDER_ERROR)
    snprintf(text, sizeof text, "%.*s", (int)(r->value.len > 190 ? 190 : r->value.len),
             r->value.str);
  lrd_fallback_judge(f, &r->verdict, text);
  if (lrd_fallback_state(f) != LARDER_STATE_UP)
    return LRD_REPLAY_DOWN;
  if (r->verdict.outcome == LARDER_REFUSED)
    tell_pause(f, text);
  return LRD_REPLAY_PAUSED;
}

/* Watches and reads the marker: *value is what it holds, -1 if it is not there. */
static enum lrd_replay read_marker(struct lrd_fallback *f, struct lrd_batch *b,
                                   struct larder_hold *hold, int64_t deadline, int64_t *value)
{
  larder_bytes watch[2] = { lrd_ask_word("WATCH"), lrd_ask_word(f->marker) };
  larder_bytes get[2] = { lrd_ask_word("GET"), lrd_ask_word(f->marker) };
  larder_vector v[2] = { lrd_ask_vector(2, watch), lrd_ask_vector(2, get) };
  larder_call call = { .vector = v, .count = 2, .flags = LARDER_CALL_NOWAIT,
                       .database = b->database, .deadline = deadline, .hold = hold };
  enum lrd_replay result = LRD_REPLAY_DONE;
  struct lrd_ask a;

  if (lrd_ask(f, &a, f->remote, &call)) {
    result = LRD_REPLAY_PAUSED;
  } else {
    for (int i = 0; i < 2 && result == LRD_REPLAY_DONE; i++)
      if (a.tree.reply[i].verdict.outcome != LARDER_OK)
        result = failed_verdict(f, &a.tree.reply[i]);
    *value = -1;
    if (result == LRD_REPLAY_DONE && a.tree.reply[1].value.type == LARDER_STRING)
      lrd_parse_integer(a.tree.reply[1].value.str, a.tree.reply[1].value.len, value);
  }
  lrd_ask_end(&a);
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
      lrd_batch_letter(f, e, &replies->element[i]);
}

/* --- a batch that is refused ------------------------------------------------------------- */

/* "SET marker number PX ttl", as the first command of a batch.  text: two numbers' room. */
static larder_vector set_marker(const struct lrd_fallback *f, int64_t number, larder_bytes argv[5],
                                char text[2][LRD_NUMBER_SIZE])
{
  argv[0] = lrd_ask_word("SET");
  argv[1] = lrd_ask_word(f->marker);
  argv[2] = (larder_bytes){ text[0], lrd_print_integer(text[0], number) };
  argv[3] = lrd_ask_word("PX");
  argv[4] = (larder_bytes){ text[1], lrd_print_integer(text[1], MARKER_TTL_MS) };
  return lrd_ask_vector(5, argv);
}

/* Was it the marker that Redis refused?  Sets it alone, to the number before this batch's,
 * which is not applied yet.  DONE: it is allowed. */
static enum lrd_replay try_marker(struct lrd_fallback *f, struct lrd_batch *b, int64_t deadline)
{
  larder_bytes argv[5];
  char text[2][LRD_NUMBER_SIZE];
  larder_vector v = set_marker(f, b->number - 1, argv, text);
  larder_call call = { .vector = &v, .count = 1,
                       .flags = LARDER_CALL_ATOMIC | LARDER_CALL_NOWAIT,
                       .database = b->database, .deadline = deadline };
  enum lrd_replay result = LRD_REPLAY_PAUSED;
  struct lrd_ask a;

  if (!lrd_ask(f, &a, f->remote, &call))
    result = a.tree.reply[0].verdict.outcome == LARDER_OK ? LRD_REPLAY_DONE
                                                          : failed_verdict(f, &a.tree.reply[0]);
  lrd_ask_end(&a);
  f->marker_databases |= result == LRD_REPLAY_DONE ? 1u << b->database : 0;
  return result;
}

static void bury_all(struct lrd_fallback *f, struct lrd_batch *b, const larder_value *error)
{
  for (const struct lrd_emitted *e = b->commands; e; e = e->next)
    if (e->record)
      lrd_batch_letter(f, e, error);
  lrd_batch_end(f, b);
}

/* Nothing of it was applied, for reasons that lie in one of its keys: in which one is
 * found by halving, and that one (with what was written in one step with it) is given up. */
static enum lrd_replay refused(struct lrd_fallback *f, struct lrd_batch *b,
                               const larder_value *error, int64_t deadline)
{
  enum lrd_replay result = try_marker(f, b, deadline);

  if (result == LRD_REPLAY_DONE && !lrd_batch_split(f, b))
    bury_all(f, b, error);
  return result;
}

/* The caller's own fault, or what the server's access list says of a key or command. */
static int is_about_keys(const struct lrd_tree_reply *r)
{
  return r->verdict.outcome == LARDER_REFUSED &&
         (r->verdict.cause == LARDER_CAUSE_CALLER ||
          (r->verdict.cause == LARDER_CAUSE_AUTH && r->value.type == LARDER_ERROR &&
           strstr(r->value.str, "NOPERM")));
}

/* What EXEC said.  *again: the marker changed under us, look at it once more. */
static enum lrd_replay conclude(struct lrd_fallback *f, struct lrd_batch *b,
                                const struct lrd_tree_reply *r, int64_t deadline, int *again)
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
  return is_about_keys(r) ? refused(f, b, &r->value, deadline) : failed_verdict(f, r);
}

static enum lrd_replay send_batch(struct lrd_fallback *f, struct lrd_batch *b,
                                  struct larder_hold *hold, int64_t deadline, int *again)
{
  larder_bytes set[5];
  char text[2][LRD_NUMBER_SIZE];
  size_t n = 1, size = (b->count + 1) * sizeof(larder_vector);
  larder_vector *v = lrd_allocate(&f->base.memory, size);
  larder_call call = { .vector = v, .count = b->count + 1,
                       .flags = LARDER_CALL_ATOMIC | LARDER_CALL_NOWAIT,
                       .database = b->database, .deadline = deadline, .hold = hold };
  enum lrd_replay result = LRD_REPLAY_PAUSED;
  struct lrd_ask a;

  if (!v)
    return result;
  v[0] = set_marker(f, b->number, set, text);
  for (const struct lrd_emitted *e = b->commands; e; e = e->next)
    v[n++] = e->vector;
  b->sent = 1;
  b->sent_at = lrd_fallback_now(f);
  if (!lrd_ask(f, &a, f->remote, &call))
    result = conclude(f, b, &a.tree.reply[0], deadline, again);
  lrd_ask_end(&a);
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
    f->refusal[0] = '\0';
  }
  pthread_cond_broadcast(&f->changed);
  lrd_unlock(&f->lock);
}

static int next_batch(struct lrd_fallback *f, struct lrd_batch *b, int database, larder_bytes key)
{
  struct lrd_record *records = f->rest;

  f->rest = NULL;
  if (records) {
    database = records->database;
  } else if (database < 0) {
    for (int d = 0; d < LRD_DATABASES && !records; d++) {
      records = lrd_journal_freeze(&f->journal, d, key, RECORDS_MAX);
      database = d;
    }
  } else {
    records = lrd_journal_freeze(&f->journal, database, key, RECORDS_MAX);
  }
  if (records)
    lrd_batch_begin(f, b, records, database);
  return records != NULL;
}

/* How long the batch may take: by its size, else a large one would never get through. */
static int64_t allowance(const struct lrd_fallback *f, const struct lrd_batch *b)
{
  return f->config->connect_timeout + (int64_t)b->size * NS_PER_BYTE;
}

/* How large a whole value is shows when it is built: that is the keeper's work, too. */
static int is_heavy(const struct lrd_batch *b)
{
  return b->writes > LIGHT_WRITES || b->size > LIGHT_BYTES || (b->whole && !b->built);
}

static int is_keeper(const struct lrd_fallback *f)
{
  return f->keeper_runs && pthread_equal(pthread_self(), f->keeper);
}

/* Builds and sends; the batch is left to the keeper if it is too large for the deadline, or
 * for a caller to build. */
static enum lrd_replay push(struct lrd_fallback *f, struct lrd_batch *b, int64_t deadline)
{
  int64_t limit;

  f->heavy = is_heavy(b);
  if (f->heavy &&
      ((!b->built && !is_keeper(f)) || lrd_fallback_now(f) + allowance(f, b) > deadline))
    return LRD_REPLAY_LATE;
  if (!b->built && lrd_batch_build(f, b))
    return LRD_REPLAY_PAUSED;
  f->heavy = is_heavy(b);
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
         !is_keeper(f))
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
    larder_bytes argv[2] = { lrd_ask_word("DEL"), lrd_ask_word(f->marker) };
    larder_vector v = lrd_ask_vector(2, argv);
    larder_call call = { .vector = &v, .count = 1, .flags = LARDER_CALL_NOWAIT, .database = d,
                         .deadline = deadline };
    struct lrd_ask a;

    if (!(f->marker_databases & (1u << d)) || atomic_load(&f->journal.keys))
      continue;
    if (!lrd_ask(f, &a, f->remote, &call))
      f->marker_databases &= ~(1u << d);
    lrd_ask_end(&a);
  }
  finish(f, LRD_REPLAY_DONE);
}
