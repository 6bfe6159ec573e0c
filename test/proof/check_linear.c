/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/pool.h"
#include "proof/linear.h"
#include "support/check.h"

/*
 * The judge of histories is judged: histories made by hand, and histories of an
 * imagined store that are right by construction, and wrong after one change.
 */

static struct text letter(char c)
{
  return text_of(&c, 1);
}

static enum linear_verdict check(struct operation *o, size_t count, int may_vanish)
{
  struct model model = { may_vanish };
  size_t stuck;

  return linear_check(&model, o, count, &stuck);
}

#define JUDGE(verdict, ...)                                                          \
  do {                                                                               \
    struct operation list[] = { __VA_ARGS__ };                                       \
    ck_assert_int_eq(check(list, sizeof list / sizeof *list, 0), LINEAR_##verdict); \
  } while (0)

#define AT(b, e, ...) \
  { .begin = b, .end = e, .actions = 1, .action = { { __VA_ARGS__ } } }
#define WRITE(b, e, c) AT(b, e, .kind = ACTION_WRITE, .given = letter(c))
#define READ(b, e, c) AT(b, e, .kind = ACTION_READ, .found = 1, .seen = letter(c))
#define MISS(b, e) AT(b, e, .kind = ACTION_READ)
#define ADD(b, e, sum) AT(b, e, .kind = ACTION_ADD, .number = 1, .result = sum)
#define APPEND(b, e, c, length) \
  AT(b, e, .kind = ACTION_APPEND, .given = letter(c), .result = length)

START_TEST(real_time_binds)
{
  JUDGE(YES, WRITE(1, 2, 'a'), READ(3, 4, 'a'));
  JUDGE(NO, WRITE(1, 2, 'a'), MISS(3, 4));
  JUDGE(NO, WRITE(1, 2, 'a'), WRITE(3, 4, 'b'), READ(5, 6, 'a'));
  JUDGE(NO, READ(1, 2, 'a'), WRITE(3, 4, 'a'));
  /* what touches may overlap */
  JUDGE(YES, READ(1, 2, 'a'), WRITE(2, 4, 'a'));
}
END_TEST

START_TEST(what_overlaps_is_free)
{
  JUDGE(YES, WRITE(1, 9, 'a'), MISS(2, 3), READ(4, 5, 'a'));
  JUDGE(NO, WRITE(1, 9, 'a'), READ(2, 3, 'a'), MISS(4, 5));
  JUDGE(YES, WRITE(1, 9, 'a'), WRITE(1, 9, 'b'), READ(2, 3, 'b'), READ(4, 5, 'a'));
  /* two readers may not disagree about the order of two writers */
  JUDGE(NO, WRITE(1, 9, 'a'), WRITE(1, 9, 'b'), READ(2, 3, 'b'), READ(4, 5, 'a'),
        READ(6, 7, 'b'));
}
END_TEST

START_TEST(updates_are_not_lost)
{
  JUDGE(YES, ADD(1, 4, 2), ADD(2, 5, 1));
  JUDGE(NO, ADD(1, 4, 1), ADD(2, 5, 1));
  JUDGE(NO, ADD(1, 4, 1), ADD(2, 5, 3));
  JUDGE(YES, APPEND(1, 4, 'a', 2), APPEND(2, 5, 'b', 1),
        AT(6, 7, .kind = ACTION_READ, .found = 1, .seen = text_of("ba", 2)));
  JUDGE(NO, APPEND(1, 4, 'a', 2), APPEND(2, 5, 'b', 1),
        AT(6, 7, .kind = ACTION_READ, .found = 1, .seen = text_of("ab", 2)));
}
END_TEST

START_TEST(each_takes_once)
{
  JUDGE(YES, WRITE(1, 2, 'a'),
        AT(3, 6, .kind = ACTION_TAKE, .found = 1, .seen = letter('a')),
        AT(3, 6, .kind = ACTION_TAKE));
  JUDGE(NO, WRITE(1, 2, 'a'),
        AT(3, 6, .kind = ACTION_TAKE, .found = 1, .seen = letter('a')),
        AT(3, 6, .kind = ACTION_TAKE, .found = 1, .seen = letter('a')));
  JUDGE(NO, AT(1, 4, .kind = ACTION_WRITE_NEW, .given = letter('a')),
        AT(1, 4, .kind = ACTION_WRITE_NEW, .given = letter('b')));
  JUDGE(YES, AT(1, 4, .kind = ACTION_WRITE_NEW, .given = letter('a')),
        AT(1, 4, .kind = ACTION_WRITE_NEW, .given = letter('b'), .found = 1), READ(5, 6, 'a'));
  JUDGE(NO, WRITE(1, 2, 'a'), AT(3, 6, .kind = ACTION_DELETE, .found = 1),
        AT(3, 6, .kind = ACTION_DELETE, .found = 1));
}
END_TEST

START_TEST(a_torn_value_was_never_written)
{
  char a[100], b[100], torn[100];

  memset(a, 'a', sizeof a);
  memset(b, 'b', sizeof b);
  memset(torn, 'a', sizeof torn);
  memset(torn + 64, 'b', sizeof torn - 64);
#define WHOLE(begin, end, bytes) \
  AT(begin, end, .kind = ACTION_READ, .found = 1, .seen = text_of(bytes, sizeof(bytes)))
#define PUT(begin, end, bytes) \
  AT(begin, end, .kind = ACTION_WRITE, .given = text_of(bytes, sizeof(bytes)))
  JUDGE(YES, PUT(1, 9, a), PUT(1, 9, b), WHOLE(2, 8, b));
  JUDGE(NO, PUT(1, 9, a), PUT(1, 9, b), WHOLE(2, 8, torn));
}
END_TEST

/* Written at 100 to 101 with 10 ms to live. */
static enum linear_verdict expiring(int64_t wall_begin, int64_t wall_end, int found)
{
  struct operation list[] = {
    { .begin = 1, .end = 2, .wall_begin = 100, .wall_end = 101, .actions = 1,
      .action = { { .kind = ACTION_WRITE, .given = letter('a'), .ttl = 10 } } },
    { .begin = 3, .end = 4, .wall_begin = wall_begin, .wall_end = wall_end, .actions = 1,
      .action = { { .kind = ACTION_READ, .found = found, .seen = letter('a') } } },
  };

  return check(list, 2, 0);
}

START_TEST(expiry_is_exact)
{
  ck_assert_int_eq(expiring(109, 110, 0), LINEAR_NO);
  ck_assert_int_eq(expiring(109, 110, 1), LINEAR_YES);
  ck_assert_int_eq(expiring(110, 111, 0), LINEAR_YES);
  ck_assert_int_eq(expiring(111, 112, 1), LINEAR_YES);
  ck_assert_int_eq(expiring(112, 113, 1), LINEAR_NO);
  ck_assert_int_eq(expiring(112, 113, 0), LINEAR_YES);
}
END_TEST

START_TEST(what_is_evicted_stays_away)
{
  struct operation good[] = { WRITE(1, 2, 'a'), READ(3, 4, 'a'), MISS(5, 6), MISS(7, 8) };
  struct operation bad[] = { WRITE(1, 2, 'a'), MISS(3, 4), READ(5, 6, 'a') };

  ck_assert_int_eq(check(good, 4, 0), LINEAR_NO);
  ck_assert_int_eq(check(good, 4, 1), LINEAR_YES);
  ck_assert_int_eq(check(bad, 3, 1), LINEAR_NO);
}
END_TEST

START_TEST(a_transaction_is_one_step)
{
  struct operation both = { .begin = 1, .end = 9, .actions = 2,
                            .action = { { .kind = ACTION_ADD, .number = 1, .result = 1 },
                                        { .kind = ACTION_ADD, .number = 1, .result = 2 } } };

  JUDGE(YES, both, ADD(2, 8, 3));
  JUDGE(YES, both, AT(2, 8, .kind = ACTION_READ, .found = 1, .seen = text_of_number(2)));
  JUDGE(NO, both, AT(2, 8, .kind = ACTION_READ, .found = 1, .seen = text_of_number(1)));
}
END_TEST

/* --- by chance ------------------------------------------------------------------- */

enum { LENGTH = 300 };

static void imagine_result(struct lrd_prng *prng, const struct state *state, struct action *a)
{
  a->found = state->exists;
  a->seen = state->text;
  a->number = 1 + roll(prng, 5);
  if (a->kind == ACTION_ADD)
    a->result = state->number + a->number;
  if (a->kind == ACTION_APPEND)
    a->result = (int64_t)(state->text.len + a->given.len);
}

/* The steps happen at 10, 20, 30, ...; each lies in an interval around its time. */
static void imagine(struct lrd_prng *prng, struct operation *o, int numbers, unsigned spread)
{
  static const enum action_kind texts[] = { ACTION_READ, ACTION_READ,     ACTION_WRITE,
                                            ACTION_TAKE, ACTION_EXCHANGE, ACTION_APPEND };
  struct model model = { 0 };
  struct state state = { 0 }, next;

  memset(o, 0, LENGTH * sizeof *o);
  for (int i = 0; i < LENGTH; i++) {
    struct action *a = &o[i].action[0];
    char name[16];

    snprintf(name, sizeof name, "value %d", i);
    a->kind = numbers ? roll(prng, 2) ? ACTION_READ : ACTION_ADD : texts[roll(prng, 6)];
    a->given = text_of(name, strlen(name));
    imagine_result(prng, &state, a);
    o[i].actions = 1;
    o[i].begin = i * 10 + 10 - (int64_t)roll(prng, spread);
    o[i].end = i * 10 + 10 + (int64_t)roll(prng, spread);
    ck_assert_int_eq(model_step(&model, &state, &o[i], 0, &next), 1);
    state = next;
  }
}

START_TEST(what_is_right_is_accepted)
{
  struct operation o[LENGTH];
  struct lrd_prng prng;

  seed_prng(&prng, "accepted");
  for (int i = 0; i < 200; i++) {
    imagine(&prng, o, i % 2, 1 + roll(&prng, 60));
    ck_assert_int_eq(check(o, LENGTH, 0), LINEAR_YES);
  }
}
END_TEST

/* The state before operation at, of a history without overlaps. */
static struct state state_before(const struct operation *o, int at)
{
  struct model model = { 0 };
  struct state state = { 0 }, next;

  for (int i = 0; i < at; i++, state = next)
    ck_assert_int_eq(model_step(&model, &state, &o[i], 0, &next), 1);
  return state;
}

/* 1: a read now shows what had been overwritten before it began. */
static int make_stale(struct lrd_prng *prng, struct operation *o)
{
  int at = (int)roll(prng, LENGTH), back = 1 + (int)roll(prng, 20);
  struct action *a = &o[at].action[0];
  struct state old;

  if (a->kind != ACTION_READ || at < back)
    return 0;
  old = state_before(o, at - back);
  if (old.exists == a->found && (!old.exists || old.text.digest == a->seen.digest))
    return 0;
  a->found = old.exists;
  a->seen = old.text;
  return 1;
}

/* 1: an addition now says what the one before it said. */
static int lose_update(struct lrd_prng *prng, struct operation *o)
{
  int at = 1 + (int)roll(prng, LENGTH - 1);
  struct action *a = &o[at].action[0], *before = &o[at - 1].action[0];

  if (a->kind != ACTION_ADD || before->kind != ACTION_ADD)
    return 0;
  a->result = before->result;
  return 1;
}

/* 1: a read now shows the half of one value and the half of another. */
static int tear(struct lrd_prng *prng, struct operation *o)
{
  struct action *a = &o[roll(prng, LENGTH)].action[0];

  if (a->kind != ACTION_READ || !a->found)
    return 0;
  a->seen.digest ^= UINT64_C(1) << roll(prng, 60);
  return 1;
}

START_TEST(what_is_wrong_is_rejected)
{
  static int (*const spoil[])(struct lrd_prng *, struct operation *) = { make_stale, lose_update,
                                                                         tear };
  struct operation o[LENGTH];
  struct lrd_prng prng;

  seed_prng(&prng, "rejected");
  for (int i = 0; i < 300; i++) {
    do
      imagine(&prng, o, i % 3 == 1, 5);
    while (!spoil[i % 3](&prng, o));
    ck_assert_int_eq(check(o, LENGTH, 0), LINEAR_NO);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("linear");
  TCase *tests = tcase_create("linear");

  tcase_add_test(tests, real_time_binds);
  tcase_add_test(tests, what_overlaps_is_free);
  tcase_add_test(tests, updates_are_not_lost);
  tcase_add_test(tests, each_takes_once);
  tcase_add_test(tests, a_torn_value_was_never_written);
  tcase_add_test(tests, expiry_is_exact);
  tcase_add_test(tests, what_is_evicted_stays_away);
  tcase_add_test(tests, a_transaction_is_one_step);
  tcase_add_test(tests, what_is_right_is_accepted);
  tcase_add_test(tests, what_is_wrong_is_rejected);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
