/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_HALL_H
#define TEST_PROOF_HALL_H

#include <larder.h>
#include <pthread.h>
#include <stdatomic.h>

#include "memory/pool.h"

/*
 * A store that several guests are at, each a thread with a session of its own, and what they do
 * there: a deed writes, or looks whether what holds over several keys still does.  The first
 * complaint ends the test.
 */
enum { TWINS = 4, VALUE = 2000 };

struct guest;
typedef void deed(struct guest *);

struct hall {
  larder *store;
  _Atomic uint64_t version[TWINS]; /* given out so far */
  const char *_Atomic wrong;
  unsigned rounds;
  unsigned ttl;       /* of litter: so many ms at most; 0: none */
  int lossy;          /* any key may be evicted */
  unsigned litter;    /* so many keys */
  deed *const *deeds; /* up to NULL */
};

struct guest {
  struct hall *hall;
  unsigned number;
  struct lrd_prng prng;
  pthread_t thread;
  larder_session *session;
  char value[VALUE + 1], seen[2][VALUE + 64];
};

static inline void complain(struct guest *g, const char *what)
{
  atomic_store(&g->hall->wrong, what);
}

/* Into the guest's value: "version;version;...", of any length; the length. */
size_t make_value(struct guest *, uint64_t version);

/* Twins: two keys that are only ever written together, and are removed together. */
deed write_twins, write_mortal_twins, remove_twins, read_twins;
/* One pair more, whose versions rise: one guest alone writes it. */
deed write_in_order, read_in_turn;

#endif
