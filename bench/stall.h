/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_STALL_H
#define BENCH_STALL_H

#include <stddef.h>

/*
 * The slow calls of one thread, and what they waited for, as far as the kernel tells
 * (/proc/self/task/TID/schedstat and stat; where it doesn't, all is the call's own).
 *
 * What a thread waits for a processor while it could run is the scheduler's, and is taken off: it
 * would have hit any call.  A call that sleeps at a lock waits for whoever holds it, and that
 * one may be without a processor, or in a page fault: this is counted, and what other threads
 * waited is taken off only from a figure of its own, because that another thread was without a
 * processor doesn't prove that it held the lock.  What takes the whole machine away (a hypervisor)
 * shows as nothing at all: so calls of nothing are made in between, on the same thread, and
 * their slowest stands beside.
 */

struct stall {
  double slowest; /* ns, whatever the cause */
  double own;     /* ns, the slowest, without what the thread waited for a processor */
  double least;   /* ns, the same, without what the other threads waited for one meanwhile */
  size_t over;    /* calls over 1 ms; and of them: */
  size_t taken;   /* the thread was without a processor for more than half of it; or else */
  size_t behind;  /* another thread of the process was, for as long; or else */
  size_t faulted; /* another thread took page faults */
};

enum { STALL_THREADS = 8 };

/* What the kernel has counted, lately. */
struct stall_clock {
  int own;                           /* a file, or -1 */
  int others;                        /* threads */
  int delays[STALL_THREADS], stats[STALL_THREADS]; /* their files */
  double delay, other_delays;        /* ns without a processor */
  double other_faults;
  unsigned calls;
};

/* For calls of the calling thread.  others: look at the process's other threads too, at those that
 * there are now; that costs more. */
void stall_start(struct stall_clock *, int others);
/* A call has ended that took so many ns: how many of them were its own. */
double stall_note(struct stall_clock *, struct stall *, double took);
void stall_stop(struct stall_clock *);

#endif
