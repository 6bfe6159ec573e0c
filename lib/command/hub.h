/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_HUB_H
#define LRD_COMMAND_HUB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

/*
 * Who listens to which channel: one hub a store.  The engine publishes into it, a remote
 * backend relays into it what its server sends (it is the hub's source), and ears (a subscriber
 * of the C API, a client of serve) hear it.  Names are Redis's, with the store's prefix.
 *
 * Any thread may call any of this, with other locks held where it says so.  One lock, of rank
 * LRD_RANK_HUB: above shards' and journal's (EXEC publishes with shards held), below an ear's own.
 *
 * Cost: publishing where nobody listens to anything is one load.  Else: one allocation, the
 * lock, one keyed hash (SipHash: nobody can build colliding names), a match of each pattern, and
 * a call for each ear.
 *
 * Bounded: LRD_HUB_MEMBERS subscriptions and LRD_HUB_NAME_BYTES of names a store.
 */

struct lrd_hub;

enum { LRD_HUB_MEMBERS = 1 << 20, LRD_HUB_NAME_BYTES = 64 << 20 };

enum lrd_hub_kind { LRD_HUB_CHANNEL, LRD_HUB_PATTERN, LRD_HUB_SHARD, LRD_HUB_KINDS };

enum lrd_hub_state {
  LRD_HUB_READY,   /* the name is subscribed: nothing is missed from here on */
  LRD_HUB_GAP,     /* no name: messages may be missed from here on, for each name until its READY */
  LRD_HUB_MISSED,  /* no name: a message could not be kept; the subscriptions last */
  LRD_HUB_REFUSED, /* the server refused this name (text: its own): it is not subscribed any more */
  LRD_HUB_CLOSED   /* no name: the store was closed, the ear belongs to no hub any more */
};

/* A name or a message: one block for all who hold it, constant, counted.  Released through the
 * memory hook that it came from: the hub's. */
struct lrd_name {
  atomic_uint references;
  size_t len;
  char bytes[]; /* and a NUL */
};

struct lrd_message {
  atomic_uint references;
  size_t channel, payload; /* lengths */
  char bytes[];            /* the channel's and a NUL, then the payload's and a NUL */
};

static inline const char *lrd_message_payload(const struct lrd_message *m)
{
  return m->bytes + m->channel + 1;
}

static inline struct lrd_name *lrd_name_hold(struct lrd_name *n)
{
  atomic_fetch_add_explicit(&n->references, 1, memory_order_relaxed);
  return n;
}
static inline struct lrd_message *lrd_message_hold(struct lrd_message *m)
{
  atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
  return m;
}
/* NULL is allowed. */
void lrd_name_drop(const larder_memory *, struct lrd_name *);
void lrd_message_drop(const larder_memory *, struct lrd_message *);

/*
 * Who listens.  Memory of its owner, zeroed but for the two functions.  They are called with
 * the hub's lock held: append to bounded memory and wake somebody, no I/O, no call of the hub.
 */
struct lrd_member;
struct lrd_ear {
  /* name: of the pattern that matched, or of the channel; hold it and the message to keep them. */
  void (*hear)(struct lrd_ear *, enum lrd_hub_kind, struct lrd_name *, struct lrd_message *);
  /* name NULL: state concerns all of the ear's.  text: why, or NULL; valid for the call. */
  void (*changed)(struct lrd_ear *, enum lrd_hub_state, enum lrd_hub_kind, struct lrd_name *,
                  const char *text);
  /* The hub's, under its lock. */
  struct lrd_hub *hub; /* NULL: not opened, or the hub was closed */
  struct lrd_ear *next, *before;
  struct lrd_member *members;
  atomic_size_t count[LRD_HUB_KINDS]; /* its subscriptions; read by anybody */
};

/* --- life: lib/store ------------------------------------------------------- */

/* NULL: no memory (or randomness). */
struct lrd_hub *lrd_hub_new(const larder_memory *);
/* Every ear hears CLOSED and is parted from the hub, which lives until its last ear is closed.
 * forked: in a child that inherited a copy; takes no lock, calls nobody. */
void lrd_hub_close(struct lrd_hub *, int forked);

/* --- ears ------------------------------------------------------------------ */

/* The ear keeps the hub's memory alive until it is closed.  OK or CLOSED. */
larder_outcome lrd_ear_open(struct lrd_hub *, struct lrd_ear *);
/* Ends its subscriptions; when it returns neither function runs or will be called.  hub: that of
 * lrd_ear_open.  forked: as above. */
void lrd_ear_close(struct lrd_hub *, struct lrd_ear *, int forked);

/* Registers; never waits.  OK: READY follows (or was heard already; subscribed before: it is
 * heard again, if it is).  NO_MEMORY (also where a bound is reached) or CLOSED: nothing changed.
 * With no lock held that is ranked below the hub's: the source's wants_changed is called. */
larder_outcome lrd_hub_subscribe(struct lrd_hub *, struct lrd_ear *, enum lrd_hub_kind,
                                 larder_bytes name);
/* OK, ABSENT: it was not subscribed, or CLOSED.  Nothing is heard of the name any more. */
larder_outcome lrd_hub_unsubscribe(struct lrd_hub *, struct lrd_ear *, enum lrd_hub_kind,
                                   larder_bytes name);
/* 1: READY; -1: not yet; 0: the ear has not subscribed it (any more). */
int lrd_hub_is_ready(struct lrd_hub *, struct lrd_ear *, enum lrd_hub_kind, larder_bytes name);
/* One of the ear's names of that kind, held, or NULL: there are none. */
struct lrd_name *lrd_ear_first(struct lrd_hub *, struct lrd_ear *, enum lrd_hub_kind);

/* --- messages --------------------------------------------------------------- */

/* PUBLISH (LRD_HUB_CHANNEL: ears of the channel, then of patterns that match) and SPUBLISH
 * (LRD_HUB_SHARD).  The number of subscriptions that heard it; -1: no memory, nobody heard it. */
int64_t lrd_hub_publish(struct lrd_hub *, enum lrd_hub_kind, larder_bytes channel,
                        larder_bytes payload);
/* From a source: exactly the ears of that name (channel: of the message; for a channel the name
 * itself).  No memory: they hear MISSED. */
void lrd_hub_relay(struct lrd_hub *, enum lrd_hub_kind, larder_bytes name, larder_bytes channel,
                   larder_bytes payload);

/* --- a source ---------------------------------------------------------------
 *
 * A backend whose messages come from elsewhere attaches one while it opens, and detaches it
 * when it closes.  Without one a name is READY at once.
 *
 *   wants_changed   on the thread that subscribes or unsubscribes, without the hub's lock, also
 *                   several times at once: wake the loop, nothing more.  Called when there is
 *                   a change to take where there was none.
 *   the loop        takes all changes and sends SUBSCRIBE or UNSUBSCRIBE for each, in that order;
 *                   confirmations come in the order sent: lrd_hub_ready with the change's ticket.
 *   connection lost lrd_hub_gap: ears that were READY hear GAP, and every name that is still wanted
 *                   is a change again (with a new ticket), so that taking all changes after
 *                   reconnecting is all there is to do.  lrd_hub_wanted says whether to reconnect.
 */
struct lrd_hub_source {
  void (*wants_changed)(void *context);
  void *context;
};

struct lrd_hub_change {
  enum lrd_hub_kind kind;
  int wanted;            /* 1: subscribe, 0: unsubscribe */
  uint64_t ticket;       /* of the subscription: new each time it is taken; 0 where not wanted */
  struct lrd_name *name; /* held for the taker: lrd_name_drop with lrd_hub_memory */
};

/* One source at most: OK, or BAD_ARGUMENT. */
larder_outcome lrd_hub_attach(struct lrd_hub *, const struct lrd_hub_source *);
/* When it returns wants_changed doesn't run and won't be called.  Names are not READY by
 * that: ears hear GAP, and who opens an ear or subscribes is told CLOSED: the store is closing. */
void lrd_hub_detach(struct lrd_hub *, const struct lrd_hub_source *);
const larder_memory *lrd_hub_memory(const struct lrd_hub *);

/* 1: *change is the oldest change, and taken; 0: there is none. */
int lrd_hub_take_change(struct lrd_hub *, struct lrd_hub_change *change);
/* The server confirmed, or refused (its error text), that subscription.  An old ticket, or a
 * name that is not wanted any more, is ignored. */
void lrd_hub_ready(struct lrd_hub *, enum lrd_hub_kind, larder_bytes name, uint64_t ticket);
void lrd_hub_refuse(struct lrd_hub *, enum lrd_hub_kind, larder_bytes name, uint64_t ticket,
                    const char *text);
/* The connection is lost, or can't be made (text: why).  Returns how many names that were READY
 * are not any more. */
size_t lrd_hub_gap(struct lrd_hub *, const char *text);
/* Names that somebody wants; taken or not. */
size_t lrd_hub_wanted(struct lrd_hub *);

/* --- PUBSUB ------------------------------------------------------------------ */

/* Calls visit for each name of that kind that has ears and matches (pattern.data NULL: all).
 * Under the lock: visit may allocate, nothing else.  Returns how many. */
size_t lrd_hub_names(struct lrd_hub *, enum lrd_hub_kind, larder_bytes pattern,
                     void (*visit)(void *context, const struct lrd_name *), void *context);
/* Ears of one name. */
size_t lrd_hub_ears(struct lrd_hub *, enum lrd_hub_kind, larder_bytes name);
/* How many names of that kind have ears. */
size_t lrd_hub_count(struct lrd_hub *, enum lrd_hub_kind);

#endif
