/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STREAM_GROUP_H
#define LRD_MEMORY_STREAM_GROUP_H

#include "memory/stream.h"

/*
 * Groups of a stream's consumers.  What was handed out and not yet acknowledged is pending: one
 * record each, which the group and its consumer have in a map by id.
 */

struct lrd_xconsumer {
  struct lrd_xnamed named;
  int64_t seen;            /* wall ms */
  struct lrd_xmap pending; /* of struct lrd_xpending */
};

struct lrd_xpending {
  struct lrd_xconsumer *consumer;
  int64_t time;   /* wall ms of the last time it was handed out */
  uint64_t count; /* how often it was */
};

enum { LRD_XREAD_UNKNOWN = -1 };

struct lrd_xgroup {
  struct lrd_xnamed named;
  struct lrd_xid last;       /* handed out */
  int64_t read;              /* entries that there ever were up to last; or LRD_XREAD_UNKNOWN */
  struct lrd_xmap pending;   /* of struct lrd_xpending */
  struct lrd_xrow consumers; /* of struct lrd_xconsumer */
  uint64_t turns;            /* how often a command that runs names it; else 0 */
};

static inline struct lrd_xgroup *lrd_xgroup_find(const struct lrd_xstream *s, larder_bytes name)
{
  return lrd_xrow_find(&s->groups, name);
}

static inline struct lrd_xconsumer *lrd_xconsumer_find(const struct lrd_xgroup *g,
                                                       larder_bytes name)
{
  return lrd_xrow_find(&g->consumers, name);
}

static inline struct lrd_xgroup *lrd_xgroup_at(const struct lrd_xstream *s, size_t i)
{
  return (struct lrd_xgroup *)(void *)s->groups.item[i];
}

static inline struct lrd_xconsumer *lrd_xconsumer_at(const struct lrd_xgroup *g, size_t i)
{
  return (struct lrd_xconsumer *)(void *)g->consumers.item[i];
}

/* New ones, of names that are not there; NULL: no memory. */
struct lrd_xgroup *lrd_xgroup_add(struct lrd_xstream *, const larder_memory *, larder_bytes name);
struct lrd_xconsumer *lrd_xconsumer_add(struct lrd_xgroup *, const larder_memory *,
                                        larder_bytes name);
/* Adds a record for an id that is not pending; NULL: no memory. */
struct lrd_xpending *lrd_xpending_add(struct lrd_xgroup *, const larder_memory *, struct lrd_xid,
                                      struct lrd_xconsumer *);

/* Takes a group out of the stream: the caller frees it. */
void lrd_xgroup_remove(struct lrd_xstream *, const larder_memory *, struct lrd_xgroup *);
/* What is left of a budget of pending entries; 0: call it again. */
size_t lrd_xgroup_free_some(const larder_memory *, struct lrd_xgroup *, size_t budget);
/* A consumer, and what it has pending. */
void lrd_xconsumer_remove(struct lrd_xgroup *, const larder_memory *, struct lrd_xconsumer *);
/* XACK of one id: 1 if it was pending. */
int lrd_xpending_remove(struct lrd_xgroup *, const larder_memory *, struct lrd_xid);

/* Copies the groups of a stream to one that has none: 0, or -1: no memory, some are there. */
int lrd_xgroups_clone(struct lrd_xstream *, const larder_memory *, const struct lrd_xstream *from);

/* How many entries there ever were up to an id; LRD_XREAD_UNKNOWN.  As Redis estimates it. */
int64_t lrd_xstream_read_up_to(const struct lrd_xstream *, struct lrd_xid);
/* Whether XDEL may have taken something from an id on. */
int lrd_xstream_has_gaps(const struct lrd_xstream *, struct lrd_xid);
/* Entries that a group has not read yet; 0: that is not known. */
int lrd_xgroup_lag(const struct lrd_xstream *, const struct lrd_xgroup *, int64_t *lag);
/* The group has been handed an entry: notes it if it is behind its last. */
void lrd_xgroup_read(const struct lrd_xstream *, struct lrd_xgroup *, struct lrd_xid);

/* For tests: NULL, or what is wrong. */
const char *lrd_xgroup_check(const struct lrd_xgroup *);

#endif
