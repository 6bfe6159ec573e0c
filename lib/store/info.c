/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/meter.h"
#include "store/reply.h"
#include "util/buffer.h"

/* INFO's section `larder`: what the store itself counts, whatever its backend is. */

__attribute__((format(printf, 2, 3))) static void put(struct lrd_buffer *b, const char *format, ...)
{
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  int len = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (len > 0)
    (void)lrd_buffer_append(b, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static void number(struct lrd_buffer *b, const char *name, uint64_t value)
{
  put(b, "%s:%" PRIu64 "\r\n", name, value);
}

/* A text is one line here. */
static void text(struct lrd_buffer *b, const char *name, const char *value)
{
  put(b, "%s:", name);
  for (; *value; value++)
    (void)lrd_buffer_append(b, (unsigned char)*value < ' ' ? " " : value, 1);
  put(b, "\r\n");
}

/* --- name:one=1,other=2, of what is not 0 ---------------------------------------------- */

struct list {
  struct lrd_buffer *b;
  size_t items;
};

static struct list list_begin(struct lrd_buffer *b, const char *name)
{
  put(b, "%s:", name);
  return (struct list){b, 0};
}

static void list_add(struct list *l, const char *item, uint64_t value)
{
  if (value)
    put(l->b, "%s%s=%" PRIu64, l->items++ ? "," : "", item, value);
}

static void list_end(struct list *l)
{
  put(l->b, "\r\n");
}

static void by_cause(struct lrd_buffer *b, const char *name, const struct lrd_metrics *m, int first)
{
  struct list l = list_begin(b, name);
  for (int cause = 0; cause < LRD_CAUSES; cause++)
    list_add(&l, lrd_cause_word(cause), lrd_metric(m, first + cause));
  list_end(&l);
}

/* --- the section ----------------------------------------------------------------------- */

static void put_store(struct lrd_buffer *b, const larder_status *s)
{
  put(b, "# Larder\r\n");
  text(b, "larder_version", LARDER_VERSION);
  text(b, "backend", s->backend);
  text(b, "serving", s->serving);
  text(b, "state", larder_state_name(s->state));
  number(b, "state_ms", (uint64_t)s->since_ms);
  struct list l = list_begin(b, "calls");
  for (int k = 0; k < LARDER_OUTCOMES; k++)
    list_add(&l, larder_outcome_name((larder_outcome)k), s->calls[k]);
  list_end(&l);
  l = list_begin(b, "answers");
  for (int k = 0; k < LARDER_ORIGINS; k++)
    list_add(&l, larder_origin_name((larder_origin)k), s->origins[k]);
  list_end(&l);
  number(b, "calls_in_flight", s->in_flight);
  number(b, "deadline_misses", s->deadline_misses);
}

static void put_fallback(struct lrd_buffer *b, const larder_status *s)
{
  text(b, "breaker", s->breaker);
  text(b, "fence", s->fence);
  number(b, "outages", s->outages);
  number(b, "local_calls", s->local_calls);
  number(b, "journal_keys", s->journal_keys);
  number(b, "journal_bytes", s->journal_bytes);
  put(b, "journal_oldest_ms:%" PRId64 "\r\n", s->journal_oldest_ms);
  number(b, "replayed", s->replayed);
  number(b, "dropped", s->dropped);
}

static void put_depth(struct lrd_buffer *b, const struct lrd_metrics *m)
{
  struct list l = list_begin(b, "batch_depth");
  char bound[24];
  for (int i = 0; i < LRD_DEPTHS; i++) {
    snprintf(bound, sizeof bound, "%lu", 1ul << i);
    list_add(&l, i + 1 < LRD_DEPTHS ? bound : "more", lrd_metric(m, LRD_DEPTH + i));
  }
  list_end(&l);
}

static void put_latency(struct lrd_buffer *b, const larder_status *s)
{
  const struct {
    const char *name;
    uint64_t ns;
  } shown[] = {{"p50", s->latency_p50},     {"p90", s->latency_p90},     {"p99", s->latency_p99},
               {"p99.9", s->latency_p999}, {"p99.99", s->latency_p9999}, {"p100", s->latency_most}};
  put(b, "latency_percentiles_usec:");
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
    put(b, "%s%s=%" PRIu64 ".%03u", i ? "," : "", shown[i].name, shown[i].ns / 1000,
        (unsigned)(shown[i].ns % 1000));
  put(b, "\r\n");
}

static void put_connections(struct lrd_buffer *b, const larder_status *s,
                            const struct lrd_metrics *m)
{
  text(b, "address", s->address);
  text(b, "last_error", s->last_error);
  put(b, "last_error_ms:%" PRId64 "\r\n", s->last_error_ms);
  number(b, "connections", s->connections);
  number(b, "connects", s->connects);
  number(b, "connect_faults", s->connect_faults);
  by_cause(b, "connect_faults_by_cause", m, LRD_NOT_CONNECTED);
  by_cause(b, "disconnects_by_cause", m, LRD_CLOSED);
  number(b, "reconnects", s->reconnects);
  by_cause(b, "reconnects_by_cause", m, LRD_RECONNECTS);
  number(b, "commands_sent", s->commands_sent);
  number(b, "bytes_out", s->bytes_out);
  number(b, "bytes_in", s->bytes_in);
  number(b, "round_trips", s->round_trips);
  put_depth(b, m);
  number(b, "replies_owed", s->replies_owed);
  put_latency(b, s);
}

static void put_section(larder *store, struct lrd_buffer *b)
{
  larder_status status = {.size = sizeof status, .journal_oldest_ms = -1};
  struct lrd_sum sum;
  lrd_status_of(store, &sum, &status);
  put_store(b, &status);
  if (status.breaker[0])
    put_fallback(b, &status);
  if (sum.links)
    put_connections(b, &status, &sum.total);
}

/* --- INFO ------------------------------------------------------------------------------ */

static int wants_section(const struct lrd_front *f)
{
  static const char *const words[] = {"larder", "all", "everything", "default"};
  for (int i = 1; i < f->argc; i++)
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
      if (lrd_is_word(&f->argv[i], words[k]))
        return 1;
  return f->argc == 1;
}

static void no_memory(struct lrd_front *f)
{
  f->verdict.outcome = LARDER_NO_MEMORY;
  lrd_sink_error(f->sink, lrd_fixed_text(LARDER_NO_MEMORY));
}

/* What the backend, an in-process one, says of itself.  0: a reply is written. */
static int put_backend(struct lrd_front *f, struct lrd_buffer *b)
{
  struct lrd_answer *a = lrd_answer_new(&f->store->config.memory);
  if (!a) {
    no_memory(f);
    return 0;
  }
  larder_call call = lrd_plain_call(f->store, f->v, 1, 0, f->store->config.timeout);
  if (f->session)
    call.database = f->session->database;
  f->store->table->execute(f->store->base, &call, &a->tree.sink);
  const larder_reply *r = lrd_answer_finish(a);
  int is_text = r->value.type == LARDER_VERBATIM || r->value.type == LARDER_STRING;
  f->verdict.outcome = r->outcome;
  f->verdict.origin = r->origin;
  if (is_text)
    (void)lrd_buffer_append(b, r->value.str, r->value.len);
  else
    lrd_sink_value(f->sink, &r->value);
  lrd_answer_free(a);
  return is_text;
}

void lrd_front_info(struct lrd_front *f)
{
  struct lrd_buffer b;
  lrd_buffer_init(&b, &f->store->config.memory, 0);
  if (lrd_asks_front(f->v) || put_backend(f, &b)) {
    if (wants_section(f)) {
      if (b.len)
        put(&b, "\r\n");
      put_section(f->store, &b);
    }
    if (b.failed)
      no_memory(f);
    else
      f->sink->type->verbatim(f->sink, b.len ? b.data : "", b.len);
  }
  lrd_buffer_free(&b);
}
