/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "memory/hash.h"
#include "memory/shard.h"
#include "memory/t_engine.h"
#include "memory/t_types.h"

/* Sums of long doubles.  They depend on how the host rounds, so their intent is the
 * sum, and what it is added to has to be known. */

static const char text_not_finite[] = "ERR increment would produce NaN or Infinity";

static int parse(struct lrd_exec *x, larder_bytes text, long double *out)
{
  if (lrd_parse_long_double(text.data, text.len, out))
    return 1;
  lrd_error(x, lrd_text_not_float);
  return 0;
}

/* 0: no finite number, replied. */
static int print_sum(struct lrd_exec *x, long double sum, char *text, larder_bytes *out)
{
  if (isnan(sum) || isinf(sum)) {
    lrd_error(x, text_not_finite);
    return 0;
  }
  *out = (larder_bytes){ text, lrd_print_long_double(text, sum) };
  return 1;
}

void lrd_t_incrbyfloat(struct lrd_exec *x)
{
  char text[LRD_LONG_DOUBLE_SIZE], number[LRD_NUMBER_SIZE];
  larder_bytes argv[4] = { { "SET", 3 }, x->argv[1], { "", 0 }, { "KEEPTTL", 7 } };
  long double value = 0, increment;
  struct lrd_entry *entry;

  if (!lrd_read(x, x->argv[1], LRD_STRING, &entry) ||
      (entry && !parse(x, lrd_entry_string(entry, number), &value)) ||
      !parse(x, x->argv[2], &increment) ||
      !print_sum(x, value + increment, text, &argv[2]))
    return;
  if (!lrd_put(x, x->argv[1], argv[2], entry ? lrd_entry_expiry(entry) : -1))
    return;
  lrd_changed(x, x->argv[1], 4, argv);
  lrd_sink_string(x->sink, argv[2].data, argv[2].len);
}

static int field_value(struct lrd_exec *x, const struct lrd_entry *entry, long double *value)
{
  larder_bytes text;

  *value = 0;
  if (!entry || !lrd_hash_get(lrd_value(entry), x->argv[2], &text) ||
      lrd_parse_long_double(text.data, text.len, value))
    return 1;
  lrd_error(x, "ERR hash value is not a float");
  return 0;
}

static int field_increment(struct lrd_exec *x, long double *increment)
{
  if (!parse(x, x->argv[3], increment))
    return 0;
  if (!isnan(*increment) && !isinf(*increment))
    return 1;
  lrd_error(x, "ERR value is NaN or Infinity");
  return 0;
}

void lrd_t_hincrbyfloat(struct lrd_exec *x)
{
  char text[LRD_LONG_DOUBLE_SIZE];
  larder_bytes argv[4] = { { "HSET", 4 }, x->argv[1], x->argv[2], { "", 0 } };
  struct lrd_entry *entry, *fresh = NULL;
  long double value, increment;

  if (!field_increment(x, &increment) || !lrd_read(x, x->argv[1], LRD_HASH, &entry) ||
      !field_value(x, entry, &value) || !print_sum(x, value + increment, text, &argv[3]))
    return;
  if (!entry && !(entry = fresh = lrd_create(x, x->argv[1], LRD_HASH))) {
    lrd_no_memory(x);
    return;
  }
  if (lrd_hash_set(lrd_value(entry), lrd_memory_of(x->engine), lrd_hash_key_of(x->engine), 1,
                   argv + 2) < 0) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  lrd_changed(x, x->argv[1], 4, argv);
  lrd_sink_string(x->sink, argv[3].data, argv[3].len);
}
