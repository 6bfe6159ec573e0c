/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/argv.h"

static unsigned char fold(char c, int nocase)
{
  return (unsigned char)(nocase && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Does c belong to the class that begins behind the '[' at p?  *end: its ']',
 * or the end of the pattern.  The corners are Redis's: "[]" matches nothing,
 * an escaped byte is compared exactly, "a-]" is a range. */
static int in_class(const char *p, const char *pattern_end, char c, int nocase, const char **end)
{
  unsigned char x = fold(c, nocase), low, high, swap;
  int negate = p < pattern_end && *p == '^', match = 0;

  if (negate)
    p++;
  for (; p < pattern_end; p++) {
    if (*p == '\\' && pattern_end - p >= 2) {
      p++;
      match |= *p == c;
    } else if (*p == ']') {
      break;
    } else if (pattern_end - p >= 3 && p[1] == '-') {
      low = (unsigned char)p[0];
      high = (unsigned char)p[2];
      if (low > high) {
        swap = low;
        low = high;
        high = swap;
      }
      match |= x >= fold((char)low, nocase) && x <= fold((char)high, nocase);
      p += 2;
    } else {
      match |= fold(*p, nocase) == x;
    }
  }
  *end = p;
  return match != negate;
}

/* One element of the pattern (not '*') against one byte: returns behind the
 * element, or NULL. */
static const char *match_one(const char *p, const char *end, char c, int nocase)
{
  const char *class_end;

  switch (*p) {
  case '?':
    return p + 1;
  case '[':
    if (!in_class(p + 1, end, c, nocase, &class_end))
      return NULL;
    return class_end < end ? class_end + 1 : end;
  case '\\':
    if (end - p >= 2)
      p++;
    /* fall through */
  default:
    return fold(*p, nocase) == fold(c, nocase) ? p + 1 : NULL;
  }
}

/* Only the last '*' is ever tried again: that is what bounds the steps. */
int lrd_glob(const char *pattern, size_t pattern_len, const char *text, size_t len, int nocase)
{
  const char *p = pattern, *p_end = pattern + pattern_len, *t = text, *t_end = text + len;
  const char *after_star = NULL, *retry = NULL, *next;

  /* Redis does not look at patterns for the empty text; its commands take "*" for "all" */
  if (!len)
    return pattern_len == 0 || (pattern_len == 1 && *pattern == '*');
  while (t < t_end) {
    if (p < p_end && *p == '*') {
      while (p < p_end && *p == '*')
        p++;
      if (p == p_end)
        return 1;
      after_star = p;
      retry = t;
      continue;
    }
    next = p < p_end ? match_one(p, p_end, *t, nocase) : NULL;
    if (next) {
      p = next;
      t++;
    } else if (after_star) {
      p = after_star;
      t = ++retry;
    } else {
      return 0;
    }
  }
  while (p < p_end && *p == '*')
    p++;
  return p == p_end;
}
