/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/wheel.h"

#include "memory/rig.h"

START_TEST(an_expired_key_is_never_seen)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ 0 });
  EXPECT(&rig, "SET k v PX 100", "+OK");
  EXPECT(&rig, "PTTL k", ":100");
  rig_sleep(&rig, 99);
  EXPECT(&rig, "GET k", "$v");
  EXPECT(&rig, "PTTL k", ":1");
  rig_sleep(&rig, 1);
  /* as Redis: it expires when the time is over, not when it is reached */
  EXPECT(&rig, "PTTL k", ":0");
  EXPECT(&rig, "GET k", "$v");
  rig_sleep(&rig, 1);
  EXPECT(&rig, "GET k", "nil");
  INTENTS(&rig, "!k");
  EXPECT(&rig, "TTL k", ":-2");
  INTENTS(&rig, "");
  rig_close(&rig);
}
END_TEST

static const struct {
  const char *make, *use, *reply;
} on_access[] = {
  { "SET k v PX 1", "STRLEN k", ":0" },
  { "SET k v PX 1", "EXISTS k", ":0" },
  { "SET k v PX 1", "TYPE k", "+none" },
  { "SET k v PX 1", "APPEND k x", ":1" },
  { "SET k 5 PX 1", "INCR k", ":1" },
  { "SET k v PX 1", "SET k w XX", "nil" },
  { "SET k v PX 1", "SET k w NX", "+OK" },
  { "SET k v PX 1", "SET k w GET", "nil" },
  { "SET k v PX 1", "GETDEL k", "nil" },
  { "SET k v PX 1", "GETEX k PERSIST", "nil" },
  { "SET k v PX 1", "MGET k", "[nil]" },
  { "SET k v PX 1", "DEL k", ":0" },
  { "SET k v PX 1", "RENAME k other", "-ERR no such key" },
  { "SET k v PX 1", "EXPIRE k 10", ":0" },
  { "SET k v PX 1", "PERSIST k", ":0" },
  { "SET k v PX 1", "KEYS *", "[]" },
  { "SET k v PX 1", "SCAN 0 COUNT 100", "[$0 []]" },
  { "SET k v PX 1", "SADD k m", ":1" },
  { "SET k v PX 1", "LPUSH k m", ":1" },
  { "SET k v PX 1", "HSET k f v", ":1" },
  { "SET k v PX 1", "ZADD k 1 m", ":1" },
  { "SADD k m\nPEXPIRE k 1", "SMEMBERS k", "[]" },
  { "RPUSH k m\nPEXPIRE k 1", "LRANGE k 0 -1", "[]" },
  { "HSET k f v\nPEXPIRE k 1", "HGETALL k", "[]" },
  { "ZADD k 1 m\nPEXPIRE k 1", "ZCARD k", ":0" },
};

START_TEST(no_command_sees_an_expired_key)
{
  struct rig rig;
  char text[RIG_TEXT];

  rig_open(&rig, (struct rig_setup){ 0 });
  rig_call(&rig, 0, on_access[_i].make, text);
  rig_sleep(&rig, 2);
  EXPECT(&rig, on_access[_i].use, on_access[_i].reply);
  rig_close(&rig);
}
END_TEST

START_TEST(what_keeps_and_what_drops_an_expiry)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ 0 });
  EXPECT(&rig, "SET k 10 EX 100\nINCR k\nAPPEND k 0\nINCR k\nTTL k",
         "+OK | :11 | :3 | :111 | :100");
  EXPECT(&rig, "SET k 5 KEEPTTL\nTTL k", "+OK | :100");
  EXPECT(&rig, "RENAME k l\nTTL l\nTTL k", "+OK | :100 | :-2");
  EXPECT(&rig, "SET l a\nTTL l", "+OK | :-1");
  EXPECT(&rig, "EXPIRE l 50\nEXPIRE l 100 LT\nEXPIRE l 100 GT\nTTL l", ":1 | :0 | :1 | :100");
  EXPECT(&rig, "EXPIRE l 5 NX\nEXPIRE l 6 XX\nPERSIST l\nPERSIST l\nEXPIRE l 7 XX",
         ":0 | :1 | :1 | :0 | :0");
  EXPECT(&rig, "EXPIRE l 5 GT\nEXPIRE l 9 LT\nTTL l", ":0 | :1 | :9");
  EXPECT(&rig, "MSET l 1\nTTL l", "+OK | :-1");
  EXPECT(&rig, "RPUSH list a\nEXPIRE list 10\nRPUSH list b\nTTL list\nRENAME list other\nTTL other",
         ":1 | :1 | :2 | :10 | +OK | :10");
  EXPECT(&rig, "EXPIRE other 0\nEXISTS other", ":1 | :0");
  rig_close(&rig);
}
END_TEST

START_TEST(tick_reclaims)
{
  struct rig rig;
  char line[64];
  int64_t next;
  size_t empty;

  rig_open(&rig, (struct rig_setup){ 0 });
  EXPECT(&rig, "SET first v PX 10\nDEL first", "+OK | :1");
  empty = rig_status(&rig).memory;
  for (int i = 0; i < 500; i++) {
    snprintf(line, sizeof line, "SET key-%d some-value PX %d", i, 1000 + i);
    EXPECT(&rig, line, "+OK");
  }
  ck_assert_uint_eq(rig_status(&rig).keys, 500);
  next = lrd_memory_table.tick(rig.engine, 0);
  ck_assert_int_gt(next, rig.mono_ns);
  ck_assert_int_le(next, rig.mono_ns + 1000 * LRD_NS_PER_MS);
  rig_sleep(&rig, 1250);
  (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  ck_assert_uint_ge(rig_status(&rig).keys, 249);
  ck_assert_uint_le(rig_status(&rig).keys, 249 + LRD_WHEEL_TICK_MS);
  rig_sleep(&rig, 1000);
  next = lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  ck_assert_int_eq(next, -1);
  ck_assert_uint_eq(rig_status(&rig).keys, 0);
  /* what remains is the wheels and small tables of the shards, no entry */
  ck_assert_uint_le(rig_status(&rig).memory, empty + 4 * (sizeof(struct lrd_wheel) + 1024));
  rig_close(&rig);
}
END_TEST

/* A budget of nothing is one slice: a caller's loop is never held up. */
START_TEST(tick_is_bounded)
{
  struct rig rig;
  char line[64];
  uint64_t left = 4000, now;
  unsigned rounds = 0;

  rig_open(&rig, (struct rig_setup){ .shards = 1 });
  for (int i = 0; i < 4000; i++) {
    snprintf(line, sizeof line, "SET key-%d v PX 5", i);
    EXPECT(&rig, line, "+OK");
  }
  rig_sleep(&rig, 100);
  for (; left; rounds++) {
    ck_assert_int_eq(lrd_memory_table.tick(rig.engine, 0) == -1, left <= 64 && rounds > 0);
    now = rig_status(&rig).keys;
    ck_assert_uint_le(left - now, 64);
    left = now;
    ck_assert_uint_lt(rounds, 1000);
  }
  ck_assert_uint_ge(rounds, 4000 / 64);
  rig_close(&rig);
}
END_TEST

/* The shards take turns: none of their latches is taken again as soon as it is given back. */
START_TEST(shards_take_turns)
{
  const struct lrd_engine *e;
  struct rig rig;
  char line[64];

  rig_open(&rig, (struct rig_setup){ .shards = 4 });
  e = (struct lrd_engine *)rig.engine;
  for (int i = 0; i < 2000; i++) {
    snprintf(line, sizeof line, "SET key-%d v PX 5", i);
    EXPECT(&rig, line, "+OK");
  }
  rig_sleep(&rig, 100);
  for (unsigned round = 1; round <= 4; round++) {
    for (unsigned i = 0; i < 4; i++)
      (void)lrd_memory_table.tick(rig.engine, 0);
    for (unsigned i = 0; i < 4; i++)
      ck_assert_uint_eq(e->shard[i].expired, 64 * round);
  }
  rig_close(&rig);
}
END_TEST

START_TEST(the_observer_hears_of_it)
{
  struct rig rig;
  int mark;

  rig_open(&rig, (struct rig_setup){ .shards = 1 });
  rig.note = &mark;
  EXPECT(&rig, "SET a v PX 5", "+OK");
  ck_assert_ptr_eq(rig.noted, &mark);
  rig_sleep(&rig, 100);
  rig.intents[0] = '\0';
  (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  INTENTS(&rig, "!a");
  ck_assert_ptr_null(rig.noted);
  rig_close(&rig);

  rig_open(&rig, (struct rig_setup){ .shards = 1, .partial = 1 });
  EXPECT(&rig, "INCR a\nPEXPIRE a 5", ":1 provisional | :1 provisional");
  rig_sleep(&rig, 100);
  rig.intents[0] = '\0';
  (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  INTENTS(&rig, "!a");
  EXPECT(&rig, "GET a", "nil");
  rig_close(&rig);
}
END_TEST

START_TEST(typed_calls_expire_too)
{
  struct rig rig;
  larder_bytes key = { "k", 1 }, value = { "value", 5 };
  larder_verdict verdict;
  char buffer[16];
  size_t length;

  rig_open(&rig, (struct rig_setup){ 0 });
  lrd_memory_table.set(rig.engine, 3, key, value, 50, 0, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_OK);
  lrd_memory_table.get(rig.engine, 3, key, 0, buffer, 3, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_OK);
  ck_assert_uint_eq(length, 5);
  ck_assert_int_eq(memcmp(buffer, "val", 3), 0);
  lrd_memory_table.get(rig.engine, 2, key, 0, buffer, 3, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_ABSENT);
  rig_sleep(&rig, 51);
  lrd_memory_table.get(rig.engine, 3, key, 0, buffer, 3, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_ABSENT);
  lrd_memory_table.set(rig.engine, 3, key, value, -1, 0, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_BAD_ARGUMENT);
  EXPECT(&rig, "RPUSH k a", ":1");
  lrd_memory_table.get(rig.engine, 0, key, 0, buffer, 3, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_REFUSED);
  lrd_memory_table.set(rig.engine, 0, key, (larder_bytes){ NULL, 0 }, 0, 0, &verdict);
  lrd_memory_table.get(rig.engine, 0, key, 0, buffer, sizeof buffer, &length, &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_OK);
  ck_assert_uint_eq(length, 0);
  rig_close(&rig);
}
END_TEST

START_TEST(a_thread_reclaims_by_itself)
{
  struct rig rig;
  struct timespec pause = { 0, 10000000 };
  int waited = 0;

  rig_open(&rig, (struct rig_setup){ .background = 1, .system_memory = 1, .system_clock = 1 });
  EXPECT(&rig, "SET far v EX 1000\nSET a v PX 30\nSET b v PX 60\nSET c v", "+OK | +OK | +OK | +OK");
  while (rig_status(&rig).keys > 2 && waited++ < 500)
    nanosleep(&pause, NULL);
  ck_assert_uint_eq(rig_status(&rig).keys, 2);
  EXPECT(&rig, "EXPIRE far 1\nPEXPIRE c 20", ":1 | :1");
  for (waited = 0; rig_status(&rig).keys && waited < 500; waited++)
    nanosleep(&pause, NULL);
  ck_assert_uint_eq(rig_status(&rig).keys, 0);
  rig_close(&rig);
}
END_TEST

START_TEST(flushing_forgets_timers)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .shards = 1 });
  EXPECT(&rig, "SET a v PX 5\nSET b v PX 7\nFLUSHALL\nSET a w PX 6", "+OK | +OK | +OK | +OK");
  rig_sleep(&rig, 100);
  (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  ck_assert_uint_eq(rig_status(&rig).keys, 0);
  lrd_memory_table.set(rig.engine, 1, (larder_bytes){ "other", 5 }, (larder_bytes){ "v", 1 }, 500,
                       0, &(larder_verdict){ 0 });
  EXPECT(&rig, "SET a v PX 5\nFLUSHDB\nDBSIZE", "+OK | +OK | :0");
  ck_assert_uint_eq(rig_status(&rig).keys, 1);
  rig_sleep(&rig, 600);
  (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  ck_assert_uint_eq(rig_status(&rig).keys, 0);
  rig_close(&rig);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("expiry");
  TCase *tests = tcase_create("expiry");

  tcase_add_test(tests, an_expired_key_is_never_seen);
  tcase_add_loop_test(tests, no_command_sees_an_expired_key, 0,
                      sizeof on_access / sizeof *on_access);
  tcase_add_test(tests, what_keeps_and_what_drops_an_expiry);
  tcase_add_test(tests, tick_reclaims);
  tcase_add_test(tests, tick_is_bounded);
  tcase_add_test(tests, shards_take_turns);
  tcase_add_test(tests, the_observer_hears_of_it);
  tcase_add_test(tests, typed_calls_expire_too);
  tcase_add_test(tests, a_thread_reclaims_by_itself);
  tcase_add_test(tests, flushing_forgets_timers);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
