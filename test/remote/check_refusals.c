/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/through.h"

/*
 * The server says no: error texts that the proxy puts in a reply's place, each under every kind of
 * call; then the same from a server in the state that makes it say so.  An error is told in the
 * server's own words, nothing was applied, and the connection lives on.
 */

static struct rig_reply ask(const char *words)
{
  return rig_run_with(&through.rig, NULL, 0, 2000, words);
}

static void ck_ask(const char *words, const char *text)
{
  struct rig_reply r = ask(words);
  ck_assert_msg(r.verdict.outcome == LARDER_OK && strcmp(r.text, text) == 0, "%s: %d %s", words,
                (int)r.verdict.outcome, r.text);
}

static int begins_with(const char *text, const char *prefix)
{
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* --- any text at any call -------------------------------------------------------------- */

static const struct refusal {
  const char *error;
  larder_cause cause;
} refusals[] = {
  {"-LOADING Redis is loading the dataset in memory\r\n", LARDER_CAUSE_SERVER},
  {"-MASTERDOWN Link with MASTER is down\r\n", LARDER_CAUSE_SERVER},
  {"-CLUSTERDOWN Hash slot not served\r\n", LARDER_CAUSE_SERVER},
  {"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", LARDER_CAUSE_SERVER},
  {"-BUSY Redis is busy running a script.\r\n", LARDER_CAUSE_SERVER},
  {"-ERR max number of clients reached\r\n", LARDER_CAUSE_SERVER},
  {"-ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.\r\n", LARDER_CAUSE_QUOTA},
  {"-ERR max requests limit exceeded. Limit: 500000, Usage: 500000.\r\n", LARDER_CAUSE_QUOTA},
  {"-ERR max concurrent connections exceeded\r\n", LARDER_CAUSE_QUOTA},
  {"-ERR DB capacity quota exceeded\r\n", LARDER_CAUSE_CAPACITY},
  {"-READONLY You can't write against a read only replica.\r\n", LARDER_CAUSE_CAPACITY},
  {"-OOM command not allowed when used memory > 'maxmemory'.\r\n", LARDER_CAUSE_CAPACITY},
  {"-MISCONF Redis is configured to save RDB snapshots\r\n", LARDER_CAUSE_CAPACITY},
  {"-NOREPLICAS Not enough good replicas to write.\r\n", LARDER_CAUSE_CAPACITY},
  {"-NOAUTH Authentication required.\r\n", LARDER_CAUSE_AUTH},
  {"-NOPERM this user has no permissions to run the command\r\n", LARDER_CAUSE_AUTH},
  {"-WRONGTYPE Operation against a key\r\n", LARDER_CAUSE_CALLER},
  {"-MOVED 3999 127.0.0.1:6381\r\n", LARDER_CAUSE_CALLER},
  {"-ASK 3999 127.0.0.1:6381\r\n", LARDER_CAUSE_CALLER},
  {"-CROSSSLOT Keys in request don't hash to the same slot\r\n", LARDER_CAUSE_CALLER},
  {"-\r\n", LARDER_CAUSE_CALLER}, /* words that nobody knows, and none */
  {"-MO\r\n", LARDER_CAUSE_CALLER},
  {"-MOVED\r\n", LARDER_CAUSE_CALLER},
  {"-LOADINGS\r\n", LARDER_CAUSE_CALLER},
  {"-TOMORROW a word of the future\r\n", LARDER_CAUSE_CALLER},
};

enum { REFUSALS = sizeof refusals / sizeof *refusals };

/* The server's own words. */
static void ck_own_words(const struct rig_reply *r, const struct refusal *f)
{
  size_t len = strlen(f->error) - 3;
  ck_assert_msg(r->len == len && memcmp(r->text, f->error + 1, len) == 0, "%s is not %s", r->text,
                f->error);
}

static void refuse(const struct refusal *f, long k)
{
  struct proxy_fault fault = {.verb = PROXY_INSTEAD, .k = k, .text = f->error};
  through_side("FLUSHALL");
  through_side("SET g seed");
  proxy_arm(through.proxy, &fault, 1);
}

START_TEST(every_text_at_every_call)
{
  static const char *const lines[] = {"GET g", "SET s v", "INCR n", "SET s v NX"};
  struct rig_reply r[4];
  struct rig_asked a;
  through_begin(NULL, _i % 2, NULL);
  ck_ask("PING", "PONG");
  rig_ask(&through.rig, &a, 0, 2000, "PING");
  ck_assert_int_eq(rig_answers(&a, 5000, r), 0);
  for (int i = 0; i < REFUSALS; i++) {
    const struct refusal *f = &refusals[i];
    for (int j = 0; j < 4; j++) {
      refuse(f, 0);
      if (_i < 2) {
        r[0] = ask(lines[j]);
      } else {
        rig_ask(&through.rig, &a, 0, 2000, lines[j]);
        ck_assert_int_eq(rig_answers(&a, 5000, r), 0);
      }
      ck_fate(r[0], LARDER_REFUSED, f->cause);
      ck_own_words(&r[0], f);
      ck_assert_int_eq(r[0].verdict.origin, LARDER_FROM_REDIS);
      ck_assert_int_eq(proxy_requests(through.proxy), 1); /* told, never tried again */
      ck_side("EXISTS s n", "0");
    }
  }
  ck_ask("GET g", "seed");
  ck_assert_int_eq(proxy_accepted(through.proxy), 2);
  through_end();
}
END_TEST

START_TEST(every_text_in_a_batch)
{
  struct rig_reply r[4];
  through_begin(NULL, 0, NULL);
  ck_ask("PING", "PONG");
  for (int i = 0; i < REFUSALS; i++)
    for (long k = 0; k < 3; k++) {
      refuse(&refusals[i], k);
      rig_run_many(&through.rig, NULL, 0, 2000, "INCR n|GET g|SET s v", r);
      for (long j = 0; j < 3; j++)
        if (j == k) {
          ck_fate(r[j], LARDER_REFUSED, refusals[i].cause);
          ck_own_words(&r[j], &refusals[i]);
        } else {
          ck_fate(r[j], LARDER_OK, LARDER_CAUSE_NONE);
        }
      ck_side("GET n", k == 0 ? "nil" : "1");
      ck_side("GET s", k == 2 ? "nil" : "v");
    }
  ck_assert_int_eq(proxy_accepted(through.proxy), 1);
  through_end();
}
END_TEST

/* EXEC itself is refused: nothing was applied.  MULTI alone is refused, what follows it is not: it
 * ran by itself, and whoever asked for all or nothing is told that nobody knows. */
START_TEST(every_text_in_a_transaction)
{
  through_begin(NULL, 0, NULL);
  ck_ask("PING", "PONG");
  for (int i = 0; i < REFUSALS; i++) {
    struct rig_reply r;
    struct proxy_fault exec = {.verb = PROXY_REPLACE, .k = 3, .text = refusals[i].error};
    through_side("FLUSHALL");
    proxy_arm(through.proxy, &exec, 1);
    r = rig_run_with(&through.rig, NULL, LARDER_CALL_ATOMIC, 2000, "INCR n|SET s v");
    ck_fate(r, LARDER_REFUSED, refusals[i].cause);
    ck_own_words(&r, &refusals[i]);
    refuse(&refusals[i], 0);
    r = rig_run_with(&through.rig, NULL, LARDER_CALL_ATOMIC, 2000, "INCR n|SET s v");
    ck_assert_int_eq(r.verdict.outcome, LARDER_UNKNOWN);
    ck_side("GET n", "1");
  }
  ck_ask("PING", "PONG");
  through_end();
}
END_TEST

/* --- a server in that state ------------------------------------------------------------ */

START_TEST(a_replica_refuses_writes_and_answers_reads)
{
  through_begin(NULL, 0, NULL);
  ck_ask("SET g seed", "OK");
  char words[64];
  snprintf(words, sizeof words, "REPLICAOF 127.0.0.1 %d", server_free_port());
  ck_side(words, "OK");
  struct rig_reply r = ask("SET s v");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_CAPACITY);
  ck_assert_msg(begins_with(r.text, "READONLY "), "%s", r.text);
  ck_ask("GET g", "seed");
  r = rig_run_with(&through.rig, NULL, LARDER_CALL_ATOMIC, 2000, "GET g|SET s v");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_CAPACITY);
  ck_ask("GET g", "seed"); /* the transaction that was not one has left nothing behind */
  ck_side("CONFIG SET replica-serve-stale-data no", "OK");
  r = ask("GET g");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_SERVER);
  ck_assert_msg(begins_with(r.text, "MASTERDOWN "), "%s", r.text);
  ck_side("REPLICAOF NO ONE", "OK");
  ck_ask("SET s v", "OK");
  ck_assert_int_eq(proxy_accepted(through.proxy), 1);
  through_end();
}
END_TEST

START_TEST(a_full_server_refuses_writes_and_answers_reads)
{
  through_begin(NULL, 0, NULL);
  ck_ask("SET g seed", "OK");
  ck_side("CONFIG SET maxmemory 1", "OK");
  struct rig_reply r = ask("SET s v");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_CAPACITY);
  ck_assert_msg(begins_with(r.text, "OOM "), "%s", r.text);
  r = rig_run_with(&through.rig, NULL, LARDER_CALL_ATOMIC, 2000, "SET s v|INCR n");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_CAPACITY);
  ck_ask("GET g", "seed");
  ck_side("CONFIG SET maxmemory 0", "OK");
  ck_side("EXISTS s n", "0");
  ck_side("CONFIG SET min-replicas-to-write 1", "OK");
  r = ask("SET s v");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_CAPACITY);
  ck_assert_msg(begins_with(r.text, "NOREPLICAS "), "%s", r.text);
  ck_ask("GET g", "seed");
  ck_side("CONFIG SET min-replicas-to-write 0", "OK");
  ck_ask("SET s v", "OK");
  through_end();
}
END_TEST

START_TEST(a_cluster_without_slots_refuses)
{
  struct server_options options = {.config = "cluster-enabled yes\n"};
  through_begin(&options, 0, NULL);
  struct rig_reply r = ask("SET s v");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_SERVER);
  ck_assert_msg(begins_with(r.text, "CLUSTERDOWN "), "%s", r.text);
  ck_ask("PING", "PONG");
  through_end();
}
END_TEST

START_TEST(a_busy_server_refuses)
{
  through_begin(NULL, 0, NULL);
  ck_ask("SET g seed", "OK");
  ck_side("CONFIG SET busy-reply-threshold 20", "OK");
  struct resp_client *script = server_connect(through.server, 2);
  resp_append(script, 3, (const char *const[]){"EVAL", "while true do end", "0"}, NULL);
  ck_assert_int_eq(resp_flush(script), 0);
  rig_sleep(200);
  struct rig_reply r = ask("GET g");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_SERVER);
  ck_assert_msg(begins_with(r.text, "BUSY "), "%s", r.text);
  ck_side("SCRIPT KILL", "OK");
  through_heals("GET g", "seed", 2000);
  resp_close(script);
  through_end();
}
END_TEST

static void as_guest(struct lrd_config *c)
{
  c->user = (char *)"guest";
  c->password = (char *)"sesame";
}

START_TEST(what_a_user_may_not_do)
{
  through_prepare(NULL, 0);
  ck_side("ACL SETUSER guest on >sesame ~g* +@all -set", "OK");
  ck_side("SET g seed", "OK");
  ck_side("SET x seed", "OK");
  through_open(as_guest);
  ck_ask("GET g", "seed");
  struct rig_reply r = ask("SET g v");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_AUTH);
  ck_assert_msg(begins_with(r.text, "NOPERM ") && !strstr(r.text, "sesame"), "%s", r.text);
  ck_fate(ask("GET x"), LARDER_REFUSED, LARDER_CAUSE_AUTH);
  ck_ask("GET g", "seed");
  ck_assert_int_eq(proxy_accepted(through.proxy), 1); /* no storm */
  through_end();
}
END_TEST

/* An error while queueing: nothing is applied, the reason is told, the connection is clean. */
START_TEST(a_command_that_is_not_queued)
{
  through_begin(NULL, 0, NULL);
  struct rig_reply r =
    rig_run_with(&through.rig, NULL, LARDER_CALL_ATOMIC, 2000, "INCR n|SET s|INCR n");
  ck_fate(r, LARDER_REFUSED, LARDER_CAUSE_CALLER);
  ck_assert_msg(begins_with(r.text, "EXECABORT ") && strstr(r.text, "wrong number of arguments"),
                "%s", r.text);
  ck_side("EXISTS n", "0");
  ck_ask("INCR n", "1");
  ck_side("GET n", "1"); /* not QUEUED */
  ck_assert_int_eq(proxy_accepted(through.proxy), 1);
  through_end();
}
END_TEST

/* --- replies that do not end ----------------------------------------------------------- */

/* The server drops a client that reads too slowly for it: an error, never a short value. */
START_TEST(a_reply_over_the_servers_limit)
{
  enum { SIZE = 64 << 20 };
  through_begin(NULL, 0, NULL);
  ck_ask("PING", "PONG");
  char words[64];
  snprintf(words, sizeof words, "SETRANGE big %d x", SIZE - 1);
  through_side(words);
  struct resp *r = resp_words(through.side, "CONFIG", "SET", "client-output-buffer-limit",
                              "normal 1048576 1048576 1", NULL);
  ck_assert_int_eq(r->type, RESP_STATUS);
  resp_free(r);
  for (int i = 0; i < 3; i++) {
    struct rig_reply reply = ask("GET big");
    ck_assert_msg(reply.verdict.outcome == LARDER_NO_ANSWER ||
                    (reply.verdict.outcome == LARDER_OK && reply.len == SIZE),
                  "%d %zu", (int)reply.verdict.outcome, reply.len);
  }
  ck_ask("PING", "PONG");
  through_end();
}
END_TEST

/* In slices of a byte, and in drops: the same as whole. */
START_TEST(slices_and_drops_change_nothing)
{
  through_begin(NULL, _i, NULL);
  ck_ask("PING", "PONG");
  ck_side("RPUSH l a bb ccc", "3");
  ck_side("HSET h f v", "1");
  proxy_set_slice(through.proxy, 1);
  for (int round = 0; round < 2; round++) {
    struct proxy_fault drip = {.verb = PROXY_DRIP, .number = 1};
    ck_ask("LRANGE l 0 -1", "a bb ccc");
    ck_ask("HGETALL h", "f v");
    ck_ask("GET nothing", "nil");
    struct rig_reply r =
      rig_run_with(&through.rig, NULL, LARDER_CALL_ATOMIC, 2000, "LLEN l|HGET h f|INCR l");
    ck_assert_msg(begins_with(r.text, "3 v WRONGTYPE"), "%s", r.text);
    proxy_set_slice(through.proxy, 0);
    proxy_arm(through.proxy, &drip, 1);
  }
  ck_assert_int_eq(proxy_accepted(through.proxy), 1);
  through_end();
}
END_TEST

/* A reply that comes twice is an answer to nobody. */
START_TEST(a_doubled_reply)
{
  char words[32], text[32];
  through_begin(NULL, _i, NULL);
  ck_ask("PING", "PONG");
  for (int i = 0; i < 20; i++) {
    struct proxy_fault twice = {.verb = PROXY_TWICE};
    snprintf(words, sizeof words, "SET k v%d", i);
    through_side(words);
    proxy_arm(through.proxy, &twice, 1);
    struct rig_reply r = ask("GET k");
    snprintf(text, sizeof text, "v%d", i);
    ck_assert_str_eq(r.text, text);
    snprintf(words, sizeof words, "SET k w%d", i);
    through_side(words);
    if (i % 2)
      rig_sleep(3); /* else the next call meets the bytes on their way */
    r = ask("GET k");
    snprintf(text, sizeof text, "w%d", i);
    ck_assert_msg(strcmp(r.text, text) == 0 || r.verdict.outcome == LARDER_NO_ANSWER, "%d %s",
                  (int)r.verdict.outcome, r.text);
    through_heals("GET k", text, 3000);
  }
  through_end();
}
END_TEST

/* One reply is missing for ever: those behind it are one place off, so nobody may get any of them, and
 * the service must come back although the connection is busy all the time. */
START_TEST(a_missing_reply)
{
  struct proxy_fault swallow = {.verb = PROXY_SWALLOW};
  char words[32], text[32];
  through_begin(NULL, 0, NULL);
  ck_ask("PING", "PONG");
  proxy_arm(through.proxy, &swallow, 1);
  struct rig_reply first = rig_run_with(&through.rig, NULL, 0, 50, "GET k");
  ck_assert_int_eq(first.verdict.outcome, LARDER_NO_ANSWER);
  int64_t until = rig_now_ms() + 3000;
  int good = 0;
  for (int i = 0; good < 3; i++) {
    ck_assert_msg(rig_now_ms() < until, "the connection never recovers");
    snprintf(words, sizeof words, "SET k v%d", i);
    through_side(words);
    struct rig_reply r = rig_run_with(&through.rig, NULL, 0, 50, "GET k");
    snprintf(text, sizeof text, "v%d", i);
    if (r.verdict.outcome == LARDER_OK)
      ck_assert_str_eq(r.text, text);
    good = r.verdict.outcome == LARDER_OK ? good + 1 : 0;
  }
  through_end();
}
END_TEST

static void patient(struct lrd_config *config)
{
  config->connect_timeout = 1000 * LRD_NS_PER_MS;
}

/* Each reply comes in time to show that the server is there, but after its caller has given up: no
 * reason to cut off who still waits behind them. */
START_TEST(a_slow_server)
{
  enum { SLOW = 5 }; /* each 300 ms: 30 bytes */
  struct proxy_fault drip = {.verb = PROXY_DRIP, .number = 10};
  struct rig_submission warm, slow[SLOW], last;
  through_begin(NULL, 0, patient);
  through_side("SET k twenty-three.characters");
  rig_submit(&through.rig, &warm, LARDER_CALL_PROBE, 5000, "PING");
  ck_assert_int_eq(rig_wait(&warm, 5000), 0);
  proxy_arm(through.proxy, &drip, 1);
  for (int i = 0; i < SLOW; i++)
    rig_submit(&through.rig, &slow[i], 0, 50, "GET k");
  rig_submit(&through.rig, &last, 0, 5000, "INCR n");
  for (int i = 0; i < SLOW; i++) {
    ck_assert_int_eq(rig_wait(&slow[i], 5000), 0);
    ck_assert_int_eq(slow[i].count.last.outcome, LARDER_NO_ANSWER);
  }
  ck_assert_int_eq(rig_wait(&last, 6000), 0);
  ck_assert_int_eq(last.count.last.outcome, LARDER_OK);
  ck_side("GET n", "1");
  through_end();
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("refusals");
  TCase *t = tcase_create("refusals");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, every_text_at_every_call, 0, 3);
  tcase_add_test(t, every_text_in_a_batch);
  tcase_add_test(t, every_text_in_a_transaction);
  tcase_add_test(t, a_replica_refuses_writes_and_answers_reads);
  tcase_add_test(t, a_full_server_refuses_writes_and_answers_reads);
  tcase_add_test(t, a_cluster_without_slots_refuses);
  tcase_add_test(t, a_busy_server_refuses);
  tcase_add_test(t, what_a_user_may_not_do);
  tcase_add_test(t, a_command_that_is_not_queued);
  tcase_add_test(t, a_reply_over_the_servers_limit);
  tcase_add_loop_test(t, slices_and_drops_change_nothing, 0, 2);
  tcase_add_loop_test(t, a_doubled_reply, 0, 2);
  tcase_add_test(t, a_missing_reply);
  tcase_add_test(t, a_slow_server);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
