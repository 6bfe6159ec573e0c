/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_MEMORY_POOL_H
#define TEST_MEMORY_POOL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <larder/backend.h>

#include "support/check.h"
#include "util/universal.h"

/* A memory hook that counts, compares the sizes that it is told with those
 * that it gave, and fails when it is asked to. */
struct pool {
  larder_memory memory;
  size_t bytes, blocks;
  long fail_in; /* allocations that still succeed; -1: all */
  struct lrd_universal_key key; /* for hash tables */
};

enum { POOL_HEAD = 16 };

static int pool_fails(struct pool *p)
{
  if (p->fail_in < 0)
    return 0;
  return p->fail_in-- == 0 ? (p->fail_in = 0, 1) : 0;
}

static void *pool_allocate(void *context, size_t size)
{
  struct pool *p = context;
  char *block;

  ck_assert_uint_gt(size, 0);
  if (pool_fails(p))
    return NULL;
  block = malloc(size + POOL_HEAD);
  memcpy(block, &size, sizeof size);
  memset(block + POOL_HEAD, 0xa5, size);
  p->bytes += size;
  p->blocks++;
  return block + POOL_HEAD;
}

static void pool_release(void *context, void *block, size_t size)
{
  struct pool *p = context;
  char *start = (char *)block - POOL_HEAD;
  size_t given;

  memcpy(&given, start, sizeof given);
  ck_assert_uint_eq(given, size);
  memset(block, 0x5a, size);
  p->bytes -= size;
  p->blocks--;
  free(start);
}

static void *pool_resize(void *context, void *block, size_t old_size, size_t size)
{
  void *moved = pool_allocate(context, size);

  if (!moved)
    return NULL;
  memcpy(moved, block, old_size < size ? old_size : size);
  pool_release(context, block, old_size);
  return moved;
}

static inline void pool_init(struct pool *p)
{
  p->memory = (larder_memory){ pool_allocate, pool_resize, pool_release, p };
  p->bytes = p->blocks = 0;
  p->fail_in = -1;
  ck_assert_int_eq(lrd_universal_init(&p->key), 0);
}

/* Everything was given back. */
static inline void pool_check_empty(const struct pool *p)
{
  ck_assert_uint_eq(p->blocks, 0);
  ck_assert_uint_eq(p->bytes, 0);
}

/* The seed of this run: LARDER_SEED, or a new one; printed. */
static inline void seed_prng(struct lrd_prng *prng, const char *test)
{
  const char *given = getenv("LARDER_SEED");
  uint64_t seed;

  if (given)
    seed = strtoull(given, NULL, 0);
  else if (lrd_random(&seed, sizeof seed) != 0)
    abort();
  printf("%s: LARDER_SEED=%llu\n", test, (unsigned long long)seed);
  fflush(stdout);
  lrd_prng_seed(prng, seed);
}

static inline unsigned roll(struct lrd_prng *prng, unsigned below)
{
  return (unsigned)lrd_prng_below(prng, below);
}

/* Name i of a fixed row: short ones, an empty one, long ones, with NULs. */
enum { NAME_SIZE = 320 };
static inline larder_bytes name_of(unsigned i, char text[NAME_SIZE])
{
  int len = i ? snprintf(text, NAME_SIZE, "%c%u", i % 5 ? 'm' : '\0', i) : 0;

  if (i % 97 == 96) {
    memset(text + len, 'x', 200);
    len += 200;
  }
  return (larder_bytes){ text, (size_t)len };
}

/* The other way round. */
static inline unsigned number_of(larder_bytes name, unsigned names)
{
  char text[NAME_SIZE];
  unsigned i = 0;
  larder_bytes expected;

  if (name.len) {
    snprintf(text, sizeof text, "%.*s", (int)name.len - 1, name.data + 1);
    i = (unsigned)strtoul(text, NULL, 10);
  }
  ck_assert_uint_lt(i, names);
  expected = name_of(i, text);
  ck_assert_uint_eq(name.len, expected.len);
  ck_assert(name.len == 0 || memcmp(name.data, text, name.len) == 0);
  return i;
}

static inline void check_ok(const char *wrong)
{
  ck_assert_msg(wrong == NULL, "%s", wrong);
}

#endif
