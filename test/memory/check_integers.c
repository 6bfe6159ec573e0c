/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/clone.h"
#include "memory/set.h"

#include "memory/pool.h"
#include "memory/talk.h"
#include "util/number.h"

/* Sets of integers against a model: numbers in a row, in order. */

enum { MOST = 1200, TEXT = 32, AT_ONCE = 40 };

struct fixture {
  struct pool pool;
  struct lrd_set *set;
  struct lrd_prng prng;
  int64_t has[MOST]; /* the model */
  size_t count;
};

/* The borders of the widths, and what lies beside them. */
static const int64_t border[] = {
  0, -1, 1, INT16_MAX - 1, INT16_MAX, INT16_MAX + 1, INT16_MIN + 1, INT16_MIN, INT16_MIN - 1,
  INT32_MAX - 1, INT32_MAX, (int64_t)INT32_MAX + 1, INT32_MIN + 1, INT32_MIN,
  (int64_t)INT32_MIN - 1, INT64_MAX - 1, INT64_MAX, INT64_MIN + 1, INT64_MIN
};
enum { BORDERS = sizeof border / sizeof *border };

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

static larder_bytes print(int64_t n, char *text)
{
  return (larder_bytes){ text, lrd_print_integer(text, n) };
}

static size_t model_find(const struct fixture *f, int64_t n)
{
  size_t i;

  for (i = 0; i < f->count && f->has[i] < n; i++)
    ;
  return i < f->count && f->has[i] == n ? i : f->count;
}

static void model_add(struct fixture *f, int64_t n)
{
  size_t at = f->count++;

  for (; at && f->has[at - 1] > n; at--)
    f->has[at] = f->has[at - 1];
  f->has[at] = n;
}

/* All members, in order if the set is one of integers; a word may be among them. */
static void compare(const struct fixture *f, int words)
{
  struct lrd_set_cursor c = { 0 };
  size_t walked = 0;
  int64_t n;
  char text[TEXT];
  larder_bytes member;

  check_ok(lrd_set_check(f->set));
  ck_assert_uint_eq(f->set->count, f->count + (size_t)words);
  ck_assert(!(words && lrd_set_is_integers(f->set)));
  while (lrd_set_next(f->set, &c, &member)) {
    if (!lrd_parse_integer(member.data, member.len, &n)) {
      words--;
      continue;
    }
    ck_assert_uint_lt(walked, f->count);
    if (lrd_set_is_integers(f->set))
      ck_assert_int_eq(n, f->has[walked]);
    else
      ck_assert_uint_lt(model_find(f, n), f->count);
    walked++;
  }
  ck_assert_uint_eq(walked, f->count);
  ck_assert_int_eq(words, 0);
  for (size_t i = 0; i < BORDERS; i++)
    ck_assert_int_eq(lrd_set_has(f->set, print(border[i], text)),
                     model_find(f, border[i]) < f->count);
}

static int add(struct fixture *f, const int64_t *n, size_t count, long fail_in)
{
  char text[AT_ONCE][TEXT];
  larder_bytes member[AT_ONCE] = { { NULL, 0 } };
  size_t expected = 0;
  int64_t added;

  for (size_t i = 0; i < count; i++)
    member[i] = print(n[i], text[i]);
  f->pool.fail_in = fail_in;
  added = lrd_set_add(f->set, &f->pool.memory, &f->pool.key, count, member);
  f->pool.fail_in = -1;
  if (added < 0)
    return -1;
  for (size_t i = 0; i < count; i++)
    if (model_find(f, n[i]) == f->count) {
      model_add(f, n[i]);
      expected++;
    }
  ck_assert_int_eq(added, (int64_t)expected);
  return 0;
}

static void drop(struct fixture *f, int64_t n)
{
  char text[TEXT];
  size_t at = model_find(f, n);

  ck_assert_int_eq(lrd_set_remove(f->set, &f->pool.memory, print(n, text)), at < f->count);
  if (at < f->count)
    memmove(f->has + at, f->has + at + 1, (--f->count - at) * sizeof *f->has);
}

static int add_word(struct fixture *f, const char *word, long fail_in)
{
  larder_bytes member = { word, strlen(word) };
  int64_t added;

  f->pool.fail_in = fail_in;
  added = lrd_set_add(f->set, &f->pool.memory, &f->pool.key, 1, &member);
  f->pool.fail_in = -1;
  return added < 0 ? -1 : (int)added;
}

/* A number of up to so many bytes; borders often. */
static int64_t any(struct fixture *f, unsigned width)
{
  int64_t n = (int64_t)roll(&f->prng, 700) - 350;

  if (roll(&f->prng, 3) == 0)
    n = border[roll(&f->prng, BORDERS)];
  else if (roll(&f->prng, 4) == 0)
    n = (int64_t)(((uint64_t)roll(&f->prng, 1u << 31) << 33) | roll(&f->prng, 1u << 31)) >>
        roll(&f->prng, 60);
  return width == 2 ? (int16_t)n : width == 4 ? (int32_t)n : n;
}

/* Grows and shrinks, the memory giving out now and then. */
START_TEST(random_steps)
{
  static const unsigned widths[] = { 2, 4, 8 };
  int64_t n[AT_ONCE];
  struct fixture f;
  int grow = 1;

  begin(&f, "integers");
  for (unsigned step = 0; step < 4000; step++) {
    unsigned width = widths[step < 500 ? 0 : step < 1000 ? roll(&f.prng, 2) : roll(&f.prng, 3)];
    size_t count = roll(&f.prng, 10) ? 1 + roll(&f.prng, 3) : AT_ONCE;

    grow = f.count < 5 ? 1 : f.count > 400 ? 0 : grow;
    if (roll(&f.prng, 8) < (grow ? 6u : 1u)) {
      for (size_t k = 0; k < count; k++)
        n[k] = any(&f, width);
      (void)add(&f, n, count, roll(&f.prng, 4) ? -1 : 0);
    } else if (f.count && roll(&f.prng, 2)) {
      drop(&f, f.has[roll(&f.prng, (unsigned)f.count)]);
    } else {
      drop(&f, any(&f, 8));
    }
    compare(&f, 0);
    ck_assert(lrd_set_is_integers(f.set));
    ck_assert_uint_le(f.pool.blocks, 2);
  }
  end(&f);
}
END_TEST

/* What each border makes the width, whatever was there before it. */
START_TEST(widths)
{
  static const int64_t few[] = { -3, 0, 7 };
  struct fixture f;

  for (size_t i = 0; i < BORDERS; i++) {
    size_t width = border[i] == (int16_t)border[i] ? 2 : border[i] == (int32_t)border[i] ? 4 : 8;

    begin(&f, "widths");
    ck_assert_int_eq(add(&f, few, 3, -1), 0);
    ck_assert_uint_eq(f.set->packed.used, 6);
    ck_assert_int_eq(add(&f, &border[i], 1, -1), 0);
    ck_assert_uint_eq(f.set->packed.used, f.count * width);
    compare(&f, 0);
    drop(&f, border[i]);
    compare(&f, 0);
    for (size_t k = 0; k < BORDERS; k++) {
      ck_assert_int_eq(add(&f, &border[k], 1, -1), 0);
      compare(&f, 0);
    }
    while (f.count) {
      drop(&f, f.has[roll(&f.prng, (unsigned)f.count)]);
      compare(&f, 0);
    }
    end(&f);
  }
}
END_TEST

/* Integers in Redis's sense alone: as they are printed. */
START_TEST(what_is_an_integer)
{
  static const char *const word[] = { "", "01", "+1", "-0", " 1", "1 ", "1.0", "-", "0x1", "1e3",
                                      "9223372036854775808", "-9223372036854775809",
                                      "99999999999999999999" };
  static const int64_t few[] = { 1, 0, -1 };
  struct fixture f;

  for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
    larder_bytes member = { word[i], strlen(word[i]) };

    begin(&f, "words");
    ck_assert_int_eq(add(&f, few, 3, -1), 0);
    ck_assert_int_eq(lrd_set_has(f.set, member), 0);
    ck_assert_int_eq(lrd_set_remove(f.set, &f.pool.memory, member), 0);
    ck_assert(lrd_set_is_integers(f.set));
    ck_assert_int_eq(add_word(&f, word[i], -1), 1);
    ck_assert_int_eq(lrd_set_has(f.set, member), 1);
    compare(&f, 1);
    ck_assert_int_eq(lrd_set_remove(f.set, &f.pool.memory, member), 1);
    ck_assert(!lrd_set_is_integers(f.set)); /* never back */
    compare(&f, 0);
    end(&f);
  }
}
END_TEST

static void fill(struct fixture *f, size_t count, int64_t step)
{
  for (int64_t n = 0; f->count < count; n += step)
    ck_assert_int_eq(add(f, &n, 1, -1), 0);
}

/* A word makes blobs of few and a table of many; without memory nothing changes. */
START_TEST(a_word_comes)
{
  static const size_t counts[] = { 1, 3, 127, 128, 129, 511, 512 };
  struct fixture f;

  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    long fail = 0;

    begin(&f, "a word");
    fill(&f, counts[i], 1 + (int64_t)i * 1000000);
    for (; add_word(&f, "word", fail) != 1; fail += 1 + fail / 16) {
      ck_assert_int_lt(fail, 5000);
      compare(&f, 0);
    }
    ck_assert_int_ge(fail, 1);
    ck_assert_int_eq(f.set->table != NULL, counts[i] >= 128);
    compare(&f, 1);
    end(&f);
  }
}
END_TEST

/* The 513th makes a table; one that is there, or no memory, doesn't. */
START_TEST(one_too_many)
{
  int64_t n[AT_ONCE], next = 512 * 3;
  struct fixture f;
  long fail = 0;

  begin(&f, "513");
  fill(&f, 512, 3);
  ck_assert(lrd_set_is_integers(f.set));
  for (size_t i = 0; i < AT_ONCE; i++)
    n[i] = 3 * (int64_t)i;
  ck_assert_int_eq(add(&f, n, AT_ONCE, 0), 0); /* nothing new */
  ck_assert(lrd_set_is_integers(f.set));
  for (; add(&f, &next, 1, fail) != 0; fail += 1 + fail / 16) {
    ck_assert_int_lt(fail, 5000);
    compare(&f, 0);
  }
  ck_assert_ptr_nonnull(f.set->table);
  compare(&f, 0);
  while (f.count > 3)
    drop(&f, f.has[f.count - 1]);
  ck_assert(!lrd_set_is_integers(f.set));
  compare(&f, 0);
  end(&f);
}
END_TEST

/* A vector of numbers that must widen and grow: all of it, or nothing. */
START_TEST(no_memory_for_a_vector)
{
  int64_t n[AT_ONCE];
  struct fixture f;
  long fail = 0;

  begin(&f, "vector");
  fill(&f, 200, 7);
  for (size_t i = 0; i < AT_ONCE; i++)
    n[i] = i < BORDERS ? border[i] : (int64_t)i;
  for (; add(&f, n, AT_ONCE, fail) != 0; fail++) {
    ck_assert_int_lt(fail, 10);
    compare(&f, 0);
    ck_assert_uint_eq(f.set->packed.used, 400);
  }
  ck_assert_int_ge(fail, 1);
  compare(&f, 0);
  end(&f);
}
END_TEST

/* 512 integers in one block of not much more than they take. */
START_TEST(memory_of_many)
{
  static const int64_t step[] = { 3, 100000, INT64_C(1) << 50 };
  static const size_t width[] = { 2, 4, 8 };
  struct fixture f;

  for (size_t i = 0; i < 3; i++) {
    begin(&f, "memory");
    fill(&f, 512, step[i]);
    ck_assert_uint_eq(f.pool.blocks, 2);
    ck_assert_uint_le(f.pool.bytes, 512 * width[i] * 9 / 8 + 64);
    while (f.count > 8)
      drop(&f, f.has[f.count - 1]);
    ck_assert_uint_le(f.pool.bytes, 8 * width[i] + 64);
    end(&f);
  }
}
END_TEST

/* Each is drawn about as often as each other: six standard deviations. */
START_TEST(samples_are_fair)
{
  static const struct {
    size_t members, at_once;
  } shape[] = { { 1, 1 }, { 10, 1 }, { 10, 3 }, { 10, 10 }, { 300, 1 }, { 300, 20 }, { 300, 299 } };
  size_t members = shape[_i].members, n = shape[_i].at_once, rounds = 40000 / n + 100;
  double expected = (double)(rounds * n) / (double)members;
  unsigned drawn[300] = { 0 };
  larder_bytes out[300];
  struct fixture f;
  char *room;

  begin(&f, "samples");
  fill(&f, members, 5);
  ck_assert_uint_ge(lrd_set_room(f.set, n), n);
  room = malloc(lrd_set_room(f.set, n));
  for (size_t round = 0; round < rounds; round++) {
    int64_t number, last = -1;

    ck_assert_int_eq(lrd_set_sample(f.set, &f.pool.memory, &f.prng, n, out, room), 0);
    for (size_t k = 0; k < n; k++) {
      ck_assert_int_eq(lrd_parse_integer(out[k].data, out[k].len, &number), 1);
      ck_assert_int_gt(number, last); /* not twice at once */
      last = number;
      drawn[number / 5]++;
    }
  }
  for (size_t i = 0; i < members; i++) {
    double off = drawn[i] - expected;
    ck_assert_msg(off * off <= 36 * expected, "%zu was drawn %u times, expected %.0f", 5 * i,
                  drawn[i], expected);
  }
  free(room);
  end(&f);
}
END_TEST

/* A copy has the original's form, or none is made. */
START_TEST(copies)
{
  static const char *const word[] = { NULL, "x" };
  struct fixture f;

  for (unsigned i = 0; i < 8; i++) {
    struct lrd_set *copy, *own;
    long fail = 0;

    begin(&f, "copies");
    fill(&f, i / 2 % 2 ? 512 : 90, 1000);
    if (word[i % 2])
      ck_assert_int_eq(add_word(&f, word[i % 2], -1), 1);
    if (i >= 4) {
      fill(&f, 600, 1000);
      while (f.count > 40)
        drop(&f, f.has[f.count - 1]);
    }
    do {
      size_t bytes = f.pool.bytes;

      f.pool.fail_in = fail++;
      fail += fail / 16;
      copy = lrd_clone(&f.pool.memory, &f.pool.key, LRD_SET_KIND, f.set);
      f.pool.fail_in = -1;
      ck_assert(copy || f.pool.bytes == bytes);
    } while (!copy);
    ck_assert_int_eq(lrd_set_is_integers(copy), lrd_set_is_integers(f.set));
    ck_assert_uint_eq(copy->packed.most, f.set->packed.most);
    ck_assert_uint_eq(copy->packed.longest, f.set->packed.longest);
    own = f.set;
    f.set = copy;
    compare(&f, word[i % 2] != NULL);
    lrd_set_free(own, &f.pool.memory);
    end(&f);
  }
}
END_TEST

/* --- commands -------------------------------------------------------------------- */

START_TEST(commands_without_memory)
{
  talk_no_memory((const char *const[]){ "SADD s 5 1 3 2 4 70000", "SADD s -9223372036854775808",
                                        "SPOP s 2", "SADD s x", "SPOP s 3", NULL },
                 "SCARD s", "SMEMBERS new");
}
END_TEST

START_TEST(rebuilding)
{
  talk_rebuild("SADD %s %d", 500, "SMEMBERS", 1);
}
END_TEST

/* Many prints at once: each of these holds all members until it replies. */
START_TEST(prints_stay)
{
  enum { SIZE = 1 << 16 };
  char line[64], *sorted = calloc(1, SIZE), *scanned = calloc(1, SIZE);
  struct talk t;
  size_t at, from;

  talk_begin(&t, 0);
  at = (size_t)sprintf(sorted, "*500\r\n");
  from = (size_t)sprintf(scanned, "*2\r\n$1\r\n0\r\n*500\r\n");
  for (int i = 500; i-- > 0;) {
    snprintf(line, sizeof line, "SADD s %d", 1000 + i);
    talk_expect(&t, line, ":1\r\n");
  }
  for (int i = 0; i < 500; i++) {
    at += (size_t)sprintf(sorted + at, "$4\r\n%d\r\n", 1000 + i);
    from += (size_t)sprintf(scanned + from, "$4\r\n%d\r\n", 1000 + i);
  }
  talk_expect(&t, "SORT s", sorted);
  talk_expect(&t, "SORT s ALPHA", sorted);
  talk_expect(&t, "SORT s BY nosort", sorted);
  talk_expect(&t, "SORT s BY w_* GET #", sorted);
  talk_expect(&t, "SMEMBERS s", sorted);
  talk_expect(&t, "SSCAN s 0", scanned);
  talk_expect(&t, "SSCAN s 0 MATCH 1?99", "*2\r\n$1\r\n0\r\n*5\r\n$4\r\n1099\r\n$4\r\n1199\r\n"
                                          "$4\r\n1299\r\n$4\r\n1399\r\n$4\r\n1499\r\n");
  talk_expect(&t, "SRANDMEMBER s 500", sorted);
  talk_expect(&t, "SPOP s 500", sorted);
  talk_expect(&t, "EXISTS s", ":0\r\n");
  talk_end(&t);
  free(sorted);
  free(scanned);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("integers");
  TCase *t = tcase_create("integers");

  tcase_set_timeout(t, 120);
  tcase_add_test(t, random_steps);
  tcase_add_test(t, widths);
  tcase_add_test(t, what_is_an_integer);
  tcase_add_test(t, a_word_comes);
  tcase_add_test(t, one_too_many);
  tcase_add_test(t, no_memory_for_a_vector);
  tcase_add_test(t, memory_of_many);
  tcase_add_loop_test(t, samples_are_fair, 0, 7);
  tcase_add_test(t, copies);
  tcase_add_test(t, commands_without_memory);
  tcase_add_test(t, rebuilding);
  tcase_add_test(t, prints_stay);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
