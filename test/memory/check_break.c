/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rig.h"

/* Memory that ends where it hurts, and keys that are dead but not yet buried. */

enum { ATOMIC = LARDER_CALL_ATOMIC };

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"
#define LONGER LONG LONG LONG LONG LONG LONG LONG LONG

/* --- atomic calls --------------------------------------------------------------- */

static const struct {
  const char *setup, *commands;
} rows[] = {
  { "", "SET a " LONG "\nSET b " LONG "\nSET c " LONG },
  { "SET a 5", "INCR a\nRPUSH b x y\nSADD c m n\nHSET d f v\nZADD e 1 m" },
  { "SET a " LONGER "\nSET b " LONGER, "GET a\nGETDEL a\nGETDEL b" },
  { "SET a " LONGER "\nSET b " LONGER, "SET c 1\nGET a\nGET b\nSET d 2" },
  { "SET a " LONGER "\nSADD b x y z", "SET a v GET\nSPOP b 2\nMSET c 1 d 2" },
  { "SET a v\nSADD b m", "RENAME a d\nEXPIRE b 100\nSET c v EX 5\nKEYS c" },
  { "SET a v", "PING " LONGER "\nPING " LONGER "\nSET a " LONG },
  { "SET a v", "FLUSHALL\nPING " LONGER "\nSET b 1" },
};

static const char dump_lines[] =
    "LARDER.REBUILD a\nPTTL a\nLARDER.REBUILD b\nPTTL b\nLARDER.REBUILD c\nPTTL c\n"
    "LARDER.REBUILD d\nLARDER.REBUILD e\nDBSIZE";

static void begin(struct rig *rig, int row)
{
  char text[RIG_TEXT];

  rig_open(rig, (struct rig_setup){ .shards = 2 });
  rig_call(rig, 0, rows[row].setup, text);
}

/* What the data are after the first n commands. */
static void dump_after(int row, size_t n, char *dump)
{
  char first[RIG_TEXT] = "", text[RIG_TEXT];
  const char *at = rows[row].commands;
  struct rig rig;

  begin(&rig, row);
  for (size_t i = 0; i < n && *at; i++)
    at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
  memcpy(first, rows[row].commands, (size_t)(at - rows[row].commands));
  if (*first)
    rig_call(&rig, ATOMIC, first, text);
  rig_call(&rig, 0, dump_lines, dump);
  rig_close(&rig);
}

static void judge(struct rig *rig, int row, long n, int failed, const char *reply,
                  const char *expected)
{
  static const char unknown[] = "UNKNOWN -UNKNOWN out of memory: of ";
  char wanted[RIG_TEXT], got[RIG_TEXT];
  size_t done = SIZE_MAX;

  if (!strncmp(reply, "NO_MEMORY ", 10)) {
    ck_assert_int_ne(failed, 0);
    ck_assert_str_eq(rig->intents, "");
    done = 0;
  } else if (!strncmp(reply, unknown, sizeof unknown - 1)) {
    const char *first = strstr(reply, "first ");

    ck_assert_int_ne(failed, 0);
    ck_assert_str_ne(rig->intents, "");
    ck_assert_ptr_nonnull(first);
    done = strtoul(first + 6, NULL, 10);
    ck_assert_uint_gt(done, 0);
  } else {
    ck_assert_msg(!strcmp(reply, expected), "row %d, after %ld allocations: %s", row, n, reply);
  }
  dump_after(row, done, wanted);
  rig_call(rig, 0, dump_lines, got);
  /* which members SPOP takes is chance */
  ck_assert_msg(strstr(rows[row].commands, "SPOP") || !strcmp(wanted, got),
                "row %d, after %ld allocations: %s\nleft %s\ninstead of %s", row, n, reply, got,
                wanted);
}

static void check_row(int row, int in_reply)
{
  char expected[RIG_TEXT], reply[RIG_TEXT];
  struct rig rig;
  int failed = 1;

  begin(&rig, row);
  rig_call(&rig, ATOMIC, rows[row].commands, expected);
  rig_close(&rig);
  for (long n = 0; failed; n++) {
    struct pool replies;

    ck_assert_int_lt(n, 200);
    pool_init(&replies);
    begin(&rig, row);
    if (in_reply)
      rig.reply_memory = &replies.memory;
    else
      rig.fail_in = n;
    replies.fail_in = in_reply ? n + 1 : -1; /* one block is there before the call */
    rig_call(&rig, ATOMIC, rows[row].commands, reply);
    failed = in_reply ? replies.fail_in == 0 : rig.failed;
    rig.fail_in = -1;
    rig.reply_memory = NULL;
    judge(&rig, row, n, failed, strstr(rows[row].commands, "SPOP") && reply[0] == '[' ? expected
                                                                                     : reply,
          expected);
    rig_close(&rig);
    pool_check_empty(&replies);
  }
}

START_TEST(an_atomic_call_says_how_far_it_came)
{
  check_row(_i, 0);
}
END_TEST

START_TEST(an_atomic_reply_that_is_lost_is_not_nothing)
{
  check_row(_i, 1);
}
END_TEST

/* A pipeline of writes: no reply may say NO_MEMORY of what was done. */
START_TEST(a_lost_reply_of_a_pipeline_is_not_nothing)
{
  static const char *const lines[] = {
    "SET a 1\nSET b 1\nSET c 1\nSET d 1\nSET e 1\nSET f 1",
    "INCR a\nINCR b\nINCR c\nINCR d\nINCR e\nINCR f",
    ("ZINCRBY a 1.5 m\nZINCRBY b 1.5 m\nZINCRBY c 1.5 m\nZINCRBY d 1 m\nZINCRBY e 1 m\n"
     "ZINCRBY f 1 m"),
  };
  int failed = 1;

  for (long n = 0; failed; n++) {
    char text[RIG_TEXT], exists[RIG_TEXT];
    struct pool replies;
    struct rig rig;

    pool_init(&replies);
    replies.fail_in = n + 1;
    rig_open(&rig, (struct rig_setup){ 0 });
    rig.reply_memory = &replies.memory;
    rig_call(&rig, 0, lines[_i], text);
    failed = replies.fail_in == 0;
    rig.reply_memory = NULL;
    rig_call(&rig, 0, "EXISTS a b c d e f", exists);
    if (!strstr(text, "NO_MEMORY"))
      ck_assert_str_eq(exists, ":6");
    else
      ck_assert_str_ne(exists, ":6");
    rig_close(&rig);
    pool_check_empty(&replies);
  }
}
END_TEST

/* --- DBSIZE ------------------------------------------------------------------------ */

/* No tick ever: what has expired is not counted, to the millisecond. */
START_TEST(dbsize_counts_the_living)
{
  struct rig rig;
  struct lrd_prng prng;
  char line[200], text[RIG_TEXT], size[64];

  rig_open(&rig, (struct rig_setup){ 0 });
  lrd_prng_seed(&prng, 7);
  for (int i = 0; i < 20000; i++) {
    int64_t step = (int64_t)(lrd_prng_next(&prng) % 40);

    snprintf(line, sizeof line, "SET k%u v PX %u", (unsigned)(lrd_prng_next(&prng) % 200),
             (unsigned)(lrd_prng_next(&prng) % (i % 3 ? 50 : 5000)) + 1);
    rig_call(&rig, 0, line, text);
    if (i % 100 == 50)
      step = -step * 50; /* the clock is set back */
    if (i % 100 == 99)
      step *= 100;
    rig.wall_us += step * 1000;
    if (i % 7 == 0) {
      unsigned keys = 0;

      rig_call(&rig, 0, "DBSIZE", size);
      rig_call(&rig, 0, "KEYS *", text);
      for (const char *p = text; *p; p++)
        keys += *p == '$';
      snprintf(line, sizeof line, ":%u", keys);
      ck_assert_str_eq(size, line);
    }
  }
  rig_close(&rig);
}
END_TEST

START_TEST(dbsize_in_a_transaction_and_per_database)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .shards = 1 });
  EXPECT(&rig, "SET a 1 PX 5\nSET b 1\nSET c 1 PX 6", "+OK | +OK | +OK");
  EXPECT_FLAGS(&rig, ATOMIC, "SELECT 1\nSET x 1 PX 5\nSET y 1\nDBSIZE", "[+OK +OK +OK :2]");
  EXPECT(&rig, "DBSIZE", ":3");
  rig_sleep(&rig, 5);
  EXPECT(&rig, "DBSIZE", ":3"); /* at the millisecond itself it still lives */
  rig_sleep(&rig, 1);
  EXPECT_FLAGS(&rig, ATOMIC, "DBSIZE\nSELECT 1\nDBSIZE", "[:2 +OK :1]");
  rig_sleep(&rig, 100);
  EXPECT_FLAGS(&rig, ATOMIC, "SELECT 1\nDBSIZE\nSELECT 0\nDBSIZE", "[+OK :1 +OK :1]");
  rig_close(&rig);
}
END_TEST

/* --- growth --------------------------------------------------------------------------- */

/* Whatever is done again and again leaves no more behind than the first times. */
START_TEST(nothing_grows)
{
  static const char *const lines[] = {
    "SET k v PX 100000\nSET k v\nEXPIRE k 10000\nPERSIST k",
    "EXPIRE k 100\nEXPIRE k 1000000\nPEXPIRE k 100",
    "WATCH a b c k\nUNWATCH",
    "SADD s a b c\nSREM s a b c\nZADD z 1 a\nZREM z a\nHSET h f v\nHDEL h f",
    "RPUSH l 1 2 3 4\nLPOP l 3\nRPUSH l 1 2 3\nRPOP l 4",
    "SET k2 v PX 1\nRENAME k2 k3\nGETEX k3 EX 100\nDEL k3",
    "SELECT 3\nSET x v\nFLUSHDB",
    "SET \"\" \"\"\nAPPEND \"\" x\nGETDEL \"\"",
  };
  struct rig rig;
  char text[RIG_TEXT];
  size_t settled = 0;

  rig_open(&rig, (struct rig_setup){ 0 });
  for (int i = 0; i < 20000; i++) {
    rig_call(&rig, ATOMIC * (_i == 6), lines[_i], text);
    rig_sleep(&rig, 3);
    if (i % 100 == 99)
      (void)lrd_memory_table.tick(rig.engine, 0);
    if (i == 4999)
      settled = rig.pool.bytes;
  }
  ck_assert_uint_le(rig.pool.bytes, settled);
  ck_assert_uint_eq(rig_status(&rig).memory, rig.pool.bytes);
  rig_close(&rig);
}
END_TEST

int main(void)
{
  enum { ROWS = sizeof rows / sizeof *rows };
  Suite *suite = suite_create("break");
  TCase *tests = tcase_create("break");

  tcase_add_loop_test(tests, an_atomic_call_says_how_far_it_came, 0, ROWS);
  tcase_add_loop_test(tests, an_atomic_reply_that_is_lost_is_not_nothing, 0, ROWS);
  tcase_add_loop_test(tests, a_lost_reply_of_a_pipeline_is_not_nothing, 0, 3);
  tcase_add_test(tests, dbsize_counts_the_living);
  tcase_add_test(tests, dbsize_in_a_transaction_and_per_database);
  tcase_add_loop_test(tests, nothing_grows, 0, 8);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
