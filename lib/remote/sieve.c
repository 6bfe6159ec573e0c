/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/sieve.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void begin_item(struct lrd_sieve *s, char type)
{
  s->type = type;
  s->held = s->dropping || type == '|' || type == '!';
  s->digits = s->count = 0;
  s->bad = 0;
  switch (type) {
  case '$': case '=': case '!': case '*': case '%': case '~': case '>': case '|':
    s->at = LRD_SIEVE_COUNT;
    break;
  case ',':
    s->doubles |= !s->dropping;
    s->at = LRD_SIEVE_LINE;
    break;
  default:
    s->at = LRD_SIEVE_LINE;
  }
}

static void take_digit(struct lrd_sieve *s, char c)
{
  if (c == '\r')
    return;
  if (s->digits == 0 && c == '-') {
    s->digits = 1;
    s->bad = 1; /* -1, a nil: nothing follows */
    return;
  }
  s->digits++;
  if (c < '0' || c > '9' || s->count > (SIZE_MAX - 9) / 10)
    s->bad = 1;
  else
    s->count = s->count * 10 + (size_t)(c - '0');
}

/* The item's head is whole: 0, or -1: it can't be. */
static int end_head(struct lrd_sieve *s)
{
  size_t items = 0;
  int bulk = s->type == '$' || s->type == '=' || s->type == '!';
  if (s->at == LRD_SIEVE_COUNT && !s->bad) {
    s->body = bulk && s->count <= SIZE_MAX - 2 ? s->count + 2 : 0;
    items = bulk ? 0 : s->count;
  }
  s->at = bulk && s->body ? LRD_SIEVE_BODY : LRD_SIEVE_TYPE;
  int attribute = s->type == '|';
  if (!attribute && !s->dropping)
    return 0;
  if (items > LRD_SIEVE_ELEMENTS || (attribute && (s->bad || !s->digits)))
    return -1;
  if (attribute || s->type == '%')
    items *= 2;
  s->dropping += items - !attribute;
  return s->dropping > LRD_SIEVE_ELEMENTS ? -1 : 0;
}

/* Reads on in the head: bytes of it; *whole: it has ended. */
static size_t read_head(struct lrd_sieve *s, const char *bytes, size_t len, int *whole)
{
  const char *end = memchr(bytes, '\n', len);
  size_t n = end ? (size_t)(end - bytes) : len;
  *whole = end != NULL;
  if (s->at == LRD_SIEVE_COUNT)
    for (size_t i = 0; i < n; i++)
      take_digit(s, bytes[i]);
  return n + (end != NULL);
}

static size_t read_body(struct lrd_sieve *s, size_t len)
{
  size_t n = len < s->body ? len : s->body;
  s->body -= n;
  if (!s->body)
    s->at = LRD_SIEVE_TYPE;
  return n;
}

/* The head that hiredis gets in place of a "!" one. */
static void put_error_head(struct lrd_sieve *s, const char **run, size_t *run_len)
{
  int n = snprintf(s->text, sizeof s->text, s->bad ? "=x\r\n" : "=%zu\r\n", s->count + 4);
  *run_len = (size_t)n;
  *run = s->text;
  if (s->bad)
    return;
  memcpy(s->text + n, LRD_SIEVE_ERROR_FORM ":", 4);
  *run_len += 4;
}

/* A part that doesn't go on: the rest of a head or of a body. */
static size_t hold(struct lrd_sieve *s, const char *bytes, size_t len, const char **run,
                   size_t *run_len)
{
  if (s->at == LRD_SIEVE_BODY)
    return read_body(s, len);
  int whole, error = s->type == '!' && !s->dropping;
  size_t n = read_head(s, bytes, len, &whole);
  if (!whole)
    return n;
  if (end_head(s) != 0)
    return 0;
  if (error) {
    put_error_head(s, run, run_len);
    s->held = 0; /* its body goes on */
  }
  return n;
}

enum { DIGITS = 9 }; /* of a number that is read at once */

/* An item that goes on and whose head lies here whole, as nearly all do: its bytes, as many as are
 * here; 0: it has to be looked at more closely.  A number may be one of a line (":"), too. */
static size_t pass_at_once(struct lrd_sieve *s, const char *item, size_t len)
{
  size_t n = 0, i = 1;
  if (*item == '+' || *item == '-' || *item == '_' || *item == '#') {
    const char *end = memchr(item, '\n', len);
    return end ? (size_t)(end - item) + 1 : 0;
  }
  if (*item == ',' || *item == '(')
    return 0;
  for (; i < len && i <= DIGITS && item[i] >= '0' && item[i] <= '9'; i++)
    n = n * 10 + (size_t)(item[i] - '0');
  if (i == 1 || len - i < 2 || item[i] != '\r' || item[i + 1] != '\n')
    return 0;
  i += 2;
  if (*item != '$' && *item != '=')
    return i;
  n += 2;
  if (n <= len - i)
    return i + n;
  s->at = LRD_SIEVE_BODY;
  s->held = 0;
  s->body = n - (len - i);
  return len;
}

/* As much as goes on as it is; up to an item that doesn't. */
static size_t pass(struct lrd_sieve *s, const char *bytes, size_t len)
{
  size_t at = 0, n;
  int whole;
  while (at < len) {
    if (s->at == LRD_SIEVE_TYPE) {
      if (bytes[at] == '|' || bytes[at] == '!')
        break;
      if ((n = pass_at_once(s, bytes + at, len - at)))
        at += n;
      else
        begin_item(s, bytes[at++]);
    } else if (s->at == LRD_SIEVE_BODY) {
      at += read_body(s, len - at);
    } else {
      at += read_head(s, bytes + at, len - at, &whole);
      if (whole)
        end_head(s);
    }
  }
  return at;
}

size_t lrd_sieve_take(struct lrd_sieve *s, const char *bytes, size_t len, const char **run,
                      size_t *run_len)
{
  *run_len = 0;
  if (s->at != LRD_SIEVE_TYPE && s->held)
    return hold(s, bytes, len, run, run_len);
  if (s->at == LRD_SIEVE_TYPE && (s->dropping || *bytes == '|' || *bytes == '!')) {
    begin_item(s, *bytes);
    return 1;
  }
  *run = bytes;
  return *run_len = pass(s, bytes, len);
}
