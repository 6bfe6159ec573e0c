/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

void lrd_reply_string(struct lrd_exec *x, const struct lrd_entry *entry)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes value;

  if (!entry) {
    lrd_sink_nil(x->sink);
    return;
  }
  value = lrd_entry_string(entry, number);
  lrd_sink_string(x->sink, value.data, value.len);
}

/* --- options of SET and GETEX ------------------------------------------------------ */

enum {
  NX = 1 << 0,
  XX = 1 << 1,
  GET = 1 << 2,
  KEEPTTL = 1 << 3,
  PERSIST = 1 << 4,
  EX = 1 << 5,
  PX = 1 << 6,
  EXAT = 1 << 7,
  PXAT = 1 << 8,
  EXPIRES = EX | PX | EXAT | PXAT
};

struct options {
  unsigned given;
  int expiry; /* argument */
};

static const struct option {
  const char *word;
  unsigned flag;
  unsigned excludes;
} set_options[] = {
  { "NX", NX, XX },
  { "XX", XX, NX },
  { "GET", GET, 0 },
  { "KEEPTTL", KEEPTTL, EXPIRES },
  { "EX", EX, KEEPTTL | (EXPIRES & ~EX) },
  { "PX", PX, KEEPTTL | (EXPIRES & ~PX) },
  { "EXAT", EXAT, KEEPTTL | (EXPIRES & ~EXAT) },
  { "PXAT", PXAT, KEEPTTL | (EXPIRES & ~PXAT) },
  { NULL, 0, 0 },
}, getex_options[] = {
  { "PERSIST", PERSIST, EXPIRES },
  { "EX", EX, PERSIST | (EXPIRES & ~EX) },
  { "PX", PX, PERSIST | (EXPIRES & ~PX) },
  { "EXAT", EXAT, PERSIST | (EXPIRES & ~EXAT) },
  { "PXAT", PXAT, PERSIST | (EXPIRES & ~PXAT) },
  { NULL, 0, 0 },
};

static int parse_options(struct lrd_exec *x, int i, const struct option *known, struct options *o)
{
  *o = (struct options){ 0, 0 };
  for (; i < x->argc; i++) {
    const struct option *option = known;

    while (option->word && !lrd_is_word(&x->argv[i], option->word))
      option++;
    if (!option->word || (o->given & option->excludes) ||
        ((option->flag & EXPIRES) && i + 1 == x->argc)) {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
    o->given |= option->flag;
    if (option->flag & EXPIRES)
      o->expiry = ++i;
  }
  return 1;
}

/* -1 if no expiry was given. */
static int parse_expiry(struct lrd_exec *x, const struct options *o, int64_t *at)
{
  *at = -1;
  return !(o->given & EXPIRES) ||
         lrd_argument_expiry(x, o->expiry, o->given & (EX | EXAT) ? LRD_SECONDS : LRD_MILLISECONDS,
                             (o->given & (EXAT | PXAT)) != 0, at);
}

/* --- whole values -------------------------------------------------------------------- */

void lrd_t_get(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_read(x, x->argv[1], LRD_STRING, &entry))
    lrd_reply_string(x, entry);
}

void lrd_t_strlen(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  char number[LRD_NUMBER_SIZE];

  if (lrd_read(x, x->argv[1], LRD_STRING, &entry))
    lrd_sink_integer(x->sink, entry ? (int64_t)lrd_entry_string(entry, number).len : 0);
}

__attribute__((noinline)) static void tell_set(struct lrd_exec *x, larder_bytes key,
                                               larder_bytes value, int64_t at)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[5] = { { "SET", 3 }, key, value, { "PXAT", 4 }, { number, 0 } };

  if (at >= 0)
    argv[4].len = lrd_print_integer(number, at);
  lrd_changed(x, key, at >= 0 ? 5 : 3, argv);
}

void lrd_changed_set(struct lrd_exec *x, larder_bytes key, larder_bytes value, int64_t at)
{
  if (lrd_note_change(x, key))
    tell_set(x, key, value, at);
}

/* SET GET of a key that exists: the old value has to be replied before it goes, so
 * the new one is made before that. */
static void set_and_reply_old(struct lrd_exec *x, const struct lrd_entry *old, int64_t at)
{
  struct lrd_at where = lrd_at(x, x->argv[1]);
  struct lrd_entry *staged = lrd_keyspace_stage(x->engine, &where, x->argv[2], at, lrd_now(x));

  if (!staged) {
    lrd_no_memory(x);
    return;
  }
  lrd_reply_string(x, old);
  if (x->sink->failed) {
    lrd_entry_free(lrd_memory_of(x->engine), staged);
    return;
  }
  (void)lrd_keyspace_commit(x->engine, &where, staged, at);
  lrd_changed_set(x, x->argv[1], x->argv[2], at);
}

void lrd_t_set(struct lrd_exec *x)
{
  struct lrd_entry *old = NULL;
  struct options o;
  int64_t at;

  if (!parse_options(x, 3, set_options, &o) || !parse_expiry(x, &o, &at))
    return;
  /* plain SET does not care what was there */
  if ((o.given & (GET | NX | XX | KEEPTTL)) &&
      !lrd_read(x, x->argv[1], o.given & GET ? LRD_STRING : LRD_NONE, &old))
    return;
  if ((o.given & NX && old) || (o.given & XX && !old)) {
    lrd_reply_string(x, o.given & GET ? old : NULL);
    return;
  }
  if (o.given & KEEPTTL && old)
    at = lrd_entry_expiry(old);
  if (o.given & GET && old) {
    set_and_reply_old(x, old, at);
    return;
  }
  if (!lrd_put(x, x->argv[1], x->argv[2], at))
    return;
  lrd_changed_set(x, x->argv[1], x->argv[2], at);
  if (o.given & GET)
    lrd_sink_nil(x->sink);
  else
    lrd_sink_ok(x->sink);
}

static void set(struct lrd_exec *x, larder_bytes value, int64_t at)
{
  if (!lrd_put(x, x->argv[1], value, at))
    return;
  lrd_changed_set(x, x->argv[1], value, at);
  lrd_sink_ok(x->sink);
}

static void set_expiring(struct lrd_exec *x, enum lrd_time_unit unit)
{
  int64_t at;

  if (lrd_argument_expiry(x, 2, unit, 0, &at))
    set(x, x->argv[3], at);
}

void lrd_t_setex(struct lrd_exec *x)
{
  set_expiring(x, LRD_SECONDS);
}

void lrd_t_psetex(struct lrd_exec *x)
{
  set_expiring(x, LRD_MILLISECONDS);
}

void lrd_t_setnx(struct lrd_exec *x)
{
  struct lrd_entry *old;

  if (!lrd_read(x, x->argv[1], LRD_NONE, &old))
    return;
  if (!old) {
    if (!lrd_put(x, x->argv[1], x->argv[2], -1))
      return;
    lrd_changed_set(x, x->argv[1], x->argv[2], -1);
  }
  lrd_sink_integer(x->sink, !old);
}

void lrd_t_getset(struct lrd_exec *x)
{
  struct lrd_entry *old;

  if (!lrd_read(x, x->argv[1], LRD_STRING, &old))
    return;
  if (old) {
    set_and_reply_old(x, old, -1);
    return;
  }
  if (!lrd_put(x, x->argv[1], x->argv[2], -1))
    return;
  lrd_changed_set(x, x->argv[1], x->argv[2], -1);
  lrd_sink_nil(x->sink);
}

void lrd_t_getdel(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (!lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  lrd_reply_string(x, entry);
  if (!entry || x->sink->failed)
    return;
  lrd_remove(x, entry);
  lrd_changed_del(x, x->argv[1]);
}

static void getex_changes(struct lrd_exec *x, struct lrd_entry *entry, unsigned given, int64_t at)
{
  struct lrd_at where = lrd_at(x, x->argv[1]);

  if (given & PERSIST) {
    if (lrd_entry_expiry(entry) < 0)
      return;
    at = -1;
  } else if (!(given & EXPIRES)) {
    return;
  }
  if (at >= 0 && at <= lrd_now(x)) {
    lrd_remove(x, entry);
    lrd_changed_del(x, x->argv[1]);
    return;
  }
  (void)lrd_keyspace_expire(x->engine, &where, &entry, at, lrd_now(x));
  lrd_changed_expiry(x, x->argv[1], at);
}

void lrd_t_getex(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct options o;
  struct lrd_at where;
  int64_t at;

  if (!parse_options(x, 2, getex_options, &o) || !lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  if (!entry) {
    lrd_sink_nil(x->sink);
    return;
  }
  if (!parse_expiry(x, &o, &at))
    return;
  where = lrd_at(x, x->argv[1]);
  if (at > lrd_now(x) && lrd_keyspace_reserve_timer(x->engine, &where, &entry, lrd_now(x))) {
    lrd_no_memory(x);
    return;
  }
  lrd_reply_string(x, entry);
  if (!x->sink->failed)
    getex_changes(x, entry, o.given, at);
}

/* --- parts of values --------------------------------------------------------------------- */

/* A string for a key without an entry: all that is known of it if nothing was
 * known before. */
static struct lrd_entry *create(struct lrd_exec *x, larder_bytes key, larder_bytes value)
{
  int whole = lrd_knows(x, key);
  struct lrd_entry *entry = lrd_put(x, key, value, -1);

  if (entry && !whole)
    entry->flags |= LRD_ENTRY_DELTA;
  return entry;
}

/* A text that has no room gets as much again, but no more than 1 MB: so n bytes
 * appended one by one are copied about twice while it is small; and where malloc can
 * extend a block in place (above 128 KB, by mremap) the later steps copy nothing.  At most half
 * of it is unused, and never more than 1 MB.  The room goes with the next SET. */
static int append(struct lrd_exec *x, struct lrd_entry *entry, larder_bytes more, size_t *length)
{
  enum { DOUBLES_UNTIL = 1024 * 1024 };
  struct lrd_at at = lrd_at(x, x->argv[1]);
  char number[LRD_NUMBER_SIZE];
  size_t len = lrd_entry_string(entry, number).len + more.len, capacity = len;

  if (len > LRD_STRING_MAX) {
    lrd_value_error(x, entry, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return 0;
  }
  if (entry->flags & LRD_ENTRY_INTEGER || entry->text.capacity < len)
    capacity += len < DOUBLES_UNTIL ? len : DOUBLES_UNTIL;
  if (lrd_keyspace_widen(x->engine, &at, &entry, capacity)) {
    lrd_no_memory(x);
    return 0;
  }
  if (more.len)
    memcpy(lrd_entry_text(entry) + entry->text.len, more.data, more.len);
  entry->text.len = (uint32_t)len;
  *length = len;
  return 1;
}

void lrd_t_append(struct lrd_exec *x)
{
  larder_bytes argv[3] = { { "APPEND", 6 }, x->argv[1], x->argv[2] };
  struct lrd_entry *entry;
  size_t length = x->argv[2].len;

  if (!lrd_write(x, x->argv[1], LRD_STRING, &entry))
    return;
  if (entry ? !append(x, entry, x->argv[2], &length) : !create(x, x->argv[1], x->argv[2]))
    return;
  lrd_changed(x, x->argv[1], 3, argv);
  lrd_sink_integer(x->sink, (int64_t)length);
}

static int store_integer(struct lrd_exec *x, struct lrd_entry *entry, int64_t value)
{
  struct lrd_at at = lrd_at(x, x->argv[1]);
  char number[LRD_NUMBER_SIZE];
  larder_bytes text = { number, lrd_print_integer(number, value) };

  if (!entry)
    return create(x, x->argv[1], text) != NULL;
  if (!lrd_keyspace_set_integer(x->engine, &at, entry, value))
    return 1;
  lrd_no_memory(x);
  return 0;
}

__attribute__((noinline)) static void tell_increment(struct lrd_exec *x, int64_t by)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes argv[3] = { { "INCRBY", 6 }, x->argv[1], { number, 0 } };

  argv[2].len = lrd_print_integer(number, by);
  lrd_changed(x, x->argv[1], 3, argv);
}

static void increment(struct lrd_exec *x, int64_t by)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes text;
  struct lrd_entry *entry;
  int64_t value = 0;

  if (!lrd_write(x, x->argv[1], LRD_STRING, &entry))
    return;
  if (entry && entry->flags & LRD_ENTRY_INTEGER) {
    value = entry->integer;
  } else if (entry) {
    text = lrd_entry_string(entry, number);
    if (!lrd_parse_integer(text.data, text.len, &value)) {
      lrd_value_error(x, entry, lrd_text_not_integer);
      return;
    }
  }
  if (__builtin_add_overflow(value, by, &value)) {
    lrd_value_error(x, entry, lrd_text_overflow);
    return;
  }
  if (!store_integer(x, entry, value))
    return;
  if (lrd_note_change(x, x->argv[1]))
    tell_increment(x, by);
  lrd_sink_integer(x->sink, value);
}

void lrd_t_incr(struct lrd_exec *x)
{
  increment(x, 1);
}

void lrd_t_decr(struct lrd_exec *x)
{
  increment(x, -1);
}

void lrd_t_incrby(struct lrd_exec *x)
{
  int64_t by;

  if (lrd_argument_integer(x, 2, &by))
    increment(x, by);
}

void lrd_t_decrby(struct lrd_exec *x)
{
  int64_t by;

  if (!lrd_argument_integer(x, 2, &by))
    return;
  if (by == INT64_MIN)
    lrd_error(x, "ERR decrement would overflow");
  else
    increment(x, -by);
}
