/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/argv.h"
#include "command/vector.h"
#include "support/check.h"
#include "util/buffer.h"
#include "util/heap.h"
#include "util/memory.h"

static struct lrd_arena arena;
static int argc;
static larder_bytes *argv;
static char error[200];

static void begin(void)
{
  lrd_arena_init(&arena, &lrd_memory_system);
}

static void end(void)
{
  lrd_arena_free(&arena);
}

static void argument_is(int i, const char *bytes, size_t len)
{
  ck_assert_int_lt(i, argc);
  ck_assert_uint_eq(argv[i].len, len);
  ck_assert(!memcmp(argv[i].data, bytes, len));
  ck_assert_int_eq(argv[i].data[len], '\0');
}

#define IS(i, text) argument_is(i, text, sizeof(text) - 1)

/* --- format -------------------------------------------------------------- */

static larder_outcome format_in(struct lrd_arena *a, const char *format, ...)
{
  va_list arguments;
  larder_outcome outcome;

  va_start(arguments, format);
  outcome = lrd_argv_format(a, format, arguments, &argc, &argv, error, sizeof error);
  va_end(arguments);
  return outcome;
}

#define FORMAT(...) format_in(&arena, __VA_ARGS__)

START_TEST(format_directives)
{
  ck_assert_int_eq(FORMAT("SET %s %b", "a b\r\n", "x\0y z", (size_t)5), LARDER_OK);
  ck_assert_int_eq(argc, 3);
  IS(0, "SET");
  IS(1, "a b\r\n");
  IS(2, "x\0y z");
  ck_assert_int_eq(FORMAT("  k:%s:%d:%% %s   end ", "u", -7, ""), LARDER_OK);
  ck_assert_int_eq(argc, 3);
  IS(0, "k:u:-7:%");
  IS(1, "");
  IS(2, "end");
  ck_assert_int_eq(FORMAT("%d %i %u %ld %lu %lld %llu %zu %zd", INT_MIN, 5, UINT_MAX, LONG_MIN,
                          ULONG_MAX, LLONG_MIN, ULLONG_MAX, SIZE_MAX, (ssize_t)-3), LARDER_OK);
  ck_assert_int_eq(argc, 9);
  IS(0, "-2147483648");
  IS(1, "5");
  IS(2, "4294967295");
  if (sizeof(long) == 8) {
    IS(3, "-9223372036854775808");
    IS(4, "18446744073709551615");
  }
  IS(5, "-9223372036854775808");
  IS(6, "18446744073709551615");
  IS(8, "-3");
  ck_assert_int_eq(FORMAT("%g %f %.17g %.2f x%gy %f", 0.5, 0.5, 0.1, 1.239, 1e300, -1e308),
                   LARDER_OK);
  IS(0, "0.5");
  IS(1, "0.500000");
  IS(2, "0.10000000000000001");
  IS(3, "1.24");
  IS(4, "x1e+300y");
  ck_assert_uint_eq(argv[5].len, 1 + 309 + 7);
  ck_assert_int_eq(FORMAT("%b %b", NULL, (size_t)0, "", (size_t)0), LARDER_OK);
  IS(0, "");
  IS(1, "");
  ck_assert_int_eq(FORMAT("%s", ""), LARDER_OK);
  ck_assert_int_eq(argc, 1);
  ck_assert_int_eq(FORMAT("   "), LARDER_OK);
  ck_assert_int_eq(argc, 0);
  ck_assert_int_eq(FORMAT(""), LARDER_OK);
  ck_assert_int_eq(argc, 0);
}
END_TEST

START_TEST(format_refuses)
{
  ck_assert_int_eq(FORMAT("GET %s", (char *)NULL), LARDER_BAD_ARGUMENT);
  ck_assert_str_eq(error, "ERR format: NULL string at '%s'");
  ck_assert_int_eq(FORMAT("GET %b", NULL, (size_t)3), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %x", 3), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %", 3), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %l", 3), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %ls", L"x"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %hd", 3), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %5d", 3), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %.s", "x"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %.999g", 1.0), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %n", &argc), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(FORMAT("GET %b", "x", SIZE_MAX), LARDER_NO_MEMORY);
}
END_TEST

START_TEST(format_is_of_no_locale)
{
  if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
    printf("format: the locale de_DE.UTF-8 is not installed here\n");
  ck_assert_int_eq(FORMAT("%g %f", 1.5, 2.25), LARDER_OK);
  IS(0, "1.5");
  IS(1, "2.250000");
}
END_TEST

/* --- split --------------------------------------------------------------- */

static larder_outcome split(const char *line)
{
  return lrd_argv_split(&arena, line, strlen(line), &argc, &argv);
}

/* What a redis-server makes of such lines is compared in check_redis.c. */
START_TEST(split_lines)
{
  ck_assert_int_eq(split(" set  a\t\"b c\\x41\\n\\\"\\q\" 'd\\'e\\n' x"), LARDER_OK);
  ck_assert_int_eq(argc, 5);
  IS(0, "set");
  IS(2, "b cA\n\"q");
  IS(3, "d'e\\n");
  ck_assert_int_eq(split("\"\\x00\\r\\t\\b\\a\\x4\\xzz\" a\"b\""), LARDER_OK);
  IS(0, "\0\r\t\b\ax4xzz");
  IS(1, "ab");
  ck_assert_int_eq(split("'' \"\""), LARDER_OK);
  ck_assert_int_eq(argc, 2);
  IS(0, "");
  IS(1, "");
  ck_assert_int_eq(split(""), LARDER_OK);
  ck_assert_int_eq(argc, 0);
  ck_assert_int_eq(split(" \r\n"), LARDER_OK);
  ck_assert_int_eq(argc, 0);
  ck_assert_int_eq(split("\"abc"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(split("'abc\\'"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(split("\"abc\"d"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(split("'abc'd"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(split("\"abc\\"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(split("\""), LARDER_BAD_ARGUMENT);
}
END_TEST

START_TEST(parsers_survive_each_failure)
{
  struct lrd_arena a;
  struct heap h;
  char line[3000];
  size_t n;

  memset(line, 'x', sizeof line);
  for (n = 1; n < 3; n++) {
    heap_init(&h, n);
    lrd_arena_init(&a, &h.memory);
    ck_assert_int_eq(lrd_argv_split(&a, line, sizeof line, &argc, &argv), LARDER_NO_MEMORY);
    lrd_arena_free(&a);
    lrd_arena_init(&a, &h.memory);
    ck_assert_int_eq(format_in(&a, "%b", line, sizeof line), LARDER_NO_MEMORY);
    lrd_arena_free(&a);
    ck_assert_uint_eq(h.bytes, 0);
  }
}
END_TEST

/* --- the wire ------------------------------------------------------------ */

START_TEST(encodes)
{
  const larder_bytes v[] = { { "GET", 3 }, { NULL, 0 }, { "a\r\n\0b", 5 } };
  const char expected[] = "x*3\r\n$3\r\nGET\r\n$0\r\n\r\n$5\r\na\r\n\0b\r\n";
  const larder_bytes huge = { "x", SIZE_MAX / 2 };
  struct lrd_buffer b;
  struct heap h;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 0);
  lrd_buffer_append(&b, "x", 1);
  ck_assert_int_eq(lrd_argv_encode(&b, 3, v), 0);
  ck_assert_uint_eq(b.len, sizeof expected - 1);
  ck_assert(!memcmp(b.data, expected, b.len));
  ck_assert_int_eq(lrd_argv_encode(&b, 1, &huge), -1);
  ck_assert(b.failed);
  ck_assert_uint_eq(b.len, sizeof expected - 1);
  lrd_buffer_free(&b);
  lrd_buffer_init(&b, &h.memory, 20);
  ck_assert_int_eq(lrd_argv_encode(&b, 3, v), -1);
  ck_assert_uint_eq(b.len, 0);
  lrd_buffer_free(&b);
}
END_TEST

/* --- glob ---------------------------------------------------------------- */

static int glob(const char *pattern, const char *text)
{
  return lrd_glob(pattern, strlen(pattern), text, strlen(text), 0);
}

START_TEST(globs)
{
  ck_assert(glob("*", "") && !glob("**", "") && glob("", ""));
  ck_assert(glob("a*", "a") && glob("*a*b*", "xxaxxbxx"));
  ck_assert(!glob("", "a") && !glob("a", "") && !glob("?", "") && glob("?", "a"));
  ck_assert(glob("h[ae]llo", "hello") && !glob("h[^e]llo", "hello") && glob("[a-c]", "b"));
  ck_assert(glob("[c-a]", "b") && glob("\\*", "*") && !glob("\\*", "a") && glob("a\\", "a\\"));
  ck_assert(!glob("[]", "a") && glob("[^]", "a") && glob("[abc", "b"));
  ck_assert(lrd_glob("HeL*", 4, "hello", 5, 1) && !lrd_glob("HeL*", 4, "hello", 5, 0));
  ck_assert(lrd_glob("[A-C]", 5, "b", 1, 1));
  ck_assert(lrd_glob("a\0b", 3, "a\0b", 3, 0) && !lrd_glob("a\0b", 3, "a\0c", 3, 0));
}
END_TEST

/* A pattern that costs a backtracking matcher the age of the universe. */
START_TEST(glob_is_bounded)
{
  char text[20000], pattern[201];
  size_t i;

  memset(text, 'a', sizeof text);
  for (i = 0; i < 100; i++)
    memcpy(pattern + i * 2, "a*", 2);
  pattern[200] = 'b';
  ck_assert(!lrd_glob(pattern, 201, text, sizeof text, 0));
}
END_TEST

int main(void)
{
  Suite *s = suite_create("argv");
  TCase *t = tcase_create("argv");

  tcase_add_checked_fixture(t, begin, end);
  tcase_add_test(t, format_directives);
  tcase_add_test(t, format_refuses);
  tcase_add_test(t, format_is_of_no_locale);
  tcase_add_test(t, split_lines);
  tcase_add_test(t, parsers_survive_each_failure);
  tcase_add_test(t, encodes);
  tcase_add_test(t, globs);
  tcase_add_test(t, glob_is_bounded);
  suite_add_tcase(s, t);
  return run_suite(s);
}
