/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_RANDOM_PLAY_H
#define TEST_CONFORMANCE_RANDOM_PLAY_H

#include "conformance/random/history.h"
#include "conformance/target.h"

/*
 * Plays a history on a target and on a redis-server, from empty databases, and
 * compares each reply, and in the end all that is stored.
 *
 * What a command takes out at random is looked up on the server, and taken out
 * there by name.
 */

struct play {
  struct target *target;
  struct resp_client *oracle[2];
  uint64_t commands; /* compared so far, in all plays */
  /* The first difference of the last play. */
  size_t at;  /* index of the command; count of the history: in what is stored in the end */
  char *what; /* NULL: none */
};

/* 0: no difference.  1: see at and what (freed by the next play). */
int play(struct play *, const struct history *);

/* Takes away commands as long as what is left still shows a difference, at most
 * for so long.  0: the history shows none (any more). */
int shrink(struct play *, struct history *, int seconds);

#endif
