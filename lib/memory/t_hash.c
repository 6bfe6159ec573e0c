/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/hash.h"
#include "memory/kind.h"

static struct lrd_hash *hash_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

/* What has become empty goes, but for a DELTA: what else its key has is not known. */
static void drop_if_empty(struct lrd_exec *x, struct lrd_entry *entry, int whole)
{
  if (whole && hash_of(entry)->count == 0)
    lrd_remove(x, entry);
}

/* Sets the fields that the arguments name, in the entry of their key (NULL: there is none).
 * How many are new; -1: no memory, replied. */
static int64_t set(struct lrd_exec *x, struct lrd_entry *entry)
{
  larder_bytes key = x->argv[1];
  struct lrd_entry *fresh = NULL;
  int64_t added;

  if (!entry && !(entry = fresh = lrd_create(x, key, LRD_HASH))) {
    lrd_no_memory(x);
    return -1;
  }
  added = lrd_hash_set(hash_of(entry), lrd_memory_of(x->engine), lrd_hash_key_of(x->engine),
                       (size_t)(x->argc - 2) / 2, x->argv + 2);
  if (added < 0) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return -1;
  }
  lrd_changed(x, key, 0, NULL);
  return added;
}

/* -1: an error is replied. */
static int64_t set_pairs(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (x->argc % 2) {
    lrd_errorf(x, "ERR wrong number of arguments for '%s' command",
               lrd_commands[x->vector->command].name);
    return -1;
  }
  return lrd_write(x, x->argv[1], LRD_HASH, &entry) ? set(x, entry) : -1;
}

void lrd_t_hset(struct lrd_exec *x)
{
  int64_t added = set_pairs(x);

  if (added >= 0)
    lrd_sink_integer(x->sink, added);
}

void lrd_t_hmset(struct lrd_exec *x)
{
  if (set_pairs(x) >= 0)
    lrd_sink_ok(x->sink);
}

void lrd_t_hsetnx(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  larder_bytes value;

  if (!lrd_read(x, x->argv[1], LRD_HASH, &entry))
    return;
  if (entry && lrd_hash_get(hash_of(entry), x->argv[2], &value))
    lrd_sink_integer(x->sink, 0);
  else if (set(x, entry) >= 0)
    lrd_sink_integer(x->sink, 1);
}

void lrd_t_hget(struct lrd_exec *x)
{
  larder_bytes field = x->argv[2], value;
  struct lrd_entry *entry;

  if (!lrd_read_part(x, x->argv[1], LRD_HASH, &entry))
    return;
  if (entry && lrd_hash_get(hash_of(entry), field, &value) &&
      !lrd_hash_is_sum(hash_of(entry), field))
    lrd_sink_string(x->sink, value.data, value.len);
  else if (lrd_is_whole(x, entry))
    lrd_sink_nil(x->sink);
  else
    lrd_unknown(x);
}

void lrd_t_hdel(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  int64_t deleted = 0;
  int i, whole;

  if (!lrd_write(x, x->argv[1], LRD_HASH, &entry))
    return;
  whole = lrd_is_whole(x, entry);
  if (entry) {
    for (i = 2; i < x->argc; i++)
      deleted += lrd_hash_remove(hash_of(entry), lrd_memory_of(x->engine), x->argv[i]);
    drop_if_empty(x, entry, whole);
  }
  if (deleted || !whole)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, deleted);
}

void lrd_t_hgetall(struct lrd_exec *x)
{
  struct lrd_hash_cursor c = { 0 };
  struct lrd_entry *entry;
  struct lrd_pair pair;

  if (!lrd_read(x, x->argv[1], LRD_HASH, &entry))
    return;
  lrd_sink_map(x->sink, entry ? hash_of(entry)->count : 0);
  while (entry && lrd_hash_next(hash_of(entry), &c, &pair)) {
    lrd_sink_string(x->sink, pair.field.data, pair.field.len);
    lrd_sink_string(x->sink, pair.value.data, pair.value.len);
  }
}

void lrd_t_hlen(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_read(x, x->argv[1], LRD_HASH, &entry))
    lrd_sink_integer(x->sink, entry ? (int64_t)hash_of(entry)->count : 0);
}

/* The field's number plus the increment; 0: an error is replied. */
static int sum(struct lrd_exec *x, const struct lrd_entry *entry, larder_bytes stored,
               int64_t increment, int64_t *out)
{
  int64_t now;

  if (!lrd_parse_integer(stored.data, stored.len, &now)) {
    lrd_value_error(x, entry, "ERR hash value is not an integer");
    return 0;
  }
  if (__builtin_add_overflow(now, increment, out)) {
    lrd_value_error(x, entry, lrd_text_overflow);
    return 0;
  }
  return 1;
}

void lrd_t_hincrby(struct lrd_exec *x)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  const struct lrd_universal_key *key = lrd_hash_key_of(x->engine);
  larder_bytes field = x->argv[2], pair[2];
  struct lrd_entry *entry, *fresh = NULL;
  char text[LRD_NUMBER_SIZE];
  int64_t increment, value;
  int known, failed;

  if (!lrd_argument_integer(x, 3, &increment) || !lrd_write(x, x->argv[1], LRD_HASH, &entry))
    return;
  value = increment;
  known = lrd_is_whole(x, entry);
  if (entry && lrd_hash_get(hash_of(entry), field, &pair[1])) {
    if (!sum(x, entry, pair[1], increment, &value))
      return;
    known = known || !lrd_hash_is_sum(hash_of(entry), field);
  }
  if (!entry && !(entry = fresh = lrd_create(x, x->argv[1], LRD_HASH))) {
    lrd_no_memory(x);
    return;
  }
  pair[0] = field;
  pair[1] = (larder_bytes){ text, lrd_print_integer(text, value) };
  failed = known ? lrd_hash_set(hash_of(entry), memory, key, 1, pair) < 0
                 : lrd_hash_set_sum(hash_of(entry), memory, key, field, pair[1]) != 0;
  if (failed) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, value);
}

/* --- the kind ------------------------------------------------------------ */

static void *create(const larder_memory *memory)
{
  return lrd_hash_new(memory);
}

static void destroy(const larder_memory *memory, void *value)
{
  lrd_hash_free(value, memory);
}

static size_t free_some(const larder_memory *memory, void *value, size_t budget)
{
  return lrd_hash_free_some(value, memory, budget);
}

static size_t rebuild(const void *value, larder_bytes key, larder_sink *sink)
{
  const struct lrd_hash *hash = value;
  struct lrd_hash_cursor c = { 0 };
  size_t left = hash->count, most = (LRD_REBUILD_ARGUMENTS - 2) / 2, vectors = 0, n, i;
  struct lrd_pair pair;

  for (; left; left -= n, vectors++) {
    n = left < most ? left : most;
    lrd_sink_array(sink, 2 + 2 * n);
    lrd_sink_string(sink, "HSET", 4);
    lrd_sink_string(sink, key.data, key.len);
    for (i = 0; i < n && lrd_hash_next(hash, &c, &pair); i++) {
      lrd_sink_string(sink, pair.field.data, pair.field.len);
      lrd_sink_string(sink, pair.value.data, pair.value.len);
    }
  }
  return vectors;
}

const struct lrd_kind_type lrd_hash_type = { "hash", create, destroy, rebuild, free_some };
