/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/talk.h"
#include "support/check.h"
#include "support/server.h"

/*
 * Channels through serve.  Conversations are held with a redis-server and with serve at once:
 * every connection must receive the same bytes.
 */

enum { CLIENTS = 8, QUIET_MS = 40 };

struct side {
  int fd[CLIENTS];
  int port;
};

static struct server *server;
static struct house house;
static struct side redis, larder_side;

static int client(struct side *s, char who)
{
  int i = who - 'a';

  if (s->fd[i] == 0)
    s->fd[i] = talk_connect(s->port);
  ck_assert_int_gt(s->fd[i], 0);
  return s->fd[i];
}

static void say(struct side *s, char who, const char *lines)
{
  char text[512];
  size_t n = 0;

  for (; *lines; lines++)
    if (*lines == ';') {
      text[n++] = '\r';
      text[n++] = '\n';
    } else {
      text[n++] = *lines;
    }
  memcpy(text + n, "\r\n", 2);
  ck_assert_int_eq(talk_send(client(s, who), text, n + 2), 0);
}

/* "a:COMMAND;COMMAND", the commands together; "a~COMMAND": the reply may differ (HELLO's id). */
static void step(const char *line)
{
  char got[4096];

  say(&redis, line[0], line + 2);
  say(&larder_side, line[0], line + 2);
  for (char who = 'a'; who < 'a' + CLIENTS; who++) {
    if (redis.fd[who - 'a'] == 0)
      continue;
    struct talk t = talk_exchange(client(&redis, who), "", 0, 0, QUIET_MS);
    if (line[1] == '~') {
      struct talk other = talk_exchange(client(&larder_side, who), "", 0, 0, QUIET_MS);
      talk_free(&other);
    } else {
      int failed = talk_read(client(&larder_side, who), got, t.len, TALK_MS);
      got[t.len] = '\0';
      ck_assert_msg(!failed && memcmp(got, t.bytes, t.len) == 0,
                    "%s\n%c hears of redis-server\n%s\nand of serve\n%s", line, who, t.bytes, got);
      if (t.closed) {
        talk_expect_end(client(&larder_side, who));
        close(client(&redis, who));
        close(client(&larder_side, who));
        redis.fd[who - 'a'] = larder_side.fd[who - 'a'] = 0;
      }
    }
    talk_free(&t);
  }
}

static void converse(const char *const *lines)
{
  for (; *lines; lines++)
    step(*lines);
  for (int i = 0; i < CLIENTS; i++) /* and nothing else */
    if (larder_side.fd[i]) {
      struct talk t = talk_exchange(larder_side.fd[i], "", 0, 0, 0);
      ck_assert_str_eq(t.bytes, "");
      talk_free(&t);
    }
}

static void setup(void)
{
  server = server_start(NULL);
  house_open(&house, NULL, NULL);
  redis = (struct side){ .port = server_port(server) };
  larder_side = (struct side){ .port = house.port };
}

static void teardown(void)
{
  for (int i = 0; i < CLIENTS; i++) {
    if (redis.fd[i])
      close(redis.fd[i]);
    if (larder_side.fd[i])
      close(larder_side.fd[i]);
  }
  house_close(&house);
  server_stop(server);
}

/* --- as a redis-server --------------------------------------------------------- */

START_TEST(resp2)
{
  static const char *const lines[] = {
    "a:SUBSCRIBE x y x", "a:GET x", "a:PING", "a:PING hi", "a:PING a b", "a:PUBLISH x 1",
    "a:SUBSCRIBE", "a:NONE x", "a:GET", "a:MULTI", "a:EXEC", "a:HELLO 3", "a:HELLO 2",
    "a:CLIENT ID", "a:SELECT 1", "b:PUBLISH x hello", "b:SPUBLISH x hello", "a:PSUBSCRIBE x*",
    "b:PUBLISH x hello", "b:PUBLISH \"\" \"\"", "a:UNSUBSCRIBE nope", "a:UNSUBSCRIBE y",
    "b:PUBSUB CHANNELS", "b:PUBSUB NUMSUB x y", "b:PUBSUB NUMPAT", "b:PUBSUB CHANNELS a b",
    "b:PUBSUB", "b:PUBSUB NONE", "b:PUBSUB NUMPAT x", "b:PUBSUB HELP", "a:UNSUBSCRIBE", "a:PING",
    "a:PUNSUBSCRIBE", "a:GET x", "a:UNSUBSCRIBE", "a:PUNSUBSCRIBE", "a:SUNSUBSCRIBE",
    "a:SSUBSCRIBE s", "a:GET x", "a:PING", "b:SPUBLISH s hi", "b:PUBLISH s hi",
    "b:PUBSUB SHARDCHANNELS", "b:PUBSUB SHARDNUMSUB s t", "a:SUBSCRIBE x", "a:SUNSUBSCRIBE",
    "a:PING", "a:RESET", "a:PING", "b:PUBLISH x 1", "a:SUBSCRIBE x;PING;GET x;UNSUBSCRIBE x;GET x",
    "a:PUBLISH x 1", "a:MULTI", "a:PUBLISH x 1", "a:PUBSUB NUMPAT", "a:EXEC", "a:SUBSCRIBE x",
    "a:QUIT", "b:PUBLISH x 1", "a:PSUBSCRIBE * \"\" **", "a:SUBSCRIBE \"\"", "b:PUBLISH \"\" 1",
    "b:PUBSUB CHANNELS *", "b:PUBSUB CHANNELS \"\"", "b:PUBSUB CHANNELS", NULL
  };

  converse(lines);
}
END_TEST

START_TEST(resp3)
{
  static const char *const lines[] = {
    "c~HELLO 3", "c:SUBSCRIBE x", "c:PUBLISH x self", "c:PUBLISH x 1;PING;PUBLISH x 2",
    "c:PSUBSCRIBE x*;PUBLISH x 3", "c:GET x", "c:PING", "c:SET k 1", "b:PUBLISH x other",
    "c:PUNSUBSCRIBE", "c:UNSUBSCRIBE x y", "c:UNSUBSCRIBE", "c:SSUBSCRIBE s;SPUBLISH s 1",
    "c:SUNSUBSCRIBE s", "c:SUBSCRIBE x", "d~HELLO 3", "d:SUBSCRIBE x y", "c:PUBLISH x both",
    "c~HELLO 2", "c:GET x", "c:PING", "d:PUBLISH x both", "c:RESET", "c:GET x", "d:PUBLISH x 1",
    "d:QUIT", NULL
  };

  converse(lines);
}
END_TEST

/* A password comes before everything. */
START_TEST(strangers)
{
  static const char *const lines[] = { "a:SUBSCRIBE x", "a:PUBLISH x 1", "a:AUTH secret",
                                       "a:SUBSCRIBE x", "a:AUTH secret", "a:RESET", "a:SUBSCRIBE x",
                                       NULL };
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  struct server_options so = { .password = "secret" };

  o.password = "secret";
  server = server_start(&so);
  house_open(&house, NULL, &o);
  redis = (struct side){ .port = server_port(server) };
  larder_side = (struct side){ .port = house.port };
  converse(lines);
  teardown();
}
END_TEST

/* --- serve's own ------------------------------------------------------------------ */

/* Redis puts pushes into the middle of EXEC's reply, here they stand before it. */
START_TEST(own_messages_precede_exec)
{
  int fd = house_connect(&house);
  char hello[512];

  talk_say(fd, "HELLO 3\r\n");
  ck_assert_int_gt(recv(fd, hello, sizeof hello, 0), 0);
  talk_say(fd, "SUBSCRIBE x\r\nMULTI\r\nPUBLISH x 1\r\nPUBLISH x 2\r\nEXEC\r\n");
  talk_expect(fd, ">3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n"
                  ">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n1\r\n"
                  ">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n2\r\n*2\r\n:1\r\n:1\r\n");
  talk_say(fd, "MULTI\r\nSUBSCRIBE y\r\nEXEC\r\n");
  talk_expect(fd, "+OK\r\n-ERR subscriptions can't be changed inside a transaction\r\n"
                  "-EXECABORT Transaction discarded because of previous errors.\r\n");
  close(fd);
}
END_TEST

static int64_t publish(larder *store, const char *channel, const char *payload, size_t len)
{
  larder_reply *r = larder_command(store, "PUBLISH %s %b", channel, payload, len);
  int64_t heard = r->value.integer;

  ck_assert_int_eq(r->outcome, LARDER_OK);
  larder_reply_free(r);
  return heard;
}

/* From another thread, in order, to a client that reads. */
START_TEST(many_messages_arrive_in_order)
{
  enum { N = 20000 };
  int fd = house_connect(&house);
  char text[64], expected[128];

  talk_say(fd, "SUBSCRIBE x\r\n");
  talk_expect(fd, "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n");
  for (int i = 0; i < N; i++) {
    int n = snprintf(text, sizeof text, "%d", i);
    ck_assert_int_eq(publish(house.store, "x", text, (size_t)n), 1);
  }
  for (int i = 0; i < N; i++) {
    int n = snprintf(text, sizeof text, "%d", i);
    snprintf(expected, sizeof expected, "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$%d\r\n%s\r\n", n, text);
    talk_expect(fd, expected);
  }
  close(fd);
}
END_TEST

static atomic_int cuts;

static void on_event(void *context, const larder_event *e)
{
  (void)context;
  if (strcmp(e->name, "listener-cut") == 0)
    atomic_fetch_add(&cuts, 1);
}

/* Behind the confirmation there is no message, though more was waiting than the socket takes: a
 * client that speaks RESP2 again would take it for a reply. */
static void leaves_after_its_messages(const char *hello, const char *command, const char *confirmed)
{
  enum { PAYLOAD = 100000, N = 100 };
  int fd = house_connect(&house), push = *hello != '\0';
  char *payload = malloc(PAYLOAD), *got = malloc(PAYLOAD + 64), head[64], text[64];

  memset(payload, 'p', PAYLOAD);
  if (push) {
    talk_say(fd, hello);
    ck_assert_int_gt(recv(fd, got, PAYLOAD, 0), 0);
  }
  talk_say(fd, "SUBSCRIBE x\r\n");
  snprintf(head, sizeof head, "%c3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n", push ? '>' : '*');
  talk_expect(fd, head);
  for (int i = 0; i < N; i++)
    ck_assert_int_eq(publish(house.store, "x", payload, PAYLOAD), 1);
  snprintf(text, sizeof text, "%s\r\nGET nothing\r\n", command);
  talk_say(fd, text);
  snprintf(head, sizeof head, "%c3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$%d\r\n", push ? '>' : '*',
           PAYLOAD);
  for (int i = 0; i < N; i++) {
    talk_expect(fd, head);
    ck_assert_int_eq(talk_read(fd, got, PAYLOAD + 2, TALK_MS), 0);
  }
  talk_expect(fd, confirmed);
  close(fd);
  free(got);
  free(payload);
}

START_TEST(no_message_follows_its_end)
{
  leaves_after_its_messages("", "UNSUBSCRIBE x", "*3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:0\r\n$-1\r\n");
  leaves_after_its_messages("", "UNSUBSCRIBE", "*3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:0\r\n$-1\r\n");
  leaves_after_its_messages("", "RESET", "+RESET\r\n$-1\r\n");
  leaves_after_its_messages("HELLO 3\r\n", "UNSUBSCRIBE x",
                            ">3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:0\r\n_\r\n");
  leaves_after_its_messages("HELLO 3\r\n", "RESET", "+RESET\r\n$-1\r\n");
}
END_TEST

/* What a client doesn't read is bounded, others are served. */
START_TEST(a_slow_listener_is_cut_off)
{
  enum { PAYLOAD = 100000, N = 1000 };
  larder_options o = LARDER_OPTIONS_INIT;
  char *payload = calloc(1, PAYLOAD);
  size_t most = 0;
  int slow, quick, i;

  o.event = on_event;
  house_open(&house, &o, NULL);
  slow = house_connect(&house);
  talk_say(slow, "SUBSCRIBE x\r\n");
  talk_expect(slow, "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n");
  quick = house_connect(&house);
  for (i = 0; i < N && publish(house.store, "x", payload, PAYLOAD) == 1; i++)
    if (atomic_load(&house.used) > most)
      most = atomic_load(&house.used);
  for (int j = 0; j < 5000 && !atomic_load(&cuts); j++)
    usleep(1000);
  ck_assert_int_eq(atomic_load(&cuts), 1);
  ck_assert_uint_lt(most, 64u << 20);
  ck_assert_int_gt(i, 300);
  talk_say(quick, "PING\r\n");
  talk_expect(quick, "+PONG\r\n");
  ck_assert_int_eq(publish(house.store, "x", "1", 1), 0);
  struct talk t = talk_exchange(slow, "", 0, 0, TALK_MS);
  ck_assert(t.closed);
  talk_free(&t);
  close(slow);
  close(quick);
  free(payload);
  house_close(&house);
}
END_TEST

/* --- over a Redis ------------------------------------------------------------------- */

static void open_remote(const char *query)
{
  char url[512], error[LARDER_ERROR_SIZE];
  static const char *const address[] = { "tcp://127.0.0.1:0" };
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;

  o.address = address;
  o.addresses = 1;
  server = server_start(NULL);
  snprintf(url, sizeof url, "%s?%s", server_url(server), query);
  house.store = larder_open(url, NULL, error, sizeof error);
  ck_assert_msg(house.store != NULL, "%s", error);
  house.listener = larder_listen(house.store, &o, error, sizeof error);
  ck_assert_msg(house.listener != NULL, "%s", error);
  house.port = larder_listener_port(house.listener, 0);
}

static void close_remote(void)
{
  larder_listener_close(house.listener);
  larder_close(house.store, 0);
  server_stop(server);
}

static void through_a_redis(const char *query)
{
  open_remote(query);
  int fd = talk_connect(house.port);
  struct resp_client *c = server_connect(server, 2);

  talk_say(fd, "SUBSCRIBE x y x\r\nPSUBSCRIBE z*\r\n");
  talk_expect(fd, "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n"
                  "*3\r\n$9\r\nsubscribe\r\n$1\r\ny\r\n:2\r\n"
                  "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:2\r\n"
                  "*3\r\n$10\r\npsubscribe\r\n$2\r\nz*\r\n:3\r\n");
  /* it was confirmed: the server knows of it */
  resp_free(resp_words(c, "PUBLISH", "x", "1", NULL));
  resp_free(resp_words(c, "PUBLISH", "zz", "2", NULL));
  talk_expect(fd, "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n1\r\n"
                  "*4\r\n$8\r\npmessage\r\n$2\r\nz*\r\n$2\r\nzz\r\n$1\r\n2\r\n");
  /* the server dies: so does the conversation */
  server_kill(server);
  talk_expect_end(fd);
  close(fd);
  /* and nobody is told that he was subscribed while it is away */
  fd = talk_connect(house.port);
  talk_say(fd, "SUBSCRIBE x\r\nPING\r\n");
  talk_expect(fd, "-UNAVAILABLE Redis did not confirm the subscription in time\r\n");
  close(fd);
  resp_close(c);
  close_remote();
}

START_TEST(remote)
{
  through_a_redis("fallback=none");
}
END_TEST

START_TEST(fallback)
{
  through_a_redis("fallback=memory");
}
END_TEST

static void open_house(void)
{
  house_open(&house, NULL, NULL);
}

static void close_house(void)
{
  house_close(&house);
}

int main(void)
{
  Suite *s = suite_create("serve/pubsub");
  TCase *t = tcase_create("beside");

  server_require();
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 90);
  tcase_add_test(t, resp2);
  tcase_add_test(t, resp3);
  suite_add_tcase(s, t);
  t = tcase_create("alone");
  tcase_add_checked_fixture(t, open_house, close_house);
  tcase_add_test(t, own_messages_precede_exec);
  tcase_add_test(t, many_messages_arrive_in_order);
  tcase_add_test(t, no_message_follows_its_end);
  suite_add_tcase(s, t);
  t = tcase_create("own");
  tcase_add_test(t, strangers);
  tcase_add_test(t, a_slow_listener_is_cut_off);
  tcase_add_test(t, remote);
  tcase_add_test(t, fallback);
  suite_add_tcase(s, t);
  return run_suite(s);
}
