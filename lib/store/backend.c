/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder/backend.h>

#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/sink.h"
#include "memory/engine.h"
#include "store/store.h"
#include "util/number.h"

#ifdef LARDER_REDIS
#include "fallback/fallback.h"
#include "remote/remote.h"
#endif

/* --- which backend -------------------------------------------------------- */

/* Of each scheme: alone, and with a fallback behind it.  NULL: not in this build. */
static const struct {
  enum lrd_scheme scheme;
  const char *name;
  const larder_backend_table *alone, *fallback;
} backends[] = {
    {LRD_SCHEME_MEMORY, "memory:", &lrd_memory_table, &lrd_memory_table},
#ifdef LARDER_REDIS
    {LRD_SCHEME_TCP, "redis://", &lrd_remote_table, &lrd_fallback_table},
    {LRD_SCHEME_UNIX, "unix://", &lrd_remote_table, &lrd_fallback_table},
#else
    {LRD_SCHEME_TCP, "redis://", NULL, NULL},
    {LRD_SCHEME_UNIX, "unix://", NULL, NULL},
#endif
#if defined LARDER_REDIS && defined LARDER_TLS
    {LRD_SCHEME_TLS, "rediss://", &lrd_remote_table, &lrd_fallback_table},
#else
    {LRD_SCHEME_TLS, "rediss://", NULL, NULL},
#endif
};

static const larder_backend_table *by_scheme(const struct lrd_config *c, char *error,
                                             size_t error_size)
{
  size_t i = 0;
  while (backends[i].scheme != c->scheme)
    i++;
  const larder_backend_table *table = c->fallback ? backends[i].fallback : backends[i].alone;
  if (table)
    return table;
#ifdef LARDER_REDIS
  snprintf(error, error_size,
           "url %s: this build has no TLS: it was made without OpenSSL (Debian: libssl-dev)",
           backends[i].name);
#else
  snprintf(error, error_size,
           "url %s: this build can't talk to Redis: it was made without hiredis and libuv "
           "(Debian: libhiredis-dev, libuv1-dev)", backends[i].name);
#endif
  return NULL;
}

const larder_backend_table *lrd_backend_choose(const struct lrd_config *c, char *error,
                                               size_t error_size)
{
  if (c->backend)
    return c->backend;
  return c->enabled ? by_scheme(c, error, error_size) : &lrd_memory_table;
}

larder_outcome lrd_backend_check(const larder_backend_table *t, char *error, size_t error_size)
{
  const struct {
    const char *name;
    int filled;
  } slots[] = {
      {"name", t->name != NULL},       {"open", t->open != NULL},
      {"close", t->close != NULL},     {"execute", t->execute != NULL},
      {"submit", t->submit != NULL},   {"cancel", t->cancel != NULL},
      {"hold_open", t->hold_open != NULL}, {"hold_close", t->hold_close != NULL},
      {"status", t->status != NULL},   {"tick", t->tick != NULL},
      {"get", t->get != NULL},         {"set", t->set != NULL},
  };
  if (t->version != LARDER_BACKEND_VERSION) {
    snprintf(error, error_size, "backend: version %u: allowed is %d", t->version,
             LARDER_BACKEND_VERSION);
    return LARDER_BAD_ARGUMENT;
  }
  for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
    if (slots[i].filled)
      continue;
    snprintf(error, error_size, "backend %s: slot %s is empty", t->name ? t->name : "?",
             slots[i].name);
    return LARDER_BAD_ARGUMENT;
  }
  if (t->size < sizeof(larder_backend)) {
    snprintf(error, error_size, "backend %s: size %zu: allowed is at least %zu", t->name, t->size,
             sizeof(larder_backend));
    return LARDER_BAD_ARGUMENT;
  }
  return LARDER_OK;
}

/* --- defaults ------------------------------------------------------------- */

void larder_backend_default_submit(larder_backend *b, const larder_call *call,
                                   larder_submission *submission)
{
  b->table->execute(b, call, submission->sink);
  submission->done(submission);
}

void larder_backend_default_cancel(larder_backend *b, larder_submission *submission)
{
  (void)b;
  (void)submission;
}

larder_hold *larder_backend_default_hold_open(larder_backend *b)
{
  (void)b;
  return NULL;
}

void larder_backend_default_hold_close(larder_backend *b, larder_hold *hold)
{
  (void)b;
  (void)hold;
}

void larder_backend_default_status(larder_backend *b, larder_backend_status *status)
{
  (void)b;
  status->link = LARDER_LINK_NONE;
}

int64_t larder_backend_default_tick(larder_backend *b, int64_t budget)
{
  (void)b;
  (void)budget;
  return -1;
}

/* A sink that copies one string out: GET without a tree. */
struct copy {
  larder_sink sink;
  char *buffer;
  size_t size, *length;
  int nil;
  larder_verdict *verdict;
};

static struct copy *copy_of(larder_sink *s)
{
  return (struct copy *)(void *)s;
}

static void copy_nil(larder_sink *s, int array)
{
  (void)array;
  copy_of(s)->nil = 1;
}

static void copy_string(larder_sink *s, const char *p, size_t n)
{
  struct copy *c = copy_of(s);
  *c->length = n;
  if (n > c->size)
    n = c->size;
  if (n)
    memcpy(c->buffer, p, n);
}

static void copy_rewind(larder_sink *s)
{
  copy_of(s)->nil = 0;
  *copy_of(s)->length = 0;
}

static void copy_end(larder_sink *s, const larder_verdict *v)
{
  struct copy *c = copy_of(s);
  *c->verdict = *v;
  if (v->outcome == LARDER_OK && c->nil)
    c->verdict->outcome = LARDER_ABSENT;
}

static void ignore_integer(larder_sink *s, int64_t v) { (void)s; (void)v; }
static void ignore_real(larder_sink *s, double v, const char *p, size_t n)
{
    (void)s; (void)v; (void)p; (void)n;
}
static void ignore_boolean(larder_sink *s, int v) { (void)s; (void)v; }
static void ignore_text(larder_sink *s, const char *p, size_t n) { (void)s; (void)p; (void)n; }
static void ignore_open(larder_sink *s, larder_type t) { (void)s; (void)t; }
static void ignore_close(larder_sink *s, size_t n) { (void)s; (void)n; }
static void ignore_aggregate(larder_sink *s, larder_type t, size_t n, int resp2)
{
  (void)s;
  (void)t;
  (void)n;
  (void)resp2;
}

static const larder_sink_type copy_type = {
    .nil = copy_nil,
    .integer = ignore_integer,
    .real = ignore_real,
    .boolean = ignore_boolean,
    .string = copy_string,
    .status = ignore_text,
    .error = ignore_text,
    .bignum = ignore_text,
    .verbatim = copy_string,
    .aggregate = ignore_aggregate,
    .open = ignore_open,
    .close = ignore_close,
    .rewind = copy_rewind,
    .end = copy_end,
};

void larder_backend_default_get(larder_backend *b, int database, larder_bytes key,
                                int64_t deadline, void *buffer, size_t size, size_t *length,
                                larder_verdict *verdict)
{
  const larder_bytes argv[] = {{"GET", 3}, key};
  const larder_vector vector = {.command = LRD_GET, .argc = 2, .argv = argv};
  const larder_call call = {
      .vector = &vector, .count = 1, .database = database, .deadline = deadline};
  struct copy c = {.sink = {.type = &copy_type},
                   .buffer = buffer,
                   .size = size,
                   .length = length,
                   .verdict = verdict};
  *length = 0;
  b->table->execute(b, &call, &c.sink);
}

void larder_backend_default_set(larder_backend *b, int database, larder_bytes key,
                                larder_bytes value, int64_t ttl_ms, int64_t deadline,
                                larder_verdict *verdict)
{
  char ttl[LRD_NUMBER_SIZE];
  const larder_bytes argv[] = {
      {"SET", 3}, key, value, {"PX", 2}, {ttl, lrd_print_integer(ttl, ttl_ms)}};
  const larder_vector vector = {.command = LRD_SET, .argc = ttl_ms ? 5 : 3, .argv = argv};
  const larder_call call = {
      .vector = &vector, .count = 1, .database = database, .deadline = deadline};
  struct lrd_count count;
  lrd_count_init(&count);
  b->table->execute(b, &call, &count.sink);
  *verdict = count.last;
}
