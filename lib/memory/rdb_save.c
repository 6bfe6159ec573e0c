/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rdb_writer.h"

#include "memory/hash.h"
#include "memory/list.h"
#include "memory/listpack.h"
#include "memory/rdb_stream.h"
#include "memory/set.h"
#include "memory/zset.h"
#include "util/crc64.h"
#include "util/number.h"

enum { NODE_SIZE = 8192 }; /* of a quicklist, as Redis fills them by default */

/* --- numbers and strings ------------------------------------------------------------------ */

static void put_byte(struct lrd_buffer *b, unsigned v)
{
  unsigned char byte = (unsigned char)v;

  (void)lrd_buffer_append(b, &byte, 1);
}

void lrd_rdb_put_little(struct lrd_buffer *b, uint64_t v, unsigned n)
{
  for (; n; n--, v >>= 8)
    put_byte(b, (unsigned)v & 255);
}

void lrd_rdb_put_length(struct lrd_buffer *b, uint64_t len)
{
  unsigned size = 4;

  if (len < 64) {
    put_byte(b, (unsigned)len);
    return;
  }
  if (len < 16384) {
    put_byte(b, 64 | (unsigned)(len >> 8));
    put_byte(b, (unsigned)len & 255);
    return;
  }
  put_byte(b, 0x80 | (len > UINT32_MAX));
  size = len > UINT32_MAX ? 8 : 4;
  while (size--)
    put_byte(b, (unsigned)(len >> (8 * size)) & 255);
}

void lrd_rdb_put_string(struct lrd_buffer *b, larder_bytes text)
{
  int64_t n;

  if (text.len && text.len <= 11 && lrd_parse_integer(text.data, text.len, &n) &&
      n >= INT32_MIN && n <= INT32_MAX) {
    unsigned form = n == (int8_t)n ? 0 : n == (int16_t)n ? 1 : 2;

    put_byte(b, 0xc0 | form);
    lrd_rdb_put_little(b, (uint64_t)n, 1u << form);
    return;
  }
  lrd_rdb_put_length(b, text.len);
  if (text.len)
    (void)lrd_buffer_append(b, text.data, text.len);
}

void lrd_rdb_put_block(struct lrd_buffer *b, const struct lrd_buffer *block)
{
  lrd_rdb_put_length(b, block->len);
  if (block->len)
    (void)lrd_buffer_append(b, block->data, block->len);
  b->failed |= block->failed;
}

/* --- lists -------------------------------------------------------------------------------- */

/* As many elements as go into a node; *last: the first that does not. */
static size_t fill_node(struct lrd_buffer *block, struct lrd_list_cursor *c, larder_bytes *next,
                        int *more)
{
  size_t begin = lrd_listpack_begin(block), n = 0, size = LRD_LISTPACK_LEAST;

  do {
    lrd_listpack_add(block, *next);
    size += lrd_listpack_size(*next);
    n++;
    *more = lrd_list_next(c, next);
  } while (*more && size + lrd_listpack_size(*next) <= NODE_SIZE);
  lrd_listpack_end(block, begin, n);
  return n;
}

static size_t count_nodes(const struct lrd_list *list)
{
  size_t nodes = 0, size = NODE_SIZE;
  struct lrd_list_cursor c;
  larder_bytes e;

  lrd_list_seek(list, 0, &c);
  while (lrd_list_next(&c, &e)) {
    size_t more = lrd_listpack_size(e);

    size += more;
    if (size > NODE_SIZE) {
      nodes++;
      size = LRD_LISTPACK_LEAST + more;
    }
  }
  return nodes;
}

static void put_list(struct lrd_buffer *b, const struct lrd_list *list)
{
  enum { PACKED = 2 };
  struct lrd_list_cursor c;
  larder_bytes next;
  int more;

  lrd_rdb_put_length(b, count_nodes(list));
  lrd_list_seek(list, 0, &c);
  more = lrd_list_next(&c, &next);
  while (more) {
    struct lrd_buffer block;

    lrd_buffer_init(&block, b->memory, 0);
    (void)fill_node(&block, &c, &next, &more);
    lrd_rdb_put_length(b, PACKED);
    lrd_rdb_put_block(b, &block);
    lrd_buffer_free(&block);
  }
}

/* --- sets --------------------------------------------------------------------------------- */

static void sort_numbers(int64_t *n, size_t count)
{
  /* a heap, so that no order of members takes long */
  for (size_t i = 1; i < count; i++)
    for (size_t k = i; k && n[(k - 1) / 2] < n[k]; k = (k - 1) / 2) {
      int64_t t = n[k];

      n[k] = n[(k - 1) / 2];
      n[(k - 1) / 2] = t;
    }
  while (count > 1) {
    int64_t top = n[0];
    size_t at = 0, child;

    n[0] = n[--count];
    n[count] = top;
    for (; (child = 2 * at + 1) < count; at = child) {
      int64_t t = n[at];

      child += child + 1 < count && n[child + 1] > n[child];
      if (n[child] <= t)
        break;
      n[at] = n[child];
      n[child] = t;
    }
  }
}

static unsigned width_of(int64_t n)
{
  return n == (int16_t)n ? 2 : n == (int32_t)n ? 4 : 8;
}

/* Numbers of the same width, in order. */
static void put_intset(struct lrd_buffer *b, const struct lrd_set *set)
{
  struct lrd_set_cursor c = { 0 };
  struct lrd_buffer numbers;
  larder_bytes member;
  unsigned width = 2;
  int64_t n = 0;

  lrd_buffer_init(&numbers, b->memory, 0);
  while (lrd_set_next(set, &c, &member)) {
    (void)lrd_parse_integer(member.data, member.len, &n);
    (void)lrd_buffer_append(&numbers, &n, sizeof n);
    width = width_of(n) > width ? width_of(n) : width;
  }
  b->failed |= numbers.failed;
  if (!b->failed) {
    int64_t *all = (void *)numbers.data;

    sort_numbers(all, set->count);
    lrd_rdb_put_length(b, 8 + set->count * width);
    lrd_rdb_put_little(b, width, 4);
    lrd_rdb_put_little(b, set->count, 4);
    for (size_t i = 0; i < set->count; i++)
      lrd_rdb_put_little(b, (uint64_t)all[i], width);
  }
  lrd_buffer_free(&numbers);
}

static void put_set(struct lrd_buffer *b, const struct lrd_set *set)
{
  struct lrd_set_cursor c = { 0 };
  larder_bytes member;

  lrd_rdb_put_length(b, set->count);
  while (lrd_set_next(set, &c, &member))
    lrd_rdb_put_string(b, member);
}

/* --- hashes, sorted sets ------------------------------------------------------------------ */

static void put_hash(struct lrd_buffer *b, const struct lrd_hash *hash, int packed)
{
  struct lrd_hash_cursor c = { 0 };
  struct lrd_buffer block;
  struct lrd_pair pair;
  size_t begin;

  if (!packed) {
    lrd_rdb_put_length(b, hash->count);
    while (lrd_hash_next(hash, &c, &pair)) {
      lrd_rdb_put_string(b, pair.field);
      lrd_rdb_put_string(b, pair.value);
    }
    return;
  }
  lrd_buffer_init(&block, b->memory, 0);
  begin = lrd_listpack_begin(&block);
  while (lrd_hash_next(hash, &c, &pair)) {
    lrd_listpack_add(&block, pair.field);
    lrd_listpack_add(&block, pair.value);
  }
  lrd_listpack_end(&block, begin, 2 * hash->count);
  lrd_rdb_put_block(b, &block);
  lrd_buffer_free(&block);
}

/* Highest score first, as Redis does it. */
static void put_zset(struct lrd_buffer *b, const struct lrd_zset *zset)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  uint64_t bits;

  lrd_rdb_put_length(b, zset->count);
  lrd_zset_seek(zset, zset->count - 1, &c);
  do {
    lrd_zset_get(zset, &c, &e);
    lrd_rdb_put_string(b, e.member);
    memcpy(&bits, &e.score, sizeof bits);
    lrd_rdb_put_little(b, bits, sizeof bits);
  } while (lrd_zset_previous(zset, &c));
}

static void put_zset_packed(struct lrd_buffer *b, const struct lrd_zset *zset)
{
  char number[LRD_NUMBER_SIZE];
  struct lrd_buffer block;
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  size_t begin;

  lrd_buffer_init(&block, b->memory, 0);
  begin = lrd_listpack_begin(&block);
  lrd_zset_seek(zset, 0, &c);
  do {
    lrd_zset_get(zset, &c, &e);
    lrd_listpack_add(&block, e.member);
    lrd_listpack_add(&block, (larder_bytes){ number, lrd_print_double(number, e.score) });
  } while (lrd_zset_next(zset, &c));
  lrd_listpack_end(&block, begin, 2 * zset->count);
  lrd_rdb_put_block(b, &block);
  lrd_buffer_free(&block);
}

/* --- the payload -------------------------------------------------------------------------- */

static void put_value(struct lrd_buffer *b, const struct lrd_entry *e, const char *encoding)
{
  int packed = !strcmp(encoding, "listpack") || !strcmp(encoding, "intset");
  char number[LRD_NUMBER_SIZE];

  switch (e->kind) {
  case LRD_LIST:
    put_byte(b, LRD_RDB_QUICKLIST);
    put_list(b, e->value);
    break;
  case LRD_SET_KIND:
    put_byte(b, packed ? LRD_RDB_INTSET : LRD_RDB_SET);
    (packed ? put_intset : put_set)(b, e->value);
    break;
  case LRD_HASH:
    put_byte(b, packed ? LRD_RDB_HASH_LISTPACK : LRD_RDB_HASH);
    put_hash(b, e->value, packed);
    break;
  case LRD_ZSET:
    put_byte(b, packed ? LRD_RDB_ZSET_LISTPACK : LRD_RDB_ZSET);
    (packed ? put_zset_packed : put_zset)(b, e->value);
    break;
  case LRD_STREAM:
    put_byte(b, LRD_RDB_STREAM_2);
    lrd_rdb_put_stream(b, e->value);
    break;
  default:
    put_byte(b, LRD_RDB_STRING);
    lrd_rdb_put_string(b, lrd_entry_string(e, number));
  }
}

void lrd_rdb_save(struct lrd_buffer *b, const struct lrd_parameters *parameters,
                  const struct lrd_entry *e)
{
  put_value(b, e, lrd_encoding(parameters, e));
  lrd_rdb_put_little(b, LRD_RDB_VERSION, 2);
  if (!b->failed)
    lrd_rdb_put_little(b, lrd_crc64(0, b->data, b->len), 8);
}
