/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <larder.h>

#include "store/cell.h"
#include "store/heap.h"
#include "store/store.h"
#include "support/check.h"

/* What threads count is exact, however many there are, and a reply may be freed by any of
 * them, at any time: before, while and after the store is closed. */

enum { THREADS = LRD_CELLS_OWN + 16, CALLS = 300 };

static larder *store;
static struct heap heap;
static pthread_barrier_t together;
static atomic_int wrong;

static void open_store(void)
{
  char error[LARDER_ERROR_SIZE];
  larder_options o = LARDER_OPTIONS_INIT;
  heap_init(&heap);
  o.memory = &heap.memory;
  store = larder_open("memory:", &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
}

static void nothing_is_left(void)
{
  ck_assert_int_eq(heap.blocks, 0);
  ck_assert_int_eq(heap.bytes, 0);
}

static uint64_t counted(larder_outcome outcome)
{
  larder_status status = {.size = sizeof status};
  ck_assert_int_eq(larder_get_status(store, &status), LARDER_OK);
  return status.calls[outcome];
}

static larder_reply *call(const char *name, const char *key)
{
  const char *const argv[] = {name, key};
  return larder_argv(store, 2, argv, NULL);
}

/* All are alive at once, so not all can own a cell. */
static void *count_some(void *context)
{
  (void)context;
  pthread_barrier_wait(&together);
  for (int i = 0; i < CALLS; i++) {
    larder_reply *absent = call("GET", "nobody"), *counter = call("INCR", "n");
    if (absent->outcome != LARDER_ABSENT || counter->outcome != LARDER_OK)
      wrong++;
    larder_reply_free(counter);
    larder_reply_free(absent);
  }
  pthread_barrier_wait(&together);
  return NULL;
}

START_TEST(more_threads_than_cells_are_counted)
{
  pthread_t thread[THREADS];
  wrong = 0;
  open_store();
  pthread_barrier_init(&together, NULL, THREADS);
  for (int i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, count_some, NULL), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(thread[i], NULL);
  pthread_barrier_destroy(&together);
  ck_assert_int_eq(wrong, 0);
  ck_assert_uint_eq(counted(LARDER_ABSENT), THREADS * CALLS);
  ck_assert_uint_eq(counted(LARDER_OK), THREADS * CALLS);
  larder_close(store, 0);
  nothing_is_left();
}
END_TEST

/* The second is not the first's block while that is in use; afterwards it is. */
START_TEST(replies_stand_side_by_side)
{
  open_store();
  larder_reply *one = call("INCR", "n"), *two = call("INCR", "n");
  ck_assert_ptr_ne(one, two);
  ck_assert_int_eq(one->value.integer, 1);
  ck_assert_int_eq(two->value.integer, 2);
  larder_reply_free(one);
  larder_reply_free(two);
  long blocks = heap.blocks, calls = heap.calls;
  larder_reply_free(call("INCR", "n"));
  ck_assert_int_eq(heap.blocks, blocks);
  /* where no thread owns a cell nothing is kept for it */
  ck_assert_int_eq(heap.calls, calls + !store->cells.owned);
  larder_close(store, 0);
  nothing_is_left();
}
END_TEST

START_TEST(replies_outlive_the_store)
{
  open_store();
  larder_reply_free(larder_command(store, "SET key %s", "a value that is kept"));
  larder_reply *kept = call("GET", "key"), *other = call("GET", "key");
  larder_close(store, 0);
  ck_assert_str_eq(kept->value.str, "a value that is kept");
  ck_assert_str_eq(other->value.str, "a value that is kept");
  larder_reply_free(kept);
  larder_reply_free(other);
  nothing_is_left();
}
END_TEST

static void *free_reply(void *context)
{
  pthread_barrier_wait(&together);
  larder_reply_free(context);
  return NULL;
}

/* Both come to the same block at the same time; one of them releases it. */
START_TEST(replies_are_freed_while_the_store_closes)
{
  enum { ROUNDS = 500 };
  for (int i = 0; i < ROUNDS; i++) {
    pthread_t thread;
    open_store();
    larder_reply *reply = call("GET", "key");
    pthread_barrier_init(&together, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, free_reply, reply), 0);
    pthread_barrier_wait(&together);
    larder_close(store, 0);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&together);
    nothing_is_left();
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/cell");
  TCase *tc = tcase_create("cell");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, more_threads_than_cells_are_counted);
  tcase_add_test(tc, replies_stand_side_by_side);
  tcase_add_test(tc, replies_outlive_the_store);
  tcase_add_test(tc, replies_are_freed_while_the_store_closes);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
