/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_METRICS_H
#define LRD_REMOTE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

#include "util/histogram.h"

/*
 * What one connection's place (a link, whatever connection it has now) counts.  The totals of a
 * store are sums over its links, which live as long as it does: no counter is shared.
 *
 * Written under the link's lock, with relaxed loads and stores (plain moves on the machines that matter, no
 * locked instruction); read by any thread without it.  Zeroed memory has counted nothing.
 */

enum {
  LRD_CAUSES = LARDER_CAUSE_QUOTA + 1,
  LRD_DEPTHS = 17 /* commands in one write: at most 1, 2, 4, ... 32768, more */
};

/* "none", "caller", "auth", ...: static; "?" outside the enum. */
const char *lrd_cause_word(int cause);

/* The counters, as indices. */
enum lrd_metric {
  LRD_COMMANDS_PUT,     /* into the connection; MULTI and EXEC not counted */
  LRD_BYTES_OUT,        /* of Redis's protocol: under TLS, before it */
  LRD_BYTES_IN,
  LRD_WRITES,           /* that carried commands: round trips begun */
  LRD_DEADLINE_MISSES,  /* of calls that had been put into it */
  LRD_CONNECTS,
  LRD_DEPTH,                                    /* writes by their commands */
  LRD_CLOSED = LRD_DEPTH + LRD_DEPTHS,          /* connections that ended, by cause */
  LRD_RECONNECTS = LRD_CLOSED + LRD_CAUSES,     /* successors, by why the one before ended */
  LRD_NOT_CONNECTED = LRD_RECONNECTS + LRD_CAUSES, /* attempts to connect that failed, by cause */
  LRD_METRICS = LRD_NOT_CONNECTED + LRD_CAUSES
};

struct lrd_metrics {
  atomic_ullong count[LRD_METRICS];
  atomic_ullong in_flight;      /* calls whose replies are owed now, tombstones too */
  struct lrd_histogram latency; /* from being put into the connection until the last reply came */

  /* The writer's own. */
  unsigned long long unwritten; /* commands put since the last write */
  int ended_by;                 /* cause of the last end; 0: there was none */
};

static inline unsigned long long lrd_metric(const struct lrd_metrics *m, int i)
{
  return lrd_counted(&m->count[i]);
}

/* --- a link's, with its lock held ------------------------------------------------------ */

static inline void lrd_metrics_put(struct lrd_metrics *m, size_t commands, size_t owed)
{
  lrd_count_up(&m->count[LRD_COMMANDS_PUT], commands);
  m->unwritten += commands;
  atomic_store_explicit(&m->in_flight, owed, memory_order_relaxed);
}

/* A write begins, of all that was put since the last one. */
void lrd_metrics_carry(struct lrd_metrics *);
static inline void lrd_metrics_write(struct lrd_metrics *m)
{
  if (m->unwritten)
    lrd_metrics_carry(m);
}

static inline void lrd_metrics_wrote(struct lrd_metrics *m, size_t bytes)
{
  lrd_count_up(&m->count[LRD_BYTES_OUT], bytes);
}

static inline void lrd_metrics_read(struct lrd_metrics *m, size_t bytes, size_t owed)
{
  lrd_count_up(&m->count[LRD_BYTES_IN], bytes);
  atomic_store_explicit(&m->in_flight, owed, memory_order_relaxed);
}

/* A call was withdrawn. */
static inline void lrd_metrics_owe(struct lrd_metrics *m, size_t owed)
{
  atomic_store_explicit(&m->in_flight, owed, memory_order_relaxed);
}
/* The same, because its deadline passed. */
void lrd_metrics_missed(struct lrd_metrics *, size_t owed);
void lrd_metrics_up(struct lrd_metrics *);
void lrd_metrics_closed(struct lrd_metrics *, larder_cause);
void lrd_metrics_refused(struct lrd_metrics *, larder_cause);
/* From now on it has counted nothing; what is in flight stays. */
void lrd_metrics_reset(struct lrd_metrics *);

/* --- any thread ------------------------------------------------------------------------ */

/* Adds what one has counted to another, which nobody else writes. */
void lrd_metrics_add(struct lrd_metrics *to, const struct lrd_metrics *from);

/* Whoever asks a backend for its status may have each connection shown to it
 * (larder_backend_status.meter), between entering the slot and its return; or all of them reset. */
struct lrd_metrics_visit {
  void (*show)(struct lrd_metrics_visit *, const char *name, const struct lrd_metrics *); /* or NULL */
  int reset;
};

#endif
