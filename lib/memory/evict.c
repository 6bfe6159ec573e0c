/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/evict.h"

const char lrd_text_oom[] = "OOM command not allowed when used memory > 'maxmemory'.";

/* --- what is tracked ------------------------------------------------------------------ */

static enum lrd_track tracks_of(const struct lrd_engine *e)
{
  larder_policy policy = lrd_policy_of(&e->parameters);

  if (lrd_policy_is_lfu(policy))
    return LRD_TRACK_FREQUENCY;
  if (policy == LARDER_POLICY_ALLKEYS_S3FIFO)
    return LRD_TRACK_QUEUE;
  return lrd_policy_is_lru(policy) || atomic_load(&e->evict.idle_asked) ? LRD_TRACK_TIME
                                                                         : LRD_TRACK_NOTHING;
}

void lrd_evict_configure(struct lrd_engine *e)
{
  unsigned tracks = (unsigned)tracks_of(e);

  if (atomic_load(&e->evict.tracks) == tracks)
    return;
  atomic_store(&e->evict.since, lrd_wall_ms(&e->base.clock));
  atomic_store(&e->evict.tracks, tracks);
}

void lrd_evict_close(struct lrd_engine *e, struct lrd_shard *shard)
{
  (void)e;
  (void)shard;
}

/* --- use ------------------------------------------------------------------------------ */

static uint16_t seconds(const struct lrd_engine *e, int64_t now)
{
  int64_t since = atomic_load_explicit(&e->evict.since, memory_order_relaxed);

  return (uint16_t)(1 + (now > since ? (uint64_t)(now - since) / 1000 : 0) % UINT16_MAX);
}

void lrd_evict_touch(struct lrd_engine *e, struct lrd_entry *entry, int64_t now)
{
  if (lrd_evict_tracks(e) != LRD_TRACK_TIME)
    return;
  if (now < 0)
    now = lrd_wall_ms(&e->base.clock);
  atomic_store_explicit(&entry->used, seconds(e, now), memory_order_relaxed);
}

void lrd_evict_enroll(struct lrd_engine *e, const struct lrd_at *at, struct lrd_entry *entry)
{
  (void)at;
  lrd_evict_touch(e, entry, -1);
}

/* --- the bound ------------------------------------------------------------------------- */

int lrd_evict_make_room(struct lrd_engine *e)
{
  uint64_t bound = (uint64_t)lrd_parameter(&e->parameters, LRD_MAXMEMORY);

  if (lrd_account_bytes(&e->account) > bound)
    (void)lrd_discard_free(e, SIZE_MAX);
  return lrd_account_bytes(&e->account) > bound ? -1 : 0;
}

/* --- what OBJECT asks ----------------------------------------------------------------- */

int64_t lrd_evict_freq(struct lrd_engine *e, const struct lrd_entry *entry, int64_t now,
                       const char **error)
{
  (void)e;
  (void)entry;
  (void)now;
  *error = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please "
           "note that when switching between policies at runtime LRU and LFU data will take some "
           "time to adjust.";
  return 0;
}

int64_t lrd_evict_idle(struct lrd_engine *e, const struct lrd_entry *entry, int64_t now,
                       const char **error)
{
  unsigned used, tick;

  *error = NULL;
  if (lrd_evict_tracks(e) == LRD_TRACK_NOTHING) {
    atomic_store(&e->evict.idle_asked, 1);
    lrd_evict_configure(e);
  }
  if (lrd_evict_tracks(e) != LRD_TRACK_TIME) {
    *error = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that "
             "when switching between policies at runtime LRU and LFU data will take some time to "
             "adjust.";
    return 0;
  }
  used = atomic_load_explicit(&entry->used, memory_order_relaxed);
  tick = seconds(e, now);
  if (!used)
    return tick - 1;
  return tick >= used ? tick - used : tick + UINT16_MAX - used;
}

int lrd_evict_knows_each(const struct lrd_engine *e)
{
  larder_policy policy = lrd_policy_of(&e->parameters);

  return lrd_parameter(&e->parameters, LRD_MAXMEMORY) &&
         (lrd_policy_is_lfu(policy) || lrd_policy_is_lru(policy));
}
