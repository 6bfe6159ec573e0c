/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_UNSEEN_H
#define TEST_CONFORMANCE_UNSEEN_H

#include "conformance/target.h"

/*
 * An outage on keys that the engine has never seen, or of which it knows only
 * what was done since: what depends on the rest must not be answered.
 */

/* Before the outage, on the server itself. */
void unseen_preload(struct resp_client *);
/* During it; returns the number of wrong answers, each printed. */
int unseen_run(struct target *);
/* After it, on the server itself: what was written blindly is there, once, on
 * top of what was there before. */
int unseen_check_replayed(struct resp_client *);

#endif
