/* SPDX-License-Identifier: BSD-2-Clause */
#include "outage/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/check.h"

struct server *server;

int64_t now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void nap(int ms)
{
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

void caller_start(void)
{
  static const struct server_options durable = {.durable = 1};
  server = server_start(&durable);
}

void caller_stop(void)
{
  server_stop(server);
}

larder *open_with(const char *query)
{
  char url[256], error[LARDER_ERROR_SIZE] = "";
  snprintf(url, sizeof url, "%s%s%s", server_url(server), query ? "?" : "", query ? query : "");
  larder *store = larder_open(url, NULL, error, sizeof error);
  ck_assert_msg(store != NULL, "%s: %s", url, error);
  return store;
}

struct got run(larder *store, const char *a, const char *b, const char *c, const char *d)
{
  const char *argv[] = {a, b, c, d};
  int argc = 0;
  while (argc < 4 && argv[argc])
    argc++;
  int64_t begin = now_ms();
  larder_reply *r = larder_argv(store, argc, argv, NULL);
  struct got g = {.outcome = r->outcome,
                  .origin = r->origin,
                  .flags = r->flags,
                  .type = (larder_type)r->value.type};
  g.ms = now_ms() - begin;
  if (g.type == LARDER_STRING || g.type == LARDER_STATUS || g.type == LARDER_ERROR)
    snprintf(g.text, sizeof g.text, "%.*s", (int)r->value.len, r->value.str);
  else if (g.type == LARDER_INTEGER)
    g.integer = r->value.integer;
  larder_reply_free(r);
  return g;
}

larder_status status_of(larder *store)
{
  larder_status s = {.size = sizeof s};
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  return s;
}

void await_back(larder *store)
{
  larder_status s = status_of(store);
  for (int waited = 0; waited < BACK_MS; waited += 10) {
    if (s.state == LARDER_STATE_UP && s.journal_keys == 0)
      return;
    nap(10);
    s = status_of(store);
  }
  ck_abort_msg("after %d ms: state %s, %llu keys in the journal, last error: %s", BACK_MS,
               larder_state_name(s.state), (unsigned long long)s.journal_keys, s.last_error);
}

void await_outage(larder *store)
{
  for (int i = 0; i < 200; i++) {
    struct got g = run(store, "SET", "noticed", "yes", NULL);
    ck_assert_msg(g.ms < CALL_LIMIT_MS, "a call took %lld ms", (long long)g.ms);
    if (g.outcome == LARDER_OK && g.origin == LARDER_FROM_LOCAL)
      return;
  }
  ck_abort_msg("200 calls and the outage is not noticed");
}

struct resp_client *direct(void)
{
  return server_connect(server, 3);
}

void check_direct(const char *command, const char *key, const char *expected)
{
  struct resp_client *c = direct();
  struct resp *r = resp_words(c, command, key, NULL);
  char *text = resp_text(r);
  ck_assert_msg(strcmp(text, expected) == 0, "redis-server: %s %s: expected %s, got %s", command,
                key, expected, text);
  free(text);
  resp_free(r);
  resp_close(c);
}
