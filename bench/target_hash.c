/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

/*
 * What an application does without larder: a uthash table as it comes, behind
 * one mutex.  It knows no types, no expiry and no limits.
 */

struct entry {
  UT_hash_handle hh;
  int64_t number;
  size_t length;
  char *value;
  char key[KEY_SIZE];
};

struct table {
  pthread_mutex_t lock;
  struct entry *entries;
  char *buffer;
};

static struct entry *find(struct table *table, const char *key, size_t length)
{
  struct entry *entry;

  HASH_FIND(hh, table->entries, key, length, entry);
  return entry;
}

static struct entry *find_or_add(struct table *table, const char *key, size_t length)
{
  struct entry *entry = find(table, key, length);

  if (entry != NULL)
    return entry;
  entry = calloc(1, sizeof *entry);
  if (entry == NULL)
    return NULL;
  memcpy(entry->key, key, length);
  HASH_ADD_KEYPTR(hh, table->entries, entry->key, length, entry);
  return entry;
}

static void hash_close(void *context)
{
  struct table *table = context;
  struct entry *entry, *next;

  HASH_ITER(hh, table->entries, entry, next) {
    HASH_DEL(table->entries, entry);
    free(entry->value);
    free(entry);
  }
  pthread_mutex_destroy(&table->lock);
  free(table->buffer);
  free(table);
}

static void *hash_open(const struct load *load, char *why, size_t why_size)
{
  struct table *table = calloc(1, sizeof *table);

  snprintf(why, why_size, "out of memory");
  if (table == NULL)
    return NULL;
  table->buffer = malloc(load->value_length + 1);
  if (table->buffer == NULL) {
    free(table);
    return NULL;
  }
  pthread_mutex_init(&table->lock, NULL);
  return table;
}

static int hash_get(void *context, const struct load *load, size_t count)
{
  struct table *table = context;
  size_t i;

  for (i = 0; i < count; i++) {
    struct entry *entry;
    size_t length = 0;

    pthread_mutex_lock(&table->lock);
    entry = find(table, load->key[load->pick[i]], load->key_length);
    if (entry != NULL) {
      length = entry->length;
      memcpy(table->buffer, entry->value, length);
    }
    pthread_mutex_unlock(&table->lock);
    if (length != load->value_length)
      return -1;
  }
  return 0;
}

static int put(struct table *table, const char *key, size_t key_length, const char *value,
               size_t length)
{
  struct entry *entry = find_or_add(table, key, key_length);

  if (entry == NULL)
    return -1;
  if (entry->length != length) {
    char *grown = realloc(entry->value, length);
    if (grown == NULL)
      return -1;
    entry->value = grown;
    entry->length = length;
  }
  memcpy(entry->value, value, length);
  return 0;
}

static int hash_set(void *context, const struct load *load, size_t count)
{
  struct table *table = context;
  size_t i;

  for (i = 0; i < count; i++) {
    int failed;

    pthread_mutex_lock(&table->lock);
    failed = put(table, load->key[load->pick[i]], load->key_length, load->value,
                 load->value_length);
    pthread_mutex_unlock(&table->lock);
    if (failed)
      return -1;
  }
  return 0;
}

static int hash_incr(void *context, const struct load *load, size_t count)
{
  struct table *table = context;
  size_t i;

  for (i = 0; i < count; i++) {
    struct entry *entry;
    int64_t sum = 0;

    pthread_mutex_lock(&table->lock);
    entry = find_or_add(table, load->counter[load->pick[i]], load->key_length);
    if (entry != NULL)
      sum = ++entry->number;
    pthread_mutex_unlock(&table->lock);
    if (sum < 1)
      return -1;
  }
  return 0;
}

const struct target target_hash = {
  .name = "uthash-mutex",
  .divisor = 1,
  .open = hash_open,
  .close = hash_close,
  .run = { [OP_GET] = hash_get, [OP_SET] = hash_set, [OP_INCR] = hash_incr },
};
