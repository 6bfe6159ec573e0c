/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_ASYNC_H
#define LARDER_ASYNC_H

#include <stddef.h>
#include <stdint.h>

#include <larder/reply.h>

/*
 * Asynchronous calls.  A call returns at once; its callback is called exactly
 * once, with a reply, also when the store is closed first (CLOSED, UNKNOWN, ...).
 *
 * Where: with LARDER_DELIVER_THREAD on a thread of larder's own, one at a time; with
 * LARDER_DELIVER_DISPATCH inside larder_dispatch(), on whichever thread calls
 * it (and inside larder_close); on a uv_loop_t with larder/uv.h.  Never inside larder_async_...
 * itself, never with an internal lock held.
 *
 * From inside a callback: anything of larder but larder_close.  Calls begun there don't nest.  A
 * synchronous call is allowed and ends by its deadline; until then nothing else is delivered
 * on that thread, so where it is an event loop it stands still too.
 *
 * Bounds: 65536 calls in flight a store (callbacks that have not been called among them),
 * towards Redis with 256 MiB of arguments; a call beyond that is NOT_SENT, at once or through its
 * callback: let some end, and begin it again.  Each call's time runs from when it is begun.
 *
 * Order: calls that one thread begins are sent in that order on one connection.  Threads take
 * turns, so nobody waits behind all that another one has begun.
 *
 * Calls that wait for a key (BLPOP and its kin) wait without a thread in the in-process engine, at
 * most 16384 a store; towards Redis they are UNSUPPORTED: let a thread wait (larder_command), for
 * whom there is a connection of its own, at most 32 a store.
 *
 * Processes: in a forked child these calls are FORKED, and no callback of the parent's calls comes
 * there; the parent goes on undisturbed.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct larder larder;
typedef struct larder_batch larder_batch;

/* The reply belongs to the callback's owner: free it with larder_reply_free. */
typedef void larder_callback(void *context, larder_reply *reply);

/* Starts a call; the bytes are copied.  OK: the callback will come.  Anything
 * else (BAD_ARGUMENT, NO_MEMORY, CLOSED, FORKED, NOT_SENT: too many in flight): it won't.
 * timeout_ms: 0 = the store's.  Any thread; never blocks on the network.
 * If id is not NULL it receives a number for larder_async_cancel. */
larder_outcome larder_async_argv(larder *store, int argc, const char *const *argv,
                                 const size_t *argvlen, int64_t timeout_ms,
                                 larder_callback *callback, void *context, uint64_t *id);
larder_outcome larder_async_command(larder *store, larder_callback *callback, void *context,
                                    const char *format, ...);

/* Asks that the call end now: its callback comes with NOT_SENT, UNKNOWN or
 * NO_ANSWER, or with its reply if that was faster.  OK: it was in flight;
 * ABSENT: it was not (any more). */
larder_outcome larder_async_cancel(larder *store, uint64_t id);

/* With LARDER_DELIVER_DISPATCH: a descriptor that becomes readable when
 * larder_dispatch has work (for poll, epoll, a loop's watcher).  Owned by the
 * store; do not read or close it.  -1: this store delivers on a thread. */
int larder_pollfd(larder *store);

/* Calls the callbacks of completed calls, at most max of them (0: all that are
 * there now); returns how many.  Never waits. */
size_t larder_dispatch(larder *store, size_t max);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
