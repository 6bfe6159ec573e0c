/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/parameter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "memory/policy.h"
#include "util/number.h"

#define FIXED(name, text) { name, NULL, LRD_PARAMETER_FIXED, LRD_PARAMETERS, 0, 0, 0, text, NULL }
#define INTEGER(name, alias, id, minimum, maximum, initial) \
  { name, alias, LRD_PARAMETER_INTEGER, id, minimum, maximum, initial, NULL, NULL }
#define MEMORY(name, id, initial) \
  { name, NULL, LRD_PARAMETER_MEMORY, id, 0, INT64_MAX, initial, NULL, NULL }
#define WORD(name, id, words, initial) \
  { name, NULL, LRD_PARAMETER_WORD, id, 0, 0, initial, NULL, words }

/* What is fixed is what clients ask for to know what they talk to. */
const struct lrd_parameter lrd_parameters[] = {
  MEMORY("maxmemory", LRD_MAXMEMORY, 0),
  WORD("maxmemory-policy", LRD_MAXMEMORY_POLICY, lrd_policy_names, LARDER_POLICY_UNSET),
  INTEGER("maxmemory-samples", NULL, LRD_MAXMEMORY_SAMPLES, 1, INT32_MAX, 5),
  INTEGER("lfu-log-factor", NULL, LRD_LFU_LOG_FACTOR, 0, INT32_MAX, 10),
  INTEGER("lfu-decay-time", NULL, LRD_LFU_DECAY_TIME, 0, INT32_MAX, 1),

  INTEGER("hash-max-listpack-entries", "hash-max-ziplist-entries", LRD_HASH_ENTRIES, 0,
          INT64_MAX, 512),
  INTEGER("hash-max-listpack-value", "hash-max-ziplist-value", LRD_HASH_VALUE, 0, INT64_MAX, 64),
  INTEGER("list-max-listpack-size", "list-max-ziplist-size", LRD_LIST_CHUNK, INT32_MIN, INT32_MAX,
          -2),
  INTEGER("set-max-intset-entries", NULL, LRD_SET_INTEGERS, 0, INT64_MAX, 512),
  INTEGER("zset-max-listpack-entries", "zset-max-ziplist-entries", LRD_ZSET_ENTRIES, 0,
          INT64_MAX, 128),
  INTEGER("zset-max-listpack-value", "zset-max-ziplist-value", LRD_ZSET_VALUE, 0, INT64_MAX, 64),
  MEMORY("stream-node-max-bytes", LRD_STREAM_BYTES, 4096),
  INTEGER("stream-node-max-entries", NULL, LRD_STREAM_ENTRIES, 0, INT64_MAX, 100),

  FIXED("activerehashing", "yes"),
  FIXED("appendfsync", "everysec"),
  FIXED("appendonly", "no"),
  FIXED("cluster-enabled", "no"),
  FIXED("databases", "16"),
  FIXED("io-threads", "1"),
  FIXED("lazyfree-lazy-user-flush", "no"),
  FIXED("maxclients", "10000"),
  FIXED("notify-keyspace-events", ""),
  FIXED("proto-max-bulk-len", "536870912"),
  FIXED("save", ""),
  FIXED("slowlog-max-len", "0"),
  FIXED("timeout", "0"),
  FIXED(NULL, NULL),
};

void lrd_parameters_init(struct lrd_parameters *p)
{
  for (const struct lrd_parameter *row = lrd_parameters; row->name; row++)
    if (row->kind != LRD_PARAMETER_FIXED)
      atomic_init(&p->value[row->id], row->initial);
}

static int is_called(const char *name, larder_bytes given)
{
  return name && strlen(name) == given.len && strncasecmp(name, given.data, given.len) == 0;
}

const struct lrd_parameter *lrd_parameter_find(larder_bytes name)
{
  for (const struct lrd_parameter *row = lrd_parameters; row->name; row++)
    if (is_called(row->name, name) || is_called(row->alias, name))
      return row;
  return NULL;
}

/* --- parsing ---------------------------------------------------------------------- */

static const char *parse_integer(const struct lrd_parameter *row, larder_bytes value, int64_t *out,
                                 char *text)
{
  if (!lrd_parse_integer(value.data, value.len, out))
    return "argument couldn't be parsed into an integer";
  if (*out >= row->minimum && *out <= row->maximum)
    return NULL;
  snprintf(text, LRD_PARAMETER_TEXT, "argument must be between %lld and %lld inclusive",
           (long long)row->minimum, (long long)row->maximum);
  return text;
}

/* As Redis's memtoull: digits, at most all 64 bits, and a unit. */
static const char *parse_memory(larder_bytes value, int64_t *out)
{
  static const struct {
    const char *name;
    uint64_t bytes;
  } units[] = { { "", 1 },       { "b", 1 },
                { "k", 1000 },   { "kb", 1024 },
                { "m", 1000000 }, { "mb", UINT64_C(1) << 20 },
                { "g", 1000000000 }, { "gb", UINT64_C(1) << 30 } };
  uint64_t n = 0;
  size_t digits = 0;

  for (; digits < value.len && value.data[digits] >= '0' && value.data[digits] <= '9'; digits++) {
    unsigned digit = (unsigned)(value.data[digits] - '0');

    n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
  }
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (is_called(units[i].name, (larder_bytes){ value.data + digits, value.len - digits })) {
      *out = (int64_t)(n * units[i].bytes);
      return NULL;
    }
  return "argument must be a memory value";
}

static const char *parse_word(const struct lrd_parameter *row, larder_bytes value, int64_t *out,
                              char *text)
{
  size_t len = 0;

  for (int i = 0; row->words[i]; i++)
    if (is_called(row->words[i], value)) {
      *out = i + 1;
      return NULL;
    }
  len += (size_t)snprintf(text, LRD_PARAMETER_TEXT, "argument(s) must be one of the following: ");
  for (int i = 0; row->words[i] && len < LRD_PARAMETER_TEXT; i++)
    len += (size_t)snprintf(text + len, LRD_PARAMETER_TEXT - len, "%s%s", i ? ", " : "",
                            row->words[i]);
  return text;
}

const char *lrd_parameter_parse(const struct lrd_parameter *row, larder_bytes value, int64_t *out,
                                char text[LRD_PARAMETER_TEXT])
{
  switch (row->kind) {
  case LRD_PARAMETER_INTEGER:
    return parse_integer(row, value, out, text);
  case LRD_PARAMETER_MEMORY:
    return parse_memory(value, out);
  case LRD_PARAMETER_WORD:
    return parse_word(row, value, out, text);
  case LRD_PARAMETER_FIXED:
    break;
  }
  return "can't set immutable config";
}

const char *lrd_parameter_show(const struct lrd_parameters *p, const struct lrd_parameter *row,
                               char text[LRD_PARAMETER_TEXT])
{
  switch (row->kind) {
  case LRD_PARAMETER_INTEGER:
    text[lrd_print_integer(text, lrd_parameter(p, row->id))] = '\0';
    return text;
  case LRD_PARAMETER_MEMORY:
    snprintf(text, LRD_PARAMETER_TEXT, "%llu",
             (unsigned long long)(uint64_t)lrd_parameter(p, row->id));
    return text;
  case LRD_PARAMETER_WORD:
    return lrd_policy_names[lrd_policy_of(p) - 1];
  case LRD_PARAMETER_FIXED:
    break;
  }
  return row->text;
}
