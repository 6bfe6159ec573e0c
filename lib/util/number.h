/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_NUMBER_H
#define LRD_UTIL_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Numbers as Redis parses and prints them, whatever the host's locale. */

enum { LRD_NUMBER_SIZE = 40 }; /* room for any of the prints below */

/* Strict decimal integer as Redis's string2ll: no spaces, no '+', no leading
 * zeros, no "-0", no overflow.  1: *out is set. */
int lrd_parse_integer(const char *s, size_t len, int64_t *out);

/* A double as Redis's getDoubleFromObject takes it: strtod's grammar in the C
 * locale (inf, infinity, hex), the whole text, no leading space, no NaN; over-
 * and underflow as Redis.  1: *out is set. */
int lrd_parse_double(const char *s, size_t len, double *out);

/* strtod in the C locale: skips leading white space, takes the longest number,
 * gives +-infinity for overflow and 0 for underflow.  Returns the number of
 * bytes taken; 0: there is no number, *out is 0. */
size_t lrd_scan_double(const char *s, size_t len, double *out);

/* Prints, returns the length, NUL-terminates. */
size_t lrd_print_integer(char *out, int64_t value);
size_t lrd_print_unsigned(char *out, uint64_t value);
/* As Redis 7.0 replies scores: "%.17g" in the C locale. */
size_t lrd_print_double(char *out, double value);
size_t lrd_print_infinity(char *out, int negative);

/* A long double as Redis's string2ld takes it (INCRBYFLOAT).  1: *out is set. */
int lrd_parse_long_double(const char *s, size_t len, long double *out);
/* As Redis prints sums and coordinates: "%.17Lf" in the C locale without what follows
 * the last digit that counts.  out: LRD_LONG_DOUBLE_SIZE bytes. */
enum { LRD_LONG_DOUBLE_SIZE = 5 * 1024 };
size_t lrd_print_long_double(char *out, long double value);

#endif
