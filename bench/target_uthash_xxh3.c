/* SPDX-License-Identifier: BSD-2-Clause */

/* uthash with XXH3, which is the faster one; raw, and under one mutex. */

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HASH_FUNCTION(key, length, hash) ((hash) = (unsigned)XXH3_64bits(key, length))

#include "uthash_table.h"

const struct target target_xxh3 = {
  .name = "uthash-xxh3",
  .judged = 1,
  .can = TABLE_CAN,
  .open = open_raw,
  .close = table_close,
  .run = table_run,
};

const struct target target_xxh3_mutex = {
  .name = "uthash-xxh3-mutex",
  .can = TABLE_CAN,
  .threads = 1,
  .open = open_locked,
  .close = table_close,
  .run = table_run,
};
