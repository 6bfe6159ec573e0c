/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_STALL_H
#define BENCH_STALL_H

#include <stddef.h>

/*
 * The slow calls of one thread, and whose fault they are.  A call that was slow because the
 * scheduler gave the processor to somebody else shows as an involuntary context switch of the
 * thread; one that waited for a lock, or slept, as a voluntary one (the engine's latches sleep
 * after some 100 us of waiting); one that computed, as none.  Only the first kind is not the
 * call's own.  What takes the whole machine away (a hypervisor) shows as nothing at all: so calls
 * of nothing are made in between, on the same thread, and their slowest stands beside.
 */

struct stall {
  double slowest;     /* ns, whatever the cause */
  double own;         /* ns, the slowest of those that the scheduler did not interrupt */
  size_t over, taken; /* calls over 1 ms; those of them that the scheduler interrupted */
};

/* What the kernel has counted of the calling thread; lately. */
struct stall_clock {
  long voluntary, involuntary;
  unsigned calls;
};

void stall_start(struct stall_clock *);
/* A call of the thread has ended that took so many ns: 1 if the scheduler interrupted it. */
int stall_note(struct stall_clock *, struct stall *, double took);

#endif
