/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rig.h"

/*
 * Each command with memory ending at its first allocation, its second, and so
 * on: it says NO_MEMORY and nothing has changed, or it does what it always does.
 */

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"
#define LONGER LONG LONG LONG LONG LONG LONG LONG LONG

static const struct {
  const char *setup, *command;
  int partial;
} rows[] = {
  { "", "SET a v", 0 },
  { "SET a v", "SET a " LONG, 0 },
  { "SET a " LONG, "SET a 5", 0 },
  { "SET a v", "SET a v EX 10", 0 },
  { "SET a v EX 10", "SET a " LONG " KEEPTTL", 0 },
  { "SADD a m", "SET a v", 0 },
  { "SET a " LONGER " EX 100", "SET a " LONGER " GET EX 5", 0 },
  { "SET a " LONGER, "SET a 3 GET", 0 },
  { "", "SET a v GET", 0 },
  { "SET a " LONGER, "GETDEL a", 0 },
  { "SET a " LONGER, "GETEX a EX 10", 0 },
  { "SET a " LONGER " EX 5", "GETEX a PERSIST", 0 },
  { "SET a " LONGER " EX 5", "GETEX a EXAT 1", 0 },
  { "SET a v\nSET b w", "MSET a 1 b " LONG " c 3 d 4 a 5 c 6", 0 },
  { "", "MSET a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 0 k 1 l 2 m 3 n 4 o 5 p 6 q 7 r 8", 0 },
  { "SET a v", "MGET a b c", 0 },
  { "SET a v", "APPEND a " LONG, 0 },
  { "SET a 5 EX 10", "APPEND a " LONG, 0 },
  { "", "APPEND a " LONG, 0 },
  { "", "INCR a", 0 },
  { "SET a 5", "APPEND a 0", 0 },
  { "SET a 5\nAPPEND a 0", "INCR a", 0 },
  { "SET a 5 EX 10\nAPPEND a 0", "DECR a", 0 },
  { "SET a v\nSET b w", "DEL a b c", 0 },
  { "SET a v", "RENAME a b", 0 },
  { "SET a " LONG " EX 10\nSET b w", "RENAME a b", 0 },
  { "SADD a m n o\nEXPIRE a 10", "RENAME a b", 0 },
  { "SADD a m\nRPUSH b x y", "RENAME a b", 0 },
  { "SET a v", "EXPIRE a 10", 0 },
  { "SADD a m", "PEXPIRE a 1000", 0 },
  { "SET a v EX 5", "EXPIRE a 10", 0 },
  { "SET a v", "EXPIRE a -1", 0 },
  { "SET a v EX 5", "PERSIST a", 0 },
  { "SET a v", "SCAN 0 COUNT 100", 0 },
  { "SET a v", "KEYS *", 0 },
  { "SET a v\nSET b w", "FLUSHALL", 0 },
  { "SET a v", "WATCH a b c a", 0 },
  { "SET a v", "INFO", 0 },
  { "SET a v", "CONFIG GET *", 0 },
  { "SADD a m n o p q\nEXPIRE a 100", "LARDER.REBUILD a", 0 },

  { "SET a v", "SETRANGE a 50 " LONG "", 0 },
  { "", "SETRANGE a 50 x", 0 },
  { "SET a 5 EX 10", "SETRANGE a 3 " LONG "", 0 },
  { "", "SETEX a 10 v", 0 },
  { "SADD a m", "PSETEX a 10000 " LONG "", 0 },
  { "SET a " LONGER "", "GETSET a " LONG "", 0 },
  { "", "GETSET a v", 0 },
  { "", "SETNX a v", 0 },
  { "", "MSETNX a 1 b " LONG " c 3", 0 },
  { "SET a 5 EX 10", "INCRBYFLOAT a 0.5", 0 },
  { "", "INCRBYFLOAT a 0.5", 0 },
  { "SET a " LONG "\nSET b " LONG "", "LCS a b", 0 },
  { "SET a " LONG "\nSET b " LONG "", "LCS a b IDX", 0 },
  { "", "HMSET a f v", 0 },
  { "HSET a f v", "HMSET a f wider g 2", 0 },
  { "", "HSETNX a f v", 0 },
  { "", "HINCRBYFLOAT a f 1.5", 0 },
  { "HSET a f " LONG "", "HMGET a f g", 0 },
  { "HSET a f v g w", "HSCAN a 0", 0 },
  { "HSET a f v g w", "HRANDFIELD a 5 WITHVALUES", 0 },
  { "SADD a f v g w", "SSCAN a 0", 0 },
  { "ZADD a 1 f 2 v", "ZSCAN a 0", 0 },
  { "RPUSH a a b c", "LSET a 1 " LONG "", 0 },
  { "RPUSH a a b c", "LINSERT a AFTER a " LONG "", 0 },
  { "RPUSH a a b a", "LREM a 1 a", 0 },
  { "RPUSH a a b c", "LPUSHX a " LONG "", 0 },
  { "RPUSH a " LONGER " b", "LMOVE a b LEFT RIGHT", 0 },
  { "RPUSH a x y\nRPUSH b z", "LMOVE a b LEFT RIGHT", 0 },
  { "RPUSH a x y z", "LMOVE a a LEFT RIGHT", 0 },
  { "RPUSH a x y z", "LMPOP 2 b a LEFT COUNT 2", 0 },
  { "SADD a 1 2\nSADD b 2 3", "SINTER a b", 0 },
  { "SADD a 1 2\nSADD b 2 3", "SUNIONSTORE c a b", 0 },
  { "SADD a 1 2\nSET b v", "SUNIONSTORE b a", 0 },
  { "SADD a 1 2\nEXPIRE a 10", "SDIFFSTORE a a", 0 },
  { "SADD a 1 2", "SMOVE a b 1", 0 },
  { "SADD a 1\nSADD b 2", "SMOVE a b 1", 0 },
  { "SADD a 1 2 3", "SRANDMEMBER a 5", 0 },
  { "ZADD a 1 a 2 b", "ZPOPMAX a 2", 0 },
  { "ZADD a 1 a 2 b", "ZMPOP 1 a MIN", 0 },
  { "ZADD a 1 a 2 b", "ZMSCORE a a b", 0 },
  { "SET a " LONG "", "RENAMENX a b", 0 },
  { "SET a v", "EXPIREAT a 9999999999", 0 },
  { "ZADD a 1 x 2 y\nZADD b 3 y", "ZUNION 2 a b WITHSCORES", 0 },
  { "ZADD a 1 x 2 y\nZADD b 3 y", "ZINTERSTORE c 2 a b", 0 },
  { "ZADD a 1 x 2 y", "ZUNIONSTORE a 1 a WEIGHTS 2", 0 },
  { "ZADD a 1 x 2 y\nSET b v", "ZDIFFSTORE b 2 a c", 0 },
  { "ZADD a 1 x 2 y", "ZINTERCARD 1 a", 0 },
  { "ZADD a 1 x 2 y", "ZRANGESTORE b a 0 -1", 0 },
  { "ZADD a 1 x 2 y", "ZRANDMEMBER a 5 WITHSCORES", 0 },
  { "", "DEL a b c", 1 },
  { "SET b v\nINCR c\nDEL d", "DEL a b c d e f", 1 },
  { "", "EXPIRE a -1", 1 },
  { "INCR a", "EXPIRE a 10", 1 },
  { "DEL a", "SET a " LONG, 1 },
  { "DEL a", "INCR a", 1 },
  { "INCR a", "APPEND a " LONG, 1 },
  { "DEL a\nINCR b", "MSET a 1 b 2 c 3 d 4", 1 },
  { "SET a v\nDEL b", "RENAME a b", 1 },
  { "SET a v", "RENAME a c", 1 },
  { "SET a v\nINCR b", "LARDER.FORGET a b c", 1 },
  { "DEL a", "SADD a m", 1 },
};

static const char dump_lines[] =
    "LARDER.REBUILD a\nPTTL a\nLARDER.REBUILD b\nPTTL b\nLARDER.REBUILD c\nEXISTS c\n"
    "LARDER.REBUILD d\nLARDER.REBUILD e\nLARDER.REBUILD r\nEXISTS a\nEXISTS b";

static void begin(struct rig *rig, int row)
{
  char text[RIG_TEXT];

  rig_open(rig, (struct rig_setup){ .partial = rows[row].partial, .shards = 2 });
  rig_call(rig, 0, rows[row].setup, text);
}

static void check_unchanged(struct rig *rig, int row, long n, const char *before)
{
  char after[RIG_TEXT];

  ck_assert_str_eq(rig->intents, "");
  rig_call(rig, 0, dump_lines, after);
  ck_assert_msg(!strcmp(before, after), "%s, after %ld allocations: %s became %s",
                rows[row].command, n, before, after);
}

/* in_reply: it is the memory for the reply that ends. */
static void check_row(int row, int in_reply)
{
  char expected[RIG_TEXT], reply[RIG_TEXT], before[RIG_TEXT], before_after[RIG_TEXT] = "";
  struct rig rig;
  long n = 0;

  begin(&rig, row);
  rig_call(&rig, 0, dump_lines, before);
  rig_call(&rig, 0, rows[row].command, expected);
  rig_call(&rig, 0, dump_lines, before_after);
  rig_close(&rig);
  for (int failed = 1; failed; n++) {
    struct pool replies;
    int out;

    ck_assert_int_lt(n, 200);
    pool_init(&replies);
    begin(&rig, row);
    if (in_reply)
      rig.reply_memory = &replies.memory;
    else
      rig.fail_in = n;
    /* one block is the place of the reply, before the call */
    replies.fail_in = in_reply ? n + 1 : -1;
    rig_call(&rig, 0, rows[row].command, reply);
    failed = in_reply ? replies.fail_in == 0 : rig.failed;
    rig.fail_in = -1;
    rig.reply_memory = NULL;
    out = !strncmp(reply, "NO_MEMORY ", 10);
    ck_assert_msg(!out || failed, "%s: %s", rows[row].command, reply);
    if (out) {
      check_unchanged(&rig, row, n, before);
    } else {
      char after[RIG_TEXT];

      ck_assert_msg(!strcmp(reply, expected) || strstr(rows[row].command, "INFO"),
                    "%s, after %ld allocations: %s", rows[row].command, n, reply);
      rig_call(&rig, 0, dump_lines, after);
      ck_assert_str_eq(after, before_after);
    }
    rig_close(&rig);
    pool_check_empty(&replies);
  }
}

START_TEST(the_engine_has_no_memory)
{
  check_row(_i, 0);
}
END_TEST

START_TEST(the_reply_has_no_memory)
{
  check_row(_i, 1);
}
END_TEST

/* Watches that could not all be set are none. */
START_TEST(a_failed_watch_watches_nothing)
{
  struct rig rig;
  char text[RIG_TEXT];

  rig_open(&rig, (struct rig_setup){ 0 });
  for (rig.fail_in = 0;; rig.fail_in++) {
    rig_call(&rig, 0, "WATCH a b c", text);
    if (!strcmp(text, "+OK"))
      break;
    ck_assert_int_eq(strncmp(text, "NO_MEMORY ", 10), 0);
    long n = rig.fail_in;
    rig.fail_in = -1;
    EXPECT(&rig, "MSET a 1 b 2 c 3", "+OK");
    EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC, "PING", "[+PONG]");
    rig.fail_in = n;
  }
  ck_assert_int_gt(rig.fail_in, 2);
  rig_close(&rig);
}
END_TEST

START_TEST(opening_has_no_memory)
{
  struct lrd_config config = { .shards = 4 };
  larder_backend_options options = { &config, NULL, 0, NULL };
  larder_backend *engine = calloc(1, lrd_memory_table.size);
  struct pool pool;
  char error[200] = "";

  pool_init(&pool);
  engine->table = &lrd_memory_table;
  engine->memory = pool.memory;
  engine->clock = lrd_clock_system;
  pool.fail_in = 0;
  ck_assert_int_eq(lrd_memory_table.open(engine, &options, error, sizeof error),
                   LARDER_NO_MEMORY);
  ck_assert_int_ne(error[0], 0);
  pool_check_empty(&pool);
  free(engine);
}
END_TEST

/* The status counts what the hook handed out, to the byte. */
START_TEST(accounting_is_exact)
{
  struct rig rig;
  struct lrd_prng prng;
  char line[200], text[RIG_TEXT];

  rig_open(&rig, (struct rig_setup){ 0 });
  seed_prng(&prng, "accounting");
  for (int i = 0; i < 20000; i++) {
    static const char *const lines[] = {
      "SET k%u " LONG, "SET k%u 1 EX 10", "APPEND k%u x", "DEL k%u",   "SADD s%u " LONG,
      "HSET h%u f v",  "RPUSH l%u a b",  "ZADD z%u 1 m",  "DEL s%u",  "DEL h%u l1 z2",
      "RENAME k%u k1", "EXPIRE k%u 5",   "INCR k%u",      "SPOP s%u", "PERSIST k%u",
    };
    unsigned which = roll(&prng, sizeof lines / sizeof *lines);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, sizeof line, lines[which], roll(&prng, 400));
#pragma GCC diagnostic pop
    rig_call(&rig, 0, line, text);
    if (i % 50 == 0) {
      rig_sleep(&rig, 100);
      (void)lrd_memory_table.tick(rig.engine, 0);
      ck_assert_uint_eq(rig_status(&rig).memory, rig.pool.bytes);
    }
  }
  rig_close(&rig);
}
END_TEST

int main(void)
{
  enum { ROWS = sizeof rows / sizeof *rows };
  Suite *suite = suite_create("nomemory");
  TCase *tests = tcase_create("nomemory");

  tcase_add_loop_test(tests, the_engine_has_no_memory, 0, ROWS);
  tcase_add_loop_test(tests, the_reply_has_no_memory, 0, ROWS);
  tcase_add_test(tests, a_failed_watch_watches_nothing);
  tcase_add_test(tests, opening_has_no_memory);
  tcase_add_test(tests, accounting_is_exact);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
