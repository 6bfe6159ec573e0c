/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/bounded.h"
#include "memory/evict_shard.h"
#include "support/sanitizer.h"

/* The memory bound: that it and the account hold, whatever the policy. */

/* --- refusing --------------------------------------------------------------------- */

START_TEST(without_eviction_writes_are_refused)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_NOEVICTION });
  EXPECT(&rig, "SET a 1", "+OK");
  EXPECT(&rig, "XADD x 1-1 f v", "$1-1");
  EXPECT(&rig, "XGROUP CREATE x g 0", "+OK");
  EXPECT(&rig, "CONFIG SET maxmemory 100", "+OK");
  EXPECT(&rig, "SET b 1", OOM);
  EXPECT(&rig, "XGROUP CREATE x h 0", OOM);
  EXPECT(&rig, "xgroup createconsumer x g c", OOM);
  EXPECT(&rig, "XGROUP SETID x g 1", "+OK");
  EXPECT(&rig, "XGROUP DESTROY x g", ":1");
  EXPECT(&rig, "INCR a", OOM);
  EXPECT(&rig, "GET a", "$1");
  EXPECT(&rig, "EXPIRE a 100", ":1");
  EXPECT(&rig, "DEL nope", ":0");
  EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC, "GET a\nSET b 1",
               "-EXECABORT Transaction discarded because of: "
               "OOM command not allowed when used memory > 'maxmemory'.");
  EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC, "GET a\nDEL b", "[$1 :0]");
  EXPECT(&rig, "GET b", "nil");
  EXPECT(&rig, "CONFIG SET maxmemory 0", "+OK");
  EXPECT(&rig, "SET b 1", "+OK");
  rig_close(&rig);
}
END_TEST

START_TEST(typed_set_is_refused)
{
  larder_verdict verdict;
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_NOEVICTION, .maxmemory = 100 });
  lrd_memory_table.set(rig.engine, 0, (larder_bytes){ "k", 1 }, (larder_bytes){ "v", 1 }, 0, 0,
                       &verdict);
  ck_assert_int_eq(verdict.outcome, LARDER_REFUSED);
  ck_assert_int_eq(verdict.cause, LARDER_CAUSE_CAPACITY);
  EXPECT(&rig, "EXISTS k", ":0");
  rig_close(&rig);
}
END_TEST

/* --- all policies ------------------------------------------------------------------- */

enum {
  BOUND_SETS = TEST_TIMES(5000, 2000),
  LATER_SETS = TEST_TIMES(3000, 2000),
  CHANGES = TEST_TIMES(EVICTING * EVICTING, 2 * EVICTING + 1)
};

/* The bound holds after each write, and the account is exact, whatever the policy. */
START_TEST(the_bound_holds)
{
  larder_policy policy = evicting[_i];
  size_t bound, before;
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = policy });
  bound = used(&rig) + 100000;
  configure(&rig, "maxmemory", (long long)bound);
  for (int i = 0; i < BOUND_SETS; i++) {
    set(&rig, i, 1000 + i % 100);
    read_key(&rig, i - i % 7);
    account_is_exact(&rig);
    ck_assert_uint_le(used(&rig), bound + WRITE_MAX);
    rig_sleep(&rig, i % 50);
  }
  ck_assert_uint_gt(rig_status(&rig).keys, 200);
  before = rig_status(&rig).keys;
  configure(&rig, "maxmemory", (long long)bound - 50000);
  set(&rig, BOUND_SETS, 1000);
  ck_assert_uint_lt(rig_status(&rig).keys, before);
  ck_assert_uint_le(used(&rig), bound - 50000 + WRITE_MAX);
  account_is_exact(&rig);
  rig_close(&rig);
}
END_TEST

/* --- readers without a lock ------------------------------------------------------------ */

struct guest {
  struct lrd_grace *grace;
  atomic_int is_inside, may_go;
};

static void *stay_inside(void *context)
{
  struct guest *guest = context;
  struct lrd_reader *reader = lrd_grace_enter(guest->grace);

  atomic_store(&guest->is_inside, 1);
  while (!atomic_load(&guest->may_go))
    sched_yield();
  if (reader)
    lrd_grace_leave(reader);
  return NULL;
}

/* What is freed when a reader has left is as good as free: no more is evicted than without it,
 * and no write is refused. */
START_TEST(a_reader_does_not_empty_the_store)
{
  struct guest guest = { 0 };
  pthread_t thread;
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = evicting[_i] });
  guest.grace = ((struct lrd_engine *)rig.engine)->grace;
  configure(&rig, "maxmemory", (long long)used(&rig) + 100000);
  ck_assert_int_eq(pthread_create(&thread, NULL, stay_inside, &guest), 0);
  while (!atomic_load(&guest.is_inside))
    sched_yield();
  for (int i = 0; i < LATER_SETS; i++)
    set(&rig, i, 1000);
  ck_assert_uint_gt(rig_status(&rig).keys, 200);
  atomic_store(&guest.may_go, 1);
  pthread_join(thread, NULL);
  account_is_exact(&rig);
  rig_close(&rig);
}
END_TEST

/* What was there before the bound comes under it. */
START_TEST(a_bound_set_later)
{
  struct rig rig;
  char text[RIG_TEXT];
  size_t full;

  rig_open(&rig, (struct rig_setup){ .shards = 2 });
  for (int i = 0; i < LATER_SETS; i++)
    set(&rig, i, i % 2 ? 1000 : 500);
  full = used(&rig);
  call(&rig, text, "CONFIG SET maxmemory %zu maxmemory-policy %s", full / 2,
       lrd_policy_names[evicting[_i] - 1]);
  ck_assert_str_eq(text, "+OK");
  for (int i = 0; i < LATER_SETS; i++) {
    set(&rig, i, 1000);
    account_is_exact(&rig);
    ck_assert_uint_le(used(&rig), full / 2 + WRITE_MAX);
  }
  ck_assert_uint_gt(rig_status(&rig).keys, 500);
  rig_close(&rig);
}
END_TEST

/* From each policy to each other one, under pressure (under a sanitizer, to some). */
START_TEST(policies_change)
{
  struct rig rig;
  char text[RIG_TEXT];
  size_t bound;

  rig_open(&rig, (struct rig_setup){ .shards = 2 });
  bound = used(&rig) + 60000;
  configure(&rig, "maxmemory", (long long)bound);
  for (int round = 0; round < CHANGES; round++) {
    larder_policy policy = evicting[(round % EVICTING + round / EVICTING) % EVICTING];

    call(&rig, text, "CONFIG SET maxmemory-policy %s", lrd_policy_names[policy - 1]);
    ck_assert_str_eq(text, "+OK");
    for (int i = 0; i < 200; i++) {
      set(&rig, i * 31 % 900, 1000);
      ck_assert_uint_le(used(&rig), bound + WRITE_MAX);
    }
    check_ok(lrd_engine_check((struct lrd_engine *)rig.engine));
  }
  account_is_exact(&rig);
  rig_close(&rig);
}
END_TEST

START_TEST(only_what_expires_goes)
{
  struct rig rig;
  char text[RIG_TEXT];
  int i;

  rig_open(&rig, (struct rig_setup){ .policy = evicting[_i], .shards = 1 });
  for (i = 0; i < 200; i++)
    set(&rig, i, i % 10 ? 0 : 1000);
  configure(&rig, "maxmemory", (long long)used(&rig));
  for (; i < 300; i++) {
    call(&rig, text, "SET key:%d %0*d", i, VALUE, i);
    if (strcmp(text, "+OK") != 0)
      break;
  }
  ck_assert_str_eq(text, OOM);
  ck_assert_int_ge(i, 210); /* 20 make way, some of them for what evicting needs */
  for (int k = 0; k < 200; k++)
    ck_assert_int_eq(exists(&rig, k), k % 10 != 0);
  EXPECT(&rig, "DEL key:1 key:2", ":2");
  EXPECT(&rig, "SET small 1", "+OK");
  rig_close(&rig);
}
END_TEST

/* --- what evicting tells ------------------------------------------------------------- */

START_TEST(watches_see_it)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_VOLATILE_RANDOM });
  for (int i = 0; i < 50; i++)
    set(&rig, i, 1000);
  EXPECT(&rig, "WATCH key:1 key:2 key:3", "+OK");
  configure(&rig, "maxmemory", (long long)used(&rig) - 49 * VALUE);
  EXPECT(&rig, "SET b 1", "+OK");
  ck_assert_int_lt(count(&rig, 1, 4), 3);
  EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC, "GET b", "*-1");
  rig_close(&rig);
}
END_TEST

/* A transaction makes room before it begins, not in its midst. */
START_TEST(a_transaction_is_not_disturbed)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_ALLKEYS_RANDOM });
  configure(&rig, "maxmemory", (long long)used(&rig) + 10000);
  for (int i = 0; i < 200; i++) {
    set(&rig, i, 0);
    EXPECT_FLAGS(&rig, LARDER_CALL_ATOMIC,
                 "DEL nope\nSET a 1\nSET b 2\nSET c 3\nECHO x\nSET d 4\nMGET a b c d",
                 "[:0 +OK +OK +OK $x +OK [$1 $2 $3 $4]]");
  }
  rig_close(&rig);
}
END_TEST

/* The local half of a fallback keeps what the journal needs. */
START_TEST(the_journal_keeps_its_keys)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .partial = 1, .policy = evicting[_i] });
  for (int i = 0; i < 50; i++)
    set(&rig, i, 1000);
  configure(&rig, "maxmemory", (long long)used(&rig) - 1);
  rig.keep = 1;
  EXPECT(&rig, "SET k v", OOM);
  INTENTS(&rig, "");
  for (int i = 0; i < 50; i++)
    ck_assert_int_eq(exists(&rig, i), 1);
  rig.keep = 0;
  EXPECT(&rig, "SET k v", "+OK");
  INTENTS(&rig, "!k");
  ck_assert_int_lt((int)rig_status(&rig).keys, 51);
  account_is_exact(&rig);
  rig_close(&rig);
}
END_TEST

/* --- no memory ------------------------------------------------------------------------ */

START_TEST(allocations_fail)
{
  struct rig rig;
  char text[RIG_TEXT];
  size_t bound;

  rig_open(&rig, (struct rig_setup){ .policy = evicting[_i], .shards = 2 });
  bound = used(&rig) + 30000;
  configure(&rig, "maxmemory", (long long)bound);
  for (int i = 0; i < TEST_TIMES(4000, 1000); i++) {
    rig.fail_in = i % 5;
    call(&rig, text, "SET key:%d %0*d EX 1000", i, VALUE, i);
    rig.fail_in = -1;
    account_is_exact(&rig);
    if (i % 40 == 0)
      check_ok(lrd_engine_check((struct lrd_engine *)rig.engine));
    ck_assert_uint_le(used(&rig), bound + WRITE_MAX);
  }
  rig_close(&rig);
}
END_TEST

/* --- threads ------------------------------------------------------------------------------ */

enum { WRITES = TEST_TIMES(40000, 4000) };

struct writer {
  struct rig *rig;
  unsigned number, threads;
  size_t bound;
  long above, failed;
};

static void *write_much(void *context)
{
  struct writer *w = context;
  larder_backend *engine = w->rig->engine;
  char key[32], value[VALUE] = { 0 };

  for (int i = 0; i < WRITES; i++) {
    larder_verdict verdict;
    larder_backend_status status = { 0 };

    sprintf(key, "%u:%d", w->number, i * 7919 % 10007);
    engine->table->set(engine, 0, (larder_bytes){ key, strlen(key) },
                       (larder_bytes){ value, sizeof value }, 0, INT64_MAX, &verdict);
    w->failed += verdict.outcome != LARDER_OK;
    if (i % 16)
      continue;
    engine->table->status(engine, &status);
    w->above += status.memory > w->bound + w->threads * (size_t)WRITE_MAX;
  }
  return NULL;
}

static void write_together(unsigned threads, larder_policy policy)
{
  struct rig rig;
  struct writer writer[8];
  pthread_t thread[8];
  char text[RIG_TEXT];
  size_t bound;

  rig_open(&rig, (struct rig_setup){ .policy = policy, .shards = 16, .system_memory = 1,
                                     .system_clock = 1 });
  bound = used(&rig) + 300000;
  call(&rig, text, "CONFIG SET maxmemory %zu", bound);
  for (unsigned i = 0; i < threads; i++) {
    writer[i] = (struct writer){ &rig, i, threads, bound, 0, 0 };
    ck_assert_int_eq(pthread_create(&thread[i], NULL, write_much, &writer[i]), 0);
  }
  for (unsigned i = 0; i < threads; i++) {
    pthread_join(thread[i], NULL);
    ck_assert_int_eq(writer[i].above, 0);
    ck_assert_int_eq(writer[i].failed, 0);
  }
  ck_assert_uint_gt(rig_status(&rig).keys, 500);
  rig_close(&rig);
}

START_TEST(threads_keep_the_bound)
{
  write_together(1, evicting[_i]);
  write_together(8, evicting[_i]);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("evict");
  TCase *t = tcase_create("evict"), *threads = tcase_create("threads");

  tcase_set_timeout(t, 600);
  tcase_set_timeout(threads, 600);
  tcase_add_test(t, without_eviction_writes_are_refused);
  tcase_add_test(t, typed_set_is_refused);
  tcase_add_loop_test(t, the_bound_holds, 0, EVICTING);
  tcase_add_loop_test(t, a_reader_does_not_empty_the_store, 0, EVICTING);
  tcase_add_loop_test(t, a_bound_set_later, 0, EVICTING);
  tcase_add_test(t, policies_change);
  tcase_add_loop_test(t, only_what_expires_goes, 0, 4);
  tcase_add_test(t, watches_see_it);
  tcase_add_test(t, a_transaction_is_not_disturbed);
  tcase_add_loop_test(t, the_journal_keeps_its_keys, 0, EVICTING);
  tcase_add_loop_test(t, allocations_fail, 0, EVICTING);
  tcase_add_loop_test(threads, threads_keep_the_bound, 4, EVICTING);
  suite_add_tcase(s, t);
  suite_add_tcase(s, threads);
  return run_suite(s);
}
