/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STREAM_ID_H
#define LRD_MEMORY_STREAM_ID_H

#include <larder/backend.h>

/* The id of a stream's entry: milliseconds, and a count within them; printed "ms-seq".  (Names of
 * streams begin with lrd_x, as their commands do.) */
struct lrd_xid {
  uint64_t ms, seq;
};

#define LRD_XID_MAX ((struct lrd_xid){ UINT64_MAX, UINT64_MAX })

static inline int lrd_xid_compare(struct lrd_xid a, struct lrd_xid b)
{
  if (a.ms != b.ms)
    return a.ms < b.ms ? -1 : 1;
  return (a.seq > b.seq) - (a.seq < b.seq);
}

static inline int lrd_xid_is_zero(struct lrd_xid id)
{
  return !id.ms && !id.seq;
}

/* The one behind it, or before it; 0: it is the last, or the first, and stays what it is. */
int lrd_xid_next(struct lrd_xid *);
int lrd_xid_previous(struct lrd_xid *);

enum { LRD_XID_SIZE = 42 };

/* Returns how many bytes; a zero byte is behind them. */
size_t lrd_xid_print(char text[LRD_XID_SIZE], struct lrd_xid);

/* What a text may be beside "ms" (seq is what is missing then) and "ms-seq". */
enum lrd_xid_form {
  LRD_XID_STRICT, /* nothing */
  LRD_XID_ENDS,   /* "-" and "+", the ends of all ids */
  LRD_XID_OPEN    /* "ms-*" */
};

/* Reads one, numbers as Redis reads them.  0: it is none; 1; 2: the count was left open. */
int lrd_xid_parse(larder_bytes text, enum lrd_xid_form, uint64_t missing, struct lrd_xid *);

#endif
