/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_METRICS_H
#define LARDER_METRICS_H

#include <stddef.h>

#include <larder/outcome.h>

/*
 * What a store counts, as text in Prometheus's exposition format (version 0.0.4): what
 * an application answers a scrape with, as "text/plain; version=0.0.4; charset=utf-8".
 *
 * Names begin with larder_; times are in seconds, sizes in bytes.  Calls by outcome and origin, the
 * state, what the journal and the in-process engine hold, and of connections to Redis: commands, bytes,
 * writes by how many commands they carried, round-trip times (a histogram of the store, quantiles of each
 * connection), deadline misses, connections that ended and were renewed, by cause.  Which metrics there
 * are may grow; what one means stays.  No keys, no secrets.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct larder larder;

/* Writes at most size bytes to buffer, a NUL at the end included (size 0: nothing is written, and
 * buffer may be NULL), and returns the length of the whole text without the NUL: if that is size
 * or more, some is missing.  The counters may go on between two calls, so a buffer for a second try wants
 * some room to spare.  0: the store is NULL, closed, or of a forked process's parent.  Not touching
 * the network; any thread. */
size_t larder_metrics(larder *store, char *buffer, size_t size);

/* From now on the counters of connections have counted nothing, as after Redis's CONFIG RESETSTAT
 * (commands, bytes, writes, times, misses, causes); what is a state, calls by outcome and origin, and the
 * store's own connects, connect_faults and deadline_misses stay.
 * OK, BAD_ARGUMENT (NULL), CLOSED, FORKED.  Any thread. */
larder_outcome larder_reset_metrics(larder *store);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
