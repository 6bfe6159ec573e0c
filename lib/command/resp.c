/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/sink.h"

#include "util/number.h"

enum { HEADER_SIZE = 32, DEPTH_MAX = 16 };

static const size_t nothing = SIZE_MAX; /* lrd_resp.begin */

static inline struct lrd_resp *resp(larder_sink *s)
{
  return (struct lrd_resp *)s;
}

/* Room for size bytes at the end of the buffer; NULL: failed. */
static inline char *make_room(struct lrd_resp *r, size_t size)
{
  if (r->sink.failed)
    return NULL;
  if (r->begin == nothing)
    r->begin = r->out->len;
  if (lrd_buffer_reserve(r->out, size)) {
    r->sink.failed = 1;
    return NULL;
  }
  return r->out->data + r->out->len;
}

static inline void written(struct lrd_resp *r, const char *end)
{
  r->out->len = (size_t)(end - r->out->data);
}

static inline char *put_crlf(char *p)
{
  p[0] = '\r';
  p[1] = '\n';
  return p + 2;
}

/* "*3\r\n" */
static inline char *put_header(char *p, char mark, int64_t number)
{
  *p++ = mark;
  p += lrd_print_integer(p, number);
  return put_crlf(p);
}

static void put_literal(larder_sink *s, const char *text, size_t len)
{
  struct lrd_resp *r = resp(s);
  char *p = make_room(r, len);

  if (!p)
    return;
  memcpy(p, text, len);
  written(r, p + len);
}

static void put_bulk(larder_sink *s, const char *bytes, size_t len)
{
  struct lrd_resp *r = resp(s);
  char *p = len < SIZE_MAX / 2 ? make_room(r, len + HEADER_SIZE) : NULL;

  if (!p) {
    r->sink.failed = 1;
    return;
  }
  p = put_header(p, '$', (int64_t)len);
  if (len)
    memcpy(p, bytes, len);
  written(r, put_crlf(p + len));
}

/* A line ends at its line end, whatever it holds. */
static void put_line(larder_sink *s, char mark, const char *text, size_t len)
{
  struct lrd_resp *r = resp(s);
  char *p = make_room(r, len + 3);
  size_t i;

  if (!p)
    return;
  *p++ = mark;
  for (i = 0; i < len; i++)
    p[i] = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
  written(r, put_crlf(p + len));
}

/* --- the sink's slots ---------------------------------------------------- */

static void resp_nil(larder_sink *s, int array)
{
  if (resp(s)->protocol >= 3)
    put_literal(s, "_\r\n", 3);
  else
    put_literal(s, array ? "*-1\r\n" : "$-1\r\n", 5);
}

static void resp_integer(larder_sink *s, int64_t integer)
{
  struct lrd_resp *r = resp(s);
  char *p = make_room(r, HEADER_SIZE);

  if (p)
    written(r, put_header(p, ':', integer));
}

static void resp_real(larder_sink *s, double real, const char *text, size_t len)
{
  (void)real;
  if (resp(s)->protocol >= 3)
    put_line(s, ',', text, len);
  else
    put_bulk(s, text, len);
}

static void resp_boolean(larder_sink *s, int truth)
{
  if (resp(s)->protocol >= 3)
    put_literal(s, truth ? "#t\r\n" : "#f\r\n", 4);
  else
    put_literal(s, truth ? ":1\r\n" : ":0\r\n", 4);
}

static void resp_status(larder_sink *s, const char *text, size_t len)
{
  put_line(s, '+', text, len);
}

static void resp_error(larder_sink *s, const char *text, size_t len)
{
  put_line(s, '-', text, len);
}

static void resp_bignum(larder_sink *s, const char *digits, size_t len)
{
  if (resp(s)->protocol >= 3)
    put_line(s, '(', digits, len);
  else
    put_bulk(s, digits, len);
}

static void resp_verbatim(larder_sink *s, const char *text, size_t len)
{
  struct lrd_resp *r = resp(s);
  char *p;

  if (r->protocol < 3) {
    put_bulk(s, text, len);
    return;
  }
  p = len < SIZE_MAX / 2 ? make_room(r, len + HEADER_SIZE) : NULL;
  if (!p) {
    r->sink.failed = 1;
    return;
  }
  p = put_header(p, '=', (int64_t)len + 4);
  memcpy(p, "txt:", 4);
  p += 4;
  if (len)
    memcpy(p, text, len);
  written(r, put_crlf(p + len));
}

static char *put_aggregate(char *p, int protocol, larder_type type, size_t len)
{
  if (protocol >= 3 && type == LARDER_MAP)
    return put_header(p, '%', (int64_t)(len / 2));
  if (protocol >= 3 && type == LARDER_SET)
    return put_header(p, '~', (int64_t)len);
  if (protocol >= 3 && type == LARDER_PUSH)
    return put_header(p, '>', (int64_t)len);
  return put_header(p, '*', (int64_t)len);
}

static void resp_aggregate(larder_sink *s, larder_type type, size_t len, int resp2)
{
  struct lrd_resp *r = resp(s);
  char *p;

  if (r->protocol >= 3) {
    if (resp2 == LARDER_RESP2_KEYED)
      return;
  } else {
    if (resp2 == LARDER_RESP2_PAIR)
      return;
    if (resp2 == LARDER_RESP2_NESTED)
      len /= 2;
    if (resp2 == LARDER_RESP2_PAIRS)
      len *= 2;
  }
  p = make_room(r, HEADER_SIZE);
  if (p)
    written(r, put_aggregate(p, r->protocol, type, len));
}

static void resp_open(larder_sink *s, larder_type type)
{
  struct lrd_resp *r = resp(s);

  if (!make_room(r, HEADER_SIZE))
    return;
  if (r->depth == DEPTH_MAX) {
    r->sink.failed = 1;
    return;
  }
  r->open[r->depth] = r->out->len;
  r->type[r->depth++] = (unsigned char)type;
}

static void resp_close(larder_sink *s, size_t len)
{
  struct lrd_resp *r = resp(s);
  char header[HEADER_SIZE], *p;
  size_t size, body;

  if (!make_room(r, HEADER_SIZE) || !r->depth)
    return;
  r->depth--;
  p = r->out->data + r->open[r->depth];
  body = r->out->len - r->open[r->depth];
  size = (size_t)(put_aggregate(header, r->protocol, (larder_type)r->type[r->depth], len) - header);
  memmove(p + size, p, body);
  memcpy(p, header, size);
  r->out->len += size;
}

static void forget(struct lrd_resp *r)
{
  if (r->begin != nothing)
    r->out->len = r->begin;
  r->begin = nothing;
  r->depth = 0;
}

static void resp_rewind(larder_sink *s)
{
  struct lrd_resp *r = resp(s);

  forget(r);
  if (s->failed && !r->lost) {
    s->failed = 0;
    r->out->failed = 0;
  }
}

/* What was written since begin, as far as lrd_ending promises. */
static larder_value read_head(const struct lrd_resp *r)
{
  larder_value head = { .type = LARDER_ERROR, .str = "" };
  const char *p;

  if (r->begin == nothing || r->sink.failed)
    return head;
  p = r->out->data + r->begin;
  head.str = p + 1;
  switch (*p) {
  case '_':
    head.type = LARDER_NIL;
    break;
  case '$':
    head.type = p[1] == '-' ? LARDER_NIL : LARDER_STRING;
    break;
  case '*':
  case '%':
  case '~':
    head.type = p[1] == '-' ? LARDER_NIL : LARDER_ARRAY;
    head.len = p[1] != '0';
    break;
  case ':':
    head.type = LARDER_INTEGER;
    head.integer = p[1] == '0' ? 0 : !memcmp(p + 1, "-2\r", 3) ? -2 : 1;
    break;
  case '+':
    head.type = LARDER_STATUS;
    head.len = r->out->len - r->begin - 3;
    break;
  default:
    break;
  }
  return head;
}

static void resp_end(larder_sink *s, const larder_verdict *verdict)
{
  struct lrd_resp *r = resp(s);
  larder_value head = read_head(r);
  larder_verdict v = *verdict;
  larder_outcome outcome;

  lrd_sink_ending(s, &head, &v);
  outcome = v.outcome;

  if (s->failed) {
    forget(r);
    r->lost = 1;
    r->out->failed = 1;
    outcome = LARDER_NO_MEMORY;
  }
  r->begin = nothing;
  r->depth = 0;
  if (outcome > r->worst)
    r->worst = outcome;
  /* the next reply's first bytes can't fail */
  if (!s->failed && lrd_buffer_reserve(r->out, LARDER_SINK_RESERVE))
    s->failed = 1;
}

static const larder_sink_type resp_type = {
  .nil = resp_nil,
  .integer = resp_integer,
  .real = resp_real,
  .boolean = resp_boolean,
  .string = put_bulk,
  .status = resp_status,
  .error = resp_error,
  .bignum = resp_bignum,
  .verbatim = resp_verbatim,
  .aggregate = resp_aggregate,
  .open = resp_open,
  .close = resp_close,
  .rewind = resp_rewind,
  .end = resp_end,
};

void lrd_resp_init(struct lrd_resp *r, struct lrd_buffer *out, int protocol)
{
  *r = (struct lrd_resp){
    .sink = { .type = &resp_type },
    .out = out,
    .protocol = protocol,
    .begin = nothing,
  };
  if (lrd_buffer_reserve(out, LARDER_SINK_RESERVE))
    r->sink.failed = 1;
}
