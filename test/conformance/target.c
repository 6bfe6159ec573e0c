/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/target_own.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/compare.h"

enum { CALL_MS = 10000 };

void target_die(const char *format, ...)
{
  va_list list;
  va_start(list, format);
  vfprintf(stderr, format, list);
  va_end(list);
  fprintf(stderr, "\n");
  fflush(stderr);
  _exit(1);
}

struct target *target_new(const char *name, int protocol)
{
  struct target *t = calloc(1, sizeof *t);
  if (!t)
    target_die("out of memory");
  t->name = name;
  t->protocol = protocol;
  return t;
}

void target_close(struct target *t)
{
  if (!t)
    return;
  t->fresh(t);
  t->close(t);
  free(t);
}

/* --- over a connection ------------------------------------------------------ */

static struct resp_client *connection(struct target *t)
{
  if (t->server)
    return server_connect(t->server, t->protocol);
  struct resp_client *c = resp_open_port(t->port, CALL_MS);
  if (!c || resp_hello(c, t->protocol) != 0)
    target_die("%s: no connection: %s", t->name, c ? resp_fault(c) : "refused");
  return c;
}

/* Commands that leave something behind in the conversation. */
static int leaves_traces(int argc, const char *const *argv, const size_t *len)
{
  static const char *const names[] = {"MULTI", "WATCH", "SELECT", "CLIENT",
                                      "HELLO", "AUTH",  "QUIT",   "RESET"};
  for (size_t i = 0; argc && i < sizeof names / sizeof *names; i++)
    if (compare_is_word(argv, len, 0, names[i]))
      return 1;
  return 0;
}

static struct resp *call_connection(struct target *t, int session, int argc,
                                    const char *const *argv, const size_t *len)
{
  if (!t->client[session])
    t->client[session] = connection(t);
  t->used[session] |= leaves_traces(argc, argv, len);
  struct resp *r = resp_call(t->client[session], argc, argv, len);
  if (r)
    return r;
  r = calloc(1, sizeof *r);
  const char *fault = resp_fault(t->client[session]);
  if (!r)
    target_die("out of memory");
  resp_set_text(r, RESP_ERROR, fault, strlen(fault));
  resp_close(t->client[session]);
  t->client[session] = NULL;
  return r;
}

static void fresh_connections(struct target *t)
{
  for (int i = 0; i < TARGET_SESSIONS; i++) {
    if (!t->used[i])
      continue;
    resp_close(t->client[i]);
    t->client[i] = NULL;
    t->used[i] = 0;
  }
}

void target_close_connections(struct target *t)
{
  for (int i = 0; i < TARGET_SESSIONS; i++)
    resp_close(t->client[i]);
}

void target_over_connections(struct target *t)
{
  t->call = call_connection;
  t->fresh = fresh_connections;
  t->close = target_close_connections;
}

struct target *target_server(const struct server *server, int protocol)
{
  struct target *t = target_new("redis-server", protocol);
  target_over_connections(t);
  t->server = server;
  return t;
}

/* --- through the public API -------------------------------------------------- */

static void tree_elements(struct resp *to, enum resp_type type, const larder_value *from)
{
  resp_set_aggregate(to, type, from->len);
  for (size_t i = 0; i < from->len; i++)
    target_tree(&to->element[i], &from->element[i]);
}

void target_tree(struct resp *to, const larder_value *from)
{
  switch ((larder_type)from->type) {
  case LARDER_NIL: to->type = RESP_NIL; return;
  case LARDER_STRING: resp_set_text(to, RESP_STRING, from->str, from->len); return;
  case LARDER_STATUS: resp_set_text(to, RESP_STATUS, from->str, from->len); return;
  case LARDER_ERROR: resp_set_text(to, RESP_ERROR, from->str, from->len); return;
  case LARDER_BIGNUM: resp_set_text(to, RESP_BIGNUM, from->str, from->len); return;
  case LARDER_VERBATIM: resp_set_text(to, RESP_VERBATIM, from->str, from->len); return;
  case LARDER_INTEGER:
    to->type = RESP_INTEGER;
    to->integer = from->integer;
    return;
  case LARDER_BOOLEAN:
    to->type = RESP_BOOLEAN;
    to->integer = from->integer;
    return;
  case LARDER_DOUBLE:
    resp_set_text(to, RESP_DOUBLE, from->str, from->len);
    to->real = from->real;
    return;
  case LARDER_ARRAY: tree_elements(to, RESP_ARRAY, from); return;
  case LARDER_MAP: tree_elements(to, RESP_MAP, from); return;
  case LARDER_SET: tree_elements(to, RESP_SET, from); return;
  case LARDER_PUSH: tree_elements(to, RESP_PUSH, from); return;
  }
  target_die("a reply of type %d", from->type);
}

static struct resp *call_session(struct target *t, int session, int argc, const char *const *argv,
                                 const size_t *len)
{
  if (!t->session[session] && !(t->session[session] = larder_session_open(t->store)))
    target_die("%s: no session", t->name);
  larder_reply *reply = larder_session_argv(t->session[session], argc, argv, len);
  struct resp *r = calloc(1, sizeof *r);
  if (!r)
    target_die("out of memory");
  target_tree(r, &reply->value);
  t->outcome = reply->outcome;
  t->flags = reply->flags;
  larder_reply_free(reply);
  return r;
}

static void fresh_sessions(struct target *t)
{
  for (int i = 0; i < TARGET_SESSIONS; i++) {
    larder_session_close(t->session[i]);
    t->session[i] = NULL;
  }
}

larder *target_open(const char *name, const char *url)
{
  char error[LARDER_ERROR_SIZE] = "";
  larder *store = larder_open(url, NULL, error, sizeof error);
  if (!store)
    target_die("%s: %s: %s", name, url, error);
  return store;
}

static void close_store(struct target *t)
{
  larder_close(t->store, 0);
}

struct target *target_store(const char *name, const char *url)
{
  struct target *t = target_new(name, 3);
  t->has_outcome = 1;
  t->store = target_open(name, url);
  t->call = call_session;
  t->fresh = fresh_sessions;
  t->close = close_store;
  return t;
}
