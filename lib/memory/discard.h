/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_DISCARD_H
#define LRD_MEMORY_DISCARD_H

#include <stdatomic.h>

#include "memory/kind.h"

/*
 * Values that are too large to be freed under a shard's lock: collections of many elements, and
 * entries with long strings.  What takes one out of the keyspace (DEL, UNLINK, an overwrite,
 * expiry, eviction) puts it on this list of its engine.  It is freed when the locks are released:
 * by the maintenance thread if the engine has one, else by the call that has put it there, before
 * it returns; no other call waits for that.  Until then its bytes are accounted as used.
 *
 * The list is a stack: anybody pushes, who frees takes all of it.
 */

/* A collection of fewer elements, none of which is that long, and an entry of fewer bytes are
 * freed at once. */
enum { LRD_DISCARD_LEAST = 256, LRD_DISCARD_LEAST_BYTES = 64 * 1024 };

/* As free_some of a kind of value. */
typedef size_t lrd_discard_fn(const larder_memory *, void *value, size_t budget);

struct lrd_discarded {
  struct lrd_discarded *next;
  const larder_memory *memory;
  lrd_discard_fn *free_some;
  void *value;
};

struct lrd_discard {
  _Atomic(struct lrd_discarded *) first;
};

/* What is to be freed by such a function; 0, or -1: no memory to note it.  Any lock may be held. */
int lrd_discard_later(struct lrd_engine *, lrd_discard_fn *, void *value);
/* Of an entry that is about to be freed or to get another value: takes away its
 * value if that is large (unless there is no memory to note it).  Any lock may be held. */
void lrd_discard_value(struct lrd_engine *, struct lrd_entry *);
/* Frees an entry that has left the keyspace, with its value: what is large of it later.
 * Any lock may be held. */
void lrd_discard_entry(struct lrd_engine *, struct lrd_entry *);
/* At the end of a call: sees to it that all is freed.  No lock is held. */
void lrd_discard_settle(struct lrd_engine *);
/* Frees what there is, steps at most, in items; 0: there may be more.  No lock is held. */
size_t lrd_discard_free(struct lrd_engine *, size_t steps);

#endif
