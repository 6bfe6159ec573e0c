/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/prefix_rig.h"

/* Key prefixes: one namespace in memory and on a redis-server, by every way in. */

/* --- the option -------------------------------------------------------------------- */

static void refuse(const char *url, const char *prefix)
{
  char error[LARDER_ERROR_SIZE] = "";
  larder_options options = LARDER_OPTIONS_INIT;
  options.prefix = prefix;
  ck_assert_msg(larder_open(url, &options, error, sizeof error) == NULL, "%s opened", url);
  ck_assert_msg(strstr(error, "prefix=") && strstr(error, "1 to 128 printable"), "%s", error);
}

static void expect_prefix(larder *store, const char *prefix)
{
  larder_status status = {.size = sizeof status};
  ck_assert_int_eq(larder_get_status(store, &status), LARDER_OK);
  ck_assert_str_eq(status.prefix, prefix);
  ck_assert_str_eq(status.backend, "memory");
  ck_assert_int_eq(status.journal_oldest_ms, -1);
  larder_close(store, 0);
}

START_TEST(option)
{
  char text[130];
  memset(text, 'x', sizeof text - 1);
  text[129] = '\0';
  refuse("memory:", text);
  refuse("memory:", "a b");
  refuse("memory:", "a*");
  refuse("memory:?prefix=", NULL);
  refuse("memory:?prefix=%00", NULL);
  refuse("memory:?prefix=a%2ab", NULL);
  refuse("memory:?prefix=%c3%a9", NULL);
  text[128] = '\0';
  expect_prefix(prefix_store("memory:", text), text);
  expect_prefix(prefix_store("memory:?prefix=u:", NULL), "u:");
  expect_prefix(prefix_store("memory:?prefix=u:", ""), "u:");
  expect_prefix(prefix_store("memory:?prefix=u:", "s:"), "s:");
  expect_prefix(prefix_store("memory:", NULL), "");
  setenv("LARDER_PREFIX", "env:", 1);
  expect_prefix(prefix_store("memory:", NULL), "env:");
  expect_prefix(prefix_store("memory:?prefix=u:", NULL), "u:");
  setenv("LARDER_PREFIX", "a b", 1);
  char error[LARDER_ERROR_SIZE];
  ck_assert(!larder_open("memory:", NULL, error, sizeof error));
  ck_assert_msg(strstr(error, "LARDER_PREFIX") != NULL, "%s", error);
  unsetenv("LARDER_PREFIX");
}
END_TEST

/* --- the namespace ------------------------------------------------------------------ */

/* Commands whose keys move, or stand in options and replies. */
static void use_names(larder *store)
{
  EXPECT(larder_command(store, "RANDOMKEY"), "nil");
  EXPECT(larder_command(store, "RPUSH l 3 1 2"), "3");
  EXPECT(larder_command(store, "RANDOMKEY"), "l");
  EXPECT(larder_command(store, "MSET w_1 30 w_2 20 w_3 10 v_1 one v_2 two v_3 three"), "OK");
  EXPECT(larder_command(store, "SORT l BY w_* GET v_* GET #"), "(three 3 two 2 one 1)");
  EXPECT(larder_command(store, "SORT l LIMIT 0 2 STORE BY"), "2");
  EXPECT(larder_command(store, "LRANGE BY 0 -1"), "(1 2)");
  EXPECT(larder_command(store, "LMPOP 2 none l LEFT"), "(l (3))");
  EXPECT(larder_command(store, "ZADD a 1 x"), "1");
  EXPECT(larder_command(store, "ZADD b 2 x"), "1");
  EXPECT(larder_command(store, "ZUNIONSTORE c 2 a b"), "1");
  EXPECT(larder_command(store, "ZSCORE c x"), "3");
  EXPECT(larder_command(store, "ZMPOP 2 none c MIN"), "(c ((x 3)))");
  EXPECT(larder_command(store, "LMPOP 0 l LEFT"), "!ERR numkeys should be greater than 0");
  EXPECT(larder_command(store, "FLUSHDB"), "OK");
}

static void use_keyspace(larder *store)
{
  char key[32];
  EXPECT(larder_command(store, "FLUSHDB"), "OK");
  EXPECT(larder_command(store, "DBSIZE"), "0");
  EXPECT(larder_command(store, "KEYS *"), "()");
  EXPECT(larder_command(store, "MSET a 1 b 2 c[d] 3"), "OK");
  EXPECT(larder_command(store, "MGET a b none"), "(1 2 nil)");
  ck_assert_str_eq(names_of(larder_command(store, "KEYS *")), "(a b c[d])");
  ck_assert_str_eq(names_of(larder_command(store, "KEYS [ab]")), "(a b)");
  EXPECT(larder_command(store, "KEYS c\\[d]"), "(c[d])");
  EXPECT(larder_command(store, "DBSIZE"), "3");
  EXPECT(larder_command(store, "SCAN 0 MATCH b* COUNT 1000"), "(0 (b))");
  EXPECT(larder_command(store, "RENAME a z"), "OK");
  EXPECT(larder_command(store, "EXISTS a z b"), "2");
  for (int i = 0; i < 2500; i++) {
    snprintf(key, sizeof key, "many%d", i);
    ck_assert_int_eq(larder_set(store, key, strlen(key), "v", 1, 0), LARDER_OK);
  }
  EXPECT(larder_command(store, "DBSIZE"), "2503");
  EXPECT(larder_command(store, "FLUSHDB ASYNC"), "OK");
  EXPECT(larder_command(store, "DBSIZE"), "0");
  EXPECT(larder_command(store, "FLUSHDB what"), "!ERR syntax error");
}

START_TEST(memory)
{
  larder *store = prefix_store("memory:", "app:[x]?");
  use_keyspace(store);
  larder_close(store, 0);
}
END_TEST

/* Two stores and a client without a prefix, on one redis-server. */
START_TEST(side_by_side)
{
  struct server *server = server_start(NULL);
  struct resp_client *client = server_connect(server, 3);
  larder *one = prefix_remote(server, "app:"), *two = prefix_remote(server, "app:x");
  larder *both = prefix_remote(server, NULL);
  set_raw(client, "plain");
  use_keyspace(two);
  use_names(two);
  EXPECT(larder_command(one, "MSET k one l one"), "OK");
  EXPECT(larder_command(two, "SET k two"), "OK");
  EXPECT(larder_command(one, "GET k"), "one");
  EXPECT(larder_command(two, "GET k"), "two");
  /* app: is the beginning of app:x, so it sees what that holds: a prefix is bytes. */
  ck_assert_str_eq(names_of(larder_command(one, "KEYS *")), "(k l xk)");
  EXPECT(larder_command(two, "KEYS *"), "(k)");
  use_keyspace(two);
  ck_assert_str_eq(names_of(larder_command(both, "KEYS *")), "(app:k app:l plain)");
  EXPECT(larder_command(two, "FLUSHALL"), "OK");
  EXPECT(larder_command(one, "DBSIZE"), "2");
  EXPECT(larder_command(one, "FLUSHALL"), "OK");
  EXPECT(larder_command(both, "KEYS *"), "(plain)");
  larder_close(one, 0);
  larder_close(two, 0);
  larder_close(both, 0);
  resp_close(client);
  server_stop(server);
}
END_TEST

/* FLUSHALL: the prefix in every database. */
START_TEST(flush_all)
{
  struct server *server = server_start(NULL);
  struct resp_client *client = server_connect(server, 3);
  larder *store = prefix_remote(server, "app:");
  larder_session *session = larder_session_open(store);
  for (int i = 0; i < 16; i += 5) {
    char number[12];
    snprintf(number, sizeof number, "%d", i);
    resp_free(resp_words(client, "SELECT", number, NULL));
    set_raw(client, "app:k");
    set_raw(client, "app");
  }
  EXPECT(larder_session_command(session, "SELECT 5"), "OK");
  EXPECT(larder_session_command(session, "DBSIZE"), "1");
  EXPECT(larder_session_command(session, "FLUSHALL SYNC"), "OK");
  for (int i = 0; i < 16; i += 5) {
    char number[12];
    snprintf(number, sizeof number, "%d", i);
    resp_free(resp_words(client, "SELECT", number, NULL));
    expect_raw(client, "app:k", NULL);
    expect_raw(client, "app", "theirs");
  }
  larder_session_close(session);
  larder_close(store, 0);
  resp_close(client);
  server_stop(server);
}
END_TEST

/* --- typed calls ------------------------------------------------------------------- */

static void check_length(larder *store, struct resp_client *client, size_t len)
{
  char *key = malloc(len + 8), value[8] = "";
  size_t n = 0;
  ck_assert(key != NULL);
  memcpy(key, "app:", 4);
  memset(key + 4, 'k', len);
  key[len + 4] = '\0';
  ck_assert_int_eq(larder_set(store, key + 4, len, "value", 5, 60000), LARDER_OK);
  ck_assert_int_eq(larder_get(store, key + 4, len, value, sizeof value, &n), LARDER_OK);
  ck_assert_uint_eq(n, 5);
  if (client)
    expect_raw(client, key, "value");
  EXPECT(larder_command(store, "DEL %b", key + 4, len), "1");
  ck_assert_int_eq(larder_get(store, key + 4, len, value, sizeof value, &n), LARDER_ABSENT);
  free(key);
}

START_TEST(typed)
{
  static const size_t lengths[] = {0, 1, 15, 507, 508, 509, 1020, 70000};
  struct server *server = server_start(NULL);
  struct resp_client *client = server_connect(server, 3);
  larder *remote = prefix_remote(server, "app:"), *local = prefix_store("memory:", "app:");
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    check_length(remote, client, lengths[i]);
    check_length(local, NULL, lengths[i]);
  }
  larder_close(remote, 0);
  larder_close(local, 0);
  resp_close(client);
  server_stop(server);
}
END_TEST

/* --- sessions, batches, asynchronous calls --------------------------------------------- */

static void use_session(larder *store)
{
  larder_session *s = larder_session_open(store), *other = larder_session_open(store);
  EXPECT(larder_session_command(s, "FLUSHDB"), "OK");
  EXPECT(larder_session_command(s, "SET k 1"), "OK");
  EXPECT(larder_session_command(s, "WATCH k"), "OK");
  EXPECT(larder_session_command(other, "INCR k"), "2");
  EXPECT(larder_session_command(s, "MULTI"), "OK");
  EXPECT(larder_session_command(s, "SET k 9"), "QUEUED");
  EXPECT(larder_session_command(s, "EXEC"), "nil");
  EXPECT(larder_session_command(s, "MULTI"), "OK");
  EXPECT(larder_session_command(s, "SET l 3"), "QUEUED");
  EXPECT(larder_session_command(s, "DBSIZE"), "QUEUED");
  EXPECT(larder_session_command(s, "KEYS k*"), "QUEUED");
  EXPECT(larder_session_command(s, "SCAN 0 MATCH l COUNT 100000"), "QUEUED");
  EXPECT(larder_session_command(s, "INCR k"), "QUEUED");
  EXPECT(larder_session_command(s, "EXEC"), "(OK 2 (k) (0 (l)) 3)");
  EXPECT(larder_session_command(s, "MULTI"), "OK");
  EXPECT(larder_session_command(s, "SET k 10"), "QUEUED");
  EXPECT(larder_session_command(s, "FLUSHDB"), "QUEUED");
  larder_reply *r = larder_session_command(s, "EXEC");
  ck_assert_int_eq(r->outcome, LARDER_UNSUPPORTED);
  ck_assert_msg(strstr(r->value.str, "'flushdb'") && strstr(r->value.str, "nothing was executed"),
                "%s", r->value.str);
  larder_reply_free(r);
  EXPECT(larder_session_command(s, "GET k"), "3");
  larder_session_close(s);
  larder_session_close(other);
}

static void use_batch(larder *store, int atomic)
{
  larder_batch *b = larder_batch_new(store);
  static const char *const expected[] = {"OK", "(k)", "2", "1", "nil"};
  larder_batch_command(b, "MSET k 1 other 2");
  larder_batch_command(b, "KEYS k");
  larder_batch_command(b, "DBSIZE");
  larder_batch_command(b, "DEL other");
  larder_batch_command(b, "GET other");
  EXPECT(larder_command(store, "FLUSHDB"), "OK");
  ck_assert_int_eq(larder_batch_run(b, atomic, 0), LARDER_OK);
  for (size_t i = 0; i < 5; i++)
    ck_assert_str_eq(text_of(&larder_batch_reply(b, i)->value), expected[i]);
  ck_assert_int_eq(larder_batch_reply(b, 4)->outcome, LARDER_ABSENT);
  larder_batch_free(b);
}

static void use_async(larder *store)
{
  char key[32];
  EXPECT(run_async(store, "FLUSHDB"), "OK");
  EXPECT(run_async(store, "MSET a 1 b 2"), "OK");
  EXPECT(run_async(store, "GET a"), "1");
  ck_assert_str_eq(names_of(run_async(store, "KEYS *")), "(a b)");
  for (int i = 0; i < 2500; i++) {
    snprintf(key, sizeof key, "many%d", i);
    ck_assert_int_eq(larder_set(store, key, strlen(key), "v", 1, 0), LARDER_OK);
  }
  EXPECT(run_async(store, "DBSIZE"), "2502");
  EXPECT(run_async(store, "FLUSHALL"), "OK");
  EXPECT(run_async(store, "DBSIZE"), "0");
  EXPECT(run_async(store, "FLUSHDB what"), "!ERR syntax error");
}

START_TEST(ways_in)
{
  char url[256];
  struct server *server = server_start(NULL);
  snprintf(url, sizeof url, "%s?fallback=none", server_url(server));
  const char *urls[] = {"memory:", url, server_url(server)};
  for (int i = 0; i < 3; i++) {
    larder *store = prefix_store(urls[i], "app:");
    use_session(store);
    use_batch(store, 0);
    use_batch(store, 1);
    use_async(store);
    larder_close(store, 1000);
  }
  server_stop(server);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("prefix");
  TCase *c = tcase_create("prefix");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, option);
  tcase_add_test(c, memory);
  tcase_add_test(c, side_by_side);
  tcase_add_test(c, flush_all);
  tcase_add_test(c, typed);
  tcase_add_test(c, ways_in);
  suite_add_tcase(suite, c);
  return run_suite(suite);
}
