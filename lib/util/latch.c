/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/latch.h"

#include <sched.h>
#include <time.h>

#include "util/cancel.h"

enum { SPINS = 200, YIELDS = 20, SLEEP_NS = 50000 };

static inline void relax(void)
{
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause();
#elif defined __aarch64__
  __asm__ volatile("yield");
#endif
}

static int spin(struct lrd_latch *latch)
{
  for (int i = 0; i < SPINS; i++) {
    if (!atomic_load_explicit(&latch->taken, memory_order_relaxed) && lrd_latch_try(latch))
      return 1;
    relax();
  }
  return 0;
}

void lrd_latch_wait(struct lrd_latch *latch)
{
  const struct timespec nap = { 0, SLEEP_NS };

  for (int i = 0; !spin(latch); i++) {
    int state;

    if (i < YIELDS) {
      sched_yield();
      continue;
    }
    state = lrd_cancel_disable();
    nanosleep(&nap, NULL);
    lrd_cancel_restore(state);
  }
}
