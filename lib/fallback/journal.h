/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_FALLBACK_JOURNAL_H
#define LRD_FALLBACK_JOURNAL_H

#include <stdatomic.h>

#include <larder/backend.h>

#include "command/command.h"
#include "util/clock.h"
#include "util/lock.h"

/*
 * The journal: what was written locally during an outage and Redis must still
 * be told, one record per key.
 *
 * A record is either
 *   whole   the engine knows the key's whole value; nothing is kept here, the
 *           value is read from the engine when it is replayed, or
 *   ops     what was done to a key whose base value only Redis knows, folded
 *           (fold.h) so that replaying the ops gives what replaying every
 *           single write would have given, on any base value.
 * Records that were written by one atomic step form a group and travel in one
 * batch.
 *
 * Memory: the engine tells of a change under a shard's lock, when it is too
 * late to fail.  So whoever is about to write locally first reserves a purse, big
 * enough for everything that this call can append; records and ops are carved
 * from purses, and a purse is released with the last thing in it.
 *
 * A record that is being replayed is frozen: it does not change any more, and
 * a later write to its key begins a new record.  A key is pending while it
 * has a record of either kind.
 *
 * A call that writes several keys at once is told to the journal key by key.  A
 * call may still be running when Redis is back, so freezing waits until no such
 * call is half told: else a part of its group would be gone under it.
 *
 * Locking: one lock (LRD_RANK_JOURNAL), above the shards', held for a few
 * pointer operations; never while calling anything.
 */

struct lrd_purse {
  unsigned references; /* things carved from it, and one while its call runs */
  size_t size, used;
};

enum lrd_op_kind {
  LRD_OP_INCREMENT,   /* number */
  LRD_OP_APPEND,      /* value */
  LRD_OP_FIELD_SET,   /* sub, value */
  LRD_OP_FIELD_DELETE,
  LRD_OP_FIELD_INCREMENT, /* sub, number */
  LRD_OP_MEMBER_ADD,  /* sub */
  LRD_OP_MEMBER_REMOVE,
  LRD_OP_PUSH_LEFT,   /* value */
  LRD_OP_PUSH_RIGHT,
  LRD_OP_SCORE_SET,   /* sub, value: the score as it was given */
  LRD_OP_SCORE_REMOVE,
  LRD_OP_SCORE_INCREMENT, /* sub, value */
  LRD_OP_EXPIRE,      /* number: wall ms on our clock */
  LRD_OP_PERSIST,
  LRD_OP_REMOVE_RANGE /* sub: min, value: max */
};

struct lrd_record;

struct lrd_op {
  struct lrd_op *next, *previous; /* in the record, in order */
  struct lrd_op *chain;           /* in the index by (record, sub) */
  struct lrd_op *before;          /* what the index knew under sub in older generations */
  struct lrd_purse *purse;
  struct lrd_record *record;
  uint64_t hash;
  enum lrd_op_kind kind;
  unsigned generation; /* fold.h */
  unsigned chained : 1; /* an earlier op of the same sub stands before it */
  unsigned indexed : 1;
  int64_t number;
  uint64_t span;       /* of increments: their magnitudes, added up */
  size_t sub_len, value_len;
  const char *sub, *value;
};

/* What one op takes of a purse, without its bytes. */
enum { LRD_OP_ROOM = sizeof(struct lrd_op) + 16 };

struct lrd_record {
  struct lrd_record *chain;           /* in the index by (database, key) */
  struct lrd_record *next, *previous; /* by age; or in a frozen batch */
  struct lrd_record *leader;          /* union-find of the group */
  struct lrd_record *ring;            /* circular list of the group */
  struct lrd_purse *purse;
  uint64_t hash;
  int64_t since; /* monotonic ns */
  uint64_t writes;
  struct lrd_op *first, *last;
  size_t bytes; /* of all ops' sub and value */
  struct lrd_op *anchor; /* fold.h: of the current generation, or NULL */
  struct lrd_op *expiry; /* fold.h: likewise */
  unsigned generation;
  size_t generation_ops;
  int database;
  unsigned whole : 1;
  unsigned drop : 1;    /* replayed as DEL, whatever the engine knows */
  unsigned frozen : 1;
  size_t key_len;
  const char *key;
};

/* What one local call brings along (larder_call.note). */
struct lrd_note {
  struct lrd_purse *purse;   /* for ops */
  struct lrd_purse *records; /* for records: apart, since most keys have theirs already */
  struct lrd_record *group; /* the first record that the call wrote */
  int grouped;              /* its records belong together */
  int half_told;            /* it is counted in the journal's half_told */
  unsigned changes;         /* intents so far */
};

struct lrd_journal {
  struct lrd_lock lock;
  unsigned half_told; /* calls with a group that have not released their notes */
  const larder_memory *memory;
  const larder_clock *clock;
  size_t limit_bytes, limit_keys;
  int drop; /* keep no values: on return every key is deleted in Redis */
  struct lrd_record **record_index;
  size_t record_slots;
  struct lrd_op **op_index;
  size_t op_slots, ops;
  struct lrd_record *oldest, *newest;
  _Atomic size_t keys;     /* records, frozen ones included */
  _Atomic size_t bytes;    /* of all purses */
  uint64_t writes;         /* in all records */
  uint64_t seed[2];
};

int lrd_journal_init(struct lrd_journal *, const larder_memory *, const larder_clock *,
                     size_t limit_bytes, size_t limit_keys, int drop);
void lrd_journal_destroy(struct lrd_journal *);

/* Prepares a note for a call.  OK; REFUSED: the journal is full; NO_MEMORY. */
larder_outcome lrd_journal_reserve(struct lrd_journal *, struct lrd_note *,
                                   const larder_vector *vectors, size_t count, int grouped);
void lrd_journal_release(struct lrd_journal *, struct lrd_note *);

/* The observer's two functions (context: the journal). */
void lrd_journal_changed(void *journal, const larder_intent *intent);
int lrd_journal_may_forget(void *journal, int database, larder_bytes key);

/* Is anything of this key still to be replayed? */
int lrd_journal_pending(struct lrd_journal *, int database, larder_bytes key);

/* Freezes records for a batch: those of the wanted key's group (key.data NULL:
 * none is wanted), then the oldest of the same database, whole groups, until max
 * records.  Returns their list (linked by next); NULL: there is nothing, or calls
 * were half told for too long. */
struct lrd_record *lrd_journal_freeze(struct lrd_journal *, int database, larder_bytes key,
                                      size_t max);
/* Drops frozen records; returns how many writes were in them. */
uint64_t lrd_journal_drop(struct lrd_journal *, struct lrd_record *frozen);
/* Age of the oldest record in ns; -1: empty. */
int64_t lrd_journal_age(struct lrd_journal *);

/* --- purse.c ------------------------------------------------------------- */

enum { LRD_PURSE_HEAD = 32 }; /* of its own, in front of what is carved */
_Static_assert(sizeof(struct lrd_purse) <= LRD_PURSE_HEAD, "a purse's head has its room");

/* With one reference; NULL: no memory. */
struct lrd_purse *lrd_purse_new(struct lrd_journal *, size_t size);
/* Gives back one reference. */
void lrd_purse_drop(struct lrd_journal *, struct lrd_purse *);
/* What lrd_journal_reserve made room for: it can't run out. */
void *lrd_purse_carve(struct lrd_purse *, size_t size);
/* Copies bytes to a place that was carved. */
const char *lrd_purse_bytes(char *at, larder_bytes);

/* --- op.c: for fold.c and journal.c --------------------------------------- */

uint64_t lrd_journal_hash(const struct lrd_journal *, larder_bytes, uint64_t salt);

struct lrd_op *lrd_journal_find_op(struct lrd_journal *, struct lrd_record *, larder_bytes sub);
/* A new op of the current generation, carved from the purse: in place of the op
 * "instead" (which is removed), else at the record's end.  indexed: the index
 * knows it under sub from now on, instead of what it knew (which stays in the record). */
struct lrd_op *lrd_journal_add_op(struct lrd_journal *, struct lrd_record *, struct lrd_purse *,
                                  const struct lrd_op *content, struct lrd_op *instead,
                                  int indexed);
void lrd_journal_remove_op(struct lrd_journal *, struct lrd_record *, struct lrd_op *);
void lrd_journal_clear_ops(struct lrd_journal *, struct lrd_record *);
/* The index knows an op of the record that it had forgotten for a later one. */
void lrd_journal_index_op(struct lrd_journal *, struct lrd_op *);

#endif
