/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_LINEAR_H
#define TEST_PROOF_LINEAR_H

#include "proof/model.h"

/*
 * Is there an order of the operations on one key that agrees with the model and with
 * real time (Herlihy and Wing, 1990)?
 *
 * The search is Wing and Gong's (1993), with Lowe's memoization of configurations
 * (Testing for linearizability, 2017): an operation that has begun and that may come
 * next is taken; where the earliest end of a call that was not taken yet is reached,
 * the last choice is undone; what was already reached once (the same operations taken,
 * the same state) is not tried again.  A history is linearizable if that of each of its
 * keys is (locality, or P-compositionality: Horn and Kroening, 2015), so each key is
 * searched alone.
 *
 * The set of operations taken is remembered by a 64-bit sum of random numbers
 * (Zobrist, 1970): two sets that collide could make a good history look bad, never a
 * bad one good.
 */

enum linear_verdict { LINEAR_YES, LINEAR_NO, LINEAR_LOST /* no memory, or too many steps */ };

/* Sorts the operations by their begin.  *stuck: of the longest order that was found,
 * how many operations it has. */
enum linear_verdict linear_check(const struct model *, struct operation *, size_t count,
                                 size_t *stuck);

#endif
