/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "serve/talk.h"
#include "support/backend.h"
#include "support/check.h"

/*
 * A listener over a store that takes its time: clients must not wait for each
 * other, and each keeps its order.
 */

enum { DELAY_MS = 30, WAIT_MS = 20000 };

static atomic_int inside, most_inside, calls;

/* After a while each command is answered with its last argument. */
static void slow_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  const larder_verdict verdict = { LARDER_OK, LARDER_FROM_REDIS, LARDER_CAUSE_NONE, 0, -1 };
  struct timespec delay = { 0, DELAY_MS * 1000000L };
  int now = atomic_fetch_add(&inside, 1) + 1;
  size_t i;

  (void)b;
  if (now > atomic_load(&most_inside))
    atomic_store(&most_inside, now);
  atomic_fetch_add(&calls, 1);
  nanosleep(&delay, NULL);
  for (i = 0; i < call->count; i++) {
    const larder_bytes *last = &call->vector[i].argv[call->vector[i].argc - 1];
    sink->type->string(sink, last->data, last->len);
    sink->type->end(sink, &verdict);
  }
  atomic_fetch_sub(&inside, 1);
}

static const larder_backend_table slow_table =
  BARE_BACKEND("slow", 0, slow_execute);

static void open_slow(struct house *h, unsigned workers)
{
  larder_options o = LARDER_OPTIONS_INIT;
  larder_listen_options l = LARDER_LISTEN_OPTIONS_INIT;

  atomic_store(&inside, 0);
  atomic_store(&most_inside, 0);
  atomic_store(&calls, 0);
  o.backend = &slow_table;
  l.workers = workers;
  house_open(h, &o, &l);
}

static int64_t now_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void ask_all(int *fd, int n)
{
  char request[64];
  int i;

  for (i = 0; i < n; i++) {
    sprintf(request, "GET client-%d\r\n", i);
    ck_assert_int_eq(talk_send(fd[i], request, strlen(request)), 0);
  }
}

static void hear_all(int *fd, int n)
{
  char expected[64], got[64];
  int i;

  for (i = 0; i < n; i++) {
    char name[32];
    sprintf(name, "client-%d", i);
    sprintf(expected, "$%zu\r\n%s\r\n", strlen(name), name);
    memset(got, 0, sizeof got);
    ck_assert_int_eq(talk_read(fd[i], got, strlen(expected), WAIT_MS), 0);
    ck_assert_str_eq(got, expected);
  }
}

START_TEST(side_by_side)
{
  enum { CLIENTS = 20, ROUNDS = 5 };
  struct house h;
  larder_listener_status s = { .size = sizeof s };
  int fd[CLIENTS], i;
  int64_t begun;

  open_slow(&h, 0);
  for (i = 0; i < CLIENTS; i++)
    fd[i] = talk_connect(h.port);
  begun = now_ms();
  for (i = 0; i < ROUNDS; i++) {
    ask_all(fd, CLIENTS);
    hear_all(fd, CLIENTS);
  }
  /* One after the other: 3000 ms. */
  ck_assert_int_lt(now_ms() - begun, CLIENTS * ROUNDS * DELAY_MS / 2);
  larder_listener_get_status(h.listener, &s);
  ck_assert_uint_le(s.workers, CLIENTS);
  ck_assert_uint_gt(s.workers, 1);
  for (i = 0; i < CLIENTS; i++)
    close(fd[i]);
  house_close(&h);
}
END_TEST

START_TEST(bounded)
{
  enum { CLIENTS = 12 };
  struct house h;
  larder_listener_status s = { .size = sizeof s };
  int fd[CLIENTS], i;

  open_slow(&h, 3);
  for (i = 0; i < CLIENTS; i++)
    fd[i] = talk_connect(h.port);
  ask_all(fd, CLIENTS);
  hear_all(fd, CLIENTS);
  larder_listener_get_status(h.listener, &s);
  ck_assert_uint_eq(s.workers, 3);
  ck_assert_int_eq(atomic_load(&most_inside), 3);
  for (i = 0; i < CLIENTS; i++)
    close(fd[i]);
  house_close(&h);
}
END_TEST

/* What one client sends at once travels as one call; its order is kept. */
START_TEST(one_client_in_order)
{
  enum { N = 300 };
  struct house h;
  char *request = malloc(N * 32), *expected = malloc(N * 32);
  size_t in = 0, out = 0;
  struct talk t;
  int fd, i;

  open_slow(&h, 0);
  for (i = 0; i < N; i++) {
    in += (size_t)sprintf(request + in, "GET %03d\r\n", i);
    out += (size_t)sprintf(expected + out, "$3\r\n%03d\r\n", i);
  }
  fd = talk_connect(h.port);
  t = talk_exchange(fd, request, in, 1, WAIT_MS);
  ck_assert(t.closed);
  ck_assert_uint_eq(t.len, out);
  ck_assert_int_eq(memcmp(t.bytes, expected, out), 0);
  ck_assert_int_lt(atomic_load(&calls), 20);
  ck_assert_int_eq(atomic_load(&most_inside), 1);
  talk_free(&t);
  close(fd);
  free(request);
  free(expected);
  house_close(&h);
}
END_TEST

/* More comes, or the client goes, while its list is with a worker. */
START_TEST(meanwhile)
{
  struct house h;
  char got[64] = "";
  int a, b;

  open_slow(&h, 0);
  a = talk_connect(h.port);
  b = talk_connect(h.port);
  ck_assert_int_eq(talk_send(a, "GET one\r\n", 9), 0);
  ck_assert_int_eq(talk_send(b, "GET two\r\n", 9), 0);
  usleep(DELAY_MS * 300);
  close(b);
  ck_assert_int_eq(talk_send(a, "GET th", 6), 0);
  usleep(DELAY_MS * 2000);
  ck_assert_int_eq(talk_send(a, "ree\r\nQUIT\r\n", 11), 0);
  ck_assert_int_eq(talk_read(a, got, 25, WAIT_MS), 0);
  ck_assert_str_eq(got, "$3\r\none\r\n$5\r\nthree\r\n+OK\r\n");
  close(a);
  house_close(&h);
}
END_TEST

START_TEST(close_with_calls_in_flight)
{
  enum { CLIENTS = 30 };
  struct house h;
  int fd[CLIENTS], i;
  int64_t begun;

  open_slow(&h, 4);
  for (i = 0; i < CLIENTS; i++)
    fd[i] = talk_connect(h.port);
  ask_all(fd, CLIENTS);
  while (atomic_load(&inside) < 4)
    usleep(100);
  begun = now_ms();
  house_close(&h);
  ck_assert_int_lt(now_ms() - begun, WAIT_MS / 4);
  for (i = 0; i < CLIENTS; i++)
    close(fd[i]);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("workers");
  TCase *workers = tcase_create("workers");

  tcase_set_timeout(workers, 60);
  tcase_add_test(workers, side_by_side);
  tcase_add_test(workers, bounded);
  tcase_add_test(workers, one_client_in_order);
  tcase_add_test(workers, meanwhile);
  tcase_add_test(workers, close_with_calls_in_flight);
  suite_add_tcase(suite, workers);
  return run_suite(suite);
}
