/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long doubles by way of libc, whose radix character is the locale's and may be
 * several bytes: what it writes between the digits of 0.5 is it. */

static size_t radix(char out[16])
{
  char text[24];
  int len = snprintf(text, sizeof text, "%.1f", 0.5);

  if (len < 3 || (size_t)len - 2 > 15)
    return 0;
  memcpy(out, text + 1, (size_t)len - 2);
  out[len - 2] = '\0';
  return (size_t)len - 2;
}

/* The text with the locale's radix character for '.'; 0: there is no room, or the
 * locale's own is in it, which is no number here. */
static size_t localise(char *out, size_t size, const char *s, size_t len)
{
  char point[16];
  size_t point_len = radix(point), n = 0;
  int own = point_len == 1 && point[0] == '.';

  for (size_t i = 0; i < len; i++) {
    if (n + point_len + 1 >= size || (!own && point_len && s[i] == point[0]))
      return 0;
    if (s[i] == '.' && !own) {
      memcpy(out + n, point, point_len);
      n += point_len;
    } else {
      out[n++] = s[i];
    }
  }
  out[n] = '\0';
  return n;
}

int lrd_parse_long_double(const char *s, size_t len, long double *out)
{
  char text[LRD_LONG_DOUBLE_SIZE], *end;
  long double value;
  size_t n;
  int wrong, saved = errno;

  if (!len || len >= sizeof text || strchr(" \t\n\v\f\r", s[0]))
    return 0;
  n = localise(text, sizeof text, s, len);
  if (!n)
    return 0;
  errno = 0;
  value = strtold(text, &end);
  wrong = (size_t)(end - text) != n || isnan(value) || errno == EINVAL ||
          (errno == ERANGE && (isinf(value) || value == 0));
  errno = saved;
  if (wrong)
    return 0;
  *out = value;
  return 1;
}

size_t lrd_print_long_double(char *out, long double value)
{
  char point[16], *at;
  size_t point_len = radix(point), len;

  if (isinf(value))
    return lrd_print_infinity(out, value < 0);
  len = (size_t)snprintf(out, LRD_LONG_DOUBLE_SIZE, "%.17Lf", value);
  at = point_len ? strstr(out, point) : NULL;
  if (!at)
    return len;
  *at = '.';
  memmove(at + 1, at + point_len, strlen(at + point_len) + 1);
  len -= point_len - 1;
  while (out[len - 1] == '0')
    len--;
  if (out[len - 1] == '.')
    len--;
  out[len] = '\0';
  if (!strcmp(out, "-0")) {
    memcpy(out, "0", sizeof "0");
    return 1;
  }
  return len;
}
