/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_FEED_H
#define LRD_REMOTE_FEED_H

#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

#include "command/hub.h"
#include "remote/reader.h"
#include "util/arena.h"
#include "util/buffer.h"

/*
 * The protocol machine of the connection that listens, without I/O: bytes and ticks go in,
 * bytes and calls of the hub come out.
 *
 * What the hub wants is sent as SUBSCRIBE, UNSUBSCRIBE and their kin, several names a command; a
 * FIFO of names says whose confirmation comes next.  Redis confirms each name, in order, and an
 * error is the reply of a whole command: then its names are asked for one by one, to learn
 * which one was refused.  Names that are on their way are bounded, and so are the bytes: the
 * others stay in the hub.  RESP2 or RESP3: nothing is asked for that differs but in the type.
 *
 * A connection that has been quiet for the interval is asked for a PONG.  What was asked for
 * and brings nothing at all for as long as the patience lasts has ended the connection.
 *
 * One thread; times are monotonic ns.  After -1 the connection is to be closed: cause and
 * error say why.
 */

enum {
  LRD_FEED_WINDOW = 1024,     /* names on their way */
  LRD_FEED_BATCH = 128,       /* names a command */
  LRD_FEED_OUT = 64 * 1024    /* bytes that wait to be written, but for one command */
};
/* 2,880 PINGs a day, if nothing is ever heard. */
#define LRD_FEED_INTERVAL ((int64_t)30 * 1000000000)

/* A name on its way, or a PING. */
struct lrd_feed_step {
  struct lrd_hub_change change; /* name NULL: a PING */
  int alone; /* refused in company: a command of its own */
  int last;  /* of its command */
};

struct lrd_feed {
  const larder_memory *memory;
  struct lrd_hub *hub;
  int64_t interval, patience;

  /* Of one connection. */
  struct lrd_buffer out;
  size_t out_position; /* out.data[out_position ..] is not yet handed over */
  struct lrd_reader reader;
  struct lrd_arena arena;
  struct lrd_feed_step *step; /* a ring: step[head], ... */
  size_t head, used, capacity;
  size_t asked;        /* the first so many are in out, or sent */
  int pinging, doubted;
  int64_t heard_at;    /* bytes came, or the connection did */
  int64_t progress_at; /* a confirmation came, or was waited for first */
  size_t confirmed;    /* subscriptions */
  uint64_t commands;   /* put into out so far, on all connections */

  larder_cause cause; /* after -1 */
  char error[200];
};

/* patience: how long anything that was asked for may bring nothing. */
void lrd_feed_init(struct lrd_feed *, const larder_memory *, struct lrd_hub *, int64_t patience);

/* A new connection: 0, or -1: no memory. */
int lrd_feed_up(struct lrd_feed *, int64_t now);
/* It ended: the hub is told of the gap.  Returns how many names had been ready. */
size_t lrd_feed_down(struct lrd_feed *, const char *text);

/* Takes what the hub wants, as far as there is room, into bytes: 0 or -1. */
int lrd_feed_fill(struct lrd_feed *, int64_t now);
static inline const char *lrd_feed_out(const struct lrd_feed *f, size_t *len)
{
  *len = f->out.len - f->out_position;
  return lrd_buffer_from(&f->out, f->out_position);
}
void lrd_feed_handed(struct lrd_feed *, size_t len);

/* Bytes came: 0 or -1. */
int lrd_feed_take(struct lrd_feed *, const char *bytes, size_t len, int64_t now);

/* Time passed: when to come again, or -1. */
int64_t lrd_feed_tick(struct lrd_feed *, int64_t now);
/* Others have found the server gone: the next tick asks for a PONG. */
static inline void lrd_feed_doubt(struct lrd_feed *f)
{
  f->doubted = 1;
}
/* 1: nothing is on its way. */
static inline int lrd_feed_idle(const struct lrd_feed *f)
{
  return !f->used;
}

#endif
