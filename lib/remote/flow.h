/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_FLOW_H
#define LRD_REMOTE_FLOW_H

#include "remote/job.h"
#include "remote/link.h"

/*
 * Which of the jobs that wait for a submit link goes next, and how many may be in its wire.
 * The loop thread's, without a lock.
 *
 * They stand in flows, one for each calling thread (or shared, as its address falls), which take
 * turns of a few jobs: the calls of one thread don't wait behind all that another has begun.  Order
 * is kept inside a flow.  What is in the wire can't be overtaken any more, so the window is kept as
 * small as keeps the server busy: it is right when replies take little longer than the fastest
 * did, for then nothing stands in the server's queue (Brakmo and Peterson, "TCP Vegas", 1995).
 */
enum {
  LRD_WINDOW_LEAST = 1024,
  LRD_WINDOW_MOST = LRD_JOBS_MAX,
  LRD_UNSENT_MOST = 4 << 20 /* bytes that the kernel has not taken, before no more are encoded */
};

void lrd_flow_enter(struct lrd_link *, struct lrd_job *);
/* Jobs that were in the wire and did not get out: before those that wait, in their order. */
void lrd_flow_return(struct lrd_link *, struct lrd_job_list *);
/* Out of its flow, perhaps into the wire. */
void lrd_flow_leave(struct lrd_job *);
/* Whose turn it is; NULL: nobody waits. */
struct lrd_job *lrd_flow_next(struct lrd_link *);

/* So many tickets have ended, the last of them with a reply. */
void lrd_window_look(struct lrd_link *, const struct lrd_ticket *, size_t ended, int64_t now);

#endif
