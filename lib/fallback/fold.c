/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/fold.h"

#include <string.h>

#include "util/number.h"

enum { ARGUMENTS_MAX = 512 };

static const larder_bytes nothing = { "", 0 };

/* --- folding --------------------------------------------------------------- */

struct fold {
  struct lrd_journal *journal;
  struct lrd_record *record;
  struct lrd_purse *purse;
};

static struct lrd_op make(enum lrd_op_kind kind, larder_bytes sub, larder_bytes value,
                          int64_t number)
{
  return (struct lrd_op){ .kind = kind, .number = number, .sub = sub.data, .sub_len = sub.len,
                          .value = value.data, .value_len = value.len };
}

static void next_generation(struct lrd_record *r)
{
  r->generation++;
  r->generation_ops = 0;
  r->anchor = r->expiry = NULL;
}

/* The op of sub in the current generation. */
static struct lrd_op *latest(const struct fold *f, const struct lrd_op *content)
{
  larder_bytes sub = { content->sub, content->sub_len };
  struct lrd_op *op = lrd_journal_find_op(f->journal, f->record, sub);

  return op && op->generation == f->record->generation ? op : NULL;
}

/* An op that makes the key exist; instead: the op whose place it takes. */
static void create(const struct fold *f, const struct lrd_op *content, struct lrd_op *instead,
                   int indexed)
{
  struct lrd_record *r = f->record;
  struct lrd_op *op;

  if (!r->anchor && r->generation_ops) {
    next_generation(r);
    instead = NULL;
  }
  op = lrd_journal_add_op(f->journal, r, f->purse, content, instead, indexed);
  if (!r->anchor)
    r->anchor = op;
}

/* Sets one part: what came before it in this generation has no meaning any more. */
static void set_part(const struct fold *f, enum lrd_op_kind kind, larder_bytes sub,
                     larder_bytes value)
{
  struct lrd_op content = make(kind, sub, value, 0), *old = latest(f, &content);

  create(f, &content, old && !old->chained ? old : NULL, 1);
}

static int same_part(const struct lrd_op *op, larder_bytes sub)
{
  return op->sub_len == sub.len && (!sub.len || !memcmp(op->sub, sub.data, sub.len));
}

/* The anchor stood alone: adding and removing one part is removing it.  What
 * the older generation knew of the part counts again. */
static void take_back(const struct fold *f, enum lrd_op_kind kind)
{
  struct lrd_record *r = f->record;
  struct lrd_op *before = r->anchor->before;

  lrd_journal_remove_op(f->journal, r, r->anchor);
  next_generation(r);
  if (before)
    lrd_journal_index_op(f->journal, before);
  if (r->last && r->last->kind == kind) {
    r->generation = r->last->generation;
    r->generation_ops = 1;
  }
}

static void remove_part(const struct fold *f, enum lrd_op_kind kind, larder_bytes sub)
{
  struct lrd_record *r = f->record;
  struct lrd_op content = make(kind, sub, nothing, 0), *old;

  if (r->anchor && same_part(r->anchor, sub)) {
    if (r->generation_ops == 1)
      take_back(f, kind);
    else
      next_generation(r);
  } else if (!r->anchor && r->expiry) {
    next_generation(r);
  }
  old = latest(f, &content);
  if (!old || old->kind != kind)
    lrd_journal_add_op(f->journal, r, f->purse, &content, old && !old->chained ? old : NULL, 1);
}

/* Increments whose magnitudes add up to more than this are kept apart. */
#define SPAN_MAX (UINT64_C(1) << 62)

static uint64_t magnitude(int64_t n)
{
  return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

static int may_add(const struct lrd_op *op, int64_t by)
{
  return op->span <= SPAN_MAX && magnitude(by) <= SPAN_MAX - op->span;
}

/* One sum for all increments; a field that was set before becomes its sum. */
static void increment(const struct fold *f, enum lrd_op_kind kind, larder_bytes sub, int64_t by)
{
  struct lrd_op content = make(kind, sub, nothing, by), *old = latest(f, &content);
  int64_t base, sum;

  content.span = magnitude(by);
  if (old && old->kind == kind && may_add(old, by)) {
    old->number += by;
    old->span += content.span;
  } else if (old && old->kind == LRD_OP_FIELD_SET &&
             lrd_parse_integer(old->value, old->value_len, &base) &&
             !__builtin_add_overflow(base, by, &sum)) {
    char text[LRD_NUMBER_SIZE];
    larder_bytes value = { text, lrd_print_integer(text, sum) };

    set_part(f, LRD_OP_FIELD_SET, sub, value);
  } else {
    create(f, &content, NULL, 1);
  }
}

static void expire(const struct fold *f, enum lrd_op_kind kind, int64_t at)
{
  struct lrd_record *r = f->record;
  struct lrd_op content = make(kind, nothing, nothing, at);

  if (r->expiry)
    lrd_journal_remove_op(f->journal, r, r->expiry);
  else if (!r->anchor && r->generation_ops)
    next_generation(r);
  r->expiry = lrd_journal_add_op(f->journal, r, f->purse, &content, NULL, 0);
}

static int64_t integer(larder_bytes b)
{
  int64_t n = 0;

  lrd_parse_integer(b.data, b.len, &n);
  return n;
}

static void fold_removal(const struct fold *f, const larder_intent *in, unsigned command)
{
  enum lrd_op_kind kind = command == LRD_HDEL   ? LRD_OP_FIELD_DELETE
                          : command == LRD_SREM ? LRD_OP_MEMBER_REMOVE
                                                : LRD_OP_SCORE_REMOVE;

  if (command == LRD_ZREMRANGEBYSCORE) {
    struct lrd_op content = make(LRD_OP_REMOVE_RANGE, in->argv[2], in->argv[3], 0);

    next_generation(f->record);
    lrd_journal_add_op(f->journal, f->record, f->purse, &content, NULL, 0);
    return;
  }
  for (int i = 2; i < in->argc; i++)
    remove_part(f, kind, in->argv[i]);
}

static void fold_values(const struct fold *f, const larder_intent *in, enum lrd_op_kind kind)
{
  for (int i = 2; i < in->argc; i++) {
    struct lrd_op content = make(kind, nothing, in->argv[i], 0);

    create(f, &content, NULL, kind == LRD_OP_APPEND);
  }
}

/* Of its options only CH and INCR come here: conditions are another class. */
static void fold_scores(const struct fold *f, const larder_intent *in)
{
  int i = 2, increment = 0;

  for (; lrd_is_word(&in->argv[i], "CH") || lrd_is_word(&in->argv[i], "INCR"); i++)
    increment |= lrd_is_word(&in->argv[i], "INCR");
  for (; i + 1 < in->argc; i += 2) {
    struct lrd_op content = make(LRD_OP_SCORE_INCREMENT, in->argv[i + 1], in->argv[i], 0);

    if (increment)
      create(f, &content, NULL, 1);
    else
      set_part(f, LRD_OP_SCORE_SET, in->argv[i + 1], in->argv[i]);
  }
}

static void fold_creation(const struct fold *f, const larder_intent *in, unsigned command)
{
  struct lrd_op content;

  switch (command) {
  case LRD_INCRBY:
    increment(f, LRD_OP_INCREMENT, nothing, integer(in->argv[2]));
    break;
  case LRD_HINCRBY:
    increment(f, LRD_OP_FIELD_INCREMENT, in->argv[2], integer(in->argv[3]));
    break;
  case LRD_APPEND:
    fold_values(f, in, LRD_OP_APPEND);
    break;
  case LRD_LPUSH:
    fold_values(f, in, LRD_OP_PUSH_LEFT);
    break;
  case LRD_RPUSH:
    fold_values(f, in, LRD_OP_PUSH_RIGHT);
    break;
  case LRD_HSET:
  case LRD_HMSET:
    for (int i = 2; i + 1 < in->argc; i += 2)
      set_part(f, LRD_OP_FIELD_SET, in->argv[i], in->argv[i + 1]);
    break;
  case LRD_SADD:
    for (int i = 2; i < in->argc; i++)
      set_part(f, LRD_OP_MEMBER_ADD, in->argv[i], nothing);
    break;
  case LRD_ZADD:
    fold_scores(f, in);
    break;
  default: /* ZINCRBY */
    content = make(LRD_OP_SCORE_INCREMENT, in->argv[3], in->argv[2], 0);
    create(f, &content, NULL, 1);
  }
}

void lrd_fold(struct lrd_journal *j, struct lrd_record *r, struct lrd_purse *purse,
              const larder_intent *in)
{
  struct fold f = { j, r, purse };
  unsigned command = lrd_command_find(in->argv[0].data, in->argv[0].len);

  switch (command) {
  case LRD_PEXPIREAT:
    expire(&f, LRD_OP_EXPIRE, integer(in->argv[2]));
    break;
  case LRD_PERSIST:
    expire(&f, LRD_OP_PERSIST, 0);
    break;
  case LRD_HDEL:
  case LRD_SREM:
  case LRD_ZREM:
  case LRD_ZREMRANGEBYSCORE:
    fold_removal(&f, in, command);
    break;
  default:
    fold_creation(&f, in, command);
  }
}

size_t lrd_fold_size(const larder_vector *v)
{
  size_t parts = v->argc > 2 ? (size_t)v->argc - 2 : 1, size = 0;

  if (v->command == LRD_HSET || v->command == LRD_HMSET || v->command == LRD_ZADD)
    parts = (parts + 1) / 2;
  for (int i = 2; i < v->argc; i++)
    size += v->argv[i].len;
  /* a number may be written longer than it was given */
  return size + parts * (LRD_OP_ROOM + LRD_NUMBER_SIZE);
}

/* --- emitting ----------------------------------------------------------------- */

int lrd_emit(struct lrd_arena *arena, const struct lrd_record *r, int argc,
             const larder_bytes *argv, struct lrd_emitted ***tail)
{
  struct lrd_emitted *e = lrd_arena_allocate(arena, sizeof *e);
  larder_bytes *copy = lrd_arena_allocate(arena, (size_t)argc * sizeof *copy);

  if (!e || !copy)
    return -1;
  for (int i = 0; i < argc; i++) {
    copy[i].data = lrd_arena_copy(arena, argv[i].data, argv[i].len);
    copy[i].len = argv[i].len;
    if (!copy[i].data)
      return -1;
  }
  *e = (struct lrd_emitted){ .record = r, .database = r ? r->database : 0 };
  e->vector = (larder_vector){ .command = lrd_command_find(argv[0].data, argv[0].len),
                               .argc = argc,
                               .argv = copy };
  **tail = e;
  *tail = &e->next;
  return 0;
}

static larder_bytes word(const char *s)
{
  larder_bytes b = { s, strlen(s) };

  return b;
}

static larder_bytes sub_of(const struct lrd_op *op)
{
  larder_bytes b = { op->sub, op->sub_len };

  return b;
}

static larder_bytes value_of(const struct lrd_op *op)
{
  larder_bytes b = { op->value, op->value_len };

  return b;
}

static int joins(enum lrd_op_kind kind)
{
  return kind == LRD_OP_FIELD_SET || kind == LRD_OP_FIELD_DELETE || kind == LRD_OP_MEMBER_ADD ||
         kind == LRD_OP_MEMBER_REMOVE || kind == LRD_OP_PUSH_LEFT || kind == LRD_OP_PUSH_RIGHT ||
         kind == LRD_OP_SCORE_SET || kind == LRD_OP_SCORE_REMOVE;
}

/* The op's own arguments, behind command and key; returns how many. */
static int arguments(const struct lrd_op *op, int64_t offset_ms, larder_bytes *out, char *text)
{
  switch (op->kind) {
  case LRD_OP_INCREMENT:
    out[0] = (larder_bytes){ text, lrd_print_integer(text, op->number) };
    return 1;
  case LRD_OP_EXPIRE:
    out[0] = (larder_bytes){ text, lrd_print_integer(text, op->number + offset_ms) };
    return 1;
  case LRD_OP_FIELD_INCREMENT:
    out[0] = sub_of(op);
    out[1] = (larder_bytes){ text, lrd_print_integer(text, op->number) };
    return 2;
  case LRD_OP_FIELD_SET:
  case LRD_OP_REMOVE_RANGE:
    out[0] = sub_of(op);
    out[1] = value_of(op);
    return 2;
  case LRD_OP_SCORE_SET:
  case LRD_OP_SCORE_INCREMENT:
    out[0] = value_of(op);
    out[1] = sub_of(op);
    return 2;
  case LRD_OP_APPEND:
  case LRD_OP_PUSH_LEFT:
  case LRD_OP_PUSH_RIGHT:
    out[0] = value_of(op);
    return 1;
  case LRD_OP_PERSIST:
    return 0;
  case LRD_OP_FIELD_DELETE:
  case LRD_OP_MEMBER_ADD:
  case LRD_OP_MEMBER_REMOVE:
  case LRD_OP_SCORE_REMOVE:
    break;
  }
  out[0] = sub_of(op);
  return 1;
}

static const char *const op_name[] = {
  [LRD_OP_INCREMENT] = "INCRBY",       [LRD_OP_APPEND] = "APPEND",
  [LRD_OP_FIELD_SET] = "HSET",         [LRD_OP_FIELD_DELETE] = "HDEL",
  [LRD_OP_FIELD_INCREMENT] = "HINCRBY", [LRD_OP_MEMBER_ADD] = "SADD",
  [LRD_OP_MEMBER_REMOVE] = "SREM",     [LRD_OP_PUSH_LEFT] = "LPUSH",
  [LRD_OP_PUSH_RIGHT] = "RPUSH",       [LRD_OP_SCORE_SET] = "ZADD",
  [LRD_OP_SCORE_REMOVE] = "ZREM",      [LRD_OP_SCORE_INCREMENT] = "ZINCRBY",
  [LRD_OP_EXPIRE] = "PEXPIREAT",       [LRD_OP_PERSIST] = "PERSIST",
  [LRD_OP_REMOVE_RANGE] = "ZREMRANGEBYSCORE",
};

int lrd_fold_emit(struct lrd_arena *arena, const struct lrd_record *r, int64_t offset_ms,
                  struct lrd_emitted ***tail)
{
  larder_bytes argv[ARGUMENTS_MAX + 2];
  char text[LRD_NUMBER_SIZE];
  const struct lrd_op *op = r->first;

  while (op) {
    enum lrd_op_kind kind = op->kind;
    int argc = 2;

    argv[0] = word(op_name[kind]);
    argv[1] = (larder_bytes){ r->key, r->key_len };
    do {
      argc += arguments(op, offset_ms, argv + argc, text);
      op = op->next;
    } while (op && op->kind == kind && joins(kind) && argc < ARGUMENTS_MAX);
    if (lrd_emit(arena, r, argc, argv, tail))
      return -1;
  }
  return 0;
}
