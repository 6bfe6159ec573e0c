/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <larder.h>
#include <larder/uv.h>

#include "store/heap.h"
#include "support/check.h"
#include "support/server.h"

/* A store on a uv_loop_t (larder/uv.h), and the examples of the documentation. */

static char error[LARDER_ERROR_SIZE];
static struct server *server;
static struct heap heap;
static larder *store;
static uv_loop_t loop;
static larder_uv attachment;
static int begun, ended, detached;
static pthread_t callback_thread;

static larder *open_store(const char *url, larder_delivery delivery)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.delivery = delivery;
  o.timeout_ms = 5000;
  larder *opened = larder_open(url, &o, error, sizeof error);
  ck_assert_msg(opened != NULL, "%s", error);
  return opened;
}

static void setup(void)
{
  server = server_start(NULL);
  heap_init(&heap);
  ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
  server_stop(server);
}

/* _i: 0 memory, 1 a real Redis. */
static void attach(int redis)
{
  store = open_store(redis ? server_url(server) : "memory:", LARDER_DELIVER_DISPATCH);
  ck_assert_int_eq(larder_uv_attach(&attachment, &loop, store), 0);
}

static void on_detached(larder_uv *a)
{
  ck_assert_ptr_eq(a, &attachment);
  detached++;
}

static void start(larder_callback *callback)
{
  ck_assert_int_eq(larder_async_command(store, callback, NULL, "INCR n"), LARDER_OK);
  begun++;
}

/* The values say that each came once and in its turn. */
static void check_reply(larder_reply *reply)
{
  ck_assert_int_eq(reply->outcome, LARDER_OK);
  ck_assert_int_eq(reply->value.integer, ++ended);
  callback_thread = pthread_self();
  larder_reply_free(reply);
}

static void on_chain(void *context, larder_reply *reply)
{
  (void)context;
  check_reply(reply);
  if (begun < 1000)
    start(on_chain);
  else if (ended == begun)
    larder_uv_detach(&attachment, on_detached);
}

static void end_loop(void)
{
  ck_assert_int_eq(uv_loop_close(&loop), 0);
  larder_close(store, 1000);
  ck_assert_int_eq(heap.blocks, 0);
}

START_TEST(callbacks_come_on_the_loop)
{
  attach(_i);
  for (int i = 0; i < 100; i++)
    start(on_chain);
  uv_run(&loop, UV_RUN_DEFAULT);
  ck_assert_int_eq(ended, 1000);
  ck_assert_int_eq(detached, 1);
  ck_assert(pthread_equal(callback_thread, pthread_self()));
  end_loop();
}
END_TEST

static int rounds;

static void on_idle(uv_idle_t *idle)
{
  (void)idle;
  rounds++;
}

static void on_plain(void *context, larder_reply *reply)
{
  (void)context;
  check_reply(reply);
}

START_TEST(a_round_is_bounded)
{
  uv_idle_t idle;
  attach(0);
  uv_idle_init(&loop, &idle);
  uv_idle_start(&idle, on_idle);
  for (int i = 0; i < 10 * LARDER_UV_ROUND; i++)
    start(on_plain);
  while (ended < begun)
    uv_run(&loop, UV_RUN_ONCE);
  ck_assert_int_ge(rounds, 10);
  uv_close((uv_handle_t *)&idle, NULL);
  larder_uv_detach(&attachment, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  end_loop();
}
END_TEST

static void on_first(void *context, larder_reply *reply)
{
  (void)context;
  check_reply(reply);
  larder_uv_detach(&attachment, on_detached);
  larder_uv_detach(&attachment, NULL);
}

/* Detached inside a callback: no callback comes on the loop any more, and none is lost. */
START_TEST(detached_with_calls_in_flight)
{
  attach(_i);
  start(on_first);
  for (int i = 0; i < 2000; i++)
    start(on_plain);
  uv_run(&loop, UV_RUN_DEFAULT);
  ck_assert_int_eq(detached, 1);
  ck_assert_int_lt(ended, begun);
  ck_assert_int_eq(larder_uv_attach(&attachment, &loop, store), 0);
  while (ended < begun)
    uv_run(&loop, UV_RUN_ONCE);
  larder_uv_detach(&attachment, on_detached);
  uv_run(&loop, UV_RUN_DEFAULT);
  ck_assert_int_eq(detached, 2);
  end_loop();
}
END_TEST

static int outcomes[LARDER_OUTCOMES];

static void on_any(void *context, larder_reply *reply)
{
  (void)context;
  outcomes[reply->outcome]++;
  if (++ended == 1)
    larder_uv_detach(&attachment, larder_uv_close_store);
  larder_reply_free(reply);
}

START_TEST(closed_with_calls_in_flight)
{
  attach(_i);
  for (int i = 0; i < 3000; i++)
    start(on_any);
  uv_run(&loop, UV_RUN_DEFAULT);
  ck_assert_int_eq(ended, begun);
  ck_assert_int_ge(outcomes[LARDER_OK], 1);
  ck_assert_int_eq(uv_loop_close(&loop), 0);
  ck_assert_int_eq(heap.blocks, 0);
}
END_TEST

START_TEST(what_has_no_descriptor_is_refused)
{
  store = open_store("memory:", LARDER_DELIVER_THREAD);
  ck_assert_int_eq(larder_uv_attach(&attachment, &loop, store), UV_EINVAL);
  ck_assert_int_eq(larder_uv_attach(&attachment, &loop, NULL), UV_EINVAL);
  end_loop();
}
END_TEST

/* --- the documentation's programs -------------------------------------------------------- */

static const char *const examples[] = {"thread", "poll", "epoll", "uv", "subscribe"};

static int run_example(const char *name, const char *url)
{
  char path[256];
  int status;
  snprintf(path, sizeof path, "doc/example/%s", name);
  pid_t pid = fork();
  if (pid == 0) {
    execl(path, path, url, (char *)NULL);
    _exit(127);
  }
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(examples_do_what_they_say)
{
  ck_assert_int_eq(run_example(examples[_i], "memory:"), 0);
  ck_assert_int_eq(run_example(examples[_i], server_url(server)), 0);
  ck_assert_int_eq(run_example(examples[_i], "nosuch://"), 1);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("store/uv");
  TCase *tc = tcase_create("uv");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, callbacks_come_on_the_loop, 0, 2);
  tcase_add_test(tc, a_round_is_bounded);
  tcase_add_loop_test(tc, detached_with_calls_in_flight, 0, 2);
  tcase_add_loop_test(tc, closed_with_calls_in_flight, 0, 2);
  tcase_add_test(tc, what_has_no_descriptor_is_refused);
  tcase_add_loop_test(tc, examples_do_what_they_say, 0, 5);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
