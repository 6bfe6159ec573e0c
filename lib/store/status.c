/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder/status.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "store/meter.h"
#include "store/store.h"

static larder_state state_of_link(larder_link link)
{
  switch (link) {
  case LARDER_LINK_STARTING:
    return LARDER_STATE_STARTING;
  case LARDER_LINK_DOWN:
    return LARDER_STATE_DOWN;
  case LARDER_LINK_DENIED:
    return LARDER_STATE_DENIED;
  case LARDER_LINK_NONE:
  case LARDER_LINK_UP:
    break;
  }
  return LARDER_STATE_UP;
}

static int64_t age_ms(int64_t now, int64_t then)
{
  return now > then ? (now - then) / LRD_NS_PER_MS : 0;
}

/* What the store itself counts. */
static void add_counters(larder *s, larder_status *out)
{
  for (int i = 0; i < LRD_CELLS_OWN + LRD_CELLS_SHARED; i++) {
    const struct lrd_cell *cell = &s->cells.cell[i];
    for (int k = 0; k < LARDER_OUTCOMES; k++)
      out->calls[k] += atomic_load_explicit(&cell->calls[k], memory_order_relaxed);
    for (int k = 0; k < LARDER_ORIGINS; k++)
      out->origins[k] += atomic_load_explicit(&cell->origins[k], memory_order_relaxed);
    out->deadline_misses += atomic_load_explicit(&cell->deadline_misses, memory_order_relaxed);
  }
  /* All but this call itself. */
  out->in_flight = lrd_active(s) - 1 + lrd_queue_running(s);
}

static void add_backend(larder *s, const larder_backend_status *b, larder_status *out)
{
  int64_t now = lrd_monotonic(&s->config.clock);
  int networked = b->link != LARDER_LINK_NONE;
  snprintf(out->backend, sizeof out->backend, "%s", s->table->name);
  out->state = b->state >= 0 ? (larder_state)b->state : state_of_link(b->link);
  snprintf(out->serving, sizeof out->serving, "%s",
           b->serving                             ? b->serving
           : !networked                           ? "memory"
           : out->state == LARDER_STATE_DOWN ? "none"
                                                  : "redis");
  out->since_ms = age_ms(now, b->since ? b->since : s->opened_at);
  if (networked)
    snprintf(out->address, sizeof out->address, "%s",
             b->address[0] ? b->address : s->config.address);
  snprintf(out->prefix, sizeof out->prefix, "%s", s->config.prefix ? s->config.prefix : "");
  snprintf(out->last_error, sizeof out->last_error, "%s", b->last_error);
  out->last_error_ms = b->last_error_at ? age_ms(now, b->last_error_at) : -1;
  if (b->breaker) {
    snprintf(out->breaker, sizeof out->breaker, "%s", b->breaker);
    snprintf(out->fence, sizeof out->fence, "%s", b->fence ? "yes" : "none");
  }
  out->connections = b->connections;
  out->connects = b->connects;
  out->connect_faults = b->connect_faults;
  out->commands_sent = b->commands_sent;
  out->outages = b->outages;
  out->local_calls = b->local_calls;
  out->journal_keys = b->journal_keys;
  out->journal_bytes = b->journal_bytes;
  out->journal_oldest_ms = b->journal_oldest_ms;
  snprintf(out->replay_error, sizeof out->replay_error, "%s", b->replay_error);
  out->replayed = b->replayed;
  out->replay_batches = b->replay_batches;
  out->dropped = b->dropped;
  out->dead_letters = b->dead_letters;
  out->unknown_batches = b->unknown_batches;
  for (int k = 0; k < LARDER_OUTCOMES; k++) {
    out->calls[k] += b->typed[k];
    out->origins[LARDER_FROM_LOCAL] += b->typed[k];
  }
  out->keys = b->keys;
  out->memory = b->memory;
}

static void add_connections(const struct lrd_metrics *m, larder_status *out)
{
  const struct lrd_histogram *h = &m->latency;
  out->round_trips = lrd_metric(m, LRD_WRITES);
  out->bytes_out = lrd_metric(m, LRD_BYTES_OUT);
  out->bytes_in = lrd_metric(m, LRD_BYTES_IN);
  out->replies_owed = lrd_counted(&m->in_flight);
  for (int cause = 0; cause < LRD_CAUSES; cause++)
    out->reconnects += lrd_metric(m, LRD_RECONNECTS + cause);
  out->latency_p50 = lrd_histogram_quantile(h, 500000);
  out->latency_p90 = lrd_histogram_quantile(h, 900000);
  out->latency_p99 = lrd_histogram_quantile(h, 990000);
  out->latency_p999 = lrd_histogram_quantile(h, 999000);
  out->latency_p9999 = lrd_histogram_quantile(h, 999900);
  out->latency_most = lrd_counted(&h->most);
}

void lrd_status_of(larder *s, struct lrd_sum *sum, larder_status *out)
{
  larder_backend_status b = {.state = -1, .journal_oldest_ms = -1};
  lrd_sum_init(sum);
  b.meter = &sum->meter;
  s->table->status(s->base, &b);
  add_counters(s, out);
  add_backend(s, &b, out);
  if (sum->links)
    add_connections(&sum->total, out);
}

/* Up to where status was when fields were first added. */
#define LEAST_SIZE offsetof(larder_status, round_trips)

larder_outcome larder_get_status(larder *s, larder_status *out)
{
  if (!s || !out || out->size < LEAST_SIZE || out->size > sizeof *out)
    return LARDER_BAD_ARGUMENT;
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(s, &why);
  larder_status status = {.size = out->size,
                          .last_error_ms = -1,
                          .journal_oldest_ms = -1,
                          .state = LARDER_STATE_CLOSED};
  struct lrd_sum sum;
  if (cell) {
    lrd_status_of(s, &sum, &status);
    lrd_leave(cell);
  }
  memcpy(out, &status, status.size);
  return cell || why == LARDER_CLOSED ? LARDER_OK : why;
}
