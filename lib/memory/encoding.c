/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/encoding.h"

#include "memory/hash.h"
#include "memory/set.h"
#include "memory/zset.h"

enum { EMBEDDED = 44 }; /* the longest string that Redis puts beside its object */

static const char *string_name(const struct lrd_entry *e)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes text = lrd_entry_string(e, number);
  int64_t integer;

  if (e->flags & LRD_ENTRY_RAW || text.len > EMBEDDED)
    return "raw";
  return text.len <= 20 && lrd_parse_integer(text.data, text.len, &integer) ? "int" : "embstr";
}

static int keeps_to(unsigned peak, const struct lrd_parameters *p, enum lrd_parameter_id id)
{
  return peak < LRD_PEAK && peak <= lrd_parameter(p, id);
}

static int is_small(const struct lrd_packed *packed, const struct lrd_parameters *p,
                    enum lrd_parameter_id entries, enum lrd_parameter_id value)
{
  return keeps_to(packed->most, p, entries) && keeps_to(packed->longest, p, value);
}

static const char *set_name(const struct lrd_set *set, const struct lrd_parameters *p)
{
  return !set->packed.longest && keeps_to(set->packed.most, p, LRD_SET_INTEGERS) ? "intset"
                                                                               : "hashtable";
}

const char *lrd_encoding(const struct lrd_parameters *p, const struct lrd_entry *e)
{
  const struct lrd_hash *hash = e->value;
  const struct lrd_zset *zset = e->value;

  switch (e->kind) {
  case LRD_STRING:
    return string_name(e);
  case LRD_LIST:
    return "quicklist";
  case LRD_SET_KIND:
    return set_name(e->value, p);
  case LRD_HASH:
    return is_small(&hash->packed, p, LRD_HASH_ENTRIES, LRD_HASH_VALUE) ? "listpack"
                                                                        : "hashtable";
  case LRD_ZSET:
    return is_small(&zset->packed, p, LRD_ZSET_ENTRIES, LRD_ZSET_VALUE) ? "listpack"
                                                                        : "skiplist";
  case LRD_STREAM:
    return "stream";
  default:
    return "unknown";
  }
}
