/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_ENTRY_H
#define LRD_MEMORY_ENTRY_H

#include <stdatomic.h>
#include <string.h>

#include "memory/kind.h"
#include "memory/wheel.h"

/*
 * An entry is one block: a timer if the key has (or had) an expiry, then the
 * header, the key's bytes, and for a string that is no integer its value with
 * room to grow.
 *
 *   [ timer ] | key_len kind+database flags used | value | key ... | text ... (room)
 *             ^ struct lrd_entry *
 *
 * kind LRD_NONE is a tombstone: the key is known not to exist (partial engine).
 */

enum {
  LRD_ENTRY_TIMER = 1 << 0,   /* there is a timer before it */
  LRD_ENTRY_INTEGER = 1 << 1, /* a string, held as a number */
  LRD_ENTRY_DELTA = 1 << 2,   /* not the whole value (partial engine) */
  LRD_ENTRY_RAW = 1 << 3      /* a string that was changed in place: OBJECT ENCODING */
};

/* As Redis's proto-max-bulk-len. */
enum { LRD_STRING_MAX = 512 * 1024 * 1024 };

struct lrd_text {
  uint32_t len, capacity;
};

struct lrd_entry {
  uint32_t key_len;
  uint8_t kind : 4; /* enum lrd_kind */
  uint8_t database : 4;
  uint8_t flags;
  _Atomic uint16_t used; /* when or how often, for eviction: evict.h; readers store to it too */
  union {
    int64_t integer;      /* a string with LRD_ENTRY_INTEGER */
    struct lrd_text text; /* another string; a tombstone (capacity only) */
    void *value;          /* a collection */
  };
  char bytes[];
};

static inline larder_bytes lrd_entry_key(const struct lrd_entry *e)
{
  return (larder_bytes){ e->bytes, e->key_len };
}

static inline char *lrd_entry_text(struct lrd_entry *e)
{
  return e->bytes + e->key_len;
}

static inline struct lrd_timer *lrd_entry_timer(const struct lrd_entry *e)
{
  return e->flags & LRD_ENTRY_TIMER
           ? (struct lrd_timer *)(uintptr_t)((const char *)e - sizeof(struct lrd_timer))
           : NULL;
}

static inline struct lrd_entry *lrd_entry_of_timer(struct lrd_timer *t)
{
  return (struct lrd_entry *)(void *)(t + 1);
}

/* Wall ms; -1: it does not expire. */
static inline int64_t lrd_entry_expiry(const struct lrd_entry *e)
{
  const struct lrd_timer *t = lrd_entry_timer(e);
  return t && t->link ? t->at : -1;
}

/* Whether the text's room is part of the block. */
static inline int lrd_entry_has_text(const struct lrd_entry *e)
{
  return e->kind == LRD_NONE || (e->kind == LRD_STRING && !(e->flags & LRD_ENTRY_INTEGER));
}

/* A block for that key with room for a text, a disarmed timer if wanted; the
 * kind is LRD_NONE.  NULL: no memory. */
struct lrd_entry *lrd_entry_new(const larder_memory *, unsigned database, larder_bytes key,
                                size_t capacity, int timer);
/* Frees the block and, of a collection, the value; the timer is disarmed. */
void lrd_entry_free(const larder_memory *, struct lrd_entry *);
/* Frees a collection's value and leaves a tombstone. */
void lrd_entry_clear(const larder_memory *, struct lrd_entry *);
/* Gives a text another room; the entry may move, also its timer.  NULL: no
 * memory, all is as it was. */
struct lrd_entry *lrd_entry_resize(const larder_memory *, struct lrd_entry *, size_t capacity);

/* Of a collection how many elements it has; else 1. */
size_t lrd_entry_elements(const struct lrd_entry *);
/* The bytes of the block; what a collection holds is not in it. */
size_t lrd_entry_size(const struct lrd_entry *);
/* A collection without an element. */
int lrd_entry_is_empty(const struct lrd_entry *);
/* Of a collection. */
const struct lrd_kind_type *lrd_kind_type(enum lrd_kind);

/* Of a string's new value: how much room a new block needs; whether it goes into
 * an entry as it is, without wasting much; puts it there (the timer stays). */
size_t lrd_entry_room(larder_bytes value);
int lrd_entry_fits(const struct lrd_entry *, larder_bytes value);
void lrd_entry_set_string(struct lrd_entry *, larder_bytes value);
/* A string's bytes; number: LRD_NUMBER_SIZE bytes for the print of an integer. */
larder_bytes lrd_entry_string(const struct lrd_entry *, char *number);

#endif
