/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_RANDOM_HISTORY_H
#define TEST_CONFORMANCE_RANDOM_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * What was or will be done: a list of commands, each in one of two conversations.
 */

enum { HISTORY_ARGS = 32 };

struct command {
  int session;
  int argc;
  const char *argv[HISTORY_ARGS]; /* one block with the command */
  size_t len[HISTORY_ARGS];
};

struct history {
  struct command **command;
  size_t count, room;
};

/* A copy of the arguments.  Ends the process when there is no memory. */
struct command *command_new(int session, int argc, const char *const *argv, const size_t *len);

/* Appends; the history owns it then. */
void history_add(struct history *, struct command *);
void history_free(struct history *);
/* As lines of test/conformance, on standard output. */
void history_print(const struct history *);

/* A small generator of random numbers, the same everywhere. */
struct dice {
  uint64_t state;
};

uint64_t dice_next(struct dice *);
/* 0 .. n - 1 */
unsigned dice_below(struct dice *, unsigned n);
/* 1 with a probability of percent in a hundred */
int dice_percent(struct dice *, unsigned percent);

#endif
