/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_MODEL_H
#define TEST_PROOF_MODEL_H

#include <stddef.h>
#include <stdint.h>

/*
 * A key that holds a string, as it would behave if one thread at a time used it:
 * what the recorded histories of many threads are compared with.
 *
 * Texts are known by their length and a digest that can be had of a whole from its
 * parts (a polynomial modulo 2^61 - 1; Karp and Rabin, 1987), so that APPEND needs no
 * bytes and a torn value has a digest that nobody wrote.
 */

struct text {
  size_t len;
  uint64_t digest;
};

struct text text_of(const void *bytes, size_t len);
struct text text_of_number(int64_t);
struct text text_join(struct text head, struct text tail);

enum action_kind {
  ACTION_READ,      /* GET */
  ACTION_WRITE,     /* SET */
  ACTION_WRITE_NEW, /* SET NX; found: it was there, nothing was done */
  ACTION_EXCHANGE,  /* SET GET */
  ACTION_TAKE,      /* GETDEL */
  ACTION_DELETE,    /* DEL */
  ACTION_APPEND,    /* result: the length */
  ACTION_ADD,       /* INCRBY; result: the sum */
  ACTION_KINDS
};

struct action {
  enum action_kind kind;
  int found;         /* READ, WRITE_NEW, EXCHANGE, TAKE, DELETE: the key was there */
  int is_number;     /* the text given is that number */
  int64_t number;    /* it, or what ADD adds */
  int64_t ttl;       /* of what is written, ms; 0: none */
  struct text given; /* what is written */
  struct text seen;  /* if found: what was read */
  int64_t result;
};

enum { OPERATION_ACTIONS = 3 };

/* What one call did to one key, in one atomic step. */
struct operation {
  int64_t begin, end;         /* ns; the step lies between */
  int64_t wall_begin, wall_end; /* ms on the store's wall clock */
  unsigned thread;
  unsigned actions;
  struct action action[OPERATION_ACTIONS];
};

struct model {
  int may_vanish; /* eviction is on: a key may be gone at any time */
};

/* All zero: no key. */
struct state {
  int exists, is_number, expires;
  int64_t number;
  struct text text;
  int64_t earliest, latest; /* it expires after a time between these, wall ms */
};

/* The operation from that state.  way 0: the key is as it was; 1: it expired or was
 * evicted just before.  1: its results are right, *to is the state behind it. */
int model_step(const struct model *, const struct state *from, const struct operation *, int way,
               struct state *to);

#endif
