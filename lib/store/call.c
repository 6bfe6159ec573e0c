/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/call.h"

#include <stdio.h>
#include <string.h>

#include "command/argv.h"
#include "store/dispatch.h"

/* --- arguments ----------------------------------------------------------- */

static inline larder_outcome take_argv(larder_vector *v, larder_bytes *room,
                                       struct lrd_arena *arena, int argc,
                                       const char *const *argv, const size_t *argvlen)
{
  if (argc < 1 || argc > LRD_ARGUMENTS_MAX || !argv)
    return LARDER_BAD_ARGUMENT;
  larder_bytes *bytes = room;
  if (argc > LRD_STACK_ARGUMENTS)
    bytes = lrd_arena_allocate(arena, (size_t)argc * sizeof *bytes);
  if (!bytes)
    return LARDER_NO_MEMORY;
  for (int i = 0; i < argc; i++) {
    if (!argv[i] && (!argvlen || argvlen[i] > 0))
      return LARDER_BAD_ARGUMENT;
    bytes[i].data = argv[i] ? argv[i] : "";
    bytes[i].len = argvlen ? argvlen[i] : strlen(argv[i]);
  }
  *v = (larder_vector){.argc = argc, .argv = bytes};
  return LARDER_OK;
}

larder_outcome lrd_take_argv(larder_vector *v, larder_bytes *room, struct lrd_arena *arena,
                             int argc, const char *const *argv, const size_t *argvlen)
{
  return take_argv(v, room, arena, argc, argv, argvlen);
}

larder_outcome lrd_take_format(larder_vector *v, struct lrd_arena *arena, const char *format,
                               va_list ap, char *error, size_t error_size)
{
  int argc;
  larder_bytes *bytes;
  if (!format) {
    snprintf(error, error_size, "ERR no format");
    return LARDER_BAD_ARGUMENT;
  }
  larder_outcome outcome =
      lrd_argv_format(arena, format, ap, &argc, &bytes, error, error_size);
  if (outcome == LARDER_OK && argc < 1) {
    snprintf(error, error_size, "ERR the format has no arguments");
    outcome = LARDER_BAD_ARGUMENT;
  }
  if (outcome == LARDER_OK)
    *v = (larder_vector){.argc = argc, .argv = bytes};
  return outcome;
}

int lrd_copy_vector(struct lrd_arena *arena, const larder_vector *from, larder_vector *to)
{
  size_t size = (size_t)from->argc * sizeof *from->argv;
  for (int i = 0; i < from->argc; i++)
    if (__builtin_add_overflow(size, from->argv[i].len, &size))
      return -1;
  larder_bytes *bytes = lrd_arena_allocate(arena, size);
  if (!bytes)
    return -1;
  char *end = (char *)(bytes + from->argc);
  for (int i = 0; i < from->argc; i++) {
    size_t len = from->argv[i].len;
    bytes[i] = (larder_bytes){end, len};
    if (len)
      memcpy(end, from->argv[i].data, len);
    end += len;
  }
  *to = *from;
  to->argv = bytes;
  return 0;
}

/* --- one call ------------------------------------------------------------ */

/* A call between enter and leave. */
struct call {
  larder *store;
  struct lrd_cell *cell;
  struct lrd_answer *answer;
};

static inline larder_outcome begin(struct call *c, larder *store)
{
  larder_outcome why;
  c->store = store;
  c->answer = NULL;
  c->cell = lrd_enter(store, &why);
  if (!c->cell)
    return why;
  c->answer = lrd_answer_take(c->cell, &store->config.memory);
  if (!c->answer) {
    larder_verdict v = {.outcome = LARDER_NO_MEMORY};
    lrd_tally(c->cell, &v);
    lrd_leave(c->cell);
    return LARDER_NO_MEMORY;
  }
  return LARDER_OK;
}

/* The reply is there (unless the backend forgot it): what a meter would do with it.
 * v: the backend's call, or NULL. */
static inline larder_reply *finish(struct call *c, const larder_vector *v)
{
  struct lrd_tree *tree = &c->answer->tree;
  larder_verdict *verdict = &tree->reply[0].verdict;
  if (tree->replies) {
    if (v && verdict->outcome == LARDER_OK && lrd_command_absent(v, &tree->reply[0].value))
      verdict->outcome = LARDER_ABSENT;
    lrd_tally(c->cell, verdict);
  }
  lrd_leave(c->cell);
  return lrd_answer_finish(c->answer);
}

/* taken: whether v is one; error: why not, or NULL.  Consumes the call. */
static inline larder_reply *run(struct call *c, larder_vector *v, int64_t timeout_ms,
                                larder_outcome taken, const char *error)
{
  int64_t timeout = lrd_timeout(c->store, timeout_ms);
  int by_backend = 0;
  if (taken == LARDER_OK && timeout == 0) {
    taken = LARDER_BAD_ARGUMENT;
    error = "ERR timeout: allowed is 1 to 3600000 ms, or 0 for the store's";
  }
  if (taken == LARDER_OK)
    by_backend = lrd_run_bare(c->store, v, timeout, &c->answer->tree.sink);
  else
    lrd_sink_fail(&c->answer->tree.sink, taken, LARDER_FROM_NOWHERE, LARDER_CAUSE_CALLER,
                  error ? error : lrd_fixed_text(taken));
  return finish(c, by_backend ? v : NULL);
}

static inline larder_reply *run_argv(larder *store, int64_t timeout_ms, int argc,
                                     const char *const *argv, const size_t *argvlen)
{
  struct call c;
  larder_vector v;
  larder_bytes room[LRD_STACK_ARGUMENTS];
  larder_outcome outcome = begin(&c, store);
  if (outcome != LARDER_OK)
    return lrd_fixed_reply(outcome);
  outcome = take_argv(&v, room, &c.answer->arena, argc, argv, argvlen);
  return run(&c, &v, timeout_ms, outcome, NULL);
}

larder_reply *larder_argv_within(larder *store, int64_t timeout_ms, int argc,
                                 const char *const *argv, const size_t *argvlen)
{
  return run_argv(store, timeout_ms, argc, argv, argvlen);
}

larder_reply *larder_argv(larder *store, int argc, const char *const *argv, const size_t *argvlen)
{
  return run_argv(store, 0, argc, argv, argvlen);
}

larder_reply *larder_command(larder *store, const char *format, ...)
{
  struct call c;
  larder_vector v;
  char error[LARDER_ERROR_SIZE];
  larder_outcome outcome = begin(&c, store);
  if (outcome != LARDER_OK)
    return lrd_fixed_reply(outcome);
  va_list ap;
  error[0] = '\0';
  va_start(ap, format);
  outcome = lrd_take_format(&v, &c.answer->arena, format, ap, error, sizeof error);
  va_end(ap);
  return run(&c, &v, 0, outcome, outcome == LARDER_BAD_ARGUMENT ? error : NULL);
}

/* --- typed --------------------------------------------------------------- */

/* The work before a backend notes a call must be short. */
enum { DIRECT_KEY = 64 };
#define TTL_MAX (INT64_C(1) << 53) /* ms */

/* After a call that entered; counted: by the backend. */
static larder_outcome leave_typed(const larder *store, struct lrd_cell *cell,
                                  const larder_verdict *v, int called)
{
  if (!called || !(store->table->capabilities & LARDER_COUNTS_TYPED))
    lrd_tally(cell, v);
  lrd_leave(cell);
  return v->outcome;
}

__attribute__((noinline)) static larder_outcome get_entering(larder *store, const void *key,
                                                             size_t key_length, void *buffer,
                                                             size_t size, size_t *length)
{
  int right = length && (key || key_length == 0) && (buffer || size == 0);
  larder_verdict v = {.outcome = LARDER_BAD_ARGUMENT, .age_ms = -1};
  larder_outcome why;
  if (length)
    *length = 0;
  struct lrd_cell *cell = lrd_enter(store, &why);
  if (!cell)
    return why;
  if (right) {
    larder_bytes name = {key ? key : "", key_length};
    int state = lrd_wait_begin(store);
    store->table->get(store->base, store->config.database, name,
                      lrd_deadline(store, store->config.timeout), buffer, size, length, &v);
    lrd_wait_end(state);
  }
  return leave_typed(store, cell, &v, right);
}

/* Most calls of most programs are the backend's own in the same registers: nobody enters, which
 * saves atomic operations.  While the store is closing they enter, and are CLOSED: the
 * backend may be gone before the store is. */
larder_outcome larder_get(larder *store, const void *key, size_t key_length, void *buffer,
                          size_t size, size_t *length)
{
  if (store && key && key_length <= DIRECT_KEY && length && (buffer || size == 0)) {
    larder_outcome (*now)(larder_backend *, const void *, size_t, void *, size_t, size_t *) =
        atomic_load_explicit(&store->get_now, memory_order_acquire);
    if (now && !lrd_forked(&store->fork))
      return now(store->base, key, key_length, buffer, size, length);
  }
  return get_entering(store, key, key_length, buffer, size, length);
}

__attribute__((noinline)) static larder_outcome set_entering(larder *store, const void *key,
                                                             size_t key_length, const void *value,
                                                             size_t value_length, int64_t ttl_ms)
{
  int right = (key || key_length == 0) && (value || value_length == 0) && ttl_ms >= 0 &&
              ttl_ms <= TTL_MAX;
  larder_verdict v = {.outcome = LARDER_BAD_ARGUMENT, .age_ms = -1};
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  if (!cell)
    return why;
  if (right) {
    larder_bytes name = {key ? key : "", key_length}, bytes = {value ? value : "", value_length};
    int state = lrd_wait_begin(store);
    store->table->set(store->base, store->config.database, name, bytes, ttl_ms,
                      lrd_deadline(store, store->config.timeout), &v);
    lrd_wait_end(state);
  }
  return leave_typed(store, cell, &v, right);
}

larder_outcome larder_set(larder *store, const void *key, size_t key_length, const void *value,
                          size_t value_length, int64_t ttl_ms)
{
  if (store && key && key_length <= DIRECT_KEY && value && (uint64_t)ttl_ms <= TTL_MAX) {
    larder_outcome (*now)(larder_backend *, const void *, size_t, const void *, size_t, int64_t) =
        atomic_load_explicit(&store->set_now, memory_order_acquire);
    if (now && !lrd_forked(&store->fork))
      return now(store->base, key, key_length, value, value_length, ttl_ms);
  }
  return set_entering(store, key, key_length, value, value_length, ttl_ms);
}
