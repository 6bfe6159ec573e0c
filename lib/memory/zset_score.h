/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ZSET_SCORE_H
#define LRD_MEMORY_ZSET_SCORE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/*
 * Scores in fewer than 8 bytes.  Most are whole numbers, prices, seconds with a fraction: the
 * double next to n / 10^k.  The code of one, below 2^56:
 *
 *   whole      | n below 2^53, bit 0: its sign         | 0 |
 *   with point | n below 2^52, bit 0: its sign | power | 1 |   power 1, 2, 3: 10^2, 10^3, 10^6
 *   any other: 1, the double itself stands elsewhere
 *
 * A negative n counts from -1, so there is no code for the negative zero, which is coded as 0.
 * What a code gives is the very double it was made of, in the rounding mode in which it
 * was made; to nearest, as for all numbers here.
 */
enum { LRD_ZSET_SCORE_RAW = 1, LRD_ZSET_CODE_BITS = 56 };

static inline double lrd_zset_power(unsigned power)
{
  static const double of[4] = { 1, 1e2, 1e3, 1e6 };

  return of[power];
}

static inline uint64_t lrd_zset_signed_code(int64_t n)
{
  return n < 0 ? (uint64_t)(-n) * 2 - 1 : (uint64_t)n * 2;
}

static inline double lrd_zset_code_number(uint64_t code)
{
  return code & 1 ? -(double)(int64_t)(code / 2 + 1) : (double)(int64_t)(code / 2);
}

static inline double lrd_zset_decode(uint64_t code)
{
  if (code & 1)
    return lrd_zset_code_number(code >> 3) / lrd_zset_power(code >> 1 & 3);
  return lrd_zset_code_number(code >> 1);
}

static inline uint64_t lrd_zset_score_code(double score)
{
  const double whole_limit = 9007199254740992.0, limit = 4503599627370496.0; /* 2^53, 2^52 */
  unsigned power;

  if (!(score > -whole_limit && score < whole_limit))
    return LRD_ZSET_SCORE_RAW;
  if ((double)(int64_t)score == score)
    return lrd_zset_signed_code((int64_t)score) * 2;
  for (power = 1; power < 4; power++) {
    double scaled = score * lrd_zset_power(power);
    int64_t n;
    if (!(scaled > -limit + 1 && scaled < limit - 1))
      break;
    n = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    if ((double)n / lrd_zset_power(power) == score)
      return (lrd_zset_signed_code(n) * 4 + power) * 2 + 1;
  }
  return LRD_ZSET_SCORE_RAW;
}

/* Whether 7 bytes hold it, and there it is the same, also if it is a negative zero. */
static inline int lrd_zset_score_is_short(double score)
{
  return lrd_zset_score_code(score) != LRD_ZSET_SCORE_RAW && !(score == 0 && signbit(score));
}

#endif
