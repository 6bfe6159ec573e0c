/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "remote/against.h"
#include "remote/tls.h"
#include "support/ca.h"
#include "support/sanitizer.h"
#include "support/server.h"
#include "support/tls_proxy.h"

/* The remote backend over TLS: a real redis-server with certificates of this run, and a proxy
 * for what that one won't do. */

/* What may pass between a deadline and its caller's next line. */
enum { LATE_MS = TEST_TIMES(50, 1000) };

static struct ca *ca, *other;
static struct server *server;
static struct tls_proxy *proxy;
static int tls_port;

/* --- beginning and ending -------------------------------------------------------------- */

static void start_server(const char *certificate, const char *more)
{
  char lines[2048];
  tls_port = server_free_port();
  snprintf(lines, sizeof lines,
           "tls-port %d\ntls-cert-file %s.crt\ntls-key-file %s.key\ntls-ca-cert-file %s\n%s\n",
           tls_port, ca_path(ca, certificate), ca_path(ca, certificate), ca_path(ca, "ca.crt"),
           more ? more : "tls-auth-clients no");
  server = server_start(&(struct server_options){.config = lines});
}

static struct lrd_config configured(const char *host, int port)
{
  struct lrd_config c;
  rig_config(&c, port, NULL);
  c.scheme = LRD_SCHEME_TLS;
  c.host = (char *)host;
  c.tls_ca = (char *)ca_path(ca, "ca.crt");
  c.timeout = c.connect_timeout = TEST_TIMES(5000, 30000) * LRD_NS_PER_MS;
  return c;
}

static void open_on(const char *host, int port)
{
  struct lrd_config c = configured(host, port);
  if (proxy) /* it serves one connection at a time */
    c.connections = 1;
  rig_open(&rig, &c);
}

static void start_proxy(struct tls_proxy_options options)
{
  server = server_start(NULL);
  options.port = server_port(server);
  options.certificate = ca_path(ca, "good.crt");
  options.key = ca_path(ca, "good.key");
  proxy = tls_proxy_start(&options);
}

static void finish(void)
{
  rig_close(&rig);
  if (proxy)
    tls_proxy_stop(proxy);
  server_stop(server);
}

static void ck_text(const char *words, const char *want)
{
  struct rig_reply r = rig_run(&rig, words);
  ck_assert_msg(r.verdict.outcome == LARDER_OK && strcmp(r.text, want) == 0, "%s: %d %d %s", words,
                (int)r.verdict.outcome, (int)r.verdict.cause, r.text);
}

static void ck_says(const char *text, const char *part)
{
  ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in: %s", part, text);
}

/* --- it works -------------------------------------------------------------------------- */

static char *filled(size_t len)
{
  char *text = malloc(len + 1);
  ck_assert_ptr_nonnull(text);
  for (size_t i = 0; i < len; i++)
    text[i] = (char)('a' + (int)(i * 7 % 26 + i / 4096) % 26);
  text[len] = '\0';
  return text;
}

/* There and back. */
static void ck_value(size_t len)
{
  char *value = filled(len), *back = calloc(1, len + 1);
  size_t length;
  larder_verdict v;
  int64_t deadline = lrd_monotonic(&rig.config.clock) + 20000 * LRD_NS_PER_MS;
  lrd_remote_table.set(rig.backend, 0, (larder_bytes){"big", 3}, (larder_bytes){value, len}, 0,
                       deadline, &v);
  ck_assert_msg(v.outcome == LARDER_OK, "set %zu: %d %d %s", len, (int)v.outcome, (int)v.cause,
                rig_status(&rig).last_error);
  lrd_remote_table.get(rig.backend, 0, (larder_bytes){"big", 3}, deadline, back, len, &length, &v);
  ck_assert_msg(v.outcome == LARDER_OK, "get %zu: %d %d %s", len, (int)v.outcome, (int)v.cause,
                rig_status(&rig).last_error);
  ck_assert_uint_eq(length, len);
  ck_assert(memcmp(value, back, len) == 0);
  free(value);
  free(back);
}

static const char *const hosts[] = {"localhost", "127.0.0.1"};

START_TEST(commands_reach_the_server)
{
  struct rig_reply r[3];
  start_server("good", NULL);
  open_on(hosts[_i], tls_port);
  ck_text("SET a 1", "OK");
  ck_text("INCR a", "2");
  ck_reply(rig_run(&rig, "LPUSH a 1"), LARDER_REFUSED, LARDER_CAUSE_CALLER);
  rig_run_many(&rig, NULL, LARDER_CALL_ATOMIC, 2000, "INCR a|INCR a", r);
  ck_assert_str_eq(r[0].text, "3 4");
  rig_run_many(&rig, NULL, 0, 2000, "INCR a|GET a|PING", r);
  ck_assert_str_eq(r[1].text, "5");
  for (size_t len = 1; len < 5000000; len = len * 5 + 1)
    ck_value(len);
  ck_value(16384);
  ck_value(3 * 16384);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_UP);
  ck_assert_uint_eq(rig_status(&rig).connect_faults, 0);
  finish();
}
END_TEST

enum { CALLS = 2000 };

START_TEST(asynchronous_calls)
{
  static struct rig_submission s[CALLS];
  struct rig_reply r;
  start_server("good", NULL);
  open_on("localhost", tls_port);
  for (int i = 0; i < CALLS; i++)
    rig_submit(&rig, &s[i], 0, 10000, i % 2 ? "INCR n" : "LRANGE l 0 -1");
  for (int i = 0; i < CALLS; i++) {
    ck_assert_int_eq(rig_wait(&s[i], 10000), 0);
    ck_assert_int_eq(s[i].count.last.outcome, LARDER_OK);
    ck_assert_int_eq(s[i].done, 1);
  }
  r = rig_run(&rig, "GET n");
  ck_assert_int_eq(atoi(r.text), CALLS / 2);
  finish();
}
END_TEST

static void *run_calls(void *argument)
{
  struct worker *w = argument;
  char key[16], back[20000];
  char *value = filled(sizeof back);
  snprintf(key, sizeof key, "k%d", w->number);
  for (int i = 0; i < w->calls; i++) {
    larder_verdict v;
    size_t length = 0, len = (size_t)(1 + i * 97 % (int)sizeof back);
    int64_t deadline = lrd_monotonic(&rig.config.clock) + 20000 * LRD_NS_PER_MS;
    larder_bytes name = {key, strlen(key)};
    value[0] = (char)('a' + w->number);
    lrd_remote_table.set(rig.backend, 0, name, (larder_bytes){value, len}, 0, deadline, &v);
    w->failed += v.outcome != LARDER_OK;
    lrd_remote_table.get(rig.backend, 0, name, deadline, back, sizeof back, &length, &v);
    w->failed += v.outcome != LARDER_OK;
    w->wrong += length != len || memcmp(back, value, len) != 0;
  }
  free(value);
  return NULL;
}

/* One writes while another reads, on one connection. */
START_TEST(threads_share_a_connection)
{
  struct worker w[8];
  start_server("good", NULL);
  struct lrd_config c = configured("localhost", tls_port);
  c.connections = 1;
  rig_open(&rig, &c);
  for (int i = 0; i < 8; i++) {
    w[i] = (struct worker){.number = i, .calls = 200};
    pthread_create(&w[i].thread, NULL, run_calls, &w[i]);
  }
  for (int i = 0; i < 8; i++) {
    pthread_join(w[i].thread, NULL);
    ck_assert_int_eq(w[i].failed + w[i].wrong, 0);
  }
  ck_assert_uint_eq(rig_status(&rig).connects, 1);
  finish();
}
END_TEST

START_TEST(cycles_leave_nothing)
{
  start_server("good", NULL);
  open_on("127.0.0.1", tls_port);
  ck_text("PING", "PONG");
  rig_close(&rig);
  int before = dup(0);
  close(before);
  for (int i = 0; i < 30; i++) {
    open_on("127.0.0.1", tls_port);
    ck_text("PING", "PONG");
    rig_close(&rig);
  }
  int after = dup(0);
  ck_assert_int_eq(after, before);
  close(after);
  server_stop(server);
}
END_TEST

/* --- it is refused --------------------------------------------------------------------- */

static const struct refusal {
  const char *certificate, *host, *name, *says[3];
} refusals[] = {
  {"expired", "localhost", NULL, {"expired on 20", "UTC", "'expired server'"}},
  {"early", "localhost", NULL, {"is not valid before 20", "UTC", "'early server'"}},
  {"wrong", "localhost", NULL, {"not for 'localhost'", "other.example", "10.0.0.1"}},
  {"wrong", "127.0.0.1", NULL, {"not for '127.0.0.1'", "other.example", "10.0.0.1"}},
  {"name", "127.0.0.1", NULL, {"not for '127.0.0.1'", "localhost", ""}},
  {"good", "localhost", "cache.example", {"not for 'cache.example'", "localhost", ""}},
  {"bare", "localhost", NULL, {"not for 'localhost'", "none (no subjectAltName)", ""}},
  {"self", "localhost", NULL, {"self-signed", "'self server'", "tls_ca"}},
};

static void ck_refused(const char *const says[3])
{
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_TLS);
  larder_backend_status s = rig_status(&rig);
  for (int i = 0; i < 3; i++) {
    ck_says(r.text, says[i]);
    ck_says(s.last_error, says[i]);
  }
  ck_assert_int_eq(s.link, LARDER_LINK_DOWN);
  ck_assert_uint_eq(s.commands_sent, 0);
  ck_assert_uint_eq(s.connects, 0);
}

START_TEST(certificates_refused)
{
  const struct refusal *f = &refusals[_i];
  start_server(f->certificate, NULL);
  struct lrd_config c = configured(f->host, tls_port);
  c.tls_name = (char *)f->name;
  c.max_retries = 1;
  rig_open(&rig, &c);
  ck_refused(f->says);
  finish();
}
END_TEST

START_TEST(unknown_ca_refused)
{
  static const char *const says[3] = {"issued by 'larder test CA'", "not trusted", "tls_ca"};
  start_server("good", NULL);
  struct lrd_config c = configured("localhost", tls_port);
  c.tls_ca = _i ? NULL : (char *)ca_path(other, "ca.crt"); /* NULL: the system's */
  c.max_retries = 0;
  rig_open(&rig, &c);
  ck_refused(says);
  finish();
}
END_TEST

START_TEST(insecure_only_when_told)
{
  start_server("expired", NULL);
  struct lrd_config c = configured("localhost", tls_port);
  c.tls_insecure = 1;
  rig_open(&rig, &c);
  ck_text("SET a 1", "OK");
  finish();
}
END_TEST

START_TEST(another_name_may_be_verified)
{
  start_server("wrong", NULL);
  struct lrd_config c = configured("127.0.0.1", tls_port);
  c.tls_name = (char *)(_i ? "other.example." : "other.example");
  rig_open(&rig, &c);
  ck_text("SET a 1", "OK");
  finish();
}
END_TEST

/* A plain server answers garbage with an error line, or waits for the end of the line. */
START_TEST(plain_port_refused)
{
  /* Whoever connects: a call that comes behind the first failure waits for the next attempt. */
  static const struct peer_step script[] = {PEER_SERVE(0)};
  peer = peer_start(&(struct peer_options){.retort = "-ERR unknown command\r\n"}, STEPS(script));
  struct lrd_config c = configured("127.0.0.1", peer_port(peer));
  c.max_retries = 0;
  rig_open(&rig, &c);
  rig_sleep(_i * 300);
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_TLS);
  ck_says(r.text, "does not speak it at this port, it answered '-ERR unknown command'");
  ck_assert_int_eq(peer_saw(peer, "secret"), 0);
  end();
}
END_TEST

/* redis-server takes a ClientHello for an inline command and looks for its LF no further than the
 * first NUL: it waits for more, and connect_timeout ends that. */
START_TEST(plain_server_refused)
{
  server = server_start(NULL);
  struct lrd_config c = configured("127.0.0.1", server_port(server));
  c.connect_timeout = 300 * LRD_NS_PER_MS;
  c.max_retries = 0;
  rig_open(&rig, &c);
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_SILENT);
  ck_says(r.text, "the server said nothing, perhaps it speaks no TLS at this port");
  finish();
}
END_TEST

/* Its alert is lost where it resets the connection with our commands unread. */
START_TEST(plain_client_on_a_tls_port)
{
  start_server("good", NULL);
  struct lrd_config c = configured("127.0.0.1", tls_port);
  c.scheme = LRD_SCHEME_TCP;
  c.tls_ca = NULL;
  c.max_retries = 0;
  rig_open(&rig, &c);
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  ck_assert(r.verdict.cause == LARDER_CAUSE_TLS || r.verdict.cause == LARDER_CAUSE_CUT);
  finish();
}
END_TEST

START_TEST(an_alert_for_a_plain_client)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_READ(1),
                                            PEER_SEND("\x15\x03\x01\x02"), PEER_GONE};
  peer = peer_start(NULL, STEPS(script));
  struct lrd_config c;
  rig_config(&c, peer_port(peer), NULL);
  c.max_retries = 0;
  rig_open(&rig, &c);
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_TLS);
  ck_says(r.text, "use rediss://");
  end();
}
END_TEST

START_TEST(old_versions_refused)
{
  start_proxy((struct tls_proxy_options){.version = TLS1_1_VERSION});
  struct lrd_config c = configured("localhost", tls_proxy_port(proxy));
  c.max_retries = 0;
  rig_open(&rig, &c);
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_TLS);
  ck_says(r.text, "1.2 or newer");
  ck_assert_int_eq(tls_proxy_connections(proxy), 0);
  finish();
}
END_TEST

/* --- our certificate ------------------------------------------------------------------- */

static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

static void demand(const char *version)
{
  char more[100];
  snprintf(more, sizeof more, "tls-auth-clients yes\ntls-protocols \"%s\"", version);
  start_server("good", more);
}

START_TEST(a_client_certificate_is_shown)
{
  demand(versions[_i]);
  struct lrd_config c = configured("localhost", tls_port);
  c.tls_cert = (char *)ca_path(ca, "client.crt");
  c.tls_key = (char *)ca_path(ca, "client.key");
  rig_open(&rig, &c);
  ck_text("SET a 1", "OK");
  finish();
}
END_TEST

/* In TLS 1.3 the server says so behind the handshake, and its alert may be lost where it resets
 * the connection with our commands unread. */
static void ck_denied(struct rig_reply r, int version)
{
  if (version == 1 && r.verdict.cause == LARDER_CAUSE_CUT) {
    ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
    return;
  }
  ck_reply(r, LARDER_REFUSED, LARDER_CAUSE_AUTH);
  ck_assert_int_eq(rig_status(&rig).link, LARDER_LINK_DENIED);
}

START_TEST(a_client_certificate_is_missed)
{
  demand(versions[_i]);
  open_on("localhost", tls_port);
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_denied(r, _i);
  ck_says(r.text, "client certificate (options tls_cert, tls_key)");
  finish();
}
END_TEST

START_TEST(a_client_certificate_is_refused)
{
  demand(versions[_i]);
  struct lrd_config c = configured("localhost", tls_port);
  c.tls_cert = (char *)ca_path(other, "client.crt");
  c.tls_key = (char *)ca_path(other, "client.key");
  rig_open(&rig, &c);
  struct rig_reply r = rig_run(&rig, "SET key secret");
  ck_denied(r, _i);
  if (r.verdict.outcome == LARDER_REFUSED)
    ck_says(r.text, "refuses our certificate (option tls_cert)");
  finish();
}
END_TEST

/* --- connections that end -------------------------------------------------------------- */

START_TEST(a_server_that_dies)
{
  struct rig_submission read, write;
  start_server("good", NULL);
  open_on("localhost", tls_port);
  ck_text("SET a 1", "OK");
  rig_submit(&rig, &read, 0, 5000, "PING");
  ck_assert_int_eq(rig_wait(&read, 5000), 0);
  server_pause(server);
  rig_submit(&rig, &read, 0, 5000, "GET a");
  rig_submit(&rig, &write, 0, 5000, "SET a 2");
  rig_sleep(100);
  server_kill(server);
  ck_assert_int_eq(rig_wait(&read, 1000) + rig_wait(&write, 1000), 0);
  ck_assert_int_eq(read.count.last.outcome, LARDER_NO_ANSWER);
  ck_assert_int_eq(write.count.last.outcome, LARDER_UNKNOWN);
  ck_assert_int_eq(write.count.last.cause, LARDER_CAUSE_CUT);
  server_restart(server);
  ck_text("SET a 3", "OK");
  finish();
}
END_TEST

/* In the midst of a bulk, with and without a goodbye: lost, never a shorter value. */
START_TEST(a_reply_that_is_cut)
{
  int polite = _i % 2, after = (int[]){1, 5, 9, 500, 1004}[_i / 2];
  start_proxy((struct tls_proxy_options){.cut_after = after, .polite = polite});
  struct lrd_config c = configured("localhost", tls_proxy_port(proxy));
  c.connections = 1;
  rig_open(&rig, &c);
  ck_value(1000);
  tls_proxy_arm(proxy);
  struct rig_reply r = rig_run(&rig, "GET big");
  ck_reply(r, LARDER_NO_ANSWER, LARDER_CAUSE_CUT);
  ck_says(r.text, polite ? "the server closed the connection" : "cut without close_notify");
  finish();
}
END_TEST

START_TEST(a_handshake_that_stalls)
{
  start_proxy((struct tls_proxy_options){.stall = 1});
  struct lrd_config c = configured("localhost", tls_proxy_port(proxy));
  c.connect_timeout = 300 * LRD_NS_PER_MS;
  c.max_retries = 0;
  rig_open(&rig, &c);
  struct rig_reply r = rig_run_with(&rig, NULL, 0, 100, "GET a"); /* its own deadline comes first */
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  ck_assert_int_lt(r.took_ms, 100 + LATE_MS);
  r = rig_run_with(&rig, NULL, 0, 2000, "GET a");
  ck_reply(r, LARDER_NOT_SENT, LARDER_CAUSE_SILENT);
  ck_says(r.text, "the TLS handshake was not finished within 300 ms: the server said nothing");
  ck_assert_int_lt(r.took_ms, 550 + LATE_MS);
  finish();
}
END_TEST

/* --- what TLS does between ------------------------------------------------------------- */

START_TEST(new_keys_in_midstream)
{
  start_proxy((struct tls_proxy_options){.key_updates = 1, .piece = _i ? 1 : 1000});
  open_on("localhost", tls_proxy_port(proxy));
  for (int i = 0; i < 20; i++)
    ck_value(_i ? 200 : 100000);
  ck_assert_uint_eq(rig_status(&rig).connects, 1);
  finish();
}
END_TEST

START_TEST(the_name_is_sent_only_if_it_is_one)
{
  start_proxy((struct tls_proxy_options){0});
  open_on(_i ? "127.0.0.1" : "localhost", tls_proxy_port(proxy));
  ck_text("PING", "PONG");
  ck_assert_str_eq(tls_proxy_name(proxy), _i ? "" : "localhost");
  finish();
}
END_TEST

/* A server that reads nothing: what TLS holds is bounded, the deadline is kept.  What has begun
 * to leave us goes on later, for the sake of those behind it. */
START_TEST(a_server_that_reads_nothing)
{
  size_t len = 8 << 20;
  char *value = filled(len);
  larder_verdict v;
  start_server("good", NULL);
  struct lrd_config c = configured("localhost", tls_port);
  c.connections = 1;
  rig_open(&rig, &c);
  ck_text("PING", "PONG");
  server_pause(server);
  int64_t begun = rig_now_ms();
  lrd_remote_table.set(rig.backend, 0, (larder_bytes){"big", 3}, (larder_bytes){value, len}, 0,
                       lrd_monotonic(&rig.config.clock) + 300 * LRD_NS_PER_MS, &v);
  ck_assert_int_eq(v.outcome, LARDER_UNKNOWN);
  ck_assert_int_lt(rig_now_ms() - begun, 550 + LATE_MS);
  server_resume(server);
  ck_text("STRLEN big", "8388608");
  free(value);
  finish();
}
END_TEST

/* --- files ----------------------------------------------------------------------------- */

static void ck_open_says(struct lrd_config *c, const char *a, const char *b)
{
  char error[400] = "";
  struct lrd_tls_context *context;
  ck_assert_int_eq(lrd_tls_context_new(&context, c, &rig_memory, error, sizeof error),
                   LARDER_BAD_ARGUMENT);
  ck_assert_ptr_null(context);
  ck_says(error, a);
  ck_says(error, b);
}

START_TEST(bad_files_are_named)
{
  struct lrd_config c = configured("localhost", 1);
  c.tls_ca = (char *)"/nowhere/ca.crt";
  ck_open_says(&c, "option tls_ca=/nowhere/ca.crt: No such file", "allowed is");
  c.tls_ca = (char *)ca_path(ca, "ca.key");
  ck_open_says(&c, "option tls_ca=", "allowed is");
  c = configured("localhost", 1);
  c.tls_cert = (char *)"/nowhere/my.crt";
  ck_open_says(&c, "option tls_cert=/nowhere/my.crt: No such file", "allowed is");
  c.tls_cert = (char *)ca_path(ca, "client.crt");
  ck_open_says(&c, "option tls_key=", "client.crt"); /* no key in it */
  c.tls_key = (char *)ca_path(ca, "good.key");
  ck_open_says(&c, "option tls_key=", "");
}
END_TEST

/* To OpenSSL ".example" is every name below it. */
START_TEST(a_name_that_is_many)
{
  struct lrd_config c = configured("localhost", 1);
  c.tls_name = (char *)(_i ? "." : ".example");
  ck_open_says(&c, "option tls_name=.", "allowed is");
}
END_TEST

/* --- all ------------------------------------------------------------------------------- */

static void make_certificates(void)
{
  static const char here[] = "DNS:localhost,IP:127.0.0.1";
  static const struct ca_request requests[] = {
    {.file = "good", .name = "good server", .names = here},
    {.file = "expired", .name = "expired server", .names = here, .from = -20, .to = -2},
    {.file = "early", .name = "early server", .names = here, .from = 2, .to = 20},
    {.file = "wrong", .name = "wrong server", .names = "DNS:other.example,IP:10.0.0.1"},
    {.file = "name", .name = "name server", .names = "DNS:localhost"},
    {.file = "bare", .name = "localhost"},
    {.file = "self", .name = "self server", .names = here, .self_signed = 1},
    {.file = "client", .name = "a client"},
  };
  ca = ca_new("larder test CA");
  other = ca_new("another CA");
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
    ca_issue(ca, &requests[i]);
  ca_issue(other, &requests[7]);
}

static TCase *tests(void)
{
  TCase *c = tcase_create("tls");
  tcase_set_timeout(c, TEST_TIMES(60, 120));
  tcase_add_loop_test(c, commands_reach_the_server, 0, 2);
  tcase_add_test(c, asynchronous_calls);
  tcase_add_test(c, threads_share_a_connection);
  tcase_add_test(c, cycles_leave_nothing);
  tcase_add_loop_test(c, certificates_refused, 0, sizeof refusals / sizeof *refusals);
  tcase_add_loop_test(c, unknown_ca_refused, 0, 2);
  tcase_add_test(c, insecure_only_when_told);
  tcase_add_loop_test(c, another_name_may_be_verified, 0, 2);
  tcase_add_loop_test(c, plain_port_refused, 0, 2);
  tcase_add_test(c, plain_server_refused);
  tcase_add_test(c, plain_client_on_a_tls_port);
  tcase_add_test(c, an_alert_for_a_plain_client);
  tcase_add_test(c, old_versions_refused);
  tcase_add_loop_test(c, a_client_certificate_is_shown, 0, 2);
  tcase_add_loop_test(c, a_client_certificate_is_missed, 0, 2);
  tcase_add_loop_test(c, a_client_certificate_is_refused, 0, 2);
  tcase_add_test(c, a_server_that_dies);
  tcase_add_loop_test(c, a_reply_that_is_cut, 0, 10);
  tcase_add_test(c, a_handshake_that_stalls);
  tcase_add_loop_test(c, new_keys_in_midstream, 0, 2);
  tcase_add_loop_test(c, the_name_is_sent_only_if_it_is_one, 0, 2);
  tcase_add_test(c, a_server_that_reads_nothing);
  tcase_add_test(c, bad_files_are_named);
  tcase_add_loop_test(c, a_name_that_is_many, 0, 2);
  return c;
}

int main(void)
{
  server_require();
  make_certificates();
  Suite *s = suite_create("tls");
  suite_add_tcase(s, tests());
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  ca_free(ca);
  ca_free(other);
  return failed ? 1 : 0;
}
