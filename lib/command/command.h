/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_H
#define LRD_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

/*
 * The command list and what follows from it.  Everything here is constant
 * data and pure functions: any thread, no allocation.
 */

/* What a command does to data; for some a function of the arguments. */
enum lrd_class {
  LRD_CLASS_CONNECTION, /* about the conversation, not about data: PING, HELLO, TIME, ... */
  LRD_CLASS_READ,
  LRD_CLASS_OVERWRITE,   /* SET, HSET, DEL, EXPIRE: the last one wins */
  LRD_CLASS_ACCUMULATE,  /* INCR, SADD, ZINCRBY, RPUSH: each one counts */
  LRD_CLASS_CONSUME,     /* takes out, or returns, what it changes: LPOP, SPOP, GETDEL, SET GET */
  LRD_CLASS_CONDITIONAL, /* SET NX, ZADD GT, EXPIRE LT, WATCH */
  LRD_CLASS_BLOCKING,
  LRD_CLASS_SCRIPT,
  LRD_CLASS_PUBLISH,
  LRD_CLASS_ADMIN        /* over the whole keyspace or the server: FLUSHALL, CONFIG, ... */
};

/* How "there is no such thing" looks in a command's reply. */
enum lrd_absence {
  LRD_ABSENCE_NEVER, /* no reply of this command means absence */
  LRD_ABSENCE_NIL,
  LRD_ABSENCE_ZERO,  /* integer 0 */
  LRD_ABSENCE_MINUS2,
  LRD_ABSENCE_EMPTY, /* an empty aggregate */
  LRD_ABSENCE_NONE   /* the status "none" */
};

/* The reply's RESP3 type where RESP2 says less (for some a function of the arguments). */
enum lrd_shape {
  LRD_SHAPE_PLAIN,
  LRD_SHAPE_MAP,     /* RESP2: flat array */
  LRD_SHAPE_SET,     /* RESP2: array */
  LRD_SHAPE_DOUBLE,  /* RESP2: bulk string */
  LRD_SHAPE_PAIRS,   /* array of [member, score]; RESP2: flat array */
  LRD_SHAPE_FIELDS,  /* the same with [field, value] */
  LRD_SHAPE_SCORED,  /* flat [member, score] with a double; RESP2: two bulks */
  LRD_SHAPE_POPPED,  /* [key, array of [member, score]], nothing flat; RESP2: bulks */
  LRD_SHAPE_DOUBLES, /* array of doubles and nils; RESP2: bulks */
  LRD_SHAPE_POSITIONS, /* array of nil arrays and [longitude, latitude]; RESP2: bulks */
  LRD_SHAPE_PLACES,  /* array of [member, ..., perhaps [longitude, latitude]] */
  LRD_SHAPE_STREAMS, /* map of key and entries; RESP2: array of [key, entries] */
  LRD_SHAPE_PENDING, /* a nil array inside */
  LRD_SHAPE_DETAILS, /* of XINFO: a map, or an array of maps, with such arrays inside */
  LRD_SHAPE_VERBATIM, /* RESP2: bulk string */
  LRD_SHAPE_INFO      /* COMMAND INFO: sets inside */
};

enum {
  /* As COMMAND INFO shows them. */
  LRD_WRITE = 1 << 0,
  LRD_READONLY = 1 << 1,
  LRD_DENYOOM = 1 << 2,
  LRD_ADMIN = 1 << 3,
  LRD_NOSCRIPT = 1 << 4,
  LRD_LOADING = 1 << 5,
  LRD_STALE = 1 << 6,
  LRD_FAST = 1 << 7,
  LRD_NO_AUTH = 1 << 8,
  LRD_NO_MULTI = 1 << 9,
  LRD_SKIP_MONITOR = 1 << 10,
  LRD_SKIP_SLOWLOG = 1 << 11,
  LRD_ALLOW_BUSY = 1 << 12,
  LRD_NO_MANDATORY_KEYS = 1 << 13,
  LRD_MAY_REPLICATE = 1 << 14,
  LRD_CHANNELS = 1 << 15, /* "pubsub": names channels, which are no keys */
  LRD_BLOCKING = 1 << 16,
  LRD_NO_ASYNC_LOADING = 1 << 17,
  LRD_MOVABLE_KEYS = 1 << 18, /* the rows' key positions are not all keys: ZUNION, SORT STORE */
  /* Ours. */
  LRD_SESSION = 1 << 24,  /* belongs to one conversation: BAD_ARGUMENT on a bare store */
  LRD_KEYSPACE = 1 << 25, /* touches keys that it does not name: KEYS, SCAN, DBSIZE, FLUSHDB */
  LRD_INTERNAL = 1 << 26, /* between larder's own layers; unknown to callers */
  LRD_FRONT = 1 << 27,    /* answered above the backends by the store/session layer */
  LRD_PARTS = 1 << 28     /* has subcommands */
};

struct lrd_command {
  const char *name; /* lower case */
  int arity;        /* as Redis: 2 = exactly name + 1, -2 = at least */
  unsigned flags;
  enum lrd_class class; /* without arguments; see lrd_command_class */
  int first, last, step; /* key positions; 0,0,0: none; last -1: to the end */
  enum lrd_shape shape;
  enum lrd_absence absence;
  const char *acl;      /* ACL categories as COMMAND INFO shows them, space separated */
  const char *group;
  const char *since;
  const char *syntax;
  const char *summary;
};

/* Ids: LRD_GET, ...  0 is "no such command". */
enum lrd_command_id {
  LRD_NO_COMMAND = 0,
#define LRD_X(id, ...) LRD_##id,
#include "command/list.h"
#undef LRD_X
  LRD_COMMANDS
};

extern const struct lrd_command lrd_commands[LRD_COMMANDS];

/* Case-insensitive; LRD_NO_COMMAND if there is none (internal ones have no name here).  O(1). */
unsigned lrd_command_find(const char *name, size_t len);

/* The i-th subcommand of a command, without the command's name; NULL: no more. */
const char *lrd_command_part(unsigned command, size_t i);

/* Checks name, subcommand and number of arguments and sets v->command: LARDER_OK, or
 * BAD_ARGUMENT with Redis's own error text in error.  Internal commands are unknown here. */
larder_outcome lrd_command_check(larder_vector *v, char *error, size_t error_size);

/* The class of this argument vector. */
enum lrd_class lrd_command_class(const larder_vector *v);

/* Keys: calls visit(context, index into argv) for each key in order. */
void lrd_command_keys(const larder_vector *v, void (*visit)(void *context, int index),
                      void *context);
/* The same as positions: count keys in all, a leading one (ZUNIONSTORE's destination;
 * 0: there is none) and then every step-th argument from first on (0: none). */
struct lrd_keys {
  int first, step, count, lead;
};
struct lrd_keys lrd_command_key_range(const larder_vector *v);
/* Whether it touches keys beside those: in another database, or by SORT's patterns. */
int lrd_command_strays(const larder_vector *v);
/* Whether it is refused where a memory bound is reached: it, or the subcommand that it names. */
int lrd_command_is_denied_oom(const larder_vector *v);
/* Where the subcommand that the vector names has its key; 0: it has none. */
int lrd_subcommand_key(const larder_vector *v);
/* The index of key i < count. */
static inline int lrd_key_index(const struct lrd_keys *k, int i)
{
  return k->lead ? (i ? k->first + (i - 1) * k->step : k->lead) : k->first + i * k->step;
}

/* The shape of the reply to this argument vector. */
enum lrd_shape lrd_command_reply_shape(const larder_vector *v);

/* Is this reply (RESP3-shaped) the authority's "no such thing"? */
int lrd_command_absent(const larder_vector *v, const larder_value *value);

/* Turns a reply as RESP2 carries it into the RESP3 shape of its command, in
 * place (arena: where new nodes come from), with the resp2 hints that the
 * engine would have given; a reply that is RESP3 already stays what it is.
 * 0, or -1: no memory. */
struct lrd_arena;
int lrd_command_shape(const larder_vector *v, larder_value *value, struct lrd_arena *arena);

enum { LRD_DATABASES = 16 };

/* SELECT's argument: NULL and the number in *database, or the error that Redis gives. */
const char *lrd_command_select(const larder_vector *v, int *database);

/* What an error reply's text says about the server. */
/* How long a blocking command's own timeout lets it wait, ms; 0: for ever.  NULL, or the error that
 * Redis says of it; of a command that doesn't wait, or was not told to, NULL and -1. */
const char *lrd_command_wait(const larder_vector *, int64_t *ms);

enum larder_cause lrd_error_cause(const char *text, size_t len);

/* argv[i] equals a word, ignoring ASCII case. */
int lrd_is_word(const larder_bytes *b, const char *word);

#endif
