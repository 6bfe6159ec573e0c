/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_stream.h"

#include "memory/shard.h"
#include "memory/stream_rebuild.h"

/* --- what the commands share ------------------------------------------------------------ */

int lrd_write_stream(struct lrd_exec *x, larder_bytes key, struct lrd_entry **entry)
{
  if (!lrd_write(x, key, LRD_STREAM, entry))
    return 0;
  if (lrd_is_whole(x, *entry))
    return 1;
  lrd_unknown(x);
  return 0;
}

static const char text_bad_id[] = "ERR Invalid stream ID specified as stream command argument";
static const char text_too_large[] = "ERR Elements are too large to be stored";

int lrd_argument_xid(struct lrd_exec *x, int i, enum lrd_xid_form form, struct lrd_xid *id)
{
  int form_found = lrd_xid_parse(x->argv[i], form, 0, id);

  if (!form_found)
    lrd_error(x, text_bad_id);
  return form_found;
}

int lrd_argument_xids(struct lrd_exec *x, int i, int end)
{
  struct lrd_xid id;

  for (; i < end; i++)
    if (!lrd_argument_xid(x, i, LRD_XID_STRICT, &id))
      return 0;
  return 1;
}

struct lrd_xid lrd_xid_at(struct lrd_exec *x, int i)
{
  struct lrd_xid id = { 0, 0 };

  (void)lrd_xid_parse(x->argv[i], LRD_XID_STRICT, 0, &id);
  return id;
}

/* One end; *open: the id itself is left out. */
static int argument_end(struct lrd_exec *x, int i, uint64_t missing, struct lrd_xid *id, int *open)
{
  larder_bytes text = x->argv[i];

  *open = text.len > 1 && text.data[0] == '(';
  if (*open)
    text = (larder_bytes){ text.data + 1, text.len - 1 };
  if (lrd_xid_parse(text, *open ? LRD_XID_STRICT : LRD_XID_ENDS, missing, id))
    return 1;
  lrd_error(x, text_bad_id);
  return 0;
}

int lrd_argument_xinterval(struct lrd_exec *x, int start, int end, struct lrd_xid *from,
                           struct lrd_xid *to)
{
  int open;

  if (!argument_end(x, start, 0, from, &open))
    return 0;
  if (open && !lrd_xid_next(from)) {
    lrd_error(x, "ERR invalid start ID for the interval");
    return 0;
  }
  if (!end)
    return 1;
  if (!argument_end(x, end, UINT64_MAX, to, &open))
    return 0;
  if (open && !lrd_xid_previous(to)) {
    lrd_error(x, "ERR invalid end ID for the interval");
    return 0;
  }
  return 1;
}

void lrd_reply_xid(struct lrd_exec *x, struct lrd_xid id)
{
  char text[LRD_XID_SIZE];

  lrd_sink_string(x->sink, text, lrd_xid_print(text, id));
}

void lrd_no_group(struct lrd_exec *x, larder_bytes key, larder_bytes group, const char *behind)
{
  /* a text ends at a zero byte, as Redis prints it */
  lrd_errorf(x, "NOGROUP No such key '%.*s' or consumer group '%.*s'%s", (int)key.len, key.data,
             (int)group.len, group.data, behind);
}

/* --- XADD, XTRIM ------------------------------------------------------------------------ */

struct addition {
  struct lrd_xtrim trim;
  struct lrd_xid id;
  int at;           /* the argument that is the id */
  int form;         /* of the id: 0 "*", or as lrd_xid_parse */
  int no_stream;    /* NOMKSTREAM */
  int limit_given;
};

/* "MAXLEN ~ 1000" and its like at i; on to its last word.  0: replied. */
static int parse_trim(struct lrd_exec *x, int *i, struct addition *a,
                      enum lrd_xtrim_by by)
{
  int more = x->argc - 1 - *i;
  int64_t length;

  if (a->trim.by != LRD_XTRIM_NONE) {
    lrd_error(x, "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    return 0;
  }
  a->trim.about = more >= 2 && lrd_is_word(&x->argv[*i + 1], "~");
  *i += 1 + (a->trim.about || (more >= 2 && lrd_is_word(&x->argv[*i + 1], "=")));
  a->trim.by = by;
  if (by == LRD_XTRIM_ID)
    return lrd_argument_xid(x, *i, LRD_XID_STRICT, &a->trim.id);
  if (!lrd_argument_integer(x, *i, &length))
    return 0;
  a->trim.length = (uint64_t)length;
  if (length >= 0)
    return 1;
  lrd_error(x, "ERR The MAXLEN argument must be >= 0.");
  return 0;
}

static int parse_limit(struct lrd_exec *x, int i, struct addition *a)
{
  a->limit_given = 1;
  if (!lrd_argument_integer(x, i, &a->trim.limit))
    return 0;
  if (a->trim.limit >= 0)
    return 1;
  lrd_error(x, "ERR The LIMIT argument must be >= 0.");
  return 0;
}

/* How much an approximate XTRIM takes when it is not told. */
static int64_t default_limit(struct lrd_exec *x)
{
  int64_t entries = lrd_parameter(&x->engine->parameters, LRD_STREAM_ENTRIES);

  if (entries <= 0)
    return 10000;
  return entries > 10000 ? 1000000 : 100 * entries;
}

static int check_limit(struct lrd_exec *x, struct addition *a, int is_add)
{
  const char *wrong = NULL;

  if (a->trim.limit && a->trim.by == LRD_XTRIM_NONE)
    wrong = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
  else if (!is_add && a->trim.by == LRD_XTRIM_NONE)
    wrong = "ERR syntax error, XTRIM must be called with a trimming strategy";
  else if (a->limit_given && !a->trim.about)
    wrong = "ERR syntax error, LIMIT cannot be used without the special ~ option";
  if (wrong) {
    lrd_error(x, wrong);
    return 0;
  }
  if (!a->limit_given && a->trim.about)
    a->trim.limit = default_limit(x);
  return 1;
}

/* Options, and of XADD the id.  0: replied. */
static int parse_addition(struct lrd_exec *x, struct addition *a, int is_add)
{
  int i;

  *a = (struct addition){ .at = 0 };
  for (i = 2; i < x->argc && !a->at; i++) {
    int more = i + 1 < x->argc;

    if (is_add && lrd_is_word(&x->argv[i], "*")) {
      a->at = i;
    } else if (more && lrd_is_word(&x->argv[i], "MAXLEN")) {
      if (!parse_trim(x, &i, a, LRD_XTRIM_LENGTH))
        return 0;
    } else if (more && lrd_is_word(&x->argv[i], "MINID")) {
      if (!parse_trim(x, &i, a, LRD_XTRIM_ID))
        return 0;
    } else if (more && lrd_is_word(&x->argv[i], "LIMIT")) {
      if (!parse_limit(x, ++i, a))
        return 0;
    } else if (is_add && lrd_is_word(&x->argv[i], "NOMKSTREAM")) {
      a->no_stream = 1;
    } else if (is_add) {
      a->at = i;
      if (!(a->form = lrd_argument_xid(x, i, LRD_XID_OPEN, &a->id)))
        return 0;
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  if (!a->at)
    a->at = i;
  return check_limit(x, a, is_add);
}

static int check_fields(struct lrd_exec *x, const struct addition *a)
{
  int fields = x->argc - a->at - 1;

  if (fields < 2 || fields % 2)
    lrd_error(x, "ERR wrong number of arguments for 'xadd' command");
  else if (a->form == 1 && lrd_xid_is_zero(a->id))
    lrd_error(x, "ERR The ID specified in XADD must be greater than 0-0");
  else
    return 1;
  return 0;
}

/* The id of the new entry: 0: it would not be behind the last one, replied. */
static int choose_id(struct lrd_exec *x, struct lrd_xid last, struct addition *a)
{
  if (!lrd_xid_compare(last, LRD_XID_MAX)) {
    lrd_error(x, "ERR The stream has exhausted the last possible ID, unable to add more items");
    return 0;
  }
  if (!a->form)
    a->id = (struct lrd_xid){ (uint64_t)lrd_now(x), 0 };
  if (!a->form && a->id.ms <= last.ms) {
    a->id = last;
    (void)lrd_xid_next(&a->id);
  } else if (a->form == 2 && a->id.ms == last.ms) {
    if (last.seq == UINT64_MAX) {
      lrd_error(x, text_too_large); /* as Redis says it */
      return 0;
    }
    a->id.seq = last.seq + 1;
  }
  if (lrd_xid_compare(a->id, last) > 0)
    return 1;
  lrd_error(x, "ERR The ID specified in XADD is equal or smaller than the target stream top item");
  return 0;
}

static int is_too_large(struct lrd_exec *x, const struct addition *a)
{
  uint64_t bytes = 0;

  for (int i = a->at + 1; i < x->argc; i++)
    bytes += x->argv[i].len;
  if (bytes <= LRD_XNODE_MAX)
    return 0;
  lrd_error(x, text_too_large);
  return 1;
}

static struct lrd_xlimits limits_of(struct lrd_exec *x)
{
  return (struct lrd_xlimits){ lrd_parameter(&x->engine->parameters, LRD_STREAM_BYTES),
                               lrd_parameter(&x->engine->parameters, LRD_STREAM_ENTRIES) };
}

void lrd_t_xadd(struct lrd_exec *x)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  struct lrd_entry *entry, *fresh = NULL;
  struct lrd_xfields fields;
  struct addition a;

  if (!parse_addition(x, &a, 1) || !check_fields(x, &a) ||
      !lrd_write_stream(x, x->argv[1], &entry))
    return;
  if (!entry && a.no_stream) {
    lrd_sink_nil(x->sink);
    return;
  }
  if (!choose_id(x, entry ? lrd_stream_of(entry)->last : (struct lrd_xid){ 0, 0 }, &a) ||
      is_too_large(x, &a))
    return;
  fields = (struct lrd_xfields){ (size_t)(x->argc - a.at - 1) / 2, x->argv + a.at + 1 };
  if (!entry)
    entry = fresh = lrd_create(x, x->argv[1], LRD_STREAM);
  if (!entry || lrd_xstream_add(lrd_stream_of(entry), memory, limits_of(x), a.id, fields)) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  (void)lrd_xstream_trim(lrd_stream_of(entry), memory, &a.trim);
  lrd_changed(x, x->argv[1], 0, NULL);
  lrd_reply_xid(x, a.id);
}

void lrd_t_xtrim(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct addition a;
  uint64_t taken = 0;

  if (!parse_addition(x, &a, 0) || !lrd_write_stream(x, x->argv[1], &entry))
    return;
  if (entry)
    taken = lrd_xstream_trim(lrd_stream_of(entry), lrd_memory_of(x->engine), &a.trim);
  if (taken)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, (int64_t)taken);
}

/* --- XLEN, XDEL, XSETID ----------------------------------------------------------------- */

void lrd_t_xlen(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_read(x, x->argv[1], LRD_STREAM, &entry))
    lrd_sink_integer(x->sink, entry ? (int64_t)lrd_stream_of(entry)->length : 0);
}

void lrd_t_xdel(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  int64_t deleted = 0;

  if (!lrd_write_stream(x, x->argv[1], &entry) || (entry && !lrd_argument_xids(x, 2, x->argc)))
    return;
  for (int i = 2; entry && i < x->argc; i++)
    deleted += lrd_xstream_delete(lrd_stream_of(entry), lrd_memory_of(x->engine),
                                  lrd_xid_at(x, i));
  if (deleted)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, deleted);
}

struct setting {
  struct lrd_xid id, deleted;
  int64_t added; /* -1: not given */
};

static int parse_setting(struct lrd_exec *x, struct setting *s)
{
  *s = (struct setting){ .added = -1 };
  if (!lrd_argument_xid(x, 2, LRD_XID_STRICT, &s->id))
    return 0;
  for (int i = 3; i < x->argc; i += 2) {
    int more = i + 1 < x->argc;

    if (more && lrd_is_word(&x->argv[i], "ENTRIESADDED")) {
      if (!lrd_argument_integer(x, i + 1, &s->added))
        return 0;
      if (s->added < 0) {
        lrd_error(x, "ERR entries_added must be positive");
        return 0;
      }
    } else if (more && lrd_is_word(&x->argv[i], "MAXDELETEDID")) {
      if (!lrd_argument_xid(x, i + 1, LRD_XID_STRICT, &s->deleted))
        return 0;
      if (lrd_xid_compare(s->id, s->deleted) < 0) {
        lrd_error(x, "ERR The ID specified in XSETID is smaller than the provided "
                     "max_deleted_entry_id");
        return 0;
      }
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  return 1;
}

static const char *find_wrong(const struct lrd_xstream *s, const struct setting *to)
{
  if (s->length && lrd_xid_compare(to->id, lrd_xstream_highest(s)) < 0)
    return "ERR The ID specified in XSETID is smaller than the target stream top item";
  if (s->length && to->added != -1 && s->length > (uint64_t)to->added)
    return "ERR The entries_added specified in XSETID is smaller than the target stream length";
  return NULL;
}

void lrd_t_xsetid(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct lrd_xstream *s;
  struct setting to;
  const char *wrong;

  if (!parse_setting(x, &to) || !lrd_write_stream(x, x->argv[1], &entry))
    return;
  s = lrd_stream_of(entry);
  if ((wrong = s ? find_wrong(s, &to) : lrd_text_no_such_key)) {
    lrd_error(x, wrong);
    return;
  }
  s->last = to.id;
  if (to.added != -1)
    s->added = (uint64_t)to.added;
  if (!lrd_xid_is_zero(to.deleted))
    s->deleted = to.deleted;
  lrd_changed_quietly(x, x->argv[1]);
  lrd_sink_ok(x->sink);
}

/* --- the kind --------------------------------------------------------------------------- */

static void *create(const larder_memory *memory)
{
  return lrd_xstream_new(memory);
}

static void destroy(const larder_memory *memory, void *value)
{
  (void)lrd_xstream_free_some(value, memory, SIZE_MAX);
}

static size_t free_some(const larder_memory *memory, void *value, size_t budget)
{
  return lrd_xstream_free_some(value, memory, budget);
}

static size_t rebuild(const void *value, larder_bytes key, larder_sink *sink)
{
  return lrd_xstream_rebuild(value, key, sink);
}

const struct lrd_kind_type lrd_stream_type = { "stream", create, destroy, rebuild, free_some };
