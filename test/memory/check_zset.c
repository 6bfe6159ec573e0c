/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/zset.h"

#include <math.h>

#include "memory/pool.h"
#include "memory/zset_entry.h"

enum { NAMES = 2500, BATCH = 60 };

struct fixture {
  struct pool pool;
  struct lrd_zset *zset;
  struct lrd_prng prng;
  unsigned char has[NAMES]; /* the model */
  double score[NAMES];
  size_t count;
  char text[NAMES][NAME_SIZE];
  larder_bytes name[NAMES];
};

/* As in pool.h, but some have a length with which an item may have a short score. */
static larder_bytes member_of(unsigned i, char text[NAME_SIZE])
{
  if (i % 3 == 1)
    return (larder_bytes){ text, (size_t)snprintf(text, NAME_SIZE, "m%07u", i) };
  return name_of(i, text);
}

static unsigned member_number(larder_bytes member)
{
  char text[NAME_SIZE];
  unsigned i;

  if (member.len != 8)
    return number_of(member, NAMES);
  snprintf(text, sizeof text, "%.7s", member.data + 1);
  i = (unsigned)strtoul(text, NULL, 10);
  ck_assert_uint_lt(i, NAMES);
  ck_assert(lrd_bytes_equal(member, member_of(i, text)));
  return i;
}

static struct fixture *begin(void)
{
  struct fixture *f = calloc(1, sizeof *f);
  unsigned i;

  pool_init(&f->pool);
  seed_prng(&f->prng, "zset");
  f->zset = lrd_zset_new(&f->pool.memory);
  ck_assert_ptr_nonnull(f->zset);
  for (i = 0; i < NAMES; i++)
    f->name[i] = member_of(i, f->text[i]);
  return f;
}

static void end(struct fixture *f)
{
  lrd_zset_free(f->zset, &f->pool.memory);
  pool_check_empty(&f->pool);
  free(f);
}

/* Many equal ones, and the ends of the range. */
static double score_of(struct lrd_prng *prng)
{
  switch (roll(prng, 16)) {
  case 0:
    return (double)INFINITY;
  case 1:
    return -(double)INFINITY;
  case 2:
    return -0.0;
  case 3:
    return roll(prng, 1000000) / 3.0;
  case 4:
    return 1e300;
  case 5:
    return (double)((int64_t)roll(prng, 1000000) - 500000) / 1e3;
  case 6:
    return 1.7e9 + roll(prng, 1000) / 1e6;
  case 7:
    return (double)roll(prng, 100) / 100;
  default:
    return (double)roll(prng, 40) - 20;
  }
}

static void compare_model(const struct fixture *f)
{
  double score;
  unsigned i;

  check_ok(lrd_zset_check(f->zset));
  ck_assert_uint_eq(f->zset->count, f->count);
  for (i = 0; i < NAMES; i++) {
    ck_assert_int_eq(lrd_zset_score(f->zset, f->name[i], &score), f->has[i]);
    if (f->has[i])
      ck_assert(score == f->score[i]);
  }
}

static int before(const struct fixture *f, unsigned a, unsigned b)
{
  if (f->score[a] != f->score[b])
    return f->score[a] < f->score[b];
  return lrd_bytes_compare(f->name[a], f->name[b]) < 0;
}

/* One member's rank, one score's bounds, one walk each way: by counting. */
static void probe(struct fixture *f)
{
  unsigned i, m = roll(&f->prng, NAMES);
  double score = score_of(&f->prng);
  size_t rank = 0, below = 0, not_above = 0, found = 0, walked;
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  for (i = 0; i < NAMES; i++) {
    if (!f->has[i])
      continue;
    rank += f->has[m] && before(f, i, m);
    below += f->score[i] < score;
    not_above += f->score[i] <= score;
  }
  ck_assert_int_eq(lrd_zset_rank(f->zset, f->name[m], &found), f->has[m]);
  if (f->has[m])
    ck_assert_uint_eq(found, rank);
  ck_assert_uint_eq(lrd_zset_below(f->zset, score, 0), below);
  ck_assert_uint_eq(lrd_zset_below(f->zset, score, 1), not_above);
  if (!f->has[m])
    return;
  for (i = 0; i < 2; i++) {
    lrd_zset_seek(f->zset, rank, &c);
    lrd_zset_get(f->zset, &c, &e);
    ck_assert(lrd_bytes_equal(e.member, f->name[m]));
    for (walked = 1; i ? lrd_zset_previous(f->zset, &c) : lrd_zset_next(f->zset, &c); walked++)
      ;
    ck_assert_uint_eq(walked, i ? rank + 1 : f->count - rank);
  }
}

/* The model of one pair; the rules as Redis has them. */
static void model_put(struct fixture *f, unsigned flags, unsigned i, double score,
                      struct lrd_zset_change *change)
{
  double wanted = score;

  change->skipped = 1;
  if ((f->has[i] && flags & LRD_ZSET_NX) || (!f->has[i] && flags & LRD_ZSET_XX))
    return;
  if (f->has[i] && flags & LRD_ZSET_INCR)
    wanted += f->score[i];
  if (isnan(wanted)) {
    change->nan = 1;
    return;
  }
  if (f->has[i] && ((flags & LRD_ZSET_GT && !(wanted > f->score[i])) ||
                    (flags & LRD_ZSET_LT && !(wanted < f->score[i]))))
    return;
  change->skipped = 0;
  change->score = wanted;
  change->added += !f->has[i];
  change->updated += f->has[i] && wanted != f->score[i];
  f->count += !f->has[i];
  f->has[i] = 1;
  f->score[i] = wanted;
}

static int put(struct fixture *f, unsigned flags, const unsigned *i, const double *score, size_t n,
               long fail_in)
{
  struct lrd_zset_change change, expected = { 0 };
  struct lrd_scored pair[BATCH] = { { { NULL, 0 }, 0 } };
  size_t k;
  int failed;

  for (k = 0; k < n; k++)
    pair[k] = (struct lrd_scored){ f->name[i[k]], score[k] };
  f->pool.fail_in = fail_in;
  failed = lrd_zset_add(f->zset, &f->pool.memory, &f->pool.key, flags, n, pair, &change);
  f->pool.fail_in = -1;
  if (failed)
    return -1;
  for (k = 0; k < n; k++)
    model_put(f, flags, i[k], score[k], &expected);
  ck_assert_int_eq(change.added, expected.added);
  ck_assert_int_eq(change.updated, expected.updated);
  ck_assert_int_eq(change.skipped, expected.skipped);
  ck_assert_int_eq(change.nan, expected.nan);
  if (!change.skipped)
    ck_assert(change.score == expected.score);
  return 0;
}

static void drop(struct fixture *f, unsigned i)
{
  ck_assert_int_eq(lrd_zset_remove(f->zset, &f->pool.memory, f->name[i]), f->has[i]);
  f->count -= f->has[i];
  f->has[i] = 0;
}

static void drop_range(struct fixture *f)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  size_t rank, n, k;

  if (!f->count)
    return;
  rank = roll(&f->prng, (unsigned)f->count);
  n = 1 + roll(&f->prng, (unsigned)(f->count - rank));
  if (roll(&f->prng, 4))
    n = n > 9 ? 9 : n;
  lrd_zset_seek(f->zset, rank, &c);
  for (k = 0; k < n; k++) {
    lrd_zset_get(f->zset, &c, &e);
    f->has[member_number(e.member)] = 0;
    lrd_zset_next(f->zset, &c);
  }
  f->count -= n;
  lrd_zset_remove_range(f->zset, &f->pool.memory, rank, n);
}

static void random_step(struct fixture *f, unsigned names, int growing)
{
  static const unsigned condition[] = { 0, 0, 0, 0, LRD_ZSET_NX, LRD_ZSET_XX, LRD_ZSET_GT,
                                        LRD_ZSET_LT, LRD_ZSET_XX | LRD_ZSET_GT };
  unsigned i[BATCH], flags = condition[roll(&f->prng, 9)];
  double score[BATCH];
  size_t k, n = roll(&f->prng, 20) ? 1 + roll(&f->prng, 3) : BATCH;

  for (k = 0; k < n; k++) {
    i[k] = roll(&f->prng, names);
    score[k] = score_of(&f->prng);
  }
  if (roll(&f->prng, 3) == 0) {
    flags |= LRD_ZSET_INCR;
    n = 1;
  }
  if (roll(&f->prng, 8) < (growing ? 6u : 2u))
    put(f, flags, i, score, n, roll(&f->prng, 4) ? -1 : (long)roll(&f->prng, 6));
  else if (roll(&f->prng, 20))
    drop(f, i[0]);
  else
    drop_range(f);
}

START_TEST(random_steps)
{
  struct fixture *f = begin();
  unsigned step, names = _i ? NAMES : 150;

  for (step = 0; step < (_i ? 8000u : 3000u); step++) {
    random_step(f, names, step / 1000 % 3 != 2);
    probe(f);
    if (f->count < 20 || step % 50 == 0)
      compare_model(f);
    else
      check_ok(lrd_zset_check(f->zset));
  }
  end(f);
}
END_TEST

START_TEST(no_memory_at_every_place)
{
  struct fixture *f = begin();
  unsigned i[BATCH], first, k;
  double score[BATCH];
  long fail;

  for (first = 0; first + BATCH <= NAMES; first += 120) {
    for (k = 0; k < BATCH; k++) {
      i[k] = k % 2 ? first + k : roll(&f->prng, first + 1); /* new ones and known ones */
      score[k] = score_of(&f->prng);
    }
    for (fail = 0; put(f, 0, i, score, BATCH, fail) != 0; fail++) {
      ck_assert_int_lt(fail, 1000);
      if (fail % 16 == 0)
        compare_model(f);
    }
    for (k = 0; k < 8; k++)
      for (fail = 0; put(f, 0, &i[k], &score[8 + k], 1, fail) != 0; fail++)
        ck_assert_int_lt(fail, 100);
    compare_model(f);
  }
  end(f);
}
END_TEST

/* A tree of several levels, by scores that grow, shrink, or jump; then every
 * score moves, and everything goes, from one end, the other, or anywhere. */
static void fill(struct lrd_zset *z, struct pool *pool, struct lrd_prng *prng, int shape,
                 unsigned members)
{
  struct lrd_zset_change change;
  char text[32];
  unsigned i;

  for (i = 0; i < members; i++) {
    struct lrd_scored pair = { { text, (size_t)snprintf(text, sizeof text, "%u", i) }, 0 };
    pair.score = shape == 0 ? i : shape == 1 ? -(double)i : roll(prng, 1000);
    ck_assert_int_eq(lrd_zset_add(z, &pool->memory, &pool->key, 0, 1, &pair, &change), 0);
    ck_assert_int_eq(change.added, 1);
    if (i % 977 == 0)
      check_ok(lrd_zset_check(z));
  }
}

static void stir(struct lrd_zset *z, struct pool *pool, struct lrd_prng *prng, unsigned members)
{
  struct lrd_zset_change change;
  char text[32];
  unsigned i;

  for (i = 0; i < members; i++) {
    unsigned m = roll(prng, members);
    struct lrd_scored pair = { { text, (size_t)snprintf(text, sizeof text, "%u", m) }, 0 };
    pair.score = (double)roll(prng, 2000) - 1000;
    ck_assert_int_eq(
        lrd_zset_add(z, &pool->memory, &pool->key, LRD_ZSET_INCR | LRD_ZSET_XX, 1, &pair,
                     &change), 0);
    if (i % 977 == 0)
      check_ok(lrd_zset_check(z));
  }
}

static void drain(struct lrd_zset *z, struct pool *pool, struct lrd_prng *prng, int shape)
{
  while (z->count) {
    size_t rank = shape == 0 ? 0 : shape == 1 ? z->count - 1 : roll(prng, (unsigned)z->count);
    lrd_zset_remove_range(z, &pool->memory, rank, 1);
    if (z->count % 977 == 0)
      check_ok(lrd_zset_check(z));
  }
}

START_TEST(deep_trees)
{
  struct lrd_prng prng;
  struct pool pool;
  struct lrd_zset *z;

  pool_init(&pool);
  seed_prng(&prng, "zset");
  z = lrd_zset_new(&pool.memory);
  fill(z, &pool, &prng, _i / 3, 20000);
  if (_i / 3 == 0)
    ck_assert_uint_lt(pool.bytes, 20000 * (5 + 8 + 40)); /* rising scores fill the leaves */
  stir(z, &pool, &prng, 20000);
  check_ok(lrd_zset_check(z));
  drain(z, &pool, &prng, _i % 3);
  check_ok(lrd_zset_check(z));
  ck_assert_uint_lt(pool.bytes, 8000);
  lrd_zset_free(z, &pool.memory);
  pool_check_empty(&pool);
}
END_TEST

/* --- ranges by member ---------------------------------------------------- */

static struct lrd_lex_bound bound_of(struct fixture *f)
{
  struct lrd_lex_bound b = { 0, (int)roll(&f->prng, 2), f->name[roll(&f->prng, NAMES)] };

  if (roll(&f->prng, 6) == 0)
    b = (struct lrd_lex_bound){ roll(&f->prng, 2) ? 1 : -1, 0, { NULL, 0 } };
  return b;
}

/* Equal scores: what lies in the range is one run. */
START_TEST(lex_ranges)
{
  struct fixture *f = begin();
  unsigned round, i;
  double zero = 0;

  for (round = 0; round < 400; round++) {
    struct lrd_lex_range r = { bound_of(f), bound_of(f) };
    size_t first = 0, inside = 0, from = 0, to = 0;
    int found;
    if (round % 2 == 0)
      for (i = 0; i < 5; i++)
        put(f, 0, (unsigned[]){ roll(&f->prng, NAMES) }, &zero, 1, -1);
    for (i = 0; i < NAMES; i++)
      if (f->has[i]) {
        int above = lrd_lex_above_min(&r, f->name[i]);
        inside += above && lrd_lex_below_max(&r, f->name[i]);
        first += !above;
      }
    found = lrd_zset_lex_first(f->zset, &r, 0, &from);
    ck_assert_int_eq(found, inside > 0);
    ck_assert_int_eq(lrd_zset_lex_first(f->zset, &r, 1, &to), found);
    if (found) {
      ck_assert_uint_eq(from, first);
      ck_assert_uint_eq(to, first + inside - 1);
    }
  }
  ck_assert_uint_gt(f->count, LRD_ZSET_PACKED);
  end(f);
}
END_TEST

START_TEST(sums)
{
  struct fixture *f = begin();
  unsigned i = 7;
  double one = 1;

  ck_assert_int_eq(lrd_zset_mark_sum(f->zset, &f->pool.memory, &f->pool.key, f->name[i]), 0);
  put(f, LRD_ZSET_INCR, &i, &one, 1, -1);
  ck_assert_int_eq(lrd_zset_is_sum(f->zset, f->name[i]), 1);
  put(f, LRD_ZSET_INCR, &i, &one, 1, -1);
  ck_assert_int_eq(lrd_zset_is_sum(f->zset, f->name[i]), 1);
  put(f, 0, &i, &one, 1, -1);
  ck_assert_int_eq(lrd_zset_is_sum(f->zset, f->name[i]), 0);
  ck_assert_int_eq(lrd_zset_mark_sum(f->zset, &f->pool.memory, &f->pool.key, f->name[i]), 0);
  drop(f, i);
  ck_assert_int_eq(lrd_zset_is_sum(f->zset, f->name[i]), 0);
  end(f);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("zset");
  TCase *t = tcase_create("zset");

  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, random_steps, 0, 2);
  tcase_add_test(t, no_memory_at_every_place);
  tcase_add_loop_test(t, deep_trees, 0, 9);
  tcase_add_test(t, lex_ranges);
  tcase_add_test(t, sums);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
