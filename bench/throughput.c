/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <unistd.h>

/*
 * Operations one after another on one thread: ns of wall time, and ns of CPU for those
 * that take commands.  A server's CPU is that of its process.
 *
 * Targets of a kind are filled together, a kind after the other.  A round's steps are done in
 * slices, of each target one in turn, so that all have the same good and bad moments; before each
 * slice of a server come PINGs to it, through the same connection, which are to be taken off.
 */

enum {
  SLICES = 20, /* 2 for a quick look */
  SHARE = 5, /* a server does one in so many of the steps: half a second, or less */
};

struct table {
  struct bench *bench;
  enum kind kind;
  void *opened[TARGETS_MAX];
  int chosen[OPS][TARGETS_MAX];
};

static int choose(struct table *table)
{
  int op, any = 0;
  size_t t;

  for (op = 0; op < OPS; op++)
    for (t = 0; targets[t] != NULL; t++) {
      table->chosen[op][t] = op != OP_MIX && op != OP_PING && op_info[op].kind == table->kind &&
                             (targets[t]->can & OP_BIT(op)) != 0 &&
                             bench_wants(table->bench, op_info[op].name, targets[t]->name);
      any |= table->chosen[op][t];
    }
  return any;
}

/* A target that isn't here is struck out, with a note. */
static int open_target(struct table *table, size_t t)
{
  struct bench *bench = table->bench;
  char why[256] = "", version[16];
  int op, wanted = 0;

  for (op = 0; op < OPS; op++)
    wanted |= table->chosen[op][t];
  if (!wanted)
    return 0;
  bench_progress(bench, "filling %s", targets[t]->name);
  table->opened[t] = targets[t]->open(why, sizeof why);
  if (table->opened[t] == NULL) {
    bench_note(bench, "%s: %s", targets[t]->name, why);
    for (op = 0; op < OPS; op++)
      table->chosen[op][t] = 0;
    return 0;
  }
  if (target_fill(targets[t], table->opened[t], table->kind, bench->keys, bench->seed) != 0) {
    fprintf(stderr, "bench: %s: a wrong result while filling it\n", targets[t]->name);
    return -1;
  }
  if (targets[t]->cpu != NULL) {
    targets[t]->version(table->opened[t], version, sizeof version);
    bench_server(bench, targets[t]->name, version);
  }
  return 0;
}

static size_t slices_of(const struct bench *bench)
{
  return bench->quick ? 2 : SLICES;
}

static int is_server(size_t t)
{
  return targets[t]->cpu != NULL;
}

/* Servers do less.  What is not measured beside tables everybody does as often as they do:
 * what is there changes, and shall change alike. */
static size_t round_steps(const struct table *table, enum op op)
{
  size_t t, steps = table->bench->operations;

  for (t = 0; targets[t] != NULL; t++)
    if (is_server(t) && table->chosen[op][t] && table->kind != KIND_STRINGS)
      return steps / SHARE;
  return steps;
}

static void make_load(const struct table *table, enum op op, size_t round, struct load *load)
{
  const struct bench *b = table->bench;
  uint64_t seed = b->round_seed[round] + (uint64_t)op;
  size_t steps = round_steps(table, op);

  if (op == OP_NEW)
    load_shuffled(load, b->keys, seed);
  else
    load_random(load, steps, op == OP_SADD ? 2 * b->keys : b->keys, 0, seed);
  if (op == OP_WINDOW)
    load_time(load, b->keys + round * steps, b->keys / 10);
}

/* What a target has done in a round, and the ns that it took. */
struct tally {
  size_t steps, pings;
  double wall, cpu, ping;
};

static void note_tally(struct table *table, enum op op, size_t t, const struct tally *tally)
{
  const char *what = op_info[op].name, *name = targets[t]->name;
  double keys = (double)(tally->steps * op_info[op].per);

  figure_add(table->bench, what, name, "ns", 0, tally->wall / keys);
  if (is_server(t) || targets[t] == &target_argv)
    figure_add(table->bench, what, name, "ns CPU", 0, tally->cpu / keys);
  if (is_server(t))
    figure_add(table->bench, what, name, "ns CPU of PING", 0, tally->ping / (double)tally->pings);
}

struct task {
  const struct target *target;
  void *opened;
  enum op op;
  const struct load *load;
  size_t from, to; /* steps */
};

static double cpu_of(const struct task *task)
{
  return task->target->cpu != NULL ? task->target->cpu(task->opened) : process_cpu_ns();
}

/* Adds to wall and cpu, in ns. */
static int time_task(const struct task *task, double *wall, double *cpu)
{
  double cpu_before = cpu_of(task), begin = now_ns();
  int failed = task->target->run(task->opened, task->op, task->load, task->from, task->to);

  *wall += now_ns() - begin;
  *cpu += cpu_of(task) - cpu_before;
  return failed;
}

static void fill_afresh(void *context, double *out)
{
  struct task *task = context;
  char why[256];

  out[0] = out[1] = 0;
  task->opened = task->target->open(why, sizeof why);
  if (task->opened == NULL || time_task(task, &out[0], &out[1]) != 0)
    _exit(1);
  task->target->close(task->opened); /* it may have left files */
}

/* New keys: in a process of its own, so that nobody finds memory that another has warmed. */
static int time_new(size_t t, const struct load *load, struct tally *tally)
{
  struct task task = { targets[t], NULL, OP_NEW, load, 0, load->count };
  double out[2];
  int failed = in_child(fill_afresh, &task, out, 2);

  tally->steps = load->count;
  tally->wall = out[0];
  tally->cpu = out[1];
  return failed;
}

static int time_pings(struct table *table, size_t t, const struct load *load, struct tally *tally)
{
  size_t pings = table->bench->operations / SHARE / slices_of(table->bench);
  struct task task = { targets[t], table->opened[t], OP_PING, load, 0, pings };
  double wall = 0;

  tally->pings += pings;
  return time_task(&task, &wall, &tally->ping);
}

static int time_slice(struct table *table, enum op op, size_t t, const struct load *load,
                      size_t slice, struct tally *tally)
{
  size_t share = is_server(t) && table->kind == KIND_STRINGS ? SHARE : 1;
  size_t steps = load->count / op_info[op].per / share;
  size_t slices = slices_of(table->bench);
  struct task task = { targets[t], table->opened[t], op, load, steps * slice / slices,
                       steps * (slice + 1) / slices };

  if (op == OP_RPOP && !table->chosen[OP_LPUSH][t] &&
      task.target->run(task.opened, OP_LPUSH, load, task.from, task.to) != 0)
    return -1; /* else the list would end one day */
  if (is_server(t) && time_pings(table, t, load, tally) != 0)
    return -1;
  tally->steps += task.to - task.from;
  return time_task(&task, &tally->wall, &tally->cpu);
}

static int is_due(const struct table *table, enum op op, size_t t, size_t round)
{
  return table->chosen[op][t] && round < bench_rounds(table->bench, targets[t]->judged);
}

/* A target that has no such command is struck out. */
static int look_at(struct table *table, enum op op, size_t t, int failed)
{
  if (failed > 0) {
    bench_note(table->bench, "%s/%s: no such command", op_info[op].name, targets[t]->name);
    table->chosen[op][t] = 0;
    return 0;
  }
  if (failed < 0)
    fprintf(stderr, "bench: %s/%s: a wrong result\n", op_info[op].name, targets[t]->name);
  return failed;
}

static int measure_slices(struct table *table, size_t round, enum op op, const struct load *load,
                          struct tally *tally, size_t n)
{
  size_t slice, slices = op == OP_NEW ? 1 : slices_of(table->bench), t;
  int failed = 0;

  for (slice = 0; slice < slices && !failed; slice++)
    for (t = 0; t < n && !failed; t++) {
      size_t turn = (t + slice + round) % n; /* nobody is always first */

      if (!is_due(table, op, turn, round))
        continue;
      bench_progress(table->bench, "round %zu of %zu  %s/%s", round + 1, table->bench->rounds,
                     op_info[op].name, targets[turn]->name);
      failed = op == OP_NEW ? time_new(turn, load, &tally[turn])
                            : time_slice(table, op, turn, load, slice, &tally[turn]);
      failed = look_at(table, op, turn, failed);
    }
  return failed;
}

static int measure_op(struct table *table, size_t round, enum op op)
{
  struct tally tally[TARGETS_MAX] = { { 0, 0, 0, 0, 0 } };
  size_t t, n = 0;
  struct load load;
  int failed, any = 0;

  while (targets[n] != NULL)
    any |= table->chosen[op][n++];
  if (!any)
    return 0;
  make_load(table, op, round, &load);
  failed = measure_slices(table, round, op, &load, tally, n);
  for (t = 0; t < n && !failed; t++)
    if (is_due(table, op, t, round))
      note_tally(table, op, t, &tally[t]);
  load_free(&load);
  return failed;
}

static int run_kind(struct bench *bench, enum kind kind)
{
  struct table table = { .bench = bench, .kind = kind };
  size_t t, round;
  int op, failed = 0;

  if (!choose(&table))
    return 0;
  for (t = 0; targets[t] != NULL && !failed; t++)
    failed = open_target(&table, t);
  for (round = 0; round < bench->rounds && !failed; round++)
    for (op = 0; op < OPS && !failed; op++)
      failed = measure_op(&table, round, (enum op)op);
  for (t = 0; targets[t] != NULL; t++)
    if (table.opened[t] != NULL)
      targets[t]->close(table.opened[t]);
  return failed;
}

int run_throughput(struct bench *bench)
{
  int kind, failed = 0;

  for (kind = 0; kind < KINDS && !failed; kind++)
    failed = run_kind(bench, (enum kind)kind);
  return failed;
}
