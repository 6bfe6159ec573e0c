/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote.h"

/* Commands in flight, 1 to 512 of them, on one thread that is pinned nowhere. */

struct row {
  const char *name;
  enum op op;
  enum transport transport;
};

static const struct row rows[] = {
  { "remote-async-get-unix", OP_GET, TRANSPORT_UNIX },
  { "remote-async-set-unix", OP_SET, TRANSPORT_UNIX },
  { "remote-async-get-tcp", OP_GET, TRANSPORT_TCP },
  { "remote-async-set-tcp", OP_SET, TRANSPORT_TCP },
};

/* The deepest has bars; the others are for the plot, of GET on the unix socket. */
static const size_t depths[] = { 512, 1, 8, 64 };

enum { ROWS = sizeof rows / sizeof rows[0], DEPTHS = sizeof depths / sizeof depths[0], SLICES = 5 };

struct stretch {
  const struct pipeliner *who;
  void *opened;
  enum op op;
  const struct load *load;
  size_t from, to, depth;
};

static int run_stretch(void *context)
{
  struct stretch *s = context;

  return s->who->run(s->opened, s->op, s->load, s->from, s->to, s->depth);
}

static size_t steps(const struct bench *bench, size_t depth)
{
  if (bench->quick)
    return 1024;
  return bench->operations / (depth >= 64 ? 50 : 250);
}

static int measure(struct bench *bench, const struct row *row, const struct site *site,
                   void *const *opened, size_t depth, size_t round)
{
  size_t count = steps(bench, depth), slices = bench->quick ? 2 : SLICES, s, p;
  struct tally tally[PIPELINERS] = { { 0, 0, 0, 0 } };
  struct load load;
  int failed = 0;

  load_random(&load, count, bench->keys / 10, 0, bench->round_seed[round] + depth);
  for (s = 0; s < slices; s++)
    for (p = 0; p < PIPELINERS && !failed; p++) {
      size_t turn = (p + s + round) % PIPELINERS;
      struct stretch stretch = { &pipeliners[turn], opened[turn], row->op, &load,
                                 s * count / slices, (s + 1) * count / slices, depth };

      if (opened[turn] != NULL)
        failed = tally_work(&tally[turn], site, stretch.to - stretch.from, run_stretch, &stretch);
    }
  for (p = 0; p < PIPELINERS; p++)
    if (!failed && opened[p] != NULL)
      tally_note(bench, &tally[p], row->name, pipeliners[p].name, (double)depth);
  load_free(&load);
  return failed;
}

static int measure_row(struct bench *bench, size_t r, const int *wanted, struct site *site,
                       size_t round)
{
  void *opened[PIPELINERS] = { NULL };
  size_t p, d;
  int failed = 0;

  for (p = 0; p < PIPELINERS && !failed; p++)
    if (wanted[p])
      failed = (opened[p] = pipeliners[p].open(site, rows[r].transport)) == NULL;
  for (d = 0; d < DEPTHS && !failed; d++) {
    if (d > 0 && (r > 0 || round >= bench_rounds(bench, 0)))
      break;
    bench_progress(bench, "round %zu of %zu  %s, %zu in flight", round + 1, bench->rounds,
                   rows[r].name, depths[d]);
    failed = measure(bench, &rows[r], site, opened, depths[d], round);
  }
  for (p = 0; p < PIPELINERS; p++)
    if (opened[p] != NULL)
      pipeliners[p].close(opened[p]);
  if (failed)
    fprintf(stderr, "bench: %s: a wrong result\n", rows[r].name);
  return failed;
}

int remote_pipelines(struct bench *bench, struct site *site)
{
  int wanted[ROWS][PIPELINERS], any[ROWS] = { 0 }, failed = 0;
  size_t r, p, round;

  for (r = 0; r < ROWS; r++)
    for (p = 0; p < PIPELINERS; p++)
      any[r] |= wanted[r][p] = bench_wants(bench, rows[r].name, pipeliners[p].name);
  for (round = 0; round < bench->rounds && !failed; round++)
    for (r = 0; r < ROWS && !failed; r++)
      if (any[r] && site_ready(bench, site))
        failed = measure_row(bench, r, wanted[r], site, round);
  return failed;
}
