/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "serve/talk.h"
#include "support/backend.h"
#include "support/check.h"

/* What broke a listener once. */

enum { DELAY_MS = 100 };

static atomic_int calls;

/* As a store whose Redis is silent: each call takes its time, then fails. */
static void slow_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  const larder_verdict verdict = { .outcome = LARDER_NOT_SENT, .age_ms = -1 };
  struct timespec delay = { 0, DELAY_MS * 1000000L };
  size_t i;

  (void)b;
  atomic_fetch_add(&calls, 1);
  nanosleep(&delay, NULL);
  for (i = 0; i < (call->flags & LARDER_CALL_ATOMIC ? 1 : call->count); i++) {
    sink->type->error(sink, "NOTSENT", 7);
    sink->type->end(sink, &verdict);
  }
}

static const larder_backend_table slow_table =
  BARE_BACKEND("slow", LARDER_CAN_ATOMIC, slow_execute);

static int64_t now_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *const pipeline[] = {
  "SELECT 1\r\nGET a\r\nSELECT 2\r\nGET b\r\n",
  "MULTI\r\nINCR n\r\nEXEC\r\n",
};

/* Each of the pipelined calls has its deadline: close waits for one of them, not for all. */
START_TEST(closed_under_a_long_pipeline)
{
  larder_options o = LARDER_OPTIONS_INIT;
  struct house h;
  struct timespec pause = { 0, 50 * 1000000L };
  int64_t begun;
  int fd, i;

  o.backend = &slow_table;
  house_open(&h, &o, NULL);
  fd = house_connect(&h);
  for (i = 0; i < 64; i++)
    ck_assert_int_eq(talk_send(fd, pipeline[_i], strlen(pipeline[_i])), 0);
  while (atomic_load(&calls) == 0)
    nanosleep(&pause, NULL);
  nanosleep(&pause, NULL);
  begun = now_ms();
  house_close(&h);
  ck_assert_int_lt(now_ms() - begun, 10 * DELAY_MS);
  close(fd);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("break");
  TCase *t = tcase_create("break");

  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, closed_under_a_long_pipeline, 0, 2);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
