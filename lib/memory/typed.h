/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_TYPED_H
#define LRD_MEMORY_TYPED_H

#include "memory/shard.h"

/* The engine's slots get and set, and its get_now and set_now: backend.h. */

void lrd_typed_get(larder_backend *, int database, larder_bytes key, int64_t deadline,
                   void *buffer, size_t size, size_t *length, larder_verdict *);
void lrd_typed_set(larder_backend *, int database, larder_bytes key, larder_bytes value,
                   int64_t ttl_ms, int64_t deadline, larder_verdict *);

larder_outcome lrd_typed_get_now(larder_backend *, const void *key, size_t key_len, void *buffer,
                                 size_t size, size_t *length);
larder_outcome lrd_typed_set_now(larder_backend *, const void *key, size_t key_len,
                                 const void *value, size_t value_len, int64_t ttl_ms);

/* A GET without the latch (unlocked.h), counted: OK, the value whole in text, or ABSENT, or -1: it
 * needs the latch. */
int lrd_get_unlocked(struct lrd_engine *, unsigned database, larder_bytes key, char *text,
                     size_t size, size_t *length);

#endif
