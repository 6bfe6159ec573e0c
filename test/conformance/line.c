/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/line.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void malformed(const char *text)
{
  fprintf(stderr, "malformed test line: %s\n", text);
  fflush(stderr);
  _exit(1);
}

static int hex(char c)
{
  return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

/* One character of "..."; returns what follows it. */
static const char *unescape(const char *p, char *out)
{
  if (*p != '\\') {
    *out = *p;
    return p + 1;
  }
  switch (*++p) {
  case 'n': *out = '\n'; return p + 1;
  case 'r': *out = '\r'; return p + 1;
  case 't': *out = '\t'; return p + 1;
  case '0': *out = 0; return p + 1;
  case 'x': *out = (char)(hex(p[1]) * 16 + hex(p[2])); return p + 3;
  default: *out = *p; return p + 1;
  }
}

void line_parse(struct line *l, const char *text)
{
  const char *p = text;
  size_t used = 0;
  l->argc = 0;
  for (;;) {
    while (*p == ' ')
      p++;
    if (!*p)
      return;
    if (l->argc == LINE_WORDS)
      malformed(text);
    char quote = *p == '"' || *p == '\'' ? *p++ : 0;
    size_t begin = used;
    while (*p && (quote ? *p != quote : *p != ' ')) {
      if (used + 2 > LINE_SIZE)
        malformed(text);
      if (quote == '"')
        p = unescape(p, &l->text[used++]);
      else
        l->text[used++] = *p++;
    }
    if (quote && *p++ != quote)
      malformed(text);
    l->argv[l->argc] = &l->text[begin];
    l->len[l->argc++] = used - begin;
    l->text[used++] = 0;
  }
}

void line_fill(char *out, size_t size, const char *pattern, const char *word)
{
  size_t used = 0, len = strlen(word);
  for (const char *p = pattern; *p; p++) {
    int here = p[0] == '%' && p[1] == 's';
    size_t n = here ? len : 1;
    if (used + n >= size)
      malformed(pattern);
    memcpy(out + used, here ? word : p, n);
    used += n;
    p += here;
  }
  out[used] = 0;
}

static int is_plain(const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\'' || text[i] == '\\')
      return 0;
  return len != 0;
}

char *line_print(int argc, const char *const *argv, const size_t *len)
{
  size_t size = 1;
  for (int i = 0; i < argc; i++)
    size += (len ? len[i] : strlen(argv[i])) * 4 + 4;
  char *out = malloc(size), *p = out;
  if (!out)
    malformed("(out of memory)");
  for (int i = 0; i < argc; i++) {
    size_t n = len ? len[i] : strlen(argv[i]);
    if (i)
      *p++ = ' ';
    if (is_plain(argv[i], n)) {
      memcpy(p, argv[i], n);
      p += n;
      continue;
    }
    *p++ = '"';
    for (size_t j = 0; j < n; j++)
      if (argv[i][j] == ' ' || is_plain(argv[i] + j, 1))
        *p++ = argv[i][j];
      else
        p += snprintf(p, 5, "\\x%02x", (unsigned char)argv[i][j]);
    *p++ = '"';
  }
  *p = 0;
  return out;
}
