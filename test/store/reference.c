/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/reference.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

/*
 * A backend to read before writing one: a list of strings that knows GET, SET
 * and DEL.  It uses nothing but larder/backend.h.
 *
 *   - the instance begins with a larder_backend, which the store has filled;
 *   - memory comes from the instance's hook, and goes back with its size;
 *   - execute may run in many threads at once: one lock, held over no callback;
 *   - every vector gets one value and one end();
 *   - where it has nothing of its own it names a default.
 */

struct item {
  struct item *next;
  size_t key_len, value_len;
  char bytes[]; /* key, then value */
};

struct reference {
  larder_backend base;
  pthread_mutex_t lock;
  struct item *first;
};

static size_t size_of(const struct item *it)
{
  return sizeof *it + it->key_len + it->value_len;
}

static struct item **find(struct reference *r, const larder_bytes *key)
{
  struct item **link = &r->first;
  while (*link && ((*link)->key_len != key->len ||
                   memcmp((*link)->bytes, key->data, key->len) != 0))
    link = &(*link)->next;
  return link;
}

static void drop(struct reference *r, struct item **link)
{
  struct item *it = *link;
  *link = it->next;
  r->base.memory.release(r->base.memory.context, it, size_of(it));
}

static void get(struct reference *r, const larder_vector *v, larder_sink *sink)
{
  struct item *it = *find(r, &v->argv[1]);
  if (it)
    sink->type->string(sink, it->bytes + it->key_len, it->value_len);
  else
    sink->type->nil(sink, 0); /* the store makes it ABSENT */
}

static void set(struct reference *r, const larder_vector *v, larder_sink *sink,
                larder_verdict *verdict)
{
  const larder_bytes *key = &v->argv[1], *value = &v->argv[2];
  struct item *it = NULL;
  if (v->argc == 3) /* SET's options are left out */
    it = r->base.memory.allocate(r->base.memory.context, sizeof *it + key->len + value->len);
  if (!it) {
    verdict->outcome = v->argc == 3 ? LARDER_NO_MEMORY : LARDER_UNSUPPORTED;
    sink->type->error(sink, "ERR not set", 11);
    return;
  }
  it->key_len = key->len;
  it->value_len = value->len;
  memcpy(it->bytes, key->data, key->len);
  memcpy(it->bytes + key->len, value->data, value->len);
  if (*find(r, key))
    drop(r, find(r, key));
  it->next = r->first;
  r->first = it;
  sink->type->status(sink, "OK", 2);
}

static void del(struct reference *r, const larder_vector *v, larder_sink *sink)
{
  int64_t n = 0;
  for (int i = 1; i < v->argc; i++) {
    struct item **link = find(r, &v->argv[i]);
    n += *link != NULL;
    if (*link)
      drop(r, link);
  }
  sink->type->integer(sink, n);
}

static int is(const larder_vector *v, const char *name)
{
  return v->argv[0].len == strlen(name) && strncasecmp(v->argv[0].data, name, strlen(name)) == 0;
}

static void run(struct reference *r, const larder_vector *v, larder_sink *sink)
{
  larder_verdict verdict = {.outcome = LARDER_OK, .origin = LARDER_FROM_LOCAL, .age_ms = -1};
  if (is(v, "get")) {
    get(r, v, sink);
  } else if (is(v, "set")) {
    set(r, v, sink, &verdict);
  } else if (is(v, "del")) {
    del(r, v, sink);
  } else {
    verdict.outcome = LARDER_UNSUPPORTED;
    sink->type->error(sink, "ERR GET, SET and DEL are all there is", 37);
  }
  sink->type->end(sink, &verdict);
}

static void reference_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  struct reference *r = (struct reference *)b;
  pthread_mutex_lock(&r->lock);
  for (size_t i = 0; i < call->count; i++)
    run(r, &call->vector[i], sink);
  pthread_mutex_unlock(&r->lock);
}

static larder_outcome reference_open(larder_backend *b, const larder_backend_options *options,
                                     char *error, size_t error_size)
{
  (void)options, (void)error, (void)error_size;
  return pthread_mutex_init(&((struct reference *)b)->lock, NULL) ? LARDER_NO_MEMORY : LARDER_OK;
}

static uint64_t reference_close(larder_backend *b, int64_t deadline, int forked)
{
  struct reference *r = (struct reference *)b;
  (void)deadline, (void)forked;
  while (r->first)
    drop(r, &r->first);
  return 0;
}

const larder_backend_table reference_table = {
    LARDER_BACKEND_VERSION, "reference", LARDER_IS_LOCAL, sizeof(struct reference),
    reference_open,                   reference_close,
    reference_execute,                larder_backend_default_submit,
    larder_backend_default_cancel,    larder_backend_default_hold_open,
    larder_backend_default_hold_close, larder_backend_default_status,
    larder_backend_default_tick,      larder_backend_default_get,
    larder_backend_default_set};
