/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "remote/remote.h"
#include "remote/rig.h"
#include "support/peer.h"
#include "support/server.h"
#include "util/clock.h"

/* Synchronous calls against a fake peer that misbehaves on command. */

#define STEPS(s) (s), sizeof(s) / sizeof *(s)

static struct peer *peer;
static struct rig rig;

/* A rig with one connection, on a peer that runs a script. */
static void begin_with(const struct peer_options *options, const struct peer_step *script,
                       size_t steps, void (*change)(struct lrd_config *))
{
  peer = peer_start(options, script, steps);
  struct lrd_config config;
  rig_config(&config, peer_port(peer), peer_path(peer));
  config.connections = 1;
  if (change)
    change(&config);
  rig_open(&rig, &config);
}

static void begin(const struct peer_step *script, size_t steps)
{
  begin_with(NULL, script, steps, NULL);
}

static void end(void)
{
  char why[256];
  rig_close(&rig);
  int failed = peer_stop(peer, why, sizeof why);
  ck_assert_msg(failed == 0, "%s", why);
}

#define ck_reply(r, o, c)                                                                         \
  do {                                                                                             \
    struct rig_reply reply_ = (r);                                                                 \
    ck_assert_msg(reply_.verdict.outcome == (o) && reply_.verdict.cause == (c),                    \
                  "%s: outcome %d cause %d, not %d %d: %s", #r, (int)reply_.verdict.outcome,       \
                  (int)reply_.verdict.cause, (int)(o), (int)(c), reply_.text);                     \
  } while (0)

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
}

START_TEST(a_refused_handshake_is_told_as_what_it_is)
{
  const struct refusal *f = &refusals[_i];
  const char *const reply[][2] = {{f->command, f->reply}, {NULL, NULL}};
  struct peer_options options = {.reply = reply};
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, PEER_GONE, PEER_HANG};
  begin_with(&options, STEPS(script), with_password_only);
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

START_TEST(what_a_server_may_refuse_is_done_without)
{
  static const char *const reply[][2] = {
    {"CLIENT", "-NOPERM no\r\n"}, {"INFO", "-NOPERM no\r\n"}, {"TIME", "-NOPERM no\r\n"},
    {"MULTI", "-NOPERM no multi\r\n"}, {"DISCARD", "-NOPERM no\r\n"}, {NULL, NULL}};
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

static void short_connect(struct lrd_config *c)
{
  c->connect_timeout = 100 * LRD_NS_PER_MS;
  c->max_retries = 0;
}

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

/* --- the connection ends --------------------------------------------------------------- */

START_TEST(an_end_while_idle_costs_no_call)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_SEND("+OK\r\n"), PEER_CLOSE,
    PEER_SYNC, PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET b 2"), PEER_SEND("+OK\r\n")};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(5);
  ck_reply(rig_run(&rig, "SET b 2"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_uint_eq(rig_status(&rig).connects, 2);
  end();
}
END_TEST

START_TEST(an_end_under_a_call_is_unknown_or_no_answer)
{
  static const char *const parts[] = {"", "$", "$5\r\nval", "$5\r\nvalue\r"};
  const char *part = parts[_i / 4];
  int write = _i & 1, reset = _i & 2;
  struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(write ? "SET a 1" : "GET a"),
    PEER_SEND(part), {.verb = reset ? PEER_STEP_RST : PEER_STEP_CLOSE}, PEER_HANG};
  begin(STEPS(script));
  struct rig_reply r = rig_run(&rig, write ? "SET a 1" : "GET a");
  ck_reply(r, write ? LARDER_UNKNOWN : LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  ck_assert_msg(strncmp(r.text, write ? "UNKNOWN " : "UNAVAILABLE ", 8) == 0, "%s", r.text);
  ck_assert_int_lt(r.took_ms, 200);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DOWN);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(each_command_of_a_batch_has_its_outcome)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_EXPECT("GET a"),
    PEER_EXPECT("INCR a"), PEER_EXPECT("GET b"), PEER_SEND("+OK\r\n$1\r\n1\r\n:"), PEER_CLOSE,
    PEER_HANG};
  struct rig_reply r[4];
  begin(STEPS(script));
  rig_run_many(&rig, NULL, 0, 250, "SET a 1|GET a|INCR a|GET b", r);
  ck_reply(r[0], LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(r[1], LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(r[2], LARDER_UNKNOWN, LARDER_CAUSE_CUT);
  ck_reply(r[3], LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(garbage_poisons_the_connection)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_SEND("what?\r\n"), PEER_GONE,
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("CLIENT KILL ID 1 ADDR peer:0"), PEER_SEND(":0\r\n"),
    PEER_EXPECT("GET a"), PEER_SEND("$1\r\n1\r\n")};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_PROTOCOL);
  ck_reply(rig_run(&rig, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

START_TEST(an_extra_reply_reaches_nobody)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SEND("$1\r\na\r\n"), PEER_SYNC,
    PEER_SEND("$5\r\nextra\r\n"), PEER_SYNC, PEER_GONE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("GET b"), PEER_SEND("$1\r\nb\r\n")};
  begin(STEPS(script));
  ck_assert_str_eq(rig_run(&rig, "GET a").text, "a");
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(5);
  struct rig_reply r = rig_run(&rig, "GET b");
  ck_reply(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_str_eq(r.text, "b");
  end();
}
END_TEST

/* --- deadlines ------------------------------------------------------------------------- */

START_TEST(a_late_reply_is_dropped)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SYNC, PEER_SEND("$3\r\nold\r\n"),
    PEER_EXPECT("GET b"), PEER_SEND("$3\r\nnew\r\n")};
  begin(STEPS(script));
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 150, "GET a");
  ck_reply(r, LARDER_NO_ANSWER, LARDER_CAUSE_SILENT);
  ck_assert_int_ge(r.took_ms, 149);
  ck_assert_int_lt(r.took_ms, 200);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DOWN);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  r = rig_run(&rig, "GET b");
  ck_reply(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_str_eq(r.text, "new");
  larder_backend_status s = rig_status(&rig);
  ck_assert_uint_eq(s.deadline_misses, 1);
  ck_assert_uint_eq(s.connects, 1);
  ck_assert_int_eq(s.link, LARDER_LINK_UP);
  end();
}
END_TEST

START_TEST(a_write_without_reply_is_unknown)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("INCR a"), PEER_HANG};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "INCR a"), LARDER_UNKNOWN, LARDER_CAUSE_SILENT);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(a_drip_does_not_move_the_deadline)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_DRIP("$5\r\nvalue\r\n", 20),
    PEER_EXPECT("GET b"), PEER_SEND("$1\r\nb\r\n")};
  begin(STEPS(script));
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 100, "GET a");
  ck_reply(r, LARDER_NO_ANSWER, LARDER_CAUSE_SLOW);
  ck_assert_int_lt(r.took_ms, 150);
  r = rig_run_with(&rig, NULL, 0, 1000, "GET b");
  ck_assert_str_eq(r.text, "b");
  end();
}
END_TEST

START_TEST(a_drip_in_time_is_a_reply)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_DRIP("$5\r\nvalue\r\n", 5)};
  begin(STEPS(script));
  ck_assert_str_eq(rig_run_with(&rig, NULL, 0, 1000, "GET a").text, "value");
  end();
}
END_TEST

static void on_alarm(int signal_number)
{
  (void)signal_number;
}

START_TEST(signals_do_not_move_the_deadline)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_HANG};
  begin(STEPS(script));
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval timer = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 200, "GET a");
  setitimer(ITIMER_REAL, &off, NULL);
  ck_reply(r, LARDER_NO_ANSWER, LARDER_CAUSE_SILENT);
  ck_assert_int_ge(r.took_ms, 199);
  ck_assert_int_lt(r.took_ms, 250);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

/* A server that makes no progress: its connection is given up, and the next one fences it. */
START_TEST(a_stuck_connection_is_fenced)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_SYNC, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("CLIENT KILL ID 1 ADDR peer:0"), PEER_SEND(":1\r\n"),
    PEER_EXPECT("SET a 2"), PEER_SEND("+OK\r\n"), PEER_USE(0), PEER_GONE};
  begin_with(NULL, STEPS(script), short_connect);
  ck_reply(rig_run_with(&rig, NULL, 0, 100, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_SLOW);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(150);
  ck_reply(rig_run(&rig, "SET a 2"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_uint_eq(rig_status(&rig).connects, 2);
  end();
}
END_TEST

START_TEST(a_cut_write_is_fenced_once)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("CLIENT KILL ID 1 ADDR peer:0"), PEER_SEND("-ERR syntax error\r\n"),
    PEER_EXPECT("CLIENT KILL ID 1"), PEER_SEND(":0\r\n"),
    PEER_EXPECT("GET a"), PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("GET b"), PEER_SEND("$-1\r\n")};
  begin(STEPS(script));
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_CUT);
  ck_reply(rig_run(&rig, "GET a"), LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  ck_reply(rig_run(&rig, "GET b"), LARDER_OK, LARDER_CAUSE_NONE); /* a read needs no fence */
  ck_assert_int_eq(rig_status(&rig).fence, 1);
  end();
}
END_TEST

START_TEST(a_fence_that_is_not_allowed_is_told)
{
  static const char *const reply[][2] = {{"CLIENT KILL", "-NOPERM no\r\n"}, {NULL, NULL}};
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("SET a 1"), PEER_CLOSE, PEER_ACCEPT, PEER_GREET,
    PEER_EXPECT("GET a"), PEER_SEND("$-1\r\n")};
  struct peer_options options = {.reply = reply};
  begin_with(&options, STEPS(script), NULL);
  ck_reply(rig_run(&rig, "SET a 1"), LARDER_UNKNOWN, LARDER_CAUSE_CUT);
  ck_reply(rig_run(&rig, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(rig_status(&rig).fence, 0);
  end();
}
END_TEST

START_TEST(a_peer_that_does_not_read_costs_the_deadline_only)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, PEER_HANG};
  begin(STEPS(script));
  size_t size = 32 << 20; /* more than any socket's buffer */
  char *big = malloc(size);
  ck_assert_ptr_nonnull(big);
  memset(big, 'x', size);
  larder_verdict v;
  int64_t begun = rig_now_ms();
  lrd_remote_table.set(rig.backend, 0, (larder_bytes){"k", 1}, (larder_bytes){big, size}, 0,
                       lrd_monotonic(&lrd_clock_system) + 300 * LRD_NS_PER_MS, &v);
  ck_assert_int_eq(v.outcome, LARDER_UNKNOWN);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
  ck_assert_int_lt(rig_now_ms() - begun, 400); /* copying it counts too */
#else
  (void)begun;
#endif
  free(big);
  rig_close(&rig);
  peer_stop(peer, NULL, 0);
}
END_TEST

/* --- several threads ------------------------------------------------------------------- */

struct worker {
  pthread_t thread;
  int number, calls, wrong, failed;
  unsigned flags;
  const char *words;
  struct rig_reply reply;
};

static void *get_tagged(void *argument)
{
  struct worker *w = argument;
  char words[80], want[64];
  for (int i = 0; i < w->calls; i++) {
    snprintf(want, sizeof want, "tag-%d-%d", w->number, i);
    snprintf(words, sizeof words, "GET %s", want);
    struct rig_reply r = rig_run_with(&rig, NULL, 0, i % 50 ? 5000 : 1, words);
    if (r.verdict.outcome != LARDER_OK)
      w->failed++;
    else if (strcmp(r.text, want) != 0)
      w->wrong++;
  }
  return NULL;
}

static void three_connections(struct lrd_config *c)
{
  c->connections = 3;
}

/* Few connections, replies in pieces, now and then a call that gives up: each value
 * names its caller. */
START_TEST(every_reply_reaches_its_own_caller)
{
  static const struct peer_step script[] = {PEER_SERVE(5)};
  struct worker w[16];
  memset(w, 0, sizeof w);
  begin_with(NULL, STEPS(script), three_connections);
  for (int i = 0; i < 16; i++) {
    w[i].number = i;
    w[i].calls = 200;
    ck_assert_int_eq(pthread_create(&w[i].thread, NULL, get_tagged, &w[i]), 0);
  }
  int wrong = 0, failed = 0;
  for (int i = 0; i < 16; i++) {
    pthread_join(w[i].thread, NULL);
    wrong += w[i].wrong;
    failed += w[i].failed;
  }
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_le(failed, 16 * 4); /* those with 1 ms */
  ck_assert_uint_le(rig_status(&rig).connections, 3);
  end();
}
END_TEST

static void *run_one(void *argument)
{
  struct worker *w = argument;
  w->reply = rig_run_with(&rig, NULL, w->flags, 5000, w->words);
  return NULL;
}

START_TEST(cancel_ends_calls_in_flight)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_EXPECT(NULL), PEER_SYNC, PEER_GONE,
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_SEND(":1\r\n"), PEER_EXPECT("GET a"),
    PEER_SEND("$-1\r\n")};
  struct worker write = {.words = "SET a 1"}, read = {.words = "GET a"};
  begin(STEPS(script));
  pthread_create(&write.thread, NULL, run_one, &write);
  pthread_create(&read.thread, NULL, run_one, &read);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  lrd_remote_table.cancel(rig.backend, NULL);
  pthread_join(write.thread, NULL);
  pthread_join(read.thread, NULL);
  ck_reply(write.reply, LARDER_UNKNOWN, LARDER_CAUSE_CALLER);
  ck_reply(read.reply, LARDER_NO_ANSWER, LARDER_CAUSE_CALLER);
  ck_assert_int_lt(write.reply.took_ms, 1000);
  ck_reply(rig_run_with(&rig, NULL, 0, 1000, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  end();
}
END_TEST

START_TEST(close_ends_calls_in_flight)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_EXPECT(NULL), PEER_SYNC, PEER_GONE};
  struct worker write = {.words = "SET a 1"}, read = {.words = "GET a"};
  begin(STEPS(script));
  pthread_create(&write.thread, NULL, run_one, &write);
  pthread_create(&read.thread, NULL, run_one, &read);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  end();
  pthread_join(write.thread, NULL);
  pthread_join(read.thread, NULL);
  ck_reply(write.reply, LARDER_UNKNOWN, LARDER_CAUSE_CALLER);
  ck_reply(read.reply, LARDER_NO_ANSWER, LARDER_CAUSE_CALLER);
}
END_TEST

START_TEST(close_ends_calls_that_wait_for_a_connection)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_SYNC, PEER_GONE};
  struct worker write = {.words = "SET a 1"};
  begin(STEPS(script));
  pthread_create(&write.thread, NULL, run_one, &write);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  rig_sleep(20);
  end();
  pthread_join(write.thread, NULL);
  ck_reply(write.reply, LARDER_CLOSED, LARDER_CAUSE_CALLER);
}
END_TEST

/* The driver's call ends first: another caller drives on. */
START_TEST(driving_is_passed_on)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SYNC, PEER_EXPECT("GET b"),
    PEER_SEND("$1\r\na\r\n"), PEER_SYNC, PEER_SEND("$1\r\nb\r\n")};
  struct worker a = {.words = "GET a"}, b = {.words = "GET b"};
  begin(STEPS(script));
  pthread_create(&a.thread, NULL, run_one, &a);
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  pthread_create(&b.thread, NULL, run_one, &b);
  pthread_join(a.thread, NULL);
  ck_assert_str_eq(a.reply.text, "a");
  ck_assert_int_eq(peer_meet(peer, 2000), 0);
  pthread_join(b.thread, NULL);
  ck_assert_str_eq(b.reply.text, "b");
  ck_assert_int_lt(b.reply.took_ms, 1000);
  end();
}
END_TEST

/* --- holds ----------------------------------------------------------------------------- */

START_TEST(a_hold_has_its_own_connection)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SEND("$-1\r\n"),
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("WATCH a"), PEER_SEND("+OK\r\n"),
    PEER_EXPECT("MULTI"), PEER_EXPECT("SET a 1"), PEER_EXPECT("EXEC"),
    PEER_SEND("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n"),
    PEER_EXPECT("WATCH b"), PEER_SEND("+OK\r\n"), PEER_CLOSE, PEER_SYNC};
  begin(STEPS(script));
  larder_hold *hold = lrd_remote_table.hold_open(rig.backend);
  ck_reply(rig_run(&rig, "GET a"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(rig_run_with(&rig, hold, 0, 250, "UNWATCH"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_reply(rig_run_with(&rig, hold, 0, 250, "WATCH a"), LARDER_OK, LARDER_CAUSE_NONE);
  struct rig_reply r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 250, "SET a 1");
  ck_reply(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_str_eq(r.text, "OK");
  ck_reply(rig_run_with(&rig, hold, 0, 250, "WATCH b"), LARDER_OK, LARDER_CAUSE_NONE);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  rig_sleep(5);
  r = rig_run_with(&rig, hold, LARDER_CALL_ATOMIC, 250, "SET b 1");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_CUT);
  lrd_remote_table.hold_close(rig.backend, hold);
  end();
}
END_TEST

START_TEST(watch_without_a_hold_is_refused)
{
  static const struct peer_step script[] = {PEER_SERVE(0)};
  begin(STEPS(script));
  ck_assert_int_eq(rig_run(&rig, "WATCH a").verdict.outcome, LARDER_BAD_ARGUMENT);
  end();
}
END_TEST

/* --- fork ------------------------------------------------------------------------------ */

START_TEST(a_forked_child_leaves_the_parent_alone)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT("GET a"), PEER_SEND("$1\r\na\r\n"), PEER_SYNC,
    PEER_EXPECT("GET b"), PEER_SEND("$1\r\nb\r\n")};
  begin(STEPS(script));
  ck_assert_str_eq(rig_run(&rig, "GET a").text, "a");
  pid_t child = fork();
  if (child == 0) {
    lrd_remote_table.close(rig.backend, 0, 1);
    _exit(0);
  }
  int status = 1;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  ck_assert_int_eq(peer_meet(peer, 1000), 0);
  ck_assert_str_eq(rig_run(&rig, "GET b").text, "b");
  ck_assert_uint_eq(rig_status(&rig).connects, 1);
  end();
}
END_TEST

/* --- memory ---------------------------------------------------------------------------- */

/* The n-th allocation fails: the call ends with some outcome, the next one works, and
 * nothing is lost. */
START_TEST(failed_allocations_are_survived)
{
  static const struct peer_step script[] = {PEER_SERVE(0)};
  for (long n = 1; n < 40; n++) {
    begin(STEPS(script));
    rig_fail_allocation(n);
    struct rig_reply r = rig_run(&rig, "GET a");
    rig_fail_allocation(0);
    ck_assert_int_lt(r.took_ms, 400);
    rig_sleep(60);
    r = rig_run_with(&rig, NULL, 0, 1000, "GET a");
    ck_assert_msg(r.verdict.outcome == LARDER_OK, "allocation %ld: %d %s", n,
                  r.verdict.outcome, r.text);
    ck_assert_str_eq(r.text, "a");
    end();
  }
}
END_TEST

static Suite *make_suite(void)
{
  Suite *suite = suite_create("link");
  TCase *t = tcase_create("handshake");
  tcase_set_timeout(t, 30);
  tcase_add_loop_test(t, a_call_gets_its_reply, 0, 2);
  tcase_add_test(t, credentials_and_database_come_first);
  tcase_add_loop_test(t, a_refused_handshake_is_told_as_what_it_is, 0,
                      sizeof refusals / sizeof *refusals);
  tcase_add_test(t, what_a_server_may_refuse_is_done_without);
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
  t = tcase_create("ends");
  tcase_set_timeout(t, 30);
  tcase_add_test(t, an_end_while_idle_costs_no_call);
  tcase_add_loop_test(t, an_end_under_a_call_is_unknown_or_no_answer, 0, 16);
  tcase_add_test(t, each_command_of_a_batch_has_its_outcome);
  tcase_add_test(t, garbage_poisons_the_connection);
  tcase_add_test(t, an_extra_reply_reaches_nobody);
  suite_add_tcase(suite, t);
  t = tcase_create("deadlines");
  tcase_set_timeout(t, 30);
  tcase_add_test(t, a_late_reply_is_dropped);
  tcase_add_test(t, a_write_without_reply_is_unknown);
  tcase_add_test(t, a_drip_does_not_move_the_deadline);
  tcase_add_test(t, a_drip_in_time_is_a_reply);
  tcase_add_test(t, signals_do_not_move_the_deadline);
  tcase_add_test(t, a_peer_that_does_not_read_costs_the_deadline_only);
  tcase_add_test(t, a_stuck_connection_is_fenced);
  tcase_add_test(t, a_cut_write_is_fenced_once);
  tcase_add_test(t, a_fence_that_is_not_allowed_is_told);
  suite_add_tcase(suite, t);
  t = tcase_create("threads");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, every_reply_reaches_its_own_caller);
  tcase_add_test(t, cancel_ends_calls_in_flight);
  tcase_add_test(t, close_ends_calls_in_flight);
  tcase_add_test(t, close_ends_calls_that_wait_for_a_connection);
  tcase_add_test(t, driving_is_passed_on);
  tcase_add_test(t, a_hold_has_its_own_connection);
  tcase_add_test(t, watch_without_a_hold_is_refused);
  tcase_add_test(t, a_forked_child_leaves_the_parent_alone);
  tcase_add_test(t, failed_allocations_are_survived);
  suite_add_tcase(suite, t);
  return suite;
}

int main(void)
{
  SRunner *runner = srunner_create(make_suite());
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
