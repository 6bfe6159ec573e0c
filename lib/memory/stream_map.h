/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STREAM_MAP_H
#define LRD_MEMORY_STREAM_MAP_H

#include "memory/stream_id.h"
#include "util/memory.h"

/*
 * Ids in order, with a pointer each: a tree of two levels.  Pages of up to 64 slots hold ids and
 * pointers, and a row of pages is searched by their least ids.  Both are sorted arrays, so a
 * search takes two binary searches, adding at the end is O(1), and elsewhere it moves at most a
 * page and, when that is divided, the row (24 bytes for 32 to 64 ids).  Half empty neighbours are
 * joined.  All zero: an empty map, without memory.
 */

struct lrd_xmap_page;

struct lrd_xmap_part {
  struct lrd_xid first; /* no id of the page is before it, and none of the page before is not */
  struct lrd_xmap_page *page;
};

struct lrd_xmap {
  struct lrd_xmap_part *part;
  uint32_t parts, capacity;
  size_t count;
};

/* A longer block for a shorter one, or for none.  NULL: no memory. */
static inline void *lrd_xgrow(const larder_memory *memory, void *block, size_t old, size_t size)
{
  return block ? lrd_resize(memory, block, old, size) : lrd_allocate(memory, size);
}

/* Of an id that is there. */
struct lrd_xmap_at {
  uint32_t part, slot;
};

/* 1; 0: the id is there already, nothing changed; -1: no memory. */
int lrd_xmap_add(struct lrd_xmap *, const larder_memory *, struct lrd_xid, void *value);
/* NULL: it is not there. */
void *lrd_xmap_find(const struct lrd_xmap *, struct lrd_xid);
/* Removes an id; its pointer, NULL: it was not there. */
void *lrd_xmap_remove(struct lrd_xmap *, const larder_memory *, struct lrd_xid);
void lrd_xmap_remove_at(struct lrd_xmap *, const larder_memory *, struct lrd_xmap_at);
/* Frees the map, not what the pointers point to. */
void lrd_xmap_free(struct lrd_xmap *, const larder_memory *);

/* The first id that is not below, and the last that is not above; 0: there is none. */
int lrd_xmap_seek(const struct lrd_xmap *, struct lrd_xid, struct lrd_xmap_at *);
int lrd_xmap_seek_back(const struct lrd_xmap *, struct lrd_xid, struct lrd_xmap_at *);
/* On to the next, or previous; 0: there is none, and the place is used up. */
int lrd_xmap_next(const struct lrd_xmap *, struct lrd_xmap_at *);
int lrd_xmap_previous(const struct lrd_xmap *, struct lrd_xmap_at *);

struct lrd_xid lrd_xmap_id(const struct lrd_xmap *, struct lrd_xmap_at);
void *lrd_xmap_value(const struct lrd_xmap *, struct lrd_xmap_at);
void lrd_xmap_set(struct lrd_xmap *, struct lrd_xmap_at, void *value);

/* For tests: NULL, or what is wrong. */
const char *lrd_xmap_check(const struct lrd_xmap *);

#endif
