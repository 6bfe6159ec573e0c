/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_FENCE_H
#define LRD_REMOTE_FENCE_H

#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

#include "util/lock.h"
#include "util/memory.h"

/*
 * A connection that ended with writes outstanding may still be read by the
 * server (it was stopped, its queue is long): an old write could land after
 * newer ones.  So its identity is remembered, and whoever connects next makes the
 * server end it (CLIENT KILL) before anything else is sent.  Identities are those
 * of one server process: another run id, and they are forgotten.
 *
 * Any thread; the lock is a leaf.
 */

enum { LRD_RUN_ID_SIZE = 48, LRD_PEER_SIZE = 128, LRD_FENCE_BATCH = 16 };

/* How the server knows a connection. */
struct lrd_identity {
  char run_id[LRD_RUN_ID_SIZE]; /* "": not known */
  int64_t id;                   /* 0: not known */
  char address[LRD_PEER_SIZE];  /* "": not known */
};

struct lrd_fence {
  struct lrd_lock lock;
  const larder_memory *memory;
  struct lrd_identity *old;
  size_t used, capacity;
  size_t reserved; /* connections that may need a place */
};

/* 0, or an errno value. */
int lrd_fence_init(struct lrd_fence *, const larder_memory *);
void lrd_fence_free(struct lrd_fence *);

/* A connection comes to life: keeps a place for it.  0, or -1: no memory. */
int lrd_fence_reserve(struct lrd_fence *);
/* It ended; identity: with writes outstanding, NULL: without. */
void lrd_fence_release(struct lrd_fence *, const struct lrd_identity *);

/* Copies identities of this run id (at most LRD_FENCE_BATCH) and forgets those of
 * others.  Returns how many. */
size_t lrd_fence_list(struct lrd_fence *, const char *run_id, struct lrd_identity *out);
/* The server has ended these, or will not let us. */
void lrd_fence_forget(struct lrd_fence *, const struct lrd_identity *, size_t count);

/* The commands that end the remembered connections. */
struct lrd_kill {
  struct lrd_identity old[LRD_FENCE_BATCH];
  char id[LRD_FENCE_BATCH][24];
  larder_bytes argument[LRD_FENCE_BATCH * 6];
  larder_vector vector[LRD_FENCE_BATCH];
  size_t count;
  int by_id; /* the server does not know the form with an address */
};

/* Fills the commands for this server; 0: there is nothing to end.  kill is zeroed first
 * time; again after lrd_kill_result until 0. */
size_t lrd_kill_list(struct lrd_kill *, struct lrd_fence *, const char *run_id);
/* Their replies: 0, or -1: we are not allowed (nothing is remembered any more). */
int lrd_kill_result(struct lrd_kill *, struct lrd_fence *, const larder_value *reply);

#endif
