/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_TYPED_H
#define LRD_MEMORY_TYPED_H

#include "memory/shard.h"

/* The engine's slots get and set: backend.h. */

void lrd_typed_get(larder_backend *, int database, larder_bytes key, int64_t deadline,
                   void *buffer, size_t size, size_t *length, larder_verdict *);
void lrd_typed_set(larder_backend *, int database, larder_bytes key, larder_bytes value,
                   int64_t ttl_ms, int64_t deadline, larder_verdict *);

#endif
