/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/talk.h"
#include "support/server.h"

/* Clients of a listener that wait for keys: the same bytes come as from a real redis-server, at
 * the same steps. */

enum { CALLERS = 3, TEXT = 4096, QUIET_MS = 60 };

static void nap(int ms)
{
  struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

  nanosleep(&t, NULL);
}

/* What each caller heard in one step; a '.' behind it: then it was disconnected. */
typedef char heard[CALLERS][TEXT];

static void hear(heard out, int *fd)
{
  for (int i = 0; i < CALLERS; i++) {
    size_t len = strlen(out[i]);
    struct talk t;

    if (fd[i] < 0)
      continue;
    t = talk_exchange(fd[i], "", 0, 0, QUIET_MS);
    snprintf(out[i] + len, TEXT - len, "%s%s", t.bytes, t.closed ? "." : "");
    if (t.closed) {
      close(fd[i]);
      fd[i] = -1;
    }
    talk_free(&t);
  }
}

static int same(heard a, heard b)
{
  int i = 0;

  while (i < CALLERS && strcmp(a[i], b[i]) == 0)
    i++;
  return i == CALLERS;
}

/* "0 LINES": caller 0 sends them at once, '|' ends one; "0 !": it ends its side; "0 .": it goes. */
static const char *const scenarios[][16] = {
  { "0 BLPOP k 0|", "1 RPUSH k a b|", "1 LRANGE k 0 -1|", "0 BLPOP k 0|", NULL },
  { "0 PING|BLPOP k 0|PING|GET x|", "1 SET x 1|", "1 RPUSH k a|", NULL },
  { "0 BLPOP k 0|BLPOP l 0|PING|", "1 RPUSH l b|", "1 RPUSH k a|", "0 PING|", NULL },
  { "0 BLPOP k 0|QUIT|PING|", "1 RPUSH k a|", NULL },
  { "0 BLPOP k 0|", "0 PING|", "1 PING|", "0 PING|", "1 RPUSH k a|", NULL },
  { "0 BLPOP k 0|", "1 BLPOP k 0|", "2 RPUSH k a|", "2 RPUSH k b|", NULL },
  { "0 BLPOP k 0|", "1 BLPOP k 0|", "0 .", "2 RPUSH k a|", NULL },
  { "0 BLPOP k 0|PING|", "0 .", "2 RPUSH k a|", "2 LLEN k|", NULL },
  { "0 BLPOP k 0|", "0 !", "2 RPUSH k a|", "2 LLEN k|", NULL },
  { "0 BLPOP k 0|PING|", "0 !", "2 RPUSH k a|", "2 LLEN k|", NULL },
  { "0 MULTI|BLPOP k 0|BLMOVE k l LEFT LEFT 0|EXEC|PING|", "0 BLPOP k 0|", "1 MULTI|RPUSH k a|DEL k|EXEC|",
    "1 MULTI|RPUSH k a b|EXEC|", NULL },
  { "0 MULTI|BLPOP k 0|DISCARD|BLPOP k 0|", "1 RPUSH k a|", NULL },
  { "0 HELLO 3 x|BLPOP k 0.01|BLPOP k 0|", "1 RPUSH k a|", NULL },
  { "0 BLPOP k 0.01|BLMOVE k l LEFT LEFT 0.01|BRPOPLPUSH k l 0.01|BLMPOP 0.01 1 k LEFT|BZPOPMIN k 0.01|"
    "BZMPOP 0.01 1 k MIN|PING|", NULL },
  { "0 BLPOP|BLPOP k x|BLPOP k -1|bXX k|B|PING|", NULL },
  { "0 SUBSCRIBE c|BLPOP k 0|", "1 PUBLISH c m|", NULL },
  { "0 SELECT 1|BLPOP k 0|", "1 RPUSH k a|", "1 SELECT 1|RPUSH k b|", "0 LLEN k|SELECT 0|LLEN k|", NULL },
  { "0 WATCH k|BLPOP k 0|MULTI|PING|EXEC|", "1 RPUSH k a|", NULL },
  { "0 BZPOPMIN z 0|", "1 ZADD z 1.5 a 2 b|", "0 BZPOPMAX z 0|", NULL },
  { "0 BLMOVE a b LEFT RIGHT 0|", "1 BLMOVE b c RIGHT LEFT 0|", "2 RPUSH a x|", "2 LRANGE c 0 -1|", NULL },
  { "0 SET k v|BLPOP k 0|BLPOP n k 0|PING|", NULL },
  { "0 MULTI|BLPOP k 0|EXEC|RESET|BLPOP k 0|", "1 RPUSH k a|", NULL },
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static void act(int *fd, const char *step)
{
  int who = step[0] - '0';
  char raw[512], *p = raw;

  if (step[2] == '!') {
    shutdown(fd[who], SHUT_WR);
  } else if (step[2] == '.') {
    close(fd[who]);
    fd[who] = -1;
  } else {
    for (const char *q = step + 2; *q; q++)
      if (*q == '|')
        p += sprintf(p, "\r\n");
      else
        *p++ = *q;
    ck_assert_int_eq(talk_send(fd[who], raw, (size_t)(p - raw)), 0);
  }
}

START_TEST(as_redis)
{
  const char *const *steps = scenarios[_i];
  struct server *server = server_start(NULL);
  struct house h;
  int theirs[CALLERS], ours[CALLERS];
  static heard expected, got;

  house_open(&h, NULL, NULL);
  for (int i = 0; i < CALLERS; i++) {
    theirs[i] = talk_connect(server_port(server));
    ours[i] = house_connect(&h);
  }
  for (int k = 0; steps[k]; k++) {
    act(theirs, steps[k]);
    act(ours, steps[k]);
    memset(expected, 0, sizeof expected);
    memset(got, 0, sizeof got);
    for (int n = 0; n == 0 || (n < 30 && !same(expected, got)); n++) { /* one of them may be slow */
      hear(expected, theirs);
      hear(got, ours);
    }
    for (int i = 0; i < CALLERS; i++)
      ck_assert_msg(strcmp(expected[i], got[i]) == 0, "%d: %s: caller %d: Redis %s, larder %s", _i,
                    steps[k], i, expected[i], got[i]);
  }
  house_close(&h); /* some wait still */
  server_stop(server);
  for (int i = 0; i < CALLERS; i++) {
    close(theirs[i]);
    close(ours[i]);
  }
}
END_TEST

enum { MANY = 300 };

static void connect_many(const struct house *h, int *fd)
{
  for (int i = 0; i < MANY; i++) {
    fd[i] = house_connect(h);
    talk_say(fd[i], "PING\r\nBLPOP k 0\r\n");
    talk_expect(fd[i], "+PONG\r\n");
  }
}

START_TEST(many_wait_in_order)
{
  struct house h;
  int fd[MANY], other;

  house_open(&h, NULL, NULL);
  connect_many(&h, fd);
  other = house_connect(&h);
  talk_say(other, "PING\r\n");
  talk_expect(other, "+PONG\r\n");
  for (int i = 0; i < MANY; i++) {
    char text[64];

    snprintf(text, sizeof text, "RPUSH k %03d\r\n", i);
    talk_say(other, text);
    talk_expect(other, ":1\r\n");
  }
  for (int i = 0; i < MANY; i++) {
    char text[64];

    snprintf(text, sizeof text, "*2\r\n$1\r\nk\r\n$3\r\n%03d\r\n", i);
    talk_expect(fd[i], text);
    close(fd[i]);
  }
  close(other);
  house_close(&h);
}
END_TEST

/* Whoever has gone takes nothing along; whoever is there when all ends is cut. */
START_TEST(hang_up_and_close)
{
  struct house h;
  int fd[MANY], other;

  house_open(&h, NULL, NULL);
  connect_many(&h, fd);
  for (int i = 0; i < MANY; i += 2)
    close(fd[i]);
  nap(200);
  other = house_connect(&h);
  talk_say(other, "RPUSH k a\r\nLLEN k\r\n");
  talk_expect(other, ":1\r\n:0\r\n");
  talk_expect(fd[1], "*2\r\n$1\r\nk\r\n$1\r\na\r\n");
  house_close(&h);
  for (int i = 1; i < MANY; i += 2)
    close(fd[i]);
  close(other);
}
END_TEST

/* With RESP3 messages come to a client that waits. */
START_TEST(messages_come_meanwhile)
{
  struct house h;
  int fd, other;

  house_open(&h, NULL, NULL);
  fd = house_connect(&h);
  other = house_connect(&h);
  talk_say(fd, "HELLO 3\r\n");
  talk_free(&(struct talk[]){ talk_exchange(fd, "", 0, 0, 200) }[0]);
  talk_say(fd, "SUBSCRIBE c\r\nBLPOP k 0\r\n");
  talk_expect(fd, ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
  nap(50);
  talk_say(other, "PUBLISH c hey\r\n");
  talk_expect(fd, ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$3\r\nhey\r\n");
  talk_say(other, "RPUSH k a\r\n");
  talk_expect(fd, "*2\r\n$1\r\nk\r\n$1\r\na\r\n");
  close(fd);
  close(other);
  house_close(&h);
}
END_TEST

/* Over Redis a client is told, at once and in order, that it can't wait. */
START_TEST(over_redis)
{
  struct server *server = server_start(NULL);
  const char *address = "tcp://127.0.0.1:0";
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  larder *store = larder_open(server_url(server), NULL, NULL, 0);
  larder_listener *l;
  struct talk t;
  int fd;

  ck_assert_ptr_nonnull(store);
  o.address = &address;
  o.addresses = 1;
  l = larder_listen(store, &o, NULL, 0);
  ck_assert_ptr_nonnull(l);
  for (int i = 0; i < 5000; i++) {
    larder_reply *r = larder_command(store, "PING");
    int up = r->origin == LARDER_FROM_REDIS;

    larder_reply_free(r);
    if (up)
      break;
    nap(1);
  }
  fd = talk_connect(larder_listener_port(l, 0));
  talk_say(fd, "ECHO a\r\nBLPOP k 0\r\nECHO b\r\nMULTI\r\nBLPOP k 0\r\nEXEC\r\n");
  t = talk_exchange(fd, "", 0, 0, 2000);
  ck_assert_msg(strncmp(t.bytes, "$1\r\na\r\n-ERR towards Redis", 25) == 0, "%s", t.bytes);
  ck_assert_ptr_nonnull(strstr(t.bytes, "\r\n$1\r\nb\r\n+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n"));
  talk_free(&t);
  close(fd);
  larder_listener_close(l);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("wait");
  TCase *t = tcase_create("wait");

  server_require();
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, as_redis, 0, SCENARIOS);
  tcase_add_test(t, many_wait_in_order);
  tcase_add_test(t, hang_up_and_close);
  tcase_add_test(t, messages_come_meanwhile);
  tcase_add_test(t, over_redis);
  suite_add_tcase(s, t);
  return run_suite(s);
}
