/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <string.h>

const struct target *const targets[] = {
  &target_typed,
  &target_argv,
#ifdef HAVE_XXHASH
  &target_xxh3,
  &target_xxh3_mutex,
  &target_xxh3_any,
  &target_xxh3_huge,
#endif
  &target_jenkins,
  &target_jenkins_mutex,
#ifdef HAVE_GLIB
  &target_glib,
#endif
#ifdef HAVE_LMDB
  &target_lmdb,
#endif
#ifdef LARDER_REDIS
  &target_redis,
  &target_redis_new,
  &target_valkey,
#endif
  NULL
};

int target_fill(const struct target *target, void *opened, enum kind kind, size_t keys,
                uint64_t seed)
{
  enum op filler = kind_filler[kind];
  struct load load;
  int failed;

  if (filler == OPS)
    return 0;
  load_shuffled(&load, keys, seed);
  if (kind == KIND_WINDOWS)
    load_time(&load, 0, keys / 10);
  failed = target->run(opened, filler, &load, 0, load.count);
  load_free(&load);
  return failed;
}
