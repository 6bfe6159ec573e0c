/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

/* GLib's GHashTable with its own functions for strings, no lock. */

struct entry {
  char key[KEY_LENGTH + 1];
  char value[VALUE_LENGTH];
};

static void *glib_open(char *why, size_t why_size)
{
  (void)why;
  (void)why_size;
  return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free);
}

static void glib_close(void *table)
{
  g_hash_table_destroy(table);
}

static int glib_set(GHashTable *table, const char *key, const char *value)
{
  struct entry *entry = g_hash_table_lookup(table, key);

  if (entry == NULL) {
    entry = malloc(sizeof *entry);
    if (entry == NULL)
      return -1;
    memcpy(entry->key, key, sizeof entry->key);
    g_hash_table_insert(table, entry->key, entry);
  }
  memcpy(entry->value, value, VALUE_LENGTH);
  return 0;
}

static int glib_get(GHashTable *table, const char *key, char *value)
{
  const struct entry *entry = g_hash_table_lookup(table, key);

  if (entry == NULL)
    return -1;
  memcpy(value, entry->value, VALUE_LENGTH);
  __asm__ volatile("" : : "r"(value) : "memory"); /* the copy is really made */
  return 0;
}

static int glib_run(void *table, enum op op, const struct load *load, size_t from, size_t to)
{
  char value[VALUE_LENGTH];
  size_t i;
  int failed = 0;

  for (i = from; i < to; i++)
    failed |= op == OP_GET ? glib_get(table, load->step[i].key, value)
                           : glib_set(table, load->step[i].key, load->value);
  return failed;
}

const struct target target_glib = {
  .name = "glib",
  .can = OP_BIT(OP_GET) | OP_BIT(OP_SET) | OP_BIT(OP_NEW),
  .open = glib_open,
  .close = glib_close,
  .run = glib_run,
};
