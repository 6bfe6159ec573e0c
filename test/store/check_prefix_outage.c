/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/prefix_rig.h"
#include "support/backend.h"

/* Key prefixes where Redis does not answer: walks that are cut, and a whole outage. */

/* A walk whose Redis does not answer is ended by cancelling it, or by its deadline. */
START_TEST(cancelled)
{
  struct server *server = server_start(NULL);
  larder *store = prefix_remote(server, "app:");
  struct waiter w = {NULL};
  const char *argv[] = {"FLUSHDB"};
  uint64_t id;
  EXPECT(larder_command(store, "SET k v"), "OK");
  server_pause(server);
  ck_assert_int_eq(larder_async_argv(store, 1, argv, NULL, 60000, arrive, &w, &id), LARDER_OK);
  ck_assert_int_eq(larder_async_cancel(store, id), LARDER_OK);
  larder_reply *r = await(&w);
  ck_assert_msg(r->outcome == LARDER_NOT_SENT, "%s", larder_outcome_name(r->outcome));
  larder_reply_free(r);
  r = larder_argv_within(store, 50, 1, argv, NULL);
  ck_assert_msg(r->outcome == LARDER_NOT_SENT, "%s", larder_outcome_name(r->outcome));
  larder_reply_free(r);
  server_resume(server);
  EXPECT(larder_command(store, "GET k"), "v");
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

/* --- a flush that is cut --------------------------------------------------------------- */

/* Answers SCAN with a page of two names, as often as it may; then it fails as told. */
static struct {
  int pages;             /* SCANs that are answered */
  int unlinks;           /* UNLINKs that are answered */
  larder_outcome outcome; /* of what is not */
} script;

static void script_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  larder_verdict verdict = {.outcome = LARDER_OK, .origin = LARDER_FROM_REDIS, .age_ms = -1};
  int is_scan = call->vector[0].argv[0].data[0] == 'S';
  int *left = is_scan ? &script.pages : &script.unlinks;
  (void)b;
  if ((*left)-- <= 0) {
    verdict.outcome = script.outcome;
    sink->type->error(sink, "UNAVAILABLE script", 18);
  } else if (is_scan) {
    sink->type->aggregate(sink, LARDER_ARRAY, 2, 0);
    sink->type->string(sink, "7", 1);
    sink->type->aggregate(sink, LARDER_ARRAY, 2, 0);
    sink->type->string(sink, "app:a", 5);
    sink->type->string(sink, "app:b", 5);
  } else {
    sink->type->integer(sink, 2);
  }
  sink->type->end(sink, &verdict);
}

static const larder_backend_table scripted =
  BARE_BACKEND("script", 0, script_execute);

START_TEST(cut)
{
  static const struct {
    const char *command;
    int pages, unlinks;
    larder_outcome outcome, expected;
    const char *text;
  } cases[] = {
      {"FLUSHDB", 0, 0, LARDER_NO_ANSWER, LARDER_NOT_SENT, "deleted nothing"},
      {"FLUSHDB", 0, 0, LARDER_UNKNOWN_LOCALLY, LARDER_NOT_SENT, "deleted nothing"},
      {"FLUSHDB", 0, 0, LARDER_REFUSED, LARDER_REFUSED, "UNAVAILABLE script"},
      {"FLUSHDB", 1, 0, LARDER_NOT_SENT, LARDER_NOT_SENT, "deleted nothing"},
      {"FLUSHDB", 1, 0, LARDER_REFUSED, LARDER_REFUSED, "UNAVAILABLE script"},
      {"FLUSHDB", 1, 0, LARDER_UNKNOWN, LARDER_UNKNOWN, "after 0 keys"},
      {"FLUSHDB", 1, 1, LARDER_NO_ANSWER, LARDER_UNKNOWN, "after 2 keys"},
      {"FLUSHALL", 3, 2, LARDER_REFUSED, LARDER_UNKNOWN, "FLUSHALL came to an end after 4 keys"},
      {"DBSIZE", 2, 0, LARDER_NO_ANSWER, LARDER_NO_ANSWER, "UNAVAILABLE script"},
      {"KEYS *", 0, 0, LARDER_NO_ANSWER, LARDER_NO_ANSWER, "UNAVAILABLE script"},
  };
  char error[LARDER_ERROR_SIZE];
  larder_options options = LARDER_OPTIONS_INIT;
  options.backend = &scripted;
  options.prefix = "app:";
  larder *store = larder_open("memory:", &options, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int async = 0; async < 2; async++) {
      script.pages = cases[i].pages;
      script.unlinks = cases[i].unlinks;
      script.outcome = cases[i].outcome;
      larder_reply *r = async ? run_async(store, cases[i].command)
                              : larder_command(store, cases[i].command);
      ck_assert_msg(r->outcome == cases[i].expected && strstr(r->value.str, cases[i].text),
                    "case %zu: %s %s", i, larder_outcome_name(r->outcome), r->value.str);
      larder_reply_free(r);
    }
  larder_close(store, 0);
}
END_TEST

/* --- an outage ------------------------------------------------------------------------- */

static void await_state(larder *store, larder_state state)
{
  larder_status status = {.size = sizeof status};
  for (int i = 0; i < 20000; i++) {
    ck_assert_int_eq(larder_get_status(store, &status), LARDER_OK);
    if (status.state == state && (state != LARDER_STATE_UP || !status.journal_keys))
      return;
    nap();
  }
  ck_abort_msg("not %s for 20 s: %s, %s", larder_state_name(state),
               larder_state_name(status.state), status.last_error);
}

START_TEST(outage)
{
  static const struct server_options durable = {.durable = 1};
  struct server *server = server_start(&durable);
  larder *store = prefix_store(server_url(server), "app:");
  struct resp_client *client = server_connect(server, 3);
  set_raw(client, "n");
  set_raw(client, "k");
  resp_close(client);
  EXPECT(larder_command(store, "MSET n 40 k before gone 1"), "OK");
  server_kill(server);
  for (int i = 0; i < 1000; i++) {
    larder_reply *r = larder_command(store, "SET k during");
    larder_outcome outcome = r->outcome;
    larder_reply_free(r);
    if (outcome == LARDER_OK)
      break;
  }
  await_state(store, LARDER_STATE_DOWN);
  larder_reply_free(larder_command(store, "INCRBY n 2"));
  larder_reply_free(larder_command(store, "DEL gone"));
  EXPECT(larder_command(store, "GET k"), "during");
  larder_reply *r = larder_command(store, "KEYS *");
  ck_assert_int_eq(r->outcome, LARDER_UNKNOWN_LOCALLY);
  larder_reply_free(r);
  r = larder_command(store, "FLUSHDB");
  ck_assert_int_eq(r->outcome, LARDER_NOT_SENT);
  larder_reply_free(r);
  server_restart(server);
  await_state(store, LARDER_STATE_UP);
  client = server_connect(server, 3);
  expect_raw(client, "app:k", "during");
  expect_raw(client, "app:n", "42");
  expect_raw(client, "app:gone", NULL);
  expect_raw(client, "k", "theirs");
  expect_raw(client, "n", "theirs");
  ck_assert_str_eq(names_of(larder_command(store, "KEYS *")), "(k n)");
  EXPECT(larder_command(store, "FLUSHDB"), "OK");
  expect_raw(client, "app:k", NULL);
  expect_raw(client, "k", "theirs");
  resp_close(client);
  larder_close(store, 1000);
  server_stop(server);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("prefix: outage");
  TCase *c = tcase_create("outage");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, cancelled);
  tcase_add_test(c, cut);
  tcase_add_test(c, outage);
  suite_add_tcase(suite, c);
  return run_suite(suite);
}
