/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_PREFIX_H
#define LRD_STORE_PREFIX_H

#include <stdatomic.h>

#include <larder.h>
#include <larder/backend.h>

#include "command/command.h"
#include "command/sink.h"
#include "util/arena.h"
#include "util/lock.h"

/*
 * A store with a prefix: a backend that stands between the dispatcher and the
 * store's own one.  It puts the prefix in front of every key of a call, and takes
 * it off the names in a reply.  So the engine, the journal and Redis know whole
 * keys only, whoever calls sees none, and a store without a prefix pays nothing.
 *
 * Where the keys of a command stand says the command list; what a command needs
 * besides, the rules below.  A command that has no key where the list knows one,
 * and no rule, is UNSUPPORTED: never sent as it is.
 *
 * Commands over the whole keyspace become walks: several calls to the inner
 * backend, one after the other, all under the deadline of the first.
 */

enum lrd_prefix_rule {
  LRD_PREFIX_KEYS = 0,  /* what the list says is all; there must be a key */
  LRD_PREFIX_PASS,      /* names no keys */
  LRD_PREFIX_CHANNEL,   /* the first argument is one's name */
  LRD_PREFIX_SORT,      /* keys and patterns of keys among the options */
  LRD_PREFIX_GLOB,      /* a pattern of keys; replies names */
  LRD_PREFIX_CHANNELS,  /* PUBSUB: names or patterns of channels; replies names */
  LRD_PREFIX_CURSOR,    /* the same in an option; replies a cursor and names */
  LRD_PREFIX_FIRST,     /* replies a name, then what was taken out of that key */
  LRD_PREFIX_EACH,      /* replies names, each with a value */
  LRD_PREFIX_QUOTE,     /* an error may quote the key */
  LRD_PREFIX_COUNT,     /* replies how many keys there are */
  LRD_PREFIX_RANDOM,    /* replies one of them */
  LRD_PREFIX_FLUSH,     /* deletes all keys of the database */
  LRD_PREFIX_FLUSH_ALL, /* of every database */
  LRD_PREFIX_REFUSE     /* its keys can't be found, or told from those of others */
};

enum { LRD_PREFIX_MAX = 128 };

struct lrd_prefix_task;

struct lrd_prefix {
  larder_backend base;
  larder_backend_table table; /* the inner one's name and abilities, our slots */
  larder_backend *inner;
  larder_bytes text;
  larder_bytes all;           /* a pattern that fits what begins with text; ends with '*' */
  char pattern[2 * LRD_PREFIX_MAX + 1];
  unsigned char rule[LRD_COMMANDS]; /* enum lrd_prefix_rule */
  atomic_int closing;
  struct lrd_lock lock;
  struct lrd_prefix_task *tasks; /* under lock */
};

extern const larder_backend_table lrd_prefix_table;

static inline struct lrd_prefix *lrd_prefix_of(larder_backend *b)
{
  return (struct lrd_prefix *)(void *)b;
}

/* --- prefix_rewrite.c: arguments ------------------------------------------------ */

/* Memory for rewritten vectors: the first KiB needs no allocation. */
struct lrd_room {
  struct lrd_arena arena;
  size_t used;
  _Alignas(16) char stack[1024];
};

void lrd_room_init(struct lrd_room *, const larder_memory *);
/* NULL: no memory. */
void *lrd_room_take(struct lrd_room *, size_t size);
void lrd_room_free(struct lrd_room *);

/* Fills rule[] from the command list. */
void lrd_prefix_rules(struct lrd_prefix *);
/* The rule for this vector. */
enum lrd_prefix_rule lrd_prefix_rule_of(const struct lrd_prefix *, const larder_vector *);

/* v with the prefix where it belongs; bytes that stay are not copied.  By every rule
 * up to _COUNT, which becomes a KEYS.  0, or -1: no memory. */
int lrd_prefix_rewrite(const struct lrd_prefix *, const larder_vector *v, struct lrd_room *,
                       larder_vector *out);

/* The reply to a vector so rewritten, as the caller may see it; changed in place. */
void lrd_prefix_reply(const struct lrd_prefix *, enum lrd_prefix_rule, larder_value *);

/* The text of a refusal; returns text. */
const char *lrd_prefix_refusal(const larder_vector *, const char *why, char *text, size_t size);

/* --- prefix_walk.c: commands that are several calls, or whose reply is changed --- */

enum { LRD_WALK_TRIES = 16 };

struct lrd_walk {
  struct lrd_prefix *prefix;
  enum lrd_prefix_rule rule;
  unsigned step;         /* what is asked next, or was asked */
  larder_call call;      /* the caller's; its vector is not used any more */
  larder_vector vector[LRD_WALK_TRIES];
  larder_bytes argv[8];
  struct lrd_room room;  /* of a rewritten vector */
  struct lrd_arena page; /* of the names found last */
  struct lrd_arena arena; /* of the reply */
  struct lrd_tree tree;  /* where it is built */
  char cursor[24];
  unsigned databases;    /* bit n: to be flushed, too */
  uint64_t keys;         /* counted or deleted */
  larder_value value;    /* the result */
  larder_verdict verdict;
  int origin;            /* of the first step's reply */
  int cancelled;         /* under prefix->lock */
  char text[LARDER_ERROR_SIZE];
};

/* A walk for the one vector v of call.  The walk is used in place, and stays where it is. */
void lrd_walk_init(struct lrd_walk *, struct lrd_prefix *, const larder_call *call,
                   const larder_vector *v);
/* The next call to the inner backend (its replies go to walk->tree.sink), or 0: it has ended. */
int lrd_walk_next(struct lrd_walk *, larder_call *);
/* Reads what the inner backend replied. */
void lrd_walk_take(struct lrd_walk *);
/* Hands the result on and frees everything in the walk. */
void lrd_walk_end(struct lrd_walk *, larder_sink *);
void lrd_walk_free(struct lrd_walk *);

/* --- prefix_submit.c: the same without waiting ----------------------------------- */

void lrd_prefix_submit(larder_backend *, const larder_call *, larder_submission *);
void lrd_prefix_cancel(larder_backend *, larder_submission *);
/* In a forked child: frees what was under way. */
void lrd_prefix_release_tasks(struct lrd_prefix *);

/* --- prefix.c -------------------------------------------------------------------- */

void lrd_prefix_execute(larder_backend *, const larder_call *, larder_sink *);

#endif
