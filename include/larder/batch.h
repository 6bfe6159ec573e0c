/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_BATCH_H
#define LARDER_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include <larder/reply.h>

/*
 * A batch is a list of commands that travel together: one reply each, and an
 * overall outcome that is not OK if any of them failed.  An atomic batch
 * (MULTI/EXEC) is executed whole or not at all, on every backend; only if memory
 * ends in its midst, in the in-process engine, is it cut short: UNKNOWN, with a
 * text that says how many of its commands were executed.
 *
 * A batch belongs to one thread at a time.  It may be run once; clear it to
 * use it again.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct larder larder;
typedef struct larder_session larder_session;
typedef struct larder_batch larder_batch;

/* An empty batch; NULL: out of memory. */
larder_batch *larder_batch_new(larder *store);

/* NULL is allowed. */
void larder_batch_free(larder_batch *batch);

/* Empties the batch; replies that it gave out are gone. */
void larder_batch_clear(larder_batch *batch);

/* Adds a command; the bytes are copied.  OK, BAD_ARGUMENT (unknown command,
 * wrong number of arguments, a command that belongs to a session) or
 * NO_MEMORY; a command that was not added makes the run BAD_ARGUMENT. */
larder_outcome larder_batch_argv(larder_batch *batch, int argc, const char *const *argv,
                                 const size_t *argvlen);
larder_outcome larder_batch_command(larder_batch *batch, const char *format, ...);

/* Runs it: OK or ABSENT replies only -> OK, else the outcome of the first that
 * failed.  atomic: whole or not at all.  timeout_ms: 0 = the store's. */
larder_outcome larder_batch_run(larder_batch *batch, int atomic, int64_t timeout_ms);

/* Number of commands, and the reply of the i-th (NULL: not run, or out of
 * range).  Replies belong to the batch: valid until clear or free. */
size_t larder_batch_count(const larder_batch *batch);
const larder_reply *larder_batch_reply(const larder_batch *batch, size_t i);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
