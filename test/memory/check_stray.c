/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "memory/pool.h"
#include "memory/shard.h"
#include "store/store.h"

/* Commands that look at keys which they don't name: they wait for every shard, not only for
 * the named key's.  The list is called "by", as an option is. */

static larder *store;

static struct lrd_engine *engine(void)
{
  return (struct lrd_engine *)store->base;
}

static const struct lrd_shard *shard_of(const char *key)
{
  return lrd_shard_of(engine(), lrd_key_hash(engine(), (larder_bytes){ key, strlen(key) }));
}

static void open_store(void)
{
  char why[LARDER_ERROR_SIZE];

  store = larder_open("memory:?shards=4", NULL, why, sizeof why);
  ck_assert_msg(store != NULL, "%s", why);
  larder_reply_free(larder_command(store, "RPUSH by 3 1 2"));
}

static void close_store(void)
{
  larder_close(store, 0);
}

struct caller {
  const char *line;
  atomic_int done;
};

static void *call(void *context)
{
  struct caller *c = context;

  larder_reply_free(larder_command(store, c->line));
  atomic_store(&c->done, 1);
  return NULL;
}

/* In the order of their ranks. */
static void take_others(const struct lrd_shard *but)
{
  for (unsigned i = 0; i < engine()->shards; i++)
    if (&engine()->shard[i] != but)
      lrd_latch_take(&engine()->shard[i].lock);
}

static void drop_others(const struct lrd_shard *but)
{
  for (unsigned i = engine()->shards; i--;)
    if (&engine()->shard[i] != but)
      lrd_latch_drop(&engine()->shard[i].lock);
}

/* Whether the line is executed while all shards but the list's are taken. */
static int goes_through(const char *line)
{
  struct caller c = { .line = line };
  const struct lrd_shard *named = shard_of("by");
  pthread_t thread;
  int done = 0;

  take_others(named);
  ck_assert_int_eq(pthread_create(&thread, NULL, call, &c), 0);
  for (int i = 0; i < 100 && !done; i++) {
    nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    done = atomic_load(&c.done);
  }
  drop_others(named);
  pthread_join(thread, NULL);
  return done;
}

START_TEST(patterns_wait_for_every_shard)
{
  ck_assert(!goes_through("SORT by BY weight_*"));
  ck_assert(!goes_through("SORT_RO by BY weight_*->field"));
  ck_assert(!goes_through("SORT by BY nosort GET value_*"));
  ck_assert(!goes_through("SORT by STORE by GET value_*"));
}
END_TEST

START_TEST(others_do_not)
{
  ck_assert(goes_through("SORT by"));
  ck_assert(goes_through("SORT by BY nosort GET #"));
  ck_assert(goes_through("SORT by STORE by"));
  ck_assert(goes_through("MOVE by 1"));
}
END_TEST

int main(void)
{
  Suite *s = suite_create("stray");
  TCase *t = tcase_create("stray");

  tcase_add_checked_fixture(t, open_store, close_store);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, patterns_wait_for_every_shard);
  tcase_add_test(t, others_do_not);
  suite_add_tcase(s, t);
  return run_suite(s);
}
