/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_MEMORY_RIG_H
#define TEST_MEMORY_RIG_H

#include <inttypes.h>
#include <stdarg.h>

#include "command/argv.h"
#include "memory/check.h"
#include "memory/pool.h"
#include "store/config.h"
#include "support/check.h"
#include "util/memory.h"

/*
 * An engine behind its table, on a clock that the test sets and an allocator
 * that counts, with an observer that writes down what it is told.
 *
 * Replies are compared as text: nil, *-1 (a nil array), :5, $bytes, +OK,
 * -ERR ..., [a b] for aggregates; in front "unknown " (UNKNOWN_LOCALLY, without
 * its error text) or the name of another outcome but OK and REFUSED; behind
 * " provisional".
 * Intents: "!key" what is wholly known, "INCRBY key 1" what is not, ", " between.
 */

enum { RIG_TEXT = 4096 };

struct rig {
  struct pool pool;
  int64_t wall_us, mono_ns;
  larder_memory memory;
  larder_backend *engine;
  larder_hold *hold;
  char intents[RIG_TEXT];
  void *note, *noted;
  int keep; /* may_forget says no */
  long fail_in; /* allocations that succeed in the next calls; -1: all */
  int failed;   /* that was not enough in the last one */
  const larder_memory *reply_memory; /* where replies are built; NULL: malloc */
};

struct rig_setup {
  int partial;
  unsigned shards;
  int background;
  int system_memory, system_clock; /* for threads */
  size_t maxmemory;
  larder_policy policy;
};

static void rig_put(char *text, const char *format, ...)
{
  size_t len = strlen(text);
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text + len, RIG_TEXT - len, format, arguments);
  va_end(arguments);
}

static int64_t rig_monotonic(void *context)
{
  return ((struct rig *)context)->mono_ns;
}

static int64_t rig_wall(void *context)
{
  return ((struct rig *)context)->wall_us;
}

static void rig_changed(void *context, const larder_intent *i)
{
  struct rig *rig = context;

  rig->noted = i->note;
  if (rig->intents[0])
    rig_put(rig->intents, ", ");
  if (i->complete)
    rig_put(rig->intents, "!%.*s", (int)i->key.len, i->key.data);
  for (int a = 0; a < i->argc && !i->complete; a++)
    rig_put(rig->intents, "%s%.*s", a ? " " : "", (int)i->argv[a].len, i->argv[a].data);
}

static int rig_may_forget(void *context, int database, larder_bytes key)
{
  (void)database;
  (void)key;
  return !((struct rig *)context)->keep;
}

static inline void rig_open(struct rig *rig, struct rig_setup setup)
{
  struct lrd_config config = { .shards = setup.shards ? setup.shards : 4,
                               .background = setup.background,
                               .maxmemory = setup.maxmemory,
                               .maxmemory_policy = setup.policy };
  larder_observer observer = { rig_changed, rig_may_forget, rig };
  larder_backend_options options = { &config, setup.system_memory ? NULL : &observer,
                                     setup.partial, NULL };
  char error[200] = "";

  memset(rig, 0, sizeof *rig);
  pool_init(&rig->pool);
  rig->memory = setup.system_memory ? lrd_memory_system : rig->pool.memory;
  rig->fail_in = -1;
  rig->wall_us = INT64_C(1700000000000000);
  rig->engine = lrd_allocate_zeroed(&lrd_memory_system, 1, lrd_memory_table.size);
  rig->engine->table = &lrd_memory_table;
  rig->engine->memory = rig->memory;
  rig->engine->clock = setup.system_clock
                         ? lrd_clock_system
                         : (larder_clock){ rig_monotonic, rig_wall, rig };
  ck_assert_msg(lrd_memory_table.open(rig->engine, &options, error, sizeof error) == LARDER_OK,
                "%s", error);
  rig->hold = lrd_memory_table.hold_open(rig->engine);
  ck_assert_ptr_nonnull(rig->hold);
}

static inline void rig_close(struct rig *rig)
{
  check_ok(lrd_engine_check((struct lrd_engine *)rig->engine));
  lrd_memory_table.hold_close(rig->engine, rig->hold);
  ck_assert_uint_eq(lrd_memory_table.close(rig->engine, 0, 0), 0);
  lrd_release(&lrd_memory_system, rig->engine, lrd_memory_table.size);
  pool_check_empty(&rig->pool);
}

static inline void rig_sleep(struct rig *rig, int64_t ms)
{
  rig->wall_us += ms * 1000;
  rig->mono_ns += ms * LRD_NS_PER_MS;
}

static inline larder_backend_status rig_status(struct rig *rig)
{
  larder_backend_status status = { .state = -1, .journal_oldest_ms = -1 };

  lrd_memory_table.status(rig->engine, &status);
  return status;
}

/* --- calls ------------------------------------------------------------------- */

static void rig_render(char *text, const larder_value *v)
{
  switch (v->type) {
  case LARDER_NIL:
    rig_put(text, v->resp2 == LARDER_RESP2_NIL_ARRAY ? "*-1" : "nil");
    break;
  case LARDER_INTEGER:
  case LARDER_BOOLEAN:
    rig_put(text, ":%" PRId64, v->integer);
    break;
  case LARDER_STATUS:
    rig_put(text, "+%.*s", (int)v->len, v->str);
    break;
  case LARDER_ERROR:
    rig_put(text, "-%.*s", (int)v->len, v->str);
    break;
  case LARDER_STRING:
  case LARDER_DOUBLE:
  case LARDER_VERBATIM:
  case LARDER_BIGNUM:
    rig_put(text, "$%.*s", (int)v->len, v->str);
    break;
  default:
    rig_put(text, "[");
    for (size_t i = 0; i < v->len; i++) {
      rig_put(text, i ? " " : "");
      rig_render(text, &v->element[i]);
    }
    rig_put(text, "]");
  }
}

static void rig_render_reply(char *text, const struct lrd_tree_reply *r)
{
  text[0] = '\0';
  if (r->verdict.outcome == LARDER_UNKNOWN_LOCALLY)
    rig_put(text, "unknown ");
  else if (r->verdict.outcome != LARDER_OK && r->verdict.outcome != LARDER_REFUSED)
    rig_put(text, "%s ", larder_outcome_name(r->verdict.outcome));
  ck_assert_int_eq(r->verdict.origin, LARDER_FROM_LOCAL);
  ck_assert_int_eq(r->verdict.age_ms, -1);
  if (r->value.type == LARDER_ERROR) {
    ck_assert_int_ne(r->verdict.outcome, LARDER_OK);
    if (r->verdict.outcome == LARDER_UNKNOWN_LOCALLY) {
      ck_assert_int_eq(strncmp(r->value.str, "UNAVAILABLE ", 12), 0);
      text[strlen(text) - 1] = '\0';
      return;
    }
  } else {
    ck_assert_int_ne(r->verdict.outcome, LARDER_REFUSED);
  }
  rig_render(text, &r->value);
  if (r->verdict.flags & LARDER_PROVISIONAL)
    rig_put(text, " provisional");
}

/* Several lines are one call of as many vectors; the replies are separated by
 * " | ".  A line begins with '?' if its keys must be whole. */
static inline void rig_call(struct rig *rig, unsigned flags, const char *lines, char *text)
{
  enum { VECTORS = 16 };
  struct lrd_arena arena, replied;
  struct lrd_tree tree;
  larder_vector v[VECTORS];
  size_t count = 0, replies;
  char error[200];

  rig->intents[0] = '\0';
  lrd_arena_init(&arena, &lrd_memory_system);
  lrd_arena_init(&replied, rig->reply_memory ? rig->reply_memory : &lrd_memory_system);
  for (const char *line = lines; *line; count++) {
    size_t len = strcspn(line, "\n");
    int whole = *line == '?';
    larder_bytes *argv;
    int argc;

    ck_assert_uint_lt(count, VECTORS);
    ck_assert_int_eq(lrd_argv_split(&arena, line + whole, len - (size_t)whole, &argc, &argv),
                     LARDER_OK);
    v[count] = (larder_vector){ .argc = argc, .argv = argv };
    if (lrd_is_word(&argv[0], "LARDER.FORGET"))
      v[count].command = LRD_LARDER_FORGET;
    else if (lrd_is_word(&argv[0], "LARDER.REBUILD"))
      v[count].command = LRD_LARDER_REBUILD;
    else
      ck_assert_msg(lrd_command_check(&v[count], error, sizeof error) == LARDER_OK, "%s", error);
    v[count].flags = whole ? LARDER_VECTOR_COMPLETE : 0;
    line += len + (line[len] == '\n');
  }
  replies = flags & LARDER_CALL_ATOMIC ? 1 : count;
  ck_assert_int_eq(lrd_tree_init(&tree, &replied, replies), 0);
  rig->pool.fail_in = rig->fail_in;
  lrd_memory_table.execute(rig->engine,
                           &(larder_call){ .vector = v, .count = count, .flags = flags,
                                           .hold = rig->hold, .note = rig->note },
                           &tree.sink);
  rig->failed = rig->fail_in >= 0 && rig->pool.fail_in == 0;
  rig->pool.fail_in = -1;
  ck_assert_uint_eq(tree.replies, replies);
  text[0] = '\0';
  for (size_t i = 0; i < replies; i++) {
    char one[RIG_TEXT];

    rig_render_reply(one, &tree.reply[i]);
    rig_put(text, "%s%s", i ? " | " : "", one);
  }
  lrd_arena_free(&replied);
  lrd_arena_free(&arena);
}

#define EXPECT(rig, lines, expected) rig_expect(rig, 0, lines, expected, __LINE__)
#define EXPECT_FLAGS(rig, flags, lines, expected) rig_expect(rig, flags, lines, expected, __LINE__)
#define INTENTS(rig, expected) ck_assert_str_eq((rig)->intents, expected)

static inline void rig_expect(struct rig *rig, unsigned flags, const char *lines,
                              const char *expected, int at)
{
  char text[RIG_TEXT];

  rig_call(rig, flags, lines, text);
  ck_assert_msg(strcmp(text, expected) == 0, "line %d: %s: %s instead of %s", at, lines, text,
                expected);
}

#endif
