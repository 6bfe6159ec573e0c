/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <larder.h>

#include "store/fake.h"
#include "store/heap.h"
#include "store/reference.h"
#include "support/check.h"

/*
 * Every allocation of a scenario fails once, one after the other: nothing
 * crashes, nothing leaks, and what failed says NO_MEMORY (or what it had to say
 * anyway).
 */

static struct heap heap;
static int memory_lacked;

static larder *open_store(const larder_backend_table *table, larder_delivery delivery)
{
  char error[LARDER_ERROR_SIZE];
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.backend = table;
  o.client_name = "name";
  o.password = "secret";
  o.delivery = delivery;
  larder *store = larder_open("redis://joe:other@h/3?client_name=other", &o, error, sizeof error);
  if (!store) {
    memory_lacked = 1;
    ck_assert_msg(strstr(error, "memory"), "%s", error);
  }
  return store;
}

static larder_outcome look(larder_reply *r)
{
  larder_outcome outcome = r->outcome;
  if (outcome == LARDER_NO_MEMORY) {
    memory_lacked = 1;
    ck_assert_int_eq(r->value.type, LARDER_ERROR);
    ck_assert_ptr_nonnull(r->value.str);
  }
  larder_reply_free(r);
  return outcome;
}

static void expect(larder_outcome got, larder_outcome wanted)
{
  if (got == LARDER_NO_MEMORY)
    memory_lacked = 1;
  else
    ck_assert_msg(got == wanted, "%s", larder_outcome_name(got));
}

/* --- scenarios ----------------------------------------------------------- */

static void calls(void)
{
  const char *argv[40];
  char value[3000];
  larder *store = open_store(&reference_table, LARDER_DELIVER_THREAD);
  if (!store)
    return;
  memset(value, 'v', sizeof value);
  larder_outcome set = look(larder_command(store, "SET %s %b", "k", value, sizeof value));
  expect(set, LARDER_OK);
  expect(look(larder_command(store, "GET k")), set == LARDER_OK ? LARDER_OK : LARDER_ABSENT);
  for (int i = 0; i < 40; i++)
    argv[i] = i ? "x" : "DEL";
  expect(look(larder_argv(store, 40, argv, NULL)), LARDER_OK);
  expect(look(larder_command(store, "NOSUCH")), LARDER_BAD_ARGUMENT);
  expect(look(larder_command(store, "COMMAND")), LARDER_OK);
  expect(larder_set(store, "a", 1, "b", 1, 0), LARDER_OK);
  larder_close(store, 0);
}

static void sessions(void)
{
  static const char *const lines[] = {"CLIENT SETNAME me", "WATCH a", "MULTI", "SET a 1",
                                      "SET b 2", "EXEC", "HELLO 3 SETNAME you", "WATCH b",
                                      "MULTI", "EXEC"};
  larder *store = open_store(&fake_table, LARDER_DELIVER_THREAD);
  if (!store)
    return;
  larder_session *session = larder_session_open(store);
  if (!session)
    memory_lacked = 1;
  for (size_t i = 0; session && i < sizeof lines / sizeof *lines; i++) {
    larder_outcome outcome = look(larder_session_command(session, lines[i]));
    /* After a failure the transaction is refused, or there is none. */
    if (!memory_lacked)
      ck_assert_int_eq(outcome, LARDER_OK);
  }
  larder_session_close(session);
  larder_close(store, 0);
  ck_assert_int_eq(fake.holds_opened, fake.holds_closed);
}

static void batches(void)
{
  larder *store = open_store(&fake_table, LARDER_DELIVER_THREAD);
  if (!store)
    return;
  for (int atomic = 0; atomic < 2; atomic++) {
    larder_batch *b = larder_batch_new(store);
    memory_lacked |= !b;
    larder_outcome added = LARDER_OK;
    for (int i = 0; b && i < 20; i++) {
      larder_outcome outcome = larder_batch_command(b, "SET key:%d value", i);
      expect(outcome, LARDER_OK);
      if (outcome != LARDER_OK)
        added = LARDER_BAD_ARGUMENT;
    }
    if (b)
      expect(larder_batch_run(b, atomic, 0), added);
    larder_batch_free(b);
  }
  larder_close(store, 0);
}

static int begun, ended;

static void on_reply(void *context, larder_reply *reply)
{
  (void)context;
  look(reply);
  ended++;
}

static void submissions(void)
{
  larder *store = open_store(&fake_table, LARDER_DELIVER_DISPATCH);
  begun = ended = 0;
  if (!store)
    return;
  for (int i = 0; i < 100; i++) {
    larder_outcome outcome = larder_async_command(store, on_reply, NULL, "SET key:%d value", i);
    expect(outcome, LARDER_OK);
    begun += outcome == LARDER_OK;
  }
  larder_dispatch(store, 30);
  larder_close(store, 0);
  ck_assert_int_eq(begun, ended);
}

/* The same over the in-process engine, whose data must stay whole as well. */
static void engine(void)
{
  static const char *const lines[] = {"SET s v", "HSET h f v", "RPUSH l a b", "SADD t a b",
                                      "ZADD z 1 a 2 b", "GET s", "HGETALL h", "LRANGE l 0 -1",
                                      "SMEMBERS t", "ZRANGE z 0 -1 WITHSCORES", "EXPIRE s 100",
                                      "SET s w PX 100000", "DEL s h l t z"};
  char error[LARDER_ERROR_SIZE];
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.background = LARDER_NO;
  larder *store = larder_open("memory:", &o, error, sizeof error);
  if (!store) {
    memory_lacked = 1;
    return;
  }
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    larder_outcome outcome = look(larder_command(store, lines[i]));
    if (!memory_lacked)
      ck_assert_msg(outcome == LARDER_OK, "%s: %s", lines[i], larder_outcome_name(outcome));
  }
  larder_close(store, 0);
}

static void (*const scenarios[])(void) = {calls, sessions, batches, submissions, engine};

START_TEST(every_allocation_fails_once)
{
  fake_reset();
  heap_init(&heap);
  for (heap.fail_at = 1;; heap.fail_at++) {
    heap.calls = 0;
    memory_lacked = 0;
    scenarios[_i]();
    ck_assert_msg(heap.blocks == 0 && heap.bytes == 0, "%ld blocks left, failure %ld",
                  (long)heap.blocks, heap.fail_at);
    if (heap.calls < heap.fail_at)
      break;
    /* The engine may do without some of what it asks for. */
    ck_assert_msg(memory_lacked || scenarios[_i] == engine, "failure %ld was not told",
                  heap.fail_at);
  }
  ck_assert(!memory_lacked);
  ck_assert_int_gt(heap.fail_at, 10);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/memory");
  TCase *tc = tcase_create("memory");
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, every_allocation_fails_once, 0,
                      (int)(sizeof scenarios / sizeof *scenarios));
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
