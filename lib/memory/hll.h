/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_HLL_H
#define LRD_MEMORY_HLL_H

#include <stddef.h>
#include <stdint.h>

/*
 * HyperLogLog counters (Flajolet, Fusy, Gandouet, Meunier, 2007) as strings in the format of
 * Redis, byte for byte: 16384 registers, each the longest run of zeros seen in the hashes that
 * belong to it, plus one.
 *
 *   "HYLL" | encoding | 3 unused | 8: cached count, lowest first, top bit: not valid | registers
 *
 * Dense: 6 bits a register, lowest bits first.  Sparse, up to 3000 bytes in all: runs of
 *   00nnnnnn            n + 1 zeros
 *   01nnnnnn nnnnnnnn   n + 1 zeros
 *   1vvvvvnn            n + 1 registers of v + 1
 *
 * The estimate is Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches",
 * 2017).  Strings may come from anybody: nothing outside of their bytes is ever touched.
 */

enum {
  LRD_HLL_REGISTERS = 16384,
  LRD_HLL_HEAD = 16,
  LRD_HLL_DENSE = LRD_HLL_HEAD + LRD_HLL_REGISTERS * 6 / 8, /* bytes */
  LRD_HLL_SPARSE_MAX = 3000
};

struct lrd_hll {
  unsigned char *bytes; /* with lrd_hll_room(len) bytes of room, unless it is dense */
  size_t len;
};

/* Whether the bytes begin as a counter does; what is sparse may still be corrupt. */
int lrd_hll_is(const unsigned char *bytes, size_t len);
int lrd_hll_is_dense(const unsigned char *bytes);
/* How much memory it may take to change one of that length. */
size_t lrd_hll_room(size_t len);
/* An empty counter, sparse. */
void lrd_hll_init(struct lrd_hll *);

/* The register an element belongs to, and what it makes of it. */
unsigned lrd_hll_hash(const void *element, size_t len, unsigned *value);

/* Raises a register to a value: 1, or 0: it was not lower; -1: corrupt, perhaps changed. */
int lrd_hll_raise(struct lrd_hll *, unsigned index, unsigned value);
/* 0, or -1: corrupt, unchanged. */
int lrd_hll_make_dense(struct lrd_hll *);
/* Raises each of 16384 registers, a byte each, to those of the counter; 0, or -1: corrupt. */
int lrd_hll_merge(const unsigned char *bytes, size_t len, unsigned char *registers);

/* Estimates; -1: corrupt. */
int64_t lrd_hll_count(const unsigned char *bytes, size_t len);
int64_t lrd_hll_count_registers(const unsigned char *registers);

/* The count that is kept in the head; 0: none is. */
int lrd_hll_cached(const unsigned char *bytes, uint64_t *count);
void lrd_hll_cache(unsigned char *bytes, uint64_t count);
void lrd_hll_uncache(unsigned char *bytes);

#endif
