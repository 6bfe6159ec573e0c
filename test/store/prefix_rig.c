/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/prefix_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

larder *prefix_store(const char *url, const char *prefix)
{
  char error[LARDER_ERROR_SIZE];
  larder_options options = LARDER_OPTIONS_INIT;
  options.prefix = prefix;
  options.timeout_ms = 5000;
  larder *store = larder_open(url, &options, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  return store;
}

larder *prefix_remote(const struct server *server, const char *prefix)
{
  char url[256];
  snprintf(url, sizeof url, "%s?fallback=none", server_url(server));
  return prefix_store(url, prefix);
}

/* A reply as a text: "a b (c d) 3 nil !ERR ...". */
static void print(char **at, const char *end, const larder_value *v)
{
  size_t room = (size_t)(end - *at);
  int n = 0;
  switch ((larder_type)v->type) {
  case LARDER_NIL:
    n = snprintf(*at, room, "nil");
    break;
  case LARDER_INTEGER:
  case LARDER_BOOLEAN:
    n = snprintf(*at, room, "%lld", (long long)v->integer);
    break;
  case LARDER_ERROR:
    n = snprintf(*at, room, "!%s", v->str);
    break;
  case LARDER_STRING:
  case LARDER_STATUS:
  case LARDER_BIGNUM:
  case LARDER_VERBATIM:
  case LARDER_DOUBLE:
    n = snprintf(*at, room, "%s", v->str);
    break;
  case LARDER_ARRAY:
  case LARDER_MAP:
  case LARDER_SET:
  case LARDER_PUSH:
    *at += snprintf(*at, room, "(");
    for (size_t i = 0; i < v->len; i++) {
      if (i)
        *at += snprintf(*at, (size_t)(end - *at), " ");
      print(at, end, &v->element[i]);
    }
    n = snprintf(*at, (size_t)(end - *at), ")");
    break;
  }
  *at += n;
}

const char *text_of(const larder_value *v)
{
  static char text[4096];
  char *at = text;
  print(&at, text + sizeof text, v);
  return text;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const larder_value *)a)->str, ((const larder_value *)b)->str);
}

/* The names in a reply to KEYS, in order. */
const char *names_of(larder_reply *r)
{
  static char text[4096];
  char *at = text;
  ck_assert_int_eq(r->value.type, LARDER_ARRAY);
  larder_value *names = (larder_value *)(uintptr_t)r->value.element;
  qsort(names, r->value.len, sizeof *names, by_name);
  print(&at, text + sizeof text, &r->value);
  larder_reply_free(r);
  return text;
}

void expect_raw(struct resp_client *c, const char *key, const char *value)
{
  struct resp *r = resp_words(c, "GET", key, NULL);
  if (value)
    ck_assert_msg(resp_is_text(r, value), "%s is not %s", key, value);
  else
    ck_assert_msg(r->type == RESP_NIL, "%s is there", key);
  resp_free(r);
}

void set_raw(struct resp_client *c, const char *key)
{
  struct resp *r = resp_words(c, "SET", key, "theirs", NULL);
  ck_assert(resp_is_text(r, "OK"));
  resp_free(r);
}

void arrive(void *context, larder_reply *reply)
{
  atomic_store(&((struct waiter *)context)->reply, reply);
}

void nap(void)
{
  const struct timespec t = {0, 1000000};
  nanosleep(&t, NULL);
}

larder_reply *await(struct waiter *w)
{
  larder_reply *reply;
  for (int i = 0; i < 20000 && !(reply = atomic_load(&w->reply)); i++)
    nap();
  ck_assert_msg(reply != NULL, "no callback for 20 s");
  atomic_store(&w->reply, NULL);
  return reply;
}

larder_reply *run_async(larder *store, const char *command)
{
  struct waiter w = {NULL};
  ck_assert_int_eq(larder_async_command(store, arrive, &w, command), LARDER_OK);
  return await(&w);
}
