/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/talk.h"
#include "support/check.h"
#include "support/server.h"

/*
 * The same bytes to a real redis-server and to a listener over an in-process
 * store: the same bytes must come back, and the connection must end alike.
 */

enum { SHORT_MS = 60, LONG_MS = 5000 };

struct sample {
  const char *bytes;
  size_t len;
  size_t repeat; /* that many further bytes '1' ... */
  const char *tail; /* ... and this behind them */
};

#define S(s) { s, sizeof s - 1, 0, "" }

static const struct sample open_samples[] = {
  S("PING\r\n"), S("PING\n"), S("  PING  \r\n"), S("\r\nPING\r\n"), S("\n\nPING\n"),
  S("   \r\nPING\r\n"),
  S("SET \"a b\" 'c'\r\nGET \"a b\"\r\n"), S("ECHO \"\\x41\\n\"\r\n"), S("SET \"a\r\n"),
  S("ECHO \"a\"b\r\n"), S("ECHO 'a'b\r\n"), S("ECHO 'a\\'b'\r\n"), S("ECHO ''\r\n"),
  S("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n"), S("*-1\r\nPING\r\n"), S("*0\r\nPING\r\n"),
  S("*-5\r\nPING\r\n"), S("*abc\r\n"), S("*2147483648\r\n"), S("*2147483647\r\n"),
  S("*01\r\n$4\r\nPING\r\n"), S("*+1\r\n$4\r\nPING\r\n"), S("* 1\r\n"), S("*\r\n"),
  S("*1\r\nPING\r\n"), S("*1\r\n\r\n"), S("*1\r\n$-1\r\n"), S("*1\r\n$abc\r\n"), S("*1\r\n$\r\n"),
  S("*1\r\n$536870913\r\n"), S("*1\r\n$536870912\r\n"), S("*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n"),
  S("*1\n$4\r\nPING\r\n"), S("*1\r$4\r\nPING\r\n"), S("*1\r\n$4\nPING\r\n\r\n"),
  S("*1\r\n$0\r\n\r\n"),
  S("*1\r\n$4\r\nNOPE\r\n"), S("*3\r\n$4\r\nNOPE\r\n$1\r\na\r\n$3\r\nb\nc\r\n"), S("GET\r\n"),
  S("Host: localhost\r\nPING\r\n"), S("POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n"),
  S("PING\r\nPOST / HTTP/1.1\r\nPING\r\n"), S("GET / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n"),
  S("QUIT\r\nPING\r\n"), S("*1\r\n$4\r\nquit\r\n*1\r\n$4\r\nPING\r\n"),
  S("MULTI\r\nQUIT\r\nPING\r\n"),
  S("CLIENT SETNAME x\r\nSELECT 3\r\nSET a 1\r\nMULTI\r\nGET a\r\nRESET\r\nCLIENT GETNAME\r\n"
    "EXEC\r\nGET a\r\nSELECT 3\r\nDEL a\r\n"),
  S("MULTI\r\nRESET x\r\nEXEC\r\n"),
  S("WATCH a\r\nSET a 1\r\nRESET\r\nMULTI\r\nDEL a\r\nEXEC\r\n"),
  S("PING\r\n*x\r\nPING\r\n"), S("PING\r\nSET a b\r\nGET a\r\nDEL a\r\nGET a\r\n"),
  S("MULTI\r\nNOPE\r\nEXEC\r\n"), S("MULTI\r\nSET a 1\r\nINCR a\r\nEXEC\r\nDEL a\r\n"),
  S("AUTH x\r\n"), S("AUTH default x\r\n"), S("AUTH a b c\r\n"), S("HELLO 4\r\n"), S("HELLO x\r\n"),
  S("HELLO 3 FOO\r\n"), S("SELECT 1\r\nSET a 1\r\nSELECT 0\r\nGET a\r\nSELECT 1\r\nDEL a\r\n"),
  { "*", 1, 70000, "" }, { "P", 1, 70000, "" }, { "*1\r\n$", 5, 70000, "" },
  { "ECHO ", 5, 65530, "\r\nPING\r\n" }, { "ECHO ", 5, 10000, "\r\nPING\r\n" },
};

static const struct sample closed_samples[] = {
  S("PING\r\n"), S("GET\r\n"), S("NOPE\r\n"), S("QUIT\r\n"), S("*11\r\n"), S("*10\r\n"),
  S("*1\r\n$16385\r\n"), S("*1\r\n$16384\r\n"), S("AUTH bad\r\nPING\r\n"),
  S("AUTH secret\r\nPING\r\n"),
  S("AUTH default secret\r\nPING\r\n"), S("AUTH other secret\r\nPING\r\n"), S("AUTH secre\r\n"),
  S("AUTH secrets\r\n"), S("AUTH \"\"\r\n"), S("HELLO\r\n"), S("HELLO 3\r\nPING\r\n"),
  S("HELLO 3 AUTH default bad\r\nPING\r\n"), S("MULTI\r\n"), S("COMMAND COUNT\r\n"), S("AUTH\r\n"),
  S("AUTH a b c\r\n"), S("HELLO 9\r\n"), S("AUTH secret\r\nAUTH bad\r\nPING\r\n"),
  S("CLIENT ID\r\n"),
  S("SET a 1\r\nAUTH secret\r\nGET a\r\n"), S("SELECT 1\r\n"), S("HELLO 3 SETNAME x\r\n"),
  S("AUTH secret\r\nRESET\r\nPING\r\n"), S("RESET\r\nAUTH secret\r\nPING\r\n"),
  S("AUTH secret\r\n*12\r\n$5\r\nPING\r\n"),
};

static const char *const the_password = "secret";
static struct server *server;
static struct house house;

static void set_up(const char *password)
{
  struct server_options so = { .password = password };
  larder_listen_options lo = LARDER_LISTEN_OPTIONS_INIT;

  server = server_start(&so);
  lo.password = password;
  house_open(&house, NULL, &lo);
}

static void set_up_open(void)
{
  set_up(NULL);
}

static void set_up_closed(void)
{
  set_up(the_password);
}

static void tear_down(void)
{
  house_close(&house);
  server_stop(server);
}

static struct talk ask(int port, const struct sample *s, int half_close, int wait_ms)
{
  size_t len = s->len + s->repeat + strlen(s->tail);
  char *bytes = malloc(len + 1);
  int fd = talk_connect(port);
  struct talk t;

  ck_assert_int_ge(fd, 0);
  memcpy(bytes, s->bytes, s->len);
  memset(bytes + s->len, '1', s->repeat);
  strcpy(bytes + s->len + s->repeat, s->tail);
  t = talk_exchange(fd, bytes, len, half_close, wait_ms);
  close(fd);
  free(bytes);
  return t;
}

static void compare(const struct sample *s, int half_close, int wait_ms)
{
  struct talk redis = ask(server_port(server), s, half_close, wait_ms);
  struct talk ours = ask(house.port, s, half_close, wait_ms);

  ck_assert_msg(redis.closed == ours.closed && redis.len == ours.len &&
                    memcmp(redis.bytes, ours.bytes, redis.len) == 0,
                "%.60s\nredis (%s): %.200s\nlarder (%s): %.200s", s->bytes,
                redis.closed ? "closed" : "open", redis.bytes, ours.closed ? "closed" : "open",
                ours.bytes);
  talk_free(&redis);
  talk_free(&ours);
}

static void compare_all(const struct sample *samples, size_t n)
{
  size_t i;

  for (i = 0; i < n; i++) {
    compare(&samples[i], 1, LONG_MS);
    compare(&samples[i], 0, SHORT_MS);
  }
}

START_TEST(as_redis)
{
  compare_all(open_samples, sizeof open_samples / sizeof *open_samples);
}
END_TEST

START_TEST(as_redis_with_a_password)
{
  compare_all(closed_samples, sizeof closed_samples / sizeof *closed_samples);
}
END_TEST

/* HELLO's reply has numbers of its own: only its form is the same. */
START_TEST(hello)
{
  static const struct sample three = S("HELLO 3 AUTH default secret SETNAME x\r\nHGETALL none\r\n"
                                       "CLIENT GETNAME\r\nHELLO 2\r\nHGETALL none\r\n");
  static const char end[] = "%0\r\n$1\r\nx\r\n*14\r\n";
  static const char begin[] = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n";
  struct talk t = ask(house.port, &three, 1, LONG_MS);

  ck_assert_msg(strncmp(t.bytes, begin, strlen(begin)) == 0, "%s", t.bytes);
  ck_assert_msg(strstr(t.bytes, end) != NULL, "%s", t.bytes);
  ck_assert_msg(t.len > 4 && strcmp(t.bytes + t.len - 4, "*0\r\n") == 0, "%s", t.bytes);
  talk_free(&t);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("protocol");
  TCase *open = tcase_create("without a password"), *closed = tcase_create("with a password");

  server_require();
  tcase_set_timeout(open, 60);
  tcase_set_timeout(closed, 60);
  tcase_add_checked_fixture(open, set_up_open, tear_down);
  tcase_add_checked_fixture(closed, set_up_closed, tear_down);
  tcase_add_test(open, as_redis);
  tcase_add_test(closed, as_redis_with_a_password);
  tcase_add_test(closed, hello);
  suite_add_tcase(suite, open);
  suite_add_tcase(suite, closed);
  return run_suite(suite);
}
