/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_DETAIL_H
#define LRD_COMMAND_DETAIL_H

#include <stddef.h>

/*
 * What only COMMAND INFO tells of a command, and all that it tells of a subcommand
 * ("object|encoding").  Constant data.
 *
 * keys: the key specifications, separated by '|'; of each, separated by ';', its flags, how the
 * first key is found ("index 1", "keyword STREAMS 1", "unknown"), how the others follow ("range
 * last step limit", "keynum index first step", "unknown"), and maybe a note.
 */
struct lrd_detail {
  const char *name;
  int arity;         /* 0 with flags and acl NULL: a command of list.h, where they stand */
  const char *flags; /* words, separated by spaces, as the following two */
  const char *acl;
  const char *tips;
  const char *keys;
};

/* NULL: there is nothing to tell. */
const struct lrd_detail *lrd_detail_find(const char *name);
/* Row i, in the order of the names; NULL: there are no more. */
const struct lrd_detail *lrd_detail_row(size_t i);

#endif
