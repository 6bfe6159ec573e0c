/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays that Redis refuses: an access list that denies a key or the marker, sums that
 * would overflow, values that are the keeper's to build.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <larder.h>

#include "support/check.h"
#include "support/server.h"

static struct server *server;
static larder *store;
static atomic_int letters, pauses;

static void count_event(void *unused, const larder_event *e)
{
  (void)unused;
  if (strcmp(e->name, "dead-letter") == 0)
    letters++;
  if (strcmp(e->name, "replay-paused") == 0)
    pauses++;
}

/* A user "app" with these rights, and a store that is this user. */
static void begin(const char *rights)
{
  larder_options o = LARDER_OPTIONS_INIT;
  char config[256], why[LARDER_ERROR_SIZE];
  struct server_options options = {.durable = 1, .config = config};

  snprintf(config, sizeof config, "user app on >secret %s\n", rights);
  server = server_start(&options);
  o.event = count_event;
  o.user = "app";
  o.password = "secret";
  o.timeout_ms = 5000;
  store = larder_open(server_url(server), &o, why, sizeof why);
  ck_assert_msg(store != NULL, "%s", why);
}

static void end(void)
{
  larder_close(store, 0);
  server_stop(server);
}

static void nap(long ms)
{
  struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&t, NULL);
}

static larder_status status_now(void)
{
  larder_status s = {.size = sizeof s};
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  return s;
}

static void settle(void)
{
  larder_status s = status_now();
  for (int i = 0; i < 2000; i++, s = status_now()) {
    if (s.state == LARDER_STATE_UP && !s.journal_keys)
      return;
    nap(10);
  }
  ck_abort_msg("still %s with %llu keys after 20 s: %s %s", larder_state_name(s.state),
               (unsigned long long)s.journal_keys, s.last_error, s.replay_error);
}

static void lose(void)
{
  server_kill(server);
  for (int i = 0; i < 500 && status_now().state != LARDER_STATE_DOWN; i++) {
    larder_reply_free(larder_command(store, "PING"));
    nap(10);
  }
  ck_assert_int_eq(status_now().state, LARDER_STATE_DOWN);
}

static void do_locally(const char *format, ...)
{
  char line[256];
  va_list ap;
  va_start(ap, format);
  vsnprintf(line, sizeof line, format, ap);
  va_end(ap);
  larder_reply *r = larder_command(store, line);
  ck_assert_msg(r->outcome == LARDER_OK && (r->flags & LARDER_JOURNALED), "%s: %s", line,
                larder_outcome_name(r->outcome));
  larder_reply_free(r);
}

static void at_redis(const char *key, const char *expected)
{
  struct resp_client *c = server_connect(server, 2);
  struct resp *r = resp_words(c, "GET", key, NULL);
  ck_assert_ptr_nonnull(r);
  if (expected)
    ck_assert_msg(resp_is_text(r, expected), "%s is %s, not %s", key, r->str, expected);
  else
    ck_assert_msg(r->type == RESP_NIL, "%s is there: %s", key, r->str);
  resp_free(r);
  resp_close(c);
}

static void set_at_redis(const char *key, const char *value)
{
  struct resp_client *c = server_connect(server, 2);
  resp_free(resp_words(c, "SET", key, value, NULL));
  resp_close(c);
}

/* The refused keys are dead letters, and what was written in one step with one of them; all
 * others arrive.  One may be the first, the last, or alone. */
START_TEST(denied_key)
{
  static const int positions[][3] = {{0, 40, 79}, {17, 18, 19}, {79, 79, 79}};
  char key[32];
  begin("+@all ~ok:* ~larder:*");
  settle();
  lose();
  for (int i = 0; i < 80; i++) {
    const int *at = positions[_i];
    do_locally(i % 2 ? "INCR ok:%d" : "SET ok:%d 1", i);
    if (i == at[0] || i == at[1] || i == at[2])
      do_locally(i % 2 ? "INCR no:%d" : "SET no:%d 1", i);
  }
  do_locally("MSET ok:together 1 no:together 1");
  int denied = _i == 2 ? 1 : 3;
  server_restart(server);
  settle();
  for (int i = 0; i < 80; i++) {
    snprintf(key, sizeof key, "ok:%d", i);
    at_redis(key, "1");
    snprintf(key, sizeof key, "no:%d", i);
    at_redis(key, NULL);
  }
  at_redis("ok:together", NULL);
  at_redis("no:together", NULL);
  larder_status s = status_now();
  ck_assert_uint_eq(s.dead_letters, (uint64_t)denied + 2);
  ck_assert_uint_eq(s.dropped, s.dead_letters);
  ck_assert_uint_eq(s.replayed, 80);
  ck_assert_int_gt(letters, 0);
  ck_assert_int_eq(pauses, 0);
  ck_assert_str_eq(s.replay_error, "");
  end();
}
END_TEST

/* Nothing can be replayed without the marker: that is told, and mended by the rights. */
START_TEST(denied_marker)
{
  static const char *const rights[] = {"+@all ~ok:*", "+@all ~ok:* %R~larder:*"};
  begin(rights[_i]);
  settle();
  lose();
  do_locally("INCR ok:n");
  do_locally("SET ok:k v");
  server_restart(server);
  larder_status s = status_now();
  for (int i = 0; i < 2000 && !s.replay_error[0]; i++, s = status_now())
    nap(10);
  ck_assert_msg(strstr(s.replay_error, "NOPERM") != NULL, "%s", s.replay_error);
  ck_assert_int_eq(s.state, LARDER_STATE_REPLAYING);
  ck_assert_uint_eq(s.journal_keys, 2);
  ck_assert_uint_eq(s.dropped, 0);
  nap(500);
  ck_assert_int_eq(pauses, 1);
  struct resp_client *c = server_connect(server, 2);
  resp_free(resp_words(c, "ACL", "SETUSER", "app", "~larder:*", NULL));
  resp_close(c);
  settle();
  at_redis("ok:n", "1");
  at_redis("ok:k", "v");
  s = status_now();
  ck_assert_str_eq(s.replay_error, "");
  ck_assert_uint_eq(s.dropped, 0);
  end();
}
END_TEST

/* An increment that overflows takes none with it that would have been taken. */
START_TEST(overflow)
{
  begin("+@all ~*");
  settle();
  set_at_redis("near", "9223372036854775802");
  set_at_redis("far", "-100");
  lose();
  do_locally("INCRBY near 4611686018427387904");
  do_locally("INCRBY near 2");
  do_locally("INCRBY near 1");
  do_locally("INCRBY far 4611686018427387904");
  do_locally("INCRBY far 4611686018427387903");
  do_locally("DECRBY far 9000000000000000000");
  server_restart(server);
  settle();
  at_redis("near", "9223372036854775805");
  at_redis("far", "223372036854775707");
  ck_assert_uint_eq(status_now().dead_letters, 1);
  end();
}
END_TEST

/* A value that only the keeper may build is there for the call that asks for it. */
START_TEST(whole_values)
{
  begin("+@all ~*");
  settle();
  lose();
  for (int i = 0; i < 50; i++)
    do_locally("SET whole:%d %d", i, i);
  server_restart(server);
  for (int i = 0; i < 2000 && status_now().state == LARDER_STATE_DOWN; i++)
    nap(10);
  for (int i = 49; i >= 0; i--) {
    char key[32], value[32] = "", expected[32];
    size_t n = 0;
    snprintf(key, sizeof key, "whole:%d", i);
    snprintf(expected, sizeof expected, "%d", i);
    ck_assert_int_eq(larder_get(store, key, strlen(key), value, sizeof value - 1, &n), LARDER_OK);
    ck_assert_str_eq(value, expected);
  }
  settle();
  end();
}
END_TEST

/* A user of few rights, and no PING among them. */
START_TEST(few_rights)
{
  begin("~* +@read +@write");
  settle();
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, 0), LARDER_OK);
  at_redis("k", "v");
  lose();
  server_restart(server);
  settle();
  ck_assert_int_eq(larder_set(store, "k", 1, "w", 1, 0), LARDER_OK);
  at_redis("k", "w");
  end();
}
END_TEST

static void ask_redis(struct resp_client *c, const char *want, const char *const words[static 4])
{
  struct resp *r = resp_words(c, words[0], words[1], words[2], words[3], NULL);
  ck_assert_ptr_nonnull(r);
  char *text = resp_text(r);
  ck_assert_msg(strstr(text, want) != NULL, "%s %s: %s", words[0], words[1], text);
  free(text);
  resp_free(r);
}

/* A server that can't save takes no writes, and no PING either: it is read from all the same. */
START_TEST(full_disk)
{
  begin("~* +@all");
  settle();
  ck_assert_int_eq(larder_set(store, "k", 1, "v", 1, 0), LARDER_OK);
  struct resp_client *c = server_connect(server, 2);
  ask_redis(c, "OK", (const char *[]){"CONFIG", "SET", "save", "900 1"});
  ask_redis(c, "OK", (const char *[]){"CONFIG", "SET", "rdbcompression", "no"});
  char path[512];
  snprintf(path, sizeof path, "%s/dump.rdb", server_directory(server));
  ck_assert_int_eq(mkdir(path, 0700), 0);
  ask_redis(c, "saving", (const char *[]){"BGSAVE", NULL, NULL, NULL});
  nap(300);
  ask_redis(c, "MISCONF", (const char *[]){"PING", NULL, NULL, NULL});
  ask_redis(c, "", (const char *[]){"CLIENT", "KILL", "TYPE", "normal"});
  for (int i = 0; i < 300; i++) {
    larder_reply *r = larder_command(store, "GET k");
    if (i > 200)
      ck_assert_msg(r->outcome == LARDER_OK && r->origin == LARDER_FROM_REDIS, "%d: %s from %s",
                    i, larder_outcome_name(r->outcome), larder_origin_name(r->origin));
    larder_reply_free(r);
    nap(5);
  }
  ck_assert_int_eq(status_now().state, LARDER_STATE_UP);
  ck_assert_int_eq(larder_set(store, "k", 1, "w", 1, 0), LARDER_REFUSED);
  resp_close(c);
  end();
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("fallback/refused");
  TCase *c = tcase_create("refused");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, denied_key, 0, 3);
  tcase_add_loop_test(c, denied_marker, 0, 2);
  tcase_add_test(c, overflow);
  tcase_add_test(c, whole_values);
  tcase_add_test(c, few_rights);
  tcase_add_test(c, full_disk);
  suite_add_tcase(suite, c);
  return run_suite(suite);
}
