/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_MEMORY_TALK_H
#define TEST_MEMORY_TALK_H

#include "memory/pool.h"
#include "store/config.h"
#include "util/buffer.h"

/* An engine, and talk with it in lines; replies as bytes on the wire. */
struct talk {
  struct pool pool;
  struct lrd_config config;
  larder_backend *engine;
  struct lrd_buffer reply;   /* of the last call */
  struct lrd_buffer intents; /* of the last call: "command|argument|...;", "key;" for a
                                COMPLETE key without a command */
  larder_verdict verdict;    /* of the last call */
  int protocol;
  unsigned vector_flags, call_flags;
};

/* partial: as the local half of a fallback. */
void talk_begin(struct talk *, int partial);
void talk_end(struct talk *);

/* Executes one line; its reply as a string. */
const char *talk(struct talk *, const char *line);
/* The same with arguments of any bytes. */
const char *talk_argv(struct talk *, int argc, const larder_bytes *argv);
/* Executes the line and compares. */
void talk_expect(struct talk *, const char *line, const char *reply);
/* Executes the line and compares reply, intents and whether it is provisional. */
void talk_expect_intent(struct talk *, const char *line, const char *reply, const char *intents,
                        int provisional);

/* What the line asks for is not known: so it says, and nothing is told. */
void talk_expect_unknown(struct talk *, const char *line);

/* Executes the lines in turn, each with allocation 0, 1, 2, ... failing until it
 * works; while it does not, both looks show the same as before. */
void talk_no_memory(const char *const *lines, const char *look, const char *other_look);

/* Makes a key by n lines from a format (of the key and numbers), and another one by
 * what LARDER.REBUILD says of it, in so many calls; both must look the same (as
 * sets of words, if look has no format). */
void talk_rebuild(const char *format, unsigned n, const char *look, unsigned calls);

/* Makes another key by what LARDER.REBUILD says of one, in so many calls (0: any). */
void talk_copy(struct talk *, const char *from, const char *to, unsigned calls);

/* A line and its reply; resp3 NULL: the same as in RESP2. */
struct talk_line {
  const char *line, *resp2, *resp3;
};
/* Says all lines to a new engine, in one protocol and then in the other. */
void talk_lines(const struct talk_line *, size_t n);

#endif
