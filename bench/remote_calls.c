/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * A call after the other: on one thread, pinned, on the server's processor or beside it, and on
 * many threads, not pinned.  Threads take their steps from one counter, so that none is left at
 * the end with work of its own.
 */

enum place { PLACE_ONE, PLACE_TWO, PLACE_FREE }; /* same processor, another one, wherever */

struct row {
  const char *name;
  enum op op;
  enum transport transport;
  enum place place;
};

static const struct row rows[] = {
  { "remote-get-unix-1cpu", OP_GET, TRANSPORT_UNIX, PLACE_ONE },
  { "remote-get-unix-2cpu", OP_GET, TRANSPORT_UNIX, PLACE_TWO },
  { "remote-set-unix-1cpu", OP_SET, TRANSPORT_UNIX, PLACE_ONE },
  { "remote-set-unix-2cpu", OP_SET, TRANSPORT_UNIX, PLACE_TWO },
  { "remote-get-tcp-1cpu", OP_GET, TRANSPORT_TCP, PLACE_ONE },
  { "remote-get-tcp-2cpu", OP_GET, TRANSPORT_TCP, PLACE_TWO },
  { "remote-set-tcp-1cpu", OP_SET, TRANSPORT_TCP, PLACE_ONE },
  { "remote-set-tcp-2cpu", OP_SET, TRANSPORT_TCP, PLACE_TWO },
  { "remote-threads-unix", OP_GET, TRANSPORT_UNIX, PLACE_FREE },
  { "remote-threads-tcp", OP_GET, TRANSPORT_TCP, PLACE_FREE },
};

enum { ROWS = sizeof rows / sizeof rows[0], SLICES = 10, WARM = 50 };

/* Those with a bar get all rounds. */
static const struct {
  size_t threads;
  int judged;
} counts[] = { { 1, 0 }, { 2, 0 }, { 4, 0 }, { 8, 1 }, { 16, 0 }, { 32, 0 }, { 64, 1 } };

enum { COUNTS = sizeof counts / sizeof counts[0] };

struct slice {
  const struct caller *caller;
  void *opened;
  enum op op;
  const struct load *load;
  atomic_size_t next;
  size_t end, threads;
  uint32_t *latency; /* ns, of each step */
  pthread_barrier_t start;
  atomic_int failed;
};

static void do_steps(struct slice *slice, size_t thread)
{
  struct command command;
  size_t i;

  while ((i = atomic_fetch_add_explicit(&slice->next, 1, memory_order_relaxed)) < slice->end) {
    double begin;

    op_info[slice->op].fill(&command, slice->load, i);
    begin = now_ns();
    if (slice->caller->call(slice->opened, thread, &command) != 0) {
      atomic_store(&slice->failed, 1);
      return;
    }
    slice->latency[i] = (uint32_t)(now_ns() - begin);
  }
}

struct worker {
  struct slice *slice;
  size_t number;
  pthread_t thread;
};

static void *work(void *context)
{
  struct worker *w = context;

  pthread_barrier_wait(&w->slice->start);
  do_steps(w->slice, w->number);
  return NULL;
}

/* From the barrier on the threads are at it. */
static int finish(void *context)
{
  struct worker *w = context;
  struct slice *slice = w->slice;
  size_t i;

  if (slice->threads == 1) {
    do_steps(slice, 0);
  } else {
    pthread_barrier_wait(&slice->start);
    for (i = 0; i < slice->threads; i++)
      pthread_join(w[i].thread, NULL);
  }
  return atomic_load(&slice->failed);
}

static int run_slice(struct slice *slice, struct tally *tally, const struct site *site, size_t from,
                     size_t to)
{
  struct worker w[REMOTE_THREADS];
  size_t i;
  int failed;

  slice->end = to;
  atomic_store(&slice->next, from);
  atomic_store(&slice->failed, 0);
  pthread_barrier_init(&slice->start, NULL, (unsigned)slice->threads + 1);
  w[0] = (struct worker){ .slice = slice };
  for (i = 0; slice->threads > 1 && i < slice->threads; i++) {
    w[i] = (struct worker){ .slice = slice, .number = i };
    if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0) {
      fprintf(stderr, "bench: no more threads\n");
      _Exit(1); /* those who wait at the barrier can't be joined */
    }
  }
  failed = tally_work(tally, site, to - from, finish, w);
  pthread_barrier_destroy(&slice->start);
  return failed;
}

static int by_size(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void note_calls(struct bench *bench, const struct row *row, const struct slice *slice,
                       const struct tally *tally)
{
  double x = row->place == PLACE_FREE ? (double)slice->threads : 0;
  uint32_t *latency = slice->latency;

  qsort(latency, slice->load->count, sizeof *latency, by_size);
  tally_note(bench, tally, row->name, slice->caller->name, x);
  figure_add(bench, row->name, slice->caller->name, "us median", x,
             latency[slice->load->count / 2] / 1e3);
  figure_add(bench, row->name, slice->caller->name, "us p99", x,
             latency[slice->load->count * 99 / 100] / 1e3);
}

/* One round of a row at one number of threads. */
static int measure(struct bench *bench, const struct row *row, const struct site *site,
                   void *const *opened, size_t threads, size_t round)
{
  size_t count = bench->quick ? 256 : bench->operations / (row->place == PLACE_FREE ? 200 : 250);
  size_t slices = bench->quick ? 2 : SLICES, c, s;
  struct slice slice[CALLERS];
  struct tally tally[CALLERS] = { { 0, 0, 0, 0 } };
  struct load load;
  int failed = 0;

  load_random(&load, count, bench->keys / 10, 0, bench->round_seed[round] + threads);
  for (c = 0; c < CALLERS; c++) {
    slice[c] = (struct slice){ .caller = &callers[c], .opened = opened[c], .op = row->op,
                               .load = &load, .threads = threads };
    slice[c].latency = bench_memory(count, sizeof(uint32_t));
  }
  for (s = 0; s < slices; s++)
    for (c = 0; c < CALLERS && !failed; c++) {
      size_t turn = (c + s + round) % CALLERS;

      if (opened[turn] != NULL)
        failed = run_slice(&slice[turn], &tally[turn], site, s * count / slices,
                           (s + 1) * count / slices);
    }
  for (c = 0; c < CALLERS; c++) {
    if (!failed && opened[c] != NULL)
      note_calls(bench, row, &slice[c], &tally[c]);
    free(slice[c].latency);
  }
  load_free(&load);
  return failed;
}

/* What each thread needs for its first calls is not measured. */
static int warm_up(const struct caller *caller, void *opened, const struct site *site)
{
  uint32_t latency[2 * WARM] = { 0 };
  struct tally tally = { 0, 0, 0, 0 };
  struct slice slice = { .caller = caller, .opened = opened, .op = OP_GET, .threads = 2,
                         .latency = latency };
  struct load load;
  int failed;

  load_random(&load, 2 * WARM, 1, 0, 1);
  slice.load = &load;
  failed = run_slice(&slice, &tally, site, 0, WARM);
  slice.threads = 1;
  failed |= run_slice(&slice, &tally, site, WARM, 2 * WARM);
  load_free(&load);
  return failed;
}

/* The first two processors that we may use. */
static size_t two_processors(const cpu_set_t *allowed, size_t *cpu)
{
  size_t i, found = 0;

  for (i = 0; i < CPU_SETSIZE && found < 2; i++)
    if (CPU_ISSET(i, allowed))
      cpu[found++] = i;
  return found;
}

static void pin(int pid, size_t cpu)
{
  cpu_set_t set;

  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(pid, sizeof set, &set);
}

/* Threads that come later are where their maker is.  0: there are too few processors. */
static int take_place(const struct site *site, enum place place, const cpu_set_t *allowed)
{
  size_t cpu[2] = { 0, 0 }, found = two_processors(allowed, cpu);

  if (place == PLACE_FREE)
    return 1;
  if (found <= (size_t)place)
    return 0;
  pin(redis_pid(site->server), cpu[0]);
  pin(0, cpu[place == PLACE_ONE ? 0 : 1]);
  return 1;
}

static void leave_place(const struct site *site, const cpu_set_t *allowed)
{
  sched_setaffinity(redis_pid(site->server), sizeof *allowed, allowed);
  sched_setaffinity(0, sizeof *allowed, allowed);
}

static int measure_counts(struct bench *bench, const struct row *row, const struct site *site,
                          void *const *opened, size_t round)
{
  size_t i;
  int failed = 0;

  if (row->place != PLACE_FREE)
    return measure(bench, row, site, opened, 1, round);
  for (i = 0; i < COUNTS && !failed; i++) {
    if (round >= bench_rounds(bench, counts[i].judged) || (bench->quick && !counts[i].judged))
      continue;
    bench_progress(bench, "round %zu of %zu  %s, %zu threads", round + 1, bench->rounds, row->name,
                   counts[i].threads);
    failed = measure(bench, row, site, opened, counts[i].threads, round);
  }
  return failed;
}

/* Connections of a round are its own. */
static int measure_row(struct bench *bench, const struct row *row, const int *wanted,
                       struct site *site, size_t round, const cpu_set_t *allowed)
{
  void *opened[CALLERS] = { NULL };
  size_t threads = row->place == PLACE_FREE ? REMOTE_THREADS : 2, c;
  int failed = 0;

  bench_progress(bench, "round %zu of %zu  %s", round + 1, bench->rounds, row->name);
  if (!take_place(site, row->place, allowed)) {
    for (c = 0; c < CALLERS; c++)
      if (wanted[c])
        bench_note(bench, "%s/%s: one processor only", row->name, callers[c].name);
    return 0;
  }
  for (c = 0; c < CALLERS && !failed; c++)
    if (wanted[c]) {
      opened[c] = callers[c].open(site, row->transport, threads);
      failed = opened[c] == NULL || warm_up(&callers[c], opened[c], site) != 0;
    }
  if (!failed)
    failed = measure_counts(bench, row, site, opened, round);
  for (c = 0; c < CALLERS; c++)
    if (opened[c] != NULL)
      callers[c].close(opened[c]);
  leave_place(site, allowed);
  if (failed)
    fprintf(stderr, "bench: %s: a wrong result\n", row->name);
  return failed;
}

int remote_calls(struct bench *bench, struct site *site)
{
  int wanted[ROWS][CALLERS], any[ROWS] = { 0 }, failed = 0;
  cpu_set_t allowed;
  size_t r, c, round;

  for (r = 0; r < ROWS; r++)
    for (c = 0; c < CALLERS; c++)
      any[r] |= wanted[r][c] = bench_wants(bench, rows[r].name, callers[c].name);
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (round = 0; round < bench->rounds && !failed; round++)
    for (r = 0; r < ROWS && !failed; r++)
      if (any[r] && site_ready(bench, site))
        failed = measure_row(bench, &rows[r], wanted[r], site, round, &allowed);
  return failed;
}
