/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/bounded.h"
#include "support/sanitizer.h"

/* What goes and what stays under each policy, and what OBJECT tells of it. */

START_TEST(the_next_to_expire_goes_first)
{
  struct rig rig;
  int gone = 0;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_VOLATILE_TTL, .shards = 1 });
  for (int i = 0; i < 100; i++)
    set(&rig, i, 10 * (i * 37 % 100 + 1));
  configure(&rig, "maxmemory", (long long)used(&rig));
  for (int i = 100; i < 150; i++)
    set(&rig, i, 0);
  for (int i = 0; i < 100; i++)
    gone += !exists(&rig, i);
  ck_assert_int_gt(gone, 20);
  for (int i = 0; i < 100; i++)
    ck_assert_int_eq(exists(&rig, i), i * 37 % 100 >= gone);
  rig_close(&rig);
}
END_TEST

/* Keys that live equally long, one after the other: the oldest expire next. */
START_TEST(the_newest_expire_last)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_VOLATILE_TTL, .shards = 1 });
  configure(&rig, "maxmemory", (long long)used(&rig) + 100000);
  for (int i = 0; i < 3000; i++) {
    set(&rig, i, 36000);
    rig_sleep(&rig, 100);
  }
  ck_assert_int_ge(count(&rig, 2900, 3000), 99);
  ck_assert_int_le(count(&rig, 0, 1000), 10);
  rig_close(&rig);
}
END_TEST

/* 50 keys in use, and others that come and go. */
static int survivors(larder_policy policy, int uses)
{
  struct rig rig;
  int n;

  rig_open(&rig, (struct rig_setup){ .policy = policy, .shards = 1 });
  configure(&rig, "maxmemory-samples", 32);
  for (int i = 0; i < 50; i++)
    set(&rig, i, 0);
  for (int i = 50; i < 500; i++)
    set(&rig, i, 0);
  configure(&rig, "maxmemory", (long long)used(&rig));
  for (int i = 500; i < TEST_TIMES(3000, 1500); i++) {
    rig_sleep(&rig, 1000);
    if (i % 4 == 0)
      for (int k = 0; k < 50; k++)
        for (int u = 0; u < uses; u++)
          read_key(&rig, k);
    set(&rig, i, 0);
  }
  n = count(&rig, 0, 50);
  rig_close(&rig);
  return n;
}

START_TEST(what_is_used_stays)
{
  ck_assert_int_eq(survivors(LARDER_POLICY_ALLKEYS_LRU, 1), 50);
  ck_assert_int_eq(survivors(LARDER_POLICY_ALLKEYS_LFU, 3), 50);
  ck_assert_int_eq(survivors(LARDER_POLICY_ALLKEYS_S3FIFO, 1), 50);
  ck_assert_int_lt(survivors(LARDER_POLICY_ALLKEYS_RANDOM, 1), 40);
}
END_TEST

/* Keys that were used twice, and then a scan of twenty times as many. */
static int after_scan(larder_policy policy)
{
  struct rig rig;
  int n;

  rig_open(&rig, (struct rig_setup){ .policy = policy, .shards = 1 });
  configure(&rig, "maxmemory", (long long)used(&rig) + 100000);
  for (int round = 0; round < 4; round++)
    for (int i = 0; i < 100; i++) {
      set(&rig, i, 0);
      read_key(&rig, i);
    }
  for (int i = 1000; i < 3000; i++) {
    rig_sleep(&rig, 1000);
    set(&rig, i, 0);
  }
  n = count(&rig, 0, 100);
  rig_close(&rig);
  return n;
}

START_TEST(a_scan_leaves_what_was_used)
{
  ck_assert_int_eq(after_scan(LARDER_POLICY_ALLKEYS_S3FIFO), 100);
  ck_assert_int_lt(after_scan(LARDER_POLICY_ALLKEYS_LRU), 10);
}
END_TEST

/* A key that went and comes back goes straight into the main queue. */
START_TEST(what_comes_back_is_remembered)
{
  struct rig rig;
  int back = -1;

  rig_open(&rig, (struct rig_setup){ .shards = 1 });
  configure(&rig, "maxmemory", (long long)used(&rig) + 100000);
  for (int i = 0; i < 2000; i++) {
    set(&rig, i, 0);
    if (i < 300) {
      read_key(&rig, i);
      read_key(&rig, i);
    }
  }
  for (int i = 1999; i > 300 && back < 0; i--)
    if (!exists(&rig, i))
      back = i;
  ck_assert_int_gt(back, 300);
  set(&rig, back, 0);
  for (int i = 3000; i < 3200; i++)
    set(&rig, i, 0);
  ck_assert_int_eq(exists(&rig, back), 1);
  rig_close(&rig);
}
END_TEST

/* Keys that are set and deleted over and over leave stale slots: they don't pile up. */
START_TEST(stale_slots_are_sifted_out)
{
  struct rig rig;
  char text[RIG_TEXT];
  size_t before;

  rig_open(&rig, (struct rig_setup){ .shards = 1, .maxmemory = 10000000 });
  for (int i = 0; i < 100; i++)
    set(&rig, i, 0);
  before = used(&rig);
  for (int i = 0; i < TEST_TIMES(20000, 4000); i++) {
    set(&rig, 1000 + i % 10, 0);
    call(&rig, text, "DEL key:%d", 1000 + i % 10);
    if (i % 100 == 0)
      check_ok(lrd_engine_check((struct lrd_engine *)rig.engine));
  }
  ck_assert_uint_lt(used(&rig), before + 8192);
  rig_close(&rig);
}
END_TEST

/* --- OBJECT ----------------------------------------------------------------------------- */

START_TEST(idle_time)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ 0 });
  EXPECT(&rig, "SET a 1", "+OK");
  EXPECT(&rig, "OBJECT IDLETIME a", ":0");
  rig_sleep(&rig, 5000);
  EXPECT(&rig, "OBJECT IDLETIME a", ":5");
  EXPECT(&rig, "TTL a", ":-1");
  EXPECT(&rig, "TYPE a", "+string");
  EXPECT(&rig, "OBJECT IDLETIME a", ":5");
  EXPECT(&rig, "GET a", "$1");
  EXPECT(&rig, "OBJECT IDLETIME a", ":0");
  rig_sleep(&rig, 70000 * INT64_C(1000));
  EXPECT(&rig, "SET b 1", "+OK");
  rig_sleep(&rig, 1500);
  EXPECT(&rig, "OBJECT IDLETIME b", ":1");
  EXPECT(&rig, "CONFIG SET maxmemory-policy allkeys-lru", "+OK");
  EXPECT(&rig, "OBJECT IDLETIME b", ":1");
  EXPECT(&rig, "OBJECT IDLETIME none", "nil");
  rig_close(&rig);
}
END_TEST

START_TEST(frequency)
{
  struct rig rig;
  char text[RIG_TEXT];
  int n;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_ALLKEYS_LFU });
  EXPECT(&rig, "SET a 1", "+OK");
  EXPECT(&rig, "OBJECT FREQ a", ":5");
  EXPECT(&rig, "CONFIG SET lfu-log-factor 0", "+OK");
  for (int i = 0; i < 20; i++)
    EXPECT(&rig, "GET a", "$1");
  EXPECT(&rig, "OBJECT FREQ a", ":25");
  rig_sleep(&rig, 10 * 60000);
  EXPECT(&rig, "OBJECT FREQ a", ":15");
  EXPECT(&rig, "CONFIG SET lfu-log-factor 10", "+OK");
  for (int i = 0; i < 1000; i++)
    EXPECT(&rig, "GET a", "$1");
  call(&rig, text, "OBJECT FREQ a");
  n = atoi(text + 1);
  ck_assert_int_ge(n, 18);
  ck_assert_int_le(n, 40);
  EXPECT(&rig, "CONFIG SET lfu-decay-time 0", "+OK");
  rig_close(&rig);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("policy");
  TCase *t = tcase_create("policy");

  tcase_set_timeout(t, 600);
  tcase_add_test(t, the_next_to_expire_goes_first);
  tcase_add_test(t, the_newest_expire_last);
  tcase_add_test(t, what_is_used_stays);
  tcase_add_test(t, a_scan_leaves_what_was_used);
  tcase_add_test(t, what_comes_back_is_remembered);
  tcase_add_test(t, stale_slots_are_sifted_out);
  tcase_add_test(t, idle_time);
  tcase_add_test(t, frequency);
  suite_add_tcase(s, t);
  return run_suite(s);
}
