/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool.h"

#include <inttypes.h>

static int is_aggregate(const larder_value *v)
{
  return v->type == LARDER_ARRAY || v->type == LARDER_MAP || v->type == LARDER_SET ||
         v->type == LARDER_PUSH;
}

/* Pairs are flat in RESP2. */
static int is_flat(const larder_value *v, const struct tool_format *f)
{
  return !f->resp3 && v->resp2 == LARDER_RESP2_PAIRS;
}

/* A map that is an array of pairs there. */
static int is_nested(const larder_value *v, const struct tool_format *f)
{
  return !f->resp3 && v->resp2 == LARDER_RESP2_NESTED;
}

static size_t count(const larder_value *v, const struct tool_format *f)
{
  return is_flat(v, f) ? v->len * 2 : is_nested(v, f) ? v->len / 2 : v->len;
}

/* pair: room for one that is none in the value. */
static const larder_value *child(const larder_value *v, size_t i, const struct tool_format *f,
                                 larder_value *pair)
{
  if (is_nested(v, f)) {
    *pair = (larder_value){ .type = LARDER_ARRAY, .len = 2 };
    pair->element = &v->element[2 * i];
    return pair;
  }
  return is_flat(v, f) ? &v->element[i / 2].element[i % 2] : &v->element[i];
}

static int is_map(const larder_value *v, const struct tool_format *f)
{
  return f->resp3 && v->type == LARDER_MAP;
}

/* --- raw ------------------------------------------------------------------ */

static void raw(FILE *out, const larder_value *v, const struct tool_format *f)
{
  larder_value pair;
  size_t i;

  switch ((larder_type)v->type) {
  case LARDER_NIL:
    break;
  case LARDER_INTEGER:
    fprintf(out, "%" PRId64, v->integer);
    break;
  case LARDER_BOOLEAN:
    fputs(f->resp3 ? (v->integer ? "(true)" : "(false)") : (v->integer ? "1" : "0"), out);
    break;
  case LARDER_STRING:
  case LARDER_STATUS:
  case LARDER_ERROR:
  case LARDER_DOUBLE:
  case LARDER_BIGNUM:
  case LARDER_VERBATIM:
    fwrite(v->str, 1, v->len, out);
    break;
  case LARDER_ARRAY:
  case LARDER_MAP:
  case LARDER_SET:
  case LARDER_PUSH:
    for (i = 0; i < count(v, f); i++) {
      if (i > 0)
        fputc(is_map(v, f) && i % 2 == 1 ? ' ' : '\n', out);
      raw(out, child(v, i, f, &pair), f);
    }
    break;
  }
}

/* --- for eyes ------------------------------------------------------------- */

static void quoted(FILE *out, const char *s, size_t len)
{
  static const char special[] = "\\\"\n\r\t\a\b", letter[] = "\\\"nrtab";
  size_t i, j;

  fputc('"', out);
  for (i = 0; i < len; i++) {
    for (j = 0; j + 1 < sizeof special && s[i] != special[j]; j++)
      continue;
    if (j + 1 < sizeof special)
      fprintf(out, "\\%c", letter[j]);
    else if (s[i] >= ' ' && s[i] <= '~')
      fputc(s[i], out);
    else
      fprintf(out, "\\x%02x", (unsigned char)s[i]);
  }
  fputc('"', out);
}

static int digits(size_t n)
{
  int d = 1;

  while (n >= 10) {
    n /= 10;
    d++;
  }
  return d;
}

static void pretty(FILE *out, const larder_value *v, const struct tool_format *f, int indent);

static void elements(FILE *out, const larder_value *v, const struct tool_format *f, int indent)
{
  int map = is_map(v, f);
  size_t n = count(v, f), i, step = map ? 2 : 1;
  int width = digits(n / step);
  int set = f->resp3 && v->type == LARDER_SET, push = v->type == LARDER_PUSH;
  char mark = map ? '#' : set ? '~' : push ? '>' : ')';
  const larder_value *value;
  larder_value pair;

  for (i = 0; i < n; i += step) {
    if (i > 0)
      fprintf(out, "\n%*s", indent, "");
    fprintf(out, "%*zu%c ", width, i / step + 1, mark);
    pretty(out, child(v, i, f, &pair), f, indent + width + 2);
    if (!map)
      continue;
    value = child(v, i + 1, f, &pair);
    fputs(" => ", out);
    if (is_aggregate(value) && count(value, f) > (is_map(value, f) ? 2 : 1))
      fprintf(out, "\n%*s", indent + width + 2, "");
    pretty(out, value, f, indent + width + 2);
  }
}

static const char *empty_name(const larder_value *v, const struct tool_format *f)
{
  if (!f->resp3 || v->type == LARDER_ARRAY)
    return "(empty array)";
  return v->type == LARDER_MAP ? "(empty hash)" : v->type == LARDER_SET ? "(empty set)"
                                                                        : "(empty push)";
}

static void pretty(FILE *out, const larder_value *v, const struct tool_format *f, int indent)
{
  switch ((larder_type)v->type) {
  case LARDER_NIL:
    fputs("(nil)", out);
    break;
  case LARDER_INTEGER:
    fprintf(out, "(integer) %" PRId64, v->integer);
    break;
  case LARDER_BOOLEAN:
    if (f->resp3)
      fputs(v->integer ? "(true)" : "(false)", out);
    else
      fprintf(out, "(integer) %d", v->integer != 0);
    break;
  case LARDER_DOUBLE:
    if (!f->resp3) {
      quoted(out, v->str, v->len);
      break;
    }
    fputs("(double) ", out);
    fwrite(v->str, 1, v->len, out);
    break;
  case LARDER_ERROR:
    fputs("(error) ", out);
    fwrite(v->str, 1, v->len, out);
    break;
  case LARDER_STATUS:
  case LARDER_BIGNUM:
  case LARDER_VERBATIM:
    fwrite(v->str, 1, v->len, out);
    break;
  case LARDER_STRING:
    quoted(out, v->str, v->len);
    break;
  case LARDER_ARRAY:
  case LARDER_MAP:
  case LARDER_SET:
  case LARDER_PUSH:
    if (v->len == 0)
      fputs(empty_name(v, f), out);
    else
      elements(out, v, f, indent);
    break;
  }
}

void tool_print(FILE *out, const larder_value *v, const struct tool_format *f)
{
  if (f->raw)
    raw(out, v, f);
  else
    pretty(out, v, f, 0);
  /* A text that ends its last line itself (INFO) gets no empty one behind it. */
  if (v->type != LARDER_VERBATIM || v->len == 0 || v->str[v->len - 1] != '\n')
    fputc('\n', out);
}
