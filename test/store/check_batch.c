/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <larder.h>

#include "store/fake.h"
#include "store/heap.h"
#include "support/check.h"

static char error[LARDER_ERROR_SIZE];
static struct heap heap;
static larder *store;
static larder_batch *batch;

static void setup(void)
{
  larder_options o = LARDER_OPTIONS_INIT;
  fake_reset();
  heap_init(&heap);
  o.memory = &heap.memory;
  o.backend = &fake_table;
  store = larder_open("memory:", &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  batch = larder_batch_new(store);
  ck_assert_ptr_nonnull(batch);
}

static void teardown(void)
{
  larder_batch_free(batch);
  larder_close(store, 0);
  ck_assert_int_eq(heap.blocks, 0);
}

static larder_outcome outcome_of(size_t i)
{
  const larder_reply *r = larder_batch_reply(batch, i);
  ck_assert_ptr_nonnull(r);
  return r->outcome;
}

static void add_three(void)
{
  ck_assert_int_eq(larder_batch_command(batch, "SET a %d", 1), LARDER_OK);
  ck_assert_int_eq(larder_batch_argv(batch, 2, (const char *const[]){"GET", "a"}, NULL),
                   LARDER_OK);
  ck_assert_int_eq(larder_batch_command(batch, "PING"), LARDER_OK);
}

START_TEST(one_call_one_reply_each)
{
  add_three();
  ck_assert_ptr_null(larder_batch_reply(batch, 0));
  ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_OK);
  ck_assert_str_eq(fake.log, "SET GET PING;0@0|");
  ck_assert_uint_eq(larder_batch_count(batch), 3);
  ck_assert_int_eq(outcome_of(0), LARDER_OK);
  ck_assert_int_eq(outcome_of(1), LARDER_ABSENT);
  ck_assert_str_eq(larder_batch_reply(batch, 2)->value.str, "PONG");
  ck_assert_ptr_null(larder_batch_reply(batch, 3));
}
END_TEST

START_TEST(atomic_is_split)
{
  add_three();
  ck_assert_int_eq(larder_batch_run(batch, 1, 0), LARDER_OK);
  ck_assert_str_eq(fake.log, "SET GET PING;1@0|");
  for (size_t i = 0; i < 3; i++) {
    ck_assert_int_eq(outcome_of(i), LARDER_OK);
    ck_assert_str_eq(larder_batch_reply(batch, i)->value.str, "OK");
    ck_assert_int_eq(larder_batch_reply(batch, i)->origin, LARDER_FROM_LOCAL);
  }
}
END_TEST

START_TEST(whole_failures_reach_every_reply)
{
  static const larder_outcome outcomes[] = {LARDER_REFUSED, LARDER_NOT_SENT, LARDER_UNKNOWN};
  fake.answer = FAKE_ERROR;
  for (size_t k = 0; k < 3; k++) {
    fake.verdict.outcome = outcomes[k];
    larder_batch_clear(batch);
    add_three();
    ck_assert_int_eq(larder_batch_run(batch, 1, 0), outcomes[k]);
    for (size_t i = 0; i < 3; i++) {
      ck_assert_int_eq(outcome_of(i), outcomes[k]);
      ck_assert_str_eq(larder_batch_reply(batch, i)->value.str, "ERR fake");
    }
  }
}
END_TEST

START_TEST(nil_whole_is_refused)
{
  fake.answer = FAKE_NIL;
  add_three();
  ck_assert_int_eq(larder_batch_run(batch, 1, 0), LARDER_REFUSED);
  ck_assert_int_eq(outcome_of(2), LARDER_REFUSED);
  ck_assert_int_eq(larder_batch_reply(batch, 2)->value.type, LARDER_ERROR);
}
END_TEST

START_TEST(missing_replies_are_unknown)
{
  fake.answer = FAKE_NOTHING;
  add_three();
  ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_UNKNOWN);
  larder_batch_clear(batch);
  add_three();
  ck_assert_int_eq(larder_batch_run(batch, 1, 0), LARDER_UNKNOWN);
  ck_assert_int_eq(outcome_of(0), LARDER_UNKNOWN);
}
END_TEST

START_TEST(what_is_not_added_spoils)
{
  static const char *const lines[] = {"NOSUCH", "GET", "MULTI", "SELECT 1", "COMMAND COUNT", "%q"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    larder_batch_clear(batch);
    larder_batch_command(batch, "PING");
    ck_assert_msg(larder_batch_command(batch, lines[i]) == LARDER_BAD_ARGUMENT, "%s", lines[i]);
    ck_assert_uint_eq(larder_batch_count(batch), 1);
    ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_BAD_ARGUMENT);
    ck_assert_ptr_null(larder_batch_reply(batch, 0));
  }
  ck_assert_int_eq(larder_batch_argv(batch, 0, NULL, NULL), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(fake.executed, 0);
  larder_batch_clear(batch);
  add_three();
  ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_OK);
}
END_TEST

START_TEST(runs_once)
{
  add_three();
  ck_assert_int_eq(larder_batch_run(batch, 0, -1), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_OK);
  ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_batch_command(batch, "PING"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(fake.executed, 1);
}
END_TEST

START_TEST(empty_batch)
{
  ck_assert_int_eq(larder_batch_run(batch, 1, 0), LARDER_OK);
  ck_assert_uint_eq(larder_batch_count(batch), 0);
  ck_assert_int_eq(fake.executed, 0);
}
END_TEST

START_TEST(thousands)
{
  char value[] = "value";
  for (int i = 0; i < 5000; i++)
    ck_assert_int_eq(larder_batch_command(batch, "SET key:%d %s", i, value), LARDER_OK);
  memset(value, 'x', 5);
  ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_OK);
  ck_assert_int_eq(fake.vectors, 5000);
  ck_assert_int_eq(outcome_of(4999), LARDER_OK);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/batch");
  TCase *tc = tcase_create("batch");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_test(tc, one_call_one_reply_each);
  tcase_add_test(tc, atomic_is_split);
  tcase_add_test(tc, whole_failures_reach_every_reply);
  tcase_add_test(tc, nil_whole_is_refused);
  tcase_add_test(tc, missing_replies_are_unknown);
  tcase_add_test(tc, what_is_not_added_spoils);
  tcase_add_test(tc, runs_once);
  tcase_add_test(tc, empty_batch);
  tcase_add_test(tc, thousands);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
