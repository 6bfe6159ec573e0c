/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rdb_stream.h"

#include "memory/listpack.h"
#include "memory/rdb_writer.h"
#include "memory/stream_group.h"

enum { SAME_FIELDS = 2 }; /* of an entry's flags */

/* --- nodes ------------------------------------------------------------------------------ */

/* 16 bytes, highest first. */
static void put_raw_id(struct lrd_buffer *b, struct lrd_xid id)
{
  unsigned char bytes[16];

  for (unsigned i = 0; i < 8; i++) {
    bytes[i] = (unsigned char)(id.ms >> (56 - 8 * i));
    bytes[8 + i] = (unsigned char)(id.seq >> (56 - 8 * i));
  }
  (void)lrd_buffer_append(b, bytes, sizeof bytes);
}

static void add_number(struct lrd_buffer *b, int64_t n)
{
  char text[LRD_NUMBER_SIZE];

  lrd_listpack_add(b, (larder_bytes){ text, lrd_print_integer(text, n) });
}

/* Returns how many entries of the listpack it took. */
static size_t add_entry(struct lrd_buffer *b, const struct lrd_xnode *node, struct lrd_xentry *e)
{
  int own = !e->name;
  size_t parts = 3 + e->count + (own ? e->count + 1 : 0);
  larder_bytes field, value;

  add_number(b, own ? 0 : SAME_FIELDS);
  add_number(b, (int64_t)(e->id.ms - node->first.ms));
  add_number(b, (int64_t)(e->id.seq - node->first.seq));
  if (own)
    add_number(b, (int64_t)e->count);
  while (lrd_xentry_next(e, &field, &value)) {
    if (own)
      lrd_listpack_add(b, field);
    lrd_listpack_add(b, value);
  }
  add_number(b, (int64_t)parts);
  return parts + 1;
}

static void put_node(struct lrd_buffer *b, const struct lrd_xnode *node)
{
  const unsigned char *name = node->data;
  struct lrd_buffer block;
  struct lrd_xentry e;
  size_t begin, n = 4 + node->fields;

  lrd_buffer_init(&block, b->memory, 0);
  begin = lrd_listpack_begin(&block);
  add_number(&block, node->count);
  add_number(&block, 0);
  add_number(&block, node->fields);
  for (uint32_t i = 0; i < node->fields; i++) {
    larder_bytes field;

    name = lrd_blob_read(name, &field);
    lrd_listpack_add(&block, field);
  }
  add_number(&block, 0);
  for (size_t at = node->begin; at < node->end;) {
    at = lrd_xnode_next(node, at, &e);
    n += add_entry(&block, node, &e);
  }
  lrd_listpack_end(&block, begin, n);
  lrd_rdb_put_length(b, 16);
  put_raw_id(b, node->first);
  lrd_rdb_put_block(b, &block);
  lrd_buffer_free(&block);
}

/* Those without an entry are left out. */
static void put_nodes(struct lrd_buffer *b, const struct lrd_xstream *s)
{
  struct lrd_xmap_at at;
  size_t n = 0;
  int any = lrd_xmap_seek(&s->nodes, (struct lrd_xid){ 0, 0 }, &at), more;
  struct lrd_xmap_at first = at;

  for (more = any; more; more = lrd_xmap_next(&s->nodes, &at))
    n += ((const struct lrd_xnode *)lrd_xmap_value(&s->nodes, at))->count > 0;
  lrd_rdb_put_length(b, n);
  for (at = first, more = any; more; more = lrd_xmap_next(&s->nodes, &at)) {
    const struct lrd_xnode *node = lrd_xmap_value(&s->nodes, at);

    if (node->count)
      put_node(b, node);
  }
}

/* --- groups ----------------------------------------------------------------------------- */

static void put_id(struct lrd_buffer *b, struct lrd_xid id)
{
  lrd_rdb_put_length(b, id.ms);
  lrd_rdb_put_length(b, id.seq);
}

/* whole: with what is known of each. */
static void put_pending(struct lrd_buffer *b, const struct lrd_xmap *pending, int whole)
{
  struct lrd_xmap_at at;
  int more = lrd_xmap_seek(pending, (struct lrd_xid){ 0, 0 }, &at);

  lrd_rdb_put_length(b, pending->count);
  for (; more; more = lrd_xmap_next(pending, &at)) {
    const struct lrd_xpending *p = lrd_xmap_value(pending, at);

    put_raw_id(b, lrd_xmap_id(pending, at));
    if (!whole)
      continue;
    lrd_rdb_put_little(b, (uint64_t)p->time, 8);
    lrd_rdb_put_length(b, p->count);
  }
}

static void put_group(struct lrd_buffer *b, const struct lrd_xgroup *g)
{
  lrd_rdb_put_string(b, g->named.name);
  put_id(b, g->last);
  lrd_rdb_put_length(b, (uint64_t)g->read);
  put_pending(b, &g->pending, 1);
  lrd_rdb_put_length(b, g->consumers.count);
  for (size_t i = 0; i < g->consumers.count; i++) {
    const struct lrd_xconsumer *c = lrd_xconsumer_at(g, i);

    lrd_rdb_put_string(b, c->named.name);
    lrd_rdb_put_little(b, (uint64_t)c->seen, 8);
    put_pending(b, &c->pending, 0);
  }
}

void lrd_rdb_put_stream(struct lrd_buffer *b, const struct lrd_xstream *s)
{
  put_nodes(b, s);
  lrd_rdb_put_length(b, s->length);
  put_id(b, s->last);
  put_id(b, s->first);
  put_id(b, s->deleted);
  lrd_rdb_put_length(b, s->added);
  lrd_rdb_put_length(b, s->groups.count);
  for (size_t i = 0; i < s->groups.count; i++)
    put_group(b, lrd_xgroup_at(s, i));
}
