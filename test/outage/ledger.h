/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_OUTAGE_LEDGER_H
#define TEST_OUTAGE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

/*
 * What one writer did and was told about it, and how often the recount met it.
 * Each write has a number of its own within its kind.
 */

enum ledger_kind {
  LEDGER_SET,     /* SADD set */
  LEDGER_LIST,    /* RPUSH list */
  LEDGER_HASH,    /* HSET hash */
  LEDGER_ZSET,    /* ZADD zset */
  LEDGER_PAIR,    /* MULTI RPUSH pair:list, SADD pair:set EXEC */
  LEDGER_COUNTER, /* INCRBY counter */
  LEDGER_FIELD,   /* HINCRBY hash total */
  LEDGER_SCORE,   /* ZINCRBY zset total */
  LEDGER_KINDS
};

enum told {
  TOLD_OK,      /* acknowledged: it has to be there */
  TOLD_UNKNOWN, /* may be there */
  TOLD_NO       /* certainly did not happen: must not be there */
};

struct entry {
  unsigned char told;
  unsigned char seen[2]; /* by the recount; the second for the other half of a pair */
};

struct ledger {
  struct entry *entry[LEDGER_KINDS];
  size_t count[LEDGER_KINDS], room[LEDGER_KINDS];
};

/* Ends the process when there is no memory. */
void ledger_add(struct ledger *, enum ledger_kind, enum told);
/* How many of a kind were told so. */
size_t ledger_told(const struct ledger *, enum ledger_kind, enum told);
void ledger_free(struct ledger *);
const char *ledger_name(enum ledger_kind);

/* What the recount makes of the entries of all kinds but the last three. */
struct verdict {
  uint64_t lost, doubled, invented, halves;
  uint64_t unknown_there, unknown_gone;
};

/* The recount met this entry; half: 0, or 1 for the other half of a pair. */
void ledger_seen(struct ledger *, enum ledger_kind, size_t number, int half, struct verdict *);
void ledger_judge(const struct ledger *, struct verdict *);

#endif
