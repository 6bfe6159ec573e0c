/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder/metrics.h>

#include <stdio.h>
#include <string.h>

#include <larder.h>

#include "store/exposition.h"
#include "store/meter.h"
#include "store/store.h"

/* A store's counters as Prometheus's text. */

static void add(struct lrd_metrics_visit *meter, const char *name, const struct lrd_metrics *m)
{
  struct lrd_sum *sum = (struct lrd_sum *)(void *)meter;
  (void)name;
  lrd_metrics_add(&sum->total, m);
  sum->links++;
}

void lrd_sum_init(struct lrd_sum *sum)
{
  memset(sum, 0, sizeof *sum);
  sum->meter.show = add;
}

/* --- one number each ------------------------------------------------------------------- */

static void one(struct lrd_exposition *e, const char *name, const char *type, const char *help,
                uint64_t value)
{
  lrd_exposition_family(e, name, type, help);
  lrd_exposition_count(e, "", NULL, value);
}

static void one_time(struct lrd_exposition *e, const char *name, const char *help, int64_t ms)
{
  lrd_exposition_family(e, name, "gauge", help);
  lrd_exposition_seconds(e, "", NULL, ms > 0 ? (uint64_t)ms * 1000000 : 0);
}

static void put_store(struct lrd_exposition *e, const larder_status *s)
{
  const char *const info[] = {"version", LARDER_VERSION, "backend", s->backend, "address",
                              s->address, "prefix", s->prefix, NULL};
  lrd_exposition_family(e, "larder_info", "gauge", "What store this is; always 1.");
  lrd_exposition_count(e, "", info, 1);
  lrd_exposition_family(e, "larder_state", "gauge", "1: the state that the store is in.");
  for (int k = 0; k < LARDER_STATE_CLOSED; k++)
    lrd_exposition_count(e, "",
                         (const char *const[]){"state", larder_state_name((larder_state)k), NULL},
                         (int)s->state == k);
  one_time(e, "larder_state_seconds", "How long in this state.", s->since_ms);
  lrd_exposition_family(e, "larder_calls_total", "counter", "Commands that ended, by outcome.");
  for (int k = 0; k < LARDER_OUTCOMES; k++)
    lrd_exposition_count(
        e, "", (const char *const[]){"outcome", larder_outcome_name((larder_outcome)k), NULL},
        s->calls[k]);
  lrd_exposition_family(e, "larder_answers_total", "counter",
                        "Commands that ended, by where the answer came from.");
  for (int k = 0; k < LARDER_ORIGINS; k++)
    lrd_exposition_count(
        e, "", (const char *const[]){"origin", larder_origin_name((larder_origin)k), NULL},
        s->origins[k]);
  one(e, "larder_calls_in_flight", "gauge", "Calls that have not ended.", s->in_flight);
  one(e, "larder_deadline_misses_total", "counter", "Commands whose deadline passed.",
      s->deadline_misses);
}

static void put_engine(struct lrd_exposition *e, const larder_status *s)
{
  one(e, "larder_keys", "gauge", "Keys in the in-process engine.", s->keys);
  one(e, "larder_memory_bytes", "gauge", "Bytes that the in-process engine holds.", s->memory);
}

static void put_fallback(struct lrd_exposition *e, const larder_status *s)
{
  if (!s->breaker[0])
    return;
  static const char *const states[] = {"closed", "open", "trial"};
  lrd_exposition_family(e, "larder_breaker", "gauge", "1: the state that the breaker is in.");
  for (size_t i = 0; i < sizeof states / sizeof *states; i++)
    lrd_exposition_count(e, "", (const char *const[]){"state", states[i], NULL},
                         strcmp(s->breaker, states[i]) == 0);
  one(e, "larder_outages_total", "counter", "Times that the breaker opened.", s->outages);
  one(e, "larder_local_calls_total", "counter", "Commands answered locally during outages.",
      s->local_calls);
  one(e, "larder_journal_keys", "gauge", "Keys with writes that Redis has not got yet.",
      s->journal_keys);
  one(e, "larder_journal_bytes", "gauge", "Bytes of the journal.", s->journal_bytes);
  one_time(e, "larder_journal_oldest_seconds", "Age of the oldest write in the journal.",
           s->journal_oldest_ms);
  one(e, "larder_replayed_total", "counter", "Journaled writes that Redis acknowledged.",
      s->replayed);
  one(e, "larder_replay_batches_total", "counter", "Batches that they travelled in.",
      s->replay_batches);
  one(e, "larder_dropped_total", "counter", "Journaled writes that were given up.", s->dropped);
  one(e, "larder_dead_letters_total", "counter",
      "Of these: refused by Redis for the caller's reasons.", s->dead_letters);
  one(e, "larder_unknown_batches_total", "counter",
      "Replay batches that were perhaps applied, perhaps not.", s->unknown_batches);
}

/* --- connections ----------------------------------------------------------------------- */

static void by_cause(struct lrd_exposition *e, const char *name, const char *help,
                     const struct lrd_metrics *m, int first)
{
  lrd_exposition_family(e, name, "counter", help);
  for (int cause = 1; cause < LRD_CAUSES; cause++)
    lrd_exposition_count(e, "", (const char *const[]){"cause", lrd_cause_word(cause), NULL},
                         lrd_metric(m, first + cause));
}

static void put_depth(struct lrd_exposition *e, const struct lrd_metrics *m)
{
  uint64_t count = 0;
  char bound[24];
  lrd_exposition_family(e, "larder_write_commands", "histogram",
                        "Commands that one write to a connection carried.");
  for (int i = 0; i < LRD_DEPTHS; i++) {
    snprintf(bound, sizeof bound, "%lu", 1ul << i);
    count += lrd_metric(m, LRD_DEPTH + i);
    lrd_exposition_count(e, "_bucket",
                         (const char *const[]){"le", i + 1 < LRD_DEPTHS ? bound : "+Inf", NULL},
                         count);
  }
  lrd_exposition_count(e, "_sum", NULL, lrd_metric(m, LRD_COMMANDS_PUT));
  lrd_exposition_count(e, "_count", NULL, count);
}

/* Buckets from 16 us to 9 s, each twice as wide as the one before. */
enum { FIRST_POWER = 14, LAST_POWER = 33 };

static void put_latency(struct lrd_exposition *e, const struct lrd_histogram *h)
{
  char bound[LRD_SECONDS_SIZE];
  uint64_t count = lrd_histogram_count(h);
  lrd_exposition_family(e, "larder_round_trip_seconds", "histogram",
                        "From when a call is put into its connection until it has its replies.");
  for (int power = FIRST_POWER; power <= LAST_POWER; power++)
    lrd_exposition_count(
        e, "_bucket",
        (const char *const[]){"le", lrd_seconds_text(UINT64_C(1) << power, bound), NULL},
        lrd_histogram_below(h, power));
  lrd_exposition_count(e, "_bucket", (const char *const[]){"le", "+Inf", NULL}, count);
  lrd_exposition_seconds(e, "_sum", NULL, lrd_counted(&h->sum));
  lrd_exposition_count(e, "_count", NULL, count);
}

static void put_connections(struct lrd_exposition *e, const larder_status *s,
                            const struct lrd_metrics *m)
{
  one(e, "larder_connections", "gauge", "Connections to Redis that are open.", s->connections);
  one(e, "larder_connects_total", "counter", "Connections that were made.", s->connects);
  by_cause(e, "larder_connect_faults_total", "Attempts to connect that failed, by cause.", m,
           LRD_NOT_CONNECTED);
  by_cause(e, "larder_disconnects_total", "Connections that ended, by cause.", m, LRD_CLOSED);
  by_cause(e, "larder_reconnects_total", "Connections renewed, by why the one before ended.", m,
           LRD_RECONNECTS);
  one(e, "larder_commands_sent_total", "counter", "Commands put into connections.",
      lrd_metric(m, LRD_COMMANDS_PUT));
  one(e, "larder_round_trips_total", "counter", "Writes that carried commands.",
      lrd_metric(m, LRD_WRITES));
  one(e, "larder_sent_bytes_total", "counter", "Bytes of Redis's protocol that were sent.",
      lrd_metric(m, LRD_BYTES_OUT));
  one(e, "larder_received_bytes_total", "counter", "Bytes of Redis's protocol that came.",
      lrd_metric(m, LRD_BYTES_IN));
  one(e, "larder_replies_owed", "gauge", "Calls that Redis owes a reply.",
      lrd_counted(&m->in_flight));
  put_depth(e, m);
  put_latency(e, &m->latency);
}

/* --- each connection ------------------------------------------------------------------- */

/* One family: its samples must stand together, so all connections are asked for each. */
struct family {
  struct lrd_metrics_visit meter; /* first */
  struct lrd_exposition *e;
  int metric;
};

static void put_metric(struct lrd_metrics_visit *meter, const char *name, const struct lrd_metrics *m)
{
  struct family *f = (struct family *)(void *)meter;
  lrd_exposition_count(f->e, "", (const char *const[]){"connection", name, NULL},
                       lrd_metric(m, f->metric));
}

static void put_owed(struct lrd_metrics_visit *meter, const char *name, const struct lrd_metrics *m)
{
  struct family *f = (struct family *)(void *)meter;
  lrd_exposition_count(f->e, "", (const char *const[]){"connection", name, NULL},
                       lrd_counted(&m->in_flight));
}

static void put_quantiles(struct lrd_metrics_visit *meter, const char *name, const struct lrd_metrics *m)
{
  static const struct {
    uint32_t millionths;
    const char *text;
  } asked[] = {
      {500000, "0.5"}, {900000, "0.9"}, {990000, "0.99"}, {999000, "0.999"}, {999900, "0.9999"},
  };
  struct family *f = (struct family *)(void *)meter;
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
    lrd_exposition_seconds(
        f->e, "", (const char *const[]){"connection", name, "quantile", asked[i].text, NULL},
        lrd_histogram_quantile(&m->latency, asked[i].millionths));
  const char *const labels[] = {"connection", name, NULL};
  lrd_exposition_seconds(f->e, "_sum", labels, lrd_counted(&m->latency.sum));
  lrd_exposition_count(f->e, "_count", labels, lrd_histogram_count(&m->latency));
}

static void each(larder *s, struct lrd_metrics_visit *meter)
{
  larder_backend_status b = {.state = -1, .journal_oldest_ms = -1, .meter = meter};
  s->table->status(s->base, &b);
}

static void put_each(larder *s, struct lrd_exposition *e)
{
  static const struct {
    const char *name, *help;
    int metric;
  } counters[] = {
      {"larder_connection_commands_total", "Commands put into one connection.", LRD_COMMANDS_PUT},
      {"larder_connection_round_trips_total", "Writes to it that carried commands.", LRD_WRITES},
      {"larder_connection_sent_bytes_total", "Bytes that it sent.", LRD_BYTES_OUT},
      {"larder_connection_received_bytes_total", "Bytes that came on it.", LRD_BYTES_IN},
      {"larder_connection_deadline_misses_total", "Calls in it whose deadline passed.",
       LRD_DEADLINE_MISSES},
      {"larder_connection_connects_total", "Times that it was made.", LRD_CONNECTS},
  };
  struct family f = {{put_metric, 0}, e, 0};
  for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
    lrd_exposition_family(e, counters[i].name, "counter", counters[i].help);
    f.metric = counters[i].metric;
    each(s, &f.meter);
  }
  f.meter.show = put_owed;
  lrd_exposition_family(e, "larder_connection_replies_owed", "gauge",
                        "Calls in it that Redis owes a reply.");
  each(s, &f.meter);
  f.meter.show = put_quantiles;
  lrd_exposition_family(e, "larder_connection_round_trip_seconds", "summary",
                        "From when a call is put into it until it has its replies, since the "
                        "counters were reset.");
  each(s, &f.meter);
}

/* --- the public functions -------------------------------------------------------------- */

size_t larder_metrics(larder *s, char *buffer, size_t size)
{
  struct lrd_exposition e = {.buffer = buffer, .size = buffer ? size : 0};
  larder_status status = {.size = sizeof status, .journal_oldest_ms = -1};
  larder_outcome why;
  struct lrd_sum sum;
  if (e.size)
    *buffer = '\0';
  struct lrd_cell *cell = s ? lrd_enter(s, &why) : NULL;
  if (!cell)
    return 0;
  lrd_status_of(s, &sum, &status);
  put_store(&e, &status);
  put_engine(&e, &status);
  put_fallback(&e, &status);
  if (sum.links) {
    put_connections(&e, &status, &sum.total);
    put_each(s, &e);
  }
  lrd_leave(cell);
  return e.length;
}

larder_outcome larder_reset_metrics(larder *s)
{
  struct lrd_metrics_visit meter = {.reset = 1};
  larder_outcome why = LARDER_BAD_ARGUMENT;
  struct lrd_cell *cell = s ? lrd_enter(s, &why) : NULL;
  if (!cell)
    return why;
  each(s, &meter);
  lrd_leave(cell);
  return LARDER_OK;
}
