/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(struct lrd_exposition *e, const char *text, size_t len)
{
  if (e->length < e->size) {
    size_t room = e->size - e->length - 1, fits = len < room ? len : room;
    memcpy(e->buffer + e->length, text, fits);
    e->buffer[e->length + fits] = '\0';
  }
  e->length += len;
}

static void put_text(struct lrd_exposition *e, const char *text)
{
  put(e, text, strlen(text));
}

void lrd_exposition_family(struct lrd_exposition *e, const char *name, const char *type,
                           const char *help)
{
  e->family = name;
  put_text(e, "# HELP ");
  put_text(e, name);
  put_text(e, " ");
  put_text(e, help);
  put_text(e, "\n# TYPE ");
  put_text(e, name);
  put_text(e, " ");
  put_text(e, type);
  put_text(e, "\n");
}

static void put_escaped(struct lrd_exposition *e, const char *value)
{
  for (; *value; value++)
    if (*value == '\n')
      put_text(e, "\\n");
    else if (*value == '"' || *value == '\\')
      put(e, (const char[]){'\\', *value}, 2);
    else
      put(e, value, 1);
}

static void put_sample(struct lrd_exposition *e, const char *suffix, const char *const *labels,
                       const char *value)
{
  const char *before = "{";
  put_text(e, e->family);
  put_text(e, suffix);
  for (; labels && *labels; labels += 2, before = ",") {
    put_text(e, before);
    put_text(e, labels[0]);
    put_text(e, "=\"");
    put_escaped(e, labels[1]);
    put_text(e, "\"");
  }
  put_text(e, *before == ',' ? "} " : " ");
  put_text(e, value);
  put_text(e, "\n");
}

void lrd_exposition_count(struct lrd_exposition *e, const char *suffix, const char *const *labels,
                          uint64_t value)
{
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, value);
  put_sample(e, suffix, labels, text);
}

void lrd_exposition_seconds(struct lrd_exposition *e, const char *suffix,
                            const char *const *labels, uint64_t ns)
{
  char text[LRD_SECONDS_SIZE];
  put_sample(e, suffix, labels, lrd_seconds_text(ns, text));
}

const char *lrd_seconds_text(uint64_t ns, char text[LRD_SECONDS_SIZE])
{
  int len = snprintf(text, LRD_SECONDS_SIZE, "%" PRIu64 ".%09" PRIu64, ns / 1000000000,
                     ns % 1000000000);
  while (text[len - 1] == '0')
    len--;
  if (text[len - 1] == '.')
    len--;
  text[len] = '\0';
  return text;
}
