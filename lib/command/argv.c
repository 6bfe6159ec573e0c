/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/argv.h"

#include <stdio.h>
#include <string.h>

#include "util/buffer.h"
#include "util/number.h"

/*
 * Both parsers run twice over their input: once to measure (out NULL), once to
 * write into memory of the right size.
 */
struct writer {
  char *out; /* NULL: only count */
  size_t len;
  larder_bytes *argv;
  int argc;
};

static void write_bytes(struct writer *w, const char *bytes, size_t len)
{
  if (w->out && len)
    memcpy(w->out + w->len, bytes, len);
  w->len += len;
}

static void begin_argument(struct writer *w)
{
  if (w->out)
    w->argv[w->argc].data = w->out + w->len;
}

static void end_argument(struct writer *w)
{
  if (w->out)
    w->argv[w->argc].len = (size_t)(w->out + w->len - w->argv[w->argc].data);
  write_bytes(w, "", 1);
  w->argc++;
}

/* After the first run: memory for the second. */
static larder_outcome make_room(struct writer *w, struct lrd_arena *arena)
{
  w->argv = lrd_arena_allocate(arena, ((size_t)w->argc + 1) * sizeof *w->argv);
  w->out = w->argv ? lrd_arena_allocate(arena, w->len + 1) : NULL;
  w->len = 0;
  w->argc = 0;
  return w->out ? LARDER_OK : LARDER_NO_MEMORY;
}

/* --- a format ------------------------------------------------------------ */

struct format {
  const char *at;
  va_list arguments;
  char *error;
  size_t error_size;
};

static larder_outcome bad_format(struct format *f, const char *why, const char *from)
{
  int len = (int)strcspn(from, " ");

  snprintf(f->error, f->error_size, "ERR format: %s at '%.*s'", why, len < 64 ? len : 64, from);
  return LARDER_BAD_ARGUMENT;
}

static void write_integer(struct writer *w, int64_t value)
{
  char text[LRD_NUMBER_SIZE];

  write_bytes(w, text, lrd_print_integer(text, value));
}

static void write_unsigned(struct writer *w, uint64_t value)
{
  char text[LRD_NUMBER_SIZE];
  size_t len = 0;

  if (value > INT64_MAX) {
    len = lrd_print_integer(text, (int64_t)(value / 10));
    value %= 10;
  }
  len += lrd_print_integer(text + len, (int64_t)value);
  write_bytes(w, text, len);
}

/* As printf in the C locale.  precision -1: none given. */
static void write_real(struct writer *w, char conversion, int precision, double value)
{
  char text[512], *p;
  char format[] = { '%', '.', '*', conversion, '\0' };
  int len = snprintf(text, sizeof text, format, precision < 0 ? 6 : precision, value), radix = 0;

  /* the locale's radix character: whatever printf has not in the C locale */
  for (p = text; p < text + len; p++) {
    if (strchr("0123456789+-einfa", *p))
      write_bytes(w, p, 1);
    else if (!radix++)
      write_bytes(w, ".", 1);
  }
}

enum { SIZE_NONE, SIZE_LONG, SIZE_LONG_LONG, SIZE_SIZE };

static void write_number(struct writer *w, struct format *f, int size, int is_signed)
{
  switch (size) {
  case SIZE_LONG:
    if (is_signed)
      write_integer(w, va_arg(f->arguments, long));
    else
      write_unsigned(w, va_arg(f->arguments, unsigned long));
    return;
  case SIZE_LONG_LONG:
    if (is_signed)
      write_integer(w, va_arg(f->arguments, long long));
    else
      write_unsigned(w, va_arg(f->arguments, unsigned long long));
    return;
  case SIZE_SIZE:
    if (is_signed)
      write_integer(w, va_arg(f->arguments, ssize_t));
    else
      write_unsigned(w, va_arg(f->arguments, size_t));
    return;
  default:
    if (is_signed)
      write_integer(w, va_arg(f->arguments, int));
    else
      write_unsigned(w, va_arg(f->arguments, unsigned));
  }
}

static int scan_size(struct format *f)
{
  int size = SIZE_NONE;

  if (*f->at == 'z') {
    f->at++;
    return SIZE_SIZE;
  }
  for (; *f->at == 'l' && size < SIZE_LONG_LONG; f->at++)
    size++;
  return size;
}

static larder_outcome write_directive(struct writer *w, struct format *f)
{
  const char *begin = f->at++, *bytes;
  int size, precision = -1;
  size_t len;

  if (*f->at == '.') {
    for (f->at++, precision = 0; *f->at >= '0' && *f->at <= '9' && precision < 100; f->at++)
      precision = precision * 10 + (*f->at - '0');
    if (precision > 100 || !*f->at || !strchr("gf", *f->at))
      return bad_format(f, "bad precision", begin);
  }
  size = scan_size(f);
  switch (*f->at++) {
  case 'd':
  case 'i':
    write_number(w, f, size, 1);
    return LARDER_OK;
  case 'u':
    write_number(w, f, size, 0);
    return LARDER_OK;
  default:
    f->at--;
  }
  if (size != SIZE_NONE)
    return bad_format(f, "unknown directive", begin);
  switch (*f->at++) {
  case 's':
    bytes = va_arg(f->arguments, const char *);
    if (!bytes)
      return bad_format(f, "NULL string", begin);
    write_bytes(w, bytes, strlen(bytes));
    return LARDER_OK;
  case 'b':
    bytes = va_arg(f->arguments, const void *);
    len = va_arg(f->arguments, size_t);
    if (!bytes && len)
      return bad_format(f, "NULL bytes", begin);
    if (len > SIZE_MAX / 4 || w->len > SIZE_MAX / 4)
      return LARDER_NO_MEMORY;
    write_bytes(w, bytes, len);
    return LARDER_OK;
  case 'f':
  case 'g':
    write_real(w, f->at[-1], precision, va_arg(f->arguments, double));
    return LARDER_OK;
  case '%':
    write_bytes(w, "%", 1);
    return LARDER_OK;
  default:
    f->at--;
    return bad_format(f, "unknown directive", begin);
  }
}

static larder_outcome run_format(struct writer *w, struct format *f)
{
  larder_outcome outcome;
  size_t literal;

  while (*(f->at += strspn(f->at, " "))) {
    begin_argument(w);
    while (*f->at && *f->at != ' ') {
      if (*f->at == '%') {
        outcome = write_directive(w, f);
        if (outcome != LARDER_OK)
          return outcome;
        continue;
      }
      literal = strcspn(f->at, " %");
      write_bytes(w, f->at, literal);
      f->at += literal;
    }
    end_argument(w);
  }
  return LARDER_OK;
}

larder_outcome lrd_argv_format(struct lrd_arena *arena, const char *format, va_list arguments,
                               int *argc, larder_bytes **argv, char *error, size_t error_size)
{
  struct format f = { .at = format, .error = error, .error_size = error_size };
  struct writer w = { .out = NULL };
  larder_outcome outcome;

  va_copy(f.arguments, arguments);
  outcome = run_format(&w, &f);
  va_end(f.arguments);
  if (outcome == LARDER_OK)
    outcome = make_room(&w, arena);
  if (outcome != LARDER_OK)
    return outcome;
  f.at = format;
  va_copy(f.arguments, arguments);
  run_format(&w, &f);
  va_end(f.arguments);
  *argc = w.argc;
  *argv = w.argv;
  return LARDER_OK;
}

/* --- a line -------------------------------------------------------------- */

static int is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_value(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* p is at a backslash inside "...": returns behind the escape. */
static const char *write_escape(struct writer *w, const char *p, const char *end)
{
  static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
  const char *known;
  char c;

  if (end - p >= 4 && p[1] == 'x' && hex_value(p[2]) >= 0 && hex_value(p[3]) >= 0) {
    c = (char)(hex_value(p[2]) * 16 + hex_value(p[3]));
    write_bytes(w, &c, 1);
    return p + 4;
  }
  known = p[1] ? strchr(from, p[1]) : NULL;
  write_bytes(w, known ? &to[known - from] : p + 1, 1);
  return p + 2;
}

/* p is behind the opening quote; returns behind the closing one; NULL: there is
 * none, or something follows it. */
static const char *write_quoted(struct writer *w, char quote, const char *p, const char *end)
{
  while (p < end && *p != quote) {
    if (quote == '"' && *p == '\\' && end - p >= 2) {
      p = write_escape(w, p, end);
    } else if (quote == '\'' && *p == '\\' && end - p >= 2 && p[1] == '\'') {
      write_bytes(w, "'", 1);
      p += 2;
    } else {
      write_bytes(w, p++, 1);
    }
  }
  if (p == end || (p + 1 < end && !is_space(p[1])))
    return NULL;
  return p + 1;
}

static larder_outcome run_split(struct writer *w, const char *p, const char *end)
{
  while (p < end) {
    if (is_space(*p)) {
      p++;
      continue;
    }
    if (w->argc == INT32_MAX - 1)
      return LARDER_BAD_ARGUMENT;
    begin_argument(w);
    while (p < end && !is_space(*p)) {
      if (*p == '"' || *p == '\'') {
        p = write_quoted(w, *p, p + 1, end);
        if (!p)
          return LARDER_BAD_ARGUMENT;
      } else {
        write_bytes(w, p++, 1);
      }
    }
    end_argument(w);
  }
  return LARDER_OK;
}

larder_outcome lrd_argv_split(struct lrd_arena *arena, const char *line, size_t len, int *argc,
                              larder_bytes **argv)
{
  struct writer w = { .out = NULL };
  larder_outcome outcome = run_split(&w, line, line + len);

  if (outcome == LARDER_OK)
    outcome = make_room(&w, arena);
  if (outcome != LARDER_OK)
    return outcome;
  run_split(&w, line, line + len);
  *argc = w.argc;
  *argv = w.argv;
  return LARDER_OK;
}

/* --- the wire ------------------------------------------------------------ */

static char *put_header(char *p, char mark, size_t number)
{
  *p++ = mark;
  p += lrd_print_integer(p, (int64_t)number);
  *p++ = '\r';
  *p++ = '\n';
  return p;
}

int lrd_argv_encode(struct lrd_buffer *b, int argc, const larder_bytes *argv)
{
  enum { HEADER_SIZE = 24, TRAILER_SIZE = 2 };
  size_t size = HEADER_SIZE;
  char *p;
  int i;

  for (i = 0; i < argc; i++) {
    if (argv[i].len > SIZE_MAX / 4 || size > SIZE_MAX / 4) {
      b->failed = 1;
      return -1;
    }
    size += HEADER_SIZE + argv[i].len + TRAILER_SIZE;
  }
  if (lrd_buffer_reserve(b, size))
    return -1;
  p = put_header(b->data + b->len, '*', (size_t)argc);
  for (i = 0; i < argc; i++) {
    p = put_header(p, '$', argv[i].len);
    if (argv[i].len)
      memcpy(p, argv[i].data, argv[i].len);
    p += argv[i].len;
    *p++ = '\r';
    *p++ = '\n';
  }
  b->len = (size_t)(p - b->data);
  return 0;
}
