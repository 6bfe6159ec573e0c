/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_KEYSPEC_H
#define LRD_COMMAND_KEYSPEC_H

#include "command/command.h"
#include "command/detail.h"

/*
 * Key specifications, as struct lrd_detail has them in its texts: how clients find the
 * keys of a command without knowing it (redis.io/docs/reference/key-specs).  Pure functions.
 */

enum { LRD_SEARCH_NUMBERS = 3 };

/* One way to find keys: a kind ("index", "keyword", "range", "keynum", "unknown"), maybe a
 * word, numbers. */
struct lrd_search {
  larder_bytes kind, word;
  int number[LRD_SEARCH_NUMBERS];
};

struct lrd_keyspec {
  larder_bytes flags; /* words, separated by spaces */
  struct lrd_search begin, find;
  larder_bytes note;  /* len 0: none */
};

/* The next of the parts of list between separators, and list is what follows it; data NULL:
 * there are no more. */
larder_bytes lrd_part_next(larder_bytes *list, char separator);
size_t lrd_parts(larder_bytes list, char separator);

/* The next specification of a list; 0: there are no more. */
int lrd_keyspec_next(larder_bytes *list, struct lrd_keyspec *);

/* Whether a word is among the flags. */
int lrd_keyspec_flag(const struct lrd_keyspec *, const char *flag);

/* What they find in an argument vector of their command. */
struct lrd_found {
  int index;          /* of a key, in argv */
  larder_bytes flags; /* what the command does with it: words, separated by spaces */
};

/* Visits each key that the specifications find, and returns how many; -1: an argument isn't
 * as its command wants it.  detail: of the vector's command or subcommand. */
int lrd_keyspec_keys(const struct lrd_detail *detail, const larder_vector *v,
                     void (*visit)(void *context, const struct lrd_found *), void *context);

#endif
