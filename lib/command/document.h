/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_DOCUMENT_H
#define LRD_COMMAND_DOCUMENT_H

#include <larder/backend.h>

/*
 * What COMMAND DOCS tells of a command beside list.h, and all that it tells of a subcommand
 * ("object|encoding").  Constant data and pure functions.
 *
 * arguments: separated by spaces, each "name!type" with, in this order, what there is of
 *   ?     it may be left out
 *   *     it may come several times
 *   +     ... each time with its token
 *   @n    a key, found by the command's key specification n
 *   >v    since version v
 *   <v    deprecated since version v
 *   =t    the word t stands before it; of type t, it is that word
 *   (...) the arguments that it is made of, or one of which it is
 * Types: s string, i integer, d double, k key, p pattern, u unix-time, t pure-token, o oneof,
 * b block.
 */
struct lrd_document {
  const char *name, *arguments;
  const char *since, *summary;           /* of a subcommand */
  const char *deprecated, *replacement;  /* since when, and by what; or NULL */
};

/* NULL: there is nothing to tell. */
const struct lrd_document *lrd_document_find(const char *name);

struct lrd_argument {
  larder_bytes name;
  char type;
  int optional, multiple, multiple_token;
  larder_bytes keyspec, since, deprecated, token; /* data NULL: there is none */
  larder_bytes inside;                            /* a text of arguments */
};

/* The next argument of a text, which is what follows it then; 0: there are no more. */
int lrd_argument_next(larder_bytes *text, struct lrd_argument *);

#endif
