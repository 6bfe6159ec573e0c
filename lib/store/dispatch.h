/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_DISPATCH_H
#define LRD_STORE_DISPATCH_H

#include "command/command.h"
#include "command/sink.h"
#include "store/store.h"

/*
 * The one way from a caller to a backend.
 *
 * A meter goes with the sink of a call: it derives ABSENT from command and value,
 * and counts each reply.  The sink is one of command/sink.h.
 */
struct lrd_meter {
  struct lrd_ending ending; /* first */
  larder_sink *sink;
  struct lrd_cell *cell;
  const larder_vector *vector; /* of the replies to come; NULL: no ABSENT */
  size_t vectors;
  larder_outcome last;         /* of the reply that ended last */
  int last_nil;                /* it was a nil */
  uint64_t untold;             /* replies not counted yet, all of which ended as `same` says */
  larder_verdict same;
};

/* From now on the sink tells the meter, until detached: it must not end a reply
 * after the meter is gone. */
void lrd_meter_attach(struct lrd_meter *, larder_sink *, struct lrd_cell *);
static inline void lrd_meter_detach(struct lrd_meter *m)
{
  m->sink->ending = NULL;
}

/* Runs a call on this thread.  Between lrd_enter and lrd_leave. */
void lrd_dispatch(larder *, const larder_call *, struct lrd_meter *);

/* What a vector is to those above the backends. */
enum lrd_route {
  LRD_ROUTE_BACKEND, /* goes through the table */
  LRD_ROUTE_FRONT,   /* answered by front.c */
  LRD_ROUTE_SESSION, /* belongs to one conversation */
  LRD_ROUTE_BAD      /* error holds Redis's text */
};
/* store NULL: INFO is what a backend says of itself. */
enum lrd_route lrd_route(const larder *, larder_vector *, char *error, size_t error_size);

/* 1: INFO's section `larder` alone, which no backend knows. */
int lrd_asks_front(const larder_vector *);

/* A call on the store's own database.  Where the flags let it wait for a key, its deadline lies
 * that much later. */
larder_call lrd_plain_call(const larder *, const larder_vector *, size_t count, unsigned flags,
                           int64_t timeout);

/* One command on a bare store: routed, answered or refused; one reply.  v->command is set.
 * No meter goes with the sink.  1: the reply is the backend's, and may mean ABSENT. */
int lrd_run_bare(larder *, larder_vector *v, int64_t timeout, larder_sink *);

/* What SUBSCRIBE and its like are told where replies can't carry messages. */
extern const char lrd_text_subscriber[];

/* front.c.  session NULL: a bare store. */
void lrd_front(larder *, larder_session *, const larder_vector *, larder_sink *);

#endif
