/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream_rebuild.h"

#include "memory/kind.h"
#include "memory/stream_group.h"

struct rebuild {
  const struct lrd_xstream *stream;
  larder_bytes key;
  larder_sink *sink;
  size_t vectors;
};

static void put(struct rebuild *r, const char *word)
{
  lrd_sink_string(r->sink, word, strlen(word));
}

static void put_bytes(struct rebuild *r, larder_bytes b)
{
  lrd_sink_string(r->sink, b.data, b.len);
}

static void put_id(struct rebuild *r, struct lrd_xid id)
{
  char text[LRD_XID_SIZE];

  lrd_sink_string(r->sink, text, lrd_xid_print(text, id));
}

static void put_number(struct rebuild *r, uint64_t n)
{
  char text[LRD_NUMBER_SIZE];

  lrd_sink_string(r->sink, text, lrd_print_unsigned(text, n));
}

/* A command of so many arguments; key and what else is said follow. */
static void begin(struct rebuild *r, size_t arguments, const char *command)
{
  lrd_sink_array(r->sink, arguments);
  put(r, command);
  r->vectors++;
}

/* --- entries ---------------------------------------------------------------------------- */

static void add(struct rebuild *r, struct lrd_xentry *e)
{
  larder_bytes field, value;

  begin(r, 3 + 2 * e->count, "XADD");
  put_bytes(r, r->key);
  put_id(r, e->id);
  while (lrd_xentry_next(e, &field, &value)) {
    put_bytes(r, field);
    put_bytes(r, value);
  }
}

static void add_and_delete(struct rebuild *r, struct lrd_xid id, int deletes)
{
  begin(r, deletes ? 3 : 5, deletes ? "XDEL" : "XADD");
  put_bytes(r, r->key);
  put_id(r, id);
  if (!deletes) {
    put(r, "x");
    put(r, "x");
  }
}

/* The first id behind one that is pending in a group, and gone; 0: there is none. */
static int next_gone(const struct lrd_xstream *s, const struct lrd_xgroup *g, struct lrd_xid behind,
                     struct lrd_xid *found)
{
  struct lrd_xmap_at at;
  struct lrd_xentry e;
  int more = lrd_xid_next(&behind) && lrd_xmap_seek(&g->pending, behind, &at);

  for (; more; more = lrd_xmap_next(&g->pending, &at)) {
    *found = lrd_xmap_id(&g->pending, at);
    if (!lrd_xstream_find(s, *found, &e))
      return 1;
  }
  return 0;
}

/* The same over all groups. */
static int next_gone_of_all(const struct lrd_xstream *s, struct lrd_xid behind,
                            struct lrd_xid *found)
{
  struct lrd_xid id;
  int any = 0;

  for (size_t i = 0; i < s->groups.count; i++)
    if (next_gone(s, lrd_xgroup_at(s, i), behind, &id) &&
        (!any || lrd_xid_compare(id, *found) < 0)) {
      *found = id;
      any = 1;
    }
  return any;
}

static void add_entries(struct rebuild *r)
{
  struct lrd_xid zero = { 0, 0 }, gone;
  struct lrd_xcursor c;
  struct lrd_xentry e;
  int any_gone = next_gone_of_all(r->stream, zero, &gone);

  lrd_xstream_seek(r->stream, zero, &c);
  for (int more = lrd_xstream_next(&c, &e); more || any_gone;) {
    if (any_gone && (!more || lrd_xid_compare(gone, e.id) < 0)) {
      add_and_delete(r, gone, 0);
      any_gone = next_gone_of_all(r->stream, gone, &gone);
    } else {
      add(r, &e);
      more = lrd_xstream_next(&c, &e);
    }
  }
}

/* Those in front of all others go by XTRIM, which leaves no mark as XDEL does. */
static size_t delete_gone(struct rebuild *r)
{
  struct lrd_xid gone = { 0, 0 }, lowest = r->stream->length ? lrd_xstream_lowest(r->stream)
                                                             : LRD_XID_MAX;
  int trimmed = 0;
  size_t n = 0;

  for (; next_gone_of_all(r->stream, gone, &gone); n++) {
    if (lrd_xid_compare(gone, lowest) > 0) {
      add_and_delete(r, gone, 1);
    } else if (!trimmed++) {
      begin(r, 4, "XTRIM");
      put_bytes(r, r->key);
      put(r, "MINID");
      put_id(r, lowest);
    }
  }
  return n;
}

/* --- groups ----------------------------------------------------------------------------- */

/* As many ids as have all else in common. */
static void claim(struct rebuild *r, const struct lrd_xgroup *g, struct lrd_xmap_at *at, int *more)
{
  enum { FIXED = 11 }; /* arguments beside the ids */
  const struct lrd_xpending *p = lrd_xmap_value(&g->pending, *at), *next = p;
  struct lrd_xmap_at end = *at;
  size_t n = 0;

  do {
    n++;
    *more = lrd_xmap_next(&g->pending, &end);
    next = *more ? lrd_xmap_value(&g->pending, end) : NULL;
  } while (next && next->consumer == p->consumer && next->time == p->time &&
           next->count == p->count && FIXED + n < LRD_REBUILD_ARGUMENTS);
  begin(r, FIXED + n, "XCLAIM");
  put_bytes(r, r->key);
  put_bytes(r, g->named.name);
  put_bytes(r, p->consumer->named.name);
  put(r, "0");
  for (; n; n--) {
    put_id(r, lrd_xmap_id(&g->pending, *at));
    (void)lrd_xmap_next(&g->pending, at);
  }
  put(r, "TIME");
  put_number(r, (uint64_t)p->time);
  put(r, "RETRYCOUNT");
  put_number(r, p->count);
  put(r, "FORCE");
  put(r, "JUSTID");
  *at = end;
}

static void add_group(struct rebuild *r, const struct lrd_xgroup *g)
{
  struct lrd_xmap_at at;
  int counted = g->read != LRD_XREAD_UNKNOWN;
  int more = lrd_xmap_seek(&g->pending, (struct lrd_xid){ 0, 0 }, &at);

  begin(r, counted ? 8 : 6, "XGROUP");
  put(r, "CREATE");
  put_bytes(r, r->key);
  put_bytes(r, g->named.name);
  put_id(r, g->last);
  put(r, "MKSTREAM");
  if (counted) {
    put(r, "ENTRIESREAD");
    put_number(r, (uint64_t)g->read);
  }
  for (size_t i = 0; i < g->consumers.count; i++) {
    begin(r, 5, "XGROUP");
    put(r, "CREATECONSUMER");
    put_bytes(r, r->key);
    put_bytes(r, g->named.name);
    put_bytes(r, lrd_xconsumer_at(g, i)->named.name);
  }
  while (more)
    claim(r, g, &at, &more);
}

/* --- the stream ------------------------------------------------------------------------- */

/* An empty one without groups comes into being with a group that goes again. */
static void make_empty(struct rebuild *r)
{
  static const char *const words[][2] = { { "CREATE", "0" }, { "DESTROY", NULL } };

  for (int i = 0; i < 2; i++) {
    begin(r, i ? 4 : 6, "XGROUP");
    put(r, words[i][0]);
    put_bytes(r, r->key);
    put(r, "x");
    if (!i) {
      put(r, "0");
      put(r, "MKSTREAM");
    }
  }
}

static void set_id(struct rebuild *r)
{
  const struct lrd_xstream *s = r->stream;
  int deleted = !lrd_xid_is_zero(s->deleted);

  begin(r, deleted ? 7 : 5, "XSETID");
  put_bytes(r, r->key);
  put_id(r, s->last);
  put(r, "ENTRIESADDED");
  put_number(r, s->added);
  if (deleted) {
    put(r, "MAXDELETEDID");
    put_id(r, s->deleted);
  }
}

size_t lrd_xstream_rebuild(const struct lrd_xstream *s, larder_bytes key, larder_sink *sink)
{
  struct rebuild r = { .stream = s, .key = key, .sink = sink };
  size_t gone;

  add_entries(&r);
  if (!r.vectors && !s->groups.count)
    make_empty(&r);
  for (size_t i = 0; i < s->groups.count; i++)
    add_group(&r, lrd_xgroup_at(s, i));
  gone = delete_gone(&r);
  if (gone || s->added != s->length || !lrd_xid_is_zero(s->deleted) ||
      lrd_xid_compare(s->last, lrd_xstream_highest(s)))
    set_id(&r);
  return r.vectors;
}
