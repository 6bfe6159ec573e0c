/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const op_name[OPS] = { "get", "set", "incr", "zadd" };

static uint64_t next_random(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *get_memory(size_t count, size_t size)
{
  void *block = calloc(count, size);
  if (block == NULL) {
    fprintf(stderr, "bench: out of memory\n");
    exit(1);
  }
  return block;
}

static void load_fill(struct load *load, const struct settings *settings)
{
  size_t i;

  memset(load, 0, sizeof *load);
  load->keys = settings->keys;
  load->members = settings->keys / 10 + 1;
  load->value_length = settings->value_length;
  load->operations = settings->operations;
  load->pipeline = settings->pipeline;
  load->key_length = 14;
  load->key = get_memory(load->keys, sizeof *load->key);
  load->counter = get_memory(load->keys, sizeof *load->counter);
  load->member = get_memory(load->keys, sizeof *load->member);
  for (i = 0; i < load->keys; i++) {
    unsigned number = (unsigned)i % 1000000000u;
    snprintf(load->key[i], KEY_SIZE, "key::%09u", number);
    snprintf(load->counter[i], KEY_SIZE, "count%09u", number);
    snprintf(load->member[i], KEY_SIZE, "membr%09u", number % (unsigned)load->members);
  }
  load->value = get_memory(load->value_length + 1, 1);
  memset(load->value, 'v', load->value_length);
  load->pick = get_memory(load->operations, sizeof *load->pick);
  load->score = get_memory(load->operations, sizeof *load->score);
}

static void load_free(struct load *load)
{
  free(load->key);
  free(load->counter);
  free(load->member);
  free(load->value);
  free(load->pick);
  free(load->score);
}

/* A repeated stream would set equal scores again, which is cheaper: fresh ones each time. */
static void load_shuffle(struct load *load, uint64_t seed)
{
  size_t i;

  for (i = 0; i < load->operations; i++) {
    uint64_t r = next_random(&seed);
    load->pick[i] = (uint32_t)((r >> 32) * load->keys >> 32);
    snprintf(load->score[i], SCORE_SIZE, "%u.%02u", (unsigned)r % 1000000u,
             (unsigned)(r >> 20) % 100u);
  }
}

struct run {
  const struct settings *settings;
  struct load load;
  struct report *report;
  void *opened[TARGETS_MAX];
  int chosen[OPS][TARGETS_MAX];
};

static size_t share(const struct run *run, size_t t)
{
  size_t count = run->load.operations / targets[t]->divisor;
  return count > 0 ? count : 1;
}

/* Every key exists before the first measurement. */
static int prefill(struct run *run, size_t t)
{
  struct load load = run->load;
  size_t i, op;
  int failed = 0;

  load.operations = load.keys;
  load.pick = get_memory(load.keys, sizeof *load.pick);
  load.score = get_memory(load.keys, sizeof *load.score);
  for (i = 0; i < load.keys; i++) {
    load.pick[i] = (uint32_t)i;
    snprintf(load.score[i], SCORE_SIZE, "%zu", i);
  }
  for (op = OP_SET; op < OPS; op++)
    if (targets[t]->run[op] != NULL && targets[t]->run[op](run->opened[t], &load, load.keys) != 0)
      failed = -1;
  free(load.pick);
  free(load.score);
  return failed;
}

static int open_target(struct run *run, size_t t)
{
  char why[256] = "";

  run->opened[t] = targets[t]->open(&run->load, why, sizeof why);
  if (run->opened[t] == NULL) {
    fprintf(stderr, "bench: %s: %s\n", targets[t]->name, why);
    return -1;
  }
  if (prefill(run, t) != 0) {
    fprintf(stderr, "bench: %s: a wrong result while filling it\n", targets[t]->name);
    return -1;
  }
  return 0;
}

static int measure_one(struct run *run, size_t round, size_t op, size_t t)
{
  struct result *result = &run->report->result[op][t];
  size_t count = share(run, t);
  double begin, end;

  if (run->settings->progress)
    fprintf(stderr, "\r\033[Kround %zu of %zu  %s/%s", round + 1, run->settings->rounds,
            op_name[op], targets[t]->name);
  begin = now();
  if (targets[t]->run[op](run->opened[t], &run->load, count) != 0) {
    fprintf(stderr, "bench: %s/%s: a wrong result\n", op_name[op], targets[t]->name);
    return -1;
  }
  end = now();
  if (result->ns == NULL)
    result->ns = get_memory(run->settings->rounds, sizeof *result->ns);
  result->ns[result->rounds++] = (end - begin) / (double)count;
  result->operations = count;
  return 0;
}

static int measure_round(struct run *run, size_t round)
{
  size_t op, t, n = 0;

  while (targets[n] != NULL)
    n++;
  for (op = 0; op < OPS; op++)
    for (t = 0; t < n; t++) {
      size_t turn = (t + round) % n; /* nobody is always first */
      if (run->chosen[op][turn] && measure_one(run, round, op, turn) != 0)
        return -1;
    }
  return 0;
}

static int measure_rounds(struct run *run)
{
  struct report *report = run->report;
  uint64_t seed = run->settings->seed;
  size_t round;

  report->round_seed = get_memory(run->settings->rounds, sizeof *report->round_seed);
  for (round = 0; round < run->settings->rounds; round++) {
    report->round_seed[round] = next_random(&seed);
    load_shuffle(&run->load, report->round_seed[round]);
    if (measure_round(run, round) != 0)
      return -1;
  }
  return 0;
}

int measure(const struct settings *settings, chooser *choose, const void *context,
            struct report *report)
{
  struct run run = { .settings = settings, .report = report };
  size_t t, op;
  int failed = 0, any = 0;

  memset(report, 0, sizeof *report);
  report->settings = settings;
  load_fill(&run.load, settings);
  for (t = 0; targets[t] != NULL && failed == 0; t++) {
    int wanted = 0;
    for (op = 0; op < OPS; op++) {
      run.chosen[op][t] = targets[t]->run[op] != NULL && choose(context, (enum op)op, targets[t]);
      wanted |= run.chosen[op][t];
    }
    if (wanted) {
      any = 1;
      failed = open_target(&run, t);
    }
  }
  if (!any) {
    fprintf(stderr, "bench: no case has that name (try --list)\n");
    failed = -1;
  }
  if (failed == 0)
    failed = measure_rounds(&run);
  if (settings->progress)
    fprintf(stderr, "\r\033[K");
  for (t = 0; targets[t] != NULL; t++)
    if (run.opened[t] != NULL) {
      if (targets[t]->version != NULL)
        snprintf(report->server, sizeof report->server, "%s",
                 targets[t]->version(run.opened[t]));
      targets[t]->close(run.opened[t]);
    }
  load_free(&run.load);
  return failed;
}

void report_free(struct report *report)
{
  size_t op, t;

  for (op = 0; op < OPS; op++)
    for (t = 0; t < TARGETS_MAX; t++)
      free(report->result[op][t].ns);
  free(report->round_seed);
}
