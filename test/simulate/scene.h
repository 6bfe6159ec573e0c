/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SIMULATE_SCENE_H
#define TEST_SIMULATE_SCENE_H

#include <stdint.h>

/*
 * One seed, from the first call to the last: what store it is, who calls what, and what goes wrong.
 *
 * Safety: things go wrong all the time.  Nothing that was promised may be broken.
 * Liveness: at some moment nothing goes wrong any more.  After a while everything must work.
 */
enum scene_mode { SCENE_SAFETY, SCENE_LIVENESS, SCENE_MODES };

extern const char *const scene_mode_name[SCENE_MODES];

/* Returns if nothing was found; else sim_fail. */
void scene_run(enum scene_mode, uint64_t seed);

/* faults.c: from now on something goes wrong again and again, until faults_end. */
void faults_begin(void);
void faults_end(void);

#endif
