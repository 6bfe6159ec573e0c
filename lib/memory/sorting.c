/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/sorting.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "memory/packed.h"
#include "util/number.h"

/* --- scores ------------------------------------------------------------------------------ */

static int is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* Whether a number that was read as 0 has a digit that counts: then it was too small. */
static int has_weight(larder_bytes number)
{
  for (size_t i = 0; i < number.len; i++) {
    char c = (char)(number.data[i] | 0x20);

    if (c == 'e' || c == 'p')
      return 0;
    if (c >= '1' && c <= '9')
      return 1;
  }
  return 0;
}

/* Where strtod would set ERANGE. */
static int out_of_range(larder_bytes number, double value)
{
  size_t i = 0;

  if (isinf(value)) {
    while (i < number.len && !is_digit(number.data[i]) && (number.data[i] | 0x20) != 'i')
      i++;
    return i < number.len && is_digit(number.data[i]);
  }
  if (value == 0)
    return has_weight(number);
  return fabs(value) < DBL_MIN && !memchr(number.data, 'x', number.len) &&
         !memchr(number.data, 'X', number.len);
}

int lrd_sorting_score(larder_bytes text, double *score)
{
  size_t taken;

  if (!text.len || !text.data[0]) {
    *score = 0;
    return 1;
  }
  taken = lrd_scan_double(text.data, text.len, score);
  if (!taken || (taken < text.len && text.data[taken]) || isnan(*score))
    return 0;
  return !out_of_range((larder_bytes){ text.data, taken }, *score);
}

/* --- order ------------------------------------------------------------------------------- */

static larder_bytes up_to_zero(larder_bytes text)
{
  const char *zero = text.len ? memchr(text.data, 0, text.len) : NULL;

  if (zero)
    text.len = (size_t)(zero - text.data);
  return text;
}

static int compare_texts(const struct lrd_sorting *s, larder_bytes a, larder_bytes b)
{
  if (!a.data || !b.data)
    return (a.data != NULL) - (b.data != NULL);
  return s->binary ? lrd_bytes_compare(a, b) : lrd_bytes_compare(up_to_zero(a), up_to_zero(b));
}

static int compare(const struct lrd_sorting *s, const struct lrd_sorted *a,
                   const struct lrd_sorted *b)
{
  int order;

  if (s->alpha)
    order = compare_texts(s, a->by, b->by);
  else if (a->score != b->score)
    order = a->score < b->score ? -1 : 1;
  else
    order = lrd_bytes_compare(a->element, b->element);
  return s->down ? -order : order;
}

static void merge(const struct lrd_sorting *s, const struct lrd_sorted *left, size_t lefts,
                  const struct lrd_sorted *right, size_t rights, struct lrd_sorted *to)
{
  while (lefts && rights)
    if (compare(s, left, right) <= 0) {
      *to++ = *left++;
      lefts--;
    } else {
      *to++ = *right++;
      rights--;
    }
  memcpy(to, lefts ? left : right, (lefts + rights) * sizeof *to);
}

struct lrd_sorted *lrd_sort(const struct lrd_sorting *s, struct lrd_sorted *item,
                            struct lrd_sorted *spare, size_t n)
{
  for (size_t run = 1; run < n; run *= 2) {
    struct lrd_sorted *to = spare;

    for (size_t at = 0; at < n; at += 2 * run) {
      size_t lefts = n - at < run ? n - at : run, rest = n - at - lefts;

      merge(s, item + at, lefts, item + at + lefts, rest < run ? rest : run, spare + at);
    }
    spare = item;
    item = to;
  }
  return item;
}
