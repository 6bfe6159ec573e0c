/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rdb_stream.h"

#include "memory/listpack.h"
#include "memory/stream_group.h"

/* --- nodes ------------------------------------------------------------------------------ */

enum { DELETED = 1, SAME_FIELDS = 2 }; /* an entry's flags */

/* Names and values of one entry, and the prints of those that are numbers. */
struct parts {
  larder_bytes *part;
  char (*number)[LRD_NUMBER_SIZE];
  size_t capacity;
};

struct loading {
  struct lrd_reader *r;
  struct lrd_listpack l;
  struct lrd_xnode *node;
  struct parts head, entry; /* of the node's fields, and of an entry */
  uint64_t live, deleted;   /* entries, as the node says */
  struct lrd_xid last;
};

static int next_text(struct loading *in, larder_bytes *text, char *number)
{
  return lrd_listpack_next(&in->l, text, number) > 0 || lrd_reader_bad(in->r);
}

static int next_number(struct loading *in, int64_t *n)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes text;

  return next_text(in, &text, number) &&
         (lrd_parse_integer(text.data, text.len, n) || lrd_reader_bad(in->r));
}

/* How many fields there are: each takes two bytes at least. */
static int next_count(struct loading *in, int64_t *n)
{
  return next_number(in, n) &&
         ((*n >= 0 && *n <= (in->l.end - in->l.at) / 2) || lrd_reader_bad(in->r));
}

static void parts_free(const larder_memory *memory, struct parts *p)
{
  lrd_release(memory, p->part, p->capacity * sizeof *p->part);
  lrd_release(memory, p->number, p->capacity * sizeof *p->number);
  *p = (struct parts){ NULL, NULL, 0 };
}

/* Room for so many. */
static int parts_for(struct loading *in, struct parts *p, size_t n)
{
  const larder_memory *memory = in->r->memory;

  if (n <= p->capacity)
    return 1;
  parts_free(memory, p);
  p->part = lrd_allocate(memory, n * sizeof *p->part);
  p->number = p->part ? lrd_allocate(memory, n * sizeof *p->number) : NULL;
  if (p->number) {
    p->capacity = n;
    return 1;
  }
  lrd_release(memory, p->part, n * sizeof *p->part);
  p->part = NULL;
  return lrd_reader_fail(in->r, LRD_LOAD_NO_MEMORY);
}

/* entries | deleted ones | fields | field ... | 0 */
static int read_head(struct loading *in, struct lrd_xid first)
{
  int64_t live, deleted, fields, zero;

  if (!next_number(in, &live) || !next_number(in, &deleted) || !next_count(in, &fields) ||
      !parts_for(in, &in->head, 2 * (size_t)fields))
    return 0;
  for (size_t i = 0; i < 2 * (size_t)fields; i += 2) {
    in->head.part[i + 1] = (larder_bytes){ "", 0 };
    if (!next_text(in, &in->head.part[i], in->head.number[i]))
      return 0;
  }
  if (!next_number(in, &zero))
    return 0;
  if (zero || live < 0 || deleted < 0)
    return lrd_reader_bad(in->r);
  in->live = (uint64_t)live;
  in->deleted = (uint64_t)deleted;
  in->node = lrd_xnode_begin(in->r->memory, first,
                             (struct lrd_xfields){ (size_t)fields, in->head.part },
                             (size_t)(in->l.end - in->l.at));
  return in->node || lrd_reader_fail(in->r, LRD_LOAD_NO_MEMORY);
}

/* (fields) | (field) value ... | entries in all before */
static int read_fields(struct loading *in, int same, struct lrd_xfields *f)
{
  int64_t count = in->node->fields, parts, expected;

  if (!same && !next_count(in, &count))
    return 0;
  if (!parts_for(in, &in->entry, 2 * (size_t)count))
    return 0;
  for (size_t i = 0; i < 2 * (size_t)count; i++)
    if (same && i % 2 == 0)
      in->entry.part[i] = in->head.part[i];
    else if (!next_text(in, &in->entry.part[i], in->entry.number[i]))
      return 0;
  expected = same ? count + 3 : 2 * count + 4;
  if (!next_number(in, &parts))
    return 0;
  *f = (struct lrd_xfields){ (size_t)count, in->entry.part };
  return parts == expected || lrd_reader_bad(in->r);
}

static int read_entry(struct loading *in)
{
  int64_t flags, ms, seq;
  struct lrd_xfields f;
  struct lrd_xnode *node;
  struct lrd_xid id;

  if (!next_number(in, &flags) || !next_number(in, &ms) || !next_number(in, &seq) ||
      !read_fields(in, (flags & SAME_FIELDS) != 0, &f))
    return 0;
  id = (struct lrd_xid){ in->node->first.ms + (uint64_t)ms, in->node->first.seq + (uint64_t)seq };
  if (flags & ~(DELETED | SAME_FIELDS) || lrd_xid_compare(id, in->last) <= 0 ||
      lrd_xid_compare(id, in->node->first) < 0)
    return lrd_reader_bad(in->r);
  in->last = id;
  if (flags & DELETED) {
    in->node->deleted++;
    return 1;
  }
  if (!(node = lrd_xnode_add(in->r->memory, in->node, id, f)))
    return lrd_reader_fail(in->r, LRD_LOAD_NO_MEMORY);
  in->node = node;
  return 1;
}

static struct lrd_xid raw_id(const unsigned char *p)
{
  struct lrd_xid id = { 0, 0 };

  for (int i = 0; i < 8; i++) {
    id.ms = id.ms << 8 | p[i];
    id.seq = id.seq << 8 | p[8 + i];
  }
  return id;
}

/* One node, which is in->node then, or freed. */
static int read_node(struct loading *in)
{
  struct lrd_rdb_text key, block;
  size_t length;

  if (!lrd_reader_text(in->r, &key) || !lrd_reader_text(in->r, &block))
    return 0;
  length = block.bytes.len;
  if (key.bytes.len != 16 || length > LRD_XNODE_MAX ||
      !lrd_listpack_open(&in->l, block.bytes))
    return lrd_reader_bad(in->r);
  if (!read_head(in, raw_id((const unsigned char *)key.bytes.data)))
    return 0;
  if (lrd_xid_compare(in->node->first, in->last) <= 0 && !lrd_xid_is_zero(in->last))
    return lrd_reader_bad(in->r);
  while (in->l.at < in->l.end)
    if (!read_entry(in))
      return 0;
  if (in->node->count != in->live || in->node->deleted != in->deleted || !(in->live + in->deleted))
    return lrd_reader_bad(in->r);
  in->node->last = in->last;
  in->node->listpack = 0;
  in->node->listpack = length - lrd_xnode_listpack(in->node);
  return 1;
}

static int read_nodes(struct lrd_reader *r, struct lrd_xstream *s, uint64_t nodes,
                      struct loading *in)
{
  for (; nodes; nodes--, lrd_reader_forget(r)) {
    in->node = NULL;
    if (!read_node(in)) {
      if (in->node)
        lrd_xnode_free(r->memory, in->node);
      return 0;
    }
    in->node = lrd_xnode_shrink(r->memory, in->node);
    if (lrd_xmap_add(&s->nodes, r->memory, in->node->first, in->node) != 1) {
      lrd_xnode_free(r->memory, in->node);
      return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
    }
    s->length += in->node->count;
  }
  return 1;
}

/* --- groups ----------------------------------------------------------------------------- */

static int read_id(struct lrd_reader *r, struct lrd_xid *id)
{
  return lrd_reader_count(r, &id->ms) && lrd_reader_count(r, &id->seq);
}

static int read_time(struct lrd_reader *r, int64_t *time)
{
  const unsigned char *p = lrd_reader_take(r, 8);

  *time = p ? (int64_t)lrd_reader_little(p, 8) : 0;
  return p != NULL;
}

/* What a group has pending: whose it is comes later. */
static int read_pending(struct lrd_reader *r, struct lrd_xgroup *g)
{
  uint64_t n;

  if (!lrd_reader_count(r, &n))
    return 0;
  for (; n; n--) {
    const unsigned char *id = lrd_reader_take(r, 16);
    struct lrd_xpending *p, read = { .consumer = NULL };
    int added;

    if (!id || !read_time(r, &read.time) || !lrd_reader_count(r, &read.count))
      return 0;
    if (!(p = lrd_allocate(r->memory, sizeof *p)))
      return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
    *p = read;
    added = lrd_xmap_add(&g->pending, r->memory, raw_id(id), p);
    if (added > 0)
      continue;
    lrd_release(r->memory, p, sizeof *p);
    return lrd_reader_fail(r, added ? LRD_LOAD_NO_MEMORY : LRD_LOAD_BAD);
  }
  return 1;
}

static int read_consumer(struct lrd_reader *r, struct lrd_xgroup *g, uint64_t *owned)
{
  struct lrd_rdb_text name;
  struct lrd_xconsumer *c;
  uint64_t n;

  if (!lrd_reader_text(r, &name))
    return 0;
  if (lrd_xconsumer_find(g, name.bytes))
    return lrd_reader_bad(r);
  if (!(c = lrd_xconsumer_add(g, r->memory, name.bytes)))
    return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
  if (!read_time(r, &c->seen) || !lrd_reader_count(r, &n))
    return 0;
  for (; n; n--, ++*owned) {
    const unsigned char *id = lrd_reader_take(r, 16);
    struct lrd_xpending *p = id ? lrd_xmap_find(&g->pending, raw_id(id)) : NULL;

    if (!p || p->consumer)
      return lrd_reader_bad(r);
    if (lrd_xmap_add(&c->pending, r->memory, raw_id(id), p) < 0)
      return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
    p->consumer = c;
  }
  return 1;
}

static int read_group(struct lrd_reader *r, struct lrd_xstream *s, int older)
{
  struct lrd_rdb_text name;
  struct lrd_xgroup *g;
  uint64_t n, read = (uint64_t)LRD_XREAD_UNKNOWN, owned = 0;

  if (!lrd_reader_text(r, &name))
    return 0;
  if (lrd_xgroup_find(s, name.bytes))
    return lrd_reader_bad(r);
  if (!(g = lrd_xgroup_add(s, r->memory, name.bytes)))
    return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
  if (!read_id(r, &g->last) || (!older && !lrd_reader_count(r, &read)))
    return 0;
  g->read = older ? lrd_xstream_read_up_to(s, g->last) : (int64_t)read;
  if (!read_pending(r, g) || !lrd_reader_count(r, &n))
    return 0;
  for (; n; n--, lrd_reader_forget(r))
    if (!read_consumer(r, g, &owned))
      return 0;
  return owned == g->pending.count || lrd_reader_bad(r);
}

/* --- the stream ------------------------------------------------------------------------- */

/* What stands behind the nodes. */
static int read_ids(struct lrd_reader *r, struct lrd_xstream *s, int older)
{
  uint64_t length;

  if (!lrd_reader_count(r, &length) || !read_id(r, &s->last))
    return 0;
  if (length != s->length || lrd_xid_compare(lrd_xstream_highest(s), s->last) > 0)
    return lrd_reader_bad(r);
  s->first = lrd_xstream_lowest(s);
  s->added = s->length;
  return older || (read_id(r, &s->first) && read_id(r, &s->deleted) &&
                   lrd_reader_count(r, &s->added));
}

int lrd_rdb_read_stream(struct lrd_reader *r, struct lrd_xstream *s, int older)
{
  struct loading in = { .r = r };
  uint64_t n;
  int good;

  if (!lrd_reader_count(r, &n))
    return 0;
  good = read_nodes(r, s, n, &in);
  parts_free(r->memory, &in.head);
  parts_free(r->memory, &in.entry);
  if (!good || !read_ids(r, s, older) || !lrd_reader_count(r, &n))
    return 0;
  for (; n; n--, lrd_reader_forget(r))
    if (!read_group(r, s, older))
      return 0;
  return 1;
}
