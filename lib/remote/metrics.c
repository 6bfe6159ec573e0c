/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/metrics.h"

const char *lrd_cause_word(int cause)
{
  static const char *const names[LRD_CAUSES] = {
    [LARDER_CAUSE_NONE] = "none",         [LARDER_CAUSE_CALLER] = "caller",
    [LARDER_CAUSE_AUTH] = "auth",         [LARDER_CAUSE_SERVER] = "server",
    [LARDER_CAUSE_CAPACITY] = "capacity", [LARDER_CAUSE_REFUSED] = "refused",
    [LARDER_CAUSE_CUT] = "cut",           [LARDER_CAUSE_SILENT] = "silent",
    [LARDER_CAUSE_SLOW] = "slow",         [LARDER_CAUSE_PROTOCOL] = "protocol",
    [LARDER_CAUSE_TLS] = "tls",           [LARDER_CAUSE_QUOTA] = "quota",
  };
  return cause >= 0 && cause < LRD_CAUSES && names[cause] ? names[cause] : "?";
}

/* The smallest power of two that is not below. */
static size_t depth_index(unsigned long long commands)
{
  size_t i = commands > 1 ? (size_t)(64 - __builtin_clzll(commands - 1)) : 0;
  return i < LRD_DEPTHS ? i : LRD_DEPTHS - 1;
}

void lrd_metrics_carry(struct lrd_metrics *m)
{
  lrd_count_up(&m->count[LRD_WRITES], 1);
  lrd_count_up(&m->count[LRD_DEPTH + depth_index(m->unwritten)], 1);
  m->unwritten = 0;
}

void lrd_metrics_missed(struct lrd_metrics *m, size_t owed)
{
  lrd_count_up(&m->count[LRD_DEADLINE_MISSES], 1);
  atomic_store_explicit(&m->in_flight, owed, memory_order_relaxed);
}

static int of_cause(larder_cause cause)
{
  return (int)cause > 0 && (int)cause < LRD_CAUSES ? (int)cause : 0;
}

void lrd_metrics_up(struct lrd_metrics *m)
{
  lrd_count_up(&m->count[LRD_CONNECTS], 1);
  if (m->ended_by)
    lrd_count_up(&m->count[LRD_RECONNECTS + m->ended_by], 1);
  m->ended_by = 0;
  m->unwritten = 0;
}

void lrd_metrics_closed(struct lrd_metrics *m, larder_cause cause)
{
  m->ended_by = of_cause(cause);
  m->unwritten = 0;
  lrd_count_up(&m->count[LRD_CLOSED + m->ended_by], 1);
  atomic_store_explicit(&m->in_flight, 0, memory_order_relaxed);
}

void lrd_metrics_refused(struct lrd_metrics *m, larder_cause cause)
{
  lrd_count_up(&m->count[LRD_NOT_CONNECTED + of_cause(cause)], 1);
}

void lrd_metrics_reset(struct lrd_metrics *m)
{
  for (int i = 0; i < LRD_METRICS; i++)
    atomic_store_explicit(&m->count[i], 0, memory_order_relaxed);
  lrd_histogram_clear(&m->latency);
}

void lrd_metrics_add(struct lrd_metrics *to, const struct lrd_metrics *from)
{
  for (int i = 0; i < LRD_METRICS; i++)
    lrd_count_up(&to->count[i], lrd_metric(from, i));
  lrd_count_up(&to->in_flight, lrd_counted(&from->in_flight));
  lrd_histogram_add(&to->latency, &from->latency);
}
