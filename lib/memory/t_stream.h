/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_T_STREAM_H
#define LRD_MEMORY_T_STREAM_H

#include "memory/kind.h"
#include "memory/stream_group.h"

/*
 * The commands of streams: t_stream.c (entries), t_stream_read.c (ranges, XREAD),
 * t_stream_group.c (XGROUP, XACK, XREADGROUP), t_stream_claim.c, t_stream_info.c.
 *
 * A partial engine has whole streams or none: what depends on an unseen one, writes too, is
 * unknown, since only Redis knows which ids come next.
 */

lrd_handler lrd_t_xadd, lrd_t_xlen, lrd_t_xdel, lrd_t_xtrim, lrd_t_xsetid, lrd_t_xrange,
    lrd_t_xrevrange, lrd_t_xread, lrd_t_xreadgroup, lrd_t_xgroup, lrd_t_xack, lrd_t_xpending,
    lrd_t_xclaim, lrd_t_xautoclaim, lrd_t_xinfo;

/* --- what they share -------------------------------------------------------------------- */

static inline struct lrd_xstream *lrd_stream_of(const struct lrd_entry *entry)
{
  return entry ? lrd_value(entry) : NULL;
}

/* As lrd_write; the stream must be wholly known. */
int lrd_write_stream(struct lrd_exec *, larder_bytes key, struct lrd_entry **);

/* Arguments; 0: replied.  xid: 1, or 2 as lrd_xid_parse; ids: those from an argument to the end
 * (or before `end`) may be read later.  interval: "(" in front leaves the id itself out. */
int lrd_argument_xid(struct lrd_exec *, int i, enum lrd_xid_form, struct lrd_xid *);
int lrd_argument_xids(struct lrd_exec *, int i, int end);
int lrd_argument_xinterval(struct lrd_exec *, int start, int end, struct lrd_xid *from,
                           struct lrd_xid *to);
/* An id that was read before. */
struct lrd_xid lrd_xid_at(struct lrd_exec *, int i);

void lrd_reply_xid(struct lrd_exec *, struct lrd_xid);
/* [id, [field, value ...]] */
void lrd_reply_xentry(struct lrd_exec *, struct lrd_xentry *);
/* Entries from one id to another, most at most (0: all); back: the other way. */
void lrd_reply_xrange(struct lrd_exec *, const struct lrd_xstream *, struct lrd_xid from,
                      struct lrd_xid to, uint64_t most, int back);
/* Neither key nor group is there. */
void lrd_no_group(struct lrd_exec *, larder_bytes key, larder_bytes group, const char *behind);

/* How long ago a time was, which RESTORE may have made any: it wraps around, as in Redis. */
static inline int64_t lrd_xidle(struct lrd_exec *x, int64_t time)
{
  return (int64_t)((uint64_t)lrd_now(x) - (uint64_t)time);
}

#endif
