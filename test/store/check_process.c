/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/heap.h"
#include "store/reference.h"
#include "store/store_rig.h"

/* Stores and their process: forked children, many stores one after the other, two at once. */

static int child(larder *store, larder_session *session, larder_batch *batch, int pollfd)
{
  size_t length;
  larder_status status = {.size = sizeof status};
  int wrong_here = run(store, 1, (const char *const[]){"PING"}) != LARDER_FORKED;
  wrong_here += larder_get(store, "k", 1, NULL, 0, &length) != LARDER_FORKED;
  wrong_here += larder_set(store, "k", 1, "v", 1, 0) != LARDER_FORKED;
  wrong_here += larder_get_status(store, &status) != LARDER_FORKED;
  wrong_here += larder_batch_run(batch, 0, 0) != LARDER_FORKED;
  wrong_here += larder_session_open(store) != NULL;
  wrong_here += larder_pollfd(store) != -1;
  wrong_here += larder_async_command(store, NULL, NULL, "PING") == LARDER_OK;
  larder_reply *r = larder_session_command(session, "PING");
  wrong_here += r->outcome != LARDER_FORKED;
  larder_reply_free(r);
  wrong_here += fake.executed != 1;
  larder_session_close(session);
  larder_batch_free(batch);
  larder_close(store, 1000);
  wrong_here += fake.closed_forked != 1;
  /* A store of its own works. */
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = &fake_table;
  o.delivery = pollfd < 0 ? LARDER_DELIVER_THREAD : LARDER_DELIVER_DISPATCH;
  larder *mine = larder_open("memory:", &o, NULL, 0);
  wrong_here += !mine || run(mine, 1, (const char *const[]){"PING"}) != LARDER_OK;
  larder_close(mine, 0);
  return wrong_here;
}

START_TEST(forked)
{
  larder_options o = LARDER_OPTIONS_INIT;
  struct heap heap;
  heap_init(&heap);
  o.memory = &heap.memory;
  o.backend = &fake_table;
  o.delivery = _i ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD;
  larder *store = larder_open("memory:", &o, error, sizeof error);
  run(store, 1, (const char *const[]){"PING"});
  larder_session *session = larder_session_open(store);
  larder_batch *batch = larder_batch_new(store);
  larder_batch_command(batch, "PING");
  int fd = larder_pollfd(store), status = 0;
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    int result = child(store, session, batch, fd);
    _exit(heap.blocks ? 100 : result);
  }
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
  /* The parent's store goes on. */
  ck_assert_int_eq(fake.closed, 0);
  ck_assert_int_eq(larder_batch_run(batch, 0, 0), LARDER_OK);
  larder_reply *r = larder_session_command(session, "PING");
  ck_assert_int_eq(r->outcome, LARDER_OK);
  larder_reply_free(r);
  larder_session_close(session);
  larder_batch_free(batch);
  larder_close(store, 0);
  ck_assert_int_eq(heap.blocks, 0);
}
END_TEST

static int entries(const char *path)
{
  DIR *d = opendir(path);
  int n = 0;
  while (readdir(d))
    n++;
  closedir(d);
  return n;
}

static void ignore_reply(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
}

START_TEST(thousand_cycles)
{
  struct heap heap;
  heap_init(&heap);
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.backend = &fake_table;
  int fds = 0, threads = 0;
  for (int i = 0; i < 1010; i++) {
    if (i == 10) { /* a sanitizer may have started a thread of its own by now */
      fds = entries("/proc/self/fd");
      threads = entries("/proc/self/task");
    }
    o.delivery = i % 2 ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD;
    larder *store = larder_open("memory:", &o, error, sizeof error);
    ck_assert_int_eq(run(store, 1, (const char *const[]){"PING"}), LARDER_OK);
    ck_assert_int_eq(larder_async_command(store, ignore_reply, NULL, "PING"), LARDER_OK);
    larder_close(store, 0);
  }
  ck_assert_int_eq(entries("/proc/self/fd"), fds);
  /* A joined thread may be listed for a moment longer. */
  for (int i = 0; i < 1000 && entries("/proc/self/task") > threads; i++)
    usleep(1000);
  ck_assert_int_le(entries("/proc/self/task"), threads);
  ck_assert_int_eq(heap.blocks, 0);
}
END_TEST

START_TEST(two_stores)
{
  larder *a = open_on(&reference_table), *b = open_on(&reference_table);
  size_t length;
  ck_assert_int_eq(larder_set(a, "k", 1, "v", 1, 0), LARDER_OK);
  ck_assert_int_eq(larder_get(b, "k", 1, NULL, 0, &length), LARDER_ABSENT);
  larder_close(a, 0);
  ck_assert_int_eq(larder_get(b, "k", 1, NULL, 0, &length), LARDER_ABSENT);
  larder_close(b, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/process");
  TCase *tc = tcase_create("process");
  tcase_add_checked_fixture(tc, fake_reset, NULL);
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, forked, 0, 2);
  tcase_add_test(tc, thousand_cycles);
  tcase_add_test(tc, two_stores);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
