/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_BITS_H
#define LRD_MEMORY_BITS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes as a row of bits, the highest bit of the first byte first, as Redis numbers them.
 */

/* How many are set in len bytes; eight bytes at a time. */
uint64_t lrd_bits_count(const unsigned char *p, size_t len);

/* Of the bits from first to last, which are there: how many are set. */
uint64_t lrd_bits_count_range(const unsigned char *p, uint64_t first, uint64_t last);
/* The first that is that; -1: there is none. */
int64_t lrd_bits_find(const unsigned char *p, uint64_t first, uint64_t last, int bit);

/* A number of 1 to 64 bits, the highest first; what lies behind len bytes is zero. */
uint64_t lrd_bits_get(const unsigned char *p, size_t len, uint64_t at, unsigned width);
/* Within the bytes there are. */
void lrd_bits_set(unsigned char *p, uint64_t at, unsigned width, uint64_t value);

#endif
