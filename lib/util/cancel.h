/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_CANCEL_H
#define LRD_UTIL_CANCEL_H

#include <pthread.h>

/*
 * No function of larder is a cancellation point: a thread that ended inside one would
 * leave locks and counts behind.  What system calls are made for a caller (they are
 * such points) lies between these two.
 */

/* What to give to lrd_cancel_restore. */
static inline int lrd_cancel_disable(void)
{
  int state;

  (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  return state;
}

static inline void lrd_cancel_restore(int state)
{
  (void)pthread_setcancelstate(state, &state);
}

#endif
