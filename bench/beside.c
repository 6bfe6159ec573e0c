/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"
#include "prober.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <larder.h>

#include "bench.h"

/*
 * The slowest GET of one thread while another does something large.  Beside each, a call
 * that does nothing, under the same load: what the machine itself takes away from a thread.
 */

enum { PROBES = 10000 };

struct event {
  const char *name;
  const char *command; /* what fills a value of that type; NULL: keys are set */
  int scored;
};

static const struct event events[] = {
  { "growth", NULL, 0 },          { "free-set", "SADD", 0 }, { "free-zset", "ZADD", 1 },
  { "free-hash", "HSET", 0 },     { "free-list", "RPUSH", 0 },
};

static int get_probe(void *store, uint64_t *random)
{
  char key[KEY_LENGTH + 1], value[VALUE_LENGTH];
  size_t length;

  key_text(key, 1000000000 + random_below(random, PROBES));
  return larder_get(store, key, KEY_LENGTH, value, sizeof value, &length) == LARDER_OK ? 0 : -1;
}

static int do_nothing(void *context, uint64_t *random)
{
  (void)context;
  random_next(random);
  return 0;
}

static int set_number(larder *store, uint64_t number, const char *value)
{
  char key[KEY_LENGTH + 1];

  key_text(key, number);
  return larder_set(store, key, KEY_LENGTH, value, VALUE_LENGTH, 0) == LARDER_OK ? 0 : -1;
}

static larder *open_with_probes(void)
{
  larder *store = larder_open("memory:", NULL, NULL, 0);
  size_t i;
  int failed = store == NULL;

  for (i = 0; i < PROBES && !failed; i++)
    failed = set_number(store, 1000000000 + i, "a value of thirty-two bytes.....");
  if (failed) {
    larder_close(store, 0);
    return NULL;
  }
  return store;
}

/* Grows to count keys; the slowest of its own calls, or -1. */
static double grow(larder *store, size_t count)
{
  char value[VALUE_LENGTH + 1] = "a value of thirty-two bytes.....";
  double slowest = 0, begin = now_ns(), end;
  size_t i;

  for (i = 0; i < count; i++) {
    if (set_number(store, i, value) != 0)
      return -1;
    end = now_ns();
    slowest = end - begin > slowest ? end - begin : slowest;
    begin = end;
  }
  return slowest;
}

static int fill_value(larder *store, const struct event *event, size_t count)
{
  char member[KEY_LENGTH + 1], score[24];
  size_t i;
  int failed = 0;

  for (i = 0; i < count && !failed; i++) {
    const char *argv[4] = { event->command, "value", member, member };
    int scored = event->scored, two = scored || strcmp(event->command, "HSET") == 0;
    larder_reply *reply;

    key_text(member, i);
    snprintf(score, sizeof score, "%zu", i * 7919 % count);
    if (scored)
      argv[2] = score;
    reply = larder_argv(store, two ? 4 : 3, argv, NULL);
    failed = reply->outcome != LARDER_OK;
    larder_reply_free(reply);
  }
  return failed ? -1 : 0;
}

/* The time of one DEL, or -1. */
static double delete_value(larder *store)
{
  double begin = now_ns(), end;
  larder_reply *reply = larder_command(store, "DEL value");
  int failed = reply->outcome != LARDER_OK || reply->value.integer != 1;

  end = now_ns();
  larder_reply_free(reply);
  return failed ? -1 : end - begin;
}

/* Freeing goes on behind the call: the probe stays until memory has come down, at most 10 s. */
static void wait_for_memory(larder *store, uint64_t bytes)
{
  larder_status status = { .size = sizeof status };
  struct timespec ms = { 0, 1000000 };
  int i;

  for (i = 0; i < 10000; i++) {
    if (larder_get_status(store, &status) != LARDER_OK || status.memory <= bytes)
      return;
    nanosleep(&ms, NULL);
  }
}

static double happen(larder *store, const struct event *event, size_t count, uint64_t bytes)
{
  double own = event->command == NULL ? grow(store, count) : delete_value(store);

  if (event->command != NULL && own >= 0)
    wait_for_memory(store, bytes + bytes / 2 + 65536);
  return own;
}

/* One round: 0, or -1. */
static int measure_event(struct bench *bench, const struct event *event, size_t count, double x)
{
  larder_status status = { .size = sizeof status };
  larder *store = open_with_probes();
  struct probed probed, idle;
  struct prober *prober;
  double own, begin, took, until;
  int failed = store == NULL || larder_get_status(store, &status) != LARDER_OK ||
               (event->command != NULL && fill_value(store, event, count) != 0);

  if (failed) {
    larder_close(store, 0);
    return -1;
  }
  prober = prober_start(get_probe, store);
  begin = now_ns();
  own = happen(store, event, count, status.memory);
  took = now_ns() - begin;
  failed = prober_stop(prober, &probed) != 0 || own < 0;
  larder_close(store, 0);

  prober = prober_start(do_nothing, NULL);
  for (until = now_ns() + took; now_ns() < until;)
    ; /* a load like the one that was */
  prober_stop(prober, &idle);
  figure_add(bench, event->name, "larder", "ms slowest GET", x, probed.slowest / 1e6);
  figure_add(bench, event->name, "larder", "ms slowest own call", x, own / 1e6);
  figure_add(bench, event->name, "machine", "ms slowest nothing", x, idle.slowest / 1e6);
  return failed;
}

int run_beside(struct bench *bench)
{
  size_t e, round;
  int failed = 0;

  for (e = 0; e < sizeof events / sizeof events[0]; e++) {
    size_t count = bench->keys;

    if (!bench_wants(bench, events[e].name, "larder"))
      continue;
    if (events[e].command == NULL)
      count *= bench->full ? 10 : 2;
    for (round = 0; round < bench->rounds && !failed; round++) {
      bench_progress(bench, "round %zu of %zu  %s", round + 1, bench->rounds, events[e].name);
      failed = measure_event(bench, &events[e], count, (double)count);
    }
    if (failed)
      fprintf(stderr, "bench: %s: a wrong result\n", events[e].name);
  }
  return failed;
}
