/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/hash.h"
#include "util/memory.h"

static const struct lrd_hash *hash_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

/* --- some fields --------------------------------------------------------- */

/* The field's value, if it is more than a sum of increments. */
static int find(const struct lrd_entry *entry, larder_bytes field, larder_bytes *value)
{
  return entry && lrd_hash_get(hash_of(entry), field, value) &&
         !lrd_hash_is_sum(hash_of(entry), field);
}

void lrd_t_hexists(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  larder_bytes value;

  if (!lrd_read_part(x, x->argv[1], LRD_HASH, &entry))
    return;
  if (entry && lrd_hash_get(hash_of(entry), x->argv[2], &value))
    lrd_sink_integer(x->sink, 1);
  else if (lrd_is_whole(x, entry))
    lrd_sink_integer(x->sink, 0);
  else
    lrd_unknown(x);
}

void lrd_t_hstrlen(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  larder_bytes value;

  if (!lrd_read_part(x, x->argv[1], LRD_HASH, &entry))
    return;
  if (find(entry, x->argv[2], &value))
    lrd_sink_integer(x->sink, (int64_t)value.len);
  else if (lrd_is_whole(x, entry))
    lrd_sink_integer(x->sink, 0);
  else
    lrd_unknown(x);
}

void lrd_t_hmget(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  larder_bytes value;

  if (!lrd_read_part(x, x->argv[1], LRD_HASH, &entry))
    return;
  for (int i = 2; i < x->argc && !lrd_is_whole(x, entry); i++)
    if (!find(entry, x->argv[i], &value)) {
      lrd_unknown(x);
      return;
    }
  lrd_sink_array(x->sink, (size_t)x->argc - 2);
  for (int i = 2; i < x->argc; i++) {
    if (find(entry, x->argv[i], &value))
      lrd_sink_string(x->sink, value.data, value.len);
    else
      lrd_sink_nil(x->sink);
  }
}

/* --- all of them --------------------------------------------------------- */

static void reply_all(struct lrd_exec *x, int values)
{
  struct lrd_hash_cursor c = { 0 };
  struct lrd_entry *entry;
  struct lrd_pair pair;

  if (!lrd_read(x, x->argv[1], LRD_HASH, &entry))
    return;
  lrd_sink_array(x->sink, entry ? hash_of(entry)->count : 0);
  while (entry && lrd_hash_next(hash_of(entry), &c, &pair))
    lrd_sink_string(x->sink, values ? pair.value.data : pair.field.data,
                    values ? pair.value.len : pair.field.len);
}

void lrd_t_hkeys(struct lrd_exec *x)
{
  reply_all(x, 0);
}

void lrd_t_hvals(struct lrd_exec *x)
{
  reply_all(x, 1);
}

/* --- some, chosen by chance ---------------------------------------------- */

static void reply_pair(struct lrd_exec *x, const struct lrd_pair *pair, int values)
{
  if (values)
    lrd_sink_pair(x->sink);
  lrd_sink_string(x->sink, pair->field.data, pair->field.len);
  if (values)
    lrd_sink_string(x->sink, pair->value.data, pair->value.len);
}

static void begin(struct lrd_exec *x, size_t n, int values)
{
  if (values)
    lrd_sink_pairs(x->sink, n);
  else
    lrd_sink_array(x->sink, n);
}

/* n different ones, in the order of a walk; each has the chance that those still wanted have
 * among those still to come. */
static void reply_distinct(struct lrd_exec *x, const struct lrd_hash *hash, size_t n, int values)
{
  struct lrd_prng *prng = lrd_prng_of(x);
  struct lrd_hash_cursor c = { 0 };
  struct lrd_pair pair;
  size_t left = hash->count;

  if (n > left)
    n = left;
  begin(x, n, values);
  while (n && lrd_hash_next(hash, &c, &pair))
    if (lrd_prng_below(prng, left--) < n) {
      reply_pair(x, &pair, values);
      n--;
    }
}

static void reply_any(struct lrd_exec *x, const struct lrd_hash *hash, uint64_t n, int values)
{
  struct lrd_pair pair;

  begin(x, n, values);
  while (n-- && !x->sink->failed) {
    lrd_hash_sample(hash, lrd_prng_of(x), &pair);
    reply_pair(x, &pair, values);
  }
}

/* As Redis: the number of elements in the reply has to fit. */
static int parse_count(struct lrd_exec *x, int64_t *count, int *values)
{
  if (!lrd_argument_random(x, count))
    return 0;
  *values = x->argc == 4;
  if (x->argc > 4 || (*values && !lrd_is_word(&x->argv[3], "WITHVALUES"))) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  if (*values && (*count < -INT64_MAX / 2 || *count > INT64_MAX / 2)) {
    lrd_error(x, "ERR value is out of range");
    return 0;
  }
  return 1;
}

void lrd_t_hrandfield(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct lrd_pair pair;
  int64_t count = 0;
  int values = 0;

  if ((x->argc > 2 && !parse_count(x, &count, &values)) ||
      !lrd_read(x, x->argv[1], LRD_HASH, &entry))
    return;
  if (x->argc == 2 && entry) {
    lrd_hash_sample(hash_of(entry), lrd_prng_of(x), &pair);
    reply_pair(x, &pair, 0);
  } else if (x->argc == 2) {
    lrd_sink_nil(x->sink);
  } else if (!entry || !count) {
    lrd_sink_array(x->sink, 0);
  } else if (count < 0) {
    reply_any(x, hash_of(entry), (uint64_t)-count, values);
  } else {
    reply_distinct(x, hash_of(entry), (size_t)count, values);
  }
}
