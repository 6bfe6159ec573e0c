/* SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <larder.h>

#include "store/fake.h"
#include "store/heap.h"
#include "store/reference.h"

static char error[LARDER_ERROR_SIZE];

static larder *open_on(const larder_backend_table *table)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = table;
  larder *store = larder_open("memory:", &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  return store;
}

static void setup(void)
{
  fake_reset();
}

/* --- opening ------------------------------------------------------------- */

START_TEST(opens_and_closes)
{
  fake.lost = 3;
  larder *store = open_on(&fake_table);
  ck_assert_int_eq(fake.opened, 1);
  ck_assert_str_eq(error, "");
  ck_assert_uint_eq(larder_close(store, 0), 3);
  ck_assert_int_eq(fake.closed, 1);
  ck_assert_int_eq(fake.closed_forked, 0);
  ck_assert_uint_eq(larder_close(NULL, 0), 0);
}
END_TEST

START_TEST(refuses_bad_tables)
{
  larder_options o = LARDER_OPTIONS_INIT;
  larder_backend_table t;
  o.backend = &t;
#define REFUSED(change, says)                                                                      \
  do {                                                                                             \
    t = fake_table;                                                                                \
    change;                                                                                        \
    ck_assert_ptr_null(larder_open("memory:", &o, error, sizeof error));                           \
    ck_assert_msg(strstr(error, says), "'%s' is not in: %s", says, error);                         \
  } while (0)
  REFUSED(t.version = 99, "version 99");
  REFUSED(t.size = sizeof(larder_backend) - 1, "size");
  REFUSED(t.name = NULL, "slot name");
  REFUSED(t.open = NULL, "slot open");
  REFUSED(t.close = NULL, "slot close");
  REFUSED(t.execute = NULL, "slot execute");
  REFUSED(t.submit = NULL, "slot submit");
  REFUSED(t.cancel = NULL, "slot cancel");
  REFUSED(t.hold_open = NULL, "slot hold_open");
  REFUSED(t.hold_close = NULL, "slot hold_close");
  REFUSED(t.status = NULL, "slot status");
  REFUSED(t.tick = NULL, "slot tick");
  REFUSED(t.get = NULL, "slot get");
  REFUSED(t.set = NULL, "slot set");
  ck_assert_int_eq(fake.opened, 0);
}
END_TEST

START_TEST(failed_opening_says_why)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = &fake_table;
  fake.open_outcome = LARDER_NO_MEMORY;
  ck_assert_ptr_null(larder_open("memory:", &o, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "fake"));
  fake.open_error = "no such thing";
  ck_assert_ptr_null(larder_open("memory:", &o, error, sizeof error));
  ck_assert_str_eq(error, "no such thing");
  ck_assert_ptr_null(larder_open("memory:", &o, NULL, 0));
  ck_assert_int_eq(fake.closed, 0);
}
END_TEST

START_TEST(required_probes)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = &fake_table;
  o.required = LARDER_YES;
  larder *store = larder_open("redis://server.example:7000", &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  ck_assert_str_eq(fake.log, "PING;4@0|");
  larder_close(store, 0);
  fake.answer = FAKE_ERROR;
  fake.verdict.outcome = LARDER_NOT_SENT;
  fake.text = "NOTSENT connection refused";
  ck_assert_ptr_null(larder_open("redis://:secret@server.example:7000", &o, error, sizeof error));
  ck_assert_msg(strstr(error, "server.example:7000"), "%s", error);
  ck_assert_msg(strstr(error, "connection refused"), "%s", error);
  ck_assert_ptr_null(strstr(error, "secret"));
  ck_assert_int_eq(fake.closed, 2);
  strcpy(fake.status.last_error, "the host is on fire");
  ck_assert_ptr_null(larder_open("redis://server.example", &o, error, sizeof error));
  ck_assert_msg(strstr(error, "on fire"), "%s", error);
}
END_TEST

#ifdef LARDER_REDIS
START_TEST(tls_is_named)
{
  ck_assert_ptr_null(larder_open("rediss://h", NULL, error, sizeof error));
  ck_assert_msg(strstr(error, "TLS"), "%s", error);
}
END_TEST
#else
START_TEST(no_redis_is_named)
{
  ck_assert_ptr_null(larder_open("redis://h", NULL, error, sizeof error));
  ck_assert_msg(strstr(error, "libhiredis-dev") && strstr(error, "libuv1-dev"), "%s", error);
}
END_TEST
#endif

/* enabled=no: the local engine, whatever the URL; nothing is connected. */
START_TEST(disabled_is_memory)
{
  larder_status status = {.size = sizeof status};
  larder *store = larder_open("redis://192.0.2.1?enabled=no&required=yes", NULL, error,
                              sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  ck_assert_int_eq(larder_get_status(store, &status), LARDER_OK);
  ck_assert_str_eq(status.backend, "memory");
  ck_assert_str_eq(status.address, "");
  larder_close(store, 0);
}
END_TEST

/* --- calls --------------------------------------------------------------- */

static larder_outcome run(larder *store, int argc, const char *const *argv)
{
  larder_reply *r = larder_argv(store, argc, argv, NULL);
  larder_outcome outcome = r->outcome;
  larder_reply_free(r);
  return outcome;
}

START_TEST(calls_reach_the_backend)
{
  larder *store = open_on(&fake_table);
  larder_reply *r = larder_command(store, "SET %s %b", "k", "a\0b", (size_t)3);
  ck_assert_int_eq(r->outcome, LARDER_OK);
  ck_assert_int_eq(r->origin, LARDER_FROM_LOCAL);
  ck_assert_int_eq(r->value.type, LARDER_STATUS);
  ck_assert_str_eq(r->value.str, "OK");
  larder_reply_free(r);
  r = larder_argv(store, 2, (const char *const[]){"get", "k"}, NULL);
  ck_assert_int_eq(r->outcome, LARDER_ABSENT);
  ck_assert_int_eq(r->value.type, LARDER_NIL);
  larder_reply_free(r);
  ck_assert_str_eq(fake.log, "SET;0@0|get;0@0|");
  larder_reply_free(NULL);
  larder_close(store, 0);
}
END_TEST

static const struct {
  int argc;
  const char *argv[4];
  const char *text;
} wrong[] = {
    {1, {"NOSUCH"}, "ERR unknown command 'NOSUCH', with args beginning with: "},
    {1, {"get"}, "ERR wrong number of arguments for 'get' command"},
    {3, {"GET", "a", "b"}, "ERR wrong number of arguments for 'get' command"},
    {2, {"LARDER.FORGET", "a"}, "ERR unknown command"},
    {1, {"MULTI"}, "larder_session"},
    {1, {"EXEC"}, "larder_batch"},
    {2, {"WATCH", "a"}, "larder_session"},
    {2, {"SELECT", "1"}, "larder_session"},
    {1, {"HELLO"}, "larder_session"},
    {2, {"AUTH", "x"}, "larder_session"},
    {2, {"CLIENT", "ID"}, "larder_session"},
    {1, {"QUIT"}, "larder_session"},
    {0, {"GET"}, "ERR"},
    {2, {"GET", NULL}, "ERR"},
};

START_TEST(wrong_calls)
{
  larder *store = open_on(&fake_table);
  larder_reply *r = larder_argv(store, wrong[_i].argc, wrong[_i].argv, NULL);
  ck_assert_int_eq(r->outcome, LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(r->origin, LARDER_FROM_NOWHERE);
  ck_assert_int_eq(r->value.type, LARDER_ERROR);
  ck_assert_msg(strstr(r->value.str, wrong[_i].text), "%s", r->value.str);
  larder_reply_free(r);
  ck_assert_int_eq(fake.executed, 0);
  larder_close(store, 0);
}
END_TEST

START_TEST(many_arguments)
{
  const char *argv[100];
  larder *store = open_on(&fake_table);
  argv[0] = "DEL";
  for (int i = 1; i < 100; i++)
    argv[i] = "key";
  ck_assert_int_eq(run(store, 16, argv), LARDER_OK);
  ck_assert_int_eq(run(store, 17, argv), LARDER_OK);
  ck_assert_int_eq(run(store, 100, argv), LARDER_OK);
  larder_close(store, 0);
}
END_TEST

START_TEST(no_store_no_crash)
{
  const char *const argv[] = {"PING"};
  size_t length = 0;
  larder_status status = {.size = sizeof status};
  ck_assert_int_eq(run(NULL, 1, argv), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_get(NULL, "k", 1, NULL, 0, &length), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(NULL, "k", 1, "v", 1, 0), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_get_status(NULL, &status), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_tick(NULL, 0), -1);
  ck_assert_int_eq(larder_pollfd(NULL), -1);
  ck_assert_uint_eq(larder_dispatch(NULL, 0), 0);
  ck_assert_ptr_null(larder_session_open(NULL));
  ck_assert_ptr_null(larder_batch_new(NULL));
  ck_assert_int_eq(larder_batch_run(NULL, 0, 0), LARDER_BAD_ARGUMENT);
  larder_session_close(NULL);
  larder_batch_free(NULL);
  larder_batch_clear(NULL);
  larder_reply *r = larder_session_command(NULL, "PING");
  ck_assert_int_eq(r->outcome, LARDER_BAD_ARGUMENT);
  larder_reply_free(r);
}
END_TEST

START_TEST(timeouts)
{
  larder *store = open_on(&fake_table);
  const char *const argv[] = {"PING"};
  larder_reply *r = larder_argv_within(store, -1, 1, argv, NULL);
  ck_assert_int_eq(r->outcome, LARDER_BAD_ARGUMENT);
  larder_reply_free(r);
  r = larder_argv_within(store, 3600001, 1, argv, NULL);
  ck_assert_int_eq(r->outcome, LARDER_BAD_ARGUMENT);
  larder_reply_free(r);
  larder_reply_free(larder_argv_within(store, 1000, 1, argv, NULL));
  int64_t later = fake.deadline;
  larder_reply_free(larder_argv_within(store, 0, 1, argv, NULL));
  /* 1000 ms against the default of 250. */
  ck_assert_int_gt(later - fake.deadline, INT64_C(500000000));
  larder_close(store, 0);
}
END_TEST

START_TEST(forgotten_reply_is_unknown)
{
  larder *store = open_on(&fake_table);
  fake.answer = FAKE_NOTHING;
  larder_reply *r = larder_command(store, "PING");
  ck_assert_int_eq(r->outcome, LARDER_UNKNOWN);
  ck_assert_int_eq(r->value.type, LARDER_ERROR);
  larder_reply_free(r);
  larder_close(store, 0);
}
END_TEST

START_TEST(bad_formats)
{
  static const char *const formats[] = {"", "   ", "GET %q", "GET %"};
  larder *store = open_on(&fake_table);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    larder_reply *r = larder_command(store, formats[i], "x");
    ck_assert_msg(r->outcome == LARDER_BAD_ARGUMENT, "'%s': %d", formats[i], r->outcome);
    ck_assert_uint_gt(r->value.len, 0);
    larder_reply_free(r);
  }
  larder_close(store, 0);
}
END_TEST

/* --- the reference backend ----------------------------------------------- */

START_TEST(reference_backend)
{
  larder *store = open_on(&reference_table);
  char buffer[4];
  size_t length = 99;
  ck_assert_int_eq(larder_get(store, "k", 1, buffer, sizeof buffer, &length), LARDER_ABSENT);
  ck_assert_uint_eq(length, 0);
  ck_assert_int_eq(larder_set(store, "k", 1, "hello!", 6, 0), LARDER_OK);
  ck_assert_int_eq(larder_get(store, "k", 1, buffer, sizeof buffer, &length), LARDER_OK);
  ck_assert_uint_eq(length, 6);
  ck_assert_int_eq(memcmp(buffer, "hell", 4), 0);
  ck_assert_int_eq(larder_get(store, "k", 1, NULL, 0, &length), LARDER_OK);
  ck_assert_uint_eq(length, 6);
  ck_assert_int_eq(larder_set(store, "k", 1, "", 0, 5), LARDER_UNSUPPORTED);
  larder_reply *r = larder_command(store, "GET k");
  ck_assert_int_eq(r->outcome, LARDER_OK);
  ck_assert_str_eq(r->value.str, "hello!");
  larder_reply_free(r);
  r = larder_command(store, "DEL k nosuch");
  ck_assert_int_eq(r->value.integer, 1);
  larder_reply_free(r);
  r = larder_command(store, "INCR k");
  ck_assert_int_eq(r->outcome, LARDER_UNSUPPORTED);
  larder_reply_free(r);
  larder_batch *b = larder_batch_new(store);
  larder_batch_command(b, "SET a 1");
  ck_assert_int_eq(larder_batch_run(b, 1, 0), LARDER_UNSUPPORTED);
  larder_batch_free(b);
  larder_close(store, 0);
}
END_TEST

START_TEST(typed_calls_check)
{
  larder *store = open_on(&fake_table);
  size_t length = 0;
  ck_assert_int_eq(larder_get(store, "k", 1, NULL, 0, NULL), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_get(store, NULL, 1, NULL, 0, &length), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_get(store, "k", 1, NULL, 1, &length), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(store, NULL, 1, "v", 1, 0), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(store, "k", 1, NULL, 1, 0), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, -1), LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, (INT64_C(1) << 53) + 1),
                   LARDER_BAD_ARGUMENT);
  ck_assert_int_eq(fake.executed, 0);
  ck_assert_int_eq(larder_set(store, NULL, 0, NULL, 0, 0), LARDER_OK);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, INT64_C(1) << 53), LARDER_OK);
  ck_assert_int_eq(larder_get(store, NULL, 0, NULL, 0, &length), LARDER_ABSENT);
  fake.answer = FAKE_ERROR;
  fake.verdict.outcome = LARDER_REFUSED;
  ck_assert_int_eq(larder_get(store, "k", 1, NULL, 0, &length), LARDER_REFUSED);
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, 0), LARDER_REFUSED);
  larder_close(store, 0);
}
END_TEST

/* --- status -------------------------------------------------------------- */

START_TEST(status_counts)
{
  larder_status s = {.size = sizeof s};
  larder *store = open_on(&fake_table);
  run(store, 1, (const char *const[]){"PING"});
  run(store, 2, (const char *const[]){"GET", "a"});
  run(store, 1, (const char *const[]){"NOSUCH"});
  fake.answer = FAKE_ERROR;
  fake.verdict = (larder_verdict){.outcome = LARDER_UNKNOWN,
                                  .origin = LARDER_FROM_REDIS,
                                  .cause = LARDER_CAUSE_SILENT,
                                  .age_ms = -1};
  run(store, 3, (const char *const[]){"SET", "a", "b"});
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  ck_assert_uint_eq(s.calls[LARDER_OK], 1);
  ck_assert_uint_eq(s.calls[LARDER_ABSENT], 1);
  ck_assert_uint_eq(s.calls[LARDER_BAD_ARGUMENT], 1);
  ck_assert_uint_eq(s.calls[LARDER_UNKNOWN], 1);
  ck_assert_uint_eq(s.origins[LARDER_FROM_LOCAL], 2);
  ck_assert_uint_eq(s.origins[LARDER_FROM_REDIS], 1);
  ck_assert_uint_eq(s.origins[LARDER_FROM_NOWHERE], 1);
  ck_assert_uint_eq(s.deadline_misses, 1);
  ck_assert_uint_eq(s.in_flight, 0);
  ck_assert_str_eq(s.backend, "fake");
  ck_assert_str_eq(s.serving, "memory");
  ck_assert_int_eq(s.state, LARDER_STATE_UP);
  ck_assert_int_eq(s.last_error_ms, -1);
  ck_assert_int_eq(s.journal_oldest_ms, -1);
  larder_close(store, 0);
}
END_TEST

START_TEST(status_of_a_backend)
{
  larder_status s = {.size = sizeof s};
  larder *store = open_on(&fake_table);
  fake.status.link = LARDER_LINK_DOWN;
  strcpy(fake.status.address, "h:1");
  strcpy(fake.status.last_error, "gone");
  fake.status.last_error_at = 1;
  fake.status.keys = 7;
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  ck_assert_int_eq(s.state, LARDER_STATE_DOWN);
  ck_assert_str_eq(s.serving, "none");
  ck_assert_str_eq(s.address, "h:1");
  ck_assert_str_eq(s.last_error, "gone");
  ck_assert_int_ge(s.last_error_ms, 0);
  ck_assert_str_eq(s.breaker, "");
  ck_assert_uint_eq(s.keys, 7);
  fake.status.state = LARDER_STATE_REPLAYING;
  fake.status.breaker = "trial";
  fake.status.serving = "memory";
  fake.status.fence = 1;
  fake.status.replayed = 5;
  fake.status.journal_oldest_ms = 12;
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  ck_assert_int_eq(s.state, LARDER_STATE_REPLAYING);
  ck_assert_str_eq(s.serving, "memory");
  ck_assert_str_eq(s.breaker, "trial");
  ck_assert_str_eq(s.fence, "yes");
  ck_assert_uint_eq(s.replayed, 5);
  ck_assert_int_eq(s.journal_oldest_ms, 12);
  s.size = 8;
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_BAD_ARGUMENT);
  larder_close(store, 0);
}
END_TEST

START_TEST(names)
{
  ck_assert_str_eq(larder_outcome_name(LARDER_OK), "OK");
  ck_assert_str_eq(larder_outcome_name(LARDER_UNSUPPORTED), "UNSUPPORTED");
  ck_assert_str_eq(larder_outcome_name((larder_outcome)99), "?");
  ck_assert_str_eq(larder_origin_name(LARDER_FROM_STALE), "stale");
  ck_assert_str_eq(larder_origin_name((larder_origin)-1), "?");
  ck_assert_str_eq(larder_state_name(LARDER_STATE_CLOSED), "closed");
  ck_assert_str_eq(larder_state_name((larder_state)17), "?");
  ck_assert_str_eq(larder_version(), LARDER_VERSION);
}
END_TEST

START_TEST(tick_converts)
{
  larder *store = open_on(&fake_table);
  ck_assert_int_eq(larder_tick(store, 100), -1);
  fake.tick = 1; /* long ago */
  ck_assert_int_eq(larder_tick(store, -5), 0);
  fake.tick = INT64_MAX / 2;
  ck_assert_int_gt(larder_tick(store, 0), 1000);
  ck_assert_int_eq(fake.ticked, 3);
  larder_close(store, 0);
}
END_TEST

/* --- events -------------------------------------------------------------- */

static char seen[200];

static void on_event(void *context, const larder_event *e)
{
  (void)context;
  strcat(seen, e->name);
  strcat(seen, " ");
}

START_TEST(events)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = &fake_table;
  o.event = on_event;
  larder *store = larder_open("memory:", &o, error, sizeof error);
  larder_close(store, 0);
  ck_assert_str_eq(seen, "open close ");
}
END_TEST

/* --- processes ----------------------------------------------------------- */

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
  Suite *suite = suite_create("store/store");
  TCase *tc = tcase_create("store");
  tcase_add_checked_fixture(tc, setup, NULL);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, opens_and_closes);
  tcase_add_test(tc, refuses_bad_tables);
  tcase_add_test(tc, failed_opening_says_why);
  tcase_add_test(tc, required_probes);
#ifdef LARDER_REDIS
  tcase_add_test(tc, tls_is_named);
#else
  tcase_add_test(tc, no_redis_is_named);
#endif
  tcase_add_test(tc, disabled_is_memory);
  tcase_add_test(tc, calls_reach_the_backend);
  tcase_add_loop_test(tc, wrong_calls, 0, (int)(sizeof wrong / sizeof *wrong));
  tcase_add_test(tc, many_arguments);
  tcase_add_test(tc, no_store_no_crash);
  tcase_add_test(tc, timeouts);
  tcase_add_test(tc, forgotten_reply_is_unknown);
  tcase_add_test(tc, bad_formats);
  tcase_add_test(tc, reference_backend);
  tcase_add_test(tc, typed_calls_check);
  tcase_add_test(tc, status_counts);
  tcase_add_test(tc, status_of_a_backend);
  tcase_add_test(tc, names);
  tcase_add_test(tc, tick_converts);
  tcase_add_test(tc, events);
  tcase_add_loop_test(tc, forked, 0, 2);
  tcase_add_test(tc, thousand_cycles);
  tcase_add_test(tc, two_stores);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
