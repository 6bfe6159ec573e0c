/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulator's server against a real one: the same commands, replies byte for byte. */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "simulate/server.h"
#include "simulate/task.h"
#include "simulate/world.h"
#include "support/check.h"
#include "support/server.h"

/* --- what server.c, keys.c and channels.c need of a world: two connections, no time, no dice ---- */

struct sim_conn {
  const char *bytes;
  size_t len;
  struct sim_text out;
  void *session;
};

enum { CONNS = 2 };
static struct sim_conn conn[CONNS];
struct sim_net sim_net;
int sim_tracing;

int64_t sim_now(void) { return 1000 * SIM_S; }
uint64_t sim_random(uint64_t below) { return below ? below - 1 : 0; }
int sim_once_in(unsigned times) { return (void)times, 0; }
void sim_trace(const char *format, ...) { (void)format; }
void sim_at(int64_t moment, void (*fn)(void *), void *argument)
{
  (void)moment, (void)fn, (void)argument;
}
void sim_fail(const char *format, ...)
{
  ck_abort_msg("%s", format);
  abort();
}

size_t sim_conn_input(struct sim_conn *c, const char **bytes)
{
  *bytes = c->bytes;
  return c->len;
}

void sim_conn_consume(struct sim_conn *c, size_t n)
{
  c->bytes += n;
  c->len -= n;
}

void sim_conn_reply(struct sim_conn *c, const char *bytes, size_t len)
{
  sim_text_add(&c->out, bytes, len);
}

void **sim_conn_session(struct sim_conn *c) { return &c->session; }
int sim_conn_is_open(const struct sim_conn *c) { return (void)c, 1; }
int sim_conn_is_ending(const struct sim_conn *c) { return (void)c, 0; }
long long sim_conn_port(const struct sim_conn *c) { return c - conn + 1; }
void sim_conn_drop(struct sim_conn *c, int reset) { (void)c, (void)reset; }

void sim_conn_each(void (*visit)(struct sim_conn *, void *), void *context)
{
  for (int i = 0; i < CONNS; i++)
    visit(&conn[i], context);
}

/* --- both ----------------------------------------------------------------------------------------- */

static struct server *server;
static int fd[CONNS];

static void setup(void)
{
  server = server_start(NULL);
  sim_server_begin();
  for (int i = 0; i < CONNS; i++) {
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd[i] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd[i], (const void *)&in, sizeof in), 0);
    memset(&conn[i], 0, sizeof conn[i]);
    sim_server_accepted(&conn[i]);
  }
}

static void teardown(void)
{
  for (int i = 0; i < CONNS; i++) {
    close(fd[i]);
    sim_server_gone(&conn[i]);
    free(conn[i].out.data);
  }
  sim_server_end();
  server_stop(server);
}

/* What the real one has said, as many bytes as the other did; what is too much is the next one's. */
static void compare(int i, const char *line)
{
  char real[4096] = "";
  size_t have = 0, want = conn[i].out.len;
  struct pollfd p = {.fd = fd[i], .events = POLLIN};
  ck_assert_uint_lt(want, sizeof real);
  while (have < want && poll(&p, 1, 2000) == 1) {
    ssize_t n = read(fd[i], real + have, want - have);
    ck_assert_int_gt(n, 0);
    have += (size_t)n;
  }
  ck_assert_msg(have == want && memcmp(real, conn[i].out.data ? conn[i].out.data : "", want) == 0,
                "%s: redis-server says \"%.*s\", the simulator's \"%s\"", line, (int)have, real,
                conn[i].out.data ? conn[i].out.data : "");
  conn[i].out.len = 0;
}

/* Words by the first connection, or by the second if "2" is before them. */
static void say(const char *line)
{
  char copy[200], *left = NULL;
  struct sim_text words = {0}, command = {0};
  size_t count = 0;
  int who = line[0] == '2';
  snprintf(copy, sizeof copy, "%s", line + (who ? 2 : 0));
  for (char *w = strtok_r(copy, " ", &left); w; w = strtok_r(NULL, " ", &left), count++)
    sim_text_format(&words, "$%zu\r\n%s\r\n", strlen(w), w);
  sim_text_format(&command, "*%zu\r\n", count);
  sim_text_add(&command, words.data, words.len);
  ck_assert_int_eq(write(fd[who], command.data, command.len), (ssize_t)command.len);
  conn[who].bytes = command.data;
  conn[who].len = command.len;
  sim_server_input(&conn[who]);
  compare(who, line);
  compare(!who, line); /* a message */
  free(words.data);
  free(command.data);
}

static const char *const script[] = {
  "GET r", "SET r 1", "GET r", "SET r 2 NX", "SET n 2 NX", "SET r 3 XX", "SET m 3 XX", "GET",
  "INCR c", "INCR c", "INCRBY c 40", "GET c", "APPEND a x", "APPEND a yz", "GET a", "INCR a",
  "RPUSH l 1 2 3", "LPUSH l 0", "LRANGE l 0 -1", "LRANGE none 0 -1", "GET l", "INCR l", "APPEND l x",
  "HSET h f 1 g 2", "HSET h f 3", "HGET h f", "HGET h none", "HGET none f", "HGETALL h", "RPUSH h 1",
  "HSET l f 1", "LRANGE h 0 -1", "HGETALL l", "EXISTS r", "EXISTS none", "PERSIST r",
  "PEXPIREAT r 99999999999999", "PERSIST r", "PEXPIREAT none 1", "DEL r c none", "UNLINK a",
  "SET p 1 PX 100000", "PERSIST p", "PERSIST p", "PING", "PING x", "ECHO x", "SELECT 1", "GET p",
  "SELECT 0", "GET p", "MULTI", "SET p 2", "INCR c", "EXEC", "MULTI", "SET p 3", "DISCARD",
  "DISCARD", "EXEC", "WATCH p", "2 SET p 4", "MULTI", "GET p", "EXEC", "WATCH p", "UNWATCH",
  "2 SET p 5", "MULTI", "INCR l", "GET p", "EXEC", "CLIENT KILL ID 99999", "CLIENT SETNAME x",
  "PUBLISH p0 x", "2 SUBSCRIBE p0", "2 SUBSCRIBE p0 p1", "2 PSUBSCRIBE p?", "PUBLISH p0 x",
  "PUBLISH p1 y", "PUBLISH q y", "2 PING", "2 PING x", "2 UNSUBSCRIBE p0", "2 UNSUBSCRIBE none",
  "PUBLISH p0 x", "2 PUNSUBSCRIBE p?", "MULTI", "PUBLISH p1 z", "EXEC", "2 UNSUBSCRIBE p1", "2 PING",
  "PUBLISH p1 x", "2 GET p"};

START_TEST(replies_are_redis_own)
{
  for (size_t i = 0; i < sizeof script / sizeof *script; i++)
    say(script[i]);
  say("PING");
  say("2 PING");
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("replies");
  TCase *t = tcase_create("replies");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, replies_are_redis_own);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
