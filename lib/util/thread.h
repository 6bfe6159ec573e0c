/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_THREAD_H
#define LRD_UTIL_THREAD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* The address that no other thread alive has; of one that has ended the C library gives it
 * to one that begins later.  Never 0 nor 1. */
static inline uintptr_t lrd_thread_address(void)
{
#if defined __x86_64__ && defined __GNUC__ && __GNUC__ >= 11
  return (uintptr_t)__builtin_thread_pointer();
#else
  return (uintptr_t)pthread_self();
#endif
}

/* The place of the thread at that address among 1 << bits (at least 2): addresses are multiples
 * of large numbers (Fibonacci hashing: Knuth, "The Art of Computer Programming", 6.4). */
static inline unsigned lrd_thread_place(uintptr_t self, unsigned bits)
{
  return (unsigned)((uint64_t)self * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

/* In an array of 1 << bits cells of that size, each with its owner's address (an _Atomic
 * uintptr_t; 0: nobody) at its beginning: which is the thread's, -1: none of the few from its
 * place on, where it may be.  claimed not NULL: one that is nobody's becomes its own, for good,
 * and *claimed tells whether that was now. */
int lrd_thread_cell(void *cells, size_t size, unsigned bits, uintptr_t self, int *claimed);

#endif
