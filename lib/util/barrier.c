/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/barrier.h"

#include <stdatomic.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined __linux__ && defined SYS_membarrier
/* As in linux/membarrier.h, which may be older than the kernel. */
enum { PRIVATE_EXPEDITED = 1 << 3, REGISTER_PRIVATE_EXPEDITED = 1 << 4 };

int lrd_barrier_register(void)
{
  return !syscall(SYS_membarrier, REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

void lrd_barrier(void)
{
  atomic_thread_fence(memory_order_seq_cst);
  (void)syscall(SYS_membarrier, PRIVATE_EXPEDITED, 0, 0);
}
#else
int lrd_barrier_register(void)
{
  return 0;
}

void lrd_barrier(void)
{
  atomic_thread_fence(memory_order_seq_cst);
}
#endif
