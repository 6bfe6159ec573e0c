/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/set.h"

#include "memory/pool.h"
#include "memory/talk.h"

#include "memory/lines_set.h"

enum { NAMES = 400 };

struct fixture {
  struct pool pool;
  struct lrd_set *set;
  struct lrd_prng prng;
  unsigned char has[NAMES]; /* the model */
  size_t count;
};

static void begin(struct fixture *f, const char *test)
{
  memset(f, 0, sizeof *f);
  pool_init(&f->pool);
  seed_prng(&f->prng, test);
  f->set = lrd_set_new(&f->pool.memory);
  ck_assert_ptr_nonnull(f->set);
}

static void end(struct fixture *f)
{
  lrd_set_free(f->set, &f->pool.memory);
  pool_check_empty(&f->pool);
}

static void compare(const struct fixture *f)
{
  char text[NAME_SIZE];
  unsigned i;

  check_ok(lrd_set_check(f->set));
  ck_assert_uint_eq(f->set->count, f->count);
  for (i = 0; i < NAMES; i++)
    ck_assert_int_eq(lrd_set_has(f->set, name_of(i, text)), f->has[i]);
}

/* Adds n members at once, with allocation number fail_in failing. */
static int add(struct fixture *f, const unsigned *i, size_t n, long fail_in)
{
  char text[40][NAME_SIZE];
  larder_bytes member[40] = { { NULL, 0 } };
  int64_t added, expected = 0;
  size_t k;

  for (k = 0; k < n; k++)
    member[k] = name_of(i[k], text[k]);
  f->pool.fail_in = fail_in;
  added = lrd_set_add(f->set, &f->pool.memory, &f->pool.key, n, member);
  f->pool.fail_in = -1;
  if (added < 0)
    return -1;
  for (k = 0; k < n; k++) {
    expected += !f->has[i[k]];
    f->has[i[k]] = 1;
  }
  f->count += (size_t)expected;
  ck_assert_int_eq(added, expected);
  return 0;
}

static void drop(struct fixture *f, unsigned i)
{
  char text[NAME_SIZE];

  ck_assert_int_eq(lrd_set_remove(f->set, &f->pool.memory, name_of(i, text)), f->has[i]);
  f->count -= f->has[i];
  f->has[i] = 0;
}

START_TEST(random_steps)
{
  struct fixture f;
  unsigned step, i[40], names = 4;
  size_t k, n;
  int grow = 1;

  begin(&f, "set");
  for (step = 0; step < 6000; step++) {
    if (step % 1500 == 0) /* small at first, then large, full and nearly empty by turns */
      names = step == 0 ? 100 : NAMES;
    if (step % 400 == 0)
      grow = !grow || step == 0;
    if (roll(&f.prng, 8) < (grow ? 6u : 1u)) {
      n = roll(&f.prng, 20) ? 1 + roll(&f.prng, 3) : 40;
      for (k = 0; k < n; k++)
        i[k] = roll(&f.prng, names);
      if (add(&f, i, n, roll(&f.prng, 4) ? -1 : (long)roll(&f.prng, 6)) != 0)
        compare(&f);
    } else {
      drop(&f, roll(&f.prng, names));
    }
    if (f.count < 20 || step % 10 == 0)
      compare(&f);
    else
      check_ok(lrd_set_check(f.set));
  }
  end(&f);
}
END_TEST

START_TEST(no_memory_at_every_place)
{
  struct fixture f;
  unsigned i[40], first, k;
  long fail;

  begin(&f, "set");
  for (first = 0; first + 40 <= NAMES; first += 20) {
    for (k = 0; k < 40; k++)
      i[k] = first + k;
    for (fail = 0; add(&f, i, 40, fail) != 0; fail++) {
      ck_assert_int_lt(fail, 1000);
      compare(&f);
    }
    compare(&f);
  }
  end(&f);
}
END_TEST

START_TEST(no_memory_for_a_new_set)
{
  struct pool pool;

  pool_init(&pool);
  pool.fail_in = 0;
  ck_assert_ptr_null(lrd_set_new(&pool.memory));
  pool_check_empty(&pool);
}
END_TEST

/* Grows and shrinks through every form; what is removed is given back. */
START_TEST(memory_follows_count)
{
  struct pool pool;
  struct lrd_set *set;
  unsigned i, round;
  char text[32];
  size_t most = 0;

  pool_init(&pool);
  set = lrd_set_new(&pool.memory);
  for (round = 0; round < 2; round++) {
    for (i = 0; i < 20000; i++) {
      larder_bytes m = { text, (size_t)snprintf(text, sizeof text, "member:%09u", i) };
      ck_assert_int_eq(lrd_set_add(set, &pool.memory, &pool.key, 1, &m), 1);
    }
    check_ok(lrd_set_check(set));
    most = pool.bytes;
    ck_assert_uint_lt(most, 20000 * (17 + 25));
    for (i = 0; i < 20000; i++) {
      larder_bytes m = { text, (size_t)snprintf(text, sizeof text, "member:%09u", i) };
      ck_assert_int_eq(lrd_set_remove(set, &pool.memory, m), 1);
    }
    check_ok(lrd_set_check(set));
    ck_assert_uint_lt(pool.bytes, most / 100);
  }
  lrd_set_free(set, &pool.memory);
  pool_check_empty(&pool);
}
END_TEST

/* Each member is drawn about as often as each other: six standard deviations. */
static void check_fair(struct fixture *f, unsigned members, size_t at_once, unsigned rounds)
{
  unsigned i, round, *drawn = calloc(members, sizeof *drawn), *last = calloc(members, sizeof *last);
  larder_bytes *out = malloc(at_once * sizeof *out);
  double expected = (double)rounds * (double)at_once / members;

  for (i = 0; i < members; i++)
    ck_assert_int_eq(add(f, &i, 1, -1), 0);
  for (round = 0; round < rounds; round++) {
    size_t k;
    ck_assert_int_eq(lrd_set_sample(f->set, &f->pool.memory, &f->prng, at_once, out, NULL), 0);
    for (k = 0; k < at_once; k++) {
      i = number_of(out[k], members);
      drawn[i]++;
      ck_assert_uint_ne(last[i], round + 1); /* not twice at once */
      last[i] = round + 1;
    }
  }
  for (i = 0; i < members; i++) {
    double off = (double)drawn[i] - expected;
    ck_assert_msg(off * off < 36 * expected, "member %u was drawn %u times, expected %.0f", i,
                  drawn[i], expected);
  }
  free(drawn);
  free(last);
  free(out);
}

START_TEST(samples_are_fair)
{
  static const struct {
    unsigned members;
    size_t at_once;
  } shape[] = { { 10, 1 },  { 10, 3 },    { 10, 10 }, { 300, 1 },
                { 300, 20 }, { 300, 200 }, { 137, 1 } };
  struct fixture f;

  begin(&f, "set");
  check_fair(&f, shape[_i].members, shape[_i].at_once,
             (unsigned)(40000 / shape[_i].at_once) + 100);
  end(&f);
}
END_TEST

/* A table that lost nearly all its members draws from the rest. */
START_TEST(samples_of_a_drained_table)
{
  struct fixture f;
  unsigned i;
  larder_bytes out;

  begin(&f, "set");
  for (i = 0; i < NAMES; i++)
    add(&f, &i, 1, -1);
  for (i = 3; i < NAMES; i++) {
    drop(&f, i);
    ck_assert_int_eq(lrd_set_sample(f.set, &f.pool.memory, &f.prng, 1, &out, NULL), 0);
    ck_assert_int_eq(f.has[number_of(out, NAMES)], 1);
  }
  compare(&f);
  end(&f);
}
END_TEST

/* --- commands ------------------------------------------------------------ */

START_TEST(commands)
{
  talk_lines(set_lines, sizeof set_lines / sizeof set_lines[0]);
}
END_TEST

START_TEST(commands_without_memory)
{
  talk_no_memory((const char *const[]){ "SADD s a b c d e f", "SPOP s", "SPOP s 2", "SADD new m",
                                        NULL },
                 "SCARD s", "SMEMBERS new");
}
END_TEST

START_TEST(commands_that_know_a_part)
{
  struct talk t;

  talk_begin(&t, 1);
  talk_expect_unknown(&t, "SISMEMBER s a");
  talk_expect_unknown(&t, "SMEMBERS s");
  talk_expect_intent(&t, "SREM s a", ":0\r\n", "SREM|s|a;", 1);
  talk_expect_unknown(&t, "SISMEMBER s a");
  talk_expect_intent(&t, "SADD s a b a", ":2\r\n", "SADD|s|a|b|a;", 1);
  talk_expect_intent(&t, "SADD s a", ":0\r\n", "SADD|s|a;", 1);
  talk_expect_intent(&t, "SISMEMBER s a", ":1\r\n", "", 0);
  talk_expect_unknown(&t, "SISMEMBER s c");
  talk_expect_unknown(&t, "SCARD s");
  t.vector_flags = LARDER_VECTOR_COMPLETE; /* as the dispatcher marks what consumes */
  talk_expect_unknown(&t, "SPOP s");
  t.vector_flags = 0;
  talk_expect_intent(&t, "SREM s a b", ":2\r\n", "SREM|s|a|b;", 1);
  talk_expect_unknown(&t, "SISMEMBER s a");
  talk_expect_unknown(&t, "SCARD s");
  talk(&t, "DEL s");
  talk_expect_intent(&t, "SISMEMBER s a", ":0\r\n", "", 0);
  talk_expect_intent(&t, "SREM s a", ":0\r\n", "", 0);
  talk_expect_intent(&t, "SADD s a", ":1\r\n", "s;", 0);
  talk_expect_intent(&t, "SADD s a", ":0\r\n", "", 0);
  t.vector_flags = LARDER_VECTOR_COMPLETE;
  talk_expect_intent(&t, "SPOP s", "$1\r\na\r\n", "SREM|s|a;", 0);
  talk_expect_intent(&t, "SPOP s", "$-1\r\n", "", 0);
  t.vector_flags = 0;
  talk_expect_intent(&t, "SCARD s", ":0\r\n", "", 0);
  talk_end(&t);
}
END_TEST

/* What SPOP replies is what is gone, and what the intent names. */
START_TEST(popping)
{
  struct talk t;
  char line[64];
  unsigned i, n, left = 1000;

  talk_begin(&t, 1);
  talk(&t, "DEL s");
  for (i = 0; i < left; i++) {
    snprintf(line, sizeof line, "SADD s m%u", i);
    talk_expect(&t, line, ":1\r\n");
  }
  for (n = 1; left; n = n * 2 + 1) {
    unsigned popped = n < left ? n : left;
    char *at, *reply, *intent, name[24];
    snprintf(line, sizeof line, "SPOP s %u", n);
    reply = strdup(talk(&t, line));
    intent = strdup(t.intents.data);
    snprintf(line, sizeof line, "*%u\r\n", popped);
    ck_assert(strncmp(reply, line, strlen(line)) == 0);
    ck_assert(strncmp(intent, "SREM|s|", 7) == 0);
    for (i = 0, at = reply; (at = strchr(at, 'm')); i++) {
      snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\r"), at);
      at += strlen(name);
      snprintf(line, sizeof line, "SISMEMBER s %s", name);
      talk_expect(&t, line, ":0\r\n");
      snprintf(line, sizeof line, "|%s", name);
      ck_assert_ptr_nonnull(strstr(intent, line));
    }
    ck_assert_uint_eq(i, popped);
    left -= popped;
    snprintf(line, sizeof line, ":%u\r\n", left);
    talk_expect(&t, "SCARD s", line);
    free(reply);
    free(intent);
  }
  talk_expect(&t, "TYPE s", "+none\r\n");
  talk_end(&t);
}
END_TEST

START_TEST(rebuilding)
{
  talk_rebuild("SADD %s m%d", 700, "SMEMBERS", 2);
}
END_TEST

/* What SPOP leaves, a fifth of what it took at most, is a new set (asked of redis-server 7.0): one
 * of integers, if the word is gone and they are few enough. */
START_TEST(spop_makes_a_new_set)
{
  static const struct {
    int members, popped, integers;
  } of[] = { { 30, 25, 1 }, { 30, 24, 0 }, { 600, 500, 1 }, { 600, 499, 0 }, { 4000, 3400, 0 } };
  char line[64], reply[64];
  struct talk t;

  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    talk_begin(&t, 0);
    talk(&t, "SADD s x");
    for (int k = 0; k < of[i].members; k++) {
      snprintf(line, sizeof line, "SADD s %d", k);
      talk_expect(&t, line, ":1\r\n");
    }
    talk_expect(&t, "SREM s x", ":1\r\n");
    talk_expect(&t, "OBJECT ENCODING s", "$9\r\nhashtable\r\n");
    snprintf(line, sizeof line, "SPOP s %d", of[i].popped);
    talk(&t, line);
    snprintf(reply, sizeof reply, ":%d\r\n", of[i].members - of[i].popped);
    talk_expect(&t, "SCARD s", reply);
    talk_expect(&t, "OBJECT ENCODING s",
                of[i].integers ? "$6\r\nintset\r\n" : "$9\r\nhashtable\r\n");
    talk_end(&t);
  }
}
END_TEST

/* Of 600 that a word was among 40 are left; they are a set of integers, or what they were. */
START_TEST(renewing_without_memory)
{
  struct fixture f;
  larder_bytes member;
  char text[24];
  long fail = 0;

  begin(&f, "renewing");
  member = (larder_bytes){ "word", 4 };
  ck_assert_int_eq(lrd_set_add(f.set, &f.pool.memory, &f.pool.key, 1, &member), 1);
  for (int i = 0; i < 600; i++) {
    member = (larder_bytes){ text, (size_t)snprintf(text, sizeof text, "%d", i * 1000) };
    ck_assert_int_eq(lrd_set_add(f.set, &f.pool.memory, &f.pool.key, 1, &member), 1);
  }
  for (int i = 40; i < 600; i++) {
    member = (larder_bytes){ text, (size_t)snprintf(text, sizeof text, "%d", i * 1000) };
    ck_assert_int_eq(lrd_set_remove(f.set, &f.pool.memory, member), 1);
  }
  ck_assert_int_eq(lrd_set_remove(f.set, &f.pool.memory, (larder_bytes){ "word", 4 }), 1);
  do {
    ck_assert_int_lt(fail, 100);
    f.pool.fail_in = fail++;
    lrd_set_renew(f.set, &f.pool.memory, &f.pool.key);
    f.pool.fail_in = -1;
    check_ok(lrd_set_check(f.set));
    ck_assert_uint_eq(f.set->count, 40);
  } while (!lrd_set_is_integers(f.set));
  ck_assert_int_gt(fail, 1);
  end(&f);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("set");
  TCase *t = tcase_create("set");

  tcase_set_timeout(t, 120);
  tcase_add_test(t, random_steps);
  tcase_add_test(t, no_memory_at_every_place);
  tcase_add_test(t, no_memory_for_a_new_set);
  tcase_add_test(t, memory_follows_count);
  tcase_add_loop_test(t, samples_are_fair, 0, 7);
  tcase_add_test(t, samples_of_a_drained_table);
  tcase_add_test(t, commands);
  tcase_add_test(t, commands_without_memory);
  tcase_add_test(t, commands_that_know_a_part);
  tcase_add_test(t, popping);
  tcase_add_test(t, rebuilding);
  tcase_add_test(t, spop_makes_a_new_set);
  tcase_add_test(t, renewing_without_memory);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
