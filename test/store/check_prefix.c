/* SPDX-License-Identifier: BSD-2-Clause */
/* Key prefixes: one namespace in memory, on a redis-server, and across an outage. */
#include <check.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <larder.h>
#include <larder/backend.h>

#include "support/server.h"

/* --- opening and asking --------------------------------------------------------- */

static larder *open_store(const char *url, const char *prefix)
{
  char error[LARDER_ERROR_SIZE];
  larder_options options = LARDER_OPTIONS_INIT;
  options.prefix = prefix;
  options.timeout_ms = 5000;
  larder *store = larder_open(url, &options, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  return store;
}

static larder *open_remote(const struct server *server, const char *prefix)
{
  char url[256];
  snprintf(url, sizeof url, "%s?fallback=none", server_url(server));
  return open_store(url, prefix);
}

/* A reply as a text: "a b (c d) 3 nil !ERR ...". */
static void print(char **at, const char *end, const larder_value *v)
{
  size_t room = (size_t)(end - *at);
  int n = 0;
  switch ((larder_type)v->type) {
  case LARDER_NIL:
    n = snprintf(*at, room, "nil");
    break;
  case LARDER_INTEGER:
  case LARDER_BOOLEAN:
    n = snprintf(*at, room, "%lld", (long long)v->integer);
    break;
  case LARDER_ERROR:
    n = snprintf(*at, room, "!%s", v->str);
    break;
  case LARDER_STRING:
  case LARDER_STATUS:
  case LARDER_BIGNUM:
  case LARDER_VERBATIM:
  case LARDER_DOUBLE:
    n = snprintf(*at, room, "%s", v->str);
    break;
  case LARDER_ARRAY:
  case LARDER_MAP:
  case LARDER_SET:
  case LARDER_PUSH:
    *at += snprintf(*at, room, "(");
    for (size_t i = 0; i < v->len; i++) {
      if (i)
        *at += snprintf(*at, (size_t)(end - *at), " ");
      print(at, end, &v->element[i]);
    }
    n = snprintf(*at, (size_t)(end - *at), ")");
    break;
  }
  *at += n;
}

static const char *text_of(const larder_value *v)
{
  static char text[4096];
  char *at = text;
  print(&at, text + sizeof text, v);
  return text;
}

#define EXPECT(reply, text)                                \
  do {                                                     \
    larder_reply *reply_ = (reply);                        \
    ck_assert_str_eq(text_of(&reply_->value), text);       \
    larder_reply_free(reply_);                             \
  } while (0)

static int by_name(const void *a, const void *b)
{
  return strcmp(((const larder_value *)a)->str, ((const larder_value *)b)->str);
}

/* The names in a reply to KEYS, in order. */
static const char *names_of(larder_reply *r)
{
  static char text[4096];
  char *at = text;
  ck_assert_int_eq(r->value.type, LARDER_ARRAY);
  larder_value *names = (larder_value *)(uintptr_t)r->value.element;
  qsort(names, r->value.len, sizeof *names, by_name);
  print(&at, text + sizeof text, &r->value);
  larder_reply_free(r);
  return text;
}

static void expect_raw(struct resp_client *c, const char *key, const char *value)
{
  struct resp *r = resp_words(c, "GET", key, NULL);
  if (value)
    ck_assert_msg(resp_is_text(r, value), "%s is not %s", key, value);
  else
    ck_assert_msg(r->type == RESP_NIL, "%s is there", key);
  resp_free(r);
}

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
  expect_prefix(open_store("memory:", text), text);
  expect_prefix(open_store("memory:?prefix=u:", NULL), "u:");
  expect_prefix(open_store("memory:?prefix=u:", ""), "u:");
  expect_prefix(open_store("memory:?prefix=u:", "s:"), "s:");
  expect_prefix(open_store("memory:", NULL), "");
  setenv("LARDER_PREFIX", "env:", 1);
  expect_prefix(open_store("memory:", NULL), "env:");
  expect_prefix(open_store("memory:?prefix=u:", NULL), "u:");
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
  larder *store = open_store("memory:", "app:[x]?");
  use_keyspace(store);
  larder_close(store, 0);
}
END_TEST

static void set_raw(struct resp_client *c, const char *key)
{
  struct resp *r = resp_words(c, "SET", key, "theirs", NULL);
  ck_assert(resp_is_text(r, "OK"));
  resp_free(r);
}

/* Two stores and a client without a prefix, on one redis-server. */
START_TEST(side_by_side)
{
  struct server *server = server_start(NULL);
  struct resp_client *client = server_connect(server, 3);
  larder *one = open_remote(server, "app:"), *two = open_remote(server, "app:x");
  larder *both = open_remote(server, NULL);
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
  larder *store = open_remote(server, "app:");
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
  larder *remote = open_remote(server, "app:"), *local = open_store("memory:", "app:");
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

struct waiter {
  _Atomic(larder_reply *) reply;
};

static void arrive(void *context, larder_reply *reply)
{
  atomic_store(&((struct waiter *)context)->reply, reply);
}

static void nap(void)
{
  const struct timespec t = {0, 1000000};
  nanosleep(&t, NULL);
}

static larder_reply *await(struct waiter *w)
{
  larder_reply *reply;
  for (int i = 0; i < 20000 && !(reply = atomic_load(&w->reply)); i++)
    nap();
  ck_assert_msg(reply != NULL, "no callback for 20 s");
  atomic_store(&w->reply, NULL);
  return reply;
}

static larder_reply *run_async(larder *store, const char *command)
{
  struct waiter w = {NULL};
  ck_assert_int_eq(larder_async_command(store, arrive, &w, command), LARDER_OK);
  return await(&w);
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
    larder *store = open_store(urls[i], "app:");
    use_session(store);
    use_batch(store, 0);
    use_batch(store, 1);
    use_async(store);
    larder_close(store, 1000);
  }
  server_stop(server);
}
END_TEST

/* A walk whose Redis does not answer is ended by cancelling it, or by its deadline. */
START_TEST(cancelled)
{
  struct server *server = server_start(NULL);
  larder *store = open_remote(server, "app:");
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

static larder_outcome script_open(larder_backend *b, const larder_backend_options *o, char *error,
                                  size_t size)
{
  (void)b;
  (void)o;
  (void)error;
  (void)size;
  return LARDER_OK;
}

static uint64_t script_close(larder_backend *b, int64_t deadline, int forked)
{
  (void)b;
  (void)deadline;
  (void)forked;
  return 0;
}

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

static const larder_backend_table scripted = {
    .version = LARDER_BACKEND_VERSION,
    .name = "script",
    .size = sizeof(larder_backend),
    .open = script_open,
    .close = script_close,
    .execute = script_execute,
    .submit = larder_backend_default_submit,
    .cancel = larder_backend_default_cancel,
    .hold_open = larder_backend_default_hold_open,
    .hold_close = larder_backend_default_hold_close,
    .status = larder_backend_default_status,
    .tick = larder_backend_default_tick,
    .get = larder_backend_default_get,
    .set = larder_backend_default_set,
};

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
  larder *store = open_store(server_url(server), "app:");
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
  Suite *suite = suite_create("prefix");
  TCase *c = tcase_create("prefix");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, option);
  tcase_add_test(c, memory);
  tcase_add_test(c, side_by_side);
  tcase_add_test(c, flush_all);
  tcase_add_test(c, typed);
  tcase_add_test(c, ways_in);
  tcase_add_test(c, cancelled);
  tcase_add_test(c, cut);
  tcase_add_test(c, outage);
  suite_add_tcase(suite, c);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
