/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ENCODING_H
#define LRD_MEMORY_ENCODING_H

#include "memory/entry.h"
#include "memory/parameter.h"

/*
 * The name that OBJECT ENCODING has for a value: what Redis 7.0 would call it, by its
 * rules and thresholds (hash-max-listpack-entries, ...).
 *
 * The forms of this engine are its own: a hash, set or sorted set is packed up to 128
 * entries of 64 bytes, whatever the thresholds, so that no conversion is long;
 * integers are a sorted array up to 512.  For the name each collection remembers how
 * many entries it ever had and how long the longest was (packed.h), because in Redis
 * what has become large stays so.
 * Two differences follow: a threshold that is set later counts for all keys at
 * once, not with their next write; and one above 65534 counts as 65534.
 */
const char *lrd_encoding(const struct lrd_parameters *, const struct lrd_entry *);

#endif
