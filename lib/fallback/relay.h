/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_FALLBACK_RELAY_H
#define LRD_FALLBACK_RELAY_H

#include <larder/backend.h>

/*
 * A sink that hands everything on to another one, and asks before a reply ends:
 * so that a reply which should not reach the caller can be taken back and given
 * by somebody else in the same place.
 */
struct lrd_relay {
  larder_sink sink;
  larder_sink *target;
  /* May change the verdict.  1: end the reply with it; 0: the function has taken the
   * reply back (the target was rewound before it was called only if it did so)
   * and has ended it itself. */
  int (*ending)(void *context, larder_verdict *verdict);
  void *context;
};

void lrd_relay_init(struct lrd_relay *, larder_sink *target,
                    int (*ending)(void *, larder_verdict *), void *context);

#endif
