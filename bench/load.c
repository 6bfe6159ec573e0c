/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

void key_text(char key[KEY_LENGTH + 1], uint64_t number)
{
  int i;

  memcpy(key, "key:", 4);
  for (i = KEY_LENGTH - 1; i >= 4; i--, number /= 10)
    key[i] = (char)('0' + number % 10);
  key[KEY_LENGTH] = '\0';
}

static void score_text(char score[10], uint64_t random)
{
  int i;

  for (i = 8; i >= 0; i--)
    if (i == 6) {
      score[i] = '.';
    } else {
      score[i] = (char)('0' + random % 10);
      random /= 10;
    }
  score[9] = '\0';
}

static void start(struct load *load, size_t count)
{
  memset(load, 0, sizeof *load);
  load->count = count;
  load->step = bench_memory(count, sizeof *load->step);
  memset(load->value, 'v', VALUE_LENGTH);
}

/* The texts, once all numbers are there. */
static void finish(struct load *load, uint64_t seed)
{
  size_t i;

  for (i = 0; i < load->count; i++) {
    key_text(load->step[i].key, load->step[i].number);
    score_text(load->step[i].score, random_next(&seed) >> 16);
  }
}

void load_shuffled(struct load *load, size_t count, uint64_t seed)
{
  size_t i;

  start(load, count);
  for (i = 0; i < count; i++)
    load->step[i].number = (uint32_t)i;
  for (i = count; i > 1; i--) {
    size_t other = random_below(&seed, i);
    uint32_t number = load->step[i - 1].number;

    load->step[i - 1].number = load->step[other].number;
    load->step[other].number = number;
  }
  finish(load, seed);
}

void load_random(struct load *load, size_t count, size_t keys, double zipf, uint64_t seed)
{
  struct zipf z;
  size_t i;

  start(load, count);
  zipf_start(&z, zipf, keys);
  for (i = 0; i < count; i++)
    load->step[i].number =
      (uint32_t)(zipf > 0 ? zipf_scattered(&z, &seed) : random_below(&seed, keys));
  finish(load, seed);
}

void load_mix(struct load *load, unsigned percent, uint64_t seed)
{
  size_t i;

  for (i = 0; i < load->count; i++)
    load->step[i].write = random_below(&seed, 100) < percent;
}

static void time_text(char text[10], uint64_t time)
{
  snprintf(text, 10, "%09u", (unsigned)(time % 1000000000u));
}

void load_time(struct load *load, uint64_t begin, uint64_t window)
{
  size_t i;

  load->before = bench_memory(load->count, sizeof *load->before);
  for (i = 0; i < load->count; i++) {
    time_text(load->step[i].score, begin + i);
    time_text(load->before[i], begin + i > window ? begin + i - window : 0);
  }
}

void load_free(struct load *load)
{
  free(load->before);
  free(load->step);
  load->before = NULL;
  load->step = NULL;
}

/* The integral of x^-exponent, and its inverse, also where the exponent is about 1. */
static double integral(const struct zipf *z, double x)
{
  double l = log(x), t = (1 - z->exponent) * l;

  return (fabs(t) > 1e-8 ? expm1(t) / t : 1 + t / 2) * l;
}

static double inverse(const struct zipf *z, double x)
{
  double t = x * (1 - z->exponent);

  if (t < -1)
    t = -1;
  return exp((fabs(t) > 1e-8 ? log1p(t) / t : 1 - t / 2) * x);
}

static double density(const struct zipf *z, double x)
{
  return exp(-z->exponent * log(x));
}

void zipf_start(struct zipf *z, double exponent, uint64_t n)
{
  z->exponent = exponent;
  z->n = (double)n;
  z->low = integral(z, 1.5) - 1;
  z->high = integral(z, (double)n + 0.5);
  z->shift = 2 - inverse(z, integral(z, 2.5) - density(z, 2));
}

uint64_t zipf_next(const struct zipf *z, uint64_t *state)
{
  for (;;) {
    double u = z->high + (double)(random_next(state) >> 11) * 0x1p-53 * (z->low - z->high);
    double x = inverse(z, u), k = floor(x + 0.5);

    if (k < 1)
      k = 1;
    if (k > z->n)
      k = z->n;
    if (k - x <= z->shift || u >= integral(z, k + 0.5) - density(z, k))
      return (uint64_t)k;
  }
}

uint64_t zipf_scattered(const struct zipf *z, uint64_t *state)
{
  /* The factor is a prime, so it permutes the numbers below any n that it doesn't divide. */
  return zipf_next(z, state) * UINT64_C(2654435761) % (uint64_t)z->n;
}
