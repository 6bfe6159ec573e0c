/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <larder.h>

#include "store/fake.h"
#include "store/heap.h"
#include "store/reference.h"
#include "support/check.h"

/*
 * Threads hammer one store with everything that it has; at the end it is closed
 * with asynchronous calls in flight.  (Synchronous ones in flight at close: see
 * check_async.)  Workers record; the test's thread judges.
 */

enum { WORKERS = 6 };

static larder *store;
static atomic_int begun, ended, wrong, stop;

static void on_reply(void *context, larder_reply *reply)
{
  (void)context;
  /* CLOSED: what the fake says of a cancelled call. */
  if (reply->outcome != LARDER_OK && reply->outcome != LARDER_ABSENT &&
      reply->outcome != LARDER_CLOSED)
    wrong++;
  larder_reply_free(reply);
  ended++;
}

static void judge(larder_outcome outcome)
{
  if (outcome != LARDER_OK && outcome != LARDER_ABSENT && outcome != LARDER_NOT_SENT &&
      outcome != LARDER_UNSUPPORTED)
    wrong++;
}

static void judge_reply(larder_reply *r)
{
  judge(r->outcome);
  larder_reply_free(r);
}

static void async(void)
{
  const char *const argv[] = {"GET", "k"};
  uint64_t id = 0;
  larder_outcome outcome = larder_async_argv(store, 2, argv, NULL, 0, on_reply, NULL, &id);
  begun += outcome == LARDER_OK;
  judge(outcome);
  judge(larder_async_cancel(store, id));
}

static void batch(int atomic)
{
  larder_batch *b = larder_batch_new(store);
  larder_batch_command(b, "SET k 1");
  larder_batch_command(b, "GET k");
  judge(larder_batch_run(b, atomic, 0));
  larder_batch_free(b);
}

static void transaction(larder_session *session)
{
  judge_reply(larder_session_command(session, "MULTI"));
  judge_reply(larder_session_command(session, "SET k 1"));
  judge_reply(larder_session_command(session, "EXEC"));
}

static void step(int i, larder_session *session)
{
  size_t length;
  larder_status status = {.size = sizeof status};
  switch (i % 8) {
  case 0:
    judge_reply(larder_command(store, "SET k %d", i));
    break;
  case 1:
    judge_reply(larder_command(store, "GET k"));
    break;
  case 2:
    judge(larder_get(store, "k", 1, NULL, 0, &length));
    break;
  case 3:
    judge(larder_set(store, "k", 1, "v", 1, 0));
    break;
  case 4:
    async();
    break;
  case 5:
    batch(i % 16 < 8);
    break;
  case 6:
    transaction(session);
    break;
  default:
    judge(larder_get_status(store, &status));
    larder_dispatch(store, 0);
    break;
  }
}

static void *work(void *argument)
{
  larder_session *session = larder_session_open(store);
  for (int i = *(int *)argument; !stop; i++)
    step(i, session);
  larder_session_close(session);
  return NULL;
}

static const struct {
  const larder_backend_table *table;
  larder_delivery delivery;
  enum fake_submit submit;
} settings[] = {
    {&fake_table, LARDER_DELIVER_THREAD, FAKE_INLINE},
    {&fake_table, LARDER_DELIVER_THREAD, FAKE_HELD},
    {&fake_table, LARDER_DELIVER_DISPATCH, FAKE_INLINE},
    {&fake_table, LARDER_DELIVER_DISPATCH, FAKE_HELD},
    {&reference_table, LARDER_DELIVER_THREAD, FAKE_INLINE},
    {&reference_table, LARDER_DELIVER_DISPATCH, FAKE_INLINE},
    {NULL, LARDER_DELIVER_THREAD, FAKE_INLINE}, /* the in-process engine */
    {NULL, LARDER_DELIVER_DISPATCH, FAKE_INLINE},
};

START_TEST(everything_at_once)
{
  char error[LARDER_ERROR_SIZE];
  struct heap heap;
  pthread_t thread[WORKERS];
  int number[WORKERS];
  larder_options o = LARDER_OPTIONS_INIT;
  fake_reset();
  fake.submit = settings[_i].submit;
  heap_init(&heap);
  o.memory = &heap.memory;
  o.backend = settings[_i].table;
  o.delivery = settings[_i].delivery;
  store = larder_open("memory:", &o, error, sizeof error);
  for (int i = 0; i < WORKERS; i++) {
    number[i] = i;
    pthread_create(&thread[i], NULL, work, &number[i]);
  }
  usleep(300000);
  stop = 1;
  for (int i = 0; i < WORKERS; i++)
    pthread_join(thread[i], NULL);
  for (int i = 0; i < 100; i++)
    async();
  larder_close(store, 1000);
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_eq(begun, ended);
  ck_assert_int_gt(begun, 100);
  ck_assert_int_eq(heap.blocks, 0);
  ck_assert_int_eq(heap.bytes, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/threads");
  TCase *tc = tcase_create("threads");
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, everything_at_once, 0, (int)(sizeof settings / sizeof *settings));
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
