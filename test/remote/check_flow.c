/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/flow.h"

#include <stdlib.h>

#include "support/check.h"

/* Whose job goes next, and how many may be in the wire: without threads, sockets or time. */

static struct lrd_link line;

static struct lrd_job *make(size_t count, unsigned flow)
{
  struct lrd_job *job = calloc(count, sizeof *job);
  ck_assert_ptr_nonnull(job);
  for (size_t i = 0; i < count; i++)
    job[i].flow = flow;
  return job;
}

static struct lrd_job *send_next(void)
{
  struct lrd_job *job = lrd_flow_next(&line);
  ck_assert_ptr_nonnull(job);
  lrd_flow_leave(job);
  return job;
}

START_TEST(few_calls_do_not_wait_behind_many)
{
  enum { MANY = 50000, FEW = 10 };
  struct lrd_job *many = make(MANY, 2), *few = make(FEW, 7);
  size_t sent_many = 0, sent_few = 0;
  for (int i = 0; i < MANY; i++)
    lrd_flow_enter(&line, &many[i]);
  for (; sent_many < 5; sent_many++)
    ck_assert_ptr_eq(send_next(), &many[sent_many]);
  for (int i = 0; i < FEW; i++)
    lrd_flow_enter(&line, &few[i]);
  while (sent_few < FEW) {
    struct lrd_job *job = send_next();
    if (job->flow == 7)
      ck_assert_ptr_eq(job, &few[sent_few++]);
    else
      ck_assert_ptr_eq(job, &many[sent_many++]);
  }
  ck_assert_uint_le(sent_many, LRD_FLOW_TURN);
  for (; sent_many < MANY; sent_many++)
    ck_assert_ptr_eq(send_next(), &many[sent_many]);
  ck_assert_uint_eq(line.work.waiting, 0);
  ck_assert_ptr_null(lrd_flow_next(&line));
  free(many);
  free(few);
}
END_TEST

START_TEST(threads_take_turns)
{
  enum { EACH = 1000 };
  struct lrd_job *job[LRD_FLOWS];
  for (unsigned f = 0; f < LRD_FLOWS; f++) {
    job[f] = make(EACH, f);
    for (int i = 0; i < EACH; i++)
      lrd_flow_enter(&line, &job[f][i]);
  }
  size_t sent[LRD_FLOWS] = {0};
  for (int n = 0; n < EACH * LRD_FLOWS; n++) {
    struct lrd_job *next = send_next();
    ck_assert_ptr_eq(next, &job[next->flow][sent[next->flow]++]);
    for (int f = 0; f < LRD_FLOWS; f++)
      ck_assert_uint_le(sent[next->flow], sent[f] + LRD_FLOW_TURN);
  }
  for (int f = 0; f < LRD_FLOWS; f++)
    free(job[f]);
}
END_TEST

START_TEST(who_comes_back_goes_first)
{
  struct lrd_job *a = make(6, 1), *b = make(2, 4);
  struct lrd_job_list back = {0};
  for (int i = 3; i < 6; i++)
    lrd_flow_enter(&line, &a[i]);
  lrd_job_list_push(&back, &a[0]);
  lrd_job_list_push(&back, &b[0]);
  lrd_job_list_push(&back, &a[1]);
  lrd_job_list_push(&back, &b[1]);
  lrd_job_list_push(&back, &a[2]);
  lrd_flow_return(&line, &back);
  ck_assert_ptr_null(back.first);
  ck_assert_uint_eq(line.work.waiting, 8);
  for (int i = 0; i < 6; i++)
    ck_assert_ptr_eq(send_next(), &a[i]);
  for (int i = 0; i < 2; i++)
    ck_assert_ptr_eq(send_next(), &b[i]);
  ck_assert_ptr_null(lrd_flow_next(&line));
  free(a);
  free(b);
}
END_TEST

/* --- the window -------------------------------------------------------------------------- */

/* A whole window of replies, each after so many ms. */
static void answer(int64_t ms)
{
  struct lrd_ticket ticket = {.sent_at = LRD_NS_PER_MS};
  size_t all = line.work.window;
  lrd_window_look(&line, &ticket, all, (1 + ms) * LRD_NS_PER_MS);
  lrd_window_look(&line, &ticket, 1, (1 + ms) * LRD_NS_PER_MS);
}

START_TEST(the_window_follows_the_server)
{
  line.work.window = LRD_WINDOW_LEAST;
  answer(10);
  ck_assert_uint_eq(line.work.window, LRD_WINDOW_LEAST); /* nobody waits for more room */
  line.work.waiting = 1;
  for (size_t due = LRD_WINDOW_LEAST; due < LRD_WINDOW_MOST; due *= 2) {
    ck_assert_uint_eq(line.work.window, due);
    answer(15);
  }
  answer(15);
  ck_assert_uint_eq(line.work.window, LRD_WINDOW_MOST);
  answer(35); /* neither fast nor slow: it stays */
  ck_assert_uint_eq(line.work.window, LRD_WINDOW_MOST);
  for (size_t due = LRD_WINDOW_MOST; due > LRD_WINDOW_LEAST; due /= 2) {
    ck_assert_uint_eq(line.work.window, due);
    answer(50);
  }
  answer(50);
  ck_assert_uint_eq(line.work.window, LRD_WINDOW_LEAST);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("remote/flow");
  TCase *tc = tcase_create("flow");
  tcase_add_test(tc, few_calls_do_not_wait_behind_many);
  tcase_add_test(tc, threads_take_turns);
  tcase_add_test(tc, who_comes_back_goes_first);
  tcase_add_test(tc, the_window_follows_the_server);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
