/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"
#include "prober.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <larder.h>

#include "bench.h"

/*
 * The slowest GET of one thread while another does something large; beside it the slowest
 * call of nothing, on the same thread (stall.h).
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

enum { EVENTS = sizeof events / sizeof events[0] };

static int get_probe(void *store, uint64_t *random)
{
  char key[KEY_LENGTH + 1], value[VALUE_LENGTH];
  size_t length;

  key_text(key, 1000000000 + random_below(random, PROBES));
  return larder_get(store, key, KEY_LENGTH, value, sizeof value, &length) == LARDER_OK ? 0 : -1;
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

/* Grows to count keys; notes its own calls. */
static int grow(larder *store, size_t count, struct stall *own)
{
  char value[VALUE_LENGTH + 1] = "a value of thirty-two bytes.....";
  struct stall_clock clock;
  double begin;
  size_t i;

  int failed = 0;

  stall_start(&clock, 0);
  for (i = 0; i < count && !failed; i++) {
    begin = now_ns();
    failed = set_number(store, i, value);
    stall_note(&clock, own, now_ns() - begin);
  }
  stall_stop(&clock);
  return failed;
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

static int delete_value(larder *store, struct stall *own)
{
  struct stall_clock clock;
  double begin;
  larder_reply *reply;
  int failed;

  stall_start(&clock, 0);
  begin = now_ns();
  reply = larder_command(store, "DEL value");
  stall_note(&clock, own, now_ns() - begin);
  stall_stop(&clock);
  failed = reply->outcome != LARDER_OK || reply->value.integer != 1;
  larder_reply_free(reply);
  return failed ? -1 : 0;
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

static int happen(larder *store, const struct event *event, size_t count, uint64_t bytes,
                  struct stall *own)
{
  if (event->command == NULL)
    return grow(store, count, own);
  if (delete_value(store, own) != 0)
    return -1;
  wait_for_memory(store, bytes + bytes / 2 + 65536);
  return 0;
}

static void note_stalls(struct bench *bench, const char *what, double x,
                        const struct probed *probed, const struct stall *own)
{
  figure_add(bench, what, "larder", "ms slowest GET", x, probed->call.slowest / 1e6);
  figure_add(bench, what, "larder", "ms slowest own GET", x, probed->call.own / 1e6);
  probed_note(bench, what, "larder", x, &probed->call);
  figure_add(bench, what, "larder", "ms slowest writer", x, own->slowest / 1e6);
  figure_add(bench, what, "larder", "ms slowest own writer", x, own->own / 1e6);
  figure_add(bench, what, "machine", "ms slowest nothing", x, probed->nothing.slowest / 1e6);
}

/* One round: 0, or -1. */
static int measure_event(struct bench *bench, const struct event *event, size_t count, double x)
{
  larder_status status = { .size = sizeof status };
  larder *store = open_with_probes();
  struct stall own = { 0 };
  struct probed probed;
  struct prober *prober;
  int failed = store == NULL || larder_get_status(store, &status) != LARDER_OK ||
               (event->command != NULL && fill_value(store, event, count) != 0);

  if (failed) {
    larder_close(store, 0);
    return -1;
  }
  prober = prober_start(get_probe, store);
  failed = happen(store, event, count, status.memory, &own);
  failed |= prober_stop(prober, &probed);
  larder_close(store, 0);
  note_stalls(bench, event->name, x, &probed, &own);
  return failed;
}

int run_beside(struct bench *bench)
{
  int wanted[EVENTS], failed = 0;
  size_t e, round;

  for (e = 0; e < EVENTS; e++)
    wanted[e] = bench_wants(bench, events[e].name, "larder");
  for (round = 0; round < bench->rounds && !failed; round++)
    for (e = 0; e < EVENTS && !failed; e++) {
      size_t count = bench->keys * (events[e].command == NULL ? 10 : 1);

      if (!wanted[e])
        continue;
      bench_progress(bench, "round %zu of %zu  %s", round + 1, bench->rounds, events[e].name);
      failed = measure_event(bench, &events[e], count, (double)count);
      if (failed)
        fprintf(stderr, "bench: %s: a wrong result\n", events[e].name);
    }
  return failed;
}
