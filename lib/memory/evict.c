/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/evict_shard.h"

#include "memory/discard.h"
#include "memory/hold.h"
#include "util/hook.h"
#include "util/memory.h"

const char lrd_text_oom[] = "OOM command not allowed when used memory > 'maxmemory'.";

/* Keys that go under one lock; how long one write works for the bound: what it leaves,
 * the next ones and maintenance do. */
enum { SLICE = 16, TURN_NS = 500000 };

/* After that long without it, evicting begins anew. */
#define QUIET_NS (INT64_C(10000) * LRD_NS_PER_MS)

/* --- what is tracked ------------------------------------------------------------------ */

static enum lrd_track tracks_of(const struct lrd_engine *e)
{
  larder_policy policy = lrd_policy_of(&e->parameters);

  if (lrd_policy_is_lfu(policy))
    return LRD_TRACK_FREQUENCY;
  if (policy == LARDER_POLICY_ALLKEYS_S3FIFO)
    return lrd_parameter(&e->parameters, LRD_MAXMEMORY) ? LRD_TRACK_QUEUE : LRD_TRACK_NOTHING;
  return lrd_policy_is_lru(policy) || atomic_load(&e->evict.idle_asked) ? LRD_TRACK_TIME
                                                                         : LRD_TRACK_NOTHING;
}

void lrd_evict_configure(struct lrd_engine *e)
{
  unsigned tracks;

  atomic_store(&e->evict.barren, 0);
  /* again, if it was out of date when it came to be stored */
  while ((tracks = (unsigned)tracks_of(e)) != atomic_load(&e->evict.tracks)) {
    atomic_store(&e->evict.since, lrd_wall_ms(&e->base.clock));
    atomic_fetch_add(&e->evict.epoch, 1);
    (void)atomic_exchange(&e->evict.tracks, tracks);
  }
}

/* --- a shard's part ------------------------------------------------------------------- */

static const larder_memory *memory_of(const struct lrd_engine *e)
{
  return &e->account.memory;
}

/* NULL: no memory. */
static struct lrd_evict_shard *part_of(struct lrd_engine *e, struct lrd_shard *shard)
{
  struct lrd_evict_shard *s = shard->evict;
  unsigned epoch = atomic_load(&e->evict.epoch);

  if (!s) {
    s = shard->evict = lrd_allocate_zeroed(memory_of(e), 1, sizeof *s);
    if (s)
      s->epoch = epoch;
  } else if (s->epoch != epoch) {
    lrd_s3fifo_drop(&s->queues, memory_of(e));
    s->candidates = 0;
    s->epoch = epoch;
  }
  return s;
}

void lrd_evict_close(struct lrd_engine *e, struct lrd_shard *shard)
{
  if (!shard->evict)
    return;
  lrd_s3fifo_drop(&shard->evict->queues, memory_of(e));
  lrd_release(memory_of(e), shard->evict, sizeof *shard->evict);
  shard->evict = NULL;
}

const char *lrd_evict_check(struct lrd_engine *e, struct lrd_shard *shard)
{
  struct lrd_evict_shard *s = shard->evict;

  return s && s->epoch == atomic_load(&e->evict.epoch) &&
             lrd_evict_tracks(e) == LRD_TRACK_QUEUE
           ? lrd_s3fifo_check(e, &s->queues, shard)
           : NULL;
}

void lrd_evict_enroll(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry)
{
  struct lrd_evict_shard *s;

  if (lrd_evict_tracks(e) != LRD_TRACK_QUEUE) {
    lrd_evict_begin_use(e, entry, lrd_wall_ms(&e->base.clock));
    return;
  }
  s = part_of(e, at->shard);
  if (s)
    lrd_s3fifo_add(e, &s->queues, at, entry);
}

/* --- candidates ------------------------------------------------------------------------ */

struct sought {
  const struct lrd_engine *engine;
  uint64_t hash;
};

static int is_sought(void *context, const void *item)
{
  const struct sought *s = context;

  return (lrd_key_hash(s->engine, lrd_entry_key(item)) & LRD_INDEX_HASH_MASK) == s->hash;
}

struct lrd_entry *lrd_evict_find(struct lrd_engine *e, struct lrd_shard *shard, uint64_t hash,
                                 unsigned database, struct lrd_at *at)
{
  struct sought sought = { e, hash };
  struct lrd_keyspace *ks = shard->database[database];
  struct lrd_entry *entry = ks ? lrd_index_find_if(&ks->index, hash, is_sought, &sought) : NULL;

  if (!entry)
    return NULL;
  *at = (struct lrd_at){ shard, database, lrd_entry_key(entry), 0 };
  at->hash = lrd_key_hash(e, at->key);
  return entry;
}

int lrd_evict_may_go(const struct lrd_engine *e, const struct lrd_at *at)
{
  const larder_observer *o = &e->observer;

  return !o->may_forget || o->may_forget(o->context, (int)at->database, at->key);
}

/* --- the bound ------------------------------------------------------------------------- */

static int is_beyond(const struct lrd_engine *e, size_t rest)
{
  uint64_t bound = (uint64_t)lrd_parameter(&e->parameters, LRD_MAXMEMORY);

  return bound && lrd_account_bytes(&e->account) > bound + rest;
}

/* What waits for readers to leave will be freed: nothing has to go in its place. */
static int is_above(const struct lrd_engine *e)
{
  return is_beyond(e, 0) && is_beyond(e, lrd_grace_bytes(e->grace));
}

/* So that this is little of what is allowed: to free it takes some system calls. */
static void limit_waiting(struct lrd_engine *e)
{
  enum { PART = 32 };

  if (lrd_grace_bytes(e->grace) > (uint64_t)lrd_parameter(&e->parameters, LRD_MAXMEMORY) / PART)
    lrd_grace_collect(e->grace);
}

/* A partial engine does not know the key afterwards, as if it had never seen it; that is no
 * change that Redis must be told. */
static void evict(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry)
{
  larder_bytes del[2] = { { "DEL", 3 }, at->key };

  if (!e->partial)
    lrd_keyspace_changed(e, at, NULL, 1, 2, del);
  else if (at->shard->watched.count)
    lrd_hold_touch(at);
  lrd_keyspace_remove(e, at, entry, 0);
  atomic_fetch_add_explicit(&e->evict.evicted, 1, memory_order_relaxed);
}

static struct lrd_evict_search turn(struct lrd_engine *e, larder_policy policy, int64_t now)
{
  struct lrd_evict_search search = { 0, 0, 0 };
  unsigned number = atomic_fetch_add_explicit(&e->evict.turn, 1, memory_order_relaxed);
  struct lrd_shard *shard = &e->shard[number & (e->shards - 1)];
  struct lrd_evict_shard *s;

  lrd_latch_take(&shard->lock);
  (void)lrd_shard_reclaim(e, shard, now, SLICE);
  s = part_of(e, shard);
  while (s && search.freed < SLICE && is_above(e)) {
    struct lrd_at at;
    struct lrd_entry *entry = policy == LARDER_POLICY_ALLKEYS_S3FIFO
                                ? lrd_s3fifo_next(e, &s->queues, shard, &at, &search)
                                : lrd_evict_sample(e, s, shard, policy, now, &at, &search);

    if (!entry)
      break;
    evict(e, &at, entry);
    search.freed++;
    /* a large value is freed when the lock is released: see then how far that went */
    if (atomic_load_explicit(&e->discard.first, memory_order_relaxed))
      break;
  }
  lrd_latch_drop(&shard->lock);
  return search;
}

/* One turn after the other, until what is used is not above the bound, or time is out. 0; -1:
 * all shards were asked, some times over, and nothing may go. */
static int make_room(struct lrd_engine *e, larder_policy policy, uint64_t *freed)
{
  enum { UNTIMED = 4, PATIENCE = 4 };
  unsigned patience = e->shards * (atomic_load(&e->evict.barren) ? 1 : PATIENCE);
  int64_t begin = lrd_monotonic(&e->base.clock), now = lrd_wall_ms(&e->base.clock);

  for (unsigned turns = 0, fruitless = 0; is_above(e); turns++) {
    struct lrd_evict_search search = turn(e, policy, now);

    (void)lrd_discard_free(e, SIZE_MAX);
    *freed += search.freed;
    fruitless = search.freed || search.looked > search.kept ? 0 : fruitless + 1;
    if (fruitless >= patience)
      return is_above(e) ? -1 : 0;
    if (turns >= UNTIMED && lrd_monotonic(&e->base.clock) - begin >= TURN_NS) {
      lrd_maintenance_note(e, now);
      break;
    }
  }
  return 0;
}

static void tell(struct lrd_engine *e, larder_policy policy, int refused)
{
  int64_t now = lrd_monotonic(&e->base.clock);
  int64_t before = atomic_exchange(&e->evict.told, now);
  char bound[LRD_NUMBER_SIZE];
  const char *fields[] = { "policy", lrd_policy_names[policy - 1], "maxmemory", bound, NULL };

  if (before && now - before < QUIET_NS)
    return;
  bound[lrd_print_integer(bound, lrd_parameter(&e->parameters, LRD_MAXMEMORY))] = '\0';
  lrd_event(e->base.hook, LARDER_WARNING, "evict", fields,
            refused ? "maxmemory is reached and nothing may be evicted: writes are refused"
                    : "maxmemory is reached: keys are evicted");
}

int lrd_evict_make_room(struct lrd_engine *e)
{
  larder_policy policy = lrd_policy_of(&e->parameters);
  uint64_t freed = 0;
  int refused;

  if (!is_beyond(e, 0))
    return 0;
  limit_waiting(e);
  if (!is_above(e))
    return 0;
  (void)lrd_discard_free(e, SIZE_MAX);
  if (!is_above(e))
    return 0;
  refused = policy == LARDER_POLICY_NOEVICTION || make_room(e, policy, &freed);
  atomic_store_explicit(&e->evict.barren, (unsigned)refused, memory_order_relaxed);
  if (refused || freed)
    tell(e, policy, refused);
  return refused ? -1 : 0;
}
