/* SPDX-License-Identifier: BSD-2-Clause */
#include "drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_name[DRILL_KINDS] = { "set members", "increments", "hash fields",
                                                    "list pushes", "atomic pairs" };

static void calls(const struct drill_load *load)
{
  uint64_t writes, reads;
  int origin, outcome, t;

  printf("\n%-10s %-16s %10s %10s\n", "origin", "outcome", "writes", "reads");
  for (origin = 0; origin < LARDER_ORIGINS; origin++)
    for (outcome = 0; outcome < LARDER_OUTCOMES; outcome++) {
      writes = reads = 0;
      for (t = 0; t < load->threads; t++) {
        writes += load->thread[t].writes[origin][outcome];
        reads += load->thread[t].reads[origin][outcome];
      }
      if (writes || reads)
        printf("%-10s %-16s %10" PRIu64 " %10" PRIu64 "\n",
               larder_origin_name((larder_origin)origin),
               larder_outcome_name((larder_outcome)outcome), writes, reads);
    }
}

static void refusals(const struct drill_load *load)
{
  int t;

  for (t = 0; t < load->threads; t++)
    if (load->thread[t].refusal[0]) {
      printf("%-28s %s\n", "first refusal", load->thread[t].refusal);
      return;
    }
}

static void slowest(const struct drill_load *load)
{
  const struct drill_thread *worst = &load->thread[0];
  int t;

  for (t = 1; t < load->threads; t++)
    if (load->thread[t].slowest > worst->slowest)
      worst = &load->thread[t];
  printf("%-28s %.2f ms (a %s, begun at %.2f s)\n", "slowest call", (double)worst->slowest / 1e6,
         worst->slowest_is_read ? "read" : "write",
         (double)(worst->slowest_at - load->start) / 1e9);
}

static void outages(const struct drill_load *load, const larder_status *status)
{
  uint64_t writes = 0, ok = 0;
  int i;

  for (i = 0; i < DRILL_OUTAGES; i++) {
    const struct drill_outage *o = &load->outage[i];
    int64_t begun = atomic_load(&o->begun), noticed = atomic_load(&o->noticed);
    char name[64];
    if (!begun)
      continue;
    snprintf(name, sizeof name, "%s noticed after", o->what);
    if (noticed)
      printf("%-28s %.1f ms\n", name, (double)(noticed - begun) / 1e6);
    else
      printf("%-28s never\n", name);
  }
  for (i = 0; i < load->threads; i++) {
    writes += load->thread[i].outage_writes;
    ok += load->thread[i].outage_ok;
  }
  if (!writes)
    return;
  printf("%-28s %" PRIu64 ".%02" PRIu64 " %% OK (%" PRIu64 " of %" PRIu64 ")\n",
         "writes while Redis was away", ok * 100 / writes, ok * 10000 / writes % 100, ok, writes);
  printf("%-28s %" PRIu64 " calls\n", "served locally", (uint64_t)atomic_load(&load->local));
  printf("%-28s %" PRIu64 " writes in %" PRIu64 " batches (folded: many calls make one)\n",
         "replayed", status->replayed, status->replay_batches);
  if (status->dropped)
    printf("%-28s %" PRIu64 "\n", "given up by the replay", status->dropped);
}

static void add(struct drill_count *sum, const struct drill_count *c)
{
  sum->attempted += c->attempted;
  sum->acknowledged += c->acknowledged;
  sum->unknown += c->unknown;
  sum->unknown_there += c->unknown_there;
  sum->there += c->there;
  sum->lost += c->lost;
  sum->doubled += c->doubled;
  sum->invented += c->invented;
}

static void row(const char *name, const struct drill_count *c)
{
  printf("%-13s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %8" PRIu64 " %8" PRIu64
         " %8" PRIu64 "\n",
         name, c->attempted, c->acknowledged, c->unknown, c->there, c->lost, c->doubled,
         c->invented);
}

int drill_report(const struct drill_load *load, const struct drill_count count[DRILL_KINDS],
                 uint64_t broken, const larder_status *status, uint64_t left)
{
  struct drill_count sum = { 0 };
  uint64_t wrong = 0;
  int i, fine;

  calls(load);
  putchar('\n');
  refusals(load);
  slowest(load);
  outages(load, status);
  if (left)
    printf("%-28s %" PRIu64 " writes\n", "not replayed at closing", left);
  printf("\n%-13s %10s %10s %10s %10s %8s %8s %8s\n", "recounted", "attempted", "acked", "unknown",
         "there", "lost", "doubled", "invented");
  for (i = 0; i < DRILL_KINDS; i++) {
    row(kind_name[i], &count[i]);
    add(&sum, &count[i]);
  }
  row("all", &sum);
  for (i = 0; i < load->threads; i++)
    wrong += load->thread[i].wrong_reads;
  printf("\nof %" PRIu64 " writes with an unknown outcome %" PRIu64 " are there; half pairs: "
         "%" PRIu64 "; reads that denied an acknowledged write: %" PRIu64 "\n",
         sum.unknown, sum.unknown_there, broken, wrong);
  fine = !sum.lost && !sum.doubled && !sum.invented && !broken && !wrong;
  printf("\n%" PRIu64 " lost, %" PRIu64 " doubled%s\n", sum.lost, sum.doubled,
         fine ? "" : "  <-- this must not happen");
  return fine ? 0 : 1;
}
