/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_SINK_H
#define LRD_COMMAND_SINK_H

#include <string.h>

#include <larder/backend.h>

#include "util/arena.h"
#include "util/buffer.h"

/*
 * The reply sinks (contract: larder/backend.h) and helpers to write to one.
 *
 *   tree    builds larder_value trees in one arena (C callers, replay)
 *   resp    writes RESP2 or RESP3 bytes (serve)
 *   count   counts replies and outcomes, keeps no values
 */

static inline void lrd_sink_nil(larder_sink *s) { s->type->nil(s, 0); }
static inline void lrd_sink_nil_array(larder_sink *s) { s->type->nil(s, 1); }
static inline void lrd_sink_integer(larder_sink *s, int64_t v) { s->type->integer(s, v); }
void lrd_sink_real(larder_sink *s, double v);

static inline void lrd_sink_string(larder_sink *s, const char *p, size_t n)
{
  s->type->string(s, p, n);
}

static inline void lrd_sink_status(larder_sink *s, const char *p)
{
  s->type->status(s, p, strlen(p));
}

static inline void lrd_sink_ok(larder_sink *s) { s->type->status(s, "OK", 2); }

static inline void lrd_sink_error(larder_sink *s, const char *p)
{
  s->type->error(s, p, strlen(p));
}

void lrd_sink_errorf(larder_sink *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void lrd_sink_array(larder_sink *s, size_t n)
{
  s->type->aggregate(s, LARDER_ARRAY, n, 0);
}

/* n pairs follow, each begun with lrd_sink_pair. */
static inline void lrd_sink_map(larder_sink *s, size_t pairs)
{
  s->type->aggregate(s, LARDER_MAP, pairs * 2, 0);
}

static inline void lrd_sink_set(larder_sink *s, size_t n)
{
  s->type->aggregate(s, LARDER_SET, n, 0);
}

/* n pairs follow (ZRANGE WITHSCORES), each begun with lrd_sink_pair; RESP2 shows them flat. */
static inline void lrd_sink_pairs(larder_sink *s, size_t n)
{
  s->type->aggregate(s, LARDER_ARRAY, n, LARDER_RESP2_PAIRS);
}

static inline void lrd_sink_pair(larder_sink *s)
{
  s->type->aggregate(s, LARDER_ARRAY, 2, LARDER_RESP2_PAIR);
}

/* A map (XREAD) of n pairs, each begun with lrd_sink_keyed; RESP2 shows an array of arrays. */
static inline void lrd_sink_keyed_map(larder_sink *s, size_t n)
{
  s->type->aggregate(s, LARDER_MAP, 2 * n, LARDER_RESP2_NESTED);
}

static inline void lrd_sink_keyed(larder_sink *s)
{
  s->type->aggregate(s, LARDER_ARRAY, 2, LARDER_RESP2_KEYED);
}

static inline void lrd_sink_end(larder_sink *s, const larder_verdict *v) { s->type->end(s, v); }

/* Whoever hands out a sink may be told of each reply: end() calls this first, and keeps the
 * verdict as it is then.  head: the value, as far as lrd_command_absent looks at it. */
struct lrd_ending {
  void (*call)(struct lrd_ending *, const larder_value *head, larder_verdict *);
};
static inline void lrd_sink_ending(const larder_sink *s, const larder_value *head,
                                   larder_verdict *verdict)
{
  if (s->ending)
    s->ending->call(s->ending, head, verdict);
}

/* Ends a reply that no backend gave: an error text and an outcome. */
void lrd_sink_fail(larder_sink *s, larder_outcome outcome, larder_origin origin,
                   enum larder_cause cause, const char *text);

/* Writes a value tree to a sink. */
void lrd_sink_value(larder_sink *s, const larder_value *value);

/* --- tree ---------------------------------------------------------------- */

/* One reply of a tree sink. */
struct lrd_tree_reply {
  larder_value value;
  larder_verdict verdict;
};

/* Calls are made on one thread at a time.  After n end()s reply[0..n-1] are
 * valid until the arena is freed (the lrd_tree itself is not needed any more). */
struct lrd_tree {
  larder_sink sink;
  struct lrd_arena *arena;
  struct lrd_tree_reply *reply;
  size_t replies, capacity;
  struct lrd_tree_frame *frame; /* open aggregates, innermost first */
  struct lrd_tree_frame *spare; /* frames for reuse */
  char *reserve;                /* what is left of the arena's memory that is set aside
                                   so that small scalars never fail */
  size_t reserved;
  char *mark; /* reserve and reserved when the current reply began */
  size_t marked;
};

/* expected: how many replies will come (their slots are allocated now: -1 if
 * there is no memory for them; more replies than that are possible). */
int lrd_tree_init(struct lrd_tree *, struct lrd_arena *, size_t expected);

/* The same for one reply, with memory that the caller has in the arena already. */
struct lrd_tree_room {
  struct lrd_tree_reply reply;
  char reserve[2 * LARDER_SINK_RESERVE];
};
void lrd_tree_init_room(struct lrd_tree *, struct lrd_arena *, struct lrd_tree_room *);

/* --- resp ---------------------------------------------------------------- */

/* Appends replies to out.  A reply whose outcome RESP can't carry is an error
 * value already, whose text begins with the word for it (every layer writes it
 * so): UNAVAILABLE (UNKNOWN_LOCALLY, NO_ANSWER), UNKNOWN, NOTSENT. */
struct lrd_resp {
  larder_sink sink;
  struct lrd_buffer *out; /* may be consumed from between replies, not inside one; after
                             lrd_buffer_free() init the sink again (room is set aside) */
  int protocol;   /* 2 or 3 */
  size_t begin;   /* where the current reply starts in out; SIZE_MAX: nothing written */
  size_t open[16]; /* where open() aggregates start */
  unsigned char type[16]; /* their types */
  unsigned depth;
  int lost; /* a reply could not be written: out ends with a whole reply, and the
               conversation can only be cut; sink.failed and out->failed stay set */
  larder_outcome worst; /* of all replies so far */
};
void lrd_resp_init(struct lrd_resp *, struct lrd_buffer *out, int protocol);

/* --- count --------------------------------------------------------------- */

struct lrd_count {
  larder_sink sink;
  size_t replies;
  larder_verdict last;
};
void lrd_count_init(struct lrd_count *);

#endif
