/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_YIELD_H
#define TEST_PROOF_YIELD_H

#include <stdint.h>

/*
 * What happens at the yield points of a library built with --enable-yields
 * (util/yield.h): a thread goes on, gives its CPU away, or sleeps a moment, by a
 * generator of its own that is seeded from one seed.  In other builds nothing
 * happens there.
 */

/* For the threads that are started after it.  often: of a thousand points, so
 * many yield; a tenth of those sleep. */
void yield_seed(uint64_t seed, unsigned often);

/* How many points were passed so far, in all threads that have ended or yielded. */
uint64_t yield_points(void);

#endif
