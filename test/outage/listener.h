/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_OUTAGE_LISTENER_H
#define TEST_OUTAGE_LISTENER_H

/*
 * The real program in front of a store: `larder serve` of the build tree, as a
 * process of its own.  Where it can't be started the test ends with status 1.
 */

struct listener;

/* store: the URL after --store; log: where its output goes.  The program: $LARDER,
 * else tools/larder in $top_builddir. */
struct listener *listener_start(const char *store, const char *log);
int listener_port(const struct listener *);
int listener_running(struct listener *); /* 0: it has ended by itself */
/* SIGTERM, and waits; its exit status, or 128 + signal.  Kills it after 20 s. */
int listener_stop(struct listener *);

#endif
