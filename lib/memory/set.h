/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_SET_H
#define LRD_MEMORY_SET_H

#include "memory/integers.h"
#include "memory/packed.h"
#include "memory/table.h"

/*
 * A set of byte strings, in one of three forms; it goes down the list, and back in lrd_set_renew
 * alone:
 *
 * integers  as long as all members are integers as they are printed, LRD_INTEGERS_MOST
 *           at most: in order, each of 2, 4 or 8 bytes (integers.h)
 * packed    while it is small: the members as blobs in one block
 * table     of blobs, each in an allocation of its own
 *
 * Members that are handed out are valid until the set changes; the print of an
 * integer lies with who asked for it, as said below.
 */
struct lrd_set {
  /* The block of the first two forms.  longest: 0 until a member is no integer; then of
   * those since, and one more. */
  struct lrd_packed packed;
  struct lrd_table *table; /* or NULL */
  size_t count;
};

/* What it once had decides, so that an integer set is told without a word of its own. */
static inline int lrd_set_is_integers(const struct lrd_set *set)
{
  return !set->packed.longest && !set->table && set->packed.most <= LRD_INTEGERS_MOST;
}

/* The bytes that the prints of n members need; 0 unless they are integers. */
static inline size_t lrd_set_room(const struct lrd_set *set, size_t n)
{
  return lrd_set_is_integers(set) ? n * LRD_INTEGER_TEXT : 0;
}

/* NULL: no memory. */
struct lrd_set *lrd_set_new(const larder_memory *);
void lrd_set_free(struct lrd_set *, const larder_memory *);
/* The same step by step: what is left of a budget of elements; 0: call it again. */
size_t lrd_set_free_some(struct lrd_set *, const larder_memory *, size_t budget);

int lrd_set_has(const struct lrd_set *, larder_bytes member);
/* How many of the n were not there; -1: no memory, nothing was added. */
int64_t lrd_set_add(struct lrd_set *, const larder_memory *, const struct lrd_universal_key *,
                    size_t n, const larder_bytes *);
/* 1: it was there. */
int lrd_set_remove(struct lrd_set *, const larder_memory *, larder_bytes member);

/* Gives it the form that a new set of its members has, in time of their number; without memory it
 * stays as it is. */
void lrd_set_renew(struct lrd_set *, const larder_memory *, const struct lrd_universal_key *);

/* Walks over all members while nothing changes; begins as { 0 }.  0: the end.  A member
 * that lies in the cursor's text is there until the next one. */
struct lrd_set_cursor {
  size_t at;
  struct lrd_table_cursor table;
  char text[LRD_INTEGER_TEXT];
};
int lrd_set_next(const struct lrd_set *, struct lrd_set_cursor *, larder_bytes *member);

/* n different members, each choice of n with the same chance; n is at most
 * count.  room: of lrd_set_room, NULL if that is 0.  0, or -1: no memory. */
int lrd_set_sample(const struct lrd_set *, const larder_memory *, struct lrd_prng *, size_t n,
                   larder_bytes *members, char *room);

/* As lrd_table_scan; name: the member, or a hash's field, whose value follows (its score, in
 * a sorted set).  A member of an integer set is valid during the visit alone. */
typedef void lrd_scan_visit(void *context, larder_bytes name, larder_bytes value, double score);
uint64_t lrd_set_scan(const struct lrd_set *, uint64_t cursor, lrd_scan_visit *, void *context);

/* For tests: NULL, or what is wrong. */
const char *lrd_set_check(const struct lrd_set *);

#endif
