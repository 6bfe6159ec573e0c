/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <larder.h>

#include "store/heap.h"
#include "store/session.h"
#include "support/check.h"

/* The public calls over the in-process engine, with what a hostile day brings. */

static struct heap heap;

static larder *open_memory(const larder_memory *memory, larder_choice background)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = memory;
  o.background = background;
  o.shards = 4;
  return larder_open("memory:", &o, NULL, 0);
}

/* --- no memory, through and through ---------------------------------------- */

static const char *const keys[] = {"a", "b", "c", "d"};

/* Which of the keys are there. */
static unsigned present(larder *store)
{
  unsigned bits = 0;
  for (unsigned i = 0; i < 4; i++) {
    size_t length;
    larder_outcome got = larder_get(store, keys[i], 1, NULL, 0, &length);
    bits |= (unsigned)(got == LARDER_OK) << i;
  }
  return bits;
}

/* The writes of the four keys succeed from left to right. */
static void judge(larder *store, larder_outcome outcome)
{
  unsigned there = present(store);
  switch (outcome) {
  case LARDER_OK:
    ck_assert_uint_eq(there, 15);
    break;
  case LARDER_NO_MEMORY:
    ck_assert_uint_eq(there, 0);
    break;
  case LARDER_UNKNOWN:
    ck_assert(there == 1 || there == 3 || there == 7 || there == 15);
    break;
  default: /* the session was told before EXEC */
    ck_assert_int_ne(outcome, LARDER_ABSENT);
    ck_assert_uint_eq(there, 0);
  }
}

static larder_outcome by_batch(larder *store, const char *value)
{
  larder_batch *b = larder_batch_new(store);
  larder_outcome outcome = LARDER_NO_MEMORY;
  if (!b)
    return outcome;
  for (int i = 0; i < 4; i++)
    larder_batch_command(b, "SET %s %s EX 100", keys[i], value);
  outcome = larder_batch_run(b, 1, 0);
  if (outcome == LARDER_UNKNOWN) {
    const larder_reply *r = larder_batch_reply(b, 3);
    ck_assert_int_eq(strncmp(r->value.str, "UNKNOWN ", 8), 0);
  }
  larder_batch_free(b);
  return outcome == LARDER_BAD_ARGUMENT ? LARDER_NO_MEMORY : outcome;
}

static larder_outcome take(larder_reply *r)
{
  larder_outcome outcome = r->outcome;
  larder_reply_free(r);
  return outcome;
}

static larder_outcome by_session(larder *store, const char *value)
{
  larder_session *s = larder_session_open(store);
  larder_outcome outcome;
  if (!s)
    return LARDER_NO_MEMORY;
  take(larder_session_command(s, "WATCH x y"));
  if (take(larder_session_command(s, "MULTI")) != LARDER_OK) {
    larder_session_close(s);
    return LARDER_NO_MEMORY;
  }
  for (int i = 0; i < 4; i++)
    outcome = take(larder_session_command(s, "SET %s %s", keys[i], value));
  take(larder_session_command(s, "UNWATCH"));
  (void)outcome;
  outcome = take(larder_session_command(s, "EXEC"));
  larder_session_close(s);
  return outcome;
}

static larder_outcome by_mset(larder *store, const char *value)
{
  return take(larder_command(store, "MSET a %s b %s c %s d %s", value, value, value, value));
}

START_TEST(memory_ends)
{
  static larder_outcome (*const ways[])(larder *, const char *) = {by_batch, by_mset, by_session};
  char value[1500] = "";
  int opened = 0;
  memset(value, 'v', sizeof value - 1);
  for (long n = 1;; n++) {
    heap_init(&heap);
    larder *store = open_memory(&heap.memory, LARDER_NO);
    ck_assert_ptr_nonnull(store);
    heap.fail_at = heap.calls + n;
    larder_outcome outcome = ways[_i](store, value);
    int failed = heap.calls >= heap.fail_at;
    heap.fail_at = 0;
    /* a queued command that was refused for lack of memory loses the others */
    if (_i != 2 || outcome != LARDER_REFUSED || !failed)
      judge(store, outcome);
    else
      ck_assert_uint_eq(present(store), 0);
    larder_close(store, 0);
    ck_assert_int_eq(heap.blocks, 0);
    ck_assert_int_eq(heap.bytes, 0);
    opened++;
    if (!failed)
      break;
    ck_assert_int_lt(n, 500);
  }
  ck_assert_int_gt(opened, 4);
}
END_TEST

/* --- a transaction has an end ------------------------------------------------- */

START_TEST(a_transaction_is_bounded)
{
  larder *store = open_memory(NULL, LARDER_NO);
  larder_session *s = larder_session_open(store);
  char *value = calloc(1, 4000);
  s->transaction.limit = 10000;
  for (int round = 0; round < 2; round++) {
    ck_assert_int_eq(take(larder_session_command(s, "MULTI")), LARDER_OK);
    ck_assert_int_eq(take(larder_session_command(s, "SET a %b", value, (size_t)4000)), LARDER_OK);
    ck_assert_int_eq(take(larder_session_command(s, "SET b %b", value, (size_t)4000)), LARDER_OK);
    ck_assert_int_eq(take(larder_session_command(s, "SET c %b", value, (size_t)4000)),
                     LARDER_REFUSED);
    ck_assert_int_eq(take(larder_session_command(s, "EXEC")), LARDER_REFUSED);
    ck_assert_uint_eq(present(store), 0);
  }
  ck_assert_int_eq(take(larder_session_command(s, "MULTI")), LARDER_OK);
  ck_assert_int_eq(take(larder_session_command(s, "SET a %b", value, (size_t)4000)), LARDER_OK);
  ck_assert_int_eq(take(larder_session_command(s, "EXEC")), LARDER_OK);
  ck_assert_uint_eq(present(store), 1);
  larder_session_close(s);
  larder_close(store, 0);
  free(value);
}
END_TEST

/* --- edges of the calls ---------------------------------------------------------- */

START_TEST(small_buffers)
{
  larder *store = open_memory(NULL, LARDER_NO);
  char buffer[8] = "#######";
  size_t length = 99;
  ck_assert_int_eq(larder_set(store, "", 0, "a\0b\0c", 5, 0), LARDER_OK);
  ck_assert_int_eq(larder_get(store, NULL, 0, buffer, 3, &length), LARDER_OK);
  ck_assert_uint_eq(length, 5);
  ck_assert_mem_eq(buffer, "a\0b####", 7);
  ck_assert_int_eq(larder_get(store, "", 0, NULL, 0, &length), LARDER_OK);
  ck_assert_uint_eq(length, 5);
  ck_assert_int_eq(larder_get(store, "", 0, NULL, 1, &length), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_get(store, "", 0, buffer, 8, NULL), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_get(store, NULL, 1, buffer, 8, &length), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(store, "n", 1, "-9223372036854775808", 20, 0), LARDER_OK);
  ck_assert_int_eq(larder_get(store, "n", 1, buffer, 2, &length), LARDER_OK);
  ck_assert_uint_eq(length, 20);
  ck_assert_mem_eq(buffer, "-9b####", 7);
  ck_assert_int_eq(larder_set(store, "a number", 8, "12", 2, 0), LARDER_OK);
  ck_assert_int_eq(larder_get(store, "a number", 8, NULL, 0, &length), LARDER_OK);
  ck_assert_uint_eq(length, 2);
  ck_assert_int_eq(larder_get(store, "nil", 3, buffer, 8, &length), LARDER_ABSENT);
  ck_assert_uint_eq(length, 0);
  take(larder_command(store, "SADD s m"));
  ck_assert_int_eq(larder_get(store, "s", 1, buffer, 8, &length), LARDER_REFUSED);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, (INT64_C(1) << 53) + 1), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, INT64_C(1) << 53), LARDER_OK);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, -1), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_get(NULL, "k", 1, buffer, 8, &length), LARDER_BAD_ARGUMENT);
  larder_close(store, 0);
}
END_TEST

START_TEST(formats_that_end_too_early)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  static const char *const formats[] = {"GET %",    "GET %.",   "GET %.9",  "GET %l",  "GET %ll",
                                        "GET %z",   "GET %lll", "GET %lf",  "GET %5d", "GET %.101f",
                                        "GET %.3d", "GET %n",   "GET %hhd", "%",       "",
                                        "   ",      "GET %c",   "GET %zs",  "GET %.s"};
  larder *store = open_memory(NULL, LARDER_NO);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    ck_assert_msg(take(larder_command(store, formats[i], 1, 2, 3)) == LARDER_BAD_ARGUMENT, "%s",
                  formats[i]);
#pragma GCC diagnostic pop
  ck_assert_int_eq(take(larder_command(store, "GET %s", (char *)NULL)), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(take(larder_command(store, "SET %b %s", "a\0 b", (size_t)4, "x y %s *1\r\n")),
                   LARDER_OK);
  larder_reply *r = larder_command(store, "GET %b", "a\0 b", (size_t)4);
  ck_assert_str_eq(r->value.str, "x y %s *1\r\n");
  larder_reply_free(r);
  larder_close(store, 0);
}
END_TEST

START_TEST(huge_argument_vectors)
{
  enum { MANY = 1 << 20 };
  larder *store = open_memory(NULL, LARDER_NO);
  const char **argv = malloc((MANY + 1) * sizeof *argv);
  for (int i = 0; i <= MANY; i++)
    argv[i] = i ? "k" : "DEL";
  ck_assert_int_eq(take(larder_argv(store, MANY, argv, NULL)), LARDER_OK);
  ck_assert_int_eq(take(larder_argv(store, MANY + 1, argv, NULL)), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(take(larder_argv(store, 0, argv, NULL)), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(take(larder_argv(store, -1, argv, NULL)), LARDER_BAD_ARGUMENT);
  argv[0] = "SADD";
  ck_assert_int_eq(take(larder_argv(store, MANY, argv, NULL)), LARDER_OK);
  free(argv);
  larder_close(store, 0);
}
END_TEST

START_TEST(too_large_is_refused)
{
  enum { LIMIT = 512 * 1024 * 1024 };
  larder *store = open_memory(NULL, LARDER_NO);
  char *value = calloc(1, (size_t)LIMIT + 1);
  size_t length;
  if (!value)
    return;
  const char *const append[] = {"APPEND", "k", value};
  const char *const hset[] = {"HSET", "h", value, "v"};
  const size_t over[] = {6, 1, (size_t)LIMIT + 1}, hover[] = {4, 1, (size_t)LIMIT + 1, 1};
  ck_assert_int_eq(larder_set(store, "k", 1, value, (size_t)LIMIT + 1, 0), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(store, value, (size_t)LIMIT + 1, "v", 1, 0), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(take(larder_argv(store, 3, append, over)), LARDER_REFUSED);
  ck_assert_int_eq(take(larder_argv(store, 4, hset, hover)), LARDER_REFUSED);
  ck_assert_int_eq(larder_get(store, "k", 1, NULL, 0, &length), LARDER_ABSENT);
  larder_close(store, 0);
  free(value);
}
END_TEST

/* --- a million keys that expire --------------------------------------------------- */

static int64_t wall_us = INT64_C(1700000000000000);

static int64_t test_wall(void *context)
{
  (void)context;
  return wall_us;
}

static int64_t test_monotonic(void *context)
{
  (void)context;
  return wall_us * 1000;
}

START_TEST(a_million_keys_expire)
{
  enum { KEYS = 1000000 };
  const larder_clock clock = {test_monotonic, test_wall, NULL};
  larder_status status = {.size = sizeof status};
  larder_options o = LARDER_OPTIONS_INIT;
  o.clock = &clock;
  o.background = LARDER_NO;
  heap_init(&heap);
  o.memory = &heap.memory;
  larder *store = larder_open("memory:", &o, NULL, 0);
  long before = heap.bytes;
  for (int i = 0; i < KEYS; i++)
    ck_assert_int_eq(larder_set(store, &i, sizeof i, "v", 1, 1000 + i % 60000), LARDER_OK);
  wall_us += 31 * INT64_C(1000000);
  larder_reply *r = larder_command(store, "DBSIZE");
  /* those with a ttl of less than 31 s are gone: 30000 of each 60000, in 16 2/3 of them */
  int64_t living = 0;
  for (int i = 0; i < KEYS; i++)
    living += 1000 + i % 60000 >= 31000;
  ck_assert_int_eq(r->value.integer, living);
  larder_reply_free(r);
  wall_us += 31 * INT64_C(1000000);
  for (int i = 0; i < 1000000 && larder_tick(store, 1000000) == 0; i++)
    ;
  larder_get_status(store, &status);
  ck_assert_uint_eq(status.keys, 0);
  /* what stays: a wheel a shard, empty tables */
  ck_assert_int_lt(heap.bytes - before, 200000);
  larder_close(store, 0);
  ck_assert_int_eq(heap.bytes, 0);
}
END_TEST

/* --- fork ------------------------------------------------------------------------------ */

static void nothing(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
}

START_TEST(a_child_may_only_close)
{
  int status;
  heap_init(&heap);
  larder *store = open_memory(&heap.memory, LARDER_YES);
  larder_session *s = larder_session_open(store);
  larder_batch *b = larder_batch_new(store);
  take(larder_command(store, "SET k v PX 100000"));
  take(larder_session_command(s, "WATCH k"));
  larder_batch_command(b, "GET k");
  pid_t child = fork();
  if (child == 0) {
    const char *const argv[] = {"PING"};
    size_t length;
    int bad = take(larder_command(store, "GET k")) != LARDER_FORKED;
    bad |= larder_get(store, "k", 1, NULL, 0, &length) != LARDER_FORKED;
    bad |= larder_set(store, "k", 1, "v", 1, 0) != LARDER_FORKED;
    bad |= take(larder_session_command(s, "GET k")) != LARDER_FORKED;
    bad |= larder_batch_run(b, 0, 0) != LARDER_FORKED;
    bad |= larder_async_argv(store, 1, argv, NULL, 0, nothing, NULL, NULL) != LARDER_FORKED;
    bad |= larder_session_open(store) != NULL || larder_batch_new(store) != NULL;
    bad |= larder_tick(store, 0) != -1 || larder_dispatch(store, 0) != 0;
    larder_session_close(s);
    larder_batch_free(b);
    larder_close(store, 1000);
    _exit(bad);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  ck_assert_int_eq(larder_batch_run(b, 0, 0), LARDER_OK);
  larder_batch_free(b);
  larder_session_close(s);
  larder_close(store, 0);
  ck_assert_int_eq(heap.bytes, 0);
}
END_TEST

/* --- threads, and close among them ------------------------------------------------------- */

enum { WORKERS = 4 };
static larder *shared;
static atomic_int stop, wrong, callbacks, started;

static void counted(void *context, larder_reply *reply)
{
  (void)context;
  callbacks++;
  /* a callback may call */
  larder_outcome outcome = take(larder_command(shared, "INCR callbacks"));
  wrong += outcome != LARDER_OK && outcome != LARDER_CLOSED;
  larder_reply_free(reply);
}

static void *hammer(void *context)
{
  unsigned x = *(unsigned *)context;
  larder_session *s = larder_session_open(shared);
  while (!stop) {
    x = x * 1664525 + 1013904223;
    unsigned k = x >> 20 & 15, l = x >> 24 & 15;
    size_t length;
    switch (x >> 28) {
    case 0:
      take(larder_command(shared, "SET k%u v PX %u", k, 1 + l));
      break;
    case 1:
      take(larder_command(shared, "MSET k%u a k%u b", k, l));
      break;
    case 2:
      take(larder_command(shared, "RENAME k%u k%u", k, l));
      break;
    case 3:
      take(larder_session_command(s, "WATCH k%u k%u", k, l));
      take(larder_session_command(s, "MULTI"));
      take(larder_session_command(s, "INCR n%u", k));
      take(larder_session_command(s, "DBSIZE"));
      take(larder_session_command(s, "EXEC"));
      break;
    case 4:
      take(larder_session_command(s, "SCAN %u COUNT 100", x));
      break;
    case 5:
      take(larder_command(shared, l ? "DBSIZE" : "FLUSHALL"));
      break;
    case 6:
      started += larder_async_command(shared, counted, NULL, "SADD s%u %u", k, x) == LARDER_OK;
      break;
    case 7:
      take(larder_command(shared, "SPOP s%u 3", k));
      break;
    case 8:
      take(larder_command(shared, "INFO"));
      break;
    default:
      larder_get(shared, "k1", 2, NULL, 0, &length);
      larder_set(shared, "k2", 2, "v", 1, l);
    }
  }
  larder_session_close(s);
  return NULL;
}

START_TEST(threads_over_everything)
{
  pthread_t thread[WORKERS];
  unsigned seed[WORKERS];
  heap_init(&heap);
  shared = open_memory(&heap.memory, LARDER_YES);
  for (unsigned i = 0; i < WORKERS; i++) {
    seed[i] = i * 77;
    ck_assert_int_eq(pthread_create(&thread[i], NULL, hammer, &seed[i]), 0);
  }
  usleep(1500000);
  stop = 1;
  for (int i = 0; i < WORKERS; i++)
    pthread_join(thread[i], NULL);
  larder_close(shared, 0);
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_eq(callbacks, started);
  ck_assert_int_eq(heap.bytes, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("break");
  TCase *tests = tcase_create("break");
  tcase_add_loop_test(tests, memory_ends, 0, 3);
  tcase_add_test(tests, a_transaction_is_bounded);
  tcase_add_test(tests, small_buffers);
  tcase_add_test(tests, formats_that_end_too_early);
  tcase_add_test(tests, huge_argument_vectors);
  tcase_add_test(tests, too_large_is_refused);
  tcase_add_test(tests, a_million_keys_expire);
#ifndef __SANITIZE_THREAD__
  tcase_add_test(tests, a_child_may_only_close);
#endif
  tcase_add_test(tests, threads_over_everything);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
