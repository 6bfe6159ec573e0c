/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STAGE_H
#define LRD_MEMORY_STAGE_H

#include "memory/table.h"

/* Several inserts of which none may fail once the first is done: the table is reserved,
 * and each key has its hash and an item, if the owner got one ready. */
struct lrd_staged {
  uint64_t hash;
  const unsigned char *item;
};
enum { LRD_STAGE_FEW = 16 };
struct lrd_stage {
  size_t n;
  struct lrd_staged *each; /* [n] */
  struct lrd_staged few[LRD_STAGE_FEW];
};
/* Of n keys, stride bytes apart; what looking them up will touch is asked for.  0, or -1:
 * no memory. */
int lrd_stage_open(struct lrd_stage *, struct lrd_table *, const larder_memory *, size_t n,
                   const larder_bytes *key, size_t stride);
/* Inserts the items; those of keys that are there already stay staged, or are exchanged: then
 * what was there is staged.  How many keys are new. */
int64_t lrd_stage_insert(struct lrd_stage *, struct lrd_table *, const larder_memory *,
                         const larder_bytes *key, size_t stride, int exchange);
/* Items that are still staged are released. */
void lrd_stage_close(struct lrd_stage *, struct lrd_table *, const larder_memory *,
                     lrd_table_release *);

#endif
