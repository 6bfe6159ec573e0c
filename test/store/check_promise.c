/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "store/promise.h"
#include "support/check.h"

/* The pool of asynchronous calls' blocks: who gives one back, and when the last one goes. */

static atomic_int blocks;

static void *allocate_dirty(void *context, size_t size)
{
  (void)context;
  void *p = malloc(size);
  if (!p)
    abort();
  blocks++;
  return memset(p, 0xa5, size);
}

static void release(void *context, void *p, size_t size)
{
  (void)context;
  if (!p)
    return;
  blocks--;
  memset(p, 0x5a, size);
  free(p);
}

static const larder_memory memory = {.allocate = allocate_dirty, .release = release};

static struct lrd_promises *new_pool(void)
{
  struct lrd_promises *pool = lrd_promises_new(&memory);
  ck_assert_ptr_nonnull(pool);
  return pool;
}

static struct lrd_promise *get(struct lrd_promises *pool)
{
  struct lrd_promise *promise = lrd_promises_take(pool);
  return promise ? promise : lrd_promises_grow(pool);
}

/* A child that was forked while a call was being begun does that. */
START_TEST(a_block_can_be_freed_before_it_is_used)
{
  struct lrd_promises *pool = new_pool();
  for (int i = 0; i < 3; i++) /* a new one, then the same again */
    lrd_answer_free(&get(pool)->answer);
  ck_assert_int_eq(blocks, 2);
  struct lrd_promise *large = get(pool);
  ck_assert_ptr_nonnull(lrd_arena_allocate(&large->answer.arena, 100000));
  struct lrd_promise *other = lrd_promises_grow(pool);
  lrd_promises_close(pool);
  ck_assert_int_eq(blocks, 4);
  lrd_answer_free(&other->answer);
  ck_assert_int_eq(blocks, 3);
  lrd_answer_free(&large->answer);
  ck_assert_int_eq(blocks, 0);
}
END_TEST

START_TEST(replies_outlive_their_store)
{
  enum { COUNT = 3000 };
  static struct lrd_promise *promise[COUNT];
  struct lrd_promises *pool = new_pool();
  for (int i = 0; i < COUNT; i++)
    promise[i] = lrd_promises_grow(pool);
  for (int i = 0; i < COUNT / 2; i++)
    lrd_answer_free(&promise[i]->answer);
  ck_assert_int_eq(blocks, 1 + COUNT / 2 + LRD_PROMISES_SPARE); /* no more are kept */
  lrd_promises_close(pool);
  ck_assert_int_eq(blocks, 1 + COUNT / 2);
  for (int i = COUNT / 2; i < COUNT; i++)
    lrd_answer_free(&promise[i]->answer);
  ck_assert_int_eq(blocks, 0);
}
END_TEST

/* --- at the same time -------------------------------------------------------------------- */

enum { THREADS = 3, SEATS = 64 };

static _Atomic(struct lrd_promise *) seat[THREADS][SEATS];
static atomic_int no_more;

static void *free_replies(void *argument)
{
  for (int last = 0, i = 0; !last || i; i = (i + 1) % SEATS) {
    if (i == 0)
      last = no_more;
    struct lrd_promise *promise =
        atomic_exchange(&((_Atomic(struct lrd_promise *) *)argument)[i], NULL);
    if (promise)
      lrd_answer_free(&promise->answer);
    if (last && i == SEATS - 1)
      break;
  }
  return NULL;
}

/* Replies are freed by threads of their own while the store takes blocks, and while it closes. */
START_TEST(freed_while_the_store_closes)
{
  for (int round = 0; round < 30; round++) {
    struct lrd_promises *pool = new_pool();
    pthread_t thread[THREADS];
    no_more = 0;
    for (int i = 0; i < THREADS; i++)
      ck_assert_int_eq(pthread_create(&thread[i], NULL, free_replies, seat[i]), 0);
    for (int n = 0; n < 3000; n++) {
      struct lrd_promise *promise = get(pool), *before;
      ck_assert_ptr_nonnull(lrd_arena_allocate(&promise->answer.arena, (size_t)(n % 500)));
      before = atomic_exchange(&seat[n % THREADS][n / THREADS % SEATS], promise);
      if (before)
        lrd_answer_free(&before->answer);
    }
    no_more = 1;
    lrd_promises_close(pool);
    for (int i = 0; i < THREADS; i++)
      pthread_join(thread[i], NULL);
    ck_assert_int_eq(blocks, 0);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/promise");
  TCase *tc = tcase_create("pool");
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, a_block_can_be_freed_before_it_is_used);
  tcase_add_test(tc, replies_outlive_their_store);
  tcase_add_test(tc, freed_while_the_store_closes);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
