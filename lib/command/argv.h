/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_ARGV_H
#define LRD_COMMAND_ARGV_H

#include <stdarg.h>
#include <stddef.h>

#include <larder/backend.h>

#include "util/arena.h"

/*
 * Argument vectors from other forms.  All results live in the given arena.
 */

/* Compiles a format (see larder_command in larder.h).  OK, BAD_ARGUMENT with a
 * line in error, or NO_MEMORY. */
larder_outcome lrd_argv_format(struct lrd_arena *, const char *format, va_list, int *argc,
                               larder_bytes **argv, char *error, size_t error_size);

/* Splits a line as Redis's inline commands and redis-cli do: spaces, "..." with
 * \n \r \t \b \a \xHH escapes, '...' with \'.  BAD_ARGUMENT: unbalanced quotes. */
larder_outcome lrd_argv_split(struct lrd_arena *, const char *line, size_t len, int *argc,
                              larder_bytes **argv);

/* Appends "*2\r\n$3\r\nGET\r\n..." to a buffer; 0 or -1. */
struct lrd_buffer;
int lrd_argv_encode(struct lrd_buffer *, int argc, const larder_bytes *argv);

/* Glob as Redis's stringmatch: * ? [a-z] [^a] \x; nocase optional.  Steps are
 * bounded by pattern length times text length. */
int lrd_glob(const char *pattern, size_t pattern_len, const char *text, size_t len, int nocase);

#endif
