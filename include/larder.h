/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_H
#define LARDER_H

/*
 * larder: a key-value store inside the application's own process that speaks
 * Redis's commands, with a real Redis behind the same calls when there is one.
 *
 * The shortest use:
 *
 *     char why[LARDER_ERROR_SIZE];
 *     larder *store = larder_open("redis://localhost/0", NULL, why, sizeof why);
 *     larder_reply *r = larder_command(store, "SET %s %b", "greeting", bytes, nbytes);
 *     if (r->outcome == LARDER_OK) ...
 *     larder_reply_free(r);
 *     larder_close(store, 1000);
 *
 * Threads: a store may be used by any number of threads at once.
 * Processes: after fork() the child's calls on a store of the parent return
 * FORKED; the child may only larder_close() it, which frees its memory and
 * touches neither the parent's connections nor its threads.
 * It may open a store of its own.  exec() hands no descriptor on; exit() may come while
 * other threads are inside calls.
 * Cancellation: no function of larder is a cancellation point, pthread_cancel takes
 * effect after it (the memory hook and the clock must not be such points either); a thread
 * with PTHREAD_CANCEL_ASYNCHRONOUS must not call larder.  A thread may end at any
 * time between two calls: nothing of it stays.
 * Time: every call ends by its deadline (options: timeout, connect_timeout).
 */

#include <stddef.h>
#include <stdint.h>

#include <larder/async.h>
#include <larder/batch.h>
#include <larder/hooks.h>
#include <larder/options.h>
#include <larder/outcome.h>
#include <larder/reply.h>
#include <larder/session.h>
#include <larder/status.h>
#include <larder/subscriber.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define LARDER_VERSION "0.1.0"
#define LARDER_ERROR_SIZE 512

/* A store; opaque. */
typedef struct larder larder;

/* "0.1.0": of the library that is linked, not of the header. */
const char *larder_version(void);

/* Opens a store.  url: see larder/options.h; NULL: from the environment, else
 * "memory:".  options: NULL for the defaults.  Returns at once, connecting in
 * the background, unless required=yes: then it waits for the first connection
 * at most connect_timeout.  On failure returns NULL and writes one line to
 * error (always NUL-terminated if error_size > 0) that names the option, its
 * value and what is allowed, or host, port and cause.  Any thread. */
larder *larder_open(const char *url, const larder_options *options, char *error, size_t error_size);

/* Closes a store: new calls are CLOSED, calls in flight end, pending journal
 * entries are replayed while timeout_ms lasts (0: not at all), completions are
 * delivered (with LARDER_DELIVER_DISPATCH: inside this call), threads are
 * joined, memory is released.  Returns the number of journaled writes that
 * could not be replayed.  NULL is allowed.  To be called once, by one thread.
 *
 * Other threads may be inside calls: those that anything was seen of (Redis, a hook
 * or a callback, the effect of a write) are waited for.  Calls that begin while it
 * runs are CLOSED, also in the callbacks that it makes.  But a thread must not be about
 * to begin one when it returns; one that was suspended in the first instructions of a
 * function is no different from that.  So a thread that calls on and on is to be stopped first. */
uint64_t larder_close(larder *store, int64_t timeout_ms);

/* Runs one command and waits for its reply, at most until the store's timeout
 * (a blocking command: its own timeout plus that).  argvlen NULL: the arguments
 * are strings.  Never returns NULL: when no memory is left the reply is a
 * static one that larder_reply_free knows.  Any thread. */
larder_reply *larder_argv(larder *store, int argc, const char *const *argv, const size_t *argvlen);

/* The same with a timeout of its own (ms, 1 .. 3600000; 0: the store's). */
larder_reply *larder_argv_within(larder *store, int64_t timeout_ms, int argc,
                                 const char *const *argv, const size_t *argvlen);

/* The same from a format, which is compiled to an argument vector and never
 * sent as text: arguments are separated by spaces; %s takes a string, %b bytes
 * (const void *, size_t), %d %i %u %ld %lu %lld %llu %zu %zd %g %f numbers, %%
 * a percent sign.  A directive stays inside its argument whatever it holds. */
larder_reply *larder_command(larder *store, const char *format, ...);

/* GET without a reply tree: copies at most size bytes of the value to buffer
 * and its whole length to *length (never NULL).  If it is not OK the length is 0 and
 * what is in buffer is undefined.  OK, ABSENT, UNKNOWN_LOCALLY, REFUSED (not a string),
 * NOT_SENT, NO_ANSWER, CLOSED, FORKED, NO_MEMORY. */
larder_outcome larder_get(larder *store, const void *key, size_t key_length, void *buffer,
                          size_t size, size_t *length);

/* SET without a reply tree; ttl_ms: 0 = without expiry, else 1 .. 2^53.  OK,
 * BAD_ARGUMENT, REFUSED, NOT_SENT, UNKNOWN, CLOSED, FORKED, NO_MEMORY. */
larder_outcome larder_set(larder *store, const void *key, size_t key_length, const void *value,
                          size_t value_length, int64_t ttl_ms);

/* Maintenance of the in-process engine for stores opened with background=no:
 * reclaims expired keys for at most budget_us microseconds (0: one slice); and, if there
 * are any, maps memory ahead for a store that grows and gives back some of 2 MiB each that are empty.
 * Returns how long the caller may wait until it is worth calling again, in
 * milliseconds; -1: nothing expires.  Any thread. */
int64_t larder_tick(larder *store, int64_t budget_us);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
