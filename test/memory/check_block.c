/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <larder.h>

#include "support/resp.h"
#include "support/server.h"

/*
 * Calls that wait for keys.  Every scenario is played with three connections to a real
 * redis-server and with three sessions of the engine: the same replies come, at the same steps.
 */

enum { CALLERS = 3, TEXT = 4096, QUIET_MS = 60 };

static void nap(int ms)
{
  struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
  nanosleep(&t, NULL);
}

/* --- the engine, a thread a session --------------------------------------------------------- */

struct caller {
  larder_session *session;
  pthread_t thread;
  const char *line;
  char text[TEXT];
  _Atomic int busy, answered;
};

static void print(char *out, const larder_value *v)
{
  char *end = out + strlen(out);
  size_t room = TEXT - strlen(out);

  switch (v->type) {
  case LARDER_NIL:
    snprintf(end, room, v->resp2 == LARDER_RESP2_NIL_ARRAY ? "(nothing)" : "(nil)");
    break;
  case LARDER_INTEGER:
  case LARDER_BOOLEAN:
    snprintf(end, room, "%lld", (long long)v->integer);
    break;
  case LARDER_STRING:
  case LARDER_STATUS:
  case LARDER_ERROR:
  case LARDER_DOUBLE:
    snprintf(end, room, "%.*s", (int)v->len, v->str);
    break;
  default:
    snprintf(end, room, "[");
    for (size_t i = 0; i < v->len; i++) {
      print(out, &v->element[i]);
      snprintf(out + strlen(out), TEXT - strlen(out), i + 1 < v->len ? " " : "");
    }
    snprintf(out + strlen(out), TEXT - strlen(out), "]");
  }
}

static void *call(void *context)
{
  struct caller *c = context;
  larder_reply *r = larder_session_command(c->session, c->line);

  c->text[0] = '\0';
  print(c->text, &r->value);
  larder_reply_free(r);
  atomic_store(&c->answered, 1);
  return NULL;
}

static larder *store;
static struct caller caller[CALLERS];

static void open_callers(void)
{
  store = larder_open("memory:", NULL, NULL, 0);
  ck_assert_ptr_nonnull(store);
  for (int i = 0; i < CALLERS; i++) {
    memset(&caller[i], 0, sizeof caller[i]);
    caller[i].session = larder_session_open(store);
  }
}

static void say(int i, const char *line)
{
  caller[i].line = line;
  caller[i].busy = 1;
  atomic_store(&caller[i].answered, 0);
  ck_assert_int_eq(pthread_create(&caller[i].thread, NULL, call, &caller[i]), 0);
}

/* What each caller is told in one step; "": nothing. */
typedef char heard[CALLERS][TEXT];

/* Who has been answered by now. */
static void collect(heard out)
{
  for (int i = 0; i < CALLERS; i++)
    if (caller[i].busy && atomic_load(&caller[i].answered)) {
      pthread_join(caller[i].thread, NULL);
      caller[i].busy = 0;
      snprintf(out[i], TEXT, "%s ", caller[i].text);
    }
}

/* "0:OK 2:[k a] ", once nobody is answered for a while. */
static void hear(char *out)
{
  static heard all;

  memset(all, 0, sizeof all);
  *out = '\0';
  nap(QUIET_MS);
  collect(all);
  for (int i = 0; i < CALLERS; i++)
    if (all[i][0])
      snprintf(out + strlen(out), TEXT - strlen(out), "%d:%s", i, all[i]);
}

/* --- the server ------------------------------------------------------------------------------ */

static struct server *server;
static struct resp_client *client[CALLERS];
static int asked[CALLERS];

static void print_resp(char *out, const struct resp *r)
{
  char *end = out + strlen(out);
  size_t room = TEXT - strlen(out);

  switch (r->type) {
  case RESP_NIL:
    snprintf(end, room, "(nil)");
    break;
  case RESP_NIL_ARRAY:
    snprintf(end, room, "(nothing)");
    break;
  case RESP_INTEGER:
    snprintf(end, room, "%lld", (long long)r->integer);
    break;
  case RESP_STRING:
  case RESP_STATUS:
  case RESP_ERROR:
  case RESP_DOUBLE:
    snprintf(end, room, "%.*s", (int)r->len, r->str);
    break;
  default:
    snprintf(end, room, "[");
    for (size_t i = 0; i < r->len; i++) {
      print_resp(out, &r->element[i]);
      snprintf(out + strlen(out), TEXT - strlen(out), i + 1 < r->len ? " " : "");
    }
    snprintf(out + strlen(out), TEXT - strlen(out), "]");
  }
}

static void say_to_server(int i, const char *line)
{
  char raw[512];
  size_t n = (size_t)snprintf(raw, sizeof raw, "%s\r\n", line);

  resp_append_raw(client[i], raw, n);
  ck_assert_int_eq(resp_flush(client[i]), 0);
  asked[i] = 1;
}

static void collect_server(heard out)
{
  for (int i = 0; i < CALLERS; i++)
    if (asked[i] && resp_has_bytes(client[i])) {
      struct resp *r = resp_read(client[i]);

      ck_assert_ptr_nonnull(r);
      asked[i] = 0;
      print_resp(out[i], r);
      snprintf(out[i] + strlen(out[i]), TEXT - strlen(out[i]), " ");
      resp_free(r);
    }
}

/* --- scenarios -------------------------------------------------------------------------------- */

/* "0 LINE": caller 0 says it. */
static const char *const scenarios[][24] = {
  { "0 BLPOP k 0", "1 RPUSH k a b", "1 LRANGE k 0 -1", "0 BLPOP k 0", NULL },
  { "0 BLPOP k 0", "1 BLPOP k 0", "2 RPUSH k a", "2 RPUSH k b", NULL },
  { "0 BLPOP k 0", "1 BRPOP k 0", "2 RPUSH k a b c", "2 LRANGE k 0 -1", NULL },
  { "0 BLPOP a b c 0", "1 RPUSH c 1", "0 BLPOP a b c 0", "1 RPUSH b 2", NULL },
  { "0 BLPOP a b 0", "1 MULTI", "1 RPUSH b 1", "1 RPUSH a 2", "1 EXEC", "1 LRANGE b 0 -1", NULL },
  { "0 BLMOVE a c LEFT RIGHT 0", "1 BLMOVE b c LEFT RIGHT 0", "2 MULTI", "2 RPUSH b 1", "2 RPUSH a 2",
    "2 EXEC", "2 LRANGE c 0 -1", NULL },
  { "0 BLPOP a b 0", "1 MULTI", "1 SET b x", "1 RPUSH a 2", "1 EXEC", NULL },
  { "0 BLPOP a b 0", "1 MULTI", "1 RPUSH b 1", "1 DEL b", "1 RPUSH a 2", "1 EXEC", NULL },
  { "0 BLPOP k 0", "1 MULTI", "1 RPUSH k 1", "1 DEL k", "1 EXEC", "1 RPUSH k 2", NULL },
  { "0 BLPOP k 0.1", "0 BLMPOP 0.1 2 k l LEFT", "0 BRPOPLPUSH k l 0.1", "0 BLMOVE k l LEFT LEFT 0.1",
    "0 BZPOPMIN k 0.1", "0 BZPOPMAX k 0.1", "0 BZMPOP 0.1 1 k MIN", NULL },
  { "0 MULTI", "0 BLPOP k 0", "0 BLMOVE k l LEFT LEFT 0", "0 BRPOPLPUSH k l 0", "0 BLMPOP 0 1 k LEFT",
    "0 BZPOPMIN k 0", "0 BZMPOP 0 1 k MAX", "0 EXEC", NULL },
  { "0 BLPOP k 0", "1 SET k v", "1 DEL k", "1 ZADD k 1 a", "1 DEL k", "1 RPUSH k a", NULL },
  { "0 SET k v", "0 BLPOP k 0", "0 BLPOP nothing k 0", "0 BZPOPMIN k 0", "0 RPUSH l a", "0 BLPOP k l 0",
    "0 BLPOP l k 0", "0 RPUSH l a", "0 BLMOVE l k LEFT LEFT 0", "0 LRANGE l 0 -1", NULL },
  { "0 SET d v", "0 BLMOVE s d LEFT RIGHT 0", "1 RPUSH s a", "1 LRANGE s 0 -1", "1 DEL d",
    "0 BLMOVE s d LEFT RIGHT 0", "0 LRANGE d 0 -1", NULL },
  { "0 BLMOVE a b LEFT RIGHT 0", "1 BLMOVE b c RIGHT LEFT 0", "2 RPUSH a x", "2 LRANGE c 0 -1", NULL },
  { "0 BRPOPLPUSH a a 0", "1 RPUSH a 1 2", "1 LRANGE a 0 -1", NULL },
  { "0 BLMPOP 0 2 a b RIGHT COUNT 2", "1 RPUSH b 1 2 3", "1 LRANGE b 0 -1", NULL },
  { "0 BZPOPMIN z 0", "1 BZPOPMAX z 0", "2 ZADD z 1 a 2 b 3 c", "2 ZRANGE z 0 -1", NULL },
  { "0 BZMPOP 0 2 y z MAX COUNT 2", "1 ZADD z 1 a 2.5 b 3 c", "1 ZRANGE z 0 -1", NULL },
  { "0 BZPOPMIN z 0", "1 BLPOP z 0", "2 RPUSH z a", "2 ZADD z 1 a", NULL },
  { "0 BLPOP z 0", "1 BZPOPMIN z 0", "2 ZADD z 1 a", "2 RPUSH z a", NULL },
  { "0 BLPOP k 0", "1 RPUSH other a b", "1 RENAME other k", "1 LRANGE k 0 -1", NULL },
  { "0 BLPOP k 0", "1 RPUSH other a", "1 COPY other k", "1 EXISTS k", NULL },
  { "0 BLPOP k 0", "1 RPUSH other 2 1", "1 SORT other STORE k", "1 LRANGE k 0 -1", NULL },
  { "0 BZPOPMIN k 0", "1 ZADD o 1 a", "1 ZUNIONSTORE k 1 o", "1 EXISTS k", NULL },
  { "0 BLPOP k 0", "1 FLUSHALL", "1 RPUSH k a", NULL },
  { "0 BLPOP k 0", "1 SELECT 1", "1 RPUSH k a", "1 SWAPDB 0 1", "1 EXISTS k", "1 SELECT 0", "1 EXISTS k",
    NULL },
  { "0 BLPOP k 0", "1 SELECT 1", "1 RPUSH k a", "1 MOVE k 0", "1 EXISTS k", NULL },
  { "0 BLPOP k k 0", "1 RPUSH k a b", "1 LRANGE k 0 -1", NULL },
  { "0 BLPOP k x", "0 BLPOP k -1", "0 BLPOP k 1e400", "0 BLPOP k nan", "0 BLPOP k inf",
    "0 BLPOP k 9.3e15", "0 BLPOP k 0x0.1p0", "0 BLMPOP x 0 k FOO", "0 BLMPOP x 1 k FOO",
    "0 BLMPOP x 1 k LEFT", "0 BLMPOP 1 1 k LEFT COUNT 0", "0 BLMPOP 1 2 k LEFT", "0 BLMOVE a b FOO LEFT x",
    "0 BLMOVE a b LEFT LEFT x", "0 BZMPOP x 1 k FOO", "0 BZMPOP x 1 k MIN", "0 BZPOPMAX k x",
    "0 BRPOPLPUSH a b -0.1", NULL },
  { "0 BLPOP k 0", "1 LPUSH k a", "0 BLPOP k 0", "1 LPUSHX k a", "1 LINSERT k BEFORE a b", "1 RPUSH k z",
    NULL },
  { "0 WATCH k", "1 BLPOP k 0", "2 RPUSH k a", "0 MULTI", "0 PING", "0 EXEC", NULL },
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

START_TEST(as_redis)
{
  const char *const *steps = scenarios[_i];
  static heard expected, got;

  server = server_start(NULL);
  for (int i = 0; i < CALLERS; i++)
    client[i] = server_connect(server, 2);
  open_callers();
  for (int k = 0; steps[k]; k++) {
    int who = steps[k][0] - '0';
    int slow = strstr(steps[k], " 0.1") != NULL || strstr(steps[k], "0x0.1") != NULL;

    say_to_server(who, steps[k] + 2);
    say(who, steps[k] + 2);
    if (slow)
      nap(150);
    memset(expected, 0, sizeof expected);
    memset(got, 0, sizeof got);
    for (int n = 0; n == 0 || (n < 50 && memcmp(expected, got, sizeof got)); n++) {
      nap(QUIET_MS); /* one of them may be slow */
      collect_server(expected);
      collect(got);
    }
    for (int i = 0; i < CALLERS; i++)
      ck_assert_msg(strcmp(expected[i], got[i]) == 0, "%d: %s: caller %d: Redis %s, the engine %s",
                    _i, steps[k], i, expected[i], got[i]);
  }
  for (int i = 0; i < CALLERS; i++)
    resp_close(client[i]);
  server_stop(server);
  larder_close(store, 0); /* whoever still waits is told */
  for (int i = 0; i < CALLERS; i++)
    if (caller[i].busy) {
      pthread_join(caller[i].thread, NULL);
      ck_assert_msg(strncmp(caller[i].text, "CLOSED", 6) == 0, "%s", caller[i].text);
    }
}
END_TEST

/* --- without a thread ------------------------------------------------------------------------- */

struct told {
  _Atomic int times;
  larder_outcome outcome;
  char text[TEXT];
};

static void tell(void *context, larder_reply *r)
{
  struct told *t = context;

  t->outcome = r->outcome;
  t->text[0] = '\0';
  print(t->text, &r->value);
  larder_reply_free(r);
  atomic_fetch_add(&t->times, 1);
}

static void await(struct told *t)
{
  for (int i = 0; i < 5000 && !atomic_load(&t->times); i++)
    nap(1);
  ck_assert_int_eq(atomic_load(&t->times), 1);
}

static void submit(struct told *t, uint64_t *id, int64_t wait_s)
{
  char text[32];
  const char *argv[] = { "BLPOP", "k", text };

  snprintf(text, sizeof text, "%lld", (long long)wait_s);
  memset(t, 0, sizeof *t);
  ck_assert_int_eq(larder_async_argv(store, 3, argv, NULL, 0, tell, t, id), LARDER_OK);
}

START_TEST(a_thousand_submissions)
{
  enum { N = 1000 };
  static struct told told[N];
  uint64_t id;

  store = larder_open("memory:", NULL, NULL, 0);
  for (int i = 0; i < N; i++)
    submit(&told[i], &id, 0);
  for (int i = 0; i < N; i++)
    larder_reply_free(larder_command(store, "RPUSH k %d", i));
  for (int i = 0; i < N; i++) {
    char text[32];

    await(&told[i]);
    snprintf(text, sizeof text, "[k %d]", i); /* in the order in which they came */
    ck_assert_str_eq(told[i].text, text);
  }
  larder_close(store, 0);
}
END_TEST

START_TEST(submissions_that_end_unserved)
{
  struct told late, cancelled, closed;
  uint64_t id;

  store = larder_open("memory:", NULL, NULL, 0);
  submit(&late, &id, 1);
  submit(&cancelled, &id, 0);
  ck_assert_int_eq(larder_async_cancel(store, id), LARDER_OK);
  await(&cancelled);
  ck_assert_int_eq(cancelled.outcome, LARDER_NOT_SENT);
  await(&late);
  ck_assert_int_eq(late.outcome, LARDER_OK);
  ck_assert_str_eq(late.text, "(nothing)");
  submit(&closed, &id, 0);
  larder_reply_free(larder_command(store, "RPUSH other a"));
  larder_close(store, 0);
  await(&closed);
  ck_assert_int_eq(closed.outcome, LARDER_CLOSED);
}
END_TEST

/* --- many threads ------------------------------------------------------------------------------- */

enum { POPPERS = 4, PUSHERS = 4, EACH = 2000 };
static _Atomic int popped[PUSHERS * EACH];

static void *pop_on(void *context)
{
  int n = 0;

  (void)context;
  for (;; n++) {
    larder_reply *r = larder_command(store, "BLPOP one two 0");
    int number;

    ck_assert_int_eq(r->outcome, LARDER_OK);
    number = atoi(r->value.element[1].str);
    larder_reply_free(r);
    if (number < 0)
      break;
    atomic_fetch_add(&popped[number], 1);
  }
  return NULL;
}

static void *push_on(void *context)
{
  int from = *(int *)context * EACH;

  for (int i = from; i < from + EACH; i++)
    larder_reply_free(larder_command(store, i % 3 ? "RPUSH one %d" : "LPUSH two %d", i));
  return NULL;
}

START_TEST(nothing_is_lost_or_doubled)
{
  pthread_t popper[POPPERS], pusher[PUSHERS];
  int number[PUSHERS];

  store = larder_open("memory:", NULL, NULL, 0);
  for (int i = 0; i < POPPERS; i++)
    pthread_create(&popper[i], NULL, pop_on, NULL);
  for (int i = 0; i < PUSHERS; i++) {
    number[i] = i;
    pthread_create(&pusher[i], NULL, push_on, &number[i]);
  }
  for (int i = 0; i < PUSHERS; i++)
    pthread_join(pusher[i], NULL);
  for (int i = 0; i < 5000; i++) {
    larder_reply *r = larder_command(store, "EXISTS one two");
    int left = r->value.integer != 0;

    larder_reply_free(r);
    if (!left)
      break;
    nap(1);
  }
  for (int i = 0; i < POPPERS; i++)
    larder_reply_free(larder_command(store, "RPUSH two -1"));
  for (int i = 0; i < POPPERS; i++)
    pthread_join(popper[i], NULL);
  for (int i = 0; i < PUSHERS * EACH; i++)
    ck_assert_msg(popped[i] == 1, "%d was popped %d times", i, (int)popped[i]);
  larder_close(store, 0);
}
END_TEST

/* --- over Redis --------------------------------------------------------------------------------- */

/* On connections of their own: nobody's call stands behind one that waits. */
START_TEST(over_redis)
{
  char url[64], got[TEXT];
  struct told told = { 0 };

  server = server_start(NULL);
  snprintf(url, sizeof url, "redis://127.0.0.1:%d?fallback=none", server_port(server));
  store = larder_open(url, NULL, NULL, 0);
  if (store) { /* else this is a build without Redis */
    for (int i = 0; i < CALLERS; i++)
      caller[i] = (struct caller){ .session = larder_session_open(store) };
    say(0, "BLPOP k 0");
    say(1, "BLPOP k 0.1");
    nap(200);
    hear(got);
    ck_assert_str_eq(got, "1:(nothing) ");
    for (int i = 0; i < 50; i++)
      larder_reply_free(larder_command(store, "SET other %d", i));
    say(2, "RPUSH k a");
    hear(got);
    ck_assert_str_eq(got, "0:[k a] 2:1 ");
    ck_assert_int_eq(larder_async_command(store, tell, &told, "BLPOP k 0"), LARDER_OK);
    await(&told);
    ck_assert_int_eq(told.outcome, LARDER_UNSUPPORTED);
    for (int i = 0; i < CALLERS; i++)
      larder_session_close(caller[i].session);
    larder_close(store, 0);
  }
  server_stop(server);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("block");
  TCase *t = tcase_create("block");

  server_require();
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, as_redis, 0, SCENARIOS);
  tcase_add_test(t, a_thousand_submissions);
  tcase_add_test(t, submissions_that_end_unserved);
  tcase_add_test(t, nothing_is_lost_or_doubled);
  tcase_add_test(t, over_redis);
  suite_add_tcase(s, t);
  return run_suite(s);
}
