/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream.h"

#include "memory/stream_group.h"

static const struct lrd_xid zero = { 0, 0 };

static struct lrd_xnode *node_at(const struct lrd_xstream *s, struct lrd_xmap_at at)
{
  return lrd_xmap_value(&s->nodes, at);
}

struct lrd_xstream *lrd_xstream_new(const larder_memory *memory)
{
  return lrd_allocate_zeroed(memory, 1, sizeof(struct lrd_xstream));
}

size_t lrd_xstream_free_some(struct lrd_xstream *s, const larder_memory *memory, size_t budget)
{
  struct lrd_xmap_at at;

  for (; budget && lrd_xmap_seek_back(&s->nodes, LRD_XID_MAX, &at); budget--) {
    lrd_xnode_free(memory, node_at(s, at));
    lrd_xmap_remove_at(&s->nodes, memory, at);
  }
  while (budget && s->groups.count) {
    budget = lrd_xgroup_free_some(memory, lrd_xgroup_at(s, s->groups.count - 1), budget);
    if (budget)
      lrd_xrow_pop(&s->groups, memory);
  }
  if (budget)
    lrd_release(memory, s, sizeof *s);
  return budget;
}

struct lrd_xstream *lrd_xstream_clone(const larder_memory *memory, const struct lrd_xstream *from)
{
  struct lrd_xstream *s = lrd_xstream_new(memory);
  struct lrd_xmap_at at;

  if (!s)
    return NULL;
  *s = *from;
  s->nodes = (struct lrd_xmap){ 0 };
  s->groups = (struct lrd_xrow){ 0 };
  if (lrd_xmap_seek(&from->nodes, zero, &at))
    do {
      struct lrd_xnode *node = lrd_xnode_clone(memory, node_at(from, at));

      if (node && lrd_xmap_add(&s->nodes, memory, node->first, node) > 0)
        continue;
      if (node)
        lrd_xnode_free(memory, node);
      goto failed;
    } while (lrd_xmap_next(&from->nodes, &at));
  if (lrd_xgroups_clone(s, memory, from) == 0)
    return s;
failed:
  (void)lrd_xstream_free_some(s, memory, SIZE_MAX);
  return NULL;
}

/* --- adding ------------------------------------------------------------------------------- */

/* Of names and values. */
static uint64_t bytes_of(struct lrd_xfields f)
{
  uint64_t bytes = 0;

  for (size_t i = 0; i < 2 * f.count; i++)
    bytes += f.part[i].len;
  return bytes;
}

static int is_full(const struct lrd_xnode *node, struct lrd_xlimits limits, struct lrd_xfields f)
{
  int64_t most = limits.bytes && limits.bytes <= LRD_XNODE_MAX ? limits.bytes : LRD_XNODE_MAX;

  if (lrd_xnode_listpack(node) + bytes_of(f) >= (uint64_t)most)
    return 1;
  return limits.entries && (int64_t)node->count + node->deleted >= limits.entries;
}

/* A new node behind the last one, which will not grow any more. */
static int begin_node(struct lrd_xstream *s, const larder_memory *memory, struct lrd_xid id,
                      struct lrd_xfields f)
{
  struct lrd_xnode *node = lrd_xnode_new(memory, id, f);
  struct lrd_xmap_at at;

  if (!node)
    return -1;
  if (lrd_xmap_add(&s->nodes, memory, id, node) < 0) {
    lrd_xnode_free(memory, node);
    return -1;
  }
  (void)lrd_xmap_seek_back(&s->nodes, id, &at);
  if (lrd_xmap_previous(&s->nodes, &at))
    lrd_xmap_set(&s->nodes, at, lrd_xnode_shrink(memory, node_at(s, at)));
  return 0;
}

int lrd_xstream_add(struct lrd_xstream *s, const larder_memory *memory, struct lrd_xlimits limits,
                    struct lrd_xid id, struct lrd_xfields f)
{
  struct lrd_xmap_at at;

  if (lrd_xmap_seek_back(&s->nodes, LRD_XID_MAX, &at) && !is_full(node_at(s, at), limits, f)) {
    struct lrd_xnode *node = lrd_xnode_add(memory, node_at(s, at), id, f);

    if (!node)
      return -1;
    lrd_xmap_set(&s->nodes, at, node);
  } else if (begin_node(s, memory, id, f)) {
    return -1;
  }
  s->last = id;
  s->added++;
  if (!s->length++)
    s->first = id;
  return 0;
}

/* --- deleting ----------------------------------------------------------------------------- */

static void drop_node(struct lrd_xstream *s, const larder_memory *memory, struct lrd_xmap_at at)
{
  lrd_xnode_free(memory, node_at(s, at));
  lrd_xmap_remove_at(&s->nodes, memory, at);
}

/* Gives back what deleting has left unused, if that is much. */
static void tighten(struct lrd_xstream *s, const larder_memory *memory, struct lrd_xmap_at at)
{
  enum { MUCH = 1024 };
  struct lrd_xnode *node = node_at(s, at);

  if (node->capacity - node->end >= MUCH + node->end / 2)
    lrd_xmap_set(&s->nodes, at, lrd_xnode_shrink(memory, node));
}

int lrd_xstream_delete(struct lrd_xstream *s, const larder_memory *memory, struct lrd_xid id)
{
  struct lrd_xnode *node;
  struct lrd_xmap_at at;
  struct lrd_xentry e;
  size_t byte;

  if (!lrd_xmap_seek_back(&s->nodes, id, &at))
    return 0;
  node = node_at(s, at);
  byte = lrd_xnode_seek(node, id);
  if (byte == node->end)
    return 0;
  (void)lrd_xnode_next(node, byte, &e);
  if (lrd_xid_compare(e.id, id))
    return 0;
  s->length--;
  if (node->count == 1) {
    drop_node(s, memory, at);
  } else {
    lrd_xnode_delete(node, byte);
    tighten(s, memory, at);
  }
  if (lrd_xid_compare(id, s->deleted) > 0)
    s->deleted = id;
  if (!s->length)
    s->first = zero;
  else if (!lrd_xid_compare(id, s->first))
    s->first = lrd_xstream_lowest(s);
  return 1;
}

/* Whether the whole node goes. */
static int takes_node(const struct lrd_xstream *s, const struct lrd_xnode *node,
                      const struct lrd_xtrim *t)
{
  return t->by == LRD_XTRIM_LENGTH ? s->length - node->count >= t->length
                                   : lrd_xid_compare(node->last, t->id) < 0;
}

/* Takes entries from the front of a node that stays. */
static uint64_t trim_node(struct lrd_xstream *s, struct lrd_xnode *node, const struct lrd_xtrim *t)
{
  size_t at = node->begin;
  uint32_t count = 0;

  while (at < node->end) {
    struct lrd_xentry e;
    size_t next = lrd_xnode_next(node, at, &e);

    if (t->by == LRD_XTRIM_LENGTH ? s->length - count <= t->length
                                  : lrd_xid_compare(e.id, t->id) >= 0)
      break;
    at = next;
    count++;
  }
  lrd_xnode_delete_before(node, at, count);
  s->length -= count;
  return count;
}

uint64_t lrd_xstream_trim(struct lrd_xstream *s, const larder_memory *memory,
                          const struct lrd_xtrim *t)
{
  struct lrd_xmap_at at;
  uint64_t taken = 0;

  while (t->by != LRD_XTRIM_NONE && lrd_xmap_seek(&s->nodes, zero, &at)) {
    struct lrd_xnode *node = node_at(s, at);

    if (t->by == LRD_XTRIM_LENGTH && s->length <= t->length)
      break;
    if (t->limit && taken + node->count > (uint64_t)t->limit)
      break;
    if (!takes_node(s, node, t)) {
      if (!t->about) {
        taken += trim_node(s, node, t);
        tighten(s, memory, at);
      }
      break;
    }
    s->length -= node->count;
    taken += node->count;
    drop_node(s, memory, at);
  }
  if (!s->length)
    s->first = zero;
  else if (taken)
    s->first = lrd_xstream_lowest(s);
  return taken;
}

/* --- walking ------------------------------------------------------------------------------ */

void lrd_xstream_seek(const struct lrd_xstream *s, struct lrd_xid id, struct lrd_xcursor *c)
{
  *c = (struct lrd_xcursor){ .stream = s };
  if (lrd_xmap_seek_back(&s->nodes, id, &c->at)) {
    c->node = node_at(s, c->at);
    c->byte = lrd_xnode_seek(c->node, id);
  } else if (lrd_xmap_seek(&s->nodes, id, &c->at)) {
    c->node = node_at(s, c->at);
    c->byte = c->node->begin;
  }
}

void lrd_xstream_seek_back(const struct lrd_xstream *s, struct lrd_xid id, struct lrd_xcursor *c)
{
  struct lrd_xentry e;

  *c = (struct lrd_xcursor){ .stream = s };
  if (!lrd_xmap_seek_back(&s->nodes, id, &c->at))
    return;
  c->node = node_at(s, c->at);
  c->byte = lrd_xnode_seek(c->node, id);
  if (c->byte < c->node->end) {
    size_t next = lrd_xnode_next(c->node, c->byte, &e);

    if (!lrd_xid_compare(e.id, id))
      c->byte = next;
  }
}

int lrd_xstream_next(struct lrd_xcursor *c, struct lrd_xentry *e)
{
  while (c->node && c->byte == c->node->end) {
    c->node = lrd_xmap_next(&c->stream->nodes, &c->at) ? node_at(c->stream, c->at) : NULL;
    c->byte = c->node ? c->node->begin : 0;
  }
  if (!c->node)
    return 0;
  c->byte = lrd_xnode_next(c->node, c->byte, e);
  return 1;
}

int lrd_xstream_previous(struct lrd_xcursor *c, struct lrd_xentry *e)
{
  while (c->node && c->byte == c->node->begin) {
    c->node = lrd_xmap_previous(&c->stream->nodes, &c->at) ? node_at(c->stream, c->at) : NULL;
    c->byte = c->node ? c->node->end : 0;
  }
  if (!c->node)
    return 0;
  c->byte = lrd_xnode_previous(c->node, c->byte, e);
  return 1;
}

int lrd_xstream_find(const struct lrd_xstream *s, struct lrd_xid id, struct lrd_xentry *e)
{
  struct lrd_xcursor c;

  lrd_xstream_seek(s, id, &c);
  return lrd_xstream_next(&c, e) && !lrd_xid_compare(e->id, id);
}

struct lrd_xid lrd_xstream_lowest(const struct lrd_xstream *s)
{
  struct lrd_xcursor c;
  struct lrd_xentry e;

  lrd_xstream_seek(s, zero, &c);
  return lrd_xstream_next(&c, &e) ? e.id : zero;
}

struct lrd_xid lrd_xstream_highest(const struct lrd_xstream *s)
{
  struct lrd_xcursor c;
  struct lrd_xentry e;

  lrd_xstream_seek_back(s, LRD_XID_MAX, &c);
  return lrd_xstream_previous(&c, &e) ? e.id : zero;
}

int lrd_xstream_is_heavy(const struct lrd_xstream *s, size_t pending, size_t bytes)
{
  struct lrd_xmap_at at;
  size_t n = s->groups.count;

  if (lrd_xmap_seek(&s->nodes, zero, &at))
    do
      if (node_at(s, at)->capacity >= bytes)
        return 1;
    while (lrd_xmap_next(&s->nodes, &at));
  for (size_t i = 0; i < s->groups.count && n < pending; i++)
    n += lrd_xgroup_at(s, i)->pending.count + lrd_xgroup_at(s, i)->consumers.count;
  return n >= pending;
}

/* --- Redis's radix tree ------------------------------------------------------------------- */

enum { ID_BYTES = 16 };

static unsigned byte_of(struct lrd_xid id, int i)
{
  return (unsigned)((i < 8 ? id.ms >> (56 - 8 * i) : id.seq >> (56 - 8 * (i - 8))) & 255);
}

static int common_bytes(struct lrd_xid a, struct lrd_xid b)
{
  int n = 0;

  while (n < ID_BYTES && byte_of(a, n) == byte_of(b, n))
    n++;
  return n;
}

/* From the root to an id a way alternates between runs of bytes, which are one node each, and
 * nodes where ways part.  The open partings of the last id are a stack of their depths; those
 * below what the next id has in common with it are closed. */
uint64_t lrd_xstream_radix_nodes(const struct lrd_xstream *s)
{
  int parting[ID_BYTES + 1], open = 0;
  struct lrd_xmap_at at;
  uint64_t nodes = 0;
  int more = lrd_xmap_seek(&s->nodes, zero, &at);

  if (!more)
    return 1;
  while (more) {
    struct lrd_xid id = lrd_xmap_id(&s->nodes, at);
    int below = ID_BYTES, common = -1; /* of the last id: the root */

    if ((more = lrd_xmap_next(&s->nodes, &at)))
      common = common_bytes(id, lrd_xmap_id(&s->nodes, at));
    nodes++; /* the leaf */
    for (; open && parting[open - 1] > common; open--) {
      nodes += below > parting[open - 1] + 1 ? 2 : 1;
      below = parting[open - 1];
    }
    if (common >= 0 && (!open || parting[open - 1] < common))
      parting[open++] = common;
    nodes += below > common + 1;
  }
  return nodes;
}

/* --- for tests ---------------------------------------------------------------------------- */

const char *lrd_xstream_check(const struct lrd_xstream *s)
{
  const char *wrong = lrd_xmap_check(&s->nodes);
  struct lrd_xid before = zero;
  uint64_t length = 0;
  struct lrd_xmap_at at;

  if (!wrong && lrd_xmap_seek(&s->nodes, zero, &at))
    do {
      const struct lrd_xnode *node = node_at(s, at);

      if (lrd_xid_compare(lrd_xmap_id(&s->nodes, at), node->first))
        return "a node is not where its first id says";
      if (length && lrd_xid_compare(before, node->first) >= 0)
        return "nodes overlap";
      before = node->last;
      length += node->count;
      wrong = lrd_xnode_check(node);
    } while (!wrong && lrd_xmap_next(&s->nodes, &at));
  if (!wrong && length != s->length)
    return "a stream's length is wrong";
  for (size_t i = 0; i < s->groups.count && !wrong; i++)
    wrong = lrd_xgroup_check(lrd_xgroup_at(s, i));
  return wrong;
}
