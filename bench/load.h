/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

/*
 * What one measurement does: a list of steps, the same for all who are compared.
 * It is made before the clock starts and read from front to back, so that making
 * keys costs nobody anything.
 */

enum { KEY_LENGTH = 16, VALUE_LENGTH = 32 };

struct step {
  char key[KEY_LENGTH + 1];
  char score[10];  /* "123456.78", NUL-terminated: random, or a time */
  uint8_t write;   /* of a mixed load: this one is a SET */
  uint32_t number; /* of the key */
};

struct load {
  size_t count;
  struct step *step;
  char (*before)[10]; /* of a timed load, each step's: requests up to then are to be forgotten */
  char value[VALUE_LENGTH + 1];
};

/* "key:000000000042" */
void key_text(char key[KEY_LENGTH + 1], uint64_t number);

/* All numbers below count, in random order: what fills a table. */
void load_shuffled(struct load *, size_t count, uint64_t seed);
/* Random numbers below keys; zipf: the exponent of their distribution, 0: uniform. */
void load_random(struct load *, size_t count, size_t keys, double zipf, uint64_t seed);
/* Marks so many of a hundred steps as writes. */
void load_mix(struct load *, unsigned percent, uint64_t seed);
/* Makes the scores a time that goes up by one each step, from begin; what came window steps
 * before is to be forgotten. */
void load_time(struct load *, uint64_t begin, uint64_t window);
void load_free(struct load *);

/* Numbers 1 to n with probability proportional to 1 / number^exponent, by rejection-inversion
 * (Hoermann and Derflinger 1996): constant time and memory. */
struct zipf {
  double exponent, n, low, high, shift;
};
void zipf_start(struct zipf *, double exponent, uint64_t n);
uint64_t zipf_next(const struct zipf *, uint64_t *state);
/* The same below n, spread over all numbers: neighbours in rank are not neighbours in number. */
uint64_t zipf_scattered(const struct zipf *, uint64_t *state);

#endif
