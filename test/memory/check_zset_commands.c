/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/talk.h"

#include "memory/lines_zset.h"

/* Sorted sets as an engine's clients see them. */

START_TEST(commands)
{
  talk_lines(zset_lines, sizeof zset_lines / sizeof zset_lines[0]);
}
END_TEST

START_TEST(commands_without_memory)
{
  talk_no_memory((const char *const[]){ "ZADD z 1 a 2 b 3 c 4 d", "ZINCRBY z 5 a", "ZPOPMIN z",
                                        "ZPOPMIN z 2", "ZADD new 1 m", "ZINCRBY newer 1 m", NULL },
                 "ZRANGE z 0 -1 WITHSCORES", "ZRANGE new 0 -1");
}
END_TEST

START_TEST(commands_that_know_a_part)
{
  struct talk t;

  talk_begin(&t, 1);
  talk_expect_unknown(&t, "ZSCORE z a");
  talk_expect_unknown(&t, "ZRANGE z 0 -1");
  talk_expect_unknown(&t, "ZRANK z a");
  talk_expect_intent(&t, "ZREM z a", ":0\r\n", "ZREM|z|a;", 1);
  talk_expect_intent(&t, "ZREMRANGEBYSCORE z 1 (2", ":0\r\n", "ZREMRANGEBYSCORE|z|1|(2;", 1);
  talk_expect_intent(&t, "ZADD z 1 a 2 b", ":2\r\n", "ZADD|z|1|a|2|b;", 1);
  talk_expect_intent(&t, "ZADD z 1 a", ":0\r\n", "ZADD|z|1|a;", 1);
  talk_expect_intent(&t, "ZSCORE z a", "$1\r\n1\r\n", "", 0);
  talk_expect_unknown(&t, "ZSCORE z c");
  talk_expect_unknown(&t, "ZCARD z");
  talk_expect_unknown(&t, "ZRANK z a");
  talk_expect_intent(&t, "ZINCRBY z 2 a", "$1\r\n3\r\n", "ZINCRBY|z|2|a;", 1);
  talk_expect_intent(&t, "ZSCORE z a", "$1\r\n3\r\n", "", 0);
  talk_expect_intent(&t, "ZINCRBY z 2 n", "$1\r\n2\r\n", "ZINCRBY|z|2|n;", 1);
  talk_expect_unknown(&t, "ZSCORE z n"); /* two more than what is not known */
  talk_expect_intent(&t, "ZINCRBY z 2 n", "$1\r\n4\r\n", "ZINCRBY|z|2|n;", 1);
  talk_expect_unknown(&t, "ZSCORE z n");
  talk_expect_intent(&t, "ZADD z 7 n", ":0\r\n", "ZADD|z|7|n;", 1);
  talk_expect_intent(&t, "ZSCORE z n", "$1\r\n7\r\n", "", 0);
  talk_expect_intent(&t, "ZREMRANGEBYSCORE z 3 3", ":1\r\n", "ZREMRANGEBYSCORE|z|3|3;", 1);
  talk_expect_unknown(&t, "ZSCORE z a");
  talk_expect_intent(&t, "ZREM z b n", ":2\r\n", "ZREM|z|b|n;", 1);
  talk_expect_unknown(&t, "ZSCORE z b"); /* emptied, but not gone */
  talk_expect_unknown(&t, "ZCARD z");
  talk(&t, "ZINCRBY z inf i");
  talk_expect_unknown(&t, "ZINCRBY z -inf i");
  talk(&t, "DEL z");
  talk_expect_intent(&t, "ZSCORE z a", "$-1\r\n", "", 0);
  talk_expect_intent(&t, "ZREM z a", ":0\r\n", "", 0);
  talk_expect_intent(&t, "ZINCRBY z 1 a", "$1\r\n1\r\n", "z;", 0);
  talk_expect_intent(&t, "ZADD z 1 a", ":0\r\n", "", 0);
  t.vector_flags = LARDER_VECTOR_COMPLETE;
  talk_expect_intent(&t, "ZADD z GT 5 a", ":0\r\n", "z;", 0);
  talk_expect_intent(&t, "ZPOPMIN z", "*2\r\n$1\r\na\r\n$1\r\n5\r\n", "z;", 0);
  talk_expect_intent(&t, "ZPOPMIN z", "*0\r\n", "", 0);
  talk_end(&t);
}
END_TEST

START_TEST(rebuilding)
{
  talk_rebuild("ZADD %s 0.%d m%d", 700, "ZRANGE %s 0 -1 WITHSCORES", 3);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("zset commands");
  TCase *t = tcase_create("zset commands");

  tcase_set_timeout(t, 120);
  tcase_add_test(t, commands);
  tcase_add_test(t, commands_without_memory);
  tcase_add_test(t, commands_that_know_a_part);
  tcase_add_test(t, rebuilding);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
