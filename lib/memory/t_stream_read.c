/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_stream.h"

#include "memory/stream_change.h"

/* --- entries ---------------------------------------------------------------------------- */

void lrd_reply_xentry(struct lrd_exec *x, struct lrd_xentry *e)
{
  larder_bytes field, value;

  lrd_sink_array(x->sink, 2);
  lrd_reply_xid(x, e->id);
  lrd_sink_array(x->sink, 2 * e->count);
  while (lrd_xentry_next(e, &field, &value)) {
    lrd_sink_string(x->sink, field.data, field.len);
    lrd_sink_string(x->sink, value.data, value.len);
  }
}

void lrd_reply_xrange(struct lrd_exec *x, const struct lrd_xstream *s, struct lrd_xid from,
                      struct lrd_xid to, uint64_t most, int back)
{
  struct lrd_xcursor c;
  struct lrd_xentry e;
  size_t n = 0;

  x->sink->type->open(x->sink, LARDER_ARRAY);
  if (back)
    lrd_xstream_seek_back(s, to, &c);
  else
    lrd_xstream_seek(s, from, &c);
  for (; (!most || n < most) && !x->sink->failed; n++) {
    if (!(back ? lrd_xstream_previous(&c, &e) : lrd_xstream_next(&c, &e)))
      break;
    if (back ? lrd_xid_compare(e.id, from) < 0 : lrd_xid_compare(e.id, to) > 0)
      break;
    lrd_reply_xentry(x, &e);
  }
  x->sink->type->close(x->sink, n);
}

/* --- XRANGE, XREVRANGE ------------------------------------------------------------------ */

/* start, end: which arguments. */
static void range(struct lrd_exec *x, int start, int end, int back)
{
  struct lrd_xid from, to;
  struct lrd_entry *entry;
  int64_t count = -1;

  /* as Redis: the start is read first */
  if (!lrd_argument_xinterval(x, start, end, &from, &to))
    return;
  for (int i = 4; i < x->argc; i += 2) {
    if (i + 1 == x->argc || !lrd_is_word(&x->argv[i], "COUNT")) {
      lrd_error(x, lrd_text_syntax);
      return;
    }
    if (!lrd_argument_integer(x, i + 1, &count))
      return;
    count = count < 0 ? 0 : count;
  }
  if (!lrd_read(x, x->argv[1], LRD_STREAM, &entry))
    return;
  if (!entry)
    lrd_sink_array(x->sink, 0);
  else if (!count)
    lrd_sink_nil_array(x->sink);
  else
    lrd_reply_xrange(x, lrd_stream_of(entry), from, to, count < 0 ? 0 : (uint64_t)count, back);
}

void lrd_t_xrange(struct lrd_exec *x)
{
  range(x, 2, 3, 0);
}

void lrd_t_xrevrange(struct lrd_exec *x)
{
  range(x, 3, 2, 1);
}

/* --- XREAD, XREADGROUP: arguments ------------------------------------------------------- */

struct reading {
  int64_t count;   /* 0: all */
  int blocks, no_ack;
  int group;       /* the argument that names it; 0: none */
  int first, keys; /* the first key, and how many */
  struct lrd_xchange change;
};

/* As Redis reads a number of milliseconds. */
static int parse_block(struct lrd_exec *x, int i)
{
  int64_t ms;

  if (!lrd_parse_integer(x->argv[i].data, x->argv[i].len, &ms))
    lrd_error(x, "ERR timeout is not an integer or out of range");
  else if (ms < 0)
    lrd_error(x, "ERR timeout is negative");
  else
    return 1;
  return 0;
}

static int parse_keys(struct lrd_exec *x, int i, struct reading *r)
{
  r->first = i + 1;
  r->keys = (x->argc - r->first) / 2;
  if ((x->argc - r->first) % 2 == 0)
    return 1;
  lrd_error(x, "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
               "specified.");
  return 0;
}

/* One option at i, on to its last word; 0: replied. */
static int parse_option(struct lrd_exec *x, int *i, int is_group, struct reading *r)
{
  const larder_bytes *word = &x->argv[*i];
  int more = x->argc - *i - 1;

  if (more && lrd_is_word(word, "BLOCK")) {
    r->blocks = 1;
    return parse_block(x, ++*i);
  }
  if (more && lrd_is_word(word, "COUNT")) {
    if (!lrd_argument_integer(x, ++*i, &r->count))
      return 0;
    r->count = r->count < 0 ? 0 : r->count;
    return 1;
  }
  if (more && lrd_is_word(word, "STREAMS"))
    return parse_keys(x, *i, r);
  if (more >= 2 && lrd_is_word(word, "GROUP")) {
    r->group = *i + 1;
    *i += 2;
    if (is_group)
      return 1;
    lrd_error(x, "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
    return 0;
  }
  if (lrd_is_word(word, "NOACK")) {
    r->no_ack = 1;
    if (is_group)
      return 1;
    lrd_error(x, "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
    return 0;
  }
  lrd_error(x, lrd_text_syntax);
  return 0;
}

static int parse_reading(struct lrd_exec *x, struct reading *r, int is_group)
{
  *r = (struct reading){ .count = 0 };
  for (int i = 1; i < x->argc && !r->first; i++)
    if (!parse_option(x, &i, is_group, r))
      return 0;
  if (!r->first)
    lrd_error(x, lrd_text_syntax);
  else if (is_group && !r->group)
    lrd_error(x, "ERR Missing GROUP option for XREADGROUP");
  else
    return 1;
  return 0;
}

static int is_text(larder_bytes b, char c)
{
  return b.len == 1 && *b.data == c;
}

static struct lrd_xgroup *group_of(struct lrd_exec *x, const struct reading *r,
                                   const struct lrd_xstream *s)
{
  return s && r->group ? lrd_xgroup_find(s, x->argv[r->group]) : NULL;
}

/* The id that stands for key i of those to be read; 0: replied. */
static int check_id(struct lrd_exec *x, const struct reading *r, int i)
{
  larder_bytes text = x->argv[r->first + r->keys + i];
  struct lrd_xid id;

  if (is_text(text, '$') && r->group)
    lrd_error(x, "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the "
                 "history of this consumer by specifying a proper ID, or use the > ID to get new "
                 "messages. The $ ID would just return an empty result set.");
  else if (is_text(text, '>') && !r->group)
    lrd_error(x, "ERR The > ID can be specified only when calling XREADGROUP using the GROUP "
                 "<group> <consumer> option.");
  else
    return is_text(text, '$') || is_text(text, '>') ||
           lrd_argument_xid(x, r->first + r->keys + i, LRD_XID_STRICT, &id);
  return 0;
}

static int look_up(struct lrd_exec *x, const struct reading *r, int i, struct lrd_xstream **s)
{
  struct lrd_entry *entry;
  int known = r->group ? lrd_write_stream(x, x->argv[r->first + i], &entry)
                       : lrd_read(x, x->argv[r->first + i], LRD_STREAM, &entry);

  *s = known ? lrd_stream_of(entry) : NULL;
  return known;
}

static int check_keys(struct lrd_exec *x, const struct reading *r)
{
  struct lrd_xstream *s;

  for (int i = 0; i < r->keys; i++) {
    if (!look_up(x, r, i, &s))
      return 0;
    if (r->group && !group_of(x, r, s)) {
      lrd_no_group(x, x->argv[r->first + i], x->argv[r->group],
                   " in XREADGROUP with GROUP option");
      return 0;
    }
    if (!check_id(x, r, i))
      return 0;
  }
  return 1;
}

/* --- XREAD, XREADGROUP: replies --------------------------------------------------------- */

/* What is read from a key: entries behind an id, or a consumer's history from there. */
struct source {
  const struct lrd_xstream *stream;
  struct lrd_xgroup *group;
  struct lrd_xid behind;
  int history;
};

/* Whether there is something to reply for key i. */
static int find_source(struct lrd_exec *x, const struct reading *r, int i, struct source *from)
{
  larder_bytes text = x->argv[r->first + r->keys + i];
  struct lrd_xstream *s;

  if (!look_up(x, r, i, &s) || !s)
    return 0;
  *from = (struct source){ .stream = s, .group = group_of(x, r, s) };
  from->behind = is_text(text, '>')   ? LRD_XID_MAX
                 : is_text(text, '$') ? s->last
                                      : lrd_xid_at(x, r->first + r->keys + i);
  if (from->group && lrd_xid_compare(from->behind, LRD_XID_MAX))
    return from->history = 1;
  if (from->group) /* the greatest id stands for ">", as in Redis */
    from->behind = from->group->last;
  return s->length && lrd_xid_compare(lrd_xstream_highest(s), from->behind) > 0;
}

static void reply_head(struct lrd_exec *x, const struct reading *r, int i)
{
  lrd_sink_keyed(x->sink);
  lrd_sink_string(x->sink, x->argv[r->first + i].data, x->argv[r->first + i].len);
}

/* Entries that a consumer has pending.  0: no memory. */
static int reply_history(struct lrd_exec *x, struct reading *r, const struct source *from,
                         struct lrd_xconsumer *c)
{
  struct lrd_xid id = from->behind;
  struct lrd_xmap_at at;
  size_t n = 0;
  int more = lrd_xid_next(&id) && lrd_xmap_seek(&c->pending, id, &at);

  x->sink->type->open(x->sink, LARDER_ARRAY);
  for (; more && (!r->count || n < (uint64_t)r->count); n++) {
    struct lrd_xpending *p = lrd_xmap_value(&c->pending, at);
    struct lrd_xentry e;

    id = lrd_xmap_id(&c->pending, at);
    if (!lrd_xstream_find(from->stream, id, &e)) {
      lrd_sink_array(x->sink, 2);
      lrd_reply_xid(x, id);
      lrd_sink_nil_array(x->sink);
    } else {
      if (x->sink->failed || !lrd_xchange_take(&r->change, from->group, c, id, p))
        return 0;
      p->time = lrd_now(x);
      p->count++;
      lrd_reply_xentry(x, &e);
    }
    more = lrd_xmap_next(&c->pending, &at);
  }
  x->sink->type->close(x->sink, n);
  return 1;
}

/* Hands new entries out to a consumer.  0: no memory. */
static int reply_new(struct lrd_exec *x, struct reading *r, const struct source *from,
                     struct lrd_xconsumer *c)
{
  struct lrd_xcursor cursor;
  struct lrd_xentry e;
  size_t n = 0;

  x->sink->type->open(x->sink, LARDER_ARRAY);
  lrd_xstream_seek(from->stream, from->behind, &cursor);
  while ((!r->count || n < (uint64_t)r->count) && lrd_xstream_next(&cursor, &e)) {
    struct lrd_xpending *p;

    if (!lrd_xid_compare(e.id, from->behind))
      continue;
    lrd_xgroup_read(from->stream, from->group, e.id);
    if (!r->no_ack) {
      p = lrd_xchange_take(&r->change, from->group, c, e.id,
                           lrd_xmap_find(&from->group->pending, e.id));
      if (!p || x->sink->failed)
        return 0;
      p->time = lrd_now(x);
      p->count = 1;
    }
    lrd_reply_xentry(x, &e);
    n++;
  }
  x->sink->type->close(x->sink, n);
  return 1;
}

/* For one key of XREADGROUP.  0: no memory. */
static int reply_group(struct lrd_exec *x, struct reading *r, int i, const struct source *from)
{
  struct lrd_xconsumer *c =
    lrd_xchange_consumer(&r->change, from->group, x->argv[r->group + 1], lrd_now(x));

  if (!c || lrd_xchange_read(&r->change, from->group))
    return 0;
  reply_head(x, r, i);
  return from->history ? reply_history(x, r, from, c) : reply_new(x, r, from, c);
}

static void reply_plain(struct lrd_exec *x, const struct reading *r, int i,
                        const struct source *from)
{
  struct lrd_xid id = from->behind;

  reply_head(x, r, i);
  (void)lrd_xid_next(&id);
  lrd_reply_xrange(x, from->stream, id, LRD_XID_MAX, (uint64_t)r->count, 0);
}

/* There is nothing to reply. */
static void reply_nothing(struct lrd_exec *x, const struct reading *r)
{
  if (r->blocks && !x->atomic)
    lrd_error(x, "ERR the in-process engine can't wait for entries of a stream: without BLOCK, or "
                 "in a transaction, the reply is nil");
  else
    lrd_sink_nil_array(x->sink);
}

static int count_sources(struct lrd_exec *x, const struct reading *r)
{
  struct source from;
  int n = 0;

  for (int i = 0; i < r->keys; i++)
    n += find_source(x, r, i, &from);
  return n;
}

void lrd_t_xread(struct lrd_exec *x)
{
  struct source from;
  struct reading r;
  int n;

  if (!parse_reading(x, &r, 0) || !check_keys(x, &r))
    return;
  if (!(n = count_sources(x, &r))) {
    reply_nothing(x, &r);
    return;
  }
  lrd_sink_keyed_map(x->sink, (size_t)n);
  for (int i = 0; i < r.keys; i++)
    if (find_source(x, &r, i, &from))
      reply_plain(x, &r, i, &from);
}

/* Whether more than turns times count entries are behind an id. */
static int has_more(const struct lrd_xstream *s, struct lrd_xid behind, uint64_t count,
                    uint64_t turns)
{
  struct lrd_xcursor c;
  struct lrd_xentry e;
  uint64_t n = count * turns;

  if (count >= s->length || turns >= s->length || n >= s->length || !lrd_xid_next(&behind))
    return 0;
  lrd_xstream_seek(s, behind, &c);
  do
    if (!lrd_xstream_next(&c, &e))
      return 0;
  while (n--);
  return 1;
}

/* How many keys will be replied.  Who names a key again finds there what it left before. */
static int count_groups(struct lrd_exec *x, const struct reading *r)
{
  struct source from;
  struct lrd_xstream *s;
  int n = 0;

  for (int i = 0; i < r->keys; i++) {
    int serves = find_source(x, r, i, &from);

    if (serves && !from.history && from.group->turns++)
      serves = r->count && has_more(from.stream, from.behind, (uint64_t)r->count,
                                    from.group->turns - 1);
    n += serves;
  }
  for (int i = 0; i < r->keys; i++)
    if (look_up(x, r, i, &s) && s)
      group_of(x, r, s)->turns = 0;
  return n;
}

/* Replies, and notes what changes.  0: no memory. */
static int read_groups(struct lrd_exec *x, struct reading *r, int n)
{
  struct source from;

  lrd_sink_keyed_map(x->sink, (size_t)n);
  for (int i = 0; i < r->keys; i++)
    if (find_source(x, r, i, &from) && !reply_group(x, r, i, &from))
      return 0;
  return 1;
}

/* A consumer to whom nothing is replied is not noted either. */
void lrd_t_xreadgroup(struct lrd_exec *x)
{
  struct reading r;
  int n;

  if (!parse_reading(x, &r, 1) || !check_keys(x, &r))
    return;
  if (!(n = count_groups(x, &r))) {
    reply_nothing(x, &r);
    return;
  }
  lrd_xchange_init(&r.change, lrd_memory_of(x->engine));
  if (!read_groups(x, &r, n))
    x->sink->failed = 1;
  if (x->sink->failed) {
    lrd_xchange_undo(&r.change);
    return;
  }
  lrd_xchange_commit(&r.change);
  for (int i = 0; i < r.keys; i++)
    lrd_changed_quietly(x, x->argv[r.first + i]);
}
