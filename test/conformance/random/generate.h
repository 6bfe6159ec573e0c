/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_RANDOM_GENERATE_H
#define TEST_CONFORMANCE_RANDOM_GENERATE_H

#include "conformance/random/history.h"

enum { GENERATOR_WITHOUT = 8 };

/*
 * Random commands over few keys, so that they meet: all types, all options,
 * good and bad arguments, transactions.  Expiry is far away or already past.
 */

struct generator {
  struct dice dice;
  unsigned keys;      /* of each type */
  unsigned members;   /* how many different ones */
  unsigned focus;     /* the type that most commands are about */
  unsigned grow;      /* percent of the writes to collections that add */
  unsigned entries;   /* how far the ids of streams have come, times 4 */
  int calm;           /* few commands that end a collection, so that it grows large */
  int typed;          /* every key keeps the type of its name, and no argument is spoilt */
  int far_from_edges; /* no integers that overflow when they are added up */
  uint64_t deadlines; /* how many were given out: no two are near each other */
  const char *without[GENERATOR_WITHOUT]; /* no command with such an argument, up to a NULL */
  int64_t base;                           /* where absolute deadlines begin, in ms since 1970 */
};

/* Chooses what this stretch of commands is like. */
void generator_turn(struct generator *);

/* Appends commands until the history has at least count. */
void generate(struct generator *, struct history *, size_t count);

#endif
