/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_FRONT_H
#define LRD_STORE_FRONT_H

#include "command/detail.h"
#include "store/session.h"

/* A command that is being answered above the backends. */
struct lrd_front {
  larder *store;
  larder_session *session; /* NULL: a bare store (COMMAND and INFO only) */
  const larder_vector *v;
  int argc;
  const larder_bytes *argv;
  larder_sink *sink;
  larder_verdict verdict;
};

/* Error replies: REFUSED, the caller's fault.  _word: "%s" in format is the word
 * as Redis shows it.  _count: the wrong number of arguments for name. */
void lrd_front_refuse(struct lrd_front *, const char *text);
void lrd_front_refuse_word(struct lrd_front *, const char *format, const larder_bytes *word);
void lrd_front_refuse_count(struct lrd_front *, const char *name);
void lrd_front_text(struct lrd_front *, const char *);

/* describe.c: a command of the list as COMMAND INFO shows it. */
void lrd_front_describe(struct lrd_front *, unsigned command);
/* The same of a subcommand, "object|encoding"; 0: there is none, nothing was written. */
int lrd_front_describe_part(struct lrd_front *, const larder_bytes *name);
/* The i-th subcommand; NULL: there are no more. */
const struct lrd_detail *lrd_front_part(unsigned command, size_t i);

/* The same by its whole name; *command: whose it is. */
const struct lrd_detail *lrd_front_find_part(const larder_bytes *name, unsigned *command);

/* docs.c: COMMAND DOCS. */
void lrd_front_docs(struct lrd_front *);

/* getkeys.c: COMMAND GETKEYS, and with flags GETKEYSANDFLAGS. */
void lrd_front_keys(struct lrd_front *, int flags);

/* info.c: INFO, as far as the front answers it. */
void lrd_front_info(struct lrd_front *);

/* catalog.c: COMMAND and its subcommands. */
void lrd_front_catalog(struct lrd_front *);

#endif
