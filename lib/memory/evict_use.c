/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/evict_shard.h"

/* What an entry's sixteen bits say of its use, and what OBJECT replies of it. */

enum { LFU_BEGINS = 5, MINUTE_MS = 60000 };

static unsigned used_of(const struct lrd_entry *entry)
{
  return atomic_load_explicit(&entry->used, memory_order_relaxed);
}

/* --- time ------------------------------------------------------------------------------ */

static unsigned ticks(const struct lrd_engine *e, int64_t now)
{
  int64_t since = atomic_load_explicit(&e->evict.since, memory_order_relaxed);

  return 1 + (unsigned)((now > since ? (uint64_t)(now - since) / 1000 : 0) % UINT16_MAX);
}

unsigned lrd_evict_seconds(const struct lrd_engine *e, const struct lrd_entry *entry, int64_t now)
{
  unsigned used = used_of(entry), tick = ticks(e, now);

  if (!used)
    return tick - 1;
  return tick >= used ? tick - used : tick + UINT16_MAX - used;
}

/* --- frequency: Redis's counter --------------------------------------------------------- */

/* Time is counted in what a counter needs to lose one. */
static unsigned periods(const struct lrd_engine *e, int64_t now)
{
  int64_t decay = lrd_parameter(&e->parameters, LRD_LFU_DECAY_TIME);

  return decay ? (unsigned)(now / MINUTE_MS / decay) & UINT8_MAX : 0;
}

static unsigned decayed(unsigned used, unsigned period)
{
  unsigned passed = (period - (used >> 8)) & UINT8_MAX, n = used & UINT8_MAX;

  return n > passed ? n - passed : 0;
}

unsigned lrd_evict_count(const struct lrd_engine *e, const struct lrd_entry *entry, int64_t now)
{
  if (!lrd_parameter(&e->parameters, LRD_LFU_DECAY_TIME))
    return used_of(entry) & UINT8_MAX;
  return decayed(used_of(entry), periods(e, now));
}

/* Readers have no lock: two of them may draw the same number. */
static double chance(struct lrd_engine *e)
{
  uint64_t x = atomic_load_explicit(&e->evict.chance, memory_order_relaxed) +
               UINT64_C(0x9e3779b97f4a7c15);

  atomic_store_explicit(&e->evict.chance, x, memory_order_relaxed);
  x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
  return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static unsigned counted(struct lrd_engine *e, unsigned n)
{
  double factor = (double)lrd_parameter(&e->parameters, LRD_LFU_LOG_FACTOR);
  double base = n > LFU_BEGINS ? n - LFU_BEGINS : 0;

  return n < UINT8_MAX && chance(e) < 1.0 / (base * factor + 1) ? n + 1 : n;
}

/* --- noting use --------------------------------------------------------------------------- */

/* Three at most; the mark beside it belongs to the queues. */
static void count_use(struct lrd_entry *entry)
{
  uint16_t used = (uint16_t)used_of(entry);

  if ((used & LRD_EVICT_USES) < LRD_EVICT_USES)
    (void)atomic_compare_exchange_weak_explicit(&entry->used, &used, (uint16_t)(used + 1),
                                                memory_order_relaxed, memory_order_relaxed);
}

static void set_used(struct lrd_entry *entry, unsigned used)
{
  atomic_store_explicit(&entry->used, (uint16_t)used, memory_order_relaxed);
}

void lrd_evict_touch(struct lrd_engine *e, struct lrd_entry *entry, int64_t now)
{
  enum lrd_track tracks = lrd_evict_tracks(e);

  if (tracks == LRD_TRACK_QUEUE) {
    count_use(entry);
    return;
  }
  if (now < 0)
    now = lrd_wall_ms(&e->base.clock);
  if (tracks == LRD_TRACK_TIME)
    set_used(entry, ticks(e, now));
  else if (tracks == LRD_TRACK_FREQUENCY)
    set_used(entry, periods(e, now) << 8 | counted(e, lrd_evict_count(e, entry, now)));
}

void lrd_evict_begin_use(struct lrd_engine *e, struct lrd_entry *entry, int64_t now)
{
  if (lrd_evict_tracks(e) == LRD_TRACK_FREQUENCY)
    set_used(entry, periods(e, now) << 8 | LFU_BEGINS);
  else
    lrd_evict_touch(e, entry, now);
}

/* --- what OBJECT asks ----------------------------------------------------------------- */

int64_t lrd_evict_freq(struct lrd_engine *e, const struct lrd_entry *entry, int64_t now,
                       const char **error)
{
  enum lrd_track tracks = lrd_evict_tracks(e);

  *error = NULL;
  if (tracks == LRD_TRACK_FREQUENCY)
    return lrd_evict_count(e, entry, now);
  if (tracks == LRD_TRACK_QUEUE)
    return used_of(entry) & LRD_EVICT_USES;
  *error = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please "
           "note that when switching between policies at runtime LRU and LFU data will take some "
           "time to adjust.";
  return 0;
}

int64_t lrd_evict_idle(struct lrd_engine *e, const struct lrd_entry *entry, int64_t now,
                       const char **error)
{
  enum lrd_track tracks = lrd_evict_tracks(e);

  *error = NULL;
  if (tracks == LRD_TRACK_NOTHING) {
    atomic_store(&e->evict.idle_asked, 1);
    lrd_evict_configure(e);
  } else if (tracks == LRD_TRACK_FREQUENCY) {
    *error = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that "
             "when switching between policies at runtime LRU and LFU data will take some time to "
             "adjust.";
    return 0;
  } else if (tracks == LRD_TRACK_QUEUE) {
    *error = "ERR The allkeys-s3fifo maxmemory policy is selected, idle time not tracked.";
    return 0;
  }
  return lrd_evict_seconds(e, entry, now);
}

int lrd_evict_knows_each(const struct lrd_engine *e)
{
  larder_policy policy = lrd_policy_of(&e->parameters);

  return lrd_parameter(&e->parameters, LRD_MAXMEMORY) &&
         (lrd_policy_is_lfu(policy) || lrd_policy_is_lru(policy));
}
