/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_SESSION_H
#define LRD_STORE_SESSION_H

#include <larder/session.h>

#include "store/dispatch.h"
#include "util/arena.h"

/*
 * A conversation, as this folder and serve see it.  The fields under "serve's"
 * may be set by serve between two calls; the rest is read only for it.
 *
 * Outside MULTI a run of plain commands goes to the backend as one call, so
 * that a client's pipeline stays one.  Inside MULTI commands are kept in the
 * transaction's arena until EXEC sends them whole.
 */

struct lrd_session_hooks {
  /* AUTH and HELLO ... AUTH against the listener's own password.  user has len
   * 0 where only a password was given.  1: accepted.  NULL: no password is set. */
  int (*authenticate)(void *context, larder_bytes user, larder_bytes password);
  /* HELLO chose a protocol: its own reply is already written in it.  Or NULL. */
  void (*protocol)(void *context, int version);
  /* SUBSCRIBE and its like: writes its values, does not end the reply.  v NULL: RESET ends all
   * subscriptions, nothing is written.  NULL: replies can't carry messages. */
  void (*listen)(void *context, const larder_vector *v, larder_sink *sink,
                 larder_verdict *verdict);
  void *context;
};

/* As Redis's client-query-buffer-limit, which counts what MULTI queues. */
#define LRD_TRANSACTION_BYTES ((size_t)1 << 30)

struct lrd_transaction {
  int open;    /* between MULTI and EXEC */
  int aborted; /* a command could not be queued */
  int fronts;  /* there are commands in it that no backend answers */
  struct lrd_arena arena;
  larder_vector *vector; /* count of capacity, by the store's hook */
  size_t count, capacity;
  size_t bytes, limit; /* of the arguments queued, and what they cost besides */
};

struct larder_session {
  larder *store;
  uint64_t id;
  int database;
  char *name; /* CLIENT SETNAME, or NULL */
  int watching; /* WATCH was sent since the last EXEC, DISCARD or UNWATCH */
  int unguarded; /* a WATCH failed: the next EXEC must */
  larder_hold *hold; /* or NULL: none needed yet */
  struct lrd_transaction transaction;
  /* serve's. */
  int protocol;      /* 2 or 3 */
  unsigned call_flags; /* of each call */
  int authenticated; /* 0: only commands that need no authentication run */
  int listening;     /* has subscriptions: with RESP2 few commands may run beside them */
  int quit;          /* QUIT was answered: end the conversation */
  struct lrd_session_hooks hooks;
};

/* Runs commands in order; one reply each.  vector[i] needs argc and argv only; its
 * command is set.  Never waits longer than one store timeout for each backend call, but for a
 * key (BLPOP) as long as the command says. */
void lrd_session_execute(larder_session *, larder_vector *vector, size_t count, larder_sink *);

/* front.c: with RESP2 and subscriptions, what is not answered as ever; 1: it was replied. */
int lrd_front_beside(larder_session *, const larder_vector *v, larder_sink *);
static inline int lrd_session_is_confined(const larder_session *s)
{
  return s->listening && s->protocol == 2;
}

/* --- transaction.c: MULTI EXEC DISCARD WATCH UNWATCH ---------------------- */

int lrd_is_transaction_command(const larder_session *, const larder_vector *v);
void lrd_transaction_command(larder_session *, const larder_vector *v, struct lrd_meter *);
/* RESET: no transaction, nothing watched; no reply. */
void lrd_transaction_reset(larder_session *);
/* v is anything else, inside a transaction. */
void lrd_transaction_queue(larder_session *, const larder_vector *v, struct lrd_meter *);
/* v is no command, or has the wrong number of arguments: error says so. */
void lrd_transaction_refuse(larder_session *, const larder_vector *v, const char *error,
                            struct lrd_meter *);

#endif
