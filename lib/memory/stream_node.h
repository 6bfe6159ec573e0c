/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STREAM_NODE_H
#define LRD_MEMORY_STREAM_NODE_H

#include "memory/packed.h"
#include "memory/stream_id.h"

/*
 * Entries of a stream that lie together in one block, each as what differs from the first:
 *
 *   field ... | entry entry ...                  the fields that the first entry had, as blobs
 *
 *   entry:  size | ms - first.ms | seq | [fields, field] value ... | size
 *
 * The size (of what is between the two) is a varint in front, with a lowest bit that says whether
 * the entry names its fields itself, and once more behind, to be read from its end: so a walk
 * goes either way.  seq counts from first.seq as long as the ms are the same.  An entry of two
 * short fields takes 7 bytes and its values.
 *
 * What is deleted is taken out.  But where Redis begins a new node, and what an approximate
 * XTRIM takes, depends on how long its listpack is and on how many entries in it are only marked
 * as deleted, so both are counted.
 */
struct lrd_xnode {
  struct lrd_xid first, last; /* that it ever had */
  uint64_t listpack;          /* how long Redis's would be, without its two counts */
  uint32_t count, deleted;
  uint32_t fields;            /* of the first entry */
  uint32_t begin, end, capacity; /* of data: where entries are, and how much there is room for */
  unsigned char data[];
};

/* Fields and values of a new entry: field value field value ... */
struct lrd_xfields {
  size_t count;
  const larder_bytes *part;
};

/* An entry that is read. */
struct lrd_xentry {
  struct lrd_xid id;
  size_t count;               /* of its fields */
  size_t index;               /* of the next one */
  const unsigned char *name;  /* of the next field, if they are the node's; or NULL */
  const unsigned char *value; /* of the next field, its name first if it has its own */
};

/* The longest listpack that Redis makes. */
enum { LRD_XNODE_MAX = 1 << 30 };

/* A node that begins with an id, with those fields (of parts only their names count), without an
 * entry, and with room for so many bytes; NULL: no memory. */
struct lrd_xnode *lrd_xnode_begin(const larder_memory *, struct lrd_xid, struct lrd_xfields,
                                  size_t room);
/* A node with one entry; NULL: no memory. */
struct lrd_xnode *lrd_xnode_new(const larder_memory *, struct lrd_xid, struct lrd_xfields);
void lrd_xnode_free(const larder_memory *, struct lrd_xnode *);
/* Adds one behind all others; the node moves.  NULL: no memory, nothing changed. */
struct lrd_xnode *lrd_xnode_add(const larder_memory *, struct lrd_xnode *, struct lrd_xid,
                                struct lrd_xfields);
/* Gives back room that is not used; the node moves, or (no memory for that) stays as it is. */
struct lrd_xnode *lrd_xnode_shrink(const larder_memory *, struct lrd_xnode *);
/* The same node once more; NULL: no memory. */
struct lrd_xnode *lrd_xnode_clone(const larder_memory *, const struct lrd_xnode *);

/* How long Redis's listpack would be. */
uint64_t lrd_xnode_listpack(const struct lrd_xnode *);

/* Entries by where they begin, or (back) end: from begin to end, in steps that return where the
 * next one is. */
size_t lrd_xnode_next(const struct lrd_xnode *, size_t at, struct lrd_xentry *);
size_t lrd_xnode_previous(const struct lrd_xnode *, size_t at, struct lrd_xentry *);
/* Where the first entry that is not below begins; end: there is none. */
size_t lrd_xnode_seek(const struct lrd_xnode *, struct lrd_xid);
/* Takes out the entry that begins there. */
void lrd_xnode_delete(struct lrd_xnode *, size_t at);
/* Takes out all in front of that one. */
void lrd_xnode_delete_before(struct lrd_xnode *, size_t at, uint32_t count);

/* The next field of an entry; 0: there was none. */
int lrd_xentry_next(struct lrd_xentry *, larder_bytes *field, larder_bytes *value);

/* For tests: NULL, or what is wrong. */
const char *lrd_xnode_check(const struct lrd_xnode *);

#endif
