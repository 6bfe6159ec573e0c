/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_RDB_H
#define LRD_MEMORY_RDB_H

#include "memory/encoding.h"
#include "util/arena.h"
#include "util/buffer.h"

/*
 * One value in the format of Redis's data files, as DUMP and RESTORE have it (version 10, that
 * of Redis 7.0):
 *
 *   type | value | 2: version | 8: CRC-64 of all before it        lowest byte first
 *
 * A length is 6 bits (00llllll), 14 (01llllll llllllll), 32 (0x80) or 64 (0x81), highest byte
 * first; 11 in front: an integer of 1, 2 or 4 bytes, or LZF, instead of a string.
 *
 * Written are the forms that Redis has for the encoding that OBJECT shows, strings never
 * compressed.  Read are strings, lists, sets, hashes, sorted sets and streams in every form that Redis 7.0
 * writes (plain, listpack, quicklist, intset, LZF) and the plain ones of older versions.
 */
enum {
  LRD_RDB_STRING,
  LRD_RDB_LIST,
  LRD_RDB_SET,
  LRD_RDB_ZSET_TEXT, /* scores as texts */
  LRD_RDB_HASH,
  LRD_RDB_ZSET,
  LRD_RDB_INTSET = 11,
  LRD_RDB_STREAM = 15,    /* of versions before 7.0 */
  LRD_RDB_HASH_LISTPACK,
  LRD_RDB_ZSET_LISTPACK,
  LRD_RDB_QUICKLIST,
  LRD_RDB_STREAM_2
};

enum { LRD_RDB_VERSION = 10, LRD_RDB_FOOT = 10 };

/* Appends a payload; errors are in the buffer. */
void lrd_rdb_save(struct lrd_buffer *, const struct lrd_parameters *, const struct lrd_entry *);

/* Whether version and checksum are good. */
int lrd_rdb_is(larder_bytes payload);

struct lrd_loaded {
  enum lrd_kind kind;
  larder_bytes text;     /* of a string: in the payload, in number, or in the arena */
  char number[LRD_NUMBER_SIZE];
  struct lrd_arena arena; /* the caller frees it */
  void *value;           /* of a collection: the caller's now */
};

enum lrd_load { LRD_LOAD_OK, LRD_LOAD_BAD, LRD_LOAD_NO_MEMORY };

/* Reads a payload that lrd_rdb_is().  Nothing in it is trusted: what it takes is bounded by its
 * length, and what is odd makes it BAD. */
enum lrd_load lrd_rdb_load(struct lrd_loaded *, const larder_memory *,
                           const struct lrd_universal_key *, larder_bytes payload);

#endif
