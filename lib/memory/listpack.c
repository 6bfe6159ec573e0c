/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/listpack.h"

#include <string.h>

enum { END = 0xff, UNKNOWN = 65535, HEAD_MAX = 9, BACK_MAX = 5 };

static void put_little(unsigned char *p, uint64_t value, size_t n)
{
  for (size_t i = 0; i < n; i++)
    p[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_little(const unsigned char *p, size_t n)
{
  uint64_t value = 0;

  while (n--)
    value = value << 8 | p[n];
  return value;
}

/* --- writing ----------------------------------------------------------------------------- */

static size_t back_size(size_t len)
{
  size_t n = 1;

  for (; len > 127; len >>= 7)
    n++;
  return n;
}

/* Read from its end: every byte but the first says that there is one more before it. */
static size_t write_back(unsigned char *p, size_t len)
{
  size_t n = back_size(len);

  for (size_t i = 0; i < n; i++)
    p[i] = (unsigned char)((len >> (7 * (n - 1 - i)) & 127) | (i ? 128 : 0));
  return n;
}

static size_t write_number(unsigned char *p, int64_t v)
{
  static const struct {
    int64_t most;
    unsigned char head;
    unsigned char size;
  } form[] = { { INT16_MAX, 0xf1, 2 }, { (1 << 23) - 1, 0xf2, 3 }, { INT32_MAX, 0xf3, 4 },
               { INT64_MAX, 0xf4, 8 } };
  size_t i = 0;

  if (v >= 0 && v <= 127) {
    p[0] = (unsigned char)v;
    return 1;
  }
  if (v >= -4096 && v <= 4095) {
    p[0] = (unsigned char)(0xc0 | ((uint64_t)v >> 8 & 31));
    p[1] = (unsigned char)v;
    return 2;
  }
  while (v > form[i].most || v < -form[i].most - 1)
    i++;
  p[0] = form[i].head;
  put_little(p + 1, (uint64_t)v, form[i].size);
  return 1 + (size_t)form[i].size;
}

static size_t write_string_head(unsigned char *p, size_t len)
{
  if (len < 64) {
    p[0] = (unsigned char)(0x80 | len);
    return 1;
  }
  if (len < 4096) {
    p[0] = (unsigned char)(0xe0 | len >> 8);
    p[1] = (unsigned char)len;
    return 2;
  }
  p[0] = 0xf0;
  put_little(p + 1, len, 4);
  return 5;
}

/* The head; *rest: how many bytes of the text follow. */
static size_t write_head(unsigned char *p, larder_bytes text, size_t *rest)
{
  int64_t number;

  *rest = 0;
  if (text.len && text.len <= 20 && lrd_parse_integer(text.data, text.len, &number))
    return write_number(p, number);
  *rest = text.len;
  return write_string_head(p, text.len);
}

size_t lrd_listpack_size(larder_bytes text)
{
  unsigned char head[HEAD_MAX];
  size_t rest, size = write_head(head, text, &rest) + rest;

  return size + back_size(size);
}

void lrd_listpack_add(struct lrd_buffer *b, larder_bytes text)
{
  unsigned char head[HEAD_MAX], back[BACK_MAX];
  size_t rest, size = write_head(head, text, &rest);

  if (!lrd_buffer_append(b, head, size) && (!rest || !lrd_buffer_append(b, text.data, rest)))
    (void)lrd_buffer_append(b, back, write_back(back, size + rest));
}

size_t lrd_listpack_begin(struct lrd_buffer *b)
{
  static const unsigned char head[LRD_LISTPACK_HEAD] = { 0 };
  size_t begin = b->len;

  (void)lrd_buffer_append(b, head, sizeof head);
  return begin;
}

void lrd_listpack_end(struct lrd_buffer *b, size_t begin, size_t entries)
{
  unsigned char end = END, *p;

  if (lrd_buffer_append(b, &end, 1) || b->failed)
    return;
  p = (unsigned char *)b->data + begin;
  put_little(p, b->len - begin, 4);
  put_little(p + 4, entries < UNKNOWN ? entries : UNKNOWN, 2);
}

/* --- reading ----------------------------------------------------------------------------- */

int lrd_listpack_open(struct lrd_listpack *l, larder_bytes block)
{
  const unsigned char *p = (const unsigned char *)block.data;

  if (block.len < LRD_LISTPACK_LEAST || get_little(p, 4) != block.len || p[block.len - 1] != END)
    return 0;
  *l = (struct lrd_listpack){ p + LRD_LISTPACK_HEAD, p + block.len - 1,
                              (size_t)get_little(p + 4, 2) };
  return 1;
}

/* The bytes of a number's or a string's head, by its first byte; 0: there is no such one. */
static size_t head_size(unsigned char first, int *is_string)
{
  static const unsigned char long_size[] = { 5, 3, 4, 5, 9 };

  *is_string = 0;
  if (first < 0x80)
    return 1;
  *is_string = first < 0xc0 || (first >= 0xe0 && first <= 0xf0);
  if (first < 0xf0)
    return first < 0xc0 ? 1 : 2;
  return first <= 0xf4 ? long_size[first - 0xf0] : 0;
}

static int64_t number_of(const unsigned char *p, size_t size)
{
  unsigned unused;

  if (size == 1)
    return *p;
  if (size == 2) {
    int64_t v = (int64_t)(*p & 31) << 8 | p[1];

    return v > 4095 ? v - 8192 : v;
  }
  unused = 64 - 8 * (unsigned)(size - 1);
  return (int64_t)(get_little(p + 1, size - 1) << unused) >> unused;
}

static size_t length_of(const unsigned char *p, size_t size)
{
  return size == 1 ? *p & 63u : size == 2 ? (size_t)(*p & 15) << 8 | p[1]
                                          : (size_t)get_little(p + 1, 4);
}

int lrd_listpack_next(struct lrd_listpack *l, larder_bytes *text, char *number)
{
  size_t left = (size_t)(l->end - l->at), size, back;
  unsigned char expected[BACK_MAX];
  int is_string;

  if (!left)
    return 0;
  size = head_size(*l->at, &is_string);
  if (!size || size > left)
    return -1;
  if (is_string)
    *text = (larder_bytes){ (const char *)l->at + size, length_of(l->at, size) };
  else
    *text = (larder_bytes){ number, lrd_print_integer(number, number_of(l->at, size)) };
  if (is_string && text->len > left - size)
    return -1;
  size += is_string ? text->len : 0;
  back = size < 0xffffffff ? write_back(expected, size) : left;
  if (back > left - size || memcmp(l->at + size, expected, back) != 0)
    return -1;
  l->at += size + back;
  return 1;
}
