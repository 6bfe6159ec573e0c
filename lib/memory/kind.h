/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_KIND_H
#define LRD_MEMORY_KIND_H

#include "memory/engine.h"

/*
 * What the keyspace needs of a collection type.  An entry of such a kind holds
 * one pointer to the type's own structure, which is never empty between two
 * commands: who takes the last element out calls lrd_remove.  Streams may be empty.
 */
struct lrd_kind_type {
  const char *name; /* as TYPE says it */

  /* An empty value; NULL: no memory. */
  void *(*create)(const larder_memory *);

  /* Frees a value with all that is in it. */
  void (*destroy)(const larder_memory *, void *value);

  /* Writes argument vectors that make a missing key what this value is: each one
   * lrd_sink_array(sink, n) with n <= LRD_REBUILD_ARGUMENTS strings (RPUSH key
   * a b c ...), but an entry of a stream is one XADD however long; returns how many
   * vectors.  Neither DEL nor the expiry: the caller writes those.  Whatever fails, fails
   * in the sink. */
  size_t (*rebuild)(const void *value, larder_bytes key, larder_sink *);

  /* Frees a value step by step, as destroy does at once: what is left of a budget
   * of about so many elements; 0: call it again, it is not done yet.  NULL: values
   * of this type are never large. */
  size_t (*free_some)(const larder_memory *, void *value, size_t budget);
};

enum { LRD_REBUILD_ARGUMENTS = 512 };

extern const struct lrd_kind_type lrd_list_type, lrd_set_type, lrd_hash_type, lrd_zset_type,
    lrd_stream_type;

/* The type's structure was replaced (packed to large, moved by a resize); the
 * old pointer is the type's to free. */
void lrd_set_value(struct lrd_entry *, void *value);

/* Handlers are named lrd_t_<command> (t_types.h for the collections); handlers.c binds
 * them to their ids. */

#endif
