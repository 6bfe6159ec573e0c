/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STREAM_H
#define LRD_MEMORY_STREAM_H

#include "memory/stream_map.h"
#include "memory/stream_node.h"

/*
 * A stream: entries of fields and values, in the order of their ids, which only grow; and groups
 * of consumers that read it (stream_group.h).
 *
 * Entries lie in nodes (stream_node.h) under a map by the first id of each (stream_map.h): adding
 * is O(1), finding an id O(log nodes) and a walk over the half of a node.  A stream may be empty:
 * its last id and its groups are still there.
 */

/* Things with names, sorted by them: groups, and consumers.  All zero: none. */
struct lrd_xnamed {
  larder_bytes name; /* first in each of them */
};

struct lrd_xrow {
  struct lrd_xnamed **item;
  size_t count, capacity;
};

/* NULL: there is none of that name. */
void *lrd_xrow_find(const struct lrd_xrow *, larder_bytes name);
/* Puts one in whose name no other has; 0, or -1: no memory. */
int lrd_xrow_add(struct lrd_xrow *, const larder_memory *, struct lrd_xnamed *);
void lrd_xrow_remove(struct lrd_xrow *, const larder_memory *, struct lrd_xnamed *);
/* Removes the last one, which may be freed already. */
void lrd_xrow_pop(struct lrd_xrow *, const larder_memory *);

struct lrd_xstream {
  struct lrd_xmap nodes;
  uint64_t length;
  uint64_t added;         /* entries that there ever were; XSETID may say otherwise */
  struct lrd_xid last;    /* that was ever given; new ones are behind it */
  struct lrd_xid first;   /* of the first entry, as Redis notes it; zero: there is none */
  struct lrd_xid deleted; /* the greatest that XDEL took */
  struct lrd_xrow groups; /* of struct lrd_xgroup */
};

/* When a new node is begun; 0: not for that reason.  stream-node-max-bytes and -entries. */
struct lrd_xlimits {
  int64_t bytes, entries;
};

/* NULL: no memory. */
struct lrd_xstream *lrd_xstream_new(const larder_memory *);
/* Frees it step by step: what is left of a budget of nodes and pending entries; 0: call it
 * again. */
size_t lrd_xstream_free_some(struct lrd_xstream *, const larder_memory *, size_t budget);
/* The same stream once more, with its groups; NULL: no memory. */
struct lrd_xstream *lrd_xstream_clone(const larder_memory *, const struct lrd_xstream *);

/* Adds an entry behind all others (the id is greater than last).  0, or -1: no memory, nothing
 * changed. */
int lrd_xstream_add(struct lrd_xstream *, const larder_memory *, struct lrd_xlimits,
                    struct lrd_xid, struct lrd_xfields);
/* As XDEL does with one id: 1 if it was there. */
int lrd_xstream_delete(struct lrd_xstream *, const larder_memory *, struct lrd_xid);

enum lrd_xtrim_by { LRD_XTRIM_NONE, LRD_XTRIM_LENGTH, LRD_XTRIM_ID };

/* What XTRIM is told. */
struct lrd_xtrim {
  enum lrd_xtrim_by by;
  int about;     /* whole nodes only */
  int64_t limit; /* entries to take at most; 0: all */
  uint64_t length;
  struct lrd_xid id;
};

/* Takes entries from the front; how many. */
uint64_t lrd_xstream_trim(struct lrd_xstream *, const larder_memory *, const struct lrd_xtrim *);

/* A walk over the entries, either way; it ends when the stream changes. */
struct lrd_xcursor {
  const struct lrd_xstream *stream;
  struct lrd_xmap_at at;
  const struct lrd_xnode *node; /* NULL: the end */
  size_t byte;                  /* in it: where the next entry begins, or (back) ends */
};

/* From the first entry that is not below; from the last that is not above, back. */
void lrd_xstream_seek(const struct lrd_xstream *, struct lrd_xid, struct lrd_xcursor *);
void lrd_xstream_seek_back(const struct lrd_xstream *, struct lrd_xid, struct lrd_xcursor *);
/* The next entry; 0: there is none. */
int lrd_xstream_next(struct lrd_xcursor *, struct lrd_xentry *);
int lrd_xstream_previous(struct lrd_xcursor *, struct lrd_xentry *);
/* The entry of an id; 0: there is none. */
int lrd_xstream_find(const struct lrd_xstream *, struct lrd_xid, struct lrd_xentry *);
/* The ids of first and last entry; zero: there is none. */
struct lrd_xid lrd_xstream_lowest(const struct lrd_xstream *);
struct lrd_xid lrd_xstream_highest(const struct lrd_xstream *);

/* How many nodes the radix tree would have in which Redis keeps its listpacks: one look at each
 * node. */
uint64_t lrd_xstream_radix_nodes(const struct lrd_xstream *);

/* Whether a stream of few entries is large all the same: one of that many bytes, or that much
 * pending. */
int lrd_xstream_is_heavy(const struct lrd_xstream *, size_t pending, size_t bytes);

/* For tests: NULL, or what is wrong. */
const char *lrd_xstream_check(const struct lrd_xstream *);

#endif
