/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream_id.h"

#include <string.h>

#include "util/number.h"

int lrd_xid_next(struct lrd_xid *id)
{
  if (id->seq != UINT64_MAX) {
    id->seq++;
    return 1;
  }
  if (id->ms == UINT64_MAX)
    return 0;
  *id = (struct lrd_xid){ id->ms + 1, 0 };
  return 1;
}

int lrd_xid_previous(struct lrd_xid *id)
{
  if (id->seq) {
    id->seq--;
    return 1;
  }
  if (!id->ms)
    return 0;
  *id = (struct lrd_xid){ id->ms - 1, UINT64_MAX };
  return 1;
}

size_t lrd_xid_print(char text[LRD_XID_SIZE], struct lrd_xid id)
{
  size_t len = lrd_print_unsigned(text, id.ms);

  text[len++] = '-';
  return len + lrd_print_unsigned(text + len, id.seq);
}

/* --- reading ------------------------------------------------------------------------------ */

static int is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* As strtoull: spaces in front, a sign (which turns the number around), leading zeros. */
static int parse_freely(const char *p, const char *end, uint64_t *out)
{
  uint64_t n = 0;
  int minus = 0;

  while (p < end && is_space(*p))
    p++;
  if (p < end && (*p == '+' || *p == '-'))
    minus = *p++ == '-';
  if (p == end)
    return 0;
  for (; p < end; p++) {
    unsigned digit = (unsigned)(*p - '0');

    if (digit > 9 || n > (UINT64_MAX - digit) / 10)
      return 0;
    n = n * 10 + digit;
  }
  *out = minus ? 0 - n : n;
  return 1;
}

static int parse_number(const char *p, const char *end, uint64_t *out)
{
  int64_t n;

  if (p < end && end - p <= 20 && lrd_parse_integer(p, (size_t)(end - p), &n)) {
    *out = (uint64_t)n;
    return n >= 0;
  }
  return parse_freely(p, end, out);
}

int lrd_xid_parse(larder_bytes text, enum lrd_xid_form form, uint64_t missing, struct lrd_xid *id)
{
  enum { LONGEST = 127 };
  const char *p = text.data, *end, *dash;

  if (!text.len || text.len > LONGEST)
    return 0;
  end = memchr(p, 0, text.len); /* what is behind a zero byte is not seen */
  end = end ? end : p + text.len;
  if (form == LRD_XID_ENDS && end - p == 1 && (*p == '-' || *p == '+')) {
    *id = *p == '-' ? (struct lrd_xid){ 0, 0 } : LRD_XID_MAX;
    return 1;
  }
  dash = p < end ? memchr(p, '-', (size_t)(end - p)) : NULL;
  if (!parse_number(p, dash ? dash : end, &id->ms))
    return 0;
  id->seq = missing;
  if (!dash)
    return 1;
  if (form == LRD_XID_OPEN && end - dash == 2 && dash[1] == '*') {
    id->seq = 0;
    return 2;
  }
  return parse_number(dash + 1, end, &id->seq);
}
