/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/number.h"

#include <float.h>
#include <math.h>
#include <string.h>

/*
 * strtod in the C locale, whatever the thread's locale is.  Correctly rounded:
 * short numbers by one exact multiplication or division (Clinger, 1990), all
 * others by integers of any size.
 */

enum {
  DIGITS_MAX = 800, /* more can't change the result, but whether they are all zero */
  LIMBS = 128       /* 800 digits, or 64 bits times the largest power of five */
};

/* A natural number, least significant limb first. */
struct big {
  uint32_t limb[LIMBS];
  size_t n;
};

static void big_multiply_add(struct big *b, uint32_t factor, uint32_t addend)
{
  uint64_t carry = addend;
  size_t i;

  for (i = 0; i < b->n; i++) {
    carry += (uint64_t)b->limb[i] * factor;
    b->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry)
    b->limb[b->n++] = (uint32_t)carry;
}

/* Returns the remainder. */
static uint32_t big_divide(struct big *b, uint32_t divisor)
{
  uint64_t rest = 0;
  size_t i;

  for (i = b->n; i--;) {
    rest = rest << 32 | b->limb[i];
    b->limb[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  while (b->n && !b->limb[b->n - 1])
    b->n--;
  return (uint32_t)rest;
}

static void big_shift_left(struct big *b, unsigned limbs)
{
  memmove(b->limb + limbs, b->limb, b->n * sizeof b->limb[0]);
  memset(b->limb, 0, limbs * sizeof b->limb[0]);
  b->n += limbs;
}

/* Its highest 64 bits, the highest of them set; *exponent: what they are to be
 * multiplied by, as a power of two; *sticky |= whether lower bits are set. */
static uint64_t big_top(const struct big *b, int *exponent, int *sticky)
{
  size_t n = b->n, i;
  uint64_t high = (uint64_t)b->limb[n - 1] << 32 | (n > 1 ? b->limb[n - 2] : 0);
  uint32_t low = n > 2 ? b->limb[n - 3] : 0;
  int shift = __builtin_clzll(high);

  if (shift) {
    high = high << shift | low >> (32 - shift);
    low <<= shift;
  }
  *sticky |= low != 0;
  for (i = 0; i + 3 < n; i++)
    *sticky |= b->limb[i] != 0;
  *exponent = ((int)n - 2) * 32 - shift;
  return high;
}

/* mantissa * 2^exponent (its highest bit is set), and a bit more if sticky. */
static double assemble(uint64_t mantissa, int exponent, int sticky)
{
  int high = exponent + 63; /* of the highest bit */
  int drop = high >= -1022 ? 11 : 11 + (-1022 - high);
  uint64_t q, rest, half, bits;
  double value;

  if (high > 1023)
    return HUGE_VAL;
  if (drop > 64)
    return 0;
  half = UINT64_C(1) << (drop - 1);
  q = drop == 64 ? 0 : mantissa >> drop;
  rest = mantissa & (half | (half - 1));
  q += rest > half || (rest == half && (sticky || (q & 1)));
  /* a carry out of the mantissa counts the exponent up, as it has to */
  bits = high >= -1022 ? ((uint64_t)(high + 1022) << 52) + q : q;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* A number as it was read. */
struct scanned {
  double value;
  int range; /* not zero or finite as the text was, but 0 or infinity */
};

static struct scanned in_range(double value)
{
  return (struct scanned){ .value = value, .range = value == 0 || isinf(value) };
}

/* --- decimal ------------------------------------------------------------- */

struct decimal {
  const char *s, *end; /* first significant digit; end of the digits */
  uint64_t mantissa;   /* its first 19 digits at most */
  int64_t exponent;    /* value = mantissa * 10^exponent, if not more */
  int digits;          /* in mantissa */
  int more;            /* there are non-zero digits behind them */
};

static const uint32_t power_of_5[] = { 1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125,
  9765625, 48828125, 244140625, 1220703125 };

/* All digits that matter; returns the exponent of ten. */
static int64_t big_from_decimal(struct big *b, const struct decimal *d, int *sticky)
{
  static const uint32_t power[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
    1000000000 };
  int64_t exponent = d->exponent;
  const char *s;
  uint32_t group = 0;
  int count = 0, in_group = 0;

  b->n = 0;
  for (s = d->s; s < d->end && count < DIGITS_MAX; s++) {
    if (*s == '.')
      continue;
    if (++count > d->digits)
      exponent--;
    group = group * 10 + (uint32_t)(*s - '0');
    if (++in_group == 9) {
      big_multiply_add(b, power[9], group);
      group = 0;
      in_group = 0;
    }
  }
  big_multiply_add(b, power[in_group], group);
  for (; s < d->end && !*sticky; s++)
    *sticky = *s > '0';
  return exponent;
}

static double decimal_exactly(const struct decimal *d)
{
  struct big b;
  int sticky = 0, exponent, two;
  int64_t ten = big_from_decimal(&b, d, &sticky);
  unsigned left;
  uint64_t mantissa;

  two = (int)ten;
  for (; ten > 0; ten -= left) {
    left = ten < 13 ? (unsigned)ten : 13;
    big_multiply_add(&b, power_of_5[left], 0);
  }
  if (ten < 0) {
    /* 64 bits more than 5^-ten has (7/3 a digit, from above) */
    left = (unsigned)((-ten * 7 / 3 + 64) / 32 + 2);
    left = left > b.n ? left - (unsigned)b.n : 0;
    big_shift_left(&b, left);
    two -= (int)left * 32;
    for (; ten < 0; ten += left) {
      left = ten > -13 ? (unsigned)-ten : 13;
      sticky |= big_divide(&b, power_of_5[left]) != 0;
    }
  }
  mantissa = big_top(&b, &exponent, &sticky);
  return assemble(mantissa, exponent + two, sticky);
}

static double decimal_value(const struct decimal *d)
{
  static const double power[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

  /* excess precision (FLT_EVAL_METHOD 2) would round twice */
  if (FLT_EVAL_METHOD == 0 && !d->more && d->mantissa <= UINT64_C(1) << 53) {
    if (d->exponent >= 0 && d->exponent <= 22)
      return (double)d->mantissa * power[d->exponent];
    if (d->exponent < 0 && d->exponent >= -22)
      return (double)d->mantissa / power[-d->exponent];
  }
  if (d->exponent + d->digits > 310)
    return HUGE_VAL;
  if (d->exponent + d->digits < -330)
    return 0;
  return decimal_exactly(d);
}

/* An optional exponent at s: returns behind it. */
static const char *scan_exponent(const char *s, const char *end, int letter, int64_t *exponent)
{
  const char *p = s + 1;
  int64_t value = 0;
  int negative = 0;

  if (s >= end || (*s | 0x20) != letter)
    return s;
  if (p < end && (*p == '+' || *p == '-'))
    negative = *p++ == '-';
  if (p >= end || *p < '0' || *p > '9')
    return s;
  for (; p < end && *p >= '0' && *p <= '9'; p++)
    if (value < INT64_C(100000000000000000))
      value = value * 10 + (*p - '0');
  *exponent += negative ? -value : value;
  return p;
}

static const char *scan_decimal(const char *s, const char *end, struct scanned *out)
{
  struct decimal d = { .s = NULL };
  int any = 0, fraction = 0;
  const char *p;

  for (p = s; p < end; p++) {
    unsigned digit = (unsigned char)*p - (unsigned)'0';

    if (*p == '.' && !fraction) {
      fraction = 1;
      continue;
    }
    if (digit > 9)
      break;
    any = 1;
    if (d.digits == 19) {
      d.more |= digit != 0;
      d.exponent += !fraction;
      continue;
    }
    d.exponent -= fraction;
    if (!digit && !d.digits)
      continue;
    if (!d.digits)
      d.s = p;
    d.mantissa = d.mantissa * 10 + digit;
    d.digits++;
  }
  if (!any)
    return s;
  d.end = p;
  p = scan_exponent(p, end, 'e', &d.exponent);
  if (d.mantissa)
    *out = in_range(decimal_value(&d));
  return p;
}

/* --- hexadecimal --------------------------------------------------------- */

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* s is behind "0x". */
static const char *scan_hex(const char *s, const char *end, struct scanned *out)
{
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  int any = 0, fraction = 0, sticky = 0, shift;
  const char *p;

  for (p = s; p < end; p++) {
    int digit = hex_digit(*p);

    if (*p == '.' && !fraction) {
      fraction = 1;
      continue;
    }
    if (digit < 0)
      break;
    any = 1;
    if (mantissa >> 60) {
      sticky |= digit != 0;
      exponent += fraction ? 0 : 4;
    } else {
      mantissa = mantissa << 4 | (uint64_t)digit;
      exponent -= fraction ? 4 : 0;
    }
  }
  if (!any)
    return s;
  p = scan_exponent(p, end, 'p', &exponent);
  if (!mantissa)
    return p;
  shift = __builtin_clzll(mantissa);
  exponent -= shift;
  if (exponent > 2000)
    exponent = 2000;
  else if (exponent < -2000)
    exponent = -2000;
  *out = in_range(assemble(mantissa << shift, (int)exponent, sticky));
  return p;
}

/* --- the whole ----------------------------------------------------------- */

static const char *scan_word(const char *s, const char *end, const char *word)
{
  for (; *word; s++, word++)
    if (s >= end || (*s | 0x20) != *word)
      return NULL;
  return s;
}

static const char *scan_unsigned(const char *s, const char *end, struct scanned *out)
{
  const char *p;

  if ((p = scan_word(s, end, "infinity")) || (p = scan_word(s, end, "inf"))) {
    out->value = HUGE_VAL;
    return p;
  }
  if ((p = scan_word(s, end, "nan"))) {
    out->value = NAN;
    return p;
  }
  if (end - s > 2 && s[0] == '0' && (s[1] | 0x20) == 'x') {
    p = scan_hex(s + 2, end, out);
    if (p != s + 2)
      return p;
  }
  return scan_decimal(s, end, out);
}

static int is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t scan(const char *text, size_t len, struct scanned *out)
{
  const char *s = text, *end = text + len, *p;
  int negative = 0;

  *out = (struct scanned){ .value = 0 };
  while (s < end && is_space(*s))
    s++;
  if (s < end && (*s == '-' || *s == '+'))
    negative = *s++ == '-';
  p = scan_unsigned(s, end, out);
  if (p == s)
    return 0;
  if (negative)
    out->value = -out->value;
  return (size_t)(p - text);
}

size_t lrd_scan_double(const char *s, size_t len, double *out)
{
  struct scanned number;
  size_t taken = scan(s, len, &number);

  *out = number.value;
  return taken;
}

/* What most scores are: up to 15 digits, perhaps a point between two of them.  The digits
 * and the power of ten are exact, so one division rounds correctly (Clinger).  0: something
 * else, or wrong. */
static int parse_short(const char *s, size_t len, double *out)
{
  static const double power[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14 };
  size_t begin = *s == '-', point = len, i;
  int64_t digits = 0;

  if (len - begin > 16)
    return 0;
  for (i = begin; i < len; i++) {
    unsigned digit = (unsigned)(unsigned char)s[i] - '0';
    if (digit < 10)
      digits = digits * 10 + digit;
    else if (s[i] == '.' && point == len && i > begin && i + 1 < len)
      point = i;
    else
      return 0;
  }
  i = point < len ? len - point - 1 : 0; /* behind the point */
  if (begin == len || (point == len && len - begin > 15))
    return 0;
  *out = (double)digits / power[i];
  if (begin)
    *out = -*out;
  return 1;
}

int lrd_parse_double(const char *s, size_t len, double *out)
{
  struct scanned number;

  if (len && parse_short(s, len, out))
    return 1;
  if (!len || is_space(s[0]) || scan(s, len, &number) != len || number.range ||
      isnan(number.value))
    return 0;
  *out = number.value;
  return 1;
}
