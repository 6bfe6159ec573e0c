/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/bits.h"
#include "memory/shard.h"
#include "memory/t_bitmap.h"
#include "memory/t_engine.h"

/* --- arguments ------------------------------------------------------------------------- */

int lrd_argument_bit_offset(struct lrd_exec *x, int i, unsigned width, uint64_t *offset)
{
  larder_bytes text = x->argv[i];
  int counts = width && text.len && text.data[0] == '#';
  int64_t n;

  if (counts) {
    text.data++;
    text.len--;
  }
  if (!lrd_parse_integer(text.data, text.len, &n) || n < 0 ||
      (counts && __builtin_mul_overflow(n, (int64_t)width, &n)) ||
      (uint64_t)n / 8 >= LRD_STRING_MAX) {
    lrd_error(x, "ERR bit offset is not an integer or out of range");
    return 0;
  }
  *offset = (uint64_t)n;
  return 1;
}

/* A string's bytes, none if there is no key; number: for the print of one. */
static larder_bytes bytes_of(const struct lrd_entry *entry, char *number)
{
  return entry ? lrd_entry_string(entry, number) : (larder_bytes){ "", 0 };
}

static const unsigned char *unsigned_of(larder_bytes b)
{
  return (const unsigned char *)b.data;
}

/* --- one bit --------------------------------------------------------------------------- */

void lrd_t_getbit(struct lrd_exec *x)
{
  char number[LRD_NUMBER_SIZE];
  struct lrd_entry *entry;
  larder_bytes value;
  uint64_t at;

  if (!lrd_argument_bit_offset(x, 2, 0, &at) || !lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  value = bytes_of(entry, number);
  lrd_sink_integer(x->sink, (int64_t)lrd_bits_get(unsigned_of(value), value.len, at, 1));
}

void lrd_t_setbit(struct lrd_exec *x)
{
  char number[LRD_NUMBER_SIZE], *text;
  struct lrd_entry *entry;
  larder_bytes value;
  uint64_t at;
  int64_t bit;
  int was;

  if (!lrd_argument_bit_offset(x, 2, 0, &at))
    return;
  if (!lrd_parse_integer(x->argv[3].data, x->argv[3].len, &bit) || (bit & ~INT64_C(1))) {
    lrd_error(x, "ERR bit is not an integer or out of range");
    return;
  }
  if (!lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  value = bytes_of(entry, number);
  was = (int)lrd_bits_get(unsigned_of(value), value.len, at, 1);
  text = lrd_string_extend(x, x->argv[1], entry,
                           at / 8 < value.len ? value.len : (size_t)(at / 8) + 1);
  if (!text)
    return;
  lrd_bits_set((unsigned char *)text, at, 1, (uint64_t)bit);
  if (was != bit || !entry || at / 8 >= value.len)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, was);
}

/* --- BITCOUNT, BITPOS ------------------------------------------------------------------- */

/* Positions from argument i on: start, end, what they count. */
struct range {
  int64_t first, last;
  int ended;  /* an end was given */
  int bits;   /* they are bits, not bytes */
};

static int parse_unit(struct lrd_exec *x, int i, struct range *r)
{
  if (i >= x->argc)
    return 1;
  if (lrd_is_word(&x->argv[i], "BIT") || lrd_is_word(&x->argv[i], "BYTE")) {
    r->bits = lrd_is_word(&x->argv[i], "BIT");
    return 1;
  }
  lrd_error(x, lrd_text_syntax);
  return 0;
}

static int parse_first(struct lrd_exec *x, int i, struct range *r)
{
  *r = (struct range){ 0, -1, 0, 0 };
  return x->argc <= i || lrd_argument_integer(x, i, &r->first);
}

static int parse_last(struct lrd_exec *x, int i, struct range *r)
{
  r->ended = x->argc > i;
  return !r->ended || lrd_argument_integer(x, i, &r->last);
}

/* Makes it a range of bits of a value; 0: it is empty. */
static int clip(struct range *r, size_t len)
{
  int64_t total = (int64_t)len * (r->bits ? 8 : 1);

  r->first = r->first < 0 ? r->first + total : r->first;
  r->last = r->last < 0 ? r->last + total : r->last;
  r->first = r->first < 0 ? 0 : r->first;
  r->last = r->last < 0 ? 0 : r->last;
  r->last = r->last >= total ? total - 1 : r->last;
  if (r->first > r->last)
    return 0;
  if (!r->bits) {
    r->first *= 8;
    r->last = r->last * 8 + 7;
  }
  return 1;
}

void lrd_t_bitcount(struct lrd_exec *x)
{
  char number[LRD_NUMBER_SIZE];
  struct lrd_entry *entry;
  larder_bytes value;
  struct range r;

  /* Redis looks at the arguments only if there is something to count */
  if (!lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  if (!entry) {
    lrd_sink_integer(x->sink, 0);
    return;
  }
  if (x->argc == 3 || x->argc > 5) {
    lrd_error(x, lrd_text_syntax);
    return;
  }
  if (!parse_first(x, 2, &r) || !parse_last(x, 3, &r))
    return;
  if (r.first < 0 && r.last < 0 && r.first > r.last) { /* before the unit is looked at */
    lrd_sink_integer(x->sink, 0);
    return;
  }
  if (!parse_unit(x, 4, &r))
    return;
  value = bytes_of(entry, number);
  if (!clip(&r, value.len))
    lrd_sink_integer(x->sink, 0);
  else
    lrd_sink_integer(x->sink, (int64_t)lrd_bits_count_range(unsigned_of(value), (uint64_t)r.first,
                                                            (uint64_t)r.last));
}

/* Behind a value without an end there are zeros. */
static int64_t position(const struct range *r, larder_bytes value, int bit)
{
  int64_t at = lrd_bits_find(unsigned_of(value), (uint64_t)r->first, (uint64_t)r->last, bit);

  return at < 0 && !bit && !r->ended ? (int64_t)value.len * 8 : at;
}

void lrd_t_bitpos(struct lrd_exec *x)
{
  char number[LRD_NUMBER_SIZE];
  struct lrd_entry *entry;
  larder_bytes value;
  struct range r;
  int64_t bit;

  if (!lrd_argument_integer(x, 2, &bit))
    return;
  if (bit != 0 && bit != 1) {
    lrd_error(x, "ERR The bit argument must be 1 or 0.");
    return;
  }
  if (!lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  if (!entry) {
    lrd_sink_integer(x->sink, bit ? -1 : 0);
    return;
  }
  if (x->argc > 6) {
    lrd_error(x, lrd_text_syntax);
    return;
  }
  if (!parse_first(x, 3, &r) || !parse_unit(x, 5, &r) || !parse_last(x, 4, &r))
    return;
  value = bytes_of(entry, number);
  lrd_sink_integer(x->sink, clip(&r, value.len) ? position(&r, value, (int)bit) : -1);
}
