/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <larder.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory/check.h"
#include "memory/pool.h"
#include "store/heap.h"
#include "store/store.h"
#include "support/check.h"

/*
 * What becomes of a store when the process forks, executes another program or exits,
 * and when threads are cancelled or end, while others are in the midst of calls.
 */

enum { THREADS = 6, KEYS = 64 };

struct place {
  larder *store;
  atomic_int stop;
  atomic_ulong wrong;
  pthread_t thread[THREADS];
};

static void nap(int ms)
{
  nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL);
}

static void completed(void *context, larder_reply *r)
{
  larder_reply_free(r);
  atomic_fetch_add((atomic_int *)context, 1);
}

/* One of each kind of call; those that make tables need random numbers. */
static void do_all(larder *store, unsigned i, atomic_int *done)
{
  char buffer[64], key[16];
  size_t length;
  larder_batch *b = larder_batch_new(store);
  larder_session *s = larder_session_open(store);

  larder_set(store, key, (size_t)snprintf(key, sizeof key, "k%u", i % KEYS), "v", 1, i % 3 * 10);
  larder_get(store, "k1", 2, buffer, sizeof buffer, &length);
  for (unsigned k = 0; k < 200; k++)
    larder_batch_command(b, "HSET h%u field%u value-that-is-longer-than-a-packed-hash-would-hold-"
                            "and-a-bit-more", i % KEYS, k);
  larder_batch_command(b, "DEL h%u", (i + 1) % KEYS);
  larder_batch_run(b, (int)i % 2, 0);
  larder_reply_free(larder_command(store, "SADD s%u %u a b c", i % KEYS, i));
  larder_reply_free(larder_command(store, "MSET a%u 1 b%u 2 c%u 3", i % 7, i % 7, i % 7));
  larder_reply_free(larder_session_command(s, "WATCH a1 b1"));
  larder_reply_free(larder_session_command(s, "MULTI"));
  larder_reply_free(larder_session_command(s, "INCR n"));
  larder_reply_free(larder_session_command(s, "EXEC"));
  if (done)
    larder_async_command(store, completed, done, "INCR m");
  larder_tick(store, 50);
  larder_session_close(s);
  larder_batch_free(b);
}

static void *work(void *context)
{
  struct place *p = context;

  for (unsigned i = 0; !atomic_load(&p->stop); i++)
    do_all(p->store, i, NULL);
  return NULL;
}

static void begin(struct place *p, larder_options *options)
{
  char error[LARDER_ERROR_SIZE];

  memset(p, 0, sizeof *p);
  p->store = larder_open("memory:?shards=2", options, error, sizeof error);
  ck_assert_msg(p->store != NULL, "%s", error);
}

static void start(struct place *p)
{
  for (int i = 0; i < THREADS; i++)
    if (pthread_create(&p->thread[i], NULL, work, p) != 0)
      abort();
}

static void end(struct place *p)
{
  atomic_store(&p->stop, 1);
  for (int i = 0; i < THREADS; i++)
    pthread_join(p->thread[i], NULL);
}

/* --- fork -------------------------------------------------------------------------- */

static int is_forked(larder_reply *r)
{
  int forked = r->outcome == LARDER_FORKED;

  larder_reply_free(r);
  return forked;
}

/* The child's part: 0, or the number of what went wrong. */
static int live_as_child(larder *inherited, larder_batch *batch, larder_session *session)
{
  char buffer[16], error[LARDER_ERROR_SIZE];
  size_t length;
  larder_status status = { .size = sizeof status };
  larder *own;

  if (larder_get(inherited, "k", 1, buffer, sizeof buffer, &length) != LARDER_FORKED)
    return 1;
  if (larder_set(inherited, "k", 1, "v", 1, 0) != LARDER_FORKED)
    return 2;
  if (!is_forked(larder_command(inherited, "GET k")))
    return 3;
  if (larder_batch_run(batch, 1, 0) != LARDER_FORKED)
    return 4;
  if (!is_forked(larder_session_command(session, "PING")))
    return 5;
  if (larder_async_command(inherited, completed, NULL, "PING") != LARDER_FORKED)
    return 6;
  if (larder_get_status(inherited, &status) != LARDER_FORKED || larder_tick(inherited, 10) != -1)
    return 7;
  larder_session_close(session);
  larder_batch_free(batch);
  if (larder_close(inherited, 100) != 0)
    return 8;
  own = larder_open("memory:", NULL, error, sizeof error);
  if (!own || larder_set(own, "k", 1, "v", 1, 5000) != LARDER_OK ||
      larder_get(own, "k", 1, buffer, sizeof buffer, &length) != LARDER_OK)
    return 9;
  larder_close(own, 0);
  return 0;
}

START_TEST(a_child_of_a_busy_process)
{
  struct place p;
  int status;

  begin(&p, NULL);
  start(&p);
  for (int i = 0; i < 30; i++) {
    larder_batch *batch = larder_batch_new(p.store);
    larder_session *session = larder_session_open(p.store);
    pid_t child;

    larder_batch_command(batch, "PING");
    larder_reply_free(larder_session_command(session, "WATCH a1"));
    child = fork();
    ck_assert_int_ge(child, 0);
    if (!child)
      _exit(live_as_child(p.store, batch, session));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %d: %x", i,
                  (unsigned)status);
    ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_OK);
    larder_session_close(session);
    larder_batch_free(batch);
    nap(2);
  }
  end(&p);
  check_ok(lrd_engine_check((struct lrd_engine *)p.store->base));
  larder_close(p.store, 0);
}
END_TEST

struct guest {
  struct lrd_grace *grace;
  atomic_int is_inside, may_go;
};

static void *stay_inside(void *context)
{
  struct guest *guest = context;
  struct lrd_reader *reader = lrd_grace_enter(guest->grace);

  atomic_store(&guest->is_inside, 1);
  while (!atomic_load(&guest->may_go))
    nap(1);
  if (reader)
    lrd_grace_leave(reader);
  return NULL;
}

/* A thread of the parent was reading without a lock; more is freed than may wait for it. */
START_TEST(a_child_does_not_wait_for_readers)
{
  enum { BYTES = 1 << 20, VALUES = 2 * LRD_GRACE_MOST / BYTES };
  static char value[BYTES];
  struct guest guest = { 0 };
  struct place p;
  int status;
  pid_t child;

  begin(&p, NULL);
  guest.grace = ((struct lrd_engine *)p.store->base)->grace;
  ck_assert_int_eq(pthread_create(&p.thread[0], NULL, stay_inside, &guest), 0);
  while (!atomic_load(&guest.is_inside))
    nap(1);
  for (int i = 0; i < VALUES; i++)
    ck_assert_int_eq(larder_set(p.store, &i, sizeof i, value, BYTES, 0), LARDER_OK);
  child = fork();
  ck_assert_int_ge(child, 0);
  if (!child) {
    alarm(5);
    larder_close(p.store, 0);
    _exit(0);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child: %x", (unsigned)status);
  atomic_store(&guest.may_go, 1);
  pthread_join(p.thread[0], NULL);
  larder_close(p.store, 0);
}
END_TEST

/* --- exec --------------------------------------------------------------------------- */

/* Bits of the descriptors that are open, of those below 64; inherited: only those that
 * exec() would hand on. */
static uint64_t descriptors(int inherited)
{
  uint64_t open = 0;

  for (int fd = 0; fd < 64; fd++) {
    int flags = fcntl(fd, F_GETFD);

    if (flags >= 0 && !(inherited && (flags & FD_CLOEXEC)))
      open |= UINT64_C(1) << fd;
  }
  return open;
}

START_TEST(exec_hands_nothing_on)
{
  uint64_t open = descriptors(0), inherited = descriptors(1);
  larder_options options = LARDER_OPTIONS_INIT;
  struct place p;
  atomic_int done = 0;

  options.delivery = LARDER_DELIVER_DISPATCH;
  begin(&p, &options);
  do_all(p.store, 1, &done);
  ck_assert_int_ge(larder_pollfd(p.store), 0);
  ck_assert_uint_ne(descriptors(0), open);
  ck_assert_uint_eq(descriptors(1), inherited);
  larder_dispatch(p.store, 0);
  larder_close(p.store, 0);
  ck_assert_uint_eq(descriptors(0), open);
}
END_TEST

/* --- exit --------------------------------------------------------------------------- */

START_TEST(exit_in_the_midst_of_calls)
{
  static struct place p; /* the threads run on while the process ends */
  int status;

  for (int i = 0; i < 10; i++) {
    pid_t child = fork();

    if (!child) {
      begin(&p, NULL);
      start(&p);
      nap(5 + i);
      exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
  }
}
END_TEST

/* --- cancellation -------------------------------------------------------------------- */

struct victim {
  larder *store;
  unsigned seed;
  atomic_int done; /* asynchronous calls */
  atomic_int through;
};

/* The request is there from the beginning; it may not be heard before the last line. */
static void *be_cancelled(void *context)
{
  struct victim *v = context;
  larder *own;

  pthread_cancel(pthread_self());
  do_all(v->store, v->seed, &v->done);
  own = larder_open("memory:", NULL, NULL, 0);
  do_all(own, v->seed, NULL);
  larder_close(own, 10);
  atomic_store(&v->through, 1);
  pthread_testcancel();
  return NULL;
}

START_TEST(no_call_is_a_cancellation_point)
{
  larder_options options = LARDER_OPTIONS_INIT;
  struct place p;

  if (_i)
    options.delivery = LARDER_DELIVER_DISPATCH;
  begin(&p, &options);
  for (unsigned i = 0; i < 50; i++) {
    struct victim v = { .store = p.store, .seed = i };
    pthread_t thread;
    void *result;

    ck_assert_int_eq(pthread_create(&thread, NULL, be_cancelled, &v), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert_int_eq(atomic_load(&v.through), 1);
    while (!atomic_load(&v.done))
      if (!_i || !larder_dispatch(p.store, 0))
        nap(1);
  }
  ck_assert_uint_eq(lrd_active(p.store), 0);
  do_all(p.store, 1, NULL);
  check_ok(lrd_engine_check((struct lrd_engine *)p.store->base));
  larder_close(p.store, 0);
}
END_TEST

/* Again and again, in the midst of whatever they do; the request is heard between calls. */
static void *work_until_cancelled(void *context)
{
  for (unsigned i = 0;; i++) {
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state); /* what the test itself holds */
    do_all(((struct place *)context)->store, i, NULL);
    pthread_setcancelstate(state, &state);
    larder_set(((struct place *)context)->store, "k", 1, "v", 1, 10);
    larder_reply_free(larder_command(((struct place *)context)->store, "SADD t%u a b c", i % 9));
    pthread_testcancel();
  }
  return NULL;
}

START_TEST(threads_come_and_go)
{
  larder_options options = LARDER_OPTIONS_INIT;
  struct heap heap;
  struct place p;
  pthread_t thread;

  heap_init(&heap);
  options.memory = &heap.memory;
  begin(&p, &options);
  start(&p);
  for (int i = 0; i < 40; i++) {
    ck_assert_int_eq(pthread_create(&thread, NULL, work_until_cancelled, &p), 0);
    nap(1);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
  }
  end(&p);
  ck_assert_uint_eq(lrd_active(p.store), 0);
  check_ok(lrd_engine_check((struct lrd_engine *)p.store->base));
  larder_close(p.store, 0);
  ck_assert_int_eq(heap.blocks, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("process");
  TCase *tests = tcase_create("process");

/* The sanitizers' own allocator and thread registry are not made for a child that goes on
 * when other threads of its parent were inside them (glibc's allocator is). */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
  tcase_add_test(tests, a_child_of_a_busy_process);
  tcase_add_test(tests, a_child_does_not_wait_for_readers);
#else
  (void)a_child_of_a_busy_process;
  (void)a_child_does_not_wait_for_readers;
#endif
  tcase_add_test(tests, exec_hands_nothing_on);
  tcase_add_test(tests, exit_in_the_midst_of_calls);
  tcase_add_loop_test(tests, no_call_is_a_cancellation_point, 0, 2);
  tcase_add_test(tests, threads_come_and_go);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
