/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_PREFETCH_H
#define LRD_UTIL_PREFETCH_H

/* gcc 12 leaves out the call of a function that does nothing but prefetch: inline, always. */
#define LRD_PREFETCHES __attribute__((always_inline)) static inline void

#endif
