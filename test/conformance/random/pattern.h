/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_RANDOM_PATTERN_H
#define TEST_CONFORMANCE_RANDOM_PATTERN_H

#include <stddef.h>

/*
 * Patterns: words between spaces; $x is replaced (see placeholder());
 * {a|b|c} is one of them, perhaps nothing; <...> is repeated one to four times.
 * $y: a sorted set with equal scores (otherwise BYLEX is not defined); $u: a counter of elements.
 * type: whose command it is, adds: what it does to a collection's size.
 */
struct pattern {
  char type; /* s l S z h; k: any key; d: the whole database */
  signed char adds;
  unsigned char weight;
  const char *text;
};

extern const struct pattern patterns[];
extern const size_t pattern_count;

#endif
