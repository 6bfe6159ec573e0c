/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_SIEVE_H
#define LRD_REMOTE_SIEVE_H

#include <stddef.h>

/*
 * RESP3 as a server sends it, made RESP3 as hiredis reads it: attributes are taken out,
 * errors as bulks ("!") become verbatim strings of a form that no server has.
 *
 * The items of a stream stand one behind another whatever nests in what, so the sieve needs no
 * stack, whatever the depth: one count says how many items of an attribute are still to come.  It never
 * looks into the body of a bulk and holds no bytes back but the head of a "!".  What it doesn't
 * understand goes on to hiredis, which says what is wrong with it.  No memory, no I/O, no lock.
 *
 * The protocol: github.com/redis/redis-specifications, protocol/RESP3.md.
 */

struct lrd_sieve {
  enum { LRD_SIEVE_TYPE, LRD_SIEVE_LINE, LRD_SIEVE_COUNT, LRD_SIEVE_BODY } at;
  char type;
  int held;          /* the item does not go on (of a "!": its head) */
  int bad;           /* the count is none */
  size_t digits;     /* of the count, so far */
  size_t count;
  size_t body;       /* bytes of a bulk still to come, its CR LF too */
  size_t dropping;   /* items of attributes still to come */
  int doubles;       /* set when one goes through; cleared by whom it concerns */
  char text[40];     /* in place of a "!" head */
};

/* The form of a verbatim string that is an error. */
#define LRD_SIEVE_ERROR_FORM "\0!\0"
enum { LRD_SIEVE_ELEMENTS = 64 << 20 }; /* of one attribute */

/* Zeroed is new.  Takes a first part of the bytes (more than none) and says what goes on in its
 * place: *run, *run_len (0: nothing), valid until the next call.  How many bytes that part has; 0:
 * an attribute that is none. */
size_t lrd_sieve_take(struct lrd_sieve *, const char *bytes, size_t len, const char **run,
                      size_t *run_len);

#endif
