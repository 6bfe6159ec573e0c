/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_LISTPACK_H
#define LRD_MEMORY_LISTPACK_H

#include <larder/backend.h>

#include "util/buffer.h"
#include "util/number.h"

/*
 * Redis's listpack: strings and integers in one block.
 *
 *   4: bytes in all | 2: entries, 65535: not known | entry ... | 0xff        lowest byte first
 *
 * An entry is its head with its bytes, then its own length backwards, 7 bits a byte:
 *   0nnnnnnn                a number up to 127        1111 0001 + 2, 0010 + 3, 0011 + 4,
 *   110nnnnn nnnnnnnn       a number of 13 bits       0100 + 8: longer numbers
 *   10llllll ...            a string up to 63 bytes   1110llll llllllll ...  up to 4095
 *   1111 0000 + 4           a longer one
 */

enum { LRD_LISTPACK_HEAD = 6, LRD_LISTPACK_LEAST = 7 };

/* Begins one at the buffer's end, ends it.  Errors are in the buffer (failed). */
size_t lrd_listpack_begin(struct lrd_buffer *);
void lrd_listpack_end(struct lrd_buffer *, size_t begin, size_t entries);
/* A text that Redis takes for a number becomes one. */
void lrd_listpack_add(struct lrd_buffer *, larder_bytes text);
/* How many bytes that would take. */
size_t lrd_listpack_size(larder_bytes text);

struct lrd_listpack {
  const unsigned char *at, *end;
  size_t entries; /* as its head says */
};

/* Reads one; nothing in it is trusted.  0: it is none. */
int lrd_listpack_open(struct lrd_listpack *, larder_bytes block);
/* The next entry; number: for the print of one.  1; 0: that was the last; -1: corrupt. */
int lrd_listpack_next(struct lrd_listpack *, larder_bytes *text, char *number);

#endif
