/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include "bench.h"
#include "op.h"

/* Who is measured. */
struct target {
  const char *name;
  uint32_t can; /* OP_BIT of each operation that it has */
  int threads;  /* may be run by several threads at once */
  int judged;   /* bars are stated with it */
  /* NULL: not here, or failed; then why says it. */
  void *(*open)(char *why, size_t why_size);
  void (*close)(void *);
  /* Does the steps from .. to - 1, checking each result: 0, -1, or 1: has no such
   * command. */
  int (*run)(void *, enum op, const struct load *, size_t from, size_t to);
  /* ns of CPU that its own process has used; NULL: it lives in ours. */
  double (*cpu)(void *);
  void (*version)(void *, char *text, size_t size); /* of the server; with cpu */
};

/* Ends with NULL. */
extern const struct target *const targets[];
enum { TARGETS_MAX = 16 };
extern const struct target target_typed, target_argv, target_jenkins, target_jenkins_mutex,
  target_xxh3, target_xxh3_mutex, target_xxh3_any, target_xxh3_huge, target_glib, target_lmdb,
  target_redis, target_redis_new, target_valkey;

/* Fills it with so many of a kind. */
int target_fill(const struct target *, void *, enum kind, size_t keys, uint64_t seed);

#endif
