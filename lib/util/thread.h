/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_THREAD_H
#define LRD_UTIL_THREAD_H

#include <pthread.h>
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

#endif
