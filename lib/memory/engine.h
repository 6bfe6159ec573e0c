/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ENGINE_H
#define LRD_MEMORY_ENGINE_H

#include <larder/backend.h>

#include "command/command.h"
#include "command/sink.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/lock.h"
#include "util/number.h"

/*
 * What command handlers see of the in-process engine.
 *
 * A key's value is an entry.  Entries live in shards; the engine has locked
 * the shards of all keys of the command (of the whole batch) before a handler
 * runs, so a handler never locks.  An expired key is never seen.
 *
 * A partial engine (the local half of a fallback) knows of each key either
 *   COMPLETE  its whole value, or that it does not exist ("tombstone"),
 *   DELTA     only what was done to it since,
 *   unseen    nothing.
 * Handlers do not ask which engine they run in: lrd_read, lrd_write and
 * lrd_changed do what is needed.
 *
 * The order in a handler:
 *   1. parse all arguments; a syntax error is replied before any look-up;
 *   2. look up (lrd_read / lrd_write); 0 back means: the reply is already
 *      written (wrong type, not known here), return;
 *   3. get all the memory that the change needs; on failure lrd_no_memory(x), return
 *      with nothing changed;
 *   4. write the reply if it carries data that the change takes away, and stop
 *      if x->sink->failed;
 *   5. change; lrd_changed(x, ...) once per key changed; reply.
 */

enum lrd_kind { LRD_NONE = 0, LRD_STRING, LRD_LIST, LRD_SET_KIND, LRD_ZSET, LRD_HASH, LRD_STREAM };

struct lrd_entry; /* keyspace.h */
struct lrd_engine;
struct lrd_universal_key;

struct lrd_exec {
  struct lrd_engine *engine;
  larder_sink *sink;
  const larder_vector *vector;
  int argc;
  const larder_bytes *argv;
  int database;
  int64_t *moment;    /* lrd_now: one reading per call, 0: not read yet */
  unsigned call_flags; /* LARDER_CALL_... */
  larder_verdict verdict; /* what end() will say */
  /* Set by look-ups in a partial engine. */
  unsigned provisional : 1; /* the reply depends on what a DELTA or unseen key lacks */
  unsigned unknown : 1;     /* the reply can't be known: it becomes UNKNOWN_LOCALLY */
  /* The engine's own. */
  unsigned whole : 1;      /* what the last look-up found is wholly known */
  unsigned unanswered : 1; /* ... and the handler wrote nothing */
  unsigned as_absent : 1;  /* second run: what is not known counts as absent */
  unsigned changed : 1;
  unsigned atomic : 1;     /* one of several vectors that give one reply */
  unsigned all_locked : 1; /* every shard is locked */
  unsigned blocked : 1;    /* it has to wait, nothing is written */
  unsigned turn : 1;       /* it has waited */
  unsigned bulky : 1;      /* what was looked up may take long to copy */
  void *note;              /* the call's, for the observer */
  struct larder_hold *hold;
  const char *hashed;      /* the key whose hash is known: its address and length */
  size_t hashed_len;
  uint64_t hash;
  const uint64_t *hashes;  /* of the first `hashed_keys` keys of the vector, in order */
  int hashed_keys;
  struct lrd_keyspace *discarded;
  struct lrd_waiter *waiter; /* NULL: the call may not wait (block.h) */
};

typedef void lrd_handler(struct lrd_exec *);

/* The wall clock, ms since 1970.  Most commands never ask. */
int64_t lrd_now(struct lrd_exec *);

/* --- looking up ---------------------------------------------------------- */

/* For a read that depends on the whole value.  *entry: the live entry of that
 * kind, or NULL if there is no such key.  0: the reply is written (WRONGTYPE),
 * or it can't be known here.  kind LRD_NONE: any kind. */
int lrd_read(struct lrd_exec *, larder_bytes key, enum lrd_kind, struct lrd_entry **entry);

/* For a read that one known part can answer (HGET, SISMEMBER, ZSCORE): as
 * lrd_read, but a DELTA entry is returned too.  If the part is not in it the
 * handler calls lrd_unknown(x) and returns; lrd_is_whole tells whether it must. */
int lrd_read_part(struct lrd_exec *, larder_bytes key, enum lrd_kind, struct lrd_entry **entry);
/* 1: what is not in the entry (or, entry NULL, the key) is known not to exist. */
int lrd_is_whole(struct lrd_exec *, const struct lrd_entry *entry);
/* The reply can't be known here: nothing was changed.  To be called before
 * anything was written. */
void lrd_unknown(struct lrd_exec *);

/* For a write.  As lrd_read; in a partial engine a missing or DELTA key makes
 * the reply provisional, and errors that depend on its value unknown. */
int lrd_write(struct lrd_exec *, larder_bytes key, enum lrd_kind, struct lrd_entry **entry);

/* --- changing ------------------------------------------------------------ */

/* A new entry for key (there must be none), with an empty value of that kind, a
 * collection.  NULL: no memory.  Undo with lrd_remove. */
struct lrd_entry *lrd_create(struct lrd_exec *, larder_bytes key, enum lrd_kind);

/* Removes the entry (value freed).  In a partial engine a COMPLETE key leaves
 * a tombstone. */
void lrd_remove(struct lrd_exec *, struct lrd_entry *);

/* The value as the data type's own structure (string.h, hash.h, ...). */
void *lrd_value(const struct lrd_entry *);
enum lrd_kind lrd_kind_of(const struct lrd_entry *);
larder_bytes lrd_key_of(const struct lrd_entry *);
/* Every change of an entry's heap size goes through lrd_memory_of(engine),
 * which accounts it. */
const larder_memory *lrd_memory_of(const struct lrd_engine *);
/* For hash tables; it lives as long as the engine. */
const struct lrd_universal_key *lrd_hash_key_of(const struct lrd_engine *);
struct lrd_prng *lrd_prng_of(struct lrd_exec *);

/* Expiry: absolute wall ms; -1: none.  set: 0, or -1: no memory; the entry may
 * move, *entry is set to where it is then. */
int64_t lrd_expiry(const struct lrd_entry *);
int lrd_set_expiry(struct lrd_exec *, struct lrd_entry **entry, int64_t at);

/* Tells WATCH and the observer that key changed, once per key and command,
 * after the change.  argc 0 (argv NULL): by the command as the caller gave it,
 * if it names just this key and gives the same result whenever it is replayed; else the
 * handler passes the intent (SPOP: SREM key members; SET EX: SET ... PXAT). */
void lrd_changed(struct lrd_exec *, larder_bytes key, int argc, const larder_bytes *argv);
/* The first step of it, for who has to make an intent: 0: nobody wants to know, as in most
 * engines, and nothing more is to be done. */
int lrd_note_change(struct lrd_exec *, larder_bytes key);

/* The same for what Redis does not tell WATCH (groups of a stream): its state changed.  The key
 * is wholly known. */
void lrd_changed_quietly(struct lrd_exec *, larder_bytes key);

/* Writes that change nothing in a known key still are intents for an unseen or
 * DELTA one (DEL, SREM, EXPIRE of a key that is not here): handlers call
 * lrd_changed for those too when lrd_is_whole(x, entry) is 0. */

/* --- replies ------------------------------------------------------------- */

/* An error reply.  Handlers use these, never lrd_sink_error on x->sink: the
 * verdict has to know (REFUSED, "nothing was applied").  Nothing may have been
 * written before. */
void lrd_error(struct lrd_exec *, const char *text);
void lrd_errorf(struct lrd_exec *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lrd_no_memory(struct lrd_exec *);
/* The texts that commands share. */
extern const char lrd_text_wrongtype[], lrd_text_syntax[], lrd_text_not_integer[],
    lrd_text_not_float[], lrd_text_overflow[], lrd_text_no_such_key[], lrd_text_out_of_range[];
/* Error that depends on the stored value (not on the arguments alone): unknown
 * instead, where the key is not COMPLETE. */
void lrd_value_error(struct lrd_exec *, const struct lrd_entry *, const char *text);

/* Parses argv[i]; 0: "ERR value is not an integer or out of range" is replied. */
int lrd_argument_integer(struct lrd_exec *, int i, int64_t *out);

/* --- the handlers, by command id ------------------------------------------ */

extern lrd_handler *const lrd_handlers[LRD_COMMANDS]; /* NULL: UNSUPPORTED here */

/* The table for the list of backends. */
extern const larder_backend_table lrd_memory_table;

/*
 * Internal commands (never from a caller):
 *   LARDER.FORGET key...   the engine forgets the keys (unseen again), unless
 *                          observer.may_forget says no; integer: how many
 *   LARDER.REBUILD key     COMPLETE only: an array of argument vectors (arrays of
 *                          bulk strings, at most 512 arguments each) that make
 *                          the key what it is: DEL first unless a SET does it;
 *                          PEXPIREAT last if it expires.  A tombstone: one DEL.
 *                          DELTA or unseen: UNKNOWN_LOCALLY.
 */

#endif
