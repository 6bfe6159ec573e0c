/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <unistd.h>

/*
 * Operations one after another on one thread: ns of wall time, and ns of CPU for those
 * that take commands.  A server's CPU is that of its process, for as many steps as it takes to
 * use the settings' stretch; its PING is measured in the same round, to be taken off.
 *
 * Targets of a kind are filled together and measured in turns, a kind after the other.
 */

enum { CHUNK = 20000 }; /* steps between two looks at a server's CPU */

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
  table->chosen[OP_PING][t] = targets[t]->cpu != NULL;
  if (targets[t]->cpu != NULL) {
    targets[t]->version(table->opened[t], version, sizeof version);
    bench_server(bench, targets[t]->name, version);
  }
  return 0;
}

static void make_load(const struct table *table, enum op op, size_t round, struct load *load)
{
  const struct bench *b = table->bench;
  uint64_t seed = b->round_seed[round] + (uint64_t)op;

  if (op == OP_NEW)
    load_shuffled(load, b->keys, seed);
  else
    load_random(load, b->operations, op == OP_SADD ? 2 * b->keys : b->keys, 0, seed);
  if (op == OP_WINDOW)
    load_time(load, b->keys + round * b->operations, b->keys / 10);
}

static void note_values(struct table *table, enum op op, size_t t, double steps, double wall,
                        double cpu)
{
  const char *name = targets[t]->name;
  double keys = steps * (double)op_info[op].per;
  double x = op == OP_PING ? (double)table->kind : 0; /* a PING for each kind */

  figure_add(table->bench, op_info[op].name, name, "ns", x, wall / keys);
  if (targets[t]->cpu != NULL || targets[t] == &target_argv)
    figure_add(table->bench, op_info[op].name, name, "ns CPU", x, cpu / keys);
}

static int time_server(struct table *table, enum op op, size_t t, const struct load *load,
                       size_t steps)
{
  const struct target *target = targets[t];
  void *opened = table->opened[t];
  size_t done = 0, chunk = CHUNK / op_info[op].per;
  double wall = now_ns(), cpu = target->cpu(opened), used = 0;

  while (done < steps && used < table->bench->stretch) {
    size_t end = done + chunk < steps ? done + chunk : steps;

    if (target->run(opened, op, load, done, end) != 0)
      return -1;
    done = end;
    used = target->cpu(opened) - cpu;
  }
  note_values(table, op, t, (double)done, now_ns() - wall, used);
  return 0;
}

struct task {
  const struct target *target;
  void *opened;
  enum op op;
  const struct load *load;
  size_t steps;
};

/* out: wall and CPU, in ns. */
static int time_task(const struct task *task, double *out)
{
  int failed;

  out[0] = now_ns();
  out[1] = process_cpu_ns();
  failed = task->target->run(task->opened, task->op, task->load, 0, task->steps);
  out[1] = process_cpu_ns() - out[1];
  out[0] = now_ns() - out[0];
  return failed;
}

static void fill_afresh(void *context, double *out)
{
  struct task *task = context;
  char why[256];

  task->opened = task->target->open(why, sizeof why);
  if (task->opened == NULL || time_task(task, out) != 0)
    _exit(1);
  task->target->close(task->opened); /* it may have left files */
}

/* New keys: in a process of its own, so that nobody finds memory that another has warmed. */
static int time_table(struct table *table, enum op op, size_t t, const struct load *load,
                      size_t steps)
{
  struct task task = { targets[t], table->opened[t], op, load, steps };
  double out[2];
  int failed = op == OP_NEW ? in_child(fill_afresh, &task, out, 2) : time_task(&task, out);

  if (!failed)
    note_values(table, op, t, (double)steps, out[0], out[1]);
  return failed;
}

static int measure_op(struct table *table, size_t round, enum op op)
{
  size_t t, n = 0, steps;
  struct load load;
  int failed = 0, any = 0;

  while (targets[n] != NULL)
    any |= table->chosen[op][n++];
  if (!any)
    return 0;
  make_load(table, op, round, &load);
  steps = load.count / op_info[op].per;
  for (t = 0; t < n && !failed; t++) {
    size_t turn = (t + round) % n; /* nobody is always first */

    if (!table->chosen[op][turn])
      continue;
    bench_progress(table->bench, "round %zu of %zu  %s/%s", round + 1, table->bench->rounds,
                   op_info[op].name, targets[turn]->name);
    failed = targets[turn]->cpu != NULL ? time_server(table, op, turn, &load, steps)
                                        : time_table(table, op, turn, &load, steps);
    if (failed > 0) {
      bench_note(table->bench, "%s/%s: no such command", op_info[op].name, targets[turn]->name);
      failed = table->chosen[op][turn] = 0;
    } else if (failed < 0) {
      fprintf(stderr, "bench: %s/%s: a wrong result\n", op_info[op].name, targets[turn]->name);
    }
  }
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
