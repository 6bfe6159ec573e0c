/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <larder.h>

#include "store/heap.h"
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/server.h"

/* Asynchronous calls and the process: forks in mid-traffic, and what opening and closing leave. */

static char error[LARDER_ERROR_SIZE];
static struct server *server;
static struct heap heap;

enum { MEMORY, REMOTE, FALLBACK, KINDS };

static const char *url_of(int kind)
{
  static char url[512];
  const char *redis = server_url(server);
  if (kind == MEMORY)
    return "memory:";
  snprintf(url, sizeof url, "%s%cfallback=%s&timeout=5s", redis, strchr(redis, '?') ? '&' : '?',
           kind == REMOTE ? "none" : "memory");
  return url;
}

static larder *open_store(int kind, larder_delivery delivery)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.delivery = delivery;
  larder *store = larder_open(url_of(kind), &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  return store;
}

static void setup(void)
{
  server = server_start(NULL);
  heap_init(&heap);
}

static void teardown(void)
{
  server_stop(server);
}

/* --- fork -------------------------------------------------------------------------------- */

enum { LANES = 64, FORKS = 20 };

/* A lane puts a value that says whose it is where its last one was, again and again. */
struct lane {
  larder *store;
  int number;
  long turn;
  atomic_long right, wrong;
};

static struct lane lanes[LANES];
static atomic_int stop, open_lanes;

static void begin(struct lane *lane);

static int print_value(char value[48], const struct lane *lane, long turn)
{
  return snprintf(value, 48, "%ld:%d:%ld", (long)getpid(), lane->number, turn);
}

static void on_previous(void *context, larder_reply *reply)
{
  struct lane *lane = context;
  char due[48];
  int n = print_value(due, lane, lane->turn - 1);
  int ok = lane->turn == 0 ? reply->outcome == LARDER_ABSENT
                           : reply->outcome == LARDER_OK && reply->value.len == (size_t)n &&
                                 memcmp(reply->value.str, due, (size_t)n) == 0;
  (ok ? &lane->right : &lane->wrong)[0]++;
  larder_reply_free(reply);
  lane->turn++;
  if (stop)
    open_lanes--;
  else
    begin(lane);
}

static void begin(struct lane *lane)
{
  char value[48];
  print_value(value, lane, lane->turn);
  if (larder_async_command(lane->store, on_previous, lane, "GETSET lane:%d %s", lane->number,
                           value) != LARDER_OK) {
    lane->wrong++;
    open_lanes--;
  }
}

static void on_plain(void *context, larder_reply *reply)
{
  atomic_int *count = context;
  if (reply->outcome == LARDER_OK)
    ++*count;
  larder_reply_free(reply);
}

/* Exit status: the number of the first thing that was not so. */
static int child(larder *inherited, int kind)
{
  atomic_int count = 0;
  alarm(20);
  if (larder_async_command(inherited, on_plain, &count, "PING") != LARDER_FORKED)
    return 1;
  larder_reply *reply = larder_command(inherited, "PING");
  if (reply->outcome != LARDER_FORKED)
    return 2;
  larder_reply_free(reply);
  if (larder_async_cancel(inherited, 1) != LARDER_FORKED || larder_dispatch(inherited, 0) != 0)
    return 3;
  larder_options o = LARDER_OPTIONS_INIT;
  o.delivery = LARDER_DELIVER_THREAD;
  larder *fresh = larder_open(url_of(kind), &o, error, sizeof error);
  if (!fresh)
    return 4;
  for (int i = 0; i < 50; i++)
    if (larder_async_command(fresh, on_plain, &count, "SET child:%d 1", i) != LARDER_OK)
      return 5;
  larder_close(fresh, 5000);
  if (count != 50)
    return 6;
  larder_close(inherited, 0);
  return 0;
}

START_TEST(fork_in_mid_traffic)
{
  larder *store = open_store(_i, LARDER_DELIVER_THREAD);
  open_lanes = LANES;
  for (int i = 0; i < LANES; i++) {
    lanes[i] = (struct lane){.store = store, .number = i};
    begin(&lanes[i]);
  }
  for (int i = 0; i < FORKS; i++) {
    int status;
    usleep(2000);
    pid_t pid = fork();
    if (pid == 0)
      _exit(child(store, _i));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "child: status %x", status);
  }
  stop = 1;
  for (int i = 0; open_lanes && i < 5000; i++)
    usleep(1000);
  ck_assert_int_eq(open_lanes, 0);
  for (int i = 0; i < LANES; i++) {
    ck_assert_int_eq(lanes[i].wrong, 0);
    ck_assert_int_gt(lanes[i].right, 0);
  }
  larder_close(store, 1000);
  ck_assert_int_eq(heap.blocks, 0);
}
END_TEST

/* --- opening and closing ----------------------------------------------------------------- */

static int entries(const char *path)
{
  int n = 0;
  DIR *d = opendir(path);
  ck_assert_ptr_nonnull(d);
  while (readdir(d))
    n++;
  closedir(d);
  return n;
}

/* A thread that was joined may be listed a moment longer. */
static void ck_entries(const char *path, int due)
{
  for (int i = 0; i < 2000 && entries(path) != due; i++)
    usleep(1000);
  ck_assert_int_eq(entries(path), due);
}

static size_t in_use(void)
{
#if defined __GLIBC__ && __GLIBC_PREREQ(2, 33)
  return mallinfo2().uordblks;
#else
  return 0;
#endif
}

/* Some cycles close with calls in flight, some behind the last of them. */
static void cycle(int kind, int round)
{
  atomic_int count = 0;
  larder *store = open_store(kind, round % 2 ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD);
  for (int i = 0; i < 20; i++)
    ck_assert_int_eq(larder_async_command(store, on_plain, &count, "SET k:%d %d", i, round),
                     LARDER_OK);
  larder_reply *reply = larder_command(store, "SET sync %d", round);
  ck_assert_int_eq(reply->outcome, LARDER_OK);
  larder_reply_free(reply);
  larder_dispatch(store, 0);
  larder_close(store, round % 3 ? 0 : 5000);
  if (round % 3 == 0)
    ck_assert_int_eq(count, 20);
  ck_assert_int_eq(heap.blocks, 0);
  ck_assert_int_eq(heap.bytes, 0);
}

START_TEST(cycles_leave_nothing)
{
  enum { CYCLES = 1000, WARM = 20 };
  for (int i = 0; i < WARM; i++)
    cycle(_i, i);
  usleep(50000);
  int descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  size_t bytes = in_use();
  for (int i = 0; i < CYCLES; i++)
    cycle(_i, i);
  ck_entries("/proc/self/fd", descriptors);
  ck_entries("/proc/self/task", threads);
  if (!TEST_SANITIZED) /* a sanitizer has threads of its own */
    ck_assert_int_eq(threads, 3); /* ".", "..", and this one */
  if (bytes)
    ck_assert_uint_lt(in_use(), bytes + 64 * 1024);
}
END_TEST

/* --- closing in an outage ---------------------------------------------------------------- */

static void on_write(void *context, larder_reply *reply)
{
  uint64_t *local = context;
  *local += reply->outcome == LARDER_OK && reply->origin == LARDER_FROM_LOCAL;
  larder_reply_free(reply);
}

/* Returns how many were answered from memory. */
static uint64_t close_with_calls(void)
{
  enum { CALLS = 5000 };
  uint64_t local = 0;
  larder *store = open_store(FALLBACK, LARDER_DELIVER_DISPATCH);
  larder_reply *reply = larder_command(store, "SET sync 1");
  ck_assert_int_eq(reply->outcome, LARDER_OK);
  larder_reply_free(reply);
  server_pause(server);
  for (int i = 0; i < CALLS; i++)
    ck_assert_int_eq(larder_async_command(store, on_write, &local, "SET k:%d 1", i), LARDER_OK);
  uint64_t lost = larder_close(store, 0);
  server_resume(server);
  ck_assert_uint_eq(lost, local);
  ck_assert_int_eq(heap.blocks, 0);
  return local;
}

/* What had not been sent is answered from memory when the store is closed: it is lost, and that is
 * told.  Whether there is any such call is for the threads to settle. */
START_TEST(what_ends_while_closing_is_counted)
{
  uint64_t local = 0;
  for (int i = 0; i < 50 && !local; i++)
    local = close_with_calls();
  ck_assert_uint_gt(local, 0);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("store/async_process");
  TCase *tc = tcase_create("process");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 300);
  if (!TEST_SANITIZED)
    tcase_add_loop_test(tc, fork_in_mid_traffic, 0, KINDS);
  tcase_add_loop_test(tc, cycles_leave_nothing, 0, KINDS);
  suite_add_tcase(suite, tc);
  tc = tcase_create("closing");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, what_ends_while_closing_is_counted);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
