/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "command/command.h"
#include "command/vector.h"
#include "support/check.h"
#include "util/memory.h"

/* Which arguments of a command are keys. */

static struct lrd_arena arena;

static void begin(void)
{
  lrd_arena_init(&arena, &lrd_memory_system);
}

static void end(void)
{
  lrd_arena_free(&arena);
}

struct seen {
  int index[8], n;
};

static void see(void *context, int index)
{
  struct seen *s = context;

  s->index[s->n++] = index;
}

static void keys_are(const char *line, int n, int first, int step)
{
  larder_vector v = vector_of(&arena, line);
  struct lrd_keys keys = lrd_command_key_range(&v);
  struct seen s = { .n = 0 };
  int i;

  ck_assert_msg(keys.count == n && !keys.lead, "%s", line);
  ck_assert_msg(!n || (keys.first == first && keys.step == step), "%s", line);
  ck_assert(n || keys.first == 0);
  lrd_command_keys(&v, see, &s);
  ck_assert_int_eq(s.n, n);
  for (i = 0; i < n; i++)
    ck_assert_int_eq(s.index[i], first + i * step);
}

/* A destination at 1 and n keys from 3 on. */
static void keys_behind_destination(const char *line, int n)
{
  larder_vector v = vector_of(&arena, line);
  struct lrd_keys keys = lrd_command_key_range(&v);
  struct seen s = { .n = 0 };

  ck_assert_msg(keys.lead == 1 && keys.count == n + 1, "%s", line);
  lrd_command_keys(&v, see, &s);
  ck_assert_int_eq(s.n, n + 1);
  for (int i = 0; i <= n; i++)
    ck_assert_int_eq(s.index[i], i ? i + 2 : 1);
}

START_TEST(keys_by_argument)
{
  keys_are("ZUNION 2 a b", 2, 2, 1);
  keys_are("ZUNION 3 a b", 0, 0, 0);
  keys_are("ZUNION 0 a b", 0, 0, 0);
  keys_are("ZUNION x a b", 0, 0, 0);
  keys_are("LMPOP 1 a LEFT", 1, 2, 1);
  keys_are("SINTERCARD 2 a b LIMIT 1", 2, 2, 1);
  keys_behind_destination("ZUNIONSTORE d 2 a b WEIGHTS 1 2", 2);
  keys_behind_destination("ZDIFFSTORE d 9 a b", 0);
  keys_are("SORT a BY store GET STORE LIMIT 0 1", 1, 1, 1);
  keys_are("SORT a STORE d", 2, 1, 2);
  keys_are("SORT a STORE d BY x store e", 2, 1, 6);
  keys_are("SORT a STORE", 1, 1, 1);
  keys_are("SORT_RO a BY x", 1, 1, 1);
  keys_are("GEORADIUS a 1 2 3 m", 1, 1, 1);
  keys_are("GEORADIUS a 1 2 3 m STOREDIST d", 2, 1, 6);
  keys_are("GEORADIUSBYMEMBER a STORE 3 m COUNT 2 STORE d", 2, 1, 7);
  keys_are("GEORADIUS_RO a 1 2 3 m STORE", 1, 1, 1);
}
END_TEST

static void strays(const char *line, int expected)
{
  larder_vector v = vector_of(&arena, line);

  ck_assert_msg(lrd_command_strays(&v) == expected, "%s", line);
}

START_TEST(keys_that_are_not_named)
{
  strays("SORT a BY w_* GET #", 1);
  strays("SORT a BY x GET #", 0);
  strays("SORT a LIMIT BY * GET x", 0);
  strays("SORT a STORE GET GET w_*", 1); /* "GET" is a key here */
  strays("SORT a STORE BY GET w_*->f", 1);
  strays("SORT a STORE GET *", 0);
  strays("SORT_RO a GET w_*", 1);
  strays("COPY a b DB 1", 1);
  strays("COPY a b REPLACE", 0);
  strays("MOVE a 1", 1);
  strays("RENAME a b", 0);
}
END_TEST

START_TEST(keys_by_position)
{
  keys_are("GET k", 1, 1, 1);
  keys_are("MGET a b c", 3, 1, 1);
  keys_are("MSET a 1 b 2", 2, 1, 2);
  keys_are("MSET a 1 b", 2, 1, 2); /* refused later, by its handler */
  keys_are("DEL a", 1, 1, 1);
  keys_are("RENAME a b", 2, 1, 1);
  keys_are("ZADD k 1 m", 1, 1, 1);
  keys_are("WATCH a b", 2, 1, 1);
  keys_are("KEYS *", 0, 0, 0);
  keys_are("SCAN 0", 0, 0, 0);
  keys_are("PING a", 0, 0, 0);
  keys_are("FLUSHALL", 0, 0, 0);
  keys_are("CONFIG GET a", 0, 0, 0);
  keys_are("OBJECT FREQ a", 1, 2, 1);
  keys_are("OBJECT HELP", 0, 0, 0);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("keys");
  TCase *t = tcase_create("keys");

  tcase_add_checked_fixture(t, begin, end);
  tcase_add_test(t, keys_by_position);
  tcase_add_test(t, keys_that_are_not_named);
  tcase_add_test(t, keys_by_argument);
  suite_add_tcase(s, t);
  return run_suite(s);
}
