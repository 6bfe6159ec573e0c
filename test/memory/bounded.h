/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_MEMORY_BOUNDED_H
#define TEST_MEMORY_BOUNDED_H

#include "memory/rig.h"

/* An engine under a memory bound: keys are key:0, key:1, ..., values of 100 bytes. */

#define OOM "-OOM command not allowed when used memory > 'maxmemory'."

enum { VALUE = 100, WRITE_MAX = 4096 };

static const larder_policy evicting[] = {
  LARDER_POLICY_VOLATILE_LRU,   LARDER_POLICY_VOLATILE_LFU, LARDER_POLICY_VOLATILE_RANDOM,
  LARDER_POLICY_VOLATILE_TTL,   LARDER_POLICY_ALLKEYS_LRU,  LARDER_POLICY_ALLKEYS_LFU,
  LARDER_POLICY_ALLKEYS_RANDOM, LARDER_POLICY_ALLKEYS_S3FIFO
};

enum { EVICTING = sizeof evicting / sizeof *evicting };

__attribute__((format(printf, 3, 4))) static inline void call(struct rig *rig, char *text,
                                                              const char *format, ...)
{
  char line[RIG_TEXT];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  rig_call(rig, 0, line, text);
}

static inline size_t used(struct rig *rig)
{
  return rig_status(rig).memory;
}

/* The account and the hook agree, but for what the rig takes past the engine. */
static inline void account_is_exact(struct rig *rig)
{
  ck_assert_uint_eq(used(rig), rig->pool.bytes);
}

/* SET key, perhaps with a TTL; the reply is OK. */
static inline void set(struct rig *rig, int number, int ttl)
{
  char text[RIG_TEXT], expiry[32] = "";

  if (ttl)
    sprintf(expiry, " EX %d", ttl);
  call(rig, text, "SET key:%d %0*d%s", number, VALUE, number, expiry);
  ck_assert_str_eq(text, "+OK");
}

static inline int exists(struct rig *rig, int number)
{
  char text[RIG_TEXT];

  call(rig, text, "TYPE key:%d", number);
  return strcmp(text, "+none") != 0;
}

static inline int count(struct rig *rig, int from, int to)
{
  int n = 0;

  for (int i = from; i < to; i++)
    n += exists(rig, i);
  return n;
}

static inline void read_key(struct rig *rig, int number)
{
  char text[RIG_TEXT];

  call(rig, text, "GET key:%d", number);
}

static inline void configure(struct rig *rig, const char *name, long long value)
{
  char text[RIG_TEXT];

  call(rig, text, "CONFIG SET %s %lld", name, value);
  ck_assert_str_eq(text, "+OK");
}

#endif
