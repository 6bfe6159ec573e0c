/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

/* Commands between larder's own layers; their contract is in engine.h. */

void lrd_t_forget(struct lrd_exec *x)
{
  const larder_observer *o = &x->engine->observer;
  int64_t count = 0;

  for (int i = 1; i < x->argc; i++) {
    struct lrd_at at = lrd_at(x, x->argv[i]);
    struct lrd_entry **place = lrd_keyspace_find(&at);

    if (!place || (o->may_forget && !o->may_forget(o->context, x->database, x->argv[i])))
      continue;
    lrd_keyspace_remove(x->engine, &at, *place, 0);
    count++;
  }
  lrd_sink_integer(x->sink, count);
}

static void emit(struct lrd_exec *x, int argc, const larder_bytes *argv)
{
  lrd_sink_array(x->sink, (size_t)argc);
  for (int i = 0; i < argc; i++)
    lrd_sink_string(x->sink, argv[i].data, argv[i].len);
}

static void rebuild_string(struct lrd_exec *x, const struct lrd_entry *entry)
{
  char value[LRD_NUMBER_SIZE], at[LRD_NUMBER_SIZE];
  int64_t when = lrd_entry_expiry(entry);
  larder_bytes argv[5] = { { "SET", 3 }, x->argv[1], lrd_entry_string(entry, value),
                           { "PXAT", 4 }, { at, 0 } };

  if (when >= 0)
    argv[4].len = lrd_print_integer(at, when);
  lrd_sink_array(x->sink, 1);
  emit(x, when >= 0 ? 5 : 3, argv);
}

static void rebuild_collection(struct lrd_exec *x, const struct lrd_entry *entry)
{
  char at[LRD_NUMBER_SIZE];
  int64_t when = lrd_entry_expiry(entry);
  larder_bytes del[2] = { { "DEL", 3 }, x->argv[1] };
  larder_bytes expire[3] = { { "PEXPIREAT", 9 }, x->argv[1], { at, 0 } };
  size_t vectors = 1;

  x->sink->type->open(x->sink, LARDER_ARRAY);
  emit(x, 2, del);
  vectors += lrd_kind_type(entry->kind)->rebuild(entry->value, x->argv[1], x->sink);
  if (when >= 0) {
    expire[2].len = lrd_print_integer(at, when);
    emit(x, 3, expire);
    vectors++;
  }
  x->sink->type->close(x->sink, vectors);
}

void lrd_t_rebuild(struct lrd_exec *x)
{
  larder_bytes del[2] = { { "DEL", 3 }, x->argv[1] };
  struct lrd_entry *entry;

  if (!lrd_read(x, x->argv[1], LRD_NONE, &entry))
    return;
  if (!entry) {
    lrd_sink_array(x->sink, 1);
    emit(x, 2, del);
  } else if (entry->kind == LRD_STRING) {
    rebuild_string(x, entry);
  } else {
    rebuild_collection(x, entry);
  }
}
