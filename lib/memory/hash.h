/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_HASH_H
#define LRD_MEMORY_HASH_H

#include "memory/set.h"

/*
 * A map from fields to values, both byte strings.  Small: field and value as
 * two blobs, pair behind pair in one packed block.  Else a table of nodes, each
 * one allocation of two blobs.  A hash that has become large stays so.  Bytes
 * that are handed out are valid until the hash changes.
 *
 * A field can get a TTL of its own without another form: a node (or a packed pair)
 * would carry its deadline between field and value, told by a bit beside the value's
 * length, and the hash one timer in the shard's wheel, for its earliest field; no field
 * that has none would take a byte more.
 *
 * sums: the fields of which only increments are known, not what they were
 * added to (in an entry that is a DELTA); NULL as long as there are none.
 */
struct lrd_hash {
  struct lrd_packed packed;
  struct lrd_table *table; /* NULL: packed */
  struct lrd_set *sums;
  size_t count;
};

struct lrd_pair {
  larder_bytes field, value;
};

/* NULL: no memory. */
struct lrd_hash *lrd_hash_new(const larder_memory *);
void lrd_hash_free(struct lrd_hash *, const larder_memory *);
/* The same step by step: what is left of a budget of elements; 0: call it again. */
size_t lrd_hash_free_some(struct lrd_hash *, const larder_memory *, size_t budget);

/* 1: there is one. */
int lrd_hash_get(const struct lrd_hash *, larder_bytes field, larder_bytes *value);
/* Sets n fields: field, value, field, value, ...; how many of them were not
 * there; -1: no memory, nothing was changed. */
int64_t lrd_hash_set(struct lrd_hash *, const larder_memory *, const struct lrd_universal_key *,
                     size_t n, const larder_bytes *);
/* 1: it was there. */
int lrd_hash_remove(struct lrd_hash *, const larder_memory *, larder_bytes field);

/* The value is a sum of increments only: 0, or -1: no memory, nothing was
 * changed.  lrd_hash_set makes it a known one again. */
int lrd_hash_set_sum(struct lrd_hash *, const larder_memory *, const struct lrd_universal_key *,
                     larder_bytes field, larder_bytes value);
int lrd_hash_is_sum(const struct lrd_hash *, larder_bytes field);

/* Walks over all pairs while nothing changes; begins as { 0 }.  0: the end. */
struct lrd_hash_cursor {
  size_t at;
  struct lrd_table_cursor table;
};
int lrd_hash_next(const struct lrd_hash *, struct lrd_hash_cursor *, struct lrd_pair *);

uint64_t lrd_hash_scan(const struct lrd_hash *, uint64_t cursor, lrd_scan_visit *,
                       void *context);
/* Any of the pairs with the same chance; the hash is not empty. */
void lrd_hash_sample(const struct lrd_hash *, struct lrd_prng *, struct lrd_pair *);

/* For tests: NULL, or what is wrong. */
const char *lrd_hash_check(const struct lrd_hash *);

#endif
