/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_REQUEST_H
#define LRD_SERVE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

#include "util/arena.h"

/*
 * Parses what a client sends, multibulk or inline, into a list of commands.
 * No I/O.  The arguments of multibulk commands point into the bytes given, so
 * these must stay where they are while the list is used; a command that is not
 * complete yet is kept, and continued when more bytes are there.
 *
 * Memory follows the bytes received, never the lengths announced.
 */

/* Redis's, from redis-server 7.0's answers. */
enum {
  LRD_REQUEST_LINE = 64 * 1024,             /* inline command, or a length line */
  LRD_REQUEST_BULK = 512 * 1024 * 1024,
  LRD_REQUEST_STRANGER_ARGUMENTS = 10,      /* before a client has authenticated itself */
  LRD_REQUEST_STRANGER_BULK = 16384
};

enum lrd_request_end {
  LRD_REQUEST_MORE,      /* everything was parsed; what is left is not complete */
  LRD_REQUEST_FULL,      /* as many commands as wanted */
  LRD_REQUEST_ERROR,     /* protocol error: see text; only the commands before it are there */
  LRD_REQUEST_NO_MEMORY
};

struct lrd_request {
  const larder_memory *memory;

  /* The list: complete commands, argv set, command ids not. */
  larder_vector *vector;
  size_t count, vectors;
  size_t consumed; /* bytes that the list and all before it took */

  /* Their arguments one after the other, then those of the incomplete command. */
  larder_bytes *argument;
  size_t arguments, capacity;
  struct lrd_arena arena; /* arguments of inline commands */

  /* The incomplete command. */
  size_t complete;   /* arguments that belong to complete commands */
  size_t at;         /* parsed up to here */
  int64_t missing;   /* arguments still to come; -1: its first line is */
  int64_t bulk;      /* length of the argument that comes; -1: its line does */
  size_t scanned;    /* of the line at `at`: known to hold no end of line */

  char text[96];     /* of a protocol error */
};

void lrd_request_init(struct lrd_request *, const larder_memory *);
void lrd_request_free(struct lrd_request *);

/* Parses data[0 .. len-1], the same bytes as last time plus what was added,
 * until the list has max commands.  stranger: the limits before authentication. */
enum lrd_request_end lrd_request_parse(struct lrd_request *, const char *data, size_t len,
                                       size_t max, size_t bulk_limit, int stranger);

/* The list was executed: forgets it.  The caller then removes the first
 * `consumed` bytes (returned). */
size_t lrd_request_next(struct lrd_request *);

/* The bytes moved from one address to another (from need not be valid any more).
 * After lrd_request_next and its removal: from = old start + consumed. */
void lrd_request_moved(struct lrd_request *, uintptr_t from, const char *to);

#endif
