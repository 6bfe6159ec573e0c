/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream_rebuild.h"

#include "memory/kind.h"
#include "memory/stream_group.h"

struct rebuild {
  const struct lrd_xstream *stream;
  larder_bytes key;
  larder_sink *sink;
  size_t vectors;
  int gone; /* whether something that is gone was pending */
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

/* An entry that will go again. */
static void add_gone(struct rebuild *r, struct lrd_xid id)
{
  begin(r, 5, "XADD");
  put_bytes(r, r->key);
  put_id(r, id);
  put(r, "x");
  put(r, "x");
}

static void add_entries(struct rebuild *r)
{
  struct lrd_xcursor c;
  struct lrd_xentry e;

  lrd_xstream_seek(r->stream, (struct lrd_xid){ 0, 0 }, &c);
  while (lrd_xstream_next(&c, &e))
    add(r, &e);
}

/* By XTRIM, which leaves no mark as XDEL does; other ids are in front of theirs then. */
static void trim_gone(struct rebuild *r)
{
  begin(r, 4, "XTRIM");
  put_bytes(r, r->key);
  put(r, "MAXLEN");
  put(r, "0");
  begin(r, 3, "XSETID");
  put_bytes(r, r->key);
  put(r, "0-0");
}

/* --- groups ----------------------------------------------------------------------------- */

static int is_gone(const struct rebuild *r, struct lrd_xid id)
{
  struct lrd_xentry e;

  return !lrd_xstream_find(r->stream, id, &e);
}

/* What a group has pending and is gone comes back until it is claimed; 0: there is nothing. */
static int add_all_gone(struct rebuild *r, const struct lrd_xgroup *g)
{
  struct lrd_xmap_at at;
  int more = lrd_xmap_seek(&g->pending, (struct lrd_xid){ 0, 0 }, &at), any = 0;

  for (; more; more = lrd_xmap_next(&g->pending, &at)) {
    if (!is_gone(r, lrd_xmap_id(&g->pending, at)))
      continue;
    add_gone(r, lrd_xmap_id(&g->pending, at));
    any = 1;
  }
  r->gone |= any;
  return any;
}

/* As many ids as have all else in common. */
static void claim(struct rebuild *r, const struct lrd_xgroup *g, struct lrd_xmap_at *at, int *more,
                  int gone)
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
           next->count == p->count && FIXED + n < LRD_REBUILD_ARGUMENTS &&
           (!r->gone || is_gone(r, lrd_xmap_id(&g->pending, end)) == gone));
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
  put_number(r, p->time < 0 ? 0 : (uint64_t)p->time);
  put(r, "RETRYCOUNT");
  put_number(r, p->count);
  put(r, "FORCE");
  put(r, "JUSTID");
  *at = end;
}

/* What is gone, or what is not. */
static void claim_all(struct rebuild *r, const struct lrd_xgroup *g, int gone)
{
  struct lrd_xmap_at at;
  int more = lrd_xmap_seek(&g->pending, (struct lrd_xid){ 0, 0 }, &at);

  while (more)
    if (!r->gone || is_gone(r, lrd_xmap_id(&g->pending, at)) == gone)
      claim(r, g, &at, &more, gone);
    else
      more = lrd_xmap_next(&g->pending, &at);
}

static void add_group(struct rebuild *r, const struct lrd_xgroup *g)
{
  int counted = g->read >= 0, gone = add_all_gone(r, g);

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
  if (gone) {
    claim_all(r, g, 1);
    trim_gone(r);
  }
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

/* The first words of XSETID: so many more follow. */
static void begin_set_id(struct rebuild *r, size_t more)
{
  begin(r, 3 + more, "XSETID");
  put_bytes(r, r->key);
  put_id(r, r->stream->last);
}

/* XSETID takes no MAXDELETEDID above the last id, but it may be there. */
static void delete_above_last(struct rebuild *r)
{
  begin_set_id(r, 0);
  add_gone(r, r->stream->deleted);
  begin(r, 3, "XDEL");
  put_bytes(r, r->key);
  put_id(r, r->stream->deleted);
}

static void set_id(struct rebuild *r)
{
  const struct lrd_xstream *s = r->stream;
  int above = lrd_xid_compare(s->deleted, s->last) > 0;
  int deleted = !above && !lrd_xid_is_zero(s->deleted);

  if (above)
    delete_above_last(r);
  begin_set_id(r, deleted ? 4 : 2);
  put(r, "ENTRIESADDED");
  put_number(r, s->added);
  if (deleted) {
    put(r, "MAXDELETEDID");
    put_id(r, s->deleted);
  }
}

/* Groups first, and what each has pending that is gone. */
size_t lrd_xstream_rebuild(const struct lrd_xstream *s, larder_bytes key, larder_sink *sink)
{
  struct rebuild r = { .stream = s, .key = key, .sink = sink };

  for (size_t i = 0; i < s->groups.count; i++)
    add_group(&r, lrd_xgroup_at(s, i));
  add_entries(&r);
  if (!r.vectors)
    make_empty(&r);
  for (size_t i = 0; i < s->groups.count; i++)
    claim_all(&r, lrd_xgroup_at(s, i), 0);
  if (r.gone || s->added != s->length || !lrd_xid_is_zero(s->deleted) ||
      lrd_xid_compare(s->last, lrd_xstream_highest(s)))
    set_id(&r);
  return r.vectors;
}
