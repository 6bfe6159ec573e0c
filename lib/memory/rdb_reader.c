/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rdb_reader.h"

#include "memory/entry.h"
#include "util/lzf.h"

int lrd_reader_fail(struct lrd_reader *r, enum lrd_load state)
{
  if (r->state == LRD_LOAD_OK)
    r->state = state;
  return 0;
}

int lrd_reader_bad(struct lrd_reader *r)
{
  return lrd_reader_fail(r, LRD_LOAD_BAD);
}

uint64_t lrd_reader_little(const unsigned char *p, size_t n)
{
  uint64_t v = 0;

  while (n--)
    v = v << 8 | p[n];
  return v;
}

/* --- lengths and strings ------------------------------------------------------------------ */

const unsigned char *lrd_reader_take(struct lrd_reader *r, uint64_t n)
{
  const unsigned char *p = r->at;

  if (n > (uint64_t)(r->end - p)) {
    lrd_reader_bad(r);
    return NULL;
  }
  r->at += n;
  return p;
}

static int read_big(struct lrd_reader *r, size_t size, uint64_t *v)
{
  const unsigned char *p = lrd_reader_take(r, size);

  if (!p)
    return 0;
  *v = 0;
  while (size--)
    *v = *v << 8 | *p++;
  return 1;
}

/* *special: it is no length but the form of a string. */
static int read_length(struct lrd_reader *r, uint64_t *len, int *special)
{
  const unsigned char *p = lrd_reader_take(r, 1), *more;

  *special = 0;
  if (!p)
    return 0;
  *len = *p & 63u;
  switch (*p >> 6) {
  case 0:
    return 1;
  case 1:
    more = lrd_reader_take(r, 1);
    *len = more ? *len << 8 | *more : 0;
    return more != NULL;
  case 2:
    return *p == 0x80 ? read_big(r, 4, len) : *p == 0x81 ? read_big(r, 8, len) : lrd_reader_bad(r);
  default:
    *special = 1;
    return 1;
  }
}

int lrd_reader_count(struct lrd_reader *r, uint64_t *n)
{
  int special;

  return read_length(r, n, &special) && (!special || lrd_reader_bad(r));
}

static int read_number(struct lrd_reader *r, size_t size, struct lrd_rdb_text *t)
{
  const unsigned char *p = lrd_reader_take(r, size);
  unsigned unused = 64 - 8 * (unsigned)size;
  int64_t value;

  if (!p)
    return 0;
  value = (int64_t)(lrd_reader_little(p, size) << unused) >> unused;
  t->bytes = (larder_bytes){ t->number, lrd_print_integer(t->number, value) };
  return 1;
}

/* What a few bytes can't expand to is not believed. */
static int read_compressed(struct lrd_reader *r, struct lrd_rdb_text *t)
{
  const unsigned char *p;
  uint64_t size, len;
  char *to;

  if (!lrd_reader_count(r, &size) || !lrd_reader_count(r, &len) || !(p = lrd_reader_take(r, size)))
    return 0;
  if (!len || len > LRD_STRING_MAX || len / LRD_LZF_MOST > size)
    return lrd_reader_bad(r);
  to = lrd_arena_allocate(&r->arena, (size_t)len);
  if (!to)
    return lrd_reader_fail(r, LRD_LOAD_NO_MEMORY);
  if (lrd_lzf_expand(p, (size_t)size, (unsigned char *)to, (size_t)len))
    return lrd_reader_bad(r);
  t->bytes = (larder_bytes){ to, (size_t)len };
  return 1;
}

int lrd_reader_text(struct lrd_reader *r, struct lrd_rdb_text *t)
{
  const unsigned char *p;
  uint64_t len;
  int special;

  if (!read_length(r, &len, &special))
    return 0;
  if (special && len > 3)
    return lrd_reader_bad(r);
  if (special)
    return len < 3 ? read_number(r, (size_t)1 << len, t) : read_compressed(r, t);
  p = lrd_reader_take(r, len);
  if (!p || len > LRD_STRING_MAX)
    return lrd_reader_bad(r);
  t->bytes = (larder_bytes){ (const char *)p, (size_t)len };
  return 1;
}

void lrd_reader_forget(struct lrd_reader *r)
{
  lrd_arena_free(&r->arena);
  lrd_arena_init(&r->arena, r->memory);
}
