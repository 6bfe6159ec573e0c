/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_FALLBACK_ASK_H
#define LRD_FALLBACK_ASK_H

#include <string.h>

#include "command/command.h"
#include "command/sink.h"
#include "fallback/fallback.h"

/*
 * A call of the fallback's own to one of its backends; the replies are kept.
 * Everything lives in the arena.
 */
struct lrd_ask {
  struct lrd_arena arena;
  struct lrd_tree tree;
};

/* 0: tree.reply holds a reply for each vector (an atomic call: one).  -1: no memory.
 * To be ended with lrd_ask_end in any case. */
int lrd_ask(struct lrd_fallback *, struct lrd_ask *, larder_backend *whom, const larder_call *);
void lrd_ask_end(struct lrd_ask *);

static inline larder_bytes lrd_ask_word(const char *s)
{
  return (larder_bytes){ s, strlen(s) };
}

static inline larder_vector lrd_ask_vector(int argc, const larder_bytes *argv)
{
  larder_vector v = { .command = lrd_command_find(argv[0].data, argv[0].len), .argc = argc,
                      .argv = argv };

  return v;
}

#endif
