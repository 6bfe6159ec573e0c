/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_COMPARE_H
#define TEST_SUPPORT_COMPARE_H

#include "support/resp.h"

/*
 * Are two replies the same?  Sets and maps never have an order; what else is
 * free depends on the command.
 */

enum compare_mode {
  COMPARE_EXACT,
  COMPARE_UNORDERED, /* the elements in any order */
  COMPARE_PAIRS,     /* a flat array of pairs, the pairs in any order */
  COMPARE_SECONDS,   /* integers: both negative and equal, or at most 2 apart */
  COMPARE_MILLIS,    /* the same, at most 3000 apart */
  COMPARE_SCAN,      /* [cursor, elements in any order, perhaps twice] */
  COMPARE_TYPE       /* only the types: the content is each server's own */
};

/* What a command's reply leaves free. */
enum compare_mode compare_mode_of(int argc, const char *const *argv, const size_t *len);

/* NULL: the same.  Else a text that says where they differ; to be freed. */
char *compare(const struct resp *expected, const struct resp *got, enum compare_mode mode);

/* Is argv[i] this word, in any case?  (len NULL: strings.) */
int compare_is_word(const char *const *argv, const size_t *len, int i, const char *word);

#endif
