/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/breaker.h"

#include "util/clock.h"

#define RELAXED memory_order_relaxed

void lrd_breaker_reset(struct lrd_breaker *b, int64_t now)
{
  atomic_store_explicit(&b->row, 0, RELAXED);
  atomic_store_explicit(&b->calls, 0, RELAXED);
  atomic_store_explicit(&b->faults, 0, RELAXED);
  atomic_store_explicit(&b->window, now, RELAXED);
}

enum weight { GOOD, SLOW, BAD, FATAL };

static enum weight weigh(const larder_verdict *v)
{
  switch (v->cause) {
  case LARDER_CAUSE_REFUSED:
  case LARDER_CAUSE_SERVER:
  case LARDER_CAUSE_SILENT:
  case LARDER_CAUSE_TLS:
  case LARDER_CAUSE_QUOTA:
    return FATAL;
  case LARDER_CAUSE_CUT:
  case LARDER_CAUSE_PROTOCOL:
    /* Not even a connection: the next call would fare no better. */
    return v->outcome == LARDER_NOT_SENT ? FATAL : BAD;
  case LARDER_CAUSE_SLOW:
    return SLOW;
  case LARDER_CAUSE_NONE:
  case LARDER_CAUSE_CALLER:
  case LARDER_CAUSE_AUTH:
  case LARDER_CAUSE_CAPACITY:
    break;
  }
  return GOOD;
}

int lrd_breaker_judge(struct lrd_breaker *b, const larder_verdict *v, int64_t now)
{
  enum weight w = weigh(v);
  unsigned calls, faults;

  if (now - atomic_load_explicit(&b->window, RELAXED) >
      LRD_BREAKER_WINDOW_S * 1000 * LRD_NS_PER_MS) {
    atomic_store_explicit(&b->window, now, RELAXED);
    atomic_store_explicit(&b->calls, 0, RELAXED);
    atomic_store_explicit(&b->faults, 0, RELAXED);
  }
  calls = atomic_fetch_add_explicit(&b->calls, 1, RELAXED) + 1;
  if (w == GOOD) {
    if (atomic_load_explicit(&b->row, RELAXED))
      atomic_store_explicit(&b->row, 0, RELAXED);
    return 0;
  }
  faults = atomic_fetch_add_explicit(&b->faults, 1, RELAXED) + 1;
  if (w == FATAL || (calls >= LRD_BREAKER_CALLS && faults * 2 >= calls))
    return 1;
  return w == BAD && atomic_fetch_add_explicit(&b->row, 1, RELAXED) + 1 >= LRD_BREAKER_ROW;
}

int64_t lrd_breaker_backoff(unsigned attempt, struct lrd_prng *prng)
{
  int64_t full = INT64_C(100) << (attempt > 6 ? 6 : attempt);

  if (full > 5000)
    full = 5000;
  return (full / 2 + (int64_t)lrd_prng_below(prng, (uint64_t)full / 2 + 1)) * LRD_NS_PER_MS;
}

const char *lrd_cause_name(enum larder_cause cause)
{
  switch (cause) {
  case LARDER_CAUSE_NONE:
    return "none";
  case LARDER_CAUSE_CALLER:
    return "caller's error";
  case LARDER_CAUSE_AUTH:
    return "credentials refused";
  case LARDER_CAUSE_SERVER:
    return "server can't serve";
  case LARDER_CAUSE_CAPACITY:
    return "server can't write";
  case LARDER_CAUSE_REFUSED:
    return "connection refused";
  case LARDER_CAUSE_CUT:
    return "connection lost";
  case LARDER_CAUSE_SILENT:
    return "no answer";
  case LARDER_CAUSE_SLOW:
    return "slow answers";
  case LARDER_CAUSE_PROTOCOL:
    return "protocol error";
  case LARDER_CAUSE_TLS:
    return "no trusted TLS";
  case LARDER_CAUSE_QUOTA:
    return "quota used up";
  }
  return "?";
}
