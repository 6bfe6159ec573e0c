/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/set.h"

#include "memory/stage.h"
#include "util/memory.h"
#include "util/number.h"

enum { PACKED_COUNT = 128, PACKED_LEN = 64 };

static size_t node_size(const unsigned char *node)
{
  return lrd_blob_size(lrd_blob(node).len);
}

static unsigned char *node_new(const larder_memory *memory, larder_bytes member)
{
  unsigned char *node = lrd_allocate(memory, lrd_blob_size(member.len));

  if (node)
    lrd_blob_write(node, member);
  return node;
}

static void node_free(const larder_memory *memory, const unsigned char *node)
{
  if (node)
    lrd_release(memory, (void *)(uintptr_t)node, node_size(node));
}

struct lrd_set *lrd_set_new(const larder_memory *memory)
{
  return lrd_allocate_zeroed(memory, 1, sizeof(struct lrd_set));
}

static void release_members(struct lrd_set *set, const larder_memory *memory)
{
  if (set->table)
    lrd_table_free(set->table, memory, node_free);
  lrd_packed_free(&set->packed, memory);
}

void lrd_set_free(struct lrd_set *set, const larder_memory *memory)
{
  release_members(set, memory);
  lrd_release(memory, set, sizeof *set);
}

size_t lrd_set_free_some(struct lrd_set *set, const larder_memory *memory, size_t budget)
{
  if (set->table && !(budget = lrd_table_drain(set->table, memory, node_free, budget)))
    return 0;
  lrd_set_free(set, memory);
  return budget;
}

/* --- packed -------------------------------------------------------------- */

static const unsigned char *packed_find(const struct lrd_packed *p, larder_bytes member)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;
  larder_bytes b;

  for (; at < end; at = next) {
    next = lrd_blob_read(at, &b);
    if (lrd_bytes_equal(b, member))
      return at;
  }
  return NULL;
}

static int packed_fits(const struct lrd_set *set, size_t n, const larder_bytes *members)
{
  size_t i;

  if (set->count + n > PACKED_COUNT)
    return 0;
  for (i = 0; i < n; i++)
    if (members[i].len > PACKED_LEN)
      return 0;
  return 1;
}

static int64_t packed_add(struct lrd_set *set, const larder_memory *memory, size_t n,
                          const larder_bytes *members)
{
  size_t i, size = 0, added = 0;

  for (i = 0; i < n; i++)
    if (!packed_find(&set->packed, members[i]))
      size += lrd_blob_size(members[i].len);
  if (lrd_packed_reserve(&set->packed, memory, size) != 0)
    return -1;
  for (i = 0; i < n; i++) {
    if (packed_find(&set->packed, members[i]))
      continue;
    lrd_blob_write(lrd_packed_open(&set->packed, set->packed.used, lrd_blob_size(members[i].len)),
                   members[i]);
    added++;
  }
  set->count += added;
  return (int64_t)added;
}

static int convert(struct lrd_set *set, const larder_memory *memory,
                   const struct lrd_universal_key *key)
{
  struct lrd_table *table = lrd_table_new(memory, key);
  struct lrd_set_cursor c = { 0 };
  larder_bytes member;

  if (!table)
    return -1;
  if (lrd_table_reserve(table, memory, set->count) != 0)
    goto fail;
  while (lrd_set_next(set, &c, &member)) {
    unsigned char *node = node_new(memory, member);
    if (!node)
      goto fail;
    lrd_table_insert(table, memory, lrd_table_hash(table, member), node);
  }
  lrd_table_unreserve(table, memory);
  lrd_packed_free(&set->packed, memory);
  set->table = table;
  return 0;

fail:
  lrd_table_free(table, memory, node_free);
  return -1;
}

/* --- integers ------------------------------------------------------------ */

static int is_integer(larder_bytes member, int64_t *n)
{
  return member.len && member.len <= 20 && lrd_parse_integer(member.data, member.len, n);
}

static int integers_find(const struct lrd_set *set, larder_bytes member, size_t *at)
{
  int64_t n;
  int found = 0;

  *at = 0;
  if (is_integer(member, &n))
    *at = lrd_integers_find(&set->packed, set->count, n, &found);
  return found;
}

/* How many are not there yet, one named twice counted twice; -1: not all are integers. */
static int64_t integers_new(const struct lrd_set *set, size_t n, const larder_bytes *members,
                            size_t *width)
{
  size_t i, new = 0;
  int64_t integer;
  int found;

  for (i = 0, *width = 2; i < n; i++) {
    if (!is_integer(members[i], &integer))
      return -1;
    (void)lrd_integers_find(&set->packed, set->count, integer, &found);
    if (found)
      continue;
    if (lrd_integer_width(integer) > *width)
      *width = lrd_integer_width(integer);
    new++;
  }
  return (int64_t)new;
}

static int64_t integers_add(struct lrd_set *set, const larder_memory *memory, size_t n,
                            const larder_bytes *members, size_t new, size_t width)
{
  size_t i, at, before = set->count;
  int64_t integer;
  int found;

  if (!new)
    return 0;
  if (lrd_integers_reserve(&set->packed, memory, set->count, new, width) != 0)
    return -1;
  for (i = 0; i < n; i++) {
    (void)is_integer(members[i], &integer);
    at = lrd_integers_find(&set->packed, set->count, integer, &found);
    if (!found)
      lrd_integers_insert(&set->packed, set->count++, at, integer, width);
  }
  lrd_packed_peak(&set->packed, set->count, 0);
  return (int64_t)(set->count - before);
}

/* What most vectors are: one member, read once. */
static int64_t integers_add_one(struct lrd_set *set, const larder_memory *memory, int64_t integer)
{
  size_t at, width = lrd_integer_width(integer);
  int found;

  at = lrd_integers_find(&set->packed, set->count, integer, &found);
  if (found)
    return 0;
  if (lrd_integers_reserve(&set->packed, memory, set->count, 1, width) != 0)
    return -1;
  lrd_integers_insert(&set->packed, set->count++, at, integer, width);
  lrd_packed_peak(&set->packed, set->count, 0);
  return 1;
}

/* Makes blobs of the integers and adds the n, of which not all are: all or nothing. */
static int64_t integers_pack(struct lrd_set *set, const larder_memory *memory, size_t n,
                             const larder_bytes *members)
{
  struct lrd_packed to = { .most = set->packed.most };
  struct lrd_set_cursor c = { 0 };
  size_t size = 0, i;
  larder_bytes member;

  while (lrd_set_next(set, &c, &member))
    size += lrd_blob_size(member.len);
  for (i = 0; i < n; i++)
    size += lrd_blob_size(members[i].len);
  if (lrd_packed_reserve(&to, memory, size) != 0)
    return -1;
  c = (struct lrd_set_cursor){ 0 };
  while (lrd_set_next(set, &c, &member))
    (void)lrd_blob_write(lrd_packed_open(&to, to.used, lrd_blob_size(member.len)), member);
  lrd_packed_free(&set->packed, memory);
  set->packed = to;
  return packed_add(set, memory, n, members); /* there is room */
}

/* --- large --------------------------------------------------------------- */

static int64_t table_add_one(struct lrd_table *table, const larder_memory *memory,
                             larder_bytes member)
{
  uint64_t hash = lrd_table_hash(table, member);
  unsigned char *node;

  if (lrd_table_find(table, hash, member))
    return 0;
  if (lrd_table_reserve(table, memory, 1) != 0 || !(node = node_new(memory, member)))
    return -1;
  lrd_table_insert(table, memory, hash, node);
  return 1;
}

/* Nodes for those of the n that are not in the table; 0, or -1: no memory. */
static int nodes_make(struct lrd_stage *stage, const struct lrd_table *table,
                      const larder_memory *memory, const larder_bytes *members)
{
  size_t i;

  for (i = 0; i < stage->n; i++)
    if (!lrd_table_find(table, stage->each[i].hash, members[i]) &&
        !(stage->each[i].item = node_new(memory, members[i])))
      return -1;
  return 0;
}

static int64_t table_add(struct lrd_table *table, const larder_memory *memory, size_t n,
                         const larder_bytes *members)
{
  struct lrd_stage stage;
  int64_t added = -1;

  if (n == 1)
    return table_add_one(table, memory, *members);
  if (lrd_stage_open(&stage, table, memory, n, members, sizeof *members) != 0)
    return -1;
  if (nodes_make(&stage, table, memory, members) == 0)
    added = lrd_stage_insert(&stage, table, memory, members, sizeof *members, 0);
  lrd_stage_close(&stage, table, memory, node_free);
  return added;
}

/* --- the set ------------------------------------------------------------- */

int lrd_set_has(const struct lrd_set *set, larder_bytes member)
{
  size_t at;

  if (set->table)
    return lrd_table_find(set->table, lrd_table_hash(set->table, member), member) != NULL;
  if (lrd_set_is_integers(set))
    return integers_find(set, member, &at);
  return packed_find(&set->packed, member) != NULL;
}

static int64_t add(struct lrd_set *set, const larder_memory *memory,
                   const struct lrd_universal_key *key, size_t n, const larder_bytes *members)
{
  int64_t added;

  if (!set->table && packed_fits(set, n, members))
    return packed_add(set, memory, n, members);
  if (!set->table && convert(set, memory, key) != 0)
    return -1;
  added = table_add(set->table, memory, n, members);
  set->count = set->table->count;
  return added;
}

static void note_peaks(struct lrd_set *set, size_t n, const larder_bytes *members)
{
  int64_t integer;
  size_t i;

  lrd_packed_peak(&set->packed, set->count, 0);
  for (i = 0; i < n; i++)
    if (set->packed.longest || !is_integer(members[i], &integer))
      lrd_packed_peak(&set->packed, 0, members[i].len + 1);
}

/* To an integer set, which may end to be one. */
static __attribute__((noinline)) int64_t add_to_integers(struct lrd_set *set,
                                                         const larder_memory *memory,
                                                         const struct lrd_universal_key *key,
                                                         size_t n, const larder_bytes *members)
{
  int64_t integer, new, added;
  size_t width;

  if (n == 1 && set->count < LRD_INTEGERS_MOST && is_integer(*members, &integer))
    return integers_add_one(set, memory, integer);
  new = integers_new(set, n, members, &width);
  if (new >= 0 && set->count + (size_t)new <= LRD_INTEGERS_MOST)
    return integers_add(set, memory, n, members, (size_t)new, width);
  if (!packed_fits(set, n, members))
    return convert(set, memory, key) == 0 ? lrd_set_add(set, memory, key, n, members) : -1;
  added = integers_pack(set, memory, n, members);
  if (added > 0)
    note_peaks(set, n, members);
  return added;
}

int64_t lrd_set_add(struct lrd_set *set, const larder_memory *memory,
                    const struct lrd_universal_key *key, size_t n, const larder_bytes *members)
{
  int64_t added;

  if (lrd_set_is_integers(set))
    return add_to_integers(set, memory, key, n, members);
  added = add(set, memory, key, n, members);
  if (added > 0)
    note_peaks(set, n, members);
  return added;
}

int lrd_set_remove(struct lrd_set *set, const larder_memory *memory, larder_bytes member)
{
  const unsigned char *node;
  size_t at;

  if (lrd_set_is_integers(set)) {
    if (!integers_find(set, member, &at))
      return 0;
    lrd_integers_remove(&set->packed, memory, set->count--, at);
    return 1;
  }
  if (set->table) {
    node = lrd_table_remove(set->table, memory, lrd_table_hash(set->table, member), member);
    node_free(memory, node);
  } else {
    node = packed_find(&set->packed, member);
    if (node) {
      lrd_packed_close(&set->packed, (size_t)(node - set->packed.data), node_size(node));
      lrd_packed_trim(&set->packed, memory);
    }
  }
  if (node)
    set->count--;
  return node != NULL;
}

void lrd_set_renew(struct lrd_set *set, const larder_memory *memory,
                   const struct lrd_universal_key *key)
{
  struct lrd_set new = { .table = NULL };
  struct lrd_set_cursor c = { 0 };
  larder_bytes member;

  while (lrd_set_next(set, &c, &member))
    if (lrd_set_add(&new, memory, key, 1, &member) < 0) {
      release_members(&new, memory);
      return;
    }
  release_members(set, memory);
  *set = new;
}

int lrd_set_next(const struct lrd_set *set, struct lrd_set_cursor *c, larder_bytes *member)
{
  const unsigned char *node;

  if (set->table) {
    node = lrd_table_next(set->table, &c->table);
    if (node)
      lrd_blob_read(node, member);
    return node != NULL;
  }
  if (lrd_set_is_integers(set)) {
    if (c->at == set->count)
      return 0;
    *member = lrd_integers_print(&set->packed, set->count, c->at++, c->text);
    return 1;
  }
  if (c->at == set->packed.used)
    return 0;
  c->at = (size_t)(lrd_blob_read(set->packed.data + c->at, member) - set->packed.data);
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

  s->visit(s->context, lrd_blob(node), (larder_bytes){ NULL, 0 }, 0);
}

uint64_t lrd_set_scan(const struct lrd_set *set, uint64_t cursor, lrd_scan_visit *visit,
                      void *context)
{
  struct scan s = { visit, context };
  struct lrd_set_cursor c = { 0 };
  larder_bytes member;

  if (set->table)
    return lrd_table_scan(set->table, cursor, visit_node, &s);
  while (lrd_set_next(set, &c, &member))
    visit(context, member, (larder_bytes){ NULL, 0 }, 0);
  return 0;
}

const char *lrd_set_check(const struct lrd_set *set)
{
  struct lrd_set_cursor c = { 0 };
  larder_bytes member;
  size_t count = 0;

  if (set->table && set->packed.data)
    return "both forms at once";
  while (lrd_set_next(set, &c, &member)) {
    count++;
    if (!lrd_set_has(set, member))
      return "a member is not found";
  }
  if (count != set->count)
    return "the count is wrong";
  if (lrd_set_is_integers(set))
    return lrd_integers_check(&set->packed, set->count);
  if (!set->table && packed_fits(set, 0, NULL) == 0)
    return "packed although it is large";
  return set->table ? lrd_table_check(set->table) : NULL;
}
