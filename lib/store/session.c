/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/session.h"

#include <string.h>
#include <strings.h>

#include "store/call.h"
#include "store/settings.h"

/* --- life ---------------------------------------------------------------- */

larder_session *larder_session_open(larder *store)
{
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  if (!cell)
    return NULL;
  larder_session *s = lrd_allocate_zeroed(&store->config.memory, 1, sizeof *s);
  if (s) {
    s->store = store;
    s->id = atomic_fetch_add(&store->sessions, 1) + 1;
    s->database = store->config.database;
    s->protocol = 2;
    s->authenticated = 1;
    s->transaction.limit = LRD_TRANSACTION_BYTES;
    lrd_arena_init(&s->transaction.arena, &store->config.memory);
  }
  lrd_leave(cell);
  return s;
}

void larder_session_close(larder_session *s)
{
  if (!s)
    return;
  larder *store = s->store;
  const larder_memory *memory = &store->config.memory;
  struct lrd_transaction *t = &s->transaction;
  if (s->hold && !lrd_forked(&store->fork))
    lrd_hold_end(store, s->hold);
  lrd_arena_free(&t->arena);
  lrd_release(memory, t->vector, t->capacity * sizeof *t->vector);
  lrd_release_text(memory, s->name);
  lrd_release(memory, s, sizeof *s);
}

/* --- running ------------------------------------------------------------- */

/* Plain commands go to the backend together. */
static void run_plain(larder_session *s, const larder_vector *vector, size_t count,
                      struct lrd_meter *m)
{
  if (count == 0)
    return;
  larder_call call =
      lrd_plain_call(s->store, vector, count, s->call_flags, s->store->config.timeout);
  call.database = s->database;
  call.hold = s->watching ? s->hold : NULL;
  lrd_dispatch(s->store, &call, m);
}

static int needs_authentication(const larder_session *s, const larder_vector *v)
{
  return !s->authenticated && !(lrd_commands[v->command].flags & LRD_NO_AUTH);
}

static void single(larder_session *s, const larder_vector *v, enum lrd_route route,
                   const char *error, struct lrd_meter *m)
{
  if (route == LRD_ROUTE_BAD)
    lrd_transaction_refuse(s, v, error, m);
  else if (needs_authentication(s, v))
    lrd_sink_fail(m->sink, LARDER_REFUSED, LARDER_FROM_NOWHERE, LARDER_CAUSE_AUTH,
                  "NOAUTH Authentication required.");
  else if (lrd_session_is_confined(s) && lrd_front_beside(s, v, m->sink))
    return;
  else if (lrd_is_transaction_command(s, v))
    lrd_transaction_command(s, v, m);
  else if (s->transaction.open && v->command != LRD_QUIT && v->command != LRD_RESET)
    lrd_transaction_queue(s, v, m);
  else
    lrd_front(s->store, s, v, m->sink);
}

static void execute(larder_session *s, larder_vector *vector, size_t count, struct lrd_meter *m)
{
  char error[LARDER_ERROR_SIZE];
  size_t begin = 0;
  for (size_t i = 0; i < count; i++) {
    enum lrd_route way = lrd_route(s->store, &vector[i], error, sizeof error);
    if (way == LRD_ROUTE_BACKEND && !s->transaction.open && !lrd_session_is_confined(s) &&
        !needs_authentication(s, &vector[i]))
      continue;
    run_plain(s, vector + begin, i - begin, m);
    single(s, &vector[i], way, error, m);
    begin = i + 1;
  }
  run_plain(s, vector + begin, count - begin, m);
}

void lrd_session_execute(larder_session *s, larder_vector *vector, size_t count,
                         larder_sink *sink)
{
  struct lrd_meter meter;
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(s->store, &why);
  if (!cell) {
    for (size_t i = 0; i < count; i++)
      lrd_sink_fail(sink, why, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE, lrd_fixed_text(why));
    return;
  }
  lrd_meter_attach(&meter, sink, cell);
  execute(s, vector, count, &meter);
  lrd_meter_detach(&meter);
  lrd_leave(cell);
}

/* --- for C callers ------------------------------------------------------- */

/* A command was lost before it could be read: a transaction without it is not the one
 * that was meant, nor is one without a watch.  name: as the caller wrote it. */
static void lose(larder_session *s, const char *name, larder_outcome why)
{
  if (s->transaction.open) {
    s->transaction.aborted = 1;
    return;
  }
  name = name ? name + strspn(name, " ") : "";
  if (why == LARDER_NO_MEMORY &&
      (strncasecmp(name, "watch", 5) == 0 || memchr(name, '%', strcspn(name, " "))))
    s->unguarded = 1;
}

static larder_reply *no_memory(larder_session *s, const char *name)
{
  lose(s, name, LARDER_NO_MEMORY);
  return lrd_fixed_reply(LARDER_NO_MEMORY);
}

static larder_reply *run_one(larder_session *s, struct lrd_answer *a, larder_vector *v,
                             const char *name, larder_outcome taken, const char *error)
{
  if (taken == LARDER_OK) {
    lrd_session_execute(s, v, 1, &a->tree.sink);
    return lrd_answer_finish(a);
  }
  lose(s, name, taken);
  lrd_sink_fail(&a->tree.sink, taken, LARDER_FROM_NOWHERE, LARDER_CAUSE_CALLER, error);
  return lrd_answer_finish(a);
}

/* At most max; argv[0] need not end in a NUL. */
static size_t length_of_word(const char *name, const size_t *argvlen, size_t max)
{
  return argvlen ? (argvlen[0] < max ? argvlen[0] : max) : strnlen(name, max);
}

larder_reply *larder_session_argv(larder_session *s, int argc, const char *const *argv,
                                  const size_t *argvlen)
{
  larder_vector v;
  larder_bytes room[LRD_STACK_ARGUMENTS];
  if (!s)
    return lrd_fixed_reply(LARDER_BAD_ARGUMENT);
  struct lrd_answer *a = lrd_answer_new(&s->store->config.memory);
  char word[8] = "";
  if (argc > 0 && argv && argv[0])
    memcpy(word, argv[0], length_of_word(argv[0], argvlen, sizeof word - 1));
  if (!a)
    return no_memory(s, word);
  larder_outcome outcome = lrd_take_argv(&v, room, &a->arena, argc, argv, argvlen);
  return run_one(s, a, &v, word, outcome, lrd_fixed_text(outcome));
}

larder_reply *larder_session_command(larder_session *s, const char *format, ...)
{
  larder_vector v;
  char error[LARDER_ERROR_SIZE] = "";
  if (!s)
    return lrd_fixed_reply(LARDER_BAD_ARGUMENT);
  struct lrd_answer *a = lrd_answer_new(&s->store->config.memory);
  if (!a)
    return no_memory(s, format);
  va_list ap;
  va_start(ap, format);
  larder_outcome outcome = lrd_take_format(&v, &a->arena, format, ap, error, sizeof error);
  va_end(ap);
  return run_one(s, a, &v, format, outcome,
                 outcome == LARDER_BAD_ARGUMENT ? error : lrd_fixed_text(outcome));
}
