/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/reference.h"
#include "store/store_rig.h"

/* Opening, calls, typed calls. */

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
#ifdef LARDER_TLS
  ck_assert_ptr_null(larder_open("rediss://h?tls_ca=/nowhere", NULL, error, sizeof error));
  ck_assert_msg(strstr(error, "tls_ca=/nowhere"), "%s", error);
#else
  ck_assert_ptr_null(larder_open("rediss://h", NULL, error, sizeof error));
  ck_assert_msg(strstr(error, "TLS") && strstr(error, "libssl-dev"), "%s", error);
#endif
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
  length = 7;
  ck_assert_int_eq(larder_get(NULL, "k", 1, NULL, 0, &length), LARDER_BAD_ARGUMENT);
  ck_assert_uint_eq(length, 0);
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
  length = 7;
  ck_assert_int_eq(larder_get(store, "k", 1, NULL, 1, &length), LARDER_BAD_ARGUMENT);
  ck_assert_uint_eq(length, 0);
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

int main(void)
{
  Suite *suite = suite_create("store/store");
  TCase *tc = tcase_create("store");
  tcase_add_checked_fixture(tc, fake_reset, NULL);
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
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
