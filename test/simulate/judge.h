/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SIMULATE_JUDGE_H
#define TEST_SIMULATE_JUDGE_H

#include <stdint.h>

#include <larder.h>

/*
 * What every call came to, what the server did, and whether these two fit together.
 *
 * The server executes one command after the other, so its order is the one to compare with: a read that
 * Redis answered must show a value that was there at some moment between the call's
 * begin and end, and a write that is OK must have been executed between them, once.
 * Each value that a call writes names the call: "<key.client.number>".
 */

enum op_kind {
  OP_SET,    /* of a register */
  OP_GET,
  OP_INCR,   /* of a counter */
  OP_COUNT,  /* GET of a counter */
  OP_APPEND,
  OP_TEXT,   /* GET of what was appended to */
  OP_RPUSH,
  OP_LRANGE,
  OP_HSET,   /* a field of its own */
  OP_ECHO,
  OP_PUBLISH,
  OP_KINDS
};

struct op {
  enum op_kind kind;
  int client, number;
  const char *key;
  char token[32];
  int plain;           /* a synchronous call of its own */
  int atomic;          /* in a transaction: its outcome is the whole one's */
  int64_t begun, limit, ended; /* limit: when it must have ended; ended 0: it has not */
  larder_outcome outcome;
  larder_origin origin;
  unsigned flags;
  unsigned ends;       /* how often it ended: once */
  unsigned applied;    /* how often the server executed it */
  int64_t applied_at;  /* the last time */
  unsigned published;  /* a message's number in its channel */
};

enum { CLIENTS_MAX = 8, OPS_MAX = 256 };

struct ledger {
  struct op op[CLIENTS_MAX][OPS_MAX];
  unsigned ops[CLIENTS_MAX];
  int64_t last_fault; /* of the kind that loses journaled writes without data's being lost */
  uint64_t unreplayed; /* larder_close's */
  uint64_t dropped;    /* larder_status.dropped */
  int journals;        /* the store keeps a journal; -1: it deletes keys on return */
  unsigned exec_ok, exec_unknown; /* transactions on "t" */
};
extern struct ledger ledger;

void judge_begin(void);
/* A call begins; its key is one of the world's, or the kind's. */
struct op *judge_call(int client, enum op_kind kind, int64_t timeout_ms);
/* It has ended. */
void judge_reply(struct op *, larder_outcome, larder_origin, unsigned flags,
                 const larder_value *);
/* The call that a value names; NULL: none. */
struct op *judge_op_of(const char *token, size_t len);
/* Everything has ended: looks at the data. */
void judge_end(void);

const char *judge_kind(enum op_kind);

#endif
