/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/reader.h"

#include <stdio.h>
#include <string.h>

#include <hiredis/read.h>

#ifdef HAVE_HIREDIS_SIZE_T_ARRAY
typedef size_t array_length;
#else
typedef int array_length;
#endif

static const char no_memory[] = "no memory for the reply";

static void *fail(struct lrd_reader *r, const char *what)
{
  if (!r->fault)
    r->fault = what;
  return NULL;
}

/* The frame of the aggregate that the task's value belongs to. */
static struct lrd_reader_frame *frame_of(struct lrd_reader *r, const redisReadTask *task)
{
  while (r->depth && r->frame[r->depth - 1].value != task->parent->obj)
    r->depth--;
  return r->depth ? &r->frame[r->depth - 1] : NULL;
}

/* Makes room for one more element; only what is promised and, step by step, only as it comes. */
static larder_value *grow(struct lrd_reader *r, struct lrd_reader_frame *f)
{
  larder_value *v = f->value;
  if (v->len == f->capacity) {
    size_t more = f->capacity ? f->capacity * 2 : 8;
    if (more > f->promised)
      more = f->promised;
    larder_value *element = lrd_arena_allocate(r->arena, more * sizeof *element);
    if (!element)
      return fail(r, no_memory);
    if (v->len)
      memcpy(element, v->element, v->len * sizeof *element);
    v->element = element;
    f->capacity = more;
  }
  larder_value *slot = (larder_value *)v->element + v->len++;
  *slot = (larder_value){0};
  return slot;
}

/* Where the value of a task goes; r->root for a reply that is dropped. */
static larder_value *place(struct lrd_reader *r, const redisReadTask *task)
{
  r->begun = 1;
  if (++r->elements > LRD_READER_ELEMENTS)
    return fail(r, "too many elements in a reply");
  if (!task->parent || !r->arena) {
    r->root = (larder_value){0};
    return &r->root;
  }
  struct lrd_reader_frame *f = frame_of(r, task);
  if (!f)
    return fail(r, "elements outside an aggregate");
  return grow(r, f);
}

static int type_of_text(int type)
{
  switch (type) {
  case REDIS_REPLY_STATUS:
    return LARDER_STATUS;
  case REDIS_REPLY_ERROR:
    return LARDER_ERROR;
#ifdef HAVE_HIREDIS_RESP3
  case REDIS_REPLY_VERB:
    return LARDER_VERBATIM;
  case REDIS_REPLY_BIGNUM:
    return LARDER_BIGNUM;
#endif
  default:
    return LARDER_STRING;
  }
}

/* What hiredis (0.14) lets pass: a bulk string without its end, a line with a stray CR or LF. */
static int is_framed(const redisReadTask *task, const char *text, size_t len)
{
  if (text[len] != '\r' || text[len + 1] != '\n')
    return 0;
  if (task->type != REDIS_REPLY_STATUS && task->type != REDIS_REPLY_ERROR)
    return 1;
  return !memchr(text, '\r', len) && !memchr(text, '\n', len);
}

static void *make_string(const redisReadTask *task, char *text, size_t len)
{
  struct lrd_reader *r = task->privdata;
  if (!is_framed(task, text, len))
    return fail(r, "a string that does not end where it should");
  larder_value *v = place(r, task);
  if (!v || !r->arena)
    return v;
  v->type = (unsigned char)type_of_text(task->type);
  if (v->type == LARDER_VERBATIM && len >= 4) {
    if (memcmp(text, LRD_SIEVE_ERROR_FORM, 3) == 0)
      v->type = LARDER_ERROR;
    text += 4;
    len -= 4;
  }
  v->len = len;
  v->str = lrd_arena_copy(r->arena, text, len);
  return v->str ? v : fail(r, no_memory);
}

static int type_of_aggregate(int type)
{
  switch (type) {
#ifdef HAVE_HIREDIS_RESP3
  case REDIS_REPLY_MAP:
    return LARDER_MAP;
  case REDIS_REPLY_SET:
    return LARDER_SET;
  case REDIS_REPLY_PUSH:
    return LARDER_PUSH;
#endif
  default:
    return LARDER_ARRAY;
  }
}

static void *make_array(const redisReadTask *task, array_length len)
{
  struct lrd_reader *r = task->privdata;
  larder_value *v = place(r, task);
  if (!v || !r->arena)
    return v;
  v->type = (unsigned char)type_of_aggregate(task->type);
  if (r->depth == LRD_READER_DEPTH)
    return fail(r, "aggregates too deep in a reply");
  r->frame[r->depth++] = (struct lrd_reader_frame){.value = v, .promised = (size_t)len};
  return v;
}

static void *make_integer(const redisReadTask *task, long long n)
{
  struct lrd_reader *r = task->privdata;
  larder_value *v = place(r, task);
  if (v) {
    v->type = LARDER_INTEGER;
    v->integer = n;
  }
  return v;
}

static void *make_nil(const redisReadTask *task)
{
  struct lrd_reader *r = task->privdata;
  larder_value *v = place(r, task);
  if (v && task->type == REDIS_REPLY_ARRAY)
    v->resp2 = LARDER_RESP2_NIL_ARRAY;
  return v;
}

#ifdef HAVE_HIREDIS_RESP3
static void *make_double(const redisReadTask *task, double value, char *text, size_t len)
{
  struct lrd_reader *r = task->privdata;
  larder_value *v = place(r, task);
  if (!v || !r->arena)
    return v;
  v->type = LARDER_DOUBLE;
  v->real = value;
  v->len = len;
  v->str = lrd_arena_copy(r->arena, text, len);
  return v->str ? v : fail(r, no_memory);
}

static void *make_boolean(const redisReadTask *task, int value)
{
  struct lrd_reader *r = task->privdata;
  larder_value *v = place(r, task);
  if (v) {
    v->type = LARDER_BOOLEAN;
    v->integer = value != 0;
  }
  return v;
}
#endif

/* Nodes belong to an arena. */
static void release(void *object)
{
  (void)object;
}

static const redisReplyObjectFunctions functions = {
  .createString = make_string,
  .createArray = make_array,
  .createInteger = make_integer,
  .createNil = make_nil,
#ifdef HAVE_HIREDIS_RESP3
  .createDouble = make_double,
  .createBool = make_boolean,
#endif
  .freeObject = release,
};

int lrd_reader_init(struct lrd_reader *r, size_t limit)
{
  memset(r, 0, sizeof *r);
  r->limit = limit ? limit : (size_t)1 << 30;
  r->hiredis = redisReaderCreateWithFunctions((redisReplyObjectFunctions *)&functions);
  if (!r->hiredis)
    return -1;
  r->hiredis->privdata = r;
#ifdef HAVE_REDISREADER_MAXELEMENTS
  r->hiredis->maxelements = LRD_READER_ELEMENTS;
#endif
  return 0;
}

void lrd_reader_free(struct lrd_reader *r)
{
  if (r->hiredis)
    redisReaderFree(r->hiredis);
  r->hiredis = NULL;
  if (r->c_locale)
    freelocale(r->c_locale);
  r->c_locale = NULL;
}

#ifdef HAVE_HIREDIS_RESP3
static int is_next(const redisReader *h, char type)
{
  return h->pos < h->len && h->buf[h->pos] == type;
}
#endif

static int dead(struct lrd_reader *r, const char *what)
{
  snprintf(r->error, sizeof r->error, "%s", what);
  return -1;
}

#ifdef HAVE_HIREDIS_RESP3
void lrd_reader_speak(struct lrd_reader *r, int resp3)
{
  r->resp3 = resp3;
  memset(&r->sieve, 0, sizeof r->sieve);
}

static int feed_sieved(struct lrd_reader *r, const char *bytes, size_t len)
{
  while (len) {
    const char *run;
    size_t run_len, n = lrd_sieve_take(&r->sieve, bytes, len, &run, &run_len);
    if (!n)
      return dead(r, "an attribute that is none, or over the limit");
    if (run_len && redisReaderFeed(r->hiredis, run, run_len) != REDIS_OK)
      return dead(r, no_memory);
    bytes += n;
    len -= n;
  }
  return 0;
}

int lrd_reader_at_push(const struct lrd_reader *r)
{
  const redisReader *h = r->hiredis;
  if (h->ridx >= 0)
    return h->task[0]->type == REDIS_REPLY_PUSH || (h->task[0]->type < 0 && is_next(h, '>'));
  return is_next(h, '>');
}

/* hiredis parses a double with strtod, which obeys the caller's locale: this thread has C's
 * meanwhile. */
static int get_reply(struct lrd_reader *r, void **object)
{
  if (!r->sieve.doubles)
    return redisReaderGetReply(r->hiredis, object);
  if (!r->c_locale)
    r->c_locale = newlocale(LC_ALL_MASK, "C", NULL);
  locale_t callers = uselocale(r->c_locale);
  int got = redisReaderGetReply(r->hiredis, object);
  uselocale(callers);
  if (*object && r->hiredis->pos == r->hiredis->len)
    r->sieve.doubles = 0;
  return got;
}
#else
void lrd_reader_speak(struct lrd_reader *r, int resp3)
{
  (void)r, (void)resp3;
}

static int feed_sieved(struct lrd_reader *r, const char *bytes, size_t len)
{
  (void)bytes, (void)len;
  return dead(r, "this hiredis reads no RESP3");
}

int lrd_reader_at_push(const struct lrd_reader *r)
{
  (void)r;
  return 0;
}

static int get_reply(struct lrd_reader *r, void **object)
{
  return redisReaderGetReply(r->hiredis, object);
}
#endif

int lrd_reader_feed(struct lrd_reader *r, const char *bytes, size_t len)
{
  r->bytes += len;
  if (r->resp3)
    return feed_sieved(r, bytes, len);
  if (redisReaderFeed(r->hiredis, bytes, len) != REDIS_OK)
    return dead(r, no_memory);
  return 0;
}

/* hiredis waits for whatever length a bulk string announces, and for the end of
 * a line however long it gets. */
static const char *unfinished_fault(const struct lrd_reader *r)
{
  const redisReader *h = r->hiredis;
  size_t left = h->len - h->pos;
  if (r->bytes > r->limit)
    return "a reply over the limit";
  if (!left)
    return NULL;
  const char *p = h->buf + h->pos;
  /* The type byte of a bulk stays in the buffer only until hiredis has read it:
   * then its length line is first. */
  size_t head = left < 32 ? left : 32;
  const char *digits = *p == '$' ? p + 1 : p;
  const char *end = memchr(p, '\r', head);
  if (end && digits < end && *digits >= '0' && *digits <= '9') {
    size_t n = 0;
    for (const char *c = digits; c < end && *c >= '0' && *c <= '9'; c++)
      n = n > r->limit ? n : n * 10 + (size_t)(*c - '0');
    if (n > r->limit)
      return "a bulk string over the limit";
    return NULL;
  }
  if (left > LRD_READER_LINE && !memchr(p, '\n', LRD_READER_LINE))
    return "a line over the limit";
  return NULL;
}

int lrd_reader_next(struct lrd_reader *r, struct lrd_arena *arena, larder_value *out)
{
  if (!r->begun) {
    r->arena = arena;
    r->elements = 0;
    r->depth = 0;
  }
  void *object = NULL;
  if (get_reply(r, &object) != REDIS_OK)
    return dead(r, r->fault ? r->fault : r->hiredis->errstr);
  if (!object) {
    const char *fault = unfinished_fault(r);
    return fault ? dead(r, fault) : 0;
  }
  *out = r->root;
  r->begun = 0;
  r->arena = NULL;
  r->bytes = r->hiredis->len - r->hiredis->pos;
  return 1;
}

void lrd_reader_drop(struct lrd_reader *r)
{
  if (r->begun)
    r->arena = NULL;
}

int lrd_reader_pending(const struct lrd_reader *r)
{
  return r->begun || r->hiredis->len > r->hiredis->pos;
}

/* --- the probe ------------------------------------------------------------------------- */

/* Not hiredis's version counts, and what it was when this was compiled: what the library does that
 * is there now.  Redis before 7.2 prints a NaN as libc does. */
int lrd_reader_knows_resp3(const larder_memory *memory)
{
  static const char probe[] =
    "%1\r\n+a\r\n~10\r\n_\r\n#t\r\n,1.5\r\n,-inf\r\n,-nan\r\n,nan\r\n"
    "(-12345678901234567890\r\n=5\r\ntxt:a\r\n>1\r\n:1\r\n*-1\r\n";
  static const unsigned char types[] = {
    LARDER_NIL, LARDER_BOOLEAN, LARDER_DOUBLE, LARDER_DOUBLE, LARDER_DOUBLE,
    LARDER_DOUBLE, LARDER_BIGNUM, LARDER_VERBATIM, LARDER_PUSH, LARDER_NIL};
  struct lrd_reader r;
  struct lrd_arena arena;
  larder_value v = {0};
  if (lrd_reader_init(&r, 0) != 0)
    return 0;
  lrd_arena_init(&arena, memory);
  lrd_reader_speak(&r, 1);
  int knows = r.resp3 && lrd_reader_feed(&r, probe, sizeof probe - 1) == 0 &&
              lrd_reader_next(&r, &arena, &v) == 1 && v.type == LARDER_MAP && v.len == 2 &&
              v.element[1].type == LARDER_SET && v.element[1].len == sizeof types;
  for (size_t i = 0; knows && i < sizeof types; i++)
    knows = v.element[1].element[i].type == types[i];
  knows = knows && v.element[1].element[2].real == 1.5;
  lrd_arena_free(&arena);
  lrd_reader_free(&r);
  return knows;
}
