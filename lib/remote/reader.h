/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_READER_H
#define LRD_REMOTE_READER_H

#include <locale.h>
#include <stddef.h>

#include <larder/reply.h>

#include "remote/sieve.h"
#include "util/arena.h"

/*
 * Bytes in, larder_value trees out: hiredis's reader with object functions of
 * our own.  Nodes are built in the arena of whoever the reply belongs to.
 * Memory follows the bytes received, never the lengths promised; depth,
 * elements and bytes of a reply are capped.  No I/O, no lock.
 *
 * RESP2 at first; RESP3 (attributes are dropped, pushes told apart) after lrd_reader_speak.
 */

enum {
  LRD_READER_DEPTH = 128,          /* nested aggregates; hiredis 0.14 allows 7 */
  LRD_READER_ELEMENTS = 64 << 20,  /* values in one reply */
  LRD_READER_LINE = 64 * 1024      /* bytes of a status, error or number */
};

struct lrd_reader_frame {
  larder_value *value; /* an open aggregate */
  size_t promised, capacity;
};

struct lrd_reader {
  struct redisReader *hiredis;
  int resp3;
  struct lrd_sieve sieve;  /* RESP3: between the bytes and hiredis */
  locale_t c_locale;       /* for hiredis's strtod; 0: not needed yet */
  size_t limit;            /* bytes of one reply */
  struct lrd_arena *arena; /* NULL: the reply is parsed and dropped */
  int begun;               /* a part of the current reply was parsed */
  larder_value root;
  size_t elements, bytes;  /* of the current reply so far */
  size_t depth;
  struct lrd_reader_frame frame[LRD_READER_DEPTH];
  const char *fault;       /* what our own functions found */
  char error[160];         /* after -1 */
};

/* limit: bytes of one reply, 0: 1 GiB.  0, or -1: no memory. */
int lrd_reader_init(struct lrd_reader *, size_t limit);
void lrd_reader_free(struct lrd_reader *);

/* 1: hiredis, as it is linked, reads every type of RESP3 that Redis sends. */
int lrd_reader_knows_resp3(const larder_memory *);
/* What comes from here on is RESP3 (on: 1) or RESP2; between replies only. */
void lrd_reader_speak(struct lrd_reader *, int resp3);

/* How many of len bytes are best fed before lrd_reader_next is asked: hiredis moves what is left in
 * its buffer to the front after each kilobyte that it has read, of a full read again and again. */
static inline size_t lrd_reader_slice(size_t len)
{
  return len < 2048 ? len : 2048;
}

/* Takes bytes; 0, or -1: no memory, or an attribute that is none (the reader is dead). */
int lrd_reader_feed(struct lrd_reader *, const char *bytes, size_t len);

/* Parses.  1: *out is a whole reply, its nodes in arena (NULL: dropped); 0: it
 * needs more bytes; -1: the stream is no protocol, over a limit, or there is no
 * memory: error says which, and the reader is dead.  Until a reply is whole every
 * call passes the same arena; from lrd_reader_drop on, NULL. */
int lrd_reader_next(struct lrd_reader *, struct lrd_arena *arena, larder_value *out);

/* 1: what comes next, or has begun to come, is a push: it answers no request. */
int lrd_reader_at_push(const struct lrd_reader *);

/* The arena of the current reply goes away: the rest of it is dropped. */
void lrd_reader_drop(struct lrd_reader *);

/* 1: bytes were fed that no reply has used up. */
int lrd_reader_pending(const struct lrd_reader *);

#endif
