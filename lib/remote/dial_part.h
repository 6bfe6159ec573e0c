/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_DIAL_PART_H
#define LRD_REMOTE_DIAL_PART_H

#include "remote/handshake.h"
#include "remote/link.h"
#include "remote/loop.h"
#include "remote/resolve.h"

/* An attempt to connect: what dial.c (addresses, sockets, ends) and dial_greet.c (TLS,
 * handshake) share.  Loop thread only. */

enum phase { PHASE_RESOLVE, PHASE_CONNECT, PHASE_TLS, PHASE_GREET };

struct lrd_dial {
  struct lrd_dial *next, *previous; /* in loop->dials */
  struct lrd_loop *loop;
  struct lrd_link *link;
  enum phase phase;
  int64_t begun_at, deadline, address_deadline;
  struct lrd_addresses addresses;
  size_t address; /* the one being tried */
  struct lrd_stream stream; /* until the link is READY; while greeting, the link's is a copy */
  struct lrd_watch *watch;
  struct lrd_handshake greet;
  char error[200];
};

/* dial.c.  The dial is gone afterwards. */
void lrd_dial_fail(struct lrd_dial *, const struct lrd_fault *);
void lrd_dial_fail_text(struct lrd_dial *, larder_cause, const char *text); /* NOT_SENT */
void lrd_dial_succeed(struct lrd_dial *);

/* dial_greet.c.  The dial may be gone afterwards. */
/* The socket is connected. */
void lrd_dial_greet(struct lrd_dial *);
/* It is ready, in PHASE_TLS or PHASE_GREET. */
void lrd_dial_greeting(struct lrd_dial *);

#endif
