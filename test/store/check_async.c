/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <larder.h>

#include "store/fake.h"
#include "store/heap.h"
#include "support/check.h"

static char error[LARDER_ERROR_SIZE];
static struct heap heap;
static larder *store;

/* What callbacks saw; looked at by the test's thread only after they came. */
static atomic_int called;
static atomic_int outcomes[LARDER_OUTCOMES];
static pthread_t callback_thread;
static sigset_t callback_mask;

static void open_store(larder_delivery delivery)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.backend = &fake_table;
  o.delivery = delivery;
  store = larder_open("memory:", &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
}

static void setup(void)
{
  fake_reset();
  heap_init(&heap);
}

static void on_reply(void *context, larder_reply *reply)
{
  (void)context;
  callback_thread = pthread_self();
  pthread_sigmask(SIG_SETMASK, NULL, &callback_mask);
  outcomes[reply->outcome]++;
  larder_reply_free(reply);
  called++;
}

static void await(int n)
{
  for (int i = 0; i < 5000 && called < n; i++)
    usleep(1000);
  ck_assert_int_eq(called, n);
}

static void start(void)
{
  ck_assert_int_eq(larder_async_command(store, on_reply, NULL, "SET %s %d", "k", 1), LARDER_OK);
}

static int readable(int fd)
{
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, 0) == 1;
}

static void close_clean(int64_t timeout)
{
  larder_close(store, timeout);
  ck_assert_int_eq(heap.blocks, 0);
}

/* --- delivery ------------------------------------------------------------ */

START_TEST(on_a_thread)
{
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  open_store(LARDER_DELIVER_THREAD);
  ck_assert_int_eq(larder_pollfd(store), -1);
  ck_assert_uint_eq(larder_dispatch(store, 0), 0);
  fake.submit = _i ? FAKE_THREAD : FAKE_INLINE;
  start();
  start();
  await(2);
  ck_assert_int_eq(outcomes[LARDER_OK], 2);
  ck_assert(!pthread_equal(callback_thread, pthread_self()));
  ck_assert(sigismember(&callback_mask, SIGTERM) == 1);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  ck_assert_int_eq(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
  close_clean(0);
}
END_TEST

START_TEST(by_dispatch)
{
  open_store(LARDER_DELIVER_DISPATCH);
  int fd = larder_pollfd(store);
  ck_assert_int_ge(fd, 0);
  ck_assert(!readable(fd));
  for (int i = 0; i < 5; i++)
    start();
  ck_assert_int_eq(called, 0);
  ck_assert(readable(fd));
  ck_assert_uint_eq(larder_dispatch(store, 2), 2);
  ck_assert_int_eq(called, 2);
  ck_assert(readable(fd));
  ck_assert_uint_eq(larder_dispatch(store, 0), 3);
  ck_assert(pthread_equal(callback_thread, pthread_self()));
  ck_assert(!readable(fd));
  ck_assert_uint_eq(larder_dispatch(store, 0), 0);
  start();
  ck_assert(readable(fd));
  ck_assert_uint_eq(larder_dispatch(store, 9), 1);
  ck_assert(!readable(fd));
  close_clean(0);
}
END_TEST

static int order[100], ordered;

static void on_ordered(void *context, larder_reply *reply)
{
  order[ordered++] = (int)(intptr_t)context;
  larder_reply_free(reply);
}

START_TEST(in_order_of_completion)
{
  open_store(LARDER_DELIVER_DISPATCH);
  for (int i = 0; i < 100; i++)
    larder_async_command(store, on_ordered, (void *)(intptr_t)i, "PING");
  larder_dispatch(store, 0);
  ck_assert_int_eq(ordered, 100);
  for (int i = 0; i < 100; i++)
    ck_assert_int_eq(order[i], i);
  close_clean(0);
}
END_TEST

/* --- refused ------------------------------------------------------------- */

START_TEST(refused_at_once)
{
  const char *const argv[] = {"GET", "a"};
  open_store(LARDER_DELIVER_DISPATCH);
  ck_assert_int_eq(larder_async_argv(store, 1, argv, NULL, 0, on_reply, NULL, NULL),
                   LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_async_argv(store, 0, argv, NULL, 0, on_reply, NULL, NULL),
                   LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_async_argv(store, 2, argv, NULL, -1, on_reply, NULL, NULL),
                   LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_async_argv(store, 2, argv, NULL, 0, NULL, NULL, NULL),
                   LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_async_command(store, on_reply, NULL, "MULTI"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_async_command(store, on_reply, NULL, "NOSUCH"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_async_command(store, on_reply, NULL, "%q"), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_async_command(store, on_reply, NULL, NULL), LARDER_BAD_ARGUMENT);
  larder_dispatch(store, 0);
  ck_assert_int_eq(called, 0);
  ck_assert_int_eq(larder_async_command(store, on_reply, NULL, "COMMAND COUNT"), LARDER_OK);
  larder_dispatch(store, 0);
  ck_assert_int_eq(called, 1);
  close_clean(0);
}
END_TEST

START_TEST(bounded)
{
  enum { MOST = 65536 };
  const char *const argv[] = {"PING"};
  open_store(LARDER_DELIVER_DISPATCH);
  for (int i = 0; i < MOST; i++)
    ck_assert_int_eq(larder_async_argv(store, 1, argv, NULL, 0, on_reply, NULL, NULL), LARDER_OK);
  ck_assert_int_eq(larder_async_argv(store, 1, argv, NULL, 0, on_reply, NULL, NULL),
                   LARDER_NOT_SENT);
  ck_assert_uint_eq(larder_dispatch(store, 1), 1);
  ck_assert_int_eq(larder_async_argv(store, 1, argv, NULL, 0, on_reply, NULL, NULL), LARDER_OK);
  close_clean(0);
  ck_assert_int_eq(called, MOST + 1);
}
END_TEST

/* The bytes are copied before the call returns. */
static void on_echo(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
}

START_TEST(bytes_are_copied)
{
  char key[] = "key";
  const char *argv[] = {"SET", key, key};
  open_store(LARDER_DELIVER_DISPATCH);
  fake.submit = FAKE_HELD;
  ck_assert_int_eq(larder_async_argv(store, 3, argv, NULL, 0, on_echo, NULL, NULL), LARDER_OK);
  char *heap_key = strdup("other");
  ck_assert_int_eq(larder_async_command(store, on_echo, NULL, "SET %s %b", heap_key, heap_key,
                                        (size_t)5), LARDER_OK);
  free(heap_key); /* ASan sees who reads it later */
  memset(key, 'x', 3);
  fake_release();
  ck_assert_uint_eq(larder_dispatch(store, 0), 2);
  close_clean(0);
}
END_TEST

/* --- cancelling ---------------------------------------------------------- */

START_TEST(cancel)
{
  const char *const argv[] = {"PING"};
  uint64_t id[3];
  open_store(LARDER_DELIVER_DISPATCH);
  fake.submit = FAKE_HELD;
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(larder_async_argv(store, 1, argv, NULL, 0, on_reply, NULL, &id[i]),
                     LARDER_OK);
  ck_assert_int_eq(larder_async_cancel(store, id[1]), LARDER_OK);
  ck_assert_int_eq(larder_async_cancel(store, id[1]), LARDER_ABSENT);
  ck_assert_uint_eq(larder_dispatch(store, 0), 1);
  ck_assert_int_eq(outcomes[LARDER_CLOSED], 1);
  ck_assert_int_eq(larder_async_cancel(store, id[1]), LARDER_ABSENT);
  fake_release();
  ck_assert_int_eq(larder_async_cancel(store, id[0]), LARDER_ABSENT);
  ck_assert_uint_eq(larder_dispatch(store, 0), 2);
  ck_assert_int_eq(larder_async_cancel(store, 0), LARDER_ABSENT);
  ck_assert_int_eq(larder_async_cancel(store, UINT64_MAX), LARDER_ABSENT);
  /* A slot used again has another number. */
  uint64_t again;
  larder_async_argv(store, 1, argv, NULL, 0, on_reply, NULL, &again);
  for (int i = 0; i < 3; i++)
    ck_assert_uint_ne(again, id[i]);
  ck_assert_int_eq(fake.cancelled, 1);
  close_clean(0);
  ck_assert_int_eq(called, 4);
}
END_TEST

/* --- from inside a callback ---------------------------------------------- */

static int chain;

static void on_chain(void *context, larder_reply *reply)
{
  larder_reply_free(reply);
  larder_reply *r = larder_command(store, "GET a");
  outcomes[r->outcome]++;
  larder_reply_free(r);
  if (--chain > 0)
    larder_async_command(store, on_chain, context, "PING");
  called++;
}

START_TEST(calls_from_callbacks)
{
  open_store(_i ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD);
  chain = 10;
  larder_async_command(store, on_chain, NULL, "PING");
  for (int i = 0; _i && i < 20; i++)
    larder_dispatch(store, 0);
  await(10);
  ck_assert_int_eq(outcomes[LARDER_ABSENT], 10);
  close_clean(0);
}
END_TEST

static void on_nested(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
  called++;
  larder_dispatch(store, 0);
}

START_TEST(dispatch_inside_a_callback)
{
  open_store(LARDER_DELIVER_DISPATCH);
  for (int i = 0; i < 5; i++)
    larder_async_command(store, on_nested, NULL, "PING");
  ck_assert_uint_eq(larder_dispatch(store, 0), 1);
  ck_assert_int_eq(called, 5);
  ck_assert(!readable(larder_pollfd(store)));
  close_clean(0);
}
END_TEST

static atomic_int misused;

static void on_event(void *context, const larder_event *e)
{
  (void)context;
  misused += strcmp(e->name, "misuse") == 0;
}

static void on_close(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
  larder_close(store, 0);
  called++;
}

START_TEST(close_inside_a_callback)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = &fake_table;
  o.event = on_event;
  o.delivery = _i ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD;
  store = larder_open("memory:", &o, error, sizeof error);
  larder_async_command(store, on_close, NULL, "PING");
  larder_dispatch(store, 0);
  await(1);
  ck_assert_int_eq(misused, 1);
  ck_assert_int_eq(fake.closed, 0);
  larder_close(store, 0);
  ck_assert_int_eq(fake.closed, 1);
}
END_TEST

/* --- closing ------------------------------------------------------------- */

static void start_many(int n)
{
  for (int i = 0; i < n; i++)
    start();
}

START_TEST(close_ends_what_is_held)
{
  open_store(_i ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD);
  fake.submit = FAKE_HELD;
  start_many(50);
  close_clean(_i ? 0 : 30);
  ck_assert_int_eq(called, 50);
  ck_assert_int_eq(outcomes[LARDER_CLOSED], 50);
  ck_assert_int_eq(fake.cancelled_all, 1);
}
END_TEST

START_TEST(close_ends_what_is_forgotten)
{
  open_store(_i ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD);
  fake.submit = FAKE_FORGOTTEN;
  start_many(3);
  close_clean(0);
  ck_assert_int_eq(called, 3);
  ck_assert_int_eq(outcomes[LARDER_CLOSED], 3);
}
END_TEST

START_TEST(close_waits_for_threads)
{
  open_store(_i ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD);
  fake.submit = FAKE_THREAD;
  start_many(20);
  close_clean(10000);
  ck_assert_int_eq(called, 20);
  ck_assert_int_eq(outcomes[LARDER_OK], 20);
  ck_assert_int_eq(fake.cancelled_all, 0);
}
END_TEST

static void on_late(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
  outcomes[larder_async_command(store, on_late, NULL, "PING")]++;
  larder_reply *r = larder_command(store, "PING");
  outcomes[r->outcome]++;
  larder_reply_free(r);
  called++;
}

START_TEST(callbacks_at_close_see_closed)
{
  open_store(_i ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD);
  fake.submit = FAKE_HELD;
  larder_async_command(store, on_late, NULL, "PING");
  close_clean(0);
  ck_assert_int_eq(called, 1);
  ck_assert_int_eq(outcomes[LARDER_CLOSED], 2);
}
END_TEST

/* Synchronous calls that block in the backend are ended by close. */
static larder_outcome reply_outcome(larder_reply *r)
{
  larder_outcome outcome = r->outcome;
  larder_reply_free(r);
  return outcome;
}

struct blocked {
  pthread_t thread;
  int kind;
  larder_batch *batch;
  larder_outcome outcome;
};

enum { KINDS = 5 };

static void *blocked_call(void *argument)
{
  struct blocked *b = argument;
  size_t length;
  switch (b->kind) {
  case 0:
    b->outcome = reply_outcome(larder_command(store, "GET a"));
    break;
  case 1:
    b->outcome = larder_get(store, "k", 1, NULL, 0, &length);
    break;
  case 2:
    b->outcome = larder_set(store, "k", 1, "v", 1, 0);
    break;
  default:
    b->outcome = larder_batch_run(b->batch, b->kind == 4, 0);
    break;
  }
  return NULL;
}

START_TEST(close_ends_blocked_calls)
{
  struct blocked blocked[KINDS] = {{0}};
  open_store(LARDER_DELIVER_THREAD);
  fake.answer = FAKE_BLOCK;
  for (int i = 0; i < KINDS; i++) {
    blocked[i].kind = i;
    blocked[i].batch = larder_batch_new(store);
    larder_batch_command(blocked[i].batch, "GET a");
    pthread_create(&blocked[i].thread, NULL, blocked_call, &blocked[i]);
  }
  fake_await(KINDS);
  larder_status status = {.size = sizeof status};
  ck_assert_int_eq(larder_get_status(store, &status), LARDER_OK);
  ck_assert_uint_eq(status.in_flight, KINDS);
  larder_close(store, _i ? 20 : 0);
  for (int i = 0; i < KINDS; i++) {
    pthread_join(blocked[i].thread, NULL);
    ck_assert_int_eq(blocked[i].outcome, LARDER_CLOSED);
    larder_batch_free(blocked[i].batch);
  }
  ck_assert_int_eq(fake.cancelled_all, 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/async");
  TCase *tc = tcase_create("async");
  tcase_add_checked_fixture(tc, setup, NULL);
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, on_a_thread, 0, 2);
  tcase_add_test(tc, by_dispatch);
  tcase_add_test(tc, in_order_of_completion);
  tcase_add_test(tc, refused_at_once);
  tcase_add_test(tc, bounded);
  tcase_add_test(tc, bytes_are_copied);
  tcase_add_test(tc, cancel);
  tcase_add_loop_test(tc, calls_from_callbacks, 0, 2);
  tcase_add_test(tc, dispatch_inside_a_callback);
  tcase_add_loop_test(tc, close_inside_a_callback, 0, 2);
  tcase_add_loop_test(tc, close_ends_what_is_held, 0, 2);
  tcase_add_loop_test(tc, close_ends_what_is_forgotten, 0, 2);
  tcase_add_loop_test(tc, close_waits_for_threads, 0, 2);
  tcase_add_loop_test(tc, callbacks_at_close_see_closed, 0, 2);
  tcase_add_loop_test(tc, close_ends_blocked_calls, 0, 2);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
