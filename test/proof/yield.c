/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/yield.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "util/yield.h"

static _Atomic uint64_t seed, points;
static _Atomic unsigned per_mille;

void yield_seed(uint64_t s, unsigned often)
{
  atomic_store(&seed, s);
  atomic_store(&per_mille, often);
}

uint64_t yield_points(void)
{
  return atomic_load(&points);
}

#ifdef LRD_YIELDS

static _Atomic uint64_t threads;
static _Thread_local uint64_t state, passed;

/* xorshift64* (Vigna, 2016). */
static uint64_t next(void)
{
  if (!state)
    state = (atomic_load(&seed) + atomic_fetch_add(&threads, 1) + 1) *
            UINT64_C(0x9e3779b97f4a7c15) | 1;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * UINT64_C(2685821657736338717) >> 32;
}

void lrd_yield(void)
{
  unsigned often = atomic_load_explicit(&per_mille, memory_order_relaxed);
  uint64_t r;

  passed++;
  if (!often || (r = next()) % 1000 >= often)
    return;
  atomic_fetch_add_explicit(&points, passed, memory_order_relaxed);
  passed = 0;
  if (r / 1000 % 10 == 0)
    nanosleep(&(struct timespec){ 0, (long)(r / 10000 % 50000) }, NULL);
  else
    sched_yield();
}

#endif
