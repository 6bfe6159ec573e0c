/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rdb_reader.h"

#include <math.h>

#include "memory/hash.h"
#include "memory/list.h"
#include "memory/listpack.h"
#include "memory/rdb_stream.h"
#include "memory/set.h"
#include "memory/zset.h"
#include "memory/zset_entry.h"
#include "util/crc64.h"

/* --- elements ----------------------------------------------------------------------------- */

static int add_to_list(struct lrd_reader *r, struct lrd_list *list, larder_bytes element)
{
  return lrd_list_push(list, r->memory, LRD_LIST_BACK, 1, &element) == 0 ||
         lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
}

/* Each may be there but once. */
static int added(struct lrd_reader *r, int64_t n)
{
  return n > 0 || lrd_reader_fail(r, n < 0 ? LRD_LOAD_NO_MEMORY : LRD_LOAD_BAD);
}

static int add_to_set(struct lrd_reader *r, struct lrd_set *set, larder_bytes member)
{
  return added(r, lrd_set_add(set, r->memory, r->key, 1, &member));
}

static int add_to_hash(struct lrd_reader *r, struct lrd_hash *hash, larder_bytes field,
                       larder_bytes value)
{
  larder_bytes pair[2] = { field, value };

  return added(r, lrd_hash_set(hash, r->memory, r->key, 1, pair));
}

static int add_to_zset(struct lrd_reader *r, struct lrd_zset *zset, larder_bytes member,
                       double score)
{
  struct lrd_zset_change change = { 0 };
  struct lrd_scored e = { member, score };

  if (isnan(score))
    return lrd_reader_bad(r);
  if (lrd_zset_add(zset, r->memory, r->key, 0, 1, &e, &change) != 0)
    return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
  return added(r, change.added);
}

/* --- plain forms -------------------------------------------------------------------------- */

static int read_list(struct lrd_reader *r, void *list)
{
  struct lrd_rdb_text t;
  uint64_t n;

  if (!lrd_reader_count(r, &n))
    return 0;
  for (; n; n--, lrd_reader_forget(r))
    if (!lrd_reader_text(r, &t) || !add_to_list(r, list, t.bytes))
      return 0;
  return 1;
}

static int read_set(struct lrd_reader *r, void *set)
{
  struct lrd_rdb_text t;
  uint64_t n;

  if (!lrd_reader_count(r, &n))
    return 0;
  for (; n; n--, lrd_reader_forget(r))
    if (!lrd_reader_text(r, &t) || !add_to_set(r, set, t.bytes))
      return 0;
  return 1;
}

static int read_hash(struct lrd_reader *r, void *hash)
{
  struct lrd_rdb_text field, value;
  uint64_t n;

  if (!lrd_reader_count(r, &n))
    return 0;
  for (; n; n--, lrd_reader_forget(r))
    if (!lrd_reader_text(r, &field) || !lrd_reader_text(r, &value) ||
        !add_to_hash(r, hash, field.bytes, value.bytes))
      return 0;
  return 1;
}

static int read_score(struct lrd_reader *r, double *score)
{
  const unsigned char *p = lrd_reader_take(r, sizeof *score);
  uint64_t bits = p ? lrd_reader_little(p, sizeof bits) : 0;

  memcpy(score, &bits, sizeof bits);
  return p != NULL;
}

/* Of old versions: a length of one byte, of which three stand for what is no number. */
static int read_score_text(struct lrd_reader *r, double *score)
{
  const unsigned char *len = lrd_reader_take(r, 1), *p;

  if (!len)
    return 0;
  if (*len >= 253) {
    *score = *len == 255 ? -INFINITY : *len == 254 ? INFINITY : NAN;
    return 1;
  }
  p = lrd_reader_take(r, *len);
  return p && (lrd_parse_double((const char *)p, *len, score) || lrd_reader_bad(r));
}

/* Read as a large one, as Redis does, which keeps negative zeros. */
static int read_scored(struct lrd_reader *r, struct lrd_zset *zset,
                       int (*read)(struct lrd_reader *, double *))
{
  struct lrd_rdb_text member;
  double score;
  uint64_t n;

  if (!lrd_reader_count(r, &n))
    return 0;
  if (lrd_zset_enlarge(zset, r->memory, r->key) != 0)
    return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
  for (; n; n--, lrd_reader_forget(r))
    if (!lrd_reader_text(r, &member) || !read(r, &score) ||
        !add_to_zset(r, zset, member.bytes, score))
      return 0;
  return 1;
}

/* What is small is packed in the end. */
static void pack(struct lrd_reader *r, struct lrd_loaded *l)
{
  struct lrd_zset *zset = l->value, *to;
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (!zset->large || zset->count > LRD_ZSET_PACKED ||
      zset->packed.longest > LRD_ZSET_PACKED_LEN)
    return;
  to = lrd_zset_new(r->memory);
  l->value = to;
  if (!to)
    lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
  lrd_zset_seek(zset, 0, &c);
  do
    lrd_zset_get(zset, &c, &e);
  while (to && add_to_zset(r, to, e.member, e.score) && lrd_zset_next(zset, &c));
  lrd_zset_free(zset, r->memory);
}

static int read_zset(struct lrd_reader *r, void *zset)
{
  return read_scored(r, zset, read_score);
}

static int read_zset_text(struct lrd_reader *r, void *zset)
{
  return read_scored(r, zset, read_score_text);
}

/* --- packed forms ------------------------------------------------------------------------- */

/* Opens the listpack that comes next. */
static int open_block(struct lrd_reader *r, struct lrd_listpack *l)
{
  struct lrd_rdb_text t;

  return lrd_reader_text(r, &t) && (lrd_listpack_open(l, t.bytes) || lrd_reader_bad(r));
}

/* The next entry; 0: the end, or bad. */
static int next(struct lrd_reader *r, struct lrd_listpack *l, struct lrd_rdb_text *t)
{
  int got = lrd_listpack_next(l, &t->bytes, t->number);

  return got < 0 ? lrd_reader_bad(r) : got;
}

/* Entries that the head counts, if it does. */
static int is_count(struct lrd_reader *r, const struct lrd_listpack *l, size_t n)
{
  return l->entries == n || (l->entries == 65535 && n >= 65535) || lrd_reader_bad(r);
}

static int read_quicklist(struct lrd_reader *r, void *list)
{
  enum { PLAIN = 1, PACKED = 2 };
  uint64_t nodes, form;

  if (!lrd_reader_count(r, &nodes))
    return 0;
  for (; nodes; nodes--, lrd_reader_forget(r)) {
    struct lrd_listpack l;
    struct lrd_rdb_text t;
    size_t n = 0;

    if (!lrd_reader_count(r, &form))
      return 0;
    if (form == PLAIN) {
      if (!lrd_reader_text(r, &t) || !add_to_list(r, list, t.bytes))
        return 0;
      continue;
    }
    if (form != PACKED || !open_block(r, &l))
      return lrd_reader_bad(r);
    for (; next(r, &l, &t); n++)
      if (!add_to_list(r, list, t.bytes))
        return 0;
    if (r->state != LRD_LOAD_OK || !is_count(r, &l, n))
      return 0;
  }
  return 1;
}

static int read_hash_listpack(struct lrd_reader *r, void *hash)
{
  struct lrd_rdb_text field, value;
  struct lrd_listpack l;
  size_t n = 0;

  if (!open_block(r, &l))
    return 0;
  for (; next(r, &l, &field); n += 2)
    if (!next(r, &l, &value))
      return lrd_reader_bad(r);
    else if (!add_to_hash(r, hash, field.bytes, value.bytes))
      return 0;
  return r->state == LRD_LOAD_OK && is_count(r, &l, n);
}

static int read_zset_listpack(struct lrd_reader *r, void *zset)
{
  struct lrd_rdb_text member, score;
  struct lrd_listpack l;
  double value;
  size_t n = 0;

  if (!open_block(r, &l))
    return 0;
  for (; next(r, &l, &member); n += 2)
    if (!next(r, &l, &score) || !lrd_parse_double(score.bytes.data, score.bytes.len, &value))
      return lrd_reader_bad(r);
    else if (!add_to_zset(r, zset, member.bytes, value))
      return 0;
  return r->state == LRD_LOAD_OK && is_count(r, &l, n);
}

static int read_intset(struct lrd_reader *r, void *set)
{
  const unsigned char *p;
  struct lrd_rdb_text t;
  uint64_t width, count;

  if (!lrd_reader_text(r, &t) || t.bytes.len < 8)
    return lrd_reader_bad(r);
  p = (const unsigned char *)t.bytes.data;
  width = lrd_reader_little(p, 4);
  count = lrd_reader_little(p + 4, 4);
  if ((width != 2 && width != 4 && width != 8) || t.bytes.len - 8 != width * count)
    return lrd_reader_bad(r);
  for (p += 8; count; count--, p += width) {
    unsigned unused = 64 - 8 * (unsigned)width;
    char number[LRD_NUMBER_SIZE];
    int64_t v = (int64_t)(lrd_reader_little(p, (size_t)width) << unused) >> unused;

    if (!add_to_set(r, set, (larder_bytes){ number, lrd_print_integer(number, v) }))
      return 0;
  }
  return 1;
}

static int read_stream(struct lrd_reader *r, void *stream)
{
  return lrd_rdb_read_stream(r, stream, 0);
}

static int read_older_stream(struct lrd_reader *r, void *stream)
{
  return lrd_rdb_read_stream(r, stream, 1);
}

/* --- the payload -------------------------------------------------------------------------- */

int lrd_rdb_is(larder_bytes payload)
{
  const unsigned char *foot;

  if (payload.len < LRD_RDB_FOOT)
    return 0;
  foot = (const unsigned char *)payload.data + payload.len - LRD_RDB_FOOT;
  return lrd_reader_little(foot, 2) <= LRD_RDB_VERSION &&
         lrd_reader_little(foot + 2, 8) == lrd_crc64(0, payload.data, payload.len - 8);
}

static const struct form {
  enum lrd_kind kind;
  int (*read)(struct lrd_reader *, void *value);
} forms[] = {
  [LRD_RDB_LIST] = { LRD_LIST, read_list },
  [LRD_RDB_SET] = { LRD_SET_KIND, read_set },
  [LRD_RDB_ZSET_TEXT] = { LRD_ZSET, read_zset_text },
  [LRD_RDB_HASH] = { LRD_HASH, read_hash },
  [LRD_RDB_ZSET] = { LRD_ZSET, read_zset },
  [LRD_RDB_INTSET] = { LRD_SET_KIND, read_intset },
  [LRD_RDB_HASH_LISTPACK] = { LRD_HASH, read_hash_listpack },
  [LRD_RDB_ZSET_LISTPACK] = { LRD_ZSET, read_zset_listpack },
  [LRD_RDB_QUICKLIST] = { LRD_LIST, read_quicklist },
  [LRD_RDB_STREAM] = { LRD_STREAM, read_older_stream },
  [LRD_RDB_STREAM_2] = { LRD_STREAM, read_stream },
};

static size_t count_of(enum lrd_kind kind, const void *value)
{
  struct lrd_entry e = { .kind = kind & 15, .value = (void *)(uintptr_t)value };

  return lrd_entry_elements(&e);
}

/* A collection; an empty one is none. */
static void read_collection(struct lrd_reader *r, const struct form *form, struct lrd_loaded *l)
{
  const struct lrd_kind_type *type = lrd_kind_type(form->kind);

  l->kind = form->kind;
  l->value = type->create(r->memory);
  if (!l->value) {
    lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
    return;
  }
  if (!form->read(r, l->value) || !count_of(form->kind, l->value))
    lrd_reader_bad(r);
  if (r->state == LRD_LOAD_OK && form->kind == LRD_ZSET)
    pack(r, l);
  if (r->state == LRD_LOAD_OK)
    return;
  if (l->value)
    type->destroy(r->memory, l->value);
  l->value = NULL;
}

enum lrd_load lrd_rdb_load(struct lrd_loaded *l, const larder_memory *memory,
                           const struct lrd_universal_key *key, larder_bytes payload)
{
  const unsigned char *p = (const unsigned char *)payload.data, *type;
  /* as Redis reads: what is cut off goes on in the foot */
  struct lrd_reader r = { .at = p, .end = p + payload.len, .memory = memory, .key = key };
  struct lrd_rdb_text t;

  lrd_arena_init(&r.arena, memory);
  l->value = NULL;
  type = lrd_reader_take(&r, 1);
  if (type && *type == LRD_RDB_STRING) {
    l->kind = LRD_STRING;
    if (lrd_reader_text(&r, &t)) {
      int printed = t.bytes.data == t.number;

      memcpy(l->number, t.number, printed ? t.bytes.len : 0);
      l->text = (larder_bytes){ printed ? l->number : t.bytes.data, t.bytes.len };
    }
    l->arena = r.arena;
    return r.state;
  }
  if (type && *type < sizeof forms / sizeof *forms && forms[*type].read)
    read_collection(&r, &forms[*type], l);
  else
    lrd_reader_bad(&r);
  l->arena = r.arena;
  return r.state;
}
