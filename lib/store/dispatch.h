/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_DISPATCH_H
#define LRD_STORE_DISPATCH_H

#include "command/command.h"
#include "command/sink.h"
#include "store/store.h"

/*
 * The one way from a caller to a backend.
 *
 * A meter is the sink that stands between them: it hands every write on,
 * derives ABSENT from command and value, and counts each reply.
 */
struct lrd_meter {
  larder_sink sink;
  larder_sink *inner;
  struct lrd_cell *cell;
  const larder_vector *vector; /* of the replies to come; NULL: no ABSENT */
  size_t vectors;
  larder_outcome last;         /* of the reply that ended last */
  int last_nil;                /* it was a nil */
  /* The head of the reply being written: enough for lrd_command_absent. */
  larder_value head;
  char word[8];
  int headed;
  unsigned depth; /* of open() aggregates whose head is still to be closed */
};

void lrd_meter_init(struct lrd_meter *, larder_sink *inner, struct lrd_cell *);

/* Runs a call on this thread.  Between lrd_enter and lrd_leave. */
void lrd_dispatch(larder *, const larder_call *, struct lrd_meter *);
/* Starts it: submission->sink is the meter's.  The vectors stay valid until done. */
void lrd_dispatch_submit(larder *, const larder_call *, struct lrd_meter *, larder_submission *);

/* What a vector is to those above the backends. */
enum lrd_route {
  LRD_ROUTE_BACKEND, /* goes through the table */
  LRD_ROUTE_FRONT,   /* answered by front.c */
  LRD_ROUTE_SESSION, /* belongs to one conversation */
  LRD_ROUTE_BAD      /* error holds Redis's text */
};
enum lrd_route lrd_route(larder_vector *, char *error, size_t error_size);

/* A call on the store's own database, all flags 0. */
larder_call lrd_plain_call(const larder *, const larder_vector *, size_t count, int64_t timeout);

/* One command on a bare store: routed, answered or refused; one reply.  v->command is set. */
void lrd_run_bare(larder *, larder_vector *v, int64_t timeout, struct lrd_meter *);

/* front.c.  session NULL: a bare store. */
void lrd_front(larder_session *, const larder_vector *, larder_sink *);

#endif
