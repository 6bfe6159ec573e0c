/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_LINE_H
#define TEST_CONFORMANCE_LINE_H

#include <stddef.h>

/*
 * A command as tests write it: words between spaces; "..." holds \n \r \t \0
 * \xHH \" \\; '...' holds anything but '.
 */

enum { LINE_WORDS = 700, LINE_SIZE = 16384 };

struct line {
  int argc;
  const char *argv[LINE_WORDS];
  size_t len[LINE_WORDS];
  char text[LINE_SIZE];
};

/* Prints and ends the process if the line is malformed or too long. */
void line_parse(struct line *, const char *text);

/* Copies pattern to out with word in the place of each "%s"; ends the process if
 * it does not fit. */
void line_fill(char *out, size_t size, const char *pattern, const char *word);

/* The inverse, for people; to be freed. */
char *line_print(int argc, const char *const *argv, const size_t *len);

#endif
