/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In front of every source of the library that is compiled for the simulator; the linker does the
 * rest (--wrap in local.mk).  A thread is known by its address: a coroutine has none of its own.
 * Yield points are compiled in: the scheduler may switch there.  What a debug build asserts of locks
 * counts by threads, so the simulator does that itself (sync.c).
 */
#include <stdint.h>

uintptr_t sim_thread_address(void);
#define __builtin_thread_pointer() ((void *)sim_thread_address())

#undef LRD_YIELDS
#define LRD_YIELDS 1
#undef LRD_DEBUG
#undef _FORTIFY_SOURCE
