/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_OP_H
#define BENCH_OP_H

#include "load.h"

/*
 * The operations, as commands.  Whoever takes commands runs a step of an operation by
 * filling the vectors; tables that know no commands have code of their own for what they can.
 */

/* What has to be there before; a target holds one of them at a time. */
enum kind {
  KIND_NOTHING, /* and each measurement begins with nothing */
  KIND_STRINGS,
  KIND_COUNTERS,
  KIND_HASHES,  /* of 10 fields */
  KIND_SET,     /* one */
  KIND_LIST,    /* one */
  KIND_ZSET,    /* one */
  KIND_WINDOWS, /* sliding windows, one for every 1000 keys, of some 100 members */
  KINDS
};

enum op {
  OP_PING,
  OP_NEW,
  OP_GET,
  OP_MGET,
  OP_SET,
  OP_MIX,
  OP_INCR,
  OP_HSET,
  OP_HGET,
  OP_SADD,
  OP_LPUSH,
  OP_RPOP,
  OP_ZADD,
  OP_ZRANK,
  OP_ZRANGE,
  OP_WINDOW,
  OPS
};

#define OP_BIT(op) (1u << (op))

enum { MGET_KEYS = 100, FIELDS = 10, COMMANDS_MAX = 3 };

enum reply_kind { REPLY_STATUS, REPLY_INTEGER, REPLY_STRING, REPLY_ARRAY, REPLY_ANY };

struct command {
  int argc;
  enum reply_kind reply;
  size_t len; /* of the right string, or array; arrays: at most */
  const char *argv[MGET_KEYS + 1];
  size_t argvlen[MGET_KEYS + 1];
};

/* Building one: the name first, then word by word.  Keeps the pointers. */
void command_begin(struct command *, const char *name, enum reply_kind reply, size_t len);
void command_word(struct command *, const char *text, size_t length);

struct op_info {
  const char *name;
  enum kind kind;
  size_t per;      /* keys in one step, for the figure per key */
  size_t commands; /* in one step */
  void (*fill)(struct command *, const struct load *, size_t i);
};

extern const struct op_info op_info[OPS];
/* The operation that a kind is filled with, step by step over all numbers; OPS: none. */
extern const enum op kind_filler[KINDS];

#endif
