/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_stream.h"

#include "memory/discard.h"
#include "memory/shard.h"
#include "memory/t_engine.h"

/* --- XGROUP ----------------------------------------------------------------------------- */

/* What a subcommand is about. */
struct group_call {
  struct lrd_entry *entry;
  struct lrd_xstream *stream; /* NULL: there is no such key */
  struct lrd_xgroup *group;   /* or NULL */
  int64_t read;
  int makes_stream;
};

static void help(struct lrd_exec *x)
{
  static const char *const lines[] = {
    "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
    "HELP",
    "    Prints this help.",
    NULL
  };

  lrd_reply_lines(x, lines);
}

static void syntax(struct lrd_exec *x)
{
  lrd_errorf(x, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try XGROUP HELP.",
             (int)(x->argv[1].len < 128 ? x->argv[1].len : 128), x->argv[1].data);
}

/* "$", or an id. */
static int argument_last(struct lrd_exec *x, const struct group_call *g, enum lrd_xid_form form,
                         struct lrd_xid *id)
{
  if (x->argv[4].len == 1 && x->argv[4].data[0] == '$') {
    *id = g->stream ? g->stream->last : (struct lrd_xid){ 0, 0 };
    return 1;
  }
  return lrd_argument_xid(x, 4, form, id);
}

static void changed(struct lrd_exec *x)
{
  lrd_changed_quietly(x, x->argv[2]);
}

static void group_create(struct lrd_exec *x, struct group_call *g)
{
  struct lrd_entry *fresh = NULL;
  struct lrd_xgroup *group;
  struct lrd_xid last;

  if (x->argc > 8) {
    syntax(x);
    return;
  }
  if (!argument_last(x, g, LRD_XID_STRICT, &last))
    return;
  if (g->group) {
    lrd_error(x, "BUSYGROUP Consumer Group name already exists");
    return;
  }
  if (!g->stream && x->as_absent) { /* it only counts as absent */
    lrd_unknown(x);
    return;
  }
  if (!g->stream && (fresh = lrd_create(x, x->argv[2], LRD_STREAM)))
    g->stream = lrd_stream_of(fresh);
  group = g->stream ? lrd_xgroup_add(g->stream, lrd_memory_of(x->engine), x->argv[3]) : NULL;
  if (!group) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  group->last = last;
  group->read = g->read;
  if (fresh)
    lrd_changed(x, x->argv[2], 0, NULL);
  else
    changed(x);
  lrd_sink_ok(x->sink);
}

static void group_setid(struct lrd_exec *x, struct group_call *g)
{
  struct lrd_xid last;

  if (x->argc != 5 && x->argc != 7) {
    syntax(x);
    return;
  }
  if (!argument_last(x, g, LRD_XID_ENDS, &last))
    return;
  g->group->last = last;
  g->group->read = g->read;
  changed(x);
  lrd_sink_ok(x->sink);
}

static size_t free_group(const larder_memory *memory, void *group, size_t budget)
{
  return lrd_xgroup_free_some(memory, group, budget);
}

static void group_destroy(struct lrd_exec *x, struct group_call *g)
{
  if (g->group) {
    lrd_xgroup_remove(g->stream, lrd_memory_of(x->engine), g->group);
    if (g->group->pending.count < LRD_DISCARD_LEAST ||
        lrd_discard_later(x->engine, free_group, g->group))
      (void)lrd_xgroup_free_some(lrd_memory_of(x->engine), g->group, SIZE_MAX);
    changed(x);
  }
  lrd_sink_integer(x->sink, g->group != NULL);
}

static void group_createconsumer(struct lrd_exec *x, struct group_call *g)
{
  struct lrd_xconsumer *c = lrd_xconsumer_find(g->group, x->argv[4]);

  if (c) {
    lrd_sink_integer(x->sink, 0);
    return;
  }
  if (!(c = lrd_xconsumer_add(g->group, lrd_memory_of(x->engine), x->argv[4]))) {
    lrd_no_memory(x);
    return;
  }
  c->seen = lrd_now(x);
  changed(x);
  lrd_sink_integer(x->sink, 1);
}

static void group_delconsumer(struct lrd_exec *x, struct group_call *g)
{
  struct lrd_xconsumer *c = lrd_xconsumer_find(g->group, x->argv[4]);
  size_t pending = c ? c->pending.count : 0;

  if (c) {
    lrd_xconsumer_remove(g->group, lrd_memory_of(x->engine), c);
    changed(x);
  }
  lrd_sink_integer(x->sink, (int64_t)pending);
}

enum { NEEDS_GROUP = 1, READS = 2, MAKES = 4 };

static const struct {
  const char *word;
  unsigned options;
  void (*run)(struct lrd_exec *, struct group_call *);
} subcommands[] = {
  { "CREATE", READS | MAKES, group_create },
  { "SETID", NEEDS_GROUP | READS, group_setid },
  { "DESTROY", 0, group_destroy },
  { "CREATECONSUMER", NEEDS_GROUP, group_createconsumer },
  { "DELCONSUMER", NEEDS_GROUP, group_delconsumer },
};

static int parse_options(struct lrd_exec *x, unsigned options, struct group_call *g)
{
  g->read = LRD_XREAD_UNKNOWN;
  for (int i = 5; i < x->argc; i++) {
    if ((options & MAKES) && lrd_is_word(&x->argv[i], "MKSTREAM")) {
      g->makes_stream = 1;
    } else if ((options & READS) && i + 1 < x->argc && lrd_is_word(&x->argv[i], "ENTRIESREAD")) {
      if (!lrd_argument_integer(x, ++i, &g->read))
        return 0;
      if (g->read < 0 && g->read != LRD_XREAD_UNKNOWN) {
        lrd_error(x, "ERR value for ENTRIESREAD must be positive or -1");
        return 0;
      }
    } else {
      syntax(x);
      return 0;
    }
  }
  return 1;
}

static int find_group(struct lrd_exec *x, unsigned options, struct group_call *g)
{
  if (!lrd_write_stream(x, x->argv[2], &g->entry))
    return 0;
  g->stream = lrd_stream_of(g->entry);
  g->group = g->stream ? lrd_xgroup_find(g->stream, x->argv[3]) : NULL;
  if (!g->stream && !g->makes_stream)
    lrd_error(x, "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you "
                 "may want to use the MKSTREAM option to create an empty stream automatically.");
  else if (!g->group && (options & NEEDS_GROUP))
    lrd_errorf(x, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
               (int)x->argv[3].len, x->argv[3].data, (int)x->argv[2].len, x->argv[2].data);
  else
    return 1;
  return 0;
}

void lrd_t_xgroup(struct lrd_exec *x)
{
  struct group_call g = { .entry = NULL };

  if (lrd_is_word(&x->argv[1], "HELP")) {
    help(x);
    return;
  }
  for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
    if (lrd_is_word(&x->argv[1], subcommands[i].word)) {
      if (parse_options(x, subcommands[i].options, &g) &&
          find_group(x, subcommands[i].options, &g))
        subcommands[i].run(x, &g);
      return;
    }
}

/* --- XACK ------------------------------------------------------------------------------- */

void lrd_t_xack(struct lrd_exec *x)
{
  struct lrd_xgroup *g;
  struct lrd_entry *entry;
  int64_t acknowledged = 0;

  if (!lrd_write_stream(x, x->argv[1], &entry))
    return;
  g = entry ? lrd_xgroup_find(lrd_stream_of(entry), x->argv[2]) : NULL;
  if (g && !lrd_argument_xids(x, 3, x->argc))
    return;
  for (int i = 3; g && i < x->argc; i++)
    acknowledged += lrd_xpending_remove(g, lrd_memory_of(x->engine), lrd_xid_at(x, i));
  if (acknowledged)
    lrd_changed_quietly(x, x->argv[1]);
  lrd_sink_integer(x->sink, acknowledged);
}

/* --- XPENDING --------------------------------------------------------------------------- */

struct pending_call {
  int64_t idle, count;
  struct lrd_xid from, to;
  int consumer; /* the argument; 0: of all */
};

static int parse_pending(struct lrd_exec *x, struct pending_call *p)
{
  int at = 3;

  *p = (struct pending_call){ .idle = 0 };
  if (x->argc == 3)
    return 1;
  if (x->argc < 6 || x->argc > 9) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  if (lrd_is_word(&x->argv[3], "IDLE")) {
    if (!lrd_argument_integer(x, 4, &p->idle))
      return 0;
    if (x->argc < 8) {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
    at = 5;
  }
  if (!lrd_argument_integer(x, at + 2, &p->count))
    return 0;
  if (!lrd_argument_xinterval(x, at, at + 1, &p->from, &p->to))
    return 0;
  p->consumer = at + 3 < x->argc ? at + 3 : 0;
  return 1;
}

static void reply_consumers(struct lrd_exec *x, const struct lrd_xgroup *g)
{
  char text[LRD_NUMBER_SIZE];
  size_t n = 0;

  x->sink->type->open(x->sink, LARDER_ARRAY);
  for (size_t i = 0; i < g->consumers.count; i++) {
    const struct lrd_xconsumer *c = lrd_xconsumer_at(g, i);

    if (!c->pending.count)
      continue;
    lrd_sink_array(x->sink, 2);
    lrd_sink_string(x->sink, c->named.name.data, c->named.name.len);
    lrd_sink_string(x->sink, text, lrd_print_unsigned(text, c->pending.count));
    n++;
  }
  x->sink->type->close(x->sink, n);
}

static void reply_summary(struct lrd_exec *x, const struct lrd_xgroup *g)
{
  struct lrd_xmap_at first, last;

  lrd_sink_array(x->sink, 4);
  lrd_sink_integer(x->sink, (int64_t)g->pending.count);
  if (!lrd_xmap_seek(&g->pending, (struct lrd_xid){ 0, 0 }, &first)) {
    lrd_sink_nil(x->sink);
    lrd_sink_nil(x->sink);
    lrd_sink_nil_array(x->sink);
    return;
  }
  (void)lrd_xmap_seek_back(&g->pending, LRD_XID_MAX, &last);
  lrd_reply_xid(x, lrd_xmap_id(&g->pending, first));
  lrd_reply_xid(x, lrd_xmap_id(&g->pending, last));
  reply_consumers(x, g);
}

static void reply_pending(struct lrd_exec *x, const struct lrd_xmap *map,
                          const struct pending_call *call)
{
  struct lrd_xmap_at at;
  int64_t n = 0;
  int more = call->count > 0 && lrd_xmap_seek(map, call->from, &at);

  x->sink->type->open(x->sink, LARDER_ARRAY);
  for (; more && n < call->count; more = lrd_xmap_next(map, &at)) {
    const struct lrd_xpending *p = lrd_xmap_value(map, at);
    int64_t idle = lrd_xidle(x, p->time);

    if (lrd_xid_compare(lrd_xmap_id(map, at), call->to) > 0 || x->sink->failed)
      break;
    if (call->idle && idle < call->idle)
      continue;
    n++;
    lrd_sink_array(x->sink, 4);
    lrd_reply_xid(x, lrd_xmap_id(map, at));
    lrd_sink_string(x->sink, p->consumer->named.name.data, p->consumer->named.name.len);
    lrd_sink_integer(x->sink, idle < 0 ? 0 : idle);
    lrd_sink_integer(x->sink, (int64_t)p->count);
  }
  x->sink->type->close(x->sink, (size_t)n);
}

void lrd_t_xpending(struct lrd_exec *x)
{
  const struct lrd_xconsumer *c = NULL;
  struct pending_call call;
  struct lrd_entry *entry;
  struct lrd_xgroup *g;

  if (!parse_pending(x, &call) || !lrd_read(x, x->argv[1], LRD_STREAM, &entry))
    return;
  g = entry ? lrd_xgroup_find(lrd_stream_of(entry), x->argv[2]) : NULL;
  if (!g)
    lrd_no_group(x, x->argv[1], x->argv[2], "");
  else if (x->argc == 3)
    reply_summary(x, g);
  else if (call.consumer && !(c = lrd_xconsumer_find(g, x->argv[call.consumer])))
    lrd_sink_array(x->sink, 0);
  else
    reply_pending(x, c ? &c->pending : &g->pending, &call);
}
