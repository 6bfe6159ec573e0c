/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_RUN_H
#define TEST_CONFORMANCE_RUN_H

#include "conformance/target.h"

/*
 * Runs a sequence of commands on a target and on a redis-server, which says
 * what the replies have to be, and compares all replies and in the end all keys.
 *
 * A line is a command (conformance/line.h), or "2> command" for the second of
 * three conversations, or ".wait 30" (milliseconds).
 */

struct sequence {
  const char *name;
  const char *const *line; /* up to a NULL */
};

struct run {
  struct target *oracle;    /* a redis-server, in the protocol of the target */
  struct target *reference; /* a store whose OK and ABSENT have to be the same, or NULL */
  struct target *target;
  const char *const *except; /* sequences whose names contain one of these are left out, up
                                to a NULL; or NULL */
  unsigned of, turn; /* of the products, run number turn of each so many; of 0: all */
  unsigned product;  /* counts them */
  int outage; /* the target's Redis is down: what the contract does not serve has to fail */
  int sequences, commands, refused; /* counted: run, compared, rightly not served */
  int differences;                  /* counted; each is printed */
};

void run_sequence(struct run *, const struct sequence *);

/* May the contract's default preset serve this during an outage, on keys known
 * wholly?  0: it has to be NOT_SENT or UNKNOWN_LOCALLY. */
int run_is_served(int argc, const char *const *argv, const size_t *len);

#endif
