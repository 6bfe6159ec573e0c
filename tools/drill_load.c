/* SPDX-License-Identifier: BSD-2-Clause */
#include "drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  PACE_NS = 500000,  /* one call each: the same load in every phase, whoever answers */
  READS_OF_16 = 5
};

int64_t drill_now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* xoroshiro128+ (Blackman and Vigna, 2016), seeded by a Weyl sequence. */
static uint64_t next_random(struct drill_thread *t)
{
  uint64_t a = t->random[0], b = t->random[1], sum = a + b;

  b ^= a;
  t->random[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
  t->random[1] = b << 37 | b >> 27;
  return sum;
}

static int make_room(struct drill_log *log)
{
  size_t capacity = log->capacity ? log->capacity * 2 : 4096;
  unsigned char *larger;

  if (log->n < log->capacity)
    return 0;
  larger = realloc(log->outcome, capacity);
  if (!larger)
    return -1;
  log->outcome = larger;
  log->capacity = capacity;
  return 0;
}

/* What came of one call. */
struct result {
  larder_outcome outcome;
  larder_origin origin;
};

static struct result taken(struct drill_thread *t, larder_reply *reply)
{
  struct result r = { reply->outcome, reply->origin };

  if (r.outcome == LARDER_REFUSED && !t->refusal[0])
    snprintf(t->refusal, sizeof t->refusal, "%.*s", (int)reply->value.len, reply->value.str);
  larder_reply_free(reply);
  return r;
}

static struct result write_pair(struct drill_thread *t, larder_batch *batch, const char *name)
{
  struct result r = { LARDER_NO_MEMORY, LARDER_FROM_NOWHERE };
  const larder_reply *reply;

  (void)t;
  larder_batch_clear(batch);
  if (larder_batch_command(batch, "SADD drill:pair:a %s", name) != LARDER_OK ||
      larder_batch_command(batch, "SADD drill:pair:b %s", name) != LARDER_OK)
    return r;
  r.outcome = larder_batch_run(batch, 1, 0);
  reply = larder_batch_reply(batch, 0);
  if (reply)
    r.origin = reply->origin;
  return r;
}

static struct result write_one(struct drill_thread *t, enum drill_kind kind, larder_batch *batch)
{
  larder *store = t->load->store;
  size_t n = t->log[kind].n;
  char name[64];

  snprintf(name, sizeof name, "%d-%zu", t->number, n);
  switch (kind) {
  case DRILL_SET:
    return taken(t, larder_command(store, "SADD drill:set %s", name));
  case DRILL_COUNT:
    return taken(t, larder_command(store, "INCR drill:count"));
  case DRILL_HASH:
    return taken(t, larder_command(store, "HSET drill:hash %s %zu", name, n));
  case DRILL_LIST:
    return taken(t, larder_command(store, "RPUSH drill:list %s", name));
  default:
    return write_pair(t, batch, name);
  }
}

static int is_acknowledged(unsigned char outcome)
{
  return outcome == LARDER_OK || outcome == LARDER_ABSENT;
}

/* A read of something that this thread has written. */
static struct result read_one(struct drill_thread *t)
{
  enum drill_kind kind = next_random(t) & 1 ? DRILL_SET : DRILL_HASH;
  const struct drill_log *log = &t->log[kind];
  struct result r;
  char name[64];
  size_t i;

  if (log->n == 0)
    return taken(t, larder_command(t->load->store, "GET drill:count"));
  i = (size_t)(next_random(t) % log->n);
  snprintf(name, sizeof name, "%d-%zu", t->number, i);
  r = taken(t, kind == DRILL_SET
                   ? larder_command(t->load->store, "SISMEMBER drill:set %s", name)
                   : larder_command(t->load->store, "HGET drill:hash %s", name));
  if (r.outcome == LARDER_ABSENT && is_acknowledged(log->outcome[i]))
    t->wrong_reads++;
  return r;
}

/* Counts a call that began at `begun`, while Redis was away or not. */
static void account(struct drill_thread *t, struct result r, int is_read, int64_t begun,
                    struct drill_outage *away)
{
  int64_t end = drill_now(), none = 0;

  (is_read ? t->reads : t->writes)[r.origin][r.outcome]++;
  atomic_fetch_add_explicit(&t->load->calls, 1, memory_order_relaxed);
  if (r.origin == LARDER_FROM_LOCAL)
    atomic_fetch_add_explicit(&t->load->local, 1, memory_order_relaxed);
  if (away && !is_read) {
    t->outage_writes++;
    t->outage_ok += is_acknowledged((unsigned char)r.outcome) ? 1 : 0;
  }
  if (away && r.origin != LARDER_FROM_REDIS)
    atomic_compare_exchange_strong(&away->noticed, &none, end);
  if (end - begun > t->slowest) {
    t->slowest = end - begun;
    t->slowest_at = begun;
    t->slowest_is_read = is_read;
  }
}

static void rest(int64_t begun)
{
  int64_t left = begun + PACE_NS - drill_now();
  struct timespec t = { 0, (long)left };

  if (left > 0)
    nanosleep(&t, NULL);
}

static void *work(void *context)
{
  struct drill_thread *t = context;
  larder_batch *batch = larder_batch_new(t->load->store);
  struct drill_outage *away;
  struct drill_log *log;
  enum drill_kind kind;
  struct result r;
  int64_t begun;

  t->no_memory = !batch;
  while (!atomic_load(&t->load->stop) && !t->no_memory) {
    begun = drill_now();
    away = atomic_load(&t->load->away);
    if (next_random(t) >> 60 < READS_OF_16) {
      account(t, read_one(t), 1, begun, away);
    } else {
      kind = (enum drill_kind)((next_random(t) >> 32) % DRILL_KINDS);
      log = &t->log[kind];
      if (make_room(log) != 0) {
        t->no_memory = 1;
        break;
      }
      r = write_one(t, kind, batch);
      log->outcome[log->n++] = (unsigned char)r.outcome;
      account(t, r, 0, begun, away);
    }
    rest(begun);
  }
  larder_batch_free(batch);
  return NULL;
}

int drill_load_start(struct drill_load *load)
{
  int i, wanted = load->threads;

  load->threads = 0;
  for (i = 0; i < wanted; i++) {
    struct drill_thread *t = &load->thread[i];
    t->load = load;
    t->number = i;
    t->random[0] = (load->seed + (uint64_t)i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    t->random[1] = t->random[0] ^ UINT64_C(0xd1b54a32d192ed03);
    if (pthread_create(&t->thread, NULL, work, t) != 0)
      return -1;
    load->threads++;
  }
  return 0;
}

void drill_load_stop(struct drill_load *load)
{
  int i;

  atomic_store(&load->stop, 1);
  for (i = 0; i < load->threads; i++)
    pthread_join(load->thread[i].thread, NULL);
}

void drill_load_free(struct drill_load *load)
{
  int i, kind;

  for (i = 0; i < load->threads; i++)
    for (kind = 0; kind < DRILL_KINDS; kind++)
      free(load->thread[i].log[kind].outcome);
}
