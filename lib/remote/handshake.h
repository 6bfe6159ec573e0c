/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_HANDSHAKE_H
#define LRD_REMOTE_HANDSHAKE_H

#include "remote/link.h"

/*
 * What a new connection says before it carries anything else, through the link's
 * own wire: AUTH, SELECT of another database than 0 (both confirmed), who we are to the server, who the server
 * is, whether it takes calls; then the fence (CLIENT KILL of old connections),
 * and only after its reply may the link become READY.  No I/O.
 *
 * HELLO 3 comes behind AUTH, without credentials: who refuses it (an older server, a proxy) refuses
 * nothing else, and both its reply and what follows can be read in either protocol, so going on in RESP2 costs
 * no round trip.  Somebody may hang up instead: see lrd_remote.hello_cuts.
 */

enum { LRD_GREET_STEPS = 16, LRD_GREET_ARGUMENTS = 48 };

struct lrd_handshake {
  struct lrd_link *link;
  larder_credentials credentials; /* of the callback; wiped once AUTH is answered */
  struct lrd_ticket ticket;
  larder_vector vector[LRD_GREET_STEPS];
  larder_bytes argument[LRD_GREET_ARGUMENTS];
  unsigned char step[LRD_GREET_STEPS];
  size_t steps, arguments;
  char database[12];
  int64_t begun_at; /* wall clock, us */
  int offered;      /* HELLO 3 is among the steps */
  int protocol;     /* that the server speaks: 3, else RESP2 */
  int fencing;      /* the ticket is that of kill */
  struct lrd_kill kill;

  /* What the server said. */
  struct lrd_identity identity;
  int64_t clock_offset_us;
  int volatile_marker, can_fence;
  char no_multi[128];
  struct lrd_fault fault; /* after FAILED */
};

enum lrd_greeting { LRD_GREETING_MORE, LRD_GREETING_DONE, LRD_GREETING_FAILED };

/* Zeroes it, and asks the callback for credentials, if there is one: 1; 0: fault says why not.
 * No lock is held. */
int lrd_handshake_prepare(struct lrd_handshake *, const struct lrd_config *);
/* Puts the first commands into the link's wire, which is new.  MORE or FAILED. */
enum lrd_greeting lrd_handshake_begin(struct lrd_handshake *, struct lrd_link *);
/* The ticket is DONE: what now. */
enum lrd_greeting lrd_handshake_next(struct lrd_handshake *);
/* The connection ended, for this reason, with the ticket FAILED: fills fault (a server
 * that is full says so in place of the first reply). */
void lrd_handshake_cut(struct lrd_handshake *, larder_cause, const char *text);
void lrd_handshake_release(struct lrd_handshake *);
/* Wipes what the wire's output may hold of a password, before the wire is freed. */
void lrd_handshake_wipe(struct lrd_handshake *);

#endif
