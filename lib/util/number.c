/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Integers and printing; the parser of doubles is in double.c. */

int lrd_parse_integer(const char *s, size_t len, int64_t *out)
{
  size_t i = len && s[0] == '-';
  int negative = (int)i;
  uint64_t value, digit;

  if (i == len || len - i > 19)
    return 0;
  if (s[i] < '1' || s[i] > '9') {
    if (s[i] != '0' || len != 1)
      return 0;
    *out = 0;
    return 1;
  }
  /* 19 digits fit in 64 bits without a sign */
  for (value = 0; i < len; i++) {
    digit = (uint64_t)(unsigned char)s[i] - '0';
    if (digit > 9)
      return 0;
    value = value * 10 + digit;
  }
  if (value > (uint64_t)INT64_MAX + (uint64_t)negative)
    return 0;
  *out = negative ? (int64_t)(0 - value) : (int64_t)value;
  return 1;
}

static size_t count_digits(uint64_t v)
{
  size_t n = 1;

  for (;; v /= 10000, n += 4) {
    if (v < 10)
      return n;
    if (v < 100)
      return n + 1;
    if (v < 1000)
      return n + 2;
    if (v < 10000)
      return n + 3;
  }
}

size_t lrd_print_unsigned(char *out, uint64_t v)
{
  static const char pair[] = "0001020304050607080910111213141516171819"
                             "2021222324252627282930313233343536373839"
                             "4041424344454647484950515253545556575859"
                             "6061626364656667686970717273747576777879"
                             "8081828384858687888990919293949596979899";
  size_t len = count_digits(v), i = len;

  out[len] = '\0';
  for (; v >= 100; v /= 100)
    memcpy(out + (i -= 2), pair + v % 100 * 2, 2);
  if (v >= 10)
    memcpy(out, pair + v * 2, 2);
  else
    out[0] = (char)('0' + v);
  return len;
}

size_t lrd_print_integer(char *out, int64_t value)
{
  if (value >= 0)
    return lrd_print_unsigned(out, (uint64_t)value);
  out[0] = '-';
  return 1 + lrd_print_unsigned(out + 1, 0 - (uint64_t)value);
}

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 wide;

/* The 17 significant digits of 1e-4 <= value < 1e17 as an integer, exactly
 * rounded (half to even), where value = digits * 10^(*exponent - 16). */
static uint64_t seventeen_digits(double value, int *exponent)
{
  static const uint64_t power[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
    1000000000, 10000000000, 100000000000 };
  uint64_t bits, mantissa, q;
  wide product, rest, half;
  int shift, scale, x;

  memcpy(&bits, &value, sizeof bits);
  shift = 1075 - (int)(bits >> 52); /* value = mantissa / 2^shift; -4 .. 66 here */
  mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
  /* log10(2) from below: right, or one too small */
  x = (int)(((1075 - 1023 - shift) * INT64_C(1292913986)) >> 32);
  for (;; x++) {
    scale = 16 - x; /* 0 .. 21: the product has less than 126 bits */
    if (scale < 0)
      scale = 0;
    product = (wide)mantissa * power[scale / 2] * power[scale - scale / 2];
    if (shift <= 0) {
      q = (uint64_t)(product << -shift);
    } else {
      q = (uint64_t)(product >> shift);
      half = (wide)1 << (shift - 1);
      rest = product & (half * 2 - 1);
      q += rest > half || (rest == half && (q & 1));
    }
    if (q < UINT64_C(100000000000000000) || !scale)
      break;
  }
  *exponent = x;
  return q;
}

/* "%.17g" where that has no exponent. */
static size_t print_plain(char *out, double value)
{
  char digits[24];
  size_t len, whole, n = 0;
  int exponent;
  uint64_t q = seventeen_digits(value, &exponent);

  len = lrd_print_unsigned(digits, q); /* 17 */
  while (len > 1 && digits[len - 1] == '0')
    len--;
  if (exponent < 0) {
    memcpy(out, "0.000", 5);
    n = (size_t)(1 - exponent);
    memcpy(out + n, digits, len);
    n += len;
  } else {
    whole = (size_t)exponent + 1;
    if (len < whole)
      len = whole; /* zeros of the integer part that were cut off above */
    memcpy(out, digits, whole);
    n = whole;
    if (len > whole) {
      out[n++] = '.';
      memcpy(out + n, digits + whole, len - whole);
      n += len - whole;
    }
  }
  out[n] = '\0';
  return n;
}

#endif

/* printf's radix character is the locale's, and may be several bytes: whatever
 * "%g" can't write in the C locale is it. */
static size_t print_by_libc(char *out, double value)
{
  char text[64];
  size_t n = 0;
  int i, len = snprintf(text, sizeof text, "%.17g", value), radix = 0;

  for (i = 0; i < len; i++) {
    if (strchr("0123456789+-einfa", text[i]))
      out[n++] = text[i];
    else if (!radix++)
      out[n++] = '.';
  }
  out[n] = '\0';
  return n;
}

size_t lrd_print_infinity(char *out, int negative)
{
  memcpy(out, negative ? "-inf" : "inf", negative ? 5 : 4);
  return negative ? 4 : 3;
}

size_t lrd_print_double(char *out, double value)
{
  size_t sign = 0;

  if (value > -1e17 && value < 1e17) {
    int64_t integer = (int64_t)value;

    if ((double)integer == value && (integer || !signbit(value)))
      return lrd_print_integer(out, integer);
  }
  if (isinf(value))
    return lrd_print_infinity(out, value < 0);
  if (isnan(value)) {
    memcpy(out, signbit(value) ? "-nan" : "nan", signbit(value) ? 5 : 4);
    return signbit(value) ? 4 : 3;
  }
#ifdef __SIZEOF_INT128__
  if (fabs(value) >= 1e-4 && fabs(value) < 1e16) {
    if (value < 0) {
      *out++ = '-';
      sign = 1;
    }
    return sign + print_plain(out, fabs(value));
  }
#endif
  return print_by_libc(out, value);
}
