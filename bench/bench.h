/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Benchmarks: the same operations on several targets, all in one process and
 * one run.  In every round each pair of operation and target is measured once,
 * with random numbers of that round, so that drift of the machine hits all alike
 * and ratios can be taken round by round.
 */

enum op { OP_GET, OP_SET, OP_INCR, OP_ZADD, OPS };

extern const char *const op_name[OPS];

enum { KEY_SIZE = 24, SCORE_SIZE = 24 };

/* What one measurement does; the same for all targets of a round. */
struct load {
  size_t keys;             /* of strings, and as many counters */
  size_t members;          /* of the one sorted set */
  size_t key_length;       /* of every name below */
  char (*key)[KEY_SIZE];
  char (*counter)[KEY_SIZE];
  char (*member)[KEY_SIZE];
  char *value;
  size_t value_length;
  size_t operations;
  uint32_t *pick;          /* [operations]: random numbers below keys */
  char (*score)[SCORE_SIZE]; /* [operations]: fresh in each round */
  size_t pipeline;
};

struct target {
  const char *name;
  /* One of its operations stands for so many of the load's: slow targets do fewer. */
  size_t divisor;
  /* Returns NULL and fills why on failure. */
  void *(*open)(const struct load *, char *why, size_t why_size);
  void (*close)(void *);
  const char *(*version)(void *); /* of the server behind it; NULL: there is none */
  /* Does the first count operations of the load, checking each result: 0, or -1.
   * NULL: the target has no such operation. */
  int (*run[OPS])(void *, const struct load *, size_t count);
};

/* Ends with NULL.  The first is what the ratios are about. */
extern const struct target *const targets[];
enum { TARGETS_MAX = 8 };
extern const struct target target_typed, target_argv, target_hash, target_redis, target_pipeline;

struct settings {
  size_t rounds, keys, operations, value_length, pipeline;
  uint64_t seed;
  int progress;
};

/* ns per operation of each round; rounds 0: was not asked for or doesn't exist. */
struct result {
  size_t rounds, operations;
  double *ns;
};

struct report {
  const struct settings *settings;
  uint64_t *round_seed;
  char server[64]; /* version of the redis-server, or "" */
  struct result result[OPS][TARGETS_MAX];
};

/* Whether a pair was asked for on the command line. */
typedef int chooser(const void *context, enum op op, const struct target *target);

/* Measures everything that is chosen: 0, or -1 after a line on standard error. */
int measure(const struct settings *, chooser *, const void *context, struct report *);
void report_free(struct report *);

void print_environment(FILE *, const struct report *, const char *line_prefix);
void print_table(FILE *, const struct report *);
/* One line per measurement; 0, or -1 after a line on standard error. */
int write_csv(const char *path, const struct report *);

#endif
