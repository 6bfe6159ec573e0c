/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SIMULATE_LISTEN_H
#define TEST_SIMULATE_LISTEN_H

#include <larder.h>

#include "simulate/server.h"

/*
 * Who listens to a store, and whether what was heard is what was published.
 *
 * The server executes one PUBLISH after the other, so each message has a number in its channel.
 * Of a name that is READY every number is heard, once, in order, until GAP; never is one heard
 * twice, or before an older one.  What is published after READY or GAP was taken is among what follows
 * that READY (or that GAP, if it was the queue's).
 */

enum { LISTEN_CHANNELS = 3 };
extern const char *const listen_channel[LISTEN_CHANNELS];

void listen_begin(void);
/* Listeners of their own tasks; and an event that publishes at the server, until listen_hush. */
void listen_start(larder *store);
void listen_hush(void);
/* Everything has worked for a while: every name must be READY, and what is published now heard. */
void listen_must_work(void);
/* Ends those that end before their store. */
void listen_stop(void);
/* The store was closed: the others have heard it. */
void listen_end(void);

/* For the judge: the server executed PUBLISH.  The message's number. */
unsigned listen_published(const struct sim_bytes *channel);

#endif
