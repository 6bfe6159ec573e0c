/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_SHARD_H
#define LRD_MEMORY_SHARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "memory/account.h"
#include "memory/discard.h"
#include "memory/engine.h"
#include "memory/entry.h"
#include "memory/index.h"
#include "memory/parameter.h"
#include "util/grace.h"
#include "util/latch.h"
#include "util/slab.h"

/*
 * The engine: a power of two of shards, chosen by the highest bits of a key's
 * hash.  A shard has one lock (LRD_RANK_SHARD, its number) over all that is in
 * it: sixteen databases, which come into being with their first key, a timing
 * wheel, and who watches which key.
 */


enum { LRD_LINE = 64 };

/* One database's part in a shard. */
struct lrd_keyspace {
  struct lrd_index index;    /* of struct lrd_entry */
  size_t tombstones;         /* of its items */
  size_t expiring;           /* entries with an armed timer */
  struct lrd_keyspace *next; /* in a list of those that were flushed */
  struct lrd_wheel *wheel;   /* flushed with it, or NULL */
};

/* What changes with each call stands in one cache line, with the latch. */
struct lrd_shard {
  _Alignas(LRD_LINE) struct lrd_latch lock;
  _Atomic unsigned waiting;                     /* typed calls inside without the latch */
  _Atomic unsigned char sealed;                 /* typed calls are CLOSED */
  uint64_t calls, hits, misses;                 /* of execute */
  uint64_t got[2];                              /* typed gets with the latch: OK, ABSENT */
  _Alignas(LRD_LINE) struct lrd_keyspace *database[LRD_DATABASES]; /* NULL: empty */
  uint64_t expired;
  struct lrd_wheel *wheel;                      /* NULL: nothing ever expired */
  struct lrd_index watched;                     /* of struct lrd_watched: hold.c */
  struct lrd_prng prng;
  struct lrd_evict_shard *evict;                /* NULL: nothing was ever evicted */
  uint64_t typed[LARDER_OUTCOMES];              /* other replies to typed calls, sets too */
};

_Static_assert(offsetof(struct lrd_shard, database) == LRD_LINE, "one cache line");

/* The optional maintenance thread; maintain.c.  Wanted: by who ends a call, to be started, or
 * to be woken if it runs. */
enum { LRD_NOT_WANTED, LRD_WANTED, LRD_RUNS };

struct lrd_maintenance {
  struct lrd_lock lock;
  pthread_cond_t wake;
  pthread_t thread;
  _Atomic int state;        /* of the enum */
  _Atomic int64_t sleeps_until; /* wall ms; INT64_MAX: until it is woken */
  int started, stop;        /* under the lock */
};

/* What is common to all shards of the memory bound; evict.h. */
struct lrd_evict {
  _Atomic unsigned tracks;     /* an enum lrd_track */
  _Atomic unsigned idle_asked; /* somebody wants to know since when keys are not used */
  _Atomic unsigned epoch;      /* changes with what is tracked */
  _Atomic int64_t since;       /* wall ms: tracking began */
  _Atomic uint64_t chance;     /* of the counters of LFU: a generator's state */
  _Atomic uint64_t evicted;
  _Atomic unsigned turn;       /* counts shards */
  _Atomic unsigned barren;     /* the last search found nothing that may go */
  _Atomic int64_t told;        /* monotonic ns: the last eviction or refusal */
};

/* What readers count in lrd_grace: typed gets and GETs, each with what comes of it added (OK,
 * ABSENT). */
enum { LRD_COUNTED_TYPED = 0, LRD_COUNTED_GETS = 2 };

struct lrd_waiter;

/* Calls that wait for a key; block.h. */
struct lrd_block {
  struct lrd_lock serving; /* whoever runs what waits, or ends it */
  struct lrd_lock lock;    /* of what follows; a shard's may be held */
  struct lrd_waiter *first, *last; /* in order of arrival */
  struct lrd_waiter *ready, **ready_end; /* in the order in which they will be served */
  struct lrd_waiter *ended;        /* submissions whose end is not told yet */
  size_t count;
  int closed;
  _Atomic unsigned ready_count;
  _Atomic int64_t next_end; /* monotonic ns: of a submission, INT64_MAX: none has one */
};

enum { LRD_RESETS = 5 }; /* calls, hits, misses, expired, evicted */

struct lrd_engine {
  larder_backend base;
  struct lrd_account account;
  struct lrd_slab *slab;    /* below the account; NULL: the application's own allocator */
  struct lrd_grace *grace; /* in shard_block */
  struct lrd_parameters parameters;
  struct lrd_evict evict;
  larder_observer observer; /* changed NULL: there is none */
  struct lrd_hub *hub;      /* or NULL: nobody can listen */
  int partial;
  unsigned database;        /* of the store: for get_now and set_now */
  int background;
  struct lrd_universal_key hash_key;
  unsigned shards, shift;   /* a key's shard is hash >> 1 >> shift */
  struct lrd_shard *shard;  /* inside shard_block */
  void *shard_block;
  struct lrd_maintenance maintenance;
  struct lrd_discard discard;
  struct lrd_block block;
  int64_t opened;           /* wall ms */
  _Atomic uint64_t calls;   /* those that no shard has counted */
  _Atomic uint64_t reset[LRD_RESETS]; /* what INFO's counters were at CONFIG RESETSTAT */
  _Atomic unsigned next_tick; /* the shard where the next tick begins */
};

/* 0, or -1: no memory, or no random numbers. */
int lrd_shards_open(struct lrd_engine *, unsigned shards);
/* locks: also the locks (not in a forked child, where they may be held). */
void lrd_shards_close(struct lrd_engine *, int locks);

/* Closing: no typed call is inside any more, and each further one is CLOSED. */
void lrd_shards_seal(struct lrd_engine *);

static inline struct lrd_shard *lrd_shard_of(const struct lrd_engine *e, uint64_t hash)
{
  return &e->shard[hash >> 1 >> e->shift];
}

static inline uint64_t lrd_key_hash(const struct lrd_engine *e, larder_bytes key)
{
  return lrd_universal_hash(&e->hash_key, key.data, key.len);
}

/* A key and where it belongs. */
struct lrd_at {
  struct lrd_shard *shard;
  unsigned database;
  larder_bytes key;
  uint64_t hash;
};

/* --- what a shard holds; its lock is held ----------------------------------- */

/* The entry as it stands, tombstones too, expired or not; its place in the index. */
struct lrd_entry **lrd_keyspace_find(const struct lrd_at *);
/* The same, but what has expired is removed first, and the world is told. */
struct lrd_entry **lrd_keyspace_live(struct lrd_engine *, const struct lrd_at *, int64_t now);

/* A new entry for a key that has none.  0, or -1: no memory. */
int lrd_keyspace_insert(struct lrd_engine *, const struct lrd_at *, struct lrd_entry *);
/* Puts another block of the same key in the place of an entry and frees the old
 * one: its value too, its expiry is gone. */
void lrd_keyspace_replace(struct lrd_engine *, const struct lrd_at *, struct lrd_entry **place,
                          struct lrd_entry *by);
/* Removes an entry.  known: the key is known not to exist now, so a partial engine
 * keeps a tombstone. */
void lrd_keyspace_remove(struct lrd_engine *, const struct lrd_at *, struct lrd_entry *,
                         int known);

/* Makes a key a string, COMPLETE, that expires at (-1: never).  NULL: no memory,
 * nothing changed. */
struct lrd_entry *lrd_keyspace_put(struct lrd_engine *, const struct lrd_at *, larder_bytes value,
                                   int64_t at, int64_t now);
/* The same in two steps: stage takes the memory (NULL: there is none) and changes
 * nothing; the staged entry is freed, or committed: 0, which is certain if the key
 * has an entry, or -1: no memory. */
struct lrd_entry *lrd_keyspace_stage(struct lrd_engine *, const struct lrd_at *,
                                     larder_bytes value, int64_t at, int64_t now);
int lrd_keyspace_commit(struct lrd_engine *, const struct lrd_at *, struct lrd_entry *staged,
                        int64_t at);
/* A tombstone for a key without an entry.  0, or -1: no memory. */
int lrd_keyspace_bury(struct lrd_engine *, const struct lrd_at *);

/* The following keep key, expiry and knowledge; the entry may move.  0, or -1: no
 * memory, nothing changed. */

/* Sets or clears (-1) the expiry.  After a reserve it can't fail. */
int lrd_keyspace_expire(struct lrd_engine *, const struct lrd_at *, struct lrd_entry **,
                        int64_t at, int64_t now);
int lrd_keyspace_reserve_timer(struct lrd_engine *, const struct lrd_at *, struct lrd_entry **,
                               int64_t now);
/* Makes a string a text with room for that many bytes. */
int lrd_keyspace_widen(struct lrd_engine *, const struct lrd_at *, struct lrd_entry **,
                       size_t capacity);
/* Makes a string that number. */
int lrd_keyspace_set_integer(struct lrd_engine *, const struct lrd_at *, struct lrd_entry *,
                             int64_t value);

/* Whether the key's value, or that there is none, is wholly known. */
int lrd_keyspace_knows(const struct lrd_engine *, const struct lrd_at *);

/* Tells WATCH and the observer. */
void lrd_keyspace_tell(struct lrd_engine *, const struct lrd_at *, void *note, int complete,
                       int argc, const larder_bytes *argv);
/* Is there somebody to tell? */
static inline int lrd_keyspace_is_watched(const struct lrd_engine *e, const struct lrd_at *at)
{
  return at->shard->watched.count || e->observer.changed;
}

static inline void lrd_keyspace_changed(struct lrd_engine *e, const struct lrd_at *at, void *note,
                                        int complete, int argc, const larder_bytes *argv)
{
  if (lrd_keyspace_is_watched(e, at))
    lrd_keyspace_tell(e, at, note, complete, argc, argv);
}

/* Live keys of a database in this shard, expired ones not yet reclaimed included. */
size_t lrd_keyspace_count(const struct lrd_shard *, unsigned database);
/* The same without those: what has expired is reclaimed first. */
size_t lrd_keyspace_count_live(struct lrd_engine *, struct lrd_shard *, unsigned database,
                               int64_t now);

/* Takes a database out of the shard, whole; its watchers are told.  What is
 * returned (or NULL) is freed with lrd_keyspace_free when no lock is held. */
struct lrd_keyspace *lrd_keyspace_detach(struct lrd_shard *, unsigned database);
void lrd_keyspace_free(struct lrd_engine *, struct lrd_keyspace *);

/* Reclaims what is due, at most budget steps; 0: there may be more. */
size_t lrd_shard_reclaim(struct lrd_engine *, struct lrd_shard *, int64_t now, size_t budget);

void lrd_engine_execute(larder_backend *, const larder_call *, larder_sink *);

/* --- the thread -------------------------------------------------------------- */

int lrd_maintenance_open(struct lrd_engine *);
/* Something expires at; any lock may be held. */
void lrd_maintenance_note(struct lrd_engine *, int64_t at);
/* There is something to do now: 1 if the thread will do it; no lock is held. */
int lrd_maintenance_wake(struct lrd_engine *);
/* The same at the end of the call that comes to it; any lock may be held.  The context is the
 * engine. */
void lrd_maintenance_ask(void *engine);
/* Blocks wait in lrd_grace: the thread, if it runs, collects them. */
void lrd_maintenance_ask_later(void *engine);
/* Starts the thread if it is wanted, or wakes it; no lock is held. */
void lrd_maintenance_start(struct lrd_engine *);
void lrd_maintenance_close(struct lrd_engine *, int forked);

/* Behind a call: has it left something to be done without a lock? */
static inline int lrd_engine_has_ready(const struct lrd_engine *e)
{
  return atomic_load_explicit(&e->block.ready_count, memory_order_relaxed) != 0;
}

static inline int lrd_engine_has_more(const struct lrd_engine *e)
{
  return atomic_load_explicit(&e->discard.first, memory_order_relaxed) ||
         lrd_engine_has_ready(e) ||
         atomic_load_explicit(&e->maintenance.state, memory_order_relaxed) == LRD_WANTED;
}

void lrd_block_serve(struct lrd_engine *);

static inline void lrd_engine_do_more(struct lrd_engine *e)
{
  if (lrd_engine_has_ready(e))
    lrd_block_serve(e);
  lrd_discard_settle(e);
  lrd_maintenance_start(e);
}

/* One round over the shards while budget ns last; wall ms of the next thing to
 * do, -1: none. */
int64_t lrd_maintenance_round(struct lrd_engine *, int64_t budget);
/* Has memory mapped and unmapped while budget ns since begin last, one step at least if it is not
 * 0; 0: there may be more to do. */
int lrd_maintenance_tend(struct lrd_engine *, int64_t begin, int64_t budget);

/* --- for command handlers: exec.c -------------------------------------------- */

struct lrd_at lrd_at(struct lrd_exec *, larder_bytes key);
/* The entry of any kind and state that a key has now (tombstones too), or NULL. */
struct lrd_entry *lrd_peek(struct lrd_exec *, larder_bytes key);
/* Whether the key is wholly known. */
int lrd_knows(struct lrd_exec *, larder_bytes key);
/* Makes the key a string that expires at (-1: never), COMPLETE.  NULL: no memory,
 * replied. */
struct lrd_entry *lrd_put(struct lrd_exec *, larder_bytes key, larder_bytes value, int64_t at);
/* Makes the key known to be absent.  0: no memory, replied. */
int lrd_bury(struct lrd_exec *, larder_bytes key);
#endif
