/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/hash.h"

#include "memory/pool.h"
#include "memory/talk.h"

#include "memory/lines_hash.h"

enum { NAMES = 400 };

/* The model: field i has a value made of its number and a version; 0: none. */
struct fixture {
  struct pool pool;
  struct lrd_hash *hash;
  struct lrd_prng prng;
  unsigned version[NAMES];
  unsigned char sum[NAMES];
  size_t count;
};

static void begin(struct fixture *f)
{
  memset(f, 0, sizeof *f);
  pool_init(&f->pool);
  seed_prng(&f->prng, "hash");
  f->hash = lrd_hash_new(&f->pool.memory);
  ck_assert_ptr_nonnull(f->hash);
}

static void end(struct fixture *f)
{
  lrd_hash_free(f->hash, &f->pool.memory);
  pool_check_empty(&f->pool);
}

/* Values of many lengths: packed ones and a few that are not. */
static larder_bytes value_of(unsigned i, unsigned version, char text[NAME_SIZE])
{
  int len = snprintf(text, NAME_SIZE, "%u.%u", i, version);

  if (version % 3 == 0)
    memset(text + len, 'v', version % 31), len += (int)(version % 31);
  if (version % 499 == 498)
    memset(text + len, 'w', 150), len += 150;
  return (larder_bytes){ text, version % 61 == 60 ? 0 : (size_t)len };
}

static void compare(const struct fixture *f)
{
  struct lrd_hash_cursor c = { 0 };
  char field[NAME_SIZE], value[NAME_SIZE];
  struct lrd_pair pair;
  larder_bytes found;
  size_t seen = 0;
  unsigned i;

  check_ok(lrd_hash_check(f->hash));
  ck_assert_uint_eq(f->hash->count, f->count);
  for (i = 0; i < NAMES; i++) {
    larder_bytes name = name_of(i, field);
    ck_assert_int_eq(lrd_hash_get(f->hash, name, &found), f->version[i] != 0);
    ck_assert_int_eq(lrd_hash_is_sum(f->hash, name), f->sum[i]);
    if (f->version[i])
      ck_assert(lrd_bytes_equal(found, value_of(i, f->version[i], value)));
  }
  while (lrd_hash_next(f->hash, &c, &pair)) {
    i = number_of(pair.field, NAMES);
    ck_assert(lrd_bytes_equal(pair.value, value_of(i, f->version[i], value)));
    seen++;
  }
  ck_assert_uint_eq(seen, f->count);
}

static int set(struct fixture *f, const unsigned *i, size_t n, unsigned version, long fail_in)
{
  char text[80][NAME_SIZE];
  larder_bytes pair[80] = { { NULL, 0 } };
  int64_t added, expected = 0;
  size_t k;

  for (k = 0; k < n; k++) {
    pair[2 * k] = name_of(i[k], text[2 * k]);
    pair[2 * k + 1] = value_of(i[k], version + (unsigned)k, text[2 * k + 1]);
  }
  f->pool.fail_in = fail_in;
  added = lrd_hash_set(f->hash, &f->pool.memory, &f->pool.key, n, pair);
  f->pool.fail_in = -1;
  if (added < 0)
    return -1;
  for (k = 0; k < n; k++) {
    expected += f->version[i[k]] == 0;
    f->version[i[k]] = version + (unsigned)k;
    f->sum[i[k]] = 0;
  }
  f->count += (size_t)expected;
  ck_assert_int_eq(added, expected);
  return 0;
}

static int set_sum(struct fixture *f, unsigned i, unsigned version, long fail_in)
{
  char field[NAME_SIZE], value[NAME_SIZE];
  int failed;

  f->pool.fail_in = fail_in;
  failed = lrd_hash_set_sum(f->hash, &f->pool.memory, &f->pool.key, name_of(i, field),
                            value_of(i, version, value));
  f->pool.fail_in = -1;
  if (failed)
    return -1;
  f->count += f->version[i] == 0;
  f->version[i] = version;
  f->sum[i] = 1;
  return 0;
}

static void drop(struct fixture *f, unsigned i)
{
  char text[NAME_SIZE];

  ck_assert_int_eq(lrd_hash_remove(f->hash, &f->pool.memory, name_of(i, text)),
                   f->version[i] != 0);
  f->count -= f->version[i] != 0;
  f->version[i] = f->sum[i] = 0;
}

START_TEST(random_steps)
{
  struct fixture f;
  unsigned step, i[40], version = 1, names = 100;
  size_t k, n;

  begin(&f);
  for (step = 0; step < 6000; step++) {
    int growing = step / 500 % 2 == 0;
    if (step == 1000)
      names = NAMES;
    n = roll(&f.prng, 20) ? 1 + roll(&f.prng, 3) : 40;
    for (k = 0; k < n; k++)
      i[k] = roll(&f.prng, names);
    if (roll(&f.prng, 30) == 0)
      set_sum(&f, i[0], version, roll(&f.prng, 4) ? -1 : (long)roll(&f.prng, 5));
    else if (roll(&f.prng, 8) < (growing ? 6u : 1u))
      set(&f, i, n, version, roll(&f.prng, 4) ? -1 : (long)roll(&f.prng, 6));
    else
      drop(&f, i[0]);
    version += 41;
    if (f.count < 20 || step % 10 == 0)
      compare(&f);
    else
      check_ok(lrd_hash_check(f.hash));
  }
  end(&f);
}
END_TEST

START_TEST(no_memory_at_every_place)
{
  struct fixture f;
  unsigned i[40], first, k;
  long fail;

  begin(&f);
  for (first = 0; first + 40 <= NAMES; first += 20) {
    for (k = 0; k < 40; k++)
      i[k] = first + k;
    for (fail = 0; set(&f, i, 40, first + 1, fail) != 0; fail++) {
      ck_assert_int_lt(fail, 1000);
      compare(&f);
    }
    for (fail = 0; set_sum(&f, first + 39, first + 3, fail) != 0; fail++) {
      ck_assert_int_lt(fail, 1000);
      compare(&f);
    }
    compare(&f);
  }
  end(&f);
}
END_TEST

START_TEST(memory_follows_count)
{
  struct pool pool;
  struct lrd_hash *hash;
  char text[32];
  unsigned i;
  size_t most;

  pool_init(&pool);
  hash = lrd_hash_new(&pool.memory);
  for (i = 0; i < 20000; i++) {
    larder_bytes pair[2] = { { text, (size_t)snprintf(text, sizeof text, "field:%09u", i) },
                             { "01234567890123456789", 20 } };
    ck_assert_int_eq(lrd_hash_set(hash, &pool.memory, &pool.key, 1, pair), 1);
  }
  check_ok(lrd_hash_check(hash));
  most = pool.bytes;
  ck_assert_uint_lt(most, 20000 * (15 + 20 + 26));
  for (i = 0; i < 20000; i++) {
    larder_bytes field = { text, (size_t)snprintf(text, sizeof text, "field:%09u", i) };
    ck_assert_int_eq(lrd_hash_remove(hash, &pool.memory, field), 1);
  }
  ck_assert_uint_lt(pool.bytes, most / 100);
  lrd_hash_free(hash, &pool.memory);
  pool_check_empty(&pool);
}
END_TEST

/* --- commands ------------------------------------------------------------ */

START_TEST(commands)
{
  talk_lines(hash_lines, sizeof hash_lines / sizeof hash_lines[0]);
}
END_TEST

START_TEST(commands_without_memory)
{
  talk_no_memory((const char *const[]){ "HSET h a 1 b 2 c 3", "HINCRBY h n 5", "HSET new f v",
                                        "HINCRBY newer n 1", NULL },
                 "HGETALL h", "HGETALL new");
}
END_TEST

START_TEST(commands_that_know_a_part)
{
  struct talk t;

  talk_begin(&t, 1);
  talk_expect_unknown(&t, "HGET h a");
  talk_expect_unknown(&t, "HGETALL h");
  talk_expect_intent(&t, "HDEL h a", ":0\r\n", "HDEL|h|a;", 1);
  talk_expect_unknown(&t, "HGET h a");
  talk_expect_intent(&t, "HSET h a 1 b x", ":2\r\n", "HSET|h|a|1|b|x;", 1);
  talk_expect_intent(&t, "HGET h a", "$1\r\n1\r\n", "", 0);
  talk_expect_unknown(&t, "HGET h c");
  talk_expect_unknown(&t, "HLEN h");
  talk_expect_unknown(&t, "HINCRBY h b 1");
  talk_expect_intent(&t, "HINCRBY h a 4", ":5\r\n", "HINCRBY|h|a|4;", 1);
  talk_expect_intent(&t, "HGET h a", "$1\r\n5\r\n", "", 0);
  talk_expect_intent(&t, "HINCRBY h n 2", ":2\r\n", "HINCRBY|h|n|2;", 1);
  talk_expect_unknown(&t, "HGET h n"); /* two more than what is not known */
  talk_expect_intent(&t, "HINCRBY h n 2", ":4\r\n", "HINCRBY|h|n|2;", 1);
  talk_expect_unknown(&t, "HGET h n");
  talk_expect_intent(&t, "HSET h n 7", ":0\r\n", "HSET|h|n|7;", 1);
  talk_expect_intent(&t, "HGET h n", "$1\r\n7\r\n", "", 0);
  talk_expect_intent(&t, "HDEL h a b n", ":3\r\n", "HDEL|h|a|b|n;", 1);
  talk_expect_unknown(&t, "HGET h a"); /* emptied, but not gone */
  talk_expect_unknown(&t, "HLEN h");
  talk_expect_intent(&t, "HINCRBY fresh n 1", ":1\r\n", "HINCRBY|fresh|n|1;", 1);
  talk_expect_unknown(&t, "HGET fresh n");
  talk(&t, "DEL h");
  talk_expect_intent(&t, "HGET h a", "$-1\r\n", "", 0);
  talk_expect_intent(&t, "HDEL h a", ":0\r\n", "", 0);
  talk_expect_intent(&t, "HINCRBY h n 1", ":1\r\n", "h;", 0);
  talk_expect_intent(&t, "HGET h n", "$1\r\n1\r\n", "", 0);
  talk_expect_intent(&t, "HDEL h n", ":1\r\n", "h;", 0);
  talk_expect_intent(&t, "HLEN h", ":0\r\n", "", 0);
  talk_end(&t);
}
END_TEST

START_TEST(rebuilding)
{
  talk_rebuild("HSET %s f%d v%d", 700, "HGETALL", 3);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("hash");
  TCase *t = tcase_create("hash");

  tcase_set_timeout(t, 120);
  tcase_add_test(t, random_steps);
  tcase_add_test(t, no_memory_at_every_place);
  tcase_add_test(t, memory_follows_count);
  tcase_add_test(t, commands);
  tcase_add_test(t, commands_without_memory);
  tcase_add_test(t, commands_that_know_a_part);
  tcase_add_test(t, rebuilding);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
