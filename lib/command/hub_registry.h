/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_COMMAND_HUB_REGISTRY_H
#define LRD_COMMAND_HUB_REGISTRY_H

#include "command/hub.h"
#include "util/hash.h"
#include "util/lock.h"
#include "util/memory.h"

/* uthash with the hub's memory and hash, where `hub` is in scope; a failed addition
 * leaves hh.tbl NULL. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((void)(element))
#define uthash_malloc(size) lrd_allocate(&hub->memory, (size))
#define uthash_free(block, size) lrd_release(&hub->memory, (block), (size))
#define HASH_FUNCTION(bytes, len, value) ((value) = (unsigned)lrd_hash(&hub->secret, (bytes), (len)))
#include <uthash.h>

/*
 * The hub from inside: names with their members, under its lock.
 *
 * An entry is one name of one kind.  It lives while an ear has it, and beyond that until the
 * source has taken that nobody wants it any more.  With a source it is a change while what is
 * wanted differs from what the source was told.
 */

struct lrd_entry {
  UT_hash_handle hh; /* by name */
  struct lrd_name *name;
  enum lrd_hub_kind kind;
  int told, ready, listed;       /* the source has it; confirmed; in the list of changes */
  uint64_t ticket;
  struct lrd_member **member;    /* count of capacity */
  size_t count, capacity;
  struct lrd_entry *next, *before; /* changes */
};

/* One ear's subscription of one name. */
struct lrd_member {
  UT_hash_handle hh; /* by key */
  struct lrd_member_key {
    struct lrd_ear *ear;
    struct lrd_entry *entry;
  } key;
  size_t place;                     /* in entry->member */
  struct lrd_member *next, *before; /* of the ear, newest first */
};

struct lrd_hub {
  struct lrd_lock lock; /* of everything below but total */
  larder_memory memory;
  struct lrd_hash_key secret;
  unsigned references; /* the store's and each open ear's */
  int closed;
  struct lrd_entry *entries[LRD_HUB_KINDS];
  size_t wanted[LRD_HUB_KINDS]; /* entries with members */
  atomic_size_t total;          /* sum of wanted; read without the lock */
  struct lrd_member *members;
  size_t member_count, name_bytes;
  struct lrd_ear *ears;
  /* The source. */
  const struct lrd_hub_source *source;
  struct lrd_entry *first, *last; /* changes */
  uint64_t ticket;
  unsigned waking;      /* threads inside wants_changed */
  pthread_cond_t awake; /* there is none any more */
};

/* All under the lock.  NULL: there is no such name. */
struct lrd_entry *lrd_registry_find(struct lrd_hub *, enum lrd_hub_kind, larder_bytes name,
                                    unsigned hash);
static inline unsigned lrd_registry_hash(const struct lrd_hub *hub, larder_bytes name)
{
  return (unsigned)lrd_hash(&hub->secret, name.data, name.len);
}
/* The ear's subscription of it, or NULL. */
struct lrd_member *lrd_registry_member(struct lrd_hub *, struct lrd_ear *, struct lrd_entry *);
/* A new one, of an entry that is made if there is none; NULL: no memory, nothing changed. */
struct lrd_member *lrd_registry_join(struct lrd_hub *, struct lrd_ear *, enum lrd_hub_kind,
                                     larder_bytes name);
/* Ends it; the entry goes with its last one, unless the source must be told. */
void lrd_registry_part(struct lrd_hub *, struct lrd_member *);
/* Puts the entry into the list of changes, or takes it out, or frees it. */
void lrd_registry_settle(struct lrd_hub *, struct lrd_entry *);
void lrd_registry_clear(struct lrd_hub *);

#endif
