/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <pthread.h>

/* Several threads on one table: operations per second of all together. */

struct row {
  const char *name;
  unsigned writes; /* of a hundred */
  double zipf;
  int judged; /* a bar is stated for it */
};

static const struct row rows[] = {
  { "threads-read", 0, 0, 1 },
  { "threads-read90", 10, 0, 0 },
  { "threads-read50", 50, 0, 1 },
  { "threads-read-zipf", 0, 0.99, 0 },
  { "threads-read90-zipf", 10, 0.99, 0 },
  { "threads-read50-zipf", 50, 0.99, 0 },
};

static const struct target *const compared[] = {
  &target_typed,
  &target_jenkins_mutex,
#ifdef HAVE_XXHASH
  &target_xxh3_mutex,
#endif
};

enum { ROWS = sizeof rows / sizeof rows[0], COMPARED = sizeof compared / sizeof compared[0],
       THREADS_MAX = 4 };

struct worker {
  pthread_t thread;
  pthread_barrier_t *start;
  const struct target *target;
  void *opened;
  const struct load *load;
  size_t from, to;
  double begin, end;
  int failed;
};

static void *work(void *context)
{
  struct worker *w = context;

  pthread_barrier_wait(w->start);
  w->begin = now_ns();
  w->failed = w->target->run(w->opened, OP_MIX, w->load, w->from, w->to);
  w->end = now_ns();
  return NULL;
}

/* Operations per second, from the first who begins to the last who ends; -1: something failed. */
static double together(const struct target *target, void *opened, const struct load *load,
                       size_t threads)
{
  struct worker w[THREADS_MAX];
  pthread_barrier_t start;
  double begin = 0, end = 0;
  size_t i, each = load->count / threads;
  int failed = 0;

  pthread_barrier_init(&start, NULL, (unsigned)threads);
  for (i = 0; i < threads; i++) {
    w[i] = (struct worker){ .start = &start, .target = target, .opened = opened, .load = load,
                            .from = i * each, .to = (i + 1) * each };
    if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0) {
      fprintf(stderr, "bench: no more threads\n");
      _Exit(1); /* those who wait at the barrier can't be joined */
    }
  }
  for (i = 0; i < threads; i++) {
    pthread_join(w[i].thread, NULL);
    failed |= w[i].failed;
    begin = i == 0 || w[i].begin < begin ? w[i].begin : begin;
    end = w[i].end > end ? w[i].end : end;
  }
  pthread_barrier_destroy(&start);
  return failed ? -1 : (double)(each * threads) * 1e9 / (end - begin);
}

/* Threads 1, 2, and for the plot 3 and 4. */
static int measure_row(struct bench *bench, size_t r, size_t round, void **opened,
                       int (*chosen)[COMPARED])
{
  struct load load;
  size_t threads, t, count = bench->operations;
  int failed = 0, any = 0;

  for (t = 0; t < COMPARED; t++)
    any |= chosen[r][t];
  if (!any || round >= bench_rounds(bench, rows[r].judged))
    return 0;
  load_random(&load, count, bench->keys, rows[r].zipf, bench->round_seed[round] + 100 + r);
  load_mix(&load, rows[r].writes, bench->round_seed[round]);
  for (threads = 1; threads <= (r == 0 ? THREADS_MAX : 2) && !failed; threads++)
    for (t = 0; t < COMPARED && !failed; t++) {
      size_t turn = (t + round) % COMPARED;
      double rate;

      if (!chosen[r][turn])
        continue;
      bench_progress(bench, "round %zu of %zu  %s/%s, %zu threads", round + 1, bench->rounds,
                     rows[r].name, compared[turn]->name, threads);
      rate = together(compared[turn], opened[turn], &load, threads);
      failed = rate < 0;
      figure_add(bench, rows[r].name, compared[turn]->name, "op/s", (double)threads, rate);
    }
  load_free(&load);
  return failed ? -1 : 0;
}

int run_threads(struct bench *bench)
{
  int chosen[ROWS][COMPARED], failed = 0, any = 0;
  void *opened[COMPARED] = { NULL };
  size_t r, t, round;
  char why[256] = "";

  for (r = 0; r < ROWS; r++)
    for (t = 0; t < COMPARED; t++)
      any |= chosen[r][t] = bench_wants(bench, rows[r].name, compared[t]->name);
  if (!any)
    return 0;
  for (t = 0; t < COMPARED && !failed; t++) {
    opened[t] = compared[t]->open(why, sizeof why);
    failed = opened[t] == NULL ||
             target_fill(compared[t], opened[t], KIND_STRINGS, bench->keys, bench->seed) != 0;
  }
  for (round = 0; round < bench->rounds && !failed; round++)
    for (r = 0; r < ROWS && !failed; r++)
      failed = measure_row(bench, r, round, opened, chosen);
  for (t = 0; t < COMPARED; t++)
    if (opened[t] != NULL)
      compared[t]->close(opened[t]);
  if (failed)
    fprintf(stderr, "bench: threads: a wrong result %s\n", why);
  return failed ? -1 : 0;
}
