/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/talk.h"
#include "support/check.h"

enum { WAIT_MS = 10000 };

static larder_listener_status status_of(const struct house *h)
{
  larder_listener_status s = { .size = sizeof s };

  ck_assert_int_eq(larder_listener_get_status(h->listener, &s), LARDER_OK);
  return s;
}

/* --- conversations ---------------------------------------------------------- */

START_TEST(both_protocols)
{
  struct house h;
  int fd;

  house_open(&h, NULL, NULL);
  fd = house_connect(&h);
  talk_say(fd, "HSET h f v\r\nZADD z 1.5 m\r\nSADD s a\r\nHGETALL h\r\nZSCORE z m\r\nGET none\r\n"
          "SMEMBERS s\r\nZRANGE z 0 -1 WITHSCORES\r\n");
  talk_expect(fd,
              ":1\r\n:1\r\n:1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n$3\r\n1.5\r\n$-1\r\n*1\r\n$1\r\na\r\n"
             "*2\r\n$1\r\nm\r\n$3\r\n1.5\r\n");
  talk_say(fd, "HELLO 3\r\n");
  talk_expect(fd, "%7\r\n");
  close(fd);
  fd = house_connect(&h);
  talk_say(fd, "HELLO 3 SETNAME x\r\nHGETALL h\r\nZSCORE z m\r\nGET none\r\nSMEMBERS s\r\n"
          "ZRANGE z 0 -1 WITHSCORES\r\nRESET\r\nGET none\r\nQUIT\r\n");
  {
    struct talk t = talk_exchange(fd, "", 0, 0, WAIT_MS);
    ck_assert(t.closed);
    ck_assert_msg(strstr(t.bytes, "%1\r\n$1\r\nf\r\n$1\r\nv\r\n,1.5\r\n_\r\n~1\r\n$1\r\na\r\n"
                                  "*1\r\n*2\r\n$1\r\nm\r\n,1.5\r\n+RESET\r\n$-1\r\n+OK\r\n") != NULL,
                  "%s", t.bytes);
    talk_free(&t);
  }
  close(fd);
  house_close(&h);
}
END_TEST

/* Replies come in the order of the commands, however many and however cut. */
START_TEST(pipeline)
{
  enum { N = 20000 };
  struct house h;
  char *request = malloc(N * 64), *expected = malloc(N * 32);
  size_t in = 0, out = 0;
  struct talk t;
  int fd, i;

  house_open(&h, NULL, NULL);
  for (i = 1; i <= N; i++) {
    in += (size_t)sprintf(request + in, i % 3 ? "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n" : "INCR n\r\n");
    out += (size_t)sprintf(expected + out, ":%d\r\n", i);
  }
  fd = house_connect(&h);
  t = talk_exchange(fd, request, in, 1, WAIT_MS);
  ck_assert(t.closed);
  ck_assert_uint_eq(t.len, out);
  ck_assert_int_eq(memcmp(t.bytes, expected, out), 0);
  ck_assert_uint_eq(status_of(&h).commands, N);
  ck_assert_uint_eq(status_of(&h).bytes_in, in);
  ck_assert_uint_eq(status_of(&h).bytes_out, out);
  talk_free(&t);
  close(fd);
  free(request);
  free(expected);
  house_close(&h);
}
END_TEST

START_TEST(byte_by_byte)
{
  static const char request[] =
      "*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\n\r\n\r\nGET \"k\\r\\n\"\r\n"
                                "*2\r\n$3\r\nDEL\r\n$3\r\nk\r\n\r\nPING\r\n";
  struct house h;
  size_t i;
  int fd;

  house_open(&h, NULL, NULL);
  fd = house_connect(&h);
  for (i = 0; i < sizeof request - 1; i++) {
    ck_assert_int_eq(talk_send(fd, request + i, 1), 0);
    usleep(500);
  }
  talk_expect(fd, "+OK\r\n$2\r\n\r\n\r\n:1\r\n+PONG\r\n");
  close(fd);
  house_close(&h);
}
END_TEST

/* A value of 8 MiB there and back, in a buffer that grows with what arrives. */
START_TEST(large_value)
{
  enum { SIZE = 8 << 20 };
  struct house h;
  char *value = malloc(SIZE), *back = malloc(SIZE);
  struct talk t;
  size_t i, head;
  int fd;

  house_open(&h, NULL, NULL);
  for (i = 0; i < SIZE; i++)
    value[i] = (char)(i * 7 + (i >> 8));
  fd = house_connect(&h);
  talk_say(fd, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8388608\r\n");
  ck_assert_int_eq(talk_send(fd, value, SIZE), 0);
  talk_say(fd, "\r\n");
  talk_expect(fd, "+OK\r\n");
  t = talk_exchange(fd, "GET k\r\n", 7, 1, WAIT_MS);
  head = strlen("$8388608\r\n");
  ck_assert_uint_eq(t.len, head + SIZE + 2);
  memcpy(back, t.bytes + head, SIZE);
  ck_assert_int_eq(memcmp(back, value, SIZE), 0);
  talk_free(&t);
  close(fd);
  free(value);
  free(back);
  house_close(&h);
}
END_TEST

START_TEST(many_clients)
{
  enum { CLIENTS = 200, EACH = 50 };
  struct house h;
  int fd[CLIENTS], i, j;
  char request[EACH * 16] = "", reply[32];
  size_t len = 0;
  larder_reply *sum;

  house_open(&h, NULL, NULL);
  for (j = 0; j < EACH; j++)
    len += (size_t)sprintf(request + len, "INCR sum\r\n");
  for (i = 0; i < CLIENTS; i++)
    fd[i] = house_connect(&h);
  for (i = 0; i < CLIENTS; i++) {
    talk_say(fd[i], request);
    sprintf(reply, "SELECT %d\r\nPING %d\r\n", i % 16, i);
    talk_say(fd[i], reply);
  }
  for (i = 0; i < CLIENTS; i++) {
    struct talk t = talk_exchange(fd[i], "", 0, 1, WAIT_MS);
    sprintf(reply, "\r\n%d\r\n", i);
    ck_assert_msg(t.closed && t.len > strlen(reply) &&
                      strcmp(t.bytes + t.len - strlen(reply), reply) == 0,
                  "client %d: %s", i, t.bytes);
    talk_free(&t);
    close(fd[i]);
  }
  sum = larder_command(h.store, "GET sum");
  ck_assert_str_eq(sum->value.str, "10000");
  larder_reply_free(sum);
  ck_assert_uint_eq(status_of(&h).accepted, CLIENTS);
  house_close(&h);
}
END_TEST

/* --- limits ----------------------------------------------------------------- */

START_TEST(max_clients)
{
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  struct house h;
  int a, b;

  o.max_clients = 1;
  house_open(&h, NULL, &o);
  a = house_connect(&h);
  talk_say(a, "PING\r\n");
  talk_expect(a, "+PONG\r\n");
  b = house_connect(&h);
  talk_expect(b, "-ERR max number of clients reached\r\n");
  talk_expect_end(b);
  close(b);
  close(a);
  while (status_of(&h).clients > 0)
    usleep(1000);
  a = house_connect(&h);
  talk_say(a, "PING\r\n");
  talk_expect(a, "+PONG\r\n");
  close(a);
  ck_assert_uint_eq(status_of(&h).rejected, 1);
  house_close(&h);
}
END_TEST

START_TEST(query_buffer)
{
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  struct house h;
  char block[1000];
  int fd, i;

  o.query_buffer = 100000;
  house_open(&h, NULL, &o);
  fd = house_connect(&h);
  talk_say(fd, "*2\r\n$4\r\nECHO\r\n$100001\r\n");
  talk_expect(fd, "-ERR Protocol error: invalid bulk length\r\n");
  talk_expect_end(fd);
  close(fd);
  fd = house_connect(&h);
  talk_say(fd, "*100000\r\n");
  memset(block, 'x', sizeof block);
  for (i = 0; i < 100000; i++)
    if (talk_send(fd, "$1000\r\n", 7) || talk_send(fd, block, 1000) || talk_send(fd, "\r\n", 2))
      break;
  ck_assert_int_lt(i, 100000); /* it was disconnected */
  close(fd);
  ck_assert_uint_eq(status_of(&h).protocol_errors, 2);
  house_close(&h);
}
END_TEST

/* A client that asks and doesn't read: its replies are bounded, the others are
 * served, and in the end it gets everything. */
START_TEST(slow_reader)
{
  enum { VALUE = 100000, ASKED = 2000 };
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  struct house h;
  char *value = malloc(VALUE);
  size_t sent = 0, i, before, most = 0;
  struct talk t;
  int fd, other;

  o.output_buffer = 1 << 20;
  house_open(&h, NULL, &o);
  memset(value, 'v', VALUE);
  ck_assert_int_eq(larder_set(h.store, "k", 1, value, VALUE, 0), LARDER_OK);
  before = atomic_load(&h.used);
  fd = house_connect(&h);
  for (i = 0; i < ASKED; i++)
    sent += (size_t)send(fd, "GET k\r\n", 7, MSG_NOSIGNAL);
  ck_assert_uint_eq(sent, ASKED * 7);
  other = house_connect(&h);
  for (i = 0; i < 100; i++) {
    talk_say(other, "PING\r\n");
    talk_expect(other, "+PONG\r\n");
    if (atomic_load(&h.used) - before > most)
      most = atomic_load(&h.used) - before;
    usleep(1000);
  }
  /* 200 MB were asked for. */
  ck_assert_uint_lt(most, (size_t)70 << 20);
  t = talk_exchange(fd, "", 0, 1, WAIT_MS);
  ck_assert(t.closed);
  ck_assert_uint_eq(t.len, (size_t)ASKED * (VALUE + strlen("$100000\r\n\r\n")));
  talk_free(&t);
  close(fd);
  close(other);
  free(value);
  house_close(&h);
}
END_TEST

START_TEST(output_limit)
{
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  struct house h;
  char value[20000];
  struct talk t;
  int fd;

  o.output_buffer = 4096;
  o.output_limit = 16384;
  house_open(&h, NULL, &o);
  memset(value, 'v', sizeof value);
  ck_assert_int_eq(larder_set(h.store, "k", 1, value, sizeof value, 0), LARDER_OK);
  fd = house_connect(&h);
  t = talk_exchange(fd, "PING\r\nGET k\r\nPING\r\n", 19, 0, WAIT_MS);
  ck_assert(t.closed);
  ck_assert_msg(strncmp(t.bytes, "+PONG\r\n", 7) == 0, "%.40s", t.bytes);
  ck_assert_msg(memchr(t.bytes, 'v', t.len) == NULL, "%.40s", t.bytes);
  talk_free(&t);
  close(fd);
  fd = house_connect(&h);
  talk_say(fd, "PING\r\n");
  talk_expect(fd, "+PONG\r\n");
  close(fd);
  house_close(&h);
}
END_TEST

START_TEST(password_too_long)
{
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  struct house h;
  char request[1200];
  int fd;

  o.password = "secret";
  house_open(&h, NULL, &o);
  fd = house_connect(&h);
  memset(request, 'x', sizeof request);
  memcpy(request, "AUTH secret", 11);
  memcpy(request + sizeof request - 3, "\r\n", 3);
  talk_say(fd, request);
  talk_expect(fd, "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  close(fd);
  fd = house_connect(&h);
  ck_assert_int_eq(talk_send(fd, "*2\r\n$4\r\nAUTH\r\n$7\r\nsecret\0\r\n", 27), 0);
  talk_expect(fd, "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  talk_say(fd, "AUTH secret\r\nPING\r\n");
  talk_expect(fd, "+OK\r\n+PONG\r\n");
  close(fd);
  house_close(&h);
}
END_TEST

/* From some allocation on all fail: while listening begins, while a client is
 * served.  Nothing crashes or leaks; with memory again, clients are served again. */
START_TEST(no_memory)
{
  static const char *const address[] = { "tcp://127.0.0.1:0" };
  static const char request[] =
      "MULTI\r\nSET a 1\r\nEXEC\r\nHSET h f v\r\nHGETALL h\r\nECHO \"x y\"\r\n";
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];
  struct house h;
  struct talk t;
  long n;
  int fd, listening = 0, served = 0;

  o.address = address;
  o.addresses = 1;
  o.password = "p";
  for (n = 0; !listening; n++) {
    house_open_store(&h, NULL);
    atomic_store(&h.left, n);
    h.listener = larder_listen(h.store, &o, error, sizeof error);
    listening = h.listener != NULL;
    ck_assert(listening || strstr(error, "memory"));
    house_close(&h);
  }
  ck_assert_int_ge(n, 3);
  for (n = 0; !served; n++) {
    house_open(&h, NULL, NULL);
    atomic_store(&h.left, n);
    fd = talk_connect(h.port);
    ck_assert_int_ge(fd, 0);
    t = talk_exchange(fd, request, sizeof request - 1, 1, WAIT_MS);
    ck_assert(t.closed);
    served = atomic_load(&h.left) > 0;
    if (served)
      ck_assert_msg(strcmp(t.bytes, "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n:1\r\n"
                                    "*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
                                    "$3\r\nx y\r\n") == 0, "%s", t.bytes);
    talk_free(&t);
    close(fd);
    atomic_store(&h.left, -1);
    fd = talk_connect(h.port);
    talk_say(fd, "PING\r\n");
    talk_expect(fd, "+PONG\r\n");
    close(fd);
    house_close(&h);
  }
  ck_assert_int_ge(n, 5);
}
END_TEST

/* --- ends ------------------------------------------------------------------- */

struct hammer {
  int port;
  atomic_int stop;
  atomic_ulong replies, ends;
};

static void *hammer(void *context)
{
  struct hammer *k = context;
  static const char request[] = "INCR n\r\nSET k v\r\nGET k\r\nLPUSH l 1\r\n";
  char block[4096];
  int fd;
  ssize_t n;

  while (!atomic_load(&k->stop) && (fd = talk_connect(k->port)) >= 0) {
    while (talk_send(fd, request, sizeof request - 1) == 0 &&
           (n = recv(fd, block, sizeof block, 0)) > 0)
      atomic_fetch_add(&k->replies, 1);
    atomic_fetch_add(&k->ends, 1);
    close(fd);
  }
  return NULL;
}

START_TEST(close_under_load)
{
  enum { THREADS = 8 };
  struct hammer k = { 0 };
  pthread_t thread[THREADS];
  struct house h;
  int i;

  house_open(&h, NULL, NULL);
  k.port = h.port;
  for (i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, hammer, &k), 0);
  while (atomic_load(&k.replies) < 2000)
    usleep(1000);
  atomic_store(&k.stop, 1);
  house_close(&h);
  for (i = 0; i < THREADS; i++)
    pthread_join(thread[i], NULL);
  ck_assert_uint_ge(atomic_load(&k.ends), THREADS);
}
END_TEST

/* Clients in the middle of a request, of a reply, connected and silent. */
START_TEST(close_with_idle_clients)
{
  struct house h;
  int a, b, c;

  house_open(&h, NULL, NULL);
  a = house_connect(&h);
  b = house_connect(&h);
  c = house_connect(&h);
  talk_say(a, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\nabc");
  talk_say(b, "MULTI\r\nSET a 1\r\n");
  talk_expect(b, "+OK\r\n+QUEUED\r\n");
  house_close(&h);
  talk_expect_end(a);
  talk_expect_end(b);
  talk_expect_end(c);
  close(a);
  close(b);
  close(c);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("serve");
  TCase *talks = tcase_create("conversations"), *limits = tcase_create("limits");
  TCase *ends = tcase_create("ends");

  tcase_set_timeout(talks, 60);
  tcase_set_timeout(limits, 60);
  tcase_set_timeout(ends, 60);
  tcase_add_test(talks, both_protocols);
  tcase_add_test(talks, pipeline);
  tcase_add_test(talks, byte_by_byte);
  tcase_add_test(talks, large_value);
  tcase_add_test(talks, many_clients);
  tcase_add_test(limits, max_clients);
  tcase_add_test(limits, query_buffer);
  tcase_add_test(limits, slow_reader);
  tcase_add_test(limits, output_limit);
  tcase_add_test(limits, password_too_long);
  tcase_add_test(limits, no_memory);
  tcase_add_test(ends, close_under_load);
  tcase_add_test(ends, close_with_idle_clients);
  suite_add_tcase(suite, talks);
  suite_add_tcase(suite, limits);
  suite_add_tcase(suite, ends);
  return run_suite(suite);
}
