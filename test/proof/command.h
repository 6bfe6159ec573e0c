/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_COMMAND_H
#define TEST_PROOF_COMMAND_H

#include <larder.h>

#include "proof/linear.h"
#include "proof/record.h"
#include "util/hash.h"

/* The commands of a record: made at random, and what their replies tell. */

enum { COMMAND_LONGEST = 8192, COMMAND_ARGUMENTS = 10, COMMAND_KEYS = 3 };

/* Who makes them; of each thread one. */
struct maker {
  struct lrd_prng prng;
  unsigned number, texts; /* the maker's, and how many texts it has given */
  size_t longest;         /* of the texts, at least 100 bytes */
  int expiry;             /* a part of the texts expires */
};

/* One command to one key (MGET and MSET: the same to several). */
struct command {
  unsigned keys, key[COMMAND_KEYS];
  struct action action[COMMAND_KEYS];
  int argc;
  const char *argv[COMMAND_ARGUMENTS];
  size_t len[COMMAND_ARGUMENTS];
  char value[COMMAND_KEYS][COMMAND_LONGEST], ttl[24], amount[24];
};

static inline unsigned roll(struct maker *m, unsigned below)
{
  return (unsigned)lrd_prng_below(&m->prng, below);
}

/* Any command, to any keys. */
void command_make(struct maker *, struct command *);
/* The value that is written to key[which], as its last argument. */
void command_give(struct maker *, struct command *, unsigned which);
/* Notes in its actions what the reply says.  0: no reply to such a command looks so. */
int command_understand(struct command *, const larder_value *);

#endif
