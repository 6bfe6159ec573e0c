/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/latch.h"

#include <sched.h>
#include <time.h>

#include "util/cancel.h"

enum { SPINS = 200, YIELDS = 20, SLEEP_NS = 50000, ALIKE = 4, DOUBLINGS = 4 };

static inline void relax(void)
{
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause();
#elif defined __aarch64__
  __asm__ volatile("yield");
#endif
}

static int spin(struct lrd_latch *latch, int times)
{
  for (int i = 0; i < times; i++) {
    if (!atomic_load_explicit(&latch->taken, memory_order_relaxed) && lrd_latch_try(latch))
      return 1;
    relax();
  }
  return 0;
}

static void nap(unsigned doublings)
{
  const struct timespec time = { 0, (long)SLEEP_NS << doublings };
  int state = lrd_cancel_disable();

  nanosleep(&time, NULL);
  lrd_cancel_restore(state);
}

void lrd_latch_back_off(unsigned round)
{
  unsigned doublings;

  if (round < YIELDS) {
    sched_yield();
    return;
  }
  doublings = (round - YIELDS) / ALIKE;
  nap(doublings < DOUBLINGS ? doublings : DOUBLINGS);
}

void lrd_latch_wait(struct lrd_latch *latch)
{
  for (unsigned round = 0; !spin(latch, round < YIELDS ? SPINS : 1); round++)
    lrd_latch_back_off(round);
}
