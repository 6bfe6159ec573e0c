/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_stream.h"

#include "memory/t_engine.h"

/* XINFO: what is known of a stream beside its entries. */

static void put_name(struct lrd_exec *x, const char *name)
{
  lrd_sink_string(x->sink, name, strlen(name));
}

static void put_number(struct lrd_exec *x, const char *name, int64_t value)
{
  put_name(x, name);
  lrd_sink_integer(x->sink, value);
}

static void put_id(struct lrd_exec *x, const char *name, struct lrd_xid id)
{
  put_name(x, name);
  lrd_reply_xid(x, id);
}

static void put_bytes(struct lrd_exec *x, const char *name, larder_bytes bytes)
{
  put_name(x, name);
  lrd_sink_string(x->sink, bytes.data, bytes.len);
}

/* What both forms of XINFO STREAM begin with: seven pairs. */
static void put_stream(struct lrd_exec *x, const struct lrd_xstream *s)
{
  put_number(x, "length", (int64_t)s->length);
  put_number(x, "radix-tree-keys", (int64_t)s->nodes.count);
  put_number(x, "radix-tree-nodes", (int64_t)lrd_xstream_radix_nodes(s));
  put_id(x, "last-generated-id", s->last);
  put_id(x, "max-deleted-entry-id", s->deleted);
  put_number(x, "entries-added", (int64_t)s->added);
  put_id(x, "recorded-first-entry-id", s->first);
}

static void put_entry(struct lrd_exec *x, const char *name, const struct lrd_xstream *s,
                      struct lrd_xid id)
{
  struct lrd_xentry e;

  put_name(x, name);
  if (lrd_xstream_find(s, id, &e))
    lrd_reply_xentry(x, &e);
  else
    lrd_sink_nil(x->sink);
}

/* entries-read and lag: two pairs. */
static void put_progress(struct lrd_exec *x, const struct lrd_xstream *s,
                         const struct lrd_xgroup *g)
{
  int64_t lag;

  put_name(x, "entries-read");
  if (g->read == LRD_XREAD_UNKNOWN)
    lrd_sink_nil(x->sink);
  else
    lrd_sink_integer(x->sink, g->read);
  put_name(x, "lag");
  if (lrd_xgroup_lag(s, g, &lag))
    lrd_sink_integer(x->sink, lag);
  else
    lrd_sink_nil(x->sink);
}

/* --- in full ---------------------------------------------------------------------------- */

/* The first of what is pending, of a consumer without its name. */
static void put_pending(struct lrd_exec *x, const struct lrd_xmap *pending, int64_t most,
                        int with_consumer)
{
  struct lrd_xmap_at at;
  int more = lrd_xmap_seek(pending, (struct lrd_xid){ 0, 0 }, &at);
  size_t n = 0;

  put_name(x, "pending");
  x->sink->type->open(x->sink, LARDER_ARRAY);
  for (; more && (!most || n < (uint64_t)most) && !x->sink->failed; n++) {
    const struct lrd_xpending *p = lrd_xmap_value(pending, at);
    larder_bytes name = p->consumer->named.name;

    lrd_sink_array(x->sink, with_consumer ? 4 : 3);
    lrd_reply_xid(x, lrd_xmap_id(pending, at));
    if (with_consumer)
      lrd_sink_string(x->sink, name.data, name.len);
    lrd_sink_integer(x->sink, p->time);
    lrd_sink_integer(x->sink, (int64_t)p->count);
    more = lrd_xmap_next(pending, &at);
  }
  x->sink->type->close(x->sink, n);
}

static void put_group(struct lrd_exec *x, const struct lrd_xstream *s, const struct lrd_xgroup *g,
                      int64_t most)
{
  lrd_sink_map(x->sink, 7);
  put_bytes(x, "name", g->named.name);
  put_id(x, "last-delivered-id", g->last);
  put_progress(x, s, g);
  put_number(x, "pel-count", (int64_t)g->pending.count);
  put_pending(x, &g->pending, most, 1);
  put_name(x, "consumers");
  lrd_sink_array(x->sink, g->consumers.count);
  for (size_t i = 0; i < g->consumers.count; i++) {
    const struct lrd_xconsumer *c = lrd_xconsumer_at(g, i);

    lrd_sink_map(x->sink, 4);
    put_bytes(x, "name", c->named.name);
    put_number(x, "seen-time", c->seen);
    put_number(x, "pel-count", (int64_t)c->pending.count);
    put_pending(x, &c->pending, most, 0);
  }
}

static void info_full(struct lrd_exec *x, const struct lrd_xstream *s, int64_t most)
{
  lrd_sink_map(x->sink, 9);
  put_stream(x, s);
  put_name(x, "entries");
  lrd_reply_xrange(x, s, (struct lrd_xid){ 0, 0 }, LRD_XID_MAX, (uint64_t)most, 0);
  put_name(x, "groups");
  lrd_sink_array(x->sink, s->groups.count);
  for (size_t i = 0; i < s->groups.count && !x->sink->failed; i++)
    put_group(x, s, lrd_xgroup_at(s, i), most);
}

/* --- the subcommands -------------------------------------------------------------------- */

static void syntax(struct lrd_exec *x)
{
  lrd_errorf(x, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try XINFO HELP.",
             (int)x->argv[1].len, x->argv[1].data);
}

static void info_stream(struct lrd_exec *x, const struct lrd_xstream *s)
{
  enum { MOST = 10 };
  int64_t most = MOST;

  if (x->argc == 3) {
    lrd_sink_map(x->sink, 10);
    put_stream(x, s);
    put_number(x, "groups", (int64_t)s->groups.count);
    put_entry(x, "first-entry", s, lrd_xstream_lowest(s));
    put_entry(x, "last-entry", s, lrd_xstream_highest(s));
    return;
  }
  if ((x->argc != 4 && x->argc != 6) || !lrd_is_word(&x->argv[3], "FULL") ||
      (x->argc == 6 && !lrd_is_word(&x->argv[4], "COUNT"))) {
    syntax(x);
    return;
  }
  if (x->argc == 6 && !lrd_argument_integer(x, 5, &most))
    return;
  info_full(x, s, most < 0 ? MOST : most);
}

static void info_groups(struct lrd_exec *x, const struct lrd_xstream *s)
{
  lrd_sink_array(x->sink, s->groups.count);
  for (size_t i = 0; i < s->groups.count; i++) {
    const struct lrd_xgroup *g = lrd_xgroup_at(s, i);

    lrd_sink_map(x->sink, 6);
    put_bytes(x, "name", g->named.name);
    put_number(x, "consumers", (int64_t)g->consumers.count);
    put_number(x, "pending", (int64_t)g->pending.count);
    put_id(x, "last-delivered-id", g->last);
    put_progress(x, s, g);
  }
}

static void info_consumers(struct lrd_exec *x, const struct lrd_xstream *s)
{
  const struct lrd_xgroup *g = lrd_xgroup_find(s, x->argv[3]);

  if (!g) {
    lrd_errorf(x, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
               (int)x->argv[3].len, x->argv[3].data, (int)x->argv[2].len, x->argv[2].data);
    return;
  }
  lrd_sink_array(x->sink, g->consumers.count);
  for (size_t i = 0; i < g->consumers.count; i++) {
    const struct lrd_xconsumer *c = lrd_xconsumer_at(g, i);
    int64_t idle = lrd_xidle(x, c->seen);

    lrd_sink_map(x->sink, 3);
    put_bytes(x, "name", c->named.name);
    put_number(x, "pending", (int64_t)c->pending.count);
    put_number(x, "idle", idle < 0 ? 0 : idle);
  }
}

static void help(struct lrd_exec *x)
{
  static const char *const lines[] = {
    "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
    "HELP",
    "    Prints this help.",
    NULL
  };

  lrd_reply_lines(x, lines);
}

static const struct {
  const char *word;
  void (*run)(struct lrd_exec *, const struct lrd_xstream *);
} subcommands[] = {
  { "STREAM", info_stream }, { "GROUPS", info_groups }, { "CONSUMERS", info_consumers }
};

void lrd_t_xinfo(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_is_word(&x->argv[1], "HELP")) {
    help(x);
    return;
  }
  if (!lrd_read(x, x->argv[2], LRD_STREAM, &entry))
    return;
  if (!entry) {
    lrd_error(x, lrd_text_no_such_key);
    return;
  }
  for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
    if (lrd_is_word(&x->argv[1], subcommands[i].word))
      subcommands[i].run(x, lrd_stream_of(entry));
}
