/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same commands, the same replies: every way into the library against a
 * redis-server of this test run.
 *
 * LARDER_ONLY=text runs the sequences whose names contain the text;
 * CK_RUN_CASE=name one target (judge, memory, memory+prefix, remote, remote+protocol, remote+prefix,
 * fallback, outage, unseen, resp, catalog).
 *
 * The in-process engine is asked everything.  What is made as a product, commands by states and
 * by numbers, each other target is asked a fourth of, not all the same; with
 * LARDER_CONFORMANCE=all everything, which takes ten minutes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conformance/catalog.h"
#include "conformance/table.h"
#include "conformance/unseen.h"
#include "remote/reader.h"
#include "support/check.h"
#include "util/memory.h"

enum { SECONDS = 300 };

static void report(const struct run *run)
{
  printf("%s: %d sequences, %d replies compared, %d rightly not served, %d differences\n",
         run->target->name, run->sequences, run->commands, run->refused, run->differences);
  fflush(stdout);
  ck_assert_msg(run->differences == 0, "%s: %d differences, see above", run->target->name,
                run->differences);
  ck_assert(run->sequences > 0);
}

static struct server *start(void)
{
  static const struct server_options options = {.unix_socket = 1, .config = "databases 16\n"};
  return server_start(&options);
}

static unsigned shares(void)
{
  return getenv("LARDER_CONFORMANCE") ? 0 : 4;
}

static void compare(struct run run)
{
  struct target *target = run.target;
  struct server *server = start();
  run.oracle = target_server(server, target->protocol);
  if (target->has_outcome)
    run.reference = target_store("reference", "memory:");
  table_run(&run, getenv("LARDER_ONLY"));
  target_close(run.reference);
  target_close(run.oracle);
  server_stop(server);
  report(&run);
  target_close(target);
}


static void with_query(char *url, size_t size, const struct server *server, const char *query)
{
  snprintf(url, size, "%s%c%s", server_url(server), strchr(server_url(server), '?') ? '&' : '?',
           query);
}

/* The runner itself: two redis-servers must not differ. */
START_TEST(judge)
{
  struct server *server = start();
  compare((struct run){.target = target_server(server, _i), .of = shares(), .turn = 1});
  server_stop(server);
}
END_TEST

START_TEST(memory)
{
  compare((struct run){.target = target_store("memory", "memory:")});
}
END_TEST

START_TEST(remote)
{
  char url[256];
  struct server *server = start();
  with_query(url, sizeof url, server, "fallback=none&timeout=10s");
  compare((struct run){.target = target_store("remote", url), .of = shares(), .turn = 0});
  server_stop(server);
}
END_TEST

/* Where hiredis has no RESP3 the first of them was the same. */
static const char *skip_resp3(int protocol)
{
  return protocol == 3 && !lrd_reader_knows_resp3(&lrd_memory_system) ? "hiredis has no RESP3" : NULL;
}

START_TEST(remote_protocol)
{
  char url[256], query[64];
  const char *why = skip_resp3(_i);
  if (why) {
    printf("remote in RESP%d: skipped: %s\n", _i, why);
    return;
  }
  struct server *server = start();
  snprintf(query, sizeof query, "fallback=none&timeout=10s&protocol=%d", _i);
  with_query(url, sizeof url, server, query);
  compare((struct run){.target = target_store(_i == 2 ? "remote in RESP2" : "remote in RESP3", url),
                       .of = shares(), .turn = (unsigned)_i});
  server_stop(server);
}
END_TEST

START_TEST(fallback)
{
  char url[256];
  struct server *server = start();
  with_query(url, sizeof url, server, "timeout=10s");
  compare((struct run){.target = target_store("fallback", url), .of = shares(), .turn = 1});
  server_stop(server);
}
END_TEST

/* Redis has no command that flushes a part of a database in a transaction, and none that
 * exchanges parts.  And a maxmemory that is set small on a server takes the keys of others, too. */
static const char *const not_prefixed[] = {"flush in a transaction", "swapdb", NULL};
static const char *const not_beside[] = {"flush in a transaction", "swapdb", "config set", NULL};

START_TEST(memory_prefix)
{
  compare((struct run){.target = target_store("memory with a prefix", "memory:?prefix=app:%5b1%5d"),
                       .except = not_prefixed, .of = shares(), .turn = 2});
}
END_TEST

/* Beside keys that belong to others, in every form that could be mistaken. */
START_TEST(remote_prefix)
{
  static const char *const others[] = {"app", "app:", "app:1", "App:[1]", "k", "app:\\[1]k"};
  char url[256];
  struct server *server = start();
  struct resp_client *client = server_connect(server, 3);
  for (int i = 0; i < 6; i++)
    resp_free(resp_words(client, "SET", others[i], "theirs", NULL));
  with_query(url, sizeof url, server, "fallback=none&timeout=10s&prefix=app:%5b1%5d");
  compare((struct run){.target = target_store("remote with a prefix", url), .except = not_beside,
                       .of = shares(), .turn = 3});
  for (int i = 0; i < 6; i++) {
    struct resp *r = resp_words(client, "GET", others[i], NULL);
    ck_assert_msg(resp_is_text(r, "theirs"), "the key %s of somebody else was changed", others[i]);
    resp_free(r);
  }
  resp_close(client);
  server_stop(server);
}
END_TEST

START_TEST(resp)
{
  compare((struct run){.target = target_serve(_i == 2 ? "serve in RESP2" : "serve in RESP3",
                                              "memory:", _i),
                       .of = shares(), .turn = (unsigned)_i});
}
END_TEST

START_TEST(catalog)
{
  struct server *server = start();
  struct target *target =
      _i ? target_serve("serve", "memory:", _i) : target_store("memory", "memory:");
  struct target *oracle = target_server(server, target->protocol);
  ck_assert_int_eq(catalog_run(target, oracle), 0);
  target_close(oracle);
  target_close(target);
  server_stop(server);
}
END_TEST

/* --- with Redis down ---------------------------------------------------------- */

static struct resp *ask(struct target *t, const char *word, const char *key)
{
  const char *argv[] = {word, key};
  return t->call(t, 0, 2, argv, NULL);
}

/* A store whose Redis held `line` and was killed after it had been used. */
static struct target *store_in_outage(struct server *server, const char *query)
{
  char url[256];
  with_query(url, sizeof url, server, query);
  struct target *t = target_store("outage", url);
  resp_free(ask(t, "GET", "anything"));
  ck_assert_int_eq(t->outcome, LARDER_ABSENT);
  server_kill(server);
  for (int i = 0; i < 1000; i++) {
    resp_free(ask(t, "INCR", "until it is noticed"));
    if (t->outcome == LARDER_OK)
      return t;
  }
  ck_abort_msg("with its server killed the store does not serve INCR: %s",
               larder_outcome_name(t->outcome));
  return NULL;
}

static struct server *start_durable(void)
{
  static const struct server_options options = {.unix_socket = 1, .durable = 1};
  return server_start(&options);
}

static int is_replayed(larder *store)
{
  larder_status status = {.size = sizeof status};
  ck_assert_int_eq(larder_get_status(store, &status), LARDER_OK);
  return status.state == LARDER_STATE_UP && status.journal_keys == 0;
}

static void nap(int ms)
{
  struct timespec t = {0, (long)ms * 1000000};
  nanosleep(&t, NULL);
}

START_TEST(outage)
{
  struct server *server = start();
  struct target *target = store_in_outage(server, "timeout=1s");
  struct server *second = start();
  struct run run = {.target = target, .outage = 1, .oracle = target_server(second, 3),
                    .of = shares(), .turn = 2};
  run.reference = target_store("reference", "memory:");
  table_run(&run, getenv("LARDER_ONLY"));
  target_close(run.reference);
  target_close(run.oracle);
  report(&run);
  ck_assert(run.refused > 0 || getenv("LARDER_ONLY"));
  target_close(target);
  server_stop(second);
  server_stop(server);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *test, int from, int to)
{
  TCase *c = tcase_create(name);
  tcase_set_timeout(c, SECONDS);
  if (from + 1 >= to)
    tcase_add_test(c, test);
  else
    tcase_add_loop_test(c, test, from, to);
  suite_add_tcase(suite, c);
}

START_TEST(unseen)
{
  struct server *server = start_durable();
  struct resp_client *client = server_connect(server, 3);
  unseen_preload(client);
  resp_close(client);
  struct target *target = store_in_outage(server, "timeout=1s");
  ck_assert_int_eq(unseen_run(target), 0);
  server_restart(server);
  for (int i = 0; i < 500 && !is_replayed(target->store); i++)
    nap(20);
  ck_assert_msg(is_replayed(target->store),
                "10 s after its Redis is back the store has still something to replay");
  client = server_connect(server, 3);
  ck_assert_int_eq(unseen_check_replayed(client), 0);
  resp_close(client);
  target_close(target);
  server_stop(server);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("conformance");
  add(suite, "judge", judge, 2, 4);
  add(suite, "memory", memory, 0, 0);
  add(suite, "remote", remote, 0, 0);
  add(suite, "remote+protocol", remote_protocol, 2, 4);
  add(suite, "fallback", fallback, 0, 0);
  add(suite, "outage", outage, 0, 0);
  add(suite, "unseen", unseen, 0, 0);
  add(suite, "memory+prefix", memory_prefix, 0, 0);
  add(suite, "remote+prefix", remote_prefix, 0, 0);
  add(suite, "resp", resp, 2, 4);
  add(suite, "catalog", catalog, 0, 1);
  add(suite, "catalog", catalog, 2, 4);
  return run_suite(suite);
}
