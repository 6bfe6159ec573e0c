/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_T_BITMAP_H
#define LRD_MEMORY_T_BITMAP_H

#include "memory/engine.h"

/* The handlers of commands on the bits of strings. */

lrd_handler lrd_t_getbit, lrd_t_setbit, lrd_t_bitcount, lrd_t_bitpos, lrd_t_bitop,
    lrd_t_bitfield;

/* Where a bit is, within a string's greatest length.  width: of the numbers that "#n" counts;
 * 0: that is not allowed.  0: replied. */
int lrd_argument_bit_offset(struct lrd_exec *, int i, unsigned width, uint64_t *offset);

#endif
