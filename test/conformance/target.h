/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_TARGET_H
#define TEST_CONFORMANCE_TARGET_H

#include <larder.h>

#include "support/resp.h"
#include "support/server.h"

/*
 * Something that commands can be sent to: a redis-server, a store through the
 * public API, a store behind the listener.  It holds a few conversations
 * ("sessions"), so that one can disturb the transaction of another.
 *
 * Functions that open one print and end the process where they can't.
 */

enum { TARGET_SESSIONS = 3 };

struct target {
  const char *name;
  int protocol;           /* in which its replies are: 2 or 3 */
  int has_outcome;        /* a store's: the outcome below means something */
  larder_outcome outcome; /* of the last call */
  unsigned flags;         /* of the last reply: LARDER_JOURNALED, LARDER_PROVISIONAL */
  larder *store;          /* or NULL */
  struct resp *(*call)(struct target *, int session, int argc, const char *const *argv,
                       const size_t *len); /* never NULL */
  void (*fresh)(struct target *);          /* forgets all conversations */
  void (*close)(struct target *);
  const struct server *server;
  struct resp_client *client[TARGET_SESSIONS];
  int used[TARGET_SESSIONS]; /* a connection that is no longer as it was when new */
  larder_session *session[TARGET_SESSIONS];
  struct larder_listener *listener;
  int port; /* of that listener */
};

/* A redis-server that the test started. */
struct target *target_server(const struct server *, int protocol);
/* A store opened with that URL. */
struct target *target_store(const char *name, const char *url);
/* A listener in front of a store opened with that URL, spoken to in RESP2 or RESP3. */
struct target *target_serve(const char *name, const char *url, int protocol);
/* NULL is allowed. */
void target_close(struct target *);

/* A larder reply as a tree, in its RESP3 form. */
void target_tree(struct resp *to, const larder_value *from);

#endif
