/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_BARRIER_H
#define LRD_UTIL_BARRIER_H

/*
 * A fence that every running thread of the process passes, made by one of them:
 * membarrier(2).  Where one side of an order is frequent and the other rare, the frequent
 * one then needs no fence of its own, only its stores and loads in the program's order.
 */

/* Before the first; any number of times.  1: it works; 0: this system has none, or does not
 * allow it, and whoever relied on it makes fences of his own.  In a process that
 * has threads already the first time takes some milliseconds. */
int lrd_barrier_register(void);

/* A few microseconds.  It can't fail once it was registered; only a filter of system calls
 * (seccomp) that comes later and forbids it takes it away, unnoticed: such a program has to allow
 * membarrier, or to set its filter before. */
void lrd_barrier(void);

#endif
