/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/zset.h"

#include <math.h>

#include "memory/pool.h"
#include "memory/zset_entry.h"

/* Scores as sorted sets keep them: the short codes, and what has none. */

struct fixture {
  struct pool pool;
  struct lrd_zset *zset;
};

static void begin(struct fixture *f)
{
  pool_init(&f->pool);
  f->zset = lrd_zset_new(&f->pool.memory);
  ck_assert_ptr_nonnull(f->zset);
}

static void end(struct fixture *f)
{
  lrd_zset_free(f->zset, &f->pool.memory);
  pool_check_empty(&f->pool);
}

/* Ends of what has a code, and what has none. */
static const double edge[] = { 0.0,     -0.0,    1,        -1,
                               0.01,    -0.01,   123456.78, 0.1 + 0.2,
                               1e-6,    -1e-6,   1e-7,     5e-324,
                               -5e-324, 2.2250738585072014e-308,
                               45035996273704.94, 45035996273704.97, 4503599627.370495,
                               4503599627.370497, -4503599627370.495, 4503599627370495.5,
                               9007199254740991.0, -9007199254740991.0,
                               9007199254740992.0, -9007199254740992.0, 1.7976931348623157e308,
                               (double)INFINITY, -(double)INFINITY };
enum { EDGES = sizeof edge / sizeof edge[0] };

static void check_kept(struct lrd_zset *z, larder_bytes member, double score)
{
  double kept = 5;

  ck_assert(lrd_zset_score(z, member, &kept));
  if (!z->large && score == 0)
    score = 0; /* as in Redis */
  ck_assert_msg(memcmp(&kept, &score, sizeof score) == 0, "%a became %a", score, kept);
}

/* Each of some scores becomes each other, in small and in large, with and without memory. */
START_TEST(scores_are_kept)
{
  struct fixture f;
  larder_bytes member = { "0123456789abcdef", 16 };
  struct lrd_zset_change change;
  unsigned a, b;
  long fail;

  begin(&f);
  if (_i)
    ck_assert_int_eq(lrd_zset_enlarge(f.zset, &f.pool.memory, &f.pool.key), 0);
  for (a = 0; a < EDGES; a++)
    for (b = 0; b < EDGES; b++) {
      struct lrd_scored from = { member, edge[a] }, to = { member, edge[b] };
      ck_assert_int_eq(lrd_zset_add(f.zset, &f.pool.memory, &f.pool.key, 0, 1, &from, &change),
                       0);
      check_kept(f.zset, member, edge[a]);
      for (fail = 0;; fail++) {
        int failed;
        f.pool.fail_in = fail;
        failed = lrd_zset_add(f.zset, &f.pool.memory, &f.pool.key, 0, 1, &to, &change);
        f.pool.fail_in = -1;
        check_ok(lrd_zset_check(f.zset));
        if (!failed)
          break;
        check_kept(f.zset, member, edge[a]);
      }
      check_kept(f.zset, member, edge[a] == edge[b] ? edge[a] : edge[b]);
      ck_assert_int_eq(lrd_zset_remove(f.zset, &f.pool.memory, member), 1);
    }
  end(&f);
}
END_TEST

/* Members of a small set that differ in their first byte only, or only in length; scores of all
 * sizes stand before them. */
START_TEST(members_alike)
{
  struct fixture f;
  char text[LRD_ZSET_PACKED_LEN + 1];
  struct lrd_zset_change change;
  unsigned len, n = 0, turn;
  double score;

  begin(&f);
  memset(text, 'y', sizeof text);
  for (turn = 0; turn < 4; turn++)
    for (len = turn < 2 ? 1 : 0; len <= LRD_ZSET_PACKED_LEN; len++) {
      struct lrd_scored e = { { text, len }, edge[len % 21] };
      text[0] = (char)('a' + turn % 2);
      ck_assert_int_eq(lrd_zset_score(f.zset, e.member, &score), turn > 1 && len > 0);
      if (turn < 2 && n < LRD_ZSET_PACKED) {
        ck_assert_int_eq(
            lrd_zset_add(f.zset, &f.pool.memory, &f.pool.key, 0, 1, &e, &change), 0);
        ck_assert_int_eq(change.added, 1);
        n++;
      } else if (len > 0) {
        check_kept(f.zset, e.member, e.score);
      }
      check_ok(lrd_zset_check(f.zset));
    }
  ck_assert_ptr_null(f.zset->large);
  end(&f);
}
END_TEST

/* What has a code is what it gives. */
START_TEST(score_codes)
{
  struct lrd_prng prng;
  unsigned i, coded = 0;

  seed_prng(&prng, "score codes");
  for (i = 0; i < 300000; i++) {
    uint64_t bits = lrd_prng_next(&prng), code;
    double score, back;

    if (i % 2) {
      static const double power[] = { 1, 10, 1e2, 1e3, 1e6, 1e7 };
      score = (double)((int64_t)bits >> (10 + i % 50)) / power[i / 2 % 6];
    } else {
      memcpy(&score, &bits, sizeof score);
    }
    code = lrd_zset_score_code(score);
    ck_assert_uint_lt(code, UINT64_C(1) << LRD_ZSET_CODE_BITS);
    if (code == LRD_ZSET_SCORE_RAW)
      continue;
    coded++;
    back = lrd_zset_decode(code);
    ck_assert_msg(back == score, "%a became %a", score, back);
  }
  ck_assert_uint_gt(coded, 50000);
  ck_assert(lrd_zset_score_is_short(123456.78) && lrd_zset_score_is_short(1700000000.123456));
  ck_assert(!lrd_zset_score_is_short(-0.0) && !lrd_zset_score_is_short(1 / 3.0));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("scores");
  TCase *t = tcase_create("scores");

  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, scores_are_kept, 0, 2);
  tcase_add_test(t, members_alike);
  tcase_add_test(t, score_codes);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
