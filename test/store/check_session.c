/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <larder.h>

#include "command/sink.h"
#include "store/fake.h"
#include "store/session.h"
#include "support/check.h"
#include "util/memory.h"

static char error[LARDER_ERROR_SIZE];
static larder *store;
static larder_session *session;

static void open_with(const larder_backend_table *table)
{
  larder_options o = LARDER_OPTIONS_INIT;
  fake_reset();
  o.backend = table;
  store = larder_open("memory:?db=2", &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  session = larder_session_open(store);
  ck_assert_ptr_nonnull(session);
}

static void setup(void)
{
  open_with(&fake_table);
}

static void teardown(void)
{
  larder_session_close(session);
  larder_close(store, 0);
  ck_assert_int_eq(fake.holds_opened, fake.holds_closed);
}

/* --- a line in, RESP out ------------------------------------------------- */

enum { LINE_WORDS = 16 };

/* Splits at spaces, in place. */
static int split(char *line, larder_bytes *argv)
{
  int n = 0;
  for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
    argv[n++] = (larder_bytes){word, strlen(word)};
  return n;
}

static struct lrd_resp resp;

/* Runs lines (separated by ';') as one pipeline; what RESP says. */
static const char *pipeline(const char *lines)
{
  static char out[16384], text[1024];
  static larder_bytes words[64][LINE_WORDS];
  larder_vector vector[64];
  char *line[64];
  size_t n = 0;
  struct lrd_buffer buffer;
  ck_assert_uint_lt(strlen(lines), sizeof text);
  strcpy(text, lines);
  for (char *p = text; p; n++) {
    line[n] = p;
    p = strchr(p, ';');
    if (p)
      *p++ = '\0';
  }
  for (size_t i = 0; i < n; i++)
    vector[i] = (larder_vector){.argc = split(line[i], words[i]), .argv = words[i]};
  lrd_buffer_init(&buffer, &lrd_memory_system, 0);
  lrd_resp_init(&resp, &buffer, session->protocol);
  lrd_session_execute(session, vector, n, &resp.sink);
  ck_assert_uint_lt(buffer.len, sizeof out);
  if (buffer.len)
    memcpy(out, buffer.data, buffer.len);
  out[buffer.len] = '\0';
  lrd_buffer_free(&buffer);
  return out;
}

static const char *log_of(void)
{
  static char log[sizeof fake.log];
  strcpy(log, fake.log);
  fake.log[0] = '\0';
  return log;
}

/* --- pipelines ----------------------------------------------------------- */

START_TEST(plain_commands_travel_together)
{
  ck_assert_str_eq(pipeline("SET a 1;GET a;PING"), "+OK\r\n$-1\r\n+PONG\r\n");
  ck_assert_str_eq(log_of(), "SET GET PING;0@2|");
  ck_assert_str_eq(pipeline("SET a 1;SELECT 5;SET b 1;NOSUCH;SET c 1"),
                   "+OK\r\n+OK\r\n+OK\r\n-ERR unknown command 'NOSUCH', with args beginning "
                   "with: \r\n+OK\r\n");
  ck_assert_str_eq(log_of(), "SET;0@2|SET;0@5|SET;0@5|");
}
END_TEST

START_TEST(long_pipelines)
{
  enum { N = 1000 };
  static larder_vector vector[N];
  const larder_bytes ping = {"PING", 4};
  struct lrd_count count;
  for (int i = 0; i < N; i++)
    vector[i] = (larder_vector){.argc = 1, .argv = &ping};
  lrd_count_init(&count);
  lrd_session_execute(session, vector, N, &count.sink);
  ck_assert_uint_eq(count.replies, N);
  ck_assert_int_eq(fake.vectors, N);
  ck_assert_int_lt(fake.executed, 20);
}
END_TEST

/* --- transactions -------------------------------------------------------- */

/* Lines and what a redis-server 7.0.15 replies to them. */
static const struct {
  const char *lines, *replies;
} dialogs[] = {
    {"MULTI;MULTI;SET a 1;EXEC",
     "+OK\r\n-ERR MULTI calls can not be nested\r\n+QUEUED\r\n*1\r\n+OK\r\n"},
    {"MULTI;WATCH x;SET a 1;EXEC",
     "+OK\r\n-ERR WATCH inside MULTI is not allowed\r\n+QUEUED\r\n*1\r\n+OK\r\n"},
    {"EXEC;DISCARD;UNWATCH",
     "-ERR EXEC without MULTI\r\n-ERR DISCARD without MULTI\r\n+OK\r\n"},
    {"MULTI;NOSUCH a b;EXEC;EXEC",
     "+OK\r\n-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n-EXECABORT "
     "Transaction discarded because of previous errors.\r\n-ERR EXEC without MULTI\r\n"},
    {"MULTI;GET;SET a 1;EXEC",
     "+OK\r\n-ERR wrong number of arguments for 'get' command\r\n+QUEUED\r\n-EXECABORT Transaction "
     "discarded because of previous errors.\r\n"},
    {"MULTI x;MULTI;EXEC",
     "-ERR wrong number of arguments for 'multi' command\r\n+OK\r\n*0\r\n"},
    {"EXEC 1;MULTI;EXEC 1;SET a 1;EXEC",
     "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n"
     "+OK\r\n"
     "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n"
     "+OK\r\n-ERR EXEC without MULTI\r\n"},
    {"MULTI;SET a 1;DISCARD;EXEC", "+OK\r\n+QUEUED\r\n+OK\r\n-ERR EXEC without MULTI\r\n"},
    {"multi;set a 1;Unwatch;exec", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n"},
    {"SELECT a;SELECT 16;SELECT -1;SELECT 3;SELECT 99999999999999999999;"
     "SELECT 2147483648",
     "-ERR value is not an integer or out of range\r\n-ERR DB index is out of range\r\n"
     "-ERR DB index is out of range\r\n+OK\r\n-ERR value is not an integer or out of range\r\n"
     "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n"},
    {"HELLO 4;HELLO x;HELLO 2 FOO;HELLO 2 SETNAME;HELLO 3 AUTH foo x;HELLO 3 AUTH default",
     "-NOPROTO unsupported protocol version\r\n"
     "-ERR Protocol version is not an integer or out of range\r\n"
     "-ERR Syntax error in HELLO option 'FOO'\r\n-ERR Syntax error in HELLO option 'SETNAME'\r\n"
     "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
     "-ERR Syntax error in HELLO option 'AUTH'\r\n"},
    {"AUTH;AUTH x;AUTH default x;AUTH foo x;AUTH a b c",
     "-ERR wrong number of arguments for 'auth' command\r\n-ERR AUTH <password> called without any "
     "password configured for the default user. Are you sure your configuration is correct?\r\n"
     "+OK\r\n-WRONGPASS invalid username-password pair or user is disabled.\r\n"
     "-ERR syntax error\r\n"},
    {"CLIENT;CLIENT FOO;CLIENT SETNAME;CLIENT SETNAME abc;CLIENT GETNAME;CLIENT ID x",
     "-ERR wrong number of arguments for 'client' command\r\n"
     "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"
     "-ERR wrong number of arguments for 'client|setname' command\r\n+OK\r\n$3\r\nabc\r\n"
     "-ERR wrong number of arguments for 'client|id' command\r\n"},
    {"CLIENT GETNAME;CLIENT SETNAME a\nb",
     "$-1\r\n-ERR Client names cannot contain spaces, newlines or special characters.\r\n"},
    {"COMMAND COUNT x;COMMAND FOO;COMMAND LIST x;COMMAND LIST FILTERBY",
     "-ERR wrong number of arguments for 'command|count' command\r\n"
     "-ERR unknown subcommand 'FOO'. Try COMMAND HELP.\r\n-ERR syntax error\r\n"
     "-ERR syntax error\r\n"},
    {"COMMAND LIST FILTERBY PATTERN nosuch*;COMMAND LIST FILTERBY MODULE x;"
     "COMMAND LIST FILTERBY ACLCAT foo;COMMAND LIST FILTERBY PATTERN ge*l;"
     "COMMAND INFO nosuch larder.forget",
     "*0\r\n*0\r\n*0\r\n*1\r\n$6\r\ngetdel\r\n*2\r\n$-1\r\n$-1\r\n"},
    {"HELLO",
     "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n"
     "$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\n"
     "modules\r\n*0\r\n"},
    {"QUIT;CLIENT ID", "+OK\r\n:1\r\n"},
    {"QUIT x", "+OK\r\n"},
    {"MULTI;QUIT", "+OK\r\n+OK\r\n"},
};

START_TEST(as_redis)
{
  ck_assert_str_eq(pipeline(dialogs[_i].lines), dialogs[_i].replies);
}
END_TEST

/* What no backend answers is answered here, in its place, when the rest was executed. */
START_TEST(front_in_transaction)
{
  ck_assert_str_eq(pipeline("MULTI;CLIENT SETNAME me;SET a 1;CLIENT GETNAME;AUTH;GET a"),
                   "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                   "-ERR wrong number of arguments for 'auth' command\r\n+QUEUED\r\n");
  ck_assert_str_eq(pipeline("EXEC;CLIENT GETNAME"),
                   "-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n");
  ck_assert_str_eq(log_of(), "");
  pipeline("MULTI;CLIENT SETNAME me;SET a 1;CLIENT GETNAME;UNWATCH;GET a");
  ck_assert_str_eq(pipeline("EXEC"), "*5\r\n+OK\r\n+OK\r\n$2\r\nme\r\n+OK\r\n+OK\r\n");
  ck_assert_str_eq(log_of(), "SET GET;1@2|");
}
END_TEST

/* A transaction of nothing else asks no backend, unless a watched key decides. */
START_TEST(front_alone)
{
  ck_assert_str_eq(pipeline("MULTI;CLIENT ID;SELECT 99;EXEC"),
                   "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n+OK\r\n");
  ck_assert_str_eq(log_of(), "SELECT;1@2|");
  ck_assert_str_eq(pipeline("MULTI;CLIENT ID;HELLO 9;EXEC"),
                   "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n"
                   "-NOPROTO unsupported protocol version\r\n");
  ck_assert_str_eq(log_of(), "");
}
END_TEST

START_TEST(exec_is_one_call)
{
  pipeline("SELECT 7;MULTI;SET a 1;GET a;INCR b");
  ck_assert_str_eq(log_of(), "");
  ck_assert_str_eq(pipeline("EXEC"), "*3\r\n+OK\r\n+OK\r\n+OK\r\n");
  ck_assert_str_eq(log_of(), "SET GET INCR;1@7|");
  ck_assert_int_eq(fake.holds_opened, 0);
}
END_TEST

START_TEST(watch_holds)
{
  ck_assert_str_eq(pipeline("WATCH a b;GET a"), "+OK\r\n$-1\r\n");
  ck_assert_str_eq(log_of(), "WATCH;0@2!|GET;0@2!|");
  ck_assert_str_eq(pipeline("MULTI;SET a 1;EXEC;GET a"),
                   "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n$-1\r\n");
  ck_assert_str_eq(log_of(), "SET;1@2!|GET;0@2|");
  pipeline("WATCH a;UNWATCH;GET a");
  ck_assert_str_eq(log_of(), "WATCH;0@2!|UNWATCH;0@2!|GET;0@2|");
  ck_assert_int_eq(fake.holds_opened, 1);
}
END_TEST

START_TEST(watched_key_changed)
{
  pipeline("WATCH a;MULTI;SET a 1");
  fake.answer = FAKE_NIL;
  ck_assert_str_eq(pipeline("EXEC"), "*-1\r\n");
  pipeline("WATCH a;MULTI");
  ck_assert_str_eq(pipeline("EXEC"), "*-1\r\n");
  fake.answer = FAKE_OK;
  pipeline("WATCH a;MULTI");
  ck_assert_str_eq(pipeline("EXEC"), "*0\r\n");
}
END_TEST

/* Whatever ends a transaction ends its watches: the hold is given back. */
START_TEST(watches_end)
{
  pipeline("WATCH a;MULTI;SET a 1;DISCARD");
  ck_assert_int_eq(fake.holds_closed, 1);
  pipeline("WATCH a;MULTI;NOSUCH;EXEC");
  ck_assert_int_eq(fake.holds_closed, 2);
  pipeline("WATCH a;MULTI;SET a 1;EXEC x");
  ck_assert_int_eq(fake.holds_closed, 3);
  pipeline("WATCH a;MULTI;SET a 1");
  fake.answer = FAKE_ERROR;
  fake.verdict.outcome = LARDER_NOT_SENT;
  fake.text = "NOTSENT the backend was switched";
  ck_assert_str_eq(pipeline("EXEC"), "-NOTSENT the backend was switched\r\n");
  ck_assert_int_eq(fake.holds_closed, 4);
  log_of();
  fake.answer = FAKE_OK;
  fake.verdict.outcome = LARDER_OK;
  pipeline("GET a");
  ck_assert_str_eq(log_of(), "GET;0@2|");
}
END_TEST

START_TEST(watch_without_memory)
{
  fake.hold_fails = 1;
  larder_reply *r = larder_session_command(session, "WATCH a");
  ck_assert_int_eq(r->outcome, LARDER_NO_MEMORY);
  larder_reply_free(r);
  larder_reply_free(larder_session_command(session, "MULTI"));
  r = larder_session_command(session, "EXEC");
  ck_assert_int_eq(r->outcome, LARDER_NOT_SENT);
  larder_reply_free(r);
}
END_TEST

/* A client that does not look at WATCH's error must not execute unguarded. */
START_TEST(failed_watch_guards)
{
  static const char refused[] = "-NOTSENT a key could not be watched: nothing was executed\r\n";
  fake.answer = FAKE_ERROR;
  fake.verdict.outcome = LARDER_NOT_SENT;
  pipeline("WATCH a");
  fake.answer = FAKE_OK;
  fake.verdict.outcome = LARDER_OK;
  pipeline("WATCH b;MULTI;SET a 1");
  log_of();
  ck_assert_str_eq(pipeline("EXEC"), refused);
  ck_assert_str_eq(log_of(), "");
  ck_assert_str_eq(pipeline("MULTI;SET a 1;EXEC"), "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
  fake.verdict.outcome = LARDER_NOT_SENT;
  pipeline("WATCH a");
  fake.verdict.outcome = LARDER_OK;
  ck_assert_str_eq(pipeline("UNWATCH;MULTI;EXEC"), "+OK\r\n+OK\r\n*0\r\n");
}
END_TEST

/* UNWATCH in a transaction is answered here: backends need not know it there. */
START_TEST(unwatch_in_a_transaction)
{
  ck_assert_str_eq(pipeline("MULTI;UNWATCH;PING;UNWATCH;SET a 1;EXEC"),
                   "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                   "*4\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
  ck_assert_str_eq(log_of(), "PING SET;1@2|");
  ck_assert_str_eq(pipeline("MULTI;UNWATCH;EXEC"), "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
  pipeline("WATCH a;MULTI;UNWATCH");
  fake.answer = FAKE_NIL;
  ck_assert_str_eq(pipeline("EXEC"), "*-1\r\n");
}
END_TEST

START_TEST(poor_backend)
{
  teardown();
  open_with(&fake_poor_table);
  larder_reply *r = larder_session_command(session, "WATCH a");
  ck_assert_int_eq(r->outcome, LARDER_UNSUPPORTED);
  larder_reply_free(r);
  larder_reply_free(larder_session_command(session, "UNWATCH"));
  larder_reply_free(larder_session_command(session, "MULTI"));
  larder_reply_free(larder_session_command(session, "SET a 1"));
  r = larder_session_command(session, "EXEC");
  ck_assert_int_eq(r->outcome, LARDER_UNSUPPORTED);
  larder_reply_free(r);
}
END_TEST

/* What is queued is a copy. */
START_TEST(queued_bytes_are_copied)
{
  char key[] = "first";
  const char *argv[] = {"SET", key, "1"};
  larder_reply_free(larder_session_command(session, "MULTI"));
  larder_reply *r = larder_session_argv(session, 3, argv, NULL);
  ck_assert_str_eq(r->value.str, "QUEUED");
  larder_reply_free(r);
  memcpy(key, "XXXXX", 5);
  ck_assert_int_eq(memcmp(session->transaction.vector[0].argv[1].data, "first", 5), 0);
  for (int i = 0; i < 100; i++)
    larder_reply_free(larder_session_argv(session, 3, argv, NULL));
  r = larder_session_command(session, "EXEC");
  ck_assert_uint_eq(r->value.len, 101);
  larder_reply_free(r);
}
END_TEST

START_TEST(outcomes)
{
  static const struct {
    const char *command;
    larder_outcome outcome;
  } rows[] = {{"MULTI", LARDER_OK},           {"MULTI", LARDER_REFUSED},
              {"NOSUCH", LARDER_BAD_ARGUMENT}, {"GET", LARDER_BAD_ARGUMENT},
              {"EXEC", LARDER_REFUSED},       {"EXEC", LARDER_REFUSED},
              {"GET a", LARDER_ABSENT},       {"SELECT 99", LARDER_REFUSED},
              {"AUTH a b", LARDER_REFUSED},   {"CLIENT ID", LARDER_OK}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    larder_reply *r = larder_session_command(session, rows[i].command);
    ck_assert_msg(r->outcome == rows[i].outcome, "%zu %s: %s", i, rows[i].command,
                  larder_outcome_name(r->outcome));
    larder_reply_free(r);
  }
  larder_reply *r = larder_session_argv(session, 0, NULL, NULL);
  ck_assert_int_eq(r->outcome, LARDER_BAD_ARGUMENT);
  larder_reply_free(r);
}
END_TEST

/* --- what serve needs ---------------------------------------------------- */

static int check_password(void *context, larder_bytes user, larder_bytes password)
{
  (void)context;
  return (user.len == 0 || (user.len == 7 && memcmp(user.data, "default", 7) == 0)) &&
         password.len == 4 && memcmp(password.data, "open", 4) == 0;
}

static void set_protocol(void *context, int version)
{
  (void)context;
  resp.protocol = version;
}

START_TEST(authentication)
{
  session->hooks.authenticate = check_password;
  session->authenticated = 0;
  ck_assert_str_eq(pipeline("GET a;NOSUCH;MULTI;HELLO 3"),
                   "-NOAUTH Authentication required.\r\n"
                   "-ERR unknown command 'NOSUCH', with args beginning with: \r\n"
                   "-NOAUTH Authentication required.\r\n"
                   "-NOAUTH HELLO must be called with the client already authenticated, otherwise "
                   "the HELLO AUTH <user> <pass> option can be used to authenticate the "
                   "client and select the RESP protocol version at the same time\r\n");
  ck_assert_int_eq(fake.executed, 0);
  ck_assert_str_eq(pipeline("AUTH shut;AUTH joe open;GET a"),
                   "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
                   "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
                   "-NOAUTH Authentication required.\r\n");
  ck_assert_str_eq(pipeline("AUTH open;GET a"), "+OK\r\n$-1\r\n");
  session->authenticated = 0;
  pipeline("HELLO 2 AUTH default open SETNAME me");
  ck_assert_str_eq(pipeline("CLIENT GETNAME"), "$2\r\nme\r\n");
}
END_TEST

START_TEST(hello_switches_its_own_reply)
{
  session->hooks.protocol = set_protocol;
  ck_assert_int_eq(strncmp(pipeline("HELLO 3"), "%7\r\n", 4), 0);
  ck_assert_int_eq(session->protocol, 3);
  ck_assert_str_eq(pipeline("GET a"), "_\r\n");
  ck_assert_int_eq(strncmp(pipeline("HELLO"), "%7\r\n", 4), 0);
  ck_assert_int_eq(strncmp(pipeline("HELLO 2"), "*14\r\n", 5), 0);
}
END_TEST

START_TEST(command_describes)
{
  ck_assert_str_eq(pipeline("COMMAND INFO get"),
                   "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
                   "*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n"
                   "*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n"
                   "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n"
                   "*2\r\n$5\r\nindex\r\n:1\r\n"
                   "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
                   "*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n"
                   "*0\r\n");
  larder_reply *count = larder_command(store, "COMMAND COUNT");
  larder_reply *list = larder_command(store, "COMMAND LIST");
  larder_reply *all = larder_command(store, "COMMAND");
  larder_reply *info = larder_command(store, "COMMAND INFO");
  ck_assert_int_eq(count->outcome, LARDER_OK);
  ck_assert_int_gt(count->value.integer, 50);
  int64_t whole = 0;
  for (size_t i = 0; i < list->value.len; i++)
    whole += memchr(list->value.element[i].str, '|', list->value.element[i].len) == NULL;
  ck_assert_int_eq(whole, count->value.integer);
  ck_assert_int_gt((int64_t)list->value.len, whole);
  ck_assert_int_eq((int64_t)all->value.len, count->value.integer);
  ck_assert_int_eq((int64_t)info->value.len, count->value.integer);
  larder_reply_free(count);
  larder_reply_free(list);
  larder_reply_free(all);
  larder_reply_free(info);
}
END_TEST

START_TEST(sessions_are_independent)
{
  larder_session *other = larder_session_open(store);
  ck_assert_uint_ne(other->id, session->id);
  larder_reply_free(larder_session_command(session, "SELECT 9"));
  larder_reply_free(larder_session_command(session, "MULTI"));
  larder_reply *r = larder_session_command(other, "GET a");
  ck_assert_int_eq(r->outcome, LARDER_ABSENT);
  larder_reply_free(r);
  ck_assert_str_eq(log_of(), "GET;0@2|");
  larder_session_close(other);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/session");
  TCase *tc = tcase_create("session");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_test(tc, plain_commands_travel_together);
  tcase_add_test(tc, long_pipelines);
  tcase_add_loop_test(tc, as_redis, 0, (int)(sizeof dialogs / sizeof *dialogs));
  tcase_add_test(tc, front_in_transaction);
  tcase_add_test(tc, front_alone);
  tcase_add_test(tc, exec_is_one_call);
  tcase_add_test(tc, watch_holds);
  tcase_add_test(tc, watched_key_changed);
  tcase_add_test(tc, watches_end);
  tcase_add_test(tc, watch_without_memory);
  tcase_add_test(tc, failed_watch_guards);
  tcase_add_test(tc, unwatch_in_a_transaction);
  tcase_add_test(tc, poor_backend);
  tcase_add_test(tc, queued_bytes_are_copied);
  tcase_add_test(tc, outcomes);
  tcase_add_test(tc, authentication);
  tcase_add_test(tc, hello_switches_its_own_reply);
  tcase_add_test(tc, command_describes);
  tcase_add_test(tc, sessions_are_independent);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
