/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/thread.h"

#include <stdatomic.h>

enum { PROBES = 4 };

int lrd_thread_cell(void *cells, size_t size, unsigned bits, uintptr_t self, int *claimed)
{
  unsigned place = lrd_thread_place(self, bits);

  for (unsigned i = 0; i < PROBES; i++) {
    unsigned n = (place + i) & ((1u << bits) - 1);
    _Atomic uintptr_t *owner = (void *)((char *)cells + n * size);
    uintptr_t had = atomic_load_explicit(owner, memory_order_relaxed);

    if (claimed)
      *claimed = !had && atomic_compare_exchange_strong(owner, &had, self);
    if (had == self || (claimed && *claimed))
      return (int)n;
  }
  return -1;
}
