/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <larder.h>

#include "memory/policy.h"
#include "util/buffer.h"
#include "util/memory.h"

/* What INFO adds up over the shards. */
struct totals {
  uint64_t keys[LRD_DATABASES], expires[LRD_DATABASES];
  uint64_t calls, hits, misses, expired, evicted;
};

/* By readers without a lock. */
static uint64_t counted(const struct lrd_engine *e, larder_outcome outcome)
{
  return lrd_grace_counted(e->grace, LRD_COUNTED_TYPED + outcome) +
         lrd_grace_counted(e->grace, LRD_COUNTED_GETS + outcome);
}

/* All since the engine was opened: readers without a lock count too, so nothing is set back. */
static void add_up(struct lrd_exec *x, struct totals *t)
{
  struct lrd_engine *e = x->engine;

  *t = (struct totals){ .calls = atomic_load_explicit(&e->calls, memory_order_relaxed),
                        .hits = counted(e, LARDER_OK),
                        .misses = counted(e, LARDER_ABSENT) };
  t->calls += t->hits + t->misses;
  for (unsigned i = 0; i < e->shards; i++) {
    struct lrd_shard *s = &e->shard[i];

    if (!x->all_locked)
      lrd_latch_take(&s->lock);
    for (unsigned d = 0; d < LRD_DATABASES; d++) {
      t->keys[d] += lrd_keyspace_count(s, d);
      t->expires[d] += s->database[d] ? s->database[d]->expiring : 0;
    }
    t->calls += s->calls + s->got[LARDER_OK] + s->got[LARDER_ABSENT];
    for (int k = 0; k < LARDER_OUTCOMES; k++)
      t->calls += s->typed[k];
    t->hits += s->hits + s->got[LARDER_OK];
    t->misses += s->misses + s->got[LARDER_ABSENT];
    t->expired += s->expired;
    if (!x->all_locked)
      lrd_latch_drop(&s->lock);
  }
  t->evicted = atomic_load_explicit(&e->evict.evicted, memory_order_relaxed);
}

/* --- CONFIG RESETSTAT ------------------------------------------------------------------- */

static uint64_t *counter_of(struct totals *t, int i)
{
  return (uint64_t *[LRD_RESETS]){ &t->calls, &t->hits, &t->misses, &t->expired, &t->evicted }[i];
}

void lrd_info_reset(struct lrd_exec *x)
{
  struct totals t;

  add_up(x, &t);
  for (int i = 0; i < LRD_RESETS; i++)
    atomic_store_explicit(&x->engine->reset[i], *counter_of(&t, i), memory_order_relaxed);
}

/* What has come since then; a sum that is older than the reset is nothing. */
static void since_reset(const struct lrd_engine *e, struct totals *t)
{
  for (int i = 0; i < LRD_RESETS; i++) {
    uint64_t *now = counter_of(t, i), then = atomic_load_explicit(&e->reset[i],
                                                                memory_order_relaxed);

    *now = *now > then ? *now - then : 0;
  }
}

__attribute__((format(printf, 2, 3))) static void line(struct lrd_buffer *b, const char *format,
                                                       ...)
{
  char text[160];
  va_list arguments;
  int len;

  va_start(arguments, format);
  len = vsnprintf(text, sizeof text - 2, format, arguments);
  va_end(arguments);
  memcpy(text + len, "\r\n", 2);
  (void)lrd_buffer_append(b, text, (size_t)len + 2);
}

/* --- the sections --------------------------------------------------------------------- */

static void server(struct lrd_exec *x, const struct totals *t, struct lrd_buffer *b)
{
  int64_t up = (lrd_now(x) - x->engine->opened) / 1000;

  (void)t;
  line(b, "# Server");
  line(b, "redis_version:7.0.15");
  line(b, "larder_version:%s", LARDER_VERSION);
  line(b, "redis_mode:standalone");
  line(b, "arch_bits:%d", (int)sizeof(void *) * 8);
  line(b, "process_id:%ld", (long)getpid());
  line(b, "uptime_in_seconds:%lld", (long long)up);
  line(b, "uptime_in_days:%lld", (long long)up / 86400);
}

/* As Redis's bytesToHuman. */
static void human(struct lrd_buffer *b, const char *name, uint64_t bytes)
{
  static const char units[] = "KMGTP";
  uint64_t unit = 1024, hundredths;
  size_t i = 0;

  if (bytes < 1024) {
    line(b, "%s:%lluB", name, (unsigned long long)bytes);
    return;
  }
  for (; bytes / unit >= 1024 && i + 2 < sizeof units; i++)
    unit *= 1024;
  hundredths = (bytes % unit * 100 + unit / 2) / unit + bytes / unit * 100;
  line(b, "%s:%llu.%02u%c", name, (unsigned long long)hundredths / 100,
       (unsigned)(hundredths % 100), units[i]);
}

/* What an application's own allocator takes for what it was asked is not known here. */
static void allocator(const struct lrd_engine *e, size_t used, struct lrd_buffer *b)
{
  const char *name = "application";

  if (e->slab) {
    struct lrd_slab_bytes bytes = lrd_slab_bytes(e->slab);

    line(b, "allocator_allocated:%zu", used);
    line(b, "allocator_active:%zu", bytes.active);
    line(b, "allocator_resident:%zu", bytes.resident);
    name = "larder";
  } else if (e->base.memory.allocate == lrd_memory_system.allocate) {
    name = "libc";
  }
  line(b, "mem_allocator:%s", name);
}

static void memory(struct lrd_exec *x, const struct totals *t, struct lrd_buffer *b)
{
  uint64_t bound = (uint64_t)lrd_parameter(&x->engine->parameters, LRD_MAXMEMORY);
  size_t used = lrd_account_bytes(&x->engine->account);

  (void)t;
  line(b, "# Memory");
  line(b, "used_memory:%zu", used);
  human(b, "used_memory_human", used);
  line(b, "maxmemory:%llu", (unsigned long long)bound);
  human(b, "maxmemory_human", bound);
  line(b, "maxmemory_policy:%s", lrd_policy_names[lrd_policy_of(&x->engine->parameters) - 1]);
  allocator(x->engine, used, b);
}

static void persistence(struct lrd_exec *x, const struct totals *t, struct lrd_buffer *b)
{
  (void)x;
  (void)t;
  line(b, "# Persistence");
  line(b, "loading:0");
  line(b, "aof_enabled:0");
}

static void stats(struct lrd_exec *x, const struct totals *t, struct lrd_buffer *b)
{
  (void)x;
  line(b, "# Stats");
  line(b, "total_commands_processed:%llu", (unsigned long long)t->calls);
  line(b, "expired_keys:%llu", (unsigned long long)t->expired);
  line(b, "evicted_keys:%llu", (unsigned long long)t->evicted);
  line(b, "keyspace_hits:%llu", (unsigned long long)t->hits);
  line(b, "keyspace_misses:%llu", (unsigned long long)t->misses);
}

static void replication(struct lrd_exec *x, const struct totals *t, struct lrd_buffer *b)
{
  (void)x;
  (void)t;
  line(b, "# Replication");
  line(b, "role:master");
  line(b, "connected_slaves:0");
}

static void cluster(struct lrd_exec *x, const struct totals *t, struct lrd_buffer *b)
{
  (void)x;
  (void)t;
  line(b, "# Cluster");
  line(b, "cluster_enabled:0");
}

static void keyspace(struct lrd_exec *x, const struct totals *t, struct lrd_buffer *b)
{
  (void)x;
  line(b, "# Keyspace");
  for (unsigned d = 0; d < LRD_DATABASES; d++)
    if (t->keys[d])
      line(b, "db%u:keys=%llu,expires=%llu,avg_ttl=0", d, (unsigned long long)t->keys[d],
           (unsigned long long)t->expires[d]);
}

static const struct section {
  const char *name;
  void (*write)(struct lrd_exec *, const struct totals *, struct lrd_buffer *);
} sections[] = {
  { "server", server },           { "memory", memory },   { "persistence", persistence },
  { "stats", stats },             { "replication", replication }, { "cluster", cluster },
  { "keyspace", keyspace },
};

static int wanted(const struct lrd_exec *x, const char *section)
{
  for (int i = 1; i < x->argc; i++)
    if (lrd_is_word(&x->argv[i], section) || lrd_is_word(&x->argv[i], "all") ||
        lrd_is_word(&x->argv[i], "everything") || lrd_is_word(&x->argv[i], "default"))
      return 1;
  return x->argc == 1;
}

void lrd_t_info(struct lrd_exec *x)
{
  struct lrd_buffer b;
  struct totals t;

  add_up(x, &t);
  since_reset(x->engine, &t);
  lrd_buffer_init(&b, lrd_memory_of(x->engine), 0);
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
    if (wanted(x, sections[i].name)) {
      if (b.len)
        (void)lrd_buffer_append(&b, "\r\n", 2);
      sections[i].write(x, &t, &b);
    }
  if (b.failed)
    lrd_no_memory(x);
  else
    x->sink->type->verbatim(x->sink, b.len ? b.data : "", b.len);
  lrd_buffer_free(&b);
}
