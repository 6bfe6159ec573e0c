/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "remote/against.h"
#include "support/server.h"

/* What comes before the first call: the handshake, and no server. */

/* --- the handshake --------------------------------------------------------------------- */

START_TEST(a_call_gets_its_reply)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET key"), PEER_SEND("$5\r\nvalue\r\n")};
  struct peer_options options = {.unix_socket = _i};
  begin_with(&options, STEPS(script), NULL);
  struct rig_reply r = rig_run(&rig, "GET key");
  ck_assert_int_eq(r.verdict.outcome, LARDER_OK);
  ck_assert_int_eq(r.verdict.origin, LARDER_FROM_REDIS);
  ck_assert_str_eq(r.text, "value");
  larder_backend_status s = rig_status(&rig);
  ck_assert_int_eq(s.link, LARDER_LINK_UP);
  ck_assert_int_eq(s.fence, 1);
  ck_assert_uint_eq(s.connections, 1);
  ck_assert_uint_eq(s.connects, 1);
  ck_assert_uint_eq(s.connect_faults, 0);
  ck_assert_uint_eq(s.commands_sent, 1);
  ck_assert_str_eq(s.run_id, "0123456789012345678901234567890123456789");
  ck_assert_int_lt(s.clock_offset_us, 0); /* the peer lives in 2023 */
  end();
}
END_TEST

static void with_password(struct lrd_config *c)
{
  c->password = (char *)"sesame-secret";
  c->client_name = (char *)"me";
  c->database = 3;
}

START_TEST(credentials_and_database_come_first)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET key"), PEER_SEND("$-1\r\n"), PEER_HANG};
  begin_with(NULL, STEPS(script), with_password);
  ck_assert_int_eq(rig_run_with(&rig, NULL, 0, 50, "GET key").verdict.outcome, LARDER_NOT_SENT);
  ck_assert_int_eq(peer_saw(peer, "0: AUTH sesame-secret\n0: SELECT 3\n0: CLIENT SETNAME me\n"), 1);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

static const struct refusal {
  const char *command, *reply;
  larder_outcome outcome;
  larder_cause cause;
  larder_link link;
} refusals[] = {
  {"PING", "-LOADING Redis is loading the dataset in memory\r\n", LARDER_NOT_SENT,
   LARDER_CAUSE_SERVER, LARDER_LINK_DOWN},
  {"PING", "-MASTERDOWN Link with MASTER is down\r\n", LARDER_NOT_SENT, LARDER_CAUSE_SERVER,
   LARDER_LINK_DOWN},
  {"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", LARDER_REFUSED,
   LARDER_CAUSE_AUTH, LARDER_LINK_DENIED},
  {"AUTH", "-ERR AUTH <password> called without any password configured\r\n", LARDER_REFUSED,
   LARDER_CAUSE_AUTH, LARDER_LINK_DENIED},
  {"SELECT", "-NOAUTH Authentication required.\r\n", LARDER_REFUSED, LARDER_CAUSE_AUTH,
   LARDER_LINK_DENIED},
  {"SELECT", "-NOPERM this user has no permissions\r\n", LARDER_REFUSED, LARDER_CAUSE_AUTH,
   LARDER_LINK_DENIED},
  {"SELECT", "-ERR DB index is out of range\r\n", LARDER_REFUSED, LARDER_CAUSE_CALLER,
   LARDER_LINK_STARTING},
  {"AUTH", "-ERR max number of clients reached\r\n", LARDER_NOT_SENT, LARDER_CAUSE_SERVER,
   LARDER_LINK_DOWN},
  {"AUTH", "-DENIED Redis is running in protected mode\r\n", LARDER_NOT_SENT, LARDER_CAUSE_SERVER,
   LARDER_LINK_DOWN},
  {"AUTH", "HTTP/1.1 400 Bad Request\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL,
   LARDER_LINK_DOWN},
  {"SELECT", ":1\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL, LARDER_LINK_DOWN},
  {"SELECT", "+OK\r\n+OK\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL, LARDER_LINK_DOWN},
  {"PING", "-NOAUTH Authentication required.\r\n", LARDER_REFUSED, LARDER_CAUSE_AUTH,
   LARDER_LINK_DENIED},
  {"PING", "+OK\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL, LARDER_LINK_DOWN},
  {"PING", "+PONG\r\n+OK\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL, LARDER_LINK_DOWN},
  {"TIME", "*1\r\n:5\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL, LARDER_LINK_DOWN},
  {"CLIENT ID", "$1\r\nx\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL, LARDER_LINK_DOWN},
  {"INFO server", "*0\r\n", LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL, LARDER_LINK_DOWN},
};

static void with_password_only(struct lrd_config *c)
{
  c->password = (char *)"sesame-secret";
  c->max_retries = 0;
  c->database = 3;
}

START_TEST(a_refused_handshake_is_told_as_what_it_is)
{
  const struct refusal *f = &refusals[_i];
  const char *const reply[][2] = {{f->command, f->reply}, {NULL, NULL}};
  struct peer_options options = {.reply = reply};
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, PEER_GONE, PEER_HANG};
  begin_with(&options, STEPS(script), with_password_only);
  rig.database = 3;
  struct rig_reply r = rig_run(&rig, "GET key");
  ck_reply(r, f->outcome, f->cause);
  ck_assert_ptr_null(strstr(r.text, "sesame"));
  if (f->outcome == LARDER_REFUSED) {
    ck_assert_msg(strncmp(r.text, f->reply + 1, strlen(r.text)) == 0, "%s", r.text);
    r = rig_run(&rig, "GET key"); /* no storm: told at once, without another attempt */
    ck_reply(r, f->outcome, f->cause);
    ck_assert_int_lt(r.took_ms, 40);
  }
  larder_backend_status s = rig_status(&rig);
  ck_assert_int_eq(s.link, f->link);
  ck_assert_ptr_null(strstr(s.last_error, "sesame"));
  ck_assert_uint_gt(s.connect_faults, 0);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

static const char *const not_pong[] = {
  "-NOPERM this user has no permissions to run the 'ping' command\r\n",
  "-MISCONF Redis is configured to save RDB snapshots\r\n", "-ERR unknown command 'PING'\r\n"};

/* SELECT of the database that is selected anyway isn't even asked. */
START_TEST(what_a_server_may_refuse_is_done_without)
{
  const char *const reply[][2] = {
    {"CLIENT", "-NOPERM no\r\n"}, {"INFO", "-NOPERM no\r\n"}, {"TIME", "-NOPERM no\r\n"},
    {"MULTI", "-NOPERM no multi\r\n"}, {"DISCARD", "-NOPERM no\r\n"},
    {"SELECT", "-NOPERM no\r\n"}, {"PING", not_pong[_i]}, {NULL, NULL}};
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET key"), PEER_SEND("$-1\r\n")};
  struct peer_options options = {.reply = reply};
  begin_with(&options, STEPS(script), NULL);
  ck_reply(rig_run(&rig, "GET key"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(rig_status(&rig).fence, 0);
  struct rig_reply r = rig_run_with(&rig, NULL, LARDER_CALL_ATOMIC, 250, "SET a 1");
  ck_reply(r, LARDER_REFUSED, LARDER_CAUSE_AUTH);
  ck_assert_str_eq(r.text, "NOPERM no multi");
  end();
}
END_TEST

static void no_retries(struct lrd_config *c)
{
  c->max_retries = 0;
}

START_TEST(a_handshake_that_is_cut_is_not_sent)
{
  static const struct peer_step closes[] = {PEER_ACCEPT, PEER_CLOSE, PEER_HANG};
  static const struct peer_step resets[] = {PEER_ACCEPT, PEER_EXPECT(NULL), PEER_RST, PEER_HANG};
  begin_with(NULL, _i ? resets : closes, _i ? 4 : 3, no_retries);
  ck_reply(rig_run(&rig, "SET key 1"), LARDER_NOT_SENT, LARDER_CAUSE_CUT);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(a_silent_handshake_ends_by_connect_timeout)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GONE, PEER_HANG};
  begin_with(NULL, STEPS(script), short_connect);
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 5000, "SET key 1");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_SILENT);
  ck_assert_int_lt(r.took_ms, 250);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

/* --- no server ------------------------------------------------------------------------- */

static void open_on_port(int port, const char *host)
{
  struct lrd_config config;
  rig_config(&config, port, NULL);
  config.host = (char *)host;
  config.connections = 1;
  rig_open(&rig, &config);
}

START_TEST(refused_is_not_sent)
{
  open_on_port(server_free_port(), "127.0.0.1");
  struct rig_reply r = rig_run(&rig, "SET key 1");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_REFUSED);
  ck_assert_int_le(r.took_ms, 300);
  ck_assert_msg(strncmp(r.text, "NOTSENT connection refused", 26) == 0, "%s", r.text);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DOWN);
  for (int i = 0; i < 20; i++) {
    r = rig_run_with(&rig, NULL, LARDER_CALL_NOWAIT, 250, "SET key 1");
    ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_REFUSED);
    ck_assert_int_lt(r.took_ms, 30);
  }
  rig_close(&rig);
}
END_TEST

START_TEST(names_are_resolved)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET key"), PEER_SEND("$-1\r\n")};
  peer = peer_start(NULL, STEPS(script));
  open_on_port(peer_port(peer), "localhost");
  ck_reply(rig_run_with(&rig, NULL, 0, 2000, "GET key"), LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

START_TEST(unknown_names_are_not_sent)
{
  open_on_port(1, "no-such-host.invalid");
  struct rig_reply r = rig_run(&rig, "GET key");
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  ck_assert_int_le(r.took_ms, 300);
  rig_close(&rig);
}
END_TEST

START_TEST(no_socket_and_long_paths_are_named)
{
  struct lrd_config config;
  char path[200];
  rig_config(&config, 0, "/tmp/larder-no-such-socket");
  rig_open(&rig, &config);
  struct rig_reply r = rig_run(&rig, "GET key");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_REFUSED);
  ck_assert_msg(strstr(r.text, "no such file") != NULL, "%s", r.text);
  rig_close(&rig);
  memset(path, 'x', sizeof path);
  path[0] = '/';
  path[sizeof path - 1] = 0;
  rig_config(&config, 0, path);
  rig_open(&rig, &config);
  r = rig_run(&rig, "GET key");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_REFUSED);
  ck_assert_msg(strstr(r.text, "path of a unix socket") != NULL, "%s", r.text);
  rig_close(&rig);
}
END_TEST

static void many_retries(struct lrd_config *c)
{
  c->max_retries = 100;
  c->connections = 1;
}

START_TEST(attempts_back_off)
{
  static struct peer_step script[120];
  for (int i = 0; i < 118; i += 2) {
    script[i].verb = PEER_STEP_ACCEPT;
    script[i + 1].verb = PEER_STEP_CLOSE;
  }
  script[118].verb = script[119].verb = PEER_STEP_HANG;
  begin_with(NULL, script, 118, many_retries);
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 1200, "GET key");
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  int n = peer_connections(peer);
  /* 50, 100, 200, 400, 800 ms, each at least half of it */
  ck_assert_int_ge(n, 3);
  ck_assert_int_le(n, 7);
  r = rig_run_with(&rig, NULL, LARDER_CALL_NOWAIT, 250, "GET key");
  ck_assert_int_lt(r.took_ms, 30);
  r = rig_run_with(&rig, NULL, LARDER_CALL_PROBE | LARDER_CALL_NOWAIT, 250, "GET key");
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  ck_assert_int_eq(peer_connections(peer), n + 1);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("handshake");
  TCase *t = tcase_create("handshake");
  tcase_set_timeout(t, 30);
  tcase_add_loop_test(t, a_call_gets_its_reply, 0, 2);
  tcase_add_test(t, credentials_and_database_come_first);
  tcase_add_loop_test(t, a_refused_handshake_is_told_as_what_it_is, 0,
                      sizeof refusals / sizeof *refusals);
  tcase_add_loop_test(t, what_a_server_may_refuse_is_done_without, 0, 3);
  tcase_add_loop_test(t, a_handshake_that_is_cut_is_not_sent, 0, 2);
  tcase_add_test(t, a_silent_handshake_ends_by_connect_timeout);
  suite_add_tcase(suite, t);
  t = tcase_create("no server");
  tcase_set_timeout(t, 30);
  tcase_add_test(t, refused_is_not_sent);
  tcase_add_test(t, names_are_resolved);
  tcase_add_test(t, unknown_names_are_not_sent);
  tcase_add_test(t, no_socket_and_long_paths_are_named);
  tcase_add_test(t, attempts_back_off);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
