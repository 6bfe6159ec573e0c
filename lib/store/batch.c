/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder/batch.h>

#include <string.h>

#include "store/call.h"
#include "store/dispatch.h"

struct larder_batch {
  larder *store;
  larder_memory memory; /* the batch may outlive the store */
  struct lrd_arena arena; /* commands and replies */
  larder_vector *vector;  /* capacity of them */
  size_t count, capacity;
  larder_reply *reply;    /* count of them once it ran, in the arena; else NULL */
  larder_outcome spoiled; /* why a command could not be added */
  int ran;
};

/* --- filling ------------------------------------------------------------- */

larder_batch *larder_batch_new(larder *store)
{
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  if (!cell)
    return NULL;
  larder_batch *b = lrd_allocate_zeroed(&store->config.memory, 1, sizeof *b);
  if (b) {
    b->store = store;
    b->memory = store->config.memory;
    lrd_arena_init(&b->arena, &b->memory);
  }
  lrd_leave(cell);
  return b;
}

void larder_batch_clear(larder_batch *b)
{
  if (!b)
    return;
  lrd_arena_free(&b->arena);
  lrd_arena_init(&b->arena, &b->memory);
  b->count = 0;
  b->reply = NULL;
  b->spoiled = LARDER_OK;
  b->ran = 0;
}

void larder_batch_free(larder_batch *b)
{
  if (!b)
    return;
  const larder_memory memory = b->memory;
  lrd_arena_free(&b->arena);
  lrd_release(&memory, b->vector, b->capacity * sizeof *b->vector);
  lrd_release(&memory, b, sizeof *b);
}

static int make_room(larder_batch *b)
{
  if (b->count < b->capacity)
    return 0;
  size_t capacity = b->capacity ? b->capacity * 2 : 8;
  larder_vector *vector = b->vector
                              ? lrd_resize(&b->memory, b->vector,
                                           b->capacity * sizeof *vector, capacity * sizeof *vector)
                              : lrd_allocate(&b->memory, capacity * sizeof *vector);
  if (!vector)
    return -1;
  b->vector = vector;
  b->capacity = capacity;
  return 0;
}

static larder_outcome spoil(larder_batch *b, larder_outcome outcome)
{
  if (b->spoiled == LARDER_OK)
    b->spoiled = LARDER_BAD_ARGUMENT;
  return outcome;
}

static larder_outcome add(larder_batch *b, larder_vector *v)
{
  char text[LARDER_ERROR_SIZE];
  if (b->ran || lrd_route(NULL, v, text, sizeof text) != LRD_ROUTE_BACKEND)
    return spoil(b, LARDER_BAD_ARGUMENT);
  if (make_room(b) != 0 || lrd_copy_vector(&b->arena, v, &b->vector[b->count]) != 0)
    return spoil(b, LARDER_NO_MEMORY);
  b->count++;
  return LARDER_OK;
}

larder_outcome larder_batch_argv(larder_batch *b, int argc, const char *const *argv,
                                 const size_t *argvlen)
{
  larder_vector v;
  larder_bytes room[LRD_STACK_ARGUMENTS];
  if (!b)
    return LARDER_BAD_ARGUMENT;
  larder_outcome outcome = lrd_take_argv(&v, room, &b->arena, argc, argv, argvlen);
  return outcome == LARDER_OK ? add(b, &v) : spoil(b, outcome);
}

larder_outcome larder_batch_command(larder_batch *b, const char *format, ...)
{
  larder_vector v;
  char error[LARDER_ERROR_SIZE];
  if (!b)
    return LARDER_BAD_ARGUMENT;
  va_list ap;
  va_start(ap, format);
  larder_outcome outcome = lrd_take_format(&v, &b->arena, format, ap, error, sizeof error);
  va_end(ap);
  return outcome == LARDER_OK ? add(b, &v) : spoil(b, outcome);
}

/* --- running ------------------------------------------------------------- */

static const char text_lost[] = "UNKNOWN the backend gave no reply";
static const char text_discarded[] =
    "EXECABORT Transaction discarded because a watched key had changed.";

static void set_error(larder_reply *r, larder_outcome outcome, const char *text)
{
  r->value = (larder_value){.type = LARDER_ERROR, .str = text, .len = strlen(text)};
  r->outcome = outcome;
}

static void fill_each(larder_batch *b, const struct lrd_tree *tree)
{
  for (size_t i = 0; i < b->count; i++) {
    if (i < tree->replies)
      lrd_reply_fill(&b->reply[i], &tree->reply[i]);
    else
      set_error(&b->reply[i], LARDER_UNKNOWN, text_lost);
  }
}

/* The one reply of an atomic call becomes one for each command. */
static void fill_split(larder_batch *b, const struct lrd_tree *tree)
{
  larder_reply whole = {.age_ms = -1};
  if (tree->replies)
    lrd_reply_fill(&whole, &tree->reply[0]);
  else
    set_error(&whole, LARDER_UNKNOWN, text_lost);
  int split = whole.outcome == LARDER_OK && whole.value.type == LARDER_ARRAY &&
              whole.value.len == b->count;
  if (whole.outcome == LARDER_OK && whole.value.type == LARDER_NIL)
    set_error(&whole, LARDER_REFUSED, text_discarded);
  else if (whole.outcome == LARDER_OK && !split)
    set_error(&whole, LARDER_UNKNOWN, text_lost);
  for (size_t i = 0; i < b->count; i++) {
    b->reply[i] = whole;
    if (!split)
      continue;
    b->reply[i].value = whole.value.element[i];
    if (b->reply[i].value.type == LARDER_ERROR)
      b->reply[i].outcome = LARDER_REFUSED;
    else if (lrd_command_absent(&b->vector[i], &b->reply[i].value))
      b->reply[i].outcome = LARDER_ABSENT;
  }
}

static larder_outcome overall(const larder_batch *b)
{
  for (size_t i = 0; i < b->count; i++)
    if (b->reply[i].outcome != LARDER_OK && b->reply[i].outcome != LARDER_ABSENT)
      return b->reply[i].outcome;
  return LARDER_OK;
}

static larder_outcome run(larder_batch *b, int atomic, int64_t timeout, struct lrd_cell *cell)
{
  struct lrd_tree tree;
  struct lrd_meter meter;
  larder_reply *reply = lrd_arena_allocate(&b->arena, b->count * sizeof *reply);
  if (!reply || lrd_tree_init(&tree, &b->arena, atomic ? 1 : b->count) != 0)
    return LARDER_NO_MEMORY;
  memset(reply, 0, b->count * sizeof *reply);
  b->reply = reply;
  larder_call call = lrd_plain_call(b->store, b->vector, b->count,
                                    atomic ? LARDER_CALL_ATOMIC : 0, timeout);
  lrd_meter_attach(&meter, &tree.sink, cell);
  lrd_dispatch(b->store, &call, &meter);
  if (atomic)
    fill_split(b, &tree);
  else
    fill_each(b, &tree);
  return overall(b);
}

larder_outcome larder_batch_run(larder_batch *b, int atomic, int64_t timeout_ms)
{
  if (!b || b->ran)
    return LARDER_BAD_ARGUMENT;
  larder_outcome outcome;
  struct lrd_cell *cell = lrd_enter(b->store, &outcome);
  if (!cell)
    return outcome;
  int64_t timeout = lrd_timeout(b->store, timeout_ms);
  outcome = timeout ? b->spoiled : LARDER_BAD_ARGUMENT;
  if (outcome == LARDER_OK) {
    b->ran = 1;
    if (b->count)
      outcome = run(b, atomic, timeout, cell);
  }
  lrd_leave(cell);
  return outcome;
}

size_t larder_batch_count(const larder_batch *b)
{
  return b ? b->count : 0;
}

const larder_reply *larder_batch_reply(const larder_batch *b, size_t i)
{
  return b && b->reply && i < b->count ? &b->reply[i] : NULL;
}
