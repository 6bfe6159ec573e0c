/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/entry.h"

#include "memory/hash.h"
#include "memory/list.h"
#include "memory/set.h"
#include "memory/stream.h"
#include "memory/zset.h"
#include "util/memory.h"

_Static_assert(sizeof(struct lrd_timer) % _Alignof(struct lrd_entry) == 0, "timer before entry");

size_t lrd_entry_size(const struct lrd_entry *e)
{
  return (e->flags & LRD_ENTRY_TIMER ? sizeof(struct lrd_timer) : 0) + sizeof *e + e->key_len +
         (lrd_entry_has_text(e) ? e->text.capacity : 0);
}

static char *block_of(struct lrd_entry *e)
{
  return (char *)e - (e->flags & LRD_ENTRY_TIMER ? sizeof(struct lrd_timer) : 0);
}

struct lrd_entry *lrd_entry_new(const larder_memory *m, unsigned database, larder_bytes key,
                                size_t capacity, int timer)
{
  size_t before = timer ? sizeof(struct lrd_timer) : 0;
  char *block = lrd_allocate(m, before + sizeof(struct lrd_entry) + key.len + capacity);
  struct lrd_entry *e;

  if (!block)
    return NULL;
  if (timer)
    memset(block, 0, sizeof(struct lrd_timer));
  e = (struct lrd_entry *)(void *)(block + before);
  *e = (struct lrd_entry){ .key_len = (uint32_t)key.len,
                           .kind = LRD_NONE,
                           .flags = timer ? LRD_ENTRY_TIMER : 0,
                           .database = database & 15,
                           .text = { 0, (uint32_t)capacity } };
  if (key.len)
    memcpy(e->bytes, key.data, key.len);
  return e;
}

const struct lrd_kind_type *lrd_kind_type(enum lrd_kind kind)
{
  switch (kind) {
  case LRD_LIST:
    return &lrd_list_type;
  case LRD_SET_KIND:
    return &lrd_set_type;
  case LRD_ZSET:
    return &lrd_zset_type;
  case LRD_HASH:
    return &lrd_hash_type;
  case LRD_STREAM:
    return &lrd_stream_type;
  default:
    return NULL;
  }
}

size_t lrd_entry_elements(const struct lrd_entry *e)
{
  switch (e->kind) {
  case LRD_LIST:
    return ((const struct lrd_list *)e->value)->count;
  case LRD_SET_KIND:
    return ((const struct lrd_set *)e->value)->count;
  case LRD_ZSET:
    return ((const struct lrd_zset *)e->value)->count;
  case LRD_HASH:
    return ((const struct lrd_hash *)e->value)->count;
  case LRD_STREAM: /* it is there without an entry too */
    return (size_t)((const struct lrd_xstream *)e->value)->length + 1;
  default:
    return 1;
  }
}

int lrd_entry_is_empty(const struct lrd_entry *e)
{
  return lrd_entry_elements(e) == 0;
}

void lrd_entry_clear(const larder_memory *m, struct lrd_entry *e)
{
  const struct lrd_kind_type *type = lrd_kind_type(e->kind);

  if (type && e->value)
    type->destroy(m, e->value);
  if (!lrd_entry_has_text(e))
    e->text.capacity = 0;
  e->text.len = 0;
  e->kind = LRD_NONE;
  e->flags &= LRD_ENTRY_TIMER;
}

void lrd_entry_free(const larder_memory *m, struct lrd_entry *e)
{
  lrd_entry_clear(m, e);
  lrd_release(m, block_of(e), lrd_entry_size(e));
}

struct lrd_entry *lrd_entry_resize(const larder_memory *m, struct lrd_entry *e, size_t capacity)
{
  size_t before = e->flags & LRD_ENTRY_TIMER ? sizeof(struct lrd_timer) : 0;
  size_t size = lrd_entry_size(e);
  char *block = lrd_resize(m, block_of(e), size, size - e->text.capacity + capacity);

  if (!block)
    return NULL;
  e = (struct lrd_entry *)(void *)(block + before);
  e->text.capacity = (uint32_t)capacity;
  if (before)
    lrd_wheel_moved(lrd_entry_timer(e));
  return e;
}

/* --- strings ---------------------------------------------------------------- */

static int is_integer(larder_bytes value, int64_t *integer)
{
  return value.len && value.len <= 20 && lrd_parse_integer(value.data, value.len, integer);
}

size_t lrd_entry_room(larder_bytes value)
{
  int64_t integer;
  return is_integer(value, &integer) ? 0 : value.len;
}

int lrd_entry_fits(const struct lrd_entry *e, larder_bytes value)
{
  enum { WASTE = 32 };

  if (!lrd_entry_has_text(e) || !e->text.capacity)
    return !lrd_entry_room(value);
  return value.len <= e->text.capacity && e->text.capacity - value.len <= value.len + WASTE;
}

void lrd_entry_set_string(struct lrd_entry *e, larder_bytes value)
{
  int64_t integer;
  size_t capacity = lrd_entry_has_text(e) ? e->text.capacity : 0;

  e->kind = LRD_STRING;
  e->flags &= LRD_ENTRY_TIMER;
  if (!capacity && is_integer(value, &integer)) {
    e->flags |= LRD_ENTRY_INTEGER;
    e->integer = integer;
    return;
  }
  e->text = (struct lrd_text){ (uint32_t)value.len, (uint32_t)capacity };
  if (value.len)
    memcpy(lrd_entry_text(e), value.data, value.len);
}

larder_bytes lrd_entry_string(const struct lrd_entry *e, char *number)
{
  if (e->flags & LRD_ENTRY_INTEGER)
    return (larder_bytes){ number, lrd_print_integer(number, e->integer) };
  return (larder_bytes){ e->bytes + e->key_len, e->text.len };
}
