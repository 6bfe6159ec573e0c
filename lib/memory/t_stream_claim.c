/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_stream.h"

#include "memory/stream_change.h"

/* XCLAIM and XAUTOCLAIM: pending entries change their consumer. */

struct claim {
  struct lrd_xstream *stream;
  struct lrd_xgroup *group;
  struct lrd_xconsumer *consumer;
  int64_t idle; /* at least so long */
  int64_t time, retries; /* what is noted; retries -1: one more */
  struct lrd_xid last;
  int force, ids_only;
  struct lrd_xchange change;
};

/* What was begun is taken back if there was no memory; else it counts. */
static void finish(struct lrd_exec *x, struct claim *c, int good)
{
  if (!good)
    x->sink->failed = 1;
  if (x->sink->failed) {
    lrd_xchange_undo(&c->change);
    return;
  }
  lrd_xchange_commit(&c->change);
  lrd_changed_quietly(x, x->argv[1]);
}

/* 0: no memory. */
static int begin(struct lrd_exec *x, struct claim *c)
{
  lrd_xchange_init(&c->change, lrd_memory_of(x->engine));
  return lrd_xchange_read(&c->change, c->group) == 0;
}

/* It comes into being with the first entry that it gets.  0: no memory. */
static int find_consumer(struct lrd_exec *x, struct claim *c)
{
  if (!c->consumer)
    c->consumer = lrd_xchange_consumer(&c->change, c->group, x->argv[3], lrd_now(x));
  return c->consumer != NULL;
}

/* The entry becomes the consumer's, and is replied.  0: no memory. */
static int take(struct lrd_exec *x, struct claim *c, struct lrd_xid id, struct lrd_xpending *p,
                struct lrd_xentry *e)
{
  int fresh = !p;

  if (!find_consumer(x, c) || !(p = lrd_xchange_take(&c->change, c->group, c->consumer, id, p)))
    return 0;
  if (fresh)
    p->count = 1;
  p->time = c->time;
  if (c->retries >= 0)
    p->count = (uint64_t)c->retries;
  else if (!c->ids_only)
    p->count++;
  if (c->ids_only)
    lrd_reply_xid(x, id);
  else
    lrd_reply_xentry(x, e);
  return !x->sink->failed;
}

static int find_group(struct lrd_exec *x, struct claim *c)
{
  struct lrd_entry *entry;

  if (!lrd_write_stream(x, x->argv[1], &entry))
    return 0;
  c->stream = lrd_stream_of(entry);
  c->group = c->stream ? lrd_xgroup_find(c->stream, x->argv[2]) : NULL;
  if (!c->group)
    lrd_no_group(x, x->argv[1], x->argv[2], "");
  return c->group != NULL;
}

static int parse_number(struct lrd_exec *x, int i, const char *wrong, int64_t *n)
{
  if (lrd_parse_integer(x->argv[i].data, x->argv[i].len, n))
    return 1;
  lrd_error(x, wrong);
  return 0;
}

/* --- XCLAIM ----------------------------------------------------------------------------- */

/* One option at i, on to its last word; 0: replied. */
static int parse_option(struct lrd_exec *x, int *i, struct claim *c)
{
  const larder_bytes *word = &x->argv[*i];
  int more = *i + 1 < x->argc;

  if (lrd_is_word(word, "FORCE"))
    return c->force = 1;
  if (lrd_is_word(word, "JUSTID"))
    return c->ids_only = 1;
  if (more && lrd_is_word(word, "IDLE")) {
    if (!parse_number(x, ++*i, "ERR Invalid IDLE option argument for XCLAIM", &c->time))
      return 0;
    c->time = (int64_t)((uint64_t)lrd_now(x) - (uint64_t)c->time);
    return 1;
  }
  if (more && lrd_is_word(word, "TIME"))
    return parse_number(x, ++*i, "ERR Invalid TIME option argument for XCLAIM", &c->time);
  if (more && lrd_is_word(word, "RETRYCOUNT"))
    return parse_number(x, ++*i, "ERR Invalid RETRYCOUNT option argument for XCLAIM", &c->retries);
  if (more && lrd_is_word(word, "LASTID"))
    return lrd_argument_xid(x, ++*i, LRD_XID_STRICT, &c->last);
  lrd_errorf(x, "ERR Unrecognized XCLAIM option '%.*s'", (int)word->len, word->data);
  return 0;
}

/* Ids end where there is none; behind them are options.  *end: behind the ids. */
static int parse_claim(struct lrd_exec *x, struct claim *c, int *end)
{
  struct lrd_xid id;
  int i = 5;

  if (!parse_number(x, 4, "ERR Invalid min-idle-time argument for XCLAIM", &c->idle))
    return 0;
  while (i < x->argc && lrd_xid_parse(x->argv[i], LRD_XID_STRICT, 0, &id))
    i++;
  *end = i;
  c->time = c->retries = -1;
  for (; i < x->argc; i++)
    if (!parse_option(x, &i, c))
      return 0;
  /* times that make no sense are now */
  if (c->time < 0 || c->time > lrd_now(x))
    c->time = lrd_now(x);
  return 1;
}

static int is_idle(struct lrd_exec *x, const struct claim *c, const struct lrd_xpending *p)
{
  return c->idle <= 0 || lrd_xidle(x, p->time) >= c->idle;
}

/* Entries whose ids the arguments from `at` on are; *n: how many.  0: no memory. */
static int claim_all(struct lrd_exec *x, struct claim *c, int at, int end, size_t *n)
{
  for (; at < end; at++) {
    struct lrd_xid id = lrd_xid_at(x, at);
    struct lrd_xpending *p = lrd_xmap_find(&c->group->pending, id);
    struct lrd_xentry e;

    if (!lrd_xstream_find(c->stream, id, &e)) {
      if (p && lrd_xchange_drop(&c->change, c->group, id))
        return 0;
      continue;
    }
    if (p ? !is_idle(x, c, p) : !c->force)
      continue;
    if (!take(x, c, id, p, &e))
      return 0;
    ++*n;
  }
  return 1;
}

void lrd_t_xclaim(struct lrd_exec *x)
{
  struct claim c = { .force = 0 };
  size_t n = 0;
  int end, good;

  if (!find_group(x, &c) || !parse_claim(x, &c, &end))
    return;
  good = begin(x, &c);
  if (good && lrd_xid_compare(c.last, c.group->last) > 0)
    c.group->last = c.last;
  x->sink->type->open(x->sink, LARDER_ARRAY);
  good = good && claim_all(x, &c, 5, end, &n);
  x->sink->type->close(x->sink, n);
  finish(x, &c, good);
}

/* --- XAUTOCLAIM ------------------------------------------------------------------------- */

struct search {
  struct lrd_xid from;
  int64_t count;      /* of what is replied */
  struct lrd_xid next; /* where to go on; zero: that was all */
  size_t claimed, gone;
};

static int parse_search(struct lrd_exec *x, struct claim *c, struct search *s)
{
  const int64_t most = INT64_MAX / 16;

  *s = (struct search){ .count = 100 };
  if (!parse_number(x, 4, "ERR Invalid min-idle-time argument for XAUTOCLAIM", &c->idle) ||
      !lrd_argument_xinterval(x, 5, 0, &s->from, NULL))
    return 0;
  for (int i = 6; i < x->argc; i++) {
    if (i + 1 < x->argc && lrd_is_word(&x->argv[i], "COUNT")) {
      static const char wrong[] = "ERR COUNT must be > 0";

      if (!parse_number(x, ++i, wrong, &s->count))
        return 0;
      if (s->count < 1 || s->count > most) {
        lrd_error(x, wrong);
        return 0;
      }
    } else if (lrd_is_word(&x->argv[i], "JUSTID")) {
      c->ids_only = 1;
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  c->time = lrd_now(x);
  c->retries = -1;
  return 1;
}

/* What will be claimed, and where the next search begins, which stands in front of it in the
 * reply.  Ten times as much is looked at. */
static void look_ahead(struct lrd_exec *x, const struct claim *c, struct search *s)
{
  struct lrd_xmap_at at;
  int64_t attempts = 10 * s->count;
  int more = lrd_xmap_seek(&c->group->pending, s->from, &at);

  for (; more && attempts; more = lrd_xmap_next(&c->group->pending, &at), attempts--) {
    struct lrd_xentry e;

    if (s->claimed + s->gone == (uint64_t)s->count)
      break;
    if (!lrd_xstream_find(c->stream, lrd_xmap_id(&c->group->pending, at), &e))
      s->gone++;
    else if (is_idle(x, c, lrd_xmap_value(&c->group->pending, at)))
      s->claimed++;
  }
  if (more)
    s->next = lrd_xmap_id(&c->group->pending, at);
}

/* 0: no memory. */
static int claim_found(struct lrd_exec *x, struct claim *c, const struct search *s)
{
  struct lrd_xmap_at at;
  size_t left = s->claimed + s->gone;
  int more = lrd_xmap_seek(&c->group->pending, s->from, &at);

  lrd_sink_array(x->sink, s->claimed);
  for (; more && left; more = lrd_xmap_next(&c->group->pending, &at)) {
    struct lrd_xid id = lrd_xmap_id(&c->group->pending, at);
    struct lrd_xpending *p = lrd_xmap_value(&c->group->pending, at);
    struct lrd_xentry e;
    int gone = !lrd_xstream_find(c->stream, id, &e);

    if (!gone && !is_idle(x, c, p))
      continue;
    left--;
    if (gone ? lrd_xchange_drop(&c->change, c->group, id) : !take(x, c, id, p, &e))
      return 0;
  }
  return 1;
}

/* The ids of the entries that were pending and are gone: those that the search passed. */
static void reply_gone(struct lrd_exec *x, const struct claim *c, const struct search *s)
{
  struct lrd_xmap_at at;
  size_t left = s->gone;
  int more = lrd_xmap_seek(&c->group->pending, s->from, &at);

  lrd_sink_array(x->sink, s->gone);
  for (; more && left; more = lrd_xmap_next(&c->group->pending, &at)) {
    struct lrd_xid id = lrd_xmap_id(&c->group->pending, at);
    struct lrd_xentry e;

    if (lrd_xstream_find(c->stream, id, &e))
      continue;
    lrd_reply_xid(x, id);
    left--;
  }
}

void lrd_t_xautoclaim(struct lrd_exec *x)
{
  struct claim c = { .force = 0 };
  struct search s;
  int good;

  if (!parse_search(x, &c, &s) || !find_group(x, &c))
    return;
  good = begin(x, &c);
  look_ahead(x, &c, &s);
  lrd_sink_array(x->sink, 3);
  lrd_reply_xid(x, s.next);
  good = good && claim_found(x, &c, &s);
  if (good)
    reply_gone(x, &c, &s);
  finish(x, &c, good);
}
