/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_STORE_HEAP_H
#define TEST_STORE_HEAP_H

#include <stdatomic.h>

#include <larder/hooks.h>

/* A memory hook that counts, fails the n-th request (and all behind it), and aborts
 * the test when a block comes back with another size than it was asked for. */
struct heap {
  larder_memory memory;
  atomic_long blocks, bytes;
  atomic_long calls;
  long fail_at; /* 0: never */
  int lasting;  /* ... and from then on */
};

void heap_init(struct heap *);

#endif
