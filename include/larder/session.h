/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_SESSION_H
#define LARDER_SESSION_H

#include <stddef.h>

#include <larder/reply.h>

/*
 * A session is one conversation with a store: it holds what a store that is
 * shared by threads can't hold, a database number (SELECT), watched keys
 * (WATCH) and an open transaction (MULTI ... EXEC).  On a bare store those
 * commands are BAD_ARGUMENT; use larder_batch for an atomic batch.
 *
 * A session serves one thread at a time; different sessions are independent.
 * Calls on one session happen in the order in which they were made.
 *
 * Between MULTI and EXEC commands are checked (name, arity) and kept here; they
 * reach the backend with EXEC, whole (at most 1 GiB of them: beyond it a command is
 * REFUSED, and so is EXEC).  If the backend was switched (Redis lost
 * or back) after WATCH, or a WATCH failed, EXEC is NOT_SENT: nothing was executed.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct larder larder;
typedef struct larder_session larder_session;

/* Opens a session; NULL: out of memory, or the store is closing.  The store
 * must stay open as long as the session. */
larder_session *larder_session_open(larder *store);

/* Ends a session: watches and an open transaction are forgotten.  NULL is allowed. */
void larder_session_close(larder_session *session);

/* Runs one command in the session.  As larder_argv, plus WATCH, UNWATCH, MULTI,
 * EXEC, DISCARD, SELECT and what else belongs to one conversation. */
larder_reply *larder_session_argv(larder_session *session, int argc, const char *const *argv,
                                  const size_t *argvlen);

/* The same from a format, as larder_command. */
larder_reply *larder_session_command(larder_session *session, const char *format, ...);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
