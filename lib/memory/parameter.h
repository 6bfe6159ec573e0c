/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_PARAMETER_H
#define LRD_MEMORY_PARAMETER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

/*
 * What CONFIG GET and CONFIG SET know of an engine, under the names, in the forms and
 * within the bounds of Redis 7.0: one table for all engines, a value in each for what can
 * be set.  Values are read by any thread at any time; two that were set together are
 * not seen together.
 */

enum lrd_parameter_id {
  LRD_MAXMEMORY,        /* bytes; 0: no bound */
  LRD_MAXMEMORY_POLICY, /* a larder_policy; UNSET: what lrd_policy_of makes of it */
  LRD_MAXMEMORY_SAMPLES,
  LRD_LFU_LOG_FACTOR,
  LRD_LFU_DECAY_TIME,   /* minutes */
  LRD_HASH_ENTRIES,     /* the names that OBJECT ENCODING says: encoding.h */
  LRD_HASH_VALUE,
  LRD_LIST_CHUNK,       /* only kept: a list's chunks are as they are, and no reply shows it */
  LRD_SET_INTEGERS,
  LRD_ZSET_ENTRIES,
  LRD_ZSET_VALUE,
  LRD_STREAM_BYTES,     /* when a stream begins a new node; 0: not for that */
  LRD_STREAM_ENTRIES,
  LRD_PARAMETERS
};

struct lrd_parameters {
  _Atomic int64_t value[LRD_PARAMETERS];
};

enum lrd_parameter_kind {
  LRD_PARAMETER_FIXED,   /* a text that can't be set */
  LRD_PARAMETER_INTEGER,
  LRD_PARAMETER_MEMORY,  /* bytes, with a unit: all 64 bits, as uint64_t */
  LRD_PARAMETER_WORD     /* 1 + position in words; 0: not set, text shows it */
};

struct lrd_parameter {
  const char *name, *alias; /* alias: an older name, or NULL */
  enum lrd_parameter_kind kind;
  enum lrd_parameter_id id; /* but of FIXED */
  int64_t minimum, maximum, initial;
  const char *text;         /* FIXED: the value */
  const char *const *words; /* WORD: ended by NULL */
};

/* Ended by a row without a name. */
extern const struct lrd_parameter lrd_parameters[];

void lrd_parameters_init(struct lrd_parameters *);

static inline int64_t lrd_parameter(const struct lrd_parameters *p, enum lrd_parameter_id id)
{
  return atomic_load_explicit(&p->value[id], memory_order_relaxed);
}

static inline void lrd_parameter_set(struct lrd_parameters *p, enum lrd_parameter_id id,
                                     int64_t value)
{
  atomic_store_explicit(&p->value[id], value, memory_order_relaxed);
}

/* The row of that name or alias, in any case; NULL: there is none. */
const struct lrd_parameter *lrd_parameter_find(larder_bytes name);

/* NULL and the value in *out, or what CONFIG SET says is wrong with it (in text, if it
 * has to be made). */
enum { LRD_PARAMETER_TEXT = 256 };
const char *lrd_parameter_parse(const struct lrd_parameter *, larder_bytes value, int64_t *out,
                                char text[LRD_PARAMETER_TEXT]);

/* The value as CONFIG GET shows it (in text, if it is a number). */
const char *lrd_parameter_show(const struct lrd_parameters *, const struct lrd_parameter *,
                               char text[LRD_PARAMETER_TEXT]);

#endif
