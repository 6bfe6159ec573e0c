/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream_node.h"

#include "memory/listpack.h"
#include "util/memory.h"

static size_t node_size(size_t capacity)
{
  return sizeof(struct lrd_xnode) + capacity;
}

/* --- sizes -------------------------------------------------------------------------------- */

/* Of a number in a listpack. */
static size_t number_size(int64_t n)
{
  char text[LRD_NUMBER_SIZE];

  return lrd_listpack_size((larder_bytes){ text, lrd_print_integer(text, n) });
}

uint64_t lrd_xnode_listpack(const struct lrd_xnode *node)
{
  return node->listpack + number_size(node->count) + number_size(node->deleted);
}

static int has_same_fields(const struct lrd_xnode *node, struct lrd_xfields f)
{
  const unsigned char *p = node->data;

  if (f.count != node->fields)
    return 0;
  for (size_t i = 0; i < f.count; i++) {
    larder_bytes field;

    p = lrd_blob_read(p, &field);
    if (!lrd_bytes_equal(field, f.part[2 * i]))
      return 0;
  }
  return 1;
}

static uint64_t seq_in(const struct lrd_xnode *node, struct lrd_xid id)
{
  return id.ms == node->first.ms ? id.seq - node->first.seq : id.seq;
}

/* What stands between an entry's two sizes. */
static size_t body_size(const struct lrd_xnode *node, struct lrd_xid id, struct lrd_xfields f,
                        int own)
{
  size_t size = lrd_varint_size(id.ms - node->first.ms) + lrd_varint_size(seq_in(node, id));

  if (own)
    size += lrd_varint_size(f.count);
  for (size_t i = !own; i < 2 * f.count; i += own ? 1 : 2)
    size += lrd_blob_size(f.part[i].len);
  return size;
}

/* What Redis's listpack would grow by. */
static size_t listpack_growth(const struct lrd_xnode *node, struct lrd_xid id,
                              struct lrd_xfields f, int own)
{
  int64_t parts = (int64_t)f.count + 3 + (own ? (int64_t)f.count + 1 : 0);
  size_t size = number_size(0) + number_size((int64_t)(id.ms - node->first.ms)) +
                number_size((int64_t)(id.seq - node->first.seq)) + number_size(parts);

  if (own)
    size += number_size((int64_t)f.count);
  for (size_t i = !own; i < 2 * f.count; i += own ? 1 : 2)
    size += lrd_listpack_size(f.part[i]);
  return size;
}

static size_t front_size(size_t body, int own)
{
  return lrd_varint_size((uint64_t)body << 1 | (unsigned)own);
}

static size_t entry_size(size_t body, int own)
{
  return front_size(body, own) + body + lrd_varint_size(body);
}

/* --- writing ------------------------------------------------------------------------------ */

/* Lowest 7 bits last, each byte before it says that there is one more in front. */
static unsigned char *write_back(unsigned char *p, uint64_t size)
{
  size_t n = lrd_varint_size(size);

  for (size_t i = 0; i < n; i++)
    p[i] = (unsigned char)((size >> (7 * (n - 1 - i)) & 0x7f) | (i ? 0x80 : 0));
  return p + n;
}

static void write_entry(struct lrd_xnode *node, struct lrd_xid id, struct lrd_xfields f, int own,
                        size_t body)
{
  unsigned char *p = node->data + node->end;

  p = lrd_varint_write(p, (uint64_t)body << 1 | (unsigned)own);
  p = lrd_varint_write(p, id.ms - node->first.ms);
  p = lrd_varint_write(p, seq_in(node, id));
  if (own)
    p = lrd_varint_write(p, f.count);
  for (size_t i = !own; i < 2 * f.count; i += own ? 1 : 2)
    p = lrd_blob_write(p, f.part[i]);
  p = write_back(p, body);
  node->listpack += listpack_growth(node, id, f, own);
  node->end = (uint32_t)(p - node->data);
  node->last = id;
  node->count++;
}

static void write_fields(struct lrd_xnode *node, struct lrd_xfields f)
{
  enum { EMPTY = LRD_LISTPACK_LEAST };
  unsigned char *p = node->data;

  node->listpack = EMPTY + number_size((int64_t)f.count) + number_size(0);
  for (size_t i = 0; i < f.count; i++) {
    p = lrd_blob_write(p, f.part[2 * i]);
    node->listpack += lrd_listpack_size(f.part[2 * i]);
  }
  node->begin = node->end = (uint32_t)(p - node->data);
}

struct lrd_xnode *lrd_xnode_begin(const larder_memory *memory, struct lrd_xid id,
                                  struct lrd_xfields f, size_t room)
{
  struct lrd_xnode *node;
  size_t size = room;

  for (size_t i = 0; i < f.count; i++)
    size += lrd_blob_size(f.part[2 * i].len);
  node = lrd_allocate(memory, node_size(size));
  if (!node)
    return NULL;
  *node = (struct lrd_xnode){ .first = id, .last = id, .fields = (uint32_t)f.count,
                              .capacity = (uint32_t)size };
  write_fields(node, f);
  return node;
}

struct lrd_xnode *lrd_xnode_new(const larder_memory *memory, struct lrd_xid id,
                                struct lrd_xfields f)
{
  struct lrd_xnode head = { .first = id, .fields = (uint32_t)f.count }, *node;
  size_t body = body_size(&head, id, f, 0);

  if ((node = lrd_xnode_begin(memory, id, f, entry_size(body, 0))))
    write_entry(node, id, f, 0, body);
  return node;
}

void lrd_xnode_free(const larder_memory *memory, struct lrd_xnode *node)
{
  lrd_release(memory, node, node_size(node->capacity));
}

static struct lrd_xnode *resize(const larder_memory *memory, struct lrd_xnode *node,
                                size_t capacity)
{
  struct lrd_xnode *moved = lrd_resize(memory, node, node_size(node->capacity),
                                       node_size(capacity));

  if (moved)
    moved->capacity = (uint32_t)capacity;
  return moved;
}

/* Twice as large while it is short, then in steps that Redis's longest node has few of. */
struct lrd_xnode *lrd_xnode_add(const larder_memory *memory, struct lrd_xnode *node,
                                struct lrd_xid id, struct lrd_xfields f)
{
  enum { STEP = 2048 };
  int own = !has_same_fields(node, f);
  size_t body = body_size(node, id, f, own), size = node->end + entry_size(body, own);
  size_t step = node->end < STEP ? node->end : node->end / 4 < STEP ? STEP : node->end / 4;

  if (size > node->capacity) {
    size_t capacity = size > node->end + step ? size : node->end + step;

    if (!(node = resize(memory, node, capacity)))
      return NULL;
  }
  write_entry(node, id, f, own, body);
  return node;
}

struct lrd_xnode *lrd_xnode_shrink(const larder_memory *memory, struct lrd_xnode *node)
{
  struct lrd_xnode *moved = node->end < node->capacity ? resize(memory, node, node->end) : node;

  return moved ? moved : node;
}

struct lrd_xnode *lrd_xnode_clone(const larder_memory *memory, const struct lrd_xnode *node)
{
  struct lrd_xnode *to = lrd_allocate(memory, node_size(node->end));

  if (!to)
    return NULL;
  memcpy(to, node, node_size(node->end));
  to->capacity = node->end;
  return to;
}

/* --- reading ------------------------------------------------------------------------------ */

/* The entry's body; *own: whether it has its own fields. */
static const unsigned char *read_front(const unsigned char *p, size_t *body, int *own)
{
  uint64_t front;

  p = lrd_varint_read(p, &front);
  *own = (int)(front & 1);
  *body = (size_t)(front >> 1);
  return p;
}

static const unsigned char *read_id(const struct lrd_xnode *node, const unsigned char *p,
                                    struct lrd_xid *id)
{
  uint64_t ms, seq;

  p = lrd_varint_read(p, &ms);
  p = lrd_varint_read(p, &seq);
  *id = (struct lrd_xid){ node->first.ms + ms, ms ? seq : node->first.seq + seq };
  return p;
}

size_t lrd_xnode_next(const struct lrd_xnode *node, size_t at, struct lrd_xentry *e)
{
  size_t body;
  int own;
  const unsigned char *p = read_front(node->data + at, &body, &own);
  size_t after = (size_t)(p - node->data) + body + lrd_varint_size(body);

  p = read_id(node, p, &e->id);
  e->index = 0;
  e->count = node->fields;
  e->name = node->data;
  if (own) {
    uint64_t count;

    p = lrd_varint_read(p, &count);
    e->count = (size_t)count;
    e->name = NULL;
  }
  e->value = p;
  return after;
}

size_t lrd_xnode_previous(const struct lrd_xnode *node, size_t at, struct lrd_xentry *e)
{
  const unsigned char *p = node->data + at;
  unsigned shift = 0;
  uint64_t body = 0;

  do {
    p--;
    body |= (uint64_t)(*p & 0x7f) << shift;
    shift += 7;
  } while (*p & 0x80);
  p -= body;
  p -= front_size((size_t)body, 0);
  (void)lrd_xnode_next(node, (size_t)(p - node->data), e);
  return (size_t)(p - node->data);
}

size_t lrd_xnode_seek(const struct lrd_xnode *node, struct lrd_xid id)
{
  size_t at = node->begin;

  while (at < node->end) {
    struct lrd_xid here;
    size_t body;
    int own;
    const unsigned char *p = read_front(node->data + at, &body, &own);

    (void)read_id(node, p, &here);
    if (lrd_xid_compare(here, id) >= 0)
      break;
    at = (size_t)(p - node->data) + body + lrd_varint_size(body);
  }
  return at;
}

static void cut(struct lrd_xnode *node, size_t from, size_t to, uint32_t count)
{
  memmove(node->data + from, node->data + to, node->end - to);
  node->end -= (uint32_t)(to - from);
  node->count -= count;
  node->deleted += count;
}

void lrd_xnode_delete(struct lrd_xnode *node, size_t at)
{
  struct lrd_xentry e;

  cut(node, at, lrd_xnode_next(node, at, &e), 1);
}

void lrd_xnode_delete_before(struct lrd_xnode *node, size_t at, uint32_t count)
{
  cut(node, node->begin, at, count);
}

int lrd_xentry_next(struct lrd_xentry *e, larder_bytes *field, larder_bytes *value)
{
  if (e->index == e->count)
    return 0;
  e->index++;
  if (e->name)
    e->name = lrd_blob_read(e->name, field);
  else
    e->value = lrd_blob_read(e->value, field);
  e->value = lrd_blob_read(e->value, value);
  return 1;
}

/* --- for tests ---------------------------------------------------------------------------- */

/* Where its fields end. */
static size_t fields_end(const struct lrd_xnode *node, struct lrd_xentry e)
{
  larder_bytes field, value;

  while (lrd_xentry_next(&e, &field, &value))
    ;
  return (size_t)(e.value - node->data);
}

static const char *check_entry(const struct lrd_xnode *node, size_t at, size_t next)
{
  struct lrd_xentry e, back;
  size_t body, begin;
  int own;

  begin = (size_t)(read_front(node->data + at, &body, &own) - node->data);
  (void)lrd_xnode_next(node, at, &e);
  if (next > node->end || lrd_xnode_previous(node, next, &back) != at)
    return "an entry's two sizes differ";
  if (lrd_xid_compare(e.id, node->first) < 0 || lrd_xid_compare(e.id, node->last) > 0)
    return "an id is outside its node";
  return fields_end(node, e) == begin + body ? NULL : "an entry's fields do not end with it";
}

const char *lrd_xnode_check(const struct lrd_xnode *node)
{
  struct lrd_xid before = { 0, 0 };
  struct lrd_xentry e;
  uint32_t count = 0;

  if (node->begin > node->end || node->end > node->capacity)
    return "a node's bounds are wrong";
  for (size_t at = node->begin, next; at < node->end; at = next, count++) {
    const char *wrong;

    next = lrd_xnode_next(node, at, &e);
    if ((wrong = check_entry(node, at, next)))
      return wrong;
    if (count && lrd_xid_compare(before, e.id) >= 0)
      return "ids of a node are not in order";
    before = e.id;
  }
  return count == node->count ? NULL : "a node's count is wrong";
}
