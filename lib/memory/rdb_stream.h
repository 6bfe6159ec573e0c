/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_RDB_STREAM_H
#define LRD_MEMORY_RDB_STREAM_H

#include "memory/rdb_reader.h"
#include "memory/stream.h"

/*
 * A stream in a payload (rdb.h):
 *
 *   nodes | (16: first id, highest byte first; listpack) ...
 *   length | last id | first id | greatest deleted id | entries added
 *   groups | (name | last id | entries read | pending | consumers) ...
 *
 *   pending     count | (16: id | 8: time | count) ...
 *   consumers   count | (name | 8: seen | count | 16: id ...) ...
 *
 * An id is two lengths but where its 16 bytes are named; the older form (15) lacks what stands
 * between length, last id and groups, and entries read.  Of a listpack the first entries are
 *
 *   entries | deleted ones | fields | field ... | 0
 *
 * and then come those of the stream:
 *
 *   flags | ms | seq | (fields, if they are not those) | (field) value ... | entries in all before
 */

void lrd_rdb_put_stream(struct lrd_buffer *, const struct lrd_xstream *);

/* Reads one into an empty stream; older: the form 15.  0: failed. */
int lrd_rdb_read_stream(struct lrd_reader *, struct lrd_xstream *, int older);

#endif
