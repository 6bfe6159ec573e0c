/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/typed.h"

#include <string.h>

#include "memory/evict.h"
#include "memory/unlocked.h"

/*
 * A get mostly needs no atomic operation (unlocked.h), other typed calls need one, the taking of
 * the latch: the store may not have noted that they are here (get_now, set_now).  So before one
 * has the latch, or is counted as waiting, it may do nothing that takes long or that the
 * application sees (no hook), and afterwards it may touch nothing of the engine.
 */

#define TTL_MAX (INT64_C(1) << 53) /* ms */

static const larder_verdict verdict_ok = { .outcome = LARDER_OK,
                                           .origin = LARDER_FROM_LOCAL,
                                           .age_ms = -1 };

static struct lrd_at typed_at(const struct lrd_engine *e, unsigned database, larder_bytes key)
{
  uint64_t hash = lrd_key_hash(e, key);

  return (struct lrd_at){ lrd_shard_of(e, hash), database, key, hash };
}

__attribute__((noinline)) static void wait_for(struct lrd_shard *shard)
{
  atomic_fetch_add(&shard->waiting, 1);
  lrd_latch_take(&shard->lock);
  atomic_fetch_sub(&shard->waiting, 1);
}

/* 0: the engine is closing, and the latch is not held. */
static int begin_typed(struct lrd_shard *shard)
{
  if (__builtin_expect(!lrd_latch_take_at_once(&shard->lock), 0))
    wait_for(shard);
  if (__builtin_expect(!atomic_load_explicit(&shard->sealed, memory_order_relaxed), 1))
    return 1;
  lrd_latch_drop(&shard->lock);
  return 0;
}

/* Drops the latch; what is left to be done is done without it. */
static void end_typed(struct lrd_engine *e, struct lrd_shard *shard)
{
  int more = lrd_engine_has_more(e);

  if (more)
    atomic_fetch_add(&shard->waiting, 1);
  lrd_latch_drop(&shard->lock);
  if (!more)
    return;
  lrd_engine_do_more(e);
  atomic_fetch_sub(&shard->waiting, 1);
}

static void closed(larder_verdict *verdict)
{
  verdict->outcome = LARDER_CLOSED;
  verdict->origin = LARDER_FROM_NOWHERE;
}

static larder_outcome copy_out(const struct lrd_engine *e, const struct lrd_entry *entry,
                               void *buffer, size_t size, size_t *length)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes value;

  if (!entry)
    return e->partial ? LARDER_UNKNOWN_LOCALLY : LARDER_ABSENT;
  if (entry->flags & LRD_ENTRY_DELTA)
    return LARDER_UNKNOWN_LOCALLY;
  if (entry->kind == LRD_NONE)
    return LARDER_ABSENT;
  if (entry->kind != LRD_STRING)
    return LARDER_REFUSED;
  value = lrd_entry_string(entry, number);
  *length = value.len;
  if (value.len < size)
    size = value.len;
  if (size)
    memcpy(buffer, value.data, size);
  return LARDER_OK;
}

/* With the latch. */
static void get_locked(struct lrd_engine *e, const struct lrd_at *at, void *buffer, size_t size,
                       size_t *length, larder_verdict *verdict)
{
  struct lrd_entry **place;

  if (!begin_typed(at->shard)) {
    closed(verdict);
    return;
  }
  place = lrd_keyspace_find(at);
  /* most keys don't expire, and then the time is of no interest */
  if (place && lrd_entry_expiry(*place) >= 0)
    place = lrd_keyspace_live(e, at, lrd_wall_ms(&e->base.clock));
  if (place)
    lrd_evict_used(e, *place, -1);
  verdict->outcome = copy_out(e, place ? *place : NULL, buffer, size, length);
  if (verdict->outcome <= LARDER_ABSENT)
    at->shard->got[verdict->outcome]++;
  else
    at->shard->typed[verdict->outcome]++;
  end_typed(e, at->shard);
  if (verdict->outcome == LARDER_REFUSED)
    verdict->cause = LARDER_CAUSE_CALLER;
}

/* Inside lrd_grace: whether a key that expires at is still alive. */
__attribute__((noinline)) static int is_alive(const struct lrd_engine *e, int64_t expiry)
{
  return lrd_wall_ms(&e->base.clock) <= expiry;
}

/* OK, ABSENT, or -1: not so, *again tells whether another attempt may do.  counted: as what;
 * of a GET the whole value is wanted. */
LRD_GLANCES int get_unlocked(struct lrd_engine *e, unsigned database, larder_bytes key,
                             void *buffer, size_t size, size_t *length, int *again,
                             unsigned counted)
{
  struct lrd_reader *reader = LRD_UNLOCKED && !e->partial ? lrd_grace_enter(e->grace) : NULL;
  struct lrd_asked asked = { .key = key };
  larder_outcome outcome;
  enum lrd_glance glance;
  int64_t expiry;

  *again = 0;
  if (__builtin_expect(!reader, 0))
    return -1;
  asked.hash = lrd_key_hash(e, key);
  asked.shard = lrd_shard_of(e, asked.hash);
  glance = lrd_unlocked_get(e, &asked, database, buffer, size, length, &outcome, &expiry);
  if (__builtin_expect(expiry >= 0, 0) && glance == LRD_GLANCE_DONE && !is_alive(e, expiry))
    glance = LRD_GLANCE_LOCK;
  if (counted == LRD_COUNTED_GETS && glance == LRD_GLANCE_DONE && outcome == LARDER_OK &&
      *length > size)
    glance = LRD_GLANCE_LOCK;
  if (__builtin_expect(glance == LRD_GLANCE_DONE, 1))
    lrd_grace_count(reader, counted + outcome);
  lrd_grace_leave(reader);
  *again = glance == LRD_GLANCE_AGAIN;
  return glance == LRD_GLANCE_DONE ? (int)outcome : -1;
}

LRD_RACES int lrd_get_unlocked(struct lrd_engine *e, unsigned database, larder_bytes key,
                               char *text, size_t size, size_t *length)
{
  int again;

  return get_unlocked(e, database, key, text, size, length, &again, LRD_COUNTED_GETS);
}

/* Some more attempts, then with the latch. */
__attribute__((noinline)) LRD_RACES static void
get_slowly(struct lrd_engine *e, unsigned database, larder_bytes key, void *buffer, size_t size,
           size_t *length, larder_verdict *verdict, int again)
{
  enum { ATTEMPTS = 3 };
  struct lrd_at at;

  for (int i = 0; i < ATTEMPTS && again; i++) {
    int outcome =
        get_unlocked(e, database, key, buffer, size, length, &again, LRD_COUNTED_TYPED);

    if (outcome >= 0) {
      verdict->outcome = (larder_outcome)outcome;
      return;
    }
  }
  *length = 0;
  at = typed_at(e, database, key);
  get_locked(e, &at, buffer, size, length, verdict);
}

LRD_RACES void lrd_typed_get(larder_backend *base, int database, larder_bytes key,
                             int64_t deadline, void *buffer, size_t size, size_t *length,
                             larder_verdict *verdict)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  int again, outcome;

  (void)deadline;
  *length = 0;
  outcome = get_unlocked(e, (unsigned)database, key, buffer, size, length, &again,
                         LRD_COUNTED_TYPED);
  *verdict = verdict_ok;
  if (__builtin_expect(outcome >= 0, 1))
    verdict->outcome = (larder_outcome)outcome;
  else
    get_slowly(e, (unsigned)database, key, buffer, size, length, verdict, again);
}

/* What isn't usual. */
__attribute__((noinline)) LRD_RACES static larder_outcome
get_any(struct lrd_engine *e, const void *key, size_t key_len, void *buffer, size_t size,
        size_t *length)
{
  larder_verdict verdict;

  lrd_typed_get(&e->base, (int)e->database, (larder_bytes){ key, key_len }, INT64_MAX, buffer,
                size, length, &verdict);
  return verdict.outcome;
}

__attribute__((noinline)) static larder_outcome give_integer(int64_t value, void *buffer,
                                                             size_t size, size_t *length)
{
  char number[LRD_NUMBER_SIZE];

  *length = lrd_print_integer(number, value);
  if (size)
    memcpy(buffer, number, *length < size ? *length : size);
  return LARDER_OK;
}

/* A get that has read a text, from inside lrd_grace. */
struct text_read {
  struct lrd_engine *engine;
  struct lrd_reader *reader;
  int64_t expiry;
  const void *key;
  size_t key_len;
  void *buffer;
  size_t size, *length;
};

__attribute__((noinline)) static larder_outcome give_unless_expired(const struct text_read *r)
{
  if (!is_alive(r->engine, r->expiry)) {
    lrd_grace_leave(r->reader);
    return get_any(r->engine, r->key, r->key_len, r->buffer, r->size, r->length);
  }
  lrd_grace_count(r->reader, LRD_COUNTED_TYPED + LARDER_OK);
  lrd_grace_leave(r->reader);
  return LARDER_OK;
}

/* A key of 8 to 16 bytes with a text, or an integer that does not expire, or none: few
 * instructions, and nothing is kept over a call, so no register is saved.  All else is begun
 * anew by get_any. */
LRD_RACES larder_outcome lrd_typed_get_now(larder_backend *base, const void *key, size_t key_len,
                                           void *buffer, size_t size, size_t *length)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  struct lrd_reader *reader;
  struct lrd_asked asked = { .key = { key, key_len } };
  struct lrd_seen seen;
  int64_t expiry = LRD_NEVER;

  if (!LRD_UNLOCKED || !lrd_universal_is_brief(key_len) ||
      !lrd_grace_enter_at_once(e->grace, &reader))
    return get_any(e, key, key_len, buffer, size, length);
  asked.hash = lrd_universal_brief(&e->hash_key, key, key_len);
  asked.shard = lrd_shard_of(e, asked.hash);
  if (__builtin_expect(lrd_unlocked_find(&asked, e->database, &seen) != LRD_GLANCE_DONE, 0))
    goto any;
  if (!seen.entry) {
    if (!lrd_glance_is_same(&asked))
      goto any;
    *length = 0;
    lrd_grace_count(reader, LRD_COUNTED_TYPED + LARDER_ABSENT);
    lrd_grace_leave(reader);
    return LARDER_ABSENT;
  }
  if (!lrd_glance_is_marked(e, &seen))
    goto any;
  if (!lrd_glance_is_usual(&seen)) {
    if (lrd_glance_is_string(&seen, LRD_ENTRY_INTEGER)) {
      if (!lrd_glance_is_same(&asked))
        goto any;
      lrd_grace_count(reader, LRD_COUNTED_TYPED + LARDER_OK);
      lrd_grace_leave(reader);
      return give_integer(lrd_glance_value(&seen).integer, buffer, size, length);
    }
    if (!lrd_glance_is_string(&seen, LRD_ENTRY_TIMER))
      goto any;
    expiry = lrd_glance_expiry(seen.entry);
  }
  if (lrd_glance_text(&seen, buffer, size, length) == LRD_NOT_HERE || !lrd_glance_is_same(&asked))
    goto any;
  if (__builtin_expect(expiry != LRD_NEVER, 0))
    return give_unless_expired(&(struct text_read){ e, reader, expiry, key, key_len, buffer, size,
                                                    length });
  lrd_grace_count(reader, LRD_COUNTED_TYPED + LARDER_OK);
  lrd_grace_leave(reader);
  return LARDER_OK;
any:
  lrd_grace_leave(reader);
  return get_any(e, key, key_len, buffer, size, length);
}

__attribute__((noinline)) static void tell_set(struct lrd_engine *e, const struct lrd_at *at,
                                               larder_bytes value, int64_t when)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[5] = { { "SET", 3 }, at->key, value, { "PXAT", 4 }, { number, 0 } };

  if (when >= 0)
    argv[4].len = lrd_print_integer(number, when);
  lrd_keyspace_tell(e, at, NULL, 1, when >= 0 ? 5 : 3, argv);
}

/* In the middle of set, with the latch. */
static inline larder_outcome set_locked(struct lrd_engine *e, const struct lrd_at *at,
                                        larder_bytes value, int64_t ttl_ms)
{
  int64_t now = ttl_ms ? lrd_wall_ms(&e->base.clock) : 0, when = ttl_ms ? now + ttl_ms : -1;

  if (!lrd_keyspace_put(e, at, value, when, now))
    return LARDER_NO_MEMORY;
  if (lrd_keyspace_is_watched(e, at))
    tell_set(e, at, value, when);
  return LARDER_OK;
}

/* Makes room first, without the latch; *full: there is none.  As begin_typed. */
__attribute__((noinline)) static int begin_bounded(struct lrd_engine *e, struct lrd_shard *shard,
                                                   int *full)
{
  int begun;

  atomic_fetch_add(&shard->waiting, 1);
  /* sequentially consistent: either sealing waits for us, or we see it */
  *full = !atomic_load(&shard->sealed) && lrd_evict_before_write(e);
  begun = begin_typed(shard);
  atomic_fetch_sub(&shard->waiting, 1);
  return begun;
}

static int is_wrong(larder_bytes key, larder_bytes value, int64_t ttl_ms)
{
  return key.len > LRD_STRING_MAX || value.len > LRD_STRING_MAX || ttl_ms < 0 || ttl_ms > TTL_MAX;
}

/* Makes its reply, and counts it. */
static inline larder_outcome set(struct lrd_engine *e, const struct lrd_at *at, larder_bytes value,
                                 int64_t ttl_ms, int *full)
{
  larder_outcome outcome;

  *full = 0;
  if (!(lrd_parameter(&e->parameters, LRD_MAXMEMORY) ? begin_bounded(e, at->shard, full)
                                                     : begin_typed(at->shard)))
    return LARDER_CLOSED;
  if (__builtin_expect(*full, 0))
    outcome = LARDER_REFUSED;
  else if (__builtin_expect(is_wrong(at->key, value, ttl_ms), 0))
    outcome = LARDER_BAD_ARGUMENT;
  else
    outcome = set_locked(e, at, value, ttl_ms);
  at->shard->typed[outcome]++;
  end_typed(e, at->shard);
  return outcome;
}

void lrd_typed_set(larder_backend *base, int database, larder_bytes key, larder_bytes value,
                   int64_t ttl_ms, int64_t deadline, larder_verdict *verdict)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  struct lrd_at at = typed_at(e, (unsigned)database, key);
  int full;

  (void)deadline;
  *verdict = verdict_ok;
  verdict->outcome = set(e, &at, value, ttl_ms, &full);
  if (verdict->outcome == LARDER_CLOSED)
    closed(verdict);
  else if (__builtin_expect(full, 0))
    verdict->cause = LARDER_CAUSE_CAPACITY;
}

larder_outcome lrd_typed_set_now(larder_backend *base, const void *key, size_t key_len,
                                 const void *value, size_t value_len, int64_t ttl_ms)
{
  struct lrd_engine *e = (struct lrd_engine *)base;
  struct lrd_at at = typed_at(e, e->database, (larder_bytes){ key, key_len });
  int full;

  return set(e, &at, (larder_bytes){ value, value_len }, ttl_ms, &full);
}
