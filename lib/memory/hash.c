/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/hash.h"

#include "memory/stage.h"
#include "util/memory.h"

enum { PACKED_COUNT = 128, PACKED_LEN = 64 };

static size_t pair_size(const struct lrd_pair *pair)
{
  return lrd_blob_size(pair->field.len) + lrd_blob_size(pair->value.len);
}

/* Pair i of field, value, field, value, ... */
static struct lrd_pair pair_of(const larder_bytes *pairs, size_t i)
{
  return (struct lrd_pair){ pairs[2 * i], pairs[2 * i + 1] };
}

static const unsigned char *pair_read(const unsigned char *p, struct lrd_pair *pair)
{
  p = lrd_blob_read(p, &pair->field);
  return lrd_blob_read(p, &pair->value);
}

static unsigned char *node_new(const larder_memory *memory, const struct lrd_pair *pair)
{
  unsigned char *node = lrd_allocate(memory, pair_size(pair));

  if (node)
    lrd_blob_write(lrd_blob_write(node, pair->field), pair->value);
  return node;
}

static void node_free(const larder_memory *memory, const unsigned char *node)
{
  struct lrd_pair pair;

  if (!node)
    return;
  pair_read(node, &pair);
  lrd_release(memory, (void *)(uintptr_t)node, pair_size(&pair));
}

struct lrd_hash *lrd_hash_new(const larder_memory *memory)
{
  return lrd_allocate_zeroed(memory, 1, sizeof(struct lrd_hash));
}

void lrd_hash_free(struct lrd_hash *hash, const larder_memory *memory)
{
  if (hash->table)
    lrd_table_free(hash->table, memory, node_free);
  if (hash->sums)
    lrd_set_free(hash->sums, memory);
  lrd_packed_free(&hash->packed, memory);
  lrd_release(memory, hash, sizeof *hash);
}

size_t lrd_hash_free_some(struct lrd_hash *hash, const larder_memory *memory, size_t budget)
{
  if (hash->table && !(budget = lrd_table_drain(hash->table, memory, node_free, budget)))
    return 0;
  if (hash->sums && !(budget = lrd_set_free_some(hash->sums, memory, budget)))
    return 0;
  hash->sums = NULL;
  lrd_hash_free(hash, memory);
  return budget;
}

/* --- packed -------------------------------------------------------------- */

static const unsigned char *packed_find(const struct lrd_packed *p, larder_bytes field,
                                        struct lrd_pair *pair)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;

  for (; at < end; at = next) {
    next = pair_read(at, pair);
    if (lrd_bytes_equal(pair->field, field))
      return at;
  }
  return NULL;
}

static int packed_fits(const struct lrd_hash *hash, size_t n, const larder_bytes *pairs)
{
  size_t i;

  if (hash->count + n > PACKED_COUNT)
    return 0;
  for (i = 0; i < 2 * n; i++)
    if (pairs[i].len > PACKED_LEN)
      return 0;
  return 1;
}

/* A pair keeps its place, whatever the length of its new value. */
static int packed_put(struct lrd_packed *p, struct lrd_pair pair)
{
  struct lrd_pair old;
  const unsigned char *found = packed_find(p, pair.field, &old);
  size_t at = found ? (size_t)(found - p->data) : p->used;
  size_t before = found ? pair_size(&old) : 0, after = pair_size(&pair);
  unsigned char *to;

  if (after > before)
    lrd_packed_open(p, at + before, after - before);
  else if (after < before)
    lrd_packed_close(p, at, before - after);
  to = lrd_blob_write(p->data + at, pair.field);
  lrd_blob_write(to, pair.value);
  return found == NULL;
}

static int64_t packed_set(struct lrd_hash *hash, const larder_memory *memory, size_t n,
                          const larder_bytes *pairs)
{
  size_t i, size = 0, added = 0;

  for (i = 0; i < 2 * n; i++)
    size += lrd_blob_size(pairs[i].len);
  if (lrd_packed_reserve(&hash->packed, memory, size) != 0)
    return -1;
  for (i = 0; i < n; i++)
    added += (size_t)packed_put(&hash->packed, pair_of(pairs, i));
  hash->count += added;
  return (int64_t)added;
}

static int convert(struct lrd_hash *hash, const larder_memory *memory,
                   const struct lrd_universal_key *key)
{
  const unsigned char *at = hash->packed.data, *end = lrd_packed_end(&hash->packed);
  struct lrd_table *table = lrd_table_new(memory, key);

  if (!table)
    return -1;
  if (lrd_table_reserve(table, memory, hash->count) != 0)
    goto fail;
  while (at < end) {
    struct lrd_pair pair;
    unsigned char *node;
    at = pair_read(at, &pair);
    node = node_new(memory, &pair);
    if (!node)
      goto fail;
    lrd_table_insert(table, memory, lrd_table_hash(table, pair.field), node);
  }
  lrd_table_unreserve(table, memory);
  lrd_packed_free(&hash->packed, memory);
  hash->table = table;
  return 0;

fail:
  lrd_table_free(table, memory, node_free);
  return -1;
}

/* --- large --------------------------------------------------------------- */

static int64_t table_set_one(struct lrd_table *table, const larder_memory *memory,
                             struct lrd_pair pair)
{
  uint64_t hash = lrd_table_hash(table, pair.field);
  const unsigned char **place = lrd_table_find(table, hash, pair.field);
  unsigned char *node;
  struct lrd_pair old;

  if (place) {
    pair_read(*place, &old);
    if (old.value.len == pair.value.len) {
      if (pair.value.len)
        memcpy((char *)(uintptr_t)old.value.data, pair.value.data, pair.value.len);
      return 0;
    }
  } else if (lrd_table_reserve(table, memory, 1) != 0) {
    return -1;
  }
  if (!(node = node_new(memory, &pair)))
    return -1;
  if (!place) {
    lrd_table_insert(table, memory, hash, node);
    return 1;
  }
  node_free(memory, *place);
  *place = node;
  return 0;
}

static int nodes_make(struct lrd_stage *stage, const larder_memory *memory,
                      const larder_bytes *pairs)
{
  size_t i;

  for (i = 0; i < stage->n; i++) {
    struct lrd_pair pair = pair_of(pairs, i);
    if (!(stage->each[i].item = node_new(memory, &pair)))
      return -1;
  }
  return 0;
}

static int64_t table_set(struct lrd_table *table, const larder_memory *memory, size_t n,
                         const larder_bytes *pairs)
{
  struct lrd_stage stage;
  int64_t added = -1;

  if (n == 1)
    return table_set_one(table, memory, pair_of(pairs, 0));
  if (lrd_stage_open(&stage, table, memory, n, pairs, 2 * sizeof *pairs) != 0)
    return -1;
  if (nodes_make(&stage, memory, pairs) == 0)
    added = lrd_stage_insert(&stage, table, memory, pairs, 2 * sizeof *pairs, 1);
  lrd_stage_close(&stage, table, memory, node_free);
  return added;
}

static int64_t put(struct lrd_hash *hash, const larder_memory *memory,
                   const struct lrd_universal_key *key, size_t n, const larder_bytes *pairs)
{
  int64_t added;

  if (!hash->table && packed_fits(hash, n, pairs))
    return packed_set(hash, memory, n, pairs);
  if (!hash->table && convert(hash, memory, key) != 0)
    return -1;
  added = table_set(hash->table, memory, n, pairs);
  hash->count = hash->table->count;
  return added;
}

/* --- the hash ------------------------------------------------------------ */

int lrd_hash_get(const struct lrd_hash *hash, larder_bytes field, larder_bytes *value)
{
  const unsigned char *const *place;
  struct lrd_pair pair;

  if (hash->table) {
    place = lrd_table_find(hash->table, lrd_table_hash(hash->table, field), field);
    if (!place)
      return 0;
    pair_read(*place, &pair);
  } else if (!packed_find(&hash->packed, field, &pair)) {
    return 0;
  }
  *value = pair.value;
  return 1;
}

int64_t lrd_hash_set(struct lrd_hash *hash, const larder_memory *memory,
                     const struct lrd_universal_key *key, size_t n, const larder_bytes *pairs)
{
  int64_t added = put(hash, memory, key, n, pairs);
  size_t i;

  if (added < 0)
    return added;
  for (i = 0; i < 2 * n; i++)
    lrd_packed_peak(&hash->packed, hash->count, pairs[i].len);
  if (hash->sums)
    for (i = 0; i < n; i++)
      lrd_set_remove(hash->sums, memory, pairs[2 * i]);
  return added;
}

int lrd_hash_set_sum(struct lrd_hash *hash, const larder_memory *memory,
                     const struct lrd_universal_key *key, larder_bytes field, larder_bytes value)
{
  larder_bytes pair[2] = { field, value };
  int64_t marked;

  if (!hash->sums && !(hash->sums = lrd_set_new(memory)))
    return -1;
  marked = lrd_set_add(hash->sums, memory, key, 1, &field);
  if (marked < 0)
    return -1;
  if (put(hash, memory, key, 1, pair) < 0) {
    if (marked)
      lrd_set_remove(hash->sums, memory, field);
    return -1;
  }
  lrd_packed_peak(&hash->packed, hash->count, field.len > value.len ? field.len : value.len);
  return 0;
}

int lrd_hash_is_sum(const struct lrd_hash *hash, larder_bytes field)
{
  return hash->sums && lrd_set_has(hash->sums, field);
}

int lrd_hash_remove(struct lrd_hash *hash, const larder_memory *memory, larder_bytes field)
{
  const unsigned char *node;
  struct lrd_pair pair;

  if (hash->sums)
    lrd_set_remove(hash->sums, memory, field);
  if (hash->table) {
    node = lrd_table_remove(hash->table, memory, lrd_table_hash(hash->table, field), field);
    node_free(memory, node);
  } else {
    node = packed_find(&hash->packed, field, &pair);
    if (node) {
      lrd_packed_close(&hash->packed, (size_t)(node - hash->packed.data), pair_size(&pair));
      lrd_packed_trim(&hash->packed, memory);
    }
  }
  if (node)
    hash->count--;
  return node != NULL;
}

int lrd_hash_next(const struct lrd_hash *hash, struct lrd_hash_cursor *c, struct lrd_pair *pair)
{
  const unsigned char *node;

  if (hash->table) {
    node = lrd_table_next(hash->table, &c->table);
    if (node)
      pair_read(node, pair);
    return node != NULL;
  }
  if (c->at == hash->packed.used)
    return 0;
  c->at = (size_t)(pair_read(hash->packed.data + c->at, pair) - hash->packed.data);
  return 1;
}

/* --- scanning ------------------------------------------------------------ */

struct scan {
  lrd_scan_visit *visit;
  void *context;
};

static void visit_node(void *context, const unsigned char *node)
{
  const struct scan *s = context;
  struct lrd_pair pair;

  pair_read(node, &pair);
  s->visit(s->context, pair.field, pair.value, 0);
}

uint64_t lrd_hash_scan(const struct lrd_hash *hash, uint64_t cursor, lrd_scan_visit *visit,
                       void *context)
{
  struct scan s = { visit, context };
  struct lrd_hash_cursor c = { 0 };
  struct lrd_pair pair;

  if (hash->table)
    return lrd_table_scan(hash->table, cursor, visit_node, &s);
  while (lrd_hash_next(hash, &c, &pair))
    visit(context, pair.field, pair.value, 0);
  return 0;
}

void lrd_hash_sample(const struct lrd_hash *hash, struct lrd_prng *prng, struct lrd_pair *pair)
{
  struct lrd_hash_cursor c = { 0 };
  uint64_t skip;

  if (hash->table) {
    pair_read(lrd_table_sample(hash->table, prng), pair);
    return;
  }
  for (skip = lrd_prng_below(prng, hash->count) + 1; skip; skip--)
    lrd_hash_next(hash, &c, pair);
}

static const char *check_sums(const struct lrd_hash *hash)
{
  struct lrd_set_cursor c = { 0 };
  larder_bytes field, value;

  while (lrd_set_next(hash->sums, &c, &field))
    if (!lrd_hash_get(hash, field, &value))
      return "a sum without a value";
  return lrd_set_check(hash->sums);
}

const char *lrd_hash_check(const struct lrd_hash *hash)
{
  struct lrd_hash_cursor c = { 0 };
  struct lrd_pair pair;
  larder_bytes value;
  size_t count = 0;

  if (hash->table && hash->packed.data)
    return "both forms at once";
  while (lrd_hash_next(hash, &c, &pair)) {
    count++;
    if (!lrd_hash_get(hash, pair.field, &value) || value.data != pair.value.data)
      return "a field is not found";
  }
  if (count != hash->count)
    return "the count is wrong";
  if (!hash->table && packed_fits(hash, 0, NULL) == 0)
    return "packed although it is large";
  if (hash->sums && check_sums(hash))
    return check_sums(hash);
  return hash->table ? lrd_table_check(hash->table) : NULL;
}
