/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_RDB_READER_H
#define LRD_MEMORY_RDB_READER_H

#include "memory/rdb.h"

/* Lengths and strings of a payload (rdb.h), one after the other.  Functions return 0 when they
 * fail, and why is in the reader from then on. */

struct lrd_reader {
  const unsigned char *at, *end;
  const larder_memory *memory;
  const struct lrd_universal_key *key;
  struct lrd_arena arena; /* of strings that are not in the payload as they are */
  enum lrd_load state;
};

/* A string of the payload, and where an integer's print is. */
struct lrd_rdb_text {
  larder_bytes bytes;
  char number[LRD_NUMBER_SIZE];
};

/* The first failure counts; 0. */
int lrd_reader_fail(struct lrd_reader *, enum lrd_load);
int lrd_reader_bad(struct lrd_reader *);

/* Lowest byte first. */
uint64_t lrd_reader_little(const unsigned char *, size_t n);
/* The next n bytes; NULL: there are fewer. */
const unsigned char *lrd_reader_take(struct lrd_reader *, uint64_t n);
/* A length that counts something. */
int lrd_reader_count(struct lrd_reader *, uint64_t *n);
int lrd_reader_text(struct lrd_reader *, struct lrd_rdb_text *);
/* Frees what strings took: none is used any more. */
void lrd_reader_forget(struct lrd_reader *);

#endif
