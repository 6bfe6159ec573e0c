/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_BACKEND_H
#define LARDER_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include <larder/hooks.h>
#include <larder/outcome.h>
#include <larder/reply.h>

/*
 * For those who write backends.  A weaker promise than larder.h: this interface
 * may change with a minor version (LARDER_BACKEND_VERSION says when).
 *
 * One call = one struct larder_call = a list of command vectors with one
 * absolute deadline; the replies go to a sink, in the order of the vectors.
 * The dispatcher has checked each vector: the command is known, its number of
 * arguments is right, and it is not one that the session layer answers itself
 * (MULTI, EXEC, DISCARD, SELECT, QUIT, HELLO, AUTH, CLIENT, COMMAND, PING
 * without a backend that wants it, ...).
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

enum { LARDER_BACKEND_VERSION = 4 };

typedef struct larder_bytes {
  const char *data; /* not NUL-terminated; may be NULL only if len is 0 */
  size_t len;
} larder_bytes;

/* One command with its arguments; argv[0] is the name as the caller wrote it. */
typedef struct larder_vector {
  unsigned command; /* id in the command list (lib/command/list.h) */
  unsigned flags;   /* LARDER_VECTOR_... */
  int argc;
  const larder_bytes *argv;
} larder_vector;

enum {
  /* Every key of the command must be wholly known to the engine, else the
   * vector is UNKNOWN_LOCALLY and nothing is changed (see "partial" below). */
  LARDER_VECTOR_COMPLETE = 1 << 0
};

/* larder_call.flags */
enum {
  /* The vectors are executed whole or not at all, and give one reply for all
   * of them: an array with an element each, or a nil array (a watched key had
   * changed), or an error. */
  LARDER_CALL_ATOMIC = 1 << 0,
  /* Do not wait for a connection that is being retried: NOT_SENT at once. */
  LARDER_CALL_NOWAIT = 1 << 1,
  /* Connect now, whatever the backoff says. */
  LARDER_CALL_PROBE = 1 << 2,
  /* Where the engine does not know, reply as if the key were absent; the
   * verdict is UNKNOWN_LOCALLY all the same. */
  LARDER_CALL_MISS_NIL = 1 << 3,
  /* submit: the vectors and their bytes stay until done() is called, they need not be
   * copied.  Who hands a call on with vectors of its own sets or clears it. */
  LARDER_CALL_LASTING = 1 << 4,
  /* The caller's thread serves others: a command that would wait for a key is refused. */
  LARDER_CALL_NOBLOCK = 1 << 5
};

struct larder_hold;

typedef struct larder_call {
  const larder_vector *vector;
  size_t count;        /* at least 1 */
  unsigned flags;      /* LARDER_CALL_... */
  int database;        /* 0 .. 15 */
  int64_t deadline;    /* absolute, on the backend's monotonic clock, in ns */
  struct larder_hold *hold; /* the session's watches, or NULL */
  void *note;          /* the engine hands it to its observer with each intent */
} larder_call;

/* Why a vector ended as it did, for those above that must decide what it means. */
typedef enum larder_cause {
  LARDER_CAUSE_NONE = 0,
  LARDER_CAUSE_CALLER,   /* WRONGTYPE, syntax, ...: says nothing about the server */
  LARDER_CAUSE_AUTH,     /* NOAUTH, WRONGPASS, NOPERM */
  LARDER_CAUSE_SERVER,   /* LOADING, MASTERDOWN, CLUSTERDOWN, max number of clients */
  LARDER_CAUSE_CAPACITY, /* OOM, MISCONF, READONLY, NOREPLICAS: reads may go on */
  LARDER_CAUSE_REFUSED,  /* connection refused, no such host, no such socket */
  LARDER_CAUSE_CUT,      /* the connection ended under the call */
  LARDER_CAUSE_SILENT,   /* nothing at all arrived for as long as the call waited */
  LARDER_CAUSE_SLOW,     /* the deadline passed although the server was answering others */
  LARDER_CAUSE_PROTOCOL, /* the reply was not one */
  LARDER_CAUSE_TLS,      /* no connection that can be trusted: the server's certificate, no
                            common TLS version, no TLS at that port */
  LARDER_CAUSE_QUOTA     /* a hosted plan's requests or connections are used up: it serves nobody
                            until they are renewed or the plan is another */
} larder_cause;

/* What a backend says of one reply, besides its value. */
typedef struct larder_verdict {
  larder_outcome outcome; /* OK for every reply that is not an error; the store
                             derives ABSENT from command and value */
  larder_origin origin;
  larder_cause cause;
  unsigned flags;         /* LARDER_JOURNALED, LARDER_PROVISIONAL */
  int64_t age_ms;         /* -1: has no meaning */
} larder_verdict;

/*
 * The reply sink.  For each reply the backend writes exactly one value (with
 * its elements, if it is an aggregate) and then calls end() once.
 *
 * Failure to get memory is remembered by the sink (failed != 0) and every
 * further write is ignored; end() then turns the verdict into NO_MEMORY, unless
 * it says UNKNOWN (something was changed, its reply is lost).  So whoever
 * changes data must first write what it took out, look at failed, and only then
 * change anything; the first RESERVE bytes of scalars after begin can't fail.
 */
typedef struct larder_sink larder_sink;

typedef struct larder_sink_type {
  void (*nil)(larder_sink *, int array); /* array: RESP2 shows "*-1" */
  void (*integer)(larder_sink *, int64_t);
  void (*real)(larder_sink *, double, const char *, size_t); /* and how Redis prints it */
  void (*boolean)(larder_sink *, int);
  void (*string)(larder_sink *, const char *, size_t);
  void (*status)(larder_sink *, const char *, size_t);
  void (*error)(larder_sink *, const char *, size_t); /* without the leading '-' */
  void (*bignum)(larder_sink *, const char *, size_t);
  void (*verbatim)(larder_sink *, const char *, size_t);
  /* type: LARDER_ARRAY, _MAP, _SET, _PUSH; len: number of values that follow (a
   * map of 3 pairs: 6).  resp2: LARDER_RESP2_PLAIN, or _PAIRS for an array of
   * len pairs, each of them begun with (ARRAY, 2, LARDER_RESP2_PAIR), or _NESTED
   * for a map, each pair of which is begun with (ARRAY, 2, LARDER_RESP2_KEYED): that
   * is no value, only RESP2 writes it. */
  void (*aggregate)(larder_sink *, larder_type type, size_t len, int resp2);
  /* An aggregate whose length is not known yet: open, values, close with the
   * number of values written. */
  void (*open)(larder_sink *, larder_type type);
  void (*close)(larder_sink *, size_t len);
  /* Forgets what was written since the last end() (or the beginning). */
  void (*rewind)(larder_sink *);
  void (*end)(larder_sink *, const larder_verdict *);
} larder_sink_type;

enum { LARDER_SINK_RESERVE = 256 };

struct larder_sink {
  const larder_sink_type *type;
  int failed;
  struct lrd_ending *ending; /* larder's own; NULL in a sink of anybody else */
};

/*
 * What an engine tells its observer after each change, under the lock of the
 * key's shard: the intent, in a form that gives the same result whenever it is
 * replayed (absolute times, effects of random commands).  The observer may
 * append to memory that it has reserved before; no I/O, no callback to the
 * user, no call to the engine, and it can't fail.
 */
typedef struct larder_intent {
  void *note;    /* of the call; NULL when no call did it (expiry by the wheel) */
  int database;
  larder_bytes key;
  int complete;  /* the engine knows the whole value: it can be read back later */
  int argc;      /* the command that did it; argc 0: "its state changed" */
  const larder_bytes *argv;
} larder_intent;

typedef struct larder_observer {
  void (*changed)(void *context, const larder_intent *intent);
  /* LARDER.FORGET asks before it drops a key: 0 = keep it. */
  int (*may_forget)(void *context, int database, larder_bytes key);
  void *context;
} larder_observer;

/* An asynchronous call; memory of the caller until done() was called. */
typedef struct larder_submission larder_submission;
struct larder_submission {
  larder_sink *sink;
  void (*done)(larder_submission *); /* exactly once; from any thread, perhaps
                                        before submit returned */
  void *backend_data;                /* the backend's, while it runs; NULL before */
};

/* larder_backend_status.link */
typedef enum larder_link {
  LARDER_LINK_NONE = 0,  /* has no connection by nature */
  LARDER_LINK_STARTING,
  LARDER_LINK_UP,
  LARDER_LINK_DOWN,
  LARDER_LINK_DENIED
} larder_link;

/* Zeroed before the slot is called, but for state and journal_oldest_ms (-1):
 * a backend fills what it knows. */
typedef struct larder_backend_status {
  larder_link link;
  char address[272];
  char last_error[256];
  int64_t last_error_at;    /* monotonic ns; 0: none */
  char run_id[48];          /* of the server last connected to */
  int64_t clock_offset_us;  /* server's wall clock minus ours */
  int volatile_marker;      /* the server may evict any key (maxmemory-policy allkeys-*) */
  int fence;                /* 1: old connections are killed before new ones are used */
  uint64_t connections, connects, connect_faults, commands_sent, deadline_misses;
  uint64_t keys, memory;
  uint64_t typed[LARDER_OUTCOMES]; /* LARDER_COUNTS_TYPED: replies by outcome */

  int state;                /* a larder_state; -1: follows from link */
  int64_t since;            /* monotonic ns: in this state since; 0: since opening */
  const char *serving;      /* static: "memory", "redis", "none"; NULL: follows from link */
  const char *breaker;      /* static: "closed", "open", "trial"; NULL: there is none */
  uint64_t outages, local_calls;
  uint64_t journal_keys, journal_bytes;
  int64_t journal_oldest_ms; /* -1: empty */
  char replay_error[128];    /* why Redis takes no journaled writes; "": it does */
  uint64_t replayed, replay_batches, dropped, dead_letters, unknown_batches;

  struct lrd_metrics_visit *meter; /* set by who asks: lib/remote/metrics.h; NULL: it wants no more */
} larder_backend_status;

/* Everything that a backend is opened with. */
typedef struct larder_backend_options {
  const struct lrd_config *config; /* lib/store/config.h: the checked options */
  const larder_observer *observer;    /* or NULL */
  int partial; /* the engine is part of a fallback: a key that it has not seen is
                  unknown, not absent */
  struct lrd_hub *hub; /* lib/command/hub.h: who listens to channels; or NULL: nobody can */
} larder_backend_options;

typedef struct larder_backend larder_backend;
typedef struct larder_hold larder_hold;

/* larder_backend_table.capabilities */
enum {
  LARDER_CAN_SUBMIT = 1 << 0,     /* submit does not run the call on the caller's thread */
  LARDER_CAN_WATCH = 1 << 1,
  LARDER_CAN_ATOMIC = 1 << 2,
  LARDER_CAN_OBSERVE = 1 << 3,
  LARDER_IS_LOCAL = 1 << 4,       /* no call ever waits for a network */
  /* get and set count their replies themselves (status: typed), and so do the
   * instance's get_now and set_now. */
  LARDER_COUNTS_TYPED = 1 << 5,
  /* What is published reaches the hub that it was opened with: by the engine itself, or by a
   * source that it attaches. */
  LARDER_CAN_LISTEN = 1 << 6
};

/*
 * The table.  Every slot is filled: where a backend has nothing of its own it
 * names a larder_backend_default_... .  All slots but open and close may be
 * called by any number of threads at once.
 */
typedef struct larder_backend_table {
  unsigned version; /* LARDER_BACKEND_VERSION */
  const char *name;
  unsigned capabilities;
  size_t size; /* of the instance; its first member is a larder_backend */

  /* Fills the instance (base is set, the rest is zero).  OK, or an outcome and
   * one line in error; then close is not called.  Never waits for a network. */
  larder_outcome (*open)(larder_backend *, const larder_backend_options *, char *error,
                         size_t error_size);
  /* Ends everything, at the latest at the deadline; returns the number of
   * writes lost.  In a forked child (forked != 0): releases memory only. */
  uint64_t (*close)(larder_backend *, int64_t deadline, int forked);

  /* Runs a call on the caller's thread; one end() per vector (ATOMIC: one). */
  void (*execute)(larder_backend *, const larder_call *, larder_sink *);
  /* The same, not waiting.  The call is copied, and what it points to unless it is LASTING. */
  void (*submit)(larder_backend *, const larder_call *, larder_submission *);
  /* Asks that a submission end now (it still calls done).  The caller keeps it from
   * going while this runs; it may be done.  NULL: end all calls in flight, synchronous ones
   * too, and drop every connection. */
  void (*cancel)(larder_backend *, larder_submission *);

  /* What a session needs of the backend (its watches).  NULL: no memory. */
  larder_hold *(*hold_open)(larder_backend *);
  void (*hold_close)(larder_backend *, larder_hold *);

  void (*status)(larder_backend *, larder_backend_status *);
  /* Maintenance for at most budget ns; when to come again (absolute, ns; -1 never). */
  int64_t (*tick)(larder_backend *, int64_t budget);

  /* Typed fast paths.  get copies at most size bytes and sets *length; a missing
   * key is ABSENT by its own word, since the store sees no value. */
  void (*get)(larder_backend *, int database, larder_bytes key, int64_t deadline, void *buffer,
              size_t size, size_t *length, larder_verdict *);
  void (*set)(larder_backend *, int database, larder_bytes key, larder_bytes value,
              int64_t ttl_ms, int64_t deadline, larder_verdict *);
} larder_backend_table;

/* A block of the instance's memory that is released after the instance. */
typedef struct larder_late {
  void *block; /* NULL: none yet */
  size_t size;
} larder_late;

struct larder_backend {
  const larder_backend_table *table;
  larder_memory memory;
  larder_clock clock;
  struct lrd_hook *hook; /* events: lib/util/hook.h */
  larder_late *late;     /* where close may leave a block; NULL: it may not */

  /* What larder_get and larder_set do, at once and without a verdict, in the database that the
   * store was opened with; open may set both (NULL: there are none) if the table
   * LARDER_COUNTS_TYPED.  The store calls them without noting who is inside, with arguments
   * that are allowed and a key of at most 64 bytes.  Before it closes it calls
   * cancel(NULL), which returns when none of these calls is inside; from then on they are
   * CLOSED, uncounted, also behind close until the instance is released: they touch the
   * instance and what close left in late, nothing else. */
  larder_outcome (*get_now)(larder_backend *, const void *key, size_t key_length, void *buffer,
                            size_t size, size_t *length);
  larder_outcome (*set_now)(larder_backend *, const void *key, size_t key_length,
                            const void *value, size_t value_length, int64_t ttl_ms);
};

/* Defaults. */
void larder_backend_default_submit(larder_backend *, const larder_call *, larder_submission *);
void larder_backend_default_cancel(larder_backend *, larder_submission *);
larder_hold *larder_backend_default_hold_open(larder_backend *);
void larder_backend_default_hold_close(larder_backend *, larder_hold *);
void larder_backend_default_status(larder_backend *, larder_backend_status *);
int64_t larder_backend_default_tick(larder_backend *, int64_t budget);
void larder_backend_default_get(larder_backend *, int database, larder_bytes key,
                                int64_t deadline, void *buffer, size_t size, size_t *length,
                                larder_verdict *);
void larder_backend_default_set(larder_backend *, int database, larder_bytes key,
                                larder_bytes value, int64_t ttl_ms, int64_t deadline,
                                larder_verdict *);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
