/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <larder.h>

#include "remote/rig.h"
#include "support/check.h"
#include "support/peer.h"
#include "support/server.h"

/* User and password: where they come from, and where they must not come out. */

static const char secret[] = "hush-hush-secret";

/* --- everything that a store says ------------------------------------------------------ */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char said[256 * 1024];
static size_t said_len;

static void say(const void *bytes, size_t len)
{
  pthread_mutex_lock(&mutex);
  if (len > sizeof said - said_len)
    len = sizeof said - said_len;
  memcpy(said + said_len, bytes, len);
  said_len += len;
  pthread_mutex_unlock(&mutex);
}

static void on_event(void *context, const larder_event *event)
{
  (void)context;
  say(event->text, strlen(event->text));
  for (size_t i = 0; i < event->fields; i++)
    say(event->value[i], strlen(event->value[i]));
}

static void say_reply(larder *store, int argc, const char *const *argv)
{
  larder_reply *r = larder_argv(store, argc, argv, NULL);
  say(r->value.str ? r->value.str : "", r->value.str ? r->value.len : 0);
  larder_reply_free(r);
}

/* --- memory that is looked through when it is given back ------------------------------- */

static atomic_int found;

static void look(const void *block, size_t size)
{
  if (memmem(block, size, secret, strlen(secret)))
    atomic_fetch_add(&found, 1);
}

static void *allocate(void *context, size_t size)
{
  (void)context;
  return malloc(size);
}

static void release(void *context, void *block, size_t size)
{
  (void)context;
  look(block, size);
  free(block);
}

/* Always to another place, as realloc may. */
static void *resize(void *context, void *block, size_t old_size, size_t size)
{
  void *moved = malloc(size);
  if (!moved)
    return NULL;
  memcpy(moved, block, old_size < size ? old_size : size);
  release(context, block, old_size);
  return moved;
}

static const larder_memory looking = {allocate, resize, release, NULL};

/* --- never shown ----------------------------------------------------------------------- */

#define QUOTED "'joe' 'hush-hush-secret'"

static const char *const answers[] = {
  "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
  "-ERR unknown command 'AUTH', with args beginning with: " QUOTED " \r\n",
  "-ERR unknown command `AUTH`, with args beginning with: `joe`, `hush-hush-secret`, \r\n",
  "-ERR unknown command 'AUTH', with args beginning with: 'joe' 'hush-hush-sec\r\n",
  "-ERR no hush-hush-secret here\r\n",
  "-hush-hush-secret\r\n",
  "-DENIED joe hush-hush-secret\r\n",
  "+hush-hush-secret\r\n",
  "hush-hush-secret\r\n",
  "$-5hush-hush-secret\r\n",
  "$3\r\nhush-hush-secret\r\n",
};

static void ck_silent(const char *url, larder_options *o)
{
  char error[LARDER_ERROR_SIZE] = "";
  o->event = on_event;
  larder *store = larder_open(url, o, error, sizeof error);
  say(error, strlen(error));
  if (store) {
    larder_status status = {.size = sizeof status};
    for (int i = 0; i < 3; i++)
      say_reply(store, 2, (const char *const[]){"GET", "key"});
    say_reply(store, 1, (const char *const[]){"INFO"});
    ck_assert_int_eq(larder_get_status(store, &status), LARDER_OK);
    say(&status, sizeof status);
    larder_close(store, 0);
  }
  ck_assert_uint_gt(said_len, 20);
  ck_assert_ptr_null(memmem(said, said_len, "hush-hush", 9));
}

START_TEST(never_shown)
{
  static const struct peer_step script[] = {PEER_SERVE(0)};
  const char *const replies[][2] = {{"AUTH", answers[_i / 3]}, {NULL, NULL}};
  char url[200];
  struct peer *peer = peer_start(&(struct peer_options){.reply = replies}, script, 1);
  larder_options o = LARDER_OPTIONS_INIT;
  o.timeout_ms = o.connect_timeout_ms = 2000;
  o.required = _i % 3 == 2 ? LARDER_YES : LARDER_UNSET;
  snprintf(url, sizeof url, "redis://joe:%s@127.0.0.1:%d/?fallback=%s", secret, peer_port(peer),
           _i % 3 ? "none" : "memory");
  ck_silent(url, &o);
  ck_assert_int_ge(peer_connections(peer), 1);
  peer_stop(peer, NULL, 0);
}
END_TEST

START_TEST(not_shown_where_nobody_is)
{
  char url[200];
  larder_options o = LARDER_OPTIONS_INIT;
  o.timeout_ms = o.connect_timeout_ms = 200;
  snprintf(url, sizeof url, "redis://joe:%s@127.0.0.1:%d", secret, server_free_port());
  ck_silent(url, &o);
}
END_TEST

/* --- wiped ----------------------------------------------------------------------------- */

static atomic_int asked;
static char current[64];

static int give(void *context, larder_credentials *out)
{
  (void)context;
  atomic_fetch_add(&asked, 1);
  pthread_mutex_lock(&mutex);
  snprintf(out->password, sizeof out->password, "%s", current);
  pthread_mutex_unlock(&mutex);
  return 0;
}

static void rotate_to(const char *password)
{
  pthread_mutex_lock(&mutex);
  snprintf(current, sizeof current, "%s", password);
  pthread_mutex_unlock(&mutex);
}

static void ck_set(larder *store)
{
  larder_reply *r = larder_command(store, "SET a 1");
  ck_assert_msg(r->outcome == LARDER_OK, "%d %s", (int)r->outcome, r->value.str);
  larder_reply_free(r);
}

/* From the URL, the struct, the environment, the callback: 0 .. 3. */
static larder *open_from(int source, struct server *server, larder_options *o)
{
  char url[200], error[LARDER_ERROR_SIZE] = "";
  snprintf(url, sizeof url, "redis://%s%s%s127.0.0.1:%d/?fallback=none", source ? "" : ":",
           source ? "" : secret, source ? "" : "@", server_port(server));
  o->timeout_ms = o->connect_timeout_ms = 5000;
  o->memory = &looking;
  o->required = LARDER_YES;
  if (source == 1)
    o->password = secret;
  if (source == 2)
    setenv("REDIS_PASSWORD", secret, 1);
  if (source == 3)
    o->credentials = give;
  larder *store = larder_open(url, o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  return store;
}

START_TEST(every_source_works_and_is_wiped)
{
  larder_options o = LARDER_OPTIONS_INIT;
  struct server *server = server_start(&(struct server_options){.password = secret});
  rotate_to(secret);
  larder *store = open_from(_i, server, &o);
  ck_set(store);
  server_restart(server);
  ck_set(store);
  larder_close(store, 0);
  ck_assert_int_eq(atomic_load(&found), 0);
  server_stop(server);
}
END_TEST

/* Refused, cut and never answered: wiped too. */
START_TEST(wiped_when_it_fails)
{
  static const struct peer_step cut[] = {PEER_ACCEPT, PEER_READ(10), PEER_CLOSE, PEER_SERVE(0)};
  static const struct peer_step refused[] = {PEER_SERVE(0)};
  static const struct peer_step silent[] = {PEER_ACCEPT, PEER_READ(10), PEER_GONE, PEER_SERVE(0)};
  static const struct {
    const struct peer_step *script;
    size_t steps;
  } scripts[] = {{cut, 4}, {refused, 1}, {silent, 4}};
  static const char *const replies[][2] = {{"AUTH", "-WRONGPASS no\r\n"}, {NULL, NULL}};
  char url[200];
  struct peer *peer = peer_start(&(struct peer_options){.reply = replies}, scripts[_i / 2].script,
                                 scripts[_i / 2].steps);
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &looking;
  o.timeout_ms = o.connect_timeout_ms = 200;
  rotate_to(secret);
  o.credentials = _i % 2 ? give : NULL;
  snprintf(url, sizeof url, "redis://%s%s%s127.0.0.1:%d/?fallback=none&max_retries=0",
           _i % 2 ? "" : ":", _i % 2 ? "" : secret, _i % 2 ? "" : "@", peer_port(peer));
  larder *store = larder_open(url, &o, NULL, 0);
  ck_assert_ptr_nonnull(store);
  say_reply(store, 2, (const char *const[]){"GET", "key"});
  larder_close(store, 0);
  ck_assert_int_ge(peer_connections(peer), 1);
  peer_stop(peer, NULL, 0);
  ck_assert_int_eq(atomic_load(&found), 0);
}
END_TEST

/* --- the callback ---------------------------------------------------------------------- */

START_TEST(rotated)
{
  larder_options o = LARDER_OPTIONS_INIT;
  struct server *server = server_start(&(struct server_options){.password = "first"});
  rotate_to("first");
  larder *store = open_from(3, server, &o);
  ck_set(store);
  int before = atomic_load(&asked);
  ck_set(store);
  ck_assert_int_eq(atomic_load(&asked), before); /* a connection that stands isn't asked */
  server_set_password(server, "second");
  server_restart(server);
  larder_reply *r = larder_command(store, "SET a 1"); /* still the first */
  ck_assert_int_eq(r->outcome, LARDER_REFUSED);
  larder_reply_free(r);
  rotate_to("second");
  int ok = 0;
  for (int i = 0; i < 100 && !ok; i++, usleep(20000)) {
    r = larder_command(store, "SET a 1");
    ok = r->outcome == LARDER_OK;
    larder_reply_free(r);
  }
  ck_assert(ok);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

static int give_nothing(void *context, larder_credentials *out)
{
  (void)context;
  memset(out, 'x', sizeof *out);
  return -1;
}

START_TEST(a_callback_that_has_nothing)
{
  char url[100];
  struct server *server = server_start(NULL);
  larder_options o = LARDER_OPTIONS_INIT;
  o.timeout_ms = 1000;
  o.credentials = give_nothing;
  snprintf(url, sizeof url, "%s?fallback=%s", server_url(server), _i ? "memory" : "none");
  larder *store = larder_open(url, &o, NULL, 0);
  ck_assert_ptr_nonnull(store);
  larder_reply *r = larder_command(store, "SET a 1");
  ck_assert_int_eq(r->outcome, _i ? LARDER_REFUSED : LARDER_NOT_SENT); /* as with a wrong one */
  ck_assert_msg(strstr(r->value.str, "callback"), "%s", r->value.str);
  larder_reply_free(r);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

static int give_slowly(void *context, larder_credentials *out)
{
  usleep(500000);
  return give(context, out);
}

START_TEST(a_callback_that_takes_its_time)
{
  char url[100];
  struct server *server = server_start(NULL);
  larder_options o = LARDER_OPTIONS_INIT;
  o.timeout_ms = 100;
  o.connect_timeout_ms = 5000;
  o.credentials = give_slowly;
  o.connections = 1;
  rotate_to(""); /* none: no AUTH */
  snprintf(url, sizeof url, "%s?fallback=none", server_url(server));
  larder *store = larder_open(url, &o, NULL, 0);
  ck_assert_ptr_nonnull(store);
  int64_t begun = rig_now_ms();
  larder_reply *r = larder_command(store, "SET a 1");
  ck_assert_int_eq(r->outcome, LARDER_NOT_SENT);
  ck_assert_int_lt(rig_now_ms() - begun, 200);
  larder_reply_free(r);
  usleep(700000);
  ck_set(store);
  larder_close(store, 0);
  server_stop(server);
}
END_TEST

static TCase *tests(void)
{
  TCase *c = tcase_create("secret");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, never_shown, 0, 3 * (int)(sizeof answers / sizeof *answers));
  tcase_add_test(c, not_shown_where_nobody_is);
  tcase_add_loop_test(c, every_source_works_and_is_wiped, 0, 4);
  tcase_add_loop_test(c, wiped_when_it_fails, 0, 6);
  tcase_add_test(c, rotated);
  tcase_add_loop_test(c, a_callback_that_has_nothing, 0, 2);
  tcase_add_test(c, a_callback_that_takes_its_time);
  return c;
}

int main(void)
{
  server_require();
  unsetenv("REDIS_PASSWORD");
  unsetenv("REDIS_USERNAME");
  Suite *s = suite_create("secret");
  suite_add_tcase(s, tests());
  return run_suite(s);
}
