/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/engine.h"

#include "memory/ahead.h"
#include "memory/block.h"
#include "memory/evict.h"
#include "memory/hold.h"
#include "memory/run.h"
#include "memory/shard_set.h"
#include "memory/typed.h"

static const char text_lost[] =
    "UNKNOWN out of memory: the command was executed, its reply is lost";

/* --- one vector ---------------------------------------------------------------- */

/* Commands over the whole keyspace that lock for themselves, shard by shard. */
static int locks_itself(const larder_vector *v)
{
  return v->command == LRD_SCAN || v->command == LRD_INFO;
}

/* Which keys it needs is not known before it runs. */
static int locks_all(const larder_vector *v)
{
  if (lrd_is_keyspace(v))
    return !locks_itself(v);
  return (lrd_commands[v->command].flags & LRD_MOVABLE_KEYS) && lrd_command_strays(v);
}

/* Memory ended behind a change: NO_MEMORY would say that there was none. */
__attribute__((noinline)) static void lose_reply(struct lrd_exec *x)
{
  x->sink->type->rewind(x->sink);
  x->verdict.outcome = LARDER_UNKNOWN;
  lrd_sink_error(x->sink, text_lost);
}

static inline void end(struct lrd_exec *x)
{
  if (x->sink->failed && x->changed)
    lose_reply(x);
  lrd_sink_end(x->sink, &x->verdict);
}

/* Each member by itself: gcc clears a whole of this size with a string instruction, which
 * takes longer than a look-up. */
static inline void begin(struct lrd_exec *x, struct lrd_engine *e, const larder_call *call,
                         const larder_vector *v, larder_sink *sink, int64_t *moment)
{
  x->engine = e;
  x->sink = sink;
  x->vector = v;
  x->argc = v->argc;
  x->argv = v->argv;
  x->database = call->database;
  x->moment = moment;
  x->call_flags = call->flags;
  x->verdict.outcome = LARDER_OK;
  x->verdict.origin = LARDER_FROM_LOCAL;
  x->verdict.cause = LARDER_CAUSE_NONE;
  x->verdict.flags = 0;
  x->verdict.age_ms = -1;
  x->provisional = x->unknown = x->whole = x->unanswered = x->as_absent = 0;
  x->changed = x->atomic = x->all_locked = x->bulky = 0;
  x->blocked = x->turn = 0;
  x->note = call->note;
  x->hold = call->hold;
  x->hashed = NULL;
  x->hashed_len = 0;
  x->hash = 0;
  x->hashes = NULL;
  x->hashed_keys = 0;
  x->discarded = NULL;
  x->waiter = NULL;
}

static void set_vector(struct lrd_exec *x, const larder_vector *v)
{
  x->vector = v;
  x->argc = v->argc;
  x->argv = v->argv;
}

/* Where the vector's only key is, if it is known by the command alone; 0: elsewhere, or
 * there are more, or none. */
static inline int only_key(const larder_vector *v)
{
  const struct lrd_command *c = &lrd_commands[v->command];

  return c->first == c->last && !(c->flags & LRD_MOVABLE_KEYS) && c->first < v->argc ? c->first : 0;
}

static void free_discarded(struct lrd_exec *x)
{
  for (struct lrd_keyspace *ks; (ks = x->discarded);) {
    x->discarded = ks->next;
    lrd_keyspace_free(x->engine, ks);
  }
}

enum { KEPT_HASHES = 128 };

/* hash: those of the first keys, at most `most`.  Returns how many. */
static int add_keys(struct lrd_shard_set *set, const larder_vector *v, uint64_t *hash, int most)
{
  struct lrd_keys keys = lrd_command_key_range(v);

  for (int i = 0; i < keys.count; i++) {
    uint64_t h = lrd_key_hash(set->engine, v->argv[lrd_key_index(&keys, i)]);

    if (i < most)
      hash[i] = h;
    lrd_shard_set_add_hash(set, h);
  }
  return keys.count < most ? keys.count : most;
}

/* Is there room for what the vectors may take?  Else nothing is begun, and the reply is
 * written. */
__attribute__((noinline)) static int find_room(struct lrd_exec *x, const larder_vector *v,
                                               size_t count, const char *before)
{
  size_t i = 0;

  while (i < count && !lrd_command_is_denied_oom(&v[i]))
    i++;
  if (i == count || !lrd_evict_before_write(x->engine))
    return 1;
  lrd_errorf(x, "%s%s", before, lrd_text_oom);
  x->verdict.cause = LARDER_CAUSE_CAPACITY;
  return 0;
}

static inline int has_room(struct lrd_exec *x, const larder_vector *v, size_t count,
                           const char *before)
{
  return !lrd_parameter(&x->engine->parameters, LRD_MAXMEMORY) || find_room(x, v, count, before);
}

static inline void end_one(struct lrd_exec *x)
{
  if (x->provisional && x->verdict.outcome == LARDER_OK)
    x->verdict.flags |= LARDER_PROVISIONAL;
  end(x);
}

static inline void run_with_key(struct lrd_exec *x, larder_bytes key)
{
  uint64_t hash = lrd_key_hash(x->engine, key);
  struct lrd_shard *shard = lrd_shard_of(x->engine, hash);

  lrd_ahead_use(x, key, hash);
  lrd_latch_take(&shard->lock);
  shard->calls++;
  lrd_run(x);
  lrd_latch_drop(&shard->lock);
}

__attribute__((noinline)) static void run_with_keys(struct lrd_exec *x)
{
  const larder_vector *v = x->vector;
  struct lrd_engine *e = x->engine;
  struct lrd_shard_set set;
  uint64_t hash[KEPT_HASHES];

  /* it counts what lives: most of what does not is reclaimed in slices before */
  if (v->command == LRD_DBSIZE && !e->partial)
    (void)lrd_maintenance_round(e, INT64_MAX);
  lrd_shard_set_init(&set, e);
  x->hashed_keys = add_keys(&set, v, hash, KEPT_HASHES);
  x->hashes = hash;
  if (locks_all(v)) {
    lrd_shard_set_add_all(&set);
    x->all_locked = 1;
  }
  lrd_shard_set_lock(&set);
  do
    lrd_run(x);
  while (x->waiter && lrd_block_look_on(x));
  if (x->waiter)
    lrd_block_settle(x);
  lrd_shard_set_unlock(&set);
  free_discarded(x);
  atomic_fetch_add_explicit(&e->calls, 1, memory_order_relaxed);
}

/* A GET of a short value, as typed ones, where that does; 1: it is answered. */
__attribute__((noinline)) static int get_at_once(struct lrd_engine *e, const larder_call *call,
                                                 larder_bytes key, larder_sink *sink)
{
  enum { KEY = 64, TEXT = 256 };
  static const larder_verdict verdict = { .origin = LARDER_FROM_LOCAL, .age_ms = -1 };
  char text[TEXT];
  size_t len;
  int outcome = -1;

  if (key.len <= KEY)
    outcome = lrd_get_unlocked(e, (unsigned)call->database, key, text, sizeof text, &len);
  if (outcome == LARDER_OK)
    lrd_sink_string(sink, text, len);
  else if (outcome == LARDER_ABSENT)
    lrd_sink_nil(sink);
  else
    return 0;
  lrd_sink_end(sink, &verdict);
  return 1;
}

int lrd_exec_turn(struct lrd_engine *e, const larder_call *call, larder_sink *sink,
                  struct lrd_waiter *waiter, int again, larder_verdict *verdict)
{
  int64_t moment = 0;
  struct lrd_exec x;

  begin(&x, e, call, call->vector, sink, &moment);
  x.waiter = waiter;
  x.turn = again != 0;
  if (again || has_room(&x, call->vector, 1, ""))
    run_with_keys(&x);
  if (x.sink->failed && x.changed)
    lose_reply(&x);
  *verdict = x.verdict;
  return !x.blocked;
}

static void execute_one(struct lrd_engine *e, const larder_call *call, const larder_vector *v,
                        larder_sink *sink, int64_t *moment)
{
  int at = only_key(v);
  struct lrd_exec x;

  if (lrd_commands[v->command].flags & LRD_BLOCKING) {
    lrd_block_execute(e, call, v, sink);
    return;
  }
  begin(&x, e, call, v, sink, moment);
  if (has_room(&x, v, 1, "")) {
    if (at)
      run_with_key(&x, v->argv[at]);
    else
      run_with_keys(&x);
  }
  end_one(&x);
}

/* --- one after the other, their shards locked once ------------------------------- */

/* Nobody may wait for long at the shards of those that stand beside it.  So a command of
 * these has one key and few short arguments, and takes out one element at most.  How long the
 * value is that it reads shows when it is there: execute_brief. */
enum { BRIEF_ARGUMENTS = 4, BRIEF_BYTES = 4096 };

static inline int is_brief(const larder_vector *v)
{
  const struct lrd_command *c = &lrd_commands[v->command];
  size_t bytes = 0;

  if (!(c->flags & LRD_FAST || v->command == LRD_SET) || v->argc > BRIEF_ARGUMENTS ||
      (c->class == LRD_CLASS_CONSUME && v->argc > 2))
    return 0;
  for (int i = 1; i < v->argc; i++)
    if (v->argv[i].len > BRIEF_BYTES || (bytes += v->argv[i].len) > BRIEF_BYTES)
      return 0;
  return only_key(v) != 0;
}

/* How many vectors from v on can be executed together; their keys. */
static int count_brief(const larder_vector *v, size_t count, larder_bytes *key)
{
  int n = 0;

  for (; n < LRD_AHEAD && (size_t)n < count && is_brief(&v[n]); n++)
    key[n] = v[n].argv[only_key(&v[n])];
  return n;
}

/* The same as one by one, for fewer locks, and with the memory of all under way at
 * once.  Returns how many were executed: behind one that has copied a long value the locks are
 * given back.  An element of a collection may be long too, and isn't noticed. */
static int execute_brief(struct lrd_engine *e, const larder_call *call, const larder_vector *v,
                         const larder_bytes *key, int count, larder_sink *sink, int64_t *moment)
{
  uint64_t hash[LRD_AHEAD];
  struct lrd_shard_set set;
  struct lrd_exec x;
  int done = 0;

  lrd_ahead_hash(e, key, count, hash);
  lrd_shard_set_init(&set, e);
  for (int i = 0; i < count; i++)
    lrd_shard_set_add_hash(&set, hash[i]);
  lrd_shard_set_lock(&set);
  lrd_ahead_fetch(e, call->database, hash, count);
  do {
    begin(&x, e, call, &v[done], sink, moment);
    lrd_ahead_use(&x, key[done], hash[done]);
    lrd_shard_of(e, hash[done])->calls++;
    lrd_run(&x);
    end_one(&x);
  } while (++done < count && !x.bulky && !lrd_engine_has_ready(e));
  lrd_shard_set_unlock(&set);
  return done;
}

/* Each by itself; what it is worth to is taken together. */
static void execute_each(struct lrd_engine *e, const larder_call *call, larder_sink *sink,
                         int64_t *moment)
{
  larder_bytes key[LRD_AHEAD];

  for (size_t i = 0; i < call->count;) {
    const larder_vector *v = &call->vector[i];
    int n = 0;

    /* under a bound each write looks for room first, with no lock */
    if (!lrd_parameter(&e->parameters, LRD_MAXMEMORY))
      n = count_brief(v, call->count - i, key);
    if (n > 1) {
      i += (size_t)execute_brief(e, call, v, key, n, sink, moment);
    } else {
      execute_one(e, call, v, sink, moment);
      i++;
    }
    if (lrd_engine_has_ready(e)) /* before the next command, as in Redis */
      lrd_block_serve(e);
  }
}

/* --- all of them at once --------------------------------------------------------- */

/* Whether the call may go ahead; else its reply is written. */
static int may_begin(struct lrd_exec *x, const larder_call *call)
{
  if (call->hold) {
    int changed = lrd_hold_changed(call->hold, lrd_now(x));

    lrd_hold_clear(call->hold, 1);
    if (changed) {
      lrd_sink_nil_array(x->sink);
      return 0;
    }
  }
  for (size_t i = 0; x->engine->partial && i < call->count; i++) {
    set_vector(x, &call->vector[i]);
    if (call->vector[i].command == LRD_SELECT)
      lrd_command_select(&call->vector[i], &x->database);
    if ((call->vector[i].flags & LARDER_VECTOR_COMPLETE) && !lrd_knows_all_keys(x)) {
      x->verdict.outcome = LARDER_UNKNOWN_LOCALLY;
      lrd_sink_error(x->sink, lrd_text_unknown_value);
      return 0;
    }
  }
  x->database = call->database;
  return 1;
}

/* Memory ended in the midst of it, and nothing can be undone: what was not begun is
 * left, and the reply says how far it came. */
static void run_short(struct lrd_exec *whole, size_t done, size_t count)
{
  whole->sink->type->rewind(whole->sink);
  if (!whole->changed) {
    lrd_no_memory(whole);
    return;
  }
  whole->verdict.outcome = LARDER_UNKNOWN;
  lrd_sink_errorf(whole->sink,
                  "UNKNOWN out of memory: of %zu commands the first %zu were executed", count,
                  done);
}

static void run_all(struct lrd_exec *whole, const larder_call *call)
{
  int unknown = 0, provisional = 0;

  lrd_sink_array(whole->sink, call->count);
  for (size_t i = 0; i < call->count && !whole->sink->failed; i++) {
    struct lrd_exec x;

    begin(&x, whole->engine, call, &call->vector[i], whole->sink, whole->moment);
    x.atomic = 1;
    x.all_locked = whole->all_locked;
    x.database = whole->database; /* SELECT moves it */
    x.discarded = whole->discarded;
    lrd_run(&x);
    whole->discarded = x.discarded;
    whole->database = x.database;
    whole->changed |= x.changed;
    if (x.verdict.outcome == LARDER_NO_MEMORY || whole->sink->failed) {
      run_short(whole, i + x.changed, call->count);
      return;
    }
    unknown |= x.verdict.outcome == LARDER_UNKNOWN_LOCALLY;
    provisional |= x.provisional && x.verdict.outcome == LARDER_OK;
  }
  if (unknown && !whole->changed)
    whole->verdict.outcome = LARDER_UNKNOWN_LOCALLY;
  if (provisional)
    whole->verdict.flags |= LARDER_PROVISIONAL;
}

static void execute_atomic(struct lrd_engine *e, const larder_call *call, larder_sink *sink,
                           int64_t *moment)
{
  struct lrd_exec x;
  struct lrd_shard_set set;

  begin(&x, e, call, call->vector, sink, moment);
  if (!has_room(&x, call->vector, call->count,
                "EXECABORT Transaction discarded because of: ")) {
    end(&x);
    return;
  }
  lrd_shard_set_init(&set, e);
  for (size_t i = 0; i < call->count && !x.all_locked; i++) {
    (void)add_keys(&set, &call->vector[i], NULL, 0);
    x.all_locked = locks_all(&call->vector[i]) || locks_itself(&call->vector[i]);
  }
  if (x.all_locked)
    lrd_shard_set_add_all(&set);
  else if (call->hold)
    lrd_hold_shards(call->hold, lrd_shard_set_add, &set);
  lrd_shard_set_lock(&set);
  if (may_begin(&x, call))
    run_all(&x, call);
  lrd_shard_set_unlock(&set);
  free_discarded(&x);
  atomic_fetch_add_explicit(&e->calls, call->count, memory_order_relaxed);
  end(&x);
}

void lrd_engine_execute(larder_backend *base, const larder_call *call, larder_sink *sink)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  int64_t moment = 0;

  if (call->flags & LARDER_CALL_ATOMIC)
    execute_atomic(e, call, sink, &moment);
  else if (call->count == 1 && call->vector->command == LRD_GET &&
           get_at_once(e, call, call->vector->argv[1], sink))
    return;
  else if (call->count == 1)
    execute_one(e, call, call->vector, sink, &moment);
  else
    execute_each(e, call, sink, &moment);
  if (lrd_engine_has_more(e))
    lrd_engine_do_more(e);
}
