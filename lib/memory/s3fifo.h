/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_S3FIFO_H
#define LRD_MEMORY_S3FIFO_H

#include "memory/fifo.h"
#include "memory/ghost.h"
#include "memory/shard.h"

/*
 * S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, SOSP 2023) over the keys of a shard.  A new key
 * goes into the small queue, a tenth of all; what was not used twice before it is at the end of
 * it leaves, so a scan never gets to the main queue.  What was used does; it stays there while
 * it is used, a round of the queue for each use, three at most.  A key that left the small
 * queue is remembered for a while (ghost.h), and goes straight into the main one when it comes
 * back.
 *
 * An entry knows nothing of its place.  The queues hold slots:
 *
 *   | low 52 bits of the key's hash | database, 4 | mark, 8 |
 *
 * and an entry's "used" holds the mark of its slot and how often it was used.  A slot whose key
 * is gone, or came anew (with another mark), is stale and dropped when it is met.  When the
 * stale ones are more than the others each new slot goes over two old ones, from the unsifted
 * part of its queue to the sifted one.
 *
 * Keys that have no slot, because they were there before the bound or because memory was
 * short, are found by a walk over the index, a bucket with each new key, and more when
 * there is nothing else to evict.
 *
 * The shard's lock guards it.
 */

struct lrd_s3fifo_queue {
  struct lrd_fifo sifted, rest; /* what goes first; what was not sifted yet, new ones */
  int sifting;
};

struct lrd_s3fifo {
  struct lrd_s3fifo_queue small, main;
  struct lrd_ghost ghost;
  uint8_t mark;             /* the last one given, 1 .. 255 */
  unsigned char walks;      /* an enum walk */
  unsigned char walk_again; /* a slot was lost since the walk began */
  unsigned walk_database;
  uint64_t walk_cursor;
};

/* A search ends after so many slots. */
enum { LRD_S3FIFO_LOOKS = 32 };

struct lrd_evict_search; /* evict_shard.h */

/* All zero: no key has a slot yet, the walk is about to begin. */
void lrd_s3fifo_add(struct lrd_engine *, struct lrd_s3fifo *, const struct lrd_at *,
                    struct lrd_entry *);
/* Who goes next, out of the queues already: its entry, and *at.  NULL: nobody was found. */
struct lrd_entry *lrd_s3fifo_next(struct lrd_engine *, struct lrd_s3fifo *, struct lrd_shard *,
                                  struct lrd_at *at, struct lrd_evict_search *);
/* Frees all. */
void lrd_s3fifo_drop(struct lrd_s3fifo *, const larder_memory *);
/* For tests: NULL, or what is wrong. */
const char *lrd_s3fifo_check(struct lrd_engine *, struct lrd_s3fifo *, struct lrd_shard *);

#endif
