/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ZRANGE_H
#define LRD_MEMORY_ZRANGE_H

#include "command/sink.h"
#include "memory/zset.h"

/* Ranges of a sorted set as commands give them, and their replies. */

extern const char lrd_text_not_score_range[]; /* "min or max is not a float" */

struct lrd_score_range {
  double min, max;
  int above, below; /* the ends are exclusive */
};

/* "1", "(1", "-inf", ...; 0: not a range. */
int lrd_score_range_parse(struct lrd_score_range *, larder_bytes min, larder_bytes max);
/* The entries in the range: where they begin, how many they are. */
void lrd_score_range_ranks(const struct lrd_zset *, const struct lrd_score_range *, size_t *first,
                           size_t *n);

enum lrd_zrange_by { LRD_ZRANGE_RANK, LRD_ZRANGE_SCORE, LRD_ZRANGE_LEX };

struct lrd_zrange {
  enum lrd_zrange_by by;
  int reverse, scores;
  int fixed; /* by and reverse are the command's, not options */
  int64_t offset, limit; /* limit below 0: none */
  int64_t start, stop;
  struct lrd_score_range score;
  struct lrd_lex_range lex;
};

/* The arguments of ZRANGE: NULL, or an error text. */
const char *lrd_zrange_parse(struct lrd_zrange *, int argc, const larder_bytes *argv);
/* The arguments of ZREVRANGE, ZRANGEBYSCORE and their like. */
const char *lrd_zrange_parse_old(struct lrd_zrange *, enum lrd_zrange_by, int reverse, int argc,
                                 const larder_bytes *argv);
/* Where it begins (reversed: ends), how many entries it has. */
void lrd_zrange_ranks(const struct lrd_zrange *, const struct lrd_zset *, size_t *rank, size_t *n);
/* zset: may be NULL. */
void lrd_zrange_reply(const struct lrd_zrange *, const struct lrd_zset *, larder_sink *);

#endif
