/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECONDS_APART = 2, MILLIS_APART = 3000, PATH_SIZE = 128 };

int compare_is_word(const char *const *argv, const size_t *len, int i, const char *word)
{
  size_t n = len ? len[i] : strlen(argv[i]);
  return n == strlen(word) && strncasecmp(argv[i], word, n) == 0;
}

enum compare_mode compare_mode_of(int argc, const char *const *argv, const size_t *len)
{
  static const struct {
    const char *name;
    enum compare_mode mode;
  } list[] = {
      {"KEYS", COMPARE_UNORDERED},   {"SMEMBERS", COMPARE_UNORDERED}, {"SPOP", COMPARE_UNORDERED},
      {"SINTER", COMPARE_UNORDERED}, {"HKEYS", COMPARE_UNORDERED},    {"HVALS", COMPARE_UNORDERED},
      {"HGETALL", COMPARE_PAIRS},    {"TTL", COMPARE_SECONDS},        {"PTTL", COMPARE_MILLIS},
      {"SCAN", COMPARE_SCAN},        {"TIME", COMPARE_TYPE},          {"INFO", COMPARE_TYPE},
      {"RANDOMKEY", COMPARE_TYPE},   {"HSCAN", COMPARE_SCAN},         {"SSCAN", COMPARE_SCAN},
      {"ZSCAN", COMPARE_SCAN},       {"HRANDFIELD", COMPARE_TYPE},    {"SRANDMEMBER", COMPARE_TYPE},
      {"ZRANDMEMBER", COMPARE_TYPE}, {"SUNION", COMPARE_UNORDERED},   {"SDIFF", COMPARE_UNORDERED},
  };
  if (argc == 0)
    return COMPARE_EXACT;
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (compare_is_word(argv, len, 0, list[i].name))
      return list[i].mode;
  if (argc == 2 && compare_is_word(argv, len, 0, "CLIENT") && compare_is_word(argv, len, 1, "ID"))
    return COMPARE_TYPE;
  if (argc > 2 && compare_is_word(argv, len, 0, "CONFIG") && compare_is_word(argv, len, 1, "GET"))
    return COMPARE_PAIRS;
  return COMPARE_EXACT;
}

/* --- order ------------------------------------------------------------------ */

static int order(const void *left, const void *right)
{
  const struct resp *a = left, *b = right;
  if (a->type != b->type)
    return a->type < b->type ? -1 : 1;
  if (a->str && b->str) {
    int c = memcmp(a->str, b->str, a->len < b->len ? a->len : b->len);
    return c ? c : a->len < b->len ? -1 : a->len > b->len;
  }
  if (a->len != b->len)
    return a->len < b->len ? -1 : 1;
  for (size_t i = 0; a->element && i < a->len; i++) {
    int c = order(&a->element[i], &b->element[i]);
    if (c)
      return c;
  }
  return a->integer < b->integer ? -1 : a->integer > b->integer;
}

static void sort_inside(struct resp *r)
{
  for (size_t i = 0; r->element && i < r->len; i++)
    sort_inside(&r->element[i]);
  if (r->type == RESP_SET)
    qsort(r->element, r->len, sizeof *r->element, order);
  if (r->type == RESP_MAP)
    qsort(r->element, r->len / 2, 2 * sizeof *r->element, order);
}

static void remove_doubles(struct resp *r)
{
  size_t kept = 0;
  for (size_t i = 0; i < r->len; i++) {
    if (kept && order(&r->element[kept - 1], &r->element[i]) == 0) {
      resp_clear(&r->element[i]);
      continue;
    }
    if (kept != i)
      r->element[kept] = r->element[i];
    kept++;
  }
  r->len = kept;
}

static void normalise(struct resp *r, enum compare_mode mode)
{
  sort_inside(r);
  if (!r->element)
    return;
  if (mode == COMPARE_UNORDERED)
    qsort(r->element, r->len, sizeof *r->element, order);
  if (mode == COMPARE_PAIRS && r->len % 2 == 0)
    qsort(r->element, r->len / 2, 2 * sizeof *r->element, order);
  if (mode == COMPARE_SCAN && r->len == 2 && r->element[1].element) {
    qsort(r->element[1].element, r->element[1].len, sizeof *r->element, order);
    remove_doubles(&r->element[1]);
  }
}

/* --- equality ---------------------------------------------------------------- */

static int near(int64_t a, int64_t b, int64_t bound)
{
  if (a < 0 || b < 0)
    return a == b;
  return a > b ? a - b <= bound : b - a <= bound;
}

static int same_number(const struct resp *a, const struct resp *b, enum compare_mode mode)
{
  if (mode == COMPARE_SECONDS)
    return near(a->integer, b->integer, SECONDS_APART);
  if (mode == COMPARE_MILLIS)
    return near(a->integer, b->integer, MILLIS_APART);
  return mode == COMPARE_TYPE || a->integer == b->integer;
}

/* Bit by bit; all NaN are one. */
static int same_real(double a, double b)
{
  return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* 0: they differ, and path says where. */
static int same(const struct resp *a, const struct resp *b, enum compare_mode mode, char *path)
{
  if (a->type != b->type)
    return 0;
  if (mode == COMPARE_TYPE && a->type != RESP_ERROR && !a->element)
    return 1;
  if (a->element) {
    if (a->len != b->len)
      return 0;
    size_t used = strlen(path);
    for (size_t i = 0; i < a->len; i++) {
      if (used < PATH_SIZE - 24)
        snprintf(path + used, PATH_SIZE - used, "[%zu]", i);
      if (!same(&a->element[i], &b->element[i], mode, path))
        return 0;
    }
    path[used] = 0;
    return 1;
  }
  if (a->type == RESP_DOUBLE && !same_real(a->real, b->real))
    return 0;
  if (a->str)
    return a->len == b->len && memcmp(a->str, b->str, a->len) == 0;
  return same_number(a, b, mode);
}

static char *explain(const struct resp *expected, const struct resp *got, const char *path)
{
  char *a = resp_text(expected), *b = resp_text(got);
  size_t size = strlen(a) + strlen(b) + PATH_SIZE + 64;
  char *text = malloc(size);
  if (text)
    snprintf(text, size, "%s%s\n  expected %s\n  got      %s", *path ? "at " : "differs", path, a,
             b);
  free(a);
  free(b);
  return text;
}

static int is_scan(const struct resp *r)
{
  return r->type == RESP_ARRAY && r->len == 2 && r->element[0].type == RESP_STRING &&
         r->element[1].type == RESP_ARRAY;
}

/* Half-way through, each server is somewhere else. */
static int is_partial(const struct resp *scan)
{
  return !resp_is_text(&scan->element[0], "0");
}

char *compare(const struct resp *expected, const struct resp *got, enum compare_mode mode)
{
  char path[PATH_SIZE] = "", *text = NULL;
  if (mode == COMPARE_SCAN && expected && got && is_scan(expected) && is_scan(got) &&
      (is_partial(expected) || is_partial(got)))
    return NULL;
  if (!expected || !got)
    return expected == got ? NULL : explain(expected, got, path);
  if (!expected->element && !got->element)
    return same(expected, got, mode, path) ? NULL : explain(expected, got, path);
  struct resp a = {0}, b = {0};
  resp_copy(&a, expected);
  resp_copy(&b, got);
  normalise(&a, mode);
  normalise(&b, mode);
  if (!same(&a, &b, mode, path))
    text = explain(&a, &b, path);
  resp_clear(&a);
  resp_clear(&b);
  return text;
}
