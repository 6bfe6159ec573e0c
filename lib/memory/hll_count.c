/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/hll.h"

#include <math.h>

/* Ertl's estimate from how many registers have which value. */

enum { VALUES = 64, TOP = 50 }; /* bits behind the index; a register is at most one above */

/* x + the sum of x^(2^k) * 2^(k-1): what the empty registers stand for. */
static double sigma(double x)
{
  double weight = 1, sum = x, before;

  if (x == 1)
    return INFINITY;
  do {
    x *= x;
    before = sum;
    sum += x * weight;
    weight += weight;
  } while (sum != before);
  return sum;
}

/* The same for those that are full. */
static double tau(double x)
{
  double weight = 1, sum = 1 - x, before;

  if (x == 0 || x == 1)
    return 0;
  do {
    x = sqrt(x);
    before = sum;
    weight *= 0.5;
    sum -= (1 - x) * (1 - x) * weight;
  } while (sum != before);
  return sum / 3;
}

int64_t lrd_hll_count_registers(const unsigned char *registers)
{
  const double alpha = 0.721347520444481703680, m = LRD_HLL_REGISTERS; /* alpha: 1 / (2 ln 2) */
  int with[VALUES] = { 0 };
  double z;

  for (int i = 0; i < LRD_HLL_REGISTERS; i++)
    with[registers[i] & (VALUES - 1)]++;
  z = m * tau((m - with[TOP + 1]) / m);
  for (int value = TOP; value >= 1; value--) {
    z += with[value];
    z *= 0.5;
  }
  z += m * sigma(with[0] / m);
  return (int64_t)llroundl(alpha * m * m / z);
}

int64_t lrd_hll_count(const unsigned char *bytes, size_t len)
{
  unsigned char registers[LRD_HLL_REGISTERS] = { 0 };

  return lrd_hll_merge(bytes, len, registers) ? -1 : lrd_hll_count_registers(registers);
}
