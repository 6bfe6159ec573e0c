/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_RDB_WRITER_H
#define LRD_MEMORY_RDB_WRITER_H

#include "memory/rdb.h"

/* What payloads are made of (rdb.h); errors are in the buffer. */

/* n bytes, lowest first. */
void lrd_rdb_put_little(struct lrd_buffer *, uint64_t, unsigned n);
void lrd_rdb_put_length(struct lrd_buffer *, uint64_t);
/* Short numbers of 32 bits at most are written as such. */
void lrd_rdb_put_string(struct lrd_buffer *, larder_bytes);
/* A string that was built in another buffer. */
void lrd_rdb_put_block(struct lrd_buffer *, const struct lrd_buffer *);

#endif
