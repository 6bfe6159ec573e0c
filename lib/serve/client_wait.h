/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_CLIENT_WAIT_H
#define LRD_SERVE_CLIENT_WAIT_H

#include <larder/backend.h>

#include "serve/listener.h"

/*
 * A client's call that waits for a key (BLPOP and its kin): a submission, so no thread waits with
 * it.  What the client sends behind it stays where it is until it has ended; a client that hangs
 * up takes it back.  The reply has a buffer of its own, which is the submission's until the loop
 * hears of its end: messages of channels go out meanwhile.
 *
 * On the loop's thread, but for lrd_client_may_wait: where the client's list runs.
 */

struct lrd_client;

/* Whether this is a call that may wait, as the session stands now; v->command is set. */
int lrd_client_may_wait(const struct lrd_client *, larder_vector *v);
/* v lasts until the end.  1: it has ended already, perhaps without a reply (the client is dead). */
int lrd_client_begin_wait(struct lrd_client *, const larder_vector *v);
/* It has ended: moves its reply to the output buffer. */
void lrd_client_end_wait(struct lrd_client *);
/* Asks that it end now. */
void lrd_client_cancel_wait(struct lrd_client *);
/* Those whose waiting has ended go on. */
void lrd_client_waited(larder_listener *);
void lrd_client_free_wait(struct lrd_client *);

#endif
