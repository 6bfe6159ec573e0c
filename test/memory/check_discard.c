/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/discard.h"

#include "memory/hash.h"
#include "memory/list.h"
#include "memory/rig.h"
#include "memory/set.h"
#include "memory/zset.h"

/* Large collections of all kinds, made of elements with these numbers. */
enum { ELEMENTS = 5000, STEP = 100 };

static larder_bytes element(unsigned i, char text[NAME_SIZE])
{
  return (larder_bytes){ text, (size_t)snprintf(text, NAME_SIZE, "element %u", i) };
}

static void *fill(enum lrd_kind kind, const struct pool *pool)
{
  const larder_memory *m = &pool->memory;
  void *value = lrd_kind_type(kind)->create(m);
  struct lrd_zset_change change;
  char text[NAME_SIZE];
  unsigned i;

  for (i = 0; i < ELEMENTS; i++) {
    larder_bytes pair[2] = { element(i, text), { "value", 5 } };
    struct lrd_scored scored = { pair[0], i % 77 };
    switch (kind) {
    case LRD_LIST:
      ck_assert_int_eq(lrd_list_push(value, m, LRD_LIST_BACK, 1, pair), 0);
      break;
    case LRD_SET_KIND:
      ck_assert_int_eq(lrd_set_add(value, m, &pool->key, 1, pair), 1);
      break;
    case LRD_HASH:
      ck_assert_int_eq(lrd_hash_set(value, m, &pool->key, 1, pair), 1);
      break;
    default:
      ck_assert_int_eq(lrd_zset_add(value, m, &pool->key, 0, 1, &scored, &change), 0);
    }
  }
  return value;
}

static const enum lrd_kind kinds[] = { LRD_LIST, LRD_SET_KIND, LRD_HASH, LRD_ZSET };

/* No step frees more than it may: an element, and what holds a few of them. */
START_TEST(step_by_step)
{
  const struct lrd_kind_type *type = lrd_kind_type(kinds[_i]);
  struct pool pool;
  void *value;
  size_t blocks, left;

  pool_init(&pool);
  value = fill(kinds[_i], &pool);
  do {
    blocks = pool.blocks;
    pool.fail_in = pool.blocks % 2 ? 0 : -1; /* memory to free is not needed */
    left = type->free_some(&pool.memory, value, STEP);
    pool.fail_in = -1;
    ck_assert_uint_le(left, STEP);
    ck_assert_uint_le(blocks - pool.blocks, 2 * STEP);
  } while (!left);
  pool_check_empty(&pool);
}
END_TEST

static void make(struct rig *rig, const char *key)
{
  char line[NAME_SIZE], text[RIG_TEXT];

  for (unsigned i = 0; i < 2 * LRD_DISCARD_LEAST; i++) {
    snprintf(line, sizeof line, "SADD %s member-number-%u", key, i);
    rig_call(rig, 0, line, text);
    ck_assert_str_eq(text, ":1");
  }
}

/* However a value is taken away, its memory is given back when the call is over, also
 * if there is none to put it on the list. */
START_TEST(after_the_call)
{
  static const char *const takes[] = { "DEL s", "UNLINK s", "SET s x", "RENAME t s",
                                       "PEXPIRE s -1" };
  struct rig rig;
  char text[RIG_TEXT];
  size_t most;

  rig_open(&rig, (struct rig_setup){ 0 });
  rig_call(&rig, 0, "SET t 1", text);
  make(&rig, "s");
  most = rig.pool.blocks;
  rig.fail_in = _i % 2 ? 0 : -1;
  rig_call(&rig, 0, takes[_i / 2], text);
  rig.fail_in = -1;
  if (strncmp(text, "NO_MEMORY", 9))
    ck_assert_uint_lt(rig.pool.blocks + LRD_DISCARD_LEAST, most);
  rig_close(&rig);
}
END_TEST

/* Frees what is below an engine, and counts the large blocks, and those of them that were
 * freed under a lock. */
struct watched {
  struct lrd_engine *engine;
  larder_memory below;
  int large, under_lock;
};

static void watched_release(void *context, void *block, size_t size)
{
  struct watched *w = context;

  if (size >= LRD_DISCARD_LEAST_BYTES) {
    w->large++;
    for (unsigned i = 0; i < w->engine->shards; i++)
      if (lrd_latch_take_at_once(&w->engine->shard[i].lock))
        lrd_latch_drop(&w->engine->shard[i].lock);
      else
        w->under_lock++;
  }
  w->below.release(w->below.context, block, size);
}

static void *watched_allocate(void *context, size_t size)
{
  struct watched *w = context;

  return w->below.allocate(w->below.context, size);
}

static void *watched_resize(void *context, void *block, size_t old_size, size_t size)
{
  struct watched *w = context;

  return w->below.resize(w->below.context, block, old_size, size);
}

/* Also in a partial engine, which keeps in mind that there is no such key, but no more. */
START_TEST(long_strings)
{
  static const char *const takes[] = { "DEL s", "SET s x", "SET s 1", "RENAME t s", "RENAME s u",
                                       "PEXPIREAT s 1", "RPUSH l 1\nSET s 2 EX 100" };
  struct watched w = { 0 };
  struct rig rig;
  char text[RIG_TEXT];

  rig_open(&rig, (struct rig_setup){ .partial = _i % 2 });
  w.engine = (struct lrd_engine *)rig.engine;
  w.below = w.engine->account.below;
  w.engine->account.below =
      (larder_memory){ watched_allocate, watched_resize, watched_release, &w };
  rig_call(&rig, 0, "SET s 1\nSET t 2\nDEL u", text);
  rig_call(&rig, 0, "SETRANGE s 100000 x", text);
  ck_assert_str_eq(text, ":100001");
  rig_call(&rig, 0, takes[_i / 2], text);
  ck_assert_int_eq(w.large, 1);
  ck_assert_int_eq(w.under_lock, 0);
  if (strncmp(takes[_i / 2], "RENAME s", 8))
    ck_assert_uint_lt(rig_status(&rig).memory, 50000);
  w.engine->account.below = w.below;
  rig_close(&rig);
}
END_TEST

/* A few elements, but a long one among them. */
START_TEST(long_elements)
{
  static const char *const makes[] = { "RPUSH s a %s b", "SADD s a %s", "HSET s a %s",
                                       "HSET s %s a", "ZADD s 1 a 2 %s" };
  static const char *const takes[] = { "DEL s", "SET s x", "RENAME t s", "PEXPIREAT s 1" };
  struct watched w = { 0 };
  struct rig rig;
  static char line[100100], element[100001];
  char text[RIG_TEXT];

  rig_open(&rig, (struct rig_setup){ 0 });
  w.engine = (struct lrd_engine *)rig.engine;
  w.below = w.engine->account.below;
  w.engine->account.below =
      (larder_memory){ watched_allocate, watched_resize, watched_release, &w };
  memset(element, 'e', sizeof element - 1);
  snprintf(line, sizeof line, makes[_i / 4], element);
  rig_call(&rig, 0, line, text);
  rig_call(&rig, 0, "SET t 2", text);
  rig_call(&rig, 0, takes[_i % 4], text);
  ck_assert_int_eq(w.large, 1);
  ck_assert_int_eq(w.under_lock, 0);
  ck_assert_uint_lt(rig_status(&rig).memory, 50000);
  w.engine->account.below = w.below;
  rig_close(&rig);
}
END_TEST

START_TEST(by_the_thread)
{
  struct rig rig;
  char text[RIG_TEXT];
  size_t before;

  rig_open(&rig, (struct rig_setup){ .background = 1, .system_memory = 1, .system_clock = 1 });
  before = rig_status(&rig).memory;
  for (int round = 0; round < 20; round++) {
    make(&rig, "s");
    rig_call(&rig, 0, "UNLINK s", text);
    ck_assert_str_eq(text, ":1");
  }
  while (rig_status(&rig).memory > before + 20000)
    ;
  make(&rig, "s"); /* closing has what is left */
  rig_call(&rig, 0, "UNLINK s", text);
  rig_close(&rig);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("discard");
  TCase *tests = tcase_create("discard");

  tcase_add_loop_test(tests, step_by_step, 0, sizeof kinds / sizeof *kinds);
  tcase_add_loop_test(tests, after_the_call, 0, 10);
  tcase_add_loop_test(tests, long_strings, 0, 14);
  tcase_add_loop_test(tests, long_elements, 0, 20);
  tcase_add_test(tests, by_the_thread);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
