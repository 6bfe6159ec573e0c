/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_SET_H
#define LRD_MEMORY_SET_H

#include "memory/packed.h"
#include "memory/table.h"

/*
 * A set of byte strings.  Small: the members as blobs in one packed block.
 * Else a table of blobs, each in an allocation of its own.  A set that has
 * become large stays so.  Members that are handed out are valid until the set
 * changes.
 */
struct lrd_set {
  /* longest: 0 until a member is no integer; then of those since, and one more */
  struct lrd_packed packed;
  struct lrd_table *table; /* NULL: packed */
  size_t count;
};

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

/* Walks over all members while nothing changes; begins as { 0 }.  0: the end. */
struct lrd_set_cursor {
  size_t at;
  struct lrd_table_cursor table;
};
int lrd_set_next(const struct lrd_set *, struct lrd_set_cursor *, larder_bytes *member);

/* n different members, each choice of n with the same chance; n is at most
 * count.  0, or -1: no memory. */
int lrd_set_sample(const struct lrd_set *, const larder_memory *, struct lrd_prng *, size_t n,
                   larder_bytes *members);

/* As lrd_table_scan; name: the member, or a hash's field, whose value follows (its score, in
 * a sorted set). */
typedef void lrd_scan_visit(void *context, larder_bytes name, larder_bytes value, double score);
uint64_t lrd_set_scan(const struct lrd_set *, uint64_t cursor, lrd_scan_visit *, void *context);

/* For tests: NULL, or what is wrong. */
const char *lrd_set_check(const struct lrd_set *);

#endif
