/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_REPLY_H
#define LARDER_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include <larder/outcome.h>

/*
 * Replies.  A reply is one block of memory that the caller owns and frees with
 * one call; every pointer inside it is valid until then.  A reply never
 * changes after it was handed out, so threads may share it for reading.
 *
 * Types are those of RESP3 whatever the server spoke: HGETALL gives a map,
 * SMEMBERS a set, ZSCORE a double, on every backend.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef enum larder_type {
  LARDER_NIL = 0,
  LARDER_STRING,   /* str, len: bytes; a NUL stands behind them for convenience */
  LARDER_STATUS,   /* str, len: "OK", "QUEUED", ... */
  LARDER_ERROR,    /* str, len: "WRONGTYPE Operation against ..." */
  LARDER_INTEGER,  /* integer */
  LARDER_DOUBLE,   /* real; str, len: as Redis prints it */
  LARDER_BOOLEAN,  /* integer: 0 or 1 */
  LARDER_BIGNUM,   /* str, len: digits */
  LARDER_VERBATIM, /* str, len: the text without its "txt:" */
  LARDER_ARRAY,    /* element[0 .. len-1] */
  LARDER_MAP,      /* element[0 .. len-1]: key, value, key, value; len is even */
  LARDER_SET,      /* element[0 .. len-1] */
  LARDER_PUSH      /* element[0 .. len-1] */
} larder_type;

/* How RESP2 shows a value whose RESP3 form says less or more (larder_value.resp2). */
enum {
  LARDER_RESP2_PLAIN = 0,
  LARDER_RESP2_NIL_ARRAY = 1, /* a nil that RESP2 writes as "*-1" */
  LARDER_RESP2_PAIRS = 2,     /* an array of pairs: RESP2 writes it flat, "*" and twice len */
  LARDER_RESP2_PAIR = 3,      /* one pair of such an array: RESP2 writes its two elements only */
  LARDER_RESP2_NESTED = 4,    /* a map that RESP2 writes as an array of pairs */
  LARDER_RESP2_KEYED = 5      /* begins such a pair: only RESP2 writes it (sinks only) */
};

typedef struct larder_value {
  unsigned char type;  /* a larder_type */
  unsigned char resp2; /* a LARDER_RESP2_... hint; 0 for nearly everything */
  size_t len;          /* bytes of str, or number of elements */
  const char *str;     /* never NULL for the types that have it */
  union {
    int64_t integer;
    double real;
    const struct larder_value *element;
  };
} larder_value;

/* larder_reply.flags */
enum {
  LARDER_JOURNALED = 1 << 0,  /* a local write that will be replayed to Redis */
  LARDER_PROVISIONAL = 1 << 1 /* the value of a local write that Redis may see differently */
};

typedef struct larder_reply {
  larder_value value; /* a non-OK, non-ABSENT outcome carries LARDER_ERROR and a text
                         (a rule "miss=nil" makes it LARDER_NIL instead) */
  larder_outcome outcome;
  larder_origin origin;
  unsigned flags;
  int64_t age_ms; /* age of a near or stale answer; -1 where age has no meaning */
} larder_reply;

/* Frees a reply with everything in it.  NULL is allowed.  Any thread, once. */
void larder_reply_free(larder_reply *reply);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
