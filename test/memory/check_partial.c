/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rig.h"

/*
 * What the local half of a fallback answers, by what it knows of key k:
 * nothing, what was done to it since, its whole value, or that it doesn't exist.
 */

enum { UNSEEN, DELTA, COMPLETE, TOMBSTONE, STATES };

static const char wrongtype[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value";

struct row {
  const char *command;
  const char *reply[STATES];
  const char *intents[STATES]; /* NULL: none */
};

/* DELTA: INCRBY k 5.  COMPLETE: SET k 5. */
static const struct row strings[] = {
  { "GET k", { "unknown", "unknown", "$5", "nil" }, { 0 } },
  { "STRLEN k", { "unknown", "unknown", ":1", ":0" }, { 0 } },
  { "MGET k", { "unknown", "unknown", "[$5]", "[nil]" }, { 0 } },
  { "MGET whole k gone", { "unknown", "unknown", "[$w $5 nil]", "[$w nil nil]" }, { 0 } },
  { "EXISTS k", { "unknown", ":1", ":1", ":0" }, { 0 } },
  { "EXISTS k whole gone k", { "unknown", ":3", ":3", ":1" }, { 0 } },
  { "TYPE k", { "unknown", "unknown", "+string", "+none" }, { 0 } },
  { "TTL k", { "unknown", "unknown", ":-1", ":-2" }, { 0 } },
  { "PTTL k", { "unknown", "unknown", ":-1", ":-2" }, { 0 } },

  { "SET k v", { "+OK", "+OK", "+OK", "+OK" }, { "!k", "!k", "!k", "!k" } },
  { "SET k v EX 10", { "+OK", "+OK", "+OK", "+OK" }, { "!k", "!k", "!k", "!k" } },
  { "MSET k v l w", { "+OK", "+OK", "+OK", "+OK" }, { "!k, !l", "!k, !l", "!k, !l", "!k, !l" } },
  { "SET k v KEEPTTL", { "unknown", "unknown", "+OK", "+OK" }, { 0, 0, "!k", "!k" } },
  { "SET k v NX", { "unknown", "unknown", "nil", "+OK" }, { 0, 0, 0, "!k" } },
  { "SET k v XX", { "unknown", "unknown", "+OK", "nil" }, { 0, 0, "!k", 0 } },
  { "SET k v GET", { "unknown", "unknown", "$5", "nil" }, { 0, 0, "!k", "!k" } },
  { "DEL k", { ":1 provisional", ":1 provisional", ":1", ":0" }, { "!k", "!k", "!k", 0 } },
  { "UNLINK k k", { ":1 provisional", ":1 provisional", ":1", ":0" }, { "!k", "!k", "!k", 0 } },
  { "DEL whole k gone",
    { ":2 provisional", ":2 provisional", ":2", ":1" },
    { "!whole, !k", "!whole, !k", "!whole, !k", "!whole" } },

  { "INCR k",
    { ":1 provisional", ":6 provisional", ":6", ":1" },
    { "INCRBY k 1", "INCRBY k 1", "!k", "!k" } },
  { "DECRBY k 7",
    { ":-7 provisional", ":-2 provisional", ":-2", ":-7" },
    { "INCRBY k -7", "INCRBY k -7", "!k", "!k" } },
  { "INCRBY k 9223372036854775807",
    { ":9223372036854775807 provisional", "unknown", "-ERR increment or decrement would overflow",
      ":9223372036854775807" },
    { "INCRBY k 9223372036854775807", 0, 0, "!k" } },
  { "INCRBY k x",
    { "-ERR value is not an integer or out of range",
      "-ERR value is not an integer or out of range",
      "-ERR value is not an integer or out of range",
      "-ERR value is not an integer or out of range" },
    { 0 } },
  { "APPEND k xy",
    { ":2 provisional", ":3 provisional", ":3", ":2" },
    { "APPEND k xy", "APPEND k xy", "!k", "!k" } },

  { "PEXPIREAT k 1700000001000",
    { ":1 provisional", ":1 provisional", ":1", ":0" },
    { "PEXPIREAT k 1700000001000", "PEXPIREAT k 1700000001000", "!k", 0 } },
  { "EXPIRE k 1",
    { ":1 provisional", ":1 provisional", ":1", ":0" },
    { "PEXPIREAT k 1700000001000", "PEXPIREAT k 1700000001000", "!k", 0 } },
  { "PEXPIRE k 0", { ":1 provisional", ":1 provisional", ":1", ":0" }, { "!k", "!k", "!k", 0 } },
  { "EXPIRE k 1 NX", { "unknown", "unknown", ":1", ":0" }, { 0, 0, "!k", 0 } },
  { "EXPIRE k 1 GT", { "unknown", "unknown", ":0", ":0" }, { 0 } },
  { "PERSIST k",
    { ":1 provisional", ":1 provisional", ":0", ":0" },
    { "PERSIST k", "PERSIST k", 0, 0 } },

  { "GETDEL k", { "unknown", "unknown", "$5", "nil" }, { 0, 0, "!k", 0 } },
  { "GETEX k EX 10", { "unknown", "unknown", "$5", "nil" }, { 0, 0, "!k", 0 } },
  { "GETEX k", { "unknown", "unknown", "$5", "nil" }, { 0 } },
  { "RENAME k l", { "unknown", "unknown", "+OK", "-ERR no such key" }, { 0, 0, "!k, !l", 0 } },
  { "RENAME whole k", { "+OK", "+OK", "+OK", "+OK" },
    { "!whole, !k", "!whole, !k", "!whole, !k", "!whole, !k" } },
  { "WATCH k", { "unknown", "unknown", "+OK", "+OK" }, { 0 } },

  { "SADD k m", { ":1 provisional", "unknown", wrongtype, ":1" }, { "SADD k m", 0, 0, "!k" } },
  { "LPOP k", { "unknown", "unknown", wrongtype, "nil" }, { 0 } },
  { "SMEMBERS k", { "unknown", "unknown", wrongtype, "[]" }, { 0 } },
  { "HGET k f", { "unknown", "unknown", wrongtype, "nil" }, { 0 } },

  { "LARDER.REBUILD k", { "unknown", "unknown", "[[$SET $k $5]]", "[[$DEL $k]]" }, { 0 } },
  { "LARDER.FORGET k", { ":0", ":1", ":1", ":1" }, { 0 } },

  { "KEYS *", { "unknown", "unknown", "unknown", "unknown" }, { 0 } },
  { "SCAN 0", { "unknown", "unknown", "unknown", "unknown" }, { 0 } },
  { "DBSIZE", { "unknown", "unknown", "unknown", "unknown" }, { 0 } },
  { "PING", { "+PONG", "+PONG", "+PONG", "+PONG" }, { 0 } },

  { "?GET k", { "unknown", "unknown", "$5", "nil" }, { 0 } },
  { "?INCR k", { "unknown", "unknown", ":6", ":1" }, { 0, 0, "!k", "!k" } },
  { "?SET k v", { "unknown", "unknown", "+OK", "+OK" }, { 0, 0, "!k", "!k" } },
  { "?DEL whole k", { "unknown", "unknown", ":2", ":1" }, { 0, 0, "!whole, !k", "!whole" } },
};

/* With LARDER_CALL_MISS_NIL. */
static const struct row misses[] = {
  { "GET k", { "unknown nil", "unknown nil", "$5", "nil" }, { 0 } },
  { "STRLEN k", { "unknown :0", "unknown :0", ":1", ":0" }, { 0 } },
  { "MGET whole k", { "unknown [$w nil]", "unknown [$w nil]", "[$w $5]", "[$w nil]" }, { 0 } },
  { "EXISTS k whole", { "unknown :1", ":2", ":2", ":1" }, { 0 } },
  { "TYPE k", { "unknown +none", "unknown +none", "+string", "+none" }, { 0 } },
  { "TTL k", { "unknown :-2", "unknown :-2", ":-1", ":-2" }, { 0 } },
  { "GETDEL k", { "unknown nil", "unknown nil", "$5", "nil" }, { 0, 0, "!k", 0 } },
  { "?GETDEL k", { "unknown nil", "unknown nil", "$5", "nil" }, { 0, 0, "!k", 0 } },
  { "LPOP k", { "unknown nil", "unknown nil", wrongtype, "nil" }, { 0 } },
  { "?SPOP k", { "unknown nil", "unknown nil", wrongtype, "nil" }, { 0 } },
  { "SMEMBERS k", { "unknown []", "unknown []", wrongtype, "[]" }, { 0 } },
  { "SISMEMBER k m", { "unknown :0", "unknown :0", wrongtype, ":0" }, { 0 } },
  { "SET k v NX", { "unknown", "unknown", "nil", "+OK" }, { 0, 0, 0, "!k" } },
  { "SET k v GET", { "unknown", "unknown", "$5", "nil" }, { 0, 0, "!k", "!k" } },
  { "?DEL k", { "unknown", "unknown", ":1", ":0" }, { 0, 0, "!k", 0 } },
  { "?MSET k v", { "unknown", "unknown", "+OK", "+OK" }, { 0, 0, "!k", "!k" } },
  { "?INCR k", { "unknown", "unknown", ":6", ":1" }, { 0, 0, "!k", "!k" } },
  { "EXPIRE k 1 XX", { "unknown", "unknown", ":0", ":0" }, { 0 } },
  { "RENAME k l", { "unknown", "unknown", "+OK", "-ERR no such key" }, { 0, 0, "!k, !l", 0 } },
  { "LARDER.REBUILD k", { "unknown", "unknown", "[[$SET $k $5]]", "[[$DEL $k]]" }, { 0 } },
  { "KEYS *", { "unknown", "unknown", "unknown", "unknown" }, { 0 } },
};

static void make(struct rig *rig, int state)
{
  static const char *const makes[STATES] = { "PING", "INCRBY k 5", "SET k 5", "DEL k" };
  char text[RIG_TEXT];

  rig_open(rig, (struct rig_setup){ .partial = 1 });
  rig_call(rig, 0, makes[state], text);
  EXPECT(rig, "SET whole w\nDEL gone", "+OK | :1 provisional");
}

/* All that can be found out about the engine from outside. */
static void look_at(struct rig *rig, char *text)
{
  rig_call(rig, 0,
           "GET k\nPTTL k\nEXISTS k\nLARDER.REBUILD k\nGET l\nGET whole\nGET gone\nEXISTS gone",
           text);
}

static void check_row(const struct row *row, int state, unsigned flags)
{
  char before[RIG_TEXT], after[RIG_TEXT];
  const char *intents = row->intents[state] ? row->intents[state] : "";
  struct rig rig;
  int mark;

  make(&rig, state);
  look_at(&rig, before);
  rig.note = &mark;
  rig_expect(&rig, flags, row->command, row->reply[state], state);
  ck_assert_msg(!strcmp(rig.intents, intents), "%s, state %d: intents %s instead of %s",
                row->command, state, rig.intents, intents);
  if (*intents)
    ck_assert_ptr_eq(rig.noted, &mark);
  look_at(&rig, after);
  if (!*intents && !strstr(row->command, "FORGET"))
    ck_assert_msg(!strcmp(before, after), "%s, state %d: changed what is known: %s -> %s",
                  row->command, state, before, after);
  rig_close(&rig);
}

START_TEST(every_command_by_what_is_known)
{
  check_row(&strings[_i / STATES], _i % STATES, 0);
}
END_TEST

START_TEST(misses_may_be_nil)
{
  check_row(&misses[_i / STATES], _i % STATES, LARDER_CALL_MISS_NIL);
}
END_TEST

/* After the command on an unseen key, what does GET, EXISTS, ... say? */
static const struct {
  const char *lines, *reply;
} knowledge[] = {
  { "SET k v\nGET k", "+OK | $v" },
  { "DEL k\nGET k\nINCR k\nGET k", ":1 provisional | nil | :1 | $1" },
  { "INCR k\nSET k v\nAPPEND k w\nGET k", ":1 provisional | +OK | :2 | $vw" },
  { "INCR k\nDEL k\nSADD k m\nSCARD k\nTYPE k",
    ":1 provisional | :1 provisional | :1 | :1 | +set" },
  { "APPEND k x\nINCR k\nSTRLEN k", ":1 provisional | unknown | unknown" },
  { "APPEND k 4\nINCR k\nAPPEND k 0\nINCR k",
    ":1 provisional | :5 provisional | :2 provisional | :51 provisional" },
  { "SADD k a b\nSISMEMBER k a\nSISMEMBER k c\nSCARD k\nEXISTS k",
    ":2 provisional | :1 | unknown | unknown | :1" },
  { "SADD k a\nSREM k a\nSISMEMBER k a\nEXISTS k",
    ":1 provisional | :1 provisional | unknown | unknown" },
  { "EXPIRE k 10\nINCR k\nTTL k\nPERSIST k",
    ":1 provisional | :1 provisional | unknown | :1 provisional" },
  { "HSET k f v\nHGET k f\nHGET k g\nHGETALL k", ":1 provisional | $v | unknown | unknown" },
  { "RPUSH k a\nLRANGE k 0 -1\nLLEN k\nLPOP k", ":1 provisional | unknown | unknown | unknown" },
  { "ZADD k 1 m\nZSCORE k m\nZSCORE k n\nZRANK k m", ":1 provisional | $1 | unknown | unknown" },
  { "SET k v\nRENAME k l\nGET k\nGET l\nEXISTS k l", "+OK | +OK | nil | $v | :1" },
  { "SADD l x\nSET k v\nRENAME k l\nGET l", ":1 provisional | +OK | +OK | $v" },
  { "SET k v\nLARDER.FORGET k\nGET k\nINCR k", "+OK | :1 | unknown | :1 provisional" },
  { "SET k 1 NX\nEXISTS k", "unknown | unknown" },
  { "EXPIRE k -1\nGET k\nSET k v NX", ":1 provisional | nil | +OK" },
  { "SADD k m\nDEL k\nLARDER.REBUILD k", ":1 provisional | :1 provisional | [[$DEL $k]]" },
  { "DEL k\nRPUSH k a b\nPEXPIREAT k 1700000009000\nLARDER.REBUILD k",
    ":1 provisional | :2 | :1 | [[$DEL $k] [$RPUSH $k $a $b] [$PEXPIREAT $k $1700000009000]]" },
  { "SET k v PX 5000\nLARDER.REBUILD k", "+OK | [[$SET $k $v $PXAT $1700000005000]]" },
  { "DEL k\nFLUSHALL", ":1 provisional | UNSUPPORTED -ERR flushall is not possible while Redis "
                       "can't be reached" },
};

START_TEST(knowledge_grows_as_it_should)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .partial = 1 });
  EXPECT(&rig, knowledge[_i].lines, knowledge[_i].reply);
  rig_close(&rig);
}
END_TEST

START_TEST(an_expired_key_is_known_to_be_gone)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .partial = 1 });
  EXPECT(&rig, "SET k v PX 10\nINCR d\nPEXPIRE d 10\nPEXPIRE u 10",
         "+OK | :1 provisional | :1 provisional | :1 provisional");
  rig_sleep(&rig, 11);
  rig.note = &rig;
  EXPECT(&rig, "GET k", "nil");
  INTENTS(&rig, "!k");
  ck_assert_ptr_null(rig.noted);
  EXPECT(&rig, "INCR d", ":1");
  INTENTS(&rig, "!d, !d");
  /* nobody knows whether u was there to expire */
  EXPECT(&rig, "GET u", "unknown");
  /* it may have been emptied, and so have lost its expiry */
  EXPECT(&rig, "SADD s a\nPEXPIRE s 10\nSREM s a\nSADD s b",
         ":1 provisional | :1 provisional | :1 provisional | :1 provisional");
  rig_sleep(&rig, 11);
  EXPECT(&rig, "SISMEMBER s b\nSISMEMBER s a", ":1 | unknown");
  rig_close(&rig);
}
END_TEST

START_TEST(an_atomic_call_insists_before_it_begins)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .partial = 1 });
  EXPECT(&rig, "SET whole w", "+OK");
  EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC, "SET a 1\n?SET whole x\n?GETDEL b", "unknown");
  INTENTS(&rig, "");
  EXPECT(&rig, "GET a\nGET whole", "unknown | $w");
  EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC, "SET a 1\n?GETDEL whole\nINCR b",
               "[+OK $w :1] provisional");
  INTENTS(&rig, "!a, !whole, INCRBY b 1");
  EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC, "SET a 1\nGET a\nGET a", "[+OK $1 $1]");
  EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC | LARDER_CALL_MISS_NIL, "GET a\nGET b", "unknown [$1 nil]");
  rig_close(&rig);
}
END_TEST

START_TEST(what_the_observer_needs_is_kept)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .partial = 1 });
  EXPECT(&rig, "SET k v\nSADD s m\nDEL t", "+OK | :1 provisional | :1 provisional");
  rig.keep = 1;
  EXPECT(&rig, "LARDER.FORGET k s t nothing", ":0");
  EXPECT(&rig, "GET k", "$v");
  rig.keep = 0;
  EXPECT(&rig, "LARDER.FORGET k s t nothing", ":3");
  EXPECT(&rig, "GET k\nSISMEMBER s m\nGET t", "unknown | unknown | unknown");
  ck_assert_uint_eq(rig_status(&rig).keys, 0);
  rig_close(&rig);
}
END_TEST

START_TEST(typed_calls_say_what_they_know)
{
  struct rig rig;
  larder_bytes key = { "k", 1 };
  larder_verdict verdict;
  char buffer[8];
  size_t length;

  rig_open(&rig, (struct rig_setup){ .partial = 1 });
  lrd_memory_table.get(rig.engine, 0, key, 0, buffer, 8, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_UNKNOWN_LOCALLY);
  EXPECT(&rig, "INCR k", ":1 provisional");
  lrd_memory_table.get(rig.engine, 0, key, 0, buffer, 8, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_UNKNOWN_LOCALLY);
  lrd_memory_table.set(rig.engine, 0, key, (larder_bytes){ "v", 1 }, 0, 0, &verdict);
  INTENTS(&rig, "INCRBY k 1, !k");
  lrd_memory_table.get(rig.engine, 0, key, 0, buffer, 8, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_OK);
  EXPECT(&rig, "DEL k", ":1");
  lrd_memory_table.get(rig.engine, 0, key, 0, buffer, 8, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_ABSENT);
  rig_close(&rig);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("partial");
  TCase *tests = tcase_create("partial");

  tcase_add_loop_test(tests, every_command_by_what_is_known, 0,
                      STATES * sizeof strings / sizeof *strings);
  tcase_add_loop_test(tests, misses_may_be_nil, 0, STATES * sizeof misses / sizeof *misses);
  tcase_add_loop_test(tests, knowledge_grows_as_it_should, 0,
                      sizeof knowledge / sizeof *knowledge);
  tcase_add_test(tests, an_expired_key_is_known_to_be_gone);
  tcase_add_test(tests, an_atomic_call_insists_before_it_begins);
  tcase_add_test(tests, what_the_observer_needs_is_kept);
  tcase_add_test(tests, typed_calls_say_what_they_know);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
