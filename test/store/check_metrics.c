/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <larder.h>
#include <larder/metrics.h>
#include <larder/session.h>
#include <larder/subscriber.h>

#include "support/check.h"
#include "support/server.h"

/* The exposition, read as strictly as its format is written down, beside a real redis-server. */

static char text[1 << 18];

struct sample {
  char family[96], name[96], labels[400];
  double value;
};
static struct sample sample[2000];
static size_t samples;

static const char *name_end(const char *p)
{
  return p + strspn(p, "abcdefghijklmnopqrstuvwxyz_");
}

/* {name="value",...}: behind it. */
static const char *skip_labels(const char *p)
{
  if (*p != '{')
    return p;
  do {
    const char *end = name_end(++p);
    ck_assert_msg(end > p && end[0] == '=' && end[1] == '"', "label at: %.60s", p);
    for (p = end + 2; *p != '"'; p++) {
      ck_assert_msg(*p && *p != '\n', "a label does not end");
      if (*p == '\\') {
        p++;
        ck_assert_msg(*p == '\\' || *p == '"' || *p == 'n', "escape at: %.60s", p);
      }
    }
  } while (*++p == ',');
  ck_assert_msg(*p == '}', "labels at: %.60s", p);
  return p + 1;
}

static int has_suffix(const char *name, size_t len, const char *type)
{
  const char *rest = name + len;
  if (strcmp(type, "histogram") == 0)
    return !strcmp(rest, "_bucket") || !strcmp(rest, "_sum") || !strcmp(rest, "_count");
  if (strcmp(type, "summary") == 0)
    return !*rest || !strcmp(rest, "_sum") || !strcmp(rest, "_count");
  return !*rest;
}

static void read_sample(char *line, const char *family, const char *type)
{
  struct sample *s = &sample[samples++];
  char *end, *labels = line + (name_end(line) - line);
  const char *behind = skip_labels(labels);
  ck_assert_msg(samples < sizeof sample / sizeof *sample && behind[0] == ' ', "%s", line);
  s->value = strtod(behind + 1, &end);
  ck_assert_msg(end > behind + 1 && *end == '\0', "value of %s", line);
  snprintf(s->family, sizeof s->family, "%s", family);
  snprintf(s->name, sizeof s->name, "%.*s", (int)(labels - line), line);
  snprintf(s->labels, sizeof s->labels, "%.*s", (int)(behind - labels), labels);
  ck_assert_msg(strncmp(s->name, family, strlen(family)) == 0 &&
                    has_suffix(s->name, strlen(family), type),
                "%s in family %s", line, family);
  for (size_t i = 0; i + 1 < samples; i++)
    ck_assert_msg(strcmp(sample[i].name, s->name) || strcmp(sample[i].labels, s->labels),
                  "twice: %s", line);
  if (strcmp(type, "counter") == 0)
    ck_assert_msg(strcmp(family + strlen(family) - 6, "_total") == 0, "%s", family);
}

/* HELP, TYPE, its samples; no family twice. */
static void parse(void)
{
  char family[96] = "", type[16] = "", *line, *rest = text;
  samples = 0;
  ck_assert(*text && text[strlen(text) - 1] == '\n');
  while ((line = strsep(&rest, "\n")) && *line) {
    if (strncmp(line, "# HELP ", 7) == 0) {
      int len = (int)(name_end(line + 7) - line - 7);
      snprintf(family, sizeof family, "%.*s", len, line + 7);
      ck_assert_msg(strncmp(family, "larder_", 7) == 0 && line[7 + len] == ' ', "%s", line);
      for (size_t i = 0; i < samples; i++)
        ck_assert_msg(strcmp(sample[i].family, family), "family %s twice", family);
      line = strsep(&rest, "\n");
      ck_assert_msg(strncmp(line, "# TYPE ", 7) == 0 &&
                        strncmp(line + 7, family, (size_t)len) == 0 && line[7 + len] == ' ',
                    "%s", line);
      snprintf(type, sizeof type, "%s", line + 8 + len);
      ck_assert_msg(strstr("counter gauge histogram summary", type), "%s", line);
    } else {
      read_sample(line, family, type);
    }
  }
  ck_assert_msg(!rest || !*rest, "an empty line");
}

static void scrape(larder *store)
{
  size_t len = larder_metrics(store, text, sizeof text);
  ck_assert_uint_lt(len, sizeof text);
  ck_assert_uint_eq(len, strlen(text));
  parse();
}

static const struct sample *find(const char *name, const char *labels)
{
  for (size_t i = 0; i < samples; i++)
    if (strcmp(sample[i].name, name) == 0 && strcmp(sample[i].labels, labels) == 0)
      return &sample[i];
  return NULL;
}

static double value_of(const char *name, const char *labels)
{
  const struct sample *s = find(name, labels);
  ck_assert_msg(s != NULL, "no %s%s", name, labels);
  return s->value;
}

/* Bounds rise, counts don't fall, the last is +Inf and equals _count. */
static void check_histogram(const char *family)
{
  char name[128];
  double bound = -1, count = 0;
  int infinite = 0;
  snprintf(name, sizeof name, "%s_bucket", family);
  for (size_t i = 0; i < samples; i++) {
    if (strcmp(sample[i].name, name))
      continue;
    ck_assert_int_eq(strncmp(sample[i].labels, "{le=\"", 5), 0);
    double le = strtod(sample[i].labels + 5, NULL);
    infinite = strstr(sample[i].labels, "+Inf") != NULL;
    ck_assert(le > bound && sample[i].value >= count);
    bound = le;
    count = sample[i].value;
  }
  ck_assert(infinite);
  snprintf(name, sizeof name, "%s_count", family);
  ck_assert_double_eq(value_of(name, ""), count);
  snprintf(name, sizeof name, "%s_sum", family);
  value_of(name, "");
}

static larder *open_store(const char *url, const char *query)
{
  char whole[400], why[LARDER_ERROR_SIZE];
  snprintf(whole, sizeof whole, "%s%s", url, query);
  larder *store = larder_open(whole, NULL, why, sizeof why);
  ck_assert_msg(store != NULL, "%s", why);
  return store;
}

static void run(larder *store, const char *command, larder_outcome outcome)
{
  larder_reply *r = larder_command(store, command);
  ck_assert_msg(r->outcome == outcome, "%s: %s", command, larder_outcome_name(r->outcome));
  larder_reply_free(r);
}

START_TEST(in_process)
{
  larder *store = open_store("memory:", "?prefix=a%22b%5c");
  run(store, "SET k v", LARDER_OK);
  run(store, "GET nothing", LARDER_ABSENT);
  scrape(store);
  ck_assert_double_eq(value_of("larder_calls_total", "{outcome=\"OK\"}"), 1);
  ck_assert_double_eq(value_of("larder_calls_total", "{outcome=\"ABSENT\"}"), 1);
  ck_assert_double_eq(value_of("larder_answers_total", "{origin=\"local\"}"), 2);
  ck_assert_double_eq(value_of("larder_state", "{state=\"up\"}"), 1);
  ck_assert_double_eq(value_of("larder_keys", ""), 1);
  ck_assert_double_gt(value_of("larder_memory_bytes", ""), 0);
  ck_assert_ptr_nonnull(find("larder_info", "{version=\"" LARDER_VERSION
                                            "\",backend=\"memory\",address=\"\",prefix=\"a\\\"b\\\\\"}"));
  ck_assert_ptr_null(find("larder_commands_sent_total", ""));
  larder_close(store, 0);
}
END_TEST

/* As snprintf: what doesn't fit is counted, never written. */
START_TEST(sizes)
{
  larder *store = open_store("memory:", "");
  size_t len = larder_metrics(store, NULL, 0);
  char *whole = malloc(len + 64), *part = malloc(len + 64);
  len = larder_metrics(store, whole, len + 64);
  for (size_t size = 0; size < 300; size++) {
    memset(part, '#', len);
    ck_assert_uint_ge(larder_metrics(store, part, size) + 8, len);
    ck_assert_int_eq(part[size], '#');
    if (size) {
      ck_assert_uint_eq(strlen(part), size - 1);
      ck_assert_int_eq(strncmp(part, whole, size - 1), 0);
    }
  }
  free(whole);
  free(part);
  larder_close(store, 0);
  ck_assert_uint_eq(larder_metrics(NULL, text, sizeof text), 0);
  ck_assert_str_eq(text, "");
  ck_assert_int_eq(larder_reset_metrics(NULL), LARDER_BAD_ARGUMENT);
}
END_TEST

START_TEST(of_connections)
{
  struct server *server = server_start(NULL);
  larder *store = open_store(server_url(server), "?timeout=5s&fallback=none&connections=1");
  larder_status s = {.size = sizeof s};
  for (int i = 0; i < 100; i++)
    run(store, "SET k v", LARDER_OK);
  scrape(store);
  check_histogram("larder_round_trip_seconds");
  check_histogram("larder_write_commands");
  ck_assert_double_eq(value_of("larder_commands_sent_total", ""), 100);
  ck_assert_double_eq(value_of("larder_round_trip_seconds_count", ""), 100);
  ck_assert_double_eq(value_of("larder_round_trips_total", ""), 100);
  ck_assert_double_eq(value_of("larder_write_commands_bucket", "{le=\"1\"}"), 100);
  ck_assert_double_eq(value_of("larder_sent_bytes_total", ""), 100 * 27); /* *3 $3 SET $1 k $1 v */
  ck_assert_double_eq(value_of("larder_received_bytes_total", ""), 100 * 5); /* +OK */
  ck_assert_double_eq(value_of("larder_replies_owed", ""), 0);
  ck_assert_double_eq(
      value_of("larder_connection_commands_total", "{connection=\"db0-0\"}"), 100);
  ck_assert_double_gt(value_of("larder_connection_round_trip_seconds",
                               "{connection=\"db0-0\",quantile=\"0.5\"}"), 0);
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  ck_assert_uint_eq(s.commands_sent, 100);
  ck_assert_uint_eq(s.round_trips, 100);
  ck_assert_uint_eq(s.bytes_out, 2700);
  ck_assert(s.latency_p50 > 0 && s.latency_p50 <= s.latency_p99 &&
            s.latency_p99 <= s.latency_p9999 && s.latency_p9999 <= s.latency_most);
  server_restart(server);
  larder_reply_free(larder_command(store, "PING")); /* may find the old connection's end */
  run(store, "SET k v", LARDER_OK);
  scrape(store);
  ck_assert_double_ge(value_of("larder_reconnects_total", "{cause=\"cut\"}"), 1);
  ck_assert_double_ge(value_of("larder_disconnects_total", "{cause=\"cut\"}"), 1);
  ck_assert_int_eq(larder_reset_metrics(store), LARDER_OK);
  scrape(store);
  ck_assert_double_eq(value_of("larder_commands_sent_total", ""), 0);
  ck_assert_double_eq(value_of("larder_round_trip_seconds_count", ""), 0);
  ck_assert_double_eq(value_of("larder_reconnects_total", "{cause=\"cut\"}"), 0);
  ck_assert_double_eq(value_of("larder_connections", ""), 1);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

START_TEST(of_a_fallback)
{
  struct server *server = server_start(NULL);
  larder *store = open_store(server_url(server), "?timeout=1s");
  run(store, "SET k v", LARDER_OK);
  server_kill(server);
  run(store, "SET k w", LARDER_OK);
  scrape(store);
  ck_assert_double_eq(value_of("larder_breaker", "{state=\"open\"}"), 1);
  ck_assert_double_eq(value_of("larder_outages_total", ""), 1);
  ck_assert_double_eq(value_of("larder_journal_keys", ""), 1);
  ck_assert_double_eq(value_of("larder_answers_total", "{origin=\"local\"}"), 1);
  check_histogram("larder_round_trip_seconds");
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

/* --- the connection that listens ------------------------------------------------------- */

START_TEST(of_the_one_that_listens)
{
  struct server *server = server_start(NULL);
  larder *store = open_store(server_url(server), "?timeout=5s&fallback=none&connections=1");
  larder_subscriber *sub = larder_subscriber_open(store, NULL, NULL, 0);
  larder_message m;
  ck_assert_int_eq(larder_subscribe(sub, "news", 4), LARDER_OK);
  ck_assert_int_eq(larder_subscriber_next(sub, 20000, &m), LARDER_OK);
  ck_assert_int_eq(m.heard, LARDER_HEARD_READY);
  scrape(store);
  double before = value_of("larder_connection_received_bytes_total", "{connection=\"listen\"}");
  ck_assert_double_eq(value_of("larder_connection_commands_total", "{connection=\"listen\"}"), 1);
  ck_assert_double_eq(value_of("larder_connection_round_trips_total", "{connection=\"listen\"}"), 1);
  ck_assert_double_eq(value_of("larder_connection_sent_bytes_total", "{connection=\"listen\"}"),
                      29); /* *2 $9 SUBSCRIBE $4 news */
  run(store, "PUBLISH news good", LARDER_OK);
  ck_assert_int_eq(larder_subscriber_next(sub, 20000, &m), LARDER_OK);
  scrape(store);
  ck_assert_double_gt(value_of("larder_connection_received_bytes_total",
                               "{connection=\"listen\"}"), before);
  ck_assert_double_eq(value_of("larder_connection_replies_owed", "{connection=\"listen\"}"), 0);
  ck_assert_double_eq(value_of("larder_commands_sent_total", ""), 2);
  larder_subscriber_close(sub);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

/* --- INFO ------------------------------------------------------------------------------ */

static char info[1 << 16];

/* The reply of INFO, with a line end in front of each line. */
static void keep_info(const larder_value *v)
{
  ck_assert_msg(v->type == LARDER_VERBATIM || v->type == LARDER_STRING, "%s", v->str);
  ck_assert_uint_lt(v->len + 3, sizeof info);
  snprintf(info, sizeof info, "\r\n%s", v->str);
}

static void ask_info(larder *store, const char *command)
{
  larder_reply *r = larder_command(store, command);
  keep_info(&r->value);
  ck_assert_int_eq(r->outcome, LARDER_OK);
  larder_reply_free(r);
}

static int says(const char *line)
{
  char whole[200];
  snprintf(whole, sizeof whole, "\r\n%s\r\n", line);
  return strstr(info, whole) != NULL;
}

START_TEST(info_in_process)
{
  static const char *const all[] = {"INFO", "INFO all", "INFO Everything", "INFO stats default"};
  larder *store = open_store("memory:", "");
  run(store, "SET k v", LARDER_OK);
  run(store, "GET nothing", LARDER_ABSENT);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    ask_info(store, all[i]);
    ck_assert_msg(says("# Stats") && says("\r\n# Larder") && says("state:up"), "%s", info);
  }
  ask_info(store, "INFO LARDER");
  ck_assert(!says("# Stats") && says("backend:memory") && says("answers:local=6"));
  ck_assert(says("calls:OK=5,ABSENT=1"));
  ck_assert(!strstr(info, "connections:"));
  ask_info(store, "INFO stats");
  ck_assert(says("# Stats") && !says("# Larder"));
  larder_close(store, 0);
}
END_TEST

/* Counters begin again, what is there stays; as a redis-server's do. */
START_TEST(reset_in_process)
{
  larder *store = open_store("memory:", "");
  run(store, "SET k v", LARDER_OK);
  run(store, "GET k", LARDER_OK);
  run(store, "GET nothing", LARDER_ABSENT);
  ask_info(store, "INFO");
  ck_assert_msg(says("keyspace_hits:1") && says("keyspace_misses:1"), "%s", info);
  run(store, "CONFIG RESETSTAT", LARDER_OK);
  ask_info(store, "INFO");
  ck_assert_msg(says("keyspace_hits:0") && says("keyspace_misses:0"), "%s", info);
  ck_assert(says("db0:keys=1,expires=0,avg_ttl=0"));
  run(store, "GET k", LARDER_OK);
  run(store, "GET k", LARDER_OK);
  ask_info(store, "INFO");
  ck_assert_msg(says("keyspace_hits:2") && says("keyspace_misses:0"), "%s", info);
  larder_close(store, 0);
}
END_TEST

START_TEST(info_of_connections)
{
  struct server *server = server_start(NULL);
  larder *store = open_store(server_url(server), "?timeout=5s&fallback=none&connections=1");
  for (int i = 0; i < 10; i++)
    run(store, "SET k v", LARDER_OK);
  ask_info(store, "INFO larder");
  ck_assert_msg(says("commands_sent:10") && says("round_trips:10") && says("batch_depth:1=10") &&
                    says("bytes_out:270") && says("bytes_in:50") && says("connections:1") &&
                    says("calls:OK=10"), "%s", info);
  ask_info(store, "INFO");
  ck_assert(strstr(info, "redis_build_id") && !says("# Larder"));
  larder_session *s = larder_session_open(store);
  static const char *const lines[] = {"MULTI", "GET k", "INFO larder"};
  for (size_t i = 0; i < 3; i++)
    larder_reply_free(larder_session_command(s, lines[i]));
  larder_reply *r = larder_session_command(s, "EXEC");
  ck_assert_uint_eq(r->value.len, 2);
  ck_assert_str_eq(r->value.element[0].str, "v");
  keep_info(&r->value.element[1]);
  ck_assert(says("# Larder") && says("commands_sent:12"));
  larder_reply_free(r);
  larder_session_close(s);
  server_restart(server);
  larder_reply_free(larder_command(store, "PING"));
  run(store, "SET k v", LARDER_OK);
  ask_info(store, "INFO larder");
  ck_assert_msg(strstr(info, "reconnects_by_cause:cut="), "%s", info);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

/* Programs compiled before the last fields were there. */
START_TEST(older_status)
{
  larder *store = open_store("memory:", "");
  struct {
    larder_status status;
    char behind[8];
  } s;
  memset(&s, '#', sizeof s);
  s.status.size = offsetof(larder_status, round_trips);
  ck_assert_int_eq(larder_get_status(store, &s.status), LARDER_OK);
  ck_assert_uint_eq(s.status.keys, 0);
  ck_assert_int_eq(((const char *)&s.status.round_trips)[0], '#');
  s.status.size = offsetof(larder_status, round_trips) - 1;
  ck_assert_int_eq(larder_get_status(store, &s.status), LARDER_BAD_ARGUMENT);
  s.status.size = sizeof s.status + 1;
  ck_assert_int_eq(larder_get_status(store, &s.status), LARDER_BAD_ARGUMENT);
  larder_close(store, 0);
}
END_TEST

int main(void)
{
  server_require();
  Suite *s = suite_create("metrics");
  TCase *t = tcase_create("metrics");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, in_process);
  tcase_add_test(t, sizes);
  tcase_add_test(t, of_connections);
  tcase_add_test(t, of_a_fallback);
  tcase_add_test(t, of_the_one_that_listens);
  tcase_add_test(t, info_in_process);
  tcase_add_test(t, reset_in_process);
  tcase_add_test(t, info_of_connections);
  tcase_add_test(t, older_status);
  suite_add_tcase(s, t);
  return run_suite(s);
}
