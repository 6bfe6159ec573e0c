/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A uthash table as an application would write it: code, not declarations.  Included by
 * a file for each hash function, because uthash chooses that when it is compiled.  Raw: one
 * allocation an entry, the hash made once a call, no types, no expiry, no limits; under a
 * mutex if it has one.  Defines open_raw, open_locked, table_close and table_run.  Entries and
 * buckets come from malloc, unless TABLE_MALLOC and TABLE_FREE name something else.
 */

#include "target.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifndef TABLE_MALLOC
#define TABLE_MALLOC malloc
#define TABLE_FREE free
#endif
#define uthash_malloc(size) TABLE_MALLOC(size)
#define uthash_free(block, size) TABLE_FREE(block)
#include <uthash.h>

struct entry {
  UT_hash_handle hh;
  char key[KEY_LENGTH];
  char value[VALUE_LENGTH];
};

struct table {
  struct entry *entries;
  pthread_mutex_t *lock; /* or NULL */
  pthread_mutex_t mutex;
};

static void *open_raw(char *why, size_t why_size)
{
  struct table *table = calloc(1, sizeof *table);

  snprintf(why, why_size, "out of memory");
  return table;
}

static inline void *open_locked(char *why, size_t why_size)
{
  struct table *table = open_raw(why, why_size);

  if (table != NULL) {
    pthread_mutex_init(&table->mutex, NULL);
    table->lock = &table->mutex;
  }
  return table;
}

static void table_close(void *context)
{
  struct table *table = context;
  struct entry *entry = table->entries, *next;

  HASH_CLEAR(hh, table->entries); /* the entries' own links remain */
  for (; entry != NULL; entry = next) {
    next = entry->hh.next;
    TABLE_FREE(entry);
  }
  if (table->lock != NULL)
    pthread_mutex_destroy(&table->mutex);
  free(table);
}

static inline int table_get(struct table *table, const char *key, char *value)
{
  struct entry *entry;

  if (table->lock != NULL)
    pthread_mutex_lock(table->lock);
  HASH_FIND(hh, table->entries, key, KEY_LENGTH, entry);
  if (entry != NULL)
    memcpy(value, entry->value, VALUE_LENGTH);
  if (table->lock != NULL)
    pthread_mutex_unlock(table->lock);
  return entry != NULL ? 0 : -1;
}

static inline struct entry *table_find_or_add(struct table *table, const char *key)
{
  struct entry *entry;
  unsigned hash;

  HASH_VALUE(key, KEY_LENGTH, hash);
  HASH_FIND_BYHASHVALUE(hh, table->entries, key, KEY_LENGTH, hash, entry);
  if (entry != NULL)
    return entry;
  entry = TABLE_MALLOC(sizeof *entry);
  if (entry == NULL)
    return NULL;
  memcpy(entry->key, key, KEY_LENGTH);
  HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->entries, entry->key, KEY_LENGTH, hash, entry);
  return entry;
}

static inline int table_set(struct table *table, const char *key, const char *value)
{
  struct entry *entry;

  if (table->lock != NULL)
    pthread_mutex_lock(table->lock);
  entry = table_find_or_add(table, key);
  if (entry != NULL)
    memcpy(entry->value, value, VALUE_LENGTH);
  if (table->lock != NULL)
    pthread_mutex_unlock(table->lock);
  return entry != NULL ? 0 : -1;
}

static int table_run(void *context, enum op op, const struct load *load, size_t from, size_t to)
{
  struct table *table = context;
  char value[VALUE_LENGTH];
  size_t i;
  int failed = 0;

  switch ((int)op) {
  case OP_GET:
    for (i = from; i < to; i++) {
      failed |= table_get(table, load->step[i].key, value);
      __asm__ volatile("" : : "r"(value) : "memory"); /* the copy is really made */
    }
    return failed;
  case OP_SET:
  case OP_NEW:
    for (i = from; i < to; i++)
      failed |= table_set(table, load->step[i].key, load->value);
    return failed;
  case OP_MIX:
    for (i = from; i < to; i++)
      if (load->step[i].write) {
        failed |= table_set(table, load->step[i].key, load->value);
      } else {
        failed |= table_get(table, load->step[i].key, value);
        __asm__ volatile("" : : "r"(value) : "memory");
      }
    return failed;
  default:
    return -1;
  }
}

enum { TABLE_CAN = OP_BIT(OP_GET) | OP_BIT(OP_SET) | OP_BIT(OP_NEW) | OP_BIT(OP_MIX) };
