/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rig.h"

#include "memory/evict_shard.h"

/* The memory bound: what goes under each policy, that the bound and the account hold. */

#define OOM "-OOM command not allowed when used memory > 'maxmemory'."

enum { VALUE = 100, WRITE_MAX = 4096 };

static const larder_policy evicting[] = {
  LARDER_POLICY_VOLATILE_LRU,   LARDER_POLICY_VOLATILE_LFU, LARDER_POLICY_VOLATILE_RANDOM,
  LARDER_POLICY_VOLATILE_TTL,   LARDER_POLICY_ALLKEYS_LRU,  LARDER_POLICY_ALLKEYS_LFU,
  LARDER_POLICY_ALLKEYS_RANDOM, LARDER_POLICY_ALLKEYS_S3FIFO
};

enum { EVICTING = sizeof evicting / sizeof *evicting };

__attribute__((format(printf, 3, 4))) static void call(struct rig *rig, char *text,
                                                       const char *format, ...)
{
  char line[RIG_TEXT];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  rig_call(rig, 0, line, text);
}

static size_t used(struct rig *rig)
{
  return rig_status(rig).memory;
}

/* The account and the hook agree, but for what the rig takes past the engine. */
static void account_is_exact(struct rig *rig)
{
  ck_assert_uint_eq(used(rig), rig->pool.bytes);
}

/* SET key, perhaps with a TTL; the reply is OK. */
static void set(struct rig *rig, int number, int ttl)
{
  char text[RIG_TEXT], expiry[32] = "";

  if (ttl)
    sprintf(expiry, " EX %d", ttl);
  call(rig, text, "SET key:%d %0*d%s", number, VALUE, number, expiry);
  ck_assert_str_eq(text, "+OK");
}

static int exists(struct rig *rig, int number)
{
  char text[RIG_TEXT];

  call(rig, text, "TYPE key:%d", number);
  return strcmp(text, "+none") != 0;
}

static int count(struct rig *rig, int from, int to)
{
  int n = 0;

  for (int i = from; i < to; i++)
    n += exists(rig, i);
  return n;
}

static void read_key(struct rig *rig, int number)
{
  char text[RIG_TEXT];

  call(rig, text, "GET key:%d", number);
}

static void configure(struct rig *rig, const char *name, long long value)
{
  char text[RIG_TEXT];

  call(rig, text, "CONFIG SET %s %lld", name, value);
  ck_assert_str_eq(text, "+OK");
}

/* --- refusing --------------------------------------------------------------------- */

START_TEST(without_eviction_writes_are_refused)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = LARDER_POLICY_NOEVICTION });
  EXPECT(&rig, "SET a 1", "+OK");
  EXPECT(&rig, "CONFIG SET maxmemory 100", "+OK");
  EXPECT(&rig, "SET b 1", OOM);
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

/* The bound holds after each write, and the account is exact, whatever the policy. */
START_TEST(the_bound_holds)
{
  larder_policy policy = evicting[_i];
  size_t bound, before;
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ .policy = policy });
  bound = used(&rig) + 100000;
  configure(&rig, "maxmemory", (long long)bound);
  for (int i = 0; i < 5000; i++) {
    set(&rig, i, 1000 + i % 100);
    read_key(&rig, i - i % 7);
    account_is_exact(&rig);
    ck_assert_uint_le(used(&rig), bound + WRITE_MAX);
    rig_sleep(&rig, i % 50);
  }
  ck_assert_uint_gt(rig_status(&rig).keys, 200);
  before = rig_status(&rig).keys;
  configure(&rig, "maxmemory", (long long)bound - 50000);
  set(&rig, 5000, 1000);
  ck_assert_uint_lt(rig_status(&rig).keys, before);
  ck_assert_uint_le(used(&rig), bound - 50000 + WRITE_MAX);
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
  for (int i = 0; i < 3000; i++)
    set(&rig, i, i % 2 ? 1000 : 500);
  full = used(&rig);
  call(&rig, text, "CONFIG SET maxmemory %zu maxmemory-policy %s", full / 2,
       lrd_policy_names[evicting[_i] - 1]);
  ck_assert_str_eq(text, "+OK");
  for (int i = 0; i < 3000; i++) {
    set(&rig, i, 1000);
    account_is_exact(&rig);
    ck_assert_uint_le(used(&rig), full / 2 + WRITE_MAX);
  }
  ck_assert_uint_gt(rig_status(&rig).keys, 500);
  rig_close(&rig);
}
END_TEST

/* From each policy to each other one, under pressure. */
START_TEST(policies_change)
{
  struct rig rig;
  char text[RIG_TEXT];
  size_t bound;

  rig_open(&rig, (struct rig_setup){ .shards = 2 });
  bound = used(&rig) + 60000;
  configure(&rig, "maxmemory", (long long)bound);
  for (int round = 0; round < EVICTING * EVICTING; round++) {
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

/* --- single policies ------------------------------------------------------------------- */

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
  for (int i = 500; i < 3000; i++) {
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
  for (int i = 0; i < 20000; i++) {
    set(&rig, 1000 + i % 10, 0);
    call(&rig, text, "DEL key:%d", 1000 + i % 10);
    if (i % 100 == 0)
      check_ok(lrd_engine_check((struct lrd_engine *)rig.engine));
  }
  ck_assert_uint_lt(used(&rig), before + 8192);
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
  for (int i = 0; i < 4000; i++) {
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

/* --- threads ------------------------------------------------------------------------------ */

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

  for (int i = 0; i < 40000; i++) {
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

/* --- the parts ------------------------------------------------------------------------------ */

START_TEST(fifo_is_one)
{
  struct pool pool;
  struct lrd_fifo f = { 0 };
  struct lrd_prng prng;
  uint64_t in = 0, out = 0, word;

  pool_init(&pool);
  lrd_prng_seed(&prng, 42);
  for (int i = 0; i < 20000; i++) {
    int grows = i / 2500 % 2 == 0;

    if (lrd_prng_below(&prng, 10) < (grows ? 7 : 3)) {
      ck_assert_int_eq(lrd_fifo_push(&f, &pool.memory, in++), 0);
    } else {
      ck_assert_int_eq(lrd_fifo_pop(&f, &pool.memory, &word), in > out);
      if (in > out)
        ck_assert_uint_eq(word, out++);
    }
    ck_assert_uint_eq(f.count, in - out);
    ck_assert_ptr_null(lrd_fifo_check(&f));
  }
  lrd_fifo_drop(&f, &pool.memory);
  ck_assert_ptr_null(lrd_fifo_check(&f));
  pool_check_empty(&pool);
}
END_TEST

START_TEST(ghost_remembers)
{
  enum { SIZE = 10000 };
  struct pool pool;
  struct lrd_ghost g = { 0 };
  struct lrd_prng prng;
  uint64_t hash[2 * SIZE];
  int known = 0, strange = 0;

  pool_init(&pool);
  lrd_prng_seed(&prng, 7);
  for (int i = 0; i < 2 * SIZE; i++) {
    hash[i] = lrd_prng_next(&prng);
    lrd_ghost_add(&g, &pool.memory, hash[i], SIZE);
  }
  for (int i = 3 * SIZE / 2; i < 2 * SIZE; i++)
    known += lrd_ghost_take(&g, hash[i]);
  for (int i = 0; i < SIZE; i++)
    strange += lrd_ghost_take(&g, lrd_prng_next(&prng));
  ck_assert_int_gt(known, SIZE / 2 * 85 / 100);
  ck_assert_int_lt(strange, SIZE / 500);
  ck_assert_uint_lt(pool.bytes, 3 * SIZE);
  for (int i = 0; i < 100; i++)
    lrd_ghost_add(&g, &pool.memory, lrd_prng_next(&prng), 100);
  ck_assert_uint_lt(pool.bytes, 4096);
  lrd_ghost_drop(&g, &pool.memory);
  pool_check_empty(&pool);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("evict");
  TCase *t = tcase_create("evict"), *threads = tcase_create("threads");
  SRunner *runner;
  int failed;

  tcase_set_timeout(t, 600);
  tcase_set_timeout(threads, 600);
  tcase_add_test(t, fifo_is_one);
  tcase_add_test(t, ghost_remembers);
  tcase_add_test(t, without_eviction_writes_are_refused);
  tcase_add_test(t, typed_set_is_refused);
  tcase_add_loop_test(t, the_bound_holds, 0, EVICTING);
  tcase_add_loop_test(t, a_bound_set_later, 0, EVICTING);
  tcase_add_test(t, policies_change);
  tcase_add_loop_test(t, only_what_expires_goes, 0, 4);
  tcase_add_test(t, the_next_to_expire_goes_first);
  tcase_add_test(t, the_newest_expire_last);
  tcase_add_test(t, what_is_used_stays);
  tcase_add_test(t, a_scan_leaves_what_was_used);
  tcase_add_test(t, what_comes_back_is_remembered);
  tcase_add_test(t, stale_slots_are_sifted_out);
  tcase_add_test(t, watches_see_it);
  tcase_add_test(t, a_transaction_is_not_disturbed);
  tcase_add_loop_test(t, the_journal_keeps_its_keys, 0, EVICTING);
  tcase_add_loop_test(t, allocations_fail, 0, EVICTING);
  tcase_add_test(t, idle_time);
  tcase_add_test(t, frequency);
  tcase_add_loop_test(threads, threads_keep_the_bound, 4, EVICTING);
  suite_add_tcase(s, t);
  suite_add_tcase(s, threads);
  runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
