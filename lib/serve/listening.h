/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_LISTENING_H
#define LRD_SERVE_LISTENING_H

#include "command/inbox.h"
#include "command/sink.h"
#include "store/names.h"
#include "store/store.h"

/*
 * What a client subscribed, and what it heard of it and was not sent yet: SUBSCRIBE and its
 * like, and the messages in RESP.  Made when the client first subscribes.
 *
 * Where the store has a source (a Redis) a subscription is confirmed once the server has
 * confirmed it, or refused at the call's deadline.  A client that loses messages is cut
 * off, as by a Redis that ends: it has no other way to learn it.
 */

/* As Redis's client-output-buffer-limit for pubsub. */
enum { LRD_LISTENING_HARD = 32 << 20, LRD_LISTENING_SOFT = 8 << 20, LRD_LISTENING_SOFT_MS = 60000 };

struct lrd_listening {
  struct lrd_inbox inbox; /* first */
  larder *store;
  struct lrd_hub *hub;
  struct lrd_names names;
  /* Something came where nothing waited: on the thread that published, with locks held. */
  void (*wake)(struct lrd_listening *);
  void *context;
  const char *cut; /* why the client can't go on; NULL: it can.  Of whoever drains */
  /* How the inbox does it, and what is done before. */
  void (*hear)(struct lrd_ear *, enum lrd_hub_kind, struct lrd_name *, struct lrd_message *);
  void (*changed)(struct lrd_ear *, enum lrd_hub_state, enum lrd_hub_kind, struct lrd_name *,
                  const char *);
  /* Under the inbox's lock. */
  pthread_cond_t news;
  uint64_t changes;
  char refusal[128];   /* the server's words */
  int lost;            /* a message was not kept */
  int64_t slow_since;  /* more than SOFT waits; 0: not */
};

/* NULL: no memory. */
struct lrd_listening *lrd_listening_new(larder *store, void (*wake)(struct lrd_listening *),
                                        void *context);
/* When it returns wake doesn't run and won't be called. */
void lrd_listening_free(struct lrd_listening *);

/* Runs one of the six commands: writes its values, ends no reply.  May wait until the
 * store's deadline.  What it says of the outcome is in *verdict. */
void lrd_listening_run(struct lrd_listening *, const larder_vector *, larder_sink *,
                       larder_verdict *verdict);
/* Ends all subscriptions without a word. */
void lrd_listening_reset(struct lrd_listening *);
/* How many there are: nonzero is subscriber mode. */
static inline size_t lrd_listening_count(const struct lrd_listening *l)
{
  const atomic_size_t *n = l->inbox.ear.count;
  return n[LRD_HUB_CHANNEL] + n[LRD_HUB_PATTERN] + n[LRD_HUB_SHARD];
}

/* Whether a message was lost, however much waits before it: sets `cut`. */
int lrd_listening_is_cut(struct lrd_listening *);
/* Writes what waits as pushes, each a reply of its own, until out has grown by about `most` bytes.
 * 1: there is more.  Sets `cut`. */
int lrd_listening_drain(struct lrd_listening *, struct lrd_resp *, size_t most);

#endif
