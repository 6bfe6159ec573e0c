/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/bytes.h"
#include "support/resp.h"

void resp_clear(struct resp *r)
{
  for (size_t i = 0; r->element && i < r->len; i++)
    resp_clear(&r->element[i]);
  free(r->element);
  free(r->str);
  memset(r, 0, sizeof *r);
}

void resp_free(struct resp *r)
{
  if (!r)
    return;
  resp_clear(r);
  free(r);
}

void resp_set_text(struct resp *r, enum resp_type type, const char *text, size_t len)
{
  r->type = type;
  r->len = len;
  r->str = need(malloc(len + 1));
  if (len)
    memcpy(r->str, text, len);
  r->str[len] = 0;
}

void resp_set_aggregate(struct resp *r, enum resp_type type, size_t len)
{
  r->type = type;
  r->len = len;
  r->element = need(calloc(len ? len : 1, sizeof *r->element));
}

void resp_copy(struct resp *to, const struct resp *from)
{
  *to = *from;
  if (from->str)
    resp_set_text(to, from->type, from->str, from->len);
  if (!from->element)
    return;
  resp_set_aggregate(to, from->type, from->len);
  for (size_t i = 0; i < from->len; i++)
    resp_copy(&to->element[i], &from->element[i]);
}

static void print_bytes(struct bytes *b, const char *text, size_t len)
{
  bytes_add(b, "\"", 1);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    char escape[8];
    if (c >= 32 && c < 127 && c != '"' && c != '\\') {
      bytes_add(b, text + i, 1);
      continue;
    }
    snprintf(escape, sizeof escape, "\\x%02x", c);
    bytes_add(b, escape, 4);
  }
  bytes_add(b, "\"", 1);
}

static void print_list(struct bytes *b, const struct resp *r);

static void print(struct bytes *b, const struct resp *r)
{
  char text[64] = "";
  switch (r->type) {
  case RESP_NIL: bytes_add(b, "nil", 3); return;
  case RESP_NIL_ARRAY: bytes_add(b, "nil-array", 9); return;
  case RESP_STRING: print_bytes(b, r->str, r->len); return;
  case RESP_STATUS:
    bytes_add(b, "+", 1);
    bytes_add(b, r->str, r->len);
    return;
  case RESP_ERROR:
    bytes_add(b, "-", 1);
    bytes_add(b, r->str, r->len);
    return;
  case RESP_INTEGER: snprintf(text, sizeof text, ":%lld", (long long)r->integer); break;
  case RESP_DOUBLE: snprintf(text, sizeof text, ",%.17g", r->real); break;
  case RESP_BOOLEAN: snprintf(text, sizeof text, "#%c", r->integer ? 't' : 'f'); break;
  case RESP_BIGNUM:
    bytes_add(b, "(", 1);
    bytes_add(b, r->str, r->len);
    return;
  case RESP_VERBATIM:
    bytes_add(b, "=", 1);
    print_bytes(b, r->str, r->len);
    return;
  case RESP_ARRAY:
  case RESP_MAP:
  case RESP_SET:
  case RESP_PUSH: print_list(b, r); return;
  }
  bytes_add(b, text, strlen(text));
}

static void print_list(struct bytes *b, const struct resp *r)
{
  const char *open = r->type == RESP_ARRAY ? "[" : r->type == RESP_MAP ? "{" : "~[";
  if (r->type == RESP_PUSH)
    open = ">[";
  bytes_add(b, open, strlen(open));
  for (size_t i = 0; i < r->len; i++) {
    if (i)
      bytes_add(b, r->type == RESP_MAP && i % 2 ? ": " : ", ", 2);
    if (b->len > 4000) {
      bytes_add(b, "...", 3);
      break;
    }
    print(b, &r->element[i]);
  }
  bytes_add(b, r->type == RESP_MAP ? "}" : "]", 1);
}

char *resp_text(const struct resp *r)
{
  struct bytes b = {0};
  if (r)
    print(&b, r);
  else
    bytes_add(&b, "(no reply)", 10);
  bytes_add(&b, "", 1);
  return b.data;
}

int resp_is_error(const struct resp *r, const char *prefix)
{
  return r && r->type == RESP_ERROR && strncmp(r->str, prefix, strlen(prefix)) == 0;
}

int resp_is_text(const struct resp *r, const char *text)
{
  return r && (r->type == RESP_STRING || r->type == RESP_STATUS) && r->len == strlen(text) &&
         memcmp(r->str, text, r->len) == 0;
}
