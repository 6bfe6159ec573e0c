/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_FENCE_H
#define LRD_UTIL_FENCE_H

#include <stdatomic.h>

/*
 * Fences for sequence locks.  ThreadSanitizer knows none and gcc says so each time; there
 * the functions that read without a lock are left out of its view (LRD_RACES), so it misses
 * nothing by them.
 */
#if defined __SANITIZE_THREAD__
#define lrd_fence(order) atomic_signal_fence(order)
#else
#define lrd_fence(order) atomic_thread_fence(order)
#endif

/* A function whose loads race with a writer's stores; it uses what it has read only after it
 * has found that nothing was written meanwhile. */
#if defined __GNUC__
#define LRD_RACES __attribute__((no_sanitize("thread")))
#else
#define LRD_RACES
#endif

#endif
