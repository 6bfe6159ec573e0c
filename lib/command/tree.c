/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/sink.h"

#include "util/number.h"

struct lrd_tree_frame {
  struct lrd_tree_frame *parent;
  larder_value *owner; /* the aggregate's own value */
  larder_value *element;
  size_t used, len; /* len: number of elements; of an open aggregate: room */
  int open;
};

static const char no_memory[] = "ERR out of memory for the reply";

static void fail(struct lrd_tree *t)
{
  t->sink.failed = 1;
}

/* --- memory -------------------------------------------------------------- */

/* What was not expected gets no memory set aside. */
__attribute__((noinline)) static void set_aside(struct lrd_tree *t)
{
  char *p = lrd_arena_allocate(t->arena, LARDER_SINK_RESERVE * 2);

  if (!p)
    return;
  t->reserve = p;
  t->reserved = LARDER_SINK_RESERVE * 2;
}

static inline int begin_reply(struct lrd_tree *t)
{
  if (t->replies < t->capacity) {
    t->reply[t->replies].value.type = LARDER_NIL; /* if nothing should be written */
    if (t->reserved < LARDER_SINK_RESERVE)
      set_aside(t);
  }
  t->mark = t->reserve;
  t->marked = t->reserved;
  return t->reserve ? 0 : -1;
}

static inline const char *copy_text(struct lrd_tree *t, const char *bytes, size_t len)
{
  char *p;

  if (len < t->reserved) {
    p = t->reserve;
    t->reserve += len + 1;
    t->reserved -= len + 1;
    if (len)
      memcpy(p, bytes, len);
    p[len] = '\0';
    return p;
  }
  p = lrd_arena_copy(t->arena, bytes, len);
  if (!p)
    fail(t);
  return p;
}

__attribute__((noinline)) static int more_replies(struct lrd_tree *t)
{
  size_t capacity = t->capacity * 2;
  struct lrd_tree_reply *reply;

  if (capacity > SIZE_MAX / 2 / sizeof *reply)
    return -1;
  reply = lrd_arena_allocate(t->arena, capacity * sizeof *reply);
  if (!reply)
    return -1;
  memcpy(reply, t->reply, t->replies * sizeof *reply);
  t->reply = reply;
  t->capacity = capacity;
  return 0;
}

__attribute__((noinline)) static int more_elements(struct lrd_tree *t, struct lrd_tree_frame *f)
{
  size_t room = f->len ? f->len * 2 : 8;
  larder_value *element;

  if (room > SIZE_MAX / 2 / sizeof *element)
    return -1;
  element = lrd_arena_allocate(t->arena, room * sizeof *element);
  if (!element)
    return -1;
  if (f->used)
    memcpy(element, f->element, f->used * sizeof *element);
  f->element = element;
  f->len = room;
  return 0;
}

/* --- places -------------------------------------------------------------- */

/* Where the next value goes; NULL: failed. */
static inline larder_value *next_value(struct lrd_tree *t)
{
  struct lrd_tree_frame *f = t->frame;

  if (t->sink.failed)
    return NULL;
  if (!f) {
    if (t->replies < t->capacity || !more_replies(t))
      return &t->reply[t->replies].value;
  } else if (f->used < f->len || !more_elements(t, f)) {
    return &f->element[f->used++];
  }
  fail(t);
  return NULL;
}

static void pop(struct lrd_tree *t)
{
  struct lrd_tree_frame *f = t->frame;

  f->owner->element = f->element;
  f->owner->len = f->used;
  t->frame = f->parent;
  f->parent = t->spare;
  t->spare = f;
}

/* A value is complete, and so may be those around it. */
static inline void settle(struct lrd_tree *t)
{
  while (t->frame && !t->frame->open && t->frame->used == t->frame->len)
    pop(t);
}

static int push(struct lrd_tree *t, larder_value *owner, size_t len, int open)
{
  struct lrd_tree_frame *f = t->spare;
  larder_value *element = NULL;

  if (len > SIZE_MAX / 2 / sizeof *element)
    return -1;
  if (len && !(element = lrd_arena_allocate(t->arena, len * sizeof *element)))
    return -1;
  if (f)
    t->spare = f->parent;
  else if (!(f = lrd_arena_allocate(t->arena, sizeof *f)))
    return -1;
  f->parent = t->frame;
  f->owner = owner;
  f->element = element;
  f->used = 0;
  f->len = len;
  f->open = open;
  t->frame = f;
  return 0;
}

/* --- the sink's slots ---------------------------------------------------- */

static inline struct lrd_tree *tree(larder_sink *s)
{
  return (struct lrd_tree *)s;
}

static void put_number(larder_sink *s, larder_type type, int64_t integer)
{
  struct lrd_tree *t = tree(s);
  larder_value *v = next_value(t);

  if (!v)
    return;
  *v = (larder_value){ .type = (unsigned char)type };
  v->integer = integer;
  settle(t);
}

static inline void put_text(larder_sink *s, larder_type type, const char *bytes, size_t len)
{
  struct lrd_tree *t = tree(s);
  larder_value *v = next_value(t);

  if (!v)
    return;
  *v = (larder_value){ .type = (unsigned char)type, .len = len };
  v->str = copy_text(t, bytes, len);
  settle(t);
}

static void tree_nil(larder_sink *s, int array)
{
  struct lrd_tree *t = tree(s);
  larder_value *v = next_value(t);

  if (!v)
    return;
  *v = (larder_value){ .type = LARDER_NIL,
                       .resp2 = array ? LARDER_RESP2_NIL_ARRAY : LARDER_RESP2_PLAIN };
  settle(t);
}

static void tree_integer(larder_sink *s, int64_t integer)
{
  put_number(s, LARDER_INTEGER, integer);
}

static void tree_boolean(larder_sink *s, int truth)
{
  put_number(s, LARDER_BOOLEAN, truth != 0);
}

static void tree_real(larder_sink *s, double real, const char *text, size_t len)
{
  struct lrd_tree *t = tree(s);
  larder_value *v = next_value(t);

  if (!v)
    return;
  *v = (larder_value){ .type = LARDER_DOUBLE, .len = len };
  v->real = real;
  v->str = copy_text(t, text, len);
  settle(t);
}

static void tree_string(larder_sink *s, const char *bytes, size_t len)
{
  put_text(s, LARDER_STRING, bytes, len);
}

/* The word that most writes end with needs no memory, so it can't fail behind one. */
static void tree_status(larder_sink *s, const char *bytes, size_t len)
{
  static const char ok[] = "OK";

  if (len == 2 && !memcmp(bytes, ok, 2)) {
    larder_value *v = next_value(tree(s));

    if (!v)
      return;
    *v = (larder_value){ .type = LARDER_STATUS, .len = len, .str = ok };
    settle(tree(s));
    return;
  }
  put_text(s, LARDER_STATUS, bytes, len);
}

static void tree_error(larder_sink *s, const char *bytes, size_t len)
{
  put_text(s, LARDER_ERROR, bytes, len);
}

static void tree_bignum(larder_sink *s, const char *bytes, size_t len)
{
  put_text(s, LARDER_BIGNUM, bytes, len);
}

static void tree_verbatim(larder_sink *s, const char *bytes, size_t len)
{
  put_text(s, LARDER_VERBATIM, bytes, len);
}

static void tree_aggregate(larder_sink *s, larder_type type, size_t len, int resp2)
{
  struct lrd_tree *t = tree(s);
  larder_value *v = resp2 == LARDER_RESP2_KEYED ? NULL : next_value(t);

  if (!v)
    return;
  *v = (larder_value){ .type = (unsigned char)type, .resp2 = (unsigned char)resp2 };
  if (push(t, v, len, 0))
    fail(t);
  else
    settle(t);
}

static void tree_open(larder_sink *s, larder_type type)
{
  struct lrd_tree *t = tree(s);
  larder_value *v = next_value(t);

  if (!v)
    return;
  *v = (larder_value){ .type = (unsigned char)type };
  if (push(t, v, 0, 1))
    fail(t);
}

static void tree_close(larder_sink *s, size_t len)
{
  struct lrd_tree *t = tree(s);

  (void)len; /* counted here */
  if (t->sink.failed || !t->frame)
    return;
  pop(t);
  settle(t);
}

static void tree_rewind(larder_sink *s)
{
  struct lrd_tree *t = tree(s);

  while (t->frame)
    pop(t);
  t->reserve = t->mark;
  t->reserved = t->marked;
  t->sink.failed = 0;
}

__attribute__((noinline)) static void lose(struct lrd_tree *t, struct lrd_tree_reply *reply)
{
  reply->value = (larder_value){ .type = LARDER_ERROR, .len = sizeof no_memory - 1 };
  reply->value.str = no_memory;
  if (reply->verdict.outcome != LARDER_UNKNOWN) /* only its text is lost */
    reply->verdict.outcome = LARDER_NO_MEMORY;
  reply->verdict.cause = LARDER_CAUSE_NONE;
  reply->verdict.flags = 0;
  reply->verdict.age_ms = -1;
  t->reserve = t->mark;
  t->reserved = t->marked;
  t->sink.failed = 0;
}

/* Where the reply that has ended is kept; NULL: it wasn't expected, and there is no memory. */
__attribute__((noinline)) static struct lrd_tree_reply *ended(struct lrd_tree *t, larder_verdict *v)
{
  static const larder_value nothing = { .type = LARDER_NIL };

  lrd_sink_ending(&t->sink, t->replies < t->capacity ? &t->reply[t->replies].value : &nothing, v);
  return t->replies < t->capacity || !more_replies(t) ? &t->reply[t->replies] : NULL;
}

static void tree_end(larder_sink *s, const larder_verdict *verdict)
{
  struct lrd_tree *t = tree(s);
  struct lrd_tree_reply *reply;

  while (t->frame)
    pop(t);
  if (t->sink.ending || t->replies == t->capacity) {
    larder_verdict v = *verdict;

    if (!(reply = ended(t, &v)))
      return;
    reply->verdict = v;
  } else {
    reply = &t->reply[t->replies];
    reply->verdict = *verdict;
  }
  t->replies++;
  if (t->sink.failed)
    lose(t, reply);
  begin_reply(t);
}

static const larder_sink_type tree_type = {
  .nil = tree_nil,
  .integer = tree_integer,
  .real = tree_real,
  .boolean = tree_boolean,
  .string = tree_string,
  .status = tree_status,
  .error = tree_error,
  .bignum = tree_bignum,
  .verbatim = tree_verbatim,
  .aggregate = tree_aggregate,
  .open = tree_open,
  .close = tree_close,
  .rewind = tree_rewind,
  .end = tree_end,
};

int lrd_tree_init(struct lrd_tree *t, struct lrd_arena *arena, size_t expected)
{
  *t = (struct lrd_tree){ .sink = { .type = &tree_type }, .arena = arena };
  if (!expected)
    expected = 1;
  if (expected > SIZE_MAX / 2 / sizeof *t->reply)
    return -1;
  t->reply = lrd_arena_allocate(arena, expected * sizeof *t->reply);
  if (!t->reply)
    return -1;
  t->capacity = expected;
  return begin_reply(t);
}

/* Each member by itself, which is cheaper than clearing the whole first. */
void lrd_tree_init_room(struct lrd_tree *t, struct lrd_arena *arena, struct lrd_tree_room *room)
{
  t->sink.type = &tree_type;
  t->sink.failed = 0;
  t->sink.ending = NULL;
  t->arena = arena;
  t->reply = &room->reply;
  t->replies = 0;
  t->capacity = 1;
  t->frame = t->spare = NULL;
  t->reserve = t->mark = room->reserve;
  t->reserved = t->marked = sizeof room->reserve;
  room->reply.value.type = LARDER_NIL;
}
