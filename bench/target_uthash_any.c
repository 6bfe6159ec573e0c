/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * uthash with XXH3 as a map for keys and values of any length, which is what larder_get and
 * larder_set are: a call with lengths.  The other uthash tables have their lengths in their types,
 * so the compiler leaves of hashing, comparing and copying only what 16 and 32 bytes need.
 */

#include "target.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#define HASH_FUNCTION(key, length, hash) ((hash) = (unsigned)XXH3_64bits(key, length))
#include <uthash.h>

struct any {
  UT_hash_handle hh;
  size_t value_length;
  char bytes[]; /* the key, then the value */
};

struct map {
  struct any *entries;
};

static void *map_open(char *why, size_t why_size)
{
  snprintf(why, why_size, "out of memory");
  return calloc(1, sizeof(struct map));
}

static void map_close(void *context)
{
  struct map *map = context;
  struct any *entry = map->entries, *next;

  HASH_CLEAR(hh, map->entries); /* the entries' own links remain */
  for (; entry != NULL; entry = next) {
    next = entry->hh.next;
    free(entry);
  }
  free(map);
}

static __attribute__((noinline)) int map_get(struct map *map, const char *key, size_t key_length,
                                             char *value, size_t size, size_t *length)
{
  struct any *entry;

  HASH_FIND(hh, map->entries, key, key_length, entry);
  if (entry == NULL)
    return -1;
  *length = entry->value_length;
  memcpy(value, entry->bytes + entry->hh.keylen, *length < size ? *length : size);
  return 0;
}

/* As larder, in the place of the value if it has that length. */
static __attribute__((noinline)) int map_set(struct map *map, const char *key, size_t key_length,
                                             const char *value, size_t length)
{
  struct any *entry;
  unsigned hash;

  HASH_VALUE(key, key_length, hash);
  HASH_FIND_BYHASHVALUE(hh, map->entries, key, key_length, hash, entry);
  if (entry != NULL && entry->value_length != length) {
    HASH_DEL(map->entries, entry);
    free(entry);
    entry = NULL;
  }
  if (entry == NULL) {
    entry = malloc(sizeof *entry + key_length + length);
    if (entry == NULL)
      return -1;
    entry->value_length = length;
    memcpy(entry->bytes, key, key_length);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->entries, entry->bytes, key_length, hash, entry);
  }
  memcpy(entry->bytes + key_length, value, length);
  return 0;
}

static int map_run(void *map, enum op op, const struct load *load, size_t from, size_t to)
{
  char value[VALUE_LENGTH];
  size_t length;
  int failed = 0;

  for (size_t i = from; i < to; i++) {
    size_t key_length = KEY_LENGTH, value_length = VALUE_LENGTH;

    __asm__ volatile("" : "+r"(key_length), "+r"(value_length)); /* nobody knows them before */
    failed |= op == OP_GET
                ? map_get(map, load->step[i].key, key_length, value, sizeof value, &length)
                : map_set(map, load->step[i].key, key_length, load->value, value_length);
  }
  return failed;
}

const struct target target_xxh3_any = {
  .name = "uthash-xxh3-any",
  .judged = 1,
  .can = OP_BIT(OP_GET) | OP_BIT(OP_SET) | OP_BIT(OP_NEW),
  .open = map_open,
  .close = map_close,
  .run = map_run,
};
