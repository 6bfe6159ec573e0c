/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/evict_shard.h"

/*
 * Redis's policies.  Some keys of each database are drawn, and the best candidates so far
 * wait in a pool for the next time, as Redis does it since 3.0; what a policy is about is a
 * score.  Keys that expire have no index of their own to draw from: if drawing meets none,
 * one that expires soon goes; by volatile-ttl it is a candidate always.
 */

/* One more for the one that expires soon. */
enum { DRAWN_MAX = 64, DRAWS_MAX = 16 };

struct drawn {
  struct lrd_engine *engine;
  struct lrd_shard *shard;
  struct lrd_evict_search *search;
  int volatile_only;
  size_t count, wanted;
  struct lrd_entry *entry[DRAWN_MAX + 1];
};

static void draw(void *context, void *item)
{
  struct drawn *d = context;
  struct lrd_entry *entry = item;
  struct lrd_at at = { d->shard, entry->database, lrd_entry_key(entry), 0 };

  if (d->count == d->wanted || (d->volatile_only && lrd_entry_expiry(entry) < 0))
    return;
  d->search->looked++;
  if (lrd_evict_may_go(d->engine, &at))
    d->entry[d->count++] = entry;
  else
    d->search->kept++;
}

static void draw_from(struct drawn *d, struct lrd_keyspace *ks)
{
  size_t before = d->count, samples = (size_t)lrd_parameter(&d->engine->parameters,
                                                            LRD_MAXMEMORY_SAMPLES);

  if (d->volatile_only && !ks->expiring)
    return;
  d->wanted = samples < DRAWN_MAX - before ? before + samples : DRAWN_MAX;
  for (int i = 0; i < DRAWS_MAX && d->count < d->wanted; i++)
    (void)lrd_index_scan(&ks->index, lrd_prng_next(&d->shard->prng),
                         draw, d);
}

static void draw_all(struct drawn *d)
{
  for (unsigned i = 0; i < LRD_DATABASES; i++)
    if (d->shard->database[i])
      draw_from(d, d->shard->database[i]);
}

/* --- the pool -------------------------------------------------------------------- */

/* The higher, the sooner it goes. */
static uint64_t score_of(const struct lrd_engine *e, larder_policy policy,
                         const struct lrd_entry *entry, int64_t now)
{
  if (lrd_policy_is_lru(policy))
    return lrd_evict_seconds(e, entry, now);
  if (lrd_policy_is_lfu(policy))
    return UINT8_MAX - lrd_evict_count(e, entry, now);
  return UINT64_MAX - (uint64_t)lrd_entry_expiry(entry);
}

static void offer(struct lrd_evict_shard *s, const struct lrd_candidate *c)
{
  unsigned i = 0;

  for (unsigned j = 0; j < s->candidates; j++)
    if (s->pool[j].hash == c->hash && s->pool[j].database == c->database)
      return;
  while (i < s->candidates && s->pool[i].score <= c->score)
    i++;
  if (s->candidates < LRD_POOL) {
    memmove(&s->pool[i + 1], &s->pool[i], (s->candidates - i) * sizeof *s->pool);
    s->candidates++;
  } else if (i) {
    memmove(&s->pool[0], &s->pool[1], --i * sizeof *s->pool);
  } else {
    return;
  }
  s->pool[i] = *c;
}

static void fill_pool(struct lrd_evict_shard *s, const struct drawn *d, larder_policy policy,
                      int64_t now)
{
  for (size_t i = 0; i < d->count; i++) {
    const struct lrd_entry *entry = d->entry[i];
    struct lrd_candidate c = { .database = entry->database,
                               .score = score_of(d->engine, policy, entry, now) };

    c.hash = lrd_key_hash(d->engine, lrd_entry_key(entry)) & LRD_INDEX_HASH_MASK;
    offer(s, &c);
  }
}

static struct lrd_entry *best_of_pool(struct lrd_engine *e, struct lrd_evict_shard *s,
                                      struct drawn *d, struct lrd_at *at)
{
  while (s->candidates) {
    const struct lrd_candidate *c = &s->pool[--s->candidates];
    struct lrd_entry *entry = lrd_evict_find(e, d->shard, c->hash, c->database, at);

    if (entry && (!d->volatile_only || lrd_entry_expiry(entry) >= 0) && lrd_evict_may_go(e, at))
      return entry;
  }
  return NULL;
}

/* --- one key ----------------------------------------------------------------------- */

static void draw_soonest(struct drawn *d)
{
  struct lrd_timer *t = d->shard->wheel ? lrd_wheel_soonest(d->shard->wheel) : NULL;

  if (!t)
    return;
  d->wanted = d->count + 1;
  draw(d, lrd_entry_of_timer(t));
}

static struct lrd_entry *any_of(struct drawn *d, struct lrd_at *at)
{
  struct lrd_entry *entry = d->entry[lrd_prng_below(&d->shard->prng, d->count)];

  *at = (struct lrd_at){ d->shard, entry->database, lrd_entry_key(entry), 0 };
  at->hash = lrd_key_hash(d->engine, at->key);
  return entry;
}

struct lrd_entry *lrd_evict_sample(struct lrd_engine *e, struct lrd_evict_shard *s,
                                   struct lrd_shard *shard, larder_policy policy, int64_t now,
                                   struct lrd_at *at, struct lrd_evict_search *search)
{
  struct drawn d = { .engine = e, .shard = shard, .search = search,
                     .volatile_only = lrd_policy_is_volatile(policy) };

  draw_all(&d);
  if (policy == LARDER_POLICY_VOLATILE_TTL || (d.volatile_only && !d.count))
    draw_soonest(&d);
  if (policy == LARDER_POLICY_ALLKEYS_RANDOM || policy == LARDER_POLICY_VOLATILE_RANDOM)
    return d.count ? any_of(&d, at) : NULL;
  fill_pool(s, &d, policy, now);
  return best_of_pool(e, s, &d, at);
}
