/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_FALLBACK_FALLBACK_H
#define LRD_FALLBACK_FALLBACK_H

#include <pthread.h>
#include <stdatomic.h>

#include <larder/backend.h>
#include <larder/status.h>

#include "command/command.h"
#include "command/sink.h"
#include "fallback/breaker.h"
#include "fallback/contract.h"
#include "fallback/journal.h"
#include "fallback/relay.h"
#include "store/config.h"
#include "util/arena.h"

/*
 * The fallback backend: a remote Redis in front, the in-process engine behind.
 *
 *   STARTING  the first connection attempt runs; calls wait for it within their
 *             deadlines
 *   UP        calls go to Redis.  A call that names a pending key (journal.h) has
 *             the key's record replayed first, so a key returns to Redis whole
 *   DOWN      calls are answered by the contract (contract.h) at local cost; the
 *             keeper probes
 *   DENIED    Redis refuses the credentials: calls are told so, nothing is local
 *
 * The breaker (breaker.h) takes UP to DOWN.  Then every old connection is cut;
 * the remote backend kills them at the server too before a new one is used, so
 * that a write of before can't land after a replayed one.
 *
 * A replay batch is one transaction: it sets the marker, a key of this store's
 * own, to the batch's number, together with the writes.  A batch whose
 * reply was lost stays as it is and is resolved by reading the marker.
 *
 * Threads: one keeper thread probes, replays and runs what has to wait; one more,
 * if anything ever had to, ends it at its deadline meanwhile; calls run on their
 * callers' threads.  fallback.lock (LRD_RANK_FALLBACK) guards what
 * is said to be; it is never held while a backend or the application is called.
 */

extern const larder_backend_table lrd_fallback_table;

struct lrd_emitted;

/* The one batch that may be on its way. */
struct lrd_batch {
  struct lrd_record *records; /* frozen; NULL: there is no batch */
  struct lrd_arena arena;     /* commands */
  struct lrd_emitted *commands, *forget;
  size_t count;               /* of commands */
  size_t size;                /* of their bytes, about; of whole values only once it is built */
  int whole;                  /* there are whole values in it */
  int64_t number;
  int database;
  int built;
  int sent;                   /* it may have been applied */
  int64_t sent_at;            /* monotonic ns */
  uint64_t writes;
};

struct lrd_parked; /* submit.c */

struct lrd_fallback {
  larder_backend base;
  const struct lrd_config *config;
  larder_backend *remote, *memory;
  larder_observer observer;
  struct lrd_journal journal;
  struct lrd_breaker breaker;
  _Atomic int state;      /* larder_state; written under lock */
  _Atomic uint64_t epoch; /* counts the switches: changes of state, but not the first one, to UP */

  struct lrd_lock lock;
  pthread_cond_t changed; /* state, replaying, work for the keeper */
  pthread_t keeper;
  int keeper_runs;
  pthread_t usher;        /* ends parked calls at their deadlines */
  _Atomic int usher_wanted;
  /* all of the following under lock */
  int stop;
  int cut;                /* the remote's connections must be cut before anything else */
  int64_t since;          /* of state; monotonic ns */
  int64_t next_probe;
  unsigned attempts;
  struct lrd_prng prng;
  int replaying;          /* somebody owns batch, marker_databases */
  int64_t paused_until;
  unsigned pauses;
  struct lrd_parked *parked, **parked_tail;
  struct lrd_parked *flying; /* submissions that are with the remote */
  char denial[256];
  char refusal[128];      /* why Redis takes no journaled writes now; "": it does */

  /* owned by who set replaying */
  _Atomic int heavy;         /* the batch is the keeper's: too large for a caller's deadline */
  struct lrd_batch batch;
  struct lrd_record *rest;   /* frozen too: the other part of a batch that was refused */
  int64_t batch_number;
  char marker[64];
  unsigned marker_databases; /* bit n: the marker exists in database n */

  _Atomic uint64_t outages, local_calls, replayed, batches, dropped, dead_letters, unknown_batches;
};

static inline struct lrd_fallback *lrd_fallback_of(larder_backend *b)
{
  return (struct lrd_fallback *)b;
}

static inline enum larder_state lrd_fallback_state(struct lrd_fallback *f)
{
  return (enum larder_state)atomic_load_explicit(&f->state, memory_order_acquire);
}

static inline int64_t lrd_fallback_now(const struct lrd_fallback *f)
{
  return lrd_monotonic(&f->base.clock);
}

/* --- route.c ---------------------------------------------------------------- */

void lrd_fallback_execute(larder_backend *, const larder_call *, larder_sink *);
larder_hold *lrd_fallback_hold_open(larder_backend *);
void lrd_fallback_hold_close(larder_backend *, larder_hold *);

/* The sink between the remote backend and a caller: judges each verdict and has
 * what was certainly not executed answered locally (remote_only: not so). */
struct lrd_route {
  struct lrd_relay relay; /* first: its sink is what the remote writes to */
  larder_sink_type type;
  const larder_sink_type *plain;
  struct lrd_fallback *fallback;
  const larder_call *call; /* must live as long as the route */
  size_t next;             /* the vector whose reply is on its way */
  int remote_only;
  char text[128];          /* the beginning of the reply, if it is an error */
};
void lrd_route_init(struct lrd_route *, struct lrd_fallback *, const larder_call *,
                    int remote_only, larder_sink *target);

/* Does the call name a key that is pending? */
int lrd_fallback_owes(struct lrd_fallback *, const larder_call *);

/* Refused by the handshake, not by an ACL rule for one command. */
int lrd_fallback_is_denial(const larder_verdict *, const char *text);
/* Judges a verdict of the remote backend: may change the state. */
void lrd_fallback_judge(struct lrd_fallback *, const larder_verdict *, const char *text);
/* Must a call that got this verdict be answered locally instead? */
int lrd_fallback_is_local(struct lrd_fallback *, const larder_verdict *);

/* --- local.c ---------------------------------------------------------------- */

/* Answers a whole call by the contract. */
void lrd_fallback_local(struct lrd_fallback *, const larder_call *, larder_sink *);
/* One vector of it. */
void lrd_fallback_local_vector(struct lrd_fallback *, const larder_call *, const larder_vector *,
                               larder_sink *);

/* --- replay.c --------------------------------------------------------------- */

enum lrd_replay {
  LRD_REPLAY_DONE,   /* a batch was acknowledged, or there was nothing: look again */
  LRD_REPLAY_DOWN,   /* Redis is not there */
  LRD_REPLAY_PAUSED, /* Redis is there and can't take writes now */
  LRD_REPLAY_LATE    /* the deadline passed */
};

/* Replays one batch with the records of the key's group, or (key.data NULL) the oldest
 * of the database (-1: of any).  Any thread; one at a time. */
enum lrd_replay lrd_fallback_replay(struct lrd_fallback *, int database, larder_bytes key,
                                    int64_t deadline);
/* Removes the markers from Redis, if nothing is pending. */
void lrd_fallback_clean(struct lrd_fallback *, int64_t deadline);

/* --- batch.c ----------------------------------------------------------------- */

/* A batch of frozen records; nothing is built yet. */
void lrd_batch_begin(struct lrd_fallback *, struct lrd_batch *, struct lrd_record *, int database);
/* Writes the commands: as long as the values are large.  0, or -1: no memory. */
int lrd_batch_build(struct lrd_fallback *, struct lrd_batch *);
/* Leaves one half of the groups in a batch that was not applied; the other one is the
 * fallback's rest.  0: there is one group only, or none. */
int lrd_batch_split(struct lrd_fallback *, struct lrd_batch *);
/* Its keys are Redis's again; b->writes says how many writes were in it. */
void lrd_batch_end(struct lrd_fallback *, struct lrd_batch *);
/* One command that Redis refused for its own reasons: told and counted. */
void lrd_batch_letter(struct lrd_fallback *, const struct lrd_emitted *, const larder_value *error);
void lrd_fallback_batch_free(struct lrd_fallback *);

/* --- keeper.c --------------------------------------------------------------- */

int lrd_keeper_start(struct lrd_fallback *);
void lrd_keeper_stop(struct lrd_fallback *);
void lrd_keeper_wake(struct lrd_fallback *);
/* Probe now, whatever the backoff says. */
void lrd_keeper_hurry(struct lrd_fallback *);
/* State changes; the events are sent here. */
void lrd_fallback_degrade(struct lrd_fallback *, enum larder_cause, const char *text);
void lrd_fallback_deny(struct lrd_fallback *, const char *text);
void lrd_fallback_recover(struct lrd_fallback *);

/* --- submit.c --------------------------------------------------------------- */

void lrd_fallback_submit(larder_backend *, const larder_call *, larder_submission *);
void lrd_fallback_cancel(larder_backend *, larder_submission *);
/* Runs parked submissions; with the lock held, which it lets go meanwhile. */
void lrd_fallback_run_parked(struct lrd_fallback *);
/* The thread that ends what is parked when its deadline passes; f->stop is set. */
void lrd_fallback_join_usher(struct lrd_fallback *);

#endif
