/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Benchmarks: larder beside its peers, in one process and one run.
 *
 * What is compared is measured in rounds: in each round everything is measured once, in
 * an order that rotates and with random numbers of that round, so that drift of the
 * machine hits all alike and ratios are taken round by round.
 *
 * Each value goes to a figure, which has four names: the case ("get"), who ("larder-typed"), the
 * unit ("ns"), and x, what the case is drawn over (number of keys, threads; 0: nothing).  Tables,
 * bars, CSV and plots are made from figures alone.
 */

enum { ROUNDS_MAX = 99, NAME_SIZE = 32 };

struct figure_name {
  const char *what, *who, *unit;
  double x;
};

struct figure {
  char what[NAME_SIZE], who[NAME_SIZE], unit[NAME_SIZE];
  double x;
  size_t count; /* of rounds that gave a value, the first ones */
  double value[ROUNDS_MAX];
};

struct bench {
  /* Settings; what a row says of its own size is relative to these. */
  size_t rounds, keys, operations;
  int quick, full;
  int terminal; /* standard error is one: the progress line is written over itself */
  double told;  /* when it was last written; now_ns() */
  uint64_t seed, round_seed[ROUNDS_MAX];

  char **pattern; /* cases asked for; none: all */
  size_t patterns;
  int *matched;   /* [patterns] */
  FILE *list;     /* only name the cases here; nothing is run */
  int surveying;  /* bench_wants notes which patterns match, and wants nothing */

  struct figure *figure;
  size_t figures, room;

  double began;              /* now_ns() */
  double took[16];           /* s that each mechanism took */
  double load_before;        /* load average then */
  double stolen_before;      /* stolen_s() then */
  char server[4][NAME_SIZE]; /* name and version of those that were measured */
  size_t servers;
  char *note[64]; /* what could not be measured, and why; owned */
  size_t notes;
};

/* One mechanism with its rows.  Asks bench_wants for each of its rows before it does
 * anything; 0, or -1 after a line on standard error. */
typedef int bench_run(struct bench *);

extern const char *const mechanism_names[]; /* as took; ends with NULL */
bench_run run_throughput, run_threads, run_isolated, run_memory, run_expire, run_beside, run_ratio,
  run_serve, run_remote, run_open;

/* Whether the row is to be measured now. */
int bench_wants(struct bench *, const char *what, const char *who);
/* How many rounds a row gets: judged: a bar is stated for it.  The others are for plots and for
 * looking at, and get two unless everything is to be measured at its full size. */
size_t bench_rounds(const struct bench *, int judged);
/* The progress line on standard error; where that is no terminal, one every 10 s. */
void bench_progress(struct bench *, const char *format, ...)
  __attribute__((format(printf, 2, 3)));
/* A line for the end of the report; once, however often it is said. */
void bench_note(struct bench *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Names a server that is measured; once, however often. */
void bench_server(struct bench *, const char *name, const char *version);

/* Adds the value of one more round. */
void figure_add(struct bench *, const char *what, const char *who, const char *unit, double x,
                double value);
const struct figure *figure_find(const struct bench *, const struct figure_name *); /* or NULL */

struct summary {
  double median, least, most;
};
struct summary summarize(const double *value, size_t count);

/* Reports; prefix: of each line. */
double stolen_s(void);
void print_environment(FILE *, const struct bench *, const char *prefix);
void print_figures(FILE *, const struct bench *);
void print_bars(FILE *, const struct bench *);
void print_markdown(FILE *, const struct bench *);
/* One line per value; 0, or -1 after a line on standard error. */
int write_csv(const char *path, const struct bench *);

/* Runs work in a child of its own, whose memory nobody used before, and gives back the count
 * numbers that it left; 0, or -1: it failed. */
int in_child(void (*work)(void *context, double *out), void *context, double *out, size_t count);
double resident_bytes(int pid); /* 0: of this process */

/* Small things.  bench_memory gives zeroed memory or ends the process. */
void *bench_memory(size_t count, size_t size);
void *bench_huge_memory(size_t count, size_t size); /* not cleared, in huge pages; free() */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t bound);
double now_ns(void);         /* monotonic */
double process_cpu_ns(void); /* of all threads of this process */
double process_ns(int pid);  /* of all threads of another one; 0: it is not there */

#endif
