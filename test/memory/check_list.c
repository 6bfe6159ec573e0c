/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/list.h"

#include "memory/packed.h"
#include "memory/pool.h"
#include "memory/talk.h"

#include "memory/lines_list.h"

enum { MODEL = 40000 };

/* The model: the numbers of the elements, in the middle of a long row. */
struct fixture {
  struct pool pool;
  struct lrd_list *list;
  struct lrd_prng prng;
  unsigned *row;
  size_t begin, end;
  char big[9000];
};

static void begin(struct fixture *f)
{
  memset(f, 0, sizeof *f);
  pool_init(&f->pool);
  seed_prng(&f->prng, "list");
  f->list = lrd_list_new(&f->pool.memory);
  ck_assert_ptr_nonnull(f->list);
  f->row = malloc(2 * MODEL * sizeof *f->row);
  f->begin = f->end = MODEL;
  memset(f->big, 'b', sizeof f->big);
}

static void end(struct fixture *f)
{
  lrd_list_free(f->list, &f->pool.memory);
  pool_check_empty(&f->pool);
  free(f->row);
}

/* Lengths of one, two and more bytes of varint, some beyond a chunk. */
static larder_bytes element_of(struct fixture *f, unsigned i, char text[NAME_SIZE])
{
  if (i % 151 == 150)
    return (larder_bytes){ f->big, 3900 + i % 5000 };
  if (i % 41 == 40)
    return (larder_bytes){ f->big, 100 + i % 60 };
  return name_of(i, text);
}

static void check_element(struct fixture *f, size_t index, larder_bytes e)
{
  char text[NAME_SIZE];
  ck_assert(lrd_bytes_equal(e, element_of(f, f->row[f->begin + index], text)));
}

static void compare(struct fixture *f)
{
  struct lrd_list_cursor c;
  size_t n = f->end - f->begin, i;
  larder_bytes e;

  check_ok(lrd_list_check(f->list));
  ck_assert_uint_eq(f->list->count, n);
  if (!n)
    return;
  lrd_list_seek(f->list, 0, &c);
  for (i = 0; lrd_list_next(&c, &e); i++)
    check_element(f, i, e);
  ck_assert_uint_eq(i, n);
  lrd_list_seek_last(f->list, &c);
  for (; lrd_list_previous(&c, &e); i--)
    check_element(f, i - 1, e);
  ck_assert_uint_eq(i, 0);
}

static void check_seek(struct fixture *f)
{
  size_t n = f->end - f->begin, at = n ? roll(&f->prng, (unsigned)n) : 0;
  struct lrd_list_cursor c;
  larder_bytes e;

  if (!n)
    return;
  lrd_list_seek(f->list, at, &c);
  ck_assert_int_eq(lrd_list_next(&c, &e), 1);
  check_element(f, at, e);
}

static int push(struct fixture *f, enum lrd_side side, const unsigned *i, size_t n, long fail_in)
{
  static char text[40][NAME_SIZE];
  larder_bytes e[40] = { { NULL, 0 } };
  size_t k;
  int failed;

  for (k = 0; k < n; k++)
    e[k] = element_of(f, i[k], text[k]);
  f->pool.fail_in = fail_in;
  failed = lrd_list_push(f->list, &f->pool.memory, side, n, e);
  f->pool.fail_in = -1;
  for (k = 0; !failed && k < n; k++)
    if (side == LRD_LIST_FRONT)
      f->row[--f->begin] = i[k];
    else
      f->row[f->end++] = i[k];
  return failed;
}

static void pop(struct fixture *f, enum lrd_side side, size_t n)
{
  lrd_list_pop(f->list, &f->pool.memory, side, n);
  if (side == LRD_LIST_FRONT)
    f->begin += n;
  else
    f->end -= n;
}

/* An element put in at a place, or (replace) instead of the one there. */
static void put(struct fixture *f, int replace)
{
  size_t n = f->end - f->begin, at = roll(&f->prng, (unsigned)n), k;
  unsigned i = roll(&f->prng, 5000);
  struct lrd_list_cursor c;
  char text[NAME_SIZE];
  larder_bytes e;
  int failed;

  lrd_list_seek(f->list, at, &c);
  if (!replace && roll(&f->prng, 2)) { /* behind it */
    lrd_list_next(&c, &e);
    at++;
  }
  f->pool.fail_in = roll(&f->prng, 4) ? -1 : (long)roll(&f->prng, 2);
  failed = lrd_list_put(f->list, &f->pool.memory, &c, replace, element_of(f, i, text));
  f->pool.fail_in = -1;
  if (failed)
    return;
  if (!replace) {
    for (k = f->end++; k > f->begin + at; k--)
      f->row[k] = f->row[k - 1];
  }
  f->row[f->begin + at] = i;
}

static void remove_equal(struct fixture *f)
{
  size_t n = f->end - f->begin, skip = roll(&f->prng, 2), most = 1 + roll(&f->prng, 3);
  size_t seen = 0, to = f->begin, k;
  char text[NAME_SIZE], other[NAME_SIZE];
  larder_bytes what = element_of(f, f->row[f->begin + roll(&f->prng, (unsigned)n)], text);

  f->pool.fail_in = 0; /* needs no memory */
  lrd_list_remove_equal(f->list, &f->pool.memory, what, skip, most);
  f->pool.fail_in = -1;
  for (k = f->begin; k < f->end; k++)
    if (!lrd_bytes_equal(element_of(f, f->row[k], other), what) || seen++ < skip ||
        seen > skip + most)
      f->row[to++] = f->row[k];
  f->end = to;
}

START_TEST(steps_in_the_middle)
{
  struct fixture f;
  unsigned step, i;
  size_t count;

  begin(&f);
  for (step = 0; step < 12000; step++) {
    int growing = step / 800 % 2 == 0;
    count = f.end - f.begin;
    i = roll(&f.prng, 60);
    if (!count)
      push(&f, LRD_LIST_BACK, &i, 1, -1);
    else if (roll(&f.prng, 8) < (growing ? 5u : 1u))
      put(&f, roll(&f.prng, 3) == 0);
    else if (roll(&f.prng, 4) == 0)
      put(&f, 1);
    else
      remove_equal(&f);
    check_ok(lrd_list_check(f.list));
    if (step % 20 == 0)
      compare(&f);
  }
  end(&f);
}
END_TEST

/* What is put in costs its chunk, however long the list is. */
START_TEST(one_chunk_changes)
{
  struct fixture f;
  struct lrd_list_cursor c;
  size_t blocks, bytes, i;
  larder_bytes e = { "0123456789", 10 };

  begin(&f);
  for (i = 0; i < 20000; i++)
    ck_assert_int_eq(lrd_list_push(f.list, &f.pool.memory, LRD_LIST_BACK, 1, &e), 0);
  blocks = f.pool.blocks;
  bytes = f.pool.bytes;
  lrd_list_seek(f.list, 10000, &c);
  f.pool.fail_in = 0;
  ck_assert_int_eq(lrd_list_put(f.list, &f.pool.memory, &c, 1, e), 0);
  f.pool.fail_in = 1;
  ck_assert_int_eq(lrd_list_put(f.list, &f.pool.memory, &c, 0, e), 0);
  f.pool.fail_in = -1;
  ck_assert_uint_le(f.pool.blocks, blocks + 1);
  ck_assert_uint_le(f.pool.bytes, bytes + 4096);
  /* one large element does not leave its room behind */
  lrd_list_seek(f.list, 10000, &c);
  ck_assert_int_eq(lrd_list_put(f.list, &f.pool.memory, &c, 0, (larder_bytes){ f.big, 9000 }), 0);
  lrd_list_seek(f.list, 10000, &c);
  ck_assert_int_eq(lrd_list_put(f.list, &f.pool.memory, &c, 1, e), 0);
  ck_assert_uint_le(f.pool.bytes, bytes + 3 * 4096);
  check_ok(lrd_list_check(f.list));
  end(&f);
}
END_TEST

START_TEST(random_steps)
{
  struct fixture f;
  unsigned step, i[40];
  size_t n, k;

  begin(&f);
  for (step = 0; step < 8000; step++) {
    enum lrd_side side = roll(&f.prng, 2) ? LRD_LIST_FRONT : LRD_LIST_BACK;
    size_t count = f.end - f.begin;
    int growing = step / 400 % 2 == 0;
    if (roll(&f.prng, 8) < (growing ? 6u : 2u)) {
      n = roll(&f.prng, 20) ? 1 + roll(&f.prng, 3) : 40;
      for (k = 0; k < n; k++)
        i[k] = roll(&f.prng, 5000);
      push(&f, side, i, n, roll(&f.prng, 4) ? -1 : (long)roll(&f.prng, 3));
    } else if (count) {
      n = roll(&f.prng, 20) ? 1 : roll(&f.prng, (unsigned)count + 1);
      pop(&f, side, n);
    }
    check_seek(&f);
    if (f.end - f.begin < 20 || step % 50 == 0)
      compare(&f);
    else
      check_ok(lrd_list_check(f.list));
    if (f.begin < 1000 || f.end > 2 * MODEL - 1000) { /* the model's row is used up */
      pop(&f, LRD_LIST_BACK, f.end - f.begin);
      f.begin = f.end = MODEL;
    }
  }
  end(&f);
}
END_TEST

START_TEST(no_memory_at_every_place)
{
  struct fixture f;
  unsigned i[40], round, k;
  long fail;

  begin(&f);
  for (round = 0; round < 20; round++) {
    for (k = 0; k < 40; k++)
      i[k] = roll(&f.prng, 5000);
    for (fail = 0; push(&f, (enum lrd_side)(round % 2), i, 40, fail) != 0; fail++) {
      ck_assert_int_lt(fail, 1000);
      compare(&f);
    }
    compare(&f);
  }
  end(&f);
}
END_TEST

/* In at one end, out at the other, for long: the memory stays small. */
START_TEST(a_queue_stays_small)
{
  struct fixture f;
  unsigned i, step;

  begin(&f);
  for (step = 0; step < 30000; step++) {
    i = step % 151 == 150 ? 1 : step % 5000;
    push(&f, LRD_LIST_BACK, &i, 1, -1);
    if (step >= 10)
      pop(&f, LRD_LIST_FRONT, 1);
    ck_assert_uint_lt(f.pool.bytes, 5 * 9000);
  }
  compare(&f);
  end(&f);
}
END_TEST

START_TEST(memory_per_element)
{
  struct fixture f;
  unsigned i;
  larder_bytes e = { f.big, 32 };

  begin(&f);
  for (i = 0; i < 20000; i++)
    ck_assert_int_eq(lrd_list_push(f.list, &f.pool.memory, LRD_LIST_BACK, 1, &e), 0);
  ck_assert_uint_lt(f.pool.bytes, 20000 * 35);
  lrd_list_pop(f.list, &f.pool.memory, LRD_LIST_FRONT, 20000);
  ck_assert_uint_eq(f.pool.bytes, sizeof *f.list);
  end(&f);
}
END_TEST

/* --- commands ------------------------------------------------------------ */

START_TEST(commands)
{
  talk_lines(list_lines, sizeof list_lines / sizeof list_lines[0]);
}
END_TEST

START_TEST(commands_without_memory)
{
  talk_no_memory((const char *const[]){ "RPUSH l a b c d e f", "LPUSH l a b c d e f", "LPOP l",
                                        "RPOP l 2", "RPUSH new e", NULL },
                 "LRANGE l 0 -1", "LRANGE new 0 -1");
}
END_TEST

START_TEST(commands_that_know_a_part)
{
  struct talk t;

  talk_begin(&t, 1);
  talk_expect_unknown(&t, "LRANGE l 0 -1");
  talk_expect_unknown(&t, "LLEN l");
  talk_expect_intent(&t, "RPUSH l a b", ":2\r\n", "RPUSH|l|a|b;", 1);
  talk_expect_intent(&t, "LPUSH l c", ":3\r\n", "LPUSH|l|c;", 1);
  talk_expect_unknown(&t, "LRANGE l 0 -1");
  talk_expect_unknown(&t, "LLEN l");
  t.vector_flags = LARDER_VECTOR_COMPLETE;
  talk_expect_unknown(&t, "LPOP l");
  t.vector_flags = 0;
  talk(&t, "DEL l");
  talk_expect_intent(&t, "LLEN l", ":0\r\n", "", 0);
  talk_expect_intent(&t, "RPUSH l a b", ":2\r\n", "l;", 0);
  t.vector_flags = LARDER_VECTOR_COMPLETE;
  talk_expect_intent(&t, "LPOP l", "$1\r\na\r\n", "l;", 0);
  talk_expect_intent(&t, "RPOP l 3", "*1\r\n$1\r\nb\r\n", "l;", 0);
  talk_expect_intent(&t, "LPOP l", "$-1\r\n", "", 0);
  talk_end(&t);
}
END_TEST

START_TEST(rebuilding)
{
  talk_rebuild("RPUSH %s e%d", 1200, "LRANGE %s 0 -1", 3);
}
END_TEST

/* Memory ends while the reply is being written: it is the error, and no array that breaks off. */
START_TEST(sorting_without_memory)
{
  char line[400];
  struct talk t;

  snprintf(line, sizeof line, "SORT l BY nosort GET # GET %0300d*", 0);
  talk_begin(&t, 0);
  talk(&t, "RPUSH l 1 2 3");
  for (long n = 0;; n++) {
    ck_assert_int_lt(n, 100);
    t.pool.fail_in = n;
    talk(&t, line);
    t.pool.fail_in = -1;
    if (t.verdict.outcome == LARDER_OK)
      break;
    ck_assert_int_eq(t.verdict.outcome, LARDER_NO_MEMORY);
    t.pool.fail_in = n;
    ck_assert_str_eq(talk(&t, line), "-ERR out of memory\r\n");
    t.pool.fail_in = -1;
  }
  talk_expect(&t, line, "*6\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n$-1\r\n$1\r\n3\r\n$-1\r\n");
  talk_end(&t);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("list");
  TCase *t = tcase_create("list");

  tcase_set_timeout(t, 120);
  tcase_add_test(t, sorting_without_memory);
  tcase_add_test(t, random_steps);
  tcase_add_test(t, steps_in_the_middle);
  tcase_add_test(t, one_chunk_changes);
  tcase_add_test(t, no_memory_at_every_place);
  tcase_add_test(t, a_queue_stays_small);
  tcase_add_test(t, memory_per_element);
  tcase_add_test(t, commands);
  tcase_add_test(t, commands_without_memory);
  tcase_add_test(t, commands_that_know_a_part);
  tcase_add_test(t, rebuilding);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
