/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_HLL_RUN_H
#define LRD_MEMORY_HLL_RUN_H

#include <stddef.h>

/* The runs of a sparse counter (hll.h), one behind the other. */

struct lrd_run {
  unsigned value; /* 0: zeros */
  unsigned len;   /* registers */
};

enum {
  LRD_RUN_VALUE_MAX = 32,
  LRD_RUN_MOST = 5, /* bytes that one run is replaced by */
  LRD_RUN_FULL = 2
};

/* Reads the run that begins there; its bytes.  len 0: it is cut off. */
size_t lrd_run_read(const unsigned char *p, size_t left, struct lrd_run *);
/* The shortest form; its bytes.  Of a value at most 4 registers. */
size_t lrd_run_write(unsigned char *p, unsigned value, unsigned len);

/* Raises a register, in the very steps of Redis, so that the bytes are the same: 1, or 0: it
 * was not lower; -1: corrupt; LRD_RUN_FULL: there are too many bytes, nothing is changed.
 * bytes: the counter, which has room for LRD_RUN_MOST more. */
int lrd_run_raise(unsigned char *bytes, size_t *len, unsigned index, unsigned value);

#endif
