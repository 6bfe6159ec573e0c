/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ACCOUNT_H
#define LRD_MEMORY_ACCOUNT_H

#include <stdatomic.h>

#include <larder/hooks.h>

/*
 * An allocator hook that counts the bytes it hands out.  Each thread counts in
 * one of several stripes, so that threads seldom meet in a cache line; only the
 * sum of all has a meaning, and it is exact whenever no call is under way.
 */

enum { LRD_ACCOUNT_BITS = 4, LRD_ACCOUNT_STRIPES = 1 << LRD_ACCOUNT_BITS };

struct lrd_account_stripe {
  _Atomic size_t bytes;
  char apart[64 - sizeof(size_t)];
};

struct lrd_account {
  larder_memory memory; /* the counting hook; its context is this structure */
  larder_memory below;
  struct lrd_account_stripe stripe[LRD_ACCOUNT_STRIPES];
};

/* The account must not be moved afterwards. */
void lrd_account_init(struct lrd_account *, const larder_memory *below);
/* Of a block that was not taken through it: its bytes, or (size_t)0 - them. */
void lrd_account_add(struct lrd_account *, size_t bytes);
size_t lrd_account_bytes(const struct lrd_account *);

#endif
